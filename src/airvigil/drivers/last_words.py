"""The last word on everything that a run found: all that the exports need, and no more.

A run of weeks tells the same incident, spell or stretch of interference many times; `events.jsonl` has every line,
memory has the last one of each.

Rules
- Kept: the first and the last two events of the run, and the latest event of each incident, spell, interference
  and area. Nothing grows with the number of reports.
- A stay that needs no permission is the most frequent find of all: once it is closed, only what the table of
  presences shows of it is kept (COMPACT), some 0.5 kB a stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]

_SINGLE = ("run_started", "accounting", "run_finished")
_NAMED_BY = (
    "incident_id",
    "interference_id",
    "area_id",
    "spell_id",
    "lookahead_id",
)  # in this order: members name spells too
COMPACT = (
    "event",
    "seq",
    "time",
    "spell_id",
    "track_id",
    "icao24",
    "volume",
    "permission",
    "outcome",
    "duration_s",
    "reconstruction",
)


class LastWords:
    """Keeps the latest event of everything that has a name."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Event] = {}
        self._members: set[str] = set()

    def take(self, events: Iterable[Event]) -> None:
        """Take events in their order."""
        for event in events:
            name = _name(event)
            if name is None:
                continue
            if name[0] == "incident_id":
                self._members.update(member["spell_id"] for member in event["members"])
            if event["event"].startswith("permission_"):
                event = _with_permission(event)
            self._kept.pop(name, None)  # so that the order stays that of the run
            self._kept[name] = self._compact(event)

    def events(self) -> list[Event]:
        """What is kept, in the order of the run."""
        return list(self._kept.values())

    def _compact(self, event: Event) -> Event:
        is_over = event["event"] == "spell_closed" and event["permission"] == "not_required"
        if not is_over or event["spell_id"] in self._members:
            return event
        kept = {name: event[name] for name in COMPACT}
        for end in ("entry", "exit"):
            kept[end] = event[end] and {name: event[end][name] for name in ("time", "kind")}
        return {**kept, "reentries": event["reentries"]}


def _with_permission(event: Event) -> Event:
    """The stay that a change of permission tells of, as it stands with it."""
    changed = {
        name: event[name] for name in event if name.startswith("permission") and name in event["spell"]
    }
    return {**event["spell"], **changed, "seq": event["seq"]}


def _name(event: Event) -> tuple[str, str] | None:
    if event["event"] in _SINGLE:
        return event["event"], ""
    if event["event"] == "lookahead_cleared":  # beside the last prediction, which maps show
        return "lookahead_cleared", str(event["lookahead_id"])
    return next(((key, str(event[key])) for key in _NAMED_BY if event.get(key) is not None), None)
