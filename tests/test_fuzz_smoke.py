"""A few seconds of `fuzz/feeds.py`, so that it runs and finds nothing, and what it found before.

`make fuzz` does it for ten minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from airvigil.drivers.replay import END_NS
from airvigil.engine import step
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.open_feed import open_feed
from airvigil.reports import empty_reports
from airvigil.state import State
from small_world import SETTINGS, SKY, make_reports, random_rows

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 8
FORMATS = {
    "beast", "raw-avr", "raw-csv", "raw-jsonl", "sbs", "aircraft-json", "trace", "vectors-csv", "vectors-json",
    "vectors-jsonl", "opensky-rest", "vectors-parquet", "reports-parquet", "strange-reports",
}  # fmt: skip


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "fuzz/feeds.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_mutated_bytes_of_every_format_are_refused_or_accounted_for(tmp_path: Path) -> None:
    done = fuzz("--seconds", str(SECONDS), "--seed", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    summaries = {row["format"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert set(summaries) == FORMATS
    for row in summaries.values():
        assert row["cases"] >= 2, row
        assert row["rows"] > 0, row
        assert row["failures"] == []
        assert row["peak_rss_mb"] < 1024
    assert list(tmp_path.iterdir()) == []


def test_a_feed_that_breaks_its_promise_is_found_and_its_input_kept(tmp_path: Path) -> None:
    """The fuzzer itself: a decoder that raises something else must not pass."""
    broken = """
import runpy, sys
from airvigil.feeds import sbs
def decode(self, chunk, received_at_ns):
    raise ZeroDivisionError("broken on purpose")
sbs.SbsFeed.decode = decode
sys.argv = ["fuzz/feeds.py", "--seconds", "1", "--only", "sbs", "--out", sys.argv[1]]
sys.path.insert(0, "fuzz")
runpy.run_path("fuzz/feeds.py", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", broken, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert "broken on purpose" in done.stderr
    assert "python fuzz/feeds.py --only sbs --input" in done.stderr
    assert len(json.loads(done.stdout)["failures"]) == 1
    assert len(list(tmp_path.glob("sbs-*"))) == 1


@pytest.mark.slow
def test_mutated_airspace_files_are_refused_or_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "fuzz/airspace.py", "--seconds", "10", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["format"] for row in rows] == ["openair", "shapes", "geojson", "kml", "airvigil"]
    assert all(row["cases"] >= 2 and row["volumes"] > 0 for row in rows)


# ---- found by fuzzing, each in its smallest form ----


def test_a_header_with_a_long_row_of_spaces_takes_no_time() -> None:
    header = b"timestamp,icao24,latitude,longitude,a" + b" " * 60_000 + b"b\n"
    feed = open_feed("state-vectors", FeedOptions(sensor="s"), head=header)
    begin = time.perf_counter()
    feed.decode(header + b"1760000000,4601f7,59,25,\n", 0)
    assert feed.finish().num_rows == 1
    assert time.perf_counter() - begin < 2.0  # 20 s while names were cleaned with a regular expression


def test_a_report_of_a_time_beyond_the_clock_is_rejected_and_not_kept_waiting() -> None:
    table = make_reports(random_rows(1, count=3))
    times = pa.array([2**62 + 5] * table.num_rows).view(pa.timestamp("ns", tz="UTC"))
    for name in ("time_of_applicability", "received_at"):
        place = table.schema.names.index(name)
        table = table.set_column(place, table.schema.field(name), times)
    state = step(State(), table, None, 0, SKY, SETTINGS)[0]
    state = step(state, empty_reports(), None, END_NS, SKY, SETTINGS)[0]
    assert sum(a.waiting() for a in state.intake.accounts.values()) == 0
    assert sum(a.rejected["time_in_future"] for a in state.intake.accounts.values()) > 0
