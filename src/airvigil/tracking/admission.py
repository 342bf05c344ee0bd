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
from airvigil.tracking.filter import cv_predict, cv_update_position, cv_update_velocity
from airvigil.tracking.local_plane import convergence_rad, to_geodetic, to_local
from airvigil.tracking.rows import Rows
from airvigil.tracking.track_table import LIMITS, NEVER, TrackTable
from airvigil.units import EPU_TO_SIGMA

FloatArray = npt.NDArray[np.float64]
NS = 1e-9

TIMEOUT = LIMITS.index("timeout_s")
NOISE = LIMITS.index("process_noise_m2_s3")
FAST = LIMITS.index("fast_speed_mps")
SIGMA, BIAS, CLOCK, WHITE, VELOCITY_SIGMA = range(5)

VELOCITY_FRESH_S = 3.0  # a velocity of another row counts for a position this much later ...
VELOCITY_AGEING_MPS2 = 3.0  # ... less certain by what an airliner's turn changes in that time
VELOCITY_GATE = 36.0  # squared distance of 6 sigma: beyond chance (1.5e-8 for two components)
START_VELOCITY_SIGMA_MPS = (
    150.0  # per axis, before any velocity is known: airliners fly 250 m/s in some direction
)

# 95 % horizontal bounds by category; ICAO Doc 9871 table B-2-39 (NACp), B-2-25 (NACv). Index: category.
EPU_M = np.array([np.nan, 18520.0, 7408.0, 3704.0, 1852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0])
VELOCITY_95_MPS = np.array([np.nan, 10.0, 3.0, 1.0, 0.3])

POINT = np.dtype(
    [
        ("row", "i8"),  # index into the rows given
        ("slot", "i4"),
        ("start", "i8"),  # ns, first position of the track: tells tracks of one slot apart
        ("time", "i8"),  # ns, of the position
        ("known", "i8"),  # ns, time of the row that told it
        ("lat", "f8"),  # filtered; as reported where not credible
        ("lon", "f8"),
        ("cov_ee", "f8"),  # m^2, total random error; NaN where not credible
        ("cov_en", "f8"),
        ("cov_nn", "f8"),
        ("slow_var", "f8"),  # m^2, the part of cov that does not average out
        ("bias_m", "f8"),
        ("clock_s", "f8"),
        ("speed_mps", "f8"),
        ("speed_sigma_mps", "f8"),
        ("track_angle_deg", "f8"),
        ("pressure_altitude_m", "f8"),
        ("geometric_height_m", "f8"),
        ("height_msl_m", "f8"),
        ("integrity", "i1"),
        ("reason", "i1"),
        ("assumed", "i1"),  # 1: the accuracy is the settings' default, not the report's
        ("on_ground", "i1"),
        ("is_state", "i1"),
        ("is_reconstruction", "i1"),
        ("sensor", "i4"),
        ("kind", "i1"),
        ("callsign", "u8"),
        ("squawk", "u4"),
        ("before", "i8"),  # ns, believed point before this one; NEVER: none within the timeout
        ("x", "f8", (4,)),  # filtered state, plane with origin at lat, lon
        ("P", "f8", (4, 4)),
        ("x_before", "f8", (4,)),  # filtered state of the point before, in the same plane
        ("P_before", "f8", (4, 4)),
    ]
)


@njit(cache=True, nogil=True)
def accuracy_of(row: Any, assumed: FloatArray, out: FloatArray) -> int:
    """The 1-sigma covariance of a row's position into out (3,): ee, en, nn in m^2.

    From the sensor's own covariance, else NACp (95 % radius), else Rc (taken as twice the 95 % radius),
    else the settings' default.

    Returns:
        1 if it is the default, else 0.
    """
    if row["cov_ee"] > 0.0 and row["cov_nn"] > 0.0:
        out[0], out[2] = row["cov_ee"], row["cov_nn"]
        out[1] = 0.0 if math.isnan(row["cov_en"]) else row["cov_en"]
        return 0
    default = 0
    sigma = assumed[SIGMA]
    if 1 <= row["nac_p"] <= 11:
        sigma = EPU_M[row["nac_p"]] / EPU_TO_SIGMA
    elif row["rc_m"] > 0.0:
        sigma = row["rc_m"] / 2.0 / EPU_TO_SIGMA
    else:
        default = 1
    out[0] = out[2] = sigma * sigma
    out[1] = 0.0
    return default


