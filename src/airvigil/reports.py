"""The report table and the observation table: the one form that all sensors' data take.

A *report* is one target report of one sensor (ASTERIX's word): one frame, one plot, one state
vector. Every frame received becomes exactly one row, also the ones that cannot be used: those
carry a `reject_reason`, so that received = used + rejected + late can be counted by anyone.

Rules
- Unknown is null (NaN once in floating-point arrays), never 0.
- `time_of_applicability` is when the measured values were true; `received_at` when we had them.
- Heights are kept by their true reference: pressure altitude is not a height above anything.
- A row is never edited after its feed made it. Tracking adds columns, in tables of its own.

What the columns mean is in the schema itself (`unit`, `null`, `about` metadata); `docs/formats.md`
is printed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from airvigil.errors import SchemaError

SCHEMA_VERSION = "1"

UTC_NS = pa.timestamp("ns", tz="UTC")

# Kinds of sensor; each has its own default quality in the settings file.
SENSOR_KINDS = (
    "adsb",  # automatic dependent surveillance: the aircraft's own GNSS position
    "mode_s",  # Mode S replies without position
    "tisb",  # positions rebroadcast by the ground
    "mlat",  # multilateration
    "radar",  # primary or secondary radar
    "flarm",
    "remote_id",
    "visual",  # a person
    "state_vector",  # somebody's fused table, sensor not stated
)


def _field(name: str, kind: pa.DataType, unit: str, null: str, about: str) -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit, "null": null, "about": about})


REPORT_SCHEMA = pa.schema(
    [
        _field("time_of_applicability", UTC_NS, "s UTC", "never (rejected rows may repeat received_at)", "when the measured values were true"),
        _field("received_at", UTC_NS, "s UTC", "never", "when the receiver had the frame"),
        _field("sensor", pa.string(), "-", "never", "name of the sensor or input, as the user or file gave it"),
        _field("sensor_kind", pa.string(), "-", "never", "one of SENSOR_KINDS"),
        _field("frame_digest", pa.binary(32), "SHA-256", "never", "digest of the exact bytes of the frame or row as received"),
        _field("reject_reason", pa.string(), "-", "usable", "why the row cannot be used; a name from docs/formats.md"),
        _field("is_reconstruction", pa.bool_(), "-", "never", "true if a generator made the row: nobody measured it"),
        _field("icao24", pa.string(), "hex", "no address", "24-bit address, six lower-case hex digits"),
        _field("is_icao_address", pa.bool_(), "-", "unknown", "false for anonymous, TIS-B track-file and other non-ICAO addresses"),
        _field("sensor_track", pa.string(), "-", "sensor keeps no tracks", "the sensor's own track number"),
        _field("callsign", pa.string(), "-", "not in this report", "aircraft identification, no padding"),
        _field("squawk", pa.string(), "octal", "not in this report", "Mode A code, four digits"),
        _field("category", pa.string(), "-", "not in this report", "emitter category, A0 to D7"),
        _field("emergency", pa.string(), "-", "not in this report", "none, general, medical, minimum_fuel, no_radio, unlawful, downed, reserved"),
        _field("is_state_aircraft", pa.bool_(), "-", "unknown", "the source itself says military or state"),
        _field("latitude_deg", pa.float64(), "deg WGS84", "no position in this report", "geodetic latitude"),
        _field("longitude_deg", pa.float64(), "deg WGS84", "no position in this report", "longitude in [-180, 180)"),
        _field("last_position", UTC_NS, "s UTC", "as time_of_applicability", "when the position was last measured, where a source repeats old ones"),
        _field("on_ground", pa.bool_(), "-", "unknown", "the report says that the aircraft is on the ground"),
        _field("pressure_altitude_m", pa.float64(), "m, 1013.25 hPa", "unknown", "pressure altitude"),
        _field("geometric_height_m", pa.float64(), "m over WGS84", "unknown", "height above the ellipsoid"),
        _field("height_msl_m", pa.float64(), "m over mean sea level", "unknown", "height above mean sea level"),
        _field("ground_speed_mps", pa.float64(), "m/s", "unknown", "speed over ground"),
        _field("track_angle_deg", pa.float64(), "deg true", "unknown", "direction of motion over ground, [0, 360)"),
        _field("vertical_rate_mps", pa.float64(), "m/s up", "unknown", "rate of climb"),
        _field("adsb_version", pa.int8(), "-", "unknown", "0, 1, 2: which quality tables hold"),
        _field("nic", pa.int8(), "-", "unknown", "navigation integrity category, 0 to 11"),
        _field("rc_m", pa.float64(), "m", "unknown or unlimited", "radius of containment"),
        _field("nac_p", pa.int8(), "-", "unknown", "navigation accuracy category for position, 0 to 11"),
        _field("nac_v", pa.int8(), "-", "unknown", "navigation accuracy category for velocity, 0 to 4"),
        _field("sil", pa.int8(), "-", "unknown", "source integrity level, 0 to 3"),
        _field("gva", pa.int8(), "-", "unknown", "geometric vertical accuracy, 0 to 3"),
        _field("covariance_ee_m2", pa.float64(), "m^2", "sensor gives none", "position variance, east"),
        _field("covariance_en_m2", pa.float64(), "m^2", "sensor gives none", "position covariance, east-north"),
        _field("covariance_nn_m2", pa.float64(), "m^2", "sensor gives none", "position variance, north"),
        _field("bias_bound_m", pa.float64(), "m", "sensor gives none", "bound on the systematic horizontal error"),
    ],
    metadata={"airvigil.table": "reports", "airvigil.version": SCHEMA_VERSION},
)  # fmt: skip

OBSERVATION_SCHEMA = pa.schema(
    [
        _field("time_of_applicability", UTC_NS, "s UTC", "never", "when the fact was true"),
        _field("received_at", UTC_NS, "s UTC", "never", "when it was entered"),
        _field("author", pa.string(), "-", "never", "who says so: name and role"),
        _field("kind", pa.string(), "-", "never", "what is observed, e.g. radio_contact, visual_identification, flight_plan"),
        _field("subject", pa.string(), "-", "about no track in particular", "track_id or incident_id"),
        _field("value", pa.string(), "JSON", "nothing to add", "the observation's own fields, canonical JSON"),
        _field("source", pa.string(), "-", "not stated", "document, channel or sensor that it rests on"),
    ],
    metadata={"airvigil.table": "observations", "airvigil.version": SCHEMA_VERSION},
)  # fmt: skip


def reports_from_columns(columns: Mapping[str, Any], *, length: int) -> pa.Table:
    """Make a report table from some columns; the missing ones become null.

    Args:
        columns: name -> Arrow array, NumPy array or list, each of `length`. In floating-point
            columns NaN becomes null. `is_reconstruction` defaults to false.
        length: number of rows.

    Returns:
        Table with exactly REPORT_SCHEMA.

    Raises:
        SchemaError: a name that REPORT_SCHEMA lacks, or a length that differs.

    Example:
        >>> t = reports_from_columns({"sensor": ["a", "b"], "latitude_deg": [59.8, float("nan")]}, length=2)
        >>> t.num_rows, t["latitude_deg"].null_count
        (2, 1)
    """
    unknown = set(columns) - set(REPORT_SCHEMA.names)
    if unknown:
        raise SchemaError(f"no such report column: {', '.join(sorted(unknown))}")
    arrays = []
    for field in REPORT_SCHEMA:
        if field.name in columns:
            array = pa.array(columns[field.name], type=field.type, from_pandas=True)
        elif field.name == "is_reconstruction":
            array = pa.repeat(pa.scalar(False), length)
        else:
            array = pa.nulls(length, field.type)
        if len(array) != length:
            raise SchemaError(f"column {field.name}: expected {length} rows, got {len(array)}")
        arrays.append(array)
    return pa.table(arrays, schema=REPORT_SCHEMA)


def empty_reports() -> pa.Table:
    """A report table without rows."""
    return _NO_REPORTS


_NO_REPORTS = REPORT_SCHEMA.empty_table()  # tables never change; making one takes 0.4 ms


def concat_reports(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other; an empty table if there are none."""
    return pa.concat_tables(tables) if tables else empty_reports()


def check_reports(table: pa.Table) -> pa.Table:
    """Return the table unchanged if it has REPORT_SCHEMA.

    Raises:
        SchemaError: naming the first column that differs.
    """
    for field in REPORT_SCHEMA:
        if field.name not in table.schema.names:
            raise SchemaError(f"report table lacks column {field.name}")
        if table.schema.field(field.name).type != field.type:
            found = table.schema.field(field.name).type
            raise SchemaError(f"report column {field.name}: expected {field.type}, got {found}")
    return table


def describe_columns(schema: pa.Schema = REPORT_SCHEMA) -> Iterable[tuple[str, str, str, str, str]]:
    """(name, type, unit, meaning of null, about) of every column, for documentation."""
    for field in schema:
        meta = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        yield field.name, str(field.type), meta["unit"], meta["null"], meta["about"]
