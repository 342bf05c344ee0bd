"""The margins of many places: the kernel behind `Airspace.margins`, writing its columns.

A place is located in its leaf by `query`, its nearest boundary points are found by `nearest`, and P(inside) by `probability`
from the leaf's close edges. If the error reaches further than these go, the entry is marked `WIDE` and left to `wide`.

Directions and errors are the place's own east and north: what is found in the cell's plane is turned by the direction
that the meridian has in it there.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.edges import MAX_BOW_M
from airvigil.airspace.index.grid import RELEVANCE_M, Floats, Floats32, Ints, Ints32, Rows, north_in_plane
from airvigil.airspace.index.leaves import BOWED, EXACT_M, FLAGS, INSIDE, MOST, Leaves
from airvigil.airspace.index.nearest import LANES, nearest_foot
from airvigil.airspace.index.query import (
    BLOCK,
    COMPLETE,
    FULL,
    MISSING,
    Block,
    enter_block,
    is_turned,
    make_block,
    touch,
)
from airvigil.airspace.index.segments import MAX_PARTS, bowed_point, parts_of_bow
from airvigil.airspace.probability import (
    CERTAIN,
    CLOSE,
    REACH_SIGMAS,
    Covariance,
    Whitening,
    how_far_out,
    is_possible,
    is_within,
    largest_variance_m2,
    p_inside_bounds,
    sigma_along_m,
    stretch_of,
    whitening,
)

SOUND, DEFECTIVE, WIDE = range(3)  # states of an entry
EDGE_SLACK_M = 1.0  # of EXACT_M: the plane's scale, and the square's bent sides


class Places(NamedTuple):
    """Rows to be measured: shapes (n,), (n,), (n, 3), (n,), as `Airspace.margins` takes them."""

    latitude_deg: Floats
    longitude_deg: Floats
    covariance_m2: Floats
    bias_bound_m: Floats


class Columns(NamedTuple):
    """The columns of `Margins`, longer than used; `state` is one of SOUND, DEFECTIVE, WIDE."""

    row: Ints
    volume: Ints32
    margin_m: Floats
    sigma_m: Floats
    p_inside: Floats
    p_inside_high: Floats
    normal_e: Floats
    normal_n: Floats
    state: NDArray[np.uint8]


class Place(NamedTuple):
    """A place in its cell's plane, the meridian's direction there, and its error."""

    row: int
    x: float
    y: float
    north_x: float
    north_y: float
    covariance: Covariance
    largest_m2: float
    bias_m: float


@njit(cache=True, nogil=True, error_model="numpy")
def read_place(
    covariance_m2: Floats, bias_m: float, i: int, row: int, x: float, y: float, north_x: float, north_y: float
) -> Place:
    """Place i: row of cells, coordinates in the plane, and the meridian's direction there."""
    # looked at before the boundary's own uncertainty is added, which could make it look possible
    covariance = Covariance(covariance_m2[i, 0], covariance_m2[i, 1], covariance_m2[i, 2])
    if not is_possible(covariance):
        covariance = Covariance(np.nan, np.nan, np.nan)
    return Place(row, x, y, north_x, north_y, covariance, largest_variance_m2(covariance), bias_m)


@njit(cache=True, nogil=True, error_model="numpy")
def whitened(place: Place, scale: Whitening, x: float, y: float) -> tuple[float, float]:
    """A point of the cell's plane as `probability` takes it: from the place, turned to its east and north, in sigmas."""
    dx, dy = x - place.x, y - place.y
    u = (dx * place.north_y - dy * place.north_x) * scale.east
    return u, (dx * place.north_x + dy * place.north_y - scale.shear * u) * scale.north


