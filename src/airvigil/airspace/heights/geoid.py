"""The geoid: how high mean sea level stands over the WGS84 ellipsoid, by EGM96.

The packaged grid is NGA's WW15MGH: undulations every 15' of latitude and longitude, in centimetres. Between its
nodes a cubic through 4 by 4 of them is taken (Lagrange, in latitude and longitude apart); beyond a pole the grid goes
on down the opposite meridian. It meets NGA's six published points of the harmonic model within 11 mm. A cubic over
every second node only meets the nodes between within 0.10 m rms and 2.0 m at the worst (bilinear: 0.21 m and 3.9 m);
half the spacing makes a cubic's error an eighth to a sixteenth of that. The model's own error is larger: 0.5 to 1 m.

The sea itself stands off the geoid by 0.62 m (one sigma, 2.1 m at the most; section 11 of the report below), and charts
have a state's own datum: `geoid_sigma_m` in the settings covers model and sea.

Reference: F. G. Lemoine et al., The Development of the Joint NASA GSFC and NIMA Geopotential Model EGM96,
NASA/TP-1998-206861. How the file was made is in docs/boundaries.md.
"""

from __future__ import annotations

import functools
import hashlib
import math
import zlib
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.sources.boundaries import split_reference
from airvigil.errors import AirspaceError

GEOID_FILE = "geoid-egm96.xz"
FORMAT = "airvigil.geoid/1"
ROWS, COLUMNS = 721, 1440  # every 15', from 90 N to 90 S and from 0 eastwards
STEPS_PER_DEG = 4.0
M_PER_CM = 0.01

Grid = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Geoid:
    """Undulations on the grid.

    Attributes:
        grid_cm: (721, 1440) int16, centimetres over WGS84.
        model: "EGM96".
        digest: SHA-256 (hex) of the file that it came from.
    """

    grid_cm: Grid
    model: str
    digest: str

    def undulation_m(self, latitude_deg: float, longitude_deg: float) -> float:
        """Height of mean sea level over WGS84 at a place; NaN where the place is unknown.

        Example:
            >>> round(packaged_geoid().undulation_m(16.775833, -3.009444), 1)  # Timbuktu
            28.7
        """
        return float(undulation_m(self.grid_cm, latitude_deg, longitude_deg))


def parse_geoid_file(raw: bytes, name: str) -> Geoid:
    """The geoid in a packaged file.

    Raises:
        AirspaceError: naming the file and what does not fit.
    """
    header, body = split_reference(raw, name)
    if header.get("format") != FORMAT:
        raise AirspaceError(f"{name}: expected format {FORMAT!r}, got {header.get('format')!r}")
    count = ROWS * COLUMNS
    reader = zlib.decompressobj()
    try:
        planes = np.frombuffer(reader.decompress(body, 2 * count + 1), dtype=np.uint8)
    except zlib.error as error:
        raise AirspaceError(f"{name}: the grid cannot be read ({error})") from error
    if len(planes) != 2 * count:
        raise AirspaceError(f"{name}: expected a grid of {2 * count} bytes, got {len(planes)}")
    # sums of differences modulo 2^16 are the differences' sums: int16 is wide enough for what comes out
    coded = planes.reshape(2, count).T.copy().view("<u2").ravel().astype(np.uint16, copy=False)
    steps = (coded >> np.uint16(1)) ^ (np.uint16(0) - (coded & np.uint16(1)))
    rows = np.cumsum(steps.reshape(ROWS, COLUMNS), axis=0, dtype=np.uint16)
    grid = np.cumsum(rows, axis=1, dtype=np.uint16).view(np.int16)
    grid.setflags(write=False)
    return Geoid(grid, str(header.get("model")), hashlib.sha256(raw).hexdigest())


@functools.cache
def packaged_geoid() -> Geoid:
    """The geoid that comes with this version of Airvigil; read when first asked for."""
    raw = resources.files("airvigil.airspace").joinpath("reference", GEOID_FILE).read_bytes()
    return parse_geoid_file(raw, GEOID_FILE)


@njit(cache=True, nogil=True)
def undulation_m(grid_cm: Grid, latitude_deg: float, longitude_deg: float) -> float:
    """Undulation at a place by the cubic through the 4 by 4 nodes around it; NaN where it is unknown.

    Args:
        grid_cm: as in `Geoid`.
        latitude_deg: [-90, 90].
        longitude_deg: any turn.
    """
    if not (abs(latitude_deg) <= 90.0 and abs(longitude_deg) < 1e6):
        return math.nan
    y = (90.0 - latitude_deg) * STEPS_PER_DEG
    x = (longitude_deg - 360.0 * math.floor(longitude_deg / 360.0)) * STEPS_PER_DEG
    row, column = min(int(y), ROWS - 2), int(x)
    across = _cubic_weights(x - column)
    down = _cubic_weights(y - row)
    total = 0.0
    for i in range(4):
        r = row + i - 1
        turn = 0
        if r < 0 or r >= ROWS:  # over a pole: the same latitude on the opposite meridian
            r = -r if r < 0 else 2 * (ROWS - 1) - r
            turn = COLUMNS // 2
        line = 0.0
        for j in range(4):
            line += across[j] * grid_cm[r, (column + j - 1 + turn) % COLUMNS]
        total += down[i] * line
    return total * M_PER_CM


@njit(cache=True, nogil=True)
def _cubic_weights(t: float) -> tuple[float, float, float, float]:
    """Weights of nodes at -1, 0, 1, 2 for a place at t in [0, 1]: Lagrange's."""
    return (
        -t * (t - 1.0) * (t - 2.0) / 6.0,
        (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0,
        -(t + 1.0) * t * (t - 2.0) / 2.0,
        (t + 1.0) * t * (t - 1.0) / 6.0,
    )
