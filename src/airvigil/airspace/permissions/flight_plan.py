"""ICAO flight plan messages (FPL, and CNL that takes one back) as permissions.

    (FPL-ARCID/SSR-RULES TYPE-NUMBER TYPE/WAKE-EQUIPMENT/SURVEILLANCE-ADEP TIME-SPEED LEVEL ROUTE-ADES EET ALTN-OTHER)
         7         8          9                10                     13        15                16            18

That a plan is filed is a fact; whether it is a permission is the setting `flight_plan_suffices_for` and nothing here. What
is taken: whom it names (7; REG, CODE in 18), when (13 and DOF; the total time in 16), where (15, or the volumes that
the file states beside it), and whether it says that it is a state aircraft's (type M in 8, STS/STATE). Levels are asked for,
not limits, and bound nothing.

Rules
- Every field is there, in order, with its form; an error names the field and the value. Field 19 may follow and is not read.
- The day is DOF; without it the first time of that hour at or after the message was received, else an error.
- Indicators of field 18 that are not known here are kept as they are: states add their own.

Other libraries read such messages too: none was found that is kept up, refuses what has not the form, and needs nothing else.

Source: ICAO Doc 4444 PANS-ATM, 11.4.2 (filed flight plan and cancellation messages), appendix 3 (field types).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airvigil.airspace.permissions.flight_plan_route import Points, Route, coordinates_of, read_route
from airvigil.errors import ConfigError
from airvigil.units import NS_PER_S, utc_text

MOST_MESSAGE_LETTERS = 4000  # AFTN carries 1,800 characters; networks since carry more
NS_PER_DAY = 86_400 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_IDENTIFICATION = re.compile(r"([A-Z0-9]{1,7})(?:/[A-Z][0-7]{4})?")
_RULES = re.compile(r"([IVYZ])([SNGMX]?)")
_TYPE = re.compile(r"(\d{1,2})?([A-Z][A-Z0-9]{1,3})/([JHML])")
_EQUIPMENT = re.compile(r"[A-Z0-9]+/[A-Z0-9]+")
_PLACE_TIME = re.compile(r"([A-Z]{4})(\d{2})(\d{2})")
_INDICATOR = re.compile(r"([A-Z]{2,10}\d?)/(.*)")
_FIELDS = ("7", "8", "9", "10", "13", "15", "16", "18")


@dataclass(frozen=True)
class FlightPlan:
    """What of a message bears on permission. Times are ns UTC."""

    callsign: str
    is_state_flight: bool
    departure: str
    destination: str
    off_block_ns: int
    arrival_ns: int
    route: Route
    registration: str | None
    address: str | None
    other: dict[str, str]

    @property
    def permission_id(self) -> str:
        """The same for a plan and its cancellation."""
        return plan_id(self.callsign, self.departure, self.destination, self.off_block_ns)


def plan_id(callsign: str, departure: str, destination: str, off_block_ns: int) -> str:
    """A name for a plan that its cancellation has too.

    Example:
        >>> plan_id("GAF612", "EDDK", "EETN", 1_758_265_080_000_000_000)
        'FPL-GAF612-EDDK-EETN-20250919T0658'
    """
    stamp = utc_text(off_block_ns)[:16].replace("-", "").replace(":", "")
    return f"FPL-{callsign}-{departure}-{destination}-{stamp}"


def _fail(where: str, field: str, expected: str, found: str) -> ConfigError:
    return ConfigError(f"{where}: field {field}: expected {expected}, got {found[:40]!r}")


def _matched(pattern: re.Pattern[str], text: str, where: str, field: str, expected: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise _fail(where, field, expected, text)
    return found


def message_fields(message: str, where: str) -> tuple[str, list[str]]:
    """Title and fields of one message in brackets.

    Raises:
        ConfigError: no brackets, too long, or letters that no such message has.
    """
    if len(message) > MOST_MESSAGE_LETTERS:
        raise ConfigError(
            f"{where}: message: expected at most {MOST_MESSAGE_LETTERS} letters, got {len(message)}"
        )
    text = " ".join(message.split())
    if not (text.startswith("(") and text.endswith(")")):
        raise _fail(where, "3", "a message in brackets", text)
    bad = re.search(r"[^A-Z0-9 ()?:.,'=+/-]", text)
    if bad is not None:
        raise _fail(where, "3", "capital letters, digits and AFTN signs", bad[0])
    title, *fields = [part.strip() for part in text[1:-1].split("-")]
    return title, fields


def read_plan(message: str, *, points: Points, received_ns: int | None, where: str) -> FlightPlan:
    """An FPL message.

    Args:
        message: from its opening to its closing bracket.
        points: places of names, degrees.
        received_ns: when it was received; None: not known.
        where: how errors name it.

    Raises:
        ConfigError: naming the field and the value found.
    """
    title, fields = message_fields(message, where)
    if title != "FPL":
        raise _fail(where, "3", "the title FPL", title)
    if len(fields) not in (len(_FIELDS), len(_FIELDS) + 1):
        raise ConfigError(
            f"{where}: message: expected fields {', '.join(_FIELDS)} and perhaps 19, got {len(fields)} fields"
        )
    who = _matched(_IDENTIFICATION, fields[0], where, "7", "an aircraft identification of 1 to 7 letters")
    rules = _matched(_RULES, fields[1], where, "8", "flight rules and type such as IS")
    _matched(_TYPE, fields[2], where, "9", "type and wake category such as A320/M")
    _matched(_EQUIPMENT, fields[3], where, "10", "equipment and surveillance such as SDFGR/S")
    other = other_information(fields[7], where)
    departure, off_block_ns = _off_block(fields[4], other, received_ns, where)
    destination, duration_ns = _destination(fields[6], where)
    own = {**points, **_own_places(other, departure, destination)}
    return FlightPlan(
        callsign=who[1],
        is_state_flight=rules[2] == "M" or "STATE" in other.get("STS", "").split(),
        departure=departure,
        destination=destination,
        off_block_ns=off_block_ns,
        arrival_ns=off_block_ns + duration_ns,
        route=read_route(fields[5], departure, destination, own, where),
        registration=_registration(other, where),
        address=_address(other, where),
        other=other,
    )


def _own_places(other: dict[str, str], departure: str, destination: str) -> dict[str, tuple[float, float]]:
    """Places of aerodromes that the message gives itself, where it has none with a name (ZZZZ)."""
    found = {}
    for name, indicator in ((departure, "DEP"), (destination, "DEST")):
        place = coordinates_of((other.get(indicator, "").split() or [""])[-1])
        if name == "ZZZZ" and place is not None:
            found[name] = place
    return found if departure != destination else {}


def _time_ns(text: str, where: str, field: str) -> tuple[str, int]:
    found = _matched(_PLACE_TIME, text, where, field, "four letters and a time HHMM")
    hours, minutes = int(found[2]), int(found[3])
    if minutes > 59 or (field == "13" and hours > 23):
        raise _fail(where, field, "a time HHMM", found[2] + found[3])
    return found[1], (hours * 3600 + minutes * 60) * NS_PER_S


def _off_block(text: str, other: dict[str, str], received_ns: int | None, where: str) -> tuple[str, int]:
    departure, within_ns = _time_ns(text, where, "13")
    if "DOF" in other:
        return departure, _day_ns(other["DOF"], where) + within_ns
    if received_ns is None:
        raise ConfigError(
            f"{where}: field 18: DOF/ is missing, and it is not known when the message was received",
            hint="give DOF/YYMMDD, or received_at beside the message",
        )
    first = received_ns - received_ns % NS_PER_DAY + within_ns
    return departure, first if first >= received_ns else first + NS_PER_DAY


def _day_ns(text: str, where: str) -> int:
    try:
        day = datetime.strptime(text, "%y%m%d") if re.fullmatch(r"\d{6}", text) else None
    except ValueError:
        day = None
    if day is None:
        raise _fail(where, "18", "DOF/ with a day YYMMDD", text)
    return (day.replace(year=2000 + int(text[:2]), tzinfo=UTC) - _EPOCH).days * NS_PER_DAY


def _destination(text: str, where: str) -> tuple[str, int]:
    words = text.split()
    if not 1 <= len(words) <= 3:
        raise _fail(where, "16", "a destination with its time and at most two alternates", text)
    for alternate in words[1:]:
        if not re.fullmatch(r"[A-Z]{4}", alternate):
            raise _fail(where, "16", "alternates of four letters", alternate)
    return _time_ns(words[0], where, "16")


def other_information(text: str, where: str) -> dict[str, str]:
    """Indicators of field 18 and their values; "0" is none.

    Raises:
        ConfigError: words before the first indicator, or one of those that decide twice.

    Example:
        >>> other_information("DOF/250919 REG/N1 RMK/TWO WORDS", "x")
        {'DOF': '250919', 'REG': 'N1', 'RMK': 'TWO WORDS'}
    """
    found: dict[str, str] = {}
    if text in ("0", ""):
        return found
    name = ""
    for word in text.split():
        start = _INDICATOR.fullmatch(word)
        if start is not None and name != "RMK":
            name = start[1]
            if name in found and name in ("DOF", "REG", "CODE"):
                raise _fail(where, "18", f"{name}/ once", word)
            found[name] = f"{found[name]} {start[2]}".strip() if name in found else start[2]
        elif start is not None and start[1] in ("DOF", "REG", "CODE", "STS", "DEP", "DEST"):
            name = start[1]  # what decides is not lost in a remark before it
            if name in found:
                raise _fail(where, "18", f"{name}/ once", word)
            found[name] = start[2]
        elif not name:
            raise _fail(where, "18", "an indicator such as DOF/", word)
        else:
            found[name] = f"{found[name]} {word}".strip()
    return found


def _registration(other: dict[str, str], where: str) -> str | None:
    words = other.get("REG", "").split()
    if not words:
        return None
    if not re.fullmatch(r"[A-Z0-9]{1,8}", words[0]):
        raise _fail(where, "18", "REG/ with letters and digits", words[0])
    return words[0] if len(words) == 1 else None  # of a formation: no single one is named


def _address(other: dict[str, str], where: str) -> str | None:
    words = other.get("CODE", "").split()
    if not words:
        return None
    if not all(re.fullmatch(r"[0-9A-F]{6}", word) for word in words):
        raise _fail(where, "18", "CODE/ with six hex digits", other["CODE"])
    return words[0].lower() if len(words) == 1 else None


def read_cancellation(message: str, *, received_ns: int | None, where: str) -> tuple[str, int]:
    """Id and off-block time (ns) of the plan that a CNL message (fields 7, 13, 16, 18) takes back.

    Raises:
        ConfigError: naming the field and the value found.
    """
    title, fields = message_fields(message, where)
    if title != "CNL" or len(fields) != 4:
        raise _fail(where, "3", "the title CNL and fields 7, 13, 16, 18", message)
    who = _matched(_IDENTIFICATION, fields[0], where, "7", "an aircraft identification of 1 to 7 letters")
    other = other_information(fields[3], where)
    departure, off_block_ns = _off_block(fields[1], other, received_ns, where)
    words = fields[2].split()
    if not words or not re.fullmatch(r"[A-Z]{4}", words[0][:4]):
        raise _fail(where, "16", "a destination of four letters", fields[2])
    return plan_id(who[1], departure, words[0][:4], off_block_ns), off_block_ns


def plan_value(plan: FlightPlan, message: str) -> dict[str, Any]:
    """A plan as the value of a permission observation; volumes and width are for the file beside it to say."""
    value: dict[str, Any] = {
        "permission_id": plan.permission_id,
        "kind": "flight_plan",
        "callsign": plan.callsign,
        "registration": plan.registration,
        "icao24": plan.address,
        "valid_from": utc_text(plan.off_block_ns),
        "valid_to": utc_text(plan.arrival_ns),
        "route": [list(place) for place in plan.route.places],
        "route_unknown": list(plan.route.unknown),
        "state_flight": True if plan.is_state_flight else None,
        "text": " ".join(message.split()),
    }
    return {name: item for name, item in value.items() if item not in (None, [], "")}
