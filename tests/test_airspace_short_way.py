"""Lengths of short ways against GeographicLib, and the bound that saves computing them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace.spells.short_way import distance_m, is_nearer, step_m

WGS84 = Geod(ellps="WGS84")


@pytest.mark.parametrize(("reach_m", "relative"), [(2_000.0, 1e-8), (50_000.0, 3e-8), (1_000_000.0, 2e-5)])
def test_lengths_are_those_of_geodesics(reach_m: float, relative: float) -> None:
    rng = np.random.default_rng(1)
    lat, lon, azimuth = (
        rng.uniform(-89.0, 89.0, 5000),
        rng.uniform(-180.0, 180.0, 5000),
        rng.uniform(0, 360, 5000),
    )
    there = rng.uniform(1.0, reach_m, 5000)
    to_lon, to_lat, _ = WGS84.fwd(lon, lat, azimuth, there)
    for k in range(5000):
        found = distance_m(lat[k], lon[k], to_lat[k], to_lon[k])
        # a position in degrees near 180 is known to 3 nm
        assert found == pytest.approx(there[k], rel=relative, abs=1e-8), (
            lat[k],
            lon[k],
            azimuth[k],
            there[k],
        )


def test_no_way_has_no_length() -> None:
    assert distance_m(59.0, -180.0, 59.0, 180.0) == 0.0
    assert math.isnan(distance_m(math.nan, 25.0, 59.0, 25.0))


@given(st.floats(-90.0, 90.0), st.floats(-2.0, 2.0))
def test_a_step_hands_on_the_sine_and_cosine_at_its_end(lat: float, north: float) -> None:
    to_lat = max(-90.0, min(90.0, lat + north))
    phi, to_phi = math.radians(lat), math.radians(to_lat)
    _, sin1, cos1 = step_m(lat, 0.0, math.sin(phi), math.cos(phi), to_lat, 0.1)
    assert (sin1, cos1) == pytest.approx((math.sin(to_phi), math.cos(to_phi)), abs=4e-16)


@given(
    st.floats(-89.9, 89.9),
    st.floats(-180.0, 180.0),
    st.floats(-1.0, 1.0),
    st.floats(-1.0, 1.0),
    st.floats(0.5, 1.5),
)
def test_no_place_is_called_nearer_than_it_is(
    lat: float, lon: float, north: float, east: float, share: float
) -> None:
    to_lat, to_lon = max(-90.0, min(90.0, lat + north)), (lon + east + 180.0) % 360.0 - 180.0
    _, _, there = WGS84.inv(lon, lat, to_lon, to_lat)
    nearer = is_nearer(lat, lon, math.cos(math.radians(lat)), to_lat, to_lon, share * there)
    assert not nearer or share > 1.0
    if share > 1.2 and abs(lat) < 60.0:
        assert nearer or there == 0.0  # and mostly the bound is good enough to save the trouble
