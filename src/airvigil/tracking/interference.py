"""Per-track interference: stretches in which an aircraft's own positions cannot be believed.

An event opens when `interference_min_reports` positions in a row are not credible (fewer are decoding
artefacts: counted, not reported as interference) and closes when none was for `interference_close_s`.
It tells what was last believed, what was claimed instead, and where: the answer to "why is this not an
infringement?". It accuses nobody; jamming, spoofing and faulty equipment look alike from one track.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.settings import Tracks
from airvigil.tracking import verdicts
from airvigil.tracking.identity import icao24_of, track_id
from airvigil.tracking.rows import Rows, text_of
from airvigil.tracking.track_table import NEVER, TrackTable
from airvigil.units import NS_PER_S, utc_text

Event = dict[str, Any]
Place = tuple[int, float, float]  # ns, latitude_deg, longitude_deg


@dataclass
class Watch:
    """What is remembered of one track while its positions cannot be believed."""

    run: int = 0  # positions in a row that were not credible
    since: int = 0
    latest: int = 0  # ns of the latest that was not credible
    start: int = 0
    is_open: bool = False
    reasons: dict[str, int] = field(default_factory=dict)
    last_credible: Place | None = None
    first_claimed: Place | None = None
    claimed: Place | None = None
    volumes: list[str] = field(default_factory=list)
    callsign: int = 0
    is_reconstruction: bool = False


@dataclass
class InterferenceBook:
    """Watches by track key, of the tracks that are in trouble now."""

    watches: dict[str, Watch] = field(default_factory=dict)

    def copy(self) -> InterferenceBook:
        """An independent copy."""
        return InterferenceBook.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """JSON-able values."""
        return [[key, asdict(watch)] for key, watch in self.watches.items()]

    @staticmethod
    def from_plain(plain: list[Any]) -> InterferenceBook:
        """The inverse of `to_plain`."""
        watches = {}
        for key, values in plain:
            watch = Watch(**values)
            for name in ("last_credible", "first_claimed", "claimed"):
                place = getattr(watch, name)
                setattr(watch, name, None if place is None else tuple(place))
            watches[key] = watch
        return InterferenceBook(watches)


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "time": utc_text(place[0]),
        "latitude_deg": round(place[1], 6),
        "longitude_deg": round(place[2], 6),
    }


def _event(name: str, key: str, watch: Watch, now: int, until: int | None) -> Event:
    who = track_id(key, watch.start)
    return {
        "event": name,
        "time": utc_text(now),
        "time_ns": now,
        "interference_id": f"{who}/interference/{utc_text(watch.since)}",
        "track_id": who,
        "icao24": icao24_of(key),
        "callsign": text_of(watch.callsign),
        "since": utc_text(watch.since),
        "until": None if until is None else utc_text(until),
        "reasons": dict(sorted(watch.reasons.items())),
        "rows": watch.run,
        "last_credible": _place(watch.last_credible),
        "first_claimed": _place(watch.first_claimed),
        "claimed": _place(watch.claimed),
        "claimed_volumes": sorted(watch.volumes),
        "reconstruction": watch.is_reconstruction,
    }


def _deadline(watch: Watch, rule: Tracks) -> int:
    return watch.latest + round(rule.interference_close_s * NS_PER_S)


def _close(key: str, watch: Watch, rule: Tracks, events: list[Event]) -> None:
    if watch.is_open:
        events.append(_event("interference_closed", key, watch, _deadline(watch, rule), watch.latest))


def _take_bad(
    key: str, watch: Watch, point: Any, inside: list[str], rule: Tracks, events: list[Event]
) -> None:
    place = (int(point["time"]), float(point["lat"]), float(point["lon"]))
    if watch.run == 0:
        memory_ns = round(rule.memory_s * NS_PER_S)
        if watch.last_credible is not None and place[0] - watch.last_credible[0] > memory_ns:
            watch.last_credible = None
        watch.since, watch.first_claimed = int(point["time"]), place
        watch.start = int(point["start"])
        watch.is_reconstruction = bool(point["is_reconstruction"])
    watch.run += 1
    watch.latest = int(point["known"])
    watch.claimed = place
    watch.callsign = int(point["callsign"])
    watch.reasons = dict(Counter(watch.reasons) + Counter([verdicts.REASONS[int(point["reason"])][0]]))
    watch.volumes = sorted({*watch.volumes, *inside})
    if not watch.is_open and watch.run >= rule.interference_min_reports:
        watch.is_open = True
        events.append(_event("interference_opened", key, watch, int(point["known"]), None))


def claims_in(points: Rows) -> npt.NDArray[np.int64]:
    """Indices of the airborne points that are not credible."""
    bad = np.empty(len(points), np.bool_)
    return np.flatnonzero(bad) if find_claims(points, bad) else np.zeros(0, np.int64)


@njit(cache=True, nogil=True)
def find_claims(points: Rows, bad: Any) -> int:
    """Mark the airborne points that are not credible; returns their number.

    Args:
        points: (n,) POINT.
        bad: (n,) bool out.
    """
    count = 0
    for i in range(len(points)):
        bad[i] = points[i]["integrity"] == verdicts.NOT_CREDIBLE and points[i]["on_ground"] != 1
        if bad[i]:
            count += 1
    return count


def take_points(
    book: InterferenceBook,
    points: Rows,
    claims: npt.NDArray[np.int64],
    tracks: TrackTable,
    inside: dict[int, list[str]],
    rule: Tracks,
) -> list[Event]:
    """Feed track points; returns the events of interference opened and closed by them.

    Args:
        book: changed.
        points: (n,) POINT by slot and time.
        claims: `claims_in` the points.
        tracks: their latest credible places are kept up to date.
        inside: for claims (by index of the point), the volumes that they claim to be inside.
        rule: thresholds.
    """
    events: list[Event] = []
    troubled = {slot for key in book.watches if (slot := tracks.index.find(key)) is not None}
    troubled.update(points["slot"][claims].tolist())
    bad = set(claims.tolist())
    for slot in sorted(troubled):
        begin, end = np.searchsorted(points["slot"], [slot, slot + 1]).tolist()
        _take_track(book, tracks, slot, points, range(begin, end), bad, inside, rule, events)
    note_credible(points, tracks.records)
    return events


@njit(cache=True, nogil=True)
def note_credible(points: Rows, records: Rows) -> None:
    """Keep the latest credible place of each track.

    Args:
        points: (n,) POINT by slot and time.
        records: (slots,) TRACK; changed.
    """
    for i in range(len(points)):
        point = points[i]
        if point["integrity"] == verdicts.CREDIBLE:
            track = records[point["slot"]]
            track["credible_time"] = point["time"]
            track["credible_lat"], track["credible_lon"] = point["lat"], point["lon"]


def _take_track(
    book: InterferenceBook,
    tracks: TrackTable,
    slot: int,
    points: Rows,
    chosen: range,
    bad: set[int],
    inside: dict[int, list[str]],
    rule: Tracks,
    events: list[Event],
) -> None:
    """Walk the points of one track that gives trouble. A watch is kept while there is trouble, no longer."""
    key = tracks.keys[slot]
    credible = _last_credible(tracks.records[slot])
    for i in chosen:
        point = points[i]
        watch = book.watches.get(key)
        if watch is not None and int(point["known"]) > _deadline(watch, rule):
            _close(key, watch, rule, events)
            del book.watches[key]
            watch = None
        if i in bad:
            if watch is None:
                watch = book.watches[key] = Watch(last_credible=credible)
            _take_bad(key, watch, point, inside.get(i, []), rule, events)
        elif watch is not None and not watch.is_open:
            del book.watches[key]
            watch = None
        if point["integrity"] == verdicts.CREDIBLE:
            credible = (int(point["time"]), float(point["lat"]), float(point["lon"]))
            if watch is not None:
                watch.last_credible = credible


def _last_credible(track: Any) -> Place | None:
    if track["credible_time"] == NEVER:
        return None
    return int(track["credible_time"]), float(track["credible_lat"]), float(track["credible_lon"])


def pass_time(book: InterferenceBook, watermark: int, rule: Tracks) -> list[Event]:
    """Close what has been quiet for long enough by the watermark."""
    events: list[Event] = []
    for key, watch in list(book.watches.items()):
        if _deadline(watch, rule) < watermark:
            _close(key, watch, rule, events)
            del book.watches[key]
    return events
