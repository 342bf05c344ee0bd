"""Taking a position into the believed chain: the motion filter, and the error that is given out.

Rules
- Only what admission believes comes here.
- The error given out is the filter's plus the part of the sensor's error that does not average out
  (`white_share` of the settings): ten reports of one biased receiver are not ten independent witnesses.
- In a turn the filter takes more process noise: one that lags behind a turn by kilometres and says so to
  hundreds of metres is worse than a noisy one. It is seen in the innovations, position by position.
- A velocity is used once, while it is fresh, and not where it contradicts the state beyond chance.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.tracking import plausibility as pl
from airvigil.tracking.filter import (
    cv_predict,
    cv_start,
    cv_update_position,
    cv_update_velocity,
    innovation_nis,
)
from airvigil.tracking.local_plane import convergence_rad, to_geodetic, to_local
from airvigil.tracking.track_table import LIMITS, NEVER, VELOCITY_SIGMA, WHITE
from airvigil.units import EPU_TO_SIGMA

FloatArray = npt.NDArray[np.float64]
NS = 1e-9

TIMEOUT = LIMITS.index("timeout_s")
NOISE = LIMITS.index("process_noise_m2_s3")
FAST = LIMITS.index("fast_speed_mps")

VELOCITY_FRESH_S = 3.0  # a velocity of another row counts for a position this much later ...
VELOCITY_AGEING_MPS2 = 3.0  # ... less certain by what an airliner's turn changes in that time
VELOCITY_GATE = 36.0  # squared distance of 6 sigma: beyond chance (1.5e-8 for two components)
# A turn is seen in innovations that stay larger than straight flight explains. Half the normalised innovation
# squared has mean 1 and standard deviation 1 in straight flight; its fading mean over some five positions 0.33.
SURPRISE_KEPT = 0.8
SURPRISE_MOST = (
    8.0  # of one position, so that one wrong position is soon forgotten; a hard turn may begin in one
)
SURPRISE_TURN = (
    1.5  # fading mean above this: 1.5 sigma; taking noise for a turn costs little, the reverse kilometres
)
TURN_NOISE_RATIO = (
    300.0  # process noise in a turn, against straight flight: 3,000 m^2/s^3 is 1 g held for 30 s
)
START_VELOCITY_SIGMA_MPS = (
    150.0  # per axis, before any velocity is known: airliners fly 250 m/s in some direction
)
# 95 % bounds by category; ICAO Doc 9871 table B-2-25 (NACv). Index: category.
VELOCITY_95_MPS = np.array([np.nan, 10.0, 3.0, 1.0, 0.3])


@njit(cache=True, nogil=True)
def velocity_variance(row: Any, assumed: FloatArray) -> float:
    """Per-axis variance of a reported velocity, m^2/s^2."""
    if 1 <= row["nac_v"] <= 4:
        return (VELOCITY_95_MPS[row["nac_v"]] / EPU_TO_SIGMA) ** 2
    return assumed[VELOCITY_SIGMA] * assumed[VELOCITY_SIGMA]


@njit(cache=True, nogil=True)
def fuse_velocity(
    row: Any, since: int, track: Any, x: FloatArray, P: FloatArray, assumed: FloatArray
) -> None:
    """Let the believed state have a velocity reported after `since` and still fresh.

    Each is used once: sources repeat old velocities. One that contradicts the state beyond chance is left
    out: a wrong velocity would make the next true position look like a jump.
    """
    age_s = (row["time"] - track["velocity_time"]) * NS
    if track["velocity_time"] <= since or age_s > VELOCITY_FRESH_S:
        return
    if math.isnan(track["speed_mps"]) or math.isnan(track["track_angle_deg"]):
        return
    angle = math.radians(track["track_angle_deg"])
    variance = velocity_variance(row, assumed) + (VELOCITY_AGEING_MPS2 * age_s) ** 2
    v_e, v_n = track["speed_mps"] * math.sin(angle), track["speed_mps"] * math.cos(angle)
    s_ee, s_en, s_nn = P[2, 2] + variance, P[2, 3], P[3, 3] + variance
    d_e, d_n = v_e - x[2], v_n - x[3]
    misfit = (s_nn * d_e * d_e - 2.0 * s_en * d_e * d_n + s_ee * d_n * d_n) / (s_ee * s_nn - s_en * s_en)
    if misfit <= VELOCITY_GATE:
        cv_update_velocity(x, P, v_e, v_n, variance, 0.0, variance)


@njit(cache=True, nogil=True)
def recentre(track: Any, x: FloatArray, angle: float) -> None:
    """Move the plane's origin to the filtered position; turn the velocity to the new north."""
    track["lat"], track["lon"] = to_geodetic(track["lat"], track["lon"], x[0], x[1])
    c, s = math.cos(angle), math.sin(angle)
    x[0] = x[1] = 0.0
    x[2], x[3] = c * x[2] + s * x[3], c * x[3] - s * x[2]


