"""`incidents.geojson` (RFC 7946): tracks, entries and exits, and the bands of uncertainty.

Features of each incident, told apart by `role`:
- `track`: LineString or MultiLineString of one member, `inside` true or false; `times` runs
  parallel to the coordinates (ISO 8601 UTC).
- `entry`, `exit`: Point with `time`, `sigma_s` and `kind`.
- `band`: (Multi)Polygon of ±2 sigma across the part inside.

Rules
- Coordinates lon, lat (WGS84), 7 decimals; a third ordinate only where the height above the
  ellipsoid is known at every vertex: the format has no null there.
- Units are in the names of properties. Unknown is null.
- Lines and areas are cut at the antimeridian (clause 3.1.9); rings follow the right-hand rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from airvigil.exports.events_jsonl import jsonable
from airvigil.exports.incident_lines import SCHEMA
from airvigil.exports.map_projection import LocalPlane
from airvigil.exports.run_view import Event, FloatArray, Run, read_run
from airvigil.exports.track_pieces import (
    BAND_SIGMAS,
    MemberTrack,
    Piece,
    band_polygon,
    inside_intervals,
    member_tracks,
)
from airvigil.exports.wording import iso_from_ns, known

ATTRIBUTION = "Boundaries: © OpenStreetMap contributors, ODbL 1.0"
RECONSTRUCTION = "RECONSTRUCTION: made from published figures, measured by nobody"

_INCIDENT_FACTS = (
    "incident_id",
    "outcome",
    "volume",
    "volume_name",
    "volume_kind",
    "states",
    "duration_s",
    "max_depth_m",
    "max_depth_sigma_m",
    "max_depth_is_bound",
    "p_inside_max",
    "robustness_radius_m",
)


def incidents_geojson(events: Iterable[Event], points: pa.Table, margins: pa.Table) -> bytes:
    """The FeatureCollection of all incidents of a run, as UTF-8."""
    run = read_run(events, points, margins)
    features = [feature for incident in run.incidents for feature in _incident_features(run, incident)]
    collection = {
        "type": "FeatureCollection",
        "features": features,
        "attribution": ATTRIBUTION,
        "reconstruction": run.is_reconstruction,
        "airspace_digest": (run.started.get("airspace") or {}).get("digest"),
        "settings_digest": run.started.get("settings_digest"),
        "tool": run.started.get("tool"),
        "tool_version": run.started.get("version"),
    }
    return (json.dumps(jsonable(collection), ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _incident_features(run: Run, incident: Event) -> Iterable[dict[str, Any]]:
    about = _incident_properties(run, incident)
    for member_track in member_tracks(run, incident):
        who = {**about, **_member_properties(member_track)}
        for inside in (False, True):
            pieces = [
                piece for piece in member_track.pieces if piece.inside == inside and len(piece.time_ns) > 1
            ]
            if pieces:
                geometry, times = _lines(pieces)
                yield _feature(geometry, {**who, "role": "track", "inside": inside, "times": times})
        band = incident_band(member_track)
        if band is not None:
            yield _feature(band, {**who, "role": "band", "half_width_sigmas": BAND_SIGMAS})
        for role in ("entry", "exit"):
            end = member_track.member.get(role) or {}
            place = [known(end.get("longitude_deg")), known(end.get("latitude_deg"))]
            if None not in place:
                point = {"type": "Point", "coordinates": [round(v, 7) for v in place if v is not None]}
                facts = {key: end.get(key) for key in ("time", "sigma_s", "kind")}
                yield _feature(point, {**who, "role": role, **facts})


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _incident_properties(run: Run, incident: Event) -> dict[str, Any]:
    volume = next((v for v in run.volumes if v.get("volume_id") == incident.get("volume")), {})
    is_made = bool(incident.get("reconstruction"))
    return {
        "schema": SCHEMA,
        **{name: incident.get(name) for name in _INCIDENT_FACTS},
        "volume_source": volume.get("source"),
        "volume_version": volume.get("version"),
        "volume_digest": volume.get("digest"),
        "reconstruction": is_made,
        "label": RECONSTRUCTION if is_made else None,
    }


def _member_properties(member_track: MemberTrack) -> dict[str, Any]:
    names = ("track_id", "icao24", "callsign", "spell_id", "identity")
    facts = {name: member_track.member.get(name) for name in names}
    return facts | {
        f"member_{name}": member_track.member.get(name) for name in ("max_depth_m", "p_inside_max")
    }


def _lines(pieces: list[Piece]) -> tuple[dict[str, Any], list[Any]]:
    """Geometry and the parallel list of times of some pieces."""
    lines: list[list[list[float]]] = []
    times: list[list[str]] = []
    for piece in pieces:
        rows = np.column_stack([piece.longitude_deg, piece.latitude_deg])
        if np.isfinite(piece.geometric_height_m).all():
            rows = np.column_stack([rows, piece.geometric_height_m])
        for part_rows, part_times in cut_at_antimeridian(rows, piece.time_ns.astype(np.float64)):
            if len(part_rows) > 1:
                lines.append([[round(float(v), 7) for v in row] for row in part_rows])
                times.append([iso_from_ns(int(t)) for t in part_times])
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}, times[0]
    return {"type": "MultiLineString", "coordinates": lines}, times


def cut_at_antimeridian(rows: FloatArray, times: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Cut a line where it steps over longitude ±180, with the crossing put into both parts.

    Args:
        rows: (n, k) longitude, latitude and maybe more; times: (n,).
    """
    parts: list[tuple[FloatArray, FloatArray]] = []
    begin: list[FloatArray] = []
    begin_t: list[float] = []
    for row, time in zip(rows, times.tolist(), strict=True):
        if begin and abs(row[0] - begin[-1][0]) > 180.0:
            before, edge = begin[-1], 180.0 if begin[-1][0] > 0.0 else -180.0
            there = row[0] + 2.0 * edge
            share = (edge - before[0]) / (there - before[0]) if there != before[0] else 0.0
            middle, at = before + (row - before) * share, begin_t[-1] + (time - begin_t[-1]) * share
            parts.append((np.array([*begin, _at_longitude(middle, edge)]), np.array([*begin_t, at])))
            begin, begin_t = [_at_longitude(middle, -edge)], [at]
        begin.append(row)
        begin_t.append(time)
    parts.append((np.array(begin).reshape(-1, rows.shape[1]), np.array(begin_t)))
    return parts


