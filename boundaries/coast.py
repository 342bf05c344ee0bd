"""The coastline file: Natural Earth 1:10m land (public domain), from the pinned npm package world-atlas."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.sources.coastline import cut_ring
from airvigil.airspace.sources.faces import IntRing, pack_face

GRID_DEG = 1e-4  # 11 m of latitude; a map for people, 1:10,000,000
BUDGET_BYTES = 1_500_000


def read_land(raw: bytes) -> list[IntRing]:
    """Closed rings of the land, latitude first, in steps of GRID_DEG, cut at the antimeridian."""
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
                for part in cut_at_antimeridian(line[:, ::-1]):
                    positions = np.round(part / GRID_DEG).astype(np.int64)
                    keep = np.concatenate([[True], np.any(np.diff(positions, axis=0) != 0, axis=1)])
                    if int(keep.sum()) >= 4:
                        rings.append(positions[keep])
    return rings


def cut_at_antimeridian(ring: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The source's rings run across the antimeridian by a step of 360 degrees, and once around the south pole."""
    steps = np.diff(ring[:, 1])
    longitude = np.concatenate([ring[:1, 1], ring[0, 1] + np.cumsum(steps - 360.0 * np.round(steps / 360.0))])
    line = np.column_stack([ring[:, 0], longitude])
    if abs(longitude[-1] - longitude[0]) > 180.0:
        line = np.concatenate([line, [[-90.0, longitude[-1]], [-90.0, longitude[0]], line[0]]])
    parts = []
    first, last = (math.floor((edge + 180.0) / 360.0) for edge in (line[:, 1].min(), line[:, 1].max()))
    for turn in range(first, last + 1):
        part = cut_ring(line, 1, 360.0 * turn - 180.0, is_upper=False)
        if len(part) >= 4:
            part = cut_ring(part, 1, 360.0 * turn + 180.0, is_upper=True)
        if len(part) >= 4:
            parts.append(part - np.array([0.0, 360.0 * turn]))
    return parts


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
