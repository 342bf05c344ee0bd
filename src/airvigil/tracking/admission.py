"""Reports become credible track points: judged row by row, then filtered.

For each row of one track, in time order: identity and velocity are remembered; a position is rejected,
or judged (`plausibility`) and marked credible, degraded or not credible with the reason; what is
believed goes through the motion filter. The result of a row depends on the rows before it in the same
track and on nothing else, so it does not matter how rows were batched or which tracks share a batch.

Rules
- A position that is not credible never touches the filter.
- The error given out is the filter's plus the part of the sensor's error that does not average out
  (`white_share` of the settings): ten reports of one biased receiver are not ten independent witnesses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.tracking import plausibility as pl
from airvigil.tracking import verdicts
from airvigil.tracking.belief import Covariance, believe
from airvigil.tracking.motion import Motion
from airvigil.tracking.points import POINT, describe, disbelieve, motion_at
from airvigil.tracking.rows import Rows
from airvigil.tracking.track_table import NEVER, TrackTable, blank_tracks
from airvigil.units import EPU_TO_SIGMA

FloatArray = npt.NDArray[np.float64]
NS = 1e-9


MAX_CLIMB_MPS = 400.0  # over the best climb of any aircraft in service, about 330 m/s
HEIGHT_SLACK_M = 300.0  # steps of 100 ft, and two sensors' errors

# 95 % horizontal bounds by category; ICAO Doc 9871 table B-2-39 (NACp). Index: category.
EPU_M = np.array([np.nan, 18520.0, 7408.0, 3704.0, 1852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0])


@njit(cache=True, nogil=True)
def accuracy_of(row: Any, assumed: Any) -> tuple[Covariance, int]:
    """The 1-sigma covariance of a row's position, m^2, and 1 if it is the settings' default, else 0.

    From the sensor's own covariance, else NACp (95 % radius), else Rc (taken as twice the 95 % radius),
    else the settings' default.
    """
    if row["cov_ee"] > 0.0 and row["cov_nn"] > 0.0:
        cross = 0.0 if math.isnan(row["cov_en"]) else row["cov_en"]
        return Covariance(row["cov_ee"], cross, row["cov_nn"]), 0
    default = 0
    sigma = assumed["sigma_m"]
    if 1 <= row["nac_p"] <= 11:
        sigma = EPU_M[row["nac_p"]] / EPU_TO_SIGMA
    elif row["rc_m"] > 0.0:
        sigma = row["rc_m"] / 2.0 / EPU_TO_SIGMA
    else:
        default = 1
    return Covariance(sigma * sigma, 0.0, sigma * sigma), default


@njit(cache=True, nogil=True)
def reachable_height(height: float, known: float, then: int, now: int) -> bool:
    """Whether a height can follow a fresh known one; a wild one (a garbled reply) is passed over."""
    if math.isnan(height):
        return False
    fresh = pl.latest(known, then, now)
    return math.isnan(fresh) or abs(height - fresh) <= MAX_CLIMB_MPS * (now - then) * NS + HEIGHT_SLACK_M


@njit(cache=True, nogil=True)
def remember(row: Any, track: Any, limits: Any) -> None:
    """Identity, velocity and heights of any row."""
    now = row["time"]
    track["heard"] = max(track["heard"], now)
    if row["callsign"] != 0:
        track["callsign"] = row["callsign"]
    if row["squawk"] != 0:
        track["squawk"] = row["squawk"]
    if row["is_state"] >= 0:
        track["is_state"] = row["is_state"]
    if not math.isnan(row["speed_mps"]):
        if row["speed_mps"] != track["speed_mps"] or row["track_angle_deg"] != track["track_angle_deg"]:
            track["velocity_time"] = now
        track["speed_mps"] = row["speed_mps"]
        track["track_angle_deg"] = row["track_angle_deg"]
        track["speed_time"] = now
    height = row["pressure_altitude_m"]
    if reachable_height(height, track["pressure_altitude_m"], track["pressure_altitude_time"], now):
        track["pressure_altitude_m"] = height
        track["pressure_altitude_time"] = now
    height = row["geometric_height_m"]
    if reachable_height(height, track["geometric_height_m"], track["geometric_height_time"], now):
        track["geometric_height_m"] = height
        track["geometric_height_time"] = now
    if not math.isnan(row["height_msl_m"]):
        track["height_msl_m"] = row["height_msl_m"]
        track["height_msl_time"] = now


@njit(cache=True, nogil=True)
def judge(
    row: Any,
    when: int,
    track: Any,
    way: pl.Way,
    m: Motion,
    cov: Covariance,
    assumed: Any,
    limits: Any,
) -> tuple[int, int]:
    """(chain, reason) of a position: which chain it continues, and what speaks against it.

    `chain` is NEW_CHAIN with reason NONE or a low-quality mark where a believed chain is to be begun.
    """
    sigma = math.sqrt(0.5 * (cov.ee + cov.nn))
    stated = pl.stated_quality(row, limits)
    if track["chain_start"] == NEVER:
        pl.watch_speed(row, track, when, sigma, assumed["clock_sigma_s"], limits)
        return (pl.NEW_CHAIN, stated if stated != verdicts.NONE else verdicts.UNCONFIRMED)
    gap_s = (when - track["time"]) * NS
    reach, side = pl.misfit_believed(track, way, m, gap_s, sigma, assumed["clock_sigma_s"], limits)
    other = pl.misfit_other(row, track, when, sigma, assumed["clock_sigma_s"], limits)
    chain = pl.chain_of(row, track, way, when, max(reach, side), other)
    pl.note_chain(row, track, when, chain, reach)
    duplicate = track["switches"] >= pl.SWITCHES_DUPLICATE and track["other_agreeing"] >= 3
    if chain != pl.BELIEVED:
        if pl.other_takes_over(track, when, limits):
            track["window_time"] = NEVER  # speeds are compared along one chain, never across a jump
            pl.watch_speed(row, track, when, sigma, assumed["clock_sigma_s"], limits)
            return (pl.NEW_CHAIN, stated if stated != verdicts.NONE else verdicts.REACQUIRED)
        return (pl.OTHER, verdicts.DUPLICATE_ADDRESS if duplicate else verdicts.IMPOSSIBLE_JUMP)
    pl.watch_speed(row, track, when, sigma, assumed["clock_sigma_s"], limits)
    slow = pl.slowness(row, track, limits)
    if slow == verdicts.TOO_SLOW_FOR_HEIGHT:
        return (chain, slow)
    if stated in (verdicts.ACCURACY_LOST, verdicts.INTEGRITY_LOST):
        return (chain, stated)
    if track["contradicts"] == 1 and row["on_ground"] != 1:
        return (chain, verdicts.SPEED_CONTRADICTS)
    if duplicate:
        return (chain, verdicts.DUPLICATE_ADDRESS)
    if slow != verdicts.NONE:
        return (chain, slow)
    if gap_s > pl.REACQUIRE_S:
        return (chain, verdicts.REACQUIRED)
    if track["agreeing"] == 0:
        return (chain, verdicts.UNCONFIRMED)
    return (chain, stated)


@njit(cache=True, nogil=True)
def integrity_of(chain: int, reason: int) -> int:
    """How far a position with this reason is believed."""
    if chain == pl.OTHER:
        return verdicts.NOT_CREDIBLE
    if reason == verdicts.NONE:
        return verdicts.CREDIBLE
    if reason in (
        verdicts.ACCURACY_LOST,
        verdicts.INTEGRITY_LOST,
        verdicts.SPEED_CONTRADICTS,
        verdicts.TOO_SLOW_FOR_HEIGHT,
    ):
        return verdicts.NOT_CREDIBLE
    return verdicts.DEGRADED


@njit(cache=True, nogil=True)
def forget_track(tracks: Rows, slot: int, blank: Rows) -> None:
    """Nothing is known any more, also where the slot was kept; `interference` has a rule of its own for its place."""
    track = tracks[slot]
    time, lat, lon = track["credible_time"], track["credible_lat"], track["credible_lon"]
    tracks[slot] = blank[0]
    track["credible_time"], track["credible_lat"], track["credible_lon"] = time, lat, lon


@njit(cache=True, nogil=True)
def antenna_of(receivers: FloatArray, sensor: int) -> pl.Antenna:
    """Where a sensor's receiver stands."""
    return pl.Antenna(receivers[sensor, 0], receivers[sensor, 1], receivers[sensor, 2])


