"""All spells of all tracks: the part of the state that remembers them between batches.

Samples go in by pair of track and volume; events come out. The kernels of `spells` do the work; here are the
names that they know only as numbers, and the events.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from airvigil.airspace.margins import Airspace
from airvigil.airspace.permissions.permission_need import (
    asks_for_permission,
    open_to_all,
    track_needs_permission,
)
from airvigil.airspace.spells import spell_kernels
from airvigil.airspace.spells.spell_events import crossing_event, spell_event, values_of
from airvigil.airspace.spells.spell_places import SpellPlaces, radius_m
from airvigil.airspace.spells.spell_records import (
    CLOSED,
    MOST_TOLD,
    NONE,
    PAIR,
    REENTERED,
    Places,
    Records,
    Rule,
    Samples,
    Table,
    Told,
    blank_places,
    blank_told,
    rule_of,
    table_of,
)
from airvigil.airspace.volumes import Volume
from airvigil.errors import SchemaError
from airvigil.reports import SENSOR_KINDS
from airvigil.settings import Settings
from airvigil.tracking.identity import AddressBlocks, icao24_of, identity_of, track_id
from airvigil.tracking.rows import text_of
from airvigil.units import utc_text

Event = dict[str, Any]

EVENT_NAMES = ("spell_opened", "spell_updated", "spell_closed")  # by spell_records.OPENED ...
FIRST_ROOM = 64  # pairs
TOLD_ROOM = 1024  # events noted down at one go
LAYOUT = json.dumps(PAIR.descr)


@dataclass
class SpellBook:
    """Pairs of track and volume that are near each other now.

    Attributes:
        table: the pairs, by numbers of track slot and volume.
        keys: track key of each slot: the track table's own list. It only grows, or is replaced by another.
        forgotten: keys of the tracks whose slot was given up, by -1 - the pair's slot.
        volumes: ids of volumes by number: those of the airspace, then those that it has no longer.
        airspace: the volumes that the numbers were last made for.
        reentries: of each open spell that has some, by row of its pair.
        places: of each open spell whose robustness radius will be asked for, by row of its pair and `number_time`.
        asked: of so many slots it is known whose places are wanted.
        free: numbers of the volumes in which nobody needs permission, so that no radius is asked for.
    """

    table: Table = field(default_factory=lambda: table_of(np.zeros(0, PAIR), 0, FIRST_ROOM))
    keys: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    airspace: tuple[Volume, ...] = ()
    reentries: dict[int, list[Event]] = field(default_factory=dict)
    places: dict[tuple[int, int], SpellPlaces] = field(default_factory=dict)
    asked: int = 0
    free: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return int(self.table.pairs["is_used"].sum())

    def open_count(self) -> int:
        """How many spells are open."""
        pairs = self.table.pairs
        return int(((pairs["is_used"] == 1) & (pairs["is_open"] == 1)).sum())

    def key_of(self, slot: int) -> str:
        """The track key of a pair's slot."""
        return self.keys[slot] if slot >= 0 else self.forgotten[-1 - slot]

    def copy(self) -> SpellBook:
        """An independent copy."""
        columns: list[Any] = [column.copy() for column in self.table]
        reentries = {row: list(those) for row, those in self.reentries.items()}
        return SpellBook(
            Table(*columns),
            list(self.keys),
            list(self.forgotten),
            list(self.volumes),
            self.airspace,
            reentries,
            {spell: those.copy() for spell, those in self.places.items()},
            self.asked,
            self.free,
        )

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values; floats survive exactly, and where a pair stood in the table does not show."""
        rows = np.flatnonzero(self.table.pairs["is_used"])
        pairs = self.table.pairs[rows].copy()
        slots, names = np.unique(pairs["slot"]), np.unique(pairs["volume"])
        pairs["slot"] = np.searchsorted(slots, pairs["slot"])
        pairs["volume"] = np.searchsorted(names, pairs["volume"])
        pairs["next"] = NONE
        numbers = {row: number for number, row in enumerate(rows.tolist())}
        return {
            "layout": LAYOUT,
            "keys": [self.key_of(slot) for slot in slots.tolist()],
            "volumes": [self.volumes[number] for number in names.tolist()],
            "pairs": [[list(v) if isinstance(v, tuple) else v for v in row] for row in pairs.tolist()],
            "reentries": [self.reentries.get(row, []) for row in rows.tolist()],
            "places": [
                [numbers[row], spell, list(those.lat), list(those.lon), those.spacing_m]
                for (row, spell), those in sorted(self.places.items())
            ],
        }

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> SpellBook:
        """The inverse of `to_plain`.

        Raises:
            SchemaError: records of another layout.
        """
        if not isinstance(plain, dict) or plain.get("layout") != LAYOUT:
            raise SchemaError("state whose spells have another layout: written by another release")
        rows = [tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in plain["pairs"]]
        keys = list(plain["keys"])
        table = table_of(np.array(rows, dtype=PAIR), len(keys), max(FIRST_ROOM, len(rows)))
        reentries = {row: list(those) for row, those in enumerate(plain["reentries"]) if those}
        places = {
            (row, spell): SpellPlaces(list(lat), list(lon), spacing_m)
            for row, spell, lat, lon, spacing_m in plain["places"]
        }
        return SpellBook(table, keys, [], list(plain["volumes"]), (), reentries, places)

    def meet(self, keys: list[str], volumes: tuple[Volume, ...], teller: Teller) -> None:
        """Make slots and volumes mean what they mean to the caller, and room for all slots.

        Args:
            keys: track key of each slot.
            volumes: of the airspace.
            teller: knows whose places are wanted.
        """
        if keys is not self.keys or volumes is not self.airspace:
            self._renumber(keys, volumes)
        first, wanted = self.table.first, self.table.wanted
        if len(keys) > len(first):
            longer, more = np.full(2 * len(keys), NONE, np.int32), np.zeros(2 * len(keys), np.uint8)
            longer[: len(first)], more[: len(wanted)] = first, wanted
            self.table = self.table._replace(first=longer, wanted=more)
        for slot in range(self.asked, len(keys)):
            self.table.wanted[slot] = teller.wants(keys[slot])
        self.asked = len(keys)

    def _renumber(self, keys: list[str], volumes: tuple[Volume, ...]) -> None:
        rows = np.flatnonzero(self.table.pairs["is_used"])
        pairs = self.table.pairs[rows]
        names = [volume.volume_id for volume in volumes]
        names += sorted({self.volumes[number] for number in np.unique(pairs["volume"])} - set(names))
        numbers = {name: number for number, name in enumerate(names)}
        pairs["volume"] = [numbers[self.volumes[number]] for number in pairs["volume"].tolist()]
        slots = {key: slot for slot, key in enumerate(keys)} if len(rows) else {}
        forgotten: list[str] = []
        for pair in pairs:
            key = self.key_of(int(pair["slot"]))
            if key not in slots:
                forgotten.append(key)
                pair["slot"] = -len(forgotten)
            else:
                pair["slot"] = slots[key]
        self.table = table_of(pairs, len(keys), max(FIRST_ROOM, len(pairs)))
        self.asked = 0
        moved = {old: new for new, old in enumerate(rows.tolist())}
        self.places = {(moved[row], spell): those for (row, spell), those in self.places.items()}
        self.reentries = {moved[row]: those for row, those in self.reentries.items()}
        self.keys, self.forgotten, self.volumes, self.airspace = keys, forgotten, names, volumes
        self.free = frozenset(number for number, v in enumerate(volumes) if not asks_for_permission(v))

    def grow(self) -> None:
        """Room for as many pairs again, where no row is free; all keep their rows."""
        full = self.table
        self.table = table_of(full.pairs, len(full.first), len(full.pairs))
        self.table.due[: len(full.due)] = full.due
        self.table.least[:] = full.least
        self.table.wanted[:] = full.wanted


@dataclass(frozen=True)
class Teller:
    """Makes spell events: knows volumes, settings and who needs permission."""

    settings: Settings
    blocks: AddressBlocks
    exempt: AddressBlocks
    airspace: Airspace | None = None  # for the robustness radius of spells that end

    @cached_property
    def free(self) -> frozenset[str]:
        """Ids of the volumes in which nobody needs permission."""
        return frozenset() if self.airspace is None else open_to_all(self.airspace.volumes)

    def needs_permission(self, key: str, is_state: int, volume: str | None = None) -> bool:
        """Whether the presence of a track in a volume, or in any at all, needs permission."""
        needs = track_needs_permission(key, is_state, self.settings, self.blocks, self.exempt)
        return needs and volume not in self.free

    def wants(self, key: str) -> int:
        """Bits of `Table.wanted` for a track key."""
        return int(self.needs_permission(key, -1)) + 2 * int(self.needs_permission(key, 1))

    def tell(
        self,
        name: str,
        key: str,
        volume: str,
        pair: Event,
        reentries: list[Event],
        now: int,
        places: SpellPlaces | None = None,
    ) -> Event:
        """A spell event as known at `now` (ns).

        Args:
            name: of the event.
            key: of the track.
            volume: its id.
            pair: as `spell_events.values_of` gives it.
            reentries: of the spell so far.
            now: ns.
            places: of a spell that ends, where its robustness radius is wanted.
        """
        needs = self.needs_permission(key, pair["is_state"], volume)
        depth_m = pair["credible_depth_m"]
        radius = (depth_m, math.nan)
        if needs and name == EVENT_NAMES[CLOSED]:
            radius = radius_m(places, pair["credible_reports"], depth_m, self.airspace, volume)
        who = track_id(key, pair["start"])
        return {
            "event": name,
            "time": utc_text(now),
            "time_ns": now,
            "spell_id": f"{who}/{volume}/{utc_text(pair['number_time'])}",
            "track_id": who,
            "icao24": icao24_of(key),
            "callsign": text_of(pair["callsign"]),
            "squawk": text_of(pair["squawk"]),
            "sensor_kinds": [kind for i, kind in enumerate(SENSOR_KINDS) if pair["kinds"] >> i & 1],
            "volume": volume,
            "permission": "required" if needs else "not_required",
            "identity": identity_of(key, pair["is_state"], self.blocks),
            **spell_event(pair, reentries, until=now, settings=self.settings, radius_m=radius),
        }


def take_samples(
    book: SpellBook,
    samples: Samples,
    points: Records,
    keys: list[str],
    volumes: tuple[Volume, ...],
    teller: Teller,
) -> list[Event]:
    """Feed the samples of a batch; returns the events of spells opened, changed and ended by them.

    Args:
        book: changed.
        samples: of `points`.
        points: (n,) POINT, as given to `samples_of`.
        keys: track key of each slot.
        volumes: of the airspace.
        teller: makes the events.
    """
    book.meet(keys, volumes, teller)
    events: list[Event] = []
    rule = rule_of(teller.settings)
    told = blank_told(min(TOLD_ROOM, MOST_TOLD * (1 + len(samples.point))))
    places = blank_places(TOLD_ROOM)
    taken = 0
    while taken < len(samples.point):
        if book.table.free[0] == NONE:
            book.grow()
        taken, count = spell_kernels.take(samples, points, book.table, rule, told, places, taken)
        _note_places(book, places)
        events += _events(book, told, count, teller)
    return events


def pass_time(book: SpellBook, watermark: int, teller: Teller) -> list[Event]:
    """End all spells whose deadline is before the watermark; forget pairs that are silent."""
    events: list[Event] = []
    rule: Rule = rule_of(teller.settings)
    is_done = watermark <= book.table.least[0]
    told = None if is_done else blank_told(TOLD_ROOM)
    while told is not None and not is_done:
        is_done, count = spell_kernels.pass_time(book.table, watermark, rule, told)
        events += _events(book, told, count, teller)
    return events


def _events(book: SpellBook, told: Told, count: int, teller: Teller) -> list[Event]:
    """The events of what a kernel has told; re-entries are remembered until their spell is closed."""
    events: list[Event] = []
    pairs: Records = told.pair[:count]
    noted = zip(told.what.tolist(), told.known.tolist(), told.row.tolist(), values_of(pairs), strict=False)
    for what, now, row, pair in noted:
        if what == REENTERED:
            back = {"exit": crossing_event(pair["left"]), "entry": crossing_event(pair["inward"])}
            book.reentries.setdefault(row, []).append(back)
            continue
        those = book.reentries.get(row, [])
        key, volume = book.key_of(pair["slot"]), book.volumes[pair["volume"]]
        where = None
        if what == CLOSED:
            book.reentries.pop(row, None)
            where = book.places.pop((row, pair["number_time"]), None)
        events.append(teller.tell(EVENT_NAMES[what], key, volume, pair, those, now, where))
    return events


def _note_places(book: SpellBook, places: Places) -> None:
    count = int(places.noted[0])
    for row, spell, lat, lon in zip(*(column[:count].tolist() for column in places[:4]), strict=True):
        if book.table.pairs["volume"][row] in book.free:
            continue
        if (row, spell) not in book.places:
            book.places[row, spell] = SpellPlaces()
        book.places[row, spell].add(lat, lon)
