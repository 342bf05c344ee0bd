"""Places as people write them: "54:10:15 N 013:41:37 E", "47:29.5N 008:15.25E", "59.8175 N 26.3594 E".

Degrees; degrees and minutes; degrees, minutes and seconds; the last of them with decimals. Latitude first, each with its letter
behind it. 60 minutes or seconds are taken as the next degree or minute, which rounding programs write; 61 are refused.
"""

from __future__ import annotations

import re

from airvigil.errors import AirspaceError

_ANGLE = r"(\d{1,3}(?:\.\d+)?)(?:[:°](\d{1,2}(?:\.\d+)?)(?:[:'](\d{1,2}(?:\.\d+)?))?)?['\"]?"
_PLACE = re.compile(rf"\s*{_ANGLE}\s*([NSns])[\s,]*{_ANGLE}\s*([EWOewo])\s*")


def parse_place(text: str) -> tuple[float, float]:
    """Latitude and longitude in degrees.

    Raises:
        AirspaceError: if the text is not one place.

    Example:
        >>> parse_place("59.8175 N 26.3594 E"), parse_place("33:52.5S151:12.25E")
        ((59.8175, 26.3594), (-33.875, 151.20416666666668))
    """
    places = parse_places(text)
    if len(places) != 1:
        raise AirspaceError(f"expected one place, got {len(places)}")
    return places[0]


def parse_places(text: str) -> list[tuple[float, float]]:
    """Latitude and longitude of places that follow one another, with commas between them or not.

    Raises:
        AirspaceError: if something else stands there, or a place is not on Earth.
    """
    places = []
    at = 0
    while at < len(text):
        found = _PLACE.match(text, at)
        if not found:
            raise AirspaceError("not a place")
        latitude, longitude = _degrees(found, 1), _degrees(found, 5)
        if latitude > 90.0 or longitude > 180.0:
            raise AirspaceError(f"latitude {latitude:g}, longitude {longitude:g} is out of range")
        places.append(
            (
                -latitude if found[4] in "Ss" else latitude,
                -longitude if found[8] in "Ww" else longitude,
            )
        )
        at = found.end()
        if at < len(text) and text[at] == ",":
            at += 1
            while at < len(text) and text[at].isspace():
                at += 1
    return places


def _degrees(found: re.Match[str], group: int) -> float:
    degrees, minutes, seconds = found.group(group, group + 1, group + 2)
    if (minutes is not None and "." in degrees) or (seconds is not None and "." in minutes):
        raise AirspaceError("decimals before the last part of an angle")
    if minutes is None:
        return float(degrees)
    m, s = float(minutes), float(seconds or 0.0)
    if m > 60.0 or s > 60.0:
        raise AirspaceError(f"{m:g} minutes, {s:g} seconds")
    # one division: 49 minutes 3 seconds is then the float nearest to 0.8175
    return (float(degrees) * 3600.0 + m * 60.0 + s) / 3600.0
