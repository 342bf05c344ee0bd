"""Samples and time run over the pairs: the loops around `spells`, and what they have to tell.

Rules
- One pass over the samples in their order; which other pairs there are changes nothing of a pair.
- What is told is a copy of the pair as it was then, so that nobody has to be called between two samples.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from airvigil.airspace.spells.spell_records import (
    ALWAYS,
    CLOSED,
    LAST_SEEN,
    MOST_TOLD,
    NO_CROSSING,
    NONE,
    OPENED,
    REENTERED,
    UPDATED,
    Places,
    Records,
    Rule,
    Sample,
    Samples,
    Table,
    Told,
    claim,
    find,
    release,
)
from airvigil.airspace.spells.spells import deadline_of, feed, is_inside, is_leaving, put
from airvigil.tracking import verdicts


@njit(cache=True, nogil=True)
def take(
    samples: Samples, points: Records, table: Table, rule: Rule, told: Told, places: Places, begin: int
) -> tuple[int, int]:
    """Feed samples from `begin` on to their pairs, until all are taken or something wants room.

    Args:
        samples: in an order in which those of one pair follow each other in time.
        points: (n,) POINT that `samples.point` names; their `slot` indexes `table.first`.
        table: changed.
        rule: thresholds.
        told, places: written from the start.
        begin: first sample.

    Returns:
        (next, count): the first sample not taken, because no row is free or there is no room; how much is told.
    """
    count = 0
    # taken out of their tuples once: to count references at each use would take longer than a sample
    pairs, due, first, free, least, wanted = table
    place_row, place_spell, place_lat, place_lon, place_count = places
    placed = 0
    of, volumes, times, lats, lons, margins, sigmas, p_laterals, p_insides, doubts, bridged = samples
    for k in range(begin, len(of)):
        if free[0] == NONE or count + MOST_TOLD > len(told.what) or placed == len(place_row):
            place_count[0] = placed
            return k, count
        point = points[of[k]]
        known = point["known"]
        row = find(pairs, first, point["slot"], volumes[k])
        if row != NONE and _is_over(pairs[row], point["start"], known, rule):
            row, count = _end_before(table, row, point["start"], known, rule, told, count)
        if row == NONE:
            row = claim(table, point["slot"], volumes[k], point["start"])
        pair = pairs[row]
        was_open = pair["is_open"] == 1
        # who it is decides on permission, so a change is told although the spell stays as it was
        is_other = was_open and pair["is_state"] != point["is_state"]
        pair["callsign"] = point["callsign"]
        pair["squawk"] = point["squawk"]
        pair["is_state"] = point["is_state"]
        pair["kinds"] |= 1 << point["kind"]
        sample = Sample(
            times[k], known, lats[k], lons[k], margins[k], sigmas[k], p_laterals[k], p_insides[k], doubts[k],
            point["clock_s"], bridged[k], point["integrity"] == verdicts.CREDIBLE, point["is_reconstruction"] == 1,
        )  # fmt: skip
        is_changed = feed(pair, sample, rule)
        if pair["is_open"] == 1 and pair["inward"]["kind"] != NO_CROSSING:
            count = _tell(told, count, REENTERED, known, row, pair)
            pair["inward"]["kind"] = NO_CROSSING
        if (is_changed or is_other) and pair["is_open"] == 1:
            count = _tell(told, count, UPDATED if was_open else OPENED, known, row, pair)
        is_wanted = wanted[point["slot"]] & (2 if point["is_state"] == 1 else 1)
        if is_wanted and sample.is_credible and not sample.is_bridged and is_inside(pair, sample, rule):
            place_row[placed], place_spell[placed] = row, pair["number_time"]
            place_lat[placed], place_lon[placed] = sample.lat, sample.lon
            placed += 1
        if due[row] == ALWAYS or pair["below_since"] == known:
            due[row] = min(due[row], deadline_of(pair, rule))
            least[0] = min(least[0], due[row])
    place_count[0] = placed
    return len(of), count


@njit(cache=True, nogil=True)
def pass_time(table: Table, watermark: int, rule: Rule, told: Told) -> tuple[bool, int]:
    """End all spells whose deadline is before the watermark; forget pairs that are silent.

    Returns:
        (done, count): whether all pairs were looked at, or `told` is full; how much is told.
    """
    count = 0
    if watermark <= table.least[0]:
        return True, count
    least = ALWAYS
    for row in range(len(table.pairs)):
        if table.due[row] < watermark:
            if count == len(told.what):
                return False, count
            pair = table.pairs[row]
            deadline = deadline_of(pair, rule)
            if deadline < watermark:
                leaving = is_leaving(pair)
                count = _finish(pair, told, count, deadline, row)
                deadline = deadline_of(pair, rule)
                if not leaving or deadline < watermark:
                    release(table, row)
                    deadline = ALWAYS
            table.due[row] = deadline
        least = min(least, table.due[row])
    table.least[0] = least
    return True, count


@njit(cache=True, nogil=True)
def _tell(told: Told, count: int, what: int, now: int, row: int, pair: Any) -> int:
    told.what[count] = what
    told.known[count] = now
    told.row[count] = row
    told.pair[count] = pair
    return count + 1


@njit(cache=True, nogil=True)
def _finish(pair: Any, told: Told, count: int, now: int, row: int) -> int:
    """End the open spell, if any; one that was not seen to leave ends where the track was last seen."""
    pair["inward"]["kind"] = NO_CROSSING
    if pair["is_open"] == 0:
        return count
    if pair["exit"]["kind"] == NO_CROSSING:
        put(pair["exit"], LAST_SEEN, pair["last_time"], math.nan, pair["last_lat"], pair["last_lon"])
    count = _tell(told, count, CLOSED, now, row, pair)
    pair["is_open"] = 0
    return count


@njit(cache=True, nogil=True)
def _is_over(pair: Any, start: int, known: int, rule: Rule) -> bool:
    """Whether a deadline or a new track under the same key has ended what a pair holds."""
    deadline = deadline_of(pair, rule)
    return bool(pair["start"] != start or known > deadline or (known == deadline and is_leaving(pair)))


@njit(cache=True, nogil=True)
def _end_before(
    table: Table, row: int, start: int, known: int, rule: Rule, told: Told, count: int
) -> tuple[int, int]:
    """End what is over; row NONE if a new pair begins."""
    pair = table.pairs[row]
    leaving = is_leaving(pair)
    count = _finish(pair, told, count, min(deadline_of(pair, rule), known), row)
    # a spell that has ended leaves its pair, unless the track has been silent for longer than that too
    if leaving and pair["start"] == start and not known > deadline_of(pair, rule):
        return row, count
    release(table, row)
    return NONE, count
