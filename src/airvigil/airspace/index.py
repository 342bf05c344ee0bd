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
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.units import MEAN_EARTH_RADIUS_M, WGS84_A_M, WGS84_E2

RELEVANCE_M = 50_000.0  # boundaries further away than this are not looked at
CHORD_TOLERANCE_M = 0.02  # departure of a piece from the edge that its source means
MAX_PIECE_M = 2_000.0  # keeps the sag of a chord below the surface under 0.1 m
CHUNK_EDGES = 32
CELLS_PER_DEGREE = 4
CELLS_KEPT = 4_096
MIN_REFERENCE_DISTANCE_M = 1.0  # a reference point is never this near to a boundary
REFERENCE_STEP_DEG = 1.3e-4  # how far it moves away if it is

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
    """Into how many pieces each edge of a ring is cut: (n - 1,)."""
    lat, lon = np.radians(ring[:, 0]), np.radians(ring[:, 1])
    step_lon = np.abs(np.diff(lon))
    step_lon = np.minimum(step_lon, 2.0 * np.pi - step_lon)
    highest = np.minimum(np.maximum(np.abs(lat[:-1]), np.abs(lat[1:])), np.radians(89.9))
    lowest = np.minimum(np.abs(lat[:-1]), np.abs(lat[1:]))
    length = MEAN_EARTH_RADIUS_M * np.sqrt(np.diff(lat) ** 2 + (step_lon * np.cos(lowest)) ** 2)
    # a parallel's bend against the geodesic is L^2 tan(phi) / 8R; a meridian has none, and the bound holds for it too
    longest = np.sqrt(8.0 * MEAN_EARTH_RADIUS_M * CHORD_TOLERANCE_M / np.maximum(np.tan(highest), 1e-3))
    return np.ceil(np.maximum(length / np.minimum(longest, MAX_PIECE_M), 1.0)).astype(np.int64)


def densify_lonlat(ring: Floats, pieces: Ints) -> Floats:
    """The ring with each edge cut evenly in longitude and latitude; (1 + sum of pieces, 2)."""
    if int(pieces.max()) == 1:
        return ring
    start = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fraction = (within / pieces[start])[:, None]
    step = np.diff(ring, axis=0)
    step[:, 1] -= 360.0 * np.round(step[:, 1] / 360.0)
    points = ring[start] + fraction * step[start]
    return np.concatenate([points, ring[-1:]])


def densify_geodesic(ring: Floats, pieces: Ints) -> Floats:
    """The ring with each edge cut evenly along its geodesic; (1 + sum of pieces, 2)."""
    legs = [
        geodesic_points(ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1], int(pieces[k]))
        for k in range(len(pieces))
    ]
    return np.concatenate([*legs, ring[-1:]])


@dataclass(frozen=True)
class EdgeTable:
    """All boundaries as points in space, cut into chunks.

    Attributes:
        points_m: (n, 3) ECEF; piece k runs from point k to point k + 1.
        latitude_deg, longitude_deg: (n,) the same points.
        ring_first, ring_last, ring_volume: (r,) first and last point of each ring, and its volume's index.
        chunk_first, chunk_count, chunk_volume: (c,) first piece, number of pieces, volume's index.
        chunk_centre_m: (c, 3); chunk_radius_m: (c,) the sphere that holds the chunk's points.
    """

    points_m: Floats
    latitude_deg: Floats
    longitude_deg: Floats
    ring_first: Ints
    ring_last: Ints
    ring_volume: Ints
    chunk_first: Ints
    chunk_count: Ints
    chunk_volume: Ints
    chunk_centre_m: Floats
    chunk_radius_m: Floats


