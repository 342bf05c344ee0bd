"""The table of tracks: what is remembered of each aircraft from row to row.

One record a track key ("slot"), with the filter's state in a plane whose origin is the record's own `lat`,
`lon` (always the filtered position; what a velocity fused after it moved the place by is in the state).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from airvigil.reports import SENSOR_KINDS
from airvigil.settings import Admission, Sensor, Settings
from airvigil.tracking.key_index import KeyIndex
from airvigil.tracking.motion import Motion
from airvigil.tracking.rows import Arrivals, Rows

NEVER = -(2**62)  # ns; earlier than any time

# A state of the filter (`filter.Motion`) as fields: m, m/s, and the upper triangle of the covariance.
MOTION = Motion._fields

TRACK = np.dtype(
    [
        # the chain of positions that is believed
        ("start", "i8"),  # ns, first position of this track, believed or not; NEVER: none yet
        ("time", "i8"),  # ns, latest believed position
        ("known", "i8"),  # ns, time of the row that told it; the timeout runs on this one
        ("lat", "f8"),
        ("lon", "f8"),
        ("agreeing", "i4"),  # believed positions in the chain
        ("chain_start", "i8"),
        *((name, "f8") for name in MOTION),  # the filter's state in the plane whose origin is lat, lon
        ("surprise", "f8"),  # fading mean of half the normalised innovation squared; 1 in straight flight
        ("bias_m", "f8"),  # greatest bias bound of what went into the chain within the timeout
        ("bias_time", "i8"),
        # the chain that a jump began, not believed
        ("other_time", "i8"),
        ("other_start", "i8"),
        ("other_lat", "f8"),
        ("other_lon", "f8"),
        ("other_speed_mps", "f8"),
        ("other_agreeing", "i4"),
        ("other_in_reach", "i1"),  # 1: it began within reach of the believed chain in distance
        ("switches", "i4"),  # how often rows changed from one chain to the other
        ("switch_time", "i8"),
        ("on_other", "i1"),
        # the latest reported position, believed or not
        ("raw_time", "i8"),
        ("raw_since", "i8"),  # ns, when this place was first reported: sources hold old ones
        ("raw_known", "i8"),  # ns, time of the row that told it
        ("raw_lat", "f8"),
        ("raw_lon", "f8"),
        # latest velocity and heights
        ("speed_mps", "f8"),
        ("speed_time", "i8"),
        ("velocity_time", "i8"),  # ns, when the velocity last changed: sources repeat old ones
        ("track_angle_deg", "f8"),
        ("pressure_altitude_m", "f8"),
        ("pressure_altitude_time", "i8"),
        ("geometric_height_m", "f8"),
        ("geometric_height_time", "i8"),
        ("height_msl_m", "f8"),
        ("height_msl_time", "i8"),
        ("fast_time", "i8"),  # ns, when it last flew faster than an aeroplane's slowest
        # reported speed against positions
        ("window_time", "i8"),
        ("window_lat", "f8"),
        ("window_lon", "f8"),
        ("window_speed_sum", "f8"),
        ("window_speeds", "i4"),
        ("contradicts", "i1"),
        # heights at the latest believed point: with those at the next one, the heights of the path between
        ("point_pressure_altitude_m", "f8"),
        ("point_geometric_height_m", "f8"),
        ("point_height_msl_m", "f8"),
        # identity
        ("callsign", "u8"),
        ("squawk", "u4"),
        ("is_state", "i1"),
        ("heard", "i8"),  # ns, latest row of any kind
        # the latest credible point, as interference tells it; outlives what the memory loses
        ("credible_time", "i8"),
        ("credible_lat", "f8"),
        ("credible_lon", "f8"),
    ]
)

FIRST_FORGET = 4096  # tracks; some 4 MB

# Limits that kernels take as one record.
LIMITS = (
    "max_speed_mps",
    "max_along_mps2",
    "max_across_mps2",
    "gate_sigmas",
    "stale_after_s",
    "jump_forget_s",
    "mature_reports",
    "mature_s",
    "speed_window_s",
    "speed_tolerance_mps",
    "speed_tolerance_ratio",
    "slow_height_m",
    "slow_speed_mps",
    "fast_speed_mps",
    "ground_max_speed_mps",
    "ground_max_height_m",
    "radio_horizon_factor",
    "radio_horizon_extra_m",
    "ceiling_m",
    "nac_p_credible",
    "nic_credible",
    "timeout_s",
    "memory_s",
    "process_noise_m2_s3",
)
SENSOR_VALUES = ("sigma_m", "bias_m", "clock_sigma_s", "white_share", "velocity_sigma_mps")
LIMIT = np.dtype([(name, "f8") for name in LIMITS])
SENSOR = np.dtype([(name, "f8") for name in SENSOR_VALUES])


def limits_of(settings: Settings) -> Rows:
    """(1,) LIMIT, the limits as kernels take them."""
    groups: tuple[Admission | Any, ...] = (settings.admission, settings.tracks)
    values = {name: getattr(group, name) for group in groups for name in vars(group)}
    return np.array([tuple(float(values[name]) for name in LIMITS)], LIMIT)


def sensor_table_of(settings: Settings) -> Rows:
    """(kinds,) SENSOR, assumed quality per sensor kind."""
    kinds: list[Sensor] = [settings.sensor(kind) for kind in SENSOR_KINDS]
    return np.array([tuple(getattr(kind, name) for name in SENSOR_VALUES) for kind in kinds], SENSOR)


def _blank_track() -> npt.NDArray[Any]:
    table = np.zeros(1, dtype=TRACK)
    for name in TRACK.names or ():
        if TRACK[name].kind == "f":
            table[name] = np.nan
        elif name in ("time", "known", "raw_known", "raw_since") or name.endswith(
            ("_time", "start", "heard")
        ):
            table[name] = NEVER
    table["is_state"] = -1
    return table


_BLANK_TRACK = _blank_track()


def blank_tracks(count: int) -> npt.NDArray[Any]:
    """Tracks of which nothing is known."""
    return np.repeat(_BLANK_TRACK, count)


@dataclass
class TrackTable:
    """All tracks: `keys[slot]`, `records[slot]`; there may be more records than keys."""

    index: KeyIndex = field(default_factory=KeyIndex)
    records: npt.NDArray[Any] = field(default_factory=lambda: blank_tracks(64))
    forget_at: int = FIRST_FORGET  # number of tracks at which to look for those to forget

    @property
    def keys(self) -> list[str]:
        """Track key of each slot. The list only grows; forgetting makes a new one."""
        return self.index.keys

    def slot(self, key: str) -> int:
        """The slot of a track key; a new one if the key is new."""
        slot = self.index.slot(key)
        self.make_room()
        return slot

    def slots_of(self, arrivals: Arrivals) -> npt.NDArray[np.int32]:
        """(n,) slots of the keys of arrivals, -1 without one; new ones where keys are new."""
        codes, (rows, which) = arrivals.codes, arrivals.long_rows
        if len(rows):
            codes = codes.copy()
            codes[rows] = np.array([self.index.code(key) for key in arrivals.long_keys], np.uint64)[which]
        slots = self.index.slots(codes)
        self.make_room()
        return slots

    def make_room(self) -> None:
        """Have a record for each key."""
        missing = len(self.keys) - len(self.records)
        if missing > 0:
            more = max(len(self.records), missing)
            self.records = np.concatenate([self.records, blank_tracks(more)])

    def forget(self, before_ns: int, in_use: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Give up the slots of tracks not heard since; changes no result, only memory.

        Args:
            before_ns: tracks last heard before this are forgotten by the rules already.
            in_use: slots that waiting rows name; kept.

        Returns:
            (slots,) the new slot of each old one; -1 where it was given up.
        """
        count = len(self.keys)
        keep = self.records["heard"][:count] >= before_ns
        keep[in_use] = True
        moved = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
        self.index = KeyIndex([key for key, kept in zip(self.keys, keep.tolist(), strict=True) if kept])
        self.records = np.concatenate([self.records[:count][keep], blank_tracks(max(64, len(self.keys)))])
        return moved

    def copy(self) -> TrackTable:
        """An independent copy."""
        return TrackTable(
            self.index.copy(),
            self.records.copy(),
            self.forget_at,
        )
