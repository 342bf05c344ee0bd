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
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from airvigil.tracking import plausibility as pl
from airvigil.tracking.local_plane import Leg, leg_back, leg_local, turn_along, walk
from airvigil.tracking.motion import Motion, predicted, predicted_nis, started, with_position, with_velocity
from airvigil.tracking.plausibility import Way
from airvigil.tracking.points import keep_motion, keep_motion_before
from airvigil.tracking.track_table import NEVER
from airvigil.units import EPU_TO_SIGMA

NS = 1e-9


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


class Covariance(NamedTuple):
    """Of a position, m^2."""

    ee: float
    en: float
    nn: float


@njit(cache=True, nogil=True)
def velocity_variance(row: Any, assumed: Any) -> float:
    """Per-axis variance of a reported velocity, m^2/s^2."""
    if 1 <= row["nac_v"] <= 4:
        return (VELOCITY_95_MPS[row["nac_v"]] / EPU_TO_SIGMA) ** 2
    return assumed["velocity_sigma_mps"] * assumed["velocity_sigma_mps"]


@njit(cache=True, nogil=True)
def with_reported_velocity(row: Any, since: int, track: Any, m: Motion, assumed: Any) -> Motion:
    """The believed state with a velocity reported after `since` and still fresh, if there is one.

    Each is used once: sources repeat old velocities. One that contradicts the state beyond chance is left
    out: a wrong velocity would make the next true position look like a jump.
    """
    age_s = (row["time"] - track["velocity_time"]) * NS
    if track["velocity_time"] <= since or age_s > VELOCITY_FRESH_S:
        return m
    if math.isnan(track["speed_mps"]) or math.isnan(track["track_angle_deg"]):
        return m
    angle = math.radians(track["track_angle_deg"])
    variance = velocity_variance(row, assumed) + (VELOCITY_AGEING_MPS2 * age_s) ** 2
    v_e, v_n = track["speed_mps"] * math.sin(angle), track["speed_mps"] * math.cos(angle)
    s_ee, s_en, s_nn = m.p22 + variance, m.p23, m.p33 + variance
    d_e, d_n = v_e - m.ve, v_n - m.vn
    misfit = (s_nn * d_e * d_e - 2.0 * s_en * d_e * d_n + s_ee * d_n * d_n) / (s_ee * s_nn - s_en * s_en)
    if misfit <= VELOCITY_GATE:
        fused, _ = with_velocity(m, v_e, v_n, variance, 0.0, variance)
        return fused
    return m


@njit(cache=True, nogil=True)
def recentred(track: Any, m: Motion, way: Way) -> tuple[Motion, Leg]:
    """Move the plane's origin to the filtered position; turn the velocity to the new north.

    Returns:
        The state, and the leg from the old origin to the new one.
    """
    origin = way.leg
    track["lat"], track["lon"], moved = walk(
        track["lat"], track["lon"], origin.sin_lat0, origin.cos_lat0, m.e, m.n
    )
    c, s = turn_along(origin)
    ve, vn = c * m.ve - s * m.vn, c * m.vn + s * m.ve
    return Motion(
        0.0, 0.0, ve, vn, m.p00, m.p01, m.p02, m.p03, m.p11, m.p12, m.p13, m.p22, m.p23, m.p33
    ), moved


@njit(cache=True, nogil=True)
def start_chain(row: Any, when: int, track: Any, cov: Covariance, limits: Any) -> Motion:
    """Begin the believed chain at this row; where it replaces another one, a new track begins with it."""
    if track["chain_start"] != NEVER and (when - track["time"]) * NS <= limits["timeout_s"]:
        track["start"] = when
    track["chain_start"] = when
    track["agreeing"] = 1
    track["other_agreeing"] = 0
    track["switches"] = 0
    track["surprise"] = 1.0
    track["time"] = when
    track["lat"], track["lon"] = row["lat"], row["lon"]
    return started(0.0, 0.0, cov.ee, cov.en, cov.nn, START_VELOCITY_SIGMA_MPS)