@njit(cache=True, nogil=True)
def admit_rows(
    rows: Rows,
    tracks: Rows,
    receivers: FloatArray,
    sensors: Rows,
    limit_table: Rows,
    blank: Rows,
    rejects: Any,
    points: Rows,
) -> int:
    """Judge and filter rows in their order; returns the number of points made.

    Args:
        rows: (n,) ROW by slot, time and tie; `slot` indexes tracks, `sensor` indexes receivers.
        tracks: (slots,) TRACK; changed.
        receivers: (sensors, 3) antenna latitude_deg, longitude_deg, height_m; NaN: no horizon test.
        sensors: (kinds,) SENSOR, assumed quality.
        limit_table: (1,) LIMIT.
        blank: (1,) TRACK, a track of which nothing is known.
        rejects: (n,) int8 out: verdicts.USED or a reject code.
        points: (n,) POINT out.
    """
    made = 0
    limits = limit_table[0]
    for i in range(len(rows)):
        row = rows[i]
        if (row["time"] - tracks[row["slot"]]["heard"]) * NS > limits["memory_s"]:
            forget_track(tracks, row["slot"], blank)
        track = tracks[row["slot"]]
        assumed = sensors[row["kind"]]
        rejects[i] = verdicts.USED
        if math.isnan(row["lat"]):
            remember(row, track, limits)
            continue
        when = row["last_position"] if 0 <= row["last_position"] < row["time"] else row["time"]
        rejects[i] = pl.reject_of(row, track, when, antenna_of(receivers, row["sensor"]), limits)
        remember(row, track, limits)
        if rejects[i] != verdicts.USED:
            continue
        if track["start"] == NEVER or (row["time"] - track["raw_known"]) * NS > limits["timeout_s"]:
            track["start"] = when
        cov, default = accuracy_of(row, assumed)
        way, before = pl.way_to(row, track), motion_at(track)
        chain, reason = judge(row, when, track, way, before, cov, assumed, limits)
        integrity = integrity_of(chain, reason)
        point = points[made]
        point["bias_m"] = assumed["bias_m"] if math.isnan(row["bias_m"]) else row["bias_m"]
        point["gva"] = row["gva"]
        point["clock_s"] = assumed["clock_sigma_s"]
        point["assumed"] = default
        if integrity != verdicts.NOT_CREDIBLE:
            believe(row, when, chain, track, way, before, cov, assumed, limits, point)
        else:
            disbelieve(row, point)
        describe(row, i, when, track, integrity, reason, point)
        if row["lat"] != track["raw_lat"] or row["lon"] != track["raw_lon"]:
            track["raw_since"] = when
        track["raw_time"] = when
        track["raw_known"] = row["time"]
        track["raw_lat"], track["raw_lon"] = row["lat"], row["lon"]
        made += 1
    return made


def admit(
    rows: Rows, table: TrackTable, receivers: FloatArray, sensors: Rows, limits: Rows
) -> tuple[Any, Rows]:
    """Reject codes of the rows and the track points that they make.

    Args:
        rows: (n,) ROW by slot, time and tie; `slot` indexes the table.
        table: changed.
        receivers, sensors, limits: as `admit_rows`.

    Returns:
        ((n,) int8 reject codes, (m,) POINT by slot and time).
    """
    rejects = np.zeros(len(rows), dtype=np.int8)
    points = np.empty(len(rows), POINT)
    made = admit_rows(
        rows,
        table.records,
        receivers,
        sensors,
        limits,
        blank_tracks(1),
        rejects,
        points,
    )
    return rejects, points[:made]
