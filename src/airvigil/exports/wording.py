"""Instants, quantities and outcomes in words: how a reader sees an SI number.

Rules
- Unknown (None, NaN) is an en dash, never 0.
- An uncertainty follows its value in the same unit: `9.6 km ± 0.1 km` reads `9.6 ± 0.1 km`.
- Times are UTC and say so where they stand alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airvigil.units import M_PER_FT, M_PER_NM, MPS_PER_KT, NS_PER_MS, NS_PER_S

UNKNOWN = "–"
MARGIN_CAP_M = 50_000.0  # a boundary further away is not measured: such a margin says "more than" only
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OUTCOMES = ("probable", "suspected", "undecidable", "outside", "permitted")  # most serious first

OUTCOME_MEANING = {
    "outside": "No credible position was inside, or the chance of it is too small to matter.",
    "undecidable": "Something needed for an answer is missing. The report names the missing item.",
    "suspected": "More likely inside than not, but the errors of sensor and boundary could still explain it.",
    "permitted": "Inside, and a permission that became known later covers all of the stay that was seen.",
    "probable": "The errors stated by the sensors and the boundary cannot explain it.",
}

_CLAIMED_BY = "claimed by "
# state names of the boundary source that an English sentence gives an article
_WITH_ARTICLE = re.compile(
    r"\b(Federation|Republic|Kingdom|Emirates|Islands|Territory|Territories|Union)\b"
    r"|^(United States|Netherlands|Philippines|Bahamas|Maldives|Seychelles|Comoros|Gambia|Holy See)\b"
)

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


def depth_text(metres: Any, sigma_m: Any = None, *, is_bound: Any = False) -> str:
    """A signed distance to the boundary; at the cap it was not measured, only that it is more.

    Args:
        metres, sigma_m: None or NaN unknown.
        is_bound: the engine's own word that it stands at the cap (`max_depth_is_bound`).

    Example:
        >>> depth_text(9196.1, 51.4), depth_text(50_000.0, 15.8)
        ('9.20 ± 0.05 km', 'more than 50 km')
    """
    return "more than 50 km" if is_bound or is_capped(metres) else length_text(metres, sigma_m)


def depth_of(event: Mapping[str, Any]) -> str:
    """The greatest depth of a spell, a member or an incident."""
    return depth_text(
        event.get("max_depth_m"), event.get("max_depth_sigma_m"), is_bound=event.get("max_depth_is_bound")
    )


def is_capped(metres: Any) -> bool:
    """True if a margin, depth or robustness bound stands at the cap of what is measured."""
    number = known(metres)
    return number is not None and number >= MARGIN_CAP_M


def bound_text(metres: Any, *, is_short: bool = False) -> str:
    """A proven lower bound in words, rounded down: it must not claim more than was proven.

    Example:
        >>> bound_text(9196.1), bound_text(9196.1, is_short=True), bound_text(50_000.0)
        ('at least 9.19 km', '≥ 9.19 km', 'more than 50 km')
    """
    number = known(metres)
    if number is None:
        return UNKNOWN
    if is_capped(number):
        return "> 50 km" if is_short else "more than 50 km"
    words = f"{math.floor(number)} m" if number < 1000.0 else f"{math.floor(number / 10.0) / 100.0:.2f} km"
    return f"≥ {words}" if is_short else f"at least {words}"


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


def missing_text(phrases: Sequence[str]) -> str:
    """What an undecidable outcome waits for; the engine says it in plain phrases."""
    return "; ".join(code_text(phrase) for phrase in phrases) or UNKNOWN


def listed(names: Sequence[str], *, most: int = 6) -> str:
    """`A, B and C`; beyond `most` the rest is counted.

    Example:
        >>> listed(["A", "B", "C"]), listed(list("ABCD"), most=3)
        ('A, B and C', 'A, B and 2 others')
    """
    shown = list(names)
    if len(shown) > most:
        return ", ".join(shown[: most - 1]) + f" and {len(shown) - most + 1} others"
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def state_name(name: str) -> str:
    """A state in a sentence, with the article where English wants one.

    Example:
        >>> state_name("Estonia"), state_name("Russian Federation")
        ('Estonia', 'the Russian Federation')
    """
    return f"the {name}" if _WITH_ARTICLE.search(name) and not name.startswith("the ") else name


def claimants(name: str, states: Sequence[str]) -> list[str]:
    """Who claims a disputed area, by name where the volume's name tells it, else by code."""
    names = name.removeprefix(_CLAIMED_BY).split(" and ") if name.startswith(_CLAIMED_BY) else []
    return [state_name(n) for n in names] if len(names) == max(len(states), 2) else [str(s) for s in states]


def volume_text(incident: Mapping[str, Any]) -> str:
    """How a sentence calls the volume: by what it is, without taking a side in a dispute.

    Args:
        incident: with `volume_name`, `volume_kind`, `states`, `volume`.
    """
    name = str(incident.get("volume_name") or incident.get("volume") or "the volume")
    kind = incident.get("volume_kind")
    if kind == "sovereign":
        return f"the airspace of {state_name(name)}"
    if kind == "disputed":
        who = claimants(name, [str(state) for state in incident.get("states") or []])
        both = "both " if len(who) == 2 else ""
        return f"the area claimed by {both}{listed(who)}" if who else "a disputed area"
    return f"the volume “{name}”"


def member_name(member: Mapping[str, Any]) -> str:
    """Callsign, else address, else the track's number at its sensor: `track 3`.

    Example:
        >>> member_name({"track_id": "coast radar/3@20250919T065229Z"})
        'track 3'
    """
    for key in ("callsign", "icao24"):
        if member.get(key):
            return str(member[key])
    key, _, _ = str(member.get("track_id") or "").rpartition("@")
    number = (key or str(member.get("track_id") or "")).rpartition("/")[2]
    return f"track {number}" if number else "unnamed"


def file_name(name: Any) -> str:
    """An input as a reader needs it: the file's own name; an address stays whole.

    Example:
        >>> file_name("/srv/recordings/day.bin.xz"), file_name("tcp+beast://receiver:30005")
        ('day.bin.xz', 'tcp+beast://receiver:30005')
    """
    text = str(name or UNKNOWN)
    return text if "://" in text else re.split(r"[/\\]", text.rstrip("/\\"))[-1] or text
