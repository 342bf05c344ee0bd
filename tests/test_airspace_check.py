"""Finding what is wrong with an airspace file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.checks.check import check_file
from airvigil.airspace.sources.geojson import load_geojson
from airvigil.errors import AirspaceError

BOX = [[24.0, 59.0], [25.0, 59.0], [25.0, 60.0], [24.0, 60.0], [24.0, 59.0]]
HOLE = [[24.4, 59.4], [24.4, 59.6], [24.6, 59.6], [24.6, 59.4], [24.4, 59.4]]


def collection(*rings: Any, **properties: Any) -> bytes:
    geometry = {"type": "Polygon", "coordinates": list(rings)}
    member = {"type": "Feature", "geometry": geometry, "properties": properties}
    return json.dumps({"type": "FeatureCollection", "features": [member]}).encode()


def test_nothing_is_wrong_with_a_sound_file() -> None:
    assert check_file(collection(BOX, HOLE, id="a", upper_limit="FL95"), "f") == []


@pytest.mark.parametrize(
    ("raw", "severity", "rule", "place"),
    [
        (collection([BOX[0], BOX[2], BOX[1], BOX[3], BOX[0]]), "error", "self_intersection", "$.features[0].geometry.coordinates[0]"),
        (collection(BOX[::-1]), "warning", "orientation", "$.features[0].geometry.coordinates[0]"),
        (collection(BOX, HOLE[::-1]), "warning", "orientation", "$.features[0].geometry.coordinates[1]"),
        (collection([*BOX[:2], BOX[1], *BOX[2:]]), "warning", "duplicate_vertex", "$.features[0].geometry.coordinates[0][2]"),
        (collection([*BOX[:2], [25.0, 95.0], *BOX[3:]]), "error", "out_of_range", "$.features[0].geometry.coordinates[0][2]"),
        (collection([*BOX[:4], [24.0, 59.1]]), "error", "unclosed", "$.features[0].geometry.coordinates[0][4]"),
        (collection(BOX[:3]), "error", "too_few_positions", "$.features[0].geometry.coordinates[0]"),
        (collection(BOX, lower_limit="FL100", upper_limit="FL95"), "error", "limits", "$.features[0].properties"),
        (collection(BOX, upper_limit="high"), "error", "limits", "$.features[0].properties.upper_limit"),
        (collection([[24 + 1e-4 * (x - 24), 59 + 1e-4 * (y - 59)] for x, y in BOX]), "warning", "sliver", "$.features[0].geometry.coordinates[0]"),
        (collection([[170.0, 0.0], [-170.0, 0.0], [-170.0, 5.0], [170.0, 5.0], [170.0, 0.0]]), "error", "antimeridian", "$.features[0].geometry.coordinates[0][0]"),
        (collection(BOX, [[x + 3.0, y] for x, y in HOLE]), "error", "hole_outside", "$.features[0].geometry.coordinates[1]"),
        (b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}', "error", "not_a_polygon", "$.features[0].geometry"),
        (b'{"type":"FeatureCollection","features":[]}', "error", "not_a_polygon", "$.features"),
        (b"nothing", "error", "unreadable", "$"),
    ],
)  # fmt: skip
def test_each_fault_is_found_where_it_is(raw: bytes, severity: str, rule: str, place: str) -> None:
    findings = check_file(raw, "f")
    assert (severity, rule, place) in [(f.severity, f.rule, f.place) for f in findings]


def test_one_fault_gives_one_finding() -> None:
    (finding,) = check_file(collection([BOX[0], BOX[2], BOX[1], BOX[3], BOX[0]]), "f")
    assert (finding.latitude_deg, finding.longitude_deg, finding.feature) == (59.5, 24.5, 0)
    assert str(finding) == (
        "error: $.features[0].geometry.coordinates[0]: the ring crosses or touches itself (self-intersection)"
        " (near 59.50000, 24.50000) [self_intersection]"
    )


def test_all_faults_of_all_features_are_found() -> None:
    features = (
        json.loads(collection(BOX[::-1], id="a", upper_limit="high"))["features"]
        + json.loads(collection(BOX, id="a"))["features"]
    )
    findings = check_file(json.dumps({"type": "FeatureCollection", "features": features}).encode(), "f")
    assert [(f.feature, f.rule) for f in findings] == [(0, "limits"), (0, "orientation"), (1, "duplicate_id")]


def test_a_cut_along_the_pole_is_no_fault() -> None:
    ring = [
        [-180.0, 80.0],
        [-90.0, 80.0],
        [0.0, 80.0],
        [90.0, 80.0],
        [180.0, 80.0],
        [180.0, 90.0],
        [-180.0, 90.0],
        [-180.0, 80.0],
    ]
    assert [f for f in check_file(collection(ring), "f") if f.rule != "duplicate_vertex"] == []


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.floats(-200, 200), st.floats(-95, 95)), min_size=3, max_size=7), st.booleans())
def test_what_passes_without_an_error_can_be_loaded(
    positions: list[tuple[float, float]], closed: bool
) -> None:
    raw = collection([*positions, positions[0]] if closed else positions)
    errors = [f for f in check_file(raw, "f") if f.severity == "error"]
    try:
        load_geojson(raw, "f")
    except AirspaceError:
        assert errors
