"""What each command does: choose airspace and settings, run, print. The parsing is in `cli`; `airspace ...` is in `airspace`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from airvigil.airspace.margins import Airspace
from airvigil.commands.airspace import (
    airspace_check,
    airspace_diff,
    airspace_export,
    airspace_import,
    airspace_list,
    airspace_show,
)
from airvigil.commands.settings_file import read_settings
from airvigil.drivers.airspace_choice import choose_airspace
from airvigil.drivers.airspace_files import LoadedFile
from airvigil.drivers.announcing import Announcing
from airvigil.drivers.inputs import Input, InputOptions, check_start, open_input, read_merged
from airvigil.drivers.live import read_live
from airvigil.drivers.observation_files import read_observations
from airvigil.drivers.progress import shown_progress
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.run_files import NoFiles, RunFiles, Sink
from airvigil.drivers.start_time import parse_start, parse_utc_offset
from airvigil.drivers.terrain_tiles import TerrainTiles
from airvigil.errors import ConfigError
from airvigil.exports.airspace_lines import loading_lines
from airvigil.exports.incident_lines import incident_lines
from airvigil.exports.terminal import print_run
from airvigil.reports import concat_reports
from airvigil.scenarios import catalogue
from airvigil.scenarios.background import with_background
from airvigil.scenarios.demo import run_demo
from airvigil.scenarios.generator import generate
from airvigil.settings import Settings, default_text

__all__ = [
    "airspace_check",
    "airspace_diff",
    "airspace_export",
    "airspace_import",
    "airspace_list",
    "airspace_show",
    "demo",
    "replay",
    "scenario_list",
    "scenario_run",
    "settings",
]


def stderr_console() -> Console:
    """Where people read; stdout belongs to results."""
    return Console(stderr=True)


def _input_options(options: argparse.Namespace) -> InputOptions:
    return InputOptions(
        format=options.format,
        sensor=options.sensor,
        sensor_kind=options.sensor_kind,
        start_ns=None if options.start is None else parse_start(options.start),
        name_utc_offset_s=None
        if options.name_utc_offset is None
        else parse_utc_offset(options.name_utc_offset),
        receiver=options.receiver,
    )


def replay(options: argparse.Namespace) -> int:
    """`airvigil replay INPUT...`"""
    settings = read_settings(options.settings)
    airspace = _chosen_airspace(options, options.airspace or "", settings)
    input_options = _input_options(options)
    inputs = [open_input(spec, input_options) for spec in options.inputs]
    live = [each for each in inputs if each.is_live]
    if live and len(live) < len(inputs):
        raise ConfigError(
            "live sources and recordings cannot be read together", hint="replay them one after the other"
        )
    check_start(inputs, input_options)
    tables = read_live(inputs) if live else read_merged(inputs)
    receivers = {} if options.receiver is None else {each.sensor: options.receiver for each in inputs}
    return _run_and_print(options, tables, airspace, settings, inputs=inputs, receivers=receivers)


def _chosen_airspace(options: argparse.Namespace, choice: str, settings: Settings) -> Airspace:
    """The volumes to judge by; what of their files was not read is said before anything is judged."""

    def told(file: LoadedFile) -> None:
        if file.loaded.rejected:
            for line in loading_lines(file.name, file.loaded, most=5):
                stderr_console().print(line, style="yellow", markup=False)

    at_ns = None if options.airspace_at is None else parse_start(options.airspace_at)
    return choose_airspace(choice, settings, at_ns=at_ns, told=told)


def _run_and_print(
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
    is_live = any(each.is_live for each in inputs)
    observed = read_observations(options.permissions, options.qnh)
    written: list[Path] = []
    with ExitStack() as stack:
        progress = stack.enter_context(shown_progress(inputs, quiet=options.quiet))
        files = None if options.out is None else stack.enter_context(RunFiles(options.out))

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
    if written:
        stderr_console().print(f"Report: {written[0]}", markup=False)
    for reason in observed.rejected:
        stderr_console().print(f"permission not used: {reason}", style="yellow", markup=False, soft_wrap=True)
    return _status(result, inputs) or int(bool(observed.rejected))


def _announced(sink: Sink, options: argparse.Namespace) -> Announcing:
    """The sink of a live run: incidents are told as they open and close, not first at its end."""
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


def scenario_list(options: argparse.Namespace) -> int:
    """`airvigil scenario list`"""
    table = Table("Name", "What", "Kind", "Airspace", box=None, header_style="bold")
    for scenario in catalogue.list_scenarios():
        table.add_row(scenario.name, scenario.title, scenario.label, ",".join(scenario.airspace))
    Console().print(table)
    return 0


def scenario_run(options: argparse.Namespace) -> int:
    """`airvigil scenario run NAME`"""
    settings = read_settings(options.settings)
    scenario = catalogue.get(options.name)
    airspace = _chosen_airspace(options, options.airspace or ",".join(scenario.airspace), settings)
    table = generate(scenario)
    inputs = [open_input(spec, InputOptions()) for spec in options.background]
    for each in inputs:
        table = with_background(table, concat_reports(list(each)))
    title = f"{scenario.title} ({scenario.label})"
    return _run_and_print(
        options, iter([table]), airspace, settings, inputs=inputs, title=title, is_reconstruction=True
    )


def settings(options: argparse.Namespace) -> int:
    """`airvigil settings`"""
    sys.stdout.write(default_text())
    return 0


def demo(options: argparse.Namespace) -> int:
    """`airvigil demo`"""
    run_demo(options.samples, options.out, Console())
    return 0
