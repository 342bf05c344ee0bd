"""AIXM temporality: what a feature's properties are at an instant.

Rules (AIXM Temporality Concept 1.0)
- Of the slices of one interpretation and sequence number, the one with the highest correction number holds; without a
  valid time it cancels the sequence. Missing correction numbers are 0.
- The state at an instant is that of the BASELINE valid then (of several: the highest sequence number, then the latest
  start), with every PERMDELTA after its start and up to the instant, in order of time, and over that every TEMPDELTA
  valid at the instant, by sequence number. Without a baseline the PERMDELTAs alone make it. A SNAPSHOT of that very
  instant is taken as it is.
- A property in a delta replaces all values that it had; a nil one empties it.
- Valid times hold their start and not their end. Outside its lifetime a feature is not there.
- Slices of one interpretation, sequence and correction that differ are a contradiction of the source. All of them are kept,
  each for its own valid time, and it is said.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from airvigil.airspace.sources.aixm_document import Element, Feature, Library, child, is_nil, local, text_of
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns, utc_text

OPEN_NS = 2**63 - 1  # "until further notice": after all that counts, in 2262
INTERPRETATIONS = ("BASELINE", "SNAPSHOT", "PERMDELTA", "TEMPDELTA")
NOT_PROPERTIES = frozenset(
    {"validTime", "interpretation", "sequenceNumber", "correctionNumber", "featureLifetime"}
)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(T.*)?")


@dataclass(frozen=True)
class Period:
    """From begin_ns up to, not including, end_ns."""

    begin_ns: int = -OPEN_NS
    end_ns: int = OPEN_NS

    def holds(self, time_ns: int) -> bool:
        """Whether the instant is within."""
        return self.begin_ns <= time_ns < self.end_ns


@dataclass(frozen=True, eq=False)
class Slice:
    """One time slice.

    Attributes:
        valid: None if it has no valid time: it cancels its sequence.
        lifetime: None if it says nothing of it.
        properties: the elements of each property, by local name.
    """

    interpretation: str
    sequence: int
    correction: int
    valid: Period | None
    lifetime: Period | None
    properties: dict[str, tuple[Element, ...]]
    feature: Feature
    place: str

    def title(self) -> str:
        """Such as "TEMPDELTA 2.0 2018-05-07T14:00Z/2018-05-08T14:00Z"."""
        valid = self.valid or Period()
        begin, end = _minute(valid.begin_ns), _minute(valid.end_ns)
        return f"{self.interpretation} {self.sequence}.{self.correction} {begin}/{end}"


def _minute(time_ns: int) -> str:
    return "" if abs(time_ns) >= OPEN_NS else utc_text(time_ns)[:16] + "Z"


@dataclass(frozen=True, eq=False)
class State:
    """A feature at an instant.

    Attributes:
        properties: the elements of each property; a nil one is none.
        slices: what it was made of, in the order of use; empty if nothing is valid at the instant.
        unchanged: the time around the instant within which the documents say the same.
        has_base: whether there is more than temporary changes to it.
        is_temporary: names of properties that a TEMPDELTA gave.
    """

    properties: dict[str, tuple[Element, ...]]
    slices: tuple[Slice, ...]
    unchanged: Period
    has_base: bool
    temporary: frozenset[str] = field(default_factory=frozenset)


def parse_time(text: str) -> int:
    """Nanoseconds since 1970; a time without zone is UTC, a day its start.

    Raises:
        ValueError: not a time of the years 1000 to 9999.

    Example:
        >>> parse_time("2018-12-06T00:00:00Z") == parse_time("2018-12-06")
        True
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"not a time: {text[:40]!r}")
    return max(min(utc_ns(text), OPEN_NS), -OPEN_NS)


