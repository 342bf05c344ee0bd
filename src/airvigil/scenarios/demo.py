"""The demo: two short stories side by side, from reports to incidents.

1. A reconstruction: Vaindloo, 19 September 2025, among real recorded traffic (moved in time, labelled so).
2. A real airliner that GNSS spoofing reported inside Ukraine for 34 minutes: not believed, and why.

Every number and outcome printed is computed from the reports when it runs. The frame around them (titles, labels, the
last sentence of each story) is written for these two recordings.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.drivers.inputs import Input, InputOptions, open_input
from airvigil.drivers.replay import RunResult, run
from airvigil.drivers.run_files import RunFiles
from airvigil.errors import ConfigError
from airvigil.exports.incident_lines import summary_row
from airvigil.exports.run_view import read_run
from airvigil.exports.wording import clock, date_of, ns_from_iso
from airvigil.reports import concat_reports
from airvigil.scenarios import catalogue
from airvigil.scenarios.background import with_background
from airvigil.scenarios.generator import generate
from airvigil.settings import Settings, load_settings
from airvigil.units import utc_text

CASE = "vaindloo-2025"
BACKGROUND = ("bornholm.json.gz", "border_control.json.gz", "zurich_airport.json.gz")
SPOOFED = "noisy_spoofing.json.gz"


SIDE_BY_SIDE = 100  # columns from which two stories stand beside each other
COMMANDS = (
    ("airvigil scenario list",),
    ("airvigil replay YOUR-RECORDING --airspace EST,FIN --out out/mine",),
    ("airvigil replay tcp+beast://YOUR-RECEIVER:30005 \\", "    --receiver LAT,LON,HEIGHT --airspace EST"),
)


@dataclass(frozen=True)
class Story:
    """One half of the demo, told and written.

    Attributes:
        title: of the panel.
        label: what kind of tracks these are, with its style.
        rows: (what, value); an empty what is a line of its own.
        moral: the sentence at the end.
        page: the report.
        seconds: wall time of the run.
    """

    title: str
    label: Text
    rows: list[tuple[str, Text]]
    moral: str
    page: Path
    seconds: float


def run_demo(samples: Path, out: Path, console: Console) -> None:
    """Run both stories, print them (side by side where there is room), and say where the pages are.

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
    print_stories(stories, console)


def print_stories(stories: Sequence[Story], console: Console) -> None:
    """The panels, the pages, and what to try next; no word is broken at any width from 60."""
    if console.width >= SIDE_BY_SIDE:
        table = Table.grid(expand=True, padding=(0, 1))
        for _ in stories:
            table.add_column(ratio=1)
        tallest = max(_height(story, console) for story in stories)
        table.add_row(*(_panel(story, height=tallest) for story in stories))
        console.print(table)
    else:
        for story in stories:
            console.print(_panel(story))
    for story in stories:
        console.print(Text(f"Report: {story.page}  ({story.seconds:.1f} s)", style="bold"), soft_wrap=True)
    console.print(Text("Open them in a browser; they need no network. Then try:"))
    for lines in COMMANDS:
        for k, line in enumerate(lines):
            console.print(Text(f"  {'' if k else '.venv/bin/'}{line}"), soft_wrap=True)


