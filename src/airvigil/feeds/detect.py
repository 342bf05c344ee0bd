"""Which format a source is in, by its content.

Looks at the first bytes only (HEAD_BYTES are enough) and never at a name. What it finds can be
overridden by stating the format; what it cannot find it refuses, naming the formats there are.

The names are those of `--format`:

| name | content |
|---|---|
| beast | Beast binary, also with garbage before the first frame |
| raw | Mode S in hex: AVR lines, CSV or JSON Lines with time stamps |
| sbs | SBS-1 (BaseStation) lines |
| aircraft-json | readsb's aircraft.json |
| trace | readsb's trace file |
| state-vectors | CSV, JSON or JSON Lines with OpenSky's or traffic's columns |
| parquet | Parquet or Arrow: reports or state vectors, by their columns |

`state-vectors` may be followed by a dialect, `state-vectors:opensky` or `state-vectors:traffic`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from airvigil.errors import DecodeError
from airvigil.feeds.field_values import UNKNOWN_WORDS
from airvigil.feeds.json_documents import parse_json
from airvigil.feeds.state_vector_columns import KNOWN_NAMES
from airvigil.feeds.state_vectors import clean_name

HEAD_BYTES = 65_536
FORMATS = ("beast", "raw", "sbs", "aircraft-json", "trace", "state-vectors", "parquet")

_BOM = b"\xef\xbb\xbf"
_OCTET = rb"(?:[^\x1a]|\x1a\x1a)"
_BEAST_FRAME = re.compile(
    rb"\x1a(?:\x31" + _OCTET + rb"{9}|\x32" + _OCTET + rb"{14}|[\x33\x34]" + _OCTET + rb"{21})(?=\x1a|\Z)",
    re.DOTALL,
)
_AVR_LINE = re.compile(rb"^(\*|[@%<][0-9A-Fa-f]{12,14})([0-9A-Fa-f]{4}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{28});$")
_HEX_LINE = re.compile(rb"^([0-9A-Fa-f]{14}|[0-9A-Fa-f]{28})$")
# A time and a frame: bare (7 or 14 octets) or inside a Beast frame (16 or 23)
_HEX_CSV_LINE = re.compile(
    rb"^\"?[0-9][0-9TZ:.+ -]{5,40}\"?,\"?([0-9A-Fa-f]{14}|[0-9A-Fa-f]{28}|1[aA]3[1-3][0-9A-Fa-f]{14,60})\"?(,.*)?$"
)
_SBS_LINE = re.compile(rb"^(MSG|SEL|ID|AIR|STA|CLK),[^,]*(,[^,]*){8,}$")
_FRAME_KEYS = frozenset({"frame", "rawmsg", "raw", "msg", "message", "hex"})
_TIME_KEYS = frozenset({"timestamp", "time", "ts"})
_HEX_TEXT = re.compile(r"^\*?[0-9A-Fa-f]{14,64};?$")
_FIRST_KEYS = re.compile(rb'"([^"\\]{1,64})"\s*:\s*(.)', re.DOTALL)
_LINES_LOOKED_AT = 20


def detect_format(head: bytes) -> str:
    """Name of the format that starts with these bytes.

    Args:
        head: the first HEAD_BYTES of the source, decompressed; fewer if it has no more.

    Returns:
        One of FORMATS.

    Raises:
        DecodeError: none of them; or nothing at all to look at.

    Example:
        >>> detect_format(b"*8D4840D6202CC371C32CE0576098;\\n")
        'raw'
    """
    if not head.strip():
        raise DecodeError("expected a recording, got an empty source")
    head = head.removeprefix(_BOM)
    if head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
        return "parquet"
    if _is_beast(head):
        return "beast"
    start = head.lstrip()
    if start[:1] in (b"{", b"["):
        return _json_format(start)
    lines = _whole_lines(head)
    for name, pattern in (("sbs", _SBS_LINE), ("raw", _AVR_LINE), ("raw", _HEX_LINE), ("raw", _HEX_CSV_LINE)):
        # more than half: the first line of a rotated log is often cut
        if 2 * sum(bool(pattern.match(line)) for line in lines) > len(lines):
            return name
    header = _header_names(lines[0]) if lines else set()
    if header & _FRAME_KEYS and header & _TIME_KEYS and not header & {"latitude", "lat"}:
        return "raw"
    if len(header & KNOWN_NAMES) >= 3:
        return "state-vectors"
    if any(line.lstrip()[:1] == b"{" for line in lines):
        return _json_format(next(line for line in lines if line.lstrip()[:1] == b"{"))
    raise _unknown(head)


def detect_state_vector_container(head: bytes) -> str:
    """Whether state vectors are in "csv", "jsonl" or "json".

    Args:
        head: the first bytes of the source.
    """
    start = head.removeprefix(_BOM).lstrip()
    if start[:1] == b"[":
        return "json"
    if start[:1] == b"{":
        line, newline, _ = start.partition(b"\n")
        row = _parsed(line) if newline else None
        is_row = isinstance(row, dict) and not any(isinstance(value, dict | list) for value in row.values())
        return "jsonl" if is_row else "json"
    return "csv"


def _is_beast(head: bytes) -> bool:
    covered, count, end = 0, 0, 0
    for frame in _BEAST_FRAME.finditer(head):
        covered += frame.end() - frame.start()
        count += 1
        end = frame.end()
        if count >= 64:
            break
    # Frames must follow one another closely; text that merely holds a 0x1a has none.
    return count > 0 and (2 * covered > min(end, len(head)) or count >= 8)


def _json_format(start: bytes) -> str:
    if start[:1] == b"[":
        element = re.match(rb"\[\s*(\{[^{}]*\})", start)
        row = _parsed(element.group(1)) if element else None
        if isinstance(row, dict) and len(KNOWN_NAMES.intersection(map(clean_name, row))) >= 3:
            return "state-vectors"
        raise _unknown(start)
    row = _parsed(start.partition(b"\n")[0])
    if isinstance(row, dict):
        found = _object_format(row)
        if found is not None:
            return found
    found_keys = [
        (clean_name(key.decode("ascii", "replace")), mark) for key, mark in _FIRST_KEYS.findall(start)
    ]
    keys = dict(reversed(found_keys))
    if keys.get("aircraft") == b"[" or keys.get("ac") == b"[":
        return "aircraft-json"
    if keys.get("trace") == b"[" or ("icao" in keys and "timestamp" in keys):
        return "trace"
    # of a table by columns, the head may hold no more than the first one
    is_by_columns = bool(found_keys) and found_keys[0][0] in KNOWN_NAMES and found_keys[0][1] in (b"{", b"[")
    if keys.get("states") == b"[" or is_by_columns or len(KNOWN_NAMES.intersection(keys)) >= 3:
        return "state-vectors"
    raise _unknown(start)


def _object_format(row: dict[str, Any]) -> str | None:
    """Format of a document or line that is there as a whole."""
    for key in _FRAME_KEYS.intersection(row):
        if isinstance(row[key], str) and _HEX_TEXT.match(row[key]):
            return "raw"
    if isinstance(row.get("aircraft", row.get("ac")), list):
        return "aircraft-json"
    if isinstance(row.get("trace"), list):
        return "trace"
    if isinstance(row.get("states"), list) or len(KNOWN_NAMES.intersection(map(clean_name, row))) >= 3:
        return "state-vectors"
    return None


def _whole_lines(head: bytes) -> Sequence[bytes]:
    """The first lines, without the last if it may be cut and others are there."""
    lines = head[:HEAD_BYTES].split(b"\n")
    if len(lines) > 1:
        lines = lines[:-1]
    return [line.strip() for line in lines if line.strip()][:_LINES_LOOKED_AT]


def _header_names(line: bytes) -> set[str]:
    text = line.decode("utf-8", "replace")
    names = {clean_name(name) for mark in ",;\t" for name in text.split(mark)}
    return names - UNKNOWN_WORDS


def _parsed(text: bytes) -> Any:
    if text.count(b"{") + text.count(b"[") > 100_000:
        return None
    try:
        return parse_json(text)
    except DecodeError:
        return None


def _unknown(head: bytes) -> DecodeError:
    return DecodeError(
        f"content is in no format that is known, it begins with {head[:24]!r}",
        hint=f"state the format with --format: {', '.join(FORMATS)}",
    )
