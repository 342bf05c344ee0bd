"""All alerts of predicted entry: the part of the state that remembers them between batches.

Points and samples go in, events come out. Only volumes are alerted for which the presence would need permission (`needs_permission`).
What an event says is a prediction about a course, never a finding about an aircraft: it opens no spell and no incident.

Rules
- A pair exists from the first evaluation that makes it a candidate until its deadline; what happened before is not remembered.
- Deadlines run on the time of reports, so it does not matter whether a later report or the watermark shows that one has passed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from airvigil.airspace.heights.climb import Climb, followed
from airvigil.airspace.lookahead.fan import OFFSETS, motion
from airvigil.airspace.lookahead.lookahead import (
    Candidates,
    Predictions,
    candidates_of,
    is_due,
    moments_of,
    predict,
)
from airvigil.airspace.lookahead.lookahead_alert import (
    ENTERED,
    NOT_REQUIRED,
    AlertPair,
    Outlook,
    clear,
    deadline_of,
    expected_entry,
    feed_inside,
    feed_outlook,
)
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells.path import Points
from airvigil.airspace.spells.spell_book import Teller
from airvigil.airspace.spells.spell_records import Samples
from airvigil.airspace.volumes import Volume
from airvigil.tracking import verdicts
from airvigil.tracking.identity import icao24_of, identity_of, track_id
from airvigil.tracking.rows import text_of
from airvigil.units import NS_PER_S, utc_text

Event = dict[str, Any]
CLIMB_MEMORY_S = 120.0  # longer than a climb is followed through silence


@dataclass
class LookaheadBook:
    """Alerts and their pairs by track key, then volume id; climbs by track key."""

    pairs: dict[str, dict[str, AlertPair]] = field(default_factory=dict)
    climbs: dict[str, Climb] = field(default_factory=dict)

    def copy(self) -> LookaheadBook:
        """An independent copy."""
        return LookaheadBook.from_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values."""
        pairs = [
            [key, volume, pair.to_plain()]
            for key, near in self.pairs.items()
            for volume, pair in near.items()
        ]
        return {"pairs": pairs, "climbs": [[key, climb.to_plain()] for key, climb in self.climbs.items()]}

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> LookaheadBook:
        """The inverse of `to_plain`."""
        book = LookaheadBook()
        for key, volume, pair in plain["pairs"]:
            book.pairs.setdefault(key, {})[volume] = AlertPair.from_plain(pair)
        book.climbs = {key: Climb(*climb) for key, climb in plain["climbs"]}
        return book


def needs_permission(teller: Teller, key: str, is_state: int, volume_id: str) -> bool:
    """Whether presence of a track in a volume would need permission.

    Args:
        teller: settings and address blocks.
        key: track key.
        is_state: 1 if a source said so, 0 if it denied it, -1 unknown.
        volume_id: of an information region nobody is told.
    """
    return teller.needs_permission(key, is_state, volume_id)


@dataclass(frozen=True)
class _Batch:
    """What one batch says, and who is to be told of it."""

    points: Points
    keys: list[str]
    candidates: Candidates
    predictions: Predictions
    airspace: Airspace
    teller: Teller


def take_points(
    book: LookaheadBook, points: Points, samples: Samples, keys: list[str], airspace: Airspace, teller: Teller
) -> list[Event]:
    """Judge the points of a batch; returns the events of alerts raised, changed and cleared by them.

    Args:
        book: changed.
        points: (n,) POINT, believed and airborne.
        samples: of these points.
        keys: track key of each slot.
        airspace: volumes.
        teller: settings and who needs permission.
    """
    settings, volumes = teller.settings, airspace.volumes
    if moments_of(settings) == 0 or not len(points):
        return []
    asked: dict[tuple[int, int, int], bool] = {}

    def needs(point: Any, volume: int) -> bool:
        who = (int(point["slot"]), int(point["is_state"]), volume)
        if who not in asked:
            asked[who] = needs_permission(teller, keys[who[0]], who[1], volumes[volume].volume_id)
        return asked[who]

    candidates = candidates_of(points, samples, settings, needs)
    climbs = _follow_climbs(book, points, candidates, keys, volumes)
    batch = _Batch(
        points, keys, candidates, predict(points, candidates, climbs, airspace, settings), airspace, teller
    )
    ahead: dict[int, dict[str, int]] = {}
    for c, (index, volume) in enumerate(
        zip(candidates.point.tolist(), candidates.volume.tolist(), strict=True)
    ):
        ahead.setdefault(index, {})[volumes[volume].volume_id] = c
    inside: dict[int, set[str]] = {}
    slots = {int(points["slot"][index]) for index in ahead}
    slots |= {slot for slot in set(points["slot"].tolist()) if keys[slot] in book.pairs}
    concerned = np.isin(points["slot"], sorted(slots))
    for k in np.flatnonzero(
        (samples.p_inside >= settings.infringement.suspected_p) & concerned[samples.point]
    ):
        inside.setdefault(int(samples.point[k]), set()).add(volumes[samples.volume[k]].volume_id)
    due = is_due(points, settings.lookahead.every_s)
    events: list[Event] = []
    for index in np.flatnonzero(concerned).tolist():
        if due[index] or index in inside:
            _take_point(
                book, batch, index, ahead.get(index, {}), inside.get(index, set()), bool(due[index]), events
            )
    return events


