"""The plain twin of the kernels of `airvigil.airspace.spells.spells`: the same rules, one object a sample and a spell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from airvigil.airspace.index.index import RELEVANCE_M
from airvigil.settings import Infringement
from airvigil.tracking.local_plane import to_local
from airvigil.units import NS_PER_S, utc_text

LENGTH_STEP_SIGMAS = 20.0  # a step this much longer than the error is inflated by 0.25 % at the most
DEPTH_SIGMAS = 2.0  # the deepest moment is the one that is deepest with this much allowed for noise
OUTCOMES = ("outside", "undecidable", "suspected", "probable")


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of a track against one volume.

    Attributes:
        time: ns UTC, when the aircraft was there.
        known: ns UTC, time of the report that told it; deadlines run on this one.
        lat, lon: degrees.
        margin_m, sigma_m: signed depth (positive inside) and its 1 sigma.
        p_lateral: P(inside) in the plane.
        p_inside: P(inside) with height; NaN where the height that it takes is missing.
        clock_s: 1 sigma of the time.
        bridged: on the path between two reports.
        degraded: the position is believed with reserve.
        is_reconstruction: made by a generator.
    """

    time: int
    known: int
    lat: float
    lon: float
    margin_m: float
    sigma_m: float
    p_lateral: float
    p_inside: float
    clock_s: float
    bridged: bool
    degraded: bool
    is_reconstruction: bool


@dataclass(slots=True)
class Crossing:
    """Where and when a boundary was crossed, or the first or last sign of a track inside."""

    time: int
    sigma_s: float | None
    kind: str
    lat: float
    lon: float

    def as_event(self) -> dict[str, Any]:
        """The form that events have."""
        return {
            "time": utc_text(self.time),
            "sigma_s": None if self.sigma_s is None else round(self.sigma_s, 2),
            "kind": self.kind,
            "latitude_deg": round(self.lat, 6),
            "longitude_deg": round(self.lon, 6),
        }


@dataclass(slots=True)
class Spell:
    """What is known of a stay so far. All fields are plain values, so that a state can be written."""

    entry: Crossing
    number_time: int  # ns, time of the sample that opened it: part of its name
    exit: Crossing | None = None
    below_since: int | None = None  # ns of `known`, since when P is below close_p
    max_depth_m: float = -math.inf
    max_depth_sure_m: float = -math.inf  # margin less DEPTH_SIGMAS sigma where that is greatest
    max_depth_sigma_m: float = math.nan
    max_depth_time: int = 0
    credible_depth_m: float = 0.0  # the same of credible reports alone
    credible_sure_m: float = -math.inf
    p_max: float = 0.0
    p_max_credible: float = 0.0
    length_m: float = 0.0
    reports: int = 0
    bridged: int = 0
    height_missing: bool = False
    is_reconstruction: bool = False
    outcome: str = "undecidable"
    reentries: list[dict[str, Any]] = field(default_factory=list)
    inside_time: int = 0  # ns, latest sample inside
    inside_lat: float = math.nan
    inside_lon: float = math.nan
    measured_lat: float = math.nan  # up to here the length is counted
    measured_lon: float = math.nan


@dataclass(slots=True)
class Pair:
    """One track against one volume: the last sample, who it was, and the spell that is open, if any."""

    start: int  # ns, which track of the slot
    last: Sample | None = None
    inward: Crossing | None = None  # latest crossing inward while no spell is open
    spell: Spell | None = None
    callsign: int = 0
    squawk: int = 0
    is_state: int = -1
    kinds: int = 0  # bit per sensor kind


