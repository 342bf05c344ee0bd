"""The root grid: cells of a quarter degree, each with a plane of its own in which geodesics are straight.

A cell's plane touches the ellipsoid at the cell's centre. Points are projected onto it from the centre of the sphere that
osculates there (radius sqrt(M N)), so lines in the plane are geodesics: over 20 km to less than a millimetre. Going back to
the ellipsoid is a series, without trigonometry: `lift`.

A report is mapped into its cell's plane by a polynomial of its row of cells, in degrees from the centre; by symmetry one
serves all longitudes. It departs from the projection by less than 2e-5 m. Nothing is special at the poles or at the
antimeridian: only the cell's number knows longitudes.

The polynomials are fitted by normal equations in scalar arithmetic: no linear algebra library has a say in the last digit.

Reference: C. F. F. Karney, Journal of Geodesy 87 (2013) 43-55, section 8, on the gnomonic projection.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.units import WGS84_A_M, WGS84_E2

RELEVANCE_M = 50_000.0  # boundaries further away than this are not looked at
CELLS_PER_DEGREE = 4
ROWS = 180 * CELLS_PER_DEGREE
COLUMNS = 360 * CELLS_PER_DEGREE
FINEST = 64  # leaves along a cell's side, at most
FIT_NODES = 11  # per axis, at Chebyshev's points

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def ecef(latitude_deg: float, longitude_deg: float) -> tuple[float, float, float]:
    """Earth-centred coordinates (m) of a point on the WGS84 ellipsoid."""
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    s, c = math.sin(phi), math.cos(phi)
    n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s * s)
    return n * c * math.cos(lam), n * c * math.sin(lam), n * (1.0 - WGS84_E2) * s


class Plane(NamedTuple):
    """Centre of projection (ECEF, m), unit vectors east, north and up at the point of contact, and the sphere's radius."""

    x: float
    y: float
    z: float
    east_x: float
    east_y: float
    north_x: float
    north_y: float
    north_z: float
    up_x: float
    up_y: float
    up_z: float
    radius_m: float


@njit(cache=True, nogil=True, error_model="numpy")
def radii_of_curvature_m(latitude_deg: float) -> tuple[float, float]:
    """Of the meridian (M) and across it (N)."""
    s = math.sin(math.radians(latitude_deg))
    w2 = 1.0 - WGS84_E2 * s * s
    across = WGS84_A_M / math.sqrt(w2)
    return across * (1.0 - WGS84_E2) / w2, across


@njit(cache=True, nogil=True, error_model="numpy")
def plane_at(latitude_deg: float, longitude_deg: float) -> Plane:
    """The plane that touches at a place."""
    x, y, z = ecef(latitude_deg, longitude_deg)
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg)
    sp, cp, sl, cl = math.sin(phi), math.cos(phi), math.sin(lam), math.cos(lam)
    along, across = radii_of_curvature_m(latitude_deg)
    r = math.sqrt(along * across)
    ux, uy, uz = cp * cl, cp * sl, sp
    return Plane(x - r * ux, y - r * uy, z - r * uz, -sl, cl, -sp * cl, -sp * sl, cp, ux, uy, uz, r)


@njit(cache=True, nogil=True, error_model="numpy")
def project_centrally(plane: Plane, x: float, y: float, z: float) -> tuple[float, float]:
    """Where a point in space falls on the plane: metres east, north."""
    dx, dy, dz = x - plane.x, y - plane.y, z - plane.z
    k = plane.radius_m / (dx * plane.up_x + dy * plane.up_y + dz * plane.up_z)
    return k * (dx * plane.east_x + dy * plane.east_y), k * (
        dx * plane.north_x + dy * plane.north_y + dz * plane.north_z
    )


@njit(cache=True, nogil=True, error_model="numpy")
def cell_centre(cell: int) -> tuple[float, float]:
    """Latitude and longitude (deg) of a cell's centre."""
    row, column = cell // COLUMNS, cell % COLUMNS
    return (row + 0.5) / CELLS_PER_DEGREE - 90.0, (column + 0.5) / CELLS_PER_DEGREE - 180.0


class Rows(NamedTuple):
    """What all cells of a row share.

    Attributes:
        polynomial: (ROWS, 10) degrees north and east of the centre to metres in the plane.
        shape: (ROWS, 4) 1 / R^2, R, and how the ellipsoid departs from the sphere: 1 / 2N and 1 / 2M less 1 / 2R,
            each over R.
    """

    polynomial: Floats
    shape: Floats


@cache
def grid_rows() -> Rows:
    """Made once per process: 10 ms."""
    return Rows(*_fit_rows())


