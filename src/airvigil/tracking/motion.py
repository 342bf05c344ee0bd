"""The motion filter's arithmetic on numbers: what a kernel that steps from row to row calls.

A state goes in and a state comes out: nothing is allocated, no array is passed, and nothing is counted
on the way. `filter` has the same steps on arrays, the model, the rules and the references.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]


class Motion(NamedTuple):
    """State and covariance of one track as numbers; p01 is P[0, 1] and so on, the upper triangle."""

    e: float
    n: float
    ve: float
    vn: float
    p00: float
    p01: float
    p02: float
    p03: float
    p11: float
    p12: float
    p13: float
    p22: float
    p23: float
    p33: float


@njit(cache=True, nogil=True)
def motion_of(x: FloatArray, P: FloatArray) -> Motion:
    """State (4,) and covariance (4, 4) as numbers."""
    return Motion(
        x[0], x[1], x[2], x[3],
        P[0, 0], P[0, 1], P[0, 2], P[0, 3], P[1, 1], P[1, 2], P[1, 3], P[2, 2], P[2, 3], P[3, 3],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def put_motion(m: Motion, x: FloatArray, P: FloatArray) -> None:
    """The inverse of `motion_of`."""
    x[0], x[1], x[2], x[3] = m.e, m.n, m.ve, m.vn
    P[0, 0], P[1, 1], P[2, 2], P[3, 3] = m.p00, m.p11, m.p22, m.p33
    P[0, 1] = P[1, 0] = m.p01
    P[0, 2] = P[2, 0] = m.p02
    P[0, 3] = P[3, 0] = m.p03
    P[1, 2] = P[2, 1] = m.p12
    P[1, 3] = P[3, 1] = m.p13
    P[2, 3] = P[3, 2] = m.p23


@njit(cache=True, nogil=True)
def started(z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float, sigma_v_mps: float) -> Motion:
    """A track at its first position: velocity 0 +- sigma_v_mps per axis, unknown direction.

    Args:
        z_e, z_n: measured position, m.
        r_ee, r_en, r_nn: its covariance, m^2.
        sigma_v_mps: one sigma of each velocity component before any is measured.
    """
    v = sigma_v_mps * sigma_v_mps
    return Motion(z_e, z_n, 0.0, 0.0, r_ee, r_en, 0.0, 0.0, r_nn, 0.0, 0.0, v, 0.0, v)


@njit(cache=True, nogil=True)
def predicted(m: Motion, dt_s: float, q: float) -> Motion:
    """The state carried dt_s forward.

    Args:
        m: state.
        dt_s: time step, s, >= 0.
        q: acceleration PSD, m^2/s^3, per axis.
    """
    q1 = q * dt_s
    q2 = q1 * dt_s / 2.0
    q3 = q1 * dt_s * dt_s / 3.0
    return Motion(
        m.e + dt_s * m.ve,
        m.n + dt_s * m.vn,
        m.ve,
        m.vn,
        m.p00 + (dt_s * (m.p02 + m.p02 + dt_s * m.p22) + q3),
        m.p01 + dt_s * (m.p03 + m.p12 + dt_s * m.p23),
        m.p02 + dt_s * m.p22 + q2,
        m.p03 + dt_s * m.p23,
        m.p11 + (dt_s * (m.p13 + m.p13 + dt_s * m.p33) + q3),
        m.p12 + dt_s * m.p23,
        m.p13 + dt_s * m.p33 + q2,
        m.p22 + q1,
        m.p23,
        m.p33 + q1,
    )


class _Pair(NamedTuple):
    """A measured pair of components m and the other pair u: values, blocks of P (c is P_um)."""

    m0: float
    m1: float
    u0: float
    u1: float
    m00: float
    m01: float
    m11: float
    c00: float
    c01: float
    c10: float
    c11: float
    u00: float
    u01: float
    u11: float


@njit(cache=True, nogil=True)
def _fused_pair(a: _Pair, z0: float, z1: float, r00: float, r01: float, r11: float) -> tuple[_Pair, float]:
    """Fuse a measurement of the pair m; (the pairs after it, its NIS)."""
    m00, m01, m11 = a.m00, a.m01, a.m11
    s00, s01, s11 = m00 + r00, m01 + r01, m11 + r11
    det = s00 * s11 - s01 * s01
    y0, y1 = z0 - a.m0, z1 - a.m1
    if not det > 0.0 or not s00 > 0.0:
        return a, math.nan
    i00, i01, i11 = s11 / det, -s01 / det, s00 / det
    a0, a1 = i00 * y0 + i01 * y1, i01 * y0 + i11 * y1
    nis = y0 * a0 + y1 * a1
    if not math.isfinite(nis):
        return a, math.nan
    # gain rows of the other pair G = C S^-1, of the measured pair K = M S^-1
    c00, c01, c10, c11 = a.c00, a.c01, a.c10, a.c11
    g00, g01 = c00 * i00 + c01 * i01, c00 * i01 + c01 * i11
    g10, g11 = c10 * i00 + c11 * i01, c10 * i01 + c11 * i11
    k00, k01 = m00 * i00 + m01 * i01, m00 * i01 + m01 * i11
    k10, k11 = m01 * i00 + m11 * i01, m01 * i01 + m11 * i11
    w00, w01 = r00 * i00 + r01 * i01, r00 * i01 + r01 * i11
    w10, w11 = r01 * i00 + r11 * i01, r01 * i01 + r11 * i11
    return _Pair(
        a.m0 + (k00 * y0 + k01 * y1),
        a.m1 + (k10 * y0 + k11 * y1),
        a.u0 + (g00 * y0 + g01 * y1),
        a.u1 + (g10 * y0 + g11 * y1),
        _form(w00, w01, w00, w01, m00, m01, m11) + _form(k00, k01, k00, k01, r00, r01, r11),
        _form(w00, w01, w10, w11, m00, m01, m11) + _form(k00, k01, k10, k11, r00, r01, r11),
        _form(w10, w11, w10, w11, m00, m01, m11) + _form(k10, k11, k10, k11, r00, r01, r11),
        c00 * w00 + c01 * w01,
        c00 * w10 + c01 * w11,
        c10 * w00 + c11 * w01,
        c10 * w10 + c11 * w11,
        a.u00 - (g00 * c00 + g01 * c01),
        a.u01 - (g00 * c10 + g01 * c11),
        a.u11 - (g10 * c10 + g11 * c11),
    ), nis


@njit(cache=True, nogil=True)
def _form(a0: float, a1: float, b0: float, b1: float, s00: float, s01: float, s11: float) -> float:
    """a^T S b for a symmetric 2x2 S."""
    return a0 * (s00 * b0 + s01 * b1) + a1 * (s01 * b0 + s11 * b1)


@njit(cache=True, nogil=True)
def with_position(
    m: Motion, z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float
) -> tuple[Motion, float]:
    """Fuse a measured position; (state, NIS) as `cv_update_position`."""
    a = _Pair(m.e, m.n, m.ve, m.vn, m.p00, m.p01, m.p11, m.p02, m.p12, m.p03, m.p13, m.p22, m.p23, m.p33)
    b, nis = _fused_pair(a, z_e, z_n, r_ee, r_en, r_nn)
    return Motion(
        b.m0, b.m1, b.u0, b.u1, b.m00, b.m01, b.c00, b.c10, b.m11, b.c01, b.c11, b.u00, b.u01, b.u11
    ), nis


@njit(cache=True, nogil=True)
def with_velocity(
    m: Motion, z_ve: float, z_vn: float, r_vee: float, r_ven: float, r_vnn: float
) -> tuple[Motion, float]:
    """Fuse a measured velocity; (state, NIS) as `cv_update_velocity`."""
    a = _Pair(m.ve, m.vn, m.e, m.n, m.p22, m.p23, m.p33, m.p02, m.p03, m.p12, m.p13, m.p00, m.p01, m.p11)
    b, nis = _fused_pair(a, z_ve, z_vn, r_vee, r_ven, r_vnn)
    return Motion(
        b.u0, b.u1, b.m0, b.m1, b.u00, b.u01, b.c00, b.c01, b.u11, b.c10, b.c11, b.m00, b.m01, b.m11
    ), nis


@njit(cache=True, nogil=True)
def predicted_nis(
    m: Motion, dt_s: float, q: float, z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float
) -> float:
    """`innovation_nis` against the state that `predicted` would carry dt_s forward."""
    then = predicted(m, dt_s, q)
    return nis_of(z_e - then.e, z_n - then.n, then.p00 + r_ee, then.p01 + r_en, then.p11 + r_nn)


@njit(cache=True, nogil=True)
def nis_of(y0: float, y1: float, s00: float, s01: float, s11: float) -> float:
    """y^T S^-1 y; NaN where S is not positive definite."""
    det = s00 * s11 - s01 * s01
    if not det > 0.0 or not s00 > 0.0:
        return math.nan
    nis = (s11 * y0 * y0 - 2.0 * s01 * y0 * y1 + s00 * y1 * y1) / det
    return nis if math.isfinite(nis) else math.nan
