"""The index: leaves built when a report first touches their cell, in arrays that grow.

A cell is built from the chunks within 50 km of it. What is inside at its centre follows from the crossings of its column's
meridian, counted at a place that no boundary comes near, and from there to the centre by the edges between.

Nothing depends on when a cell is built or what else is: growing moves arrays, it does not change what they say. The
arrays can be kept in files, shared read-only between processes, and taken in again; see `drivers.index_cache`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.edges import (
    Edges,
    column_meridian,
    near_chunks,
    nearest_chord_m,
    volumes_above,
)
from airvigil.airspace.index.grid import (
    CELLS_PER_DEGREE,
    COLUMNS,
    ROWS,
    Floats,
    Ints,
    Rows,
    cell_centre,
    ecef,
    grid_rows,
    plane_at,
    project_centrally,
)
from airvigil.airspace.index.grid import RELEVANCE_M as RELEVANCE_M
from airvigil.airspace.index.leaves import (
    LEAVES,
    PADDING,
    Leaves,
    build_leaves,
    make_work,
)
from airvigil.airspace.index.segments import Pieces, cell_pieces, is_edge_crossed

MIN_REFERENCE_DISTANCE_M = 20.0  # a place where crossings are counted is never this near to a boundary
REFERENCE_STEP_DEG = 7.3e-4  # how far it moves away if it is
REFERENCE_ATTEMPTS = 64  # a boundary cannot pass so near to so many places in a row
CELL_SLACK_M = 100.0  # a cell's edge bulges beyond the sphere around its corners by less
FIRST_LENGTH = 4_096  # of every growing array


def empty_leaves() -> Leaves:
    """No cell built; leaf 0 is none, leaf 1 is the empty one."""
    n = FIRST_LENGTH
    leaves = Leaves(
        np.zeros(ROWS * COLUMNS, np.int32),
        np.zeros((n, 64), np.int32),
        np.zeros(n + 1, np.int32),
        np.zeros((n, 2), np.float32),
        np.zeros((n, 4), np.int32),
        np.zeros((n, 2), np.int32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.zeros(6, np.int64),
    )
    leaves.used[LEAVES] = 2
    return leaves


def grown(leaves: Leaves) -> Leaves:
    """The same in arrays twice as long, which may be written to."""
    root, *growing, used = leaves
    return Leaves._make([root.copy(), *(_twice_as_long(array) for array in growing), used.copy()])


def _twice_as_long(array: NDArray[np.generic]) -> NDArray[np.generic]:
    # zeros: what lies beyond the used part may be looked at before it is known to be of no use
    longer = np.zeros((max(2 * len(array), FIRST_LENGTH), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True, error_model="numpy")
def _start_inside(
    edges: Edges, cell: int, pieces: Pieces, volumes: Ints, reference_deg: float, inside: NDArray[np.bool_]
) -> None:
    """Which volumes hold the cell's centre: those that hold the reference place, and the crossings on the way."""
    inside[:] = False
    inside[np.searchsorted(volumes, volumes_above(edges, cell % COLUMNS, reference_deg))] = True
    centre_lat, centre_lon = cell_centre(cell)
    plane = plane_at(centre_lat, centre_lon)
    ex, ey, ez = ecef(reference_deg, column_meridian(cell % COLUMNS))
    x, y = project_centrally(plane, ex, ey, ez)
    for k in range(len(pieces.ax)):
        if is_edge_crossed(
            x, y, 0.0, 0.0, pieces.ax[k], pieces.ay[k], pieces.bx[k], pieces.by[k], pieces.bow[k]
        ):
            inside[pieces.volume[k]] = not inside[pieces.volume[k]]


