"""How far outside a corridor and limits: against GeographicLib, sampling, and the height rules."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.airspace.permissions.permission_excess import (
    Excess,
    Place,
    add_place,
    lateral_of,
    route_points,
    to_route,
    vertical_of,
)
from airvigil.airspace.permissions.permissions import Permission
from airvigil.settings import load_settings

SETTINGS = load_settings()
EARTH = Geodesic.WGS84
NAN = math.nan


def place(lat: float = 59.5, lon: float = 25.0, **changed: float) -> Place:
    plain = Place(0, lat, lon, 100.0**2, 0.0, 100.0**2, 0.0, NAN, NAN, NAN, -1)
    return plain._replace(**changed)


def nearest_m(lat: float, lon: float, route: list[tuple[float, float]]) -> float:
    """Distance to geodesics by golden-section search on GeographicLib's own lines."""
    best = math.inf
    for (a, b), (c, d) in pairwise(route):
        line = EARTH.InverseLine(a, b, c, d)

        def away(s: float, line=line) -> float:
            at = line.Position(s)
            return float(EARTH.Inverse(lat, lon, at["lat2"], at["lon2"])["s12"])

        stops = np.linspace(0.0, line.s13, 41)
        middle = min(stops, key=away)
        low, high = max(0.0, middle - line.s13 / 40), min(line.s13, middle + line.s13 / 40)
        ratio = (math.sqrt(5.0) - 1.0) / 2.0
        for _ in range(60):
            x, y = high - ratio * (high - low), low + ratio * (high - low)
            low, high = (low, y) if away(x) < away(y) else (x, high)
        best = min(best, away((low + high) / 2.0))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_distance_to_a_route_is_the_geodesic_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-80, 80), rng.uniform(-180, 180)
    route = [(lat, lon)]
    for _ in range(3):
        at = EARTH.Direct(*route[-1], rng.uniform(0, 360), rng.uniform(1e4, 1.2e6))
        route.append((at["lat2"], at["lon2"]))
    on = EARTH.InverseLine(*route[1], *route[2])
    foot = on.Position(rng.uniform(0, on.s13))
    at = EARTH.Direct(foot["lat2"], foot["lon2"], rng.uniform(0, 360), rng.uniform(10.0, 40_000.0))
    distance, e, n = to_route(at["lat2"], at["lon2"], route_points(tuple(route)))
    assert distance == pytest.approx(nearest_m(at["lat2"], at["lon2"], route), rel=2e-5, abs=0.3)
    assert math.hypot(e, n) == pytest.approx(1.0)


def test_a_place_on_the_route_has_no_direction_and_is_inside() -> None:
    corridor = Permission(
        "c", "corridor", anyone=True, route=((59.0, 25.0), (60.0, 25.0)), half_width_m=500.0
    )
    assert to_route(59.0, 25.0, route_points(corridor.route)) == (0.0, 0.0, 0.0)
    excess, sigma, p = lateral_of(place(59.0, 25.0), corridor, SETTINGS)
    assert (excess, sigma) == (-500.0, 100.0)
    assert p == pytest.approx(2.9e-7, rel=0.02)


def test_the_probability_of_being_outside_is_what_sampling_finds() -> None:
    route = ((59.0, 25.0), (60.0, 25.0))
    corridor = Permission("c", "corridor", anyone=True, route=route, half_width_m=2000.0)
    at = EARTH.Direct(59.5, 25.0, 90.0, 2150.0)
    seen = place(at["lat2"], at["lon2"], cov_ee=300.0**2, cov_en=0.4 * 300 * 120, cov_nn=120.0**2)
    _, sigma, p = lateral_of(seen, corridor, SETTINGS)
    rng = np.random.default_rng(1)
    covariance = [[seen.cov_ee, seen.cov_en], [seen.cov_en, seen.cov_nn]]
    errors = rng.multivariate_normal([0, 0], covariance, size=4000)
    # the route runs due north: east of it by more than the half width is outside
    outside = [
        EARTH.Inverse(59.5, 25.0, 59.5, 25.0 + (2150.0 + e) / (111_320.0 * math.cos(math.radians(59.5))))[
            "s12"
        ]
        > 2000.0
        for e, _ in errors
    ]
    assert sigma == pytest.approx(300.0, rel=1e-3)
    assert abs(np.mean(outside) - p) < 4.0 * math.sqrt(p * (1 - p) / len(errors)) + 0.01


