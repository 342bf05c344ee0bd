"""Several inputs as one, in time order.

A k-way merge of report tables by `received_at`, then by input: blocks in, blocks out.

Rules
- Order: `received_at`, then the input's name, then its place among the inputs, then the order of
  rows within the input. The same inputs give the same rows in the same order whatever the blocks
  they come in.
- Rows of one input never change their order. Where its clock goes backward, its rows count as
  received when the latest row before them was.
- Memory: one block of each input that is open, and one block of output.
- An input that says when it starts is not opened before its time comes: a night in 36 files is
  read with one or two of them open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import concat_reports, empty_reports

BLOCK_ROWS = 8_192
_NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True)
class MergeInput:
    """One input of a merge.

    Attributes:
        name: decides between rows of the same time, usually the sensor.
        tables: report tables, in the input's own order.
        starts_at_ns: no row counts as received before this time, ns UTC; None: not known, opened
            at once.
    """

    name: str
    tables: Iterable[pa.Table]
    starts_at_ns: int | None = None


class _Cursor:
    """An input's block and the place in it; `keys` are its times, made non-decreasing."""

    def __init__(self, merge_input: MergeInput) -> None:
        self._tables = merge_input.tables
        self._rest: Iterator[pa.Table] | None = None
        self._latest = _NO_TIME if merge_input.starts_at_ns is None else merge_input.starts_at_ns
        self.table = empty_reports()
        self.keys: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.is_exhausted = False

    @property
    def is_open(self) -> bool:
        return self._rest is not None

    @property
    def horizon(self) -> int:
        """No later row of this input has a smaller key."""
        return self._latest

    def fill(self) -> None:
        """Get a block if there is none; opens the input at the first call."""
        if self._rest is None:
            self._rest = iter(self._tables)
        while not len(self.keys) and not self.is_exhausted:
            table = next(self._rest, None)
            if table is None:
                self.is_exhausted = True
            elif table.num_rows:
                times = pc.cast(table["received_at"], pa.int64()).to_numpy()
                self.keys = np.maximum.accumulate(np.maximum(times, self._latest))
                self._latest = int(self.keys[-1])
                self.table = table

    def take(self, count: int) -> tuple[pa.Table, npt.NDArray[np.int64]]:
        """The next rows and their keys."""
        taken = self.table.slice(0, count), self.keys[:count]
        self.table, self.keys = self.table.slice(count), self.keys[count:]
        return taken


def merge_in_time_order(inputs: Sequence[MergeInput], *, block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
    """Rows of all inputs in time order, in tables of about `block_rows` rows.

    Args:
        inputs: each with its tables; the tables are iterated once.
        block_rows: least number of rows in a table that is given out, but for the last.

    Yields:
        Report tables, none empty.

    Raises:
        Whatever an input raises while it is iterated.
    """
    ranked = sorted(enumerate(inputs), key=lambda pair: (pair[1].name, pair[0]))
    cursors = [_Cursor(merge_input) for _, merge_input in ranked]
    waiting: list[pa.Table] = []
    waiting_rows = 0
    while True:
        for cursor in cursors:
            if cursor.is_open or cursor.horizon == _NO_TIME:
                cursor.fill()
        cursors = [cursor for cursor in cursors if not cursor.is_exhausted]
        if not cursors:
            break
        merged = _merge_to_horizon(cursors)
        if merged.num_rows:
            waiting.append(merged)
            waiting_rows += merged.num_rows
        if waiting_rows >= block_rows:
            yield concat_reports(waiting)
            waiting, waiting_rows = [], 0
    if waiting_rows:
        yield concat_reports(waiting)


def _merge_to_horizon(cursors: Sequence[_Cursor]) -> pa.Table:
    """All rows that nothing still to come can precede; opens the input that sets the limit."""
    horizon, limiting = min((cursor.horizon, rank) for rank, cursor in enumerate(cursors))
    taken: list[tuple[pa.Table, npt.NDArray[np.int64]]] = []
    for rank, cursor in enumerate(cursors):
        # the limiting input may have more rows at the horizon: those behind it in rank must wait
        count = int(np.searchsorted(cursor.keys, horizon, side="right" if rank <= limiting else "left"))
        if count:
            taken.append(cursor.take(count))
    if not cursors[limiting].is_open:
        cursors[limiting].fill()
    if len(taken) == 1:
        return taken[0][0]
    if not taken:
        return empty_reports()
    table = concat_reports([part for part, _ in taken])
    order = np.argsort(np.concatenate([keys for _, keys in taken]), kind="stable")
    return table.take(pa.array(order))


def in_merge_order(tables: Iterable[pa.Table]) -> bool:
    """Whether `received_at` never goes backward from row to row.

    Example:
        >>> in_merge_order([empty_reports()])
        True
    """
    latest = _NO_TIME
    for table in tables:
        times = pc.cast(table["received_at"], pa.int64()).to_numpy()
        if len(times) and (int(times[0]) < latest or bool(np.any(times[1:] < times[:-1]))):
            return False
        latest = int(times[-1]) if len(times) else latest
    return True
