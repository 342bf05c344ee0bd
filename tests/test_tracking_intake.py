"""Arrival: lateness and clocks, the books, and what waits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from airvigil.settings import Time
from airvigil.tracking.accounting import accounting_rows
from airvigil.tracking.intake import BEGINNING, Intake, arrive, release, settle, watermark_after
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
    assert len(release(intake, START_NS + 2 * SECOND)) == 0
    rows = release(intake, START_NS + 3 * SECOND + 1)
    assert sorted((rows["time"] - START_NS) // SECOND) == [2, 3]
    assert len(intake.pending) == 1


def test_the_books_balance_at_every_moment() -> None:
    intake = taken([{"time_s": float(t)} for t in range(10)] + [{"time_s": 1.0, "received_s": 10.0}])
    account = intake.accounts["made-up"]
    assert account.waiting() == 10
    rows = release(intake, START_NS + 5 * SECOND)
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
