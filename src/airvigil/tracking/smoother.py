"""The same track after the fact: Rauch-Tung-Striebel smoothing, when the later reports are known too.

Rules
- The forward pass keeps the filtered state after each report; the backward pass needs nothing else.
- Between two smoothed states `filter.bridge` gives the state at any time: (filtered, smoothed) in.
- Smoothing is for reports and dossiers; a live decision rests on the filter, which never looks ahead.

Checked against Stone Soup's Kalman smoother.

References: H. Rauch, F. Tung, C. Striebel, Maximum likelihood estimates of linear dynamic systems,
AIAA Journal 3 (8), 1965, 1445-1450.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.errors import ShapeError
from airvigil.tracking.filter import (
    FloatArray,
    bridge,
    cv_predict,
    cv_start,
    cv_update_position,
    cv_update_velocity,
)
from airvigil.units import NS_PER_S


def filter_series(
    time_ns: npt.NDArray[np.int64],
    position_m: FloatArray,
    covariance_m2: FloatArray,
    *,
    q: float,
    sigma_v_mps: float,
    velocity_mps: FloatArray | None = None,
    velocity_covariance: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Run the filter over one track's reports.

    Args:
        time_ns: (n,) times of applicability, not decreasing.
        position_m: (n, 2) east, north; NaN = a report without position (not the first).
        covariance_m2: (n, 3) ee, en, nn.
        q: acceleration PSD, m^2/s^3.
        sigma_v_mps: one sigma of each velocity component before the first report.
        velocity_mps: (n, 2) east, north; NaN = not measured. None = never measured.
        velocity_covariance: (n, 3) ee, en, nn, m^2/s^2.

    Returns:
        x (n, 4), P (n, 4, 4) after each report, and nis (n,) of the position, NaN where none was fused.

    Raises:
        ShapeError: shapes that differ, decreasing times, or a first report without position.
    """
    n = len(time_ns)
    z_v = np.full((n, 2), math.nan) if velocity_mps is None else velocity_mps
    r_v = np.full((n, 3), math.nan) if velocity_covariance is None else velocity_covariance
    for name, array, width in (
        ("position_m", position_m, 2),
        ("covariance_m2", covariance_m2, 3),
        ("velocity_mps", z_v, 2),
        ("velocity_covariance", r_v, 3),
    ):
        if array.shape != (n, width):
            raise ShapeError(f"{name}: expected shape ({n}, {width}), got {array.shape}")
    if n and not np.isfinite(position_m[0]).all():
        raise ShapeError("position_m: the first report has no position")
    dt_s = np.diff(time_ns) / NS_PER_S
    if (dt_s < 0.0).any():
        raise ShapeError("time_ns: times go backwards")
    x, P, nis = np.empty((n, 4)), np.empty((n, 4, 4)), np.full(n, math.nan)
    if n:
        _forward(dt_s, position_m, covariance_m2, z_v, r_v, q, sigma_v_mps, x, P, nis)
    return x, P, nis


@njit(cache=True, nogil=True)
def _forward(
    dt_s: FloatArray,
    z: FloatArray,
    r: FloatArray,
    z_v: FloatArray,
    r_v: FloatArray,
    q: float,
    sigma_v_mps: float,
    x: FloatArray,
    P: FloatArray,
    nis: FloatArray,
) -> None:
    cv_start(x[0], P[0], z[0, 0], z[0, 1], r[0, 0], r[0, 1], r[0, 2], sigma_v_mps)
    cv_update_velocity(x[0], P[0], z_v[0, 0], z_v[0, 1], r_v[0, 0], r_v[0, 1], r_v[0, 2])
    for i in range(1, z.shape[0]):
        x[i] = x[i - 1]
        P[i] = P[i - 1]
        cv_predict(x[i], P[i], dt_s[i - 1], q)
        nis[i] = cv_update_position(x[i], P[i], z[i, 0], z[i, 1], r[i, 0], r[i, 1], r[i, 2])
        cv_update_velocity(x[i], P[i], z_v[i, 0], z_v[i, 1], r_v[i, 0], r_v[i, 1], r_v[i, 2])


def smooth(
    time_ns: npt.NDArray[np.int64], x: FloatArray, P: FloatArray, *, q: float
) -> tuple[FloatArray, FloatArray]:
    """Smooth one track's filtered states.

    Args:
        time_ns: (n,) times of applicability, not decreasing.
        x, P: (n, 4), (n, 4, 4) filtered states, as from `filter_series`; unchanged.
        q: acceleration PSD that the filter used, m^2/s^3, > 0.

    Returns:
        x (n, 4), P (n, 4, 4): each state given every report of the track. The last equals the filter's.

    Raises:
        ShapeError: shapes that differ, or decreasing times.
    """
    n = len(time_ns)
    if x.shape != (n, 4) or P.shape != (n, 4, 4):
        raise ShapeError(f"states: expected shapes ({n}, 4) and ({n}, 4, 4), got {x.shape} and {P.shape}")
    gap_s = np.diff(time_ns) / NS_PER_S
    if (gap_s < 0.0).any():
        raise ShapeError("time_ns: times go backwards")
    xs, Ps = x.copy(), P.copy()
    _backward(gap_s, x, P, q, xs, Ps)
    return xs, Ps


@njit(cache=True, nogil=True)
def _backward(
    gap_s: FloatArray, x: FloatArray, P: FloatArray, q: float, xs: FloatArray, Ps: FloatArray
) -> None:
    for i in range(x.shape[0] - 2, -1, -1):
        bridge(x[i], P[i], xs[i + 1], Ps[i + 1], gap_s[i], 0.0, q, xs[i], Ps[i])
