"""Points and straight edges of a plane: how far, on which side, whether crossed. One formula for all who ask.

What is inside follows from signs of these expressions; whoever builds and whoever asks must compute them alike.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def square_of_distance(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """From a point to an edge."""
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    t = 0.0
    if length2 > 0.0:
        t = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / length2))
    ex, ey = ax + t * dx - px, ay + t * dy - py
    return ex * ex + ey * ey


@njit(cache=True, nogil=True)
def is_left(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Whether a point lies to the left of the line from a to b, or on it."""
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0.0


@njit(cache=True, nogil=True)
def is_crossed(
    cx: float, cy: float, px: float, py: float, ax: float, ay: float, bx: float, by: float
) -> bool:
    """Whether the way from c to p crosses the edge from a to b: each pair lies on different sides of the other's line.

    One side counts the line itself, so a vertex on the way is counted once.
    """
    if is_left(cx, cy, px, py, ax, ay) == is_left(cx, cy, px, py, bx, by):
        return False
    return is_left(ax, ay, bx, by, cx, cy) != is_left(ax, ay, bx, by, px, py)
