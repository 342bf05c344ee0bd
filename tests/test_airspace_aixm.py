"""AIXM documents as volumes at an instant: NOTAMs over a data set, what is rejected, and what is refused."""

from __future__ import annotations

import pytest

from airvigil.airspace.sources.aixm import aixm_change_instants, load_aixm
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns, utc_text
from made_aixm import (
    ONE,
    SPACES,
    THREE,
    TWO,
    activation,
    airspace,
    box,
    component,
    curve,
    depends,
    geodesics,
    limits,
    message,
    named,
    read,
    reasons,
    ring,
    sheet,
    time_slice,
)  # fmt: skip

DURING = "2020-06-01T12:00:00Z"


def test_an_airspace_becomes_a_volume_that_keeps_what_its_source_says() -> None:
    note = "<aixm:annotation><aixm:Note><aixm:translatedNote><aixm:LinguisticNote><aixm:note>Entry by permission of X only</aixm:note></aixm:LinguisticNote></aixm:translatedNote></aixm:Note></aixm:annotation>"
    classed = "<aixm:class><aixm:AirspaceLayerClass><aixm:classification>D</aixm:classification></aixm:AirspaceLayerClass></aixm:class>"
    loaded = read(
        DURING,
        message(
            airspace(TWO, time_slice(box("P9"))),
            airspace(ONE, time_slice(box("R1", limits("1000 FT SFC", "FL100"), note + classed))),
        ),
    )
    assert loaded.format == "aixm"
    assert [volume.volume_id for volume in loaded.volumes] == ["R P9", "R R1"]
    volume = loaded.volumes[1]
    assert (str(volume.lower), volume.lower.reference, str(volume.upper), volume.upper.height_m) == (
        "1000 FT SFC", "SFC", "FL100 STD", 3048.0,
    )  # fmt: skip
    assert (volume.kind, volume.airspace_type, volume.airspace_class) == ("user", "R", "D")
    assert volume.may_enter == "Entry by permission of X only"
    assert (volume.edge_kind, volume.edges_written) == ("geodesic", ("geodesic",))
    assert volume.activation.kind == "permanent"
    assert volume.version == "BASELINE 1.0 2020-01-01T00:00Z/"
    assert (volume.source, volume.place) == ("a.xml", f"line 5: Airspace[{ONE}]")
    assert volume.original.startswith("<aixm:Airspace ")
    assert ONE in volume.original
    assert TWO not in volume.original
    assert loaded.rejected == ()


def test_flight_information_regions_are_a_layer_of_their_own() -> None:
    kinds = {
        volume.airspace_type: volume.kind
        for volume in read(
            DURING,
            message(
                airspace(ONE, time_slice(box("A", airspace_type="FIR"))),
                airspace(TWO, time_slice(box("B", airspace_type="UIR"))),
                airspace(THREE, time_slice(box("C", airspace_type="TMA"))),
            ),
        ).volumes
    }
    assert kinds == {"FIR": "fir", "UIR": "fir", "TMA": "user"}


def test_a_notam_changes_limits_while_it_is_valid_and_not_after() -> None:
    data_set = message(airspace(ONE, time_slice(box("R1", more=activation("INACTIVE")))))
    changed = component(ring(geodesics()), limits("FL300", "FL400")) + activation("ACTIVE")
    notam = message(
        airspace(ONE, time_slice(changed, "TEMPDELTA", "1.0", "2020-06-01T10:00:00Z/2020-06-01T14:00:00Z"))
    )
    seen = {}
    for time in ("09:59", "10:00", "13:59", "14:00"):
        at = f"2020-06-01T{time}:00Z"
        (volume,) = read(at, data_set, notam).volumes
        seen[time] = (str(volume.upper), volume.activation.state_at(utc_ns(at)))
    outside, during = ("FL100 STD", "inactive"), ("FL400 STD", "active")
    assert seen == {"09:59": outside, "10:00": during, "13:59": during, "14:00": outside}
    (volume,) = read("2020-06-01T12:00:00Z", data_set, notam).volumes
    assert (
        volume.version == "BASELINE 1.0 2020-01-01T00:00Z/; TEMPDELTA 1.0 2020-06-01T10:00Z/2020-06-01T14:00Z"
    )
    assert volume.activation.kind == "notam"
    assert volume.activation.state_at(utc_ns("2020-06-01T14:00:00Z")) == "inactive"
    assert volume.original.count("<aixm:Airspace ") == 2
    (other_order,) = read("2020-06-01T12:00:00Z", notam, data_set).volumes
    assert other_order.digest == volume.digest


