"""A user's own airspace: GeoJSON polygons with lower and upper limits.

Takes a FeatureCollection, a Feature, or a bare Polygon or MultiPolygon; a GeometryCollection of polygons is one volume. Positions are longitude, latitude in
degrees WGS84; edges are straight in longitude and latitude (RFC 7946 section 3.1.1); an area across the
antimeridian is cut there (section 3.1.9).

Properties, all optional
- `id` (or the feature's own "id"), `name`
- `lower_limit`, `upper_limit`: texts such as "SFC", "GND", "UNL", "FL95", "2500 ft AMSL", "300 m AGL", "1000 m"
- or `lower_limit_m`, `upper_limit_m`: numbers, in metres
- `vertical_reference`: STD, MSL, SFC or W84. A flight level is STD, AMSL is MSL, AGL is SFC by itself; a bare height
  needs it. Each limit has its own reference.
- `edge_kind`: "lonlat" (the default) or "geodesic"
- `kind`: "user" (the default), "fir", "sovereign" or "disputed"; `states`: a list of ISO 3166-1 alpha-3 codes
- `airspace_class`, `airspace_type` (or `class`, `type`), `may_enter`: texts. A type FIR or UIR makes the kind "fir"
- `boundary_uncertainty_m`: one sigma; 0 where the boundary is exact by definition

Flight information regions as Eurocontrol's data set of 2015 has them are understood too: IDENT, NAME, TYPE, and LOWERLIMIT,
LOWERUNIT, UPPERLIMIT, UPPERUNIT, in which FT and M are above mean sea level, 0 is the surface and FL 999 no limit.

Nothing is repaired: what cannot be meant is refused, with the feature's place in the file and the value found.
Rings are turned so that the interior is on their left, which RFC 7946 asks for and many files ignore.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, VERTICAL_REFERENCES, Limit, Written, parse_limit
from airvigil.airspace.volumes import EDGE_KINDS, Volume, make_volume, orient_ring
from airvigil.errors import AirspaceError

FIR_TYPES = frozenset({"FIR", "UIR"})
MAX_LISTS = 8_000_000  # of a JSON document: the whole world at 10 m has 2 million
MAX_VALUES = 30_000_000
MAX_FEATURES = 100_000  # a file with more is not somebody's airspace


def load_geojson(raw: bytes, name: str) -> list[Volume]:
    """Volumes from the bytes of a GeoJSON file.

    Args:
        raw: the whole file.
        name: the file's name, for messages and as the volumes' source.

    Raises:
        AirspaceError: with file, place in it, and value found.

    Example:
        >>> box = b'{"type":"Polygon","coordinates":[[[24,59],[25,59],[25,60],[24,60],[24,59]]]}'
        >>> load_geojson(box, "box.geojson")[0].volume_id
        'box.geojson#1'
    """
    volumes, faults = volumes_of(parse(raw, name), name)
    if faults:
        raise faults[0]
    seen: dict[str, int] = {}
    for number, volume in enumerate(volumes):
        if volume.volume_id in seen:
            raise AirspaceError(
                f"{name}: features {seen[volume.volume_id]} and {number} both have id {volume.volume_id!r}"
            )
        seen[volume.volume_id] = number
    return volumes


def volumes_of(
    document: Any, name: str, *, kind: str | None = None, edge_kind: str | None = None, version: str = ""
) -> tuple[list[Volume], list[AirspaceError]]:
    """Volumes of a GeoJSON document, ids as they are, and what is wrong with each feature that is none.

    Args:
        document: parsed JSON.
        kind, edge_kind: of all volumes, over what the file says.
        version: of volumes that state none.

    Raises:
        AirspaceError: it is not GeoJSON with polygons, or no feature can be read: then the first one's fault.
    """
    over = {key: value for key, value in (("kind", kind), ("edge_kind", edge_kind)) if value}
    volumes: list[Volume] = []
    faults: list[AirspaceError] = []
    for number, (where, feature) in enumerate(features(document, name), start=1):
        try:
            volumes.append(_volume(feature, where, f"{name}#{number}", name, over, version))
        except AirspaceError as error:
            faults.append(error)
    if not volumes:
        raise faults[0] if faults else AirspaceError(f"{name}: no polygons in it")
    return volumes, faults


def parse(raw: bytes, name: str) -> Any:
    """JSON from bytes.

    Raises:
        AirspaceError: if it is not JSON, with the line; if it is nested too deeply, or larger than memory should hold.
    """
    lists, values = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
    if lists > MAX_LISTS or values > MAX_VALUES:
        raise AirspaceError(
            f"{name}: expected at most {MAX_LISTS:,} lists and {MAX_VALUES:,} values, got {lists:,} and {values:,}"
        )

    def refuse(constant: str) -> None:
        raise AirspaceError(f"{name}: {constant} is not a JSON number")

    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise AirspaceError(
            f"{name}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AirspaceError(f"{name}: not JSON in UTF-8 ({error})") from error


def features(document: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Features of a document with the JSON path of each; a bare geometry becomes a feature.

    Raises:
        AirspaceError: if the document is not GeoJSON with features or a polygon.
    """
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        members = document.get("features")
        if not isinstance(members, list):
            raise AirspaceError(f"{name}: $.features: expected a list, got {_shown(members)}")
        if len(members) > MAX_FEATURES:
            raise AirspaceError(f"{name}: expected at most {MAX_FEATURES} features, got {len(members)}")
        for index, member in enumerate(members):
            if not isinstance(member, dict) or member.get("type") != "Feature":
                raise AirspaceError(f"{name}: $.features[{index}]: expected a Feature, got {_shown(member)}")
            yield f"{name}: $.features[{index}]", member
    elif kind == "Feature":
        yield f"{name}: $", document
    elif kind in ("Polygon", "MultiPolygon"):
        yield f"{name}: $", {"type": "Feature", "geometry": document, "properties": {}}
    else:
        raise AirspaceError(f"{name}: expected GeoJSON with polygons, got {_shown(document)}")


