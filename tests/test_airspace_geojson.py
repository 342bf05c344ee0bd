"""A user's own GeoJSON airspace."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.geojson import load_geojson, parse_limit
from airvigil.errors import AirspaceError

BOX = [[24.0, 59.0], [25.0, 59.0], [25.0, 60.0], [24.0, 60.0], [24.0, 59.0]]
HOLE = [[24.4, 59.4], [24.6, 59.4], [24.6, 59.6], [24.4, 59.6], [24.4, 59.4]]


def feature(coordinates: Any = None, kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": [BOX] if coordinates is None else coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*members: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(members)}).encode()


def margin(raw: bytes, latitude: float, longitude: float) -> float:
    return float(
        Airspace(load_geojson(raw, "f"))
        .margins([latitude], [longitude], [[1.0, 0.0, 1.0]], [0.0])
        .margin_m[0]
    )


@pytest.mark.parametrize(
    ("text", "metres", "reference"),
    [
        ("SFC", -math.inf, "none"),
        (" gnd ", -math.inf, "none"),
        ("UNL", math.inf, "none"),
        ("FL95", 2895.6, "STD"),
        ("FL 660", 20116.8, "STD"),
        ("2500 ft AMSL", 762.0, "MSL"),
        ("2500ft msl", 762.0, "MSL"),
        ("1000 ft AGL", 304.8, "SFC"),
        ("300 m", 300.0, "none"),
        ("300.5 M W84", 300.5, "W84"),
        ("-100 m MSL", -100.0, "MSL"),
    ],
)
def test_limits_as_people_write_them(text: str, metres: float, reference: str) -> None:
    assert parse_limit(text) == (metres, reference)


@pytest.mark.parametrize(
    "text", ["", "FL", "FL1000", "95", "2500 ft QNE", "2500 feet", "ft 2500", "1e3 m", "nan m", "SFC AGL"]
)
def test_what_is_not_a_limit_is_refused(text: str) -> None:
    with pytest.raises(AirspaceError, match="not a limit"):
        parse_limit(text)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, (-math.inf, math.inf, "none")),
        ({"lower_limit": "SFC", "upper_limit": "FL95"}, (-math.inf, 2895.6, "STD")),
        ({"lower_limit": "1000 ft AMSL", "upper_limit": "UNL"}, (304.8, math.inf, "MSL")),
        ({"lower_limit_m": 100, "upper_limit_m": 200.5, "vertical_reference": "W84"}, (100.0, 200.5, "W84")),
        ({"upper_limit": "300 m", "vertical_reference": "SFC"}, (-math.inf, 300.0, "SFC")),
        ({"upper_limit": None, "vertical_reference": "none"}, (-math.inf, math.inf, "none")),
    ],
)
def test_limits_of_a_volume(properties: dict[str, Any], expected: tuple[float, float, str]) -> None:
    (volume,) = load_geojson(collection(feature(**properties)), "f")
    low, high, reference = expected
    assert (volume.lower.height_m, volume.upper.height_m) == (low, high)
    references = {volume.lower.reference, volume.upper.reference} - {"none"}
    assert references == {reference} - {"none"}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"upper_limit": "2500 ft"}, r"features\[0\].properties: a limit without a vertical reference"),
        ({"upper_limit_m": 700}, "without a vertical reference"),
        ({"upper_limit_m": "700"}, r"properties.upper_limit_m: expected a number, got '700'"),
        ({"upper_limit_m": True}, "expected a number, got True"),
        ({"upper_limit": 95}, r"properties.upper_limit: expected a text, got 95"),
        ({"upper_limit": "high"}, r"properties.upper_limit: not a limit: 'high'"),
        ({"upper_limit": "FL95", "upper_limit_m": 1}, "both upper_limit and upper_limit_m"),
        ({"vertical_reference": "QNH"}, "expected STD, MSL, SFC or W84, got 'QNH'"),
        (
            {"lower_limit": "FL100", "upper_limit": "FL95"},
            "lower limit FL100 is not below upper limit FL95",
        ),
        ({"boundary_uncertainty_m": "10"}, "boundary_uncertainty_m: expected a number"),
        ({"boundary_uncertainty_m": -1}, "must be >= 0"),
        ({"edge_kind": "rhumb"}, "edge_kind: expected lonlat or geodesic, got 'rhumb'"),
    ],
)
def test_properties_that_cannot_be_meant(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(AirspaceError, match=message) as caught:
        load_geojson(collection(feature(**properties)), "mine.geojson")
    assert str(caught.value).startswith("mine.geojson: $.features[0]")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "not JSON at line 1, column 2"),
        (b"\xff\xfe{}", "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'{"type":"Polygon","coordinates":[[[NaN,1]]]}', "NaN is not a JSON number"),
        (b"[]", r"expected GeoJSON with polygons, got \[\]"),
        (b'{"type":"Point","coordinates":[1,2]}', "got an object of type 'Point'"),
        (b'{"type":"FeatureCollection"}', r"\$.features: expected a list, got None"),
        (b'{"type":"FeatureCollection","features":[]}', "no polygons in it"),
        (b'{"type":"FeatureCollection","features":[7]}', r"\$.features\[0\]: expected a Feature, got 7"),
        (
            collection({"type": "Feature", "geometry": None, "properties": None}),
            r"features\[0\].geometry: expected Polygon",
        ),
        (collection(feature(properties=1) | {"properties": [1]}), r"properties: expected an object"),
        (collection(feature("x")), r"geometry.coordinates.*expected a list of rings, got 'x'"),
        (collection(feature("x", "MultiPolygon")), r"coordinates: expected a list, got 'x'"),
        (collection(feature([[]], "MultiPolygon")), r"coordinates\[0\]: expected a list of rings"),
        (collection(feature([7])), r"coordinates\[0\]: expected a list of positions, got 7"),
        (
            collection(feature([[*BOX[:2], [24.0], *BOX[3:]]])),
            r"coordinates\[0\]\[2\]: expected \[longitude, latitude\], got \[24.0\]",
        ),
        (collection(feature([BOX[:3]])), "expected at least 4 positions, got 3"),
        (
            collection(feature([BOX[:4]])),
            r"not closed: the first position is \[24.0, 59.0\], the last \[24.0, 60.0\]",
        ),
        (
            collection(feature([[[x, y + 31] for x, y in BOX]])),
            "latitude 91.0, longitude 25.0 is out of range",
        ),
        (collection(feature(id="a"), feature(id="a")), "features 0 and 1 both have id 'a'"),
    ],
)
def test_what_is_not_an_airspace_file(raw: bytes, message: str) -> None:
    with pytest.raises(AirspaceError, match=message):
        load_geojson(raw, "mine.geojson")


def test_ids_and_names() -> None:
    first = feature(id="R1", name="Range one", version="2025-09-01")
    second = feature(name="unnamed id") | {"id": 12}
    volumes = load_geojson(collection(first, second, feature()), "mine.geojson")
    assert [(v.volume_id, v.name, v.version) for v in volumes] == [
        ("R1", "Range one", "2025-09-01"),
        ("12", "unnamed id", ""),
        ("mine.geojson#3", "mine.geojson#3", ""),
    ]
    assert {(v.kind, v.source, v.states) for v in volumes} == {("user", "mine.geojson", ())}


@pytest.mark.parametrize("exterior", [BOX, BOX[::-1]])
@pytest.mark.parametrize("hole", [HOLE, HOLE[::-1]])
def test_holes_are_outside_whichever_way_the_rings_run(exterior: list[Any], hole: list[Any]) -> None:
    raw = collection(feature([exterior, hole]))
    assert margin(raw, 59.5, 24.5) < -5_000.0
    assert margin(raw, 59.2, 24.2) > 5_000.0
    p = Airspace(load_geojson(raw, "f")).margins([59.399], [24.5], [[1e4, 0.0, 1e4]], [0.0])
    assert p.p_inside[0] == pytest.approx(0.868, abs=0.01)  # 112 m south of the hole, sigma 100 m
    assert not p.is_defective[0]


def test_several_polygons_make_one_volume() -> None:
    east = [[x + 10.0, y] for x, y in BOX]
    raw = json.dumps({"type": "MultiPolygon", "coordinates": [[BOX], [east]]}).encode()
    assert margin(raw, 59.5, 24.5) > 20_000.0
    assert margin(raw, 59.5, 34.5) > 20_000.0


def test_a_byte_order_mark_and_heights_in_positions_are_passed_over() -> None:
    high = [[*position, 1000.0] for position in BOX]
    raw = b"\xef\xbb\xbf" + json.dumps(feature([high])).encode()
    assert np.array_equal(load_geojson(raw, "f")[0].rings[0][:, ::-1], np.array(BOX))


@settings(deadline=None, max_examples=200)
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["Polygon", "Feature", "FeatureCollection", "FL95"]),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(st.sampled_from(["type", "features", "geometry", "coordinates", "properties", "id", "upper_limit"]), inner),
))  # fmt: skip
def test_any_json_gives_volumes_or_an_airspace_error(document: Any) -> None:
    raw = json.dumps(document).encode()
    message = "any: "
    try:
        assert load_geojson(raw, "any")
    except AirspaceError as error:
        message = str(error)
    assert message.startswith("any: ")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_give_an_airspace_error(raw: bytes) -> None:
    with pytest.raises(AirspaceError):
        load_geojson(raw, "any")