def read_slices(features: Iterable[Feature], library: Library) -> tuple[list[Slice], list[tuple[int, str]]]:
    """All slices of one feature, and what could not be read of them as (line, reason)."""
    slices: list[Slice] = []
    remarks: list[tuple[int, str]] = []
    for feature in features:
        for holder in feature.element.iterchildren("{*}timeSlice"):
            for element in holder.iterchildren("*"):
                line = library.line(element, feature.document)
                place = f"{feature.place}/{local(element)}[line {line}]"
                try:
                    slices.append(_slice(element, feature, place, remarks, line))
                except (ValueError, AirspaceError) as error:
                    remarks.append((line, f"{place}: {error}: the slice is not used"))
    return slices, remarks


def _slice(
    element: Element, feature: Feature, place: str, remarks: list[tuple[int, str]], line: int
) -> Slice:
    interpretation = text_of(child(element, "interpretation"))
    if interpretation not in INTERPRETATIONS:
        raise AirspaceError(
            f"interpretation must be one of {', '.join(INTERPRETATIONS)}, got {interpretation[:40]!r}"
        )
    valid = _valid(child(element, "validTime"))
    if valid is not None and valid.begin_ns == valid.end_ns and interpretation == "BASELINE":
        valid = Period(valid.begin_ns, OPEN_NS)
        remarks.append((line, f"{place}: a BASELINE with an instant as valid time: taken as its start"))
    lifetime_element = child(element, "featureLifetime")
    lifetime = None
    if lifetime_element is not None:
        try:
            lifetime = _valid(lifetime_element)
        except ValueError as error:
            remarks.append((line, f"{place}/featureLifetime: {error}: taken as not given"))
    properties: dict[str, list[Element]] = {}
    for child_element in element.iterchildren("*"):
        if local(child_element) not in NOT_PROPERTIES:
            properties.setdefault(local(child_element), []).append(child_element)
    return Slice(
        interpretation,
        _number(child(element, "sequenceNumber")),
        _number(child(element, "correctionNumber")),
        valid,
        lifetime,
        {name: tuple(elements) for name, elements in properties.items()},
        feature,
        place,
    )


def _number(element: Element | None) -> int:
    text = text_of(element)
    if not text:
        return 0
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"not a number: {text[:40]!r}")
    return int(text)


def _valid(element: Element | None) -> Period | None:
    """Period of a validTime or featureLifetime; begin = end for an instant; None for none."""
    instant = child(element, "TimeInstant", "timePosition")
    if instant is not None and text_of(instant):
        time = parse_time(text_of(instant))
        return Period(time, time)
    period = child(element, "TimePeriod")
    if period is None:
        return None
    begin, end = text_of(child(period, "beginPosition")), text_of(child(period, "endPosition"))
    valid = Period(parse_time(begin) if begin else -OPEN_NS, parse_time(end) if end else OPEN_NS)
    if valid.end_ns < valid.begin_ns:
        raise ValueError(f"ends at {end} before it begins at {begin}")
    return valid


def standing(slices: Sequence[Slice]) -> tuple[list[Slice], list[str]]:
    """Slices that neither a correction nor a cancellation has taken away, and what is contradictory among them."""
    groups: dict[tuple[str, int], list[Slice]] = {}
    for one in slices:
        if one.interpretation != "SNAPSHOT":
            groups.setdefault((one.interpretation, one.sequence), []).append(one)
    kept = [one for one in slices if one.interpretation == "SNAPSHOT"]
    remarks: list[str] = []
    for (interpretation, sequence), group in groups.items():
        highest = max(one.correction for one in group)
        last = [one for one in group if one.correction == highest]
        if any(one.valid is None for one in last):
            continue
        different = last if len(last) == 1 else list({_content(one): one for one in last}.values())
        if len(different) > 1:
            text = f"{len(different)} different slices are all {interpretation} {sequence}.{highest}: each is used for its valid time"
            remarks.append(f"{different[-1].place}: {text}")
        kept += different
    return kept, remarks


