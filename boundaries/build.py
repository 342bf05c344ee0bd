"""Build the packaged reference files from the pinned npm packages: `make boundaries`.

    cd boundaries && npm ci && cd .. && python boundaries/build.py

writes src/airvigil/airspace/reference/sovereign-<version>.xz, coastline-<version>.xz and geoid-egm96.xz. The same input
gives the same bytes (with the same version of GEOS and liblzma). What the files hold is in docs/boundaries.md;
how states' areas are cut in partition.py.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from coast import build_coastline
from geoid import build_geoid
from partition import Face, cut_group, groups, integer_rings, overlapping_pairs, polygons
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from airvigil.airspace.sources.faces import pack_face

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "src" / "airvigil" / "airspace" / "reference"
PACKAGE = "@osm_borders/maritime_10m"

GRID_DEG = 1e-5  # 1.1 m of latitude: rounding moves a position by 0.6 m at most
BUDGET_BYTES = 8_000_000
# The source dropped every vertex that lies within 10 m of the simplified line. Taken as one sigma it is generous
# (the error is bounded by it), and leaves room for what the source does not say.
BOUNDARY_UNCERTAINTY_M = 10.0
# The package does not say when its areas were taken from OpenStreetMap, and registries disagree on its publication.
SOURCE_DATE = None
ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"


def read_areas(left_out: set[str]) -> tuple[dict[str, BaseGeometry], list[str], str]:
    """Code -> area on the grid; the codes whose geometry had to be repaired; SHA-256 of the source file."""
    raw = (HERE / "node_modules" / PACKAGE / "borders.geo.json").read_bytes()
    areas: dict[str, BaseGeometry] = {}
    repaired = []
    for feature in json.loads(raw)["features"]:
        code = feature["properties"]["isoA3"]
        if code in left_out:
            continue
        parts = polygons(shape(feature["geometry"]))
        area: BaseGeometry = shapely.MultiPolygon(parts)
        if not area.is_valid:
            repaired.append(code)
            area = shapely.make_valid(area)
        area = shapely.set_precision(area, GRID_DEG)
        areas[code] = shapely.MultiPolygon(polygons(area))
    return areas, sorted(repaired), hashlib.sha256(raw).hexdigest()


def cut_all(areas: dict[str, BaseGeometry], parent_of: dict[str, str]) -> tuple[list[Face], dict[str, float]]:
    """All faces, and the km2 of the slivers that stay in both of a pair."""
    overlaps = overlapping_pairs(areas, GRID_DEG)
    family = [
        pair for pair in overlaps if parent_of.get(pair[0]) == pair[1] or parent_of.get(pair[1]) == pair[0]
    ]
    joined = list(parent_of.items())
    large = [pair for pair, km2 in overlaps.items() if km2 >= 1.0]
    faces: list[Face] = []
    grouped: set[str] = set()
    for group in groups(sorted({*family, *large, *joined})):
        print("cutting", *group, flush=True)
        faces.extend(cut_group({code: areas[code] for code in group}, parent_of, GRID_DEG))
        grouped.update(group)
    for code in sorted(set(areas) - grouped):
        rings = tuple(ring for polygon in polygons(areas[code]) for ring in integer_rings(polygon, GRID_DEG))
        faces.append(Face((code,), rings, float("nan"), float("nan")))
    disputed = {face.claimants for face in faces if len(face.claimants) > 1}
    slivers = {
        "|".join(pair): round(km2, 4)
        for pair, km2 in overlaps.items()
        if pair not in family and not any(set(pair) <= set(claimants) for claimants in disputed)
    }
    return sorted(faces, key=lambda face: face.claimants), slivers


def compress(raw: bytes) -> bytes:
    return lzma.compress(raw, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 0, "pb": 0}])  # fmt: skip


def write_file(path: Path, header: dict[str, Any], blocks: list[bytes]) -> None:
    """The header's xz stream, then one xz stream a block: as a whole an ordinary .xz file."""
    body = b"".join(blocks)
    header["body_sha256"] = hashlib.sha256(body).hexdigest()
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    path.write_bytes(compress(text.encode()) + body)


def main() -> int:
    states = tomllib.loads((HERE / "states.toml").read_text(encoding="utf-8"))
    parent_of = {child: parent for parent, children in states["dependencies"].items() for child in children}
    version = json.loads((HERE / "package.json").read_text())["dependencies"][PACKAGE]
    areas, repaired, digest = read_areas(set(states["left_out"]))
    faces, slivers = cut_all(areas, parent_of)
    blocks, entries, offset = [], [], 0
    for face in faces:
        block = compress(pack_face(face.rings))
        entry = {
            "claimants": face.claimants,
            "offset": offset,
            "bytes": len(block),
            "vertices": sum(map(len, face.rings)),
        }
        if len(face.claimants) > 1:
            entry |= {"area_km2": round(face.area_km2, 3), "inscribed_radius_m": round(face.radius_m, 1)}
            print(
                *face.claimants, entry["area_km2"], "km2, inscribed radius", entry["inscribed_radius_m"], "m"
            )
        entries.append(entry)
        blocks.append(block)
        offset += len(block)
    header = {
        "format": "airvigil.boundaries/1",
        "source": f"npm {PACKAGE} {version}",
        "source_sha256": digest,
        "source_date": SOURCE_DATE,
        "attribution": ATTRIBUTION,
        "version": version,
        "grid_deg": GRID_DEG,
        "edge_kind": "lonlat",
        "boundary_uncertainty_m": BOUNDARY_UNCERTAINTY_M,
        "names": states["names"],
        "dependencies": states["dependencies"],
        "left_out": states["left_out"],
        "repaired": repaired,
        "slivers_km2": slivers,
        "faces": entries,
    }
    path = REFERENCE / f"sovereign-{version}.xz"
    write_file(path, header, blocks)
    print(
        path.name,
        path.stat().st_size,
        "bytes,",
        sum(e["vertices"] for e in entries),
        "vertices,",
        len(faces),
        "faces",
    )
    if path.stat().st_size > BUDGET_BYTES:
        print(f"over the budget of {BUDGET_BYTES} bytes", file=sys.stderr)
        return 1
    return build_coastline(HERE, REFERENCE, compress) or build_geoid(HERE, REFERENCE, compress)


if __name__ == "__main__":
    np.seterr(all="raise")
    sys.exit(main())
