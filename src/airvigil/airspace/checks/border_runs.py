"""Where the borders of two volumes run side by side without being the same.

Rules
- Measured at the vertices of both borders: that is where the distance of two broken lines is greatest. Long edges are
  also looked at every SAMPLE_M.
- A run is a stretch of vertices further than MIN_WIDTH_M and nearer than THIN_M. It counts if at both ends the borders meet or turn:
  borders that merely cross or part from each other are none.
- The interiors lie on different sides: the borders run against each other, the interior of each being on its left. Where
  they run the same way, one volume lies within the other, or over it, and nothing is between them.
- Distances are taken in a plane at each vertex, good to 1e-4 of a width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.checks.edge_pieces import degree_m, straightened
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.errors import AirspaceError
from airvigil.units import MEAN_EARTH_RADIUS_M

THIN_M = 250.0  # borders further apart than this are meant to be
MIN_WIDTH_M = 2.0  # arcs are cut to 0.5 m, from either side
MIN_LENGTH_M = 200.0
LENGTH_RATIO = 5.0  # a run is so many times as long as wide
SAMPLE_M = 2_000.0
CORNER_DEG = 15.0
AT_ONCE = 20_000
PAIRS_AT_ONCE = 2_000_000
MAX_PAIRS = (
    200_000_000  # vertices and edges within THIN_M of each other; a real country has a hundredth of that
)
M_PER_DEG = math.radians(1.0) * MEAN_EARTH_RADIUS_M

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Borders:
    """All edges of a layer's volumes, straight in longitude and latitude.

    Attributes:
        start, end: (n, 2) latitude, longitude.
        owner: (n,) number of the volume.
        is_corner: (n,) whether the border turns at the start of the edge by more than CORNER_DEG.
    """

    start: Floats
    end: Floats
    owner: Ints
    is_corner: NDArray[np.bool_]


@dataclass(frozen=True)
class Run:
    """Where the border of a volume runs beside that of another.

    Attributes:
        gap_m, overlap_m: greatest width of each; 0 if there is none.
    """

    length_m: float
    gap_m: float
    overlap_m: float
    latitude_deg: float
    longitude_deg: float

    @property
    def width_m(self) -> float:
        """The greater of the two widths."""
        return max(self.gap_m, self.overlap_m)


def runs_between(
    borders: Borders, heights_meet: NDArray[np.bool_], areas: Sequence[shapely.Geometry]
) -> dict[tuple[int, int], list[Run]]:
    """The runs of each volume's border beside each other's.

    Args:
        heights_meet: (volumes, volumes) which pairs are looked at.
        areas: of each volume, to tell gaps from overlaps; prepared.

    Returns:
        By (volume whose border it is, the other).

    Raises:
        AirspaceError: borders denser than any real ones.
    """
    near = _near(borders, heights_meet)
    order = np.lexsort((near.vertex, borders.owner[near.edge], borders.owner[near.vertex]))
    vertex, edge, distance_m = near.vertex[order], near.edge[order], near.distance_m[order]
    owner, other = borders.owner[vertex], borders.owner[edge]
    signed = _signed(borders, vertex, other, distance_m, areas)
    follows = (np.diff(vertex) == 1) & (np.diff(owner) == 0) & (np.diff(other) == 0)
    follows &= (borders.end[vertex[:-1]] == borders.start[vertex[1:]]).all(axis=1)
    is_apart = distance_m > MIN_WIDTH_M
    begins = is_apart & ~np.append(False, follows & is_apart[:-1])
    ends = is_apart & ~np.append(follows & is_apart[1:], False)
    found: dict[tuple[int, int], list[Run]] = {}
    for first, last in zip(np.flatnonzero(begins).tolist(), np.flatnonzero(ends).tolist(), strict=True):
        run = _run(borders, vertex, edge, signed, follows, first, last)
        if run is not None:
            found.setdefault((int(owner[first]), int(other[first])), []).append(run)
    return found


@dataclass(frozen=True)
class _Near:
    """Vertices (number of the edge that starts there), the nearest edge of another volume, and how near it is."""

    vertex: Ints
    edge: Ints
    distance_m: Floats


def _near(borders: Borders, heights_meet: NDArray[np.bool_]) -> _Near:
    low, high = np.minimum(borders.start, borders.end), np.maximum(borders.start, borders.end)
    tree = shapely.STRtree(shapely.box(low[:, 1], low[:, 0], high[:, 1], high[:, 0]))
    parts: list[_Near] = []
    k, count, pairs = 0, 16, 0
    while k < len(borders.start):
        at = borders.start[k : k + count]
        north = THIN_M / M_PER_DEG
        east = north / np.maximum(np.cos(np.radians(at[:, 0])), 1e-3)
        boxes = shapely.box(at[:, 1] - east, at[:, 0] - north, at[:, 1] + east, at[:, 0] + north)
        vertex, edge = tree.query(boxes)
        vertex += k
        k, pairs = k + len(at), pairs + len(vertex)
        count = min(2 * count, AT_ONCE) if 2 * len(vertex) < PAIRS_AT_ONCE else max(count // 2, 1)
        if pairs > MAX_PAIRS:
            raise AirspaceError(
                f"over {MAX_PAIRS:,} vertices and edges lie within {THIN_M:g} m of each other"
            )
        wanted = heights_meet[borders.owner[vertex], borders.owner[edge]]
        vertex, edge = vertex[wanted], edge[wanted]
        distance_m = _distances_m(borders.start[vertex], borders.start[edge], borders.end[edge])
        is_near = distance_m <= THIN_M
        vertex, edge, distance_m = vertex[is_near], edge[is_near], distance_m[is_near]
        order = np.lexsort((distance_m, borders.owner[edge], vertex))
        vertex, edge, distance_m = vertex[order], edge[order], distance_m[order]
        is_first = np.append(True, (np.diff(vertex) != 0) | (np.diff(borders.owner[edge]) != 0))[
            : len(vertex)
        ]
        parts.append(_Near(vertex[is_first], edge[is_first], distance_m[is_first]))
    return _Near(
        np.concatenate([p.vertex for p in parts]),
        np.concatenate([p.edge for p in parts]),
        np.concatenate([p.distance_m for p in parts]),
    )


def _distances_m(place: Floats, start: Floats, end: Floats) -> Floats:
    """Distance of each place from its edge."""
    scale = degree_m(place[:, 0])
    begin, step = (start - place) * scale, (end - start) * scale
    squared = np.maximum((step**2).sum(axis=1), 1e-12)
    share = np.clip(-(begin * step).sum(axis=1) / squared, 0.0, 1.0)
    return np.asarray(np.hypot(*(begin + share[:, None] * step).T))


def _signed(
    borders: Borders, vertex: Ints, other: Ints, distance_m: Floats, areas: Sequence[shapely.Geometry]
) -> Floats:
    """Positive outside the other volume (a gap), negative inside (an overlap)."""
    signed = distance_m.copy()
    apart = np.flatnonzero(distance_m > MIN_WIDTH_M)
    for number in np.unique(other[apart]).tolist():
        mine = apart[other[apart] == number]
        places = borders.start[vertex[mine]]
        inside = shapely.contains_xy(areas[number], places[:, 1], places[:, 0])
        signed[mine[inside]] *= -1.0
    return signed


def _run(
    borders: Borders,
    vertex: Ints,
    edge: Ints,
    signed: Floats,
    follows: NDArray[np.bool_],
    first: int,
    last: int,
) -> Run | None:
    """The run from one near vertex to another; None if the borders only cross or part, or run the same way."""
    meets_before = first > 0 and bool(follows[first - 1])
    meets_after = last < len(follows) and bool(follows[last])
    if not (meets_before or borders.is_corner[vertex[first]]):
        return None
    if not (meets_after or borders.is_corner[vertex[last]]):
        return None
    here = slice(first - meets_before, last + meets_after)
    if _alike(borders, vertex[here], edge[here]) >= 0.0:
        return None
    length_m = float(_lengths_m(borders.start[vertex[here]], borders.end[vertex[here]]).sum())
    widths = signed[first : last + 1]
    gap_m, overlap_m = max(float(widths.max()), 0.0), max(float(-widths.min()), 0.0)
    width_m = max(gap_m, overlap_m)
    if length_m < max(MIN_LENGTH_M, LENGTH_RATIO * width_m):
        return None
    at = borders.start[vertex[first + int(np.argmax(np.abs(widths)))]]
    return Run(length_m, gap_m, overlap_m, float(at[0]), float(at[1]))


def _alike(borders: Borders, edges: Ints, nearest: Ints) -> float:
    """How far edges run the same way as those nearest to them: the sum of their lengths by the cosine between them (degrees)."""
    scale = np.column_stack([np.ones(len(edges)), np.cos(np.radians(borders.start[edges, 0]))])
    mine = (borders.end[edges] - borders.start[edges]) * scale
    other = (borders.end[nearest] - borders.start[nearest]) * scale
    lengths = np.maximum(np.hypot(other[:, 0], other[:, 1]), 1e-15)
    return float(((mine * other).sum(axis=1) / lengths).sum())


def _lengths_m(start: Floats, end: Floats) -> Floats:
    return np.asarray(np.hypot(*((end - start) * degree_m(start[:, 0])).T))


def borders_of(volumes: Sequence[Volume]) -> Borders:
    """The borders of some volumes, straight and sampled."""
    starts, ends, owners, corners = [], [], [], []
    for number, volume in enumerate(volumes):
        for ring in volume.rings:
            line = _sampled(straightened(_from_corner(ring), volume.edge_kind))
            line = line[np.append(True, (np.diff(line, axis=0) != 0.0).any(axis=1))]
            if len(line) < 2:
                continue
            # the first vertex again at the end: a run may end there
            real = np.append(~is_artificial_edge(line), True)
            turns = _turns_deg(line) > CORNER_DEG
            starts.append(line[real])
            ends.append(np.concatenate([line[1:], line[-1:]])[real])
            owners.append(np.full(int(real.sum()), number))
            corners.append(np.append(turns, turns[0])[real])
    return Borders(
        np.concatenate(starts), np.concatenate(ends), np.concatenate(owners), np.concatenate(corners)
    )


def _from_corner(ring: Floats) -> Floats:
    """The ring begun at its sharpest corner, where no run goes on."""
    first = int(np.argmax(_turns_deg(ring)))
    return np.concatenate([ring[first:-1], ring[: first + 1]])


def _turns_deg(ring: Floats) -> Floats:
    """By how much a ring turns at each vertex, 0 to 180: (n - 1,)."""
    steps = np.diff(ring, axis=0) * degree_m(ring[:-1, 0])
    courses = np.degrees(np.arctan2(steps[:, 1], steps[:, 0]))
    turns = courses - np.roll(courses, 1)
    return np.asarray(np.abs(turns - 360.0 * np.round(turns / 360.0)))


def _sampled(ring: Floats) -> Floats:
    """Long edges cut evenly into pieces of SAMPLE_M at most."""
    steps = np.diff(ring, axis=0)
    lengths = _lengths_m(ring[:-1], ring[1:])
    pieces = np.maximum(np.ceil(lengths / SAMPLE_M), 1).astype(np.int64)
    if int(pieces.max()) == 1:
        return ring
    start = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.concatenate([ring[start] + steps[start] * (within / pieces[start])[:, None], ring[-1:]])