def polygon_rings(feature: Mapping[str, Any], where: str) -> Iterator[tuple[str, bool, Any]]:
    """(JSON path, whether a hole, positions) of every ring of a feature's geometry, not looked into.

    Raises:
        AirspaceError: if the geometry is not a polygon or several.
    """
    geometry = feature.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list) or not members:
            raise AirspaceError(f"{where}.geometry.geometries: expected a list, got {_shown(members)}")
        for number, member in enumerate(members):
            yield from _geometry_rings(member, f"{where}.geometry.geometries[{number}]")
        return
    yield from _geometry_rings(geometry, f"{where}.geometry")


def _geometry_rings(geometry: Any, where: str) -> Iterator[tuple[str, bool, Any]]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise AirspaceError(f"{where}: expected Polygon or MultiPolygon, got {_shown(geometry)}")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list):
        raise AirspaceError(f"{where}.coordinates: expected a list, got {_shown(polygons)}")
    for number, polygon in enumerate(polygons):
        path = f"{where}.coordinates" + (f"[{number}]" if kind == "MultiPolygon" else "")
        if not isinstance(polygon, list) or not polygon:
            raise AirspaceError(f"{path}: expected a list of rings, got {_shown(polygon)}")
        for place, ring in enumerate(polygon):
            yield f"{path}[{place}]", place > 0, ring


def ring_positions(ring: Any, where: str) -> NDArray[np.float64]:
    """Latitude, longitude of a ring: (n, 2); a third coordinate is passed over.

    Raises:
        AirspaceError: if something in it is not a position.
    """
    if not isinstance(ring, list):
        raise AirspaceError(f"{where}: expected a list of positions, got {_shown(ring)}")
    for index, position in enumerate(ring):
        if not (
            isinstance(position, list) and len(position) >= 2 and all(_is_number(v) for v in position[:2])
        ):
            raise AirspaceError(f"{where}[{index}]: expected [longitude, latitude], got {_shown(position)}")
    return np.array([[float(p[1]), float(p[0])] for p in ring], dtype=np.float64).reshape(-1, 2)


def _volume(
    feature: Mapping[str, Any],
    where: str,
    fallback_id: str,
    name: str,
    over: Mapping[str, str],
    version: str,
) -> Volume:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise AirspaceError(f"{where}.properties: expected an object, got {_shown(properties)}")
    properties = {**_as_eurocontrol(properties, where), **over}
    rings = [
        orient_ring(_closed(ring_positions(ring, path), path), is_hole=is_hole)
        for path, is_hole, ring in polygon_rings(feature, where)
    ]
    lower, upper = vertical_limits(properties, where)
    given = properties.get("id", feature.get("id"))
    volume_id = fallback_id if given is None else str(given)
    uncertainty = properties.get("boundary_uncertainty_m", 0.0)
    edge_kind = properties.get("edge_kind", "lonlat")
    if not _is_number(uncertainty):
        raise AirspaceError(
            f"{where}.properties.boundary_uncertainty_m: expected a number, got {_shown(uncertainty)}"
        )
    if edge_kind not in EDGE_KINDS:
        raise AirspaceError(
            f"{where}.properties.edge_kind: expected {' or '.join(EDGE_KINDS)}, got {_shown(edge_kind)}"
        )
    airspace_type = _word(properties, "airspace_type") or _word(properties, "type")
    try:
        return make_volume(
            volume_id,
            rings,
            name=str(properties.get("name") or volume_id),
            kind=_word(properties, "kind") or ("fir" if airspace_type.upper() in FIR_TYPES else "user"),
            states=_states(properties, where),
            lower=lower,
            upper=upper,
            airspace_class=_word(properties, "airspace_class") or _word(properties, "class"),
            airspace_type=airspace_type,
            may_enter=_word(properties, "may_enter"),
            edge_kind=edge_kind,
            boundary_uncertainty_m=float(uncertainty),
            source=name,
            version=str(properties.get("version") or version),
            place=where.removeprefix(f"{name}: "),
        )
    except AirspaceError as error:
        raise AirspaceError(f"{where}: {error}", hint=error.hint) from error


