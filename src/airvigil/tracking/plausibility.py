"""Can this position be true? The physical tests of one row against what its track did before.

Each test is a function of the row and the track's record, decided row by row: never per batch, never
with later rows. What a test means and why it is physical stands in `verdicts`.

Two chains of positions are kept per track. The believed one grows by positions that its aircraft can
have reached. A position that it cannot have reached begins (or continues) the *other* chain, which is
not believed however smooth it is: a spoofed receiver reports smooth positions too. The believed chain
is given up for the other one only if it was too young to be trusted itself, or after `jump_forget_s`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.reports import SENSOR_KINDS
from airvigil.tracking import verdicts
from airvigil.tracking.local_plane import to_local
from airvigil.tracking.track_table import LIMITS
from airvigil.units import MEAN_EARTH_RADIUS_M, RADIO_EARTH_FACTOR

FloatArray = npt.NDArray[np.float64]

NS = 1e-9
# Tables of state vectors hold old velocities; one unchanged for longer than this says nothing of the positions.
STATE_VECTOR = SENSOR_KINDS.index("state_vector")
HELD_NS = 30_000_000_000
FRESH_NS = 10_000_000_000  # velocity and height of another row hold for a position this much later
REACQUIRE_S = 60.0  # a silence longer than this makes the next position one to confirm
SWITCHES_DUPLICATE = 6  # changes between the chains, each within SWITCH_WINDOW_NS, that mean two sources
SWITCH_WINDOW_NS = 60_000_000_000
OTHER_MATURE = 5  # agreeing positions after which the other chain can replace a young believed one
REPEAT_M = 30.0  # moving this far without a change of the position means that an old one is repeated; CPR steps are 5 m
MIN_EFFECTIVE_M = 100.0  # quantisation of positions and of time stamps below which nothing is a jump

MAX_SPEED = LIMITS.index("max_speed_mps")
ALONG = LIMITS.index("max_along_mps2")
ACROSS = LIMITS.index("max_across_mps2")
SIGMAS = LIMITS.index("gate_sigmas")
STALE = LIMITS.index("stale_after_s")
FORGET = LIMITS.index("jump_forget_s")
MATURE_N = LIMITS.index("mature_reports")
MATURE_S = LIMITS.index("mature_s")
WINDOW = LIMITS.index("speed_window_s")
TOLERANCE = LIMITS.index("speed_tolerance_mps")
TOLERANCE_RATIO = LIMITS.index("speed_tolerance_ratio")
SLOW_HEIGHT = LIMITS.index("slow_height_m")
SLOW_SPEED = LIMITS.index("slow_speed_mps")
GROUND_SPEED = LIMITS.index("ground_max_speed_mps")
GROUND_HEIGHT = LIMITS.index("ground_max_height_m")
HORIZON = LIMITS.index("radio_horizon_factor")
HORIZON_EXTRA = LIMITS.index("radio_horizon_extra_m")
CEILING = LIMITS.index("ceiling_m")
NAC_P = LIMITS.index("nac_p_credible")
NIC = LIMITS.index("nic_credible")
MEMORY = LIMITS.index("memory_s")

# Kinds whose positions come from the aircraft's own transmitter in line of sight, not by way of the ground.
HEARD_DIRECTLY = (SENSOR_KINDS.index("adsb"), SENSOR_KINDS.index("flarm"), SENSOR_KINDS.index("remote_id"))

BELIEVED, OTHER, NEW_CHAIN = 0, 1, 2


@njit(cache=True, nogil=True)
def great_circle_m(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Distance on the mean sphere, m; within 0.6 % of the geodesic, for gates only."""
    p0, p1 = math.radians(lat0), math.radians(lat1)
    s = math.sin((p1 - p0) / 2.0)
    t = math.sin(math.radians(lon1 - lon0) / 2.0)
    h = s * s + math.cos(p0) * math.cos(p1) * t * t
    return 2.0 * MEAN_EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


