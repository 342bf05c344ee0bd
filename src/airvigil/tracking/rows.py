"""Report tables as NumPy records: the form in which the engine buffers, sorts and judges them.

Arrow is the contract between rooms; inside the engine one record per row is cheaper to buffer,
sort and hand to kernels, also one row at a time. The order of rows within a track is total
(time, then a tie-break from the frame's digest and the sensor's name), so that it does not
depend on the order of arrival.

Rules
- Unknown is NaN in floats and -1 in small integers; text travels as the integer of its bytes.
- Each row that cannot be used has a reason here; nothing is dropped.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import literal_unroll, njit

from airvigil.reports import SENSOR_KINDS
from airvigil.tracking import verdicts
from airvigil.tracking.texts import (
    EMPTY,
    HAS_NUL,
    NOT_ASCII,
    TOO_LONG,
    ascii_codes,
    numbered,
    packed,
)
from airvigil.tracking.texts import text_of as text_of

ROW = np.dtype(
    [
        ("time", "i8"),  # ns UTC, time of applicability
        ("received", "i8"),  # ns UTC
        ("last_position", "i8"),  # ns UTC, -1: as time
        ("tie", "u8"),  # order among rows of one time
        ("slot", "i4"),  # row of the track table
        ("sensor", "i4"),  # index into the state's sensors
        ("kind", "i1"),  # index into SENSOR_KINDS
        ("lat", "f8"),
        ("lon", "f8"),
        ("pressure_altitude_m", "f8"),
        ("geometric_height_m", "f8"),
        ("height_msl_m", "f8"),
        ("speed_mps", "f8"),
        ("track_angle_deg", "f8"),
        ("nic", "i1"),
        ("nac_p", "i1"),
        ("nac_v", "i1"),
        ("sil", "i1"),
        ("gva", "i1"),
        ("rc_m", "f8"),
        ("cov_ee", "f8"),
        ("cov_en", "f8"),
        ("cov_nn", "f8"),
        ("bias_m", "f8"),
        ("on_ground", "i1"),
        ("is_state", "i1"),
        ("is_reconstruction", "i1"),
        ("callsign", "u8"),  # 8 ASCII bytes, 0: none
        ("squawk", "u4"),  # 4 ASCII bytes, 0: none
    ]
)

# Columns in the order in which `fill_rows` takes them; before and after them come what is made of others.
_FLOATS = (
    "latitude_deg",
    "longitude_deg",
    "pressure_altitude_m",
    "geometric_height_m",
    "height_msl_m",
    "ground_speed_mps",
    "track_angle_deg",
    "rc_m",
    "covariance_ee_m2",
    "covariance_en_m2",
    "covariance_nn_m2",
    "bias_bound_m",
)
_SMALL = ("nic", "nac_p", "nac_v", "sil", "gva", "on_ground", "is_state_aircraft")
_TEXTS = (("callsign", 8), ("squawk", 4))
_MAY_BE_INFINITE = (
    "pressure_altitude_m",
    "geometric_height_m",
    "height_msl_m",
    "speed_mps",
    "track_angle_deg",
    "rc_m",
)

BLOCK_ROWS = 4096  # records filled a column at a time, in blocks that stay in the cache

Rows = npt.NDArray[Any]
Columns = dict[str, pa.Array]

# Reasons by number; a feed's own ones follow.
USABLE, LATE = 0, 1
REASON_NAMES = ("", "late", *verdicts.ARRIVAL_REJECTS)
NO_IDENTITY = REASON_NAMES.index("no_identity")
BAD_POSITION = REASON_NAMES.index("bad_position")
BAD_ACCURACY = REASON_NAMES.index("bad_accuracy")


@dataclass(frozen=True)
class Arrivals:
    """One table of reports as records.

    Attributes:
        rows: (n,) ROW; `sensor` indexes `sensors` of this object, `slot` is not known yet.
        codes: (n,) uint64, the track key's integer (`texts`); 0: none, or a long one.
        long_keys: track keys that fit into no integer ...
        long_rows: ... and the rows that have them, with the index of theirs.
        sensors: sensor names.
        reasons: (n,) int16, why the row cannot be used: index into `reason_names`; USABLE.
        reason_names: REASON_NAMES, then the feed's own.
    """

    rows: Rows
    codes: npt.NDArray[np.uint64]
    long_keys: list[str]
    long_rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
    sensors: list[str]
    reasons: npt.NDArray[np.int16]
    reason_names: list[str]

    def key(self, i: int) -> str | None:
        """The track key of a row; None: no identity."""
        rows, which = self.long_rows
        long = {int(row): self.long_keys[k] for row, k in zip(rows, which, strict=True)}
        return long.get(i) or text_of(int(self.codes[i]))

    def reason(self, i: int) -> str | None:
        """Why a row cannot be used; None if it can."""
        return self.reason_names[self.reasons[i]] or None


def _columns(table: pa.Table) -> Columns:
    """The columns, each in one piece."""
    if not table.num_rows:
        return {field.name: pa.array([], field.type) for field in table.schema}
    batch = table.combine_chunks().to_batches()[0]
    return dict(zip(batch.schema.names, batch.columns, strict=True))


# Most columns of most rows are unknown: one row at a time, what is skipped below is most of the work.
def _is_unknown(column: pa.Array) -> bool:
    return bool(column.null_count == len(column))


def _filled(column: pa.Array, value: Any) -> pa.Array:
    return pc.fill_null(column, value) if column.null_count else column


def _times(column: pa.Array) -> Any:
    if _is_unknown(column):
        return -1
    if column.null_count:
        column = pc.fill_null(column.cast(pa.int64()), -1)
    return column.view(pa.int64()).to_numpy(zero_copy_only=False)


def _small(column: pa.Array) -> Any:
    return -1 if _is_unknown(column) else _filled(column.cast(pa.int8()), -1).to_numpy(zero_copy_only=False)


def _kinds(column: pa.Array) -> Any:
    index, names = numbered(column)
    order = [SENSOR_KINDS.index(k) if k in SENSOR_KINDS else len(SENSOR_KINDS) - 1 for k in names]
    return np.array([*order, len(SENSOR_KINDS) - 1], dtype=np.int8)[index]


def _ties(digests: pa.Array, sensor: Any, sensors: list[str]) -> npt.NDArray[np.uint64]:
    begin, count = 4 * digests.offset, len(digests)
    heads = np.frombuffer(digests.buffers()[1], dtype="<u8")[begin : begin + 4 * count : 4]
    if digests.null_count:
        heads = np.where(digests.is_null().to_numpy(zero_copy_only=False), np.uint64(0), heads)
    salt = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in sensors]
    return heads ^ np.array(salt, dtype=np.uint64)[sensor]


def _short_keys(columns: Columns) -> tuple[npt.NDArray[np.uint64], Any]:
    """Integers of the track keys that are addresses, and which rows need to be looked at one by one."""
    named, is_icao, number = (columns[name] for name in ("icao24", "is_icao_address", "sensor_track"))
    if _is_unknown(named):
        codes = np.zeros(len(named), np.uint64)
        odd: Any = np.ones(len(named), bool)
    else:
        codes, flags, seen = packed(named)
        odd = (flags & (TOO_LONG | HAS_NUL | EMPTY)) != 0 if seen & ~NOT_ASCII else None
    if is_icao.false_count:
        foreign = ~_filled(is_icao, True).to_numpy(zero_copy_only=False)
        too_long = foreign & (codes >> np.uint64(56) != 0)
        odd = too_long if odd is None else odd | too_long
        codes = np.where(foreign & (codes != 0), codes << np.uint64(8) | np.uint64(ord("~")), codes)
    if odd is not None:
        codes[odd] = 0
        if named.null_count and _is_unknown(number):
            odd &= named.is_valid().to_numpy(zero_copy_only=False)
    return codes, odd


def _long_keys(columns: Columns, chosen: npt.NDArray[np.int64]) -> pa.Array:
    """Track keys of chosen rows as text: the address, else sensor and track number, else null."""
    named, is_icao, number, sensor = (
        columns[name].take(pa.array(chosen))
        for name in ("icao24", "is_icao_address", "sensor_track", "sensor")
    )
    if is_icao.false_count:
        foreign = pc.binary_join_element_wise("~", named, "")
        named = pc.if_else(_filled(is_icao, True), named, foreign)
    return pc.coalesce(named, pc.binary_join_element_wise(sensor, number, "/"))


def _keys(
    columns: Columns,
) -> tuple[npt.NDArray[np.uint64], list[str], tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]]:
    codes, odd = _short_keys(columns)
    if odd is None or not odd.any():
        return codes, [], (np.zeros(0, np.int64), np.zeros(0, np.int32))
    chosen = np.flatnonzero(odd)
    keys = _long_keys(columns, chosen)
    if keys.null_count:
        known = keys.is_valid().to_numpy(zero_copy_only=False)
        chosen, keys = chosen[known], keys.drop_null()
    encoded = keys.dictionary_encode()
    return codes, encoded.dictionary.to_pylist(), (chosen, encoded.indices.to_numpy(zero_copy_only=False))


@njit(cache=True, nogil=True)
def find_faults(rows: Rows, has_key: Any, reasons: Any) -> None:
    """Mark the rows that cannot be used, and make what is infinite unknown.

    A position must be on Earth. A covariance must be finite and positive definite, a bias bound finite and
    not negative.

    Args:
        rows: (n,) ROW; changed.
        has_key: (n,) bool.
        reasons: (n,) int16; only those that are USABLE are changed.
    """
    for i in range(len(rows)):
        row = rows[i]
        for name in literal_unroll(_MAY_BE_INFINITE):
            if math.isinf(row[name]):
                row[name] = math.nan
        if reasons[i] != USABLE:
            continue
        lat, lon = row["lat"], row["lon"]
        half = math.isnan(lat) != math.isnan(lon)
        ee, en, nn, bias = row["cov_ee"], row["cov_en"], row["cov_nn"], row["bias_m"]
        cross = 0.0 if math.isnan(en) else en
        known = not (math.isnan(ee) and math.isnan(nn) and math.isnan(en))
        sound = math.isfinite(ee) and math.isfinite(nn) and math.isfinite(cross) and ee > 0.0 and nn > 0.0
        if not has_key[i]:
            reasons[i] = NO_IDENTITY
        elif half or abs(lat) > 90.0 or abs(lon) > 360.0:
            reasons[i] = BAD_POSITION
        elif (known and not (sound and ee * nn > cross * cross)) or math.isinf(bias) or bias < 0.0:
            reasons[i] = BAD_ACCURACY


@njit(cache=True, nogil=True)
def fill_rows(rows: Rows, whole: Any, floats: Any, small: Any) -> None:
    """Write records from columns.

    Args:
        rows: (n,) ROW out.
        whole: (7, n or more) int64: time, reception, last position, tie, callsign, squawk, sensor.
        floats: (12, n or more), as _FLOATS.
        small: (9, n or more) int8: as _SMALL, sensor kind, is_reconstruction.
    """
    for i in range(len(rows)):
        row = rows[i]
        row["time"], row["received"], row["last_position"] = whole[0, i], whole[1, i], whole[2, i]
        row["tie"], row["callsign"], row["squawk"] = whole[3, i], whole[4, i], whole[5, i]
        row["slot"], row["sensor"] = -1, whole[6, i]
        row["lat"], row["lon"] = floats[0, i], floats[1, i]
        row["pressure_altitude_m"], row["geometric_height_m"] = floats[2, i], floats[3, i]
        row["height_msl_m"], row["speed_mps"], row["track_angle_deg"] = (
            floats[4, i],
            floats[5, i],
            floats[6, i],
        )
        row["rc_m"], row["bias_m"] = floats[7, i], floats[11, i]
        row["cov_ee"], row["cov_en"], row["cov_nn"] = floats[8, i], floats[9, i], floats[10, i]
        row["nic"], row["nac_p"], row["nac_v"] = small[0, i], small[1, i], small[2, i]
        row["sil"], row["gva"] = small[3, i], small[4, i]
        row["on_ground"], row["is_state"] = small[5, i], small[6, i]
        row["kind"], row["is_reconstruction"] = small[7, i], small[8, i]


def _records(columns: Columns, sensor: Any, tie: Any, has_key: Any, reasons: Any) -> Rows:
    """The records, all but their slots; what is wrong with them goes into `reasons`."""
    count = len(tie)
    whole = [_times(columns[name]) for name in ("time_of_applicability", "received_at", "last_position")]
    whole.append(tie.view(np.int64))
    for column, width in _TEXTS:
        is_unknown = _is_unknown(columns[column])
        whole.append(0 if is_unknown else ascii_codes(columns[column], width).view(np.int64))
    whole.append(sensor)
    floats = [_floats(columns[column]) for column in _FLOATS]
    small = [_small(columns[column]) for column in _SMALL]
    small += [_kinds(columns["sensor_kind"]), _small(_filled(columns["is_reconstruction"], False))]
    rows = np.empty(count, dtype=ROW)
    size = min(count, BLOCK_ROWS)
    room = (
        np.empty((len(whole), size), np.int64),
        np.empty((len(floats), size)),
        np.empty((len(small), size), np.int8),
    )
    for begin in range(0, count, BLOCK_ROWS):
        end = min(begin + BLOCK_ROWS, count)
        for values, lines in ((whole, room[0]), (floats, room[1]), (small, room[2])):
            for k, value in enumerate(values):
                lines[k, : end - begin] = value[begin:end] if np.ndim(value) else value
        block = rows[begin:end]
        fill_rows(block, *room)
        find_faults(block, has_key[begin:end], reasons[begin:end])
    return rows


def _floats(column: pa.Array) -> Any:
    return np.nan if _is_unknown(column) else column.to_numpy(zero_copy_only=False)


def rows_of(table: pa.Table) -> Arrivals:
    """Records of a report table, in its order.

    Args:
        table: with REPORT_SCHEMA.

    Returns:
        Rows with what their keys, sensors and reject reasons are called.
    """
    columns = _columns(table)
    sensor, sensors = numbered(columns["sensor"])
    codes, long_keys, long_rows = _keys(columns)
    reasons, names = np.zeros(table.num_rows, np.int16), list(REASON_NAMES)
    if not _is_unknown(columns["reject_reason"]):
        index, own = numbered(columns["reject_reason"])
        reasons[:] = np.where(np.equal(index, -1), 0, index + len(names))
        names += own
    has_key = codes != 0
    has_key[long_rows[0]] = True
    tie = _ties(columns["frame_digest"], sensor, sensors)
    rows = _records(columns, sensor, tie, has_key, reasons)
    return Arrivals(rows, codes, long_keys, long_rows, sensors, reasons, names)