@njit(cache=True, nogil=True, error_model="numpy")
def close_segments(
    x: Floats32,
    y: Floats32,
    bow: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    place: Place,
    scale: Whitening,
    reach: float,
    segments: Floats,
) -> int:
    """The runs' edges that are nearer than `reach` sigmas, whitened, bowed ones in straight parts; how many."""
    near = reach + MAX_BOW_M * stretch_of(scale)
    n = 0
    for u in range(begin, end):
        v = runs[u, 0]
        for k in range(v, v + runs[u, 1]):
            hx, hy, tx, ty = np.float64(x[k]), np.float64(y[k]), np.float64(x[k + 1]), np.float64(y[k + 1])
            ax, ay = whitened(place, scale, hx, hy)
            bx, by = whitened(place, scale, tx, ty)
            if not is_within(ax, ay, bx, by, near):
                continue
            parts = parts_of_bow(hx, hy, tx, ty, np.float64(bow[k]))
            for j in range(1, parts + 1):
                mx, my = bx, by
                if j < parts:
                    mx, my = whitened(
                        place, scale, *bowed_point(hx, hy, tx, ty, np.float64(bow[k]), j / parts)
                    )
                if is_within(ax, ay, mx, my, reach):
                    segments[n, 0], segments[n, 1], segments[n, 2], segments[n, 3] = ax, ay, mx, my
                    n += 1
                ax, ay = mx, my
    return n


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def certain_probability(
    place: Place, uncertainty_m2: float, is_inside: bool, distance: float
) -> tuple[int, float]:
    """P(inside) where no edge matters, or NaN, with the state SOUND; where one does, DEFECTIVE or WIDE: to be found out."""
    sigma = math.sqrt(place.largest_m2 + uncertainty_m2)
    how, reach = how_far_out(sigma, place.bias_m, distance)
    if how == CLOSE:
        return (WIDE if reach > EXACT_M - EDGE_SLACK_M else DEFECTIVE), math.nan
    return SOUND, (1.0 if is_inside else 0.0) if how == CERTAIN else math.nan


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def normal_and_sigma(
    place: Place, uncertainty_m2: float, dx: float, dy: float, distance: float
) -> tuple[float, float, float]:
    """Unit vector east and north along (dx, dy), which leads to the nearest boundary point in the plane, and one sigma that way."""
    rho = math.sqrt(dx * dx + dy * dy)
    if distance > RELEVANCE_M or rho == 0.0:
        return math.nan, math.nan, math.sqrt(place.largest_m2 + uncertainty_m2)
    e = (dx * place.north_y - dy * place.north_x) / rho
    n = (dx * place.north_x + dy * place.north_y) / rho
    c = place.covariance
    return e, n, sigma_along_m(Covariance(c.ee + uncertainty_m2, c.en, c.nn + uncertainty_m2), e, n)


@njit(cache=True, nogil=True, error_model="numpy")
def close_probability(
    x: Floats32,
    y: Floats32,
    bow: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    place: Place,
    uncertainty_m2: float,
    is_inside: bool,
    distance: float,
    segments: Floats,
) -> tuple[float, float, bool]:
    """`p_inside_bounds` with the runs' edges."""
    c = place.covariance
    scale = whitening(Covariance(c.ee + uncertainty_m2, c.en, c.nn + uncertainty_m2))
    reach = REACH_SIGMAS + place.bias_m * stretch_of(scale)
    count = close_segments(x, y, bow, runs, begin, end, place, scale, reach, segments)
    sigma = math.sqrt(place.largest_m2 + uncertainty_m2)
    return p_inside_bounds(segments, count, is_inside, distance, scale, sigma, place.bias_m)


class Scratch(NamedTuple):
    """Room for one record's edges: squares of distances (as floats and as bits, the same memory), whitened segments."""

    squares: Floats32
    bits: Ints32
    segments: Floats


