"""Where a run's events and tables go. `run_files` writes them to a folder, `announcing` tells them as they come."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

Event = dict[str, Any]


class Sink(Protocol):
    """Takes what a run tells."""

    def events(self, events: list[Event]) -> None:
        """Events in order."""
        ...

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Track points and margins of a step."""
        ...


class NoFiles:
    """A sink for runs that only print."""

    def events(self, events: list[Event]) -> None:
        """Nothing to keep."""

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Nothing to keep."""
