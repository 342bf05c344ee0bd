"""`airvigil airspace ...`: read volumes from anywhere, say what was read, write them, compare them.

Exit status 0: done, or nothing to find. 1: something was rejected, wrong or different. 2: nothing could be read.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airvigil.airspace.checks.check import Finding, check_file
from airvigil.airspace.checks.check_neighbours import check_neighbours
from airvigil.airspace.checks.check_volumes import check_volume
from airvigil.airspace.sources.boundaries import BOUNDARY_FILE, list_rows, packaged_boundaries
from airvigil.airspace.sources.diff import diff_volumes
from airvigil.airspace.sources.load import detect, load_file
from airvigil.airspace.sources.loaded import with_unique_ids
from airvigil.airspace.sources.normalised import normalised_bytes
from airvigil.airspace.volumes import Volume
from airvigil.commands.settings_file import read_settings
from airvigil.drivers.airspace_choice import choose_volumes
from airvigil.drivers.airspace_files import LoadedFile, load_airspace_files, read_airspace_file
from airvigil.drivers.start_time import parse_start
from airvigil.errors import AirspaceError, ConfigError
from airvigil.exports.airspace_files import volumes_csv, volumes_kml, volumes_openair
from airvigil.exports.airspace_lines import (
    diff_json,
    diff_lines,
    loading_json,
    loading_lines,
    volume_json,
    volume_row,
)


def _at_ns(options: argparse.Namespace) -> int:
    return time.time_ns() if options.at is None else parse_start(options.at)


def _say(file: LoadedFile, *, as_json: bool = False, most: int | None = None) -> None:
    lines = (
        [loading_json(file.name, file.loaded)]
        if as_json
        else loading_lines(file.name, file.loaded, most=most)
    )
    for line in lines:
        sys.stderr.write(line + "\n")


def _chosen(options: argparse.Namespace, choice: str) -> tuple[list[Volume], list[LoadedFile]]:
    """Volumes of a list, and the files among it; what was rejected is said."""
    files: list[LoadedFile] = []

    def told(file: LoadedFile) -> None:
        files.append(file)
        if file.loaded.rejected:
            _say(file, most=5)

    volumes = choose_volumes(
        choice,
        read_settings(options.settings),
        at_ns=_at_ns(options),
        kind=options.kind,
        edge_kind=options.edge_kind,
        told=told,
    )
    return volumes, files


def _status(files: Sequence[LoadedFile]) -> int:
    return 1 if any(file.loaded.rejected for file in files) else 0


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from error


def airspace_import(options: argparse.Namespace) -> int:
    """`airvigil airspace import FILE...`: our own GeoJSON on stdout or in --out, a report on stderr."""
    files = load_airspace_files(
        options.files, at_ns=_at_ns(options), kind=options.kind, edge_kind=options.edge_kind
    )
    volumes, _ = with_unique_ids(volume for file in files for volume in file.loaded.volumes)
    sources = [{"name": f.name, "sha256": f.sha256, "format": f.loaded.format} for f in files]
    _write(normalised_bytes(volumes, sources), options.out)
    for file in files:
        _say(file, as_json=options.json)
    return _status(files)


def airspace_list(options: argparse.Namespace) -> int:
    """`airvigil airspace list [LIST]`"""
    if options.airspace is None:
        _list_package()
        return 0
    volumes, files = _chosen(options, options.airspace)
    if options.json:
        for volume in volumes:
            sys.stdout.write(volume_json(volume) + "\n")
        return _status(files)
    table = Table(
        "Id",
        "Kind",
        "Class",
        "Lower",
        "Upper",
        "Activation",
        "Vertices",
        "Place",
        box=None,
        header_style="bold",
    )
    for volume in volumes:
        table.add_row(*map(Text, volume_row(volume)))
    Console().print(table)
    return _status(files)


def _list_package() -> None:
    file = packaged_boundaries()
    console = Console()
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(no_wrap=True, style="dim")
    head.add_column(overflow="fold")
    for what, value in (
        ("Boundary file", BOUNDARY_FILE),
        ("Version", str(file.header["version"])),
        ("Source", f"{file.header['source']}, {file.header['attribution']}"),
        ("Date", str(file.header.get("source_date") or "not stated by the source")),
        ("SHA-256", file.digest),
        ("Tolerance", f"{file.header['boundary_uncertainty_m']:.0f} m (1 sigma per axis)"),
    ):
        head.add_row(Text(what), Text(value))
    console.print(head)
    console.print()
    table = Table("Id", "Name", "Kind", "With", "Vertices", box=None, header_style="bold")
    for row in list_rows():
        table.add_row(row.volume_id, row.name, row.kind, " ".join(row.dependencies), f"{row.vertices:,}")
    console.print(table)


def airspace_show(options: argparse.Namespace) -> int:
    """`airvigil airspace show LIST`"""
    volumes, files = _chosen(options, options.airspace)
    for volume in volumes:
        sys.stdout.write(volume_json(volume, with_original=True) + "\n")
    return _status(files)


def airspace_check(options: argparse.Namespace) -> int:
    """`airvigil airspace check FILE...`; status 1 if something is wrong."""
    findings = list(_findings(options))
    for f in findings:
        if options.json:
            sys.stdout.write(json.dumps(dataclasses.asdict(f), ensure_ascii=False) + "\n")
            continue
        at = "" if f.latitude_deg is None else f" at {f.latitude_deg:.5f} N {f.longitude_deg:.5f} E"
        print(f"{f.severity}: {f.rule}: {f.place}: {f.message}{at}")
    print(f"{', '.join(options.files)}: {len(findings)} findings", file=sys.stderr)
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _findings(options: argparse.Namespace) -> Iterator[Finding]:
    """GeoJSON by its own check, which names JSON paths; the volumes of every other file, and all borders, by those on volumes."""
    volumes: list[Volume] = []
    others: list[str] = []
    for name in options.files:
        raw = read_airspace_file(Path(name))
        if detect(raw, name) != "geojson" or b'"airvigil"' in raw[:200]:
            others.append(name)
            continue
        yield from check_file(raw, name)
        with contextlib.suppress(AirspaceError):  # it has been found what is wrong with it
            volumes += load_file(raw, name, kind=options.kind, edge_kind=options.edge_kind).volumes
    files = load_airspace_files(others, at_ns=_at_ns(options), kind=options.kind, edge_kind=options.edge_kind)
    for file in files:
        for severity, rule, remarks in (
            ("error", "rejected", file.loaded.rejected),
            ("warning", "remark", file.loaded.remarks),
        ):
            for remark in remarks:
                place = f"{file.name}: line {remark.line}" if remark.line else file.name
                yield Finding(severity, rule, None, place, f"{remark.reason} {remark.text}".strip())
        for number, volume in enumerate(file.loaded.volumes):
            yield from check_volume(volume, number)
        volumes += file.loaded.volumes
    yield from check_neighbours(volumes)


def airspace_export(options: argparse.Namespace) -> int:
    """`airvigil airspace export LIST --to FORMAT`"""
    volumes, files = _chosen(options, options.airspace)
    if options.to == "geojson":
        sources = [{"name": f.name, "sha256": f.sha256, "format": f.loaded.format} for f in files]
        _write(normalised_bytes(volumes, sources), options.out)
        return _status(files)
    write = {"kml": volumes_kml, "openair": volumes_openair, "csv": volumes_csv}[options.to]
    content, lost = write(volumes)
    _write(content, options.out)
    for line in lost:
        sys.stderr.write(f"note: {line}\n")
    return _status(files)


def airspace_diff(options: argparse.Namespace) -> int:
    """`airvigil airspace diff A B`; status 1 if anything is different."""
    before, _ = _chosen(options, options.before)
    after, _ = _chosen(options, options.after)
    changes = diff_volumes(before, after)
    lines = map(diff_json, changes) if options.json else diff_lines(changes)
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stderr.write(f"{len(before)} volumes before, {len(after)} after, {len(changes)} different\n")
    return 1 if changes else 0