def distance_m(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Geodesic distance of places near each other, m (3e-8 at 50 km)."""
    east, north = to_local(lat0, lon0, lat1, lon1)
    return math.hypot(east, north)


def crossing_between(a: Sample, b: Sample) -> Crossing | None:
    """Where the margin crosses zero from a to b; None if it does not."""
    if (a.margin_m >= 0.0) == (b.margin_m >= 0.0) or b.time <= a.time:
        return None
    share = a.margin_m / (a.margin_m - b.margin_m)
    rate = (b.margin_m - a.margin_m) * NS_PER_S / (b.time - a.time)
    sigma = a.sigma_m + share * (b.sigma_m - a.sigma_m)
    return Crossing(
        time=a.time + round(share * (b.time - a.time)),
        sigma_s=math.hypot(sigma / rate, max(a.clock_s, b.clock_s)) if not math.isnan(sigma) else None,
        kind="crossing",
        lat=a.lat + share * (b.lat - a.lat),
        lon=_wrapped(a.lon + share * _wrapped(b.lon - a.lon)),
    )


def _wrapped(lon_deg: float) -> float:
    """The same longitude, or difference of two, in [-180, 180)."""
    return lon_deg if -180.0 <= lon_deg < 180.0 else (lon_deg + 180.0) % 360.0 - 180.0


def feed(pair: Pair, sample: Sample, rule: Infringement) -> bool:
    """Take the next sample of a pair whose spell, if any, is not over by then.

    Returns:
        Whether a spell opened or the open one changed its outcome or what it is undecidable for.
    """
    crossed = crossing_between(pair.last, sample) if pair.last is not None else None
    opened = False
    if pair.spell is None:
        if crossed is not None:
            pair.inward = crossed if sample.margin_m >= 0.0 else None
        if sample.p_lateral >= rule.suspected_p and sample.p_inside < rule.suspected_p:
            pair.inward = None  # over or below the volume: where it later enters is not this crossing
        if sample.p_lateral >= rule.suspected_p and not sample.p_inside < rule.suspected_p:
            pair.spell = _open(pair, sample)
            opened = True
    changed = opened
    if pair.spell is not None:
        before = pair.spell.outcome, missing_for(pair.spell, rule)
        _extend(pair.spell, pair.last, sample, None if opened else crossed, rule)
        changed = opened or (pair.spell.outcome, missing_for(pair.spell, rule)) != before
    pair.last = sample
    return changed


def deadline_of(pair: Pair, rule: Infringement, timeout_s: float) -> int:
    """When what is open in a pair ends if nothing more is heard, ns of `known` time."""
    if pair.spell is not None and pair.spell.below_since is not None:
        return pair.spell.below_since + round(rule.hysteresis_s * NS_PER_S)
    return (pair.last.known if pair.last is not None else pair.start) + round(timeout_s * NS_PER_S)


def finish(pair: Pair) -> Spell | None:
    """Take the open spell out of a pair as over; one that was not seen to leave ends where last seen."""
    spell, last = pair.spell, pair.last
    if spell is not None and spell.exit is None and last is not None:
        spell.exit = Crossing(last.time, None, "last_seen", last.lat, last.lon)
    pair.spell = None
    pair.inward = None
    return spell


def _open(pair: Pair, sample: Sample) -> Spell:
    entry = pair.inward
    if entry is None:
        entry = Crossing(sample.time, None, "first_seen", sample.lat, sample.lon)
    pair.inward = None
    return Spell(entry=entry, number_time=sample.time)


def _extend(
    spell: Spell, last: Sample | None, sample: Sample, crossed: Crossing | None, rule: Infringement
) -> None:
    if crossed is not None:
        if sample.margin_m < 0.0:
            above_or_below = last is not None and last.p_inside < rule.close_p <= last.p_lateral
            if spell.exit is None or not above_or_below:
                spell.exit = crossed
        elif spell.exit is not None:
            spell.reentries.append({"exit": spell.exit.as_event(), "entry": crossed.as_event()})
            # what lies between exit and re-entry is not length inside
            spell.length_m += distance_m(
                spell.measured_lat, spell.measured_lon, spell.exit.lat, spell.exit.lon
            )
            spell.measured_lat, spell.measured_lon = crossed.lat, crossed.lon
            spell.exit = None
        elif spell.max_depth_m < 0.0:  # opened by P just before the border itself
            spell.entry = crossed
    if sample.p_lateral < rule.close_p or sample.p_inside < rule.close_p:
        spell.below_since = sample.known if spell.below_since is None else spell.below_since
        if spell.exit is None:  # left through the floor or roof, or into uncertainty
            spell.exit = Crossing(sample.time, None, "last_seen", sample.lat, sample.lon)
    elif sample.p_lateral >= rule.suspected_p and not sample.p_inside < rule.suspected_p:
        spell.below_since = None
        if sample.margin_m >= 0.0 and spell.exit is not None and crossed is None:
            spell.exit = None
        _count_inside(spell, last, sample)
    spell.outcome = _outcome(spell, rule)


def _count_inside(spell: Spell, last: Sample | None, sample: Sample) -> None:
    spell.is_reconstruction = spell.is_reconstruction or sample.is_reconstruction
    if sample.bridged:
        spell.bridged += 1
    else:
        spell.reports += 1
    sure_m = sample.margin_m - DEPTH_SIGMAS * sample.sigma_m
    if sure_m > spell.max_depth_sure_m:
        spell.max_depth_sure_m = sure_m
        spell.max_depth_m = sample.margin_m
        spell.max_depth_sigma_m = sample.sigma_m
        spell.max_depth_time = sample.time
    if not sample.degraded and not sample.bridged and sure_m > spell.credible_sure_m:
        spell.credible_sure_m = sure_m
        spell.credible_depth_m = max(0.0, sample.margin_m)
    if math.isnan(sample.p_inside):
        spell.height_missing = True
    else:
        spell.p_max = max(spell.p_max, sample.p_inside)
        if not sample.degraded and not sample.bridged:
            spell.p_max_credible = max(spell.p_max_credible, sample.p_inside)
    _lengthen(spell, sample)
    spell.inside_time, spell.inside_lat, spell.inside_lon = sample.time, sample.lat, sample.lon


def _lengthen(spell: Spell, sample: Sample) -> None:
    """Add to the length once the track has moved far against its own noise: a zigzag of errors is no path."""
    if math.isnan(spell.measured_lat):
        start = spell.entry if spell.entry.kind == "crossing" else sample
        spell.measured_lat, spell.measured_lon = start.lat, start.lon
    step = distance_m(spell.measured_lat, spell.measured_lon, sample.lat, sample.lon)
    if step >= LENGTH_STEP_SIGMAS * sample.sigma_m:
        spell.length_m += step
        spell.measured_lat, spell.measured_lon = sample.lat, sample.lon


def _outcome(spell: Spell, rule: Infringement) -> str:
    """The ladder: what the evidence of this spell supports so far."""
    # a path point inside is no sign of its own: a lone wrong report bends the path to itself
    if spell.reports < rule.suspected_min_reports:
        return "undecidable"
    if spell.p_max_credible >= rule.probable_p and spell.reports >= rule.probable_min_reports:
        return "probable"
    if spell.p_max >= rule.suspected_p:
        return "suspected"
    return "undecidable"


def missing_for(spell: Spell, rule: Infringement) -> list[str]:
    """What would settle an undecidable spell; empty if it is decided."""
    if spell.outcome != "undecidable":
        return []
    missing = []
    if spell.reports < rule.suspected_min_reports:
        missing.append("a second report inside")
    if spell.height_missing:
        missing.append("any height: none was reported")
    return missing


def spell_event(spell: Spell, *, until: int, rule: Infringement) -> dict[str, Any]:
    """The numbers of a spell as known at `until` (ns), without identity."""
    leave = spell.exit.time if spell.exit is not None else max(until, spell.inside_time)
    crossed_out = spell.exit is not None and spell.exit.kind == "crossing"
    end = (
        (spell.exit.lat, spell.exit.lon)
        if crossed_out and spell.exit
        else (spell.inside_lat, spell.inside_lon)
    )
    length = spell.length_m + distance_m(spell.measured_lat, spell.measured_lon, *end)
    return {
        "entry": spell.entry.as_event(),
        "exit": None if spell.exit is None else spell.exit.as_event(),
        "duration_s": round((leave - spell.entry.time) / NS_PER_S, 1),
        "length_m": _rounded(length, 0),
        "max_depth_m": _rounded(spell.max_depth_m, 1),
        "max_depth_sigma_m": _rounded(spell.max_depth_sigma_m, 1),
        "max_depth_is_bound": spell.max_depth_m >= RELEVANCE_M,
        "max_depth_at": utc_text(spell.max_depth_time),
        "p_inside_max": round(spell.p_max, 6),
        "robustness_radius_m": _rounded(spell.credible_depth_m, 1),
        "outcome": spell.outcome,
        "undecidable_for": missing_for(spell, rule),
        "reports": spell.reports,
        "bridged": spell.bridged,
        "reentries": list(spell.reentries),
        "reconstruction": spell.is_reconstruction,
    }


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