@njit(cache=True, nogil=True)
def remember(row: Any, track: Any, limits: FloatArray) -> None:
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
    if not math.isnan(row["pressure_altitude_m"]):
        track["pressure_altitude_m"] = row["pressure_altitude_m"]
        track["pressure_altitude_time"] = now
    if not math.isnan(row["geometric_height_m"]):
        track["geometric_height_m"] = row["geometric_height_m"]
        track["geometric_height_time"] = now
    if not math.isnan(row["height_msl_m"]):
        track["height_msl_m"] = row["height_msl_m"]
        track["height_msl_time"] = now


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
    track["time"] = when
    track["lat"], track["lon"] = row["lat"], row["lon"]
    x[:] = 0.0
    P[:, :] = 0.0
    P[0, 0], P[0, 1], P[1, 0], P[1, 1] = cov[0], cov[1], cov[1], cov[2]
    P[2, 2] = P[3, 3] = START_VELOCITY_SIGMA_MPS * START_VELOCITY_SIGMA_MPS


@njit(cache=True, nogil=True)
def continue_chain(
    row: Any, when: int, track: Any, x: FloatArray, P: FloatArray, cov: FloatArray, noise: float
) -> None:
    """Predict the believed chain to this row and fuse its position."""
    e, n = to_local(track["lat"], track["lon"], row["lat"], row["lon"])
    angle = convergence_rad(track["lat"], track["lon"], row["lat"], row["lon"])
    cv_predict(x, P, (when - track["time"]) * NS, noise)
    cv_update_position(x, P, e, n, cov[0], cov[1], cov[2])
    recentre(track, x, -angle)
    track["time"] = when
    track["agreeing"] += 1


@njit(cache=True, nogil=True)
def judge(
    row: Any,
    when: int,
    track: Any,
    x: FloatArray,
    P: FloatArray,
    cov: FloatArray,
    assumed: FloatArray,
    limits: FloatArray,
) -> tuple[int, int]:
    """(chain, reason) of a position: which chain it continues, and what speaks against it.

    `chain` is NEW_CHAIN with reason NONE or a low-quality mark where a believed chain is to be begun.
    """
    sigma = math.sqrt(0.5 * (cov[0] + cov[2]))
    stated = pl.stated_quality(row, limits)
    if track["chain_start"] == NEVER:
        pl.watch_speed(row, track, when, sigma, assumed[CLOCK], limits)
        return (pl.NEW_CHAIN, stated if stated != verdicts.NONE else verdicts.UNCONFIRMED)
    gap_s = (when - track["time"]) * NS
    reach, side = pl.misfit_believed(row, track, x, P, gap_s, sigma, assumed[CLOCK], limits)
    other = pl.misfit_other(row, track, when, sigma, assumed[CLOCK], limits)
    chain = pl.chain_of(row, track, when, max(reach, side), other, limits)
    pl.note_chain(row, track, when, chain, reach)
    duplicate = track["switches"] >= pl.SWITCHES_DUPLICATE and track["other_agreeing"] >= 3
    if chain != pl.BELIEVED:
        if pl.other_takes_over(track, when, limits):
            track["window_time"] = NEVER  # speeds are compared along one chain, never across a jump
            pl.watch_speed(row, track, when, sigma, assumed[CLOCK], limits)
            return (pl.NEW_CHAIN, stated if stated != verdicts.NONE else verdicts.REACQUIRED)
        return (pl.OTHER, verdicts.DUPLICATE_ADDRESS if duplicate else verdicts.IMPOSSIBLE_JUMP)
    pl.watch_speed(row, track, when, sigma, assumed[CLOCK], limits)
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
        continue_chain(row, when, track, x, P, white, limits[NOISE])
        point["before"] = then
        e, n = to_local(track["lat"], track["lon"], lat, lon)
        x_before[0], x_before[1] = e, n
        point["x_before"][:] = x_before
        point["P_before"][:, :] = P_before
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


