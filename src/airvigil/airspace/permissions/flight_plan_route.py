"""Field 15 of a flight plan: speed, level, and the words of the route with the places that can be known.

A route is mostly names: of points, of ATS routes between them, of procedures. Without a table of them only coordinates are
places. A leg is a geodesic only where the plan says so, by DCT or by coordinates one after the other; along an ATS route it is
not, and then the route makes no corridor.

Rules
- Every word has one of the forms of Doc 4444 appendix 2, item 15; any other is an error that names it.
- A corridor is made if and only if every point's place and every leg's way is known; else `unknown` names what is not.

Source: ICAO Doc 4444 PANS-ATM, appendix 2 (item 15) and appendix 3 (field type 15): forms and lengths of the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from airvigil.errors import ConfigError

MOST_ROUTE_WORDS = 400
Points = Mapping[str, tuple[float, float]]

_SPEED = r"(?:K\d{4}|N\d{4}|M\d{3})"
_LEVEL = r"(?:F\d{3}|S\d{4}|A\d{3}|M\d{4}|VFR)"
_HEAD = re.compile(rf"({_SPEED})({_LEVEL})")
_CHANGE = re.compile(rf"{_SPEED}{_LEVEL}(?:PLUS|{_LEVEL})?")
_COORDINATES = re.compile(r"(\d{2})(\d{2})?([NS])(\d{3})(\d{2})?([EW])")
_NAMED = re.compile(r"[A-Z]{2,5}")
_BEARING = re.compile(r"([A-Z]{2,5})(\d{3})(\d{3})")
_DESIGNATOR = re.compile(r"[A-Z0-9]{2,7}")  # of an ATS route, or of a departure or arrival procedure
_RULES = ("VFR", "IFR", "OAT", "GAT", "T")


@dataclass(frozen=True)
class Route:
    """What field 15 says.

    Attributes:
        speed, level: as written.
        words: of the route, in order.
        places: (latitude, longitude) in degrees of the legs, if the whole route is known; else empty.
        unknown: the words whose place or way is not known.
    """

    speed: str
    level: str
    words: tuple[str, ...]
    places: tuple[tuple[float, float], ...]
    unknown: tuple[str, ...]


def coordinates_of(word: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees of a word such as 59N024E or 5930N02415E; None if it is none.

    Example:
        >>> coordinates_of("5930N02415E"), coordinates_of("46S078W"), coordinates_of("BALTI")
        ((59.5, 24.25), (-46.0, -78.0), None)
    """
    found = _COORDINATES.fullmatch(word)
    if found is None or (found[2] is None) != (found[5] is None):
        return None
    minutes = int(found[2] or 0), int(found[5] or 0)
    latitude, longitude = int(found[1]) + minutes[0] / 60.0, int(found[4]) + minutes[1] / 60.0
    if max(minutes) >= 60 or latitude > 90.0 or longitude > 180.0:
        return None
    return (-latitude if found[3] == "S" else latitude), (-longitude if found[6] == "W" else longitude)


def read_route(text: str, departure: str, destination: str, points: Points, where: str) -> Route:
    """Field 15, between the aerodromes of fields 13 and 16.

    Args:
        text: of the field, without its hyphen.
        departure, destination: four letters each.
        points: places of names that are known, aerodromes too.
        where: how messages name the message.

    Raises:
        ConfigError: naming the word that has none of the forms.
    """
    words = text.split()
    head = _HEAD.fullmatch(words[0]) if words else None
    if head is None:
        raise ConfigError(f"{where}: field 15: expected speed and level such as N0450F350, got {text[:20]!r}")
    if len(words) > MOST_ROUTE_WORDS:
        raise ConfigError(f"{where}: field 15: expected at most {MOST_ROUTE_WORDS} words, got {len(words)}")
    places, unknown = _laid(words[1:], departure, destination, points, where)
    is_known = not unknown and len(places) >= 2
    return Route(head[1], head[2], tuple(words[1:]), places if is_known else (), unknown)


def _laid(
    words: list[str], departure: str, destination: str, points: Points, where: str
) -> tuple[tuple[tuple[float, float], ...], tuple[str, ...]]:
    """Places in order, and the words that leave a gap."""
    places: list[tuple[float, float]] = []
    unknown: list[str] = []
    for word in [departure, *words, destination]:
        name, _, change = word.removeprefix("C/").partition("/")
        if change and not _CHANGE.fullmatch(change):
            raise ConfigError(
                f"{where}: field 15: expected a change of speed and level after a point, got {word!r}"
            )
        if name == "DCT" or name in _RULES:
            continue
        place = coordinates_of(name) or points.get(name)
        if place is None:
            is_form = _NAMED.fullmatch(name) or _BEARING.fullmatch(name) or _DESIGNATOR.fullmatch(name)
            if not is_form:
                raise ConfigError(f"{where}: field 15: expected a point, a route or DCT, got {word[:20]!r}")
            unknown.append(name)
        elif not places or places[-1] != place:
            places.append(place)
    return tuple(places), tuple(dict.fromkeys(unknown))
