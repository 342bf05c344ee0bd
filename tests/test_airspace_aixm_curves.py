"""Curves of AIXM surfaces against GeographicLib."""

from __future__ import annotations

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.airspace.sources.loaded import Loaded
from airvigil.airspace.volumes import Volume
from made_aixm import (
    ONE,
    airspace,
    component,
    curve,
    geodesics,
    limits,
    message,
    named,
    read,
    reasons,
    ring,
    time_slice,
)

CENTRE = (60.0, 25.0)


def load(*segments: str, **options: str) -> Loaded:
    surface = ring(*segments, **options)
    return read("2020-06-01", message(airspace(ONE, time_slice(named() + component(surface, limits())))))


def volume_of(*segments: str, **options: str) -> Volume:
    loaded = load(*segments, **options)
    assert loaded.rejected == ()
    return loaded.volumes[0]


def polar(place: np.ndarray | tuple[float, float]) -> tuple[float, float]:
    """Distance from the centre and bearing."""
    leg = Geodesic.WGS84.Inverse(*CENTRE, *np.asarray(place).tolist())
    return leg["s12"], leg["azi1"] % 360.0


def place(bearing: float, metres: float) -> str:
    at = Geodesic.WGS84.Direct(*CENTRE, bearing, metres)
    return f"{at['lat2']} {at['lon2']}"


def arc(start: float, end: float, radius: str = "10", uom: str = "NM", centre: str = "60 25") -> str:
    return (
        f'<gml:ArcByCenterPoint numArc="1"><gml:pos>{centre}</gml:pos><gml:radius uom="{uom}">{radius}</gml:radius>'
        f'<gml:startAngle uom="deg">{start}</gml:startAngle><gml:endAngle uom="deg">{end}</gml:endAngle></gml:ArcByCenterPoint>'
    )


@pytest.mark.parametrize(
    ("radius", "uom", "metres"),
    [("10", "NM", 18520.0), ("10.0", "[nmi_i]", 18520.0), ("5", "km", 5000.0), ("900", "M", 900.0)],
)
def test_a_circle(radius: str, uom: str, metres: float) -> None:
    circle = f'<gml:CircleByCenterPoint><gml:posList>60 25</gml:posList><gml:radius uom="{uom}">{radius}</gml:radius></gml:CircleByCenterPoint>'
    volume = volume_of(circle)
    assert volume.edges_written == ("circle",)
    assert max(abs(polar(p)[0] - metres) for p in volume.rings[0]) < 0.01


def test_an_arc_runs_clockwise_from_north_where_latitude_is_first() -> None:
    volume = volume_of(
        geodesics(f"60 25 {place(270.0, 18520.0)}"),
        arc(270.0, 497.0),
        geodesics(f"{place(137.0, 18520.0)} 60 25"),
    )
    bearings = sorted(polar(p)[1] for p in volume.rings[0] if polar(p)[0] > 18_000.0)
    assert all(b < 137.01 or b > 269.99 for b in bearings)
    assert (volume.edges_written, volume.edge_kind) == (("arc", "geodesic"), "geodesic")


def test_an_arc_with_falling_angles_runs_the_other_way() -> None:
    volume = volume_of(
        geodesics(f"60 25 {place(90.0, 18520.0)}"),
        arc(90.0, 30.0),
        geodesics(f"{place(30.0, 18520.0)} 60 25"),
    )
    bearings = [polar(p)[1] for p in volume.rings[0] if polar(p)[0] > 18_000.0]
    assert min(bearings) > 29.99
    assert max(bearings) < 90.01


def test_an_arc_runs_from_east_counter_clockwise_where_longitude_is_first() -> None:
    def swapped(text: str) -> str:
        words = text.split()
        return " ".join(f"{lon} {lat}" for lat, lon in zip(words[::2], words[1::2], strict=True))

    volume = volume_of(
        geodesics(swapped(f"60 25 {place(90.0, 18520.0)}")),
        arc(0.0, 60.0, centre="25 60"),
        geodesics(swapped(f"{place(30.0, 18520.0)} 60 25")),
        srs="CRS84",
    )
    bearings = [polar(p)[1] for p in volume.rings[0] if polar(p)[0] > 18_000.0]
    assert min(bearings) > 29.99
    assert max(bearings) < 90.01


