"""Track points: what admission makes of each position row, as records.

One record a position row, believed or not. It has the filter's state after the row, and before it (`before_...`),
both in the plane whose origin is the point: what the path between two reports needs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import literal_unroll, njit

from airvigil.tracking import plausibility as pl
from airvigil.tracking import verdicts
from airvigil.tracking.filter import bridge_position
from airvigil.tracking.motion import Motion, put_motion
from airvigil.tracking.track_table import MOTION, NEVER

NS = 1e-9

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
        ("bias_m", "f8"),  # of everything that the filtered position rests on
        ("gva", "i1"),  # of the row; -1 unknown
        ("clock_s", "f8"),
        ("speed_mps", "f8"),
        ("speed_sigma_mps", "f8"),
        ("track_angle_deg", "f8"),
        ("pressure_altitude_m", "f8"),
        ("geometric_height_m", "f8"),
        ("height_msl_m", "f8"),
        ("before_pressure_altitude_m", "f8"),  # at the believed point before this one
        ("before_geometric_height_m", "f8"),
        ("before_height_msl_m", "f8"),
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
        *((name, "f8") for name in MOTION),  # filtered state, plane with origin at lat, lon
        *((f"before_{name}", "f8") for name in MOTION),  # of the point before, in the same plane
        ("noise", "f8"),  # m^2/s^3, process noise that the filter took between the two
    ]
)
_FROM_FILTER = (
    "cov_ee",
    "cov_en",
    "cov_nn",
    "slow_var",
    "speed_mps",
    "speed_sigma_mps",
    "track_angle_deg",
    "noise",
    *MOTION,
    *(f"before_{name}" for name in MOTION),
)


@njit(cache=True, nogil=True)
def disbelieve(row: Any, point: Any) -> None:
    """What a believed point has from the filter, for one that never met it: the reported place, and nothing known."""
    point["lat"], point["lon"] = row["lat"], row["lon"]
    point["before"] = NEVER
    for name in literal_unroll(_FROM_FILTER):
        point[name] = math.nan


@njit(cache=True, nogil=True)
def motion_at(point: Any) -> Motion:
    """The filtered state of a believed point, or of a track."""
    return Motion(
        point["e"], point["n"], point["ve"], point["vn"],
        point["p00"], point["p01"], point["p02"], point["p03"], point["p11"],
        point["p12"], point["p13"], point["p22"], point["p23"], point["p33"],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def keep_motion(m: Motion, point: Any) -> None:
    """The inverse of `motion_at`."""
    point["e"], point["n"], point["ve"], point["vn"] = m.e, m.n, m.ve, m.vn
    point["p00"], point["p01"], point["p02"], point["p03"] = m.p00, m.p01, m.p02, m.p03
    point["p11"], point["p12"], point["p13"] = m.p11, m.p12, m.p13
    point["p22"], point["p23"], point["p33"] = m.p22, m.p23, m.p33


@njit(cache=True, nogil=True)
def motion_before(point: Any) -> Motion:
    """The filtered state of the believed point before this one, in this one's plane."""
    return Motion(
        point["before_e"], point["before_n"], point["before_ve"], point["before_vn"],
        point["before_p00"], point["before_p01"], point["before_p02"], point["before_p03"], point["before_p11"],
        point["before_p12"], point["before_p13"], point["before_p22"], point["before_p23"], point["before_p33"],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def keep_motion_before(m: Motion, point: Any) -> None:
    """The inverse of `motion_before`."""
    point["before_e"], point["before_n"] = m.e, m.n
    point["before_ve"], point["before_vn"] = m.ve, m.vn
    point["before_p00"], point["before_p01"] = m.p00, m.p01
    point["before_p02"], point["before_p03"] = m.p02, m.p03
    point["before_p11"], point["before_p12"], point["before_p13"] = m.p11, m.p12, m.p13
    point["before_p22"], point["before_p23"], point["before_p33"] = m.p22, m.p23, m.p33


@njit(cache=True, nogil=True)
def between(point: Any, tau_s: float) -> tuple[float, float, float, float, float]:
    """Where the aircraft was tau_s after the believed point before this one: `filter.bridge_position`.

    Returns:
        (east_m, north_m, var_ee_m2, cov_en_m2, var_nn_m2) in the plane whose origin is the point.
    """
    x0, P0, x1, P1 = np.empty(4), np.empty((4, 4)), np.empty(4), np.empty((4, 4))
    put_motion(motion_before(point), x0, P0)
    put_motion(motion_at(point), x1, P1)
    gap_s = (point["time"] - point["before"]) * NS
    return bridge_position(x0, P0, x1, P1, gap_s, tau_s, point["noise"])


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
    point["before_pressure_altitude_m"] = track["point_pressure_altitude_m"]
    point["before_geometric_height_m"] = track["point_geometric_height_m"]
    point["before_height_msl_m"] = track["point_height_msl_m"]
    if integrity != verdicts.NOT_CREDIBLE:
        track["point_pressure_altitude_m"] = point["pressure_altitude_m"]
        track["point_geometric_height_m"] = point["geometric_height_m"]
        track["point_height_msl_m"] = point["height_msl_m"]
