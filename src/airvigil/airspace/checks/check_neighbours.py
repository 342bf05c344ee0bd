"""Find gaps and overlaps between volumes that should share a border.

Rules
- Compared are volumes of one layer: sovereign and disputed ones, FIRs of one type, users' volumes of one type (or class); and only
  where their heights overlap. A CTR under a TMA, or a sector above another, is no finding.
- A thin gap or overlap is where the borders of two volumes run side by side, nearer than THIN_M and further than
  MIN_WIDTH_M, over a length of LENGTH_RATIO times the width and MIN_LENGTH_M at least. Measured at the vertices of both: that is where
  the distance of two broken lines is greatest.
- States may not overlap at all, FIRs of one type only where one is a part of the other. Users' volumes may: widely overlapping
  ones are no finding.
- Edges are what their source says: a geodesic and a straight one between the same places are not the same border.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.checks.border_runs import (
    M_PER_DEG,
    MIN_WIDTH_M,
    THIN_M,
    Run,
    borders_of,
    runs_between,
)
from airvigil.airspace.checks.check import Finding
from airvigil.airspace.checks.edge_pieces import straightened
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError

MIN_OVERLAP_M2 = 10_000.0
MAX_MENDED = 2_000  # vertices: as many lines cross in 2 million places at most
PART_SHARE = 0.99  # of an area that lies in another: a sector of it
MAX_RUNS = 20  # findings a pair; the rest is counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def check_neighbours(volumes: Sequence[Volume], crossed: Collection[int] = ()) -> Iterator[Finding]:
    """Gaps and overlaps, layer by layer, pair by pair.

    Args:
        crossed: numbers of volumes that cross themselves; large ones are not compared.
    """
    layers: dict[tuple[str, str], list[int]] = {}
    for number, volume in enumerate(volumes):
        layers.setdefault(layer_of(volume), []).append(number)
    for (kind, _), members in layers.items():
        sound = [n for n in members if n not in crossed or _vertices(volumes[n]) <= MAX_MENDED]
        try:
            if len(sound) > 1:
                yield from _check_layer(volumes, sound, kind)
        except AirspaceError as error:
            yield Finding("warning", "not_compared", None, kind, f"neighbours are not compared: {error}")


def layer_of(volume: Volume) -> tuple[str, str]:
    """Volumes of one layer should fit together."""
    if volume.kind in ("sovereign", "disputed"):
        return "states", ""
    return volume.kind, volume.airspace_type or volume.airspace_class


def _heights_meet(layer: Sequence[Volume]) -> NDArray[np.bool_]:
    """Which pairs have some height in common, by the bare numbers where references differ; (n, n), none with itself."""
    lower = np.array([volume.lower.height_m for volume in layer])
    upper = np.array([volume.upper.height_m for volume in layer])
    meet = (lower[:, None] < upper[None, :]) & (lower[None, :] < upper[:, None])
    np.fill_diagonal(meet, False)
    return np.asarray(meet)


def _vertices(volume: Volume) -> int:
    return sum(len(ring) for ring in volume.rings)


def _check_layer(volumes: Sequence[Volume], members: Sequence[int], kind: str) -> Iterator[Finding]:
    layer = [volumes[number] for number in members]
    areas = [_area(volume) for volume in layer]
    runs: dict[tuple[int, int], list[Run]] = {}
    for (one, other), found in runs_between(borders_of(layer), _heights_meet(layer), areas).items():
        runs.setdefault((members[min(one, other)], members[max(one, other)]), []).extend(found)
    for pair in sorted(runs):
        yield from _thin(volumes, pair, _distinct(runs[pair]))
    if kind != "user":
        yield from _wide(volumes, areas, members, "error" if kind == "states" else "warning")


def _thin(volumes: Sequence[Volume], pair: tuple[int, int], runs: Sequence[Run]) -> Iterator[Finding]:
    one, other = volumes[pair[0]], volumes[pair[1]]
    names = f"{one.volume_id} and {other.volume_id}"
    where = ": ".join(w for w in (one.source if one.place else "", one.place, one.volume_id) if w)
    if other.place and other.place != one.place:
        where += f", and {other.place}"
    for run in runs[:MAX_RUNS]:
        rule = "overlap" if run.overlap_m > run.gap_m else "gap"
        both = run.overlap_m >= MIN_WIDTH_M and run.gap_m >= MIN_WIDTH_M
        words = [
            f"{what} of up to {width:,.0f} m"
            for what, width in (("a gap", run.gap_m), ("an overlap", run.overlap_m))
            if width >= MIN_WIDTH_M
        ]
        message = f"{' and '.join(words)} between {names}, along {run.length_m / 1000.0:,.1f} km of border"
        message += ", in turns" if both else ""
        yield Finding("warning", rule, pair[0], where, message, run.latitude_deg, run.longitude_deg)
    if len(runs) > MAX_RUNS:
        message = f"{len(runs) - MAX_RUNS} more places between {names} like these"
        yield Finding("warning", "gap", pair[0], where, message)


def _distinct(runs: Sequence[Run]) -> list[Run]:
    """Each stretch once: it is seen from both sides."""
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: -run.width_m):
        if not any(_away_m(run, other) < 0.5 * (run.length_m + other.length_m) for other in kept):
            kept.append(run)
    return kept


def _away_m(one: Run, other: Run) -> float:
    north = one.latitude_deg - other.latitude_deg
    east = math.remainder(one.longitude_deg - other.longitude_deg, 360.0)
    return M_PER_DEG * math.hypot(north, east * math.cos(math.radians(one.latitude_deg)))


def _wide(
    volumes: Sequence[Volume], areas: Sequence[shapely.Geometry], members: Sequence[int], severity: str
) -> Iterator[Finding]:
    """Overlaps that are not thin, where there should be none."""
    shapes = np.array(areas)
    meet = _heights_meet([volumes[number] for number in members])
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in sorted(pairs.T.tolist()):
        one, other = members[a], members[b]
        if a >= b or not meet[a, b]:
            continue
        shared = shapely.intersection(shapes[a], shapes[b])
        if shared.area == 0.0:
            continue
        place = shapely.point_on_surface(shared)
        scale = M_PER_DEG * math.cos(math.radians(place.y))
        area_m2 = float(shared.area) * M_PER_DEG * scale
        width_m = 2.0 * float(shared.area) * M_PER_DEG * scale / max(float(shared.length) * M_PER_DEG, 1e-9)
        is_part = severity != "error" and shared.area > PART_SHARE * min(shapes[a].area, shapes[b].area)
        if area_m2 < MIN_OVERLAP_M2 or width_m < THIN_M or is_part:
            continue
        names = f"{volumes[one].volume_id} and {volumes[other].volume_id}"
        message = f"{names} overlap by {area_m2 / 1e6:,.1f} km2"
        where = volumes[one].place or volumes[one].volume_id
        yield Finding(severity, "overlap", one, where, message, place.y, place.x)


def _area(volume: Volume) -> shapely.Geometry:
    """The volume's area in longitude and latitude; made valid if it crosses itself, which is a finding of its own."""
    lines = [straightened(ring, volume.edge_kind)[:, ::-1] for ring in volume.rings]
    polygons = shapely.polygons([shapely.linearrings(np.ascontiguousarray(line)) for line in lines])
    if shapely.is_valid(polygons).all():
        area = shapely.build_area(shapely.geometrycollections(shapely.get_exterior_ring(polygons)))
    else:
        area = shapely.union_all(shapely.make_valid(polygons))
    shapely.prepare(area)
    return area
