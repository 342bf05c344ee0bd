"""Which edges can matter for a report: the boundary as points in space, found cell by cell.

Every edge is cut into pieces so short that a straight chord in space departs from it by no more
than `CHORD_TOLERANCE_M`; 32 consecutive pieces form a *chunk* with a bounding sphere. The globe is
divided into cells of a quarter degree. A cell knows the chunks that lie within 50 km of any place in
it, and for every volume whether the cell's reference point is inside; whether a report is inside then
follows from how often the line from the report to that point crosses the boundary.

Cells are made when first touched and kept up to a number; what is kept changes the time taken and
nothing else. There are no special cases at the antimeridian or the poles, as all is done in space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.units import MEAN_EARTH_RADIUS_M, WGS84_A_M, WGS84_E2

RELEVANCE_M = 50_000.0  # boundaries further away than this are not looked at
CHORD_TOLERANCE_M = 0.01  # departure of a piece from the edge that its source means
MAX_PIECE_M = 2_000.0  # keeps the sag of a chord below the surface under 0.1 m
MAX_PIECE_LON_DEG = 90.0  # keeps apart what lies before and behind a meridian, next to a pole too
CHUNK_EDGES = 32
CELLS_PER_DEGREE = 4
CELLS_KEPT = 4_096
MIN_REFERENCE_DISTANCE_M = 1.0  # a reference point is never this near to a boundary
REFERENCE_STEP_DEG = 1.3e-4  # how far it moves away if it is
REFERENCE_ATTEMPTS = 64  # a boundary cannot pass within a metre of so many places in a row
CELL_SLACK_M = 100.0  # a cell's edge bulges beyond the sphere around its corners by less

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def ecef(latitude_deg: float, longitude_deg: float) -> tuple[float, float, float]:
    """Earth-centred coordinates (m) of a point on the WGS84 ellipsoid."""
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    s, c = math.sin(phi), math.cos(phi)
    n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s * s)
    return n * c * math.cos(lam), n * c * math.sin(lam), n * (1.0 - WGS84_E2) * s


@njit(cache=True, nogil=True)
def ecef_points(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """`ecef` of many points: (n, 3)."""
    points = np.empty((len(latitude_deg), 3))
    for k in range(len(latitude_deg)):
        points[k, 0], points[k, 1], points[k, 2] = ecef(latitude_deg[k], longitude_deg[k])
    return points


@njit(cache=True, nogil=True)
def wrapped(longitude_deg: float) -> float:
    """Longitude difference in [-180, 180)."""
    return longitude_deg - 360.0 * math.floor((longitude_deg + 180.0) / 360.0)


def pieces_of_edges(ring: Floats) -> Ints:
    """Into how many pieces each edge of a ring is cut: (n - 1,).

    An edge that spans E metres east and N north, straight in longitude and latitude, departs from the geodesic by
    E tan(phi) sqrt(E^2 + (2 N)^2) / 8R at most; its pieces by that over the square of their number.
    """
    lat, lon = np.radians(ring[:, 0]), np.radians(ring[:, 1])
    highest = np.minimum(np.maximum(np.abs(lat[:-1]), np.abs(lat[1:])), np.radians(89.9))
    lowest = np.minimum(np.abs(lat[:-1]), np.abs(lat[1:]))
    east = MEAN_EARTH_RADIUS_M * np.abs(np.diff(lon)) * np.cos(lowest)
    north = MEAN_EARTH_RADIUS_M * np.abs(np.diff(lat))
    departure = east * np.tan(highest) * np.hypot(east, 2.0 * north) / (8.0 * MEAN_EARTH_RADIUS_M)
    by_departure = np.sqrt(departure / CHORD_TOLERANCE_M)
    by_length = np.hypot(east, north) / MAX_PIECE_M
    by_angle = np.abs(np.diff(lon)) / np.radians(MAX_PIECE_LON_DEG)
    return np.asarray(
        np.ceil(np.maximum.reduce([by_departure, by_length, by_angle, np.ones(len(east))])), dtype=np.int64
    )


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
    legs = [
        geodesic_points(ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1], int(pieces[k]))
        for k in range(len(pieces))
    ]
    return np.concatenate([*legs, ring[-1:]])


class Rings(NamedTuple):
    """All rings as places, artificial edges included.

    Attributes:
        latitude_deg, longitude_deg: (n,) positions, ring after ring.
        first, last: (r,) first and last position of each ring.
        volume: (r,) index of its volume.
        west_deg, east_deg, north_deg: (r,) how far it reaches.
    """

    latitude_deg: Floats
    longitude_deg: Floats
    first: Ints
    last: Ints
    volume: Ints
    west_deg: Floats
    east_deg: Floats
    north_deg: Floats


class Chunks(NamedTuple):
    """All real boundaries as points in space, cut into chunks.

    Attributes:
        points_m: (n, 3) ECEF, in the order of Rings; piece k runs from point k to point k + 1.
        first, pieces, volume: (c,) first piece, number of pieces, index of the volume.
        centre_m: (c, 3); radius_m: (c,) the sphere that holds the chunk's points.
    """

    points_m: Floats
    first: Ints
    pieces: Ints
    volume: Ints
    centre_m: Floats
    radius_m: Floats


def build_edges(volumes: Sequence[Volume]) -> tuple[Rings, Chunks]:
    """Cut every ring of every volume into pieces and chunks."""
    lines: list[Floats] = []
    ring_volume: list[int] = []
    firsts: list[Ints] = []
    counts: list[Ints] = []
    total = 0
    for number, volume in enumerate(volumes):
        for ring in volume.rings:
            pieces = pieces_of_edges(ring)
            line = (
                densify_geodesic(ring, pieces)
                if volume.edge_kind == "geodesic"
                else densify_lonlat(ring, pieces)
            )
            first, count = _chunks(~np.repeat(is_artificial_edge(ring), pieces))
            lines.append(line)
            ring_volume.append(number)
            firsts.append(first + total)
            counts.append(count)
            total += len(line)
    positions = np.concatenate(lines) if lines else np.empty((0, 2))
    latitude, longitude = np.ascontiguousarray(positions[:, 0]), np.ascontiguousarray(positions[:, 1])
    lengths = np.array([len(line) for line in lines], dtype=np.int64)
    last = np.cumsum(lengths) - 1
    rings = Rings(
        latitude,
        longitude,
        last - lengths + 1,
        last,
        np.array(ring_volume, dtype=np.int64),
        np.array([line[:, 1].min() for line in lines]),
        np.array([line[:, 1].max() for line in lines]),
        np.array([line[:, 0].max() for line in lines]),
    )
    points_m = ecef_points(latitude, longitude)
    first, count = _joined(firsts), _joined(counts)
    chunk_volume = np.repeat(rings.volume, [len(part) for part in firsts])
    centre, radius = _bounding_spheres(points_m, first, count)
    return rings, Chunks(points_m, first, count, chunk_volume, centre, radius)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _chunks(is_real: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Runs of real pieces, none longer than CHUNK_EDGES: first piece, number of pieces."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_real, [False]]).astype(np.int8)))
    firsts, counts = [], []
    for begin, end in zip(edges[0::2], edges[1::2], strict=True):
        first = np.arange(begin, end, CHUNK_EDGES, dtype=np.int64)
        firsts.append(first)
        counts.append(np.minimum(CHUNK_EDGES, end - first))
    return _joined(firsts), _joined(counts)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def is_inside_rings(rings: Rings, n_volumes: int, lat: float, lon: float) -> NDArray[np.bool_]:
    """For every volume, whether a place is inside: crossings of its meridian to the north pole, (n_volumes,)."""
    inside = np.zeros(n_volumes, dtype=np.bool_)
    for r in range(len(rings.first)):
        if lat >= rings.north_deg[r] or lon < rings.west_deg[r] - 1e-9 or lon > rings.east_deg[r] + 1e-9:
            continue
        before = wrapped(rings.longitude_deg[rings.first[r]] - lon)
        for k in range(rings.first[r], rings.last[r]):
            after = wrapped(rings.longitude_deg[k + 1] - lon)
            if (before < 0.0) != (after < 0.0) and abs(after - before) < 180.0:
                here, there = rings.latitude_deg[k], rings.latitude_deg[k + 1]
                if here + before / (before - after) * (there - here) > lat:
                    inside[rings.volume[r]] = not inside[rings.volume[r]]
            before = after
    return inside


class Cell(NamedTuple):
    """What a report in this cell needs.

    Attributes:
        reference_m: (3,) ECEF of the reference point.
        volumes: (v,) indices of the volumes that can matter, ascending.
        inside: (v,) whether the reference point is inside each.
        chunks: (c,) chunks that can be within 50 km of a place in the cell, by volume.
        offsets: (v + 1,) where each volume's chunks begin.
    """

    reference_m: Floats
    volumes: Ints
    inside: NDArray[np.bool_]
    chunks: Ints
    offsets: Ints


class CellIndex:
    """Cells by number, made when first asked for."""

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self.rings, self.chunks = build_edges(volumes)
        self._volume_count = len(volumes)
        self._cells: dict[int, Cell] = {}

    def cell(self, number: int) -> Cell:
        """The cell with this number, as given by `cell_numbers`."""
        found = self._cells.get(number)
        if found is None:
            while len(self._cells) >= CELLS_KEPT:
                self._cells.pop(next(iter(self._cells)))
            found = self._cells[number] = self._make(number)
        return found

    def _make(self, number: int) -> Cell:
        row, column = divmod(number, 360 * CELLS_PER_DEGREE)
        south, west = row / CELLS_PER_DEGREE - 90.0, column / CELLS_PER_DEGREE - 180.0
        size = 1.0 / CELLS_PER_DEGREE
        corners = [ecef(south + i * size, west + j * size) for i in (0, 1) for j in (0, 1)]
        lat, lon = south + 0.5 * size, west + 0.5 * size
        for attempt in range(REFERENCE_ATTEMPTS):
            reference = ecef(lat, lon)
            reach = RELEVANCE_M + max(math.dist(reference, corner) for corner in corners) + CELL_SLACK_M
            near = _near_chunks(self.chunks, *reference, reach)
            if _nearest_chord_m(self.chunks, near, *reference) > MIN_REFERENCE_DISTANCE_M:
                break
            lat, lon = lat + REFERENCE_STEP_DEG, lon + REFERENCE_STEP_DEG * (1 + attempt % 3)
        inside = is_inside_rings(self.rings, self._volume_count, lat, lon)
        near_volume = self.chunks.volume[near]
        is_relevant = inside.copy()
        is_relevant[near_volume] = True
        volumes = np.flatnonzero(is_relevant)
        offsets = np.concatenate([np.searchsorted(near_volume, volumes), [len(near)]]).astype(np.int64)
        return Cell(np.array(reference), volumes, inside[volumes], near, offsets)


@njit(cache=True, nogil=True)
def _near_chunks(chunks: Chunks, x: float, y: float, z: float, limit: float) -> Ints:
    found = np.empty(len(chunks.radius_m), dtype=np.int64)
    n = 0
    for c in range(len(chunks.radius_m)):
        dx, dy, dz = chunks.centre_m[c, 0] - x, chunks.centre_m[c, 1] - y, chunks.centre_m[c, 2] - z
        reach = limit + chunks.radius_m[c]
        if dx * dx + dy * dy + dz * dz <= reach * reach:
            found[n] = c
            n += 1
    return found[:n].copy()


@njit(cache=True, nogil=True)
def _nearest_chord_m(chunks: Chunks, near: Ints, x: float, y: float, z: float) -> float:
    """Distance in space to the nearest piece of the chunks named."""
    best = math.inf
    p = chunks.points_m
    for c in near:
        gx, gy, gz = chunks.centre_m[c, 0] - x, chunks.centre_m[c, 1] - y, chunks.centre_m[c, 2] - z
        if math.sqrt(gx * gx + gy * gy + gz * gz) - chunks.radius_m[c] > math.sqrt(best):
            continue
        for k in range(chunks.first[c], chunks.first[c] + chunks.pieces[c]):
            ax, ay, az = p[k, 0] - x, p[k, 1] - y, p[k, 2] - z
            dx, dy, dz = p[k + 1, 0] - p[k, 0], p[k + 1, 1] - p[k, 1], p[k + 1, 2] - p[k, 2]
            square = dx * dx + dy * dy + dz * dz
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, -(ax * dx + ay * dy + az * dz) / square))
            ex, ey, ez = ax + t * dx, ay + t * dy, az + t * dz
            best = min(best, ex * ex + ey * ey + ez * ez)
    return math.sqrt(best)


def cell_numbers(latitude_deg: Floats, longitude_deg: Floats) -> Ints:
    """The number of the cell that holds each place: (n,)."""
    rows = np.clip(np.floor((latitude_deg + 90.0) * CELLS_PER_DEGREE), 0, 180 * CELLS_PER_DEGREE - 1)
    columns = np.mod(np.floor((longitude_deg + 180.0) * CELLS_PER_DEGREE), 360 * CELLS_PER_DEGREE)
    return np.asarray(rows * (360 * CELLS_PER_DEGREE) + columns, dtype=np.int64)
