"""The files of a run: written while it goes, finished at its end.

`events.jsonl`, `tracks.parquet` and `margins.parquet` grow with the run; the maps and the page are made at
the end from what they hold. Each file has a temporary name until it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airvigil.airspace.coastline import coastline
from airvigil.airspace.volumes import Volume
from airvigil.errors import ConfigError
from airvigil.exports.czml import incidents_czml
from airvigil.exports.events_jsonl import canonical_line
from airvigil.exports.geojson import incidents_geojson
from airvigil.exports.kml import incidents_kml
from airvigil.exports.report import map_bounds, report_html
from airvigil.state import MARGIN_SCHEMA, POINT_SCHEMA

Event = dict[str, Any]
MAP_MARGIN_DEG = 3.0  # coast drawn around what happened
MOST_BACKGROUND_POINTS = 300_000  # traffic without an incident is drawn only below this many points


class Sink(Protocol):
    """Takes what a run tells."""

    def events(self, events: list[Event]) -> None:
        """Events in order."""
        ...

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Track points and margins of a step."""
        ...


class NoFiles:
    """A sink for runs that only print."""

    def events(self, events: list[Event]) -> None:
        """Nothing to keep."""

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Nothing to keep."""


class RunFiles:
    """A sink that writes a folder.

    Example:
        files = RunFiles(Path("out"))
        ... run(..., sink=files) ...
        files.finish(events, volumes)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lines: TextIO = self._part("events.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"cannot write to {folder}: {error.strerror}", hint="give another folder with --out"
            ) from error
        self._points = pq.ParquetWriter(self._part("tracks.parquet"), POINT_SCHEMA, compression="zstd")
        self._margins = pq.ParquetWriter(self._part("margins.parquet"), MARGIN_SCHEMA, compression="zstd")

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.part"

    def events(self, events: list[Event]) -> None:
        """Append canonical lines."""
        for event in events:
            self._lines.write(canonical_line(event) + "\n")

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Append row groups; nothing for empty tables."""
        if points.num_rows:
            self._points.write_table(points)
        if margins.num_rows:
            self._margins.write_table(margins)

    def finish(self, events: Sequence[Event], volumes: Sequence[Volume]) -> list[Path]:
        """Complete the growing files and make the others; returns all, the page first."""
        self._lines.close()
        self._points.close()
        self._margins.close()
        for name in ("events.jsonl", "tracks.parquet", "margins.parquet"):
            os.replace(self._part(name), self.folder / name)
        points, margins = self._tables_of_interest(events)
        bounds = map_bounds(events, points)
        shore = [] if bounds is None else coastline(*_widened(bounds))
        made = {
            "report.html": report_html(events, points, margins, volumes=volumes, coastline=shore).encode(),
            "incidents.geojson": incidents_geojson(events, points, margins),
            "incidents.kml": incidents_kml(events, points, margins),
            "incidents.czml": incidents_czml(events, points, margins),
        }
        for name, content in made.items():
            self._part(name).write_bytes(content)
            os.replace(self._part(name), self.folder / name)
        return [self.folder / name for name in (*made, "events.jsonl", "tracks.parquet", "margins.parquet")]

    def _tables_of_interest(self, events: Sequence[Event]) -> tuple[pa.Table, pa.Table]:
        """All points if they are few; else those of tracks in incidents and interference."""
        troubled = {event["icao24"] for event in events if event["event"] == "interference_opened"}
        members = {
            m["track_id"]
            for event in events
            if event["event"].startswith("incident_")
            for m in event["members"]
        }
        count = pq.read_metadata(self.folder / "tracks.parquet").num_rows
        few = count <= MOST_BACKGROUND_POINTS
        wanted = None if few else _one_of("track_id", members) | _one_of("icao24", troubled - {None})
        points = pq.read_table(self.folder / "tracks.parquet", filters=wanted)
        margins = pq.read_table(self.folder / "margins.parquet", filters=_one_of("track_id", members))
        return points, margins


def _one_of(column: str, values: set[str]) -> pc.Expression:
    return pc.field(column).isin(pa.array(sorted(values), pa.string()))


def _widened(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    south, west, north, east = bounds
    m = MAP_MARGIN_DEG
    return max(-90.0, south - m), max(-180.0, west - 2 * m), min(90.0, north + m), min(180.0, east + 2 * m)
