"""What is remembered of each pair of track and volume, as records that kernels can change in place.

A pair holds its last sample, who the track is, and the spell that is open, if any. Pairs stand in a table with
a chain of the pairs of each track slot, so that a sample finds its pair in a step or two.

Rules
- A crossing of kind NO_CROSSING is none; a time of NEVER is none; a sigma of NaN is unknown.
- Where a pair stands in the table changes no result.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.settings import Settings
from airvigil.units import NS_PER_S

Records = npt.NDArray[Any]

NEVER = -(2**62)  # ns; earlier than any time
ALWAYS = 2**62  # ns; later than any time
NONE = -1  # no row

# kinds of a crossing; the names are those of events
NO_CROSSING, CROSSED, FIRST_SEEN, LAST_SEEN = range(4)
CROSSING_NAMES = ("", "crossing", "first_seen", "last_seen")

OUTCOMES = ("outside", "undecidable", "suspected", "probable")
OUTSIDE, UNDECIDABLE, SUSPECTED, PROBABLE = range(4)

# what a spell is undecidable for: bits. Those between the two named ones are 1 << code for each code of
# `vertical.missing_words`.
MISSING_REPORT, MISSING_ACTIVATION, MISSING_BOUNDARY = 1, 1 << 15, 1 << 16
MOST_CODES = 15  # codes are below this

# P is told to six digits and compared as it is told: exactly at a limit it is 0.5 but for a billionth
HALF_DIGIT = 5e-7

# what the kernels tell
OPENED, UPDATED, CLOSED, REENTERED = range(4)
MOST_TOLD = 3  # by one sample: an old spell closed, a re-entry, a spell opened or changed

CROSSING = np.dtype(
    [("time", "i8"), ("sigma_s", "f8"), ("lat", "f8"), ("lon", "f8"), ("kind", "i8")],
)
PAIR = np.dtype(
    [
        ("slot", "i4"),  # of the track table; below 0: of a track that it has forgotten
        ("volume", "i4"),
        ("next", "i4"),  # row of the next pair of the slot, or of the next free one
        ("is_used", "i1"),
        ("is_open", "i1"),  # a spell is open
        ("is_reconstruction", "i1"),  # of the spell
        ("is_state", "i1"),  # latest, as the next three
        ("squawk", "u4"),
        ("kinds", "u4"),  # bit per sensor kind
        ("callsign", "u8"),
        ("start", "i8"),  # ns, which track of the slot
        # the last sample
        ("last_time", "i8"),  # NEVER: none yet
        ("last_known", "i8"),
        ("last_lat", "f8"),
        ("last_lon", "f8"),
        ("last_margin_m", "f8"),
        ("last_sigma_m", "f8"),
        ("last_p_lateral", "f8"),
        ("last_p_inside", "f8"),
        ("last_clock_s", "f8"),
        # the spell
        ("below_since", "i8"),  # ns of `known`, since when P is below close_p; NEVER: it is not
        ("outcome", "i4"),
        ("doubts", "i4"),  # bits of what its samples inside lacked
        ("reports", "i4"),
        ("bridged", "i4"),
        ("credible_reports", "i4"),
        ("p_max", "f8"),
        ("p_max_credible", "f8"),
        ("max_depth_sure_m", "f8"),  # margin less DEPTH_SIGMAS sigma where that is greatest
        ("credible_sure_m", "f8"),  # the same of credible reports alone
        ("inside_time", "i8"),  # ns, latest sample inside
        ("inside_lat", "f8"),
        ("inside_lon", "f8"),
        ("measured_lat", "f8"),  # up to here the length is counted
        ("measured_lon", "f8"),
        ("measured_sin", "f8"),  # sine and cosine of that latitude
        ("measured_cos", "f8"),
        ("length_m", "f8"),
        ("max_depth_m", "f8"),
        ("max_depth_sigma_m", "f8"),
        ("max_depth_time", "i8"),
        ("credible_depth_m", "f8"),
        ("number_time", "i8"),  # ns, time of the sample that opened it: part of its name
        ("inward", CROSSING),  # latest crossing inward while no spell is open
        ("entry", CROSSING),
        ("exit", CROSSING),
        ("left", CROSSING),  # exit before the latest re-entry, told with it
    ],
    align=True,
)


class Rule(NamedTuple):
    """The thresholds of spells as kernels take them."""

    suspected_p: float
    probable_p: float
    close_p: float
    suspected_min_reports: int
    probable_min_reports: int
    hysteresis_ns: int
    timeout_ns: int


def rule_of(settings: Settings) -> Rule:
    """The settings' thresholds of spells."""
    rule = settings.infringement
    return Rule(
        rule.suspected_p - HALF_DIGIT,
        rule.probable_p - HALF_DIGIT,
        rule.close_p,
        rule.suspected_min_reports,
        rule.probable_min_reports,
        round(rule.hysteresis_s * NS_PER_S),
        round(settings.tracks.timeout_s * NS_PER_S),
    )


class Samples(NamedTuple):
    """Points and path points against all volumes near them, in order of point, then time.

    Attributes:
        point: (k,) index into the points given.
        volume: (k,) index into the airspace's volumes.
        time: (k,) ns, when the aircraft was there.
        lat, lon: (k,) degrees.
        margin_m, sigma_m: (k,) signed depth (positive inside) and its 1 sigma.
        p_lateral: (k,) P(inside) in the plane.
        p_inside: (k,) P(inside) with height; NaN where the height that it takes is missing.
        doubt: (k,) bits of what it takes to know P(inside) and is missing.
        bridged: (k,) on the path between two reports.
    """

    point: npt.NDArray[np.int64]
    volume: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    margin_m: npt.NDArray[np.float64]
    sigma_m: npt.NDArray[np.float64]
    p_lateral: npt.NDArray[np.float64]
    p_inside: npt.NDArray[np.float64]
    doubt: npt.NDArray[np.int32]
    bridged: npt.NDArray[np.bool_]


