"""KML polygons as volumes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.sources import kml_volumes
from airvigil.airspace.sources.kml_volumes import load_kml
from airvigil.airspace.sources.loaded import Loaded
from airvigil.airspace.volumes import Volume, ring_area_deg2
from airvigil.errors import AirspaceError

OUTER = "24,59 25,59 25,60 24,60 24,59"
INNER = "24.4,59.4 24.6,59.4 24.6,59.6 24.4,59.6 24.4,59.4"


def polygon(outer: str = OUTER, inner: str = "", extra: str = "") -> str:
    def ring(side: str, text: str) -> str:
        return f"<{side}><LinearRing><coordinates>\n{text}\n</coordinates></LinearRing></{side}>"

    return f"<Polygon>{extra}{ring('outerBoundaryIs', outer)}{ring('innerBoundaryIs', inner) if inner else ''}</Polygon>"


def placemark(geometry: str, name: str = "Box", **properties: str) -> str:
    data = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in properties.items())
    return f"<Placemark><name>{name}</name><ExtendedData>{data}</ExtendedData>{geometry}</Placemark>"


def document(*marks: str, space: str = 'xmlns="http://www.opengis.net/kml/2.2"') -> bytes:
    return f'<?xml version="1.0"?><kml {space}><Document><Folder>{"".join(marks)}</Folder></Document></kml>'.encode()


def load(*marks: str) -> Loaded:
    return load_kml(document(*marks), "t.kml")


def one(*marks: str) -> Volume:
    loaded = load(*marks)
    assert loaded.rejected == ()
    (volume,) = loaded.volumes
    return volume


def test_a_polygon_with_a_hole_and_limits_in_words() -> None:
    volume = one(
        placemark(
            polygon(inner=INNER), floor="1500 ft AMSL", ceiling="FL95", type="TSA", **{"class": "D"}, id="T1"
        )
    )
    assert (volume.volume_id, volume.name, volume.airspace_type, volume.airspace_class) == (
        "T1",
        "Box",
        "TSA",
        "D",
    )
    assert (str(volume.lower), str(volume.upper), volume.upper.reference) == ("1500 ft AMSL", "FL95", "STD")
    assert [round(ring_area_deg2(ring), 6) for ring in volume.rings] == [1.0, -0.04]
    assert volume.edge_kind == "geodesic"
    assert volume.place == "line 1"


def test_schema_data_and_other_namespaces() -> None:
    extended = '<ExtendedData><SchemaData><SimpleData name="LOWER">GND</SimpleData><SimpleData name="upper">FL660</SimpleData></SchemaData></ExtendedData>'
    mark = f"<Placemark>{extended}{polygon()}</Placemark>"
    for space in ('xmlns="http://earth.google.com/kml/2.1"', "", 'xmlns:k="http://www.opengis.net/kml/2.2"'):
        loaded = load_kml(document(mark, space=space), "t")
        assert str(loaded.volumes[0].upper) == "FL660"
        assert loaded.volumes[0].volume_id == "line 1"


@pytest.mark.parametrize(("mode", "reference"), [("absolute", "MSL"), ("relativeToGround", "SFC")])
def test_an_extruded_polygon_reaches_from_the_ground_to_its_height(mode: str, reference: str) -> None:
    outer = " ".join(f"{pair},914.4" for pair in OUTER.split())
    volume = one(placemark(polygon(outer, extra=f"<extrude>1</extrude><altitudeMode>{mode}</altitudeMode>")))
    assert (volume.upper.height_m, volume.upper.reference) == (914.4, reference)
    assert volume.lower.height_m == -np.inf


def test_several_polygons_are_one_volume() -> None:
    other = "34,59 35,59 35,60 34,60 34,59"
    volume = one(
        placemark(f"<MultiGeometry>{polygon()}{polygon(other)}</MultiGeometry>", lower="GND", upper="UNL")
    )
    assert len(volume.rings) == 2


def test_a_polygon_without_limits_spans_all_heights_and_that_is_said() -> None:
    loaded = load(placemark(polygon()))
    assert loaded.volumes[0].spans_all_heights
    assert "spans all heights" in loaded.remarks[0].reason


def test_an_open_ring_over_the_antimeridian() -> None:
    volume = one(placemark(polygon("179,59 -179,59 -179,60 179,60"), lower="GND", upper="UNL"))
    assert len(volume.rings) == 2


def test_activation_in_words_is_unknown() -> None:
    kinds = [
        one(placemark(polygon(), upper="UNL", activation=word)).activation.kind
        for word in ("permanent", "H24", "MON-FRI", "")
    ]
    assert kinds == ["permanent", "permanent", "unknown", "permanent"]


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (placemark(polygon(extra="<altitudeMode>absolute</altitudeMode>")), "not extruded"),
        (
            placemark(polygon("24,59,10 25,59,20 25,60,30 24,59,10", extra="<extrude>1</extrude><altitudeMode>absolute</altitudeMode>")),
            "several heights",
        ),
        (placemark(polygon(extra="<altitudeMode>moon</altitudeMode>")), "altitude modes"),
        (placemark(polygon("24,59 25,59")), "at least 3 corners"),
        (placemark(polygon("24,59 25,59 25,91 24,59")), "out of range"),
        (placemark(polygon("24,59 25,59 25;60 24,59")), "expected longitude,latitude"),
        (placemark(polygon("24,59 25,59 nan,60 24,59")), "out of range"),
        (placemark(polygon("")), "at least 3 corners"),
        (placemark("<Polygon></Polygon>"), "without coordinates"),
        (placemark(polygon(), upper="5000"), "not a limit"),
        (placemark(polygon(), upper="5000 ft"), "without a reference"),
        (placemark(polygon(), lower="FL95", upper="FL65"), "not below"),
    ],
)  # fmt: skip
def test_what_is_no_volume_is_rejected_and_the_next_is_read(mark: str, reason: str) -> None:
    loaded = load(mark, placemark(polygon(), "Next", upper="UNL"))
    assert [volume.name for volume in loaded.volumes] == ["Next"]
    (rejected,) = loaded.rejected
    assert rejected.line >= 1
    assert reason in rejected.reason


def test_points_and_lines_are_counted() -> None:
    loaded = load(
        placemark("<Point><coordinates>1,2</coordinates></Point>"), placemark(polygon(), upper="UNL")
    )
    assert "1 placemarks have no polygon" in [remark.reason for remark in loaded.remarks]


ENTITIES = b'<!DOCTYPE kml [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><kml><Placemark><name>&b;</name></Placemark></kml>'


@pytest.mark.parametrize(
    "raw",
    [
        ENTITIES,
        b'<!DOCTYPE kml SYSTEM "file:///etc/passwd"><kml/>',
        b'<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>',
        b"<kml><Placemark>",
        b"<kml>" + b"<Folder>" * 200,
        b'<?xml version="1.0" encoding="no-such"?><kml/>',
        b"<kml>\xff\xfe</kml>",
        b"",
    ],
)
def test_hostile_or_broken_xml_is_one_error(raw: bytes) -> None:
    with pytest.raises(AirspaceError):
        load_kml(raw, "t.kml")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_ELEMENTS", 10), ("MAX_TEXT", 20)):
        with monkeypatch.context() as patch:
            patch.setattr(kml_volumes, name, value)
            with pytest.raises(AirspaceError, match="more than"):
                load(placemark(polygon()), placemark(polygon()))
    monkeypatch.setattr(kml_volumes, "MAX_POSITIONS", 4)
    assert "positions" in load(placemark(polygon())).rejected[0].reason


@given(st.integers(0, 600), st.binary(max_size=20))
@hypothesis_settings(max_examples=150)
def test_any_damage_is_refused_or_read(at: int, put: bytes) -> None:
    good = document(placemark(polygon(inner=INNER), upper="FL95"))
    with suppress(AirspaceError):
        load_kml(good[:at] + put + good[at + len(put) :], "t")
