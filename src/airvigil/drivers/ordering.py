"""Tables in the order of a file to tables in the order of time, with bounded memory.

Tables of positions are often sorted by aircraft first. What fits into one run is sorted in memory;
a longer file is sorted run by run into temporary Arrow files, which are then merged.

Rules
- Sorted by `received_at`; rows of the same time keep their order.
- At most RUN_ROWS rows are held while reading, and one block of each run while merging.
- Temporary files are removed when the iteration ends, however it ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.drivers.merging import BLOCK_ROWS, MergeInput, in_merge_order, merge_in_time_order
from airvigil.reports import REPORT_SCHEMA, concat_reports

RUN_ROWS = 500_000  # some 200 MB of reports


def in_time_order(
    tables: Iterable[pa.Table], *, run_rows: int = RUN_ROWS, block_rows: int = BLOCK_ROWS
) -> Iterator[pa.Table]:
    """The rows of these tables sorted by `received_at`, in tables of about `block_rows` rows.

    Args:
        tables: report tables in any order; iterated once, to the end before the first yield.
        run_rows: rows sorted in memory at a time.
        block_rows: rows a table given out.
    """
    with tempfile.TemporaryDirectory(prefix="airvigil-") as folder:
        paths: list[Path] = []
        run: list[pa.Table] = []
        rows = 0
        for table in tables:
            run.append(table)
            rows += table.num_rows
            if rows >= run_rows:
                paths.append(_write(_sorted(run), Path(folder) / f"{len(paths):09d}.arrow", block_rows))
                run, rows = [], 0
        if not paths:
            yield from blocks(_sorted(run), block_rows)
            return
        paths.append(_write(_sorted(run), Path(folder) / f"{len(paths):09d}.arrow", block_rows))
        runs = [MergeInput(path.name, _read(path)) for path in paths]
        yield from merge_in_time_order(runs, block_rows=block_rows)


def blocks(table: pa.Table, block_rows: int) -> Iterator[pa.Table]:
    """A table in slices of at most `block_rows` rows."""
    for start in range(0, table.num_rows, block_rows):
        yield table.slice(start, block_rows)


def _sorted(run: list[pa.Table]) -> pa.Table:
    table = concat_reports(run)
    if in_merge_order(run):
        return table
    times = pc.cast(table["received_at"], pa.int64()).to_numpy()
    return table.take(pa.array(np.argsort(times, kind="stable")))


def _write(table: pa.Table, path: Path, block_rows: int) -> Path:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, REPORT_SCHEMA) as writer:
        writer.write_table(table, max_chunksize=block_rows)
    return path


def _read(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source) as reader:
        for index in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(index)], schema=REPORT_SCHEMA)
