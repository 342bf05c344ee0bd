"""K-way merge of report tables, and sorting with bounded memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.drivers.merging import MergeInput, in_merge_order, merge_in_time_order
from airvigil.drivers.ordering import in_time_order
from airvigil.reports import REPORT_SCHEMA, check_reports, concat_reports, reports_from_columns


def reports(name, times, first=0):
    """Rows whose icao24 tells the input and the place in it."""
    return reports_from_columns(
        {
            "time_of_applicability": list(times),
            "received_at": list(times),
            "sensor": [name] * len(times),
            "sensor_kind": ["radar"] * len(times),
            "frame_digest": [bytes(32)] * len(times),
            "icao24": [f"{name}{first + i}" for i in range(len(times))],
        },
        length=len(times),
    )


def in_blocks(name, times, lengths):
    place = 0
    for length in [*lengths, len(times)]:
        yield reports(name, times[place : place + length], place)
        place = min(place + length, len(times))


def labels(tables):
    return concat_reports([check_reports(table) for table in tables])["icao24"].to_pylist()


def plain_merge(inputs):
    """The same by sorting everything: time so far, name, place of the input, place in the input."""
    keyed = []
    for place, (name, times) in enumerate(inputs):
        latest = -1
        for row, time in enumerate(times):
            latest = max(latest, time)
            keyed.append((latest, name, place, row, f"{name}{row}"))
    return [label for *_, label in sorted(keyed)]


NAMES = st.sampled_from(["a", "b", "c"])
TIMES = st.lists(st.integers(0, 12), max_size=14)
LENGTHS = st.lists(st.integers(0, 4), max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, TIMES, LENGTHS, st.booleans()), max_size=5), st.integers(1, 20))
def test_merge_is_the_sort_of_all_rows_whatever_the_blocks(inputs, block_rows):
    merge_inputs = [
        MergeInput(name, in_blocks(name, times, lengths), min(times) if knows_start and times else None)
        for name, times, lengths, knows_start in inputs
    ]
    merged = list(merge_in_time_order(merge_inputs, block_rows=block_rows))
    assert labels(merged) == plain_merge([(name, times) for name, times, _, _ in inputs])
    assert all(table.num_rows >= block_rows for table in merged[:-1])
    assert all(table.num_rows for table in merged)


def test_an_input_is_not_opened_before_its_time():
    opened = []

    def tables(name, times):
        opened.append(name)
        for time in times:
            yield reports(name, [time])
            opened.append(f"{name}{time}")

    inputs = [MergeInput("a", tables("late", [100, 101]), 100), MergeInput("b", tables("early", [1, 2]), 1)]
    for _ in merge_in_time_order(inputs, block_rows=1):
        pass
    assert opened == ["early", "early1", "early2", "late", "late100", "late101"]


def test_memory_is_one_block_of_each_input():
    given_out = 0
    taken = 0

    def endless():
        nonlocal given_out
        for time in range(1000):
            given_out += 1
            yield reports("a", [time] * 10)

    merged = merge_in_time_order([MergeInput("a", endless()), MergeInput("b", endless())], block_rows=20)
    for table in merged:
        taken += table.num_rows
        assert given_out * 10 - taken <= 60
    assert taken == 20_000


def test_what_an_input_raises_comes_through():
    def failing():
        yield reports("a", [1])
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(merge_in_time_order([MergeInput("a", failing())]))


@settings(max_examples=100, deadline=None)
@given(TIMES, LENGTHS, st.integers(1, 6), st.integers(1, 5))
def test_ordering_is_a_stable_sort_however_many_runs_it_takes(times, lengths, run_rows, block_rows):
    tables = list(in_time_order(in_blocks("a", times, lengths), run_rows=run_rows, block_rows=block_rows))
    expected = [f"a{row}" for row in sorted(range(len(times)), key=lambda row: times[row])]
    assert labels(tables) == expected
    assert all(table.schema.equals(REPORT_SCHEMA) for table in tables)


def test_order_of_tables_in_a_row():
    assert in_merge_order([reports("a", [1, 2]), reports("a", []), reports("a", [2, 3])])
    assert not in_merge_order([reports("a", [1, 2]), reports("a", [1])])
    assert not in_merge_order([reports("a", [2, 1])])
