"""What each command does: choose airspace and settings, run, print. The parsing is in `cli`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from airvigil.airspace.boundaries import describe, list_rows
from airvigil.airspace.check import check_file
from airvigil.airspace.margins import Airspace
from airvigil.drivers.airspace_choice import choose_airspace, read_airspace_file
from airvigil.drivers.inputs import Input, InputOptions, open_input, read_merged
from airvigil.drivers.live import read_live
from airvigil.drivers.progress import shown_progress
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.run_files import NoFiles, RunFiles
from airvigil.drivers.start_time import parse_start, parse_utc_offset
from airvigil.errors import ConfigError
from airvigil.exports.incident_lines import incident_lines
from airvigil.exports.terminal import print_run
from airvigil.reports import concat_reports
from airvigil.scenarios import catalogue
from airvigil.scenarios.background import with_background
from airvigil.scenarios.demo import run_demo
from airvigil.scenarios.generator import generate
from airvigil.settings import Settings, default_text, load_settings


def stderr_console() -> Console:
    """Where people read; stdout belongs to results."""
    return Console(stderr=True)


def read_settings(path: str | None) -> Settings:
    """Default settings, or a user's file over them."""
    if path is None:
        return load_settings()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return load_settings(text, name=path)


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
    airspace = choose_airspace(options.airspace or "", settings)
    inputs = [open_input(spec, _input_options(options)) for spec in options.inputs]
    live = [each for each in inputs if each.is_live]
    if live and len(live) < len(inputs):
        raise ConfigError(
            "live sources and recordings cannot be read together", hint="replay them one after the other"
        )
    tables = read_live(inputs) if live else read_merged(inputs)
    receivers = {} if options.receiver is None else {each.sensor: options.receiver for each in inputs}
    return _run_and_print(options, tables, airspace, settings, inputs=inputs, receivers=receivers)


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
    files = None if options.out is None else RunFiles(options.out)
    with shown_progress(inputs, quiet=options.quiet) as progress:
        result = run(
            tables,
            airspace,
            settings,
            sink=files or NoFiles(),
            inputs=inputs,
            receivers=receivers,
            batch=options.batch,
            speed=options.speed,
            title=title,
            is_reconstruction=is_reconstruction,
            progress=progress,
        )
    written = [] if files is None else files.finish(result.events, airspace.volumes)
    if options.json:
        for line in incident_lines(result.events):
            sys.stdout.write(line + "\n")
    if result.reports or not any(each.failures for each in inputs):
        print_run(result.events, stderr_console() if options.json else Console(), seconds=result.seconds)
    console = stderr_console()
    for each in inputs:
        for note in each.notes:
            console.print(f"note: {note}", style="yellow", markup=False)
        for failure in each.failures:
            console.print(f"error: {failure}", style="red", markup=False)
            if failure.hint:
                console.print(f"hint: {failure.hint}", markup=False)
    if written:
        console.print(f"Report: {written[0]}", markup=False)
    return _status(result, inputs)


def _status(result: RunResult, inputs: Sequence[Input]) -> int:
    failed = [each for each in inputs if each.failures]
    if inputs and len(failed) == len(inputs) and not result.reports:
        return 2
    return 1 if failed or result.is_interrupted else 0


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
    airspace = choose_airspace(options.airspace or ",".join(scenario.airspace), settings)
    table = generate(scenario)
    inputs = [open_input(spec, InputOptions()) for spec in options.background]
    for each in inputs:
        table = with_background(table, concat_reports(list(each)))
    title = f"{scenario.title} ({scenario.label})"
    return _run_and_print(
        options, iter([table]), airspace, settings, inputs=inputs, title=title, is_reconstruction=True
    )


def airspace_list(options: argparse.Namespace) -> int:
    """`airvigil airspace list`"""
    table = Table("Id", "Name", "Kind", "With", "Vertices", "Boundary 1 sigma", box=None, header_style="bold")
    for row in list_rows():
        table.add_row(
            row.volume_id,
            row.name,
            row.kind,
            " ".join(row.dependencies),
            f"{row.vertices:,}",
            f"{row.boundary_uncertainty_m:.0f} m",
        )
    Console().print(table)
    return 0


def airspace_show(options: argparse.Namespace) -> int:
    """`airvigil airspace show LIST`"""
    for volume in choose_airspace(options.airspace, read_settings(options.settings)).volumes:
        sys.stdout.write(json.dumps(describe(volume), ensure_ascii=False) + "\n")
    return 0


def airspace_check(options: argparse.Namespace) -> int:
    """`airvigil airspace check FILE`; status 1 if something is wrong."""
    findings = check_file(read_airspace_file(options.file), str(options.file))
    for f in findings:
        at = "" if f.latitude_deg is None else f" at {f.latitude_deg:.5f} N {f.longitude_deg:.5f} E"
        print(f"{f.severity}: {f.rule}: {f.place}: {f.message}{at}")
    print(f"{options.file}: {len(findings)} findings", file=sys.stderr)
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def settings(options: argparse.Namespace) -> int:
    """`airvigil settings`"""
    sys.stdout.write(default_text())
    return 0


def demo(options: argparse.Namespace) -> int:
    """`airvigil demo`"""
    run_demo(options.samples, options.out, Console())
    return 0
