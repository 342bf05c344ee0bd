"""Sensor models: their noise, bias, horizon and silence against what their descriptions promise."""

import dataclasses
import doctest
import itertools
import math
import statistics

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.scenarios import sensors
from airvigil.scenarios.paths import Path, Waypoint
from airvigil.scenarios.sensors import (
    AdsbReceiver,
    Flight,
    Interference,
    Noise,
    Radar,
    Transponder,
    adsb_rows,
    is_seen,
    radar_rows,
)

WGS84 = Geodesic.WGS84
S = 1_000_000_000
ROUTE = Path(
    (
        Waypoint(59.9, 27.0, 6_000.0, time="2024-01-01T12:00:00Z", speed_mps=120.0),
        Waypoint(59.8, 25.0, 6_000.0, speed_mps=120.0),
    )
)
SILENT = Flight("silent", ROUTE)
AIRLINER = Flight("airliner", ROUTE, transponder=Transponder("d00001", "SYNTH01", "2101"))
RADAR = Radar(
    name="station",
    picture="picture",
    latitude_deg=59.1,
    longitude_deg=26.4,
    antenna_height_m=150.0,
    scan_period_s=0.5,
    sigma_range_m=60.0,
    sigma_azimuth_deg=0.15,
    bias_range_m=0.0,
    bias_azimuth_deg=0.0,
    bias_bound_m=500.0,
    detection_probability=0.9,
    latency_s=1.0,
)
RECEIVER = AdsbReceiver("receiver", 59.45, 24.9, 60.0)


def error_m(row: dict, flight: Flight) -> tuple[float, float]:
    """East and north of a reported place from the truth at its time."""
    truth = flight.motion(row["time_of_applicability"])
    assert truth is not None
    line = WGS84.Inverse(truth.latitude_deg, truth.longitude_deg, row["latitude_deg"], row["longitude_deg"])
    azimuth = math.radians(line["azi1"])
    return line["s12"] * math.sin(azimuth), line["s12"] * math.cos(azimuth)


def test_radar_errors_have_the_covariance_that_the_plots_carry() -> None:
    rows = list(radar_rows(RADAR, SILENT, 1, Noise(1)))
    assert len(rows) > 1_500
    nees = []
    for row in rows:
        e, n = error_m(row, SILENT)
        c = np.array(
            [
                [row["covariance_ee_m2"], row["covariance_en_m2"]],
                [row["covariance_en_m2"], row["covariance_nn_m2"]],
            ]
        )
        nees.append(np.array([e, n]) @ np.linalg.solve(c, [e, n]))
    # the mean of N chi-squares of 2 degrees of freedom has one sigma of 2 / sqrt(N)
    assert statistics.mean(nees) == pytest.approx(2.0, abs=4.0 * 2.0 / math.sqrt(len(nees)))
    assert statistics.quantiles(nees, n=20)[-1] == pytest.approx(5.991, rel=0.15)


def test_radar_detects_its_share_of_turns() -> None:
    rows = list(radar_rows(RADAR, SILENT, 1, Noise(2)))
    turns = (ROUTE.end_ns - ROUTE.start_ns) / S / RADAR.scan_period_s
    share = len(rows) / turns
    assert share == pytest.approx(0.9, abs=4.0 * math.sqrt(0.09 / turns) + 2.0 / turns)


def test_radar_sees_a_target_when_the_beam_points_at_it() -> None:
    slow = dataclasses.replace(RADAR, scan_period_s=10.0, detection_probability=1.0)
    rows = list(radar_rows(slow, SILENT, 1, Noise(3)))
    first = None
    for row in rows[1:]:
        truth = SILENT.motion(row["time_of_applicability"])
        assert truth is not None
        line = WGS84.Inverse(slow.latitude_deg, slow.longitude_deg, truth.latitude_deg, truth.longitude_deg)
        beam = (row["time_of_applicability"] / S - line["azi1"] % 360.0 / 360.0 * 10.0) % 10.0
        first = beam if first is None else first
        # the target moves on by up to half a turn's flight: 600 m of 80 km, 12 ms of a turn
        assert abs(math.remainder(beam - first, 10.0)) < 0.05


