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

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.settings import Time
from airvigil.tracking.accounting import Account
from airvigil.tracking.rows import ROW, Arrivals, Rows, rows_of
from airvigil.tracking.track_table import FIRST_FORGET, TrackTable
from airvigil.units import NS_PER_S

BEGINNING = -(2**62)  # ns; before any report
END = 2**62  # ns; after any report: the year 2116. Differences to BEGINNING still fit into 64 bits


@dataclass
class Intake:
    """What has arrived and not left yet, and the books."""

    pending: Rows = field(default_factory=lambda: np.zeros(0, dtype=ROW))
    newest: int = BEGINNING  # ns, newest confirmed reception
    latest: int = BEGINNING  # ns, reception of the latest row, whatever it says
    sensors: list[str] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)

    def copy(self) -> Intake:
        """An independent copy."""
        accounts = {name: Account.from_plain(a.to_plain()) for name, a in self.accounts.items()}
        return Intake(self.pending.copy(), self.newest, self.latest, list(self.sensors), accounts)

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
    newest = newest_along(intake, rows["received"])
    before = np.concatenate([[intake.newest], newest[:-1]])
    late = rows["time"] < np.maximum(before - round(rule.allowed_lateness_s * NS_PER_S), passed)
    leaps = (rows["received"] - newest > round(rule.max_leap_s * NS_PER_S)) & (newest > BEGINNING)
    early = rows["time"] > rows["received"] + round(rule.future_tolerance_s * NS_PER_S)
    early |= rows["time"] >= END
    usable = np.ones(len(rows), dtype=bool)
    for i in np.flatnonzero(rows["time"] < 0):
        arrivals.reasons[i] = arrivals.reasons[i] or "no_time"
    for i in np.flatnonzero(early):
        arrivals.reasons[i] = arrivals.reasons[i] or "time_in_future"
    for i in np.flatnonzero(leaps):
        arrivals.reasons[i] = arrivals.reasons[i] or "time_leap"
    _count(intake, arrivals, late, usable)
    slots = np.array([table.slot(k) if k is not None else -1 for k in arrivals.keys], dtype=np.int32)
    rows["slot"] = slots[rows["slot"]]
    rows["sensor"] = numbers[rows["sensor"]]
    intake.newest, intake.latest = int(newest[-1]), int(rows["received"][-1])
    intake.pending = _joined(intake.pending, rows[usable])


def _joined(first: Rows, second: Rows) -> Rows:
    """Both, one after the other. `np.concatenate` first works out a common layout, at each call anew."""
    both: Rows = np.empty(len(first) + len(second), dtype=ROW)
    both[: len(first)] = first
    both[len(first) :] = second
    return both


def _sensor_numbers(intake: Intake, arrivals: Arrivals) -> Any:
    for name in arrivals.sensors:
        intake.account(name)
    return np.array([intake.sensors.index(name) for name in arrivals.sensors], dtype=np.int32)


def _count(intake: Intake, arrivals: Arrivals, late: Any, usable: Any) -> None:
    for s, name in enumerate(arrivals.sensors):
        mine = arrivals.rows["sensor"] == s
        account = intake.account(name)
        account.received += int(mine.sum())
    for i, reason in enumerate(arrivals.reasons):
        if reason is not None:
            intake.account(arrivals.sensors[arrivals.rows["sensor"][i]]).rejected[reason] += 1
            usable[i] = False
        elif late[i]:
            intake.account(arrivals.sensors[arrivals.rows["sensor"][i]]).late += 1
            usable[i] = False


def release(intake: Intake, watermark: int) -> Rows:
    """The waiting rows that apply before the watermark, taken out."""
    ready = intake.pending["time"] < watermark
    rows: Rows = intake.pending[ready]
    intake.pending = intake.pending[~ready]
    return rows


def forget_tracks(intake: Intake, table: TrackTable, memory_s: float) -> bool:
    """Let go of tracks that the memory has lost, each time their number has doubled; returns whether it did."""
    if len(table.keys) < table.forget_at:
        return False
    moved = table.forget(intake.newest - round(memory_s * NS_PER_S), intake.pending["slot"])
    intake.pending["slot"] = moved[intake.pending["slot"]]
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
    for s in np.unique(rows["sensor"]):
        account = intake.account(intake.sensors[s])
        mine = rows["sensor"] == s
        codes, counts = np.unique(rejects[mine], return_counts=True)
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            if code == 0:
                account.used += count
            else:
                account.rejected[names[code]] += count
        account.positions += int((~np.isnan(rows["lat"][mine]) & (rejects[mine] == 0)).sum())
