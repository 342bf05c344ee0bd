"""The motion filter: one track, constant velocity, in a local metre plane.

State x = [east_m, north_m, v_east_mps, v_north_mps], covariance P (4, 4), full and symmetric.
Motion is white acceleration of power spectral density q (m^2/s^3) on each axis: over dt_s the
process noise of one axis is q [[dt^3/3, dt^2/2], [dt^2/2, dt]].

Rules
- Kernels are scalar and change x and P in place; no `fastmath`, no vectorised transcendentals: a track
  gives the same bytes alone or among ten thousand, in one batch or in many.
- A measured pair is fused in the form P_mm' = W M W^T + K R K^T with W = R S^-1 (Joseph's, with I - K
  written as R S^-1 so that nothing cancels), hence P stays symmetric and positive semidefinite.
- A measurement that cannot be fused (NaN, or innovation covariance not positive) leaves the state
  untouched and returns NaN.
- Which report may enter is decided elsewhere (`admission`); so is the plane (`local_plane`).

Checked against Stone Soup's Kalman predictor and updater, and against plain matrix twins.

References: Y. Bar-Shalom, X. Li, T. Kirubarajan, Estimation with Applications to Tracking and
Navigation, 2001, sections 5.2 (filter), 6.2 (process noise), 8.6 (smoothing).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def cv_start(
    x: FloatArray,
    P: FloatArray,
    z_e: float,
    z_n: float,
    r_ee: float,
    r_en: float,
    r_nn: float,
    sigma_v_mps: float,
) -> None:
    """Begin a track at its first position: velocity 0 +- sigma_v_mps per axis, unknown direction.

    Args:
        x: (4,) overwritten.
        P: (4, 4) overwritten.
        z_e, z_n: measured position, m.
        r_ee, r_en, r_nn: its covariance, m^2.
        sigma_v_mps: one sigma of each velocity component before any is measured.
    """
    x[0], x[1], x[2], x[3] = z_e, z_n, 0.0, 0.0
    P[:, :] = 0.0
    P[0, 0], P[0, 1], P[1, 0], P[1, 1] = r_ee, r_en, r_en, r_nn
    P[2, 2] = P[3, 3] = sigma_v_mps * sigma_v_mps


@njit(cache=True, nogil=True)
def cv_predict(x: FloatArray, P: FloatArray, dt_s: float, q: float) -> None:
    """Carry the state dt_s forward, in place.

    Args:
        x: (4,) state; changed.
        P: (4, 4) covariance; changed.
        dt_s: time step, s, >= 0.
        q: acceleration PSD, m^2/s^3, per axis.
    """
    x[0] += dt_s * x[2]
    x[1] += dt_s * x[3]
    q1 = q * dt_s
    q2 = q1 * dt_s / 2.0
    q3 = q1 * dt_s * dt_s / 3.0
    d00, d01, d11 = P[2, 2], P[2, 3], P[3, 3]
    b00, b01, b10, b11 = P[0, 2], P[0, 3], P[1, 2], P[1, 3]
    P[0, 0] += dt_s * (b00 + b00 + dt_s * d00) + q3
    P[1, 1] += dt_s * (b11 + b11 + dt_s * d11) + q3
    P[0, 1] += dt_s * (b01 + b10 + dt_s * d01)
    P[1, 0] = P[0, 1]
    P[0, 2] = P[2, 0] = b00 + dt_s * d00 + q2
    P[1, 3] = P[3, 1] = b11 + dt_s * d11 + q2
    P[0, 3] = P[3, 0] = b01 + dt_s * d01
    P[1, 2] = P[2, 1] = b10 + dt_s * d01
    P[2, 2] = d00 + q1
    P[3, 3] = d11 + q1


@njit(cache=True, nogil=True)
def _update_pair(
    x: FloatArray, P: FloatArray, m: int, z0: float, z1: float, r00: float, r01: float, r11: float
) -> float:
    """Fuse a measurement of the components m and m + 1 (0: position, 2: velocity); return its NIS."""
    u = 2 - m
    m00, m01, m11 = P[m, m], P[m, m + 1], P[m + 1, m + 1]
    s00, s01, s11 = m00 + r00, m01 + r01, m11 + r11
    det = s00 * s11 - s01 * s01
    y0, y1 = z0 - x[m], z1 - x[m + 1]
    if not det > 0.0 or not s00 > 0.0:
        return math.nan
    i00, i01, i11 = s11 / det, -s01 / det, s00 / det
    a0, a1 = i00 * y0 + i01 * y1, i01 * y0 + i11 * y1
    nis = y0 * a0 + y1 * a1
    if not math.isfinite(nis):
        return math.nan
    # cross block C = P_um, gain rows of the other pair G = C S^-1, of the measured pair K = M S^-1
    c00, c01, c10, c11 = P[u, m], P[u, m + 1], P[u + 1, m], P[u + 1, m + 1]
    g00, g01 = c00 * i00 + c01 * i01, c00 * i01 + c01 * i11
    g10, g11 = c10 * i00 + c11 * i01, c10 * i01 + c11 * i11
    k00, k01 = m00 * i00 + m01 * i01, m00 * i01 + m01 * i11
    k10, k11 = m01 * i00 + m11 * i01, m01 * i01 + m11 * i11
    w00, w01 = r00 * i00 + r01 * i01, r00 * i01 + r01 * i11
    w10, w11 = r01 * i00 + r11 * i01, r01 * i01 + r11 * i11
    x[m] += k00 * y0 + k01 * y1
    x[m + 1] += k10 * y0 + k11 * y1
    x[u] += g00 * y0 + g01 * y1
    x[u + 1] += g10 * y0 + g11 * y1
    P[m, m] = _form(w00, w01, w00, w01, m00, m01, m11) + _form(k00, k01, k00, k01, r00, r01, r11)
    P[m + 1, m + 1] = _form(w10, w11, w10, w11, m00, m01, m11) + _form(k10, k11, k10, k11, r00, r01, r11)
    P[m, m + 1] = _form(w00, w01, w10, w11, m00, m01, m11) + _form(k00, k01, k10, k11, r00, r01, r11)
    P[m + 1, m] = P[m, m + 1]
    P[u, m] = P[m, u] = c00 * w00 + c01 * w01
    P[u, m + 1] = P[m + 1, u] = c00 * w10 + c01 * w11
    P[u + 1, m] = P[m, u + 1] = c10 * w00 + c11 * w01
    P[u + 1, m + 1] = P[m + 1, u + 1] = c10 * w10 + c11 * w11
    P[u, u] -= g00 * c00 + g01 * c01
    P[u + 1, u + 1] -= g10 * c10 + g11 * c11
    P[u, u + 1] -= g00 * c10 + g01 * c11
    P[u + 1, u] = P[u, u + 1]
    return nis


@njit(cache=True, nogil=True)
def _form(a0: float, a1: float, b0: float, b1: float, s00: float, s01: float, s11: float) -> float:
    """a^T S b for a symmetric 2x2 S."""
    return a0 * (s00 * b0 + s01 * b1) + a1 * (s01 * b0 + s11 * b1)


@njit(cache=True, nogil=True)
def cv_update_position(
    x: FloatArray, P: FloatArray, z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float
) -> float:
    """Fuse a measured position, in place.

    Args:
        x: (4,) state; changed.
        P: (4, 4) covariance; changed.
        z_e, z_n: measured position, m.
        r_ee, r_en, r_nn: its covariance, m^2.

    Returns:
        Normalised innovation squared (chi-square of 2 degrees of freedom where the model holds);
        NaN, and the state as it was, if the measurement cannot be fused.

    Example:
        >>> x, P = np.zeros(4), np.diag([1.0, 1.0, 1.0, 1.0])
        >>> float(cv_update_position(x, P, 2.0, 0.0, 1.0, 0.0, 1.0)), float(x[0]), float(P[0, 0])
        (2.0, 1.0, 0.5)
    """
    return _update_pair(x, P, 0, z_e, z_n, r_ee, r_en, r_nn)


@njit(cache=True, nogil=True)
def cv_update_velocity(
    x: FloatArray, P: FloatArray, z_ve: float, z_vn: float, r_vee: float, r_ven: float, r_vnn: float
) -> float:
    """Fuse a measured velocity (m/s, covariance m^2/s^2), in place; otherwise as `cv_update_position`."""
    return _update_pair(x, P, 2, z_ve, z_vn, r_vee, r_ven, r_vnn)


@njit(cache=True, nogil=True)
def innovation_nis(
    x: FloatArray, P: FloatArray, z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float
) -> float:
    """Normalised innovation squared of a position against the state at its own time; changes nothing.

    Arguments and NaN as for `cv_update_position`.
    """
    s00, s01, s11 = P[0, 0] + r_ee, P[0, 1] + r_en, P[1, 1] + r_nn
    det = s00 * s11 - s01 * s01
    if not det > 0.0 or not s00 > 0.0:
        return math.nan
    y0, y1 = z_e - x[0], z_n - x[1]
    nis = (s11 * y0 * y0 - 2.0 * s01 * y0 * y1 + s00 * y1 * y1) / det
    return nis if math.isfinite(nis) else math.nan


@njit(cache=True, nogil=True)
def filter_tracks(
    X: FloatArray,
    P: FloatArray,
    dt_s: FloatArray,
    q: FloatArray,
    z: FloatArray,
    r: FloatArray,
    z_v: FloatArray,
    r_v: FloatArray,
    nis: FloatArray,
) -> None:
    """One report for each of n tracks: predict, fuse position, fuse velocity, in place.

    Args:
        X: (n, 4) states; changed.
        P: (n, 4, 4) covariances; changed.
        dt_s: (n,) time since each track's last report, s.
        q: (n,) acceleration PSD, m^2/s^3.
        z: (n, 2) measured east, north, m; NaN = this report has no position.
        r: (n, 3) ee, en, nn, m^2.
        z_v: (n, 2) measured velocity east, north, m/s; NaN = this report has none.
        r_v: (n, 3) its covariance, m^2/s^2.
        nis: (n, 2) written: NIS of position and of velocity, NaN where not fused.
    """
    for i in range(X.shape[0]):
        cv_predict(X[i], P[i], dt_s[i], q[i])
        nis[i, 0] = cv_update_position(X[i], P[i], z[i, 0], z[i, 1], r[i, 0], r[i, 1], r[i, 2])
        nis[i, 1] = cv_update_velocity(X[i], P[i], z_v[i, 0], z_v[i, 1], r_v[i, 0], r_v[i, 1], r_v[i, 2])


@njit(cache=True, nogil=True)
def bridge(
    x0: FloatArray,
    P0: FloatArray,
    x1: FloatArray,
    P1: FloatArray,
    gap_s: float,
    tau_s: float,
    q: float,
    x: FloatArray,
    P: FloatArray,
) -> None:
    """The state at tau_s into a gap, knowing the track on both sides of it.

    The forward prediction from (x0, P0) to tau, corrected by what the later state knows more than
    the prediction did: x = xf + G (x1 - x1f), P = Pf + G (P1 - P1f) G^T, G = Pf F^T P1f^-1. With
    (x1, P1) filtered this is the smoothed state given all reports up to t1; with (x1, P1) smoothed,
    given all reports. tau_s = 0 is one step of the Rauch-Tung-Striebel smoother.

    Args:
        x0, P0: (4,), (4, 4) filtered state at the start of the gap.
        x1, P1: the state at its end, of the same track and plane, after its own reports were fused.
        gap_s: length of the gap, s, >= 0.
        tau_s: time into the gap, s; beyond its ends it is taken as the end.
        q: acceleration PSD that the filter used over this gap, m^2/s^3, > 0.
        x, P: (4,), (4, 4) written: mean and covariance. NaN if the prediction has no inverse.
    """
    if tau_s >= gap_s:
        x[:] = x1
        P[:, :] = P1
        return
    x[:] = x0
    P[:, :] = P0
    cv_predict(x, P, max(tau_s, 0.0), q)
    rest = gap_s - max(tau_s, 0.0)
    xp, L = x.copy(), P.copy()
    cv_predict(xp, L, rest, q)
    D = P1 - L
    if not _cholesky(L):
        x[:] = math.nan
        P[:, :] = math.nan
        return
    # rows of G solve G (L L^T) = P F^T; (P F^T)[i, j] = P[i, j] + rest * P[i, j + 2] for a position j
    G = np.empty((4, 4))
    for i in range(4):
        G[i, 0], G[i, 1] = P[i, 0] + rest * P[i, 2], P[i, 1] + rest * P[i, 3]
        G[i, 2], G[i, 3] = P[i, 2], P[i, 3]
        _solve(L, G[i])
    for i in range(4):
        for j in range(4):
            x[i] += G[i, j] * (x1[j] - xp[j])
    _add_congruence(P, G, D)


@njit(cache=True, nogil=True)
def bridge_position(
    x0: FloatArray, P0: FloatArray, x1: FloatArray, P1: FloatArray, gap_s: float, tau_s: float, q: float
) -> tuple[float, float, float, float, float]:
    """`bridge`, as (east_m, north_m, var_ee_m2, cov_en_m2, var_nn_m2)."""
    x, P = np.empty(4), np.empty((4, 4))
    bridge(x0, P0, x1, P1, gap_s, tau_s, q, x, P)
    return x[0], x[1], P[0, 0], P[0, 1], P[1, 1]


@njit(cache=True, nogil=True)
def _cholesky(A: FloatArray) -> bool:
    """Lower Cholesky factor of a 4x4 matrix in place of its lower triangle; False if not positive definite."""
    for j in range(4):
        pivot = A[j, j]
        for k in range(j):
            pivot -= A[j, k] * A[j, k]
        if not pivot > 0.0:
            return False
        A[j, j] = math.sqrt(pivot)
        for i in range(j + 1, 4):
            t = A[i, j]
            for k in range(j):
                t -= A[i, k] * A[j, k]
            A[i, j] = t / A[j, j]
    return True


@njit(cache=True, nogil=True)
def _solve(L: FloatArray, b: FloatArray) -> None:
    """Solve (L L^T) y = b for a 4x4 lower L, in place of b."""
    for i in range(4):
        for k in range(i):
            b[i] -= L[i, k] * b[k]
        b[i] /= L[i, i]
    for i in range(3, -1, -1):
        for k in range(i + 1, 4):
            b[i] -= L[k, i] * b[k]
        b[i] /= L[i, i]


@njit(cache=True, nogil=True)
def _add_congruence(P: FloatArray, G: FloatArray, D: FloatArray) -> None:
    """P += G D G^T for symmetric 4x4 P and D, keeping P exactly symmetric."""
    for i in range(4):
        for j in range(i, 4):
            t = 0.0
            for k in range(4):
                for m in range(4):
                    t += G[i, k] * D[k, m] * G[j, m]
            P[i, j] += t
            P[j, i] = P[i, j]
