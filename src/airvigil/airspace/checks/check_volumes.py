"""Find what is wrong with volumes, whatever file they came from, and say where.

Rules
- An *error* would make answers wrong; a *warning* is what is probably not meant, or what nobody can answer. Nothing is changed.
- A finding names the volume, its place in the source and a place on the map, and measures what it claims.
- Each volume is looked at by itself here; `check_neighbours` compares them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.checks.check import MAX_EDGE_DEG, MIN_AREA_M2, MIN_DUPLICATE_M, Finding
from airvigil.airspace.checks.check_neighbours import check_neighbours
from airvigil.airspace.checks.edge_pieces import degree_m
from airvigil.airspace.checks.geodesic_area import geodesic_ring_area_m2
from airvigil.airspace.limits import Limit
from airvigil.airspace.volumes import Volume, is_artificial_edge, ring_area_deg2
from airvigil.units import MEAN_EARTH_RADIUS_M

SPIKE_WIDTH_M = 1.0  # a boundary that goes out and comes back on the same line, within this
MIN_SPIKE_M = 10.0
M_PER_DEG = math.radians(1.0) * MEAN_EARTH_RADIUS_M
# By how much heights of two references may differ, and what would tell: pressure between 940 and 1060 hPa at sea level (13 and
# 27 m a hPa: some 650 m at most), the geoid within 110 m of the ellipsoid, ground that is higher than most of Europe's.
PRESSURE_SLACK_M = 650.0
GEOID_SLACK_M = 110.0
GROUND_SLACK_M = 500.0

Floats = NDArray[np.float64]


def check_volumes(volumes: Sequence[Volume]) -> Iterator[Finding]:
    """Everything found, volume by volume, then between neighbours.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> bow_tie = np.array([[59.0, 24.0], [60.0, 25.0], [59.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
        >>> [(f.rule, f.latitude_deg, f.longitude_deg) for f in check_volumes([make_volume("bow", [bow_tie])])]
        [('self_intersection', 59.5, 24.5)]
    """
    seen: dict[str, int] = {}
    crossed: set[int] = set()
    for number, volume in enumerate(volumes):
        if seen.setdefault(volume.volume_id, number) != number:
            message = f"id {volume.volume_id!r} is also that of {place_of(volumes[seen[volume.volume_id]])}"
            yield Finding("error", "duplicate_id", number, place_of(volume), message)
        for finding in check_volume(volume, number):
            if finding.rule == "self_intersection":
                crossed.add(number)
            yield finding
    yield from check_neighbours(volumes, crossed)


def place_of(volume: Volume) -> str:
    """How findings name a volume: source, place in it, id."""
    source = volume.source if volume.place else ""
    return ": ".join(word for word in (source, volume.place, volume.volume_id) if word)


def check_volume(volume: Volume, number: int) -> Iterator[Finding]:
    """What is wrong with one volume by itself.

    Args:
        number: its index, for the findings.
    """
    where = place_of(volume)
    latitude, longitude = (float(value) for value in volume.rings[0][:-1].mean(axis=0))
    yield from _check_limits(volume.lower, volume.upper, where, number, latitude, longitude)
    if volume.activation.kind == "unknown":
        text = f" ({volume.activation.text[:120]})" if volume.activation.text else ""
        message = f"nobody says when it is active{text}: presence in it cannot be judged"
        yield Finding("warning", "activation", number, where, message, latitude, longitude)
    sound = True
    for k, ring in enumerate(volume.rings):
        name = where if len(volume.rings) == 1 else f"{where}, ring {k}"
        for finding in _check_ring(ring, volume.edge_kind, name, number):
            sound = sound and finding.severity != "error"
            yield finding
    if sound:
        yield from _check_nesting(volume, where, number)


def _check_ring(ring: Floats, edge_kind: str, where: str, number: int) -> Iterator[Finding]:
    def at(severity: str, rule: str, index: int, message: str) -> Finding:
        place = f"{where}, position {index}"
        return Finding(severity, rule, number, place, message, float(ring[index, 0]), float(ring[index, 1]))

    steps = np.diff(ring, axis=0)
    is_real = ~is_artificial_edge(ring)
    wide = np.flatnonzero((np.abs(steps[:, 1]) > MAX_EDGE_DEG) & is_real).tolist()
    for index in wide:
        message = f"the edge spans {abs(steps[index, 1]):.1f} degrees of longitude: cut the area at the antimeridian"
        yield at("error", "antimeridian", index, message)
    if wide:
        return
    metres = steps * degree_m(ring[:-1, 0])
    lengths = np.hypot(metres[:, 0], metres[:, 1])
    for index in np.flatnonzero((lengths < MIN_DUPLICATE_M) & is_real).tolist():
        yield at("warning", "duplicate_vertex", index + 1, f"the same place as position {index}")
    yield from (at("warning", "spike", index, message) for index, message in _spikes(metres, lengths))
    polygon = shapely.Polygon(ring[:, ::-1])
    reason = str(shapely.is_valid_reason(polygon))
    if reason != "Valid Geometry":
        words = reason.partition("[")[2].rstrip("]").split()
        longitude, latitude = (float(words[0]), float(words[1])) if len(words) >= 2 else (None, None)
        message = f"the ring crosses or touches itself ({reason.partition('[')[0].strip().lower()})"
        yield Finding("error", "self_intersection", number, where, message, latitude, longitude)
        return
    yield from _check_area(ring, edge_kind, where, number)


def _spikes(metres: Floats, lengths: Floats) -> Iterator[tuple[int, str]]:
    """Vertices at which the boundary turns back on itself: (index, message)."""
    before, after = np.roll(metres, 1, axis=0), metres
    shorter = np.minimum(np.roll(lengths, 1), lengths)
    longer = np.maximum(np.maximum(np.roll(lengths, 1), lengths), 1e-9)
    cross = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    turns_back = (before * after).sum(axis=1) < 0.0
    width = cross / longer
    for index in np.flatnonzero(turns_back & (width < SPIKE_WIDTH_M) & (shorter > MIN_SPIKE_M)).tolist():
        yield index, f"the boundary goes {shorter[index]:,.0f} m out and back, {width[index]:.2f} m wide"


def _check_area(ring: Floats, edge_kind: str, where: str, number: int) -> Iterator[Finding]:
    flat, geodesic_m2 = ring_area_deg2(ring), geodesic_ring_area_m2(ring)
    latitude, longitude = (float(value) for value in ring[:-1].mean(axis=0))
    if (flat > 0.0) != (geodesic_m2 > 0.0) and not is_artificial_edge(ring).any():
        other = "geodesics" if edge_kind == "lonlat" else "straight in longitude and latitude"
        message = (
            f"a sliver that turns inside out if its edges are {other}: "
            f"{abs(geodesic_m2):,.0f} m2 the other way round as geodesics"
        )
        severity = "error" if edge_kind == "geodesic" else "warning"
        yield Finding(severity, "sliver_flips", number, where, message, latitude, longitude)
    elif abs(geodesic_m2) < MIN_AREA_M2:
        message = f"the area is {abs(geodesic_m2):,.0f} m2 only"
        yield Finding("warning", "sliver", number, where, message, latitude, longitude)


def _check_nesting(volume: Volume, where: str, number: int) -> Iterator[Finding]:
    """Holes lie in an exterior; exteriors neither in nor over one another. The interior is on the left of every ring."""
    polygons = [shapely.Polygon(ring[:, ::-1]) for ring in volume.rings]
    is_hole = np.array([ring_area_deg2(ring) < 0.0 for ring in volume.rings])
    tree = shapely.STRtree(polygons)
    meets: dict[int, list[int]] = {}
    for a, b in tree.query(polygons, predicate="intersects").T.tolist():
        if a != b:
            meets.setdefault(a, []).append(b)
    for k, polygon in enumerate(polygons):
        others = meets.get(k, [])
        latitude, longitude = (float(value) for value in volume.rings[k][:-1].mean(axis=0))
        place = f"{where}, ring {k}"
        if is_hole[k]:
            hosts = [j for j in others if not is_hole[j]]
            if any(shapely.covers(polygons[j], polygon) for j in hosts):
                continue
            rule, message = (
                ("hole_outside", "the hole leaves its exterior")
                if hosts
                else ("orientation", "the ring runs clockwise, as a hole, and lies in no exterior")
            )
            yield Finding("error", rule, number, place, message, latitude, longitude)
            continue
        for j in others:
            if j > k and not is_hole[j] and not _lies_in_hole(polygons, is_hole, k, j):
                shared = shapely.intersection(polygon, polygons[j]).area
                if shared * M_PER_DEG**2 * math.cos(math.radians(latitude)) > MIN_AREA_M2:
                    message = f"rings {k} and {j} both run counter-clockwise and overlap"
                    yield Finding("error", "orientation", number, place, message, latitude, longitude)


def _lies_in_hole(
    polygons: Sequence[shapely.Polygon], is_hole: NDArray[np.bool_], one: int, other: int
) -> bool:
    """Whether one of two exteriors is an island in a hole of the other."""
    smaller = min((one, other), key=lambda k: polygons[k].area)
    return any(is_hole[k] and shapely.covers(polygons[k], polygons[smaller]) for k in range(len(polygons)))


def _check_limits(
    lower: Limit, upper: Limit, where: str, number: int, latitude: float, longitude: float
) -> Iterator[Finding]:
    if lower.is_comparable(upper):
        if lower.height_m >= upper.height_m:
            message = f"the lower limit, {lower}, is not below the upper limit, {upper}"
            yield Finding("error", "limits", number, where, message, latitude, longitude)
        return
    slack_m, needed = between_references(lower.reference, upper.reference)
    if upper.height_m - lower.height_m < slack_m:
        message = f"the lower limit, {lower}, and the upper limit, {upper}, may cross: which is higher needs {needed}"
        yield Finding("warning", "limits", number, where, message, latitude, longitude)


def between_references(one: str, other: str) -> tuple[float, str]:
    """By how much heights of two references may differ (m), and what would tell by how much they do.

    Example:
        >>> between_references("STD", "SFC")
        (1150.0, 'the air pressure and the height of the ground')
    """
    both = {one, other}
    slack_m = 0.0
    needed: list[str] = []
    if "STD" in both:
        slack_m, needed = slack_m + PRESSURE_SLACK_M, [*needed, "the air pressure"]
    if "SFC" in both:
        slack_m, needed = slack_m + GROUND_SLACK_M, [*needed, "the height of the ground"]
    if "W84" in both:
        slack_m, needed = slack_m + GEOID_SLACK_M, [*needed, "the geoid"]
    return slack_m, " and ".join(needed)
