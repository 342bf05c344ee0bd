"""Live inputs side by side: every table once, each input's order kept, and a fast sender waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from airvigil.drivers import live
from airvigil.drivers.inputs import Input, InputOptions, open_input
from airvigil.drivers.live import read_live, tick_ns
from airvigil.drivers.replay import run
from airvigil.drivers.sink import NoFiles
from airvigil.drivers.sockets import SocketOptions
from airvigil.errors import AirvigilError
from airvigil.reports import concat_reports, empty_reports
from made_flights import path
from small_world import SETTINGS, SKY, START_NS, make_reports


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

    run(tables(), SKY, SETTINGS, sink=Told(), inputs=[port()])
    assert told[-1] == "run_finished"


def port() -> Input:
    """A live input that is never read."""
    return open_input("tcp+beast://127.0.0.1:1", InputOptions())


def test_a_row_delayed_beyond_the_lateness_in_a_silence_is_late_live_and_not_in_replay() -> None:
    # docs/adr/0010-live-ticks.md: a quiet tick moves the watermark by the wall clock, a recording has no ticks
    now_s = (time.time_ns() - START_NS) / 1e9
    lateness_s = SETTINGS.time.allowed_lateness_s
    first = make_reports(path(lat=20.0, icao24="46aaaa", count=3, begin_s=now_s - 3 * lateness_s - 10.0))
    # measured before the tick's watermark, held up on the way, received after the silence
    held_up = {"begin_s": now_s - 3 * lateness_s - 5.0, "received_s": now_s}
    delayed = make_reports(path(lat=20.0, icao24="46bbbb", count=2, **held_up))
    books = {}
    for name, tables, inputs_ in (
        ("live", [first, empty_reports(), delayed], [port()]),
        ("replay", [first, delayed], []),
    ):
        result = run(tables, SKY, SETTINGS, sink=NoFiles(), inputs=inputs_)
        (account,) = result.state.intake.accounts.values()
        books[name] = (account.received, account.late)
    assert books == {"live": (5, 2), "replay": (5, 0)}


def test_a_tick_that_waited_for_a_slow_engine_says_when_it_was_made() -> None:
    tables = read_live(inputs(Sender([empty_reports(), table("a", 1)])))
    before = time.time_ns()
    tick = next(tables)
    time.sleep(0.2)
    assert tick_ns(tick) <= before + 100_000_000
    assert tick_ns(empty_reports()) >= before + 200_000_000


@pytest.mark.parametrize("kind", [ValueError, MemoryError, KeyboardInterrupt])
def test_what_breaks_a_reader_is_raised_and_not_taken_for_its_end(kind: type[BaseException]) -> None:
    class Broken(Sender):
        name = "roof"

        def __iter__(self) -> Iterator[pa.Table]:
            yield from super().__iter__()
            raise kind("of our making")

    tables = read_live(inputs(Broken([table("a", 1)])))
    assert next(tables).num_rows == 1
    with pytest.raises(AirvigilError, match="roof: reading broke off") as caught:
        next(tables)
    assert isinstance(caught.value.__cause__, kind)
    assert caught.value.hint is not None


def frame_bytes(ticks: int) -> bytes:
    body = ticks.to_bytes(6, "big") + b"\x40" + bytes.fromhex("8d4840d6202cc371c32ce0576098")
    return b"\x1a\x33" + body.replace(b"\x1a", b"\x1a\x1a")


def test_a_port_gives_the_rows_that_a_file_of_the_same_bytes_gives_but_for_their_clock(
    tmp_path: Path,
) -> None:
    content = b"".join(frame_bytes(12_000_000 * k) for k in range(1, 41))
    (tmp_path / "a.bin").write_bytes(content)
    recorded = concat_reports(list(open_input(str(tmp_path / "a.bin"), InputOptions(start_ns=START_NS))))
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(content)
                stop.wait(10)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        options = InputOptions(sockets=SocketOptions(stop=stop, first_wait_s=0.01))
        came: list[pa.Table] = []
        for part in read_live([open_input(f"tcp+beast://127.0.0.1:{server.getsockname()[1]}", options)]):
            came.append(part)
            if sum(t.num_rows for t in came) >= recorded.num_rows:
                stop.set()
        thread.join(10)
    live = concat_reports(came)
    same = [
        name
        for name in live.schema.names
        if name not in ("received_at", "time_of_applicability", "sensor", "time_sigma_s")
    ]
    assert live.num_rows == recorded.num_rows == 40
    assert live.select(same).equals(recorded.select(same))


def test_readers_do_not_keep_the_program_alive() -> None:
    sender = Sender([table("a", k) for k in range(3)], wait_s=0.2)
    next(read_live(inputs(sender)))
    assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
