"""readsb's trace files: the day's positions of one aircraft.

    {"icao": "ac671b", "timestamp": 1738703622.619, "trace": [
      [dt_s, lat, lon, alt_ft | "ground" | null, gs_kt, track_deg, flags, rate_ft_min,
       {details} | null, type, alt_geom_ft, geom_rate_ft_min, ias_kt, roll_deg], ...]}

The last five elements are missing in files made before 2022.

Rules
- A row's position was received at `timestamp + dt`. Flag 1 ("stale") says that no position came
  for 20 s *before* this one; the position itself is new. So `last_position` is the row's own time.
- On the ground the direction is the heading, not the track (readsb says so): it is not read there.
- Flag 4: the vertical rate is geometric (it is a rate all the same); flag 8: the altitude is
  geometric, and goes to `geometric_height_m`.
- readsb writes `details` every few rows. Call sign, squawk, category and emergency hold until the
  next ones, or the next leg (flag 2); quality (nic, rc, nac_p, ...) holds for QUALITY_CARRY_S and
  is unknown after that: under jamming it changes within seconds.
- The frame digest of a row is that of its array as canonical JSON.

Source: readsb, README-json.md ("trace jsons").
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.errors import DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.field_values import read_address, read_numbers, read_times, read_words
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES, JsonSplitter, parse_json, row_digest
from airvigil.feeds.readsb import (
    QUALITY_KEYS,
    containment_m,
    ground_flag,
    identity_columns,
    quality_columns,
    sensor_kind,
)
from airvigil.feeds.row_tables import RowColumns, build_reports, rejected_row
from airvigil.reports import concat_reports
from airvigil.units import M_PER_FT, MPS_PER_FT_MIN, MPS_PER_KT, NS_PER_S

QUALITY_CARRY_S = 120.0  # details come with every fourth row, rows at most 30 s apart in flight
MAX_ROWS = 1_000_000  # a day at one row every 0.1 s has 864,000

_ROW_LENGTHS = range(9, 33)  # 9 in old files, 14 now; later elements are not read
_FLAG_NEW_LEG, _FLAG_GEOMETRIC_ALTITUDE = 2, 8
_IDENTITY_KEYS = ("flight", "squawk", "category", "emergency")
_QUALITY_NAMES = ("rc", "mlat", "tisb", *(key for _, key, _, _ in QUALITY_KEYS))


class TraceFeed:
    """Trace files, one or several one after the other."""

    def __init__(self, options: FeedOptions, *, max_document_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._options = options
        self._splitter = JsonSplitter(max_document_bytes)
        self._time_ns = options.start_ns
        self._is_first = True

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the trace files that this chunk completes; see `Feed.decode`."""
        if self._time_ns is None:
            self._time_ns = received_at_ns
        return concat_reports([self._decode_document(document) for document in self._splitter.split(chunk)])

    def _decode_document(self, document: bytes) -> pa.Table:
        try:
            reports = trace_reports(parse_json(document), options=self._options)
        except DecodeError:
            if self._is_first:
                raise
            return self._reject(document, "bad_document")
        finally:
            self._is_first = False
        if reports.num_rows:
            self._time_ns = int(reports["received_at"][-1].value)
        return reports

    def _reject(self, content: bytes, reason: str) -> pa.Table:
        kind = self._options.sensor_kind or "adsb"
        return rejected_row(
            content, reason, sensor=self._options.sensor, sensor_kind=kind, time_ns=self._time_ns or 0
        )

    def finish(self) -> pa.Table:
        """A rejected row if the source ended inside a trace; see `Feed.finish`."""
        tail = self._splitter.finish()
        return concat_reports([self._reject(tail, "incomplete")] if tail.strip() else [])


def trace_reports(document: Any, *, options: FeedOptions) -> pa.Table:
    """Report rows of one parsed trace file.

    Raises:
        DecodeError: not a trace file.
    """
    if not isinstance(document, dict) or not isinstance(document.get("trace"), list):
        raise DecodeError('expected a trace file: an object with a list "trace"')
    start, is_known, _ = read_times([document.get("timestamp")])
    if not is_known[0]:
        raise DecodeError('expected a time "timestamp" in the trace file')
    trace: list[Any] = document["trace"]
    if len(trace) > MAX_ROWS:
        raise DecodeError(f"expected at most {MAX_ROWS:,} rows in a trace, got {len(trace):,}")
    is_row = np.array([isinstance(row, list) and len(row) in _ROW_LENGTHS for row in trace], dtype=np.bool_)
    return _rows_to_reports(document, int(start[0]), trace, is_row, options)


