"""Ground speed of a track after the fact: the smoother, which knows the later reports too.

For display only. A radar gives positions; their noise makes the live filter's speed jump about, and
three such lines cannot be read. The table of points has the reported and the filtered positions, so
the track is filtered once more in a plane and smoothed.

Rules
- The accuracy of the reports is taken from the track itself: for a Kalman filter the covariance of
  (report - filtered) is R - P, so R = P + that, averaged over the track.
- Where the live filter was already the more accurate (velocities were reported), its speed is shown.
- A silence longer than `GAP_S` cuts the track: nothing is smoothed across it.
- No number of a result comes from here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airvigil.exports.map_projection import LocalPlane
from airvigil.exports.run_view import FloatArray, Track
from airvigil.settings import load_settings
from airvigil.tracking.smoother import filter_series, smooth
from airvigil.units import NS_PER_S

GAP_S = 60.0
LEAST_POINTS = 8
START_SIGMA_MPS = 400.0  # before the first report nothing is known of the velocity


@dataclass(frozen=True)
class Speed:
    """Ground speed of a track's points. Arrays (n,), m/s, NaN = unknown."""

    value_mps: FloatArray
    sigma_mps: FloatArray
    is_smoothed: bool


def speed_after_the_fact(track: Track) -> Speed:
    """The smoothed speed where it is more accurate than the filter's, else the filter's."""
    live = Speed(track["ground_speed_mps"], track["ground_speed_sigma_mps"], False)
    smoothed = _smoothed(track)
    if smoothed is None:
        return live
    known = np.isfinite(live.sigma_mps)
    if known.any() and np.nanmedian(live.sigma_mps) <= np.nanmedian(smoothed.sigma_mps):
        return live
    return smoothed


def _smoothed(track: Track) -> Speed | None:
    names = ("covariance_ee_m2", "covariance_en_m2", "covariance_nn_m2")
    covariance = np.column_stack([track[name] for name in names])
    reported = np.column_stack([track["reported_latitude_deg"], track["reported_longitude_deg"]])
    filtered = np.column_stack([track["latitude_deg"], track["longitude_deg"]])
    fine = np.isfinite(np.hstack([covariance, reported, filtered])).all(axis=1) & track.credible
    if fine.sum() < LEAST_POINTS:
        return None
    plane = LocalPlane(float(filtered[fine, 0].mean()), float(filtered[fine, 1][0]))
    z, x = plane.forward(*reported[fine].T), plane.forward(*filtered[fine].T)
    residual = z - x
    r = covariance[fine].mean(axis=0) + np.array(
        [
            (residual[:, 0] ** 2).mean(),
            (residual[:, 0] * residual[:, 1]).mean(),
            (residual[:, 1] ** 2).mean(),
        ]
    )
    time_ns = track.time_ns[fine]
    q = load_settings().tracks.process_noise_m2_s3
    value, sigma = np.full(len(track), np.nan), np.full(len(track), np.nan)
    rows = np.flatnonzero(fine)
    for piece in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(time_ns) > GAP_S * NS_PER_S) + 1):
        if len(piece) < LEAST_POINTS:
            continue
        states, errors, _ = filter_series(
            time_ns[piece], z[piece], np.tile(r, (len(piece), 1)), q=q, sigma_v_mps=START_SIGMA_MPS
        )
        states, errors = smooth(time_ns[piece], states, errors, q=q)
        value[rows[piece]], sigma[rows[piece]] = _along(states[:, 2:], errors[:, 2:, 2:])
    return Speed(value, sigma, True) if np.isfinite(value).any() else None


def _along(velocity: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Speed and its sigma along the direction of motion."""
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    along = velocity / np.where(speed > 0.0, speed, 1.0)[:, None]
    variance = np.einsum("ni,nij,nj->n", along, covariance, along)
    return speed, np.sqrt(np.maximum(variance, 0.0))
