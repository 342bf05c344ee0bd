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
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import SENSOR_KINDS

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

_FLOATS = {
    "lat": "latitude_deg",
    "lon": "longitude_deg",
    "pressure_altitude_m": "pressure_altitude_m",
    "geometric_height_m": "geometric_height_m",
    "height_msl_m": "height_msl_m",
    "speed_mps": "ground_speed_mps",
    "track_angle_deg": "track_angle_deg",
    "rc_m": "rc_m",
    "cov_ee": "covariance_ee_m2",
    "cov_en": "covariance_en_m2",
    "cov_nn": "covariance_nn_m2",
    "bias_m": "bias_bound_m",
}
_SMALL = {
    "nic": "nic",
    "nac_p": "nac_p",
    "nac_v": "nac_v",
    "sil": "sil",
    "gva": "gva",
    "on_ground": "on_ground",
    "is_state": "is_state_aircraft",
}
_TEXTS = {"callsign": ("callsign", 8, "<u8"), "squawk": ("squawk", 4, "<u4")}

Rows = npt.NDArray[Any]


@dataclass(frozen=True)
class Arrivals:
    """One table of reports as records.

    Attributes:
        rows: (n,) ROW; `slot` and `sensor` index `keys` and `sensors` of this object.
        keys: track keys; `None` for rows without any identity.
        sensors: sensor names.
        reasons: (n,) reject reason or None.
    """

    rows: Rows
    keys: list[str | None]
    sensors: list[str]
    reasons: list[str | None]


Columns = dict[str, pa.Array]


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


def text_of(code: int) -> str | None:
    """The text whose bytes make up an integer of `ROW`; None for 0."""
    if code == 0:
        return None
    return int(code).to_bytes(8, "little").rstrip(b"\0").decode("ascii", "replace")


def _codes(column: pa.Array, width: int, kind: str) -> Any:
    if _is_unknown(column):
        return 0
    encoded = column.dictionary_encode()
    codes = [
        int.from_bytes((text or "").encode("ascii", "replace")[:width].ljust(width, b"\0"), "little")
        for text in encoded.dictionary.to_pylist()
    ]
    lookup = np.array([*codes, 0], dtype=kind)
    return lookup[_filled(encoded.indices, len(codes)).to_numpy(zero_copy_only=False)]


def _keys(columns: Columns) -> tuple[npt.NDArray[np.int32], list[str | None]]:
    """Index and list of track keys: the address, else sensor and track number, else None."""
    named, is_icao, number = (columns[name] for name in ("icao24", "is_icao_address", "sensor_track"))
    if is_icao.false_count:
        foreign = pc.binary_join_element_wise("~", named, "")
        named = pc.if_else(_filled(is_icao, True), named, foreign)
    if not _is_unknown(number):
        named = pc.coalesce(named, pc.binary_join_element_wise(columns["sensor"], number, "/"))
    encoded = named.dictionary_encode()
    keys: list[str | None] = [*encoded.dictionary.to_pylist(), None]
    index = _filled(encoded.indices, len(keys) - 1).to_numpy(zero_copy_only=False)
    return index.astype(np.int32), keys


def _ties(digests: pa.Array, sensor: npt.NDArray[np.int32], sensors: list[str]) -> npt.NDArray[np.uint64]:
    joined = b"".join(d if d is not None else bytes(32) for d in digests.to_pylist())
    heads = np.frombuffer(joined, dtype="<u8").reshape(-1, 4)[:, 0]
    salt = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in sensors]
    return heads ^ np.array(salt, dtype=np.uint64)[sensor]


def _mark_bad_positions(rows: Rows, reasons: list[str | None]) -> None:
    lat, lon = rows["lat"], rows["lon"]
    half = np.isnan(lat) != np.isnan(lon)
    outside = (np.abs(lat) > 90.0) | (np.abs(lon) > 360.0) | np.isinf(lat) | np.isinf(lon)
    for i in np.flatnonzero(half | outside):
        reasons[i] = reasons[i] or "bad_position"


def _mark_bad_accuracies(rows: Rows, reasons: list[str | None]) -> None:
    """A covariance must be finite and positive definite, a bias bound finite and not negative."""
    ee, en, nn, bias = rows["cov_ee"], rows["cov_en"], rows["cov_nn"], rows["bias_m"]
    known = ~(np.isnan(ee) & np.isnan(nn) & np.isnan(en))
    cross = np.where(np.isnan(en), 0.0, en)
    with np.errstate(over="ignore", invalid="ignore"):
        sound = np.isfinite(ee) & np.isfinite(nn) & np.isfinite(cross) & (ee > 0.0) & (nn > 0.0)
        sound &= ee * nn > cross * cross
        bad = (known & ~sound) | np.isinf(bias) | (bias < 0.0)
    for i in np.flatnonzero(bad):
        reasons[i] = reasons[i] or "bad_accuracy"


def rows_of(table: pa.Table) -> Arrivals:
    """Records of a report table, in its order.

    Args:
        table: with REPORT_SCHEMA.

    Returns:
        Rows whose `slot` and `sensor` are indices into the lists beside them.
    """
    columns = _columns(table)
    rows = np.zeros(table.num_rows, dtype=ROW)
    rows["time"] = _times(columns["time_of_applicability"])
    rows["received"] = _times(columns["received_at"])
    rows["last_position"] = _times(columns["last_position"])
    for name, column in _FLOATS.items():
        array = columns[column]
        rows[name] = np.nan if _is_unknown(array) else array.to_numpy(zero_copy_only=False)
    for name, column in _SMALL.items():
        array = columns[column]
        if not _is_unknown(array):
            rows[name] = _filled(array.cast(pa.int8()), -1).to_numpy(zero_copy_only=False)
        else:
            rows[name] = -1
    for name, (column, width, kind) in _TEXTS.items():
        rows[name] = _codes(columns[column], width, kind)
    flags = _filled(columns["is_reconstruction"], False)
    rows["is_reconstruction"] = flags.to_numpy(zero_copy_only=False)
    kinds = columns["sensor_kind"].dictionary_encode()
    order = [
        SENSOR_KINDS.index(k) if k in SENSOR_KINDS else len(SENSOR_KINDS) - 1
        for k in kinds.dictionary.to_pylist()
    ]
    rows["kind"] = np.array([*order, len(SENSOR_KINDS) - 1], dtype=np.int8)[
        _filled(kinds.indices, len(order)).to_numpy(zero_copy_only=False)
    ]
    sensor = columns["sensor"].dictionary_encode()
    sensors = sensor.dictionary.to_pylist()
    rows["sensor"] = sensor.indices.to_numpy(zero_copy_only=False)
    rows["tie"] = _ties(columns["frame_digest"], rows["sensor"], sensors)
    rows["slot"], keys = _keys(columns)
    reasons: list[str | None] = columns["reject_reason"].to_pylist()
    if None in keys:
        for i in np.flatnonzero(rows["slot"] == len(keys) - 1):
            reasons[i] = reasons[i] or "no_identity"
    _mark_bad_positions(rows, reasons)
    _mark_bad_accuracies(rows, reasons)
    for name in (
        "pressure_altitude_m",
        "geometric_height_m",
        "height_msl_m",
        "speed_mps",
        "track_angle_deg",
        "rc_m",
    ):
        rows[name][np.isinf(rows[name])] = np.nan
    return Arrivals(rows, keys, sensors, reasons)
