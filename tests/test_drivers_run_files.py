"""The folder of a run: complete files, nothing half made, and what stands in them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airvigil.drivers import run_files
from airvigil.drivers.growing_table import GrowingTable
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.run_files import RunFiles
from airvigil.errors import ConfigError
from airvigil.state import MARGIN_SCHEMA, POINT_SCHEMA
from made_flights import path
from small_world import SETTINGS, SKY, make_reports

NAMES = {
    "report.html",
    "incidents.geojson",
    "incidents.kml",
    "incidents.czml",
    "lookahead.geojson",
    "events.jsonl",
    "tracks.parquet",
    "margins.parquet",
}


def reports() -> list[pa.Table]:
    rows = path(lat=58.97, track_deg=0.0, icao24="43c000", count=80) + path(
        lat=58.5, icao24="46aaaa", count=80
    )
    rows.sort(key=lambda row: row["time_s"])
    table = make_reports(rows)
    return [table.slice(begin, 40) for begin in range(0, table.num_rows, 40)]


def written(folder: Path, tables: list[pa.Table] | Iterator[pa.Table]) -> list[Path]:
    files = RunFiles(folder)
    result = run(tables, SKY, SETTINGS, sink=files)
    return files.finish(result.events, SKY.volumes)


def test_all_files_are_there_the_page_first_and_nothing_half_made(tmp_path: Path) -> None:
    paths = written(tmp_path / "deep" / "out", reports())
    assert paths[0].name == "report.html"
    assert {p.name for p in paths} == NAMES
    assert {p.name for p in (tmp_path / "deep" / "out").iterdir()} == NAMES


def test_every_line_of_the_events_is_json_and_canonical(tmp_path: Path) -> None:
    written(tmp_path, reports())
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert {"run_started", "spell_opened", "incident_closed", "accounting", "run_finished"} <= {
        e["event"] for e in events
    }
    for line, event in zip(lines, events, strict=True):
        assert line == json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_tables_hold_every_point_and_the_margins_near_a_volume(tmp_path: Path) -> None:
    written(tmp_path, reports())
    points, margins = (pq.read_table(tmp_path / name) for name in ("tracks.parquet", "margins.parquet"))
    assert points.schema.equals(POINT_SCHEMA)
    assert margins.schema.equals(MARGIN_SCHEMA)
    assert points.num_rows == 160
    inside = [row for row in margins.to_pylist() if row["margin_m"] > 0]
    assert {row["track_id"][:6] for row in inside} == {"43c000"}


def test_an_interrupted_run_has_all_its_files(tmp_path: Path) -> None:
    def tables() -> Iterator[pa.Table]:
        yield from reports()[:3]
        raise KeyboardInterrupt

    written(tmp_path, tables())
    assert {p.name for p in tmp_path.iterdir()} == NAMES
    last = json.loads((tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["interrupted"] is True
    assert pq.read_table(tmp_path / "tracks.parquet").num_rows == 120


def test_while_it_runs_only_temporary_files_are_there(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    run(reports(), SKY, SETTINGS, sink=files)
    assert {p.name for p in tmp_path.iterdir()} == {
        f".{name}.part" for name in ("events.jsonl", "tracks.parquet", "margins.parquet")
    }
    files.finish([], SKY.volumes)


def test_a_run_without_reports_has_all_its_files(tmp_path: Path) -> None:
    written(tmp_path, [])
    assert {p.name for p in tmp_path.iterdir()} == NAMES
    assert pq.read_table(tmp_path / "tracks.parquet").num_rows == 0
    assert (
        json.loads((tmp_path / "incidents.geojson").read_text(encoding="utf-8"))["type"]
        == "FeatureCollection"
    )


def test_files_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("old")
    written(tmp_path, [])
    assert "run_started" in (tmp_path / "events.jsonl").read_text(encoding="utf-8")


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        written(tmp_path / name, reports())
    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_of_much_traffic_only_what_matters_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = [p.read_bytes() for p in written(tmp_path / "full", reports())]
    monkeypatch.setattr(run_files, "MOST_BACKGROUND_POINTS", 100)
    few = written(tmp_path / "few", reports())
    assert len(few[0].read_bytes()) <= len(full[0])
    assert pq.read_table(tmp_path / "few" / "tracks.parquet").num_rows == 160
    assert "43c000" in few[1].read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot write to") as caught:
        RunFiles(tmp_path / "file" / "out")
    assert caught.value.hint is not None


def whole_run(folder: Path) -> None:
    with RunFiles(folder) as files:
        result = run(reports(), SKY, SETTINGS, sink=files)
        files.finish(result.events, SKY.volumes)


# --- when it goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report.html", "events.jsonl", "tracks.parquet"])
def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match=f"{name} is a folder there"):
        RunFiles(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_run_that_breaks_off_keeps_what_can_be_read_and_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("of an earlier run")

    def broken_off() -> None:
        with RunFiles(tmp_path) as files:
            files.tables(POINT_SCHEMA.empty_table(), MARGIN_SCHEMA.empty_table())
            files.events([{"event": "run_started", "seq": 0}])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert {p.name for p in tmp_path.iterdir()} == {"events.jsonl", "tracks.parquet", "margins.parquet"}
    assert (tmp_path / "events.jsonl").read_text(encoding="utf-8") == '{"event":"run_started","seq":0}\n'
    assert pq.read_table(tmp_path / "tracks.parquet").schema.equals(POINT_SCHEMA)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), pa.ArrowInvalid("bad column")])
def test_what_the_disk_and_arrow_say_is_an_error_that_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(ConfigError, match=f"cannot write to {tmp_path}: ") as caught:
        whole_run(tmp_path)
    assert caught.value.hint is not None
    assert {p.name for p in tmp_path.iterdir()} == {"events.jsonl", "tracks.parquet", "margins.parquet"}
    assert pq.read_table(tmp_path / "tracks.parquet").schema.equals(POINT_SCHEMA)
    assert "run_finished" in (tmp_path / "events.jsonl").read_text(encoding="utf-8")


def test_a_table_without_its_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(GrowingTable, "close", full)
    with pytest.raises(ConfigError, match="No space left"):
        whole_run(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"events.jsonl"}


def test_a_page_that_cannot_be_written_costs_the_page_and_not_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigError, match="No space left"):
        whole_run(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"events.jsonl", "tracks.parquet", "margins.parquet"}
    assert pq.read_table(tmp_path / "tracks.parquet").num_rows == 160


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    files.events([{"event": "run_started", "seq": 0}])
    with (tmp_path / ".events.jsonl.part").open("a", encoding="utf-8") as other:
        other.write('{"event":"half')
    assert {path.name for path in files.rescue()} >= {"events.jsonl"}
    assert (tmp_path / "events.jsonl").read_text(encoding="utf-8") == '{"event":"run_started","seq":0}\n'


def test_an_interrupt_while_the_files_are_made_leaves_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = run_files.report_html

    def impatient(*args: Any, **named: Any) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return make(*args, **named)

    monkeypatch.setattr(run_files, "report_html", impatient)
    with RunFiles(tmp_path) as files:

        def ending(result: RunResult) -> None:
            files.finish(result.events, SKY.volumes)

        result = run(reports(), SKY, SETTINGS, sink=files, ending=ending)
    assert {p.name for p in tmp_path.iterdir()} == NAMES
    assert result.reports == 160


def test_text_that_is_no_unicode_is_escaped_and_not_a_traceback(tmp_path: Path) -> None:
    with RunFiles(tmp_path) as files:
        files.events([{"event": "run_started", "name": "\udcff.bin"}])
        files.discard()
    assert list(tmp_path.iterdir()) == []
