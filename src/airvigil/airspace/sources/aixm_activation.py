"""When an AIXM airspace is active: its activations of all statuses, put together.

Rules
- No activation element: the airspace is there always.
- ACTIVE and IN_USE make it active, INACTIVE inactive. AVBL_FOR_ACTIVATION, INTERMITTENT and anything else leave it unknown.
- Times that no timesheet covers are inactive if another time is active. By the letter they are undefined (AIXM: "Relation with
  TimeSlice validity"); sources leave them out, and mean inactive.
- Where ACTIVE and INACTIVE meet, active holds, and it is said.
- What is not understood makes the whole unknown, and keeps its text.
- An activation with levels of its own is for that layer only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airvigil.airspace.activation import PERMANENT, Activation, Window
from airvigil.airspace.sources.aixm_document import Element, child, local, text_of
from airvigil.airspace.sources.aixm_limits import Layer, read_layer
from airvigil.airspace.sources.aixm_slices import OPEN_NS, Period
from airvigil.airspace.sources.aixm_timesheets import Timesheet, sheets_of, windows_of
from airvigil.errors import AirspaceError

ACTIVE = ("ACTIVE", "IN_USE")
SHOWN_CHARACTERS = 400


@dataclass(frozen=True)
class LayerActivation:
    """When a layer of the airspace is active; layer None for all of it."""

    layer: Layer | None
    activation: Activation


def read_activations(
    elements: Sequence[Element], valid: Period, at_ns: int, *, is_temporary: bool
) -> tuple[list[LayerActivation], list[str]]:
    """The activation of each layer, and what was not understood or is contradictory.

    Args:
        elements: the `activation` properties.
        valid: time for which they hold; outside it the volume does not exist.
        is_temporary: whether a TEMPDELTA gave them: NOTAM.

    Raises:
        AirspaceError: levels that are not limits.
    """
    found = [inner for element in elements if (inner := child(element, "AirspaceActivation")) is not None]
    if not found:
        return [LayerActivation(None, _within(PERMANENT, valid, is_temporary=is_temporary))], []
    groups: dict[tuple[object, ...], tuple[Layer | None, list[Element]]] = {}
    for element in found:
        for layer in _layers(element):
            key = (layer and (layer.lower, layer.upper),)
            groups.setdefault(key, (layer, []))[1].append(element)
    remarks: list[str] = []
    result = []
    for layer, members in groups.values():
        activation, said = _activation(members, valid, at_ns, is_temporary=is_temporary)
        remarks += said
        if activation.kind in ("permanent", "unknown") or activation.windows or len(groups) == 1:
            result.append(LayerActivation(layer, activation))
    return result, remarks


def _layers(element: Element) -> list[Layer | None]:
    levels = [
        read_layer(layer)
        for holder in element.iterchildren("{*}levels")
        if (layer := child(holder, "AirspaceLayer")) is not None
    ]
    return [layer if layer.is_limited else None for layer in levels] or [None]


def _activation(
    elements: Sequence[Element], valid: Period, at_ns: int, *, is_temporary: bool
) -> tuple[Activation, list[str]]:
    text = "; ".join(_shown(element) for element in elements)[:SHOWN_CHARACTERS]
    statuses = [text_of(child(element, "status")) for element in elements]
    unknown = Activation("unknown", text=text)
    odd = [status or "no status" for status in statuses if status not in (*ACTIVE, "INACTIVE")]
    if odd:
        return unknown, [f"activation {', '.join(sorted(set(odd)))}: nobody says whether it is active"]
    try:
        sheets = [sheets_of(element) for element in elements]
    except AirspaceError as error:
        return unknown, [f"activation: {error}: unknown when it is active"]
    active = [s for status, s in zip(statuses, sheets, strict=True) if status in ACTIVE]
    inactive = [s for status, s in zip(statuses, sheets, strict=True) if status == "INACTIVE"]
    if not active and any(inactive):
        return unknown, ["activation INACTIVE at some times, and nothing is said of the others"]
    windows = _windows(active, valid, at_ns)
    remarks = []
    if active and inactive and _meet(windows, _windows(inactive, valid, at_ns)):
        remarks.append("activations ACTIVE and INACTIVE overlap: taken as active where they do")
    kind = "notam" if is_temporary else "schedule"
    if windows == (Window(valid.begin_ns, valid.end_ns),):
        return _within(Activation("permanent", text=text), valid, is_temporary=is_temporary), remarks
    return Activation(kind, windows, text), remarks


def _within(activation: Activation, valid: Period, *, is_temporary: bool) -> Activation:
    """A permanent activation, bounded by a validity that ends."""
    if valid.end_ns >= OPEN_NS and not is_temporary:
        return activation
    kind = "notam" if is_temporary else "schedule"
    return Activation(kind, (Window(valid.begin_ns, valid.end_ns),), activation.text)


def _windows(groups: Sequence[Sequence[Timesheet]], valid: Period, at_ns: int) -> tuple[Window, ...]:
    """Windows of several activations; one without timesheets holds always."""
    if any(not sheets for sheets in groups):
        return (Window(valid.begin_ns, valid.end_ns),)
    windows: list[Window] = []
    for sheets in groups:
        windows += [w for w in windows_of(sheets, valid, at_ns) if w not in windows]
    return tuple(windows)


def _meet(one: Sequence[Window], other: Sequence[Window]) -> bool:
    return any(
        max(a.start_ns, b.start_ns) < min(a.end_ns, b.end_ns)
        and set(a.weekdays) & set(b.weekdays)
        and max(a.from_s, b.from_s) < min(a.to_s, b.to_s)
        for a in one
        for b in other
    )


def _shown(element: Element) -> str:
    """The activation in one line, in the source's own words."""
    leaves = (part for part in element.iter("*") if text_of(part) and local(part) != "note" and not len(part))
    return ", ".join(f"{local(part)} {text_of(part)}" for part in leaves)
