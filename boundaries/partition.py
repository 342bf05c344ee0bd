"""Cut overlapping national areas into faces that belong to one state, or are named by several.

The source gives every state's area as that state's relation in OpenStreetMap says, so two states' areas
overlap where both claim the same place, where one is a dependency of the other, and by slivers a few metres
wide where a common border was simplified twice.

Rules
- A dependency's area is taken out of its parent's; loading the parent joins them again.
- An overlap at least MIN_DISPUTED_KM2 large and MIN_DISPUTED_RADIUS_M in its inscribed radius is a disputed face
  of its own, named after all that claim it, and taken out of theirs.
- A smaller overlap stays in both: within the boundary's uncertainty, a place there is inside both.
- What cutting leaves over is a strip along the outline of a disputed area or a dependency, narrower than twice
  MIN_DISPUTED_RADIUS_M: it joins that area, so the outline is the outer one of the two.
- All faces of a group of overlapping states come from one set of noded lines on the grid, so they share
  their borders position for position.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from airvigil.airspace.sources.faces import IntRing, join_faces

MIN_DISPUTED_KM2 = 1.0
MIN_DISPUTED_RADIUS_M = 50.0
KM_PER_DEG = 111.195  # of a great circle, mean radius

Claimants = tuple[str, ...]


@dataclass(frozen=True)
class Face:
    """Area claimed by exactly these; one code is undisputed, several are a dispute."""

    claimants: Claimants
    rings: tuple[IntRing, ...]
    area_km2: float
    radius_m: float


def area_km2(geometry: BaseGeometry) -> float:
    """Area, each part scaled by the cosine of its own latitude."""
    return float(
        sum(
            p.area * KM_PER_DEG**2 * math.cos(math.radians(p.centroid.y))
            for p in shapely.get_parts(geometry)
            if p.area > 0
        )
    )


def radius_m(polygon: BaseGeometry) -> float:
    """Radius of the largest inscribed circle, to 2 % or 1 m."""
    if polygon.area == 0.0:
        return 0.0
    scale = np.array([1000.0 * KM_PER_DEG * math.cos(math.radians(polygon.centroid.y)), 1000.0 * KM_PER_DEG])
    flat = shapely.transform(polygon, lambda xy: xy * scale)
    rough = math.sqrt(flat.area)
    return float(shapely.maximum_inscribed_circle(flat, tolerance=max(1.0, 0.002 * rough)).length)


def polygons(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The polygons in any geometry."""
    if geometry.geom_type == "Polygon":
        return [] if geometry.is_empty else [geometry]
    if hasattr(geometry, "geoms"):
        return [polygon for part in geometry.geoms for polygon in polygons(part)]
    return []


def integer_rings(polygon: BaseGeometry, grid_deg: float) -> list[IntRing]:
    """Rings of a polygon in grid steps, latitude first, interior on the left."""
    turned = shapely.orient_polygons(polygon, exterior_cw=False)
    rings = []
    for ring in [turned.exterior, *turned.interiors]:
        positions = np.round(shapely.get_coordinates(ring)[:, ::-1] / grid_deg).astype(np.int64)
        keep = np.concatenate([[True], np.any(np.diff(positions, axis=0) != 0, axis=1)])
        if int(keep.sum()) >= 4:
            rings.append(positions[keep])
    return rings


def overlapping_pairs(areas: Mapping[str, BaseGeometry], grid_deg: float) -> dict[Claimants, float]:
    """Overlap in km2 of every pair of areas that overlap at all."""
    codes = sorted(areas)
    geometries = [areas[code] for code in codes]
    first, second = shapely.STRtree(geometries).query(geometries)
    overlaps = {}
    for i, j in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if i < j:
            common = shapely.MultiPolygon(
                polygons(shapely.intersection(geometries[i], geometries[j], grid_size=grid_deg))
            )
            if not common.is_empty:
                overlaps[codes[i], codes[j]] = max(area_km2(common), 1e-9)
    return overlaps


def groups(pairs: Iterable[Claimants]) -> list[tuple[str, ...]]:
    """Codes connected by pairs, each group sorted."""
    parent: dict[str, str] = {}

    def root(code: str) -> str:
        while parent.setdefault(code, code) != code:
            code = parent[code]
        return code

    for a, b in pairs:
        parent[max(root(a), root(b))] = min(root(a), root(b))
    members = defaultdict(list)
    for code in sorted(parent):
        members[root(code)].append(code)
    return [tuple(members[name]) for name in sorted(members)]


