"""From points to samples: the tested path, the grown uncertainty, heights, and what reaches a spell."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airvigil.airspace.infringement import believed_airborne, samples_of
from airvigil.airspace.margins import Airspace
from airvigil.settings import load_settings
from airvigil.tracking.points import POINT
from airvigil.units import utc_ns
from made_flights import M_PER_DEG, Judged, displaced, noisy, path
from small_world import SETTINGS, SKY, START_NS, events, flight, make_reports, run, square

RADAR: dict[str, Any] = {
    "sensor_kind": "radar",
    "sensor": "radar",
    "nac_p": None,
    "icao24": None,
    "sensor_track": "7",
    "bias_bound_m": 0.0,
}


def radar(sigma_m: float = 50.0, **what: Any) -> list[dict[str, Any]]:
    """A radar track without identity, with the covariance stated."""
    variance = {"covariance_ee_m2": sigma_m**2, "covariance_en_m2": 0.0, "covariance_nn_m2": sigma_m**2}
    return path(**{"every_s": 4.0, **RADAR, **variance, **what})


def margins_of(judged: Judged) -> list[dict[str, Any]]:
    return [row for output in judged.outputs for row in output.margins.to_pylist()]


# --- the path between reports -------------------------------------------------------------------------------------------


def corner_cut() -> list[dict[str, Any]]:
    """A straight flight over the south-west corner, north-west to south-east; 400 m inside at the most.

    At 60 s a report the corner lies between two of them, both outside.
    """
    inside_m, speed = 400.0, 200.0
    corner_lat, corner_lon = 59.0, 25.0
    rows = radar(speed_mps=speed, track_deg=135.0, count=21, every_s=60.0)
    metres_east = M_PER_DEG * math.cos(math.radians(59.0))
    made = []
    for k, row in enumerate(rows):
        along = (k - 10.5) * 60.0 * speed / math.sqrt(2.0)
        aside = inside_m / math.sqrt(2.0)
        made.append(
            {
                **row,
                "latitude_deg": corner_lat + (aside - along) / M_PER_DEG,
                "longitude_deg": corner_lon + (aside + along) / metres_east,
            }
        )
    return made


def test_a_path_that_clips_a_corner_between_two_reports_is_found() -> None:
    judged = Judged(corner_cut())
    reports = [row for row in margins_of(judged) if not row["bridged"]]
    assert all(row["margin_m"] < 0.0 for row in reports)
    (spell,) = judged.events("spell_closed")
    assert spell["reports"] == 0
    assert spell["bridged"] > 0
    # deepest where the path crosses the diagonal, 283 m from either edge; points 245 m apart miss at most 87 m of it
    deepest = 400.0 / math.sqrt(2.0)
    assert deepest - 90.0 < spell["max_depth_m"] < deepest + 2.0
    assert spell["max_depth_sigma_m"] > 50.0
    assert spell["outcome"] == "undecidable"
    assert not judged.events("incident_opened")


def test_uncertainty_grows_in_a_gap_and_is_greatest_in_its_middle() -> None:
    judged = Judged(
        radar(lat=59.01, speed_mps=100.0, count=10)
        + radar(lat=59.01, lon=25.5 + 0.21, count=1, begin_s=120.0)
    )
    gap = [
        row
        for row in margins_of(judged)
        if row["bridged"] and (row["time"].timestamp() * 1e9 - START_NS) / 1e9 > 37
    ]
    assert len(gap) > 20
    sigma = [row["sigma_m"] for row in gap]
    middle = int(np.argmax(sigma))
    assert 0.25 * len(sigma) < middle < 0.75 * len(sigma)
    assert sigma[middle] > 3.0 * max(sigma[0], sigma[-1]) > 100.0


def test_the_path_is_tested_every_250_m_where_it_can_touch_the_border_and_not_elsewhere() -> None:
    near = margins_of(Judged(radar(lat=59.005, lon=25.1, speed_mps=200.0, every_s=10.0, count=20)))
    # 2000 m a gap in the filter's state: 7 or 8 points between each two reports
    assert sum(row["bridged"] for row in near) / 19 == pytest.approx(7.5, abs=1.0)
    far = margins_of(Judged(radar(lat=59.3, lon=25.1, speed_mps=200.0, every_s=10.0, count=20)))
    assert far
    assert not any(row["bridged"] for row in far)


def test_no_path_is_laid_across_the_end_of_a_track() -> None:
    rows = radar(lat=58.99, count=20) + radar(lat=59.01, lon=25.6, count=20, begin_s=80.0 + 301.0)
    first = min(
        row["time"] for row in margins_of(Judged(rows)) if row["time"].timestamp() * 1e9 > START_NS + 200e9
    )
    assert round((first.timestamp() * 1e9 - START_NS) / 1e9) == 381


# --- against the geometry of a straight flight ----------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    st.floats(30.0, 330.0),
    st.floats(100.0, 300.0),
    st.floats(0.15, 0.85),
    st.floats(0.15, 0.85),
    st.sampled_from([1.0, 4.0, 10.0]),
)
def test_the_duration_of_random_straight_flights_is_that_of_the_chord(
    track_deg: float, speed: float, south: float, west: float, every_s: float
) -> None:
    # a small square, so that a straight line in metres is straight in degrees too
    side_deg = 0.2
    sky = Airspace([square(south=59.0, west=25.0, side=side_deg)])
    east_m = M_PER_DEG * math.cos(math.radians(59.1))
    lat, lon = 59.0 + south * side_deg, 25.0 + west * side_deg
    vn, ve = speed * math.cos(math.radians(track_deg)), speed * math.sin(math.radians(track_deg))
    rate_lat, rate_lon = vn / M_PER_DEG, ve / east_m
    ends = []
    for position, rate, low in ((lat, rate_lat, 59.0), (lon, rate_lon, 25.0)):
        if abs(rate) > 1e-9:
            ends.append(sorted(((low - position) / rate, (low + side_deg - position) / rate)))
    enter, leave = max(e[0] for e in ends), min(e[1] for e in ends)
    assume(leave - enter > 40.0)
    count = int((leave - enter + 120.0) / every_s)
    rows = []
    for k in range(count):
        t = enter - 60.0 + k * every_s
        rows.append(
            {
                "time_s": k * every_s,
                "latitude_deg": lat + rate_lat * t,
                "longitude_deg": lon + rate_lon * t,
                "sensor_track": "7",
                "ground_speed_mps": speed,
                "track_angle_deg": track_deg,
                "covariance_ee_m2": 100.0,
                "covariance_en_m2": 0.0,
                "covariance_nn_m2": 100.0,
                "bias_bound_m": 0.0,
            }
        )
    (spell,) = events(run(make_reports(rows), sky=sky)[1], "spell_closed")
    assert (spell["entry"]["kind"], spell["exit"]["kind"]) == ("crossing", "crossing")
    # 30 m at the slowest component across an edge, twice
    slowest = min(abs(v) for v in (vn, ve) if abs(v) > 1.0)
    assert spell["duration_s"] == pytest.approx(leave - enter, abs=60.0 / min(slowest, speed) + 0.5)
    assert spell["outcome"] == "probable"


def test_entry_time_and_its_sigma_against_a_straight_border() -> None:
    # northward at 100 m/s over the southern edge at 59 N, sigma 50 m and 0.5 s of clock
    judged = Judged(
        radar(lat=59.0 - 5050.0 / 111_400.0, track_deg=0.0, speed_mps=100.0, count=40, every_s=4.0)
    )
    (spell,) = judged.events("spell_closed")
    entry_s = (utc_ns(spell["entry"]["time"]) - START_NS) / 1e9
    assert entry_s == pytest.approx(50.5, abs=0.6)
    # the filter's own sigma is between the sensor's and a third of it
    assert math.hypot(50.0 / 3.0 / 100.0, 0.5) < spell["entry"]["sigma_s"] < math.hypot(0.5, 0.5)


# --- robustness -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bearing", range(0, 360, 45))
def test_shifting_the_whole_track_by_less_than_the_robustness_radius_leaves_a_point_inside(
    bearing: int,
) -> None:
    rows = noisy(
        radar(lat=58.98, lon=25.2, track_deg=60.0, speed_mps=150.0, count=40, sigma_m=100.0), 100.0, seed=2
    )
    judged = Judged(rows)
    (spell,) = judged.events("spell_closed")
    radius = spell["robustness_radius_m"]
    assert 5000.0 < radius < 15_000.0
    lat = np.array([p["latitude_deg"] for p in judged.points])
    lon = np.array([p["longitude_deg"] for p in judged.points])
    n, e = (f(math.radians(bearing)) * 0.99 * radius for f in (math.cos, math.sin))
    at = SKY.margins(
        lat + n / M_PER_DEG,
        lon + e / (M_PER_DEG * np.cos(np.radians(lat))),
        np.full((len(lat), 3), np.nan),
        np.zeros(len(lat)),
    )
    assert at.margin_m.max() > 0.0
    if bearing == 180:  # away from the nearest border the radius is sharp
        beyond = SKY.margins(
            lat - 1.02 * radius / M_PER_DEG, lon, np.full((len(lat), 3), np.nan), np.zeros(len(lat))
        )
        assert beyond.margin_m.max() < 0.0


# --- error and bias ---------------------------------------------------------------------------------------------------------


def test_a_bias_bound_lowers_p_by_shifting_every_report_outward() -> None:
    # 300 m inside, sigma 200 m: P falls to about Phi((300 - bias) / sigma)
    found = {}
    for bias in (0.0, 150.0, 300.0):
        rows = radar(lat=59.0 + 300.0 / 111_400.0, sigma_m=200.0, count=30, bias_bound_m=bias)
        found[bias] = max(row["p_inside"] for row in margins_of(Judged(rows)) if not row["bridged"])
    assert found[0.0] > found[150.0] > found[300.0]
    assert found[300.0] == pytest.approx(0.5, abs=0.05)


def test_a_wide_error_near_the_border_makes_suspected_of_what_a_narrow_one_makes_probable() -> None:
    outcomes = []
    for sigma in (20.0, 2000.0):
        rows = radar(lat=59.0 + 1000.0 / 111_400.0, sigma_m=sigma, count=20)
        outcomes.append(Judged(rows).events("spell_closed")[0]["outcome"])
    assert outcomes == ["probable", "suspected"]


def test_the_boundarys_own_uncertainty_lowers_p() -> None:
    rows = radar(lat=59.0 + 300.0 / 111_400.0, sigma_m=10.0, count=10)
    vague = Airspace([square(boundary_uncertainty_m=300.0)])
    assert Judged(rows).events("spell_closed")[0]["p_inside_max"] > 0.999
    assert 0.8 < Judged(rows, sky=vague).events("spell_closed")[0]["p_inside_max"] < 0.87


def test_noise_along_a_border_makes_few_spells_where_naive_counting_makes_dozens() -> None:
    rows = noisy(radar(lat=59.0, sigma_m=300.0, speed_mps=150.0, count=200, lon=25.1), 300.0, seed=5)
    north = np.array([row["latitude_deg"] >= 59.0 for row in rows])
    naive = int(np.sum(north[1:] & ~north[:-1]))
    spells = Judged(rows).events("spell_opened")
    assert naive > 30
    assert len(spells) <= 6


def test_a_lone_wrong_report_within_reach_makes_no_incident() -> None:
    # 300 m outside; one position 900 m off to the inside, which no speed of an aircraft rules out in 4 s
    rows = path(icao24="43c001", lat=59.0 - 300.0 / 111_400.0, count=60, every_s=4.0, lon=25.1)
    rows[30] = displaced(rows[30], north_m=900.0)
    judged = Judged(rows)
    assert judged.marks[30] == ("credible", None)
    (spell,) = judged.events("spell_closed")
    assert (spell["reports"], spell["outcome"]) == (1, "undecidable")
    assert spell["p_inside_max"] > 0.99
    assert spell["bridged"] > 0
    assert not judged.events("incident_opened")


# --- heights ------------------------------------------------------------------------------------------------------------------


def limited(reference: str) -> Airspace:
    return Airspace([square(lower_limit_m=3000.0, upper_limit_m=6000.0, vertical_reference=reference)])


@pytest.mark.parametrize(
    ("reference", "height_m", "outcome"),
    [
        ("STD", 4500.0, "probable"),
        ("MSL", 4500.0, "probable"),
        ("MSL", 5900.0, "undecidable"),
        ("MSL", None, "undecidable"),
        ("STD", 7000.0, None),
        ("MSL", 7400.0, None),
    ],
)
def test_heights_decide_in_their_own_reference_and_else_only_from_afar(
    reference: str, height_m: float | None, outcome: str | None
) -> None:
    judged = Judged(radar(count=30, pressure_altitude_m=height_m), sky=limited(reference))
    assert [e["outcome"] for e in judged.events("spell_closed")] == ([] if outcome is None else [outcome])
    incidents = judged.events("incident_closed")
    assert [e["outcome"] for e in incidents] == ([] if outcome is None else [outcome])
    if outcome == "undecidable":
        qnh = "height over mean sea level: a QNH within 150 km and 90 min, or a geometric height"
        missing = "any height: none was reported" if height_m is None else qnh
        assert incidents[0]["undecidable_for"] == [missing]


def test_a_descent_into_a_volume_is_timed_where_it_happens() -> None:
    rows = radar(count=200, every_s=4.0, speed_mps=65.0, lat=59.2, lon=24.97)
    for k, row in enumerate(rows):
        row["pressure_altitude_m"] = 10_000.0 - 10.0 * k * 4.0  # passes 6000 m after 400 s
    (spell,) = Judged(rows, sky=limited("STD")).events("spell_closed")
    assert (utc_ns(spell["entry"]["time"]) - START_NS) / 1e9 == pytest.approx(400.0, abs=4.1)
    assert spell["entry"]["kind"] == "first_seen"


# --- what reaches a spell -----------------------------------------------------------------------------------------------------


def test_an_aircraft_on_the_ground_is_no_infringement() -> None:
    assert not Judged(path(speed_mps=10.0, on_ground=True, pressure_altitude_m=40.0)).events("spell_opened")


def test_two_volumes_over_each_other_get_a_spell_each() -> None:
    sky = Airspace([square("AAA"), square("BBB", south=59.2, west=25.2, side=0.6)])
    closed = Judged(radar(lat=59.5, count=20), sky=sky).events("spell_closed")
    assert sorted(spell["volume"] for spell in closed) == ["AAA", "BBB"]


def test_degraded_reports_alone_are_at_most_suspected() -> None:
    judged = Judged(path(lat=59.5, nac_p=4, icao24="43c001"))
    assert set(judged.integrity) == {"degraded"}
    assert [e["outcome"] for e in judged.events("spell_closed")] == ["suspected"]


def test_no_points_make_no_samples() -> None:
    samples = samples_of(believed_airborne(np.zeros(0, POINT)), SKY, SETTINGS)
    assert len(samples.time) == 0


def test_a_flight_far_from_every_volume_makes_no_margins() -> None:
    assert margins_of(Judged(path(lat=10.0, lon=10.0))) == []


def test_a_crossing_of_the_antimeridian_border_is_placed_there() -> None:
    sky = Airspace([square(south=64.0, west=177.999, side=2.0)])
    rows = radar(lat=65.0, lon=-179.5, track_deg=270.0, speed_mps=250.0, count=60)
    (spell,) = Judged(rows, sky=sky).events("spell_closed")
    assert spell["entry"]["longitude_deg"] == pytest.approx(179.999, abs=0.001)
    flown = 250.0 * 236.0 - (180.0 - 179.499) * M_PER_DEG * math.cos(math.radians(65.0))
    assert spell["length_m"] == pytest.approx(flown, rel=0.02)


def test_settings_decide_the_step_of_the_path() -> None:
    coarse = load_settings("[infringement]\npath_step_m = 1000.0")
    rows = radar(lat=59.005, speed_mps=200.0, every_s=10.0, count=20)
    fine, few = (sum(r["bridged"] for r in margins_of(Judged(rows, settings=s))) for s in (SETTINGS, coarse))
    assert few < fine / 2


def test_sample_fields_come_from_the_row_that_told_them() -> None:
    rows = flight(
        key={"sensor_track": "9"},
        lat=59.2,
        lon=25.2,
        north_mps=0,
        east_mps=100,
        count=3,
        is_reconstruction=True,
    )
    (spell,) = events(run(make_reports(rows))[1], "spell_closed")
    assert spell["reconstruction"] is True
    assert spell["sensor_kinds"] == ["radar"]
    assert dataclasses.is_dataclass(SETTINGS)


@pytest.mark.parametrize(
    ("gva", "sigma_m"), [(2, 45.0 / 1.96), (1, 150.0 / 1.96), (0, 150.0 / 1.96), (None, 150.0 / 1.96)]
)
def test_a_geometric_height_is_as_sure_as_its_row_states(gva: int | None, sigma_m: float) -> None:
    floor = Airspace([square(lower_limit_m=3000.0, upper_limit_m=math.inf, vertical_reference="W84")])
    judged = Judged(path(geometric_height_m=3040.0, pressure_altitude_m=None, gva=gva, count=10), sky=floor)
    found = [row["p_inside"] for row in margins_of(judged) if not row["bridged"]]
    assert len(found) == 10
    assert found == pytest.approx([NormalDist().cdf(40.0 / sigma_m)] * 10, abs=1e-6)
