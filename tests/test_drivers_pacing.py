"""Batches keep every row in its order; a paced recording comes at its own times, whatever tables it is read in."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.drivers.pacing import paced, rebatched
from airvigil.reports import concat_reports, empty_reports
from small_world import make_reports


def rows_at(*seconds: float) -> pa.Table:
    return make_reports([{"time_s": s, "icao24": f"{k:06x}"} for k, s in enumerate(seconds)])


def pieces(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(begin, size) for begin in range(0, table.num_rows, size)]


class Wall:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0.0
        self.now_s += seconds


def given_out(tables: list[pa.Table], speed: float) -> list[tuple[float, pa.Table]]:
    """(seconds after the start, table) of everything that comes."""
    wall = Wall()
    return [(wall.now_s - 1000.0, t) for t in paced(tables, speed, clock=wall.clock, sleep=wall.sleep)]


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 30))
def test_rebatched_keeps_every_row_in_its_order_in_tables_of_the_size_asked_for(
    sizes: list[int], size: int
) -> None:
    whole = make_reports([{"time_s": float(k), "icao24": f"{k:06x}"} for k in range(sum(sizes))])
    begins = [sum(sizes[:k]) for k in range(len(sizes))]
    parts = list(rebatched([whole.slice(b, n) for b, n in zip(begins, sizes, strict=True)], size))
    assert all(part.num_rows == size for part in parts[:-1])
    assert not parts or 0 < parts[-1].num_rows <= size
    assert concat_reports(parts).equals(whole) or whole.num_rows == 0 == len(parts)


def test_rebatched_without_a_size_gives_the_tables_as_they_come() -> None:
    tables = [rows_at(0, 1, 2), empty_reports(), rows_at(3, 4)]
    assert list(rebatched(tables, None)) == tables


@pytest.mark.parametrize("size", [1, 7, 60])
@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
def test_a_recording_of_a_minute_takes_a_minute_over_speed_in_one_table_as_in_many(
    size: int, speed: float
) -> None:
    whole = rows_at(*map(float, range(60)))
    came = given_out(pieces(whole, size), speed)
    assert came[-1][0] == pytest.approx(59.0 / speed)
    assert concat_reports([t for _, t in came]).equals(whole)
    for at, table in came:
        last_s = (table["received_at"][-1].value - whole["received_at"][0].value) / 1e9
        assert at == pytest.approx(last_s / speed)
        span = table["received_at"][-1].value - table["received_at"][0].value
        assert span < 1e9


def test_at_a_high_speed_no_slice_is_shorter_than_what_is_worth_waiting_for() -> None:
    came = given_out([rows_at(*[k / 10 for k in range(36_000)])], 3600.0)
    assert came[-1][0] == pytest.approx(1.0, abs=0.001)
    assert len(came) == 20


def test_an_engine_that_is_slow_is_not_slowed_down_further() -> None:
    wall = Wall()
    slept: list[float] = []
    for _ in paced([rows_at(0.0, 1.5, 3.0)], 1.0, clock=wall.clock, sleep=slept.append):
        wall.now_s += 10.0
    assert slept == []


def test_a_reception_far_ahead_of_the_next_row_delays_nothing() -> None:
    came = given_out([rows_at(0.0, 1.0, 1e7, 2.0, 3.0)], 1.0)
    assert came[-1][0] == pytest.approx(3.0)


def test_time_passes_for_empty_tables_without_waiting() -> None:
    assert [t.num_rows for _, t in given_out([empty_reports(), rows_at(5.0), empty_reports()], 1.0)] == [
        0,
        1,
        0,
    ]


def test_without_a_speed_tables_come_as_they_are_and_at_once() -> None:
    tables = [rows_at(0.0, 100.0)]
    begin = time.monotonic()
    assert list(paced(tables, None)) == tables
    assert time.monotonic() - begin < 0.5