def _content(one: Slice) -> tuple[object, ...]:
    """What a slice says, whatever its ids and white space: two documents may hold the same slice."""
    told = tuple(
        (name, tuple(_said(element) for element in elements))
        for name, elements in sorted(one.properties.items())
        if name != "extension"
    )
    return one.valid, one.lifetime, told


def _said(element: Element) -> tuple[object, ...]:
    return tuple(
        (
            local(inner),
            (inner.text or "").split(),
            sorted((str(k), str(v)) for k, v in inner.attrib.items() if not str(k).endswith("}id")),
        ).__repr__()
        for inner in element.iter("*")
    )


def state_at(slices: Sequence[Slice], time_ns: int, instants: Sequence[int] | None = None) -> State:
    """The feature's properties at an instant.

    Args:
        slices: those that stand.
        time_ns: ns UTC.
        instants: their `change_instants`, for who asks more than once.
    """
    unchanged = _unchanged(change_instants(slices) if instants is None else instants, time_ns)
    for one in slices:
        if one.interpretation == "SNAPSHOT" and one.valid is not None and _shows(one.valid, time_ns):
            return State(_filled([one]), (one,), unchanged, True)
    base = [
        one for one in slices if one.interpretation == "BASELINE" and one.valid and one.valid.holds(time_ns)
    ]
    perm = sorted(
        (
            one
            for one in slices
            if one.interpretation == "PERMDELTA" and one.valid and one.valid.begin_ns <= time_ns
        ),
        key=lambda one: (one.valid.begin_ns if one.valid else 0, one.sequence),
    )
    if not base and perm:
        # a baseline that has run out goes on if a later delta changes it
        latest = perm[-1].valid
        base = [
            one
            for one in slices
            if one.interpretation == "BASELINE" and one.valid and latest and one.valid.begin_ns <= time_ns
            and latest.begin_ns >= one.valid.end_ns
        ]  # fmt: skip
    chosen = max(base, key=lambda one: (one.sequence, one.valid.begin_ns if one.valid else 0), default=None)
    if chosen is not None and chosen.valid is not None:
        begin = chosen.valid.begin_ns
        perm = [one for one in perm if one.valid and one.valid.begin_ns > begin]
    permanent = [*([chosen] if chosen else []), *perm]
    temporary = sorted(
        (
            one
            for one in slices
            if one.interpretation == "TEMPDELTA" and one.valid and one.valid.holds(time_ns)
        ),
        key=lambda one: one.sequence,
    )
    used = [*permanent, *temporary]
    lifetime = next((one.lifetime for one in reversed(used) if one.lifetime is not None), Period())
    if not lifetime.holds(time_ns):
        return State({}, (), unchanged, bool(permanent))
    given = frozenset(name for one in temporary for name in one.properties)
    return State(_filled(used), tuple(used), unchanged, bool(permanent), given)


def _shows(valid: Period, time_ns: int) -> bool:
    return valid.begin_ns == time_ns if valid.begin_ns == valid.end_ns else valid.holds(time_ns)


def _filled(used: Sequence[Slice]) -> dict[str, tuple[Element, ...]]:
    properties: dict[str, tuple[Element, ...]] = {}
    for one in used:
        properties.update(one.properties)
    kept = {name: tuple(e for e in elements if not is_nil(e)) for name, elements in properties.items()}
    return {name: elements for name, elements in kept.items() if elements}


def _unchanged(instants: Sequence[int], time_ns: int) -> Period:
    at = bisect.bisect_right(instants, time_ns)
    return Period(instants[at - 1] if at else -OPEN_NS, instants[at] if at < len(instants) else OPEN_NS)


def change_instants(slices: Sequence[Slice]) -> list[int]:
    """All instants at which the slices may say something else than just before, sorted."""
    periods = [p for one in slices for p in (one.valid, one.lifetime) if p is not None]
    return sorted({time for p in periods for time in (p.begin_ns, p.end_ns) if abs(time) < OPEN_NS})
