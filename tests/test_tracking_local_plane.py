"""The local plane against GeographicLib's geodesics."""

import doctest
import math

import hypothesis.strategies as st
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings

from airvigil.tracking import local_plane
from airvigil.tracking.local_plane import (
    convergence_rad,
    leg_back,
    leg_between,
    leg_local,
    to_geodetic,
    to_local,
    turn_along,
    walk,
)
from airvigil.tracking.plausibility import great_circle_m, sphere_m

WGS84 = Geodesic.WGS84
LATITUDES = st.floats(-89.0, 89.0)
LONGITUDES = st.floats(-180.0, 180.0, exclude_max=True)
AZIMUTHS = st.floats(-180.0, 180.0)


@pytest.mark.parametrize(
    ("reach_m", "tolerance_m"), [(1_000.0, 1e-6), (50_000.0, 0.005), (1_000_000.0, 20.0)]
)
def test_to_local_is_geodesic_distance_and_azimuth(reach_m: float, tolerance_m: float) -> None:
    @settings(max_examples=200, deadline=None)
    @given(LATITUDES, LONGITUDES, AZIMUTHS, st.floats(0.0, 1.0))
    def check(lat0: float, lon0: float, azimuth: float, part: float) -> None:
        distance = part * reach_m
        end = WGS84.Direct(lat0, lon0, azimuth, distance)
        e, n = to_local(lat0, lon0, end["lat2"], end["lon2"])
        expected_e = distance * math.sin(math.radians(azimuth))
        expected_n = distance * math.cos(math.radians(azimuth))
        assert math.hypot(e - expected_e, n - expected_n) < tolerance_m

    check()


@settings(max_examples=200, deadline=None)
@given(LATITUDES, LONGITUDES, st.floats(-700_000.0, 700_000.0), st.floats(-700_000.0, 700_000.0))
def test_to_geodetic_inverts_to_local_to_a_micrometre(lat0: float, lon0: float, e: float, n: float) -> None:
    lat, lon = to_geodetic(lat0, lon0, e, n)
    back_e, back_n = to_local(lat0, lon0, lat, lon)
    assert -180.0 <= lon < 180.0
    assert math.hypot(back_e - e, back_n - n) < 1e-6


@settings(max_examples=200, deadline=None)
@given(LATITUDES, LONGITUDES, AZIMUTHS, st.floats(1.0, 50_000.0))
def test_convergence_is_the_difference_of_the_azimuths_at_both_ends(
    lat0: float, lon0: float, azimuth: float, distance: float
) -> None:
    line = WGS84.Direct(lat0, lon0, azimuth, distance)
    turned = math.radians(line["azi2"] - line["azi1"])
    got = convergence_rad(lat0, lon0, line["lat2"], line["lon2"])
    assert abs(math.remainder(got - turned, 2.0 * math.pi)) < 1e-7


@settings(max_examples=300, deadline=None)
@given(
    LATITUDES, LONGITUDES, AZIMUTHS, st.sampled_from([1.0, 300.0, 5_000.0, 200_000.0]), st.floats(0.1, 1.0)
)
def test_a_leg_answers_as_its_two_places_do(
    lat0: float, lon0: float, azimuth: float, reach_m: float, part: float
) -> None:
    e, n = (f(math.radians(azimuth)) * reach_m * part for f in (math.sin, math.cos))
    lat, lon = to_geodetic(lat0, lon0, e, n)
    leg = leg_between(lat0, lon0, lat, lon)
    assert abs(sphere_m(leg) - great_circle_m(lat0, lon0, lat, lon)) < 1e-6
    turn = convergence_rad(lat0, lon0, lat, lon)
    assert math.dist(turn_along(leg), (math.cos(turn), math.sin(turn))) < 1e-12
    assert math.dist(leg_local(leg_back(leg)), to_local(lat, lon, lat0, lon0)) < 1e-6
    sine, cosine = math.sin(math.radians(lat0)), math.cos(math.radians(lat0))
    walked_lat, walked_lon, walked = walk(lat0, lon0, sine, cosine, e, n)
    assert (walked_lat, walked_lon) == (lat, lon)
    assert math.dist(walked[:4], leg[:4]) < 1e-13
    assert math.dist(leg_local(walked), (e, n)) < 1e-6


@pytest.mark.parametrize(
    ("lat0", "lon0", "e", "n"), [(89.99, 10.0, 0.0, 5_000.0), (-89.99, 0.0, 3_000.0, -900.0)]
)
def test_a_walk_past_a_pole_comes_back(lat0: float, lon0: float, e: float, n: float) -> None:
    lat, lon = to_geodetic(lat0, lon0, e, n)
    assert abs(lat) <= 90.0
    assert math.dist(to_local(lat0, lon0, lat, lon), (e, n)) < 1e-6


def test_nan_stays_unknown_and_the_origin_is_zero() -> None:
    assert to_local(59.8, 26.4, 59.8, 26.4) == (0.0, 0.0)
    assert to_geodetic(59.8, 26.4, 0.0, 0.0) == (59.8, 26.4)
    assert all(math.isnan(v) for v in to_local(59.8, 26.4, math.nan, 26.4))
    assert all(math.isnan(v) for v in to_geodetic(59.8, 26.4, math.nan, 1.0))


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(local_plane)
    assert result.attempted >= 5
    assert result.failed == 0
