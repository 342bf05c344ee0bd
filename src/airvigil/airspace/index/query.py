"""From places to leaves, and what is inside of what.

Places are taken up in blocks, and each block in phases (cells, tables, leaves, records, vertices): the memory of many places is
fetched at once instead of one after the other. What a place then meets are the records of its leaf.

A place is inside if its leaf's centre is, turned round by every edge that the way from the centre to the place crosses:
float64 arithmetic on the leaf's float32 vertices, the same that the leaves were built with.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from airvigil.airspace.index.grid import (
    CELLS_PER_DEGREE,
    COLUMNS,
    FINEST,
    ROWS,
    Floats,
    Floats32,
    Ints,
    Ints32,
    Rows,
    to_plane,
)
from airvigil.airspace.index.leaves import EMPTY_LEAF, FLAGS, INSIDE, NO_LEAF, Leaves
from airvigil.airspace.index.segments import is_edge_crossed

BLOCK = 256
COMPLETE, MISSING, FULL = range(3)  # why a kernel stopped: done, a cell is to be built, the columns are full


class Block(NamedTuple):
    """Places on their way through the phases: cell's row, degrees from its centre, plane coordinates, leaf, table entries."""

    row: Ints32
    p: Floats
    q: Floats
    x: Floats
    y: Floats
    leaf: Ints32
    entry: Ints32


@njit(cache=True, nogil=True, error_model="numpy")
def make_block() -> Block:
    """Room for `BLOCK` places."""
    return Block(
        np.empty(BLOCK, np.int32),
        np.empty(BLOCK),
        np.empty(BLOCK),
        np.empty(BLOCK),
        np.empty(BLOCK),
        np.empty(BLOCK, np.int32),
        np.empty(BLOCK, np.int32),
    )


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def cell_of(latitude_deg: float, longitude_deg: float) -> tuple[int, int, float, float]:
    """Row and column of a place's cell, and how far north and east in it, in cells; row -1 if it is no place."""
    if not (-90.0 <= latitude_deg <= 90.0 and math.isfinite(longitude_deg)):
        return -1, 0, 0.0, 0.0
    north = (latitude_deg + 90.0) * CELLS_PER_DEGREE
    east = (longitude_deg + 180.0) * CELLS_PER_DEGREE
    if not 0.0 <= east < COLUMNS:
        east -= COLUMNS * math.floor(east / COLUMNS)
        if east >= COLUMNS:
            east = 0.0
    row, column = min(int(north), ROWS - 1), int(east)
    return row, column, north - row, east - column


@njit(cache=True, nogil=True, error_model="numpy")
def enter_block(
    rows: Rows, leaves: Leaves, latitude: Floats, longitude: Floats, begin: int, end: int, block: Block
) -> bool:
    """Find the leaf of every place and its coordinates; False if a cell is still to be built."""
    is_complete = True
    polynomial, root, tables = rows.polynomial, leaves.root, leaves.tables
    leaf_of, entry, row_of, block_p, block_q, block_x, block_y = (
        block.leaf,
        block.entry,
        block.row,
        block.p,
        block.q,
        block.x,
        block.y,
    )
    for b in range(end - begin):
        row, column, north, east = cell_of(latitude[begin + b], longitude[begin + b])
        row_of[b] = max(row, 0)
        if row < 0:
            leaf_of[b], entry[b] = EMPTY_LEAF, 0
            continue
        leaf = root[row * COLUMNS + column]
        is_complete = is_complete and leaf != NO_LEAF
        leaf_of[b] = leaf
        iy, ix = min(int(north * FINEST), FINEST - 1), min(int(east * FINEST), FINEST - 1)
        entry[b] = iy * FINEST + ix
        p, q = (north - 0.5) / CELLS_PER_DEGREE, (east - 0.5) / CELLS_PER_DEGREE
        block_p[b], block_q[b] = p, q
        block_x[b], block_y[b] = to_plane(polynomial, row, p, q)
    for b in range(end - begin):
        if leaf_of[b] < 0:
            leaf_of[b] = tables[-1 - leaf_of[b], (entry[b] >> 9 << 3) + (entry[b] >> 3 & 7)]
    for b in range(end - begin):
        if leaf_of[b] < 0:
            leaf_of[b] = tables[-1 - leaf_of[b], (entry[b] >> 6 & 7) * 8 + (entry[b] & 7)]
    return is_complete


