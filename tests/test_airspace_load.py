"""Airspace files of every format, told by their content."""

from __future__ import annotations

import doctest
import gzip
import json
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.load import detect, load_file
from airvigil.airspace.sources.normalised import normalised_bytes
from airvigil.errors import AirspaceError

OPENAIR = b"""* a comment
AC FIR
AN Somewhere
AL GND
AH UNL
DP 59:00:00 N 024:00:00 E
DP 60:00:00 N 024:00:00 E
DP 60:00:00 N 025:00:00 E
"""
SHAPES = b"# mine\nairspace:\n  - {id: a, circle: {centre: 59 N 25 E, radius: 1 km}}\n"
POLYGON = {"type": "Polygon", "coordinates": [[[24, 59], [25, 59], [25, 60], [24, 60], [24, 59]]]}
KML = b"""<?xml version='1.0'?><!-- <aixm> --><k:kml xmlns:k='http://www.opengis.net/kml/2.2'><k:Placemark><k:Polygon><k:outerBoundaryIs>
<k:LinearRing><k:coordinates>24,59 25,59 25,60 24,59</k:coordinates></k:LinearRing></k:outerBoundaryIs></k:Polygon></k:Placemark></k:kml>"""
AIXM = b"<message:AIXMBasicMessage xmlns:message='http://www.aixm.aero/schema/5.1.1/message'/>"


def feature(**properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": POLYGON, "properties": properties}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (OPENAIR, "openair"),
        (b"\xef\xbb\xbf" + OPENAIR, "openair"),
        (OPENAIR.decode().encode("utf-16"), "openair"),
        (OPENAIR.replace(b"\n", b"\r\n"), "openair"),
        (SHAPES, "shapes"),
        (json.dumps(POLYGON).encode(), "geojson"),
        (b" \r\n\xef\xbb\xbf {}".strip(), "geojson"),
        (KML, "kml"),
        (AIXM, "aixm"),
        (b"<?xml version='1.0'?>\n<!-- kml -->\n" + AIXM, "aixm"),
    ],
)
def test_the_format_is_told_by_the_content(raw: bytes, expected: str) -> None:
    assert detect(raw, "any.bin") == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"\x00" * 1000,
        b"\x89PNG\r\n\x1a\nAC R\x00",
        b"<html><body/></html>",
        b"ACCESS DENIED\n",
        b"<",
        b"\xff\xfe",
    ],
)
def test_what_is_no_airspace_is_refused(raw: bytes) -> None:
    with pytest.raises(AirspaceError):
        detect(raw, "any.bin")


def test_every_format_gives_volumes_with_the_digest_of_the_file() -> None:
    for raw, count in ((OPENAIR, 1), (SHAPES, 1), (KML, 1), (collection(feature(), feature()), 2)):
        loaded = load_file(raw, "f")
        assert len(loaded.volumes) == count
        assert all(volume.version.startswith("file SHA-256 ") for volume in loaded.volumes)


def test_our_own_file_keeps_the_digest_of_its_source() -> None:
    before = load_file(OPENAIR, "f").volumes
    after = load_file(normalised_bytes(before), "g")
    assert after.format == "airvigil"
    assert [v.version for v in after.volumes] == [v.version for v in before]
    assert [v.digest for v in after.volumes] == [v.digest for v in before]
    assert load_file(normalised_bytes(before), "g", kind="user").volumes[0].kind == "user"
    with pytest.raises(AirspaceError, match="source said"):
        load_file(normalised_bytes(before), "g", edge_kind="lonlat")


def test_kind_and_edges_over_what_the_file_says() -> None:
    for raw in (OPENAIR, SHAPES, KML, collection(feature(kind="user", edge_kind="geodesic"))):
        (volume,) = load_file(raw, "f", kind="fir", edge_kind="lonlat").volumes
        assert (volume.kind, volume.edge_kind) == ("fir", "lonlat")
    for wrong in ({"kind": "mine"}, {"edge_kind": "rhumb"}):
        with pytest.raises(AirspaceError, match="must be one of"):
            load_file(OPENAIR, "f", **wrong)


def test_geojson_properties_of_a_volume() -> None:
    given = {
        "id": "x", "kind": "sovereign", "states": ["EST"], "airspace_class": "C", "type": "TMA", "may_enter": "all",
        "lower_limit": "GND", "upper_limit": "FL95",
    }  # fmt: skip
    (volume,) = load_file(collection(feature(**given)), "f").volumes
    assert (volume.kind, volume.states, volume.airspace_class) == ("sovereign", ("EST",), "C")
    assert (volume.airspace_type, volume.may_enter, volume.place) == ("TMA", "all", "$.features[0]")
    assert load_file(collection(feature(type="fir")), "f").volumes[0].kind == "fir"
    with pytest.raises(AirspaceError, match="states"):
        load_file(collection(feature(states="EST")), "f")


def test_a_collection_of_polygons_is_one_volume() -> None:
    east = {"type": "MultiPolygon", "coordinates": [[[[34, 59], [35, 59], [35, 60], [34, 59]]]]}
    both = {**feature(), "geometry": {"type": "GeometryCollection", "geometries": [POLYGON, east]}}
    assert len(load_file(collection(both), "f").volumes[0].rings) == 2
    for wrong in ([], None, [{"type": "Point"}], [both["geometry"]]):
        bad = {**feature(), "geometry": {"type": "GeometryCollection", "geometries": wrong}}
        with pytest.raises(AirspaceError, match=r"geometry\.geometries"):
            load_file(collection(bad), "f")


