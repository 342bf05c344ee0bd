"""Rings that run over longitude 180 or round a pole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.airspace.sources.antimeridian import within_longitudes
from airvigil.airspace.sources.arcs import circle_ring
from airvigil.airspace.sources.outlines import area_m2
from airvigil.airspace.volumes import is_artificial_edge, make_volume, ring_area_deg2
from airvigil.errors import AirspaceError

WGS84 = Geodesic.WGS84


def ring(*places: tuple[float, float]) -> np.ndarray:
    return np.array([*places, places[0]])


def test_a_plain_ring_is_only_turned() -> None:
    clockwise = ring((59.0, 24.0), (60.0, 24.0), (60.0, 25.0), (59.0, 25.0))
    (out,) = within_longitudes([clockwise], "geodesic")
    assert np.array_equal(out, clockwise[::-1])
    hole = clockwise * 1.0
    assert ring_area_deg2(within_longitudes([clockwise, hole], "lonlat")[1]) < 0.0


@pytest.mark.parametrize("longitudes", [(179.0, -179.0), (179.0, 181.0), (-181.0, -179.0)])
def test_a_ring_over_the_antimeridian_becomes_two(longitudes: tuple[float, float]) -> None:
    west, east = longitudes
    parts = within_longitudes([ring((59.0, west), (59.0, east), (60.0, east), (60.0, west))], "lonlat")
    assert sorted((float(p[:, 1].min()), float(p[:, 1].max())) for p in parts) == [
        (-180.0, -179.0),
        (179.0, 180.0),
    ]
    for part in parts:
        assert ring_area_deg2(part) == pytest.approx(1.0)
        assert is_artificial_edge(part).sum() == 1


def test_a_geodesic_crosses_where_it_does_and_not_where_a_straight_line_would() -> None:
    parts = within_longitudes(
        [ring((60.0, 178.0), (60.0, -178.0), (61.0, -178.0), (61.0, 178.0))], "geodesic"
    )
    at_cut = sorted({float(lat) for p in parts for lat, lon in p if abs(lon) == 180.0})
    line = WGS84.InverseLine(60.0, 178.0, 60.0, -178.0)
    assert at_cut[0] == pytest.approx(line.Position(line.s13 / 2)["lat2"], abs=1e-9)
    assert at_cut[0] > 60.01


def test_a_hole_on_the_cut_is_cut_too() -> None:
    outer = ring((50.0, 170.0), (50.0, -170.0), (60.0, -170.0), (60.0, 170.0))
    hole = ring((54.0, 179.0), (56.0, 179.0), (56.0, -179.0), (54.0, -179.0))
    parts = within_longitudes([outer, hole], "lonlat")
    assert sum(ring_area_deg2(part) for part in parts) == pytest.approx(200.0 - 4.0)


def test_vertices_on_the_cut_make_no_slivers() -> None:
    outer = ring((50.0, 179.0), (50.0, 180.0), (52.0, 180.0), (52.0, 179.0))
    (part,) = within_longitudes([outer], "geodesic")
    assert ring_area_deg2(part) == pytest.approx(2.0)
    over = ring((50.0, 179.0), (50.0, 180.0), (50.0, 181.0), (52.0, 181.0), (52.0, 180.0), (52.0, 179.0))
    assert sorted(len(part) for part in within_longitudes([over], "lonlat")) == [5, 5]


@pytest.mark.parametrize("latitude", [89.0, -89.5])
def test_a_circle_round_a_pole_holds_it(latitude: float) -> None:
    radius_m = 300_000.0
    parts = within_longitudes([circle_ring((latitude, 40.0), radius_m)], "geodesic")
    volume = make_volume("cap", parts, edge_kind="geodesic")
    assert max(float(np.abs(p[:, 0]).max()) for p in parts) == 90.0
    # a geodesic circle on the sphere of the polar radius of curvature
    cap = 2.0 * math.pi * 6_399_594.0**2 * (1.0 - math.cos(radius_m / 6_399_594.0))
    assert area_m2(volume) == pytest.approx(cap, rel=1e-4)


def test_two_turns_round_the_earth_are_refused() -> None:
    longitudes = [*range(0, 720, 60)]
    twice = np.array([(80.0 + k / 100.0, float(lon)) for k, lon in enumerate(longitudes)] + [(80.0, 720.0)])
    with pytest.raises(AirspaceError, match="winds 2 times"):
        within_longitudes([twice], "lonlat")
