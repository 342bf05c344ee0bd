"""The fields of a permission as files and observations write them: each checked, and none guessed.

The same names in the columns of a CSV file, the objects of a JSON file and the value of an observation
(docs/permissions.md). A CSV cell is text; JSON has numbers and lists where the field is one.

Rules
- An unknown name, a missing one or a value of the wrong form is an error with its place, its field and the value.
- Empty and null both mean: not stated. Heights name their reference, times are ISO 8601 and UTC if they name no zone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit, parse_limit
from airvigil.errors import AirspaceError, ConfigError
from airvigil.tracking.local_plane import to_local
from airvigil.units import utc_ns

PERMISSION_KINDS = ("flight_plan", "diplomatic_clearance", "exemption", "corridor", "agreement")
WHO = ("icao24", "addresses", "callsign", "registration", "operator", "anyone")
FIELDS = (
    *("permission_id", "kind"),
    *WHO,
    *("volumes", "valid_from", "valid_to", "tolerance_s", "lower", "upper", "route", "half_width_m"),
    *("issuer", "text", "state_flight", "route_unknown", "replaces"),
)
MOST_ROUTE_POINTS = 500
MOST_VOLUMES = 1000
MOST_LETTERS = 4000  # of one text
LONGEST_LEG_M = 4e6  # over the pole or round the Earth the shortest way is not what is meant
GREATEST_M = 1e6  # a half width or a height beyond this is a slip of the pen

_ADDRESS = re.compile(r"[0-9a-f]{6}")
_WORD = {
    "callsign": re.compile(r"[A-Z0-9]{1,8}"),
    "registration": re.compile(r"[A-Z0-9]{1,8}"),
    "operator": re.compile(r"[A-Z]{3}"),
}


def wrong(where: str, name: str, expected: str, found: Any) -> ConfigError:
    """The error that a field's value is not what it must be."""
    text = repr(found)
    return ConfigError(
        f"{where}: {name}: expected {expected}, got {text if len(text) < 80 else text[:77] + '...'}"
    )


def permission_values(value: Any, *, where: str) -> dict[str, Any]:
    """Keyword arguments of a `permissions.Permission` from its written fields.

    Raises:
        ConfigError: naming `where`, the field and the value found.
    """
    if not isinstance(value, Mapping):
        raise wrong(where, "permission", "an object with fields", value)
    for name in value:
        if name not in FIELDS:
            raise ConfigError(
                f"{where}: unknown field {str(name)[:40]!r}", hint=f"fields are {', '.join(FIELDS)}"
            )
    given = {name: item for name, item in value.items() if item not in (None, "", [])}
    for name in ("permission_id", "kind"):
        if name not in given:
            raise wrong(where, name, "a value", value.get(name))
    if given["kind"] not in PERMISSION_KINDS:
        raise wrong(where, "kind", f"one of {', '.join(PERMISSION_KINDS)}", given["kind"])
    found: dict[str, Any] = {}
    for name, item in given.items():
        key, read = _READERS[name]
        read_item = read(item, where, name)
        if name != "replaces":  # the book's own business
            found[key] = read_item
    if not any(found.get(name) for name in WHO):
        raise ConfigError(
            f"{where}: {found['permission_id']}: says of nobody whom it is for",
            hint=f"give one of {', '.join(WHO)}",
        )
    _check_pairs(found, where)
    return found


def _check_pairs(found: dict[str, Any], where: str) -> None:
    begin, end = found.get("valid_from_ns"), found.get("valid_to_ns")
    if begin is not None and end is not None and begin > end:
        raise ConfigError(f"{where}: {found['permission_id']}: valid_to is before valid_from")
    lower, upper = found.get("lower", NO_LOWER), found.get("upper", NO_UPPER)
    if lower.is_comparable(upper) and lower.height_m >= upper.height_m:
        raise ConfigError(
            f"{where}: {found['permission_id']}: lower limit {lower} is not below upper limit {upper}"
        )
    if "half_width_m" in found and "route" not in found:
        raise ConfigError(f"{where}: {found['permission_id']}: half_width_m without a route")