def test_a_new_area_is_there_for_its_lifetime() -> None:
    life = "2020-06-01T10:00:00Z/2020-06-01T14:00:00Z"
    notam = message(airspace(ONE, time_slice(box(), "BASELINE", "1.0", "2020-06-01T10:00:00Z", life)))
    assert read("2020-06-01T09:59:59Z", notam).volumes == ()
    (volume,) = read("2020-06-01T10:00:00Z", notam).volumes
    assert volume.activation.state_at(utc_ns("2020-06-01T13:59:59Z")) == "active"
    assert volume.activation.state_at(utc_ns("2020-06-01T14:00:00Z")) == "inactive"
    after = read("2020-06-01T14:00:00Z", notam)
    assert after.volumes == ()
    assert "1 airspaces are not there at the instant" in reasons(after.remarks)
    assert [utc_text(t)[:16] for t in aixm_change_instants([(notam, "a.xml")])] == [
        "2020-06-01T10:00",
        "2020-06-01T14:00",
    ]


def test_a_permanent_delta_gives_what_the_next_data_set_says() -> None:
    before = message(airspace(ONE, time_slice(box("R1", limits("GND", "FL100")), number="1.0")))
    delta = message(
        airspace(
            ONE,
            time_slice(
                component(ring(geodesics()), limits("GND", "FL200")),
                "PERMDELTA",
                "2.0",
                "2020-05-01T00:00:00Z",
            ),
        )
    )
    after = message(
        airspace(
            ONE, time_slice(box("R1", limits("GND", "FL200")), number="2.0", valid="2020-05-01T00:00:00Z/")
        )
    )
    at = "2020-06-01T00:00:00Z"
    (by_delta,), (by_baseline,) = read(at, before, delta).volumes, read(at, after).volumes
    assert by_delta.digest == by_baseline.digest
    (earlier,) = read("2020-04-01T00:00:00Z", before, delta).volumes
    assert str(earlier.upper) == "FL100 STD"
    assert "changes at 2020-05-01T00:00:00.000Z" in reasons(
        read("2020-04-01T00:00:00Z", before, delta).remarks
    )
    (both,) = read(at, before, delta, after).volumes
    assert both.digest == by_baseline.digest


def test_an_activation_by_schedule() -> None:
    weekdays = [
        sheet(timeReference="UTC", day=day, startTime="07:00", endTime="17:00")
        for day in ("MON", "TUE", "WED", "THU", "FRI")
    ]
    (volume,) = read(
        DURING, message(airspace(ONE, time_slice(box(more=activation("ACTIVE", *weekdays)))))
    ).volumes
    assert volume.activation.kind == "schedule"
    states = {
        time: volume.activation.state_at(utc_ns(time))
        for time in (
            "2020-06-01T06:59:59Z",
            "2020-06-01T07:00:00Z",
            "2020-06-05T16:59:59Z",
            "2020-06-06T12:00:00Z",
        )
    }
    assert list(states.values()) == ["inactive", "active", "active", "inactive"]


def test_parts_with_limits_of_their_own_become_volumes() -> None:
    east = "59 25 59 26 60 26 60 25 59 25"
    parts = component(ring(geodesics()), limits("FL50", "FL100"), "BASE", 1) + component(
        ring(geodesics(east)), limits("FL80", "FL100"), "UNION", 2
    )
    volumes = read(DURING, message(airspace(ONE, time_slice(named("C1", "CTA") + parts)))).volumes
    assert [(v.volume_id, str(v.lower)) for v in volumes] == [
        ("CTA C1/1", "FL50 STD"),
        ("CTA C1/2", "FL80 STD"),
    ]


