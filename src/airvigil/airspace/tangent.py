"""The plane that touches the ellipsoid at a report, and what is measured in it.

Boundary points are projected at right angles onto it: x = e . D east, y = n . D north, D being the difference of the
Earth-centred coordinates. A distance rho in the plane is a geodesic length s = rho (1 + (rho / R)^2 / 6 + ...), R being
the ellipsoid's radius of curvature in that direction. Up to 50 km this departs from the geodesic by less than 1e-6.

A `Near` names the chunks that can matter and how far each is at least, so that most are passed over unseen.

References: L. Euler, Recherches sur la courbure des surfaces (1767), for R; the accuracy is measured against
GeographicLib in tests/test_airspace_margins.py.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from airvigil.airspace.index import Chunks, Floats, Ints, ecef
from airvigil.units import WGS84_A_M, WGS84_E2

CHORD_SLACK_M = (
    60.0  # a line of 25 km in the plane leaves the surface by 50 m: chunks that near are looked at too
)


class Frame(NamedTuple):
    """Origin (ECEF, m) and the unit vectors to the east (third component 0) and north."""

    x: float
    y: float
    z: float
    east_x: float
    east_y: float
    north_x: float
    north_y: float
    north_z: float


class Near(NamedTuple):
    """Chunks that can matter to a report, and what each is at least away from it (m, in space)."""

    chunks: Ints
    gaps_m: Floats


@njit(cache=True, nogil=True)
def tangent_frame(latitude_deg: float, longitude_deg: float) -> Frame:
    """The frame that touches the ellipsoid at a place."""
    x, y, z = ecef(latitude_deg, longitude_deg)
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    sp, cp, sl, cl = math.sin(phi), math.cos(phi), math.sin(lam), math.cos(lam)
    return Frame(x, y, z, -sl, cl, -sp * cl, -sp * sl, cp)


@njit(cache=True, nogil=True)
def project(frame: Frame, x: float, y: float, z: float) -> tuple[float, float]:
    """Orthographic projection onto the plane: metres east, north."""
    dx, dy, dz = x - frame.x, y - frame.y, z - frame.z
    return frame.east_x * dx + frame.east_y * dy, frame.north_x * dx + frame.north_y * dy + frame.north_z * dz


@njit(cache=True, nogil=True)
def geodesic_length_m(latitude_deg: float, x: float, y: float, rho: float) -> float:
    """Geodesic length of the projected vector (x, y), whose length is rho; inf stays inf."""
    if rho == 0.0 or rho == math.inf:
        return rho
    s = math.sin(math.radians(latitude_deg))
    w2 = 1.0 - WGS84_E2 * s * s
    prime_vertical = WGS84_A_M / math.sqrt(w2)
    meridian = prime_vertical * (1.0 - WGS84_E2) / w2
    bend = (x * x / prime_vertical + y * y / meridian) / rho
    # arcsin(bend) / bend
    return rho * (1.0 + bend * bend * (1.0 / 6.0 + bend * bend * (3.0 / 40.0)))


@njit(cache=True, nogil=True)
def near_chunks(frame: Frame, chunks: Chunks, chosen: Ints) -> Near:
    """The chosen chunks with the least distance at which each can be."""
    gaps = np.empty(len(chosen))
    for n in range(len(chosen)):
        c = chosen[n]
        dx, dy, dz = (
            chunks.centre_m[c, 0] - frame.x,
            chunks.centre_m[c, 1] - frame.y,
            chunks.centre_m[c, 2] - frame.z,
        )
        gaps[n] = math.sqrt(dx * dx + dy * dy + dz * dz) - chunks.radius_m[c]
    return Near(chosen, gaps)


@njit(cache=True, nogil=True)
def nearest_point(frame: Frame, chunks: Chunks, near: Near) -> tuple[float, float, float]:
    """The nearest boundary point (x, y) in the plane and its distance there; NaN, NaN, inf if there is none."""
    p = chunks.points_m
    ceiling = math.inf
    for n in range(len(near.chunks)):
        ceiling = min(ceiling, near.gaps_m[n] + 2.0 * chunks.radius_m[near.chunks[n]])
    ceiling = ceiling * 1.0001 + 1.0  # in the plane distances are up to 1e-5 shorter than in space
    best, best_x, best_y = math.inf, math.nan, math.nan
    for n in range(len(near.chunks)):
        if near.gaps_m[n] > ceiling:
            continue
        k = chunks.first[near.chunks[n]]
        ax, ay = project(frame, p[k, 0], p[k, 1], p[k, 2])
        for _ in range(chunks.pieces[near.chunks[n]]):
            k += 1
            bx, by = project(frame, p[k, 0], p[k, 1], p[k, 2])
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, -(ax * dx + ay * dy) / square))
            ex, ey = ax + t * dx, ay + t * dy
            d2 = ex * ex + ey * ey
            if d2 < best:
                best, best_x, best_y = d2, ex, ey
            ax, ay = bx, by
    return best_x, best_y, math.sqrt(best)


@njit(cache=True, nogil=True)
def is_crossed_oddly(frame: Frame, chunks: Chunks, near: Near, to_x: float, to_y: float) -> bool:
    """Whether the line from the report to (to_x, to_y) crosses the boundary an odd number of times.

    An edge is met if its ends lie on different sides, one side counting the line itself: so a vertex on the
    line is counted once.
    """
    p = chunks.points_m
    odd = False
    reach = math.sqrt(to_x * to_x + to_y * to_y) + CHORD_SLACK_M
    for n in range(len(near.chunks)):
        if near.gaps_m[n] > reach:
            continue
        k = chunks.first[near.chunks[n]]
        ax, ay = project(frame, p[k, 0], p[k, 1], p[k, 2])
        a_left = to_x * ay - to_y * ax >= 0.0
        for _ in range(chunks.pieces[near.chunks[n]]):
            k += 1
            bx, by = project(frame, p[k, 0], p[k, 1], p[k, 2])
            b_left = to_x * by - to_y * bx >= 0.0
            if a_left != b_left:
                dx, dy = bx - ax, by - ay
                here = dx * ay - dy * ax >= 0.0
                there = dx * (ay - to_y) - dy * (ax - to_x) >= 0.0
                if here != there:
                    odd = not odd
            ax, ay, a_left = bx, by, b_left
    return odd