def test_radar_bias_stays_within_its_bound_and_shows() -> None:
    biased = dataclasses.replace(
        RADAR, sigma_range_m=0.001, sigma_azimuth_deg=1e-7, bias_range_m=100.0, bias_azimuth_deg=0.05
    )
    sizes = [math.hypot(*error_m(row, SILENT)) for row in radar_rows(biased, SILENT, 1, Noise(4))]
    assert max(sizes) < biased.bias_bound_m
    assert min(sizes) > 100.0


def test_radar_knows_no_identity_of_a_silent_aircraft_and_mode_s_of_the_others() -> None:
    silent = next(radar_rows(RADAR, SILENT, 7, Noise(5)))
    assert {"icao24", "callsign", "squawk", "pressure_altitude_m"}.isdisjoint(silent)
    assert (silent["sensor"], silent["sensor_kind"], silent["sensor_track"]) == ("picture", "radar", "7")
    assert silent["received_at"] - silent["time_of_applicability"] == S
    spoken = next(radar_rows(RADAR, AIRLINER, 8, Noise(5)))
    assert (spoken["icao24"], spoken["squawk"], spoken["pressure_altitude_m"]) == ("d00001", "2101", 6_000.0)


def test_nothing_is_seen_below_the_horizon_or_out_of_range() -> None:
    low = Flight("low", Path(tuple(dataclasses.replace(w, height_m=30.0) for w in ROUTE.waypoints)))
    near_sea = dataclasses.replace(RADAR, antenna_height_m=10.0)
    assert list(radar_rows(near_sea, low, 1, Noise(6))) == []
    assert list(radar_rows(dataclasses.replace(RADAR, range_m=50_000.0), SILENT, 1, Noise(6))) == []
    # 4.12 km per square root of a metre is the textbook's rule for 4/3 Earth
    limit = 4_120.0 * (math.sqrt(100.0) + math.sqrt(900.0))
    assert is_seen(100.0, limit * 0.998, 900.0)
    assert not is_seen(100.0, limit * 1.002, 900.0)


def test_adsb_of_a_silent_aircraft_is_nothing() -> None:
    assert list(adsb_rows(RECEIVER, SILENT, (), Noise(1), Noise(2))) == []


def test_adsb_reports_the_truth_within_its_navigation_error() -> None:
    rows = list(adsb_rows(RECEIVER, AIRLINER, (), Noise(1), Noise(2)))
    turns = (ROUTE.end_ns - ROUTE.start_ns) / S
    assert len(rows) / turns == pytest.approx(0.95, abs=0.03)
    errors = [error_m(row, AIRLINER) for row in rows]
    # 15 independent minutes only, because the error is remembered for one
    assert 2.0 < math.sqrt(statistics.mean(e * e + n * n for e, n in errors) / 2.0) < 10.0
    steps = [math.dist(a, b) for a, b in itertools.pairwise(errors)]
    assert statistics.mean(steps) < 3.0
    for row in rows:
        assert 0.3 * S <= row["received_at"] - row["time_of_applicability"] <= 0.4 * S + 1
        assert (row["nac_p"], row["nic"], row["rc_m"], row["sil"]) == (9, 8, 185.2, 3)


def test_two_receivers_hear_the_same_transmissions() -> None:
    second = AdsbReceiver("second", 60.1, 25.0, 60.0, latency_s=0.5)
    jam = (JAMMER,)
    heard = [
        {
            row["time_of_applicability"]: row
            for row in adsb_rows(receiver, AIRLINER, jam, Noise(1), Noise(key))
        }
        for key, receiver in enumerate((RECEIVER, second))
    ]
    both = heard[0].keys() & heard[1].keys()
    assert len(both) > 800
    assert len(both) < min(len(heard[0]), len(heard[1])), "each misses some"
    for time in both:
        a, b = ({k: v for k, v in h[time].items() if k not in ("received_at", "sensor")} for h in heard)
        assert a == b


def test_a_dropout_is_silence() -> None:
    deaf = dataclasses.replace(RECEIVER, dropouts=(("2024-01-01T12:02:00Z", "2024-01-01T12:03:00Z"),))
    seconds = [
        (row["time_of_applicability"] - ROUTE.start_ns) / S
        for row in adsb_rows(deaf, AIRLINER, (), Noise(1), Noise(2))
    ]
    assert not any(120.0 <= t < 180.0 for t in seconds)
    everything = {
        row["time_of_applicability"] for row in adsb_rows(RECEIVER, AIRLINER, (), Noise(1), Noise(2))
    }
    assert len(seconds) < len(everything)