def test_the_geometry_of_another_airspace_is_taken_by_link() -> None:
    east = "59 25 59 26 60 26 60 25 59 25"
    whole = component(depends(TWO), "", "BASE", 1) + component(depends(THREE), "", "UNION", 2)
    loaded = read(
        DURING,
        message(
            airspace(ONE, time_slice(named("T", "TMA") + whole)),
            airspace(TWO, time_slice(box("T1", airspace_type="TMA_P"))),
            airspace(THREE, time_slice(box("T2", positions=east, airspace_type="TMA_P"))),
        ),
    )
    (union,) = [volume for volume in loaded.volumes if volume.volume_id == "TMA T"]
    assert str(union.upper) == "FL100 STD"
    (outline,) = union.rings
    assert (outline[:, 1].min(), outline[:, 1].max()) == (24.0, 26.0)
    # the border that both share is gone
    assert not ((outline[:, 1] == 25.0) & (outline[:, 0] > 59.01) & (outline[:, 0] < 59.99)).any()


def test_only_the_horizontal_projection_of_another() -> None:
    flat = component(depends(TWO, "HORZ_PROJECTION"), limits("FL200", "FL300"))
    loaded = read(
        DURING, message(airspace(ONE, time_slice(named() + flat)), airspace(TWO, time_slice(box("T1"))))
    )
    assert [(v.volume_id, str(v.lower), str(v.upper)) for v in loaded.volumes] == [
        ("R R1", "FL200 STD", "FL300 STD"), ("R T1", "GND", "FL100 STD"),
    ]  # fmt: skip


