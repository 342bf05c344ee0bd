"""The files of a run: written while it goes, finished at its end.

`events.jsonl`, `tracks.parquet` and `margins.parquet` grow with the run; the maps and the page are made at
the end from what they hold. Each file has a temporary name until it is complete.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airvigil.airspace.sources.coastline import coastline
from airvigil.airspace.volumes import Volume
from airvigil.drivers.growing_table import GrowingTable
from airvigil.errors import ConfigError
from airvigil.exports.czml import incidents_czml
from airvigil.exports.events_jsonl import canonical_line
from airvigil.exports.geojson import incidents_geojson
from airvigil.exports.kml import incidents_kml
from airvigil.exports.lookahead_geojson import lookahead_geojson
from airvigil.exports.report import map_bounds, report_html
from airvigil.state import MARGIN_SCHEMA, POINT_SCHEMA

Event = dict[str, Any]
GROWING = ("events.jsonl", "tracks.parquet", "margins.parquet")
MADE = ("report.html", "incidents.geojson", "incidents.kml", "incidents.czml", "lookahead.geojson")
MAP_MARGIN_DEG = 3.0  # coast drawn around what happened
MOST_BACKGROUND_POINTS = 300_000  # traffic without an incident is drawn only below this many points


class RunFiles:
    """A sink that writes a folder.

    Example:
        with RunFiles(Path("out")) as files:
            run(..., sink=files, ending=lambda result: files.finish(result.events, volumes))

    When the block ends by an exception, what has been written of the growing files is kept under their names where it
    can be read, and no temporary file is left.

    Raises (all methods):
        ConfigError: the disk or the folder does not take what is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[Path] = []
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            for name in (*MADE, *GROWING):
                if (folder / name).is_dir():
                    raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there")
            self._lines: TextIO = self._part("events.jsonl").open(
                "w", encoding="utf-8", errors="backslashreplace", newline="\n"
            )
            self._points = GrowingTable(self._part("tracks.parquet"), POINT_SCHEMA)
            self._margins = GrowingTable(self._part("margins.parquet"), MARGIN_SCHEMA)

    def __enter__(self) -> RunFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is not None:
            self.rescue()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the disk and Arrow say into an error that names the folder."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise ConfigError(
                f"cannot write to {self.folder}: {reason}",
                hint="make room, or give another folder with --out",
            ) from error

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.part"

    def events(self, events: list[Event]) -> None:
        """Append canonical lines; they are on their way to the disk when this returns."""
        with self._told():
            for event in events:
                self._lines.write(canonical_line(event) + "\n")
            if events:
                self._lines.flush()

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Append rows."""
        with self._told():
            self._points.write(points)
            self._margins.write(margins)

    def finish(self, events: Sequence[Event], volumes: Sequence[Volume]) -> list[Path]:
        """Complete the growing files and make the others; returns all, the page first."""
        with self._told():
            for growing in (self._lines, self._points, self._margins):
                growing.close()
            self._keep(GROWING)
            points, margins = self._tables_of_interest(events)
            bounds = map_bounds(events, points)
            shore = [] if bounds is None else coastline(*_widened(bounds))
            made = {
                "report.html": report_html(
                    events, points, margins, volumes=volumes, coastline=shore
                ).encode(),
                "incidents.geojson": incidents_geojson(events, points, margins),
                "incidents.kml": incidents_kml(events, points, margins),
                "incidents.czml": incidents_czml(events, points, margins),
                "lookahead.geojson": lookahead_geojson(events),
            }
            for name, content in made.items():
                self._part(name).write_bytes(content)
                os.replace(self._part(name), self.folder / name)
        self.written = [self.folder / name for name in (*made, *GROWING)]
        return self.written

    def _keep(self, names: Sequence[str]) -> None:
        """Give growing files their names; what was made of an earlier run's goes, for it tells of other events."""
        for name in MADE:
            (self.folder / name).unlink(missing_ok=True)
        for name in names:
            os.replace(self._part(name), self.folder / name)

    def rescue(self) -> list[Path]:
        """Keep what can be read of a run that broke off, remove the rest; returns what was kept. Raises nothing.

        Tables may end before the events do: their last rows are written in groups.
        """
        whole = []
        with suppress(OSError):
            self._lines.close()  # closed also where it could not write all that it held
        with suppress(OSError):
            _cut_to_whole_lines(self._part("events.jsonl"))
            whole.append("events.jsonl")
        for name, growing in (("tracks.parquet", self._points), ("margins.parquet", self._margins)):
            with suppress(OSError, pa.ArrowException):
                growing.close()
            with suppress(OSError, pa.ArrowException):
                pq.read_metadata(
                    self._part(name)
                )  # it has its end; rows that did not reach the disk are missing
                whole.append(name)
        with suppress(OSError):
            if whole:
                self._keep(whole)
        self._remove_parts()
        return [self.folder / name for name in whole]

    def discard(self) -> None:
        """Leave nothing of a run in which there was nothing to judge; the files of an earlier one stay."""
        for growing in (self._lines, self._points, self._margins):
            with suppress(OSError, pa.ArrowException):
                growing.close()
        self._remove_parts()

    def _remove_parts(self) -> None:
        for name in (*MADE, *GROWING):
            with suppress(OSError):
                self._part(name).unlink(missing_ok=True)

    def _tables_of_interest(self, events: Sequence[Event]) -> tuple[pa.Table, pa.Table]:
        """All points if they are few; else those of tracks in incidents and interference."""
        troubled = {event["icao24"] for event in events if event.get("interference_id") is not None}
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


def _cut_to_whole_lines(path: Path) -> None:
    """Drop the last line if its end is missing."""
    with path.open("rb+") as file:
        at = file.seek(0, os.SEEK_END)
        while at > 0:
            file.seek(at - 1)
            if file.read(1) == b"\n":
                break
            at -= 1
        file.truncate(at)


def _one_of(column: str, values: set[str]) -> pc.Expression:
    return pc.field(column).isin(pa.array(sorted(values), pa.string()))


def _widened(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    south, west, north, east = bounds
    m = MAP_MARGIN_DEG
    return max(-90.0, south - m), max(-180.0, west - 2 * m), min(90.0, north + m), min(180.0, east + 2 * m)