def pass_time(book: LookaheadBook, watermark: int, teller: Teller) -> list[Event]:
    """Clear all alerts whose deadline is before the watermark; forget pairs and climbs that are silent."""
    events: list[Event] = []
    for key, near in list(book.pairs.items()):
        for volume, pair in list(near.items()):
            if _lapse(key, volume, pair, watermark, teller, events):
                del near[volume]
        if not near:
            del book.pairs[key]
    oldest = watermark - round(CLIMB_MEMORY_S * NS_PER_S)
    for key in [key for key, climb in book.climbs.items() if climb.time < oldest]:
        del book.climbs[key]
    return events


def _lapse(key: str, volume: str, pair: AlertPair, now: int, teller: Teller, events: list[Event]) -> bool:
    """Clear what a deadline before now has ended; returns whether the pair is forgotten too."""
    deadline, why = deadline_of(pair, teller.settings)
    if why is not None and deadline < now:
        events.append(_told("lookahead_cleared", key, volume, pair, deadline, teller, why=why))
        clear(pair)
        deadline, why = deadline_of(pair, teller.settings)
    return why is None and deadline < now


def _follow_climbs(
    book: LookaheadBook, points: Points, candidates: Candidates, keys: list[str], volumes: tuple[Volume, ...]
) -> dict[int, Climb]:
    """Climbs at the points that are asked about a volume with limits, by index of the point."""
    climbs: dict[int, Climb] = {}
    for index, volume in zip(candidates.point.tolist(), candidates.volume.tolist(), strict=True):
        if index in climbs or volumes[volume].spans_all_heights:
            continue
        key = keys[points["slot"][index]]
        climb = followed(book.climbs.get(key), points[index])
        if climb is not None:
            climbs[index] = book.climbs[key] = climb
    return climbs


def _take_point(
    book: LookaheadBook,
    batch: _Batch,
    index: int,
    ahead: dict[str, int],
    inside: set[str],
    is_due_now: bool,
    events: list[Event],
) -> None:
    point, teller = batch.points[index], batch.teller
    key, known, start = batch.keys[point["slot"]], int(point["known"]), int(point["start"])
    near = book.pairs.setdefault(key, {})
    for volume in sorted({*near, *ahead}):
        pair = near.get(volume)
        if pair is not None and (_lapse(key, volume, pair, known, teller, events) or pair.start != start):
            _clear_other_track(key, volume, pair, known, teller, events)
            del near[volume]
            pair = None
        if pair is None:
            if volume not in ahead:
                continue
            pair = near[volume] = AlertPair(start, known)
        _feed(batch, index, key, volume, pair, ahead.get(volume), volume in inside, is_due_now, events)
    if not near:
        del book.pairs[key]


def _clear_other_track(
    key: str, volume: str, pair: AlertPair, known: int, teller: Teller, events: list[Event]
) -> None:
    if pair.raised is not None:
        events.append(_told("lookahead_cleared", key, volume, pair, known, teller, why="silent"))


