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

from airvigil.airspace.grid import (
    CELLS_PER_DEGREE,
    COLUMNS,
    FINEST,
    ROWS,
    Floats,
    Ints,
    Ints32,
    Rows,
    to_plane,
)
from airvigil.airspace.leaves import EMPTY_LEAF, NO_LEAF, Leaves
from airvigil.airspace.segments import is_left

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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def enter_block(
    rows: Rows, leaves: Leaves, latitude: Floats, longitude: Floats, begin: int, end: int, block: Block
) -> bool:
    """Find the leaf of every place and its coordinates; False if a cell is still to be built."""
    is_complete = True
    for b in range(end - begin):
        row, column, north, east = cell_of(latitude[begin + b], longitude[begin + b])
        block.row[b] = max(row, 0)
        if row < 0:
            block.leaf[b], block.entry[b] = EMPTY_LEAF, 0
            continue
        leaf = leaves.root[row * COLUMNS + column]
        is_complete = is_complete and leaf != NO_LEAF
        block.leaf[b] = leaf
        iy, ix = min(int(north * FINEST), FINEST - 1), min(int(east * FINEST), FINEST - 1)
        block.entry[b] = iy * FINEST + ix
        p, q = (north - 0.5) / CELLS_PER_DEGREE, (east - 0.5) / CELLS_PER_DEGREE
        block.p[b], block.q[b] = p, q
        block.x[b], block.y[b] = to_plane(rows.polynomial, row, p, q)
    for b in range(end - begin):
        leaf = block.leaf[b]
        if leaf < 0:
            iy, ix = block.entry[b] // FINEST, block.entry[b] % FINEST
            block.leaf[b] = leaves.tables[-1 - leaf, (iy >> 3) * 8 + (ix >> 3)]
    for b in range(end - begin):
        leaf = block.leaf[b]
        if leaf < 0:
            iy, ix = block.entry[b] // FINEST, block.entry[b] % FINEST
            block.leaf[b] = leaves.tables[-1 - leaf, (iy & 7) * 8 + (ix & 7)]
    return is_complete


@njit(cache=True, nogil=True)
def touch(leaves: Leaves, block: Block, n: int) -> float:
    """Have the memory of every place's first record, run and vertices fetched; what is returned is of no use."""
    for b in range(n):
        block.entry[b] = leaves.record_first[block.leaf[b]]
    for b in range(n):
        block.entry[b] = leaves.records[block.entry[b], 1]
    for b in range(n):
        block.entry[b] = leaves.runs[block.entry[b], 0]
    total = np.float32(0.0)
    for b in range(n):
        v = block.entry[b]
        total += leaves.x[v] + leaves.y[v] + leaves.inverse[v]
    return float(total)


@njit(cache=True, nogil=True)
def is_turned(leaves: Leaves, cx: float, cy: float, px: float, py: float, begin: int, end: int) -> bool:
    """Whether the way from the leaf's centre to the place crosses the runs' edges an odd number of times."""
    is_odd = False
    for u in range(begin, end):
        v = leaves.runs[u, 0]
        ax, ay = float(leaves.x[v]), float(leaves.y[v])
        is_a_left = is_left(cx, cy, px, py, ax, ay)
        for k in range(v + 1, v + 1 + leaves.runs[u, 1]):
            bx, by = float(leaves.x[k]), float(leaves.y[k])
            is_b_left = is_left(cx, cy, px, py, bx, by)
            if is_a_left != is_b_left and is_left(ax, ay, bx, by, cx, cy) != is_left(ax, ay, bx, by, px, py):
                is_odd = not is_odd
            ax, ay, is_a_left = bx, by, is_b_left
    return is_odd


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def contain(
    rows: Rows, leaves: Leaves, latitude: Floats, longitude: Floats, begin: int, row: Ints, volume: Ints32, n: int
) -> tuple[int, int, int, float]:
    """Which volumes hold which places, from place `begin` on, into `row` and `volume` from entry n on.

    Returns:
        The first place not looked at, the number of entries, why it stopped, and what `touch` wasted.
    """
    block = make_block()
    wasted = 0.0
    for start in range(begin, len(latitude), BLOCK):
        end = min(start + BLOCK, len(latitude))
        if not enter_block(rows, leaves, latitude, longitude, start, end, block):
            return start, n, MISSING, wasted
        wasted += touch(leaves, block, end - start)
        for b in range(end - start):
            leaf = block.leaf[b]
            first, last = leaves.record_first[leaf], leaves.record_first[leaf + 1]
            if n + last - first > len(row):
                return start + b, n, FULL, wasted
            for r in range(first, last):
                is_inside = leaves.records[r, 0] & 1 == 1
                if leaves.records[r, 3] < leaves.records[r + 1, 1]:
                    cx, cy = float(leaves.centre[leaf, 0]), float(leaves.centre[leaf, 1])
                    is_inside = is_inside != is_turned(
                        leaves, cx, cy, block.x[b], block.y[b], leaves.records[r, 3], leaves.records[r + 1, 1]
                    )
                if is_inside:
                    row[n], volume[n] = start + b, leaves.records[r, 0] >> 1
                    n += 1
    return len(latitude), n, COMPLETE, wasted