def _at_longitude(row: FloatArray, longitude_deg: float) -> FloatArray:
    moved = row.copy()
    moved[0] = longitude_deg
    return moved


def incident_band(member_track: MemberTrack) -> dict[str, Any] | None:
    """The band as GeoJSON geometry, or None where no accuracy is known."""
    track, intervals = (
        member_track.track,
        inside_intervals(member_track.member, member_track.spell, member_track.track),
    )
    if track is None or not len(track) or not intervals:
        return None
    plane = LocalPlane(float(np.nanmean(track["latitude_deg"])), float(track["longitude_deg"][0]))
    bands = [band_polygon(track, plane, from_ns=begin, to_ns=end) for begin, end in intervals]
    union = shapely.union_all([band for band in bands if not shapely.is_empty(band)])
    if shapely.is_empty(union):
        return None
    return dict(shapely.geometry.mapping(_on_globe(shapely.simplify(union, 1.0), plane)))


def _on_globe(shape: Any, plane: LocalPlane) -> Any:
    """A shape in the plane's metres as longitude, latitude, cut at the antimeridian."""

    def turn(xy: FloatArray) -> FloatArray:
        latitude, longitude = plane.inverse(xy).T
        near = plane.longitude_deg + (longitude - plane.longitude_deg + 540.0) % 360.0 - 180.0
        return np.column_stack([near, latitude])

    whole = shapely.transform(shape, turn)
    parts: list[Any] = []
    for shift in (-360.0, 0.0, 360.0):
        cut = shapely.clip_by_rect(
            shapely.transform(whole, lambda xy, s=shift: xy + np.array([s, 0.0])), -180, -90, 180, 90
        )
        parts.extend(part for part in shapely.get_parts(cut) if shapely.get_dimensions(part) == 2)
    rounded = shapely.transform(shapely.union_all(parts), lambda xy: np.round(xy, 7))
    return shapely.orient_polygons(rounded)
