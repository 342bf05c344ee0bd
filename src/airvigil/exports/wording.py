"""Instants, quantities and outcomes in words: how a reader sees an SI number.

Rules
- Unknown (None, NaN) is an en dash, never 0.
- An uncertainty follows its value in the same unit: `9.6 km ± 0.1 km` reads `9.6 ± 0.1 km`.
- Times are UTC and say so where they stand alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airvigil.units import M_PER_FT, M_PER_NM, MPS_PER_KT, NS_PER_MS, NS_PER_S

UNKNOWN = "–"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OUTCOMES = ("probable", "suspected", "undecidable", "outside")  # most serious first

OUTCOME_MEANING = {
    "outside": "No credible position was inside, or the chance of it is too small to matter.",
    "undecidable": "Something needed for an answer is missing. The report names the missing item.",
    "suspected": "More likely inside than not, but the errors of sensor and boundary could still explain it.",
    "probable": "The errors stated by the sensors and the boundary cannot explain it.",
}

_MISSING = {
    "height": "height in the volume's own vertical reference",
    "position_accuracy": "accuracy of the position",
    "accuracy": "accuracy of the position",
    "covariance": "accuracy of the position",
    "identity": "identity of the aircraft",
    "permission": "permission status",
}

# not strftime: that follows the machine's locale
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip

_NUMBER_WORDS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def ns_from_iso(text: str | None) -> int | None:
    """Nanoseconds since 1970 UTC of an ISO 8601 instant; None stays None.

    Example:
        >>> ns_from_iso("2025-09-19T06:58:00.250Z")
        1758265080250000000
    """
    if text is None:
        return None
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return (stamp - _EPOCH) // timedelta(microseconds=1) * 1000


def iso_from_ns(instant_ns: int) -> str:
    """ISO 8601 UTC with milliseconds, rounded down.

    Example:
        >>> iso_from_ns(1758265080250000000)
        '2025-09-19T06:58:00.250Z'
    """
    stamp = _EPOCH + timedelta(milliseconds=instant_ns // NS_PER_MS)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


def clock(instant_ns: int | None, *, seconds: bool = True) -> str:
    """Time of day, `06:58:00`."""
    if instant_ns is None:
        return UNKNOWN
    stamp = _EPOCH + timedelta(seconds=instant_ns // NS_PER_S)
    return stamp.strftime("%H:%M:%S" if seconds else "%H:%M")


def date_of(instant_ns: int | None) -> str:
    """Day in words, `19 September 2025`."""
    if instant_ns is None:
        return UNKNOWN
    stamp = _EPOCH + timedelta(seconds=instant_ns // NS_PER_S)
    return f"{stamp.day} {_MONTHS[stamp.month - 1]} {stamp.year}"


def known(value: Any) -> float | None:
    """A finite float, or None for None, NaN and infinities."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def duration_text(seconds: Any) -> str:
    """`11 min 58 s`, `1 h 02 min`, `18.0 s`."""
    number = known(seconds)
    if number is None:
        return UNKNOWN
    if number < 60.0:
        return f"{number:.1f} s"
    whole = round(number)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def length_text(metres: Any, sigma_m: Any = None) -> str:
    """Metres below 1 km, kilometres above, with `± sigma` if known.

    Example:
        >>> length_text(9612.0, 95.0)
        '9.61 ± 0.10 km'
        >>> length_text(700.0), length_text(float("nan"))
        ('700 m', '–')
    """
    number, sigma = known(metres), known(sigma_m)
    if number is None:
        return UNKNOWN
    if abs(number) < 1000.0:
        return f"{number:.0f} m" if sigma is None else f"{number:.0f} ± {max(sigma, 1.0):.0f} m"
    places = 1 if sigma is None or sigma >= 500.0 or abs(number) >= 1e5 else 2
    if sigma is None:
        return f"{number / 1000.0:.{places}f} km"
    return f"{number / 1000.0:.{places}f} ± {max(sigma / 1000.0, 10.0**-places):.{places}f} km"


def probability_text(p: Any) -> str:
    """Never rounded up to certainty: `> 0.9999` instead of 1."""
    number = known(p)
    if number is None:
        return UNKNOWN
    if number > 0.9999:
        return "> 0.9999"
    if number < 0.0001:
        return "< 0.0001"
    return f"{number:.4f}" if number > 0.99 or number < 0.01 else f"{number:.2f}"


def speed_text(mps: Any) -> str:
    """Metres per second and knots."""
    number = known(mps)
    return UNKNOWN if number is None else f"{number:.0f} m/s ({number / MPS_PER_KT:.0f} kt)"


def altitude_text(metres: Any) -> str:
    """Metres and feet."""
    number = known(metres)
    return UNKNOWN if number is None else f"{number:,.0f} m ({number / M_PER_FT:,.0f} ft)"


def nautical_text(metres: Any) -> str:
    """Nautical miles, one decimal."""
    number = known(metres)
    return UNKNOWN if number is None else f"{number / M_PER_NM:.1f} NM"


def place_text(latitude_deg: Any, longitude_deg: Any) -> str:
    """Degrees and decimal minutes as on a chart: `59°48.51′N 026°21.43′E`."""
    latitude, longitude = known(latitude_deg), known(longitude_deg)
    if latitude is None or longitude is None:
        return UNKNOWN
    return _angle(latitude, "NS", 2) + " " + _angle(longitude, "EW", 3)


def _angle(degrees: float, letters: str, width: int) -> str:
    hundredths = round(abs(degrees) * 6000.0)
    whole, rest = divmod(hundredths, 6000)
    return f"{whole:0{width}d}°{rest / 100.0:05.2f}′{letters[degrees < 0.0]}"


def count_text(number: int, one: str, many: str) -> str:
    """`three aircraft`, `one aircraft`, `27 aircraft`."""
    word = _NUMBER_WORDS[number] if 0 <= number < len(_NUMBER_WORDS) else f"{number:,}"
    return f"{word} {one if number == 1 else many}"


def code_text(code: Any) -> str:
    """A machine's code as words: underscores become spaces."""
    return str(code).replace("_", " ")


def missing_text(codes: Sequence[str]) -> str:
    """What an undecidable outcome waits for, in words."""
    return ", ".join(_MISSING.get(code, code_text(code)) for code in codes) or UNKNOWN


def volume_text(incident: Mapping[str, Any]) -> str:
    """How a sentence calls the volume: by what it is, without taking a side in a dispute."""
    name = str(incident.get("volume_name") or incident.get("volume") or "the volume")
    kind = incident.get("volume_kind")
    if kind == "sovereign":
        return f"the airspace of {name}"
    if kind == "disputed":
        states = [str(state) for state in incident.get("states") or []]
        return f"airspace that {' and '.join(states) or name} both claim"
    return f"the volume “{name}”"


def member_name(member: Mapping[str, Any]) -> str:
    """Callsign, else address, else track number."""
    for key in ("callsign", "icao24", "track_id"):
        value = member.get(key)
        if value:
            return str(value)
    return "unnamed"
