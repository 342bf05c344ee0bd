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
from typing import Any, NamedTuple

from numba import njit

from airvigil.reports import SENSOR_KINDS
from airvigil.tracking import verdicts
from airvigil.tracking.local_plane import Leg, leg_between, leg_local
from airvigil.tracking.motion import Motion
from airvigil.units import MEAN_EARTH_RADIUS_M, RADIO_EARTH_FACTOR

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


class Antenna(NamedTuple):
    """Where a receiver stands."""

    latitude_deg: float
    longitude_deg: float
    height_m: float


class Way(NamedTuple):
    """From the believed chain's latest place to a row's: what several tests and the filter ask of it."""

    leg: Leg
    distance_m: float  # `great_circle_m`
    east_m: float  # `to_local`
    north_m: float


@njit(cache=True, nogil=True)
def way_to(row: Any, track: Any) -> Way:
    """The way to a row; NaN where the track has no believed chain."""
    leg = leg_between(track["lat"], track["lon"], row["lat"], row["lon"])
    east_m, north_m = leg_local(leg)
    return Way(leg, sphere_m(leg), east_m, north_m)


@njit(cache=True, nogil=True)
def sphere_m(leg: Leg) -> float:
    """`great_circle_m` along a leg."""
    s, t = leg.sin_half_dlat, leg.sin_half_dlon
    h = s * s + leg.cos_lat0 * leg.cos_lat1 * t * t
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
def reject_of(row: Any, track: Any, when: int, receiver: Antenna, limits: Any) -> int:
    """Why a position row cannot be used at all; `verdicts.USED` if it can.

    Args:
        row: ROW record with a position.
        track: TRACK record.
        when: ns, time of the position.
        receiver: NaN where there is no line of sight to test.
        limits: LIMIT record.
    """
    same = row["lat"] == track["raw_lat"] and row["lon"] == track["raw_lon"]
    if when < track["raw_time"] and not same:
        return verdicts.TIME_BACKWARDS
    # of one instant another place may be told by another sensor; the same place is the same report again
    if (row["time"] - when) * NS > limits["stale_after_s"] or (same and when <= track["raw_time"]):
        return verdicts.STALE_REPEAT
    speed = (
        row["speed_mps"]
        if not math.isnan(row["speed_mps"])
        else latest(track["speed_mps"], track["speed_time"], row["time"])
    )
    if same and row["on_ground"] != 1 and not speed * (when - track["raw_since"]) * NS < REPEAT_M:
        return verdicts.STALE_REPEAT
    # the row's own height: replies of aircraft on the ground carry heights that mean nothing
    if row["on_ground"] == 1 and (
        speed > limits["ground_max_speed_mps"] or own_height(row) > limits["ground_max_height_m"]
    ):
        return verdicts.GROUND_AIR_CONFUSION
    if not math.isnan(receiver.latitude_deg) and row["kind"] in HEARD_DIRECTLY:
        height = height_of(row, track)
        above = max(0.0, limits["ceiling_m"] if math.isnan(height) else height)
        radius = RADIO_EARTH_FACTOR * MEAN_EARTH_RADIUS_M
        reach = math.sqrt(2.0 * radius * max(0.0, receiver.height_m)) + math.sqrt(2.0 * radius * above)
        distance = great_circle_m(receiver.latitude_deg, receiver.longitude_deg, row["lat"], row["lon"])
        if distance > limits["radio_horizon_factor"] * reach + limits["radio_horizon_extra_m"]:
            return verdicts.BEYOND_RADIO_HORIZON
    return verdicts.USED


@njit(cache=True, nogil=True)
def misfit_believed(
    track: Any,
    way: Way,
    m: Motion,
    gap_s: float,
    sigma_m: float,
    clock_s: float,
    limits: Any,
) -> tuple[float, float]:
    """(reach, side): how far outside the reach of the believed chain a position lies; <= 1 is reachable.

    Two bounds, both physical: the distance from the last position at the greatest speed the aircraft can
    have gained, and over short gaps the deviation from straight flight at the greatest side force.
    """
    speed = math.sqrt(m.ve * m.ve + m.vn * m.vn)
    own = limits["gate_sigmas"] * math.sqrt(sigma_m * sigma_m + 0.5 * (m.p00 + m.p11))
    slack = own + MIN_EFFECTIVE_M + 2.0 * clock_s * speed
    known = track["agreeing"] >= 2
    top = (
        min(
            limits["max_speed_mps"],
            speed + 3.0 * math.sqrt(0.5 * (m.p22 + m.p33)) + limits["max_along_mps2"] * gap_s,
        )
        if known
        else limits["max_speed_mps"]
    )
    reach = way.distance_m / (top * gap_s + slack)
    side = 0.0
    if known and gap_s < REACQUIRE_S and way.distance_m < 100_000.0:
        spread = 3.0 * math.sqrt(0.5 * (m.p22 + m.p33)) * gap_s
        aside_e, aside_n = way.east_m - m.ve * gap_s, way.north_m - m.vn * gap_s
        aside = math.sqrt(aside_e * aside_e + aside_n * aside_n)
        side = aside / (0.5 * limits["max_across_mps2"] * gap_s * gap_s + spread + slack)
    return reach, side