JAMMER = Interference(59.85, 26.0, 20_000.0, "2024-01-01T12:00:00Z", "2024-01-01T13:00:00Z", sigma_m=2_000.0)


def test_jamming_takes_accuracy_within_its_circle_only() -> None:
    inside, outside, lost = 0, 0, 0
    errors = []
    for row in adsb_rows(RECEIVER, AIRLINER, (JAMMER,), Noise(1), Noise(2)):
        truth = AIRLINER.motion(row["time_of_applicability"])
        assert truth is not None
        far = WGS84.Inverse(59.85, 26.0, truth.latitude_deg, truth.longitude_deg)["s12"]
        if far < 20_000.0:
            inside += 1
            lost += row["latitude_deg"] is None
            assert (row["nac_p"], row["nic"], row["rc_m"]) == (0, 0, None)
            if row["latitude_deg"] is not None:
                errors.append(error_m(row, AIRLINER))
        else:
            outside += 1
            assert (row["nac_p"], row["nic"]) == (9, 8)
            assert math.hypot(*error_m(row, AIRLINER)) < 50.0
    assert inside > 200
    assert outside > 200
    assert lost / inside == pytest.approx(0.5, abs=0.12)
    # about 15 memories of 20 s in this stretch: the spread is known to a fifth
    spread = math.sqrt(statistics.mean(e * e + n * n for e, n in errors) / 2.0)
    assert spread == pytest.approx(JAMMER.sigma_m, rel=0.5)


def test_spoofing_moves_the_claim_and_keeps_its_quality() -> None:
    spoofer = dataclasses.replace(
        JAMMER,
        radius_m=500_000.0,
        since="2024-01-01T12:05:00Z",
        until="2024-01-01T12:07:00Z",
        claimed_latitude_deg=59.8,
        claimed_longitude_deg=29.5,
    )
    claimed = []
    for row in adsb_rows(RECEIVER, AIRLINER, (spoofer,), Noise(1), Noise(2)):
        assert row["nac_p"] == 9
        if 300.0 <= (row["time_of_applicability"] - ROUTE.start_ns) / S < 420.0:
            far = WGS84.Inverse(59.8, 29.5, row["latitude_deg"], row["longitude_deg"])["s12"]
            assert far == pytest.approx(800.0, abs=0.1)
            claimed.append(row)
        else:
            assert math.hypot(*error_m(row, AIRLINER)) < 50.0
    assert len(claimed) > 100
    a, b = claimed[0], claimed[1]
    moved = WGS84.Inverse(a["latitude_deg"], a["longitude_deg"], b["latitude_deg"], b["longitude_deg"])
    seconds = (b["time_of_applicability"] - a["time_of_applicability"]) / S
    assert moved["s12"] / seconds == pytest.approx(a["ground_speed_mps"], rel=0.01)
    assert abs(math.remainder(moved["azi1"] - a["track_angle_deg"], 360.0)) < 2.0 * seconds


def test_noise_is_what_it_says() -> None:
    stream = Noise(7, 8)
    uniforms = [stream.uniform() for _ in range(20_000)]
    normals = [stream.normal() for _ in range(20_000)]
    assert 0.0 <= min(uniforms) < 0.001
    assert 0.999 < max(uniforms) < 1.0
    assert statistics.mean(normals) == pytest.approx(0.0, abs=0.03)
    assert statistics.stdev(normals) == pytest.approx(1.0, abs=0.02)
    assert sum(abs(x) < 1.96 for x in normals) / 20_000 == pytest.approx(0.95, abs=0.01)


def test_the_noise_stream_is_pinned() -> None:
    """If these change, every scenario's reports change: NumPy promises that they do not."""
    stream = Noise(2024, 1)
    assert [stream.uniform().hex() for _ in range(2)] == ["0x1.78277e6eaa918p-4", "0x1.63ad0e97f7970p-4"]


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(sensors)
    assert (result.attempted, result.failed) == (2, 0)
