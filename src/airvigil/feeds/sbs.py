"""SBS-1 (BaseStation): 22 comma-separated fields a line, as decoders offer it on port 30003.

    MSG,3,1,1,461F28,1,2026/01/07,08:32:45.123,2026/01/07,08:32:45.150,,36000,,,60.31,24.83,,,0,0,0,0
     1  2 3 4   5    6     7          8            9          10       11 12 ..    15   16  17  ..  22

Rules
- One row per line. Only MSG lines report an aircraft; SEL, ID, AIR, STA, CLK: "not_a_message".
- Times are local times of the sender's clock without zone: taken as UTC, less
  `FeedOptions.utc_offset_s`. "Generated" is the time of applicability. "Logged" is when the
  receiver had it; on a live feed the time of reception is used for that, and it stands in for a
  generated time that is empty. Times may step back (dump1090 sends in the order of decoding).
- The format carries no quality at all: it stays null and settings supply assumed values.
- Altitude is pressure altitude (mode C), whatever the decoder calls it.
- The emergency flag says only that there is one; with squawk 7500, 7600 or 7700 in the same line
  it is named.
- A field that is there but cannot be read rejects the line: "bad_field:" and its name, one of
  message_type, icao24, generated, logged, altitude, ground_speed, track, latitude, longitude,
  vertical_rate, squawk, flag. A wrong number of fields: "bad_field_count"; "line_too_long";
  "bad_line" (no text).

Source: the BaseStation socket format as published for Kinetic's SBS receivers and written by
dump1090 and readsb.
"""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from airvigil.feeds.feed import FeedOptions, LineSplitter
from airvigil.reports import empty_reports, reports_from_columns
from airvigil.units import M_PER_FT, MPS_PER_FT_MIN, MPS_PER_KT, NS_PER_S

FIELD_COUNT = 22
_FIRST_YEAR, _LAST_YEAR = 1980, 2200  # a clock that shows anything else was never set
_OTHER_MESSAGES = frozenset({"SEL", "ID", "AIR", "STA", "CLK"})
_ADSB_TYPES = frozenset("1234")  # 5 to 8 are Mode S replies
_DATE = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,7}(?:\.[0-9]{0,12})?")
_ADDRESS = re.compile(r"~?[0-9A-Fa-f]{6}")
_SQUAWK = re.compile(r"[0-7]{4}")
_FLAGS = {"": None, "0": False, "1": True, "-1": True}
_EMERGENCY_OF_SQUAWK = {"7500": "unlawful", "7600": "no_radio", "7700": "general"}
# column, place in the line (0 is "MSG"), factor to SI, least and greatest value as sent, name
_NUMBERS = (
    ("pressure_altitude_m", 11, M_PER_FT, -2_000.0, 200_000.0, "altitude"),
    ("ground_speed_mps", 12, MPS_PER_KT, 0.0, 10_000.0, "ground_speed"),
    ("track_angle_deg", 13, 1.0, 0.0, 360.0, "track"),
    ("latitude_deg", 14, 1.0, -90.0, 90.0, "latitude"),
    ("longitude_deg", 15, 1.0, -180.0, 180.0, "longitude"),
    ("vertical_rate_mps", 16, MPS_PER_FT_MIN, -100_000.0, 100_000.0, "vertical_rate"),
)


class _BadFieldError(ValueError):
    """A field that cannot be read; its name is the argument."""


