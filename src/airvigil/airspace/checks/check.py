"""Find what is wrong with a GeoJSON airspace file, all of it, and say where.

`load_geojson` stops at the first thing that it cannot take; this goes on. An *error* is what keeps a volume from
being used, or would make its answers wrong; a *warning* is what is probably not meant. Nothing is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.sources.geojson import features, parse, polygon_rings, ring_positions, vertical_limits
from airvigil.airspace.volumes import is_artificial_edge, ring_area_deg2
from airvigil.errors import AirspaceError
from airvigil.units import MEAN_EARTH_RADIUS_M

MIN_AREA_M2 = 10_000.0  # a volume of less than a hectare is a digitising remnant
MIN_DUPLICATE_M = 0.01  # two consecutive positions this near to each other are the same
MAX_EDGE_DEG = 180.0  # an edge that spans more was meant to cross the antimeridian
M_PER_DEG = math.radians(1.0) * MEAN_EARTH_RADIUS_M


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        severity: "error" or "warning".
        rule: a short fixed name: unreadable, not_a_polygon, out_of_range, unclosed, too_few_positions, duplicate_vertex,
            self_intersection, orientation, sliver, antimeridian, limits, duplicate_id, hole_outside.
        feature: the feature's index in the file; None for the file as a whole.
        place: JSON path.
        message: what was found.
        latitude_deg, longitude_deg: where on the map, None where it is nowhere.
    """

    severity: str
    rule: str
    feature: int | None
    place: str
    message: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None

    def __str__(self) -> str:
        where = (
            "" if self.latitude_deg is None else f" (near {self.latitude_deg:.5f}, {self.longitude_deg:.5f})"
        )
        return f"{self.severity}: {self.place}: {self.message}{where} [{self.rule}]"


def check_file(raw: bytes, name: str) -> list[Finding]:
    """Everything wrong with the bytes of a GeoJSON airspace file, in the order of the file; empty if nothing is.

    Example:
        >>> bow_tie = b'{"type":"Polygon","coordinates":[[[24,59],[25,60],[25,59],[24,60],[24,59]]]}'
        >>> [(f.severity, f.rule, f.latitude_deg, f.longitude_deg) for f in check_file(bow_tie, "bow.geojson")]
        [('error', 'self_intersection', 59.5, 24.5)]
    """
    try:
        members = list(features(parse(raw, name), name))
    except AirspaceError as error:
        return [Finding("error", "unreadable", None, "$", str(error))]
    findings: list[Finding] = []
    ids: dict[str, int] = {}
    for number, (where, feature) in enumerate(members):
        path = where.removeprefix(f"{name}: ")
        findings.extend(_check_feature(feature, path, number))
        properties = feature.get("properties")
        given = properties.get("id", feature.get("id")) if isinstance(properties, dict) else feature.get("id")
        if given is not None and ids.setdefault(str(given), number) != number:
            message = f"id {str(given)!r} is also that of feature {ids[str(given)]}"
            findings.append(Finding("error", "duplicate_id", number, path, message))
    if not members:
        findings.append(Finding("error", "not_a_polygon", None, "$.features", "there are no features"))
    return findings


def _check_feature(feature: Mapping[str, Any], path: str, number: int) -> Iterator[Finding]:
    properties = feature.get("properties") or {}
    if isinstance(properties, dict):
        yield from _check_limits(properties, path, number)
    else:
        yield Finding("error", "limits", number, f"{path}.properties", "the properties are not an object")
    exterior: NDArray[np.float64] | None = None
    try:
        for where, is_hole, ring in polygon_rings(feature, path):
            positions = ring_positions(ring, where)
            found = list(_check_ring(positions, is_hole, where, number))
            yield from found
            is_sound = not any(finding.severity == "error" for finding in found)
            if not is_hole:
                exterior = positions if is_sound else None
            elif exterior is not None and is_sound:
                yield from _check_hole(positions, exterior, where, number)
    except AirspaceError as error:
        place, _, message = str(error).partition(": ")
        yield Finding("error", "not_a_polygon", number, place, message)


