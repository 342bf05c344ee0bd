"""Boundaries as points in space: cut into pieces, the pieces gathered into chunks, the chunks found by place.

An edge that is straight in longitude and latitude is bent on the ground. It is cut into pieces that bend by no more than a metre, and each
piece keeps by how much: as a parabola it departs from what the source means by no more than `CHORD_TOLERANCE_M`. Up to 32 consecutive pieces form a *chunk* with a bounding sphere; chunks are sorted into cubes of
space, so that those near a place are found without looking at the others.

What is inside a volume follows from how often a meridian is crossed to the north of a place. The crossings of every
column's own meridian are kept, sorted by column and volume.

There are no special cases at the antimeridian or the poles for distances, as all is done in space. Containment counts
along meridians, where the sources cut their areas (RFC 7946 section 3.1.9).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.index.grid import CELLS_PER_DEGREE, COLUMNS, Floats, Ints, ecef
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.units import MEAN_EARTH_RADIUS_M, WGS84_E2

CHORD_TOLERANCE_M = 0.01  # departure of a piece, bent as it is, from the edge that its source means
MAX_BOW_M = 1.0  # how far a piece's middle lies beside the straight line between its ends
MAX_PIECE_M = (
    20_000.0  # longer, a straight line in a cell's plane would leave the geodesic by more than a millimetre
)
MAX_PIECE_LON_DEG = 90.0  # keeps apart what lies before and behind a meridian, next to a pole too
CHUNK_EDGES = 32
CHUNK_REACH_M = 20_000.0  # from its first point, unless it is a single piece
CUBE_M = 100_000.0
CUBES = 130  # along an axis of space
OFF_CENTRE_DEG = 0.000_123_4  # columns are counted along a meridian on which no source draws a boundary


@njit(cache=True, nogil=True, error_model="numpy")
def ecef_points(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """`ecef` of many points: (n, 3)."""
    points = np.empty((len(latitude_deg), 3))
    for k in range(len(latitude_deg)):
        points[k, 0], points[k, 1], points[k, 2] = ecef(latitude_deg[k], longitude_deg[k])
    return points


@njit(cache=True, nogil=True, error_model="numpy")
def wrapped(longitude_deg: float) -> float:
    """Longitude difference in [-180, 180)."""
    return longitude_deg - 360.0 * math.floor((longitude_deg + 180.0) / 360.0)


def pieces_of_edges(ring: Floats, edge_kind: str) -> Ints:
    """Into how many pieces each edge of a ring is cut: (n - 1,).

    An edge that spans E metres east and N north, straight in longitude and latitude, departs from the geodesic by
    E tan(phi) sqrt(E^2 + (2 N)^2) / 8R at most; its pieces by that over the square of their number. A parabola departs
    from it by the change of that along the piece, which goes with the cube.
    """
    lat, lon = np.radians(ring[:, 0]), np.radians(ring[:, 1])
    highest = np.minimum(np.maximum(np.abs(lat[:-1]), np.abs(lat[1:])), np.radians(89.9))
    lowest = np.minimum(np.abs(lat[:-1]), np.abs(lat[1:]))
    east = MEAN_EARTH_RADIUS_M * np.abs(np.diff(lon)) * np.cos(lowest)
    north = MEAN_EARTH_RADIUS_M * np.abs(np.diff(lat))
    pieces = np.maximum(np.hypot(east, north) / MAX_PIECE_M, 1.0)
    if edge_kind == "lonlat":
        departure = east * np.tan(highest) * np.hypot(east, 2.0 * north) / (8.0 * MEAN_EARTH_RADIUS_M)
        by_angle = np.abs(np.diff(lon)) / np.radians(MAX_PIECE_LON_DEG)
        change = (
            np.hypot(east, north)
            / MEAN_EARTH_RADIUS_M
            * np.maximum(np.tan(highest), 1.0 / np.tan(highest + 1e-3))
        )
        by_change = np.cbrt(0.4 * departure * change / CHORD_TOLERANCE_M)
        pieces = np.maximum.reduce([pieces, np.sqrt(departure / MAX_BOW_M), by_change, by_angle])
    return np.asarray(np.ceil(pieces), dtype=np.int64)


def densify_lonlat(ring: Floats, pieces: Ints) -> Floats:
    """The ring with each edge cut evenly in longitude and latitude; (1 + sum of pieces, 2)."""
    if int(pieces.max()) == 1:
        return ring
    start = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fraction = (within / pieces[start])[:, None]
    return np.concatenate([ring[start] + fraction * np.diff(ring, axis=0)[start], ring[-1:]])


def densify_geodesic(ring: Floats, pieces: Ints) -> Floats:
    """The ring with each edge cut evenly along its geodesic; (1 + sum of pieces, 2)."""
    legs: list[Floats] = []
    plain = 0  # edges of one piece are copied in runs
    for k in np.flatnonzero(pieces > 1).tolist():
        legs.append(ring[plain:k])
        legs.append(geodesic_points(ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1], int(pieces[k])))
        plain = k + 1
    return np.concatenate([*legs, ring[plain:]])


class Edges(NamedTuple):
    """All boundaries: what the index is built from. Every attribute is an array, so that it can be kept in a file.

    Attributes:
        points_m: (n, 3) ECEF, ring after ring; piece k runs from point k to point k + 1.
        bow_m: (n,) how far to the left of the straight line from point k to k + 1 the middle of piece k lies.
        first, pieces, volume: (c,) of each chunk its first piece, number of pieces, and the index of its volume.
        centre_m: (c, 3); radius_m: (c,) the sphere that holds the chunk's points.
        cube: (c,) numbers of the cubes that hold the centres, ascending; in_cube: (c,) the chunks in that order.
        crossing_first: (COLUMNS + 1,) where each column's crossings begin.
        crossing_volume, crossing_deg: (x,) which volume's boundary crosses the column's meridian, at what latitude.
    """

    points_m: Floats
    bow_m: Floats
    first: Ints
    pieces: Ints
    volume: Ints
    centre_m: Floats
    radius_m: Floats
    cube: Ints
    in_cube: Ints
    crossing_first: Ints
    crossing_volume: Ints
    crossing_deg: Floats


def build_edges(volumes: Sequence[Volume]) -> Edges:
    """Cut every ring of every volume into pieces and chunks, and count them in."""
    lines: list[Floats] = []
    is_real: list[NDArray[np.bool_]] = []
    ring_volume: list[int] = []
    for number, volume in enumerate(volumes):
        for ring in volume.rings:
            pieces = pieces_of_edges(ring, volume.edge_kind)
            densify = densify_geodesic if volume.edge_kind == "geodesic" else densify_lonlat
            lines.append(densify(ring, pieces))
            is_real.append(np.append(~np.repeat(is_artificial_edge(ring), pieces), False))
            ring_volume.append(number)
    positions = np.concatenate(lines) if lines else np.empty((0, 2))
    latitude, longitude = np.ascontiguousarray(positions[:, 0]), np.ascontiguousarray(positions[:, 1])
    lengths = np.array([len(line) for line in lines], dtype=np.int64)
    volume_of_point = np.repeat(np.array(ring_volume, dtype=np.int64), lengths)
    has_edge = np.ones(len(positions), dtype=np.bool_)
    has_edge[np.cumsum(lengths) - 1] = False
    real = np.concatenate(is_real) if is_real else np.empty(0, dtype=np.bool_)
    points_m = ecef_points(latitude, longitude)
    first, count = _chunks(points_m, real)
    centre, radius = _bounding_spheres(points_m, first, count)
    cube = _cube_numbers(centre)
    in_cube = np.argsort(cube, kind="stable")
    column, crossed, at_deg = _crossings(latitude, longitude, points_m, has_edge, real, volume_of_point)
    order = np.lexsort((crossed, column))
    is_bent = real & (np.array([v.edge_kind == "lonlat" for v in volumes], dtype=np.bool_)[volume_of_point])
    return Edges(
        points_m,
        _bows(latitude, longitude, points_m, is_bent),
        first,
        count,
        volume_of_point[first],
        centre,
        radius,
        cube[in_cube],
        in_cube,
        np.searchsorted(column[order], np.arange(COLUMNS + 1)).astype(np.int64),
        crossed[order],
        at_deg[order],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _bows(latitude: Floats, longitude: Floats, points: Floats, is_bent: NDArray[np.bool_]) -> Floats:
    """How far to the left of the chord the middle of each piece lies that is straight in longitude and latitude."""
    bow = np.zeros(len(latitude))
    for k in range(len(latitude) - 1):
        if not is_bent[k] or longitude[k] == longitude[k + 1]:
            continue
        lat, lon = 0.5 * (latitude[k] + latitude[k + 1]), 0.5 * (longitude[k] + longitude[k + 1])
        mx, my, mz = ecef(lat, lon)
        dx, dy, dz = (
            points[k + 1, 0] - points[k, 0],
            points[k + 1, 1] - points[k, 1],
            points[k + 1, 2] - points[k, 2],
        )
        phi, lam = math.radians(lat), math.radians(lon)
        ux, uy, uz = math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)
        lx, ly, lz = uy * dz - uz * dy, uz * dx - ux * dz, ux * dy - uy * dx
        length = math.sqrt(lx * lx + ly * ly + lz * lz)
        if length > 0.0:
            ax, ay, az = mx - points[k, 0], my - points[k, 1], mz - points[k, 2]
            across = (ax - 0.5 * dx) * lx + (ay - 0.5 * dy) * ly + (az - 0.5 * dz) * lz
            bow[k] = across / length
    return bow


@njit(cache=True, nogil=True, error_model="numpy")
def _chunks(points: Floats, is_real: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Runs of real pieces, none longer than CHUNK_EDGES or CHUNK_REACH_M: first piece, number of pieces."""
    first, count = np.empty(len(points), dtype=np.int64), np.empty(len(points), dtype=np.int64)
    n = 0
    is_open = False
    for k in range(len(points)):
        if not is_real[k]:
            is_open = False
            continue
        if is_open:
            f = first[n - 1]
            dx, dy = points[k + 1, 0] - points[f, 0], points[k + 1, 1] - points[f, 1]
            dz = points[k + 1, 2] - points[f, 2]
            is_open = dx * dx + dy * dy + dz * dz <= CHUNK_REACH_M * CHUNK_REACH_M
        if is_open and count[n - 1] < CHUNK_EDGES:
            count[n - 1] += 1
        else:
            first[n], count[n] = k, 1
            n += 1
            is_open = True
    return first[:n].copy(), count[:n].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def _bounding_spheres(points: Floats, first: Ints, count: Ints) -> tuple[Floats, Floats]:
    centre, radius = np.empty((len(first), 3)), np.empty(len(first))
    for c in range(len(first)):
        for axis in range(3):
            low, high = math.inf, -math.inf
            for k in range(first[c], first[c] + count[c] + 1):
                low, high = min(low, points[k, axis]), max(high, points[k, axis])
            centre[c, axis] = 0.5 * (low + high)
        farthest = 0.0
        for k in range(first[c], first[c] + count[c] + 1):
            d2 = 0.0
            for axis in range(3):
                d = points[k, axis] - centre[c, axis]
                d2 += d * d
            farthest = max(farthest, d2)
        radius[c] = math.sqrt(farthest)
    return centre, radius