@njit(cache=True, nogil=True)
def start_chain(
    row: Any, when: int, track: Any, x: FloatArray, P: FloatArray, cov: FloatArray, limits: FloatArray
) -> None:
    """Begin the believed chain at this row; where it replaces another one, a new track begins with it."""
    if track["chain_start"] != NEVER and (when - track["time"]) * NS <= limits[TIMEOUT]:
        track["start"] = when
    track["chain_start"] = when
    track["agreeing"] = 1
    track["other_agreeing"] = 0
    track["switches"] = 0
    track["surprise"] = 1.0
    track["time"] = when
    track["lat"], track["lon"] = row["lat"], row["lon"]
    cv_start(x, P, 0.0, 0.0, cov[0], cov[1], cov[2], START_VELOCITY_SIGMA_MPS)


@njit(cache=True, nogil=True)
def continue_chain(
    row: Any, when: int, track: Any, x: FloatArray, P: FloatArray, cov: FloatArray, noise: float
) -> float:
    """Predict the believed chain to this row and fuse its position; returns the process noise that it took."""
    e, n = to_local(track["lat"], track["lon"], row["lat"], row["lon"])
    angle = convergence_rad(track["lat"], track["lon"], row["lat"], row["lon"])
    gap_s = (when - track["time"]) * NS
    x_straight, P_straight = x.copy(), P.copy()
    cv_predict(x_straight, P_straight, gap_s, noise)
    nis = innovation_nis(x_straight, P_straight, e, n, cov[0], cov[1], cov[2])
    track["surprise"] = SURPRISE_KEPT * track["surprise"] + (1.0 - SURPRISE_KEPT) * min(
        0.5 * nis, SURPRISE_MOST
    )
    if track["surprise"] > SURPRISE_TURN:
        noise *= TURN_NOISE_RATIO
    cv_predict(x, P, gap_s, noise)
    cv_update_position(x, P, e, n, cov[0], cov[1], cov[2])
    recentre(track, x, -angle)
    track["time"] = when
    track["agreeing"] += 1
    return noise


@njit(cache=True, nogil=True)
def believe(
    row: Any,
    when: int,
    chain: int,
    track: Any,
    x: FloatArray,
    P: FloatArray,
    cov: FloatArray,
    assumed: FloatArray,
    limits: FloatArray,
    point: Any,
) -> None:
    """Take a position into the believed chain and keep the state before it, for the path between."""
    silent = track["chain_start"] == NEVER or (row["time"] - track["known"]) * NS > limits[TIMEOUT]
    white = np.empty(3)
    for k in range(3):
        white[k] = cov[k] * assumed[WHITE] * assumed[WHITE]
    slow = 0.5 * (cov[0] + cov[2]) * (1.0 - assumed[WHITE] * assumed[WHITE])
    point["before"] = NEVER
    if silent or chain == pl.NEW_CHAIN:
        start_chain(row, when, track, x, P, white, limits)
    else:
        lat, lon, then = track["lat"], track["lon"], track["time"]
        x_before, P_before = x.copy(), P.copy()
        point["noise"] = continue_chain(row, when, track, x, P, white, limits[NOISE])
        point["before"] = then
        e, n = to_local(track["lat"], track["lon"], lat, lon)
        x_before[0], x_before[1] = e, n
        point["x_before"][:] = x_before
        point["P_before"][:, :] = P_before
    # what a biased sensor moved stays moved: the bound of one sensor is not undone by another one's report
    forgotten = (row["time"] - track["bias_time"]) * NS > limits[TIMEOUT]
    if forgotten or not track["bias_m"] > point["bias_m"]:
        track["bias_m"] = point["bias_m"]
        track["bias_time"] = row["time"]
    point["bias_m"] = track["bias_m"]
    track["known"] = row["time"]
    fuse_velocity(row, point["before"], track, x, P, assumed)
    if track["speed_mps"] > limits[FAST] and row["time"] - track["speed_time"] <= pl.FRESH_NS:
        track["fast_time"] = row["time"]
    point["x"][:] = x
    point["P"][:, :] = P
    point["lat"], point["lon"] = track["lat"], track["lon"]
    point["cov_ee"], point["cov_en"], point["cov_nn"] = P[0, 0] + slow, P[0, 1], P[1, 1] + slow
    point["slow_var"] = slow
    speed = math.hypot(x[2], x[3])
    point["speed_mps"] = speed
    if speed > 1.0:
        along = (x[2] * x[2] * P[2, 2] + 2.0 * x[2] * x[3] * P[2, 3] + x[3] * x[3] * P[3, 3]) / (
            speed * speed
        )
        point["speed_sigma_mps"] = math.sqrt(max(0.0, along))
        point["track_angle_deg"] = math.degrees(math.atan2(x[2], x[3])) % 360.0
