"""What `replay` and `scenario run` have in common: airspace from the options, the run, and what is said of its result."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from rich.console import Console

from airvigil.airspace.margins import Airspace
from airvigil.drivers.airspace_choice import choose_airspace
from airvigil.drivers.index_cache import save_index
from airvigil.drivers.inputs import Input
from airvigil.drivers.observation_files import ObservationFiles, read_observations
from airvigil.drivers.progress import shown_progress
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.sink import NoFiles, Sink
from airvigil.drivers.start_time import parse_start
from airvigil.drivers.terrain_tiles import TerrainTiles
from airvigil.exports.incident_lines import incident_lines
from airvigil.exports.terminal import print_run
from airvigil.settings import Settings

if TYPE_CHECKING:
    from airvigil.drivers.airspace_files import LoadedFile
    from airvigil.drivers.announcing import Announcing
    from airvigil.drivers.run_files import RunFiles


def stderr_console() -> Console:
    """Where people read; stdout belongs to results."""
    return Console(stderr=True)


def chosen_airspace(options: argparse.Namespace, choice: str, settings: Settings) -> Airspace:
    """The volumes to judge by; what of their files was not read is said before anything is judged."""

    def told(file: LoadedFile) -> None:
        if file.loaded.rejected:
            from airvigil.exports.airspace_lines import loading_lines

            for line in loading_lines(file.name, file.loaded, most=5):
                stderr_console().print(line, style="yellow", markup=False)

    at_ns = None if options.airspace_at is None else parse_start(options.airspace_at)
    return choose_airspace(choice, settings, at_ns=at_ns, told=told)


def run_and_print(
    options: argparse.Namespace,
    tables: Iterator[pa.Table],
    airspace: Airspace,
    settings: Settings,
    *,
    inputs: Sequence[Input] = (),
    receivers: dict[str, tuple[float, float, float]] | None = None,
    title: str | None = None,
    is_reconstruction: bool = False,
) -> int:
    """Run tables through the engine, print what was found; returns the exit status.

    Args:
        options: of the command line.
        tables, airspace, settings, inputs, receivers, title, is_reconstruction: as `drivers.replay.run`.
    """
    is_live = any(each.is_live for each in inputs)
    observed = read_observations(options.permissions, options.qnh)
    written: list[Path] = []
    with ExitStack() as stack:
        progress = stack.enter_context(shown_progress(inputs, quiet=options.quiet))
        files = None if options.out is None else stack.enter_context(_run_files(options.out))

        def ending(result: RunResult) -> None:
            if files is None:
                return
            if _is_nothing_but_errors(result, inputs):
                files.discard()
            else:
                written.extend(files.finish(result.events, airspace.volumes))

        result = run(
            tables,
            airspace,
            settings,
            sink=_announced(files or NoFiles(), options) if is_live else files or NoFiles(),
            inputs=inputs,
            receivers=receivers,
            observed=observed,
            tiles=None if options.terrain is None else TerrainTiles(options.terrain),
            batch=options.batch,
            speed=options.speed,
            title=title,
            is_reconstruction=is_reconstruction,
            progress=progress,
            ending=ending,
        )
    if options.json and not is_live:
        for line in incident_lines(result.events):
            _say_result(line)
    _print_outcome(options, result, inputs)
    _say_files(written, observed)
    save_index(airspace)
    return _status(result, inputs) or int(bool(observed.rejected))


def _run_files(folder: Path) -> RunFiles:
    from airvigil.drivers.run_files import RunFiles  # heavy: the page, its charts and the maps

    return RunFiles(folder)


def _say_files(written: Sequence[Path], observed: ObservationFiles) -> None:
    """Where the report is, and which permissions were not used."""
    if written:
        stderr_console().print(f"Report: {written[0]}", markup=False)
    for reason in observed.rejected:
        stderr_console().print(f"permission not used: {reason}", style="yellow", markup=False, soft_wrap=True)


def _announced(sink: Sink, options: argparse.Namespace) -> Announcing:
    """The sink of a live run: incidents are told as they open and close, not first at its end."""
    from airvigil.drivers.announcing import Announcing

    if options.json:
        return Announcing(sink, _say_aside, _say_result)
    return Announcing(sink, _say_result)


def _say_result(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _say_aside(line: str) -> None:
    sys.stderr.write(line + "\n")


def _print_outcome(options: argparse.Namespace, result: RunResult, inputs: Sequence[Input]) -> None:
    """What was found, where something was judged; then what could not be read."""
    errors = stderr_console()
    failed = sum(each.failure_count > 0 for each in inputs)
    if result.reports or not inputs:
        if failed:
            errors.print(
                f"{failed} of {len(inputs)} inputs not read to the end; the result is of what was read.",
                style="yellow",
            )
        print_run(result.events, errors if options.json else Console(), seconds=result.seconds)
    elif not failed:
        errors.print("No report was received; nothing was judged.", style="yellow")
    for each in inputs:
        for note in each.notes:
            errors.print(f"note: {note}", style="yellow", markup=False)
        for failure in each.failures:
            errors.print(f"error: {failure}", style="red", markup=False)
            if failure.hint:
                errors.print(f"hint: {failure.hint}", markup=False)
        unsaid = each.failure_count - len(each.failures)
        if unsaid:
            errors.print(f"error: {each.name}: {unsaid:,} further failures", style="red", markup=False)


def _is_nothing_but_errors(result: RunResult, inputs: Sequence[Input]) -> bool:
    return not result.reports and bool(inputs) and all(each.failure_count for each in inputs)


def _status(result: RunResult, inputs: Sequence[Input]) -> int:
    if _is_nothing_but_errors(result, inputs):
        return 2
    positions = sum(account.positions for account in result.state.intake.accounts.values())
    return 1 if not positions or result.is_interrupted or any(each.failure_count for each in inputs) else 0
