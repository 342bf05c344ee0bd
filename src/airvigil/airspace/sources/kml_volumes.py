"""KML polygons as volumes (OGC 07-147r2, KML 2.2): a Placemark with a Polygon, or several in a MultiGeometry, is one volume.

Rules
- Limits come from ExtendedData, by the names in `LIMIT_NAMES`; a bare number there is not a limit.
- Without them the geometry says it, where it does so clearly: extruded to the ground from one `absolute` height is ground to that height above mean
  sea level (EGM96 by the standard), from one `relativeToGround` height it is above ground; clamped to the ground it has no limits, and
  a remark says so. A plate at a height, or a polygon that is a wall or a roof, bounds no volume by itself: rejected, with its line.
- Edges are geodesics: clause 6.3 projects the straight line between two corners on the Earth from its centre.
- ExtendedData also gives `id`, `kind`, `class`, `type`, `may_enter` and `activation`, of which only "permanent" and "H24" are understood.
- Otherwise ids come from the Placemark's `id`, else its name.
- Nothing is fetched and nothing is expanded: a document type or an entity declaration is refused; depth, elements and positions are bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.activation import PERMANENT, Activation
from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit, parse_limit
from airvigil.airspace.sources.antimeridian import within_longitudes
from airvigil.airspace.sources.geojson import FIR_TYPES
from airvigil.airspace.sources.loaded import Loaded, Remark, with_unique_ids
from airvigil.airspace.sources.openair_words import CLASSES
from airvigil.airspace.volumes import VOLUME_KINDS, Volume, make_volume
from airvigil.errors import AirspaceError

MAX_DEPTH = 100
MAX_ELEMENTS = 3_000_000
MAX_POSITIONS = 3_000_000
MAX_TEXT = 100_000_000
LIMIT_NAMES = {
    "lower": ("lower_limit", "lower", "floor", "lowerlimit", "min_altitude"),
    "upper": ("upper_limit", "upper", "ceiling", "upperlimit", "max_altitude"),
}
_TEXTS = frozenset({"name", "coordinates", "altitudeMode", "extrude", "value", "SimpleData"})
_GROUND_MODES = frozenset({"", "clampToGround", "clampToSeaFloor"})


@dataclass
class _Polygon:
    line: int
    rings: list[tuple[int, str]] = field(
        default_factory=list
    )  # line and coordinates; the first is the outer one
    mode: str = ""
    is_extruded: bool = False


@dataclass
class _Placemark:
    line: int
    given_id: str
    name: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    polygons: list[_Polygon] = field(default_factory=list)


def load_kml(
    raw: bytes, name: str, *, kind: str | None = None, edge_kind: str | None = None, version: str = ""
) -> Loaded:
    """Volumes from the bytes of a KML document.

    Args:
        raw: the document; a KMZ is unpacked by whoever read it.
        name: the file's name, for messages and as the volumes' source.
        kind: of all volumes, if the document's own word is not wanted.
        edge_kind: of all edges, if not geodesic.
        version: the volumes' version; the digest of `raw` by itself.

    Raises:
        AirspaceError: not XML, hostile XML, or larger than any real file.
    """
    reader = _Reader(name)
    reader.read(raw)
    version = version or f"file SHA-256 {hashlib.sha256(raw).hexdigest()}"
    volumes: list[Volume] = []
    rejected: list[Remark] = []
    remarks: list[Remark] = []
    for mark in reader.marks:
        try:
            volume = _volume(mark, name, version, kind, edge_kind or "geodesic")
        except AirspaceError as error:
            rejected.append(Remark(mark.line, str(error), mark.name))
            continue
        if volume.spans_all_heights and not _has_limits(mark):
            remarks.append(Remark(mark.line, "no limits are given: it spans all heights", mark.name))
        volumes.append(volume)
    if reader.others:
        remarks.append(Remark(0, f"{reader.others} placemarks have no polygon"))
    unique, changed = with_unique_ids(volumes)
    if changed:
        remarks.append(Remark(0, f"{changed} ids were there already and got a number behind them"))
    return Loaded("kml", unique, tuple(rejected), tuple(remarks))


class _Reader:
    """Placemarks with polygons, and how many have none, by expat's events."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: list[_Placemark] = []
        self.others = 0
        self._depth = self._elements = self._kept = 0
        self._open: list[_Placemark] = []
        self._polygon: _Polygon | None = None
        self._ring_line = 0
        self._datum = ""
        self._text: list[str] | None = None
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._refuse_declaration
        self._parser.EntityDeclHandler = self._refuse_declaration

    def read(self, raw: bytes) -> None:
        """The whole document into `marks`.

        Raises:
            AirspaceError: with the line.
        """
        try:
            self._parser.Parse(raw, True)
        except expat.ExpatError as error:
            raise AirspaceError(f"{self.name}: not XML at line {error.lineno}: {error}") from error
        except (LookupError, ValueError) as error:
            raise AirspaceError(f"{self.name}: not XML ({error})") from error

    def _refuse_declaration(self, *_: object) -> None:
        raise AirspaceError(
            f"{self.name}: line {self._parser.CurrentLineNumber}: a document type or entity declaration",
            hint="KML has none; remove it",
        )

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        line = self._parser.CurrentLineNumber
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise AirspaceError(
                f"{self.name}: line {line}: more than {MAX_DEPTH} levels or {MAX_ELEMENTS:,} elements"
            )
        local = tag.rpartition(" ")[2]
        if local == "Placemark":
            self._open.append(_Placemark(line, attributes.get("id", "")))
        elif local == "Polygon" and self._open:
            self._polygon = _Polygon(line)
            self._open[-1].polygons.append(self._polygon)
        elif local in ("Data", "SimpleData"):
            self._datum = attributes.get("name", "")
        elif local == "coordinates":
            self._ring_line = line
        if local in _TEXTS:
            self._text = []

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._kept += len(text)
            if self._kept > MAX_TEXT:
                raise AirspaceError(f"{self.name}: more than {MAX_TEXT:,} characters")
            self._text.append(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        local = tag.rpartition(" ")[2]
        if local == "Placemark" and self._open:
            mark = self._open.pop()
            if mark.polygons:
                self.marks.append(mark)
            else:
                self.others += 1
        elif local == "Polygon":
            self._polygon = None
        if local in _TEXTS and self._text is not None:
            self._keep(local, "".join(self._text).strip())
            self._text = None

    def _keep(self, local: str, text: str) -> None:
        if not self._open:
            return
        mark, polygon = self._open[-1], self._polygon
        if local in ("value", "SimpleData"):
            if self._datum:
                mark.properties.setdefault(self._datum.strip().lower(), text)
        elif local == "name" and polygon is None:
            mark.name = mark.name or text
        elif polygon is not None:
            if local == "coordinates":
                polygon.rings.append((self._ring_line, text))
            elif local == "altitudeMode":
                polygon.mode = text
            elif local == "extrude":
                polygon.is_extruded = text in ("1", "true")


def _has_limits(mark: _Placemark) -> bool:
    return any(name in mark.properties for names in LIMIT_NAMES.values() for name in names)


def _volume(mark: _Placemark, source: str, version: str, kind: str | None, edge_kind: str) -> Volume:
    rings: list[NDArray[np.float64]] = []
    heights: list[NDArray[np.float64]] = []
    for polygon in mark.polygons:
        pairs = [_ring(text, line) for line, text in polygon.rings]
        if not pairs:
            raise AirspaceError("a polygon without coordinates")
        rings += within_longitudes([ring for ring, _ in pairs], edge_kind)
        heights += [height for _, height in pairs]
    lower, upper = _limits(mark, np.concatenate(heights))
    words = mark.properties
    airspace_type = words.get("type", words.get("airspace_type", ""))
    stated = words.get("kind", "")
    airspace_class = words.get("class", words.get("airspace_class", "")).upper()
    own = "fir" if airspace_type.upper() in FIR_TYPES else stated if stated in VOLUME_KINDS else "user"
    return make_volume(
        words.get("id") or mark.given_id or mark.name or f"line {mark.line}",
        rings,
        name=mark.name,
        kind=kind or own,
        lower=lower,
        upper=upper,
        airspace_class=airspace_class if airspace_class in CLASSES else "",
        airspace_type=airspace_type,
        activation=_activation(words.get("activation", "")),
        may_enter=words.get("may_enter", ""),
        edge_kind=edge_kind,
        source=source,
        version=version,
        place=f"line {mark.line}",
    )


def _activation(text: str) -> Activation:
    """What ExtendedData says of when it exists; any words but these two are not understood."""
    return PERMANENT if text.lower() in ("", "permanent", "h24") else Activation("unknown", (), text)


def _ring(text: str, line: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude (n, 2), closed, and heights (n,), 0 where there is none."""
    words = text.split()
    if len(words) > MAX_POSITIONS:
        raise AirspaceError(f"line {line}: more than {MAX_POSITIONS:,} positions")
    positions = []
    for word in words:
        parts = word.split(",")
        try:
            numbers = [float(part) for part in parts]
        except ValueError:
            numbers = []
        if not 2 <= len(numbers) <= 3:
            raise AirspaceError(f"line {line}: expected longitude,latitude[,height], got {word[:60]!r}")
        positions.append((numbers[1], numbers[0], numbers[2] if len(numbers) == 3 else 0.0))
    array = np.array(positions, dtype=np.float64).reshape(-1, 3)
    if not (
        np.isfinite(array).all()
        and (np.abs(array[:, 0]) <= 90.0).all()
        and (np.abs(array[:, 1]) <= 540.0).all()
    ):
        raise AirspaceError(f"line {line}: a position out of range")
    if len(array) and (array[0, :2] != array[-1, :2]).any():
        array = np.concatenate([array, array[:1]])
    if len(array) < 4:
        raise AirspaceError(f"line {line}: expected at least 3 corners, got {max(len(array) - 1, 0)}")
    return np.ascontiguousarray(array[:, :2]), array[:, 2]


def _limits(mark: _Placemark, heights: NDArray[np.float64]) -> tuple[Limit, Limit]:
    if _has_limits(mark):
        return _stated(mark, "lower", NO_LOWER), _stated(mark, "upper", NO_UPPER)
    modes = {polygon.mode for polygon in mark.polygons}
    if modes <= _GROUND_MODES:
        return NO_LOWER, NO_UPPER
    references = {"absolute": "MSL", "relativeToGround": "SFC"}
    mode = next(iter(modes))
    if len(modes) > 1 or mode not in references:
        raise AirspaceError(f"altitude modes {', '.join(sorted(modes))} in one volume")
    if heights.min() != heights.max():
        raise AirspaceError("its corners lie at several heights: a wall or a roof, not a volume")
    if not all(polygon.is_extruded for polygon in mark.polygons):
        raise AirspaceError("a plate at a height, not extruded to the ground: no volume without limits")
    top = float(heights[0])
    return NO_LOWER, Limit(top, references[mode], f"{top:g} m, {mode}")


def _stated(mark: _Placemark, side: str, unlimited: Limit) -> Limit:
    text = next((mark.properties[name] for name in LIMIT_NAMES[side] if mark.properties.get(name)), None)
    if text is None:
        return unlimited
    height, reference = parse_limit(text)
    if reference == "none" and np.isfinite(height):
        raise AirspaceError(f"limit {text!r} without a reference", hint="write 2500 ft AMSL or 300 m AGL")
    return Limit(height, reference, text)
