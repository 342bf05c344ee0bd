"""Track points: what admission makes of each position row, as records.

One record a position row, believed or not. `x` and `P` are the filter's state after the row, `x_before` and
`P_before` before it, all in the plane whose origin is the point: what the path between two reports needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from airvigil.tracking import plausibility as pl
from airvigil.tracking import verdicts
from airvigil.tracking.rows import Rows

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
        ("x", "f8", (4,)),  # filtered state, plane with origin at lat, lon
        ("P", "f8", (4, 4)),
        ("x_before", "f8", (4,)),  # filtered state of the point before, in the same plane
        ("P_before", "f8", (4, 4)),
        ("noise", "f8"),  # m^2/s^3, process noise that the filter took between the two
    ]
)

_BLANK_POINT = np.zeros(1, dtype=POINT)
for _name in POINT.names or ():
    if POINT[_name].kind == "f" and not POINT[_name].shape:
        _BLANK_POINT[_name] = np.nan


def blank_points(count: int) -> Rows:
    """Points to be filled: floats NaN, the rest 0."""
    return np.repeat(_BLANK_POINT, count)


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
