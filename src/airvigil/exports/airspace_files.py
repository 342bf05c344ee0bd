"""Volumes as files for other programs: KML, OpenAir, CSV. Our own GeoJSON, which loses nothing, is `airspace.normalised`.

What a format cannot say is said beside it: each function gives the bytes and what was lost, in words.
- OpenAir has no holes and one outline an airspace: a volume of several becomes several, one with holes is left out. Its straight edges are read
  as geodesics: those of a `lonlat` volume are cut to within CUT_M.
- KML draws geodesics, and heights above the geoid only: limits are written in words, and the outline lies on the ground.
- CSV is a list without outlines.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.boundaries import describe
from airvigil.airspace.sources.normalised import polygons_of
from airvigil.airspace.sources.openair_words import ALWAYS_NS
from airvigil.airspace.sources.outlines import sampled
from airvigil.airspace.volumes import Volume
from airvigil.exports.svg import clean
from airvigil.units import M_PER_FT, MEAN_EARTH_RADIUS_M, utc_text

KML = "http://www.opengis.net/kml/2.2"
CUT_M = 1.0  # between a lonlat edge and the geodesics that stand for it
EXPORTS = ("geojson", "kml", "openair", "csv")
_COLUMNS = (
    "volume_id", "name", "kind", "states", "airspace_class", "airspace_type", "lower_limit", "lower_limit_m", "lower_reference",
    "upper_limit", "upper_limit_m", "upper_reference", "activation", "may_enter", "edge_kind", "vertices", "south_deg", "west_deg",
    "north_deg", "east_deg", "source", "version", "place", "digest",
)  # fmt: skip

Written = tuple[bytes, list[str]]


def volumes_csv(volumes: Sequence[Volume]) -> Written:
    """One row a volume, with a header; UTF-8, CRLF (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for volume in volumes:
        facts = describe(volume)
        facts["states"] = " ".join(facts["states"])
        writer.writerow(["" if facts[column] is None else facts[column] for column in _COLUMNS])
    return out.getvalue().encode(), ["a list has no outlines"] if volumes else []


def volumes_kml(volumes: Sequence[Volume]) -> Written:
    """A KML document, a Placemark a volume; `kml_volumes` reads its limits back."""
    ET.register_namespace("", KML)
    root = ET.Element(f"{{{KML}}}kml")
    document = _add(root, "Document")
    for volume in volumes:
        mark = _add(document, "Placemark")
        _add(mark, "name", volume.name)
        extended = _add(mark, "ExtendedData")
        stated = {
            "id": volume.volume_id,
            "kind": volume.kind,
            "class": volume.airspace_class,
            "type": volume.airspace_type,
            "lower_limit": _limit_words(volume.lower),
            "upper_limit": _limit_words(volume.upper),
            "activation": volume.activation.text or volume.activation.kind,
            "may_enter": volume.may_enter,
            "source": volume.source,
            "version": volume.version,
        }
        for key, value in stated.items():
            if value:
                entry = _add(extended, "Data")
                entry.set("name", key)
                _add(entry, "value", value)
        geometry = _add(mark, "MultiGeometry")
        for indices in polygons_of(volume.rings):
            polygon = _add(geometry, "Polygon")
            _add(polygon, "tessellate", "1")
            for number, index in enumerate(indices):
                side = _add(polygon, "innerBoundaryIs" if number else "outerBoundaryIs")
                line = _add(side, "LinearRing")
                places = _as_geodesics(volume.rings[index], volume.edge_kind).tolist()
                _add(line, "coordinates", " ".join(f"{lon:.9f},{lat:.9f}" for lat, lon in places))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    scheduled = sum(volume.activation.kind != "permanent" for volume in volumes)
    lost = [f"activation of {scheduled} volumes is in words only"] if scheduled else []
    return content + b"\n", lost


def volumes_openair(volumes: Sequence[Volume]) -> Written:
    """An OpenAir file, version 2.1."""
    lines = ["*VERSION: 2.1", "*WRITTEN_BY: Airvigil", ""]
    holed, several, unsaid = [], [], []
    for volume in volumes:
        polygons = polygons_of(volume.rings)
        if any(len(polygon) > 1 for polygon in polygons):
            holed.append(volume.volume_id)
            continue
        if len(polygons) > 1:
            several.append(volume.volume_id)
        if volume.may_enter or (volume.activation.kind == "schedule" and not _intervals(volume)):
            unsaid.append(volume.volume_id)
        for number, polygon in enumerate(polygons, start=1):
            lines += _openair_block(volume, polygon[0], "" if len(polygons) == 1 else f" ({number})")
    lost = [
        f"{what}: {', '.join(ids[:20])}{' ...' if len(ids) > 20 else ''}"
        for what, ids in (
            ("left out, for OpenAir has no holes", holed),
            ("several outlines, written as several airspaces", several),
            ("who may enter or when is not written", unsaid),
        )
        if ids
    ]
    return "\r\n".join([*lines, ""]).encode(), lost


def _openair_block(volume: Volume, index: int, suffix: str) -> list[str]:
    words = volume.airspace_type or "NONE"
    block = [
        f"AC {volume.airspace_class or 'UNC'}",
        f"AY {' '.join(words.split())}",
        f"AN {' '.join(volume.name.split())}{suffix}",
        f"AI {' '.join(volume.volume_id.split())}{suffix}",
    ]
    block += [f"AA {interval}" for interval in _intervals(volume)]
    if volume.activation.kind in ("notam", "unknown"):
        block.append("AA NONE")
    block += [f"AH {_openair_limit(volume.upper)}", f"AL {_openair_limit(volume.lower)}"]
    ring = _as_geodesics(volume.rings[index], volume.edge_kind)
    block += [f"DP {_dms(lat, 'NS')} {_dms(lon, 'EW')}" for lat, lon in ring.tolist()]
    return [*block, ""]


def _intervals(volume: Volume) -> list[str]:
    """Windows as AA writes them; none if one of them keeps to hours or days, which AA cannot say."""
    texts = []
    for window in volume.activation.windows:
        if (window.from_s, window.to_s, len(window.weekdays)) != (0, 86_400, 7):
            return []
        start, end = (
            "NONE" if abs(instant) == ALWAYS_NS else utc_text(instant)[:16] + "Z"
            for instant in (window.start_ns, window.end_ns)
        )
        texts.append(f"{start}/{end}")
    return texts


def _limit_words(limit: Limit) -> str:
    """A limit as `parse_limit` reads it, whatever its source wrote."""
    if math.isinf(limit.height_m):
        return "UNL" if limit.height_m > 0.0 else "SFC"
    if limit.reference == "STD" and (limit.height_m / M_PER_FT / 100.0) % 1.0 < 1e-6:
        return f"FL{limit.height_m / M_PER_FT / 100.0:.0f}"
    words = {"MSL": "AMSL", "SFC": "AGL"}
    return f"{_trimmed(limit.height_m / M_PER_FT)} ft {words.get(limit.reference, limit.reference)}"


def _openair_limit(limit: Limit) -> str:
    if math.isinf(limit.height_m):
        return "UNL" if limit.height_m > 0.0 else "GND"
    return _limit_words(limit).replace(" ft", "ft")


def _trimmed(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _dms(angle_deg: float, letters: str) -> str:
    """Degrees, minutes and seconds to four decimals: 3 mm."""
    ticks = round(abs(angle_deg) * 36_000_000)
    degrees, rest = divmod(ticks, 36_000_000)
    minutes, rest = divmod(rest, 600_000)
    width = 2 if letters == "NS" else 3
    return f"{degrees:0{width}d}:{minutes:02d}:{rest / 10_000:07.4f} {letters[angle_deg < 0.0]}"


def _as_geodesics(ring: NDArray[np.float64], edge_kind: str) -> NDArray[np.float64]:
    """Corners between which geodesics keep to the ring's edges within CUT_M."""
    if edge_kind == "geodesic":
        return ring
    # a lonlat edge of length L parts from the geodesic by about L^2 tan(lat) / 8R
    steepest = math.tan(math.radians(min(float(np.abs(ring[:, 0]).max()), 85.0)))
    return sampled(ring, "lonlat", math.sqrt(8.0 * MEAN_EARTH_RADIUS_M * CUT_M / max(steepest, 0.1)))


def _add(parent: ET.Element, name: str, text: object = None) -> ET.Element:
    child = ET.SubElement(parent, f"{{{KML}}}{name}")
    if text is not None:
        child.text = clean(text)
    return child