def _text(value: Any, where: str, name: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_LETTERS or not value.strip():
        raise wrong(where, name, f"text of at most {MOST_LETTERS} letters", value)
    return value.strip()


def _word(value: Any, where: str, name: str) -> str:
    word = value.strip().upper().replace("-", "") if isinstance(value, str) else ""
    if not _WORD[name].fullmatch(word):
        raise wrong(where, name, "letters and digits as an aircraft sends them", value)
    return word


def _address(value: Any, where: str, name: str) -> str:
    address = value.strip().lower() if isinstance(value, str) else ""
    if not _ADDRESS.fullmatch(address) or address in ("000000", "ffffff"):
        raise wrong(where, name, "a 24-bit address, six hex digits", value)
    return address


def _addresses(value: Any, where: str, name: str) -> tuple[str, str]:
    ends = value.replace("-", " ").split() if isinstance(value, str) else value
    if not isinstance(ends, list) or len(ends) != 2:
        raise wrong(where, name, "the first and the last address of a block", value)
    first, last = (_address(end, where, name) for end in ends)
    if first > last:
        raise wrong(where, name, "a first address not after the last", value)
    return first, last


def _flag(value: Any, where: str, name: str) -> bool:
    if value in (True, "true", "yes"):
        return True
    if value in (False, "false", "no"):
        return False
    raise wrong(where, name, "true or false", value)


def _words(value: Any, where: str, name: str) -> tuple[str, ...]:
    words = value.split() if isinstance(value, str) else value
    is_list = isinstance(words, list) and all(isinstance(word, str) and word for word in words)
    if not is_list or len(words) > MOST_VOLUMES:
        raise wrong(where, name, f"at most {MOST_VOLUMES} names", value)
    return tuple(dict.fromkeys(words))


def instant(value: Any, where: str, name: str) -> int:
    """ns UTC of an ISO 8601 text.

    Raises:
        ConfigError: naming the field.
    """
    try:
        return utc_ns(value.strip())
    except (AttributeError, ValueError, OverflowError):
        raise wrong(where, name, "an ISO 8601 time", value) from None


def _number(value: Any, where: str, name: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0.0 <= number <= GREATEST_M:
        raise wrong(where, name, f"a number from 0 to {GREATEST_M:g}", value)
    return number


def _limit(value: Any, where: str, name: str) -> Limit:
    text = _text(value, where, name)
    try:
        height, reference = parse_limit(text)
    except AirspaceError as error:
        raise ConfigError(f"{where}: {name}: {error}", hint=error.hint) from error
    if not math.isinf(height) and reference == "none":
        raise wrong(where, name, "a limit with its reference, such as 3000 ft AMSL", value)
    if abs(height) > GREATEST_M and not math.isinf(height):
        raise wrong(where, name, f"a height within {GREATEST_M:g} m", value)
    if (name == "lower" and height == math.inf) or (name == "upper" and height == -math.inf):
        raise wrong(where, name, "a height that leaves something", value)
    return Limit(height, reference, text)


def _route(value: Any, where: str, name: str) -> tuple[tuple[float, float], ...]:
    points = [p.split() for p in value.split(";")] if isinstance(value, str) else value
    if not isinstance(points, list) or not 2 <= len(points) <= MOST_ROUTE_POINTS:
        raise wrong(where, name, f"2 to {MOST_ROUTE_POINTS} points", value)
    places = tuple(place(point, where, name) for point in points)
    for (lat0, lon0), (lat1, lon1) in pairwise(places):
        leg_m = math.hypot(*to_local(lat0, lon0, lat1, lon1))
        if not leg_m <= LONGEST_LEG_M:
            raise wrong(where, name, f"legs of at most {LONGEST_LEG_M:.0f} m", (lat0, lon0, lat1, lon1))
    return places


def place(value: Any, where: str, name: str) -> tuple[float, float]:
    """Latitude and longitude in degrees.

    Raises:
        ConfigError: naming the field.
    """
    try:
        latitude, longitude = (float(number) for number in value)
    except (TypeError, ValueError):
        raise wrong(where, name, "latitude and longitude in degrees", value) from None
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
        raise wrong(where, name, "latitude and longitude on Earth", value)
    return latitude, longitude


_READERS: dict[str, tuple[str, Callable[[Any, str, str], Any]]] = {
    "permission_id": ("permission_id", _text),
    "kind": ("kind", _text),
    "icao24": ("icao24", _address),
    "addresses": ("addresses", _addresses),
    "callsign": ("callsign", _word),
    "registration": ("registration", _word),
    "operator": ("operator", _word),
    "anyone": ("anyone", _flag),
    "volumes": ("volumes", _words),
    "valid_from": ("valid_from_ns", instant),
    "valid_to": ("valid_to_ns", instant),
    "tolerance_s": ("tolerance_s", _number),
    "lower": ("lower", _limit),
    "upper": ("upper", _limit),
    "route": ("route", _route),
    "half_width_m": ("half_width_m", _number),
    "issuer": ("issuer", _text),
    "text": ("text", _text),
    "state_flight": ("is_state_flight", _flag),
    "route_unknown": ("route_unknown", _words),
    "replaces": ("replaces", _text),
}