@njit(cache=True, nogil=True, error_model="numpy")
def _along_axis(metres: float) -> int:
    return math.floor(metres / CUBE_M) + CUBES // 2


@njit(cache=True, nogil=True, error_model="numpy")
def _cube_numbers(centre: Floats) -> Ints:
    numbers = np.empty(len(centre), dtype=np.int64)
    for c in range(len(centre)):
        x, y, z = _along_axis(centre[c, 0]), _along_axis(centre[c, 1]), _along_axis(centre[c, 2])
        numbers[c] = (x * CUBES + y) * CUBES + z
    return numbers


@njit(cache=True, nogil=True, error_model="numpy")
def near_chunks(edges: Edges, x: float, y: float, z: float, limit: float) -> Ints:
    """Chunks that can be within `limit` metres of a point in space, ascending."""
    reach = limit + CHUNK_REACH_M  # no chunk's sphere is larger
    x0, x1 = _along_axis(x - reach), _along_axis(x + reach)
    y0, y1 = _along_axis(y - reach), _along_axis(y + reach)
    z0, z1 = _along_axis(z - reach), _along_axis(z + reach)
    found = np.empty(64, dtype=np.int64)
    n = 0
    for i in range(x0, x1 + 1):
        for j in range(y0, y1 + 1):
            begin = np.searchsorted(edges.cube, (i * CUBES + j) * CUBES + z0)
            end = np.searchsorted(edges.cube, (i * CUBES + j) * CUBES + z1, side="right")
            for k in range(begin, end):
                c = edges.in_cube[k]
                dx, dy, dz = edges.centre_m[c, 0] - x, edges.centre_m[c, 1] - y, edges.centre_m[c, 2] - z
                apart = limit + edges.radius_m[c]
                if dx * dx + dy * dy + dz * dz <= apart * apart:
                    if n == len(found):
                        longer = np.empty(2 * n, dtype=np.int64)
                        longer[:n] = found
                        found = longer
                    found[n] = c
                    n += 1
    return np.sort(found[:n])


