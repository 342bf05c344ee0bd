"""Stays that need permission, held against the permissions known at each instant.

A pass of its own over the samples and spell events of a step. It completes the spell events with what permissions
say, and tells when that changes: at a report outside a corridor, after an end, or when a permission becomes known.

Rules
- Only presence that needs permission is followed (`permission_following`).
- Of each stay some reports are kept (`trail_s` apart), so that a permission that becomes known later is tested against the
  past. From then on every report inside is tested. At MOST_TRAIL reports every second one is let go.
- What an event of the instant t says rests on samples known until t and permissions received until t, so it does not
  matter how either arrived in batches.
- A stay is remembered for `remember_s` after its end, and judged again when something becomes known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from airvigil.airspace.permissions.permission_excess import Excess, Place, add_place, geometry_of
from airvigil.airspace.permissions.permission_following import Needs, followed_samples, thinned
from airvigil.airspace.permissions.permission_matching import Who
from airvigil.airspace.permissions.permission_standing import NO_STANDING, Presence, Standing, standing_of
from airvigil.airspace.permissions.permissions import Permission, PermissionBook, Version
from airvigil.airspace.spells.spell_records import Samples
from airvigil.airspace.volumes import Volume
from airvigil.settings import Settings
from airvigil.tracking.identity import (
    AddressBlocks,
    icao24_of,
    identity_of,
    state_blocks,
    track_id,
)
from airvigil.tracking.rows import text_of
from airvigil.units import NS_PER_S, utc_ns, utc_text

Event = dict[str, Any]
MOST_TRAIL = 1024
BEGINNING = -(2**62)
FALLING_SHORT = ("exceeded", "lapsed", "not_yet")
_CHANGE, _CLOSED, _SAMPLE, _TOLD = range(4)  # order of what happens to a stay at one instant


@dataclass
class Stay:
    """One stay of one track in one volume, as far as permissions need it. All fields but `excesses` are plain values."""

    key: str
    track: str
    volume: str
    callsign: int = 0
    is_state: int = -1
    first: int = 0  # ns, first and last time inside
    last: int = 0
    spacing: int = 0  # ns, of the trail
    trail: list[list[Any]] = field(default_factory=list)
    excesses: dict[str, Excess] = field(default_factory=dict)  # by geometry
    told: Event | None = None  # latest event of its spell
    status: str = ""  # as told last
    closed: int | None = None  # ns

    def who(self, blocks: AddressBlocks) -> Who:
        """The aircraft, by its address, its latest callsign and the address blocks of state aircraft."""
        return Who(icao24_of(self.key), text_of(self.callsign), identity_of(self.key, self.is_state, blocks))


@dataclass
class StayBook:
    """Stays that are open or ended not long ago; `passed` is the watermark until which they were judged."""

    stays: list[Stay] = field(default_factory=list)
    passed: int = BEGINNING
    _needs: Needs | None = None

    def copy(self) -> StayBook:
        """An independent copy."""
        return StayBook.from_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values; events are never changed after they were made."""
        stays = [
            {
                **vars(s),
                "trail": list(s.trail),
                "excesses": {name: excess.to_plain() for name, excess in s.excesses.items()},
            }
            for s in self.stays
        ]
        return {"stays": stays, "passed": self.passed}

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> StayBook:
        """The inverse of `to_plain`."""
        stays = []
        for values in plain["stays"]:
            excesses = {name: Excess(**e) for name, e in values["excesses"].items()}
            stays.append(Stay(**{**values, "trail": list(values["trail"]), "excesses": excesses}))
        return StayBook(stays, plain["passed"])


@dataclass
class _Step:
    """What one call works with, and the events that it makes; `samples` are columns of the followed ones as lists."""

    permissions: PermissionBook
    samples: list[Any]
    settings: Settings
    blocks: AddressBlocks
    events: list[Event] = field(default_factory=list)


Moment = tuple[int, int, Any]


