"""Replay: inputs through the engine into files. Moves data; decides nothing.

Rules
- The watermark is the newest confirmed reception minus the allowed lateness, also for live inputs; there an
  empty table says that the wall clock has gone on.
- An interrupt ends the run early, not badly: what was received is judged and written, and the run says so.
  It waits for the step that it comes in, so no table is left half judged and no file half written; one that comes
  in the ending (last step, files) finds the run complete and changes nothing.
- A failed input is told and counted; the others go on.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from airvigil import __version__
from airvigil.airspace.heights.terrain import Terrain
from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import describe_limits, packaged_boundaries
from airvigil.airspace.volumes import Volume
from airvigil.drivers.inputs import Input
from airvigil.drivers.last_words import LastWords
from airvigil.drivers.live import tick_ns
from airvigil.drivers.observation_files import NO_OBSERVATIONS, ObservationFiles
from airvigil.drivers.pacing import paced, rebatched
from airvigil.drivers.sink import Sink
from airvigil.drivers.terrain_tiles import TerrainTiles
from airvigil.engine import step
from airvigil.reports import empty_reports
from airvigil.settings import Settings
from airvigil.state import State
from airvigil.tracking.accounting import accounting_rows
from airvigil.tracking.intake import watermark_after
from airvigil.units import NS_PER_S

Event = dict[str, Any]
END_NS = 2**62  # after every report


@dataclass
class RunResult:
    """What a run found.

    Attributes:
        last_words: the latest event of everything found; every event is in `events.jsonl`.
        state: the engine's last state.
        reports: rows received.
        seconds: wall time.
        engine_seconds: of that, inside the engine.
        is_interrupted: the user ended it.
    """

    last_words: LastWords = field(default_factory=LastWords)
    state: State = field(default_factory=State)
    reports: int = 0
    seconds: float = 0.0
    engine_seconds: float = 0.0
    is_interrupted: bool = False

    @property
    def events(self) -> list[Event]:
        """The kept events in the order of the run, as the exports take them."""
        return self.last_words.events()


Progress = Callable[[int, int], None]  # (rows so far, ns of the newest reception)
Ending = Callable[[RunResult], None]


def boundary_date(volume: Volume) -> str | None:
    """Date of the data that a packaged volume was made from; None where its source does not state it."""
    file = packaged_boundaries()
    return file.header.get("source_date") if file.digest in volume.version else None


def describe_volume(volume: Volume) -> dict[str, Any]:
    """What a run says about a volume that it looked at; no limit is null."""
    names = (
        "volume_id",
        "name",
        "kind",
        "source",
        "version",
        "digest",
        "boundary_uncertainty_m",
    )
    return {
        **{name: getattr(volume, name) for name in names},
        "date": boundary_date(volume),
        "states": list(volume.states),
        **describe_limits(volume),
    }


def started_event(
    airspace: Airspace,
    settings: Settings,
    observed: ObservationFiles = NO_OBSERVATIONS,
    *,
    title: str | None,
    is_reconstruction: bool,
) -> Event:
    """The first event of a run: what it was made with."""
    return {
        "event": "run_started",
        "seq": 0,
        "tool": "airvigil",
        "version": __version__,
        "title": title,
        "airspace": {"digest": airspace.digest, "volumes": [describe_volume(v) for v in airspace.volumes]},
        "settings_digest": settings.digest,
        "permissions": observed.permissions,
        "qnh": observed.qnh,
        "reconstruction": is_reconstruction,
    }


def finished_events(
    state: State, inputs: Sequence[Input], tiles: TerrainTiles | None, *, is_interrupted: bool
) -> list[Event]:
    """The last events of a run: what went in and what became of it."""
    described = [
        {
            "name": each.name,
            "sensor": each.sensor,
            "format": each.format,
            "sha256": each.sha256,
            "rows": each.rows,
            "failures": each.failure_count,
        }
        for each in inputs
    ]
    failures = [
        {"input": f.name, "message": str(f), "hint": f.hint} for each in inputs for f in each.failures
    ]
    accounting = {"event": "accounting", "sensors": accounting_rows(state.intake.accounts)}
    finished = {
        "event": "run_finished",
        "inputs": described,
        "failures": failures,
        "interrupted": is_interrupted,
        "terrain_tiles": {} if tiles is None else dict(sorted(tiles.digests.items())),
    }
    ends: list[Event] = [accounting, finished]
    return [{**event, "seq": state.sequence + k} for k, event in enumerate(ends, start=1)]


@contextmanager
def unbroken() -> Iterator[None]:
    """Holds an interrupt (Ctrl-C) back until the end of the block."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # no interrupt reaches other threads, or interrupts are ignored
        return
    held: list[Any] = []
    signal.signal(signal.SIGINT, lambda *come: held.append(come))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        before(*held[0])


