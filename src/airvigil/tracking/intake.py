"""Arrival: tables of reports become records that wait until no earlier report can come any more.

Rules
- The newest reception is one that the row after it confirms: a single wrong clock reading far ahead would
  make everything after it late. A row ahead of that by more than `max_leap_s` is rejected.
- A row is late if it applies before the newest reception so far minus the allowed lateness, or before a
  watermark that has passed. The former is decided in the order of arrival, row by row, so it does not depend
  on how arrivals were batched; with watermarks of `watermark_after` the latter never decides.
- A row that applies after its own reception by more than the tolerance, or after the year 2116, has a wrong
  clock: rejected.
- Rows leave in order of time; those of one time leave together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from airvigil.settings import Time
from airvigil.tracking.accounting import Account
from airvigil.tracking.row_order import bytes_of, order_of, taken
from airvigil.tracking.rows import LATE, REASON_NAMES, ROW, USABLE, Arrivals, Rows, rows_of
from airvigil.tracking.track_table import FIRST_FORGET, TrackTable
from airvigil.units import NS_PER_S

BEGINNING = -(2**62)  # ns; before any report
END = 2**62  # ns; after any report: the year 2116. Differences to BEGINNING still fit into 64 bits

TOGETHER_ROWS = 2048  # arrivals of fewer rows are put together with others while they wait
NO_TIME = REASON_NAMES.index("no_time")
TIME_IN_FUTURE = REASON_NAMES.index("time_in_future")
TIME_LEAP = REASON_NAMES.index("time_leap")


@dataclass(frozen=True)
class Wait:
    """Rows that arrived together and have not left; first and last are the ends of their times, ns."""

    rows: Rows
    first: int
    last: int


@dataclass
class Intake:
    """What has arrived and not left yet, and the books."""

    waiting: list[Wait] = field(default_factory=list)
    newest: int = BEGINNING  # ns, newest confirmed reception
    latest: int = BEGINNING  # ns, reception of the latest row, whatever it says
    sensors: list[str] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)

    def copy(self) -> Intake:
        """An independent copy."""
        accounts = {name: Account.from_plain(a.to_plain()) for name, a in self.accounts.items()}
        waiting = [replace(wait, rows=wait.rows.copy()) for wait in self.waiting]
        return Intake(waiting, self.newest, self.latest, list(self.sensors), accounts)

    @property
    def pending(self) -> Rows:
        """(n,) ROW, all that waits, in order of arrival; a copy."""
        return joined([wait.rows for wait in self.waiting])

    def keep(self, rows: Rows) -> None:
        """Let rows wait. Small arrivals are put together, so that a step need not look at one after the other."""
        if not len(rows):
            return
        new = Wait(rows, int(rows["time"].min()), int(rows["time"].max()))
        while self.waiting and len(self.waiting[-1].rows) <= len(new.rows) < TOGETHER_ROWS:
            old = self.waiting.pop()
            new = Wait(joined([old.rows, new.rows]), min(old.first, new.first), max(old.last, new.last))
        self.waiting.append(new)

    def account(self, sensor: str) -> Account:
        """The books of a sensor."""
        if sensor not in self.accounts:
            self.accounts[sensor] = Account()
            self.sensors.append(sensor)
        return self.accounts[sensor]


def newest_along(intake: Intake, received: Any) -> Any:
    """(n,) newest confirmed reception after each of these rows: the greatest that two rows in a row both reached."""
    before = np.concatenate([[intake.latest], received[:-1]])
    return np.maximum.accumulate(np.maximum(np.minimum(received, before), intake.newest))


def watermark_after(intake: Intake, reports: pa.Table, rule: Time) -> int:
    """The watermark that a driver can give with this table: nothing on time can apply before it any more, ns.

    Args:
        intake: before the table arrives; not changed.
        reports: what is about to arrive.
        rule: allowed lateness.
    """
    received = pc.fill_null(reports["received_at"].cast(pa.int64()), -1).to_numpy()
    newest = int(newest_along(intake, received)[-1]) if len(received) else intake.newest
    return newest - round(rule.allowed_lateness_s * NS_PER_S)


def arrive(intake: Intake, table: TrackTable, reports: pa.Table, rule: Time, passed: int) -> None:
    """Take a table of reports in: count, sort out what is late or has no place, keep the rest waiting.

    Args:
        intake: changed.
        table: gets slots for new track keys.
        reports: with REPORT_SCHEMA, in order of arrival.
        rule: allowed lateness and tolerance.
        passed: ns, the watermark before these rows.
    """
    arrivals = rows_of(reports)
    rows = arrivals.rows
    if not len(rows):
        return
    numbers = _sensor_numbers(intake, arrivals)
    limits = (rule.allowed_lateness_s, rule.max_leap_s, rule.future_tolerance_s)
    lateness, leap, future = (round(limit_s * NS_PER_S) for limit_s in limits)
    intake.newest, intake.latest = sort_out(
        rows, arrivals.reasons, intake.newest, intake.latest, passed, lateness, leap, future
    )
    _count(intake, arrivals)
    rows["slot"] = table.slots_of(arrivals)
    rows["sensor"] = numbers[rows["sensor"]] if len(numbers) > 1 else numbers[0]
    if arrivals.reasons.any():
        rows = taken(rows, np.flatnonzero(arrivals.reasons == USABLE))
    intake.keep(rows)


@njit(cache=True, nogil=True)
def sort_out(
    rows: Rows,
    reasons: Any,
    newest: int,
    latest: int,
    passed: int,
    lateness: int,
    leap: int,
    future: int,
) -> tuple[int, int]:
    """Find, row by row, what is late or has a time that cannot be.

    Args:
        rows: (n,) ROW in order of arrival.
        reasons: (n,) int16; only those that are USABLE are changed.
        newest: ns, newest confirmed reception before them.
        latest: ns, reception of the row before them.
        passed: ns, the watermark before them.
        lateness, leap, future: ns, limits.

    Returns:
        (newest, latest) after them.
    """
    for i in range(len(rows)):
        time, received = rows[i]["time"], rows[i]["received"]
        before = newest
        newest = max(newest, min(received, latest))
        latest = received
        if reasons[i] != USABLE:
            continue
        if time < 0:
            reasons[i] = NO_TIME
        elif time > received + future or time >= END:
            reasons[i] = TIME_IN_FUTURE
        elif newest > BEGINNING and received - newest > leap:
            reasons[i] = TIME_LEAP
        elif time < max(before - lateness, passed):
            reasons[i] = LATE
    return newest, latest


def joined(parts: list[Rows]) -> Rows:
    """One after the other. NumPy copies records field by field; their bytes go in one move."""
    both: Rows = np.empty(sum(len(part) for part in parts), dtype=ROW)
    np.concatenate([bytes_of(both[:0]), *(bytes_of(part) for part in parts)], out=bytes_of(both))
    return both


def _sensor_numbers(intake: Intake, arrivals: Arrivals) -> Any:
    for name in arrivals.sensors:
        intake.account(name)
    return np.array([intake.sensors.index(name) for name in arrivals.sensors], dtype=np.int32)


def _count(intake: Intake, arrivals: Arrivals) -> None:
    """Enter what arrived; `sensor` of the rows is still that of the arrivals."""
    width = len(arrivals.reason_names)
    tally = np.zeros((len(arrivals.sensors), width), np.int64)
    count_pairs(arrivals.rows["sensor"], arrivals.reasons, tally)
    for name, counts in zip(arrivals.sensors, tally.tolist(), strict=True):
        account = intake.account(name)
        account.received += sum(counts)
        account.late += counts[LATE]
        for reason in range(LATE + 1, width):
            if counts[reason]:
                account.rejected[arrivals.reason_names[reason]] += counts[reason]


@njit(cache=True, nogil=True)
def count_pairs(first: Any, second: Any, tally: Any) -> None:
    """Add to a table how often each pair of indices occurs."""
    for i in range(len(first)):
        tally[first[i], second[i]] += 1


def release(intake: Intake, watermark: int, slot_count: int) -> Rows:
    """The waiting rows that apply before the watermark, taken out, by slot, time and tie.

    Args:
        intake: changed.
        watermark: ns.
        slot_count: of the track table.
    """
    parts: list[Rows] = []
    waiting, intake.waiting = intake.waiting, []
    for wait in waiting:
        if wait.last < watermark:
            parts.append(wait.rows)
        elif wait.first >= watermark:
            intake.waiting.append(wait)
        else:
            is_ready = wait.rows["time"] < watermark
            parts.append(_picked(wait.rows, is_ready))
            intake.keep(_picked(wait.rows, ~is_ready))
    rows = parts[0] if len(parts) == 1 else joined(parts)
    return taken(rows, order_of(rows, slot_count)) if len(rows) else rows


def _picked(rows: Rows, which: npt.NDArray[np.bool_]) -> Rows:
    """The rows that are marked; not copied where they are in one piece."""
    places = np.flatnonzero(which)
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return rows[places[0] : places[-1] + 1]
    return taken(rows, places)


def forget_tracks(intake: Intake, table: TrackTable, memory_s: float) -> bool:
    """Let go of tracks that the memory has lost, each time their number has doubled; returns whether it did."""
    if len(table.keys) < table.forget_at:
        return False
    in_use = joined([wait.rows for wait in intake.waiting])["slot"]
    moved = table.forget(intake.newest - round(memory_s * NS_PER_S), in_use)
    for wait in intake.waiting:
        wait.rows["slot"] = moved[wait.rows["slot"]]
    table.forget_at = max(FIRST_FORGET, 2 * len(table.keys))
    return True


def settle(intake: Intake, rows: Rows, rejects: Any, names: dict[int, str]) -> None:
    """Enter what admission did with the released rows.

    Args:
        intake: changed.
        rows: (n,) as released.
        rejects: (n,) reject codes, 0 used.
        names: code -> reject reason.
    """
    tally = np.zeros((len(intake.sensors), int(max(names, default=0)) + 1), np.int64)
    count_pairs(rows["sensor"], rejects, tally)
    placed = np.zeros(len(intake.sensors), np.int64)
    count_positions(rows, rejects, placed)
    for s, (sensor, counts) in enumerate(zip(intake.sensors, tally.tolist(), strict=True)):
        account = intake.account(sensor)
        account.used += counts[0]
        account.positions += int(placed[s])
        for code, count in enumerate(counts[1:], start=1):
            if count:
                account.rejected[names[code]] += count


@njit(cache=True, nogil=True)
def count_positions(rows: Rows, rejects: Any, placed: Any) -> None:
    """Add the used rows with a position to their sensors' counts."""
    for i in range(len(rows)):
        if rejects[i] == 0 and not math.isnan(rows[i]["lat"]):
            placed[rows[i]["sensor"]] += 1
