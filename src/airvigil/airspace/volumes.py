"""The one form that every airspace boundary takes, whatever its source.

Rules
- The interior lies to the left of every ring: exteriors run counter-clockwise as seen from
  above, holes clockwise. `orient_ring` makes it so. The exact P(inside) needs this.
- Edges are what the source says they are: straight in longitude and latitude (`lonlat`,
  RFC 7946 section 3.1.1) or geodesic. Over 100 km at 60 degrees the two part by 340 m.
- Areas that cross the antimeridian are cut there (RFC 7946 section 3.1.9). Edges that run along
  the cut, or along a pole, are artificial: `is_artificial_edge` says which, and no distance
  is measured to them.
- A boundary is never better than its source: `boundary_uncertainty_m` is one sigma per axis.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airvigil.errors import AirspaceError

VOLUME_KINDS = ("sovereign", "disputed", "user")
VERTICAL_REFERENCES = ("none", "STD", "MSL", "W84", "SFC")
EDGE_KINDS = ("lonlat", "geodesic")


@dataclass(frozen=True, eq=False)
class Volume:
    """A piece of airspace.

    Attributes:
        volume_id: "EST"; "RUS|UKR" for an area that both name as theirs; a user's own id.
        name: for people.
        kind: one of VOLUME_KINDS.
        states: ISO 3166-1 alpha-3 codes that claim it; empty for a user's volume.
        lower_limit_m, upper_limit_m: -inf and inf where there is no limit.
        vertical_reference: what the limits are measured from; "none" where there are none.
        edge_kind: one of EDGE_KINDS.
        boundary_uncertainty_m: 1 sigma per axis of the boundary's own position.
        source, version: where the geometry comes from, with its licence; which edition.
        digest: SHA-256 (hex) of the geometry, limits and edge kind, by `volume_digest`.
        rings: float64 arrays (n, 2) of latitude, longitude in degrees; closed; interior on the left.
    """

    volume_id: str
    name: str
    kind: str
    states: tuple[str, ...]
    lower_limit_m: float
    upper_limit_m: float
    vertical_reference: str
    edge_kind: str
    boundary_uncertainty_m: float
    source: str
    version: str
    digest: str
    rings: tuple[NDArray[np.float64], ...]


def make_volume(
    volume_id: str,
    rings: Sequence[NDArray[np.float64]],
    *,
    name: str = "",
    kind: str = "user",
    states: tuple[str, ...] = (),
    lower_limit_m: float = -math.inf,
    upper_limit_m: float = math.inf,
    vertical_reference: str = "none",
    edge_kind: str = "lonlat",
    boundary_uncertainty_m: float = 0.0,
    source: str = "",
    version: str = "",
) -> Volume:
    """A volume with its digest, after checking what can be checked without geometry.

    Args:
        volume_id: not empty.
        rings: (n, 2) latitude, longitude in degrees; closed; n >= 4; interior on the left.

    Raises:
        AirspaceError: naming the volume, the ring and the value found.

    Example:
        >>> square = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
        >>> make_volume("box", [square]).digest[:8]
        '9e3354a5'
    """
    where = f"volume {volume_id!r}"
    if not volume_id:
        raise AirspaceError("a volume needs an id, got ''")
    for value, allowed, what in (
        (kind, VOLUME_KINDS, "kind"),
        (vertical_reference, VERTICAL_REFERENCES, "vertical reference"),
        (edge_kind, EDGE_KINDS, "edge kind"),
    ):
        if value not in allowed:
            raise AirspaceError(f"{where}: {what} must be one of {', '.join(allowed)}, got {value!r}")
    if not lower_limit_m < upper_limit_m:
        raise AirspaceError(
            f"{where}: lower limit {lower_limit_m} m is not below upper limit {upper_limit_m} m"
        )
    if not (math.isfinite(boundary_uncertainty_m) and boundary_uncertainty_m >= 0.0):
        raise AirspaceError(f"{where}: boundary uncertainty must be >= 0 m, got {boundary_uncertainty_m}")
    checked = tuple(_checked_ring(ring, f"{where}, ring {number}") for number, ring in enumerate(rings))
    if not checked:
        raise AirspaceError(f"{where}: no rings")
    digest = volume_digest(checked, lower_limit_m, upper_limit_m, vertical_reference, edge_kind)
    return Volume(
        volume_id=volume_id,
        name=name or volume_id,
        kind=kind,
        states=states,
        lower_limit_m=lower_limit_m,
        upper_limit_m=upper_limit_m,
        vertical_reference=vertical_reference,
        edge_kind=edge_kind,
        boundary_uncertainty_m=boundary_uncertainty_m,
        source=source,
        version=version,
        digest=digest,
        rings=checked,
    )


def _checked_ring(ring: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    array = np.ascontiguousarray(ring, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 4:
        raise AirspaceError(
            f"{where}: expected at least 4 positions of (latitude, longitude), got shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise AirspaceError(f"{where}: a coordinate is not a finite number")
    if np.abs(array[:, 0]).max() > 90.0 or np.abs(array[:, 1]).max() > 180.0:
        bad = int(np.argmax((np.abs(array[:, 0]) > 90.0) | (np.abs(array[:, 1]) > 180.0)))
        raise AirspaceError(f"{where}: latitude {array[bad, 0]}, longitude {array[bad, 1]} is out of range")
    if not (array[0] == array[-1]).all():
        raise AirspaceError(f"{where}: the last position differs from the first")
    array.setflags(write=False)
    return array


def volume_digest(
    rings: Sequence[NDArray[np.float64]],
    lower_limit_m: float,
    upper_limit_m: float,
    vertical_reference: str,
    edge_kind: str,
) -> str:
    """SHA-256 (hex) over what decides: limits, references, and every vertex as little-endian float64."""
    digest = hashlib.sha256()
    digest.update(f"{lower_limit_m!r};{upper_limit_m!r};{vertical_reference};{edge_kind};".encode())
    for ring in rings:
        digest.update(f"{len(ring)};".encode())
        digest.update(np.ascontiguousarray(ring, dtype="<f8").tobytes())
    return digest.hexdigest()


def ring_area_deg2(ring: NDArray[np.float64]) -> float:
    """Signed area in square degrees of longitude and latitude; positive if counter-clockwise."""
    lat, lon = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(0.5 * np.sum(lon[:-1] * lat[1:] - lon[1:] * lat[:-1]))


def orient_ring(ring: NDArray[np.float64], *, is_hole: bool) -> NDArray[np.float64]:
    """The ring with the volume's interior on its left: turned round if need be."""
    return ring[::-1] if (ring_area_deg2(ring) > 0.0) == is_hole else ring


def is_artificial_edge(ring: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which edges run along the antimeridian or a pole: bool (n - 1,)."""
    lat, lon = ring[:, 0], ring[:, 1]
    along_cut = (np.abs(lon[:-1]) == 180.0) & (np.abs(lon[1:]) == 180.0)
    along_pole = (np.abs(lat[:-1]) == 90.0) & (np.abs(lat[1:]) == 90.0)
    return np.asarray(along_cut | along_pole)
