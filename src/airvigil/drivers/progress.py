"""Progress on long work: rate, share and time left, on stderr, only where a person looks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from airvigil.drivers.inputs import Input
from airvigil.drivers.replay import Progress as Report
from airvigil.units import utc_text


@contextmanager
def shown_progress(inputs: Sequence[Input], *, quiet: bool) -> Iterator[Report | None]:
    """A function to call after each step; None where nobody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    sizes = [each.bytes_total for each in inputs]
    total = sum(size for size in sizes if size is not None) if None not in sizes and sizes else None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # what a live run prints goes above the bar where both are on one terminal, and untouched into pipes and files
    is_shared = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=is_shared) as bar:
        task = bar.add_task("reading", total=total)

        def report(rows: int, newest_ns: int) -> None:
            elapsed = bar.tasks[0].elapsed or 1e-9
            text = f"{rows:,} reports, {rows / elapsed:,.0f}/s, at {utc_text(newest_ns)[:19]}Z"
            bar.update(task, completed=sum(each.bytes_read for each in inputs), description=text)

        yield report
