"""Positions in GML: their order of axes, their links, and how many of them a document may make.

Rules
- The axis order is that of the nearest srsName around a position. None, or one that is not listed, is refused: which of
  two numbers is the latitude is never guessed.
- What a document makes of itself, arcs and repeated links included, is counted; MAX_POSITIONS bounds time and memory.
"""

from __future__ import annotations

import enum
import math
import re

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_inverse
from airvigil.airspace.sources.aixm_document import (
    XLINK_HREF,
    Element,
    Library,
    child,
    key_of,
    local,
    text_of,
)
from airvigil.errors import AirspaceError
from airvigil.units import M_PER_FT, M_PER_NM

MAX_POSITIONS = 10_000_000
M_PER_LENGTH = {
    "M": 1.0, "KM": 1000.0, "FT": M_PER_FT, "NM": M_PER_NM, "NMI_I": M_PER_NM, "NMI": M_PER_NM, "MI": 1609.344, "CM": 0.01,
}  # fmt: skip
_SRS = re.compile(r"(?:urn:ogc:def:crs:|https?://www\.opengis\.net/def/crs/)(EPSG|OGC)[:/][\w.]*[:/](\w+)")

Floats = NDArray[np.float64]


class BeyondError(AirspaceError):
    """A document as a whole goes beyond a bound or in a circle: nothing of it is used."""


class Frame(enum.Enum):
    """Which of the two numbers of a position comes first."""

    LATITUDE_FIRST = "latitude first"
    LONGITUDE_FIRST = "longitude first"


class Budget:
    """How many positions may still be made."""

    def __init__(self, positions: int = MAX_POSITIONS) -> None:
        self.total = self.left = positions

    def take(self, positions: int) -> None:
        """Count positions.

        Raises:
            BeyondError: there are too many.
        """
        self.left -= positions
        if self.left < 0:
            raise BeyondError(f"the airspaces make more than {self.total:,} positions")


def frame_of(element: Element) -> Frame:
    """The axis order for an element.

    Raises:
        AirspaceError: no srsName around it, or one that is not read.
    """
    around: Element | None = element
    while around is not None:
        name = around.get("srsName")
        if name:
            return _frame(name.strip())
        around = around.getparent()
    raise AirspaceError(f"{local(element)} without srsName: the order of latitude and longitude is unknown")


def _frame(name: str) -> Frame:
    found = _SRS.fullmatch(name)
    system = (
        (found[1], found[2])
        if found
        else tuple(name.split(":", 1))
        if name.count(":") == 1
        else ("OGC", name)
    )
    if system in (("EPSG", "4326"), ("EPSG", "4258")):
        return Frame.LATITUDE_FIRST
    if system in (("OGC", "CRS84"), ("CRS", "84")):
        return Frame.LONGITUDE_FIRST
    raise AirspaceError(f"srsName {name[:80]!r} is not read", hint="EPSG:4326 and CRS84 are")


def positions_of(element: Element, library: Library, document: int, budget: Budget) -> Floats:
    """Latitude, longitude of the positions of a segment, in order: (n, 2).

    Raises:
        AirspaceError: something that is no position, one out of range, a link that leads nowhere.
    """
    parts: list[Floats] = []
    for inner in element.iterchildren("*"):
        name = local(inner)
        if name in ("pos", "posList", "coordinates"):
            parts.append(_numbers(inner, budget))
        elif name in ("pointProperty", "pointRep"):
            parts.append(_point(inner, library, document, budget))
    return np.concatenate(parts) if parts else np.empty((0, 2))


def _point(holder: Element, library: Library, document: int, budget: Budget) -> Floats:
    link = holder.get(XLINK_HREF)
    point: Element | None = next(holder.iterchildren("*"), None)
    if link is not None:
        point = library.by_id.get((document, link.removeprefix("#")))
        if point is None:
            features = library.features.get(key_of(link), [])
            found = [e for f in features for e in f.element.iter("{*}Point", "{*}ElevatedPoint")]
            if len(found) > 1:
                raise AirspaceError(f"link {link[:80]!r} leads to a feature with {len(found)} points")
            point = found[0] if found else None
        if point is None:
            raise AirspaceError(f"link {link[:80]!r} leads to no point in these documents")
    position = child(point, "pos")
    if position is None:
        raise AirspaceError("a point without a position")
    return _numbers(position, budget)