@njit(cache=True, nogil=True, error_model="numpy")
def touch(leaves: Leaves, block: Block, n: int) -> float:
    """Have the memory of every place's first record, run and vertices fetched; what is returned is of no use."""
    entry, leaf = block.entry, block.leaf
    record_first, records, runs = leaves.record_first, leaves.records, leaves.runs
    x, y, inverse, bow = leaves.x, leaves.y, leaves.inverse, leaves.bow
    for b in range(n):
        entry[b] = record_first[leaf[b]]
    for b in range(n):
        entry[b] = records[entry[b], 1]
    for b in range(n):
        entry[b] = runs[entry[b], 0]
    total = np.float32(0.0)
    for b in range(n):
        total += x[entry[b]] + y[entry[b]] + inverse[entry[b]] + bow[entry[b]]
    return np.float64(total)


@njit(cache=True, nogil=True, error_model="numpy")
def is_turned(
    x: Floats32,
    y: Floats32,
    bow: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    cx: float,
    cy: float,
    px: float,
    py: float,
) -> bool:
    """Whether the way from the leaf's centre to the place crosses the runs' edges an odd number of times."""
    is_odd = False
    for u in range(begin, end):
        v = runs[u, 0]
        for k in range(v, v + runs[u, 1]):
            is_odd = is_odd != is_edge_crossed(
                cx,
                cy,
                px,
                py,
                np.float64(x[k]),
                np.float64(y[k]),
                np.float64(x[k + 1]),
                np.float64(y[k + 1]),
                np.float64(bow[k]),
            )
    return is_odd


@njit(cache=True, nogil=True, error_model="numpy")
def missing_cells(leaves: Leaves, latitude: Floats, longitude: Floats, begin: int) -> Ints:
    """Cells that places from `begin` on touch and that have not been built; some may come more than once."""
    found = np.empty(len(latitude) - begin, np.int64)
    n = 0
    last = -1
    for i in range(begin, len(latitude)):
        row, column, _, _ = cell_of(latitude[i], longitude[i])
        cell = row * COLUMNS + column
        if row >= 0 and cell != last and leaves.root[cell] == NO_LEAF:
            found[n] = cell
            n += 1
            last = cell
    return found[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def contain(
    rows: Rows,
    leaves: Leaves,
    latitude: Floats,
    longitude: Floats,
    begin: int,
    row: Ints,
    volume: Ints32,
    n: int,
) -> tuple[int, int, int, float]:
    """Which volumes hold which places, from place `begin` on, into `row` and `volume` from entry n on.

    Returns:
        The first place not looked at, the number of entries, why it stopped, and what `touch` wasted.
    """
    block = make_block()
    block_x, block_y, block_leaf = block.x, block.y, block.leaf
    record_first, centre, records, runs = leaves.record_first, leaves.centre, leaves.records, leaves.runs
    x, y, bow = leaves.x, leaves.y, leaves.bow
    wasted = 0.0
    for start in range(begin, len(latitude), BLOCK):
        end = min(start + BLOCK, len(latitude))
        if not enter_block(rows, leaves, latitude, longitude, start, end, block):
            return start, n, MISSING, wasted
        wasted += touch(leaves, block, end - start)
        for b in range(end - start):
            leaf = block_leaf[b]
            first, last = record_first[leaf], record_first[leaf + 1]
            if n + last - first > len(row):
                return start + b, n, FULL, wasted
            cx, cy = np.float64(centre[leaf, 0]), np.float64(centre[leaf, 1])
            for r in range(first, last):
                is_inside = records[r, 0] & INSIDE != 0
                touching, after = records[r, 3], records[r + 1, 1]
                if touching < after:
                    is_inside = is_inside != is_turned(
                        x, y, bow, runs, touching, after, cx, cy, block_x[b], block_y[b]
                    )
                if is_inside:
                    row[n], volume[n] = start + b, records[r, 0] >> FLAGS
                    n += 1
    return len(latitude), n, COMPLETE, wasted
