"""Incidents told while a live run goes on: when they open, and when they are over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from airvigil.drivers.sink import Sink
from airvigil.exports.incident_lines import incident_line, summary_row

Event = dict[str, Any]
Say = Callable[[str], None]  # takes a line without its end


class Announcing:
    """A sink that passes everything on, and says what becomes of incidents.

    Each incident of a run is closed once, at the latest by the run's last step: with `lines`, each so has its JSON
    line, as final as it gets.

    Args:
        sink: takes everything, first.
        people: takes a short line when an incident opens and when it closes.
        lines: takes an incident's JSON line when it closes; None for none.
    """

    def __init__(self, sink: Sink, people: Say, lines: Say | None = None) -> None:
        self._sink = sink
        self._people = people
        self._lines = lines

    def events(self, events: list[Event]) -> None:
        """Events in order."""
        self._sink.events(events)
        for event in events:
            if event["event"] in ("incident_opened", "incident_closed"):
                self._people(told(event))
            if event["event"] == "incident_closed" and self._lines is not None:
                self._lines(incident_line(event))

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Track points and margins of a step."""
        self._sink.tables(points, margins)


def told(event: Event) -> str:
    """An incident that has opened or closed in one line."""
    row = summary_row(event)
    state = "open" if event["event"] == "incident_opened" else "over"
    made = ", reconstruction" if event["reconstruction"] else ""
    return (
        f"{event['time'][:19]}Z incident {state}: {row.volume}: {row.outcome}: {row.aircraft}, in {row.entry}, "
        f"max depth {row.max_depth}{made}"
    )