def test_airspaces_of_one_name_are_told_apart() -> None:
    volumes = read(
        DURING, message(airspace(ONE, time_slice(box())), airspace(TWO, time_slice(box())))
    ).volumes
    assert [volume.volume_id for volume in volumes] == [f"R R1 {ONE}", f"R R1 {TWO}"]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        (box(heights=limits("FL200", "FL100")), "lower limit FL200 STD is not below upper limit FL100 STD"),
        (box(heights='<aixm:upperLimit>3500</aixm:upperLimit>'), "upper limit 3500 has no unit"),
        (box(positions="59 24 59 25 95 25 60 24 59 24"), "latitude 95.0, longitude 25.0 is out of range"),
        (box(positions="59 24 59 25 60 x 60 24 59 24"), "not a number: 'x'"),
        (box(positions="59 24 59 25 60 nan 60 24 59 24"), "out of range"),
        (box(positions="59 24 59 25 60 25 60"), "7 numbers are not pairs"),
        (box(positions="59 24 59 25 60 25 60 24"), "the curves do not meet"),
        (named(), "no geometry at the instant"),
        (named() + component(ring(geodesics(), srs="")), "without srsName"),
        (named() + component(ring(geodesics(), srs="urn:ogc:def:crs:EPSG::3857"), limits()), "is not read"),
        (named() + component(depends(TWO)), "leads to no airspace"),
        (named() + component(ring(geodesics()), limits(), "XOR"), "operation 'XOR' is not read"),
        (named() + component(ring(geodesics()), limits(), "SUBTR"), "SUBTR of nothing"),
        (named() + component(ring("<gml:Clothoid/>"), limits()), "a segment as Clothoid is not read"),
        (named() + component(ring('<gml:curveMember xlink:href="urn:uuid:nobody"/>'), limits()), "leads to no border or curve"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_rejected_by_place_and_reason(properties: str, reason: str) -> None:
    loaded = read(
        DURING, message(airspace(ONE, time_slice(properties)), airspace(THREE, time_slice(box("OK"))))
    )
    assert [volume.volume_id for volume in loaded.volumes] == ["R OK"]
    (rejected,) = loaded.rejected
    assert rejected.line == 2
    assert ONE in rejected.reason
    assert reason in rejected.reason


def test_a_notam_without_its_data_set_is_rejected_and_says_why() -> None:
    loaded = read(DURING, message(airspace(ONE, time_slice(activation("ACTIVE"), "TEMPDELTA"))))
    assert loaded.volumes == ()
    assert "its baseline is not in these documents" in loaded.rejected[0].reason


def test_limits_that_are_not_given_are_said() -> None:
    loaded = read(DURING, message(airspace(ONE, time_slice(box(heights="")))))
    assert loaded.volumes[0].spans_all_heights
    assert "lower limit not given" in reasons(loaded.remarks)
    assert "upper limit not given" in reasons(loaded.remarks)


def test_other_features_are_counted() -> None:
    point = airspace(
        TWO, time_slice("<aixm:name>X</aixm:name>", kind="DesignatedPoint"), kind="DesignatedPoint"
    )
    loaded = read(DURING, message(point, airspace(ONE, time_slice(box()))))
    assert str(loaded.remarks[0]) == "1 features are not airspace: '1 DesignatedPoint'"


# ---- hostile documents: one clear error ----


def chain(links: list[tuple[str, str]]) -> bytes:
    return message(*(airspace(a, time_slice(named(a[:2]) + component(depends(b)))) for a, b in links))


def number(k: int) -> str:
    return f"{k:08d}-0000-0000-0000-000000000000"


@pytest.mark.parametrize("length", [1, 2, 3, 40])
def test_links_in_a_circle_end_the_loading(length: int) -> None:
    raw = chain([(number(k), number((k + 1) % length)) for k in range(length)])
    with pytest.raises(
        AirspaceError, match=r"^a\.xml: line 2: Airspace\[0+-.*link to one another in a circle: 0+-"
    ):
        read(DURING, raw)


def test_links_too_deep_end_the_loading() -> None:
    with pytest.raises(AirspaceError, match="more than 50 deep"):
        read(DURING, chain([(number(k), number(k + 1)) for k in range(2000)]))


def test_curves_in_a_circle_are_rejected() -> None:
    looped = '<gml:CompositeCurve gml:id="c"><gml:curveMember xlink:href="#c"/></gml:CompositeCurve>'
    loaded = read(
        DURING,
        message(
            airspace(
                ONE,
                time_slice(
                    named() + component(ring(f"<gml:curveMember>{looped}</gml:curveMember>"), limits())
                ),
            )
        ),
    )
    assert "they go round in a circle" in loaded.rejected[0].reason


def comb(is_turned: bool, teeth: int) -> str:
    """A comb of teeth; turned, its teeth cross all those of the other."""
    points = [(59.0, 24.0)]
    for k in range(teeth):
        x = 24.0 + k / teeth
        points += [(59.9, x), (59.9, x + 0.5 / teeth), (59.05, x + 0.5 / teeth), (59.05, x + 1.0 / teeth)]
    points += [(59.0, 25.0), (59.0, 24.0)]
    if is_turned:
        points = [(59.0 + (lon - 24.0), 24.0 + (lat - 59.0)) for lat, lon in points]
    return " ".join(f"{lat:.9f} {lon:.9f}" for lat, lon in points)


def test_areas_whose_combination_has_no_bound_end_the_loading() -> None:
    parts = component(ring(geodesics(comb(False, 1500))), limits(), "BASE", 1) + component(
        ring(geodesics(comb(True, 1500))), limits(), "INTERS", 2
    )
    with pytest.raises(AirspaceError, match="more than 10,000,000 positions"):
        read(DURING, message(airspace(ONE, time_slice(named() + parts))))


def test_one_geometry_linked_without_end_is_counted_each_time() -> None:
    round_the_world = (
        " ".join(f"{59 + (k % 2) / 10} {24 + k / 30000}" for k in range(30_000)) + " 60 25 60 24 59 24"
    )
    linked = component(depends(ONE, "HORZ_PROJECTION"), limits())
    raw = message(
        airspace(ONE, time_slice(box(positions=round_the_world))),
        *(airspace(number(k), time_slice(named(str(k)) + linked)) for k in range(400)),
    )
    with pytest.raises(AirspaceError, match="more than 10,000,000 positions"):
        read(DURING, raw)


@pytest.mark.parametrize(
    ("raw", "message_part"),
    [
        (b"", "not well-formed XML at line"),
        (b"<a>", "not well-formed XML|expected an AIXM message"),
        (b"\x00\x01\x02", "expected XML in UTF-8"),
        ("<a/>".encode("utf-16"), "expected XML in UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "expected XML in UTF-8, got UTF-7"),
        (b"<html/>", "expected an AIXM message, got <html>"),
        (b'<AIXM-Snapshot version="4.5"/>', "expected AIXM 5.1 or 5.1.1, got AIXM-Snapshot"),
        (f"<message:AIXMBasicMessage {SPACES}/>".encode(), "no features in it"),
        (message(airspace(ONE, time_slice(box())))[:-40], "not well-formed XML at line"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "line 1: <!DOCTYPE is not read"),
        (b'<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>', "<!DOCTYPE is not read"),
        (b"<a>" * 300 + b"</a>" * 300, "not well-formed XML|expected an AIXM message"),
        (message("<b>" * 300 + "</b>" * 300), "not well-formed XML at line 2: excessive depth"),
        (message(airspace(ONE, time_slice(box(positions="1 " * 6_000_000)))), "not well-formed XML"),
    ],
)  # fmt: skip
def test_what_is_no_aixm_is_one_clear_error(raw: bytes, message_part: str) -> None:
    with pytest.raises(AirspaceError, match=f"a\\.xml: .*({message_part})"):
        read(DURING, raw)


def test_a_billion_laughs_are_not_expanded() -> None:
    laughs = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))
    bomb = f'<!DOCTYPE m [<!ENTITY l0 "ha">{laughs}]>'.encode() + message("<a>&l9;</a>")
    with pytest.raises(AirspaceError, match="DOCTYPE is not read"):
        read(DURING, bomb)


