"""Raw Mode S as text, one frame a line.

    *8D4840D6202CC371C32CE0576098;                 AVR, no time
    @05F1D0B2A3C48D4840D6202CC371C32CE0576098;     AVR with 12 MHz counter (12 digits); "%" likewise
    <05F1D0B2A3C4A08D4840D6202CC371C32CE0576098;   the same with signal level (2 digits)
    1698140962.119813,8d4840d6202cc371c32ce0576098 CSV: time, frame; or with a heading line
    {"timestamp":1720248189.52,"frame":"8d48..."}  JSON Lines

Rules
- The forms may be mixed; each line tells its own. In CSV and JSON the frame may also be a whole
  Beast frame in hex (1a33...), whose own counter is then not used.
- Times are seconds since 1970 UTC as decimal numbers, read exactly (not through binary floating
  point), or ISO 8601 with a zone.
- Lines without time: live, the time of reception; in a recording "no_time", for nothing is known.
- One row per line; `frame_digest` is over the line without its line end. Blank lines, lines
  starting with "#" and a CSV heading are not reports and give no row.
- Names of `reject_reason`: bad_line, bad_hex, bad_length, bad_time, no_time, line_too_long,
  mode_ac, receiver_status, clock_reset, and those of `airvigil.feeds.mode_s`.

Sources: the raw output of dump1090 and readsb (port 30002); rs1090's and jet1090's files.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from airvigil.feeds.beast_clock import CounterClock
from airvigil.feeds.feed import FeedOptions, LineSplitter
from airvigil.feeds.mode_s import ModeSDecoder
from airvigil.feeds.mode_s_frames import LONG_HEX, SHORT_HEX, FrameBatch, is_frame_text
from airvigil.reports import concat_reports
from airvigil.units import NS_PER_S

_AVR = re.compile(r"[*:](?P<plain>[0-9a-f]*);|[@%](?P<ticks>[0-9a-f]{12})(?P<timed>[0-9a-f]*);|<(?P<ticks2>[0-9a-f]{12})[0-9a-f]{2}(?P<timed2>[0-9a-f]*);")  # fmt: skip
_DECIMAL = re.compile(r"([0-9]{1,10})(?:\.([0-9]*))?")
_BEAST_HEX = re.compile(r"1a3[1-4]")  # no Mode S frame begins so: there is no downlink format 3
_BEAST_PAYLOAD_HEX = {"1": 4, "2": SHORT_HEX, "3": LONG_HEX, "4": 28}
_BEAST_HEADER_HEX = 18  # 0x1a, type, counter 6, signal 1
_TIME_NAMES = ("timestamp", "time", "ts")
_FRAME_NAMES = ("frame", "rawmsg", "raw", "msg", "message", "hex")
_MODE_AC_HEX = 4
_STATUS = "status"  # stands for the payload of a receiver status
_LATEST_NS = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RawModeSFeed:
    """One source of raw Mode S text lines (a `Feed`).

    Args:
        options: `start_ns` is needed only for recordings with 12 MHz counters.
    """

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._decoder = ModeSDecoder(options)
        self._lines = LineSplitter()
        self._clock: CounterClock | None = None
        self._csv_order = (0, 1)  # places of time and frame
        self._is_first_line = True
        self._last_ns = options.start_ns or 0
        self._received_at_ns = self._last_ns

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the lines that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        return self._rows(self._lines.split(chunk))

    def finish(self) -> pa.Table:
        """Row of a last line without line end; see `Feed.finish`."""
        return self._rows(self._lines.finish())

    def _rows(self, lines: list[tuple[bytes, bool]]) -> pa.Table:
        batch = FrameBatch()
        for line, is_too_long in lines:
            digest = hashlib.sha256(line).digest()
            if is_too_long:
                self._reject(batch, "line_too_long", digest)
                continue
            try:
                text = line.decode("ascii").strip()
            except UnicodeDecodeError:
                self._reject(batch, "bad_line", digest)
                continue
            if text and text[0] != "#":
                self._add_line(batch, text, digest)
        return self._decoder.decode(batch) if len(batch) else concat_reports([])

    def _add_line(self, batch: FrameBatch, text: str, digest: bytes) -> None:
        is_first_line, self._is_first_line = self._is_first_line, False
        if text[0] in "*:@%<":
            self._add_avr(batch, text.lower(), digest)
            return
        if text[0] == "{":
            found = _read_json(text)
        else:
            fields = [field.strip().strip('"') for field in text.split(",")]
            if is_first_line and self._is_heading(fields):
                return
            places = self._csv_order
            found = (fields[places[0]], fields[places[1]]) if len(fields) > max(places) else None
        if found is None:
            self._reject(batch, "bad_line", digest)
            return
        time_ns = read_time_ns(found[0])
        if time_ns is None:
            self._reject(batch, "bad_time", digest)
            return
        self._last_ns = time_ns
        frame = found[1].lower()
        if _BEAST_HEX.match(frame):
            frame = _beast_payload(frame)
            if frame == _STATUS:
                self._reject(batch, "receiver_status", digest)
                return
        self._add_frame(batch, frame, time_ns, digest)

    def _add_avr(self, batch: FrameBatch, text: str, digest: bytes) -> None:
        match = _AVR.fullmatch(text)
        if match is None:
            self._reject(batch, "bad_hex" if text.endswith(";") else "bad_line", digest)
            return
        ticks = match["ticks"] or match["ticks2"]
        if ticks is None:
            if not self._options.is_live:
                self._reject(batch, "no_time", digest)
                return
            self._add_frame(batch, match["plain"], self._received_at_ns, digest)
            return
        if self._options.start_ns is None and not self._options.is_live:
            self._reject(batch, "no_time", digest)
            return
        if self._clock is None:
            self._clock = CounterClock(self._options)
        time_ns = self._clock.utc_ns(int(ticks, 16), self._received_at_ns)
        if time_ns is None:
            self._reject(batch, "clock_reset", digest)
            return
        self._last_ns = time_ns
        self._add_frame(batch, match["timed"] or match["timed2"] or "", time_ns, digest)

    def _add_frame(self, batch: FrameBatch, frame: str, time_ns: int, digest: bytes) -> None:
        received_ns = self._received_at_ns if self._options.is_live else time_ns
        if is_frame_text(frame):
            batch.append(frame, time_ns, received_ns, digest)
            return
        if not all(digit in "0123456789abcdef" for digit in frame):
            reason = "bad_hex"
        else:
            reason = "mode_ac" if len(frame) == _MODE_AC_HEX else "bad_length"
        batch.reject(reason, time_ns, received_ns, digest)

    def _reject(self, batch: FrameBatch, reason: str, digest: bytes) -> None:
        time_ns = self._received_at_ns if self._options.is_live else self._last_ns
        batch.reject(reason, time_ns, time_ns, digest)

    def _is_heading(self, fields: list[str]) -> bool:
        names = [field.lower() for field in fields]
        times = [place for place, name in enumerate(names) if name in _TIME_NAMES]
        frames = [place for place, name in enumerate(names) if name in _FRAME_NAMES]
        if not times or not frames:
            return False
        self._csv_order = (times[0], frames[0])
        return True


def read_time_ns(text: str) -> int | None:
    """Seconds since 1970 as a decimal number, or ISO 8601 with a zone, to ns; None if neither.

    Example:
        >>> read_time_ns("1698140962.119813"), read_time_ns("2023-10-24T09:49:22Z"), read_time_ns("x")
        (1698140962119813000, 1698140962000000000, None)
    """
    match = _DECIMAL.fullmatch(text)
    if match is not None:
        fraction = ((match[2] or "") + "000000000")[:9]
        nanoseconds = int(match[1]) * NS_PER_S + int(fraction)
        return nanoseconds if nanoseconds <= _LATEST_NS else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    nanoseconds = (moment - _EPOCH) // _MICROSECOND * 1000
    return nanoseconds if 0 <= nanoseconds <= _LATEST_NS else None


def _read_json(text: str) -> tuple[str, str] | None:
    """Time and frame of one JSON object, as text; None if it is none or lacks one of them."""
    try:
        fields = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    time = next((fields[name] for name in _TIME_NAMES if name in fields), None)
    frame = next((fields[name] for name in _FRAME_NAMES if name in fields), None)
    if not isinstance(time, str) or not isinstance(frame, str):
        return None
    return time, frame


def _beast_payload(frame: str) -> str:
    """The Mode S frame of a Beast frame in hex, escaped or not; _STATUS; other text unchanged."""
    length = _BEAST_HEADER_HEX + _BEAST_PAYLOAD_HEX[frame[3]]
    if len(frame) > length and len(frame) % 2 == 0:
        try:
            octets = bytes.fromhex(frame)
        except ValueError:
            return frame
        frame = (octets[:2] + octets[2:].replace(b"\x1a\x1a", b"\x1a")).hex()
    if len(frame) != length:
        return frame
    return _STATUS if frame[3] == "4" else frame[_BEAST_HEADER_HEX:]
