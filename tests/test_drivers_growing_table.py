"""A growing Parquet file: whatever the steps, the same rows in the same row groups, hence the same bytes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airvigil.drivers import growing_table
from airvigil.drivers.growing_table import GrowingTable

WHOLE = pa.table({"n": pa.array(range(2500), pa.int64())})


def written(path: Path, step: int) -> bytes:
    table = GrowingTable(path, WHOLE.schema)
    for begin in range(0, WHOLE.num_rows, step):
        table.write(WHOLE.slice(begin, step))
        table.write(WHOLE.slice(0, 0))
    table.close()
    return path.read_bytes()


def test_row_groups_are_of_one_size_whatever_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing_table, "GROUP_ROWS", 1000)
    files = {step: written(tmp_path / f"{step}.parquet", step) for step in (1, 7, 999, 1000, 2500)}
    assert len(set(files.values())) == 1
    found = pq.ParquetFile(tmp_path / "1.parquet")
    assert [found.metadata.row_group(k).num_rows for k in range(found.num_row_groups)] == [1000, 1000, 500]
    assert found.read().equals(WHOLE)


def test_small_steps_are_held_back_until_a_group_is_full(tmp_path: Path) -> None:
    table = GrowingTable(tmp_path / "t.parquet", WHOLE.schema)
    before = (tmp_path / "t.parquet").stat().st_size
    for begin in range(0, 600):
        table.write(WHOLE.slice(begin, 1))
    assert (tmp_path / "t.parquet").stat().st_size == before
    table.close()
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 1
    assert pq.read_table(tmp_path / "t.parquet").equals(WHOLE.slice(0, 600))


def test_closing_twice_is_closing(tmp_path: Path) -> None:
    table = GrowingTable(tmp_path / "t.parquet", WHOLE.schema)
    table.close()
    table.close()
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0
