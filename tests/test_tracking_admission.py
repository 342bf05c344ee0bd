"""Admission: assumed and stated accuracy, honest filtered error, track life, and that order of tracks is nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from airvigil.settings import load_settings
from airvigil.tracking.admission import EPU_M, accuracy_of, admit
from airvigil.tracking.rows import rows_of
from airvigil.tracking.track_table import MOTION, TrackTable, limits_of, sensor_table_of
from airvigil.units import EPU_TO_SIGMA
from made_flights import M_PER_DEG, Judged, Row, displaced, path
from small_world import SETTINGS, START_NS, make_reports

CHI2_2_95 = 5.991464547  # 95 % quantile of chi-square with two degrees of freedom


def _covariance(**columns: Any) -> tuple[list[float], int]:
    row = rows_of(
        make_reports(
            [{"time_s": 0.0, "icao24": "4601f7", "latitude_deg": 1.0, "longitude_deg": 1.0, **columns}]
        )
    ).rows[0]
    cov, default = accuracy_of(row, sensor_table_of(SETTINGS)[0])
    return list(cov), default


def test_a_sensors_own_covariance_comes_first() -> None:
    stated = {"covariance_ee_m2": 400.0, "covariance_en_m2": -30.0, "covariance_nn_m2": 900.0}
    assert _covariance(**stated, nac_p=8, rc_m=100.0) == ([400.0, -30.0, 900.0], 0)


@pytest.mark.parametrize(
    ("nac_p", "epu_m"), [(11, 3.0), (10, 10.0), (9, 30.0), (8, 92.6), (7, 185.2), (5, 926.0), (1, 18520.0)]
)
def test_nac_p_is_a_95_percent_radius(nac_p: int, epu_m: float) -> None:
    # DO-260B 2.2.3.2.7.1.3.8: EPU; a circular normal holds 95 % within 2.4477 sigma
    (ee, en, nn), default = _covariance(nac_p=nac_p)
    assert math.sqrt(ee) * 2.447746830681 == pytest.approx(epu_m)
    assert (ee, en, default) == (nn, 0.0, 0)
    assert EPU_M[nac_p] == epu_m


def test_a_containment_radius_counts_as_twice_the_95_percent_radius() -> None:
    (ee, _, _), default = _covariance(rc_m=185.2)
    assert math.sqrt(ee) == pytest.approx(92.6 / EPU_TO_SIGMA)
    assert default == 0


def test_absent_quality_takes_the_sensors_default_and_says_that_it_is_assumed() -> None:
    assert _covariance() == ([93.0**2, 0.0, 93.0**2], 1)
    assert _covariance(nac_p=0) == ([93.0**2, 0.0, 93.0**2], 1)
    assert [p["accuracy_assumed"] for p in Judged(path(count=3, nac_p=None)).points] == [True] * 3
    assert [p["accuracy_assumed"] for p in Judged(path(count=3)).points] == [False] * 3


# --- honesty of the filter -------------------------------------------------------------------------------------------------


def _coverage(rows_and_truth: list[tuple[list[Row], list[Row]]]) -> tuple[float, float]:
    """(share of filtered positions within their 95 % ellipse, mean normalised error squared; 2 is exact).

    All flights fly at once, each under its own address; its first five positions, in which the velocity
    settles, do not count.
    """
    truth = {}
    rows = []
    for k, (reported, true) in enumerate(rows_and_truth):
        for i, (row, at) in enumerate(zip(reported, true, strict=True)):
            rows.append({**row, "icao24": f"46{k:04x}"})
            if i >= 5:
                truth[f"46{k:04x}", round(at["time_s"], 3)] = at
    d2 = []
    judged = Judged(rows)
    for point in judged.points:
        key = point["icao24"], round((point["time"].value - START_NS) / 1e9, 3)
        if point["integrity"] == "not_credible" or key not in truth:
            continue
        at = truth[key]
        n = (point["latitude_deg"] - at["latitude_deg"]) * M_PER_DEG
        e = (
            (point["longitude_deg"] - at["longitude_deg"])
            * M_PER_DEG
            * math.cos(math.radians(at["latitude_deg"]))
        )
        ee, en, nn = (point[f"covariance_{name}_m2"] for name in ("ee", "en", "nn"))
        d2.append((nn * e * e - 2.0 * en * e * n + ee * n * n) / (ee * nn - en * en))
    assert len(d2) > 0.99 * len(truth)
    return float(np.mean(np.array(d2) <= CHI2_2_95)), float(np.mean(d2))


def _wandering(
    truth: list[Row], sigma_m: float, white_share: float, rng: np.random.Generator, *, tau_s: float
) -> list[Row]:
    """Reports with a white part and a part that wanders slowly (Gauss-Markov), sigma_m together on each axis."""
    slow_sigma = sigma_m * math.sqrt(1.0 - white_share**2)
    slow = rng.normal(0, slow_sigma, 2)
    rows = []
    before = truth[0]["time_s"]
    for row in truth:
        keep = math.exp(-(row["time_s"] - before) / tau_s)
        slow = keep * slow + rng.normal(0, slow_sigma * math.sqrt(1.0 - keep * keep), 2)
        white = rng.normal(0, white_share * sigma_m, 2)
        rows.append(displaced(row, north_m=slow[0] + white[0], east_m=slow[1] + white[1]))
        before = row["time_s"]
    return rows


def _manoeuvring(seed: int, *, straight: int = 30, **what: Any) -> list[Row]:
    """Straight, a standard-rate turn by 90 degrees, straight again."""
    rng = np.random.default_rng(seed)
    every_s = what.pop("every_s", 1.0)
    first = path(track_deg=float(rng.uniform(0, 360)), count=straight, every_s=every_s, **what)
    rows = first
    turning = math.ceil(30.0 / every_s)
    for turn, count in ((float(rng.choice([-3.0, 3.0])), turning), (0.0, straight)):
        last = rows[-1]
        more = path(
            lat=last["latitude_deg"],
            lon=last["longitude_deg"],
            track_deg=last["track_angle_deg"],
            begin_s=last["time_s"],
            turn_deg_s=turn,
            count=count + 1,
            every_s=every_s,
            **what,
        )
        rows = rows[:-1] + more
    return rows


def test_the_filtered_error_of_ads_b_is_not_overconfident_in_straight_flight() -> None:
    flights = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        truth = path(track_deg=float(rng.uniform(0, 360)), nac_p=8, count=15)
        flights.append((_wandering(truth, 92.6 / EPU_TO_SIGMA, 0.4, rng, tau_s=300.0), truth))
    share, mean = _coverage(flights)
    assert share >= 0.93
    assert mean <= 2.2


def test_the_filtered_error_of_ads_b_is_not_overconfident_in_turns() -> None:
    flights = []
    for seed in range(250):
        truth = _manoeuvring(seed, straight=6, nac_p=8, every_s=2.0)
        flights.append(
            (_wandering(truth, 92.6 / EPU_TO_SIGMA, 0.4, np.random.default_rng(seed), tau_s=300.0), truth)
        )
    assert _coverage(flights)[0] >= 0.93


@pytest.mark.parametrize("every_s", [4.0, 11.0])
def test_the_filtered_error_of_radar_is_not_overconfident_and_not_useless(every_s: float) -> None:
    flights = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        truth = path(
            track_deg=float(rng.uniform(0, 360)), sensor_kind="radar", nac_p=None, count=80, every_s=every_s
        )
        rows = [
            displaced(
                row,
                north_m=rng.normal(0, 500.0),
                east_m=rng.normal(0, 500.0),
                ground_speed_mps=None,
                track_angle_deg=None,
            )
            for row in truth
        ]
        flights.append((rows, truth))
    share, mean = _coverage(flights)
    assert share >= 0.93
    assert 0.8 < mean <= 2.2


@pytest.mark.parametrize("every_s", [4.0, 11.0])
def test_the_filtered_error_of_radar_is_not_overconfident_in_turns(every_s: float) -> None:
    flights = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth = _manoeuvring(seed, sensor_kind="radar", nac_p=None, every_s=every_s, speed_mps=200.0)
        rows = [
            displaced(
                row,
                north_m=rng.normal(0, 500.0),
                east_m=rng.normal(0, 500.0),
                ground_speed_mps=None,
                track_angle_deg=None,
            )
            for row in truth
        ]
        flights.append((rows, truth))
    share, mean = _coverage(flights)
    # a filter that keeps flying straight falls 4 km behind and covers 0.6 with a mean of 15
    assert share >= 0.92
    assert mean <= 2.5


def test_a_turn_is_followed_by_radar_alone_without_an_impossible_jump() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        truth = path(speed_mps=200.0, turn_deg_s=3.0, count=90, every_s=4.0, sensor_kind="radar", nac_p=None)
        rows = [
            displaced(
                row,
                north_m=rng.normal(0, 500.0),
                east_m=rng.normal(0, 500.0),
                ground_speed_mps=None,
                track_angle_deg=None,
            )
            for row in truth
        ]
        assert set(Judged(rows).integrity[1:]) == {"credible"}


def test_many_reports_of_one_sensor_do_not_average_its_slow_error_away() -> None:
    last = Judged(path(count=200, nac_p=8)).points[-1]
    sigma = math.sqrt(last["covariance_ee_m2"])
    stated = 92.6 / EPU_TO_SIGMA
    assert math.sqrt(1.0 - 0.4**2) * stated < sigma < stated


def test_a_radars_white_error_does_average() -> None:
    last = Judged(path(count=100, sensor_kind="radar", nac_p=None, every_s=4.0)).points[-1]
    assert math.sqrt(last["covariance_ee_m2"]) < 0.6 * 500.0


def test_the_speed_and_direction_of_a_track_are_those_of_its_flight() -> None:
    last = Judged(path(speed_mps=200.0, track_deg=250.0, count=60, ground_speed_mps=None)).points[-1]
    assert last["ground_speed_mps"] == pytest.approx(200.0, rel=0.01)
    assert last["track_angle_deg"] == pytest.approx(250.0, abs=0.5)
    assert 0.0 < last["ground_speed_sigma_mps"] < 10.0


# --- track life -----------------------------------------------------------------------------------------------------------------


def test_a_track_begins_with_its_first_position() -> None:
    rows = [
        {"time_s": -5.0, "icao24": "4601f7", "sensor": "roof", "sensor_kind": "adsb", "callsign": "FIN123"},
        *path(count=3),
    ]
    points = Judged(rows).points
    assert {p["track_id"] for p in points} == {"4601f7@20251009T085320Z"}
    assert {p["callsign"] for p in points} == {"FIN123"}


def test_silence_longer_than_the_timeout_begins_a_new_track_and_a_shorter_one_does_not() -> None:
    rows = path(count=30)
    for silence, tracks in ((299.0, 1), (301.0, 2)):
        later = path(lon=25.5 + 0.004 * (30 + silence), begin_s=29.0 + silence, count=30)
        assert len({p["track_id"] for p in Judged(rows + later).points}) == tracks


def test_a_height_of_another_report_holds_for_ten_seconds() -> None:
    rows = path(count=30)
    for row in rows[1:]:
        del row["pressure_altitude_m"]
    known = [p["pressure_altitude_m"] for p in Judged(rows).points]
    assert known[:11] == [10_668.0] * 11
    assert known[11:] == [None] * 19


def test_a_position_that_is_not_credible_never_moves_the_filter() -> None:
    rows = path(count=60)
    spoofed = list(rows)
    for i in range(30, 33):
        spoofed[i] = displaced(rows[i], north_m=50_000.0)
    clean, dirty = Judged(rows[:30] + rows[33:]).points, Judged(spoofed).points
    assert [p["integrity"] for p in dirty[30:33]] == ["not_credible"] * 3
    for a, b in zip(clean[30:], dirty[33:], strict=True):
        assert (a["latitude_deg"], a["longitude_deg"]) == (b["latitude_deg"], b["longitude_deg"])
    for point in dirty[30:33]:
        assert point["covariance_ee_m2"] is None
        assert (point["latitude_deg"], point["longitude_deg"]) == (
            point["reported_latitude_deg"],
            point["reported_longitude_deg"],
        )


def test_a_worse_sensor_pulls_the_track_less_than_a_better_one() -> None:
    rows = path(count=60, sensor_kind="radar", nac_p=None, every_s=4.0)
    pulled = []
    for sigma in (50.0, 2000.0):
        last = displaced(rows[-1], north_m=150.0, covariance_ee_m2=sigma**2, covariance_nn_m2=sigma**2)
        point = Judged([*rows[:-1], last]).points[-1]
        pulled.append((point["latitude_deg"] - rows[-1]["latitude_deg"]) * M_PER_DEG)
    assert pulled[0] > 100.0 > 20.0 > pulled[1]


# --- the kernel -----------------------------------------------------------------------------------------------------------------


def test_tracks_in_one_batch_do_not_touch_each_other() -> None:
    settings = load_settings()
    flights = [path(lat=59.0 + 0.1 * k, icao24=f"46010{k}", count=20) for k in range(5)]
    together = rows_of(make_reports([row for flight in flights for row in flight]))
    table = TrackTable()
    rows = together.rows.copy()
    rows["slot"] = table.slots_of(together)
    receivers = np.full((1, 3), np.nan)
    rejects, points = admit(rows, table, receivers, sensor_table_of(settings), limits_of(settings))
    assert not rejects.any()
    for k, flight in enumerate(flights):
        alone = rows_of(make_reports(flight))
        single = TrackTable()
        single.slot(f"46010{k}")
        rows = alone.rows.copy()
        rows["slot"] = 0
        _, mine = admit(rows, single, receivers, sensor_table_of(settings), limits_of(settings))
        theirs = points[points["slot"] == table.slot(f"46010{k}")]
        for name in ("lat", "lon", "cov_ee", "cov_en", "cov_nn", "speed_mps", *MOTION, "before_p00"):
            assert np.array_equal(mine[name], theirs[name], equal_nan=True)


def test_no_rows_make_no_points() -> None:
    empty = rows_of(make_reports([])).rows
    rejects, points = admit(
        empty, TrackTable(), np.full((1, 3), np.nan), sensor_table_of(SETTINGS), limits_of(SETTINGS)
    )
    assert (len(rejects), len(points)) == (0, 0)