def test_a_bias_bound_speaks_against_an_excess() -> None:
    corridor = Permission(
        "c", "corridor", anyone=True, route=((59.0, 25.0), (60.0, 25.0)), half_width_m=2000.0
    )
    at = EARTH.Direct(59.5, 25.0, 90.0, 2500.0)
    seen = place(at["lat2"], at["lon2"])
    sure = lateral_of(seen, corridor, SETTINGS)[2]
    biased = lateral_of(seen._replace(bias_m=500.0), corridor, SETTINGS)[2]
    assert sure > 0.999
    assert biased == pytest.approx(0.5, abs=0.01)


@given(st.floats(-3000, 3000), st.floats(100, 5000), st.floats(0, 5000))
def test_a_wider_corridor_never_makes_an_excess_greater(east_m: float, width: float, more: float) -> None:
    seen = place(59.5, 25.0 + east_m / (111_320.0 * math.cos(math.radians(59.5))))
    route = ((59.0, 25.0), (60.0, 25.0))
    narrow, wide = (
        lateral_of(seen, Permission("c", "corridor", route=route, half_width_m=w), SETTINGS)
        for w in (width, width + more)
    )
    assert wide[0] <= narrow[0]
    assert wide[2] <= narrow[2]


FL100 = Limit(3048.0, "STD", "FL100")


@pytest.mark.parametrize(
    ("lower", "upper", "heights", "expected"),
    [
        (NO_LOWER, FL100, {"pressure_altitude_m": 3148.0}, (100.0, True)),
        (NO_LOWER, FL100, {"pressure_altitude_m": 2948.0}, (-100.0, False)),
        (FL100, NO_UPPER, {"pressure_altitude_m": 2948.0}, (100.0, True)),
        (
            NO_LOWER,
            FL100,
            {"geometric_height_m": 5000.0},
            (702.0, True),
        ),  # 5,000 less the 1,000 m and 5 % that weather may make
        (NO_LOWER, FL100, {"geometric_height_m": 3500.0}, None),
        (NO_LOWER, FL100, {"geometric_height_m": 1000.0}, (-998.0, False)),
        (NO_LOWER, FL100, {}, None),
        (NO_LOWER, Limit(300.0, "SFC"), {"pressure_altitude_m": 11_500.0}, (776.0, True)),
        (NO_LOWER, Limit(300.0, "SFC"), {"pressure_altitude_m": 4000.0}, None),
        (Limit(0.0, "SFC"), FL100, {"pressure_altitude_m": 1000.0}, (-2048.0, False)),
    ],
)
def test_heights_are_tested_in_the_limits_own_reference_or_far_beyond_it(
    lower: Limit, upper: Limit, heights: dict[str, float], expected: tuple[float, bool] | None
) -> None:
    found = vertical_of(place(**heights), lower, upper, SETTINGS)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == pytest.approx(expected[0])
        assert (found[2] > 0.95) == expected[1]


def test_of_a_stay_the_report_most_surely_outside_is_kept() -> None:
    permission = Permission(
        "c", "corridor", route=((59.0, 25.0), (60.0, 25.0)), half_width_m=2000.0, upper=FL100
    )
    excess = Excess()
    far_unsure = place(59.5, 25.06, cov_ee=5000.0**2)
    near_sure = place(59.5, 25.045, cov_ee=10.0**2, pressure_altitude_m=3000.0)
    for seen in (far_unsure, near_sure, place(59.5, 25.0)):
        add_place(excess, seen, permission, SETTINGS)
    assert (excess.reports, excess.heights) == (3, 1)
    assert excess.lateral_sigma_m == pytest.approx(10.0, rel=1e-3)
    assert 500.0 < excess.lateral_m < 600.0
    assert excess.vertical_m == pytest.approx(-48.0)