def _word(properties: Mapping[str, Any], key: str) -> str:
    value = properties.get(key)
    return value.strip() if isinstance(value, str) else ""


def _states(properties: Mapping[str, Any], where: str) -> tuple[str, ...]:
    states = properties.get("states") or []
    if not isinstance(states, list) or not all(isinstance(state, str) for state in states):
        raise AirspaceError(
            f"{where}.properties.states: expected a list of state codes, got {_shown(states)}"
        )
    return tuple(states)


def _as_eurocontrol(properties: dict[str, Any], where: str) -> dict[str, Any]:
    """Properties by our names, where they are those of Eurocontrol's regions; otherwise as they are."""
    if not {"IDENT", "TYPE", "LOWERLIMIT", "LOWERUNIT", "UPPERLIMIT", "UPPERUNIT"} <= properties.keys():
        return properties
    limits = {}
    for side in ("lower", "upper"):
        value, unit = str(properties[f"{side.upper()}LIMIT"]), str(properties[f"{side.upper()}UNIT"])
        if not value.isdigit() or unit not in ("FL", "FT", "M"):
            raise AirspaceError(f"{where}.properties: not a limit: {_shown(f'{value} {unit}')}")
        is_surface, is_open = int(value) == 0 and side == "lower", (value, unit) == ("999", "FL")
        written = f"FL{int(value)}" if unit == "FL" else f"{int(value)} {unit.lower()} AMSL"
        limits[f"{side}_limit"] = "SFC" if is_surface else "UNL" if is_open else written
    named = {"id": properties["IDENT"], "name": properties.get("NAME"), "type": properties["TYPE"]}
    return {**named, **limits, "version": properties.get("EFFECTDATE", "")}


def _closed(positions: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    if len(positions) < 4:
        raise AirspaceError(f"{where}: expected at least 4 positions, got {len(positions)}")
    if not (positions[0] == positions[-1]).all():
        first, last = positions[0, ::-1].tolist(), positions[-1, ::-1].tolist()
        raise AirspaceError(f"{where}: not closed: the first position is {first}, the last {last}")
    return positions


def vertical_limits(properties: Mapping[str, Any], where: str) -> tuple[Limit, Limit]:
    """Lower and upper limit; a bare height is measured from the stated reference.

    Raises:
        AirspaceError: a value that is no limit, or a height without a reference.
    """
    stated = properties.get("vertical_reference") or "none"
    if stated not in VERTICAL_REFERENCES:
        raise AirspaceError(
            f"{where}.properties.vertical_reference: expected STD, MSL, SFC or W84, got {_shown(stated)}"
        )
    return (
        _limit(properties, "lower", NO_LOWER, stated, where),
        _limit(properties, "upper", NO_UPPER, stated, where),
    )


def _limit(properties: Mapping[str, Any], side: str, unlimited: Limit, stated: str, where: str) -> Limit:
    metres, text = properties.get(f"{side}_limit_m"), properties.get(f"{side}_limit")
    path = f"{where}.properties.{side}_limit"
    if metres is not None and text is not None:
        raise AirspaceError(f"{where}.properties: both {side}_limit and {side}_limit_m are given")
    if metres is None and text is None:
        return unlimited
    if metres is not None and not _is_number(metres):
        raise AirspaceError(f"{path}_m: expected a number, got {_shown(metres)}")
    height, reference = (float(metres), "none") if metres is not None else _limit_of(text, path)
    if math.isinf(height):
        return Limit(height, "none", text or "")
    if reference == "none":
        reference = stated
    if reference == "none":
        raise AirspaceError(
            f"{where}.properties: a limit without a vertical reference",
            hint='add "vertical_reference": "MSL", "STD", "SFC" or "W84"',
        )
    return Limit(height, reference, text or "")


def _limit_of(text: Any, where: str) -> Written:
    if not isinstance(text, str):
        raise AirspaceError(f"{where}: expected a text, got {_shown(text)}")
    try:
        return parse_limit(text)
    except AirspaceError as error:
        raise AirspaceError(f"{where}: {error}", hint=error.hint) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


def _shown(value: Any) -> str:
    """A value as it is shown in a message: never long."""
    text = (
        f"an object of type {value['type']!r}"
        if isinstance(value, dict) and isinstance(value.get("type"), str)
        else repr(value)
    )
    return text if len(text) <= 60 else text[:57] + "..."
