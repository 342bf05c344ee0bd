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

from airvigil.settings import Tracks
from airvigil.tracking import verdicts
from airvigil.tracking.identity import icao24_of, track_id
from airvigil.tracking.rows import text_of
from airvigil.units import NS_PER_S, utc_text

Event = dict[str, Any]
Place = tuple[int, float, float]  # ns, latitude_deg, longitude_deg


@dataclass
class Watch:
    """What is remembered of one track."""

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
    """Watches by track key."""

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
    watch.run, watch.is_open = 0, False
    watch.reasons, watch.volumes = {}, []
    watch.claimed = watch.first_claimed = None


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


def take_points(
    book: InterferenceBook,
    points: npt.NDArray[Any],
    keys: list[str],
    inside: dict[int, list[str]],
    rule: Tracks,
) -> list[Event]:
    """Feed track points; returns the events of interference opened and closed by them.

    Args:
        book: changed.
        points: (n,) POINT by slot and time.
        keys: track key of each slot.
        inside: for points (by index) that are not credible, the volumes that they claim to be inside.
        rule: thresholds.
    """
    events: list[Event] = []
    if not len(points):
        return events
    bad = (points["integrity"] == verdicts.NOT_CREDIBLE) & (points["on_ground"] != 1)
    troubled = set(np.unique(points["slot"][bad]).tolist()) | {
        int(s) for s in np.unique(points["slot"]) if _is_running(book, keys[s])
    }
    for i in np.flatnonzero(np.isin(points["slot"], list(troubled))):
        point = points[i]
        key = keys[point["slot"]]
        watch = book.watches.setdefault(key, Watch())
        if watch.run and int(point["known"]) > _deadline(watch, rule):
            _close(key, watch, rule, events)
        if bad[i]:
            _take_bad(key, watch, point, inside.get(int(i), []), rule, events)
        elif not watch.is_open:
            watch.run, watch.reasons, watch.volumes = 0, {}, []
        if point["integrity"] == verdicts.CREDIBLE:
            watch.last_credible = (int(point["time"]), float(point["lat"]), float(point["lon"]))
    _note_credible(book, points, keys, troubled)
    return events


def forget(book: InterferenceBook, keys: set[str]) -> None:
    """Let go of watches of tracks that are not among these and have nothing open."""
    book.watches = {key: watch for key, watch in book.watches.items() if watch.run or key in keys}


def _is_running(book: InterferenceBook, key: str) -> bool:
    watch = book.watches.get(key)
    return watch is not None and watch.run > 0


def _note_credible(book: InterferenceBook, points: npt.NDArray[Any], keys: list[str], done: set[int]) -> None:
    """Remember the last credible place of the tracks that gave no trouble."""
    good = np.flatnonzero((points["integrity"] == verdicts.CREDIBLE) & ~np.isin(points["slot"], list(done)))
    slots = points["slot"][good]
    last = good[np.flatnonzero(np.append(slots[1:] != slots[:-1], True))] if len(good) else good
    for i in last:
        watch = book.watches.setdefault(keys[points["slot"][i]], Watch())
        watch.last_credible = (int(points["time"][i]), float(points["lat"][i]), float(points["lon"][i]))


def pass_time(book: InterferenceBook, watermark: int, rule: Tracks) -> list[Event]:
    """Close what has been quiet for long enough by the watermark."""
    events: list[Event] = []
    for key, watch in book.watches.items():
        if watch.run and _deadline(watch, rule) < watermark:
            _close(key, watch, rule, events)
    return events
