"""All spells of all tracks: the part of the state that remembers them between batches.

Samples go in by pair of track and volume; events come out. Deadlines (hysteresis, silence) run on the
time of reports, so it does not matter whether a later report or the watermark shows that one has passed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airvigil.airspace.infringement import Points, Samples, pairs_in
from airvigil.airspace.spells import (
    Pair,
    Spell,
    deadline_of,
    feed,
    finish,
    pair_from_plain,
    pair_to_plain,
    spell_event,
)
from airvigil.airspace.volumes import Volume
from airvigil.reports import SENSOR_KINDS
from airvigil.settings import Settings
from airvigil.tracking.identity import AddressBlocks, icao24_of, identity_of, track_id
from airvigil.tracking.rows import text_of
from airvigil.units import utc_text

Event = dict[str, Any]


@dataclass
class SpellBook:
    """Pairs of track key and volume id that are near each other now."""

    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)

    def copy(self) -> SpellBook:
        """An independent copy."""
        return SpellBook.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """JSON-able values."""
        return [[key, volume, pair_to_plain(pair)] for (key, volume), pair in self.pairs.items()]

    @staticmethod
    def from_plain(plain: list[Any]) -> SpellBook:
        """The inverse of `to_plain`."""
        return SpellBook({(key, volume): pair_from_plain(pair) for key, volume, pair in plain})


@dataclass(frozen=True)
class Teller:
    """Makes spell events: knows volumes, settings and who needs permission."""

    settings: Settings
    blocks: AddressBlocks
    exempt: AddressBlocks

    def tell(self, name: str, key: str, volume: Volume | str, pair: Pair, spell: Spell, now: int) -> Event:
        """A spell event as known at `now` (ns)."""
        identity = identity_of(key, pair.is_state, self.blocks)
        volume_id = volume if isinstance(volume, str) else volume.volume_id
        address = icao24_of(key)
        is_exempt = address is not None and self.exempt.holds(address)
        needs = identity in self.settings.permission.required_for and not is_exempt
        who = track_id(key, pair.start)
        return {
            "event": name,
            "time": utc_text(now),
            "time_ns": now,
            "spell_id": f"{who}/{volume_id}/{utc_text(spell.number_time)}",
            "track_id": who,
            "icao24": icao24_of(key),
            "callsign": text_of(pair.callsign),
            "squawk": text_of(pair.squawk),
            "sensor_kinds": [kind for i, kind in enumerate(SENSOR_KINDS) if pair.kinds >> i & 1],
            "volume": volume_id,
            "permission": "required" if needs else "not_required",
            "identity": identity,
            **spell_event(spell, until=now, rule=self.settings.infringement),
        }


def take_samples(
    book: SpellBook,
    samples: Samples,
    points: Points,
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
    events: list[Event] = []
    for slot, volume, block in pairs_in(samples, points):
        name = (keys[slot], volumes[volume].volume_id)
        for k in block:
            point = points[samples.point[k]]
            pair = book.pairs.get(name)
            if pair is not None:
                pair = _ended_before(
                    book, name, pair, int(point["start"]), int(point["known"]), teller, events
                )
            if pair is None:
                pair = book.pairs[name] = Pair(start=int(point["start"]))
            # who it is decides on permission, so a change is told although the spell stays as it was
            was_open = pair.spell is not None
            is_other = was_open and pair.is_state != int(point["is_state"])
            _note_identity(pair, point)
            is_changed = feed(pair, samples.sample(int(k), point), teller.settings.infringement)
            if (is_changed or is_other) and pair.spell is not None:
                kind = "spell_updated" if was_open else "spell_opened"
                events.append(teller.tell(kind, *name, pair, pair.spell, int(point["known"])))
    return events


def _note_identity(pair: Pair, point: Any) -> None:
    pair.callsign = int(point["callsign"])
    pair.squawk = int(point["squawk"])
    pair.is_state = int(point["is_state"])
    pair.kinds |= 1 << int(point["kind"])


def _ended_before(
    book: SpellBook,
    name: tuple[str, str],
    pair: Pair,
    start: int,
    known: int,
    teller: Teller,
    events: list[Event],
) -> Pair | None:
    """End what a deadline or a new track under the same key has ended; None if a new pair begins."""
    deadline = deadline_of(pair, teller.settings.infringement, teller.settings.tracks.timeout_s)
    leaving = pair.spell is not None and pair.spell.below_since is not None
    over = known >= deadline if leaving else known > deadline
    if pair.start == start and not over:
        return pair
    spell = finish(pair)
    if spell is not None:
        events.append(teller.tell("spell_closed", *name, pair, spell, min(deadline, known)))
    # a spell that has ended leaves its pair, unless the track has been silent for longer than that too
    silent = known > deadline_of(pair, teller.settings.infringement, teller.settings.tracks.timeout_s)
    if leaving and pair.start == start and not silent:
        return pair
    del book.pairs[name]
    return None


def pass_time(book: SpellBook, watermark: int, teller: Teller) -> list[Event]:
    """End all spells whose deadline is before the watermark; forget pairs that are silent."""
    events: list[Event] = []
    rule, timeout_s = teller.settings.infringement, teller.settings.tracks.timeout_s
    for name, pair in list(book.pairs.items()):
        deadline = deadline_of(pair, rule, timeout_s)
        if deadline >= watermark:
            continue
        leaving = pair.spell is not None and pair.spell.below_since is not None
        spell = finish(pair)
        if spell is not None:
            events.append(teller.tell("spell_closed", *name, pair, spell, deadline))
        if not leaving or deadline_of(pair, rule, timeout_s) < watermark:
            del book.pairs[name]
    return events
