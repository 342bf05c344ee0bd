"""Live inputs read side by side: one thread each, one bounded queue, tables as they come.

If the engine cannot keep up the queue fills and the threads wait, which the senders see as a slow reader;
nothing is thrown away here.

What an input itself knows to be wrong with it is in its `failures`, and the others go on. Anything else that ends
its thread is a defect of the program, and ends the run with an error: nobody must take its silence for quiet.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from airvigil.drivers.inputs import Input
from airvigil.errors import AirvigilError

TICK = b"tick_ns"  # metadata of an empty table: when it was made, ns UTC. It may wait long for a slow engine
QUEUE_TABLES = 256  # tables waiting for the engine at the most


@dataclass(frozen=True)
class _Broken:
    """Why a thread ended that should not have."""

    input: Input
    error: BaseException


def _read(each: Input, into: queue.Queue[pa.Table | _Broken | None]) -> None:
    try:
        for table in each:
            is_tick = not table.num_rows
            into.put(table.replace_schema_metadata({TICK: str(time.time_ns())}) if is_tick else table)
    except BaseException as error:  # whatever it is, the thread that is told of it raises it
        into.put(_Broken(each, error))
    else:
        into.put(None)


def tick_ns(table: pa.Table) -> int:
    """When an empty table was made, ns UTC: what comes behind it was received later."""
    stated = (table.schema.metadata or {}).get(TICK)
    return time.time_ns() if stated is None else int(stated)


def read_live(inputs: Sequence[Input]) -> Iterator[pa.Table]:
    """Tables of all inputs as they come, until every one has ended; empty tables say that time passes.

    Raises:
        AirvigilError: the reading of an input broke; its cause is the exception that broke it.
    """
    into: queue.Queue[pa.Table | _Broken | None] = queue.Queue(maxsize=QUEUE_TABLES)
    for each in inputs:
        threading.Thread(target=_read, args=(each, into), daemon=True).start()
    ended = 0
    while ended < len(inputs):
        table = into.get()
        if table is None:
            ended += 1
        elif isinstance(table, _Broken):
            name, error = table.input.name, table.error
            raise AirvigilError(
                f"{name}: reading broke off: {type(error).__name__}: {error}",
                hint="this is a defect of the program, not of the input; please report it",
            ) from error
        else:
            yield table
