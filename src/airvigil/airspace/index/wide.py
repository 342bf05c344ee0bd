"""P(inside) where the error reaches further than a leaf's close edges go: from all edges within its reach, however far.

Boundary points are projected at right angles onto the plane that touches the ellipsoid at the report: x = e . D east, y = n . D north,
D being the difference of the Earth-centred coordinates. It is slower than the leaves, which serve errors of up to 1.5 km at
six sigma, and shares nothing with them but the edges: the tests use it as a second opinion.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from airvigil.airspace.index.edges import Edges, near_chunks
from airvigil.airspace.index.grid import Floats, Ints, ecef
from airvigil.airspace.index.measure import DEFECTIVE, SOUND, WIDE, Columns, Places
from airvigil.airspace.index.segments import MAX_PARTS, bowed_point, parts_of_bow
from airvigil.airspace.probability import (
    Covariance,
    Whitening,
    how_far_out,
    largest_variance_m2,
    p_inside_bounds,
    whitening,
)

REACH_STRETCH = 1.000_1  # distances in the plane are up to 1e-5 shorter than in space
REACH_SLACK_M = 10.0  # a piece's chord passes below the surface by less


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


@njit(cache=True, nogil=True, error_model="numpy")
def tangent_frame(latitude_deg: float, longitude_deg: float) -> Frame:
    """The frame that touches the ellipsoid at a place."""
    x, y, z = ecef(latitude_deg, longitude_deg)
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    sp, cp, sl, cl = math.sin(phi), math.cos(phi), math.sin(lam), math.cos(lam)
    return Frame(x, y, z, -sl, cl, -sp * cl, -sp * sl, cp)


@njit(cache=True, nogil=True, error_model="numpy")
def project(frame: Frame, x: float, y: float, z: float) -> tuple[float, float]:
    """Orthographic projection onto the plane: metres east, north."""
    dx, dy, dz = x - frame.x, y - frame.y, z - frame.z
    return frame.east_x * dx + frame.east_y * dy, frame.north_x * dx + frame.north_y * dy + frame.north_z * dz


@njit(cache=True, nogil=True, error_model="numpy")
def segments_around(edges: Edges, frame: Frame, volume: int, reach_m: float, scale: Whitening) -> Floats:
    """A volume's edges within reach, whitened, as `p_inside_bounds` takes them: (k, 4)."""
    near = near_chunks(edges, frame.x, frame.y, frame.z, reach_m * REACH_STRETCH + REACH_SLACK_M)
    count = 0
    for c in near:
        if edges.volume[c] == volume:
            for k in range(edges.first[c], edges.first[c] + edges.pieces[c]):
                count += MAX_PARTS if edges.bow_m[k] != 0.0 else 1
    segments = np.empty((count, 4))
    p = edges.points_m
    n = 0
    for c in near:
        if edges.volume[c] != volume:
            continue
        for k in range(edges.first[c], edges.first[c] + edges.pieces[c]):
            hx, hy = project(frame, p[k, 0], p[k, 1], p[k, 2])
            tx, ty = project(frame, p[k + 1, 0], p[k + 1, 1], p[k + 1, 2])
            length = math.sqrt((tx - hx) * (tx - hx) + (ty - hy) * (ty - hy))
            bow = edges.bow_m[k] / length if length > 0.0 else 0.0
            parts = parts_of_bow(hx, hy, tx, ty, bow)
            ax = hx * scale.east
            ay = (hy - scale.shear * ax) * scale.north
            for j in range(1, parts + 1):
                x, y = bowed_point(hx, hy, tx, ty, bow, j / parts)
                bx = x * scale.east
                by = (y - scale.shear * bx) * scale.north
                segments[n, 0], segments[n, 1], segments[n, 2], segments[n, 3] = ax, ay, bx, by
                ax, ay = bx, by
                n += 1
    return segments[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def settle_wide(edges: Edges, places: Places, uncertainty_m2: Floats, columns: Columns, wide: Ints) -> None:
    """P(inside) and the state of the entries named, whose covariance and bias bound are known."""
    for n in wide:
        i = columns.row[n]
        frame = tangent_frame(places.latitude_deg[i], places.longitude_deg[i])
        given, own = places.covariance_m2[i], uncertainty_m2[columns.volume[n]]
        covariance = Covariance(given[0] + own, given[1], given[2] + own)
        sigma = math.sqrt(largest_variance_m2(covariance))
        bias, distance = places.bias_bound_m[i], abs(columns.margin_m[n])
        _, reach = how_far_out(sigma, bias, distance)
        scale = whitening(covariance)
        segments = segments_around(edges, frame, columns.volume[n], reach, scale)
        is_inside = columns.margin_m[n] > 0.0
        low, high, is_defective = p_inside_bounds(
            segments, len(segments), is_inside, distance, scale, sigma, bias
        )
        columns.p_inside[n], columns.p_inside_high[n] = low, high
        columns.state[n] = DEFECTIVE if is_defective else SOUND


def wide_entries(columns: Columns, count: int) -> Ints:
    """Which of the first `count` entries are left to `settle_wide`."""
    return np.flatnonzero(columns.state[:count] == WIDE)
