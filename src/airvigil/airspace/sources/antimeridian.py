"""Cut rings at the antimeridian, as RFC 7946 section 3.1.9 asks and `volumes` expects.

Rules
- A ring may run over longitude 180, given with longitudes that jump or that go on beyond 180. It comes out as rings within
  +-180 whose edges along the cut are artificial (`volumes.is_artificial_edge`).
- Where an edge crosses, the place is the edge's own: on the geodesic of a geodesic one, on the straight line of a `lonlat` one.
- A ring around a pole, a circle for instance, gets the pole's two corners. Which pole: the one that it is nearer to.
- An edge that spans more than 180 degrees of longitude is taken the short way round: no boundary has a longer one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.volumes import orient_ring
from airvigil.errors import AirspaceError

Ring = NDArray[np.float64]
BISECTIONS = 50


def within_longitudes(rings: Sequence[Ring], edge_kind: str) -> list[Ring]:
    """The rings of one polygon, exterior first, cut where they must be, interior on their left.

    Args:
        rings: (n, 2) latitude, longitude in degrees; closed, longitudes of any size.
        edge_kind: "geodesic" or "lonlat".

    Raises:
        AirspaceError: a ring around both poles, or that winds more than once.

    Example:
        >>> box = np.array([[70.0, 179.0], [70.0, -179.0], [71.0, -179.0], [71.0, 179.0], [70.0, 179.0]])
        >>> [sorted(set(ring[:, 1].tolist())) for ring in within_longitudes([box], "lonlat")]
        [[179.0, 180.0], [-180.0, -179.0]]
    """
    if all(_is_plain(ring) for ring in rings):
        return [orient_ring(ring, is_hole=number > 0) for number, ring in enumerate(rings)]
    opened = [_cut_ready(ring, edge_kind) for ring in rings]
    shell, holes = opened[0], [_moved_onto(hole, opened[0]) for hole in opened[1:]]
    polygon = shapely.Polygon(shell[:, ::-1], [hole[:, ::-1] for hole in holes])
    if not polygon.is_valid:
        raise AirspaceError("a ring over the antimeridian crosses itself")
    cut: list[Ring] = []
    west, _, east, _ = polygon.bounds
    for turn in range(math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0)):
        window = shapely.box(360.0 * turn - 180.0, -90.0, 360.0 * turn + 180.0, 90.0)
        part = shapely.intersection(polygon, window)
        for piece in shapely.get_parts(part):
            if piece.geom_type == "Polygon" and piece.area > 0.0:
                cut += _rings_of(piece, 360.0 * turn)
    return cut


def _is_plain(ring: Ring) -> bool:
    """Whether nothing is to be done: within +-180 and no edge the long way round."""
    longitude = ring[:, 1]
    return bool(np.abs(longitude).max() <= 180.0 and np.abs(np.diff(longitude)).max() <= 180.0)


def _cut_ready(ring: Ring, edge_kind: str) -> Ring:
    """Longitudes unbroken, a vertex wherever 180 is crossed; around a pole, closed over it."""
    steps = np.diff(ring[:, 1])
    steps = steps - 360.0 * np.round(steps / 360.0)
    longitude = ring[0, 1] + np.concatenate([[0.0], np.cumsum(steps)])
    unbroken = np.column_stack([ring[:, 0], longitude])
    turns = round(float(longitude[-1] - longitude[0]) / 360.0)
    if abs(turns) > 1:
        raise AirspaceError(f"a ring winds {abs(turns)} times around the Earth")
    if not turns:
        unbroken[-1] = unbroken[0]
    with_cuts = _with_crossings(unbroken, edge_kind)
    return _over_pole(with_cuts) if turns else with_cuts


def _with_crossings(ring: Ring, edge_kind: str) -> Ring:
    turn = np.floor((ring[:, 1] + 180.0) / 360.0)
    places: list[tuple[float, float]] = []
    for k in range(len(ring) - 1):
        places.append((float(ring[k, 0]), float(ring[k, 1])))
        if turn[k] != turn[k + 1]:
            meridian = 360.0 * max(turn[k], turn[k + 1]) - 180.0
            if ring[k, 1] != meridian and ring[k + 1, 1] != meridian:
                places.append((_crossing(ring[k], ring[k + 1], meridian, edge_kind), meridian))
    places.append((float(ring[-1, 0]), float(ring[-1, 1])))
    return np.array(places)


def _crossing(start: Ring, end: Ring, meridian: float, edge_kind: str) -> float:
    """Latitude at which an edge crosses a meridian."""
    if edge_kind == "lonlat":
        share = (meridian - start[1]) / (end[1] - start[1])
        return float(start[0] + share * (end[0] - start[0]))
    low, high = (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
    latitude = low[0]
    for _ in range(BISECTIONS):
        middle = geodesic_points(*low, *high, 2)[1]
        latitude = float(middle[0])
        longitude = low[1] + math.remainder(float(middle[1]) - low[1], 360.0)
        if (longitude < meridian) == (start[1] < meridian):
            low = (latitude, longitude)
        else:
            high = (latitude, longitude)
        if abs(longitude - meridian) < 1e-12 or low == high:
            break
    return latitude


def _over_pole(ring: Ring) -> Ring:
    """A ring that winds once, opened at the antimeridian and closed over the pole that it is nearer to."""
    at_cut = np.flatnonzero(np.remainder(ring[:-1, 1] + 180.0, 360.0) == 0.0)
    if not len(at_cut):
        raise AirspaceError("a ring around a pole does not cross the antimeridian")
    first = int(at_cut[0])
    direction = 360.0 if ring[-1, 1] > ring[0, 1] else -360.0
    rest = ring[1 : first + 1].copy()
    rest[:, 1] += direction
    opened = np.concatenate([ring[first:], rest])
    pole = 90.0 if float(np.mean(ring[:, 0])) > 0.0 else -90.0
    corners = np.array([[pole, opened[-1, 1]], [pole, opened[0, 1]], opened[0]])
    return np.concatenate([opened, corners])


def _moved_onto(hole: Ring, shell: Ring) -> Ring:
    """The hole a whole number of turns away, where the shell is."""
    middle = 0.5 * (float(shell[:, 1].min()) + float(shell[:, 1].max()))
    moved = hole.copy()
    moved[:, 1] -= 360.0 * round((float(hole[:, 1].mean()) - middle) / 360.0)
    return moved


def _rings_of(piece: shapely.Polygon, offset: float) -> list[Ring]:
    rings = []
    for number, line in enumerate([piece.exterior, *piece.interiors]):
        ring = np.ascontiguousarray(shapely.get_coordinates(line)[:, ::-1])
        ring[:, 1] -= offset
        rings.append(orient_ring(ring, is_hole=number > 0))
    return rings