@njit(cache=True, nogil=True)
def latest(value: float, then: int, now: int) -> float:
    """A value of another row if it is still fresh, else NaN."""
    return value if 0 <= now - then <= FRESH_NS else math.nan


@njit(cache=True, nogil=True)
def own_height(row: Any) -> float:
    """Some height that the row itself has, m: pressure, else geometric, else over mean sea level; NaN none."""
    for value in (row["pressure_altitude_m"], row["geometric_height_m"], row["height_msl_m"]):
        if not math.isnan(value):
            return value
    return math.nan


@njit(cache=True, nogil=True)
def height_of(row: Any, track: Any) -> float:
    """Some height of the aircraft, m: the row's own or a fresh one; NaN unknown."""
    own = own_height(row)
    if not math.isnan(own):
        return own
    known = latest(track["pressure_altitude_m"], track["pressure_altitude_time"], row["time"])
    if not math.isnan(known):
        return known
    return latest(track["geometric_height_m"], track["geometric_height_time"], row["time"])


@njit(cache=True, nogil=True)
def reject_of(row: Any, track: Any, when: int, receiver: FloatArray, limits: FloatArray) -> int:
    """Why a position row cannot be used at all; `verdicts.USED` if it can.

    Args:
        row: ROW record with a position.
        track: TRACK record.
        when: ns, time of the position.
        receiver: (3,) latitude_deg, longitude_deg, height_m; NaN where there is no line of sight to test.
        limits: as LIMITS.
    """
    same = row["lat"] == track["raw_lat"] and row["lon"] == track["raw_lon"]
    if when < track["raw_time"] and not same:
        return verdicts.TIME_BACKWARDS
    # of one instant another place may be told by another sensor; the same place is the same report again
    if (row["time"] - when) * NS > limits[STALE] or (same and when <= track["raw_time"]):
        return verdicts.STALE_REPEAT
    speed = (
        row["speed_mps"]
        if not math.isnan(row["speed_mps"])
        else latest(track["speed_mps"], track["speed_time"], row["time"])
    )
    if same and row["on_ground"] != 1 and not speed * (when - track["raw_since"]) * NS < REPEAT_M:
        return verdicts.STALE_REPEAT
    # the row's own height: replies of aircraft on the ground carry heights that mean nothing
    if row["on_ground"] == 1 and (speed > limits[GROUND_SPEED] or own_height(row) > limits[GROUND_HEIGHT]):
        return verdicts.GROUND_AIR_CONFUSION
    if not math.isnan(receiver[0]) and row["kind"] in HEARD_DIRECTLY:
        height = height_of(row, track)
        above = max(0.0, limits[CEILING] if math.isnan(height) else height)
        radius = RADIO_EARTH_FACTOR * MEAN_EARTH_RADIUS_M
        reach = math.sqrt(2.0 * radius * max(0.0, receiver[2])) + math.sqrt(2.0 * radius * above)
        distance = great_circle_m(receiver[0], receiver[1], row["lat"], row["lon"])
        if distance > limits[HORIZON] * reach + limits[HORIZON_EXTRA]:
            return verdicts.BEYOND_RADIO_HORIZON
    return verdicts.USED


@njit(cache=True, nogil=True)
def misfit_believed(
    row: Any,
    track: Any,
    x: FloatArray,
    P: FloatArray,
    gap_s: float,
    sigma_m: float,
    clock_s: float,
    limits: FloatArray,
) -> tuple[float, float]:
    """(reach, side): how far outside the reach of the believed chain a position lies; <= 1 is reachable.

    Two bounds, both physical: the distance from the last position at the greatest speed the aircraft can
    have gained, and over short gaps the deviation from straight flight at the greatest side force.
    """
    speed = math.hypot(x[2], x[3])
    own = limits[SIGMAS] * math.sqrt(sigma_m * sigma_m + 0.5 * (P[0, 0] + P[1, 1]))
    slack = own + MIN_EFFECTIVE_M + 2.0 * clock_s * speed
    known = track["agreeing"] >= 2
    top = (
        min(limits[MAX_SPEED], speed + 3.0 * math.sqrt(0.5 * (P[2, 2] + P[3, 3])) + limits[ALONG] * gap_s)
        if known
        else limits[MAX_SPEED]
    )
    distance = great_circle_m(track["lat"], track["lon"], row["lat"], row["lon"])
    reach = distance / (top * gap_s + slack)
    side = 0.0
    if known and gap_s < REACQUIRE_S and distance < 100_000.0:
        e, n = to_local(track["lat"], track["lon"], row["lat"], row["lon"])
        spread = 3.0 * math.sqrt(0.5 * (P[2, 2] + P[3, 3])) * gap_s
        aside = math.hypot(e - x[2] * gap_s, n - x[3] * gap_s)
        side = aside / (0.5 * limits[ACROSS] * gap_s * gap_s + spread + slack)
    return reach, side


