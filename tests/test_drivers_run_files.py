"""The folder of a run: complete files, nothing half made, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airvigil.drivers import run_files
from airvigil.drivers.replay import run
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