@njit(cache=True, nogil=True, error_model="numpy")
def column_meridian(column: int) -> float:
    """The longitude (deg) along which a column's crossings are counted."""
    return (column + 0.5) / CELLS_PER_DEGREE - 180.0 + OFF_CENTRE_DEG


@njit(cache=True, nogil=True, error_model="numpy")
def crossing_latitude(
    points: Floats, latitude_deg: Floats, k: int, is_real: bool, t: float, meridian_deg: float
) -> float:
    """Where piece k, which crosses a meridian, does so; t is how far along it if it were straight in longitude."""
    if not is_real:  # along a pole or the antimeridian
        return latitude_deg[k] + t * (latitude_deg[k + 1] - latitude_deg[k])
    lam = math.radians(meridian_deg)
    s, c = math.sin(lam), math.cos(lam)
    here = c * points[k, 1] - s * points[k, 0]
    there = c * points[k + 1, 1] - s * points[k + 1, 0]
    if here != there:
        t = min(1.0, max(0.0, here / (here - there)))
    x = points[k, 0] + t * (points[k + 1, 0] - points[k, 0])
    y = points[k, 1] + t * (points[k + 1, 1] - points[k, 1])
    z = points[k, 2] + t * (points[k + 1, 2] - points[k, 2])
    return math.degrees(math.atan2(z, (1.0 - WGS84_E2) * math.sqrt(x * x + y * y)))


