"""Areas and displacements against GeographicLib and Shapely."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.sources.arcs import circle_ring
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.outlines import area_m2, displacement_m, sampled
from airvigil.airspace.sources.straight_edges import readings_part_m
from airvigil.airspace.volumes import Volume, make_volume

BOX = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])


def volume(ring: np.ndarray, edge_kind: str = "geodesic") -> Volume:
    return make_volume("x", [ring], edge_kind=edge_kind)


def geographiclib_area(ring: np.ndarray) -> float:
    polygon = Geodesic.WGS84.Polygon()
    for lat, lon in ring[:-1].tolist():
        polygon.AddPoint(lat, lon)
    return float(polygon.Compute(False, True)[2])


@pytest.mark.parametrize("shift", [(0.0, 0.0), (-130.0, 100.0), (25.0, -200.0), (-59.5, 0.0)])
def test_area_of_geodesic_edges(shift: tuple[float, float]) -> None:
    ring = BOX + shift
    assert area_m2(volume(ring)) == pytest.approx(geographiclib_area(ring), rel=1e-6)


def test_area_of_a_state_with_straight_edges() -> None:
    (finland,) = load_volumes(["FIN"])[:1]
    dense = [sampled(ring, "lonlat", 200.0) for ring in finland.rings]
    assert area_m2(finland) == pytest.approx(sum(geographiclib_area(ring) for ring in dense), rel=1e-6)


@given(st.floats(-75.0, 75.0), st.floats(-170.0, 170.0), st.floats(1_000.0, 50_000.0), st.floats(0.0, 360.0))
@hypothesis_settings(max_examples=20)
def test_a_circle_that_moves_is_displaced_by_that(
    lat: float, lon: float, moved_m: float, azimuth: float
) -> None:
    there = Geodesic.WGS84.Direct(lat, lon, azimuth, moved_m)
    before = volume(circle_ring((lat, lon), 60_000.0))
    after = volume(circle_ring((there["lat2"], there["lon2"]), 60_000.0))
    assert displacement_m(before, after) == pytest.approx(moved_m, rel=2e-3, abs=2.0)


def test_one_vertex_that_moves_and_nothing_else() -> None:
    moved = BOX.copy()
    moved[2, 0] += 0.01
    before, after = volume(BOX, "lonlat"), volume(moved, "lonlat")
    expected = Geodesic.WGS84.Inverse(60.0, 25.0, 60.01, 25.0)["s12"]
    assert displacement_m(before, after) == pytest.approx(expected, rel=0.05)
    assert displacement_m(before, volume(BOX, "lonlat")) == 0.0


def test_the_same_corners_with_other_edges_are_displaced_by_the_bulge() -> None:
    line = Geodesic.WGS84.InverseLine(59.0, 24.0, 59.0, 25.0)
    bulge = (line.Position(line.s13 / 2)["lat2"] - 59.0) * 111_400.0
    assert displacement_m(volume(BOX, "lonlat"), volume(BOX)) == pytest.approx(bulge, rel=0.01)
    assert readings_part_m(BOX) == pytest.approx(bulge, rel=0.02)


def test_edges_along_the_antimeridian_have_no_place_in_it() -> None:
    east = np.array([[59.0, 179.0], [59.0, 180.0], [60.0, 180.0], [60.0, 179.0], [59.0, 179.0]])
    shifted = np.array(
        [[59.0, 179.0], [59.0, 180.0], [59.5, 180.0], [60.0, 180.0], [60.0, 179.0], [59.0, 179.0]]
    )
    assert displacement_m(volume(east, "lonlat"), volume(shifted, "lonlat")) == 0.0
    assert readings_part_m(np.array([[90.0, -180.0], [90.0, 180.0], [90.0, -180.0]])) == 0.0
    cut_only = np.array([[59.0, 180.0], [60.0, 180.0], [59.5, 180.0], [59.0, 180.0]])
    assert math.isnan(displacement_m(volume(cut_only), volume(east)))
