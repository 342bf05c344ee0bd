"""Small AIXM 5.1.1 messages for tests."""

from __future__ import annotations

from collections.abc import Sequence

from airvigil.airspace.sources.aixm import load_aixm
from airvigil.airspace.sources.loaded import Loaded
from airvigil.units import utc_ns

SPACES = (
    'xmlns:message="http://www.aixm.aero/schema/5.1.1/message" xmlns:aixm="http://www.aixm.aero/schema/5.1.1" '
    'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
THREE = "33333333-3333-3333-3333-333333333333"
BOX = "59 24 59 25 60 25 60 24 59 24"  # latitude, longitude, counter-clockwise


def message(*features: str) -> bytes:
    """A message of features, one a line or more."""
    members = "\n".join(f"<message:hasMember>{feature}</message:hasMember>" for feature in features)
    return f"<message:AIXMBasicMessage {SPACES}>\n{members}\n</message:AIXMBasicMessage>".encode()


def airspace(uuid: str, *slices: str, kind: str = "Airspace") -> str:
    """A feature with time slices."""
    held = "\n".join(f"<aixm:timeSlice>{one}</aixm:timeSlice>" for one in slices)
    identifier = f'<gml:identifier codeSpace="urn:uuid:">{uuid}</gml:identifier>'
    return f'<aixm:{kind} gml:id="uuid.{uuid}">{identifier}\n{held}\n</aixm:{kind}>'


def time_slice(
    properties: str,
    interpretation: str = "BASELINE",
    number: str = "1.0",
    valid: str | None = "2020-01-01T00:00:00Z/",
    lifetime: str | None = None,
    kind: str = "Airspace",
) -> str:
    """A slice; `valid` and `lifetime` as begin/end, an instant without the slash, None for none."""
    sequence, _, correction = number.partition(".")
    valid_time = (
        '<gml:validTime nilReason="inapplicable"/>'
        if valid is None
        else f"<gml:validTime>{period(valid)}</gml:validTime>"
    )
    life = f"<aixm:featureLifetime>{period(lifetime)}</aixm:featureLifetime>" if lifetime else ""
    corrected = f"<aixm:correctionNumber>{correction}</aixm:correctionNumber>" if correction else ""
    return (
        f"<aixm:{kind}TimeSlice>{valid_time}<aixm:interpretation>{interpretation}</aixm:interpretation>"
        f"<aixm:sequenceNumber>{sequence}</aixm:sequenceNumber>{corrected}{life}{properties}</aixm:{kind}TimeSlice>"
    )


def period(text: str) -> str:
    """TimePeriod of "begin/end", open where one is missing; TimeInstant of a single time."""
    if "/" not in text:
        return f"<gml:TimeInstant><gml:timePosition>{text}</gml:timePosition></gml:TimeInstant>"
    begin, _, end = text.partition("/")
    shown = [
        f"<gml:{name}>{time}</gml:{name}>" if time else f'<gml:{name} indeterminatePosition="unknown"/>'
        for name, time in (("beginPosition", begin), ("endPosition", end))
    ]
    return f"<gml:TimePeriod>{''.join(shown)}</gml:TimePeriod>"


def named(designator: str = "R1", airspace_type: str = "R") -> str:
    """Type and designator."""
    return f"<aixm:type>{airspace_type}</aixm:type><aixm:designator>{designator}</aixm:designator>"


def limits(lower: str = "GND", upper: str = "FL100") -> str:
    """Limits of an AirspaceVolume or layer: "FL100", "2500 FT MSL", "GND", "UNL", "" for none."""
    return _limit("upper", upper) + _limit("lower", lower)


def _limit(side: str, text: str) -> str:
    if not text:
        return ""
    words = text.split()
    if text.startswith("FL") and text[2:].isdigit():
        words = [text[2:], "FL", "STD"]
    uom = f' uom="{words[1]}"' if len(words) > 1 else ' uom="FT"'
    reference = f"<aixm:{side}LimitReference>{words[2]}</aixm:{side}LimitReference>" if len(words) > 2 else ""
    return f"<aixm:{side}Limit{uom}>{words[0]}</aixm:{side}Limit>{reference}"


def ring(*segments: str, srs: str = "urn:ogc:def:crs:EPSG::4326") -> str:
    """A surface with one ring of curves, a curve a segment."""
    curves = "".join(
        segment
        if segment.startswith("<gml:curveMember")
        else f"<gml:curveMember>{curve(segment)}</gml:curveMember>"
        for segment in segments
    )
    name = f' srsName="{srs}"' if srs else ""
    patch = f"<gml:PolygonPatch><gml:exterior><gml:Ring>{curves}</gml:Ring></gml:exterior></gml:PolygonPatch>"
    return f"<aixm:Surface{name}><gml:patches>{patch}</gml:patches></aixm:Surface>"


def curve(segment: str) -> str:
    """A curve of one segment."""
    return f"<gml:Curve><gml:segments>{segment}</gml:segments></gml:Curve>"


def geodesics(positions: str = BOX, name: str = "GeodesicString") -> str:
    """A segment of positions."""
    return f"<gml:{name}><gml:posList>{positions}</gml:posList></gml:{name}>"


def component(geometry: str, heights: str = "", operation: str = "", sequence: int = 0) -> str:
    """A geometry component: of a surface, or of a dependency as made by `depends`."""
    inner = (
        geometry
        if "contributorAirspace" in geometry or "centreline" in geometry
        else f"<aixm:horizontalProjection>{geometry}</aixm:horizontalProjection>"
    )
    ranked = (f"<aixm:operation>{operation}</aixm:operation>" if operation else "") + (
        f"<aixm:operationSequence>{sequence}</aixm:operationSequence>" if sequence else ""
    )
    volume = f"<aixm:AirspaceVolume>{heights}{inner}</aixm:AirspaceVolume>"
    return (
        f"<aixm:geometryComponent><aixm:AirspaceGeometryComponent>{ranked}<aixm:theAirspaceVolume>{volume}"
        "</aixm:theAirspaceVolume></aixm:AirspaceGeometryComponent></aixm:geometryComponent>"
    )


def depends(uuid: str, dependency: str = "FULL_GEOMETRY") -> str:
    """The geometry of another airspace."""
    return (
        f"<aixm:contributorAirspace><aixm:AirspaceVolumeDependency><aixm:dependency>{dependency}</aixm:dependency>"
        f'<aixm:theAirspace xlink:href="urn:uuid:{uuid}"/></aixm:AirspaceVolumeDependency></aixm:contributorAirspace>'
    )


def activation(status: str, *timesheets: str, levels: str = "") -> str:
    """An activation property."""
    intervals = "".join(
        f"<aixm:timeInterval><aixm:Timesheet>{sheet}</aixm:Timesheet></aixm:timeInterval>"
        for sheet in timesheets
    )
    layer = f"<aixm:levels><aixm:AirspaceLayer>{levels}</aixm:AirspaceLayer></aixm:levels>" if levels else ""
    held = f"{intervals}<aixm:status>{status}</aixm:status>{layer}"
    return f"<aixm:activation><aixm:AirspaceActivation>{held}</aixm:AirspaceActivation></aixm:activation>"


def sheet(**words: str) -> str:
    """The inside of a timesheet: day="MON", startTime="07:00" ..."""
    return "".join(f"<aixm:{name}>{text}</aixm:{name}>" for name, text in words.items())


def box(
    designator: str = "R1",
    heights: str | None = None,
    more: str = "",
    positions: str = BOX,
    airspace_type: str = "R",
) -> str:
    """The properties of an airspace with one ring of geodesics."""
    geometry = component(ring(geodesics(positions)), limits() if heights is None else heights)
    return named(designator, airspace_type) + geometry + more


def read(at: str, *documents: bytes) -> Loaded:
    """Documents named a.xml, b.xml ... at an instant."""
    return load_aixm(
        [(raw, f"{name}.xml") for raw, name in zip(documents, "abcdefgh", strict=False)], utc_ns(at)
    )


def reasons(remarks: Sequence[object]) -> str:
    """All remarks as one text."""
    return "\n".join(str(remark) for remark in remarks)
