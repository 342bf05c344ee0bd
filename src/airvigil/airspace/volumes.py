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

from airvigil.airspace.activation import PERMANENT, Activation
from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.errors import AirspaceError

VOLUME_KINDS = ("sovereign", "disputed", "fir", "user")
EDGE_KINDS = ("lonlat", "geodesic")


@dataclass(frozen=True, eq=False)
class Volume:
    """A piece of airspace.

    Attributes:
        volume_id: "EST"; "RUS|UKR" for an area that both name as theirs; a user's own id.
        name: for people.
        kind: one of VOLUME_KINDS. A "fir" is a layer of its own: who serves the traffic, not whose airspace it is.
        states: ISO 3166-1 alpha-3 codes that claim it; empty for a user's volume.
        lower, upper: vertical limits, each with its own reference and as written.
        activation: when it exists.
        airspace_class: ICAO class "A" to "G"; empty if it has none or none is known.
        airspace_type: the source's own word: "CTR", "R", "TSA", "P" ...; empty if unknown.
        may_enter: who may, in the source's words; empty if it does not say.
        edge_kind: one of EDGE_KINDS: what the edges of `rings` are.
        edges_written: kinds of edges in the source before they were cut to `edge_kind`, sorted: "arc", "circle",
            "geodesic", "lonlat", "parallel", "rhumb", "corridor"; empty: as `edge_kind`.
        boundary_uncertainty_m: 1 sigma per axis of the boundary's own position.
        source, version: where the geometry comes from, with its licence; which edition or AIRAC date.
        place: where in the source: line of a text, path of a document; empty if there is none.
        original: the volume as its source wrote it; empty where that is not a text.
        digest: SHA-256 (hex) of the geometry, limits, activation and edge kind, by `volume_digest`.
        rings: float64 arrays (n, 2) of latitude, longitude in degrees; closed; interior on the left.
    """

    volume_id: str
    name: str
    kind: str
    states: tuple[str, ...]
    lower: Limit
    upper: Limit
    activation: Activation
    airspace_class: str
    airspace_type: str
    may_enter: str
    edge_kind: str
    edges_written: tuple[str, ...]
    boundary_uncertainty_m: float
    source: str
    version: str
    place: str
    original: str
    digest: str
    rings: tuple[NDArray[np.float64], ...]

    @property
    def spans_all_heights(self) -> bool:
        """Whether no height is outside."""
        return math.isinf(self.lower.height_m) and math.isinf(self.upper.height_m)


def make_volume(
    volume_id: str,
    rings: Sequence[NDArray[np.float64]],
    *,
    name: str = "",
    kind: str = "user",
    states: tuple[str, ...] = (),
    lower: Limit = NO_LOWER,
    upper: Limit = NO_UPPER,
    activation: Activation = PERMANENT,
    airspace_class: str = "",
    airspace_type: str = "",
    may_enter: str = "",
    edge_kind: str = "lonlat",
    edges_written: tuple[str, ...] = (),
    boundary_uncertainty_m: float = 0.0,
    source: str = "",
    version: str = "",
    place: str = "",
    original: str = "",
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
        '75797bfa'
    """
    where = _checked_words(volume_id, kind, edge_kind, boundary_uncertainty_m)
    if lower.height_m >= upper.height_m and lower.is_comparable(upper):
        raise AirspaceError(f"{where}: lower limit {lower} is not below upper limit {upper}")
    checked = tuple(_checked_ring(ring, f"{where}, ring {number}") for number, ring in enumerate(rings))
    if not checked:
        raise AirspaceError(f"{where}: no rings")
    return Volume(
        volume_id=volume_id,
        name=name or volume_id,
        kind=kind,
        states=states,
        lower=lower,
        upper=upper,
        activation=activation,
        airspace_class=airspace_class,
        airspace_type=airspace_type,
        may_enter=may_enter,
        edge_kind=edge_kind,
        edges_written=edges_written,
        boundary_uncertainty_m=boundary_uncertainty_m,
        source=source,
        version=version,
        place=place,
        original=original,
        digest=volume_digest(checked, lower, upper, activation, edge_kind),
        rings=checked,
    )


def _checked_words(volume_id: str, kind: str, edge_kind: str, boundary_uncertainty_m: float) -> str:
    """How messages name the volume, if the words that describe it are known ones."""
    where = f"volume {volume_id!r}"
    if not volume_id:
        raise AirspaceError("a volume needs an id, got ''")
    for value, allowed, what in ((kind, VOLUME_KINDS, "kind"), (edge_kind, EDGE_KINDS, "edge kind")):
        if value not in allowed:
            raise AirspaceError(f"{where}: {what} must be one of {', '.join(allowed)}, got {value!r}")
    if not (math.isfinite(boundary_uncertainty_m) and boundary_uncertainty_m >= 0.0):
        raise AirspaceError(f"{where}: boundary uncertainty must be >= 0 m, got {boundary_uncertainty_m}")
    return where


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
    lower: Limit,
    upper: Limit,
    activation: Activation,
    edge_kind: str,
) -> str:
    """SHA-256 (hex) over what decides: limits, activation, and every vertex as little-endian float64."""
    digest = hashlib.sha256()
    heights = f"{lower.height_m!r} {lower.reference};{upper.height_m!r} {upper.reference}"
    digest.update(f"{heights};{activation.deciding_text()};{edge_kind};".encode())
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