def judge_stays(
    book: StayBook,
    permissions: PermissionBook,
    samples: Samples,
    points: Any,
    keys: list[str],
    volumes: Sequence[Volume],
    spell_events: Iterable[Event],
    settings: Settings,
    watermark: int,
) -> list[Event]:
    """Complete the spell events of a step, and tell what changed between them.

    Args:
        book: changed.
        permissions: with everything received so far.
        samples, points, keys, volumes: as `spell_book.take_samples`.
        spell_events: of the step; get the fields of `permission_standing.NO_STANDING`, and `permission` if it is required.
        watermark: ns; samples and events before it are all there.

    Returns:
        `permission_exceeded` and `permission_changed` events.
    """
    step = _Step(permissions, [], settings, state_blocks(settings.permission))
    moments: dict[tuple[str, str], list[Moment]] = {}
    needed: dict[tuple[str, str], str] = {}
    for event in spell_events:
        event.update(NO_STANDING)
        if event["permission"] == "required":
            name = event["track_id"], event["volume"]
            # a gap's spell is opened and closed at one instant, in this order
            is_end = event["event"] == "spell_closed" and event.get("spell_kind") != "gap"
            rank = _CLOSED if is_end else _TOLD
            moments.setdefault(name, []).append((event["time_ns"], rank, event))
            needed.setdefault(name, event["track_id"].rpartition("@")[0])
    if permissions.entries or settings.permission.trail_s > 0.0:
        if book._needs is None or book._needs.settings is not settings:
            book._needs = Needs(settings)
        followed = followed_samples(book._needs, samples, points, keys, volumes, settings)
        if not permissions.entries:
            followed = thinned(followed, samples, points, settings)
        step.samples = _columns_of(followed, samples, points)
        for name, key, found in _moments_of(step, keys, volumes):
            moments.setdefault(name, []).extend(found)
            needed[name] = key
    changes = permissions.changes(book.passed, watermark)
    for stay in book.stays if changes else ():
        moments.setdefault((stay.track, stay.volume), [])
        needed.setdefault((stay.track, stay.volume), stay.key)
    known: dict[tuple[str, str], list[Stay]] = {}
    for stay in book.stays:
        known.setdefault((stay.track, stay.volume), []).append(stay)
    for name, found in moments.items():
        _live_through(book, known.get(name, []), needed[name], name, found, changes, step)
    book.passed = max(book.passed, watermark)
    _forget(book, settings)
    return step.events


# Columns of the followed samples, and where those of a Place begin.
_SLOT, _START, _KNOWN, _VOLUME, _CALLSIGN, _IS_STATE, _BRIDGED, _TIME, _PLACE_END = (*range(8), 18)
_POINT_NUMBERS = (
    *("cov_ee", "cov_en", "cov_nn", "bias_m"),
    *("pressure_altitude_m", "geometric_height_m", "height_msl_m", "gva"),
)


def _columns_of(followed: npt.NDArray[np.int64], samples: Samples, points: Any) -> list[Any]:
    """One list a column: a number out of an array of records costs more than all that is done with it."""
    owner = samples.point[followed]
    mine = points[owner]
    identity = [mine[name] for name in ("slot", "start", "known")]
    identity += [samples.volume[followed], mine["callsign"], mine["is_state"], samples.bridged[followed]]
    place = [samples.time[followed], samples.lat[followed], samples.lon[followed]]
    return [column.tolist() for column in (*identity, *place, *(mine[name] for name in _POINT_NUMBERS))]


@lru_cache(maxsize=65_536)
def _name_of(key: str, start: int) -> str:
    return track_id(key, start)


def _moments_of(
    step: _Step, keys: list[str], volumes: Sequence[Volume]
) -> Iterable[tuple[tuple[str, str], str, list[Moment]]]:
    """The samples of each track in each volume, in their order."""
    found: dict[tuple[int, int, int], list[Moment]] = {}
    names = zip(*(step.samples[c] for c in (_SLOT, _START, _VOLUME)), step.samples[_KNOWN], strict=True)
    for k, (slot, start, volume, known) in enumerate(names):
        found.setdefault((slot, start, volume), []).append((known, _SAMPLE, k))
    for (slot, start, volume), moments in found.items():
        yield (_name_of(keys[slot], start), volumes[volume].volume_id), keys[slot], moments


def _live_through(
    book: StayBook,
    stays: list[Stay],
    key: str,
    name: tuple[str, str],
    found: list[Moment],
    changes: list[int],
    step: _Step,
) -> None:
    """Everything that happens to the stays of one track in one volume, in order."""
    moments = [*found, *((t, _CHANGE, None) for t in changes)]
    if len(moments) > 1:
        moments.sort(key=_when)
    stays = list(stays)
    for now, rank, what in moments:
        stay = stays[-1] if stays and stays[-1].closed is None else None
        if rank == _CHANGE:
            for each in stays:
                if each.closed is None or now - each.closed <= step.settings.permission.remember_s * NS_PER_S:
                    _tell_change(each, now, step)
            continue
        if stay is None:
            stay = Stay(key, *name)
            stays.append(stay)
            book.stays.append(stay)
        if rank == _SAMPLE:
            _add_sample(stay, what, step)
            _tell_change(stay, now, step)
        else:
            _complete(stay, what, step)
            if what["event"] == "spell_closed":
                stay.closed = now


def _when(moment: Moment) -> tuple[int, int]:
    return moment[:2]


