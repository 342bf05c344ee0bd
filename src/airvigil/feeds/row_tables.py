"""Rows of measured values to a report table: units, ranges, reject reasons.

The last step of every feed that reads a table (aircraft lists, traces, state vectors): takes
columns that are already in SI, applies the limits that hold whatever the source, and gives each
row that breaks one its reject reason.

Reject reasons given here, the first that applies:
- `bad_row`: not a row of this format at all (wrong number of fields, no JSON object);
- `bad_number`: a measurement is there and is not a number, not a time, or out of its range;
- `no_time`: nothing says when it was measured;
- `no_address`: no 24-bit address, or text that is none;
- `bad_position`: a coordinate out of range, or one of the two missing.
Feeds of whole documents add `incomplete` (the source ended inside it) and `bad_document`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.feeds.field_values import Bools, Floats, Ints
from airvigil.reports import UTC_NS, reports_from_columns

# Ranges of what can be a measurement at all; wider than any aircraft, so that judging what is
# plausible stays with tracking.
_RANGES: dict[str, tuple[float, float]] = {
    "pressure_altitude_m": (-2_000.0, 60_000.0),  # Mode S altitude codes end at 38,660 m
    "geometric_height_m": (-2_000.0, 60_000.0),
    "ground_speed_mps": (0.0, 3_000.0),  # the supersonic ADS-B subtype ends at 2,105 m/s
    "vertical_rate_mps": (-700.0, 700.0),  # the ADS-B field ends at 166 m/s
}


@dataclass
class RowColumns:
    """What a feed has read of its rows; every array has one value a row.

    Attributes:
        digests: SHA-256 of each row.
        received_at: ns UTC, when the row was received; 0 where the row does not say.
        applicability: ns UTC, when its values were true; 0 where the row does not say.
        last_position: ns UTC; 0 where the row does not say.
        address: icao24, null if none.
        numbers: measurements in SI by report column name; NaN unknown.
        others: any other report columns, ready.
        is_bad_row: not a row at all.
        is_bad_value: holds a measurement that cannot be read.
    """

    digests: list[bytes]
    received_at: Ints
    applicability: Ints
    last_position: Ints
    address: pa.Array
    numbers: dict[str, Floats]
    is_bad_row: Bools
    is_bad_value: Bools
    others: dict[str, Any] = field(default_factory=dict)


def known_times(times: Ints) -> pa.Array:
    """Times with 0 for unknown, as a column with nulls."""
    return pa.array(times, pa.int64(), mask=times == 0).cast(UTC_NS)


def carry_forward(times: Ints, before: int) -> Ints:
    """Times with each 0 replaced by the last known one, at first by `before`.

    Example:
        >>> carry_forward(np.array([0, 5, 0, 7]), 3).tolist()
        [3, 5, 5, 7]
    """
    places = np.where(times != 0, np.arange(len(times)), -1)
    places = np.maximum.accumulate(places) if len(places) else places
    return np.where(places >= 0, times[np.maximum(places, 0)], before) if len(times) else times


def build_reports(rows: RowColumns, *, sensor: str, sensor_kinds: Sequence[str], before_ns: int) -> pa.Table:
    """The report table of some rows.

    Args:
        rows: what was read.
        sensor: name for the `sensor` column.
        sensor_kinds: (n,) kind of each row.
        before_ns: ns UTC, the time given to rows that state none (they are rejected).

    Returns:
        Table with REPORT_SCHEMA, one row each.
    """
    length = len(rows.digests)
    is_bad_value = rows.is_bad_value.copy()
    numbers = dict(rows.numbers)
    for name, (lowest, highest) in _RANGES.items():
        if name in numbers:
            with np.errstate(invalid="ignore"):
                is_out = (numbers[name] < lowest) | (numbers[name] > highest)
            is_bad_value |= is_out
            numbers[name] = np.where(is_out, np.nan, numbers[name])
    if "track_angle_deg" in numbers:
        angle = numbers["track_angle_deg"]
        with np.errstate(invalid="ignore"):
            is_angle = (angle >= 0.0) & (angle <= 360.0)
        # Negative angles have no one convention (-180..180, or an overflowed byte): unknown.
        numbers["track_angle_deg"] = np.where(is_angle, np.where(angle == 360.0, 0.0, angle), np.nan)
    is_bad_position = _settle_position(numbers, length)
    received = carry_forward(rows.received_at, before_ns)
    reasons: list[str | None] = [None] * length
    faults = (
        ("bad_position", is_bad_position),
        ("no_address", _is_null(rows.address)),
        ("no_time", rows.applicability == 0),
        ("bad_number", is_bad_value),
        ("bad_row", rows.is_bad_row),
    )
    for reason, is_at_fault in faults:
        for index in np.flatnonzero(is_at_fault).tolist():
            reasons[index] = reason
    return reports_from_columns(
        {
            "time_of_applicability": np.where(rows.applicability != 0, rows.applicability, received),
            "received_at": received,
            "sensor": pa.repeat(pa.scalar(sensor, pa.string()), length),
            "sensor_kind": pa.array(sensor_kinds, pa.string()),
            "frame_digest": pa.array(rows.digests, pa.binary(32)),
            "reject_reason": pa.array(reasons, pa.string()),
            "icao24": rows.address,
            "last_position": known_times(rows.last_position),
            **numbers,
            **rows.others,
        },
        length=length,
    )


def _is_null(column: pa.Array) -> Bools:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _settle_position(numbers: dict[str, Floats], length: int) -> Bools:
    """Check latitude and longitude in place; longitude 180 becomes -180. Returns where they are bad."""
    nothing = np.full(length, np.nan)
    latitude = numbers.get("latitude_deg", nothing)
    longitude = numbers.get("longitude_deg", nothing)
    with np.errstate(invalid="ignore"):
        is_bad = (np.abs(latitude) > 90.0) | (np.abs(longitude) > 180.0)
    is_half = np.isnan(latitude) != np.isnan(longitude)
    numbers["latitude_deg"] = np.where(is_bad | is_half, np.nan, latitude)
    longitude = np.where(longitude == 180.0, -180.0, longitude)
    numbers["longitude_deg"] = np.where(is_bad | is_half, np.nan, longitude)
    return is_bad | is_half


def rejected_row(content: bytes, reason: str, *, sensor: str, sensor_kind: str, time_ns: int) -> pa.Table:
    """One rejected row for bytes that are no row: a cut-off tail, a document that cannot be read."""
    return reports_from_columns(
        {
            "time_of_applicability": [time_ns],
            "received_at": [time_ns],
            "sensor": [sensor],
            "sensor_kind": [sensor_kind],
            "frame_digest": [hashlib.sha256(content).digest()],
            "reject_reason": [reason],
        },
        length=1,
    )