@njit(cache=True, nogil=True)
def continue_chain(
    when: int, track: Any, way: Way, m: Motion, cov: Covariance, noise: float
) -> tuple[Motion, float, Leg]:
    """Predict the believed chain to a row and fuse its position.

    Returns:
        The state, the process noise that it took, and the leg from the filtered position before to that after it.
    """
    gap_s = (when - track["time"]) * NS
    nis = predicted_nis(m, gap_s, noise, way.east_m, way.north_m, cov.ee, cov.en, cov.nn)
    track["surprise"] = SURPRISE_KEPT * track["surprise"] + (1.0 - SURPRISE_KEPT) * min(
        0.5 * nis, SURPRISE_MOST
    )
    if track["surprise"] > SURPRISE_TURN:
        noise *= TURN_NOISE_RATIO
    fused, _ = with_position(predicted(m, gap_s, noise), way.east_m, way.north_m, cov.ee, cov.en, cov.nn)
    after, moved = recentred(track, fused, way)
    track["time"] = when
    track["agreeing"] += 1
    return after, noise, moved


@njit(cache=True, nogil=True)
def note_velocity(m: Motion, point: Any) -> None:
    """Speed, its sigma and direction of the filtered state; unknown direction where it hardly moves."""
    speed = math.sqrt(m.ve * m.ve + m.vn * m.vn)
    point["speed_mps"] = speed
    point["speed_sigma_mps"] = point["track_angle_deg"] = math.nan
    if speed > 1.0:
        along = (m.ve * m.ve * m.p22 + 2.0 * m.ve * m.vn * m.p23 + m.vn * m.vn * m.p33) / (speed * speed)
        point["speed_sigma_mps"] = math.sqrt(max(0.0, along))
        angle = math.degrees(math.atan2(m.ve, m.vn))
        point["track_angle_deg"] = angle + 360.0 if angle < 0.0 else angle + 0.0


@njit(cache=True, nogil=True)
def believe(
    row: Any,
    when: int,
    chain: int,
    track: Any,
    way: Way,
    before: Motion,
    cov: Covariance,
    assumed: Any,
    limits: Any,
    point: Any,
) -> None:
    """Take a position into the believed chain and keep the state before it, for the path between."""
    silent = track["chain_start"] == NEVER or (row["time"] - track["known"]) * NS > limits["timeout_s"]
    share = assumed["white_share"]
    white = Covariance(cov.ee * share * share, cov.en * share * share, cov.nn * share * share)
    slow = 0.5 * (cov.ee + cov.nn) * (1.0 - share * share)
    keep_motion_before(before, point)
    if silent or chain == pl.NEW_CHAIN:
        m = start_chain(row, when, track, white, limits)
        point["before"], point["noise"] = NEVER, math.nan
    else:
        point["before"] = track["time"]
        m, point["noise"], moved = continue_chain(
            when, track, way, before, white, limits["process_noise_m2_s3"]
        )
        point["before_e"], point["before_n"] = leg_local(leg_back(moved))
    # what a biased sensor moved stays moved: the bound of one sensor is not undone by another one's report
    forgotten = (row["time"] - track["bias_time"]) * NS > limits["timeout_s"]
    if forgotten or not track["bias_m"] > point["bias_m"]:
        track["bias_m"] = point["bias_m"]
        track["bias_time"] = row["time"]
    point["bias_m"] = track["bias_m"]
    track["known"] = row["time"]
    m = with_reported_velocity(row, point["before"], track, m, assumed)
    if track["speed_mps"] > limits["fast_speed_mps"] and row["time"] - track["speed_time"] <= pl.FRESH_NS:
        track["fast_time"] = row["time"]
    keep_motion(m, track)
    keep_motion(m, point)
    point["lat"], point["lon"] = track["lat"], track["lon"]
    point["cov_ee"], point["cov_en"], point["cov_nn"] = m.p00 + slow, m.p01, m.p11 + slow
    point["slow_var"] = slow
    note_velocity(m, point)
