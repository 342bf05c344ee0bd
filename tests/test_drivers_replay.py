"""Replay: batches change nothing, an interrupt leaves a complete result, and a run says what it was made with."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from airvigil import __version__
from airvigil.drivers.replay import RunResult, run, unbroken
from airvigil.drivers.sink import NoFiles
from made_flights import path
from small_world import SETTINGS, SKY, START_NS, make_reports, random_rows

STATE = "43c000"


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.points: list[pa.Table] = []
        self.margins: list[pa.Table] = []

    def events(self, events: list[dict[str, Any]]) -> None:
        self.lines += [json.dumps(event, sort_keys=True) for event in events]

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        self.points.append(points)
        self.margins.append(margins)


def intruder(count: int = 80) -> pa.Table:
    return make_reports(path(lat=58.97, track_deg=0.0, icao24=STATE, count=count))


def pieces(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(begin, size) for begin in range(0, table.num_rows, size)]


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_size_changes_no_event_and_no_row() -> None:
    table = make_reports(random_rows(11))
    kept = []
    for batch in (None, 1, 7, 1000):
        sink = Kept()
        run(pieces(table, 13), SKY, SETTINGS, sink=sink, batch=batch)
        kept.append((sink.lines, sorted(str(r) for t in sink.points for r in t.to_pylist())))
    assert kept[0][0]
    assert all(each == kept[0] for each in kept[1:])


# --- what a run says --------------------------------------------------------------------------------------------------


def test_a_run_begins_with_what_it_was_made_with_and_ends_with_what_became_of_it() -> None:
    sink = Kept()
    run([intruder()], SKY, SETTINGS, sink=sink, title="A title", is_reconstruction=True)
    events = [json.loads(line) for line in sink.lines]
    started, accounting, finished = events[0], events[-2], events[-1]
    assert (started["event"], started["seq"], started["version"]) == ("run_started", 0, __version__)
    assert (started["title"], started["reconstruction"]) == ("A title", True)
    assert started["airspace"]["digest"] == SKY.digest
    assert started["settings_digest"] == SETTINGS.digest
    assert started["airspace"]["volumes"][0]["volume_id"] == "SQR"
    assert started["airspace"]["volumes"][0]["upper_limit_m"] is None
    assert started["airspace"]["volumes"][0]["date"] is None
    (row,) = accounting["sensors"]
    assert row["received"] == 80 == row["used"] + row["late"] + sum(row["rejected"].values())
    assert (finished["event"], finished["interrupted"], finished["failures"]) == ("run_finished", False, [])


def test_events_are_numbered_without_gaps_and_their_times_never_go_back() -> None:
    sink = Kept()
    run(pieces(make_reports(random_rows(5)), 20), SKY, SETTINGS, sink=sink)
    events = [json.loads(line) for line in sink.lines]
    assert [event["seq"] for event in events] == list(range(len(events)))
    times = [event["time"] for event in events if "time" in event]
    assert times == sorted(times)
    assert not any("time_ns" in event for event in events)


def test_an_empty_run_is_a_run() -> None:
    sink = Kept()
    result = run([], SKY, SETTINGS, sink=sink)
    assert [json.loads(line)["event"] for line in sink.lines] == ["run_started", "accounting", "run_finished"]
    assert (result.reports, result.is_interrupted) == (0, False)


def test_progress_hears_of_every_step() -> None:
    heard: list[tuple[int, int]] = []
    run(
        pieces(intruder(), 30),
        SKY,
        SETTINGS,
        sink=NoFiles(),
        progress=lambda rows, newest: heard.append((rows, newest)),
    )
    assert [rows for rows, _ in heard] == [30, 60, 80]
    assert heard[-1][1] == START_NS + 78 * 10**9  # the last reception is not confirmed by a later one


def test_the_place_of_a_receiver_reaches_admission() -> None:
    far = make_reports(path(lat=20.0, count=10, sensor="roof"))
    result = run([far], SKY, SETTINGS, sink=NoFiles(), receivers={"roof": (59.5, 25.5, 84.0)})
    assert dict(result.state.intake.accounts["roof"].rejected) == {"beyond_radio_horizon": 10}


# --- interrupts -------------------------------------------------------------------------------------------------------


def interrupted(tables: list[pa.Table]) -> Iterator[pa.Table]:
    yield from tables
    raise KeyboardInterrupt


def test_an_interrupt_between_tables_leaves_what_was_received_judged_and_told() -> None:
    parts = pieces(intruder(), 20)
    stopped, whole = Kept(), Kept()
    result = run(interrupted(parts[:3]), SKY, SETTINGS, sink=stopped)
    run(parts[:3], SKY, SETTINGS, sink=whole)
    assert result.is_interrupted
    assert json.loads(stopped.lines[-1])["interrupted"] is True
    assert stopped.lines[:-1] == whole.lines[:-1]
    assert any('"incident_closed"' in line for line in stopped.lines)


def test_an_interrupt_in_the_middle_of_a_step_waits_for_its_end() -> None:
    class Impatient(Kept):
        def events(self, events: list[dict[str, Any]]) -> None:
            if len(self.points) == 2:
                os.kill(os.getpid(), signal.SIGINT)
            super().events(events)

    parts = pieces(intruder(), 20)
    stopped, whole = Impatient(), Kept()
    result = run(parts, SKY, SETTINGS, sink=stopped)
    run(parts[:3], SKY, SETTINGS, sink=whole)
    assert result.is_interrupted
    assert (result.reports, len(stopped.points)) == (60, 4)
    assert stopped.lines[:-1] == whole.lines[:-1]
    account = result.state.intake.accounts["roof"]
    assert (account.received, account.waiting()) == (60, 0)


def test_an_interrupt_in_the_ending_finds_a_complete_run() -> None:
    endings: list[list[str]] = []

    def ending(result: RunResult) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        endings.append([event["event"] for event in result.events])

    result = run(pieces(intruder(), 20), SKY, SETTINGS, sink=NoFiles(), ending=ending)
    assert len(endings) == 1
    assert endings[0][-2:] == ["accounting", "run_finished"]
    assert (result.reports, result.is_interrupted) == (80, False)
    assert result.events[-1]["interrupted"] is False


def test_the_handler_of_interrupts_is_as_before_after_a_run() -> None:
    before = signal.getsignal(signal.SIGINT)
    run([intruder(3)], SKY, SETTINGS, sink=NoFiles())
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_a_held_block_is_not_hidden_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), unbroken():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_in_another_thread_works() -> None:
    results: list[RunResult] = []
    thread = threading.Thread(
        target=lambda: results.append(run([intruder(3)], SKY, SETTINGS, sink=NoFiles()))
    )
    thread.start()
    thread.join()
    assert results[0].reports == 3