@njit(cache=True, nogil=True)
def misfit_other(
    row: Any, track: Any, when: int, sigma_m: float, clock_s: float, limits: FloatArray
) -> float:
    """The same for the chain that a jump began; infinite if there is none or it is forgotten."""
    gap_s = (when - track["other_time"]) * NS
    if track["other_agreeing"] == 0 or gap_s > limits[FORGET]:
        return math.inf
    speed = track["other_speed_mps"]
    top = limits[MAX_SPEED] if math.isnan(speed) else min(limits[MAX_SPEED], speed + limits[ALONG] * gap_s)
    slack = (
        limits[SIGMAS] * 1.5 * sigma_m
        + MIN_EFFECTIVE_M
        + 2.0 * clock_s * (0.0 if math.isnan(speed) else speed)
    )
    distance = great_circle_m(track["other_lat"], track["other_lon"], row["lat"], row["lon"])
    return distance / (top * gap_s + slack)


@njit(cache=True, nogil=True)
def chain_of(row: Any, track: Any, when: int, believed: float, other: float, limits: FloatArray) -> int:
    """Which chain a position continues. Where both could reach it, the nearer prediction has it."""
    if believed <= 1.0 and other <= 1.0:
        far = great_circle_m(track["lat"], track["lon"], row["lat"], row["lon"])
        near = great_circle_m(track["other_lat"], track["other_lon"], row["lat"], row["lon"])
        alive = (when - track["time"]) * NS < REACQUIRE_S
        return BELIEVED if alive or far <= near else OTHER
    if believed <= 1.0:
        return BELIEVED
    return OTHER if other <= 1.0 else NEW_CHAIN


@njit(cache=True, nogil=True)
def note_chain(row: Any, track: Any, when: int, chain: int, reach: float) -> None:
    """Keep the books of both chains: switches between them, and where the other one is.

    `reach` is the row's misfit in distance alone: a chain that begins within it was no jump, whatever turn it takes.
    """
    on_other = 0 if chain == BELIEVED else 1
    if on_other != track["on_other"]:
        recent = when - track["switch_time"] <= SWITCH_WINDOW_NS
        track["switches"] = track["switches"] + 1 if recent else 1
        track["switch_time"] = when
        track["on_other"] = on_other
    elif when - track["switch_time"] > SWITCH_WINDOW_NS:
        track["switches"] = 0
    if chain == BELIEVED:
        return
    if chain == NEW_CHAIN:
        track["other_start"] = when
        track["other_in_reach"] = 1 if reach <= 1.0 else 0
        track["other_agreeing"] = 0
        track["other_speed_mps"] = math.nan
    else:
        gap_s = (when - track["other_time"]) * NS
        if gap_s > 0.5:
            track["other_speed_mps"] = (
                great_circle_m(track["other_lat"], track["other_lon"], row["lat"], row["lon"]) / gap_s
            )
    track["other_agreeing"] += 1
    track["other_time"] = when
    track["other_lat"] = row["lat"]
    track["other_lon"] = row["lon"]


