"""A few seconds of `fuzz/feeds.py`, so that it runs and finds nothing; `make fuzz` does it for ten minutes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
