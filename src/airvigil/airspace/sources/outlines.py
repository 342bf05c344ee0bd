"""How large a volume is, and how far the boundary of one lies from that of another: for people, not for evidence.

A boundary is sampled along its edges as they are meant, at most SPACING_M apart (further where it is longer than MAX_SAMPLES of
them). The area is taken on the sphere of equal area, the greatest distance first in a plane around the older volume and then exactly,
by the geodesic from that sample to the nearest place in the plane.
"""

from __future__ import annotations

import math

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.geodesic import geodesic_inverse, geodesic_points
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.errors import AirspaceError
from airvigil.units import MEAN_EARTH_RADIUS_M, WGS84_A_M, WGS84_E2

SPACING_M = 500.0
MAX_SAMPLES = 200_000
M_PER_DEG = math.radians(1.0) * MEAN_EARTH_RADIUS_M

Floats = NDArray[np.float64]


def area_m2(volume: Volume) -> float:
    """Area of the lateral extent, holes taken off.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> box = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
        >>> round(area_m2(make_volume("box", [box])) / 1e6)
        6310
    """
    spacing = _spacing(volume)
    total = 0.0
    for ring in volume.rings:
        points = sampled(ring, volume.edge_kind, spacing)
        sine = _authalic_sine(points[:, 0])
        steps = np.radians(np.diff(points[:, 1]))
        total -= float(np.sum(0.5 * (sine[:-1] + sine[1:]) * steps))
    return abs(total) * _authalic_radius_m() ** 2


def displacement_m(before: Volume, after: Volume) -> float:
    """The furthest that any place on one boundary lies from the other boundary, either way round, in metres."""
    centre = np.concatenate(before.rings)
    middle = (
        0.5 * float(centre[:, 0].min() + centre[:, 0].max()),
        0.5 * float(centre[:, 1].min() + centre[:, 1].max()),
    )
    old, new = _boundary(before), _boundary(after)
    if not old or not new:
        return math.nan
    return max(_furthest_m(old, new, middle), _furthest_m(new, old, middle))


def sampled(ring: Floats, edge_kind: str, spacing_m: float) -> Floats:
    """Places along a closed ring, its vertices among them, at most a spacing apart: (n, 2)."""
    steps = np.diff(ring, axis=0)
    shrink = np.cos(np.radians(np.minimum(np.abs(ring[:-1, 0]), np.abs(ring[1:, 0]))))
    lengths = M_PER_DEG * np.hypot(steps[:, 0], steps[:, 1] * shrink)
    pieces = np.maximum(np.ceil(lengths / spacing_m), 1.0).astype(np.int64)
    artificial = is_artificial_edge(ring)
    parts = []
    for k in range(len(ring) - 1):
        count = int(pieces[k])
        if count == 1:
            parts.append(ring[k : k + 1])
        elif edge_kind == "geodesic" and not artificial[k]:
            (lat1, lon1), (lat2, lon2) = ring[k].tolist(), ring[k + 1].tolist()
            part = geodesic_points(lat1, lon1, lat2, lon2, count)
            part[:, 1] = ring[k, 1] + np.remainder(part[:, 1] - ring[k, 1] + 180.0, 360.0) - 180.0
            parts.append(part)
        else:
            share = np.arange(count)[:, None] / count
            parts.append(ring[k] + share * steps[k])
    return np.concatenate([*parts, ring[-1:]])


def _spacing(volume: Volume) -> float:
    """SPACING_M, or more where the boundary is too long for it."""
    total = 0.0
    for ring in volume.rings:
        steps = np.diff(ring, axis=0)
        total += float(np.sum(np.hypot(steps[:, 0], steps[:, 1] * np.cos(np.radians(ring[:-1, 0])))))
    return max(SPACING_M, total * M_PER_DEG / MAX_SAMPLES)


def _boundary(volume: Volume) -> list[Floats]:
    """Lines of sampled places, without the edges along the antimeridian and the poles."""
    spacing = _spacing(volume)
    lines: list[Floats] = []
    for ring in volume.rings:
        points = sampled(ring, volume.edge_kind, spacing)
        gaps = np.flatnonzero(is_artificial_edge(points))
        begin = 0
        for gap in [*gaps.tolist(), len(points) - 1]:
            if gap + 1 - begin >= 2:
                lines.append(points[begin : gap + 1])
            begin = gap + 1
    return lines


def _furthest_m(lines: list[Floats], others: list[Floats], middle: tuple[float, float]) -> float:
    places = np.concatenate(lines)
    points = shapely.points(_plane(places, middle))
    segments, ends = [], []
    for line in others:
        flat = _plane(line, middle)
        segments.append(np.stack([flat[:-1], flat[1:]], axis=1))
        ends.append(np.stack([line[:-1], line[1:]], axis=1))
    tree = shapely.STRtree(shapely.linestrings(np.concatenate(segments)))
    (_, nearest), distances = tree.query_nearest(points, return_distance=True, all_matches=False)
    worst = int(np.argmax(distances))
    segment = tree.geometries[nearest[worst]]
    share = float(shapely.line_locate_point(segment, points[worst], normalized=True))
    end = np.concatenate(ends)[nearest[worst]]
    place = end[0] + share * (end[1] - end[0])
    try:
        return geodesic_inverse(*map(float, places[worst]), *map(float, place))[0]
    except AirspaceError:
        return float(distances[worst])


def _plane(points: Floats, middle: tuple[float, float]) -> Floats:
    """Azimuthal equidistant about a middle, on the sphere: metres east and north, (n, 2)."""
    lat, lon = np.radians(points[:, 0]), np.radians(points[:, 1] - middle[1])
    lat0 = math.radians(middle[0])
    east = np.cos(lat) * np.sin(lon)
    north = math.cos(lat0) * np.sin(lat) - math.sin(lat0) * np.cos(lat) * np.cos(lon)
    up = math.sin(lat0) * np.sin(lat) + math.cos(lat0) * np.cos(lat) * np.cos(lon)
    across = np.hypot(east, north)
    scale = np.ones_like(across)
    np.divide(np.arctan2(across, up), across, out=scale, where=across > 0.0)
    return np.column_stack([east * scale, north * scale]) * MEAN_EARTH_RADIUS_M


def _authalic_q(sine: Floats) -> Floats:
    e = math.sqrt(WGS84_E2)
    return np.asarray(
        (1.0 - WGS84_E2) * (sine / (1.0 - WGS84_E2 * sine**2) + np.arctanh(e * sine) / e), dtype=np.float64
    )


def _authalic_sine(latitude_deg: Floats) -> Floats:
    """Sine of the authalic latitude (Snyder, USGS Professional Paper 1395, equations 3-11 and 3-12)."""
    return _authalic_q(np.sin(np.radians(latitude_deg))) / _authalic_q(np.array([1.0]))[0]


def _authalic_radius_m() -> float:
    return WGS84_A_M * math.sqrt(0.5 * float(_authalic_q(np.array([1.0]))[0]))