class SbsFeed:
    """One source of SBS-1 lines (a `Feed`)."""

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._offset_ns = round(options.utc_offset_s * NS_PER_S)
        self._lines = LineSplitter()
        self._last_ns = options.start_ns or 0
        self._received_at_ns = self._last_ns

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the lines that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        return self._table(self._lines.split(chunk))

    def finish(self) -> pa.Table:
        """Row of a last line without line end; see `Feed.finish`."""
        return self._table(self._lines.finish())

    def _table(self, lines: list[tuple[bytes, bool]]) -> pa.Table:
        rows = [self._row(line, is_too_long) for line, is_too_long in lines if line.strip()]
        if not rows:
            return empty_reports()
        names = sorted(set().union(*rows))
        return reports_from_columns(
            {name: [row.get(name) for row in rows] for name in names}, length=len(rows)
        )

    def _row(self, line: bytes, is_too_long: bool) -> dict[str, Any]:
        try:
            if is_too_long:
                raise _BadFieldError("line_too_long")
            row = self._read(line)
        except _BadFieldError as error:
            now_ns = self._received_at_ns if self._options.is_live else self._last_ns
            row = {"time_of_applicability": now_ns, "received_at": now_ns, "reject_reason": str(error)}
            row["sensor_kind"] = self._options.sensor_kind or "mode_s"
        row["sensor"] = self._options.sensor
        row["frame_digest"] = hashlib.sha256(line).digest()
        return row

    def _read(self, line: bytes) -> dict[str, Any]:
        """The columns of one line.

        Raises:
            _BadFieldError: with the reject reason.
        """
        try:
            fields = [field.strip() for field in line.decode("ascii").split(",")]
        except UnicodeDecodeError:
            raise _BadFieldError("bad_line") from None
        if fields[0] != "MSG":
            raise _BadFieldError("not_a_message" if fields[0] in _OTHER_MESSAGES else "bad_line")
        if len(fields) != FIELD_COUNT:
            raise _BadFieldError("bad_field_count")
        if fields[1] not in "12345678" or len(fields[1]) != 1:
            raise _BadFieldError("bad_field:message_type")
        row = self._read_times(fields)
        address = fields[4]
        if not _ADDRESS.fullmatch(address):
            raise _BadFieldError("bad_field:icao24")
        row["icao24"] = address[-6:].lower()
        row["is_icao_address"] = False if address[0] == "~" else None
        row["sensor_kind"] = self._options.sensor_kind or ("adsb" if fields[1] in _ADSB_TYPES else "mode_s")
        row["callsign"] = fields[10] or None
        for column, place, factor, least, greatest, name in _NUMBERS:
            row[column] = _read_number(fields[place], factor, least, greatest, name)
        if (row["latitude_deg"] is None) != (row["longitude_deg"] is None):
            raise _BadFieldError(
                "bad_field:latitude" if row["latitude_deg"] is None else "bad_field:longitude"
            )
        if row["longitude_deg"] == 180.0:
            row["longitude_deg"] = -180.0
        if row["track_angle_deg"] == 360.0:
            row["track_angle_deg"] = 0.0
        _read_flags(fields, row)
        self._last_ns = row["received_at"]
        return row

    def _read_times(self, fields: list[str]) -> dict[str, Any]:
        generated = self._read_time(fields[6], fields[7], "generated")
        logged = self._read_time(fields[8], fields[9], "logged")
        if self._options.is_live:
            received = self._received_at_ns
            generated = received if generated is None else generated
        else:
            generated = logged if generated is None else generated
            if generated is None:
                raise _BadFieldError("bad_field:generated")
            received = generated if logged is None else logged
        return {"time_of_applicability": generated, "received_at": received}

    def _read_time(self, date: str, time: str, name: str) -> int | None:
        if not date and not time:
            return None
        day, moment = _DATE.fullmatch(date), _TIME.fullmatch(time)
        if day is None or moment is None:
            raise _BadFieldError(f"bad_field:{name}")
        year, month, date_of_month = (int(part) for part in day.groups())
        hour, minute, second = (int(part) for part in moment.groups()[:3])
        try:
            whole = datetime(year, month, date_of_month, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise _BadFieldError(f"bad_field:{name}") from None
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise _BadFieldError(f"bad_field:{name}")
        fraction_ns = int(((moment[4] or "") + "000000000")[:9])
        return int(whole.timestamp()) * NS_PER_S + fraction_ns - self._offset_ns


def _read_number(text: str, factor: float, least: float, greatest: float, name: str) -> float | None:
    if not text:
        return None
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not least <= number <= greatest:
        raise _BadFieldError(f"bad_field:{name}")
    return number * factor


def _read_flags(fields: list[str], row: dict[str, Any]) -> None:
    """Squawk, emergency and ground flags (places 17, 19, 21)."""
    squawk = fields[17].zfill(4) if fields[17] else ""
    if squawk and not _SQUAWK.fullmatch(squawk):
        raise _BadFieldError("bad_field:squawk")
    if any(fields[place] not in _FLAGS for place in (18, 19, 20, 21)):
        raise _BadFieldError("bad_field:flag")
    row["squawk"] = squawk or None
    row["on_ground"] = _FLAGS[fields[21]]
    is_emergency = _FLAGS[fields[19]]
    if is_emergency is not None:
        row["emergency"] = _EMERGENCY_OF_SQUAWK.get(squawk, "general") if is_emergency else "none"
