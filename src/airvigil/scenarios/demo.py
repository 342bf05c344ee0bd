"""The demo: two short stories side by side, from reports to incidents.

1. A reconstruction: Vaindloo, 19 September 2025, among real recorded traffic (moved in time, labelled so).
2. A real airliner that GNSS spoofing reported inside Ukraine for 34 minutes: not believed, and why.

Everything printed is computed from the reports when it runs; nothing here knows the result.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import shapely
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from airvigil.airspace.boundaries import load_volumes
from airvigil.airspace.margins import Airspace
from airvigil.drivers.inputs import Input, InputOptions, open_input
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.run_files import RunFiles
from airvigil.errors import ConfigError
from airvigil.exports.run_view import read_run
from airvigil.reports import concat_reports
from airvigil.scenarios import catalogue
from airvigil.scenarios.background import with_background
from airvigil.scenarios.generator import generate
from airvigil.settings import Settings, load_settings
from airvigil.units import utc_text

CASE = "vaindloo-2025"
BACKGROUND = ("bornholm.json.gz", "border_control.json.gz", "zurich_airport.json.gz")
SPOOFED = "noisy_spoofing.json.gz"


@dataclass(frozen=True)
class Story:
    """One half of the demo, told and written."""

    title: str
    lines: list[Text]
    page: Path
    seconds: float


def run_demo(samples: Path, out: Path, console: Console) -> None:
    """Run both stories, print them side by side, and say where the pages are.

    Raises:
        ConfigError: the sample recordings are not there.
    """
    for name in (*BACKGROUND, SPOOFED):
        if not (samples / name).is_file():
            raise ConfigError(
                f"{samples / name} is not there", hint="run `make samples`, or name the folder with --samples"
            )
    with console.status("compiling kernels on the first run, then flying ..."):
        stories = [
            _reconstruction(samples, out / CASE),
            _spoofed(samples / SPOOFED, out / "spoofed-airliner"),
        ]
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in stories:
        table.add_column(ratio=1)
    table.add_row(
        *(Panel(Text("\n").join(s.lines), title=Text(s.title, style="bold"), padding=(1, 2)) for s in stories)
    )
    console.print(table)
    for story in stories:
        console.print(Text(f"Report: {story.page}  ({story.seconds:.1f} s)", style="bold"))
    console.print(Text("Open them in a browser; they need no network. Then try:"))
    for line in (
        "airvigil scenario list",
        "airvigil replay YOUR-RECORDING --airspace EST,FIN --out out/mine",
        "airvigil replay tcp+beast://YOUR-RECEIVER:30005 --receiver LAT,LON,HEIGHT --airspace EST",
    ):
        console.print(Text(f"  .venv/bin/{line}"))


def _read(path: Path) -> tuple[Input, pa.Table]:
    each = open_input(str(path), InputOptions())
    table = concat_reports(list(each))
    if each.failures:
        raise ConfigError(str(each.failures[0]), hint=each.failures[0].hint)
    return each, table


def _finish(result: RunResult, files: RunFiles, airspace: Airspace) -> Path:
    return files.finish(result.events, airspace.volumes)[0]


def _reconstruction(samples: Path, out: Path) -> Story:
    scenario = catalogue.get(CASE)
    table = generate(scenario)
    made = table.num_rows
    real = [_read(samples / name) for name in BACKGROUND]
    for _, background in real:
        table = with_background(table, background)
    settings = load_settings()
    airspace = Airspace(load_volumes(scenario.airspace, settings.airspace.disputed_as))
    files = RunFiles(out)
    inputs = [each for each, _ in real]
    result = run(
        iter([table]),
        airspace,
        settings,
        sink=files,
        inputs=inputs,
        title=f"{scenario.title} (reconstruction)",
        is_reconstruction=True,
    )
    lines = [
        Text("RECONSTRUCTION from published numbers", style="bold magenta"),
        Text(f"{made:,} generated reports among {table.num_rows - made:,} real ones of other days"),
        Text(""),
    ]
    for incident in read_run(result.events).incidents:
        lines += _incident_lines(incident)
    return Story(scenario.title, lines, _finish(result, files, airspace), result.seconds)


def _incident_lines(incident: Any) -> list[Text]:
    members = {member["track_id"] for member in incident["members"]}
    minutes, seconds = divmod(incident["duration_s"], 60.0)
    leave = incident["exit"]["time"][11:19] if incident["exit"] else "not seen leaving"
    return [
        Text(f"{incident['volume_name']}: infringement {incident['outcome']}", style="bold"),
        Text(f"aircraft        {len(members)} without identity, one incident"),
        Text(f"in, out (UTC)   {incident['entry']['time'][11:19]}, {leave}"),
        Text(f"duration        {minutes:.0f} min {seconds:.0f} s"),
        Text(
            f"deepest         {incident['max_depth_m'] / 1000:.1f} km, 1 sigma {incident['max_depth_sigma_m']:.0f} m"
        ),
        Text(f"P(inside)       {incident['p_inside_max']:.4f} at its highest"),
        Text(
            f"robust to       {incident['robustness_radius_m'] / 1000:.1f} km: to have stayed out, all positions"
        ),
        Text("                must have been wrong by more, the same way"),
        Text(""),
        Text("Airvigil finds an infringement. Whether it is a threat, and"),
        Text("what to do, is for people to judge."),
    ]


def _inside(table: pa.Table, airspace: Airspace) -> int:
    """Rows reported inside, as a naive point-in-polygon test counts them: no doubt about any position."""
    known = table.filter(pc.is_valid(table["latitude_deg"]))
    lon, lat = known["longitude_deg"].to_numpy(), known["latitude_deg"].to_numpy()
    rings = [ring[:, ::-1] for volume in airspace.volumes for ring in volume.rings]
    area = shapely.build_area(shapely.geometrycollections([shapely.linearrings(ring) for ring in rings]))
    return int(shapely.contains_xy(area, lon, lat).sum())


def _strict(settings: Settings) -> Settings:
    """Settings in which everyone's presence needs permission: an identity excuses nobody."""
    everyone = dataclasses.replace(settings.permission, required_for=("state", "unidentified", "civil"))
    return dataclasses.replace(settings, permission=everyone)