def build_edge_table(volumes: Sequence[Volume]) -> EdgeTable:
    """Cut every ring of every volume into pieces and chunks."""
    rings: list[Floats] = []
    ring_volume: list[int] = []
    firsts: list[Ints] = []
    counts: list[Ints] = []
    chunk_volume: list[Ints] = []
    ring_first: list[int] = []
    total = 0
    for number, volume in enumerate(volumes):
        for ring in volume.rings:
            pieces = pieces_of_edges(ring)
            points = densify_geodesic(ring, pieces) if volume.edge_kind == "geodesic" else densify_lonlat(ring, pieces)
            first, count = _chunks(~np.repeat(is_artificial_edge(ring), pieces))
            rings.append(points)
            ring_first.append(total)
            ring_volume.append(number)
            firsts.append(first + total)
            counts.append(count)
            chunk_volume.append(np.full(len(first), number, dtype=np.int64))
            total += len(points)
    positions = np.concatenate(rings) if rings else np.empty((0, 2))
    latitude, longitude = np.ascontiguousarray(positions[:, 0]), np.ascontiguousarray(positions[:, 1])
    points_m = ecef_points(latitude, longitude)
    chunk_first, chunk_count = _joined(firsts), _joined(counts)
    centre, radius = _bounding_spheres(points_m, chunk_first, chunk_count)
    starts = np.array(ring_first, dtype=np.int64)
    lengths = np.array([len(points) for points in rings], dtype=np.int64)
    return EdgeTable(
        points_m=points_m,
        latitude_deg=latitude,
        longitude_deg=longitude,
        ring_first=starts,
        ring_last=starts + lengths - 1,
        ring_volume=np.array(ring_volume, dtype=np.int64),
        chunk_first=chunk_first,
        chunk_count=chunk_count,
        chunk_volume=_joined(chunk_volume),
        chunk_centre_m=centre,
        chunk_radius_m=radius,
    )


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
def _near_chunks(centre: Floats, radius: Floats, x: float, y: float, z: float, limit: float) -> Ints:
    found = np.empty(len(radius), dtype=np.int64)
    n = 0
    for c in range(len(radius)):
        dx, dy, dz = centre[c, 0] - x, centre[c, 1] - y, centre[c, 2] - z
        reach = limit + radius[c]
        if dx * dx + dy * dy + dz * dz <= reach * reach:
            found[n] = c
            n += 1
    return found[:n].copy()


@njit(cache=True, nogil=True)
def is_inside_rings(
    latitude: Floats, longitude: Floats, ring_first: Ints, ring_last: Ints, ring_volume: Ints, n_volumes: int, lat: float, lon: float
) -> NDArray[np.bool_]:
    """For every volume, whether a place is inside: crossings of its meridian to the north pole, (n_volumes,)."""
    inside = np.zeros(n_volumes, dtype=np.bool_)
    for r in range(len(ring_first)):
        before = wrapped(longitude[ring_first[r]] - lon)
        for k in range(ring_first[r], ring_last[r]):
            after = wrapped(longitude[k + 1] - lon)
            if (before < 0.0) != (after < 0.0) and abs(after - before) < 180.0:
                fraction = before / (before - after)
                if latitude[k] + fraction * (latitude[k + 1] - latitude[k]) > lat:
                    inside[ring_volume[r]] = not inside[ring_volume[r]]
            before = after
    return inside


@dataclass(frozen=True)
class Cell:
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
        self.edges = build_edge_table(volumes)
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
        edges = self.edges
        for attempt in range(64):  # a boundary cannot pass within a metre of so many places in a row
            reference = ecef(lat, lon)
            radius = max(math.dist(reference, corner) for corner in corners)
            # the chord is shorter than the geodesic, so nothing within 50 km is missed; 2 m for the corners' arc
            chunks = _near_chunks(edges.chunk_centre_m, edges.chunk_radius_m, *reference, RELEVANCE_M + radius + 2.0)
            if not self._touches(reference, chunks):
                break
            lat, lon = lat + REFERENCE_STEP_DEG, lon + REFERENCE_STEP_DEG * (1 + attempt % 3)
        inside = is_inside_rings(
            edges.latitude_deg, edges.longitude_deg, edges.ring_first, edges.ring_last, edges.ring_volume, self._volume_count, lat, lon
        )  # fmt: skip
        near = edges.chunk_volume[chunks]
        relevant = inside.copy()
        relevant[near] = True
        volumes = np.flatnonzero(relevant)
        offsets = np.concatenate([np.searchsorted(near, volumes), [len(near)]]).astype(np.int64)
        return Cell(np.array(reference), volumes, inside[volumes], chunks, offsets)

    def _touches(self, reference: tuple[float, float, float], chunks: Ints) -> bool:
        edges = self.edges
        return bool(
            _nearest_chord_m(edges.points_m, edges.chunk_first, edges.chunk_count, chunks, *reference)
            < MIN_REFERENCE_DISTANCE_M
        )


@njit(cache=True, nogil=True)
def _nearest_chord_m(
    points: Floats, first: Ints, count: Ints, chunks: Ints, x: float, y: float, z: float
) -> float:
    best = math.inf
    for c in chunks:
        for k in range(first[c], first[c] + count[c]):
            ax, ay, az = points[k, 0] - x, points[k, 1] - y, points[k, 2] - z
            dx, dy, dz = points[k + 1, 0] - points[k, 0], points[k + 1, 1] - points[k, 1], points[k + 1, 2] - points[k, 2]
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
