"""Points and edges of a plane: how far, on which side, whether crossed. One formula for all who ask.

An edge is straight, or bowed: a parabola whose middle lies beside that of the straight line, to the left by `bow` times its
length. Where it must be a line, it is cut into parts that are straight to `PART_TOLERANCE_M`.

What is inside follows from signs of these expressions; whoever builds and whoever asks must compute them alike.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from airvigil.airspace.index.edges import Edges
from airvigil.airspace.index.grid import Floats, Ints, Plane, project_centrally

PART_TOLERANCE_M = 0.004
MAX_PARTS = 16  # sqrt of a metre's bow over the tolerance
FOOT_STEPS = (
    3  # Newton's, from the foot on the straight line: the bow is small, so the second is already the last
)


@njit(cache=True, nogil=True, error_model="numpy")
def square_of_distance(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """From a point to an edge."""
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    t = 0.0
    if length2 > 0.0:
        t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / length2))
    ex, ey = ax + t * dx - px, ay + t * dy - py
    return ex * ex + ey * ey


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_left(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Whether a point lies to the left of the line from a to b, or on it."""
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0.0


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_crossed(
    cx: float, cy: float, px: float, py: float, ax: float, ay: float, bx: float, by: float
) -> bool:
    """Whether the way from c to p crosses the edge from a to b: each pair lies on different sides of the other's line.

    One side counts the line itself, so a vertex on the way is counted once.
    """
    if is_left(cx, cy, px, py, ax, ay) == is_left(cx, cy, px, py, bx, by):
        return False
    return is_left(ax, ay, bx, by, cx, cy) != is_left(ax, ay, bx, by, px, py)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def bowed_point(ax: float, ay: float, bx: float, by: float, bow: float, t: float) -> tuple[float, float]:
    """The point at t in [0, 1] of a bowed edge."""
    dx, dy = bx - ax, by - ay
    aside = 4.0 * t * (1.0 - t) * bow
    return ax + t * dx - aside * dy, ay + t * dy + aside * dx


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def parts_of_bow(ax: float, ay: float, bx: float, by: float, bow: float) -> int:
    """Into how many straight parts a bowed edge is cut."""
    if bow == 0.0:
        return 1
    dx, dy = bx - ax, by - ay
    parts = math.ceil(math.sqrt(abs(bow) * math.sqrt(dx * dx + dy * dy) / PART_TOLERANCE_M))
    return int(min(MAX_PARTS, max(1, parts)))


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def is_edge_crossed(
    cx: float, cy: float, px: float, py: float, ax: float, ay: float, bx: float, by: float, bow: float
) -> bool:
    """Whether the way from c to p crosses an edge, bowed or not, an odd number of times."""
    if bow == 0.0:
        return is_crossed(cx, cy, px, py, ax, ay, bx, by)
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    aside_c = dx * (cy - ay) - dy * (cx - ax)
    aside_p = dx * (py - ay) - dy * (px - ax)
    low, high = 1.001 * min(0.0, bow) * length2 - 1e-3, 1.001 * max(0.0, bow) * length2 + 1e-3
    # neither end lies between the bow and the straight line: both are crossed equally often, even or odd
    if (aside_c < low or aside_c > high) and (aside_p < low or aside_p > high):
        return is_crossed(cx, cy, px, py, ax, ay, bx, by)
    parts = parts_of_bow(ax, ay, bx, by, bow)
    is_odd = False
    hx, hy = ax, ay
    for j in range(1, parts + 1):
        x, y = bx, by
        if j < parts:
            x, y = bowed_point(ax, ay, bx, by, bow, j / parts)
        is_odd = is_odd != is_crossed(cx, cy, px, py, hx, hy, x, y)
        hx, hy = x, y
    return is_odd


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def foot_on_edge(
    px: float, py: float, ax: float, ay: float, bx: float, by: float, bow: float
) -> tuple[float, float]:
    """The point of an edge that is nearest to p."""
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    if length2 == 0.0:
        return ax, ay
    along = ((px - ax) * dx + (py - ay) * dy) / length2
    t = min(1.0, max(0.0, along))
    if bow == 0.0:
        return ax + t * dx, ay + t * dy
    aside = (dx * (py - ay) - dy * (px - ax)) / length2
    # one of Newton's steps from the foot on the straight line: the bow is so small that it is the last
    off, slope = 4.0 * bow * t * (1.0 - t) - aside, 4.0 * bow * (1.0 - 2.0 * t)
    bend = 1.0 + slope * slope - 8.0 * bow * off
    if bend > 0.1:  # else the place is near the centre of the bow, next to a pole: any point will do
        t = min(1.0, max(0.0, t - (t - along + off * slope) / bend))
    return bowed_point(ax, ay, bx, by, bow, t)


class Pieces(NamedTuple):
    """A cell's edges in its plane, by volume: float64 ends of float32 value, and the piece's number."""

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    bow: Floats  # of float32 value too
    volume: Ints  # of the cell's own volumes
    number: Ints


@njit(cache=True, nogil=True, error_model="numpy")
def cell_pieces(edges: Edges, plane: Plane, near: Ints, volumes: Ints) -> Pieces:
    """The pieces of the chunks named, in the cell's plane; `volumes` are the cell's, ascending."""
    m = 0
    for c in near:
        m += edges.pieces[c]
    out = Pieces(
        np.empty(m),
        np.empty(m),
        np.empty(m),
        np.empty(m),
        np.empty(m),
        np.empty(m, np.int64),
        np.empty(m, np.int64),
    )
    p = edges.points_m
    n = 0
    for c in near:
        volume = np.searchsorted(volumes, edges.volume[c])
        k = edges.first[c]
        x, y = project_centrally(plane, p[k, 0], p[k, 1], p[k, 2])
        ax, ay = np.float64(np.float32(x)), np.float64(np.float32(y))
        for _ in range(edges.pieces[c]):
            x, y = project_centrally(plane, p[k + 1, 0], p[k + 1, 1], p[k + 1, 2])
            bx, by = np.float64(np.float32(x)), np.float64(np.float32(y))
            out.ax[n], out.ay[n], out.bx[n], out.by[n] = ax, ay, bx, by
            length = math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
            out.bow[n] = np.float64(np.float32(edges.bow_m[k] / length)) if length > 0.0 else 0.0
            out.volume[n], out.number[n] = volume, k
            ax, ay = bx, by
            n += 1
            k += 1
    return out
