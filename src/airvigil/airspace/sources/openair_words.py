"""The words of OpenAir: limits, classes and types, activation, and bytes that are seldom in the encoding that they should be.

Limits
- "GND", "SFC" and 0 above ground: no lower limit. "UNL", "UNLIM": no upper one.
- FL 95 is a flight level. AMSL, MSL, ALT: above mean sea level. AGL, GND, SFC, ASFC behind a number: above ground. STD: pressure altitude.
- A bare number is in feet; without a reference it is above mean sea level, as the format has always been read.
- Two limits in one, "100m AGL/423m AMSL", are refused, as the specification says.

Activation (AA, version 2): intervals in UTC, all of which make one schedule. "NONE" alone says that times come by NOTAM: whether it is
active is unknown to who has the file only. The vendor's lines AP, AW and TW, which no specification describes, make it unknown too.
A name that says itself that the airspace sleeps at times ("NOTAM", "HX", "MON-FRI") does as well. Without any of these it is permanent:
version 1 has no word for anything else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from airvigil.airspace.activation import PERMANENT, Activation, Window
from airvigil.airspace.limits import FEET_PER_FLIGHT_LEVEL, Limit
from airvigil.errors import AirspaceError
from airvigil.units import M_PER_FT, utc_ns

CLASSES = frozenset("ABCDEFG")
NO_CLASS = frozenset({"UNC", "UNCLASSIFIED", "UKN", "UNKNOWN", "OTHER", ""})
ALWAYS_NS = 2**62  # an open end: the year 2116 is beyond every airspace file

_GROUND = frozenset({"GND", "SFC", "SURFACE", "GROUND", "MSL/GND"})
_UNLIMITED = frozenset({"UNL", "UNLTD", "UNLIM", "UNLIMITED", "INF"})
_REFERENCES = {"": "MSL", "AMSL": "MSL", "MSL": "MSL", "ALT": "MSL", "AGL": "SFC", "GND": "SFC", "SFC": "SFC", "ASFC": "SFC", "AGND": "SFC", "STD": "STD"}  # fmt: skip
_LEVEL = re.compile(r"FL\s*(\d{1,3})(?:\s*STD)?")
_HEIGHT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(FT|F(?![A-Z])|'|M(?!SL))?\s*([A-Z]{0,4})")
_INTERVAL = re.compile(r"(NONE|[0-9T:.\-]+Z)/(NONE|[0-9T:.\-]+Z)")
_SLEEPS = re.compile(
    r"\b(NOTAM|HX|HJ|HN|SR-SS|(MON?|TUE?|WED?|THU?|FRI?|SAT?|SUN?)-(MON?|TUE?|WED?|THU?|FRI?|SAT?|SUN?))\b",
    re.IGNORECASE,
)


def openair_limit(text: str, *, is_lower: bool) -> Limit:
    """A limit as OpenAir files write them.

    Raises:
        AirspaceError: if it is none.

    Example:
        >>> limit = openair_limit("3000ft GND", is_lower=True)
        >>> limit.height_m, limit.reference, limit.text
        (914.4, 'SFC', '3000ft GND')
    """
    written = text.strip()
    words = written.upper()
    if words in _GROUND and is_lower:
        return Limit(-math.inf, "none", written)
    if words in _UNLIMITED and not is_lower:
        return Limit(math.inf, "none", written)
    level = _LEVEL.fullmatch(words)
    if level:
        return Limit(round(int(level[1]) * FEET_PER_FLIGHT_LEVEL * M_PER_FT, 6), "STD", written)
    height = _HEIGHT.fullmatch(words)
    unit, reference = (height[2], height[3]) if height else (None, None)
    if height is None or reference not in _REFERENCES:
        raise AirspaceError(f"not a limit: {written[:60]!r}")
    metres = round(float(height[1]) * (1.0 if unit == "M" else M_PER_FT), 6)
    if metres == 0.0 and is_lower and _REFERENCES[reference] == "SFC":
        return Limit(-math.inf, "none", written)
    return Limit(metres, _REFERENCES[reference], written)


def class_and_type(ac: str, ay: str) -> tuple[str, str]:
    """ICAO class, or "" where there is none, and the source's own type.

    Example:
        >>> class_and_type("D", "CTR"), class_and_type("R", ""), class_and_type("UNC", "TMA")
        (('D', 'CTR'), ('', 'R'), ('', 'TMA'))
    """
    letter, kind = ac.strip().upper(), ay.strip().upper()
    if kind == "NONE":
        kind = ""
    if letter in CLASSES:
        return letter, kind
    return "", kind or ("" if letter in NO_CLASS else letter)


def activation_of(intervals: Sequence[str], vendor_lines: Sequence[str], name: str) -> tuple[Activation, str]:
    """When an airspace exists, and what could not be understood of it ("" where all was).

    Example:
        >>> activation, _ = activation_of(["2026-05-01T10:00Z/2026-05-01T24:00Z"], [], "R 1")
        >>> activation.kind, activation.state_at(1_777_672_799_000_000_000)
        ('schedule', 'active')
    """
    text = "; ".join([*intervals, *vendor_lines])
    if any(each.upper() == "NONE" for each in intervals):
        return Activation("unknown", (), text), ""
    windows = []
    for each in intervals:
        window = _window(each)
        if window is None:
            return Activation("unknown", (), text), f"activation {each!r} is not an interval in UTC"
        windows.append(window)
    if windows:
        return Activation("schedule", tuple(windows), text), ""
    if vendor_lines:
        return Activation("unknown", (), text), ""
    if _SLEEPS.search(name):
        return Activation("unknown", (), name), ""
    return PERMANENT, ""


def _window(text: str) -> Window | None:
    found = _INTERVAL.fullmatch(text.strip().upper())
    if not found or found[1] == found[2] == "NONE":
        return None
    try:
        start = -ALWAYS_NS if found[1] == "NONE" else _instant_ns(found[1])
        end = ALWAYS_NS if found[2] == "NONE" else _instant_ns(found[2])
    except ValueError:
        return None
    return Window(start, end) if start < end else None


def _instant_ns(text: str) -> int:
    """ns UTC of an ISO 8601 time, in which 24:00 is the midnight that ends the day."""
    day, _, clock = text.partition("T")
    if clock in ("24:00Z", "24:00:00Z"):
        return utc_ns(f"{day}T00:00Z") + 86_400 * 1_000_000_000
    return utc_ns(text)


def decode_text(raw: bytes) -> tuple[str, str]:
    """Text of bytes in whatever encoding, and how it was read if not as UTF-8 ("" then).

    A byte-order mark decides. What is not UTF-8 is read line by line: as UTF-8 where the line is, and as Windows-1252, or failing that
    ISO 8859-1, where it is not. Coordinates and limits are ASCII in all of them; only names can come out wrong.

    Example:
        >>> decode_text(b"AN Z\\xfcrich")
        ('AN Zürich', 'not UTF-8: 1 line read as Windows-1252')
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), "read as UTF-16"
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        pass
    lines, other = [], 0
    for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            other += 1
            try:
                lines.append(line.decode("cp1252"))
            except UnicodeDecodeError:
                lines.append(line.decode("latin-1"))
    return "\n".join(lines), f"not UTF-8: {other} line{'s' * (other != 1)} read as Windows-1252"
