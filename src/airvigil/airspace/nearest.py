"""The nearest boundary point of a leaf's record: found in float32, settled in float64.

1. The squares of the distances to the edges of the record's runs, in float32, sixteen at a time.
2. The least of them, and whose it is. Floats that are not negative are ordered as their bits are as integers; with the edge's
   number behind the bits, the least integer is the same in whatever order it is taken, and the first edge's if two are equal.
3. Of that edge the foot in float64 and its geodesic distance.
4. Edges that are bowed may be nearer or farther than straight ones would be by as much as they bow: where a record has such
   edges, 3 is done for all that the bows leave in doubt, and the least geodesic distance counts.

What is found is a point of the boundary, and never nearer than the nearest one. It can be farther, as the cell's plane is not
true to scale in all directions alike: by ((r + d) / R)^2 of the distance d at most, r being how far the cell's centre is and R the
Earth's radius. That is 1e-4 at 50 km, 1e-5 at 1 km; and nothing where two edges meet in the nearest point. Float32 adds 4 mm at most.

No step reassociates a sum or fuses a product with a sum: the numbers are the same on any machine.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from airvigil.airspace.edges import MAX_BOW_M
from airvigil.airspace.grid import RELEVANCE_M, Floats, Floats32, Ints32, geodesic_m, lift
from airvigil.airspace.segments import foot_on_edge

LANES = 16
FARTHEST = 0x7F800000  # bits of a float32 infinity
LAST_KEY = 0x7FFF_FFFF_FFFF_FFFF
NOISE_M = 2.0 * MAX_BOW_M + 0.05  # what the bows of two edges, and float32, can leave in doubt


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
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


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def least_key(bits: Ints32, count: int) -> int:
    """The least of so many squares, as bits, times 2^32, plus its number; those that fill up the last lanes are overwritten."""
    n = np.uint64(count)
    for j in range(LANES):
        bits[n + np.uint64(j)] = FARTHEST
    least = np.int64(LAST_KEY)
    for j in range((count + LANES - 1) // LANES * LANES):
        least = min(least, (np.int64(bits[j]) << 32) | j)
    return int(least)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def edge_at(runs: Ints32, begin: int, number: int) -> int:
    """First vertex of the runs' edge of that number."""
    u = begin
    while number >= runs[u, 1]:
        number -= runs[u, 1]
        u += 1
    return int(runs[u, 0]) + number


@njit(cache=True, nogil=True, error_model="numpy")
def nearest_foot(
    shape: Floats,
    x: Floats32,
    y: Floats32,
    inverse: Floats32,
    bow: Floats32,
    runs: Ints32,
    begin: int,
    end: int,
    is_bowed: bool,
    row: int,
    px: float,
    py: float,
    squares: Floats32,
    bits: Ints32,
) -> tuple[float, float, float]:
    """The nearest boundary point of the runs: its plane coordinates from the place, and the geodesic distance.

    `squares` and `bits` are the same memory. Beyond the relevance limit: 0, 0, inf.

    One way out and no break: where there are more, the users of every array are counted at every call.
    """
    count = squares_of_distances(x, y, inverse, runs, begin, end, px, py, squares)
    at = least_key(bits, count) & 0xFFFF_FFFF
    least = math.sqrt(np.float64(squares[at]))
    best, best_x, best_y = math.inf, 0.0, 0.0
    limit = np.float32((least + NOISE_M) * (least + NOISE_M) if least <= RELEVANCE_M * 1.001 else -1.0)
    lifted = lift(shape, row, px, py)
    while squares[at] <= limit:
        k = edge_at(runs, begin, at)
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
        bits[at] = FARTHEST
        at = least_key(bits, count) & 0xFFFF_FFFF if is_bowed else at
    return best_x, best_y, best