def _height(story: Story, console: Console) -> int:
    options = console.options.update_width(console.width // 2 - 1)
    return len(console.render_lines(_panel(story), options))


def _panel(story: Story, *, height: int | None = None) -> Panel:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(ratio=1)
    for what, value in story.rows:
        grid.add_row(Text(what), value)
    body = Group(story.label, Text(""), grid, Text(""), Text(story.moral, style="italic"))
    return Panel(body, title=Text(story.title, style="bold"), padding=(1, 2), height=height)


def _read(path: Path) -> tuple[Input, pa.Table]:
    each = open_input(str(path), InputOptions())
    table = concat_reports(list(each))
    if each.failures:
        raise ConfigError(str(each.failures[0]), hint=each.failures[0].hint)
    return each, table


def _reconstruction(samples: Path, out: Path) -> Story:
    scenario = catalogue.get(CASE)
    table = generate(scenario)
    made = table.num_rows
    real = [_read(samples / name) for name in BACKGROUND]
    for _, background in real:
        table = with_background(table, background)
    settings = load_settings()
    airspace = Airspace(load_volumes(scenario.airspace, settings.airspace.disputed_as))
    with RunFiles(out) as files:
        result = run(
            iter([table]),
            airspace,
            settings,
            sink=files,
            inputs=[each for each, _ in real],
            title=f"{scenario.title} (reconstruction)",
            is_reconstruction=True,
            ending=lambda result: _finish(result, files, airspace),
        )
    incidents = read_run(result.events).incidents
    rows = [
        ("reports", Text(f"{made:,} generated, among {table.num_rows - made:,} real ones of other days")),
        ("found", Text(_counted(len(incidents), "infringement"), style="bold")),
        *(row for incident in incidents for row in _incident_rows(incident)),
    ]
    return Story(
        title="Reconstruction: Vaindloo 2025",
        label=Text("RECONSTRUCTION from published numbers", style="bold magenta"),
        rows=rows,
        moral="Airvigil finds an infringement. Whether it is a threat, and what to do, is for people to judge.",
        page=files.written[0],
        seconds=result.seconds,
    )


def _finish(result: RunResult, files: RunFiles, airspace: Airspace) -> None:
    files.finish(result.events, airspace.volumes)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _aircraft(incident: Any) -> str:
    """How many aircraft the members of an incident are, and what their reports say they are."""
    identities = {member["track_id"]: member["identity"] for member in incident["members"]}
    words = {"unidentified": "without identity", "state": "of a state", "civil": "civil"}
    parts = [
        f"{count:,} {words.get(name, name)}" for name, count in Counter(identities.values()).most_common()
    ]
    return ", ".join(parts)


def _incident_rows(incident: Any) -> list[tuple[str, Text]]:
    row = summary_row(incident)
    day, entry = _day_and_clock(incident["entry"])
    leave = _day_and_clock(incident["exit"])[1] if incident["exit"] else "not seen leaving"
    return [
        ("outcome", Text(str(incident["outcome"]), style="bold")),
        ("airspace", Text(str(incident["volume_name"]))),
        ("aircraft", Text(_aircraft(incident))),
        ("in, out", Text(f"{entry}, {leave} UTC, {day}")),
        ("duration", Text(row.duration)),
        ("deepest", Text(row.max_depth)),
        ("P(inside)", Text(f"{row.p_inside} at its highest")),
        (
            "robust to",
            Text(
                f"{row.robustness}: to have stayed out, all positions must have been wrong by at least that, "
                "the same way"
            ),
        ),
    ]


def _day_and_clock(end: Any) -> tuple[str, str]:
    instant = ns_from_iso(end["time"])
    return date_of(instant), clock(instant)


def _inside(table: pa.Table, airspace: Airspace, *, prefix: str = "") -> int:
    """Rows with a position inside, as a naive point-in-polygon test counts them: no doubt about any."""
    known = table.filter(pc.is_valid(table[f"{prefix}latitude_deg"]))
    lon, lat = known[f"{prefix}longitude_deg"].to_numpy(), known[f"{prefix}latitude_deg"].to_numpy()
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
    with RunFiles(out) as files:
        result = run(
            iter([table]),
            airspace,
            settings,
            sink=files,
            inputs=[each],
            title="A real airliner under GNSS spoofing",
            ending=lambda result: _finish(result, files, airspace),
        )
    return Story(
        title="Real: a spoofed airliner",
        label=Text("REAL RECORDING; the aircraft did nothing wrong", style="bold green"),
        rows=_spoofed_rows(result, table, airspace, out),
        moral="Even with permission required of everyone, a position that cannot be believed makes no infringement.",
        page=files.written[0],
        seconds=result.seconds,
    )


def _spoofed_rows(
    result: RunResult, table: pa.Table, airspace: Airspace, out: Path
) -> list[tuple[str, Text]]:
    """The numbers of the second story: rows as received, positions as judged, rows not used as the books have them."""
    view = read_run(result.events)
    points = pq.read_table(out / "tracks.parquet")
    lost = pc.equal(points["integrity"], "not_credible")
    naive = _inside(table, airspace)
    disbelieved = _inside(points.filter(lost), airspace, prefix="reported_")
    believed = _inside(points.filter(pc.invert(lost)), airspace, prefix="reported_")
    unused: Counter[str] = Counter()
    for sensor in view.accounting["sensors"]:
        unused.update(sensor["rejected"])
    reasons: Counter[str] = Counter()
    for event in view.interference:
        reasons.update(event["reasons"])
    rows = [
        ("reports", Text(f"{table.num_rows:,} of one airliner, {_span(table)}")),
        ("found", Text(_counted(len(view.incidents), "infringement"), style="bold")),
        ("airspace", Text(airspace.volumes[0].name)),
        ("naive test", Text(f"{naive:,} rows inside")),
        ("believed", Text(f"{believed:,} positions inside")),
        ("not believed", Text(f"{disbelieved:,} positions inside")),
        ("rows not used", Text(_reasons(unused) + ", of all rows, wherever they are" if unused else "none")),
        ("because", Text(_reasons(reasons))),
    ]
    if view.interference:
        first, last = view.interference[0], view.interference[-1]
        until = last["until"] or last["time"]
        rows += [
            ("from, until", Text(f"{first['since'][11:19]}, {until[11:19]} UTC")),
            ("last believed", Text(_place(first["last_credible"]))),
            ("then claimed", Text(_place(first["first_claimed"]))),
        ]
    return rows


def _reasons(counts: Counter[str]) -> str:
    return "; ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.most_common())


def _span(table: pa.Table) -> str:
    first, last = (f(table["received_at"]).cast(pa.int64()).as_py() for f in (pc.min, pc.max))
    return f"{utc_text(first)[11:16]} to {utc_text(last)[11:16]} UTC"


def _place(place: Any) -> str:
    return (
        "nowhere"
        if place is None
        else f"{place['latitude_deg']:.3f} N {place['longitude_deg']:.3f} E at {place['time'][11:19]}"
    )
