"""Coastlines for maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from airvigil.airspace.sources.coastline import coastline
from airvigil.airspace.volumes import ring_area_deg2
from airvigil.errors import AirspaceError


def land(*box: float) -> shapely.Geometry:
    return shapely.union_all([shapely.make_valid(shapely.Polygon(ring[:, ::-1])) for ring in coastline(*box)])


def test_land_and_sea_of_the_gulf_of_finland() -> None:
    area = land(58.5, 22.0, 61.0, 29.0)
    for latitude, longitude, is_land in (
        (59.0, 26.0, True),
        (60.8, 25.0, True),
        (59.85, 25.0, False),
        (59.75, 26.3, False),
    ):
        assert shapely.contains_xy(area, longitude, latitude) == is_land


def test_clipping_is_what_shapely_clips() -> None:
    """A random set of boxes, signed area by signed area, against Shapely on the whole world's rings."""
    rings = coastline(-90.0, -180.0, 90.0, 180.0)
    whole = shapely.make_valid([shapely.Polygon(ring[:, ::-1]) for ring in rings])
    tree, rng = shapely.STRtree(whole), np.random.default_rng(11)
    with_land = 0
    for _ in range(20):
        south, west = rng.uniform(-60, 70), rng.uniform(-170, 160)
        box = (south, west, south + rng.uniform(0.5, 8), west + rng.uniform(0.5, 8))
        frame = shapely.box(box[1], box[0], box[3], box[2])
        expected = sum(
            math.copysign(shapely.intersection(whole[k], frame).area, ring_area_deg2(rings[k]))
            for k in tree.query(frame)
        )
        assert sum(map(ring_area_deg2, coastline(*box))) == pytest.approx(expected, abs=1e-6)
        with_land += expected != 0.0
    assert with_land >= 5


def test_every_position_is_in_the_box() -> None:
    rings = coastline(54.0, 10.0, 56.0, 15.0)
    positions = np.concatenate(rings)
    assert positions.min(axis=0).tolist() >= [54.0, 10.0]
    assert (positions <= [56.0, 15.0]).all()
    assert len(positions) > 500


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(AirspaceError, match="empty box"):
        coastline(60.0, 24.0, 59.0, 25.0)
