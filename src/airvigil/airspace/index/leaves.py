"""The leaves of a cell: which edges can matter for a report in a square of down to 430 m, found once.

A cell is cut into four, and again, until few edges of each volume can be the nearest one from inside a square, or the square is a
64th of the cell. A leaf holds, for every volume that matters there:

- whether the leaf's centre is inside;
- runs of edges one of which is the nearest from any place in the leaf, up to 50 km away: those no further from the centre than
  the least distance within which some edge is certainly met from every corner, plus the leaf's half diagonal twice;
- runs of all edges within `EXACT_M` of any place in the leaf, for P(inside);
- runs of the edges that touch the leaf, for the count of crossings from its centre.

A run is a first vertex and a count; the vertices of a cell are shared by its leaves. They are float32 in the cell's plane: at 65 km from its
centre a step is 8 mm. Everything here computes with the vertices so rounded, and so does `query`: what is inside of what is
consistent to the last bit. A cell's leaves follow from the edges and the cell's number only, whichever cells were built before.

The layout is in `Leaves`; two tables of 8 x 8 lead from a cell to a leaf in at most three steps.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.grid import (
    CELLS_PER_DEGREE,
    RELEVANCE_M,
    Floats,
    Floats32,
    Ints,
    Ints32,
    to_plane,
)
from airvigil.airspace.index.segments import PART_TOLERANCE_M, Pieces, is_edge_crossed, square_of_distance

EXACT_M = 1_500.0  # all edges within are in the leaves: what P(inside) needs of an error that reaches so far
DEEPEST = 6  # 2^6 leaves along a cell's side
TABLE = 64  # entries of a table, 8 x 8
FEW_NEAR = 64  # so many edges of a volume are searched without cutting the square further
FEW_CROSSED = 8
MAX_RUN_GAP = 6  # edges that a run may hold too many: longer runs are cheaper than more of them
STRETCH = 1.0005  # of a distance in the plane, more than its scale varies
BULGE = 1.001  # a square's sides are bent: what lies beyond the corners is within this
SLACK_M = 2.5  # bows of edges, which are straight here
PADDING = 32  # vertices that may be read beyond the last

NO_LEAF = 0  # the cell has not been built
EMPTY_LEAF = 1
INSIDE, BOWED, FLAGS = (
    1,
    2,
    2,
)  # of a record: the centre is inside; an edge is bowed; how many bits these take
TABLES, LEAVES, RECORDS, RUNS, VERTICES, MOST = range(6)  # counters


class Leaves(NamedTuple):
    """What has been built, in arrays that are longer than used.

    Attributes:
        root: int32 (cells,) a leaf; or -1 - t for table t; or NO_LEAF.
        tables: int32 (t, 64) likewise, by row and column of the eighth.
        record_first: int32 (leaves + 1,) where a leaf's records begin, by volume.
        centre: float32 (leaves, 2) x, y in the cell's plane.
        records: int32 (r, 4) four times the volume, plus INSIDE, plus BOWED; where the nearest, the close and the touching
            edges' runs begin. The next record's first run ends them.
        runs: int32 (u, 2) first vertex and number of edges.
        x, y: float32 (v,) vertices; an edge runs from its vertex to the next.
        inverse: float32 (v,) one over the edge's length squared, 0 if that is 0.
        bow: float32 (v,) how far the edge's middle lies to the left, over its length.
        used: int64 (6,) how much of each is used, and the most edges that a record's runs hold.
    """

    root: Ints32
    tables: Ints32
    record_first: Ints32
    centre: Floats32
    records: Ints32
    runs: Ints32
    x: Floats32
    y: Floats32
    inverse: Floats32
    bow: Floats32
    used: Ints


class Work(NamedTuple):
    """Scratch for one cell. `kept` holds each depth's edges after those of the depth before; the rest is per depth."""

    kept: Ints
    end: Ints
    distance: Floats  # (edges,) from the square's centre
    reach: Floats  # (volumes,) how far from the centre the nearest edge can be
    slot: Ints  # (edges,) vertex
    chain: Ints  # (edges,) equal where vertices follow one another without a break
    inside: NDArray[np.bool_]  # (depths, volumes)
    centre: Floats  # (depths, 2)
    half: Floats  # (depths,)
    iy: Ints
    ix: Ints
    child: Ints
    table: Ints


