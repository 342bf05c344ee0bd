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

from airvigil.tracking.motion import (
    motion_of,
    nis_of,
    predicted,
    put_motion,
    started,
    with_position,
    with_velocity,
)

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
    """`started` into x (4,) and P (4, 4)."""
    put_motion(started(z_e, z_n, r_ee, r_en, r_nn, sigma_v_mps), x, P)


@njit(cache=True, nogil=True)
def cv_predict(x: FloatArray, P: FloatArray, dt_s: float, q: float) -> None:
    """`predicted`, of x (4,) and P (4, 4) in place."""
    put_motion(predicted(motion_of(x, P), dt_s, q), x, P)


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
    m, nis = with_position(motion_of(x, P), z_e, z_n, r_ee, r_en, r_nn)
    put_motion(m, x, P)
    return nis


@njit(cache=True, nogil=True)
def cv_update_velocity(
    x: FloatArray, P: FloatArray, z_ve: float, z_vn: float, r_vee: float, r_ven: float, r_vnn: float
) -> float:
    """Fuse a measured velocity (m/s, covariance m^2/s^2), in place; otherwise as `cv_update_position`."""
    m, nis = with_velocity(motion_of(x, P), z_ve, z_vn, r_vee, r_ven, r_vnn)
    put_motion(m, x, P)
    return nis


@njit(cache=True, nogil=True)
def innovation_nis(
    x: FloatArray, P: FloatArray, z_e: float, z_n: float, r_ee: float, r_en: float, r_nn: float
) -> float:
    """Normalised innovation squared of a position against the state at its own time; changes nothing.

    Arguments and NaN as for `cv_update_position`.
    """
    return nis_of(z_e - x[0], z_n - x[1], P[0, 0] + r_ee, P[0, 1] + r_en, P[1, 1] + r_nn)


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
