"""Volumes of whatever source as one GeoJSON file, and back with the same digests.

    {"type": "FeatureCollection", "airvigil": "airspace/1", "sources": [...], "features": [...]}

Rules
- Every field of a volume is a property: limits as written and in metres, activation, the source's own text, its digest.
- What is read back is what was written: coordinates as the shortest decimals that give the same float, rings in the same order and turn.
- Each volume's digest is computed anew. One that does not fit what the file says was changed by hand: refused.
- Any GeoJSON reader can show it; `edge_kind` says how its edges are meant, which such a reader will not know.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.activation import Activation, Window
from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.openair_words import ALWAYS_NS
from airvigil.airspace.volumes import Volume, make_volume, ring_area_deg2
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns, utc_text

FORMAT = "airspace/1"
_TEXTS = (
    "name", "kind", "airspace_class", "airspace_type", "may_enter", "edge_kind", "source", "version", "place", "original",
)  # fmt: skip


def normalised_bytes(volumes: Sequence[Volume], sources: Sequence[Mapping[str, str]] = ()) -> bytes:
    """A GeoJSON file of the volumes, one feature a line; the same volumes give the same bytes.

    Args:
        sources: what they were read from: name, SHA-256, format of each.
    """
    head = {"type": "FeatureCollection", "airvigil": FORMAT, "sources": [dict(source) for source in sources]}
    lines = ",\n".join(_json(_feature(volume)) for volume in volumes)
    return f'{_json(head)[:-1]},"features":[\n{lines}\n]}}\n'.encode()


def is_normalised(document: Any) -> bool:
    """Whether a JSON document says that it is ours."""
    return isinstance(document, dict) and "airvigil" in document


def read_normalised(document: Mapping[str, Any], name: str) -> list[Volume]:
    """Volumes as they were written.

    Raises:
        AirspaceError: another version, something missing, or a digest that does not fit.
    """
    if document.get("airvigil") != FORMAT:
        raise AirspaceError(
            f"{name}: expected airvigil {FORMAT!r}, got {str(document.get('airvigil'))[:40]!r}"
        )
    members = document.get("features")
    if not isinstance(members, list):
        raise AirspaceError(f"{name}: $.features: expected a list")
    return [_volume(member, f"{name}: $.features[{index}]") for index, member in enumerate(members)]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _feature(volume: Volume) -> dict[str, Any]:
    polygons = polygons_of(volume.rings)
    order = [index for polygon in polygons for index in polygon]
    properties: dict[str, Any] = {
        "id": volume.volume_id,
        **{key: getattr(volume, key) for key in _TEXTS},
        "states": list(volume.states),
        "edges_written": list(volume.edges_written),
        "boundary_uncertainty_m": volume.boundary_uncertainty_m,
        "activation": _activation_json(volume.activation),
        "digest": volume.digest,
    }
    for side, limit in (("lower", volume.lower), ("upper", volume.upper)):
        properties[f"{side}_limit"] = limit.text
        properties[f"{side}_limit_m"] = limit.height_m if math.isfinite(limit.height_m) else None
        properties[f"{side}_reference"] = limit.reference
    if order != list(range(len(order))):
        properties["ring_order"] = order
    coordinates = [[volume.rings[index][:, ::-1].tolist() for index in polygon] for polygon in polygons]
    return {
        "type": "Feature",
        "id": volume.volume_id,
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": coordinates[0]}
        if len(coordinates) == 1
        else {"type": "MultiPolygon", "coordinates": coordinates},
    }


def polygons_of(rings: Sequence[NDArray[np.float64]]) -> list[list[int]]:
    """Indices of rings by polygon, the exterior first: a hole belongs to the smallest exterior that holds it.

    Example:
        >>> box = np.array([[0.0, 0.0], [0.0, 9.0], [9.0, 9.0], [9.0, 0.0], [0.0, 0.0]])
        >>> polygons_of([box, box * 2.0 + 20.0, (box / 3.0 + 1.0)[::-1]])
        [[0, 2], [1]]
    """
    areas = [ring_area_deg2(ring) for ring in rings]
    shells = [index for index, area in enumerate(areas) if area >= 0.0]
    if not shells:
        return [[index] for index in range(len(rings))]
    groups = {index: [index] for index in shells}
    holes = [index for index, area in enumerate(areas) if area < 0.0]
    if holes and len(shells) > 1:
        polygons = {index: shapely.Polygon(rings[index][:, ::-1]) for index in shells}
        by_size = sorted(shells, key=lambda index: areas[index])
    for hole in holes:
        owner = shells[0]
        if len(shells) > 1:
            # a corner may lie on the exterior; a point inside the hole cannot
            inner = shapely.Polygon(rings[hole][:, ::-1])
            inside = shapely.point_on_surface(inner if inner.is_valid else shapely.convex_hull(inner))
            larger = (i for i in by_size if areas[i] > -areas[hole] and polygons[i].is_valid)
            owner = next((i for i in larger if polygons[i].covers(inside)), owner)
        groups[owner].append(hole)
    return [groups[index] for index in shells]


def _activation_json(activation: Activation) -> dict[str, Any]:
    return {
        "kind": activation.kind,
        "text": activation.text,
        "windows": [
            {
                "from": _instant_text(window.start_ns),
                "to": _instant_text(window.end_ns),
                "weekdays": list(window.weekdays),
                "from_s": window.from_s,
                "to_s": window.to_s,
            }
            for window in activation.windows
        ],
    }


def _instant_text(time_ns: int) -> str | None:
    """ISO 8601, null for no end, and ns as a text where milliseconds would not be exact."""
    if abs(time_ns) == ALWAYS_NS:
        return None
    try:
        text = utc_text(time_ns)
        return text if utc_ns(text) == time_ns else str(time_ns)
    except (OverflowError, ValueError):
        return str(time_ns)


def _instant_ns(value: Any, open_end: int) -> int:
    if value is None:
        return open_end
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() else utc_ns(text)


def _volume(feature: Any, where: str) -> Volume:
    try:
        properties = feature["properties"]
        rings = _rings(feature["geometry"], properties.get("ring_order"))
        texts = {key: properties[key] for key in _TEXTS}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("a text is no text")
        windows = properties["activation"]["windows"]
        volume = make_volume(
            str(properties["id"]),
            rings,
            lower=_limit(properties, "lower", -math.inf),
            upper=_limit(properties, "upper", math.inf),
            activation=Activation(
                properties["activation"]["kind"],
                tuple(_window(window) for window in windows),
                str(properties["activation"]["text"]),
            ),
            states=tuple(map(str, properties["states"])),
            edges_written=tuple(map(str, properties["edges_written"])),
            boundary_uncertainty_m=float(properties["boundary_uncertainty_m"]),
            **texts,
        )
        stated = properties["digest"]
    except AirspaceError as error:
        raise AirspaceError(f"{where}: {error}", hint=error.hint) from error
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise AirspaceError(
            f"{where}: not a volume as we write it ({type(error).__name__}: {error})"
        ) from error
    if volume.digest != stated:
        raise AirspaceError(
            f"{where}: volume {volume.volume_id!r} has digest {volume.digest}, the file says {str(stated)[:64]}",
            hint="it was changed after it was written; import its source again, or take `airvigil` out of the file",
        )
    return volume


def _rings(geometry: Mapping[str, Any], order: list[int] | None) -> list[NDArray[np.float64]]:
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        raise ValueError("no polygon")
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rings = [
        np.array(ring, dtype=np.float64).reshape(-1, 2)[:, ::-1] for polygon in polygons for ring in polygon
    ]
    if order is None:
        return rings
    if sorted(order) != list(range(len(rings))):
        raise ValueError("ring_order is no order of the rings")
    placed: list[NDArray[np.float64]] = [rings[0]] * len(rings)
    for place, ring in zip(order, rings, strict=True):
        placed[place] = ring
    return placed


def _limit(properties: Mapping[str, Any], side: str, unlimited: float) -> Limit:
    metres = properties[f"{side}_limit_m"]
    return Limit(
        unlimited if metres is None else float(metres),
        str(properties[f"{side}_reference"]),
        str(properties[f"{side}_limit"]),
    )


def _window(window: Mapping[str, Any]) -> Window:
    return Window(
        _instant_ns(window["from"], -ALWAYS_NS),
        _instant_ns(window["to"], ALWAYS_NS),
        tuple(int(day) for day in window["weekdays"]),
        int(window["from_s"]),
        int(window["to_s"]),
    )