def _add_sample(stay: Stay, k: int, step: _Step) -> None:
    columns = step.samples
    time = columns[_TIME][k]
    stay.first = time if not stay.last else min(stay.first, time)
    stay.last = max(stay.last, time)
    stay.callsign, stay.is_state = columns[_CALLSIGN][k], columns[_IS_STATE][k]
    if columns[_BRIDGED][k]:
        return
    place = None
    for permission, geometry in _tested(stay, columns[_KNOWN][k], step):
        place = place or Place._make(column[k] for column in columns[_TIME:_PLACE_END])
        # the first test of this geometry takes in what was kept of the stay before
        add_place(_excess(stay, geometry, permission, step.settings), place, permission, step.settings)
    spacing = stay.spacing or round(step.settings.permission.trail_s * NS_PER_S)
    if spacing and not (stay.trail and time // spacing == stay.trail[-1][0] // spacing):
        _keep(stay, [column[k] for column in columns[_TIME:_PLACE_END]], spacing)


def _keep(stay: Stay, place: list[Any], spacing: int) -> None:
    """Keep the first report of each stretch of the trail's spacing."""
    stay.trail.append(place)
    stay.spacing = spacing
    if len(stay.trail) > MOST_TRAIL:
        stay.trail, stay.spacing = stay.trail[::2], 2 * spacing


def _named(stay: Stay, now: int, step: _Step) -> list[Permission]:
    """Permissions known now that name the aircraft."""
    if not step.permissions.entries:
        return []
    versions: list[Version] = step.permissions.named_by(icao24_of(stay.key), text_of(stay.callsign))
    return [v.permission for v in versions if v.is_known_at(now)]


def _tested(stay: Stay, now: int, step: _Step) -> list[tuple[Permission, str]]:
    """Those of them that bound the place or the height in this volume, one for each geometry."""
    if not step.permissions.entries:
        return []
    named = {geometry_of(p): p for p in _named(stay, now, step) if p.opens(stay.volume)}
    return [(p, geometry) for geometry, p in named.items() if geometry]


def _excess(stay: Stay, geometry: str, permission: Permission, settings: Settings) -> Excess:
    """The tests of one geometry so far; of the kept reports, if it is a new one."""
    if geometry in stay.excesses:
        return stay.excesses[geometry]
    excess = stay.excesses[geometry] = Excess()
    for row in stay.trail:
        add_place(excess, Place._make(row), permission, settings)
    return excess


def _standing(stay: Stay, now: int, step: _Step) -> Standing:
    named = _named(stay, now, step)
    if not named:
        return Standing("none")
    for permission, geometry in _tested(stay, now, step):
        _excess(stay, geometry, permission, step.settings)
    presence = Presence(stay.first, stay.last, stay.excesses)
    return standing_of(named, stay.who(step.blocks), stay.volume, presence, step.settings)


def _complete(stay: Stay, event: Event, step: _Step) -> None:
    """Write into a spell event what permissions say at its instant."""
    if not stay.last:  # no sample of it was followed: its spell says when it was
        stay.first = stay.last = event["time_ns"]
        if event.get("spell_kind") == "gap":
            stay.first, stay.last = utc_ns(event["gap_from"]), utc_ns(event["gap_to"])
    standing = _standing(stay, event["time_ns"], step)
    event.update(standing.as_event())
    # without what the step adds later, and without a number that JSON readers cannot hold
    stay.told = {name: value for name, value in event.items() if name not in ("seq", "time_ns")}
    stay.status = standing.status


def _tell_change(stay: Stay, now: int, step: _Step) -> None:
    """Tell it if permissions say something else of a stay than was told last."""
    if stay.told is None or not (step.permissions.entries or stay.status != "none"):
        return
    standing = _standing(stay, now, step)
    if standing.status == stay.status:
        return
    fields: Mapping[str, Any] = standing.as_event()
    is_short = standing.status in FALLING_SHORT and stay.status in ("granted", "ambiguous")
    step.events.append(
        {
            "event": "permission_exceeded" if is_short else "permission_changed",
            "time": utc_text(now),
            "time_ns": now,
            "spell_id": stay.told["spell_id"],
            "track_id": stay.track,
            "icao24": icao24_of(stay.key),
            "callsign": text_of(stay.callsign),
            "volume": stay.volume,
            "permission_before": "required" if stay.status == "none" else stay.status,
            **fields,
            "reconstruction": stay.told["reconstruction"],
            "spell": stay.told,
        }
    )
    stay.status = standing.status
    stay.told = {**stay.told, **fields}


def _forget(book: StayBook, settings: Settings) -> None:
    """Let go of stays that ended so long ago that nothing is judged again, and of those that nothing ended."""
    remember = round(settings.permission.remember_s * NS_PER_S)
    silent = round(settings.tracks.memory_s * NS_PER_S) + remember
    book.stays = [
        s
        for s in book.stays
        if (s.closed is None and book.passed - s.last <= silent)
        or (s.closed is not None and book.passed - s.closed <= remember)
    ]
