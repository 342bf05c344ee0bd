"""The nearest boundary point of a leaf's record: found in float32, settled in float64.

1. The squares of the distances to the edges of the record's runs, in float32, sixteen at a time.
2. The least of them. Floats that are not negative are ordered as their bits are as integers, and the least of integers is the
   same in whatever order it is taken.
3. Of all edges that float32, or the plane's own scale, cannot tell from that: the foot in float64 and its geodesic distance.
   The least of these counts, the first one if two are equal.

No step reassociates a sum or fuses a product with a sum: the numbers are the same on any machine.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from airvigil.airspace.index.edges import MAX_BOW_M
from airvigil.airspace.index.grid import RELEVANCE_M, Floats, Floats32, Ints32, geodesic_m, lift
from airvigil.airspace.index.segments import foot_on_edge

LANES = 16
FARTHEST = 0x7F800000  # bits of a float32 infinity
UNDECIDED = 1.000_2  # distances in the plane that differ by less may be the other way round on the ellipsoid
NOISE_M = (
    2.0 * MAX_BOW_M + 0.05
)  # and so may those that differ by less than the bows, and what float32 can tell


@njit(cache=True, nogil=True)
def squares_of_distances(
    x: Floats32,
    y: Floats32,
    inverse: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    px: float,
    py: float,
    squares: Floats32,
) -> int:
    """Squares of the distances to the runs' edges, one after the other; how many. Written in whole lanes, so `squares` is longer.

    The indices are unsigned: a signed one could count from the end, and asking would keep the compiler from using lanes.
    """
    fx, fy = np.float32(px), np.float32(py)
    at = 0
    for u in range(begin, end):
        v, to = np.uint64(runs[u, 0]), np.uint64(at)
        count = runs[u, 1]
        for _ in range((count + LANES - 1) // LANES):
            for j in range(LANES):
                k = v + np.uint64(j)
                ex, ey = fx - x[k], fy - y[k]
                dx, dy = x[k + np.uint64(1)] - x[k], y[k + np.uint64(1)] - y[k]
                t = min(np.float32(1.0), max(np.float32(0.0), (ex * dx + ey * dy) * inverse[k]))
                ex -= t * dx
                ey -= t * dy
                squares[to + np.uint64(j)] = ex * ex + ey * ey
            v += np.uint64(LANES)
            to += np.uint64(LANES)
        at += count
    return at


@njit(cache=True, nogil=True)
def least_square(bits: Ints32, count: int) -> int:
    """The least of so many squares, as bits; those that fill up the last lanes are overwritten."""
    n = np.uint64(count)
    for j in range(LANES):
        bits[n + np.uint64(j)] = FARTHEST
    least = FARTHEST
    for j in range((count + LANES - 1) // LANES * LANES):
        least = min(least, bits[j])
    return least


@njit(cache=True, nogil=True)
def nearest_foot(
    shape: Floats,
    x: Floats32,
    y: Floats32,
    inverse: Floats32,
    bow: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    row: int,
    px: float,
    py: float,
    squares: Floats32,
    bits: Ints32,
) -> tuple[float, float, float]:
    """The nearest boundary point of the runs: its plane coordinates from the place, and the geodesic distance.

    `squares` and `bits` are the same memory. Beyond the relevance limit: 0, 0, inf.
    """
    count = squares_of_distances(x, y, inverse, runs, begin, end, px, py, squares)
    bits[count] = least_square(bits, count)
    least = math.sqrt(np.float64(squares[count])) * UNDECIDED + NOISE_M
    best, best_x, best_y = math.inf, 0.0, 0.0
    if least > RELEVANCE_M * 1.001:
        return best_x, best_y, best
    limit = np.float32(least * least)
    lifted = lift(shape, row, px, py)
    at = 0
    for u in range(begin, end):
        v = runs[u, 0]
        for k in range(v, v + runs[u, 1]):
            if squares[at] <= limit:
                fx, fy = foot_on_edge(
                    px,
                    py,
                    np.float64(x[k]),
                    np.float64(y[k]),
                    np.float64(x[k + 1]),
                    np.float64(y[k + 1]),
                    np.float64(bow[k]),
                )
                distance = geodesic_m(shape, row, px, py, lifted, fx, fy)
                if distance < best:
                    best, best_x, best_y = distance, fx - px, fy - py
            at += 1
    return best_x, best_y, best
