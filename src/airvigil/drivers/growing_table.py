"""A Parquet file that grows with a run, in row groups of one size whatever the steps were."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 65_536  # a live run makes steps of a few rows; a row group of each would be all header
_PIECES = 256  # small tables are put together before there are more of them


class GrowingTable:
    """Buffers rows and writes them in groups of GROUP_ROWS; the last may have fewer.

    Holds less than two groups, some 20 MB of track points each.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._pieces: list[pa.Table] = []  # few and large
        self._crumbs: list[pa.Table] = []  # as they came
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Take rows."""
        if not table.num_rows:
            return
        self._crumbs.append(table)
        self._rows += table.num_rows
        if len(self._crumbs) >= _PIECES:
            self._pieces.append(pa.concat_tables(self._crumbs).combine_chunks())
            self._crumbs = []
        while self._rows >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        held = pa.concat_tables([*self._pieces, *self._crumbs])
        self._writer.write_table(held.slice(0, GROUP_ROWS).combine_chunks(), row_group_size=GROUP_ROWS)
        rest = held.slice(GROUP_ROWS)
        self._pieces, self._crumbs, self._rows = [rest] if rest.num_rows else [], [], rest.num_rows

    def close(self) -> None:
        """Write what is held, and the end of the file without which it cannot be read."""
        try:
            if self._rows and self._writer.is_open:
                self._write_group()
        finally:
            self._writer.close()
