"""Prove that the size of batches changes no result: replay files in several batch sizes and compare digests.

    python bench/chunking.py FILE... --batches 1,100,100000 [--airspace EST,FIN] [--receiver LAT,LON,M]

One line a batch size: rows, events, what became of them as SHA-256, seconds. Exit status 1 if any digest differs.

Rules
- The driver is the one that `airvigil replay --batch` uses, so what is proved is what a user runs.
- Events are compared in their order, as the canonical lines of `events.jsonl`.
- Points and margins come in tables of a step, whose order within a step is by track: they are compared as sorted lines.
- The files are decoded once: that feeds do not depend on chunks either is for `fuzz/feeds.py` and the tests of the feeds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from airvigil.airspace.margins import Airspace
from airvigil.drivers.airspace_choice import choose_airspace
from airvigil.drivers.inputs import InputOptions, open_input, read_merged
from airvigil.drivers.replay import run
from airvigil.drivers.start_time import parse_utc_offset
from airvigil.errors import AirvigilError
from airvigil.exports.events_jsonl import canonical_line
from airvigil.reports import concat_reports
from airvigil.settings import Settings, load_settings

BALTIC = "EST,FIN,LVA,SWE,RUS"


class Digests:
    """A sink that keeps digests: of the events as they come, of the tables' rows at the end."""

    def __init__(self) -> None:
        self.count = 0
        self._lines = hashlib.sha256()
        self._tables: dict[str, list[pa.Table]] = {"points": [], "margins": []}

    def events(self, events: list[dict[str, Any]]) -> None:
        """Events in order."""
        for event in events:
            self._lines.update(canonical_line(event).encode() + b"\n")
        self.count += len(events)

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Track points and margins of a step."""
        for name, table in (("points", points), ("margins", margins)):
            if table.num_rows:
                self._tables[name].append(table)

    def all(self) -> dict[str, str]:
        """SHA-256 of the events' canonical lines, and of the sorted lines of both tables."""
        return {"events": self._lines.hexdigest()} | {
            name: _sorted_digest(tables) for name, tables in self._tables.items()
        }


def _sorted_digest(tables: list[pa.Table]) -> str:
    """SHA-256 of all rows as JSON lines, sorted; numbers in full, times as ns."""
    if not tables:
        return hashlib.sha256(b"").hexdigest()
    table = pa.concat_tables(tables)
    table = table.set_column(0, "time", table["time"].cast(pa.int64()))
    lines = sorted(json.dumps(row, sort_keys=True) for row in table.to_pylist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def replay_digests(
    reports: pa.Table,
    airspace: Airspace,
    settings: Settings,
    *,
    batch: int,
    receivers: dict[str, tuple[float, float, float]] | None = None,
) -> tuple[int, dict[str, str]]:
    """Number of events and digests of one replay in batches of `batch` rows."""
    sink = Digests()
    run([reports], airspace, settings, sink=sink, receivers=receivers, batch=batch)
    return sink.count, sink.all()


def _place(text: str) -> tuple[float, float, float]:
    latitude, longitude, height = (float(part) for part in text.split(","))
    return latitude, longitude, height


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replay files in several batch sizes and compare results.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--batches", default="1,100,100000", help="rows a step, comma list")
    parser.add_argument("--airspace", default=BALTIC, help=f"states and GeoJSON files; default {BALTIC}")
    parser.add_argument("--name-utc-offset", metavar="+HH:MM", help="of the clock that named the files")
    parser.add_argument("--receiver", metavar="LAT,LON,M", type=_place, help="place of the antenna")
    parser.add_argument("--rows", type=int, metavar="N", help="only the first N rows")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Replay, print, compare."""
    options = _parsed(arguments)
    settings = load_settings()
    airspace = choose_airspace(options.airspace, settings)
    offset = None if options.name_utc_offset is None else parse_utc_offset(options.name_utc_offset)
    inputs = [
        open_input(name, InputOptions(name_utc_offset_s=offset, receiver=options.receiver))
        for name in options.files
    ]
    begin = time.perf_counter()
    # one buffer a column: what a batch of one row costs should not depend on how the files were read
    reports = concat_reports(list(read_merged(inputs))).slice(0, options.rows).combine_chunks()
    failures = [failure for each in inputs for failure in each.failures]
    for failure in failures:
        print(f"chunking: {failure}", file=sys.stderr)
    print(f"chunking: {reports.num_rows:,} rows decoded in {time.perf_counter() - begin:.1f} s")
    receivers = {} if options.receiver is None else {each.sensor: options.receiver for each in inputs}
    found: set[tuple[int, str]] = set()
    for batch in map(int, options.batches.split(",")):
        begin = time.perf_counter()
        events, digests = replay_digests(reports, airspace, settings, batch=batch, receivers=receivers)
        spent = time.perf_counter() - begin
        found.add((events, json.dumps(digests)))
        shown = " ".join(f"{name} {digest[:16]}" for name, digest in digests.items())
        print(
            f"batch {batch:>7,}: {reports.num_rows:,} rows, {events:,} events, {shown}, {spent:.1f} s",
            flush=True,
        )
    for _, digests_text in sorted(found):
        print(f"chunking: {digests_text}")
    verdict = "identical" if len(found) == 1 else f"DIFFERENT: {len(found)} results"
    print(f"chunking: {verdict}")
    return 0 if len(found) == 1 and not failures else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except AirvigilError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
