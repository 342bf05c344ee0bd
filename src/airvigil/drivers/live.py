"""Live inputs read side by side: one thread each, one bounded queue, tables as they come.

If the engine cannot keep up the queue fills and the threads wait, which the senders see as a slow reader;
nothing is thrown away here.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence

import pyarrow as pa

from airvigil.drivers.inputs import Input

QUEUE_TABLES = 256  # tables waiting for the engine at the most


def _read(each: Input, into: queue.Queue[pa.Table | None]) -> None:
    try:
        for table in each:
            into.put(table)
    finally:
        into.put(None)


def read_live(inputs: Sequence[Input]) -> Iterator[pa.Table]:
    """Tables of all inputs as they come, until every one has ended; empty tables say that time passes."""
    into: queue.Queue[pa.Table | None] = queue.Queue(maxsize=QUEUE_TABLES)
    for each in inputs:
        threading.Thread(target=_read, args=(each, into), daemon=True).start()
    ended = 0
    while ended < len(inputs):
        table = into.get()
        if table is None:
            ended += 1
        else:
            yield table