@njit(cache=True, nogil=True, error_model="numpy")
def _crossings(
    latitude: Floats,
    longitude: Floats,
    points: Floats,
    has_edge: NDArray[np.bool_],
    is_real: NDArray[np.bool_],
    volume: Ints,
) -> tuple[Ints, Ints, Floats]:
    """All crossings of the columns' meridians, artificial edges included: column, volume, latitude."""
    n = 0
    for k in range(len(latitude) - 1):
        if has_edge[k]:
            n += int(abs(wrapped(longitude[k + 1] - longitude[k])) * CELLS_PER_DEGREE) + 2
    column, crossed, at_deg = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    n = 0
    for k in range(len(latitude) - 1):
        if not has_edge[k]:
            continue
        span = wrapped(longitude[k + 1] - longitude[k])
        west = longitude[k] if span >= 0.0 else longitude[k] + span
        begin = math.floor((west + 180.0 - OFF_CENTRE_DEG) * CELLS_PER_DEGREE - 0.5)
        for i in range(begin, begin + int(abs(span) * CELLS_PER_DEGREE) + 3):
            meridian = column_meridian(i % COLUMNS)
            before, after = wrapped(longitude[k] - meridian), wrapped(longitude[k + 1] - meridian)
            if (before < 0.0) != (after < 0.0) and abs(after - before) < 180.0:
                t = before / (before - after)
                column[n], crossed[n] = i % COLUMNS, volume[k]
                at_deg[n] = crossing_latitude(points, latitude, k, is_real[k], t, meridian)
                n += 1
    return column[:n].copy(), crossed[:n].copy(), at_deg[:n].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def volumes_above(edges: Edges, column: int, latitude_deg: float) -> Ints:
    """The volumes that hold the place at this latitude on a column's meridian, ascending: odd crossings to the north."""
    begin, end = edges.crossing_first[column], edges.crossing_first[column + 1]
    found = np.empty(end - begin, dtype=np.int64)
    n = 0
    k = begin
    while k < end:
        volume, is_odd = edges.crossing_volume[k], False
        while k < end and edges.crossing_volume[k] == volume:
            is_odd = is_odd != (edges.crossing_deg[k] > latitude_deg)
            k += 1
        if is_odd:
            found[n] = volume
            n += 1
    return found[:n].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_chord_m(edges: Edges, near: Ints, x: float, y: float, z: float) -> float:
    """Distance in space to the nearest piece of the chunks named; inf if there is none."""
    best = math.inf
    p = edges.points_m
    for c in near:
        gx, gy, gz = edges.centre_m[c, 0] - x, edges.centre_m[c, 1] - y, edges.centre_m[c, 2] - z
        if math.sqrt(gx * gx + gy * gy + gz * gz) - edges.radius_m[c] > math.sqrt(best):
            continue
        for k in range(edges.first[c], edges.first[c] + edges.pieces[c]):
            ax, ay, az = p[k, 0] - x, p[k, 1] - y, p[k, 2] - z
            dx, dy, dz = p[k + 1, 0] - p[k, 0], p[k + 1, 1] - p[k, 1], p[k + 1, 2] - p[k, 2]
            square = dx * dx + dy * dy + dz * dz
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, -(ax * dx + ay * dy + az * dz) / square))
            ex, ey, ez = ax + t * dx, ay + t * dy, az + t * dz
            best = min(best, ex * ex + ey * ey + ez * ez)
    return math.sqrt(best)