@njit(cache=True, nogil=True)
def other_takes_over(track: Any, when: int, limits: FloatArray) -> bool:
    """Whether the other chain replaces the believed one.

    Only if the believed one has been silent since the other began, and either was never mature (it was the
    artefact) or the other one began within its reach (its velocity was wrong, not the positions); or if it has
    been silent for so long that nothing is known any more.
    """
    silent_s = (when - track["time"]) * NS
    if silent_s > limits[FORGET]:
        return True
    lasted_s = (track["time"] - track["chain_start"]) * NS
    mature = track["agreeing"] >= limits[MATURE_N] and lasted_s >= limits[MATURE_S]
    replaceable = not mature or track["other_in_reach"] == 1
    return replaceable and track["other_agreeing"] >= OTHER_MATURE and track["time"] < track["other_start"]


@njit(cache=True, nogil=True)
def watch_speed(row: Any, track: Any, when: int, sigma_m: float, clock_s: float, limits: FloatArray) -> None:
    """Compare reported ground speed with the speed of the reported positions, a window at a time.

    The chord of a turn is shorter than the path, which the tolerance covers up to a half turn at the
    usual rates; the position's own error counts twice, at both ends.
    """
    speed = math.nan
    if row["kind"] != STATE_VECTOR or row["time"] - track["velocity_time"] <= HELD_NS:
        speed = latest(track["speed_mps"], track["speed_time"], row["time"])
    gap_s = (when - track["window_time"]) * NS
    nothing_told = gap_s >= limits[WINDOW] and track["window_speeds"] == 0
    if gap_s > 3.0 * limits[WINDOW] or gap_s < 0.0 or nothing_told:
        track["contradicts"] = 0
    elif gap_s >= limits[WINDOW] and track["window_speeds"] > 0:
        reported = track["window_speed_sum"] / track["window_speeds"]
        moved = great_circle_m(track["window_lat"], track["window_lon"], row["lat"], row["lon"]) / gap_s
        allowed = limits[TOLERANCE] + limits[TOLERANCE_RATIO] * reported
        allowed += (limits[SIGMAS] * 1.5 * sigma_m + 2.0 * clock_s * reported) / gap_s
        track["contradicts"] = 1 if abs(moved - reported) > allowed else 0
    if gap_s < 0.0 or gap_s >= limits[WINDOW]:
        track["window_time"] = when
        track["window_lat"] = row["lat"]
        track["window_lon"] = row["lon"]
        track["window_speed_sum"] = 0.0
        track["window_speeds"] = 0
    if not math.isnan(speed):
        track["window_speed_sum"] += speed
        track["window_speeds"] += 1


@njit(cache=True, nogil=True)
def stated_quality(row: Any, limits: FloatArray) -> int:
    """What the transmitter itself says against its position."""
    if row["nac_p"] == 0:
        return verdicts.ACCURACY_LOST
    if row["nic"] == 0 and row["nac_p"] < 0:
        return verdicts.INTEGRITY_LOST
    if 0 < row["nac_p"] < limits[NAC_P]:
        return verdicts.ACCURACY_LOW
    if 0 <= row["nic"] < limits[NIC]:
        return verdicts.INTEGRITY_LOW
    if row["sil"] == 0:
        return verdicts.SIL_UNKNOWN
    return verdicts.NONE


@njit(cache=True, nogil=True)
def slowness(row: Any, track: Any, limits: FloatArray) -> int:
    """Too slow for this height: no aeroplane that flies fast stays up so slowly; a balloon may."""
    speed = (
        row["speed_mps"]
        if not math.isnan(row["speed_mps"])
        else latest(track["speed_mps"], track["speed_time"], row["time"])
    )
    height = height_of(row, track)
    if row["on_ground"] == 1 or not (speed < limits[SLOW_SPEED] and height > limits[SLOW_HEIGHT]):
        return verdicts.NONE
    was_fast = (row["time"] - track["fast_time"]) * NS <= limits[MEMORY]
    return verdicts.TOO_SLOW_FOR_HEIGHT if was_fast else verdicts.SLOW_AT_HEIGHT
