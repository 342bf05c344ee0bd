"""Coastlines for maps: Natural Earth 1:10m land, public domain. Nothing is decided by them.

The file is built by `make boundaries`; positions are rounded to 1e-4 degrees (11 m), far below what
a 1:10,000,000 source promises.
"""

from __future__ import annotations

import functools
import lzma
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.sources.boundaries import split_reference
from airvigil.airspace.sources.faces import unpack_face
from airvigil.errors import AirspaceError

COASTLINE_FILE = "coastline-2.0.2.xz"
FORMAT = "airvigil.coastline/1"

Floats = NDArray[np.float64]


@functools.cache
def _rings() -> tuple[Floats, ...]:
    raw = resources.files("airvigil.airspace").joinpath("reference", COASTLINE_FILE).read_bytes()
    header, body = split_reference(raw, COASTLINE_FILE)
    if header.get("format") != FORMAT:
        raise AirspaceError(f"{COASTLINE_FILE}: expected format {FORMAT!r}, got {header.get('format')!r}")
    steps_per_degree = np.round(1.0 / header["grid_deg"])
    return tuple(ring / steps_per_degree for ring in unpack_face(lzma.decompress(body)))


def coastline(south_deg: float, west_deg: float, north_deg: float, east_deg: float) -> list[Floats]:
    """Land polygons clipped to a box, for filling on a map.

    Args:
        south_deg, west_deg, north_deg, east_deg: the box; west < east, so a box across the antimeridian is two calls.

    Returns:
        Closed rings (n, 2) of latitude, longitude. A ring that leaves the box runs along its edge between
        the places where it leaves and comes back, so that filling it is right; along the box it is not coast.

    Raises:
        AirspaceError: if the box is empty.

    Example:
        >>> land = coastline(59.0, 24.0, 60.5, 26.0)
        >>> len(land) > 3, all((ring[0] == ring[-1]).all() for ring in land)
        (True, True)
    """
    if not (south_deg < north_deg and west_deg < east_deg):
        raise AirspaceError(
            f"empty box: south {south_deg}, west {west_deg}, north {north_deg}, east {east_deg}"
        )
    clipped = []
    for ring in _rings():
        low, high = ring.min(axis=0), ring.max(axis=0)
        if high[0] < south_deg or low[0] > north_deg or high[1] < west_deg or low[1] > east_deg:
            continue
        part = ring
        for axis, limit, is_upper in (
            (0, south_deg, False),
            (0, north_deg, True),
            (1, west_deg, False),
            (1, east_deg, True),
        ):
            part = cut_ring(part, axis, limit, is_upper=is_upper)
            if len(part) < 4:
                break
        else:
            clipped.append(part)
    return clipped


def cut_ring(ring: Floats, axis: int, limit: float, *, is_upper: bool) -> Floats:
    """Sutherland-Hodgman: the part of a closed ring on one side of a line."""
    value = limit - ring[:, axis] if is_upper else ring[:, axis] - limit
    keep = value >= 0.0
    if keep.all():
        return ring
    if not keep.any():
        return ring[:0]
    changes = np.flatnonzero(keep[:-1] != keep[1:])
    fraction = value[changes] / (value[changes] - value[changes + 1])
    crossing = ring[changes] + fraction[:, None] * (ring[changes + 1] - ring[changes])
    crossing[:, axis] = limit
    place = np.concatenate([np.flatnonzero(keep[:-1]).astype(np.float64), changes + 0.5])
    order = np.argsort(place, kind="stable")
    part = np.concatenate([ring[:-1][keep[:-1]], crossing])[order]
    return np.concatenate([part, part[:1]])