def test_files_outside_the_documents_are_not_read() -> None:
    outside = '<gml:curveMember xlink:href="file:///etc/passwd"/>'
    loaded = read(DURING, message(airspace(ONE, time_slice(named() + component(ring(outside), limits())))))
    assert "leads to no border or curve in these documents" in loaded.rejected[0].reason


def test_any_bytes_give_an_airspace_error_or_volumes() -> None:
    raw = message(
        airspace(
            ONE,
            time_slice(box(more=activation("ACTIVE", sheet(day="ANY", startTime="00:00", endTime="12:00")))),
        )
    )
    said = []
    for k in range(0, len(raw), 7):
        for changed in (
            raw[:k] + b"<" + raw[k + 1 :],
            raw[:k] + raw[k + 5 :],
            raw[:k] + b"9999999999" + raw[k:],
        ):
            try:
                load_aixm([(changed, "x.xml")], utc_ns(DURING))
            except AirspaceError as error:
                said.append(str(error))
    assert said
    assert all(text.startswith("x.xml: ") for text in said)


def test_the_same_ring_with_longitude_first() -> None:
    swapped = "24 59 25 59 25 60 24 60 24 59"
    lon_lat = component(ring(geodesics(swapped), srs="urn:ogc:def:crs:OGC:1.3:CRS84"), limits())
    (one,) = read(DURING, message(airspace(ONE, time_slice(named() + lon_lat)))).volumes
    (other,) = read(DURING, message(airspace(ONE, time_slice(box())))).volumes
    assert one.digest == other.digest


def test_a_border_is_followed_between_the_ends_of_the_curves() -> None:
    border = airspace(
        TWO,
        time_slice(f"<aixm:border><aixm:Curve srsName='urn:ogc:def:crs:EPSG::4326'>{curve(geodesics('58 25 59 25.1 59.5 25.3 60 25.2 61 25'))[len('<gml:Curve>') : -len('</gml:Curve>')]}</aixm:Curve></aixm:border>", kind="GeoBorder"),
        kind="GeoBorder",
    )  # fmt: skip
    surface = ring(
        geodesics("60 25.2 60 24 59 24 59 25.1"),
        f'<gml:curveMember xlink:href="urn:uuid:{TWO}"/>',
        geodesics("60 25.2 60 25.2"),
    )
    loaded = read(DURING, message(border, airspace(ONE, time_slice(named() + component(surface, limits())))))
    (volume,) = loaded.volumes
    places = volume.rings[0].tolist()
    assert [59.5, 25.3] in places
    assert [58.0, 25.0] not in places
    assert [61.0, 25.0] not in places
