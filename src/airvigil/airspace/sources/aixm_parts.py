"""Airspaces made of others: union, difference and intersection of areas with a lower and an upper limit.

Rules
- A part is an area between two limits. What has several limits becomes several parts; parts of the same limits are united.
- Areas are combined in the plane of longitude and latitude, geodesic edges cut beforehand until they are straight there to
  CHORD_ERROR_M. Areas that are not combined keep their edges as they are.
- Where limits with different references would have to be compared, the airspace is refused: which is higher depends on
  the weather or the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.checks.edge_pieces import straightened
from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.aixm_curves import Outline
from airvigil.airspace.sources.aixm_limits import Layer
from airvigil.airspace.sources.aixm_positions import BeyondError, Budget
from airvigil.errors import AirspaceError

OPERATIONS = ("BASE", "UNION", "SUBTR", "INTERS")
PAIR_COST = (
    5  # a pair of edges near each other, when two areas are combined, takes as long as so many positions
)
MAX_PARTS = 500
EDGES_AT_ONCE = 1000
MIN_AREA_DEG2 = 1e-12  # of 0.01 m2: what is left where two borders are the same but for rounding

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """An area between two limits.

    Attributes:
        outlines: its polygons.
        accuracy_m: of the boundary as the source has it, 95 %; 0 if it does not say.
    """

    outlines: tuple[Outline, ...]
    lower: Limit
    upper: Limit
    accuracy_m: float = 0.0


def combined(parts: Sequence[Part], operation: str, others: Sequence[Part], budget: Budget) -> list[Part]:
    """The parts of an airspace after one more component.

    Args:
        operation: one of OPERATIONS.
        budget: what the combination costs is taken from it before it is made.

    Raises:
        AirspaceError: limits that cannot be compared, or an area that crosses itself.
        BeyondError: areas whose combination costs more than is left.
    """
    if len(parts) + len(others) > MAX_PARTS:
        raise BeyondError(f"an airspace of more than {MAX_PARTS} parts")
    if operation in ("BASE", "UNION"):
        return _united([*parts, *others], budget)
    if not parts:
        raise AirspaceError(f"{operation} of nothing: no component before it")
    if operation == "INTERS":
        return [met for part in parts for other in others for met in _intersection(part, other, budget)]
    result = list(parts)
    for other in others:
        result = [left for part in result for left in _difference(part, other, budget)]
        if len(result) > MAX_PARTS:
            raise BeyondError(f"an airspace of more than {MAX_PARTS} parts")
    return result


def clipped(part: Part, layer: Layer) -> list[Part]:
    """The part between the limits of a layer; none if it is not there.

    Raises:
        AirspaceError: limits that cannot be compared.
    """
    lower, upper = higher(part.lower, layer.lower), lower_of(part.upper, layer.upper)
    return [replace(part, lower=lower, upper=upper)] if _is_below(lower, upper) else []


def higher(one: Limit, other: Limit) -> Limit:
    """The higher of two limits.

    Raises:
        AirspaceError: they cannot be compared.
    """
    return other if _is_below(one, other) else one


def lower_of(one: Limit, other: Limit) -> Limit:
    """The lower of two limits.

    Raises:
        AirspaceError: they cannot be compared.
    """
    return other if _is_below(other, one) else one


def _is_below(one: Limit, other: Limit) -> bool:
    if not one.is_comparable(other):
        raise AirspaceError(f"limits {one} and {other} cannot be compared: their references differ")
    return one.height_m < other.height_m


def _united(parts: Sequence[Part], budget: Budget) -> list[Part]:
    """Parts of the same limits as one each, in the order of the first of each; one alone stays as it is."""
    alike: dict[tuple[float, str, float, str], list[Part]] = {}
    for part in parts:
        key = (part.lower.height_m, part.lower.reference, part.upper.height_m, part.upper.reference)
        alike.setdefault(key, []).append(part)
    united = []
    for group in alike.values():
        if len(group) == 1:
            united += group
            continue
        near = float(group[0].outlines[0].rings[0][0, 1])
        areas = [_area(part, near) for part in group]
        edges = np.concatenate([_edges(area) for area in areas])
        _pay(edges, edges, budget)
        united += _parts_of(shapely.union_all(areas), group)
    return united


def _intersection(part: Part, other: Part, budget: Budget) -> list[Part]:
    area = _planar(part, other, shapely.intersection, budget)
    made = _parts_of(area, [part, other])
    return [piece for whole in made for piece in clipped(whole, Layer(other.lower, other.upper))]


def _difference(part: Part, other: Part, budget: Budget) -> list[Part]:
    common = _planar(part, other, shapely.intersection, budget)
    if not _parts_of(common, [part, other]):
        return [part]
    left = _parts_of(_planar(part, other, shapely.difference, budget), [part, other])
    for inner in _parts_of(common, [part, other]):
        if _is_below(part.lower, other.lower):
            left.append(replace(inner, upper=lower_of(part.upper, other.lower)))
        if _is_below(other.upper, part.upper):
            left.append(replace(inner, lower=higher(part.lower, other.upper)))
    return left


def _parts_of(area: shapely.Geometry, sources: Sequence[Part]) -> list[Part]:
    """One part with the polygons of an area and the limits of the first it comes from; none if nothing is left."""
    written = frozenset(w for p in sources for outline in p.outlines for w in outline.written)
    outlines = []
    for polygon in shapely.get_parts(area):
        if polygon.geom_type != "Polygon" or polygon.area < MIN_AREA_DEG2:
            continue
        lines = [polygon.exterior, *polygon.interiors]
        rings = tuple(np.ascontiguousarray(shapely.get_coordinates(line)[:, ::-1]) for line in lines)
        outlines.append(Outline(rings, "lonlat", written))
    accuracy_m = max(source.accuracy_m for source in sources)
    return [Part(tuple(outlines), sources[0].lower, sources[0].upper, accuracy_m)] if outlines else []


def _planar(part: Part, other: Part, operation: shapely.lib.ufunc, budget: Budget) -> shapely.Geometry:
    near = float(part.outlines[0].rings[0][0, 1])
    areas = [_area(p, near) for p in (part, other)]
    _pay(_edges(areas[0]), _edges(areas[1]), budget)
    return operation(*areas)


def _area(part: Part, near_longitude: float) -> shapely.Geometry:
    polygons = []
    for outline in part.outlines:
        rings = [
            _unbroken(straightened(ring, outline.edge_kind), near_longitude)[:, ::-1]
            for ring in outline.rings
        ]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    if not all(shapely.is_valid(polygon) for polygon in polygons):
        raise AirspaceError("an area that crosses itself cannot be combined with others")
    return shapely.union_all(polygons) if len(polygons) > 1 else polygons[0]


def _unbroken(ring: Floats, near_longitude: float) -> Floats:
    """Longitudes without jumps at the antimeridian, around a given one."""
    steps = np.diff(ring[:, 1])
    turns = np.concatenate([[0.0], np.cumsum(np.round(steps / 360.0))])
    first = round((float(ring[0, 1]) - near_longitude) / 360.0)
    if turns[-1] != 0.0:
        raise AirspaceError("an area around a pole cannot be combined with others")
    return np.column_stack([ring[:, 0], ring[:, 1] - 360.0 * (turns + first)])


def _pay(one: NDArray[np.object_], other: NDArray[np.object_], budget: Budget) -> None:
    """Two combs of n teeth have n squared crossings: they are counted before they are made."""
    budget.take(len(one) + len(other))
    tree = shapely.STRtree(one)
    for k in range(0, len(other), EDGES_AT_ONCE):
        budget.take(PAIR_COST * tree.query(other[k : k + EDGES_AT_ONCE]).shape[1])


def _edges(area: shapely.Geometry) -> NDArray[np.object_]:
    rings = shapely.get_rings(shapely.get_parts(area))
    lines = []
    for ring in rings:
        points = shapely.get_coordinates(ring)
        lines.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.asarray(shapely.linestrings(np.concatenate(lines)))