@dataclass
class _Patch:
    """A connected area with one set of claimants, and the cells that it is made of."""

    claimants: Claimants
    shape: BaseGeometry
    cells: list[BaseGeometry]
    owner: Claimants = ()
    radius: float = 0.0


def cut_group(areas: Mapping[str, BaseGeometry], parent_of: Mapping[str, str], grid_deg: float) -> list[Face]:
    """The faces of states whose areas overlap.

    Args:
        areas: code -> area, on the grid.
        parent_of: dependency -> state.
    """
    patches = _patches(areas, parent_of, grid_deg)
    for patch in patches:
        patch.radius = radius_m(patch.shape)
        is_disputed = len(patch.claimants) > 1
        if (
            is_disputed
            and area_km2(patch.shape) >= MIN_DISPUTED_KM2
            and patch.radius >= MIN_DISPUTED_RADIUS_M
        ):
            patch.owner = patch.claimants
    taken = [patch for patch in patches if patch.owner or patch.claimants[0] in parent_of]
    tree = shapely.STRtree([patch.shape for patch in taken])
    for patch in patches:
        if not patch.owner and len(patch.claimants) == 1 and patch.radius < MIN_DISPUTED_RADIUS_M:
            patch.owner = _neighbour(patch, taken, tree, parent_of)
    cells: dict[Claimants, list[BaseGeometry]] = defaultdict(list)
    for patch in patches:
        owners = [patch.owner] if patch.owner else [(code,) for code in patch.claimants]
        for owner in owners:
            cells[owner].extend(patch.cells)
    return [_face(owner, cells[owner], grid_deg) for owner in sorted(cells)]


def _patches(
    areas: Mapping[str, BaseGeometry], parent_of: Mapping[str, str], grid_deg: float
) -> list[_Patch]:
    codes = sorted(areas)
    lines = shapely.union_all([areas[code].boundary for code in codes], grid_size=grid_deg)
    cells = list(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))
    inside = {code: _contained(areas[code], cells) for code in codes}
    by_claimants = defaultdict(list)
    for number, cell in enumerate(cells):
        claimed = {code for code in codes if inside[code][number]}
        claimed -= {parent_of[code] for code in claimed if code in parent_of}
        if claimed:
            by_claimants[tuple(sorted(claimed))].append(cell)
    patches = []
    for claimants in sorted(by_claimants):
        members = by_claimants[claimants]
        shapes = polygons(shapely.coverage_union_all(members))
        tree = shapely.STRtree(shapes)
        held: dict[int, list[BaseGeometry]] = defaultdict(list)
        points = shapely.point_on_surface(members)
        for cell, shape in zip(*tree.query(points, predicate="intersects").tolist(), strict=True):
            held[shape].append(members[cell])
        patches.extend(_Patch(claimants, shapes[k], held[k]) for k in sorted(held))
    return patches


def _contained(area: BaseGeometry, cells: Sequence[BaseGeometry]) -> np.ndarray:
    shapely.prepare(area)
    points = shapely.point_on_surface(cells)
    return np.asarray(shapely.contains_xy(area, shapely.get_x(points), shapely.get_y(points)))


def _neighbour(
    patch: _Patch, taken: Sequence[_Patch], tree: shapely.STRtree, parent_of: Mapping[str, str]
) -> Claimants:
    """The disputed area or dependency that a strip lies along with its longest side; () if none."""
    best, owner = 0.0, ()
    for k in tree.query(patch.shape, predicate="intersects").tolist():
        other = taken[k]
        is_ours = patch.claimants[0] in other.claimants or any(
            parent_of.get(c) == patch.claimants[0] for c in other.claimants
        )
        if other is patch or not is_ours:
            continue
        shared = shapely.length(shapely.intersection(patch.shape.boundary, other.shape.boundary))
        if shared > best:
            best, owner = float(shared), other.owner or other.claimants
    return owner


def _face(owner: Claimants, cells: Sequence[BaseGeometry], grid_deg: float) -> Face:
    rings = join_faces([*(integer_rings(cell, grid_deg) for cell in cells), []])
    shapes = polygons(shapely.union_all(cells))
    return Face(
        owner, rings, sum(map(area_km2, shapes)), max(map(radius_m, shapes)) if len(owner) > 1 else math.nan
    )