def _feed(
    batch: _Batch,
    index: int,
    key: str,
    volume: str,
    pair: AlertPair,
    candidate: int | None,
    is_inside: bool,
    is_due_now: bool,
    events: list[Event],
) -> None:
    """One point into one pair."""
    point, teller = batch.points[index], batch.teller
    known = int(point["known"])
    pair.is_reconstruction |= bool(point["is_reconstruction"])
    if pair.raised is not None and not needs_permission(teller, key, int(point["is_state"]), volume):
        events.append(_told("lookahead_cleared", key, volume, pair, known, teller, why=NOT_REQUIRED))
        clear(pair)
        return
    if is_inside:
        if feed_inside(pair, known) is not None:
            events.append(_told("lookahead_cleared", key, volume, pair, known, teller, why=ENTERED))
            clear(pair)
        return
    if not is_due_now:
        return
    outlook = _outlook(batch, index, candidate)
    if outlook is None:
        return
    happened = feed_outlook(pair, known, outlook, teller.settings)
    if happened is not None:
        events.append(_told(f"lookahead_{happened}", key, volume, pair, known, teller))


def _outlook(batch: _Batch, index: int, candidate: int | None) -> Outlook | None:
    """The evaluation of a point for one volume; None where no course is known."""
    point = batch.points[index]
    speed, course, _, course_sigma = motion(point)
    turn_deg = batch.teller.settings.lookahead.turn_sigma_deg
    facts: dict[str, Any] = {
        "callsign": text_of(int(point["callsign"])),
        "squawk": text_of(int(point["squawk"])),
        "identity": identity_of(batch.keys[point["slot"]], int(point["is_state"]), batch.teller.blocks),
        "latitude_deg": round(float(point["lat"]), 6),
        "longitude_deg": round(float(point["lon"]), 6),
        "ground_speed_mps": round(speed, 2),
        "track_angle_deg": _or_none(math.degrees(course) % 360.0, 2),
        "course_sigma_deg": _or_none(math.hypot(math.degrees(course_sigma), turn_deg), 2),
        "degraded": bool(point["integrity"] != verdicts.CREDIBLE),
        "fan": [],
        "margin_m": None,
        "undecidable_for": [],
    }
    at = int(point["time"])
    if candidate is None:
        return Outlook(at, 0.0, None, None, None, None, facts)
    found, c = batch.predictions, candidate
    p = float(found.p[c])
    if math.isnan(p):
        return None
    width = facts["course_sigma_deg"]
    facts["fan"] = [
        {
            "track_angle_deg": round((math.degrees(course) + z * width) % 360.0, 2),
            "p_inside_max": round(float(chance), 4),
        }
        for z, chance in zip(OFFSETS.tolist(), found.p_course[c], strict=True)
    ]
    facts["margin_m"] = round(float(batch.candidates.margin_m[c]), 1)
    facts["undecidable_for"] = ["height"] if found.is_height_missing[c] else []
    when, sigma = _or_none(found.time_s[c], 2), _or_none(found.sigma_s[c], 2)
    lat, lon = _or_none(found.lat[c], 6), _or_none(found.lon[c], 6)
    return Outlook(at, round(p, 6), when, sigma, lat, lon, facts)


def _or_none(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(float(value), digits)


def _told(
    name: str, key: str, volume: str, pair: AlertPair, now: int, teller: Teller, why: str | None = None
) -> Event:
    """An event as known at `now` (ns)."""
    outlook = pair.outlook
    if outlook is None or pair.raised is None:
        raise AssertionError("an alert has an evaluation")
    who, entry = track_id(key, pair.start), expected_entry(pair)
    place = {"latitude_deg": outlook.lat, "longitude_deg": outlook.lon}
    event: Event = {
        "event": name,
        "time": utc_text(now),
        "time_ns": now,
        "lookahead_id": f"{who}/{volume}/ahead/{utc_text(pair.raised)}",
        "track_id": who,
        "icao24": icao24_of(key),
        "volume": volume,
        "raised": utc_text(pair.raised),
        "lookahead_s": teller.settings.lookahead.lookahead_s,
        "p_entry": outlook.p,
        "p_entry_max": pair.p_max,
        "time_to_boundary_s": outlook.time_s,
        "time_to_boundary_sigma_s": outlook.sigma_s,
        "expected_entry": None if entry is None else {"time": utc_text(entry), **place},
        **outlook.facts,
        "reconstruction": pair.is_reconstruction,
    }
    if why is not None:
        event["why"] = why
        seconds = (now - pair.raised) / NS_PER_S
        event["warning_time_s"] = round(seconds, 2) if why == ENTERED else None
        event["duration_s"] = round(seconds, 2)
    return event