@njit(cache=True, nogil=True, error_model="numpy")
def make_work(edges: int, volumes: int) -> Work:
    """Scratch for a cell with so many edges and volumes."""
    depths = DEEPEST + 1
    return Work(
        np.empty((depths + 1) * edges, np.int64),
        np.zeros(depths, np.int64),
        np.empty(edges),
        np.empty(volumes),
        np.zeros(edges, np.int64),
        np.zeros(edges, np.int64),
        np.zeros((depths, volumes), np.bool_),
        np.zeros((depths, 2)),
        np.zeros(depths),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
        np.zeros(depths, np.int64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _place_square(polynomial: Floats, row: int, work: Work, depth: int, corners: Floats) -> None:
    """Centre, corners and half diagonal of the square at hand."""
    size = 1.0 / (CELLS_PER_DEGREE * (1 << depth))
    p = (work.iy[depth] + 0.5) * size - 0.5 / CELLS_PER_DEGREE
    q = (work.ix[depth] + 0.5) * size - 0.5 / CELLS_PER_DEGREE
    x, y = to_plane(polynomial, row, p, q)
    cx, cy = np.float64(np.float32(x)), np.float64(np.float32(y))
    half = 0.0
    for k in range(4):
        corners[k, 0], corners[k, 1] = to_plane(
            polynomial, row, p + ((k >> 1) - 0.5) * size, q + ((k & 1) - 0.5) * size
        )
        half = max(half, math.hypot(corners[k, 0] - cx, corners[k, 1] - cy))
    work.centre[depth, 0], work.centre[depth, 1] = cx, cy
    work.half[depth] = half * BULGE + SLACK_M


@njit(cache=True, nogil=True, error_model="numpy")
def _carry_inside(pieces: Pieces, work: Work, depth: int, begin: int, end: int) -> None:
    """Which volumes hold the square's centre, from those that hold the larger square's."""
    cx, cy = work.centre[depth - 1, 0], work.centre[depth - 1, 1]
    px, py = work.centre[depth, 0], work.centre[depth, 1]
    ax, ay, bx, by, bow, volume, _ = pieces
    kept, inside = work.kept, work.inside[depth]
    inside[:] = work.inside[depth - 1]
    for n in range(begin, end):
        k = kept[n]
        if is_edge_crossed(cx, cy, px, py, ax[k], ay[k], bx[k], by[k], bow[k]):
            inside[volume[k]] = not inside[volume[k]]


@njit(cache=True, nogil=True, error_model="numpy")
def _measure(pieces: Pieces, work: Work, depth: int, begin: int, end: int, corners: Floats) -> None:
    """Distances of the larger square's edges from the centre, and per volume how far away the nearest can be."""
    cx, cy, half = work.centre[depth, 0], work.centre[depth, 1], work.half[depth]
    ax, ay, bx, by, _, volume, _ = pieces
    kept, distance, reach = work.kept, work.distance, work.reach
    reach[:] = math.inf
    for n in range(begin, end):
        k = kept[n]
        d = math.sqrt(square_of_distance(cx, cy, ax[k], ay[k], bx[k], by[k]))
        distance[k] = d
        v = volume[k]
        if d < reach[v]:
            u2 = 0.0
            for z in range(4):
                u2 = max(u2, square_of_distance(corners[z, 0], corners[z, 1], ax[k], ay[k], bx[k], by[k]))
            reach[v] = min(reach[v], math.sqrt(u2))
    for v in range(len(reach)):
        reach[v] = min(reach[v] * STRETCH + SLACK_M, RELEVANCE_M * STRETCH) + half


@njit(cache=True, nogil=True, error_model="numpy")
def _keep(pieces: Pieces, work: Work, depth: int, begin: int, end: int) -> bool:
    """Keep the edges that can matter in the square; whether they are so many that it is to be cut."""
    kept, distance, reach, volume = work.kept, work.distance, work.reach, pieces.volume
    half = work.half[depth]
    close = EXACT_M + half
    n = end
    near = crossed = 0
    last = -1
    is_many = False
    for j in range(begin, end):
        k = kept[j]
        v = volume[k]
        if v != last:
            near, crossed, last = 0, 0, v
        d = distance[k]
        if d <= reach[v] or d <= close:
            kept[n] = k
            n += 1
        near += d <= reach[v]
        crossed += d <= half
        is_many = is_many or near > FEW_NEAR or crossed > FEW_CROSSED
    work.end[depth] = n
    return is_many and depth < DEEPEST


@njit(cache=True, nogil=True, error_model="numpy")
def _assign_vertices(pieces: Pieces, work: Work, begin: int, end: int, leaves: Leaves) -> bool:
    """Give the cell's edges vertices, consecutive ones shared; False if there is no room."""
    if leaves.used[VERTICES] + 2 * (end - begin) + PADDING > len(leaves.x):
        return False
    v = leaves.used[VERTICES]
    last, chain = -1, 0
    for j in range(begin, end):
        k = work.kept[j]
        if last < 0 or pieces.number[k] != pieces.number[last] + 1:
            v += last >= 0
            chain += 1
            leaves.x[v], leaves.y[v] = pieces.ax[k], pieces.ay[k]
        work.slot[k], work.chain[k] = v, chain
        dx, dy = pieces.bx[k] - pieces.ax[k], pieces.by[k] - pieces.ay[k]
        length2 = dx * dx + dy * dy
        leaves.inverse[v] = 1.0 / length2 if length2 > 0.0 else 0.0
        leaves.bow[v] = pieces.bow[k]
        v += 1
        leaves.x[v], leaves.y[v], leaves.inverse[v], leaves.bow[v] = pieces.bx[k], pieces.by[k], 0.0, 0.0
        last = k
    leaves.used[VERTICES] = v + 1 if last >= 0 else v
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _write_runs(work: Work, begin: int, end: int, limit: float, max_gap: int, leaves: Leaves) -> int:
    """Runs of the kept edges that are no further from the centre than the limit; how many edges they hold."""
    kept, distance, slot, chain, runs = work.kept, work.distance, work.slot, work.chain, leaves.runs
    u = leaves.used[RUNS]
    held = 0
    last = -1
    for j in range(begin, end):
        k = kept[j]
        if distance[k] > limit:
            continue
        gap = slot[k] - slot[last] if last >= 0 and chain[k] == chain[last] else max_gap + 2
        if gap <= max_gap + 1:
            runs[u - 1, 1] += gap
            held += gap
        else:
            runs[u, 0], runs[u, 1] = slot[k], 1
            u += 1
            held += 1
        last = k
    leaves.used[RUNS] = u
    return held


@njit(cache=True, nogil=True, error_model="numpy")
def _is_any_bowed(work: Work, pieces: Pieces, begin: int, end: int, limit: float) -> bool:
    """Whether a kept edge that is no further from the centre than the limit bows by more than its parts would."""
    ax, ay, bx, by, bow, _, _ = pieces
    is_any = False
    for k in work.kept[begin:end]:
        bow_m = abs(bow[k]) * math.hypot(bx[k] - ax[k], by[k] - ay[k])
        is_any = is_any or (bow_m > PART_TOLERANCE_M and work.distance[k] <= limit)
    return is_any


@njit(cache=True, nogil=True, error_model="numpy")
def _write_leaf(work: Work, pieces: Pieces, volumes: Ints, depth: int, begin: int, leaves: Leaves) -> int:
    """The leaf of the square at hand; 0 if there is no room."""
    end = work.end[depth]
    if end == begin and not work.inside[depth].any():
        return EMPTY_LEAF
    leaf, record = leaves.used[LEAVES], leaves.used[RECORDS]
    if (
        leaf + 2 > len(leaves.centre)
        or record + len(volumes) + 1 > len(leaves.records)
        or leaves.used[RUNS] + 3 * (end - begin) + 1 > len(leaves.runs)
    ):
        return 0
    leaves.centre[leaf, 0], leaves.centre[leaf, 1] = work.centre[depth, 0], work.centre[depth, 1]
    half = work.half[depth]
    j = begin
    for v in range(len(volumes)):
        first = j
        while j < end and pieces.volume[work.kept[j]] == v:
            j += 1
        is_inside = work.inside[depth, v]
        if j == first and not is_inside:
            continue
        leaves.records[record, 0] = (
            (volumes[v] << FLAGS)
            + INSIDE * is_inside
            + BOWED * _is_any_bowed(work, pieces, first, j, work.reach[v])
        )
        leaves.records[record, 1] = leaves.used[RUNS]
        most_near = _write_runs(work, first, j, work.reach[v], MAX_RUN_GAP, leaves)
        leaves.records[record, 2] = leaves.used[RUNS]
        most_close = _write_runs(work, first, j, EXACT_M + half, 0, leaves)
        leaves.used[MOST] = max(leaves.used[MOST], most_near, most_close)
        leaves.records[record, 3] = leaves.used[RUNS]
        _write_runs(work, first, j, half, 0, leaves)
        record += 1
        leaves.records[record, 1] = leaves.used[
            RUNS
        ]  # ends the last one's runs, until the next overwrites it with the same
    leaves.used[LEAVES], leaves.used[RECORDS] = leaf + 1, record
    leaves.record_first[leaf + 1] = record
    return int(leaf)


@njit(cache=True, nogil=True, error_model="numpy")
def _link(leaves: Leaves, cell: int, work: Work, depth: int, entry: int) -> None:
    """Let the part of the table that the square covers lead to a leaf or a table."""
    if depth == 0:
        leaves.root[cell] = entry
        return
    shift = 2 - (depth - 1) % 3
    y0, x0 = (work.iy[depth] << shift) % 8, (work.ix[depth] << shift) % 8
    for y in range(y0, y0 + (1 << shift)):
        for x in range(x0, x0 + (1 << shift)):
            leaves.tables[work.table[depth - 1], y * 8 + x] = entry


@njit(cache=True, nogil=True, error_model="numpy")
def build_leaves(
    polynomial: Floats, cell: int, row: int, pieces: Pieces, volumes: Ints, work: Work, leaves: Leaves
) -> bool:
    """Build a cell's leaves, `work.inside[0]` being which volumes hold its centre; False if the arrays are too short.

    After False `leaves` holds an unfinished cell: the caller restores `used`.
    """
    corners = np.empty((4, 2))
    for k in range(len(pieces.ax)):
        work.kept[k] = k
    depth, begin, end = 0, 0, len(pieces.ax)
    while True:
        _place_square(polynomial, row, work, depth, corners)
        if depth > 0:
            _carry_inside(pieces, work, depth, begin, end)
        _measure(pieces, work, depth, begin, end, corners)
        is_cut = _keep(pieces, work, depth, begin, end)
        if depth == 0 and not _assign_vertices(pieces, work, end, work.end[0], leaves):
            return False
        work.child[depth] = 0 if is_cut else 4
        if is_cut and depth % 3 == 0:
            table = leaves.used[TABLES]
            if table == len(leaves.tables):
                return False
            leaves.used[TABLES] = table + 1
            work.table[depth] = table
            _link(leaves, cell, work, depth, -1 - table)
        elif is_cut:
            work.table[depth] = work.table[depth - 1]
        else:
            leaf = _write_leaf(work, pieces, volumes, depth, end, leaves)
            if leaf == 0:
                return False
            _link(leaves, cell, work, depth, leaf)
        while depth >= 0 and work.child[depth] == 4:
            depth -= 1
        if depth < 0:
            return True
        child = work.child[depth]
        work.child[depth] += 1
        work.iy[depth + 1] = 2 * work.iy[depth] + (child >> 1)
        work.ix[depth + 1] = 2 * work.ix[depth] + (child & 1)
        begin = len(pieces.ax) if depth == 0 else work.end[depth - 1]
        end = work.end[depth]
        depth += 1