@njit(cache=True, nogil=True, error_model="numpy")
def measure_block(
    rows: Rows,
    leaves: Leaves,
    places: Places,
    uncertainty_m2: Floats,
    block: Block,
    span: tuple[int, int, int],
    scratch: Scratch,
    columns: Columns,
    n: int,
) -> tuple[int, int]:
    """Measure the places of a block, `span` being its first and last place and the row number of place 0.

    The arrays are taken out of their tuples once: taking one out counts its users, which costs more than using it.

    Returns:
        The first place not measured, which is the last if the columns had room, and the number of entries.
    """
    row, volume, margin_m, sigma_m, p_inside, p_inside_high, normal_e, normal_n, state = columns
    _, _, record_first, centre, records, runs, x, y, inverse, bow, _ = leaves
    _, _, covariance_m2, bias_m = places
    polynomial, shape = rows
    in_row, p, q, at_x, at_y, leaf_of, _ = block
    squares, bits, segments = scratch
    start, end, row_0 = span
    for b in range(end - start):
        i, leaf = start + b, leaf_of[b]
        first, last = record_first[leaf], record_first[leaf + 1]
        if first == last:
            continue
        if n + last - first > len(row):
            return i, n
        north_x, north_y = math.nan, math.nan
        if records[first, 1] < records[last, 1]:
            north_x, north_y = north_in_plane(polynomial, in_row[b], p[b], q[b])
        px, py = at_x[b], at_y[b]
        place = read_place(covariance_m2, bias_m[i], i, in_row[b], px, py, north_x, north_y)
        cx, cy = np.float64(centre[leaf, 0]), np.float64(centre[leaf, 1])
        for r in range(first, last):
            near, close, touching, after = records[r, 1], records[r, 2], records[r, 3], records[r + 1, 1]
            is_inside = records[r, 0] & INSIDE != 0
            if touching < after and is_turned(x, y, bow, runs, touching, after, cx, cy, px, py):
                is_inside = not is_inside
            dx, dy, distance = 0.0, 0.0, math.inf
            if near < close:
                is_bowed = records[r, 0] & BOWED != 0
                dx, dy, distance = nearest_foot(
                    shape, x, y, inverse, bow, runs, near, close, is_bowed, in_row[b], px, py, squares, bits
                )
            if distance > RELEVANCE_M and not is_inside:
                continue
            v = records[r, 0] >> FLAGS
            own = uncertainty_m2[v]
            row[n], volume[n] = row_0 + i, v
            margin_m[n] = min(distance, RELEVANCE_M) if is_inside else -distance
            normal_e[n], normal_n[n], sigma_m[n] = normal_and_sigma(place, own, dx, dy, distance)
            state[n], p_inside[n] = certain_probability(place, own, is_inside, distance)
            p_inside_high[n] = p_inside[n]
            if state[n] == DEFECTIVE:
                p_inside[n], p_inside_high[n], is_defective = close_probability(
                    x, y, bow, runs, close, touching, place, own, is_inside, distance, segments
                )
                state[n] = DEFECTIVE if is_defective else SOUND
            n += 1
    return end, n


@njit(cache=True, nogil=True, error_model="numpy")
def measure(
    rows: Rows,
    leaves: Leaves,
    places: Places,
    uncertainty_m2: Floats,
    begin: int,
    first_row: int,
    columns: Columns,
    n: int,
) -> tuple[int, int, int, float]:
    """Measure places from `begin` on into the columns from entry n on; `first_row` is the row number of place 0.

    Returns:
        The first place not measured, the number of entries, why it stopped, and what `touch` wasted.
    """
    latitude, longitude = places.latitude_deg, places.longitude_deg
    block = make_block()
    most = leaves.used[MOST]
    squares = np.empty(most + 2 * LANES, np.float32)
    scratch = Scratch(squares, squares.view(np.int32), np.empty((most * MAX_PARTS, 4)))
    wasted = 0.0
    for start in range(begin, len(latitude), BLOCK):
        end = min(start + BLOCK, len(latitude))
        if not enter_block(rows, leaves, latitude, longitude, start, end, block):
            return start, n, MISSING, wasted
        wasted += touch(leaves, block, end - start)
        span = (start, end, first_row)
        at, n = measure_block(rows, leaves, places, uncertainty_m2, block, span, scratch, columns, n)
        if at < end:
            return at, n, FULL, wasted
    return len(latitude), n, COMPLETE, wasted
