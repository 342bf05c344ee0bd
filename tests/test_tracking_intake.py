"""Arrival: lateness and clocks, the books, and what waits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.settings import Time
from airvigil.tracking.accounting import accounting_rows
from airvigil.tracking.intake import (
    BEGINNING,
    NO_TIME,
    TIME_IN_FUTURE,
    TIME_LEAP,
    Intake,
    arrive,
    release,
    settle,
    sort_out,
    watermark_after,
)
from airvigil.tracking.rows import BAD_POSITION, LATE, ROW, USABLE
from airvigil.tracking.track_table import TrackTable
from made_flights import Judged, path
from small_world import START_NS, make_reports

RULE = Time(allowed_lateness_s=2.0, max_leap_s=86_400.0, future_tolerance_s=5.0)
SECOND = 10**9


def taken(rows: list[dict[str, Any]], *, batch: int | None = None) -> Intake:
    intake, table = Intake(), TrackTable()
    reports = make_reports([{"icao24": "4601f7", **row} for row in rows])
    size = batch or max(1, reports.num_rows)
    for begin in range(0, reports.num_rows, size):
        arrive(intake, table, reports.slice(begin, size), RULE, BEGINNING)
    return intake


def test_a_row_older_than_the_newest_reception_by_more_than_allowed_is_late() -> None:
    intake = taken(
        [{"time_s": 10.0}, {"time_s": 8.0, "received_s": 10.0}, {"time_s": 7.99, "received_s": 10.0}]
    )
    account = intake.accounts["made-up"]
    assert (account.received, account.late, len(intake.pending)) == (3, 1, 2)


def test_lateness_counts_from_what_came_before_and_not_from_the_row_itself() -> None:
    # told 10 s after it was true, but nothing newer was received before
    intake = taken([{"time_s": 0.0, "received_s": 10.0}])
    assert intake.accounts["made-up"].late == 0


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_lateness_does_not_depend_on_batches(batch: int) -> None:
    rows = [
        {"time_s": t, "received_s": r}
        for t, r in [(0, 0), (5, 5), (2, 5), (4, 6), (3, 9), (9, 9), (6, 9), (8, 9)]
    ]
    whole, parts = taken(rows), taken(rows, batch=batch)
    assert whole.pending.tobytes() == parts.pending.tobytes()
    assert accounting_rows(whole.accounts) == accounting_rows(parts.accounts)
    assert whole.accounts["made-up"].late == 1


def test_a_clock_that_runs_ahead_is_told_beyond_the_tolerance() -> None:
    intake = taken([{"time_s": 5.0, "received_s": 0.0}, {"time_s": 5.1, "received_s": 0.0}])
    assert dict(intake.accounts["made-up"].rejected) == {"time_in_future": 1}


def test_a_row_without_a_time_is_rejected() -> None:
    table = make_reports([{"time_s": 1.0, "icao24": "4601f7"}])
    place = table.schema.get_field_index("time_of_applicability")
    table = table.set_column(place, table.schema.field(place), pa.nulls(1, table.schema.field(place).type))
    intake = Intake()
    arrive(intake, TrackTable(), table, RULE, BEGINNING)
    assert dict(intake.accounts["made-up"].rejected) == {"no_time": 1}
    assert len(intake.pending) == 0


def test_a_rejected_row_is_not_counted_as_late_too() -> None:
    intake = taken([{"time_s": 100.0}, {"time_s": 1.0, "received_s": 100.0, "reject_reason": "bad_crc"}])
    account = intake.accounts["made-up"]
    assert (account.late, dict(account.rejected)) == (0, {"bad_crc": 1})


def test_rows_wait_until_nothing_earlier_can_come() -> None:
    intake = taken([{"time_s": 3.0}, {"time_s": 2.0, "received_s": 3.0}, {"time_s": 4.0}])
    assert len(release(intake, START_NS + 2 * SECOND, 1)) == 0
    rows = release(intake, START_NS + 3 * SECOND + 1, 1)
    assert sorted((rows["time"] - START_NS) // SECOND) == [2, 3]
    assert len(intake.pending) == 1


def test_the_books_balance_at_every_moment() -> None:
    intake = taken([{"time_s": float(t)} for t in range(10)] + [{"time_s": 1.0, "received_s": 10.0}])
    account = intake.accounts["made-up"]
    assert account.waiting() == 10
    rows = release(intake, START_NS + 5 * SECOND, 1)
    settle(intake, rows, np.array([0, 1, 0, 1, 0]), {1: "stale_repeat"})
    assert (account.used, account.late, dict(account.rejected), account.waiting()) == (
        3,
        1,
        {"stale_repeat": 2},
        5,
    )


def test_sensors_have_books_of_their_own_sorted_by_name() -> None:
    judged = Judged(path(count=10) + path(count=5, sensor="attic", icao24="4601f8"))
    rows = accounting_rows(judged.state.intake.accounts)
    assert [(row["sensor"], row["received"], row["used"], row["positions"]) for row in rows] == [
        ("attic", 5, 5, 5),
        ("roof", 10, 10, 10),
    ]


def test_rows_without_a_position_are_used_but_not_counted_as_positions() -> None:
    rows = path(count=4)
    judged = Judged([*rows, {"time_s": 9.0, "icao24": "4601f7", "sensor": "roof", "callsign": "FIN1"}])
    account = judged.state.intake.accounts["roof"]
    assert (account.used, account.positions) == (5, 4)


def test_every_kind_of_arrival_reject_is_counted_in_a_run() -> None:
    good = path(count=3)
    bad = [
        {"time_s": 3.0, "latitude_deg": 59.0, "longitude_deg": 25.0, "sensor": "roof"},
        {"time_s": 3.1, "latitude_deg": 95.0, "longitude_deg": 25.0, "sensor": "roof", "icao24": "4601f7"},
        {
            "time_s": 90.0,
            "received_s": 3.2,
            "latitude_deg": 59.0,
            "longitude_deg": 25.0,
            "sensor": "roof",
            "icao24": "4601f7",
        },
    ]
    judged = Judged(good + bad)
    assert judged.rejected == {"no_identity": 1, "bad_position": 1, "time_in_future": 1}


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize("place", [0, 1, 7, 19])
def test_one_clock_reading_of_another_year_makes_nothing_late(place: int, batch: int) -> None:
    rows = [{"time_s": float(k)} for k in range(20)]
    rows[place] = {"time_s": 1e9}
    account = taken(rows, batch=batch).accounts["made-up"]
    assert account.late == 0
    # the first row of all has nothing before it to contradict it
    assert dict(account.rejected) == ({"time_leap": 1} if place else {})


def test_a_true_gap_of_days_costs_one_row() -> None:
    rows = [{"time_s": float(k)} for k in range(5)] + [{"time_s": 1e6 + k} for k in range(5)]
    account = taken(rows).accounts["made-up"]
    assert (account.late, dict(account.rejected)) == (0, {"time_leap": 1})


def test_nothing_before_a_watermark_that_has_passed_is_used() -> None:
    intake, table = Intake(), TrackTable()
    rows = make_reports([{"icao24": "4601f7", "time_s": 5.0}])
    arrive(intake, table, rows, RULE, START_NS + 6 * SECOND)
    assert (intake.accounts["made-up"].late, len(intake.pending)) == (1, 0)


def test_the_watermark_follows_confirmed_receptions() -> None:
    intake, table = Intake(), TrackTable()
    rows = make_reports([{"icao24": "4601f7", "time_s": t} for t in (1.0, 5.0, 3.0)])
    assert watermark_after(intake, rows, RULE) == START_NS + 1 * SECOND  # 5 is not confirmed, 3 is, less 2
    arrive(intake, table, rows, RULE, BEGINNING)
    assert watermark_after(intake, rows.slice(0, 0), RULE) == START_NS + 1 * SECOND


RECEIVED = st.lists(
    st.tuples(st.integers(0, 12), st.integers(-7, 14), st.booleans()), min_size=1, max_size=30
)  # (seconds of reception, seconds of application or below 0 none, has a reason of its own already)


def _plainly_sorted_out(
    rows: list[tuple[int, int, bool]], newest: int, latest: int, limits: tuple[int, int, int, int]
) -> list[int]:
    """What `sort_out` says, row by row, with nothing carried along but the receptions so far."""
    passed, lateness, leap, future = limits
    told = []
    for k, (received, applies, has_reason) in enumerate(rows):
        line = [latest, *(row[0] for row in rows[: k + 1])]
        confirmed = [min(pair) for pair in pairwise(line)]
        before, now = max([newest, *confirmed[:-1]]), max([newest, *confirmed])
        if has_reason:
            told.append(BAD_POSITION)
        elif applies < 0:
            told.append(NO_TIME)
        elif applies > received + future:
            told.append(TIME_IN_FUTURE)
        elif now > BEGINNING and received - now > leap:
            told.append(TIME_LEAP)
        else:
            told.append(LATE if applies < max(before - lateness, passed) else USABLE)
    return told


@given(
    RECEIVED,
    st.sampled_from([BEGINNING, 3]),
    st.sampled_from([BEGINNING, 5]),
    st.sampled_from([BEGINNING, 4]),
)
def test_sorting_out_equals_the_rules_said_plainly(
    rows: list[tuple[int, int, bool]], newest: int, latest: int, passed: int
) -> None:
    records, reasons = np.zeros(len(rows), ROW), np.zeros(len(rows), np.int16)
    records["received"], records["time"] = [row[0] for row in rows], [row[1] for row in rows]
    reasons[[row[2] for row in rows]] = BAD_POSITION
    limits = (passed, 2, 6, 1)
    after = sort_out(records, reasons, newest, latest, *limits)
    assert reasons.tolist() == _plainly_sorted_out(rows, newest, latest, limits)
    line = [latest, *(row[0] for row in rows)]
    assert after == (max([newest, *(min(pair) for pair in pairwise(line))]), line[-1])


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=9), max_size=12), st.lists(st.integers(0, 50), max_size=4)
)
def test_what_leaves_and_what_waits_does_not_depend_on_batches(
    batches: list[list[int]], watermarks: list[int]
) -> None:
    parts, whole = Intake(), Intake()
    times = [time for batch in batches for time in batch]
    rows = np.zeros(len(times), ROW)
    rows["time"], rows["received"] = times, np.arange(len(times))
    whole.keep(rows)
    done = 0
    for batch in batches:
        parts.keep(rows[done : done + len(batch)].copy())
        done += len(batch)
    assert parts.pending.tobytes() == whole.pending.tobytes() == rows.tobytes()
    for watermark in sorted(watermarks):
        expected = [t for t in whole.pending["time"].tolist() if t < watermark]
        left, also_left = release(parts, watermark, 1), release(whole, watermark, 1)
        assert left.tobytes() == also_left.tobytes()
        assert left["time"].tolist() == sorted(expected)
        assert parts.pending.tobytes() == whole.pending.tobytes()