def blank_samples(count: int) -> Samples:
    """So many samples, to be filled."""
    kinds = (np.int64, np.int32, np.int64, *(np.float64,) * 6, np.int32, np.bool_)
    columns: list[Any] = [np.zeros(count, kind) for kind in kinds]
    return Samples(*columns)


class Sample(NamedTuple):
    """One of `Samples`, with what its point says of it.

    Attributes:
        known: ns, time of the report that told it; deadlines run on this one.
        clock_s: 1 sigma of the time.
        is_credible: the position is believed without reserve.
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
    doubt: int
    clock_s: float
    is_bridged: bool
    is_credible: bool
    is_reconstruction: bool


class Table(NamedTuple):
    """All pairs.

    Attributes:
        pairs: (rows,) PAIR.
        due: (rows,) ns; nothing that is open in the pair ends before this if nothing more is heard; ALWAYS: row is free.
        first: (slots,) row of each track slot's first pair; NONE.
        free: (1,) first free row; NONE.
        least: (1,) ns, not after any of `due`.
        wanted: (slots,) bits: 1: the places of its spells are wanted; 2: they are if it is a state's.
    """

    pairs: Records
    due: npt.NDArray[np.int64]
    first: npt.NDArray[np.int32]
    free: npt.NDArray[np.int32]
    least: npt.NDArray[np.int64]
    wanted: npt.NDArray[np.uint8]


class Told(NamedTuple):
    """What a kernel has to tell, in order: what, when it was known (ns), the pair's row, and the pair as it was then.

    Of a re-entry the pair's `left` is the exit, its `inward` the crossing back in.
    """

    what: npt.NDArray[np.int8]
    known: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    pair: Records


class Places(NamedTuple):
    """Where credible reports were inside, of the spells whose robustness radius will be asked for, in order.

    Attributes:
        row: of the pair.
        spell: ns, the spell's `number_time`.
        lat, lon: degrees.
        noted: (1,) how many there are.
    """

    row: npt.NDArray[np.int32]
    spell: npt.NDArray[np.int64]
    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    noted: npt.NDArray[np.int64]


def blank_places(count: int) -> Places:
    """Room for so many places."""
    return Places(
        np.zeros(count, np.int32),
        np.zeros(count, np.int64),
        np.zeros(count),
        np.zeros(count),
        np.zeros(1, np.int64),
    )


def blank_told(count: int) -> Told:
    """Room for so many things to tell."""
    return Told(
        np.zeros(count, np.int8), np.zeros(count, np.int64), np.zeros(count, np.int32), np.zeros(count, PAIR)
    )


def table_of(pairs: Records, slots: int, spare: int) -> Table:
    """A table of these pairs, in this order, with room for `spare` more and for so many track slots."""
    rows = len(pairs) + spare
    table = Table(
        np.zeros(rows, PAIR),
        np.full(rows, ALWAYS, np.int64),
        np.full(slots, NONE, np.int32),
        np.full(1, NONE, np.int32),
        np.full(1, NEVER, np.int64),
        np.zeros(slots, np.uint8),
    )
    table.pairs[: len(pairs)] = pairs
    chain(table, len(pairs))
    return table


@njit(cache=True, nogil=True)
def chain(table: Table, used: int) -> None:
    """Chain the first `used` rows by slot, and the others as free; what is due is looked up anew."""
    for row in range(len(table.pairs) - 1, -1, -1):
        pair = table.pairs[row]
        if row >= used:
            pair["is_used"] = 0
            pair["next"] = table.free[0]
            table.free[0] = row
            continue
        table.due[row] = NEVER
        if pair["slot"] >= 0:
            pair["next"] = table.first[pair["slot"]]
            table.first[pair["slot"]] = row


@njit(cache=True, nogil=True)
def find(pairs: Records, first: npt.NDArray[np.int32], slot: int, volume: int) -> int:
    """The row of a pair; NONE if there is none."""
    row = first[slot]
    while row != NONE and pairs[row]["volume"] != volume:
        row = pairs[row]["next"]
    return int(row)


@njit(cache=True, nogil=True)
def claim(table: Table, slot: int, volume: int, start: int) -> int:
    """A free row, made a new pair of which nothing is known. There must be one."""
    row = table.free[0]
    pair = table.pairs[row]
    table.free[0] = pair["next"]
    pair["slot"], pair["volume"], pair["start"] = slot, volume, start
    pair["next"] = table.first[slot]
    table.first[slot] = row
    pair["is_used"] = 1
    pair["is_open"] = 0
    pair["kinds"] = 0
    pair["last_time"] = NEVER
    pair["inward"]["kind"] = NO_CROSSING
    table.due[row] = ALWAYS
    return int(row)


@njit(cache=True, nogil=True)
def release(table: Table, row: int) -> None:
    """Forget a pair."""
    pair = table.pairs[row]
    slot = pair["slot"]
    if slot >= 0:
        if table.first[slot] == row:
            table.first[slot] = pair["next"]
        else:
            before = table.first[slot]
            while before != NONE and table.pairs[before]["next"] != row:
                before = table.pairs[before]["next"]
            if before != NONE:
                table.pairs[before]["next"] = pair["next"]
    pair["is_used"] = 0
    pair["next"] = table.free[0]
    table.free[0] = row
    table.due[row] = ALWAYS
