"""What is ahead of a point: times against geometry, P(entry) against drawn courses, and what costs nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from airvigil.airspace.heights.climb import Climb
from airvigil.airspace.infringement import samples_of
from airvigil.airspace.lookahead import lookahead
from airvigil.airspace.lookahead.lookahead import candidates_of, is_due, moments_of, predict
from airvigil.airspace.margins import Airspace
from airvigil.tracking.track_table import NEVER
from blank_points import blank_points
from small_world import SETTINGS, SKY, square
from test_airspace_fan import make_point

LAYER = Airspace([square("LAY", lower_limit_m=3000.0, upper_limit_m=6000.0, vertical_reference="STD")])


def prepared(points: Any, sky: Airspace, settings: Any = SETTINGS) -> tuple[Any, Any]:
    points["before"] = NEVER
    found = candidates_of(points, samples_of(points, sky, settings), settings, lambda point, volume: True)
    return points, found


def looked(
    points: Any, sky: Airspace = SKY, settings: Any = SETTINGS, climbs: dict[int, Climb] | None = None
) -> Any:
    points, found = prepared(points, sky, settings)
    return predict(points, found, climbs or {}, sky, settings)


def climbing(rate_mps: float, sigma_mps: float = 0.1) -> dict[int, Climb]:
    return {0: Climb(0, 0, 0, 0.0, rate_mps, 1.0, 0.0, sigma_mps**2)}


def test_a_straight_flight_into_a_square_gives_the_time_of_geometry() -> None:
    points = make_point(58.85, 25.5, north_mps=200.0, sigma_m=50.0, velocity_sigma_mps=2.0)
    found = looked(points)
    distance = Geodesic.WGS84.Inverse(58.85, 25.5, 59.0, 25.5)["s12"]
    assert found.time_s[0] == pytest.approx(distance / 200.0, abs=0.02)
    # sigma by hand: position and speed along the course, over the speed
    by_hand = math.hypot(50.0, 2.0 * distance / 200.0) / 200.0
    assert found.sigma_s[0] == pytest.approx(by_hand, rel=0.02)
    assert found.lat[0] == pytest.approx(59.0, abs=1e-4)
    assert found.lon[0] == pytest.approx(25.5, abs=1e-6)
    assert found.p[0] > 0.95
    assert not found.is_height_missing[0]


def test_a_slanting_flight_gives_the_time_at_which_the_geodesic_meets_the_edge() -> None:
    points = make_point(58.9, 25.2, east_mps=150.0, north_mps=120.0)
    found = looked(points)
    course, speed = math.degrees(math.atan2(150.0, 120.0)), math.hypot(150.0, 120.0)
    there = Geodesic.WGS84.Direct(58.9, 25.2, course, speed * float(found.time_s[0]))
    assert there["lat2"] == pytest.approx(59.0, abs=0.02 * 120.0 / 111_000.0)


def test_what_is_too_far_or_flies_away_is_not_predicted() -> None:
    _, found = prepared(make_point(58.7, 25.5, north_mps=200.0), SKY)
    assert len(found) == 0
    away = looked(make_point(58.95, 25.5, north_mps=-200.0))
    assert math.isnan(away.time_s[0])
    assert away.p[0] < 1e-6


@pytest.mark.parametrize(("distance_m", "most"), [(3000.0, 0.35), (8000.0, 0.1)])
def test_flight_along_a_border_is_below_the_threshold(distance_m: float, most: float) -> None:
    lat = Geodesic.WGS84.Direct(59.0, 25.2, 180.0, distance_m)["lat2"]
    found = looked(make_point(lat, 25.2, east_mps=220.0, north_mps=0.0, velocity_sigma_mps=1.0))
    assert 0.0 <= found.p[0] < most < SETTINGS.lookahead.raise_p


def test_p_entry_is_what_drawn_courses_give() -> None:
    rng = np.random.default_rng(11)
    box = shapely.box(25.0, 59.0, 26.0, 60.0)
    for lat, lon, east, north in (
        (58.9, 25.4, 190.0, 60.0),
        (58.93, 24.93, 100.0, 150.0),
        (58.95, 25.9, 200.0, 90.0),
    ):
        found = looked(
            make_point(lat, lon, east_mps=east, north_mps=north, sigma_m=30.0, velocity_sigma_mps=2.0)
        )
        speed, angle = math.hypot(east, north), math.degrees(math.atan2(east, north))
        hits = 0
        for _ in range(1000):
            course = (
                angle
                + math.degrees(rng.normal(0, 2.0 / speed))
                + rng.normal(0, SETTINGS.lookahead.turn_sigma_deg)
            )
            own = speed + rng.normal(0, 2.0)
            places = [Geodesic.WGS84.Direct(lat, lon, course, own * t) for t in range(5, 121, 5)]
            hits += any(box.contains(shapely.Point(p["lon2"], p["lat2"])) for p in places)
        # nine courses stand for all of them: no better than the weight of one
        assert found.p[0] == pytest.approx(hits / 1000.0, abs=0.09)


def test_a_climb_into_a_layer_is_told_by_the_later_of_plan_and_height() -> None:
    points = make_point(59.3, 25.3, north_mps=100.0)
    points["pressure_altitude_m"] = 2500.0
    found = looked(points, LAYER, climbs=climbing(10.0))
    assert found.time_s[0] == pytest.approx(50.0, abs=0.1)
    assert found.sigma_s[0] == pytest.approx(math.hypot(38.0, 0.1 * 50.0) / 10.0, rel=0.01)
    assert found.p[0] > 0.99
    below = make_point(58.96, 25.3, north_mps=100.0)
    below["pressure_altitude_m"] = 2900.0
    found = looked(below, LAYER, climbs=climbing(10.0))
    plan = Geodesic.WGS84.Inverse(58.96, 25.3, 59.0, 25.3)["s12"] / 100.0
    assert found.time_s[0] == pytest.approx(plan, abs=0.05)


def test_level_flight_under_a_layer_is_none_and_unknown_height_says_so() -> None:
    level = make_point(58.95, 25.3, north_mps=150.0)
    level["pressure_altitude_m"] = 1500.0
    found = looked(level, LAYER, climbs=climbing(0.0))
    assert found.p[0] == 0.0
    assert math.isnan(found.time_s[0])
    unknown = looked(make_point(58.95, 25.3, north_mps=150.0), LAYER)
    assert unknown.is_height_missing[0]
    assert unknown.p[0] > 0.9


@examples(max_examples=40)
@given(
    st.floats(58.80, 58.99),
    st.floats(0.0001, 0.05),
    st.floats(25.2, 25.8),
    st.floats(-40.0, 40.0),
    st.floats(60.0, 250.0),
)
def test_closer_is_not_later(lat: float, step: float, lon: float, angle_deg: float, speed: float) -> None:
    near = min(lat + step, 58.995)
    e, n = speed * math.sin(math.radians(angle_deg)), speed * math.cos(math.radians(angle_deg))
    # both in one call: neither has a say in the other's answer
    points = np.concatenate([make_point(a, lon, east_mps=e, north_mps=n) for a in (lat, near)])
    points, found = prepared(points, SKY)
    both = predict(points, found, {}, SKY, SETTINGS)
    times = dict(zip(found.point.tolist(), both.time_s.tolist(), strict=True))
    if not math.isnan(times.get(0, math.nan)):
        assert times[1] <= times[0] + 0.05


def test_a_point_has_the_same_answer_alone_and_in_company(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate(
        [
            make_point(
                float(rng.uniform(58.8, 60.2)), float(rng.uniform(24.6, 26.4)), east_mps=e, north_mps=n
            )
            for e, n in rng.normal(0, 150.0, (40, 2))
        ]
    )
    sky = Airspace([square("ONE"), square("TWO", south=59.9, west=25.9)])
    points, found = prepared(points, sky)
    whole = predict(points, found, {}, sky, SETTINGS)
    monkeypatch.setattr(lookahead, "CHUNK_POINTS", 3)
    parts = predict(points, found, {}, sky, SETTINGS)
    assert len(found) > 20
    for name in whole.__dataclass_fields__:
        assert np.array_equal(getattr(whole, name), getattr(parts, name), equal_nan=True)


def test_a_track_is_judged_once_in_an_interval_however_often_it_reports() -> None:
    points = blank_points(9)
    points["time"] = np.arange(9) * 10**9 + 10**10
    points["before"] = points["time"] - 10**9
    points["before"][0] = NEVER
    assert np.flatnonzero(is_due(points, 4.0)).tolist() == [0, 2, 6]


def test_nothing_is_asked_where_nobody_needs_permission_and_where_it_is_off() -> None:
    points = make_point(58.95, 25.5)
    points["before"] = NEVER
    samples = samples_of(points, SKY, SETTINGS)
    assert len(candidates_of(points, samples, SETTINGS, lambda point, volume: False)) == 0
    off = replace(SETTINGS, lookahead=replace(SETTINGS.lookahead, lookahead_s=0.0))
    assert moments_of(off) == 0


@pytest.mark.parametrize("bias", [0.0, 150.0])
def test_a_wide_error_is_weighed_as_the_exact_one_on_a_straight_boundary(
    monkeypatch: pytest.MonkeyPatch, bias: float
) -> None:
    points = make_point(58.9, 25.5, north_mps=150.0, east_mps=60.0, sigma_m=400.0)
    points["bias_m"] = bias
    fast = looked(points)
    monkeypatch.setattr(lookahead, "WIDE_SIGMA_M", 1e9)
    assert fast.p_by_time == pytest.approx(looked(points).p_by_time, abs=1e-3)
