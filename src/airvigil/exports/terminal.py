"""The summary that a run prints: incidents, what was not believed, presence, and the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from airvigil.exports.finding import MOST_UNUSED
from airvigil.exports.incident_lines import SUMMARY_HEADINGS, SummaryRow, summary_rows
from airvigil.exports.run_view import read_run

Event = dict[str, Any]
MOST_ROWS = 40
MOST_IN_FULL = 6  # incidents told line by line; more of them make a table
SHOWN = ("volume", "outcome", "aircraft", "entry", "duration", "max_depth")
IN_FULL = (
    "aircraft",
    "entry",
    "exit",
    "duration",
    "max_depth",
    "p_inside",
    "robustness",
    "permission",
    "remark",
)


def print_run(events: Iterable[Event], console: Console, *, seconds: float) -> None:
    """Print what a run found, in words and tables.

    Args:
        events: of the run.
        console: where to.
        seconds: wall time of the run.
    """
    events = list(events)
    run = read_run(events)
    if run.is_reconstruction:
        source = "made up, after no real case" if run.is_synthetic else "made from published numbers"
        console.print(Text(f"RECONSTRUCTION: {source}; nobody measured these tracks.", style="bold magenta"))
    rows = summary_rows(events)
    if run.finished.get("interrupted"):
        console.print(Text("Interrupted: what follows is partial.", style="bold yellow"))
    if not rows and run.has_no_positions:
        console.print(Text("No finding is possible: not one position could be used.", style="bold yellow"))
    elif not rows:
        console.print(Text("No infringement is suspected.", style="bold"))
    elif len(rows) <= MOST_IN_FULL:
        for row in rows:
            console.print(Text(f"{row.volume}: {row.outcome}", style="bold"))
            console.print(_in_full(row))
    else:
        table = Table(*(getattr(SUMMARY_HEADINGS, name) for name in SHOWN), header_style="bold", box=None)
        for row in rows[:MOST_ROWS]:
            table.add_row(*(Text(getattr(row, name)) for name in SHOWN))
        console.print(table)
        if len(rows) > MOST_ROWS:
            console.print(f"... and {len(rows) - MOST_ROWS} more; all are in --json and in the report")
    _print_presence(run.presences(), console, "Present with an identity, permission not required")
    _print_presence(run.permitted(), console, "Present with a permission that covers it")
    _print_lookahead(events, console)
    _print_interference(run.interference, run.areas, console)
    if not run.has_no_positions and run.unused_share > MOST_UNUSED:
        share = f"{100.0 * run.unused_share:.0f} %"
        console.print(
            Text(
                f"Warning: {share} of what was received could not be used; see below why.",
                style="bold yellow",
            )
        )
    _print_books(run.accounting, console, seconds)


def _in_full(row: SummaryRow) -> Table:
    """One incident, a line for each value."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    for name in IN_FULL:
        if getattr(row, name):
            grid.add_row(Text(f"  {getattr(SUMMARY_HEADINGS, name)}"), Text(getattr(row, name)))
    return grid


def _print_presence(presences: list[Any], console: Console, heading: str) -> None:
    counts = Counter(spell["volume"] for spell in presences if spell["outcome"] in ("suspected", "probable"))
    if counts:
        text = ", ".join(f"{count} in {volume}" for volume, count in sorted(counts.items()))
        console.print(Text(f"{heading}: {text} (stays, not aircraft)."))


def _print_lookahead(events: Iterable[Event], console: Console) -> None:
    """How many entries were predicted, and what became of them. Nothing where none was."""
    whys: dict[str, str | None] = {}
    warned: list[float] = []
    for event in events:
        if "lookahead_id" in event:
            whys[event["lookahead_id"]] = event.get("why")
            if event.get("warning_time_s") is not None:
                warned.append(event["warning_time_s"])
    if not whys:
        return
    counts = Counter(whys.values())
    words = {"entered": "entered", "turned_away": "turned away", "silent": "fell silent"}
    text = ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts[name])
    line = f"Entries predicted: {len(whys)}" + (f" ({text})" if text else "")
    if warned:
        line += f"; warned {median(warned):.0f} s before (median)"
    console.print(Text(line + "."))


def _print_interference(told: Iterable[Any], areas: Iterable[Any], console: Console) -> None:
    told = [event for event in told if str(event["event"]) != "interference_area"]
    if not told:
        return
    reasons: Counter[str] = Counter()
    for event in told:
        reasons.update(event["reasons"])
    claimed = sorted({volume for event in told for volume in event["claimed_volumes"]})
    text = ", ".join(f"{name} {count:,}" for name, count in reasons.most_common())
    tracks = len({event["track_id"] for event in told})
    console.print(Text(f"Positions not believed on {tracks} tracks, {len(told)} stretches ({text})."))
    if claimed:
        console.print(
            Text(f"  They claimed to be inside {', '.join(claimed)}; no infringement follows from them.")
        )
    for area in areas:
        place = f"{area['latitude_deg']:.2f} N {area['longitude_deg']:.2f} E"
        console.print(
            Text(
                f"  Area of interference ({area['kind']}): {len(area['tracks'])} tracks near {place} by {area['until'][:16]}Z"
            )
        )


def _print_books(accounting: Any, console: Console, seconds: float) -> None:
    table = Table(box=None, header_style="bold")
    for heading in ("Sensor", "Received", "Used", "Rejected", "Late", "Why rejected"):
        is_number = heading in ("Received", "Used", "Rejected", "Late")
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=is_number)
    total = 0
    for row in accounting.get("sensors", []):
        rejected = row["rejected"]
        why = ", ".join(
            f"{name} {count:,}" for name, count in sorted(rejected.items(), key=lambda item: -item[1])
        )
        numbers = (row["received"], row["used"], sum(rejected.values()), row["late"])
        table.add_row(Text(row["sensor"]), *(f"{n:,}" for n in numbers), Text(why))
        total += row["received"]
    console.print(table)
    console.print(f"{total:,} reports in {seconds:.1f} s ({total / max(seconds, 1e-9):,.0f}/s)")