def _check_limits(properties: Mapping[str, Any], path: str, number: int) -> Iterator[Finding]:
    try:
        lower, upper = vertical_limits(properties, path)
    except AirspaceError as error:
        place, _, message = str(error).partition(": ")
        yield Finding("error", "limits", number, place, message)
        return
    if lower.height_m >= upper.height_m and lower.is_comparable(upper):
        message = f"the lower limit, {lower}, is not below the upper limit, {upper}"
        yield Finding("error", "limits", number, f"{path}.properties", message)


def _check_ring(ring: NDArray[np.float64], is_hole: bool, where: str, number: int) -> Iterator[Finding]:
    def at(severity: str, rule: str, index: int, message: str) -> Finding:
        return Finding(
            severity, rule, number, f"{where}[{index}]", message, float(ring[index, 0]), float(ring[index, 1])
        )

    if len(ring) < 4:
        yield Finding(
            "error", "too_few_positions", number, where, f"expected at least 4 positions, got {len(ring)}"
        )
        return
    outside = np.flatnonzero((np.abs(ring[:, 0]) > 90.0) | (np.abs(ring[:, 1]) > 180.0))
    for index in outside.tolist():
        message = f"latitude {ring[index, 0]}, longitude {ring[index, 1]} is out of range"
        yield Finding("error", "out_of_range", number, f"{where}[{index}]", message)
    if not (ring[0] == ring[-1]).all():
        yield at(
            "error",
            "unclosed",
            len(ring) - 1,
            f"the last position differs from the first, {ring[0, ::-1].tolist()}",
        )
    if len(outside):
        return
    steps = np.diff(ring, axis=0)
    for index in np.flatnonzero((np.abs(steps[:, 1]) > MAX_EDGE_DEG) & ~is_artificial_edge(ring)).tolist():
        message = f"the edge spans {abs(steps[index, 1]):.1f} degrees of longitude: cut the area at the antimeridian"
        yield at("error", "antimeridian", index, message)
    lengths = M_PER_DEG * np.hypot(steps[:, 0], steps[:, 1] * np.cos(np.radians(ring[:-1, 0])))
    for index in np.flatnonzero(lengths < MIN_DUPLICATE_M).tolist():
        yield at("warning", "duplicate_vertex", index + 1, f"the same place as position {index}")
    yield from _check_shape(ring, is_hole, where, number)


def _check_shape(ring: NDArray[np.float64], is_hole: bool, where: str, number: int) -> Iterator[Finding]:
    polygon = shapely.Polygon(ring[:, ::-1])
    if not shapely.is_valid(polygon):
        reason = str(shapely.is_valid_reason(polygon))
        longitude, latitude = _place_in(reason)
        message = f"the ring crosses or touches itself ({reason.partition('[')[0].strip().lower()})"
        yield Finding("error", "self_intersection", number, where, message, latitude, longitude)
        return
    area = ring_area_deg2(ring)
    area_m2 = abs(area) * M_PER_DEG**2 * math.cos(math.radians(float(ring[:, 0].mean())))
    latitude, longitude = (float(value) for value in ring[:-1].mean(axis=0))
    if area_m2 < MIN_AREA_M2:
        yield Finding(
            "warning", "sliver", number, where, f"the area is {area_m2:.0f} m2 only", latitude, longitude
        )
    if (area > 0.0) == is_hole:
        turn = "clockwise" if is_hole else "counter-clockwise"
        message = f"{'a hole' if is_hole else 'an exterior'} should run {turn} (RFC 7946 section 3.1.6); it is read the right way round"
        yield Finding("warning", "orientation", number, where, message, latitude, longitude)


def _check_hole(
    hole: NDArray[np.float64], exterior: NDArray[np.float64], where: str, number: int
) -> Iterator[Finding]:
    if not shapely.covers(shapely.Polygon(exterior[:, ::-1]), shapely.Polygon(hole[:, ::-1])):
        latitude, longitude = (float(value) for value in hole[:-1].mean(axis=0))
        yield Finding(
            "error", "hole_outside", number, where, "the hole leaves its exterior", latitude, longitude
        )


def _place_in(reason: str) -> tuple[float | None, float | None]:
    """GEOS names the place as "Self-intersection[24.5 59.5]"."""
    words = reason.partition("[")[2].rstrip("]").split()
    return (float(words[0]), float(words[1])) if len(words) >= 2 else (None, None)