def _rows_to_reports(
    document: dict[str, Any],
    start_ns: int,
    trace: list[Any],
    is_row: np.ndarray[Any, Any],
    options: FeedOptions,
) -> pa.Table:
    blank: list[Any] = [None] * 14
    rows = [(row + blank)[:14] if ok else blank for row, ok in zip(trace, is_row.tolist(), strict=True)]
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * 14
    offset_s, is_offset_bad = read_numbers(columns[0])
    with np.errstate(invalid="ignore"):
        is_offset_bad = is_offset_bad | (np.abs(offset_s) > 31_536_000.0)
    is_timed = ~np.isnan(offset_s) & ~is_offset_bad
    offset_ns = np.round(np.where(is_timed, offset_s, 0.0) * NS_PER_S).astype(np.int64)
    times = np.where(is_timed, start_ns + offset_ns, 0)
    details = _carried_details(rows, offset_s.tolist(), document)
    numbers, is_bad_value = _measurements(columns, [entry["flags"] for entry in details])
    hexes = [document.get("icao")] * len(rows)
    read = RowColumns(
        digests=[row_digest(row) for row in trace],
        received_at=times,
        applicability=times,
        last_position=times,
        address=read_words(hexes, read_address),
        numbers=numbers | {"rc_m": containment_m(details)},
        is_bad_row=~is_row,
        is_bad_value=is_bad_value | is_offset_bad,
        others=identity_columns(details, hexes)
        | quality_columns(details)
        | {"on_ground": [ground_flag(altitude) for altitude in columns[3]]},
    )
    kinds = [options.sensor_kind or sensor_kind(entry) for entry in details]
    return build_reports(read, sensor=options.sensor, sensor_kinds=kinds, before_ns=start_ns)


def _measurements(columns: list[Any], flags: list[int]) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """Numbers in SI by report column, and where one cannot be read."""
    is_on_ground = np.array([altitude == "ground" for altitude in columns[3]], dtype=np.bool_)
    altitude, is_altitude_bad = read_numbers([None if a == "ground" else a for a in columns[3]])
    is_geometric = np.array([bool(flag & _FLAG_GEOMETRIC_ALTITUDE) for flag in flags], dtype=np.bool_)
    read = {index: read_numbers(columns[index]) for index in (1, 2, 4, 5, 7, 10)}
    is_bad = np.logical_or.reduce([is_altitude_bad, *(bad for _, bad in read.values())])
    geometric = np.where(is_geometric & np.isnan(read[10][0]), altitude, read[10][0])
    return {
        "latitude_deg": read[1][0],
        "longitude_deg": read[2][0],
        "pressure_altitude_m": np.where(is_geometric, np.nan, altitude) * M_PER_FT,
        "geometric_height_m": geometric * M_PER_FT,
        "ground_speed_mps": read[4][0] * MPS_PER_KT,
        "track_angle_deg": np.where(is_on_ground, np.nan, read[5][0]),
        "vertical_rate_mps": read[7][0] * MPS_PER_FT_MIN,
    }, is_bad


def _carried_details(
    rows: list[list[Any]], offsets_s: list[float], document: dict[str, Any]
) -> list[dict[str, Any]]:
    """For each row an aircraft object: its own details, or what still holds of earlier ones."""
    carried: list[dict[str, Any]] = []
    identity: dict[str, Any] = {}
    quality: dict[str, Any] = {}
    quality_s = -np.inf
    for row, offset_s in zip(rows, offsets_s, strict=True):
        flags = row[6] if isinstance(row[6], int) and not isinstance(row[6], bool) else 0
        if flags & _FLAG_NEW_LEG:
            identity = {}
        if isinstance(row[8], dict):
            identity = identity | {key: row[8][key] for key in _IDENTITY_KEYS if key in row[8]}
            quality = {key: row[8][key] for key in _QUALITY_NAMES if key in row[8]}
            quality_s = offset_s
        holds = abs(offset_s - quality_s) <= QUALITY_CARRY_S
        kind = (
            row[9] if row[9] is not None else (row[8] or {}).get("type") if isinstance(row[8], dict) else None
        )
        carried.append(
            {
                **identity,
                **(quality if holds else {}),
                "type": kind,
                "dbFlags": document.get("dbFlags"),
                "flags": flags,
            }
        )
    return carried
