"""Cut edges: geodesic and straight readings of a piece differ by half a metre at most, by GeographicLib."""

from __future__ import annotations

import numpy as np
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.checks.edge_pieces import lonlat_pieces, straightened
from airvigil.airspace.sources.arcs import CHORD_ERROR_M


def departure_m(start: np.ndarray, end: np.ndarray) -> float:
    """Greatest distance of points of the straight edge from the geodesic, by the perpendicular's foot."""
    line = Geodesic.WGS84.InverseLine(*start.tolist(), *end.tolist())
    worst = 0.0
    for share in (0.25, 0.5, 0.75):
        lat, lon = (start + share * (end - start)).tolist()
        along = share * line.s13
        for _ in range(5):
            at = line.Position(along)
            leg = Geodesic.WGS84.Inverse(at["lat2"], at["lon2"], lat, lon)
            along += leg["s12"] * np.cos(np.radians(leg["azi1"] - at["azi2"]))
        worst = max(worst, leg["s12"])
    return worst


@given(st.floats(-75.0, 75.0), st.floats(-100.0, 100.0), st.floats(-4.0, 4.0), st.floats(-10.0, 10.0))
def test_pieces_are_straight_enough(lat: float, lon: float, north: float, east: float) -> None:
    ring = np.array([[lat, lon], [lat + north, lon + east]])
    pieces = int(lonlat_pieces(ring)[0])
    step = (ring[1] - ring[0]) / pieces
    for k in (0, pieces // 2, pieces - 1):
        assert departure_m(ring[0] + k * step, ring[0] + (k + 1) * step) < 1.05 * CHORD_ERROR_M


def test_a_straightened_border_is_the_same_from_either_side() -> None:
    ring = np.array([[60.0, 20.0], [60.0, 30.0], [62.0, 25.0], [60.0, 20.0]])
    forward, backward = straightened(ring, "geodesic"), straightened(ring[::-1], "geodesic")
    assert (forward == backward[::-1]).all()
    assert len(forward) > 100
    assert straightened(ring, "lonlat") is ring
    small = np.array([[60.0, 20.0], [60.0, 20.01], [60.01, 20.0], [60.0, 20.0]])
    assert straightened(small, "geodesic") is small


def test_places_between_lie_on_the_geodesic() -> None:
    ring = np.array([[60.0, 20.0], [60.0, 30.0]])
    line = Geodesic.WGS84.InverseLine(60.0, 20.0, 60.0, 30.0)
    for lat, lon in straightened(ring, "geodesic").tolist():
        share = Geodesic.WGS84.Inverse(60.0, 20.0, lat, lon)["s12"]
        at = line.Position(share)
        assert Geodesic.WGS84.Inverse(at["lat2"], at["lon2"], lat, lon)["s12"] < 1e-3