def test_eurocontrols_regions() -> None:
    given = {
        "ICAO": "EE", "IDENT": "EETT", "NAME": "TALLINN FIR", "TYPE": "FIR", "UPPERLIMIT": "195", "UPPERUNIT": "FL",
        "LOWERLIMIT": "0", "LOWERUNIT": "FT", "EFFECTDATE": "30-04-2015",
    }  # fmt: skip
    open_above = {**given, "IDENT": "EEXX", "UPPERLIMIT": "999", "LOWERLIMIT": "11500"}
    first, second = load_file(collection(feature(**given), feature(**open_above)), "f").volumes
    assert (first.volume_id, first.name, first.kind, first.version) == (
        "EETT",
        "TALLINN FIR",
        "fir",
        "30-04-2015",
    )
    assert (str(first.lower), str(first.upper), first.upper.reference) == ("SFC", "FL195", "STD")
    assert (str(second.lower), str(second.upper)) == ("11500 ft AMSL", "UNL")
    with pytest.raises(AirspaceError, match="not a limit"):
        load_file(collection(feature(**{**given, "UPPERUNIT": "NM"})), "f")


def test_one_bad_feature_is_named_and_the_others_are_read() -> None:
    bad = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}
    loaded = load_file(collection(feature(id="a"), bad, feature(id="a")), "f")
    assert [volume.volume_id for volume in loaded.volumes] == ["a", "a (2)"]
    assert [remark.reason.partition(":")[0] for remark in loaded.rejected] == ["$.features[1].geometry"]
    with pytest.raises(AirspaceError, match="Point"):
        load_file(collection(bad), "f")


def test_nothing_readable_is_one_error_with_the_first_reason() -> None:
    with pytest.raises(AirspaceError, match="no volume in it, 1 rejected: line 2: no upper limit"):
        load_file(OPENAIR.replace(b"AH UNL\n", b""), "f")


def test_aixm_wants_an_instant() -> None:
    with pytest.raises(AirspaceError, match="no instant"):
        load_file(AIXM, "f")


def test_a_document_of_too_many_lists_or_values_is_refused_before_it_is_read() -> None:
    for raw in (b"[" * 9_000_000, b'{"a":[' + b"1," * 31_000_000):
        with pytest.raises(AirspaceError, match="at most"):
            load_file(raw, "f")


@pytest.mark.parametrize(
    "raw", [b'{"a":' * 100_000, b"[" * 100_000, b'{"type":"FeatureCollection","features":' + b"[" * 50_000]
)
def test_deep_nesting_is_one_error(raw: bytes) -> None:
    with pytest.raises(AirspaceError):
        load_file(raw, "f")


@given(st.binary(max_size=300))
@hypothesis_settings(max_examples=200)
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    for head in (b"", b"AC R\n", b"airspace:", b"<kml>", b"{"):
        with suppress(AirspaceError):
            load_file(head + raw, "any")


@pytest.mark.parametrize(
    "name",
    [
        "activation",
        "geodesic",
        "sources.antimeridian",
        "sources.arcs",
        "sources.load",
        "sources.openair",
        "sources.openair_words",
        "sources.outlines",
        "sources.normalised",
        "sources.straight_edges",
        "sources.written_places",
    ],
)
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(import_module(f"airvigil.airspace.{name}"))
    assert result.attempted
    assert result.failed == 0


# ---- layers ----

VAINDLOO = (59.8175, 26.3594)


def layers_at(airspace: Airspace, place: tuple[float, float]) -> set[tuple[str, str]]:
    found = airspace.margins([place[0]], [place[1]], [[1.0, 0.0, 1.0]], [0.0])
    return {
        (airspace.volumes[index].kind, airspace.volumes[index].volume_id)
        for index, margin in zip(found.volume.tolist(), found.margin_m.tolist(), strict=True)
        if margin > 0.0
    }


@pytest.mark.recordings
def test_vaindloo_is_estonian_and_in_the_st_petersburg_region_at_once(recordings: Path) -> None:
    raw = gzip.decompress((recordings / "airspace" / "vatspy_Boundaries.geojson.gz").read_bytes())
    loaded = load_file(raw, "vatspy", kind="fir")
    assert (len(loaded.volumes), len(loaded.rejected)) == (1100, 2)
    assert {volume.kind for volume in loaded.volumes} == {"fir"}
    near = [volume for volume in loaded.volumes if volume.volume_id.startswith(("ULL", "EET", "EFI"))]
    airspace = Airspace([*load_volumes(["EST", "RUS", "FIN"]), *near])
    layers = layers_at(airspace, VAINDLOO)
    assert ("sovereign", "EST") in layers
    assert {volume_id[:4] for kind, volume_id in layers if kind == "fir"} == {"ULLL"}
    assert {kind for kind, volume_id in layers} == {"sovereign", "fir"}


@pytest.mark.recordings
def test_regions_of_2015_are_regions_by_their_own_word(recordings: Path) -> None:
    raw = gzip.decompress((recordings / "traffic_samples" / "eurofirs.json.gz").read_bytes())
    loaded = load_file(raw, "eurofirs")
    assert (len(loaded.volumes), loaded.rejected) == (58, ())
    assert {volume.kind for volume in loaded.volumes} == {"fir"}
