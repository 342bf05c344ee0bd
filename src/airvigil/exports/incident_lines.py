"""One incident a line for machines (`--json`), one a row for the terminal.

The line is versioned: `schema` is `airvigil.incident/1`, described by `incident.schema.json`.
Within a version, fields may be added; none is renamed, removed or changes its unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from airvigil.exports.events_jsonl import canonical_line
from airvigil.exports.permission_words import incident_permission
from airvigil.exports.run_view import Event, duration_sigma_s, read_run
from airvigil.exports.wording import (
    UNKNOWN,
    bound_text,
    clock,
    date_of,
    depth_of,
    duration_text,
    member_name,
    ns_from_iso,
    probability_text,
)

SCHEMA = "airvigil.incident/1"

_FIELDS = (
    "incident_id",
    "volume",
    "volume_name",
    "volume_kind",
    "states",
    "outcome",
    "undecidable_for",
    "members",
    "entry",
    "exit",
    "duration_s",
    "max_depth_m",
    "max_depth_sigma_m",
    "max_depth_is_bound",
    "p_inside_max",
    "robustness_radius_m",
    "robustness_radius_high_m",
    "permission",
    "boundary_uncertainty_m",
    "shared_place",
    "interference",
    "reconstruction",
    "why",
)


def incident_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line."""
    text = files("airvigil.exports").joinpath("incident.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def incident_line(incident: Mapping[str, Any]) -> str:
    """One incident event as a canonical JSON line, without the line end.

    Every field of the schema is there; unknown is null. What belongs to the event and not to the
    incident (`event`, `seq`) is left out; `time` becomes `as_of`.
    """
    fields = {name: incident.get(name) for name in _FIELDS}
    for name in ("members", "states", "why", "undecidable_for", "interference"):
        fields[name] = list(incident.get(name) or [])
    for name in ("max_depth_is_bound", "shared_place", "reconstruction"):
        fields[name] = bool(incident.get(name))
    return canonical_line({**fields, "schema": SCHEMA, "as_of": incident.get("time")})


def incident_lines(events: Iterable[Event]) -> list[str]:
    """A line for every incident of a run, as last known, the most serious first."""
    return [incident_line(incident) for incident in read_run(events).incidents]


@dataclass(frozen=True)
class SummaryRow:
    """One incident as short texts, ready for a table."""

    incident: str
    volume: str
    outcome: str
    aircraft: str
    entry: str
    exit: str
    duration: str
    max_depth: str
    p_inside: str
    robustness: str
    permission: str
    remark: str


SUMMARY_HEADINGS = SummaryRow(
    incident="Incident",
    volume="Volume",
    outcome="Outcome",
    aircraft="Aircraft",
    entry="In (UTC)",
    exit="Out (UTC)",
    duration="Duration",
    max_depth="Max depth",
    p_inside="P(inside)",
    robustness="Robust to",
    permission="Permission",
    remark="Remark",
)


def summary_rows(events: Iterable[Event]) -> list[SummaryRow]:
    """The run's incidents as rows; the control characters of outside text are taken out."""
    return [summary_row(incident) for incident in read_run(events).incidents]


def summary_row(incident: Event) -> SummaryRow:
    """One incident in short texts; unknown is a dash."""
    members = list(incident.get("members") or [])
    # one aircraft may have stayed several times
    who = {str(m.get("icao24") or m.get("track_id")): member_name(m) for m in reversed(members)}
    names = ", ".join(dict.fromkeys(reversed(list(who.values())[-3:])))
    more = f" +{len(who) - 3}" if len(who) > 3 else ""
    sigma = duration_sigma_s(incident)
    duration = duration_text(incident.get("duration_s")) + (
        "" if sigma is None else f" ± {max(sigma, 0.1):.1f} s"
    )
    remarks = ["reconstruction"] if incident.get("reconstruction") else []
    remarks += [
        label
        for key, label in (("entry", "seen from inside"), ("exit", "lost inside"))
        if _is_sighting(incident, key)
    ]
    texts = SummaryRow(
        incident=str(incident.get("incident_id")),
        volume=str(incident.get("volume_name") or incident.get("volume") or UNKNOWN),
        outcome=str(incident.get("outcome") or UNKNOWN),
        aircraft=f"{len(who)}: {names}{more}",
        entry=_instant_text(incident.get("entry")),
        exit=_instant_text(incident.get("exit")),
        duration=duration,
        max_depth=depth_of(incident),
        p_inside=probability_text(incident.get("p_inside_max")),
        robustness=bound_text(incident.get("robustness_radius_m"), is_short=True),
        permission=incident_permission(incident) or "",
        remark=", ".join(remarks),
    )
    # a callsign with an escape sequence in it must not drive the reader's terminal
    return SummaryRow(
        **{name: "".join(c for c in value if c.isprintable()) for name, value in vars(texts).items()}
    )


def _is_sighting(incident: Event, key: str) -> bool:
    return (incident.get(key) or {}).get("kind") in ("first_seen", "last_seen")


def _instant_text(end: Mapping[str, Any] | None) -> str:
    instant = ns_from_iso((end or {}).get("time"))
    return UNKNOWN if instant is None else f"{date_of(instant)} {clock(instant)}"