@njit(cache=True, nogil=True, error_model="numpy")
def _reference(edges: Edges, cell: int, near: Ints) -> float:
    """The latitude (deg) on the column's meridian where crossings are counted: far from any boundary."""
    latitude, _ = cell_centre(cell)
    best, best_deg = -1.0, latitude
    for attempt in range(REFERENCE_ATTEMPTS):
        side = 1 if attempt % 2 else -1
        at_deg = latitude + side * ((attempt + 1) // 2) * REFERENCE_STEP_DEG
        x, y, z = ecef(at_deg, column_meridian(cell % COLUMNS))
        distance = nearest_chord_m(edges, near, x, y, z)
        if distance > best:
            best, best_deg = distance, at_deg
        if best > MIN_REFERENCE_DISTANCE_M:
            break
    return best_deg


@njit(cache=True, nogil=True, error_model="numpy")
def _reach_m(cell: int) -> float:
    """How far from the cell's centre an edge can matter in it."""
    latitude, longitude = cell_centre(cell)
    x, y, z = ecef(latitude, longitude)
    half = 0.5 / CELLS_PER_DEGREE
    farthest = 0.0
    for k in range(4):
        cx, cy, cz = ecef(latitude + (2 * (k >> 1) - 1) * half, longitude + (2 * (k & 1) - 1) * half)
        farthest = max(farthest, math.sqrt((cx - x) ** 2 + (cy - y) ** 2 + (cz - z) ** 2))
    return RELEVANCE_M + farthest + CELL_SLACK_M


@njit(cache=True, nogil=True, error_model="numpy")
def build_cell(edges: Edges, polynomial: Floats, cell: int, leaves: Leaves) -> bool:
    """Build one cell's leaves; False if there is no room, `leaves.used` then being as before."""
    latitude, longitude = cell_centre(cell)
    x, y, z = ecef(latitude, longitude)
    near = near_chunks(edges, x, y, z, _reach_m(cell))
    reference_deg = _reference(edges, cell, near)
    above = volumes_above(edges, cell % COLUMNS, reference_deg)
    volumes = np.unique(np.concatenate((edges.volume[near], above)))
    pieces = cell_pieces(edges, plane_at(latitude, longitude), near, volumes)
    work = make_work(len(pieces.ax), len(volumes))
    _start_inside(edges, cell, pieces, volumes, reference_deg, work.inside[0])
    before = leaves.used.copy()
    if build_leaves(polynomial, cell, cell // COLUMNS, pieces, volumes, work, leaves):
        return True
    leaves.used[:] = before
    leaves.root[cell] = 0
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def build_cells(edges: Edges, polynomial: Floats, cells: Ints, leaves: Leaves) -> int:
    """Build the cells that are not built yet; the number of the first that found no room, or how many there are."""
    for k in range(len(cells)):
        if leaves.root[cells[k]] == 0 and not build_cell(edges, polynomial, cells[k], leaves):
            return k
    return len(cells)


class CellIndex:
    """Edges, and the leaves that have been built from them.

    Attributes:
        has_grown: whether cells were built since it was made.
    """

    def __init__(self, edges: Edges, leaves: Leaves | None = None) -> None:
        self.edges = edges
        self.rows: Rows = grid_rows()
        self.leaves = empty_leaves() if leaves is None else leaves
        self.has_grown = False
        self._may_write = leaves is None

    def build(self, cells: Iterable[int] | Ints) -> None:
        """Build these cells, by number, if they are not built yet."""
        wanted = np.unique(np.asarray(cells, dtype=np.int64))
        wanted = wanted[self.leaves.root[wanted] == 0]
        if len(wanted) == 0:
            return
        if not self._may_write:
            self.leaves, self._may_write = grown(self.leaves), True
        self.has_grown = True
        while len(wanted):
            done = build_cells(self.edges, self.rows.polynomial, wanted, self.leaves)
            wanted = wanted[done:]
            if len(wanted):
                self.leaves = grown(self.leaves)

    def used_leaves(self) -> Leaves:
        """The leaves in arrays no longer than used, but for the padding that is read in whole lanes."""
        root, tables, first, centre, records, runs, x, y, inverse, bow, used = self.leaves
        n_tables, n_leaves, n_records, n_runs, n_vertices, _ = used.tolist()
        return Leaves(
            root,
            tables[:n_tables],
            first[: n_leaves + 1],
            centre[:n_leaves],
            records[: n_records + 1],
            runs[: n_runs + 1],
            x[: n_vertices + PADDING],
            y[: n_vertices + PADDING],
            inverse[: n_vertices + PADDING],
            bow[: n_vertices + PADDING],
            used,
        )


def cells_within(south_deg: float, west_deg: float, north_deg: float, east_deg: float) -> Ints:
    """All cells that a box of longitude and latitude touches; west may be greater than east across the antimeridian."""
    rows = np.arange(
        max(0, math.floor((south_deg + 90.0) * CELLS_PER_DEGREE)),
        min(ROWS, math.floor((north_deg + 90.0) * CELLS_PER_DEGREE) + 1),
    )
    first, last = (math.floor((deg + 180.0) * CELLS_PER_DEGREE) for deg in (west_deg, east_deg))
    columns = np.unique(np.arange(first, last + 1 + (COLUMNS if last < first else 0)) % COLUMNS)
    return np.asarray((rows[:, None] * COLUMNS + columns[None, :]).ravel(), dtype=np.int64)