@njit(cache=True, nogil=True)
def describe(row: Any, index: int, when: int, track: Any, integrity: int, reason: int, point: Any) -> None:
    """Everything of a point that does not come from the filter."""
    point["row"] = index
    point["slot"] = row["slot"]
    point["start"] = track["start"]
    point["time"] = when
    point["known"] = row["time"]
    point["integrity"] = integrity
    point["reason"] = reason
    point["on_ground"] = row["on_ground"]
    point["is_state"] = track["is_state"]
    point["is_reconstruction"] = row["is_reconstruction"]
    point["sensor"] = row["sensor"]
    point["kind"] = row["kind"]
    point["callsign"] = track["callsign"]
    point["squawk"] = track["squawk"]
    now = row["time"]
    point["pressure_altitude_m"] = pl.latest(
        track["pressure_altitude_m"], track["pressure_altitude_time"], now
    )
    point["geometric_height_m"] = pl.latest(track["geometric_height_m"], track["geometric_height_time"], now)
    point["height_msl_m"] = pl.latest(track["height_msl_m"], track["height_msl_time"], now)


@njit(cache=True, nogil=True)
def admit_rows(
    rows: Rows,
    order: Any,
    tracks: Rows,
    x: FloatArray,
    P: FloatArray,
    receivers: FloatArray,
    sensors: FloatArray,
    limits: FloatArray,
    rejects: Any,
    points: Rows,
) -> int:
    """Judge and filter rows in the order given; returns the number of points made.

    Args:
        rows: (n,) ROW; `slot` indexes tracks, `sensor` indexes receivers.
        order: (n,) indices of rows, sorted by slot, then time, then tie.
        tracks, x, P: the track table; changed.
        receivers: (sensors, 3) antenna latitude_deg, longitude_deg, height_m; NaN: no horizon test.
        sensors: (kinds, 5) assumed quality.
        limits: as LIMITS.
        rejects: (n,) int8 out: verdicts.USED or a reject code.
        points: (n,) POINT out, NaN-filled.
    """
    made = 0
    cov = np.empty(3)
    for i in order:
        row = rows[i]
        track = tracks[row["slot"]]
        tx, tP = x[row["slot"]], P[row["slot"]]
        assumed = sensors[row["kind"]]
        rejects[i] = verdicts.USED
        if math.isnan(row["lat"]):
            remember(row, track, limits)
            continue
        when = row["last_position"] if 0 <= row["last_position"] < row["time"] else row["time"]
        rejects[i] = pl.reject_of(row, track, when, receivers[row["sensor"]], limits)
        remember(row, track, limits)
        if rejects[i] != verdicts.USED:
            continue
        if track["start"] == NEVER or (row["time"] - track["raw_known"]) * NS > limits[TIMEOUT]:
            track["start"] = when
        default = accuracy_of(row, assumed, cov)
        chain, reason = judge(row, when, track, tx, tP, cov, assumed, limits)
        integrity = integrity_of(chain, reason)
        point = points[made]
        point["lat"], point["lon"] = row["lat"], row["lon"]
        point["before"] = NEVER
        point["bias_m"] = assumed[BIAS] if math.isnan(row["bias_m"]) else row["bias_m"]
        point["clock_s"] = assumed[CLOCK]
        point["assumed"] = default
        if integrity != verdicts.NOT_CREDIBLE:
            believe(row, when, chain, track, tx, tP, cov, assumed, limits, point)
        describe(row, i, when, track, integrity, reason, point)
        if row["lat"] != track["raw_lat"] or row["lon"] != track["raw_lon"]:
            track["raw_since"] = when
        track["raw_time"] = when
        track["raw_known"] = row["time"]
        track["raw_lat"], track["raw_lon"] = row["lat"], row["lon"]
        made += 1
    return made


def admit(
    rows: Rows, table: TrackTable, receivers: FloatArray, sensors: FloatArray, limits: FloatArray
) -> tuple[Any, Rows]:
    """Reject codes of the rows and the track points that they make.

    Args:
        rows: (n,) ROW, any order; `slot` indexes the table.
        table: changed.
        receivers, sensors, limits: as `admit_rows`.

    Returns:
        ((n,) int8 reject codes, (m,) POINT by slot and time).
    """
    order = np.lexsort((rows["tie"], rows["time"], rows["slot"]))
    rejects = np.zeros(len(rows), dtype=np.int8)
    points = _blank_points(len(rows))
    made = admit_rows(
        rows, order, table.records, table.x, table.P, receivers, sensors, limits, rejects, points
    )
    return rejects, points[:made]


_FLOAT_FIELDS = tuple(
    name for name in (POINT.names or ()) if POINT[name].kind == "f" and not POINT[name].shape
)


def _blank_points(count: int) -> Rows:
    points = np.zeros(count, dtype=POINT)
    for name in _FLOAT_FIELDS:
        points[name] = np.nan
    return points
