"""Circles, arcs and corridors as rings of short edges, cut by the geodesic problem around their centre.

Rules
- Every vertex lies on the curve; between two of them the geodesic departs from it by at most CHORD_ERROR_M, inwards. An
  edge that is read as straight in longitude and latitude instead departs by as little again, up to latitude 80.
- Azimuths are true, in radians, clockwise from north. A positive sweep runs clockwise.
- An arc whose ends lie at different radii goes from the one to the other evenly with the angle.
- A corridor is all that lies within its half width of its centre line, the ends rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_direct, geodesic_inverse, geodesic_points
from airvigil.errors import AirspaceError

CHORD_ERROR_M = 0.5
LEAST_PIECES = 16  # of a whole turn, however small
MAX_RADIUS_M = 2_000_000.0  # no published arc is a tenth as large
CORRIDOR_PIECE_M = 2_000.0  # its sides are joined in longitude and latitude: 0.3 m off at latitude 75
MAX_CORRIDOR_LATITUDE_DEG = 85.0
MAX_CORRIDOR_M = 5_000_000.0
MAX_HALF_WIDTH_M = 200_000.0
MAX_LINE_PLACES = 2_000

Place = tuple[float, float]  # latitude, longitude in degrees


def turn_pieces(radius_m: float, sweep_rad: float) -> int:
    """How many edges an arc takes.

    Raises:
        AirspaceError: a radius that is no radius.

    Example:
        >>> turn_pieces(18520.0, 2.0 * math.pi)
        428
    """
    if not 0.0 < radius_m <= MAX_RADIUS_M:
        raise AirspaceError(
            f"expected a radius above 0 and up to {MAX_RADIUS_M / 1000:,.0f} km, got {radius_m:g} m"
        )
    step = 2.0 * math.acos(max(1.0 - CHORD_ERROR_M / radius_m, 0.0))
    step = min(step, 2.0 * math.pi / LEAST_PIECES)
    return max(math.ceil(abs(sweep_rad) / step - 1e-9), 1)


def circle_ring(centre: Place, radius_m: float) -> NDArray[np.float64]:
    """A closed ring (n, 2) around a centre, counter-clockwise."""
    pieces = turn_pieces(radius_m, 2.0 * math.pi)
    points = [geodesic_direct(*centre, -2.0 * math.pi * k / pieces, radius_m) for k in range(pieces)]
    return np.array([*points, points[0]])


def arc_points(
    centre: Place, start_rad: float, sweep_rad: float, radius_m: float, end_radius_m: float | None = None
) -> list[Place]:
    """Places along an arc, both ends included.

    Args:
        start_rad: azimuth of its first place, seen from the centre.
        sweep_rad: angle that it covers, positive clockwise.
        end_radius_m: radius of its last place, if it is another.
    """
    last = radius_m if end_radius_m is None else end_radius_m
    pieces = max(turn_pieces(radius_m, sweep_rad), turn_pieces(last, sweep_rad))
    return [
        geodesic_direct(
            *centre, start_rad + sweep_rad * k / pieces, radius_m + (last - radius_m) * (k / pieces)
        )
        for k in range(pieces + 1)
    ]


def arc_between(centre: Place, start: Place, end: Place, *, is_clockwise: bool) -> tuple[list[Place], float]:
    """Places along the arc from one place to another, exactly as written at both ends, and by how much the radii differ (m).

    A start that is also the end makes a whole turn.

    Raises:
        AirspaceError: an end on the centre, or a radius beyond all measure.
    """
    first_radius, first = geodesic_inverse(*centre, *start)
    last_radius, last = geodesic_inverse(*centre, *end)
    sweep = math.fmod(last - first, 2.0 * math.pi)
    if is_clockwise and sweep <= 0.0:
        sweep += 2.0 * math.pi
    elif not is_clockwise and sweep >= 0.0:
        sweep -= 2.0 * math.pi
    points = arc_points(centre, first, sweep, first_radius, last_radius)
    return [start, *points[1:-1], end], abs(first_radius - last_radius)


def corridor_rings(line: Sequence[Place], half_width_m: float) -> list[NDArray[np.float64]]:
    """Closed rings of all that lies within a half width of a centre line of geodesics: longitudes unbroken.

    The first is the outer one; others are holes, where the line runs round something.

    Raises:
        AirspaceError: too few or too many places, a line too long, too wide, or too near a pole.
    """
    if not 2 <= len(line) <= MAX_LINE_PLACES:
        raise AirspaceError(f"expected a line of 2 to {MAX_LINE_PLACES:,} places, got {len(line)}")
    if not 0.0 < half_width_m <= MAX_HALF_WIDTH_M:
        raise AirspaceError(
            f"expected a half width above 0 and up to {MAX_HALF_WIDTH_M / 1000:g} km, got {half_width_m:g} m"
        )
    unbroken = _unbroken(line)
    parts, total = [], 0.0
    for start, end in pairwise(unbroken):
        length, _ = geodesic_inverse(*start, *end)
        total += length
        if total > MAX_CORRIDOR_M:
            raise AirspaceError(
                f"expected a line of at most {MAX_CORRIDOR_M / 1000:,.0f} km, got over {total / 1000:,.0f} km"
            )
        parts += _strip(start, end, length, half_width_m)
    parts += [_polygon(circle_ring(place, half_width_m), place[1]) for place in unbroken]
    whole = shapely.union_all(parts)
    if max(abs(whole.bounds[1]), abs(whole.bounds[3])) > MAX_CORRIDOR_LATITUDE_DEG:
        raise AirspaceError(f"a corridor beyond latitude {MAX_CORRIDOR_LATITUDE_DEG:g} is not drawn")
    rings = [whole.exterior, *whole.interiors]
    return [np.ascontiguousarray(shapely.get_coordinates(ring)[:, ::-1]) for ring in rings]


def _unbroken(line: Sequence[Place]) -> list[Place]:
    """The same places with longitudes that do not jump at the antimeridian."""
    places = [line[0]]
    for latitude, longitude in line[1:]:
        places.append((latitude, places[-1][1] + math.remainder(longitude - places[-1][1], 360.0)))
    return places


def _strip(start: Place, end: Place, length_m: float, half_width_m: float) -> list[shapely.Polygon]:
    """Quadrangles along both sides of one leg, each as long as CORRIDOR_PIECE_M at most."""
    if length_m == 0.0:
        return []
    pieces = max(math.ceil(length_m / CORRIDOR_PIECE_M), 1)
    places: list[Place] = [(lat, lon) for lat, lon in geodesic_points(*start, *end, pieces).tolist()]
    places.append(end)
    right, left = [], []
    for k, place in enumerate(places):
        if k < pieces:
            azimuth = geodesic_inverse(*place, *places[k + 1])[1]
        else:
            azimuth = geodesic_inverse(*place, *places[k - 1])[1] + math.pi
        right.append(geodesic_direct(*place, azimuth + math.pi / 2, half_width_m))
        left.append(geodesic_direct(*place, azimuth - math.pi / 2, half_width_m))
    near = start[1]
    outline = np.array([*right, *reversed(left), right[0]])
    whole = _polygon(outline, near)
    if whole.is_valid:
        return [whole]
    # a leg so wide or so curved that its outline crosses itself: piece by piece it does not
    quads = [
        _polygon(np.array([right[k], right[k + 1], left[k + 1], left[k], right[k]]), near)
        for k in range(pieces)
    ]
    return [quad for quad in quads if quad.is_valid]


def _polygon(ring: NDArray[np.float64], near_longitude: float) -> shapely.Polygon:
    """A polygon in longitude and latitude, its longitudes unbroken and those around the given one."""
    longitude = ring[:, 1]
    steps = np.diff(longitude)
    longitude = longitude[0] + np.concatenate([[0.0], np.cumsum(steps - 360.0 * np.round(steps / 360.0))])
    longitude = longitude - 360.0 * np.round((longitude[0] - near_longitude) / 360.0)
    return shapely.Polygon(np.column_stack([longitude, ring[:, 0]]))
