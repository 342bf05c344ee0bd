"""Samples fed to the kernels of spells and to their plain twin, and what each has to tell of them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

import plain_spells as plain
from airvigil.airspace.heights import height_chains
from airvigil.airspace.spells import spell_kernels
from airvigil.airspace.spells.spell_events import crossing_event, spell_event, values_of
from airvigil.airspace.spells.spell_records import (
    CLOSED,
    MOST_TOLD,
    NONE,
    OPENED,
    PAIR,
    REENTERED,
    UPDATED,
    Samples,
    Table,
    blank_places,
    blank_samples,
    blank_told,
    rule_of,
    table_of,
)
from airvigil.settings import Settings
from airvigil.tracking import verdicts
from blank_points import blank_points
from plain_spells import Sample
from small_world import SETTINGS

NO_HEIGHT = 1 << height_chains.ANY_HEIGHT
WORDS = {OPENED: "opened", UPDATED: "updated", CLOSED: "closed"}


@dataclasses.dataclass(frozen=True)
class Fed:
    """A sample, and whose it is: track slot, which track of the slot, volume, what the track claims to be."""

    sample: Sample
    slot: int = 0
    start: int = 0
    volume: int = 0
    is_state: int = -1


def arrays_of(fed: list[Fed]) -> tuple[Samples, Any]:
    """Samples and points as the kernels take them: one point a sample."""
    points, samples = blank_points(len(fed)), blank_samples(len(fed))
    for k, one in enumerate(fed):
        point, sample = points[k], one.sample
        point["slot"], point["start"], point["is_state"] = one.slot, one.start, one.is_state
        point["known"], point["clock_s"] = sample.known, sample.clock_s
        point["integrity"] = verdicts.DEGRADED if sample.degraded else verdicts.CREDIBLE
        point["is_reconstruction"] = sample.is_reconstruction
        samples.point[k], samples.volume[k], samples.time[k] = k, one.volume, sample.time
        for name in ("lat", "lon", "margin_m", "sigma_m", "p_lateral", "p_inside", "bridged"):
            getattr(samples, name)[k] = getattr(sample, name)
        samples.doubt[k] = NO_HEIGHT if math.isnan(sample.p_inside) else 0
    return samples, points


class Kernels:
    """The kernels with a small table, told little at a time, so that each way out of them is taken."""

    def __init__(self, settings: Settings = SETTINGS, slots: int = 4) -> None:
        self.settings, self.rule = settings, rule_of(settings)
        self.table: Table = table_of(np.zeros(0, PAIR), slots, 1)
        self.room, self.places = blank_told(MOST_TOLD), blank_places(2)
        self.table.wanted[:] = 2
        self.reentries: dict[int, list[Any]] = {}

    def take(self, fed: list[Fed]) -> list[tuple[Any, ...]]:
        """(what, now, slot, volume, start, spell) of everything told."""
        samples, points = arrays_of(fed)
        told, taken = [], 0
        while taken < len(fed):
            if self.table.free[0] == NONE:
                full = self.table
                self.table = table_of(full.pairs, len(full.first), len(full.pairs))
            taken, count = spell_kernels.take(
                samples, points, self.table, self.rule, self.room, self.places, taken
            )
            told += self._told(count)
        return told

    def pass_time(self, watermark: int) -> list[tuple[Any, ...]]:
        """The same, of what time ends."""
        told, is_done = [], False
        while not is_done:
            is_done, count = spell_kernels.pass_time(self.table, watermark, self.rule, self.room)
            told += self._told(count)
        return told

    def pairs(self) -> list[dict[str, Any]]:
        """Values of all pairs."""
        return values_of(self.table.pairs[self.table.pairs["is_used"] == 1])

    def _told(self, count: int) -> list[tuple[Any, ...]]:
        told = []
        pairs = values_of(self.room.pair[:count])
        for what, now, row, pair in zip(*(c[:count].tolist() for c in self.room[:3]), pairs, strict=True):
            those = self.reentries.setdefault(row, [])
            if what == REENTERED:
                those.append({"exit": crossing_event(pair["left"]), "entry": crossing_event(pair["inward"])})
                continue
            event = spell_event(pair, those, until=now, settings=self.settings)
            told.append((WORDS[what], now, pair["slot"], pair["volume"], pair["start"], event))
            if what == CLOSED:
                del self.reentries[row]
        return told


class Twin:
    """The plain state machine, pair by pair."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.rule, self.timeout_s = settings.infringement, settings.tracks.timeout_s
        self.pairs: dict[tuple[int, int], plain.Pair] = {}

    def take(self, fed: list[Fed]) -> list[tuple[Any, ...]]:
        """As `Kernels.take`."""
        told: list[tuple[Any, ...]] = []
        for one in fed:
            name = one.slot, one.volume
            pair = self.pairs.get(name)
            if pair is not None:
                pair = self._ended_before(name, pair, one, told)
            if pair is None:
                pair = self.pairs[name] = plain.Pair(start=one.start)
            was_open = pair.spell is not None
            is_other = was_open and pair.is_state != one.is_state
            pair.is_state = one.is_state
            is_changed = plain.feed(pair, one.sample, self.rule)
            if (is_changed or is_other) and pair.spell is not None:
                self._tell(
                    told, "updated" if was_open else "opened", one.sample.known, name, pair, pair.spell
                )
        return told

    def pass_time(self, watermark: int) -> list[tuple[Any, ...]]:
        """As `Kernels.pass_time`."""
        told: list[tuple[Any, ...]] = []
        for name, pair in list(self.pairs.items()):
            deadline = plain.deadline_of(pair, self.rule, self.timeout_s)
            if deadline >= watermark:
                continue
            leaving = pair.spell is not None and pair.spell.below_since is not None
            spell = plain.finish(pair)
            if spell is not None:
                self._tell(told, "closed", deadline, name, pair, spell)
            if not leaving or plain.deadline_of(pair, self.rule, self.timeout_s) < watermark:
                del self.pairs[name]
        return told

    def _tell(
        self,
        told: list[Any],
        what: str,
        now: int,
        name: tuple[int, int],
        pair: plain.Pair,
        spell: plain.Spell,
    ) -> None:
        told.append((what, now, *name, pair.start, plain.spell_event(spell, until=now, rule=self.rule)))

    def _ended_before(
        self, name: tuple[int, int], pair: plain.Pair, one: Fed, told: list[Any]
    ) -> plain.Pair | None:
        deadline, known = plain.deadline_of(pair, self.rule, self.timeout_s), one.sample.known
        leaving = pair.spell is not None and pair.spell.below_since is not None
        over = known >= deadline if leaving else known > deadline
        if pair.start == one.start and not over:
            return pair
        spell = plain.finish(pair)
        if spell is not None:
            self._tell(told, "closed", min(deadline, known), name, pair, spell)
        silent = known > plain.deadline_of(pair, self.rule, self.timeout_s)
        if leaving and pair.start == one.start and not silent:
            return pair
        del self.pairs[name]
        return None
