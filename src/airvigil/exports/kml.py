"""`incidents.kml` (OGC KML 2.3 with the gx extension): a folder an incident, a gx:Track a member.

- Times are in `when`, places in `gx:coord`; without a known height the track clings to the ground,
  and says so: a height of 0 would be an invention.
- Heights above the ellipsoid are written as they are. KML counts from the EGM96 geoid; the two part
  by up to 100 m, which the description states.
- A reconstruction has the word in the document's, every folder's and every track's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import shapely

from airvigil.exports.geojson import ATTRIBUTION, RECONSTRUCTION, incident_band
from airvigil.exports.run_view import Event, Run, read_run
from airvigil.exports.svg import clean
from airvigil.exports.track_pieces import MemberTrack, member_tracks
from airvigil.exports.wording import iso_from_ns, known, member_name, volume_text

KML = "http://www.opengis.net/kml/2.2"
GX = "http://www.google.com/kml/ext/2.2"
_FACTS = (
    "outcome",
    "volume",
    "duration_s",
    "max_depth_m",
    "max_depth_sigma_m",
    "max_depth_is_bound",
    "p_inside_max",
    "robustness_radius_m",
)

ET.register_namespace("", KML)
ET.register_namespace("gx", GX)


def incidents_kml(events: Iterable[Event], points: pa.Table, margins: pa.Table) -> bytes:
    """All incidents of a run as a KML document."""
    run = read_run(events, points, margins)
    root = ET.Element(f"{{{KML}}}kml")
    document = _add(root, "Document")
    _add(document, "name", _label("Airvigil incidents", run.is_reconstruction))
    _add(document, "description", ATTRIBUTION + (f". {RECONSTRUCTION}." if run.is_reconstruction else "."))
    # aabbggrr; vermilion inside, blue outside: told apart by colour-blind readers too
    _style(document, "inside", line="ff1d40b3", width=4)
    _style(document, "outside", line="ffad5c0b", width=2)
    _style(document, "band", line="801d40b3", width=1, fill="401d40b3")
    for incident in run.incidents:
        _folder(document, run, incident)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _label(name: str, is_made: bool) -> str:
    return f"RECONSTRUCTION: {name}" if is_made else name


def _add(parent: ET.Element, name: str, text: object = None, *, space: str = KML) -> ET.Element:
    child = ET.SubElement(parent, f"{{{space}}}{name}")
    if text is not None:
        child.text = clean(text)
    return child


def _style(document: ET.Element, name: str, *, line: str, width: int, fill: str | None = None) -> None:
    style = _add(document, "Style")
    style.set("id", name)
    line_style = _add(style, "LineStyle")
    _add(line_style, "color", line)
    _add(line_style, "width", width)
    if fill is not None:
        _add(_add(style, "PolyStyle"), "color", fill)


def _folder(document: ET.Element, run: Run, incident: Event) -> None:
    is_made = bool(incident.get("reconstruction"))
    folder = _add(document, "Folder")
    _add(
        folder,
        "name",
        _label(f"{incident.get('incident_id')}: {incident.get('outcome')}, {volume_text(incident)}", is_made),
    )
    for member_track in member_tracks(run, incident):
        name = member_name(member_track.member)
        facts = {key: incident.get(key) for key in _FACTS} | {
            key: member_track.member.get(key) for key in ("track_id", "icao24", "callsign", "identity")
        }
        facts["reconstruction"] = "true" if is_made else "false"
        for piece in member_track.pieces:
            where = "inside" if piece.inside else "outside"
            placemark = _placemark(folder, _label(f"{name}, {where}", is_made), where, facts)
            _track(
                placemark,
                piece.time_ns.tolist(),
                piece.longitude_deg,
                piece.latitude_deg,
                piece.geometric_height_m,
            )
        _ends(folder, member_track, name, facts, is_made=is_made)
        band = incident_band(member_track)
        if band is not None:
            _polygons(_placemark(folder, _label(f"{name}, ±2 sigma", is_made), "band", facts), band)


def _placemark(folder: ET.Element, name: str, style: str, facts: Mapping[str, Any]) -> ET.Element:
    placemark = _add(folder, "Placemark")
    _add(placemark, "name", name)
    _add(placemark, "styleUrl", f"#{style}")
    extended = _add(placemark, "ExtendedData")
    for key, value in facts.items():
        if value is not None:
            entry = _add(extended, "Data")
            entry.set("name", key)
            _add(entry, "value", value)
    return placemark


def _track(placemark: ET.Element, times_ns: list[int], longitude: Any, latitude: Any, height: Any) -> None:
    has_height = bool(np.isfinite(height).all())
    track = _add(placemark, "Track", space=GX)
    _add(track, "altitudeMode", "absolute" if has_height else "clampToGround")
    for instant in times_ns:
        _add(track, "when", iso_from_ns(instant))
    for lon, lat, h in zip(longitude.tolist(), latitude.tolist(), height.tolist(), strict=True):
        _add(track, "coord", f"{lon:.7f} {lat:.7f} {h if has_height else 0:.1f}", space=GX)


def _ends(
    folder: ET.Element, member_track: MemberTrack, name: str, facts: Mapping[str, Any], *, is_made: bool
) -> None:
    for role in ("entry", "exit"):
        end = member_track.member.get(role) or {}
        longitude, latitude = known(end.get("longitude_deg")), known(end.get("latitude_deg"))
        if longitude is None or latitude is None:
            continue
        about = {**facts, "kind": end.get("kind"), "sigma_s": end.get("sigma_s")}
        placemark = _placemark(folder, _label(f"{name}, {role}", is_made), "inside", about)
        stamp = ET.Element(f"{{{KML}}}TimeStamp")
        _add(stamp, "when", end.get("time"))
        placemark.insert(1, stamp)
        point = _add(placemark, "Point")
        _add(point, "coordinates", f"{longitude:.7f},{latitude:.7f}")


def _polygons(placemark: ET.Element, band: Mapping[str, Any]) -> None:
    geometry = _add(placemark, "MultiGeometry")
    for part in shapely.get_parts(shapely.geometry.shape(band)):
        polygon = _add(geometry, "Polygon")
        rings = shapely.get_rings(part)
        for ring, side in zip(
            rings, ["outerBoundaryIs"] + ["innerBoundaryIs"] * (len(rings) - 1), strict=True
        ):
            line = _add(_add(polygon, side), "LinearRing")
            _add(
                line,
                "coordinates",
                " ".join(f"{x:.7f},{y:.7f}" for x, y in shapely.get_coordinates(ring).tolist()),
            )