def run(
    tables: Iterable[pa.Table],
    airspace: Airspace,
    settings: Settings,
    *,
    sink: Sink,
    inputs: Sequence[Input] = (),
    receivers: dict[str, tuple[float, float, float]] | None = None,
    observed: ObservationFiles = NO_OBSERVATIONS,
    tiles: TerrainTiles | None = None,
    batch: int | None = None,
    speed: float | None = None,
    title: str | None = None,
    is_reconstruction: bool = False,
    progress: Progress | None = None,
    ending: Ending | None = None,
) -> RunResult:
    """Feed tables to the engine until they end or the user interrupts.

    Args:
        tables: report tables in order of arrival.
        airspace, settings: as `engine.step`.
        sink: takes events and tables as they come.
        inputs: what the tables are read from, to be named in the last event.
        receivers: antenna places by sensor.
        observed: permissions and QNH, read before the first report; each counts from when it says that it was received.
        tiles: heights of the ground, where the user has them.
        batch: rows a step; None: as they come.
        speed: times real time; None: as fast as it goes.
        title, is_reconstruction: of the run.
        progress: called after each step.
        ending: called when all is told, before an interrupt is let through: completes the files.
    """
    result = RunResult(state=State(receivers=dict(receivers or {})))
    begin = time.monotonic()
    started = started_event(airspace, settings, observed, title=title, is_reconstruction=is_reconstruction)
    ground = None if tiles is None else tiles.terrain()
    is_live = any(each.is_live for each in inputs)
    _tell(result, sink, [started])
    advance = partial(_step, result, sink, airspace=airspace, settings=settings, terrain=ground)
    if observed.observations is not None:
        advance(empty_reports(), result.state.watermark, observations=observed.observations)
    try:
        for table in rebatched(paced(tables, speed), batch):
            with unbroken():
                advance(table, _watermark(result.state, table, settings, is_live=is_live))
                result.reports += table.num_rows
            if progress is not None:
                progress(result.reports, result.state.intake.newest)
    except KeyboardInterrupt:
        result.is_interrupted = True
    try:
        with unbroken():
            advance(empty_reports(), END_NS)
            ends = finished_events(result.state, inputs, tiles, is_interrupted=result.is_interrupted)
            started["inputs"] = ends[-1]["inputs"]  # for the report; `events.jsonl` has them in the last line
            _tell(result, sink, ends)
            result.seconds = time.monotonic() - begin
            if ending is not None:
                ending(result)
    except KeyboardInterrupt:
        pass  # it came when there was nothing left to interrupt
    return result


def _watermark(state: State, table: pa.Table, settings: Settings, *, is_live: bool) -> int:
    if is_live and not table.num_rows:  # nothing comes, and time passes all the same
        return tick_ns(table) - round(settings.time.allowed_lateness_s * NS_PER_S)
    return watermark_after(state.intake, table, settings.time)


def _step(
    result: RunResult,
    sink: Sink,
    table: pa.Table,
    watermark: int,
    *,
    airspace: Airspace,
    settings: Settings,
    terrain: Terrain | None,
    observations: pa.Table | None = None,
) -> None:
    begin = time.monotonic()
    result.state, output = step(
        result.state, table, observations, watermark, airspace, settings, terrain=terrain
    )
    result.engine_seconds += time.monotonic() - begin
    # nanoseconds do not fit into the numbers of JSON readers; the time stands beside them as text
    _tell(result, sink, [{k: v for k, v in event.items() if k != "time_ns"} for event in output.events])
    sink.tables(output.points, output.margins)


def _tell(result: RunResult, sink: Sink, events: list[Event]) -> None:
    result.last_words.take(events)
    sink.events(events)
