"""`lookahead.geojson` (RFC 7946): what was predicted, as a map shows it. Predictions about courses, never findings.

Features of each alert, as last told before it was cleared, told apart by `role`:
- `course`: LineString from the position along the present course to the end of the look-ahead.
- `fan`: LineString of each course that was looked along, with the greatest P(inside) on it, `p_inside_max`.
- `expected_entry`: Point with `time` and `time_to_boundary_sigma_s`, where the present course enters.

Rules
- Coordinates lon, lat (WGS84), 7 decimals; lines are cut at the antimeridian (clause 3.1.9).
- Units are in the names of properties. Unknown is null.
- `why` and `warning_time_s` say how the alert ended; null where it stood to the end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from airvigil.exports.events_jsonl import jsonable
from airvigil.exports.geojson import RECONSTRUCTION, cut_at_antimeridian
from airvigil.exports.run_view import Event, FloatArray
from airvigil.tracking.local_plane import to_geodetic

LINE_PARTS = 8  # of a course: on a map it is then as bent as the geodesic

_FACTS = (
    "lookahead_id",
    "track_id",
    "icao24",
    "callsign",
    "identity",
    "volume",
    "time",
    "raised",
    "lookahead_s",
    "p_entry",
    "p_entry_max",
    "time_to_boundary_s",
    "time_to_boundary_sigma_s",
    "ground_speed_mps",
    "track_angle_deg",
    "course_sigma_deg",
    "undecidable_for",
    "degraded",
    "reconstruction",
)


def lookahead_geojson(events: Iterable[Event]) -> bytes:
    """The FeatureCollection of all alerts of a run, as UTF-8."""
    told: dict[str, Event] = {}
    ended: dict[str, Event] = {}
    for event in events:
        if event["event"] in ("lookahead_raised", "lookahead_updated"):
            told[event["lookahead_id"]] = event
        elif event["event"] == "lookahead_cleared":
            ended[event["lookahead_id"]] = event
    features = [feature for name, event in told.items() for feature in _features(event, ended.get(name, {}))]
    collection = {
        "type": "FeatureCollection",
        "features": features,
        "reconstruction": any(bool(event["reconstruction"]) for event in told.values()),
    }
    text = json.dumps(jsonable(collection), ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _features(event: Event, end: Event) -> Iterable[dict[str, Any]]:
    about = {name: event.get(name) for name in _FACTS} | {
        "why": end.get("why"),
        "cleared": end.get("time"),
        "warning_time_s": end.get("warning_time_s"),
        "label": RECONSTRUCTION if event.get("reconstruction") else None,
    }
    if event["track_angle_deg"] is not None:
        yield _feature(_line(_course(event, event["track_angle_deg"])), {**about, "role": "course"})
    for branch in event["fan"]:
        line = _line(_course(event, branch["track_angle_deg"]))
        yield _feature(line, {**about, "role": "fan", "p_inside_max": branch["p_inside_max"]})
    entry = event["expected_entry"]
    if entry is not None:
        place = {"type": "Point", "coordinates": [entry["longitude_deg"], entry["latitude_deg"]]}
        yield _feature(place, {**about, "role": "expected_entry", "time": entry["time"]})


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _course(event: Event, angle_deg: float) -> FloatArray:
    """(LINE_PARTS + 1, 2) longitude, latitude along a geodesic from the position."""
    length = event["ground_speed_mps"] * event["lookahead_s"]
    e, n = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
    rows = []
    for k in range(LINE_PARTS + 1):
        along = length * k / LINE_PARTS
        lat, lon = to_geodetic(event["latitude_deg"], event["longitude_deg"], along * e, along * n)
        rows.append([lon, lat])
    return np.array(rows)


def _line(rows: FloatArray) -> dict[str, Any]:
    parts = [
        [[round(float(v), 7) for v in row] for row in part]
        for part, _ in cut_at_antimeridian(rows, np.zeros(len(rows)))
        if len(part) > 1
    ]
    if len(parts) == 1:
        return {"type": "LineString", "coordinates": parts[0]}
    return {"type": "MultiLineString", "coordinates": parts}
