"""GML surfaces of AIXM as rings of positions.

Rules
- Read: GeodesicString, Geodesic, LineStringSegment, LineString, LinearRing, ArcByCenterPoint, CircleByCenterPoint, Arc (by three
  places), curves within curves, curves and points by link, parts of a GeoBorder by link. Anything else is refused by name.
- A LineStringSegment is straight in longitude and latitude: along a parallel where both ends have one latitude. Where a ring
  has other edges too, it is cut until it is geodesic to CHORD_ERROR_M.
- EPSG:4326 and EPSG:4258 have latitude first and count angles from north, clockwise (OGC 12-028r1); CRS84 has
  longitude first and counts them from east, counter-clockwise. Anything else is refused.
- Curves must meet. Up to MAX_GAP_M a gap is closed by a straight edge, and above SILENT_GAP_M it is said.
- Of a GeoBorder, that part is taken which lies between the ends of the curves before and after.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.checks.edge_pieces import lonlat_pieces
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
from airvigil.airspace.sources.aixm_positions import (
    Budget,
    Frame,
    borders_between,
    frame_of,
    length_m,
    positions_of,
)
from airvigil.airspace.sources.arcs import (
    CHORD_ERROR_M,
    Place,
    arc_between,
    arc_points,
    circle_ring,
    turn_pieces,
)
from airvigil.errors import AirspaceError
from airvigil.units import MEAN_EARTH_RADIUS_M

SILENT_GAP_M = 10.0
MAX_GAP_M = 1_000.0
MAX_NESTED_CURVES = 8
ARC_COST = 8  # a position of an arc takes as long as this many that are written

Floats = NDArray[np.float64]


@dataclass
class Curve:
    """Positions (n, 2) latitude, longitude, and for each edge whether it is geodesic; or a border still to be cut."""

    positions: Floats
    is_geodesic: NDArray[np.bool_]
    written: frozenset[str]
    border: bool = False


@dataclass
class Tracing:
    """What reading curves needs and leaves: where links lead, what may still be spent, what is to be said."""

    library: Library
    document: int
    budget: Budget
    borders: dict[str, Floats]
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outline:
    """One polygon: rings, the exterior first; longitudes as written."""

    rings: tuple[Floats, ...]
    edge_kind: str
    written: frozenset[str]


def read_surface(element: Element, tracing: Tracing) -> list[Outline]:
    """The polygons of a Surface, ElevatedSurface, Polygon or MultiSurface.

    Raises:
        AirspaceError: what is not read, by name, with the value found.
    """
    patches = [
        p
        for name in ("PolygonPatch", "Polygon", "Rectangle", "Triangle")
        for p in element.iter(f"{{*}}{name}")
    ]
    if not patches and child(element, "exterior") is not None:
        patches = [element]
    if not patches:
        inside = [local(e) for e in element.iterchildren("*")]
        raise AirspaceError(
            f"{local(element)} has no patch that is read, but {', '.join(inside[:5]) or 'nothing'}"
        )
    return [_patch(patch, tracing) for patch in patches]


def _patch(patch: Element, tracing: Tracing) -> Outline:
    rings = []
    for name in ("exterior", "interior"):
        for holder in patch.iterchildren(f"{{*}}{name}"):
            inner = next(holder.iterchildren("*"), None)
            if inner is None:
                raise AirspaceError(f"an {name} without a ring")
            rings.append(_ring(inner, tracing))
    if not rings:
        raise AirspaceError("a patch without an exterior")
    is_lonlat = not any(ring.is_geodesic.any() for ring in rings)
    outlines = [ring.positions if is_lonlat else _geodesic_only(ring, tracing) for ring in rings]
    written = frozenset(word for ring in rings for word in ring.written)
    return Outline(tuple(outlines), "lonlat" if is_lonlat else "geodesic", written)


def _ring(element: Element, tracing: Tracing) -> Curve:
    """A closed ring, its last position the first."""
    if local(element) == "LinearRing":
        curves = [_line(element, tracing, "lonlat")]
    elif local(element) == "Ring":
        curves = [_member(member, tracing, 0) for member in element.iterchildren("{*}curveMember")]
    else:
        raise AirspaceError(f"a ring as {local(element)} is not read")
    if not curves:
        raise AirspaceError("a ring without curves")
    joined = _joined(_cut_borders(curves, tracing), tracing)
    if len(joined.positions) < 4:
        raise AirspaceError(f"a ring of {len(joined.positions)} positions")
    return joined


def _member(holder: Element, tracing: Tracing, depth: int) -> Curve:
    link = holder.get(XLINK_HREF)
    if link is not None:
        return _linked(link, tracing, depth)
    inner = next(holder.iterchildren("*"), None)
    if inner is None:
        raise AirspaceError("a curveMember without a curve")
    return _curve(inner, tracing, depth)


def _linked(link: str, tracing: Tracing, depth: int) -> Curve:
    border = tracing.borders.get(key_of(link))
    if border is not None:
        return Curve(border, np.ones(len(border) - 1, dtype=bool), frozenset({"geodesic"}), border=True)
    target = tracing.library.by_id.get((tracing.document, link.removeprefix("#")))
    if target is None:
        raise AirspaceError(f"link {link[:80]!r} leads to no border or curve in these documents")
    return _curve(target, tracing, depth + 1)


def _curve(element: Element, tracing: Tracing, depth: int) -> Curve:
    if depth > MAX_NESTED_CURVES:
        raise AirspaceError(
            f"curves within curves, more than {MAX_NESTED_CURVES} deep: they go round in a circle"
        )
    name = local(element)
    if name in ("CompositeCurve", "OrientableCurve"):
        holders = [*element.iterchildren("{*}curveMember"), *element.iterchildren("{*}baseCurve")]
        whole = _joined([_member(holder, tracing, depth + 1) for holder in holders], tracing, is_ring=False)
        if element.get("orientation") == "-":
            return Curve(whole.positions[::-1], whole.is_geodesic[::-1], whole.written)
        return whole
    if name == "LineString":
        return _line(element, tracing, "lonlat")
    segments = child(element, "segments")
    if segments is None:
        raise AirspaceError(f"a curve as {name} is not read")
    return _joined([_segment(s, tracing) for s in segments.iterchildren("*")], tracing, is_ring=False)


def _line(element: Element, tracing: Tracing, written: str) -> Curve:
    positions = positions_of(element, tracing.library, tracing.document, tracing.budget)
    is_geodesic = np.full(max(len(positions) - 1, 0), written == "geodesic")
    return Curve(positions, is_geodesic, frozenset({written}))


def _segment(element: Element, tracing: Tracing) -> Curve:
    name = local(element)
    if name in ("GeodesicString", "Geodesic"):
        return _line(element, tracing, "geodesic")
    if name == "LineStringSegment":
        return _line(element, tracing, "lonlat")
    if name not in ("CircleByCenterPoint", "ArcByCenterPoint", "Arc"):
        raise AirspaceError(f"a segment as {name} is not read")
    given = positions_of(element, tracing.library, tracing.document, tracing.budget)
    if name == "Arc":
        points = _through_three(given, tracing)
    else:
        if len(given) != 1:
            raise AirspaceError(f"{name} with {len(given)} centres")
        centre: Place = (float(given[0, 0]), float(given[0, 1]))
        points = _around_centre(element, centre, tracing)
    written = "circle" if name == "CircleByCenterPoint" else "arc"
    return Curve(points, np.ones(len(points) - 1, dtype=bool), frozenset({written}))


def _around_centre(element: Element, centre: Place, tracing: Tracing) -> Floats:
    radius_m = length_m(child(element, "radius"), "radius")
    tracing.budget.take(ARC_COST * turn_pieces(radius_m, 2.0 * math.pi))
    if local(element) == "CircleByCenterPoint":
        return circle_ring(centre, radius_m)
    start, end = (_angle_deg(child(element, name)) for name in ("startAngle", "endAngle"))
    sweep = end - start
    if not 0.0 < abs(sweep) <= 360.0:
        raise AirspaceError(f"an arc from {start:g} to {end:g} degrees")
    if frame_of(element) is Frame.LONGITUDE_FIRST:
        start, sweep = 90.0 - start, -sweep
    return np.array(arc_points(centre, math.radians(start), math.radians(sweep), radius_m))


def _angle_deg(element: Element | None) -> float:
    text = text_of(element)
    uom = (element.get("uom") or "deg") if element is not None else ""
    if not re.fullmatch(r"[+-]?\d{1,4}(\.\d{1,20})?", text) or uom not in ("deg", "degree", "DEG"):
        raise AirspaceError(f"an arc needs angles in degrees, got {text[:40]!r} {uom[:20]!r}")
    return float(text)


def _through_three(given: Floats, tracing: Tracing) -> Floats:
    """The arc through three places: its centre is as far from all three, by geodesics."""
    if len(given) != 3:
        raise AirspaceError(f"Arc with {len(given)} places")
    start, middle, end = ((float(lat), float(lon)) for lat, lon in given)
    centre = _circumcentre(start, middle, end)
    radius_m, first = geodesic_inverse(*centre, *start)
    to_middle = (geodesic_inverse(*centre, *middle)[1] - first) % (2.0 * math.pi)
    to_end = (geodesic_inverse(*centre, *end)[1] - first) % (2.0 * math.pi)
    tracing.budget.take(ARC_COST * turn_pieces(radius_m, 2.0 * math.pi))
    return np.array(arc_between(centre, start, end, is_clockwise=to_middle < to_end)[0])


def _circumcentre(start: Place, middle: Place, end: Place) -> Place:
    lat, lon = middle
    for _ in range(20):
        polar = [geodesic_inverse(lat, lon, *place) for place in (start, middle, end)]
        (x1, y1), (x2, y2), (x3, y3) = ((r * math.sin(a), r * math.cos(a)) for r, a in polar)
        area = 2.0 * (x1 * (y2 - y3) + x2 * (y3 - y1) + x3 * (y1 - y2))
        if abs(area) < 1.0:
            raise AirspaceError("Arc through three places in one line")
        s1, s2, s3 = x1 * x1 + y1 * y1, x2 * x2 + y2 * y2, x3 * x3 + y3 * y3
        east = (s1 * (y2 - y3) + s2 * (y3 - y1) + s3 * (y1 - y2)) / area
        north = (s1 * (x3 - x2) + s2 * (x1 - x3) + s3 * (x2 - x1)) / area
        lat += math.degrees(north / MEAN_EARTH_RADIUS_M)
        lon += math.degrees(east / (MEAN_EARTH_RADIUS_M * max(math.cos(math.radians(lat)), 1e-6)))
        if math.hypot(east, north) < 0.001:
            return lat, lon
        if not abs(lat) < 90.0:
            break
    raise AirspaceError("Arc whose centre cannot be found")


def _cut_borders(curves: Sequence[Curve], tracing: Tracing) -> list[Curve]:
    """Curves in which every border is the part between its neighbours."""
    if not any(curve.border for curve in curves):
        return list(curves)
    if len(curves) == 1:
        return list(curves)
    cut = []
    for k, curve in enumerate(curves):
        before, after = curves[k - 1], curves[(k + 1) % len(curves)]
        if not curve.border:
            cut.append(curve)
        elif before.border or after.border:
            raise AirspaceError(
                "two borders next to each other: nothing says where one goes over into the other"
            )
        else:
            part, said = borders_between(curve.positions, before.positions[-1], after.positions[0], MAX_GAP_M)
            tracing.remarks += said
            tracing.budget.take(len(part))
            cut.append(Curve(part, np.ones(max(len(part) - 1, 0), dtype=bool), curve.written))
    return cut


def _joined(curves: Sequence[Curve], tracing: Tracing, *, is_ring: bool = True) -> Curve:
    """Curves end to end as one; a ring is closed."""
    curves = [curve for curve in curves if len(curve.positions)]
    if not curves:
        raise AirspaceError("a curve without positions")
    parts, kinds = [curves[0].positions], [curves[0].is_geodesic]
    for curve in curves[1:]:
        start = curve.positions
        if _gap(parts[-1][-1], start[0], tracing):
            kinds.append(np.ones(1, dtype=bool))
        else:
            start = start[1:]
        parts.append(start)
        kinds.append(curve.is_geodesic)
    positions, is_geodesic = np.concatenate(parts), np.concatenate(kinds)
    if is_ring and not (positions[0] == positions[-1]).all():
        if _gap(positions[-1], positions[0], tracing):
            positions = np.concatenate([positions, positions[:1]])
            is_geodesic = np.append(is_geodesic, True)
        else:
            positions = positions.copy()
            positions[-1] = positions[0]
    return Curve(positions, is_geodesic, frozenset(word for curve in curves for word in curve.written))


def _gap(end: Floats, start: Floats, tracing: Tracing) -> bool:
    """Whether an edge is needed between the end of a curve and the start of the next."""
    gap_m = geodesic_inverse(float(end[0]), float(end[1]), float(start[0]), float(start[1]))[0]
    where = f"at {end[0]:.5f}, {end[1]:.5f}"
    if gap_m > MAX_GAP_M:
        raise AirspaceError(f"the curves do not meet {where}: {gap_m:,.0f} m are missing")
    if gap_m > SILENT_GAP_M:
        tracing.remarks.append(
            f"a gap of {gap_m:.0f} m between two curves {where} is closed by a straight edge"
        )
    return gap_m > CHORD_ERROR_M


def _geodesic_only(ring: Curve, tracing: Tracing) -> Floats:
    """The ring with its lon/lat edges cut into pieces that are geodesics to CHORD_ERROR_M."""
    pieces = np.where(ring.is_geodesic, 1, lonlat_pieces(ring.positions))
    if int(pieces.max()) == 1:
        return ring.positions
    tracing.budget.take(int(pieces.sum()))
    start = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    steps = np.diff(ring.positions, axis=0)[start] * (within / pieces[start])[:, None]
    return np.concatenate([ring.positions[start] + steps, ring.positions[-1:]])