def _numbers(element: Element, budget: Budget) -> Floats:
    text = element.text or ""
    words = text.split()
    dimension = (
        3 if element.get("srsDimension") == "3" or (local(element) == "pos" and len(words) == 3) else 2
    )
    budget.take(len(words) // dimension)
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        bad = next((word for word in words if not _is_number(word)), "")
        raise AirspaceError(f"{local(element)}: not a number: {bad[:40]!r}") from error
    if len(values) % dimension:
        raise AirspaceError(f"{local(element)}: {len(values)} numbers are not pairs")
    pairs = values.reshape(-1, dimension)[:, :2]
    if frame_of(element) is Frame.LONGITUDE_FIRST:
        pairs = pairs[:, ::-1]
    wrong = ~((np.abs(pairs[:, 0]) <= 90.0) & (np.abs(pairs[:, 1]) <= 180.0))
    if wrong.any():
        latitude, longitude = pairs[int(np.argmax(wrong))]
        raise AirspaceError(f"{local(element)}: latitude {latitude}, longitude {longitude} is out of range")
    return np.ascontiguousarray(pairs)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def length_m(element: Element | None, what: str) -> float:
    """Metres of a length with its unit.

    Raises:
        AirspaceError: none, no number, or a unit that is not known.
    """
    text, uom = text_of(element), (element.get("uom") or "") if element is not None else ""
    factor = M_PER_LENGTH.get(uom.strip("[]").upper())
    if not re.fullmatch(r"\+?\d{1,9}(\.\d{1,20})?", text) or factor is None:
        raise AirspaceError(f"{what} {text[:40]!r} {uom[:20]!r} is not a length")
    return float(text) * factor


def borders_between(border: Floats, start: Floats, end: Floats, reach_m: float) -> tuple[Floats, list[str]]:
    """A border from one place that lies on it or near to another, both included; of a closed border the shorter way.

    Raises:
        AirspaceError: a place further from the border than reach_m.
    """
    first, last = _on_line(border, start, reach_m), _on_line(border, end, reach_m)
    forward = border[math.floor(first) + 1 : math.ceil(last)]
    backward = border[math.floor(last) + 1 : math.ceil(first)][::-1]
    part = forward if first <= last else backward
    if not (border[0] == border[-1]).all() or len(border) < 4:
        return np.concatenate([start[None], part, end[None]]), []
    ring = border[:-1]
    if first <= last:
        other = np.concatenate([ring[: math.floor(first) + 1][::-1], ring[math.ceil(last) :][::-1]])
    else:
        other = np.concatenate([ring[math.floor(first) + 1 :], ring[: math.ceil(last)]])
    ways = [np.concatenate([start[None], way, end[None]]) for way in (part, other)]
    return min(ways, key=_length), ["a closed border is followed the shorter way"]


def _length(line: Floats) -> float:
    steps = np.diff(line, axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1] * np.cos(np.radians(line[:-1, 0]))).sum())


def _on_line(line: Floats, place: Floats, reach_m: float) -> float:
    """Where on a line a place is nearest: index of the vertex before plus the fraction of the edge."""
    scale = np.array([1.0, math.cos(math.radians(float(place[0])))])
    offsets = line - place
    offsets[:, 1] -= 360.0 * np.round(offsets[:, 1] / 360.0)
    offsets = offsets * scale
    steps = np.diff(offsets, axis=0)
    squared = np.maximum((steps**2).sum(axis=1), 1e-300)
    share = np.clip(-(offsets[:-1] * steps).sum(axis=1) / squared, 0.0, 1.0)
    nearest = ((offsets[:-1] + share[:, None] * steps) ** 2).sum(axis=1)
    at = int(np.argmin(nearest))
    found = line[at] + share[at] * (line[at + 1] - line[at])
    away_m = geodesic_inverse(float(place[0]), float(place[1]), float(found[0]), float(found[1]))[0]
    if away_m > reach_m:
        raise AirspaceError(
            f"the border that is linked passes {away_m:,.0f} m from {place[0]:.5f}, {place[1]:.5f}"
        )
    return at + float(share[at])
