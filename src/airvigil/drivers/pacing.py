"""Tables in the sizes and at the times at which they are wanted: batches, and a recording at its own pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import concat_reports
from airvigil.units import NS_PER_S

SLICE_S = 1.0  # of data; what is given out at once
LEAST_WAIT_S = 0.05  # on the wall; at high speeds a slice is as much data as passes in it


def rebatched(tables: Iterable[pa.Table], size: int | None) -> Iterator[pa.Table]:
    """The same rows in tables of `size` rows (the last may have fewer); as they come if None."""
    if size is None:
        yield from tables
        return
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        held.append(table)
        rows += table.num_rows
        if rows < size:
            continue
        whole = concat_reports(held).combine_chunks()
        full = rows - rows % size
        for begin in range(0, full, size):
            yield whole.slice(begin, size)
        held, rows = [whole.slice(full)], rows - full
    if rows:
        yield concat_reports(held).combine_chunks()


def paced(
    tables: Iterable[pa.Table],
    speed: float | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[pa.Table]:
    """Rows not before their time of reception, at `speed` times real time; as they come, at once, if None.

    Rows keep their order. Tables are cut where a slice of time ends (SLICE_S, or what passes in LEAST_WAIT_S), each
    slice comes when its last row is due, and the first row of all sets the clock. A single reception far ahead of
    the row after it delays nothing.

    Args:
        tables: report tables.
        speed: times real time.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """
    if speed is None:
        yield from tables
        return
    slice_ns = round(max(SLICE_S, speed * LEAST_WAIT_S) * NS_PER_S)
    begin: tuple[float, int] | None = None
    for table in tables:
        if not table.num_rows:
            yield table
            continue
        received = pc.cast(table["received_at"], pa.int64()).to_numpy()
        confirmed = np.append(np.minimum(received[:-1], received[1:]), received[-1])
        due = np.maximum.accumulate(confirmed)
        begin = begin or (clock(), int(due[0]))
        cuts = np.flatnonzero(np.diff((due - begin[1]) // slice_ns)) + 1
        for first, after in zip([0, *cuts.tolist()], [*cuts.tolist(), table.num_rows], strict=True):
            wait = begin[0] + (int(due[after - 1]) - begin[1]) / NS_PER_S / speed - clock()
            if wait > 0.0:
                sleep(wait)
            yield table.slice(first, after - first)