def _spoofed(path: Path, out: Path) -> Story:
    each, table = _read(path)
    settings = _strict(load_settings())
    airspace = Airspace(load_volumes(["UKR"], settings.airspace.disputed_as))
    files = RunFiles(out)
    result = run(
        iter([table]),
        airspace,
        settings,
        sink=files,
        inputs=[each],
        title="A real airliner under GNSS spoofing",
    )
    view = read_run(result.events)
    rejected = [event for event in view.interference if "reasons" in event]
    reasons: Counter[str] = Counter()
    for event in rejected:
        reasons.update(event["reasons"])
    lines = [
        Text("REAL RECORDING; the aircraft did nothing wrong", style="bold green"),
        Text(f"{table.num_rows:,} reports of one airliner, {_span(table)}"),
        Text(""),
        Text(f"Ukraine: infringements found {len(view.incidents)}", style="bold"),
        Text(f"naive test      {_inside(table, airspace):,} rows inside Ukraine"),
        Text(f"not believed    {sum(reasons.values()):,} positions; the other rows repeat them"),
        *(
            Text(f"  because       {name.replace('_', ' ')}: {count:,}")
            for name, count in reasons.most_common()
        ),
    ]
    if rejected:
        first, last = rejected[0], rejected[-1]
        lines += [
            Text(f"from, until     {first['since'][11:19]}, {(last['until'] or last['time'])[11:19]} UTC"),
            Text(f"last believed   {_place(first['last_credible'])}"),
            Text(f"then claimed    {_place(first['first_claimed'])}"),
        ]
    lines += [
        Text(""),
        Text("Even with permission required of everyone, a position that"),
        Text("cannot be believed makes no infringement."),
    ]
    return Story(
        "Spoofed over Ukraine, 17 September 2024", lines, _finish(result, files, airspace), result.seconds
    )


def _span(table: pa.Table) -> str:
    first, last = (f(table["received_at"]).cast(pa.int64()).as_py() for f in (pc.min, pc.max))
    return f"{utc_text(first)[11:16]} to {utc_text(last)[11:16]} UTC"


def _place(place: Any) -> str:
    return (
        "nowhere"
        if place is None
        else f"{place['latitude_deg']:.3f} N {place['longitude_deg']:.3f} E at {place['time'][11:19]}"
    )
