"""Areas of geodesic rings against GeographicLib."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.checks.geodesic_area import AUTHALIC_RADIUS_M, geodesic_ring_area_m2


def exact_m2(ring: np.ndarray) -> float:
    polygon = Geodesic.WGS84.Polygon()
    for lat, lon in ring[:-1].tolist():
        polygon.AddPoint(lat, lon)
    return float(polygon.Compute(False, True)[2])


def test_the_radius_of_equal_area() -> None:
    assert pytest.approx(6_371_007.1809, abs=1e-3) == AUTHALIC_RADIUS_M  # Moritz, GRS 80 differs by less


@given(
    st.floats(-80.0, 80.0), st.floats(-180.0, 179.0), st.floats(0.001, 3.0), st.integers(3, 12), st.booleans()
)
def test_areas_as_geographiclib_has_them(
    lat: float, lon: float, size: float, corners: int, turned: bool
) -> None:
    angles = np.linspace(0.0, 2.0 * math.pi, corners, endpoint=False)
    ring = np.column_stack([lat + size * np.sin(angles), lon + size * np.cos(angles)])
    ring[:, 1] -= 360.0 * np.round(ring[:, 1] / 360.0)
    ring = np.concatenate([ring, ring[:1]])
    ring = ring[::-1] if turned else ring
    assert geodesic_ring_area_m2(ring) == pytest.approx(exact_m2(ring), rel=2e-3)


@given(st.floats(-75.0, 75.0), st.floats(1.0, 20.0), st.floats(-0.3, 0.3))
def test_slivers_turn_the_way_that_geographiclib_says(lat: float, length: float, height: float) -> None:
    """A sliver along a parallel: its geodesic edge bulges towards the pole by more than the sliver's height, or not."""
    ring = np.array([[lat, 0.0], [lat, length], [lat + height, length / 2.0], [lat, 0.0]])
    exact = exact_m2(ring)
    sagitta_area = exact_m2(np.array([[lat, 0.0], [lat, length], [lat, length / 2.0], [lat, 0.0]]))
    if abs(exact) > 0.01 * abs(sagitta_area):
        assert (geodesic_ring_area_m2(ring) > 0.0) == (exact > 0.0)
