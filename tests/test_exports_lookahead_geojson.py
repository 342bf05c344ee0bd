"""Alerts on a map: courses on geodesics, the place of entry, and how it ended."""

from __future__ import annotations

import json
from typing import Any

import shapely
from geographiclib.geodesic import Geodesic

from airvigil.exports.lookahead_geojson import lookahead_geojson

RAISED: dict[str, Any] = {
    "event": "lookahead_raised",
    "lookahead_id": "a/X/ahead/t",
    "time": "2026-01-01T00:00:00.000Z",
    "latitude_deg": 59.0,
    "longitude_deg": 25.0,
    "ground_speed_mps": 200.0,
    "track_angle_deg": 30.0,
    "lookahead_s": 120.0,
    "fan": [{"track_angle_deg": 20.0, "p_inside_max": 0.4}, {"track_angle_deg": 30.0, "p_inside_max": 0.9}],
    "expected_entry": {"time": "2026-01-01T00:01:00.000Z", "latitude_deg": 59.1, "longitude_deg": 25.1},
    "reconstruction": True,
}
CLEARED = {**RAISED, "event": "lookahead_cleared", "why": "entered", "warning_time_s": 60.0, "fan": []}


def features(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return json.loads(lookahead_geojson(events))["features"]


def test_courses_end_where_the_geodesic_does_and_the_end_is_told() -> None:
    made = features([RAISED, CLEARED])
    assert [f["properties"]["role"] for f in made] == ["course", "fan", "fan", "expected_entry"]
    lon, lat = made[0]["geometry"]["coordinates"][-1]
    there = Geodesic.WGS84.Direct(59.0, 25.0, 30.0, 24_000.0)
    assert Geodesic.WGS84.Inverse(there["lat2"], there["lon2"], lat, lon)["s12"] < 0.05
    assert [f["properties"].get("p_inside_max") for f in made[1:3]] == [0.4, 0.9]
    assert {f["properties"]["why"] for f in made} == {"entered"}
    assert all(f["properties"]["label"].startswith("RECONSTRUCTION") for f in made)
    assert all(shapely.from_geojson(json.dumps(f["geometry"])).is_valid for f in made)


def test_a_course_across_the_antimeridian_is_cut() -> None:
    made = features(
        [{**RAISED, "longitude_deg": 179.9, "track_angle_deg": 90.0, "fan": [], "expected_entry": None}]
    )
    assert [f["geometry"]["type"] for f in made] == ["MultiLineString"]
    first, second = made[0]["geometry"]["coordinates"]
    assert (first[-1][0], second[0][0]) == (180.0, -180.0)


def test_without_alerts_the_collection_is_empty() -> None:
    assert features([{"event": "run_started"}]) == []
