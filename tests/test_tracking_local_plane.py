"""The local plane against GeographicLib's geodesics."""

import doctest
import math

import hypothesis.strategies as st
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings

from airvigil.tracking import local_plane
from airvigil.tracking.local_plane import convergence_rad, to_geodetic, to_local

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


def test_nan_stays_unknown_and_the_origin_is_zero() -> None:
    assert to_local(59.8, 26.4, 59.8, 26.4) == (0.0, 0.0)
    assert to_geodetic(59.8, 26.4, 0.0, 0.0) == (59.8, 26.4)
    assert all(math.isnan(v) for v in to_local(59.8, 26.4, math.nan, 26.4))
    assert all(math.isnan(v) for v in to_geodetic(59.8, 26.4, math.nan, 1.0))


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(local_plane)
    assert result.attempted >= 5
    assert result.failed == 0
