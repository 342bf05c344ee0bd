"""Arrival: tables of reports become records that wait until no earlier report can come any more.

Rules
- A row is late if it applies before the newest reception so far minus the allowed lateness. That is
  decided in the order of arrival, row by row, so it does not depend on how arrivals were batched.
- A row that applies after its own reception by more than the tolerance, or after the year 2116, has a wrong
  clock: rejected.
- Rows leave in order of time; those of one time leave together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

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
    newest: int = BEGINNING  # ns, newest reception
    sensors: list[str] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)

    def copy(self) -> Intake:
        """An independent copy."""
        accounts = {name: Account.from_plain(a.to_plain()) for name, a in self.accounts.items()}
        return Intake(self.pending.copy(), self.newest, list(self.sensors), accounts)

    def account(self, sensor: str) -> Account:
        """The books of a sensor."""
        if sensor not in self.accounts:
            self.accounts[sensor] = Account()
            self.sensors.append(sensor)
        return self.accounts[sensor]


def arrive(intake: Intake, table: TrackTable, reports: pa.Table, rule: Time) -> None:
    """Take a table of reports in: count, sort out what is late or has no place, keep the rest waiting.

    Args:
        intake: changed.
        table: gets slots for new track keys.
        reports: with REPORT_SCHEMA, in order of arrival.
        rule: allowed lateness and tolerance.
    """
    arrivals = rows_of(reports)
    rows = arrivals.rows
    if not len(rows):
        return
    numbers = _sensor_numbers(intake, arrivals)
    newest = np.maximum.accumulate(np.maximum(rows["received"], intake.newest))
    before = np.concatenate([[intake.newest], newest[:-1]])
    late = rows["time"] < before - round(rule.allowed_lateness_s * NS_PER_S)
    early = rows["time"] > rows["received"] + round(rule.future_tolerance_s * NS_PER_S)
    early |= rows["time"] >= END
    usable = np.ones(len(rows), dtype=bool)
    for i in np.flatnonzero(rows["time"] < 0):
        arrivals.reasons[i] = arrivals.reasons[i] or "no_time"
    for i in np.flatnonzero(early):
        arrivals.reasons[i] = arrivals.reasons[i] or "time_in_future"
    _count(intake, arrivals, late, usable)
    slots = np.array([table.slot(k) if k is not None else -1 for k in arrivals.keys], dtype=np.int32)
    rows["slot"] = slots[rows["slot"]]
    rows["sensor"] = numbers[rows["sensor"]]
    intake.newest = int(newest[-1])
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