@njit(cache=True, nogil=True)
def misfit_other(row: Any, track: Any, when: int, sigma_m: float, clock_s: float, limits: Any) -> float:
    """The same for the chain that a jump began; infinite if there is none or it is forgotten."""
    gap_s = (when - track["other_time"]) * NS
    if track["other_agreeing"] == 0 or gap_s > limits["jump_forget_s"]:
        return math.inf
    speed = track["other_speed_mps"]
    top = (
        limits["max_speed_mps"]
        if math.isnan(speed)
        else min(limits["max_speed_mps"], speed + limits["max_along_mps2"] * gap_s)
    )
    slack = (
        limits["gate_sigmas"] * 1.5 * sigma_m
        + MIN_EFFECTIVE_M
        + 2.0 * clock_s * (0.0 if math.isnan(speed) else speed)
    )
    distance = great_circle_m(track["other_lat"], track["other_lon"], row["lat"], row["lon"])
    return distance / (top * gap_s + slack)


@njit(cache=True, nogil=True)
def chain_of(row: Any, track: Any, way: Way, when: int, believed: float, other: float) -> int:
    """Which chain a position continues. Where both could reach it, the nearer prediction has it."""
    if believed <= 1.0 and other <= 1.0:
        near = great_circle_m(track["other_lat"], track["other_lon"], row["lat"], row["lon"])
        alive = (when - track["time"]) * NS < REACQUIRE_S
        return BELIEVED if alive or way.distance_m <= near else OTHER
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
def other_takes_over(track: Any, when: int, limits: Any) -> bool:
    """Whether the other chain replaces the believed one.

    Only if the believed one has been silent since the other began, and either was never mature (it was the
    artefact) or the other one began within its reach (its velocity was wrong, not the positions); or if it has
    been silent for so long that nothing is known any more.
    """
    silent_s = (when - track["time"]) * NS
    if silent_s > limits["jump_forget_s"]:
        return True
    lasted_s = (track["time"] - track["chain_start"]) * NS
    mature = track["agreeing"] >= limits["mature_reports"] and lasted_s >= limits["mature_s"]
    replaceable = not mature or track["other_in_reach"] == 1
    return replaceable and track["other_agreeing"] >= OTHER_MATURE and track["time"] < track["other_start"]


@njit(cache=True, nogil=True)
def watch_speed(row: Any, track: Any, when: int, sigma_m: float, clock_s: float, limits: Any) -> None:
    """Compare reported ground speed with the speed of the reported positions, a window at a time.

    The chord of a turn is shorter than the path, which the tolerance covers up to a half turn at the
    usual rates; the position's own error counts twice, at both ends.
    """
    speed = math.nan
    if row["kind"] != STATE_VECTOR or row["time"] - track["velocity_time"] <= HELD_NS:
        speed = latest(track["speed_mps"], track["speed_time"], row["time"])
    gap_s = (when - track["window_time"]) * NS
    nothing_told = gap_s >= limits["speed_window_s"] and track["window_speeds"] == 0
    if gap_s > 3.0 * limits["speed_window_s"] or gap_s < 0.0 or nothing_told:
        track["contradicts"] = 0
    elif gap_s >= limits["speed_window_s"] and track["window_speeds"] > 0:
        reported = track["window_speed_sum"] / track["window_speeds"]
        moved = great_circle_m(track["window_lat"], track["window_lon"], row["lat"], row["lon"]) / gap_s
        allowed = limits["speed_tolerance_mps"] + limits["speed_tolerance_ratio"] * reported
        allowed += (limits["gate_sigmas"] * 1.5 * sigma_m + 2.0 * clock_s * reported) / gap_s
        track["contradicts"] = 1 if abs(moved - reported) > allowed else 0
    if gap_s < 0.0 or gap_s >= limits["speed_window_s"]:
        track["window_time"] = when
        track["window_lat"] = row["lat"]
        track["window_lon"] = row["lon"]
        track["window_speed_sum"] = 0.0
        track["window_speeds"] = 0
    if not math.isnan(speed):
        track["window_speed_sum"] += speed
        track["window_speeds"] += 1


@njit(cache=True, nogil=True)
def stated_quality(row: Any, limits: Any) -> int:
    """What the transmitter itself says against its position."""
    if row["nac_p"] == 0:
        return verdicts.ACCURACY_LOST
    if row["nic"] == 0 and row["nac_p"] < 0:
        return verdicts.INTEGRITY_LOST
    if 0 < row["nac_p"] < limits["nac_p_credible"]:
        return verdicts.ACCURACY_LOW
    if 0 <= row["nic"] < limits["nic_credible"]:
        return verdicts.INTEGRITY_LOW
    if row["sil"] == 0:
        return verdicts.SIL_UNKNOWN
    return verdicts.NONE


@njit(cache=True, nogil=True)
def slowness(row: Any, track: Any, limits: Any) -> int:
    """Too slow for this height: no aeroplane that flies fast stays up so slowly; a balloon may."""
    speed = (
        row["speed_mps"]
        if not math.isnan(row["speed_mps"])
        else latest(track["speed_mps"], track["speed_time"], row["time"])
    )
    height = height_of(row, track)
    if row["on_ground"] == 1 or not (speed < limits["slow_speed_mps"] and height > limits["slow_height_m"]):
        return verdicts.NONE
    was_fast = (row["time"] - track["fast_time"]) * NS <= limits["memory_s"]
    return verdicts.TOO_SLOW_FOR_HEIGHT if was_fast else verdicts.SLOW_AT_HEIGHT
