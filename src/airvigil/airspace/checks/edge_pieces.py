"""Edges cut into pieces that are the same whether they are read as geodesics or as straight in longitude and latitude.

Both differ by at most arcs.CHORD_ERROR_M then. An edge is cut the same way from either end, so that a border that two
areas share stays shared.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.sources.arcs import CHORD_ERROR_M
from airvigil.airspace.volumes import is_artificial_edge
from airvigil.units import MEAN_EARTH_RADIUS_M, WGS84_A_M, WGS84_E2

Floats = NDArray[np.float64]


def lonlat_pieces(ring: Floats) -> NDArray[np.int64]:
    """Into how many pieces each edge is cut until straight and geodesic differ by CHORD_ERROR_M at most: (n - 1,).

    An edge E metres east and N north departs by E tan(latitude) sqrt(E^2 + (2 N)^2) / 8R at most.
    """
    lat = np.minimum(np.abs(np.radians(ring[:, 0])), math.radians(89.9))
    steps = np.abs(np.radians(np.diff(ring, axis=0)))
    east = (
        MEAN_EARTH_RADIUS_M
        * np.minimum(steps[:, 1], math.tau - steps[:, 1])
        * np.cos(np.minimum(lat[:-1], lat[1:]))
    )
    north = MEAN_EARTH_RADIUS_M * steps[:, 0]
    slope = np.tan(np.maximum(lat[:-1], lat[1:]))
    departure = east * slope * np.hypot(east, 2.0 * north) / (8.0 * MEAN_EARTH_RADIUS_M)
    return np.asarray(np.maximum(np.ceil(np.sqrt(departure / CHORD_ERROR_M)), 1), dtype=np.int64)


def degree_m(latitude_deg: Floats) -> Floats:
    """Metres to a degree northwards and eastwards on the ellipsoid: (n, 2).

    Example:
        >>> degree_m(np.array([60.0])).round(1).tolist()
        [[111412.3, 55800.0]]
    """
    sine = np.sin(np.radians(latitude_deg))
    flat = 1.0 - WGS84_E2 * sine**2
    north = WGS84_A_M * (1.0 - WGS84_E2) / flat**1.5
    east = WGS84_A_M / np.sqrt(flat) * np.cos(np.radians(latitude_deg))
    return np.radians(np.column_stack([north, east]))


def straightened(ring: Floats, edge_kind: str) -> Floats:
    """The ring with geodesics cut until they are straight in longitude and latitude.

    Args:
        ring: (n, 2) latitude, longitude in degrees.
        edge_kind: "geodesic", or "lonlat": then it is straight already.
    """
    if edge_kind == "lonlat":
        return ring
    pieces = np.where(is_artificial_edge(ring), 1, lonlat_pieces(ring))
    if int(pieces.max()) == 1:
        return ring
    places: list[Floats] = []
    begun = 0
    for k in np.flatnonzero(pieces > 1).tolist():
        places += [ring[begun:k], _leg(ring[k], ring[k + 1], int(pieces[k]))]
        begun = k + 1
    return np.concatenate([*places, ring[begun:]])


def _leg(start: Floats, end: Floats, pieces: int) -> Floats:
    """Places along a geodesic, the end left out; the same places from either side."""
    here, there = (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
    if here <= there:
        return geodesic_points(*here, *there, pieces)
    back = geodesic_points(*there, *here, pieces)
    return np.concatenate([start[None], back[:0:-1]])
