"""Airspace of AIXM 5.1 and 5.1.1: data sets and digital NOTAMs, as of one instant.

What is read: Airspace features with their geometry components (BASE, UNION, SUBTR, INTERS; those of other airspaces by
link), limits, class, type, activations with timesheets, borders by link. How times are resolved is in
`aixm_slices`, timesheets in `aixm_timesheets`, curves in `aixm_curves`. docs/aixm.md says what is not read.

Rules
- Several documents are read as one: a data set and the NOTAMs to it. The same slice twice is one slice.
- An airspace that cannot be read whole is rejected with its place and reason; the others stand. Links that go round in a
  circle, and what goes beyond bounds, end the loading with one error.
- An airspace with parts of different limits becomes several volumes, "R EAR1/1", "R EAR1/2".
- The horizontal accuracy of the source is a circle of 95 %; one sigma of it is the volume's boundary uncertainty.
- An airspace of a type that begins with FIR or UIR is of kind "fir"; any other of kind "user".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from airvigil.airspace.sources.aixm_activation import LayerActivation
from airvigil.airspace.sources.aixm_composition import Composer, Known
from airvigil.airspace.sources.aixm_document import (
    XLINK_HREF,
    Element,
    Library,
    child,
    is_nil,
    key_of,
    read_documents,
    text_of,
)
from airvigil.airspace.sources.aixm_parts import Part, clipped
from airvigil.airspace.sources.aixm_positions import BeyondError
from airvigil.airspace.sources.aixm_slices import change_instants, read_slices, standing
from airvigil.airspace.sources.aixm_timeline import activations_over_time
from airvigil.airspace.sources.antimeridian import within_longitudes
from airvigil.airspace.sources.loaded import Loaded, Remark
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.errors import AirspaceError
from airvigil.units import EPU_TO_SIGMA

SHOWN_CHARACTERS = 400
MAX_TITLES = 50  # of slices, in a version
_PERMISSION = re.compile(r"permi(ssion|t)|authori[sz]|clearance|prior|PPR|except", re.IGNORECASE)


def load_aixm(documents: Sequence[tuple[bytes, str]], at_ns: int) -> Loaded:
    """The airspace of some documents at an instant.

    Args:
        documents: (bytes, name) each; a data set first, then what changes it, or in any order.
        at_ns: ns UTC. A remark names each volume that changes later, and when; `aixm_change_instants` names all instants.

    Returns:
        Volumes in the order of the documents; each airspace not read, with its reason; remarks, among them how many features
        of other kinds there were and how many airspaces are not valid at the instant.

    Raises:
        AirspaceError: a document that cannot be read at all, links in a circle, or more than the bounds allow.
    """
    library = read_documents(documents)
    try:
        return _loaded(library, at_ns)
    except BeyondError as error:
        raise AirspaceError(f"{', '.join(library.names)}: {error}") from error


def aixm_change_instants(documents: Sequence[tuple[bytes, str]]) -> list[int]:
    """All instants (ns UTC) at which the airspace of the documents may change, sorted.

    Raises:
        AirspaceError: a document that cannot be read at all.
    """
    library = read_documents(documents)
    found: set[int] = set()
    for features in library.features.values():
        if features[0].kind == "Airspace":
            found.update(change_instants(standing(read_slices(features, library)[0])[0]))
    return sorted(found)


def _loaded(library: Library, at_ns: int) -> Loaded:
    composer = Composer(library, at_ns)
    volumes: list[Volume] = []
    rejected: list[Remark] = []
    remarks: list[Remark] = list(_counted(library))
    absent = 0
    for key, features in library.features.items():
        if features[0].kind != "Airspace":
            continue
        known = composer.known(key)
        remarks += known.remarks
        if not known.state.slices:
            absent += 1
            continue
        try:
            made, said = _volumes(known, composer, at_ns)
        except BeyondError:
            raise
        except AirspaceError as error:
            rejected.append(Remark(known.home.line, f"{known.place}: {error}", _title(known)))
            continue
        volumes += made
        remarks += [Remark(known.home.line, f"{known.place}: {text}", _title(known)) for text in said]
    if absent:
        remarks.append(Remark(0, f"{absent} airspaces are not there at the instant"))
    return Loaded("aixm", _named_apart(volumes), tuple(rejected), tuple(remarks))


def _counted(library: Library) -> Iterator[Remark]:
    others = {kind: count for kind, count in library.kinds.items() if kind != "Airspace"}
    if others:
        most = ", ".join(
            f"{count} {kind}" for kind, count in sorted(others.items(), key=lambda o: (-o[1], o[0]))[:12]
        )
        yield Remark(0, f"{sum(others.values())} features are not airspace", most)


def _volumes(known: Known, composer: Composer, at_ns: int) -> tuple[list[Volume], list[str]]:
    """The volumes of one airspace and what is to be said of them."""
    state = known.state
    if not state.has_base:
        raise AirspaceError("only a temporary change: its baseline is not in these documents")
    parts, said = composer.parts(known.key)
    layers, more = activations_over_time(known.slices, state, at_ns)
    pieces = [
        (piece, layer)
        for layer in layers
        for part in parts
        for piece in ([part] if layer.layer is None else clipped(part, layer.layer))
    ]
    airspace_class, about_class = _class(state.properties.get("class", ()))
    elements = dict.fromkeys(one.feature.element for one in state.slices)
    texts = _Texts(
        _title(known),
        _type(known),
        airspace_class,
        _may_enter(state.properties, composer.library),
        "; ".join(one.title() for one in state.slices[:MAX_TITLES]),
        "\n".join(etree.tostring(e, encoding="unicode", with_tail=False) for e in elements),
    )
    source = composer.library.names[known.home.document]
    volumes = [
        _volume(known, texts, piece, layer, f"/{number}" if len(pieces) > 1 else "", source)
        for number, (piece, layer) in enumerate(pieces, start=1)
    ]
    return volumes, [*said, *more, *about_class]


@dataclass(frozen=True)
class _Texts:
    """What a source says of an airspace, in its own words."""

    title: str
    airspace_type: str
    airspace_class: str
    may_enter: str
    version: str
    original: str


def _volume(
    known: Known, texts: _Texts, part: Part, layer: LayerActivation, number: str, source: str
) -> Volume:
    kinds = {outline.edge_kind for outline in part.outlines}
    edge_kind = "geodesic" if kinds == {"geodesic"} else "lonlat"
    rings: list[NDArray[np.float64]] = []
    for outline in part.outlines:
        if outline.edge_kind != edge_kind:
            raise AirspaceError("patches with geodesic and others with straight edges: not read as one area")
        rings += within_longitudes(outline.rings, edge_kind)
    feature = known.home
    return make_volume(
        _id(known, texts.airspace_type) + number,
        rings,
        name=texts.title + number,
        kind="fir" if texts.airspace_type.startswith(("FIR", "UIR")) else "user",
        lower=part.lower,
        upper=part.upper,
        activation=layer.activation,
        airspace_class=texts.airspace_class,
        airspace_type=texts.airspace_type,
        may_enter=texts.may_enter,
        edge_kind=edge_kind,
        edges_written=tuple(sorted({word for outline in part.outlines for word in outline.written})),
        boundary_uncertainty_m=part.accuracy_m / EPU_TO_SIGMA,
        source=source,
        version=texts.version,
        place=f"line {feature.line}: {feature.kind}[{feature.key}]",
        original=texts.original,
    )


def _property(known: Known, name: str) -> str:
    return text_of(next(iter(known.state.properties.get(name, ())), None))


def _type(known: Known) -> str:
    return _property(known, "type").removeprefix("OTHER:")


def _title(known: Known) -> str:
    """Designator and name, or the key if there is neither."""
    words = dict.fromkeys(word for word in (_property(known, "designator"), _property(known, "name")) if word)
    return " ".join(words) or known.key


def _id(known: Known, airspace_type: str) -> str:
    designator = _property(known, "designator") or _property(known, "name")
    return " ".join(word for word in (airspace_type, designator) if word) if designator else known.key


def _named_apart(volumes: Sequence[Volume]) -> tuple[Volume, ...]:
    """The volumes with ids of their own: the place of the feature tells those of one name apart."""
    seen = Counter(volume.volume_id for volume in volumes)
    apart: list[Volume] = []
    numbers: Counter[str] = Counter()
    for volume in volumes:
        if seen[volume.volume_id] > 1:
            key = volume.place.partition("[")[2].partition("]")[0] or "?"
            numbers[f"{volume.volume_id} {key}"] += 1
            count = numbers[f"{volume.volume_id} {key}"]
            name = f"{volume.volume_id} {key}" + (f" ({count})" if count > 1 else "")
            volume = replace(volume, volume_id=name)
        apart.append(volume)
    return tuple(apart)


def _class(elements: Sequence[Element]) -> tuple[str, list[str]]:
    """The class, if it is one for all heights; else empty, and the layers in words."""
    found = []
    for element in elements:
        layer = child(element, "AirspaceLayerClass")
        name = text_of(child(layer, "classification"))
        if not name:
            continue
        levels = child(layer, "associatedLevels", "AirspaceLayer")
        ends = (
            [text_of(child(levels, f"{side}Limit")) for side in ("lower", "upper")]
            if levels is not None
            else []
        )
        found.append((name, " to ".join(end or "?" for end in ends)))
    names = {name for name, _ in found}
    if len(names) <= 1:
        return next(iter(names), ""), []
    return "", ["the class depends on the height: " + ", ".join(f"{n} {e}".strip() for n, e in found)]


def _may_enter(properties: dict[str, tuple[Element, ...]], library: Library) -> str:
    """Users of the airspace, and notes that speak of permission, in the source's words."""
    told: dict[str, None] = {}
    for element in properties.get("activation", ()):
        for user in element.iter("{*}user"):
            named = [
                text_of(n)
                for f in library.features.get(key_of(user.get(XLINK_HREF) or "-"), [])
                for n in f.element.iter("{*}name")
            ]
            title = user.get("{http://www.w3.org/1999/xlink}title") or ""
            told[f"user: {(named or [title])[0] or user.get(XLINK_HREF) or ''}"] = None
    for name in ("annotation", "activation"):
        for element in properties.get(name, ()):
            for note in element.iter("{*}note"):
                if not is_nil(note) and _PERMISSION.search(text_of(note)):
                    told[text_of(note)] = None
    return "; ".join(told)[:SHOWN_CHARACTERS]
