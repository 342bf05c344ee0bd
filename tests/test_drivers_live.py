"""Live inputs side by side: every table once, each input's order kept, and a fast sender waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import pytest

from airvigil.drivers import live
from airvigil.drivers.inputs import Input
from airvigil.drivers.live import read_live
from airvigil.drivers.replay import run
from airvigil.drivers.run_files import NoFiles
from airvigil.reports import empty_reports
from made_flights import path
from small_world import SETTINGS, SKY, make_reports


class Sender:
    """What `read_live` uses of an input: it is iterated, in a thread, for its tables."""

    def __init__(self, tables: list[pa.Table], *, wait_s: float = 0.0) -> None:
        self.tables = tables
        self.wait_s = wait_s
        self.given = 0

    def __iter__(self) -> Iterator[pa.Table]:
        for table in self.tables:
            time.sleep(self.wait_s)
            self.given += 1
            yield table


def inputs(*senders: Any) -> list[Input]:
    return [cast(Input, sender) for sender in senders]


def table(sensor: str, number: int) -> pa.Table:
    return make_reports([{"time_s": float(number), "icao24": "4601f7", "sensor": sensor}])


def test_every_table_of_every_input_comes_once_and_in_its_inputs_order() -> None:
    senders = [
        Sender([table(name, k) for k in range(20)], wait_s=wait) for name, wait in (("a", 0.0), ("b", 0.001))
    ]
    came = [(t["sensor"][0].as_py(), t["received_at"][0].value) for t in read_live(inputs(*senders))]
    for name in "ab":
        times = [received for sensor, received in came if sensor == name]
        assert len(times) == 20
        assert times == sorted(times)


def test_the_end_comes_when_all_inputs_have_ended() -> None:
    assert len(list(read_live(inputs(Sender([]), Sender([table("a", 1)], wait_s=0.05))))) == 1
    assert list(read_live([])) == []


def test_a_table_is_given_when_it_comes_and_does_not_wait_for_the_other_input() -> None:
    slow = Sender([table("slow", 1)], wait_s=0.5)
    begin = time.monotonic()
    first = next(read_live(inputs(slow, Sender([table("fast", 1)]))))
    assert first["sensor"][0].as_py() == "fast"
    assert time.monotonic() - begin < 0.4


def test_a_sender_that_is_too_fast_waits_instead_of_losing_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUEUE_TABLES", 4)
    sender = Sender([table("a", k) for k in range(50)])
    tables = read_live(inputs(sender))
    next(tables)
    time.sleep(0.05)
    assert sender.given <= 7
    assert 1 + len(list(tables)) == 50


def test_empty_tables_let_time_pass_so_that_what_waits_is_told() -> None:
    # reports of years ago and a clock of now: the spell of a track that is silent closes without another report
    rows = make_reports(path(lat=58.97, track_deg=0.0, icao24="43c000", count=80))
    told: list[str] = []

    class Told(NoFiles):
        def events(self, events: list[dict[str, Any]]) -> None:
            told.extend(event["event"] for event in events)

    def tables() -> Iterator[pa.Table]:
        yield rows
        assert "spell_closed" not in told
        yield empty_reports()
        assert "spell_closed" in told
        assert "incident_closed" in told

    run(tables(), SKY, SETTINGS, sink=Told())
    assert told[-1] == "run_finished"


def test_readers_do_not_keep_the_program_alive() -> None:
    sender = Sender([table("a", k) for k in range(3)], wait_s=0.2)
    next(read_live(inputs(sender)))
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
