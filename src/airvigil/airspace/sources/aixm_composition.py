"""The geometry of an airspace: its components, those of the airspaces and borders that they link to.

Each airspace is composed once. A link that leads back to an airspace being composed is a circle, and ends the loading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from airvigil.airspace.sources.aixm_curves import Outline, Tracing, read_surface
from airvigil.airspace.sources.aixm_document import (
    XLINK_HREF,
    Element,
    Feature,
    Library,
    child,
    key_of,
    text_of,
)
from airvigil.airspace.sources.aixm_limits import read_layer
from airvigil.airspace.sources.aixm_parts import OPERATIONS, Part, combined
from airvigil.airspace.sources.aixm_positions import BeyondError, Budget, length_m, positions_of
from airvigil.airspace.sources.aixm_slices import Slice, State, read_slices, standing, state_at
from airvigil.airspace.sources.arcs import Place, corridor_rings, turn_pieces
from airvigil.airspace.sources.loaded import Remark
from airvigil.errors import AirspaceError

MAX_CHAIN = 50  # airspaces that link to airspaces that link to airspaces
MAX_COMPONENTS = 500
REPEAT_DEG = 1e-6  # 0.1 m
CORRIDOR_COST = 16  # a position of a corridor's outline, united from strips and circles


@dataclass(frozen=True, eq=False)
class Known:
    """A feature at the instant.

    Attributes:
        slices: those that stand, of any time.
    """

    key: str
    features: tuple[Feature, ...]
    slices: tuple[Slice, ...]
    state: State
    remarks: tuple[Remark, ...]

    @property
    def home(self) -> Feature:
        """The feature element that its state begins with."""
        return self.state.slices[0].feature if self.state.slices else self.features[0]

    @property
    def place(self) -> str:
        """Where it stands, and where its last change does."""
        if len(self.state.slices) < 2:
            return self.home.place
        return f"{self.home.place} with {self.state.slices[-1].title()} of {self.state.slices[-1].place}"


class Composer:
    """The features of some documents at an instant, and their geometry, each made once."""

    def __init__(self, library: Library, at_ns: int) -> None:
        self.library = library
        self.at_ns = at_ns
        self.budget = Budget()
        self._known: dict[str, Known] = {}
        self._parts: dict[str, tuple[list[Part], list[str]] | AirspaceError] = {}
        self._borders: dict[str, NDArray[np.float64]] | None = None
        self._open: list[str] = []

    def known(self, key: str) -> Known:
        """A feature's state, and what is to be said of its slices."""
        if key not in self._known:
            features = self.library.features[key]
            slices, unread = read_slices(features, self.library)
            kept, odd = standing(slices)
            line = features[0].line
            remarks = [Remark(n, text) for n, text in unread] + [Remark(line, text) for text in odd]
            self._known[key] = Known(
                key, tuple(features), tuple(kept), state_at(kept, self.at_ns), tuple(remarks)
            )
        return self._known[key]

    def parts(self, key: str) -> tuple[list[Part], list[str]]:
        """The parts of an airspace, and what is to be said of them.

        Raises:
            AirspaceError: what of it is not read.
            BeyondError: links in a circle, or too much of anything.
        """
        if key in self._open:
            chain = " -> ".join([*self._open[self._open.index(key) :], key][:6])
            first = self.library.features[key][0]
            raise BeyondError(
                f"line {first.line}: {first.place}: airspaces link to one another in a circle: {chain}"
            )
        if key not in self._parts:
            if len(self._open) >= MAX_CHAIN:
                raise BeyondError(
                    f"airspaces link to one another more than {MAX_CHAIN} deep: {self._open[0]} ..."
                )
            self._open.append(key)
            try:
                self._parts[key] = self._composed(key)
            except BeyondError:
                raise
            except AirspaceError as error:
                self._parts[key] = error
            finally:
                self._open.pop()
        found = self._parts[key]
        if isinstance(found, AirspaceError):
            raise AirspaceError(str(found), hint=found.hint)
        return found

    def _composed(self, key: str) -> tuple[list[Part], list[str]]:
        known = self.known(key)
        components = [
            component
            for element in known.state.properties.get("geometryComponent", ())
            if (component := child(element, "AirspaceGeometryComponent")) is not None
        ]
        if not components:
            raise AirspaceError("no geometry at the instant")
        if len(components) > MAX_COMPONENTS:
            raise AirspaceError(
                f"expected at most {MAX_COMPONENTS} geometry components, got {len(components)}"
            )
        document = next(
            one.feature.document
            for one in reversed(known.state.slices)
            if "geometryComponent" in one.properties
        )
        parts: list[Part] = []
        said: list[str] = []
        waiting: list[Part] = []  # unions one after the other are made together
        for number, component in enumerate(sorted(components, key=_sequence)):
            operation = text_of(child(component, "operation")) or ("UNION" if number else "BASE")
            if operation not in OPERATIONS:
                raise AirspaceError(f"operation {operation[:40]!r} is not read")
            volume = child(component, "theAirspaceVolume", "AirspaceVolume")
            if volume is None:
                raise AirspaceError("a geometry component without an AirspaceVolume")
            others, remarks = self._volume(volume, document)
            said += remarks
            if operation in ("BASE", "UNION"):
                waiting += others
                continue
            parts = combined(parts, "UNION", waiting, self.budget)
            parts, waiting = combined(parts, operation, others, self.budget), []
        parts = combined(parts, "UNION", waiting, self.budget)
        if not parts:
            raise AirspaceError("nothing is left of it: its components take all of it away")
        return parts, said

    def _volume(self, volume: Element, document: int) -> tuple[list[Part], list[str]]:
        contributor = child(volume, "contributorAirspace", "AirspaceVolumeDependency")
        if contributor is not None:
            return self._contributed(volume, contributor)
        layer = read_layer(volume)
        tracing = Tracing(self.library, document, self.budget, self._border_lines())
        projection = child(volume, "horizontalProjection")
        if projection is not None:
            surface = self._target(projection, document)
            outlines = read_surface(surface, tracing)
            accuracy = child(surface, "horizontalAccuracy")
        elif child(volume, "centreline") is not None:
            outlines, accuracy = self._corridor(volume, document)
        else:
            raise AirspaceError("no horizontalProjection, centreline or contributorAirspace")
        accuracy_m = length_m(accuracy, "horizontalAccuracy") if text_of(accuracy) else 0.0
        return [Part(tuple(outlines), layer.lower, layer.upper, accuracy_m)], [
            *layer.remarks,
            *tracing.remarks,
        ]

    def _contributed(self, volume: Element, contributor: Element) -> tuple[list[Part], list[str]]:
        target = child(contributor, "theAirspace")
        link = (target.get(XLINK_HREF) if target is not None else None) or ""
        key = key_of(link)
        features = self.library.features.get(key, [])
        if not features or features[0].kind != "Airspace":
            raise AirspaceError(f"link {link[:80]!r} leads to no airspace in these documents")
        if not self.known(key).state.slices:
            raise AirspaceError(f"link {link[:80]!r} leads to an airspace that is not there at the instant")
        try:
            parts, said = self.parts(key)
        except BeyondError:
            raise
        except AirspaceError as error:
            raise AirspaceError(f"the airspace that {link[:80]!r} leads to is not read: {error}") from error
        self.budget.take(
            sum(len(ring) for part in parts for outline in part.outlines for ring in outline.rings)
        )
        dependency = text_of(child(contributor, "dependency"))
        if dependency == "FULL_GEOMETRY":
            return parts, said
        if dependency not in ("HORZ_PROJECTION", "HORIZONTAL_PROJECTION"):
            raise AirspaceError(f"dependency {dependency[:40]!r} is not read")
        layer = read_layer(volume)
        own = [Part(part.outlines, layer.lower, layer.upper, part.accuracy_m) for part in parts]
        return combined([], "UNION", own, self.budget), [*said, *layer.remarks]

    def _corridor(self, volume: Element, document: int) -> tuple[list[Outline], Element | None]:
        """All within half the width of the centre line."""
        holder = child(volume, "centreline")
        assert holder is not None
        curve = self._target(holder, document)
        half_width_m = 0.5 * length_m(child(volume, "width"), "width")
        line: list[Place] = []
        for segment in curve.iter(
            "{*}GeodesicString", "{*}LineStringSegment", "{*}LineString", "{*}Geodesic"
        ):
            for lat, lon in positions_of(segment, self.library, document, self.budget).tolist():
                if not line or line[-1] != (lat, lon):
                    line.append((lat, lon))
        odd = [
            str(s.tag).rpartition("}")[2]
            for s in curve.iter("{*}ArcByCenterPoint", "{*}CircleByCenterPoint", "{*}Arc")
        ]
        if odd:
            raise AirspaceError(f"a centre line with {odd[0]} is not read")
        self.budget.take(CORRIDOR_COST * len(line) * turn_pieces(half_width_m, 6.3))
        rings = tuple(_without_repeats(ring) for ring in corridor_rings(line, half_width_m))
        outline = Outline(rings, "lonlat", frozenset({"corridor"}))
        return [outline], child(curve, "horizontalAccuracy")

    def _target(self, holder: Element, document: int) -> Element:
        """What a property holds or links to."""
        link = holder.get(XLINK_HREF)
        if link is None:
            inner = next(holder.iterchildren("*"), None)
            if inner is None:
                raise AirspaceError(f"an empty {str(holder.tag).rpartition('}')[2]}")
            return inner
        target = self.library.by_id.get((document, link.removeprefix("#")))
        if target is None:
            raise AirspaceError(f"link {link[:80]!r} leads to nothing in these documents")
        return target

    def _border_lines(self) -> dict[str, NDArray[np.float64]]:
        """Positions of every border that can be read, by key."""
        if self._borders is None:
            self._borders = {}
            for key, features in self.library.features.items():
                if features[0].kind == "GeoBorder":
                    line = self._border_line(self.known(key))
                    if line is not None:
                        self._borders[key] = line
        return self._borders

    def _border_line(self, known: Known) -> NDArray[np.float64] | None:
        parts = []
        for element in known.state.properties.get("border", ()):
            for segment in element.iter("{*}GeodesicString", "{*}LineStringSegment", "{*}LineString"):
                try:
                    parts.append(positions_of(segment, self.library, known.features[0].document, self.budget))
                except BeyondError:
                    raise
                except AirspaceError:
                    return None
        whole: NDArray[np.float64] = np.concatenate(parts) if parts else np.empty((0, 2))
        return whole if len(whole) >= 2 else None


def _without_repeats(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ring without vertices that the union of its strips has made twice."""
    line = shapely.remove_repeated_points(shapely.linestrings(ring), REPEAT_DEG)
    return np.ascontiguousarray(shapely.get_coordinates(line))


def _sequence(component: Element) -> tuple[int, int]:
    text = text_of(child(component, "operationSequence"))
    is_base = text_of(child(component, "operation")) in ("", "BASE")
    return (int(text) if text.isdigit() and len(text) < 10 else 0, 0 if is_base else 1)
