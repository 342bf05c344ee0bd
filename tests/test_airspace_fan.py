"""The fan of courses: places on geodesics, the spread that the filter supports, and the weighing, each against a plain twin."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.lookahead.fan import (
    COURSES,
    OFFSETS,
    PRESENT,
    WEIGHTS,
    chance_by_time,
    covariance_ahead,
    first_tests,
    is_course_known,
    lay_fan,
    motion,
    place_ahead,
)
from blank_points import blank_points, set_motion

TURN_RAD = math.radians(6.0)


def make_point(
    lat: float = 59.0,
    lon: float = 25.0,
    *,
    east_mps: float = 0.0,
    north_mps: float = 200.0,
    sigma_m: float = 50.0,
    velocity_sigma_mps: float = 2.0,
) -> Any:
    """One filtered point."""
    points = blank_points(1)
    points["lat"], points["lon"] = lat, lon
    points["cov_ee"] = points["cov_nn"] = sigma_m**2
    points["cov_en"] = points["bias_m"] = 0.0
    P = np.diag([sigma_m**2, sigma_m**2, velocity_sigma_mps**2, velocity_sigma_mps**2])
    set_motion(points, [0.0, 0.0, east_mps, north_mps], P)
    return points


def laid(points: Any, distance_m: Any, every_s: float, tests: int) -> tuple[Any, ...]:
    first = np.zeros(len(points), dtype=np.int64)
    total = first_tests(points, np.asarray(distance_m, float), TURN_RAD, every_s, tests, first)
    owner, course, test = (np.zeros(total, dtype=np.int64) for _ in range(3))
    lat, lon, cov = np.zeros(total), np.zeros(total), np.zeros((total, 3))
    lay_fan(points, first, OFFSETS, TURN_RAD, every_s, tests, owner, course, test, lat, lon, cov)
    return first, owner, course, test, lat, lon, cov


def test_weights_are_the_normal_density_at_even_offsets() -> None:
    assert math.isclose(WEIGHTS.sum(), 1.0, abs_tol=1e-12)
    assert OFFSETS[PRESENT] == 0.0
    assert np.allclose(WEIGHTS / WEIGHTS[PRESENT], np.exp(-0.5 * OFFSETS**2))
    # what the fan stands for has the spread that it is laid with, less its cut tails
    assert 0.93 < math.sqrt(float((WEIGHTS * OFFSETS**2).sum())) < 1.0


@settings(max_examples=30)
@given(
    st.floats(-70.0, 70.0),
    st.floats(-180.0, 179.0),
    st.floats(0.0, 360.0),
    st.floats(20.0, 300.0),
    st.floats(0.1, 10.0),
)
def test_places_lie_on_geodesics_of_the_fan(
    lat: float, lon: float, angle_deg: float, speed: float, sigma: float
) -> None:
    angle = math.radians(angle_deg)
    points = make_point(
        lat,
        lon,
        east_mps=speed * math.sin(angle),
        north_mps=speed * math.cos(angle),
        velocity_sigma_mps=sigma,
    )
    _, _, course, test, found_lat, found_lon, cov = laid(points, [0.0], 30.0, 4)
    if not is_course_known(points[0], TURN_RAD):
        assert len(course) == 0
        return
    assert len(course) == COURSES * 4
    width = math.hypot(sigma / speed, TURN_RAD)
    for k, j, la, lo, c in zip(course, test, found_lat, found_lon, cov, strict=True):
        azimuth = angle_deg + math.degrees(width * OFFSETS[k])
        there = Geodesic.WGS84.Direct(lat, lon, azimuth, speed * (j + 1) * 30.0)
        off = Geodesic.WGS84.Inverse(there["lat2"], there["lon2"], la, lo)["s12"]
        assert off < 0.01
        assert c.tolist() == [2500.0, 0.0, 2500.0]


@settings(max_examples=50)
@given(st.floats(0.0, 60_000.0), st.floats(5.0, 400.0), st.floats(0.0, 20.0), st.floats(1.0, 3000.0))
def test_no_test_is_left_out_that_could_reach_the_boundary(
    distance: float, speed: float, velocity_sigma: float, sigma: float
) -> None:
    points = make_point(north_mps=speed, velocity_sigma_mps=velocity_sigma, sigma_m=sigma)
    first = laid(points, [distance], 5.0, 24)[0][0]
    if not is_course_known(points[0], TURN_RAD):
        assert first == 24
        return
    # the last moment before the first test, as far as six sigma of the position go
    t = first * 5.0
    reach = t * speed + 6.0 * sigma * math.sqrt(2.0)
    assert first == 0 or reach <= distance + 1e-6


def test_motion_and_covariance_ahead_are_the_matrix_products() -> None:
    rng = np.random.default_rng(3)
    points = make_point(east_mps=120.0, north_mps=-90.0)
    root = rng.normal(size=(4, 4)) * [[30.0], [30.0], [3.0], [3.0]]
    P = root @ root.T
    set_motion(points, [0.0, 0.0, 120.0, -90.0], P)
    points["cov_ee"], points["cov_en"], points["cov_nn"] = P[0, 0] + 100.0, P[0, 1], P[1, 1] + 100.0
    speed, angle, speed_sigma, course_sigma = motion(points[0])
    along = np.array([120.0, -90.0]) / 150.0
    across = np.array([along[1], -along[0]])
    assert math.isclose(speed, 150.0)
    assert math.isclose(angle, math.atan2(120.0, -90.0))
    assert math.isclose(speed_sigma, math.sqrt(along @ P[2:, 2:] @ along), rel_tol=1e-9)
    assert math.isclose(course_sigma, math.sqrt(across @ P[2:, 2:] @ across) / 150.0, rel_tol=1e-9)
    F = np.eye(4)
    F[0, 2] = F[1, 3] = 70.0
    ahead = (F @ P @ F.T)[:2, :2] + 100.0 * np.eye(2)
    assert np.allclose(covariance_ahead(points[0], 70.0), [ahead[0, 0], ahead[0, 1], ahead[1, 1]])


def test_what_stands_still_has_no_course() -> None:
    points = make_point(north_mps=0.0)
    assert not is_course_known(points[0], TURN_RAD)
    assert len(laid(points, [0.0], 5.0, 24)[1]) == 0


def test_the_place_ahead_is_on_the_present_course() -> None:
    points = make_point(east_mps=150.0, north_mps=150.0)
    lat, lon = place_ahead(points[0], 100.0)
    there = Geodesic.WGS84.Direct(59.0, 25.0, 45.0, 100.0 * math.hypot(150.0, 150.0))
    assert Geodesic.WGS84.Inverse(there["lat2"], there["lon2"], lat, lon)["s12"] < 0.01


@settings(max_examples=50)
@given(st.integers(0, 2**31), st.integers(1, 3), st.integers(1, 6))
def test_chance_by_time_is_its_plain_twin(seed: int, count: int, tests: int) -> None:
    rng = np.random.default_rng(seed)
    p, within = rng.random((count, COURSES, tests)), rng.random((count, tests))
    out, spread = np.full((count, tests), 9.0), rng.choice([0.0, 0.02, 0.3], count)
    chance_by_time(p, WEIGHTS, within, spread, out)
    twin = np.zeros((count, tests))
    for c in range(count):
        for h in range(tests):
            for k in range(COURSES):
                reached = [
                    NormalDist().cdf((h - j + 0.5) / (h + 1) / spread[c]) if spread[c] else 1.0
                    for j in range(h + 1)
                ]
                twin[c, h] += WEIGHTS[k] * max(p[c, k, j] * within[c, j] * reached[j] for j in range(h + 1))
    assert np.allclose(out, twin, rtol=0, atol=1e-14)
    assert (np.diff(out, axis=1) >= -1e-15).all()
    assert (out <= 1.0 + 1e-12).all()
