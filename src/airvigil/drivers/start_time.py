"""When a recording began: from an option, or from the name of its file.

Formats whose clock has no origin (Beast) need to be told. Recorders usually write the time into
the file name, often in local time: `raw_adsb_20260106_235704.bin`.

Rules
- A stated time needs its zone, or `Z`; a time without one is taken as UTC.
- A name is read as YYYYMMDD_HHMMSS (also with `-`, `T` or nothing between, and with separators
  within date and time); what its clock was ahead of UTC must be stated where it is not UTC.
- A name with no such time, or with two different ones, says nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from airvigil.errors import ConfigError
from airvigil.feeds.field_values import EARLIEST_NS, LATEST_NS, epoch_ns

_IN_NAME = re.compile(
    r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?:[-_T. ]|)(\d{2})[-_:.h]?(\d{2})[-_:.m]?(\d{2})(Z?)(?!\d)"
)
_OFFSET = re.compile(r"^(UTC)?([+-])(\d{1,2})(?::?([0-5]\d))?$")
_PLAIN_EPOCH = re.compile(r"^\d{9,19}(\.\d+)?$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_OFFSET_S = 14 * 3600  # UTC+14, Line Islands; the largest in use


def parse_start(text: str) -> int:
    """A stated start time as ns UTC: ISO 8601 or seconds since 1970.

    Raises:
        ConfigError: no time, or one that no recording can have.

    Example:
        >>> parse_start("2026-01-06T21:57:04Z") == parse_start("2026-01-06T23:57:04+02:00")
        True
    """
    value = text.strip()
    if _PLAIN_EPOCH.match(value):
        time_ns = epoch_ns(float(value) if "." in value else int(value))
    else:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise _no_start(text) from error
        time_ns = _moment_ns(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    if not EARLIEST_NS <= time_ns < LATEST_NS:
        raise _no_start(text)
    return time_ns


def parse_utc_offset(text: str) -> float:
    """What a clock is ahead of UTC, in seconds: `+02:00`, `-0330`, `Z`.

    Raises:
        ConfigError: no offset, or beyond 14 hours.

    Example:
        >>> parse_utc_offset("+02:00"), parse_utc_offset("-0330"), parse_utc_offset("Z")
        (7200.0, -12600.0, 0.0)
    """
    value = text.strip().upper()
    if value in ("Z", "UTC"):
        return 0.0
    found = _OFFSET.match(value)
    if found is not None:
        seconds = int(found[3]) * 3600 + int(found[4] or 0) * 60
        if seconds <= _MAX_OFFSET_S:
            return float(-seconds if found[2] == "-" else seconds)
    raise ConfigError(f"expected an offset from UTC, got {text!r}", hint="write it as +02:00, -03:30 or Z")


def start_from_name(name: str, utc_offset_s: float = 0.0) -> int | None:
    """Start time in a file's name as ns UTC; None if the name has none.

    Args:
        name: file name, without its folder.
        utc_offset_s: what the recorder's clock was ahead of UTC. A `Z` right after the time in the
            name says UTC, whatever this is.

    Example:
        >>> start_from_name("raw_adsb_20260106_235704.bin.xz", 7200.0) == parse_start("2026-01-06T21:57:04Z")
        True
        >>> start_from_name("recording.bin") is None
        True
    """
    times: set[int] = set()
    for *digits, zulu in _IN_NAME.findall(name):
        zone = UTC if zulu else timezone(timedelta(seconds=utc_offset_s))
        try:
            year, month, day, hour, minute, second = map(int, digits)
            time_ns = _moment_ns(datetime(year, month, day, hour, minute, second, tzinfo=zone))
        except (ValueError, OverflowError):
            continue
        if EARLIEST_NS <= time_ns < LATEST_NS:
            times.add(time_ns)
    return times.pop() if len(times) == 1 else None


def _moment_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def _no_start(text: str) -> ConfigError:
    return ConfigError(f"expected a start time, got {text!r}", hint="write it as 2026-01-06T21:57:04Z")
