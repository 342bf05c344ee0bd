"""The order of rows against NumPy's general sort, for orderly and for hopeless arrivals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.tracking.row_order import bytes_of, deal_rows, order_of, taken
from airvigil.tracking.rows import ROW, Rows


def made(slots: list[int], times: list[int], ties: list[int]) -> Rows:
    rows = np.zeros(len(slots), ROW)
    rows["slot"], rows["time"], rows["tie"] = slots, times, ties
    rows["received"] = np.arange(len(slots))
    return rows


def by_sorting(rows: Rows) -> list[int]:
    found: list[int] = np.lexsort((rows["tie"], rows["time"], rows["slot"])).tolist()
    return found


TRIPLES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 2)), max_size=60)


@given(TRIPLES, st.sampled_from([7, 10_000]))
def test_the_order_is_that_of_a_stable_sort_by_slot_time_and_tie(
    triples: list[tuple[int, int, int]], slot_count: int
) -> None:
    rows = made(*(list(column) for column in zip(*triples, strict=True))) if triples else made([], [], [])
    assert order_of(rows, slot_count).tolist() == by_sorting(rows)


def test_rows_in_order_of_time_are_dealt_and_rows_against_it_are_sorted() -> None:
    times = list(range(1000))
    forward, backward = made([0] * 1000, times, [0] * 1000), made([0] * 1000, times[::-1], [0] * 1000)
    order = np.empty(1000, np.int64)
    assert deal_rows(forward, 1, order)
    assert not deal_rows(backward, 1, order)
    assert order_of(backward, 1).tolist() == list(range(999, -1, -1))


@pytest.mark.parametrize("order", [[], [2, 0, 0]])
def test_taken_records_are_whole(order: list[int]) -> None:
    rows = made([5, 6, 7], [1, 2, 3], [9, 9, 9])
    rows["lat"] = [np.nan, 1.0, -0.0]
    got = taken(rows, np.array(order, np.int64))
    assert got.tobytes() == rows[order].tobytes()
    assert bytes_of(rows).shape == (3, ROW.itemsize)
