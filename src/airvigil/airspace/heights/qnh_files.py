"""Files of QNH observations: CSV or JSON bytes to rows of the observation table.

Columns (CSV) or keys (a JSON list of objects): `time` (ISO 8601, UTC if it names no zone), `station`, `latitude_deg`,
`longitude_deg`; `qnh_hpa`, or `metar`, whose text states it; optional `temperature_c` (also taken from the METAR),
`elevation_m`, `received_at`, `source`, `author`. An archive's names `valid`, `lat`, `lon` and `elevation` serve as well.
Empty, "M" and "null" are unknown. A CSV line that begins with "#" is a comment.

Rules
- Without `received_at` an observation counts as received when it was true: say when it came if the record shall
  show what was known at an instant.
- A METAR without a QNH is no observation and left out. Anything else that cannot be used is one error with its line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from airvigil.airspace.heights.qnh import KIND, observation_of, qnh_of_metar, temperature_of_metar
from airvigil.errors import DecodeError
from airvigil.reports import OBSERVATION_SCHEMA
from airvigil.units import utc_ns

MOST_ROWS = 500_000
_ALIASES = {"valid": "time", "lat": "latitude_deg", "lon": "longitude_deg", "elevation": "elevation_m"}
_NUMBERS = ("latitude_deg", "longitude_deg", "qnh_hpa", "temperature_c", "elevation_m")
_UNKNOWN = ("", "M", "NULL")
_HINT = "columns: time, station, latitude_deg, longitude_deg, and qnh_hpa or metar; see docs/units-and-uncertainty.md"


def observations_of_qnh(raw: bytes, name: str) -> pa.Table:
    """Rows of OBSERVATION_SCHEMA, kind "qnh", in order of the file.

    Args:
        raw: the file, UTF-8; JSON if it begins with "[", otherwise CSV with a header line.
        name: how error messages call the file.

    Raises:
        DecodeError: naming the file, the line or item, and the value found.

    Example:
        >>> raw = b"time,station,lat,lon,metar\\n2026-01-07T06:20Z,EFHK,60.32,24.96,EFHK 070620Z M12/M15 Q1013\\n"
        >>> observations_of_qnh(raw, "metars.csv")["value"].to_pylist()
        ['{"latitude_deg":60.32,"longitude_deg":24.96,"qnh_hpa":1013.0,"station":"EFHK","temperature_c":-12.0}']
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DecodeError(f"{name}: expected UTF-8 text, byte {error.start} is not") from error
    columns: dict[str, list[Any]] = {field.name: [] for field in OBSERVATION_SCHEMA}
    items = _json_items(text, name) if text.lstrip().startswith("[") else _csv_items(text, name)
    for count, (where, item) in enumerate(items):
        if count >= MOST_ROWS:
            raise DecodeError(f"{name}: more than {MOST_ROWS} observations", hint="cut the file by time")
        row = _row(item, f"{name}, {where}")
        if row is not None:
            for key, column in columns.items():
                column.append(row[key])
    return pa.table(
        [pa.array(columns[f.name], type=f.type) for f in OBSERVATION_SCHEMA], schema=OBSERVATION_SCHEMA
    )


def _csv_items(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = text.splitlines()
    numbers = [k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    reader = csv.reader(lines[k] for k in numbers)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        if "station" not in header or not {"time", "valid"} & set(header):
            raise DecodeError(f"{name}: expected a header line, got {header[:6]}", hint=_HINT)
        for row in reader:
            where = f"line {numbers[reader.line_num - 1] + 1}"
            if len(row) != len(header):
                raise DecodeError(f"{name}, {where}: expected {len(header)} columns, got {len(row)}")
            yield where, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise DecodeError(f"{name}: not CSV: {error}") from error


def _json_items(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        items = json.load(io.StringIO(text))
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{name}: not JSON: {error}") from error
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise DecodeError(f"{name}, item {number}: expected an object", hint=_HINT)
        yield f"item {number}", item


def _row(item: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    named = {_ALIASES.get(key, key): value for key, value in item.items()}
    known = {
        key: value for key, value in named.items() if value is not None and str(value).upper() not in _UNKNOWN
    }
    for key in _NUMBERS:
        if key in known:
            known[key] = _number(known[key], f"{where}: {key}")
    metar = known.get("metar")
    if metar is not None:
        stated = {"qnh_hpa": qnh_of_metar(str(metar)), "temperature_c": temperature_of_metar(str(metar))}
        known = {**{key: value for key, value in stated.items() if value is not None}, **known}
        if "qnh_hpa" not in known:
            return None
    time_ns = _time(known.get("time"), f"{where}: time")
    received_ns = _time(known["received_at"], f"{where}: received_at") if "received_at" in known else time_ns
    value = {key: known[key] for key in ("station", *_NUMBERS) if key in known}
    source = known.get("source")
    found = observation_of(value, time_ns, received_ns, source)
    if isinstance(found, str):
        raise DecodeError(f"{where}: {found}", hint=_HINT)
    return {
        "time_of_applicability": time_ns,
        "received_at": received_ns,
        "author": str(known.get("author", "weather station")),
        "kind": KIND,
        "subject": None,
        "value": json.dumps(value, sort_keys=True, separators=(",", ":")),
        "source": None if source is None else str(source),
    }


def _number(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise DecodeError(f"{where}: expected a number, got {value!r}") from error


def _time(value: Any, where: str) -> int:
    wrong = DecodeError(f"{where}: expected an ISO 8601 time, got {value!r}")
    try:
        time_ns = utc_ns(str(value))
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if not -(2**63) <= time_ns < 2**63:  # ns since 1970 end in 2262
        raise wrong
    return time_ns
