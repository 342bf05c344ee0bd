"""When an airspace is active before and after the instant as of which it was read.

A NOTAM that only activates an area leaves its geometry as it is: one volume can then say when it is active, for all the time that
the documents cover. Where a change gives it another geometry, where nobody says whether it is active, or after MAX_PERIODS
changes, the volume ends; beyond, it says "inactive", and a remark tells from when on the documents must be read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airvigil.airspace.activation import PERMANENT, Activation, Window
from airvigil.airspace.sources.aixm_activation import LayerActivation, read_activations
from airvigil.airspace.sources.aixm_slices import OPEN_NS, Period, Slice, State, change_instants, state_at
from airvigil.units import utc_text

MAX_PERIODS = 100
FIXED = ("geometryComponent", "type", "class", "designator", "name")  # a change of these makes another volume


@dataclass(frozen=True)
class Stretch:
    """Windows of one period between changes; None if they are unknown or the volume is another."""

    windows: tuple[Window, ...] | None
    is_temporary: bool


def activations_over_time(
    slices: Sequence[Slice], state: State, at_ns: int
) -> tuple[list[LayerActivation], list[str]]:
    """The activation of each layer, over as much time as the volume is the same, and what is to be said.

    Args:
        slices: those of the airspace that stand.
        state: at the instant.
        at_ns: the instant.

    Raises:
        AirspaceError: levels that are not limits.
    """
    layers, said = _read(state, at_ns)
    if len(layers) != 1 or layers[0].layer is not None or layers[0].activation.kind == "unknown":
        return layers, said + _ends(state.unchanged)
    stretches = [_stretch(layers[0].activation, state)]
    later, end_ns = _walk(slices, state, at_ns, is_forward=True)
    earlier, begin_ns = _walk(slices, state, at_ns, is_forward=False)
    stretches = [*reversed(earlier), *stretches, *later]
    windows = _merged([window for stretch in stretches for window in stretch.windows or ()])
    is_temporary = any(stretch.is_temporary for stretch in stretches)
    text = layers[0].activation.text
    if len(windows) == 1 and windows[0] == Window(windows[0].start_ns, OPEN_NS) and not is_temporary:
        activation = Activation(PERMANENT.kind, text=text)
    else:
        activation = Activation("notam" if is_temporary else "schedule", windows, text)
    return [LayerActivation(None, activation)], said + _ends(Period(begin_ns, end_ns))


def _read(state: State, at_ns: int) -> tuple[list[LayerActivation], list[str]]:
    given = state.properties.get("activation", ())
    is_temporary = bool(given) and "activation" in state.temporary
    return read_activations(given, state.unchanged, at_ns, is_temporary=is_temporary)


def _stretch(activation: Activation, state: State) -> Stretch:
    is_temporary = activation.kind == "notam"
    if activation.kind == "unknown":
        return Stretch(None, is_temporary)
    if activation.kind == "permanent":
        return Stretch((Window(state.unchanged.begin_ns, state.unchanged.end_ns),), is_temporary)
    return Stretch(activation.windows, is_temporary)


def _walk(
    slices: Sequence[Slice], state: State, at_ns: int, *, is_forward: bool
) -> tuple[list[Stretch], int]:
    """Periods after (or before) that of the state in which the volume is the same, and where they end."""
    found: list[Stretch] = []
    instants = change_instants(slices)
    edge = state.unchanged.end_ns if is_forward else state.unchanged.begin_ns
    while abs(edge) < OPEN_NS and len(found) < MAX_PERIODS:
        next_state = state_at(slices, edge if is_forward else edge - 1, instants)
        stretch = _stretch_of(next_state, state, at_ns)
        if stretch.windows is None:
            break
        found.append(stretch)
        edge = next_state.unchanged.end_ns if is_forward else next_state.unchanged.begin_ns
    return found, edge


def _stretch_of(other: State, state: State, at_ns: int) -> Stretch:
    if not other.slices:
        return Stretch((), False)
    if not other.has_base or any(other.properties.get(name) != state.properties.get(name) for name in FIXED):
        return Stretch(None, False)
    layers, _ = _read(other, at_ns)
    if len(layers) != 1 or layers[0].layer is not None:
        return Stretch(None, False)
    return _stretch(layers[0].activation, other)


def _merged(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows with those that follow one another without a gap, at the same hours, joined."""
    joined: list[Window] = []
    last: dict[tuple[object, ...], int] = {}
    for window in sorted(windows, key=lambda w: (w.start_ns, w.end_ns, w.weekdays, w.from_s, w.to_s)):
        hours = (window.weekdays, window.from_s, window.to_s)
        at = last.get(hours)
        if at is not None and joined[at].end_ns == window.start_ns:
            joined[at] = Window(joined[at].start_ns, window.end_ns, *hours)
        else:
            last[hours] = len(joined)
            joined.append(window)
    return tuple(joined)


def _ends(period: Period) -> list[str]:
    """Nothing for a volume that goes on."""
    if period.end_ns >= OPEN_NS:
        return []
    return [f"changes at {utc_text(period.end_ns)}: from then on, read the documents as of then"]