def test_an_arc_through_three_places_has_its_centre_where_they_are_as_far() -> None:
    three = geodesics(f"{place(0.0, 30000.0)} {place(80.0, 30000.0)} {place(200.0, 30000.0)}", "Arc")
    volume = volume_of(three, geodesics(f"{place(200.0, 30000.0)} 60 25 {place(0.0, 30000.0)}"))
    far = [polar(p) for p in volume.rings[0] if polar(p)[0] > 1.0]
    assert max(abs(radius - 30000.0) for radius, _ in far) < 0.01
    assert all(bearing < 200.1 or bearing > 359.9 for _, bearing in far)


def test_a_straight_segment_follows_the_parallel() -> None:
    volume = volume_of(geodesics("59 20 59 25", "LineStringSegment"), geodesics("59 25 60 25 60 20 59 20"))
    south = volume.rings[0][volume.rings[0][:, 0] < 59.001]
    assert len(south) > 30
    assert (south[:, 0] == 59.0).all()
    assert volume.edges_written == ("geodesic", "lonlat")


def test_straight_segments_alone_stay_as_they_are() -> None:
    volume = volume_of(geodesics("59 20 59 25 60 25 60 20 59 20", "LineStringSegment"))
    assert (volume.edge_kind, len(volume.rings[0])) == ("lonlat", 5)


def test_a_small_gap_is_closed_and_said_a_large_one_refused() -> None:
    loaded = load(geodesics("59 24 59 25 60 25"), geodesics("60.0005 25 60 24 59 24"))
    assert "a gap of 56 m between two curves at 60.00000, 25.00000" in reasons(loaded.remarks)
    loaded = load(geodesics("59 24 59 25 60 25"), geodesics("60.1 25 60 24 59 24"))
    missing = Geodesic.WGS84.Inverse(60.0, 25.0, 60.1, 25.0)["s12"]
    assert (
        f"the curves do not meet at 60.00000, 25.00000: {missing:,.0f} m are missing"
        in loaded.rejected[0].reason
    )


def test_a_curve_that_is_turned_round() -> None:
    reverse = f'<gml:curveMember><gml:OrientableCurve orientation="-"><gml:baseCurve>{curve(geodesics("59 24 60 24 60 25"))}</gml:baseCurve></gml:OrientableCurve></gml:curveMember>'
    volume = volume_of(geodesics("59 24 59 25 60 25"), reverse)
    assert volume.digest == volume_of(geodesics()).digest


def test_a_hole_and_several_patches() -> None:
    outer, inner = "59 24 59 25 60 25 60 24 59 24", "59.4 24.4 59.4 24.6 59.6 24.6 59.6 24.4 59.4 24.4"
    rings = "".join(
        f"<gml:{name}><gml:LinearRing><gml:posList>{text}</gml:posList></gml:LinearRing></gml:{name}>"
        for name, text in (("exterior", outer), ("interior", inner))
    )
    far = f"<gml:exterior><gml:LinearRing><gml:posList>{outer.replace('24', '28').replace('25', '29')}</gml:posList></gml:LinearRing></gml:exterior>"
    surface = f'<aixm:Surface srsName="urn:ogc:def:crs:EPSG::4326"><gml:patches><gml:PolygonPatch>{rings}</gml:PolygonPatch><gml:PolygonPatch>{far}</gml:PolygonPatch></gml:patches></aixm:Surface>'
    loaded = read("2020-06-01", message(airspace(ONE, time_slice(named() + component(surface, limits())))))
    assert len(loaded.volumes[0].rings) == 3


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        (arc(10.0, 10.0), "an arc from 10 to 10 degrees"),
        (arc(0.0, 900.0), "an arc from 0 to 900 degrees"),
        (arc(0.0, 90.0, uom="ells"), "radius '10' 'ells' is not a length"),
        (arc(0.0, 90.0, radius="99999"), "expected a radius above 0 and up to"),
        (arc(0.0, 90.0, radius="-1"), "radius '-1' 'NM' is not a length"),
        (geodesics("59 24 59.5 24 60 24", "Arc"), "three places in one line"),
        (geodesics("59 24 59 25", "ArcByBulge"), "a segment as ArcByBulge is not read"),
    ],
)
def test_what_is_no_curve(segment: str, reason: str) -> None:
    assert reason in load(segment).rejected[0].reason
