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

from airvigil.airspace.grid import RELEVANCE_M, Floats, Floats32, Ints, Ints32, Rows, north_in_plane
from airvigil.airspace.leaves import EXACT_M, MOST, Leaves
from airvigil.airspace.nearest import LANES, nearest_foot
from airvigil.airspace.probability import (
    CERTAIN,
    CLOSE,
    MIN_SIGMA_M,
    REACH_SIGMAS,
    Covariance,
    Whitening,
    how_far_out,
    is_possible,
    is_within,
    largest_variance_m2,
    p_inside_bounds,
    sigma_along_m,
    whitening,
)
from airvigil.airspace.query import BLOCK, COMPLETE, FULL, MISSING, Block, enter_block, is_turned, make_block, touch

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


class Scratch(NamedTuple):
    """Room for one record's edges: squares of distances (as floats and as bits, the same memory), whitened segments."""

    squares: Floats32
    bits: Ints32
    segments: Floats


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


@njit(cache=True, nogil=True)
def read_place(rows: Rows, places: Places, i: int, block: Block, b: int) -> Place:
    """Place i, which is entry b of the block."""
    given = places.covariance_m2[i]
    # looked at before the boundary's own uncertainty is added, which could make it look possible
    covariance = Covariance(given[0], given[1], given[2])
    if not is_possible(covariance):
        covariance = Covariance(np.nan, np.nan, np.nan)
    row = block.row[b]
    north_x, north_y = north_in_plane(rows.polynomial, row, block.p[b], block.q[b])
    return Place(
        row,
        block.x[b],
        block.y[b],
        north_x,
        north_y,
        covariance,
        largest_variance_m2(covariance),
        places.bias_bound_m[i],
    )


@njit(cache=True, nogil=True)
def close_segments(
    leaves: Leaves, place: Place, scale: Whitening, begin: int, end: int, reach: float, segments: Floats
) -> int:
    """The runs' edges that are nearer than `reach` sigmas, whitened; how many."""
    n = 0
    for u in range(begin, end):
        v = leaves.runs[u, 0]
        ax = ay = 0.0
        for k in range(v, v + leaves.runs[u, 1] + 1):
            dx, dy = float(leaves.x[k]) - place.x, float(leaves.y[k]) - place.y
            bx = (dx * place.north_y - dy * place.north_x) * scale.east
            by = (dx * place.north_x + dy * place.north_y - scale.shear * bx) * scale.north
            if k > v and is_within(ax, ay, bx, by, reach):
                segments[n, 0], segments[n, 1], segments[n, 2], segments[n, 3] = ax, ay, bx, by
                n += 1
            ax, ay = bx, by
    return n


@njit(cache=True, nogil=True)
def write_probability(
    leaves: Leaves,
    place: Place,
    uncertainty_m2: float,
    is_inside: bool,
    distance: float,
    begin: int,
    end: int,
    segments: Floats,
    columns: Columns,
    n: int,
) -> None:
    """P(inside) of entry n, and its state."""
    columns.state[n] = SOUND
    sigma = math.sqrt(place.largest_m2 + uncertainty_m2)
    how, reach = how_far_out(sigma, place.bias_m, distance)
    if how != CLOSE:
        certain = (1.0 if is_inside else 0.0) if how == CERTAIN else math.nan
        columns.p_inside[n] = columns.p_inside_high[n] = certain
        return
    if reach > EXACT_M - EDGE_SLACK_M:
        columns.p_inside[n] = columns.p_inside_high[n] = math.nan
        columns.state[n] = WIDE
        return
    c = place.covariance
    scale = whitening(Covariance(c.ee + uncertainty_m2, c.en, c.nn + uncertainty_m2))
    near = REACH_SIGMAS + place.bias_m * (scale.east + scale.north * (1.0 + abs(scale.shear) * scale.east))
    count = close_segments(leaves, place, scale, begin, end, near, segments)
    low, high, is_defective = p_inside_bounds(
        segments, count, is_inside, distance, scale, sigma, place.bias_m
    )
    columns.p_inside[n], columns.p_inside_high[n] = low, high
    if is_defective:
        columns.state[n] = DEFECTIVE


@njit(cache=True, nogil=True)
def write_margin(
    place: Place, uncertainty_m2: float, is_inside: bool, dx: float, dy: float, distance: float, columns: Columns, n: int
) -> None:
    """Margin, sigma and normal of entry n; (dx, dy) leads to the nearest boundary point in the plane."""
    columns.margin_m[n] = min(distance, RELEVANCE_M) if is_inside else -distance
    rho = math.sqrt(dx * dx + dy * dy)
    if distance <= RELEVANCE_M and rho > 0.0:
        e, n_ = (dx * place.north_y - dy * place.north_x) / rho, (dx * place.north_x + dy * place.north_y) / rho
        c = place.covariance
        columns.normal_e[n], columns.normal_n[n] = e, n_
        columns.sigma_m[n] = sigma_along_m(Covariance(c.ee + uncertainty_m2, c.en, c.nn + uncertainty_m2), e, n_)
    else:
        columns.normal_e[n] = columns.normal_n[n] = math.nan
        columns.sigma_m[n] = math.sqrt(place.largest_m2 + uncertainty_m2)


@njit(cache=True, nogil=True)
def measure_place(
    rows: Rows,
    leaves: Leaves,
    leaf: int,
    place: Place,
    i: int,
    uncertainty_m2: Floats,
    scratch: Scratch,
    columns: Columns,
    n: int,
) -> int:
    """The entries of one place, from entry n on; the number of entries then."""
    cx, cy = float(leaves.centre[leaf, 0]), float(leaves.centre[leaf, 1])
    for r in range(leaves.record_first[leaf], leaves.record_first[leaf + 1]):
        named, near, close, touching = leaves.records[r]
        after = leaves.records[r + 1, 1]
        is_inside = named & 1 == 1
        if touching < after:
            is_inside = is_inside != is_turned(leaves, cx, cy, place.x, place.y, touching, after)
        dx, dy, distance = 0.0, 0.0, math.inf
        if near < close:
            dx, dy, distance = nearest_foot(
                rows, leaves, place.row, place.x, place.y, near, close, scratch.squares, scratch.bits
            )
        if distance > RELEVANCE_M and not is_inside:
            continue
        volume = named >> 1
        columns.row[n], columns.volume[n] = i, volume
        write_margin(place, uncertainty_m2[volume], is_inside, dx, dy, distance, columns, n)
        write_probability(
            leaves,
            place,
            uncertainty_m2[volume],
            is_inside,
            distance,
            close,
            touching,
            scratch.segments,
            columns,
            n,
        )
        n += 1
    return n


@njit(cache=True, nogil=True)
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
    scratch = Scratch(squares, squares.view(np.int32), np.empty((most, 4)))
    wasted = 0.0
    for start in range(begin, len(latitude), BLOCK):
        end = min(start + BLOCK, len(latitude))
        if not enter_block(rows, leaves, latitude, longitude, start, end, block):
            return start, n, MISSING, wasted
        wasted += touch(leaves, block, end - start)
        for b in range(end - start):
            leaf = block.leaf[b]
            records = leaves.record_first[leaf + 1] - leaves.record_first[leaf]
            if records == 0:
                continue
            if n + records > len(columns.row):
                return start + b, n, FULL, wasted
            i = start + b
            place = read_place(rows, places, i, block, b)
            n = measure_place(
                rows, leaves, leaf, place, first_row + i, uncertainty_m2, scratch, columns, n
            )
    return len(latitude), n, COMPLETE, wasted
