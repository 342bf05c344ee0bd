"""The coastline file: Natural Earth 1:10m land (public domain), from the pinned npm package world-atlas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from airvigil.airspace.faces import IntRing, pack_face

GRID_DEG = 1e-4  # 11 m of latitude; a map for people, 1:10,000,000
BUDGET_BYTES = 1_500_000


def read_land(raw: bytes) -> list[IntRing]:
    """Closed rings of the land, latitude first, in steps of GRID_DEG, as TopoJSON's quantised arcs give them."""
    topology = json.loads(raw)
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]
    rings = []
    for geometry in topology["objects"]["land"]["geometries"]:
        multi = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in multi:
            for ring in polygon:
                legs = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in ring]
                line = np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])])
                positions = np.round(line[:, ::-1] / GRID_DEG).astype(np.int64)
                keep = np.concatenate([[True], np.any(np.diff(positions, axis=0) != 0, axis=1)])
                if int(keep.sum()) >= 4:
                    rings.append(positions[keep])
    return rings


def build_coastline(here: Path, reference: Path, compress: Callable[[bytes], bytes]) -> int:
    """Write the file; 0, or 1 if it is over its budget."""
    raw = (here / "node_modules" / "world-atlas" / "land-10m.json").read_bytes()
    version = json.loads((here / "package.json").read_text())["dependencies"]["world-atlas"]
    body = compress(pack_face(read_land(raw)))
    header = {
        "format": "airvigil.coastline/1",
        "source": f"npm world-atlas {version}",
        "source_sha256": hashlib.sha256(raw).hexdigest(),
        "attribution": "Natural Earth, public domain",
        "version": version,
        "grid_deg": GRID_DEG,
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    path = reference / f"coastline-{version}.xz"
    path.write_bytes(compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode()) + body)
    print(path.name, path.stat().st_size, "bytes")
    return int(path.stat().st_size > BUDGET_BYTES)