@njit(cache=True, nogil=True, error_model="numpy")
def _terms(p: float, q: float) -> tuple[Floats, Floats]:
    """What x and y are made of, `p` north and `q` east."""
    return (
        np.array([q, q * p, q * p * p, q * q * q, q * q * q * p]),
        np.array([p, p * p, p * p * p, q * q, q * q * p]),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(matrix: Floats, right: Floats) -> Floats:
    """Gaussian elimination with pivoting, in place."""
    n = len(right)
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                pivot = i
        for j in range(n):
            matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
        right[k], right[pivot] = right[pivot], right[k]
        for i in range(k + 1, n):
            factor = matrix[i, k] / matrix[k, k]
            for j in range(k, n):
                matrix[i, j] -= factor * matrix[k, j]
            right[i] -= factor * right[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            right[k] -= matrix[k, j] * right[j]
        right[k] /= matrix[k, k]
    return right


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_rows() -> tuple[Floats, Floats]:
    polynomial, shape = np.empty((ROWS, 10)), np.empty((ROWS, 4))
    half = 0.5 / CELLS_PER_DEGREE
    for row in range(ROWS):
        latitude = (row + 0.5) / CELLS_PER_DEGREE - 90.0
        plane = plane_at(latitude, 0.0)
        normal_x, normal_y = np.zeros((5, 5)), np.zeros((5, 5))
        right_x, right_y = np.zeros(5), np.zeros(5)
        for i in range(FIT_NODES):
            p = math.cos(math.pi * (i + 0.5) / FIT_NODES)
            for j in range(FIT_NODES):
                q = math.cos(math.pi * (j + 0.5) / FIT_NODES)
                px, py, pz = ecef(latitude + half * p, half * q)
                x, y = project_centrally(plane, px, py, pz)
                to_x, to_y = _terms(p, q)
                for a in range(5):
                    right_x[a] += to_x[a] * x
                    right_y[a] += to_y[a] * y
                    for b in range(5):
                        normal_x[a, b] += to_x[a] * to_x[b]
                        normal_y[a, b] += to_y[a] * to_y[b]
        of_degrees_x, of_degrees_y = _terms(1.0 / half, 1.0 / half)
        polynomial[row, :5] = _solve(normal_x, right_x) * of_degrees_x
        polynomial[row, 5:] = _solve(normal_y, right_y) * of_degrees_y
        along, across = radii_of_curvature_m(latitude)
        r = plane.radius_m
        shape[row, 0], shape[row, 1] = 1.0 / (r * r), r
        shape[row, 2], shape[row, 3] = 0.5 * (1.0 / r - 1.0 / across) / r, 0.5 * (1.0 / r - 1.0 / along) / r
    return polynomial, shape


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def to_plane(polynomial: Floats, row: int, p: float, q: float) -> tuple[float, float]:
    """Metres east and north in the plane of a place p degrees north and q degrees east of the cell's centre."""
    c = polynomial
    x = q * (c[row, 0] + p * (c[row, 1] + p * c[row, 2]) + q * q * (c[row, 3] + p * c[row, 4]))
    y = p * (c[row, 5] + p * (c[row, 6] + p * c[row, 7])) + q * q * (c[row, 8] + p * c[row, 9])
    return x, y


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def north_in_plane(polynomial: Floats, row: int, p: float, q: float) -> tuple[float, float]:
    """Unit vector along the meridian, as it lies in the plane at that place."""
    c = polynomial
    x = q * (c[row, 1] + 2.0 * p * c[row, 2] + q * q * c[row, 4])
    y = c[row, 5] + p * (2.0 * c[row, 6] + 3.0 * p * c[row, 7]) + q * q * c[row, 9]
    length = math.sqrt(x * x + y * y)
    return x / length, y / length


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def lift(shape: Floats, row: int, x: float, y: float) -> float:
    """By what (x, y, R) is to be multiplied to come to lie on the ellipsoid, seen from the centre of projection.

    1 / sqrt(1 + u) by its series, u being below 4e-4, and the ellipsoid's height over the sphere.
    """
    u = (x * x + y * y) * shape[row, 0]
    inverse = 1.0 + u * (-0.5 + u * (0.375 + u * (-0.3125 + u * 0.2734375)))
    return inverse * (1.0 + shape[row, 2] * x * x + shape[row, 3] * y * y)


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def geodesic_m(shape: Floats, row: int, ax: float, ay: float, ka: float, bx: float, by: float) -> float:
    """Geodesic distance of two points of the plane, from the chord c: s = c (1 + c^2 / 24 R^2); `ka` is the first one's lift."""
    kb = lift(shape, row, bx, by)
    dx, dy, dz = ka * ax - kb * bx, ka * ay - kb * by, (ka - kb) * shape[row, 1]
    square = dx * dx + dy * dy + dz * dz
    return math.sqrt(square) * (1.0 + square * shape[row, 0] / 24.0)
