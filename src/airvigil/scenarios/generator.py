"""From a scenario's description to its reports.

Rules
- The same description gives the same table, byte for byte: noise has its seed in the description,
  each flight and each flight-sensor pair a stream of its own.
- Every row has `is_reconstruction` true.
- A row's `frame_digest` is the SHA-256 of its canonical JSON: its known columns but the digest itself,
  names sorted, no spaces, times as ns since 1970, floats rounded as below. Anyone can recompute it.
- Places are rounded to 1e-8 degrees (1 mm), other measures to 1e-3 of their unit, as a sensor would.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import pyarrow as pa

from airvigil.reports import REPORT_SCHEMA, reports_from_columns
from airvigil.scenarios.sensors import (
    AdsbReceiver,
    Flight,
    Interference,
    Noise,
    Radar,
    Row,
    adsb_rows,
    radar_rows,
)

KINDS = ("reconstruction", "synthetic")
CONFIDENCES = ("H", "M", "L", "BK", "D")


@dataclass(frozen=True)
class Fact:
    """Something that was published about the event.

    Attributes:
        about: what it is, in a word or two.
        text: the fact, in our words or as a short quotation.
        confidence: H official or two independent reports; M one reputable source; L weak or disputed;
            BK background, to be checked; D arithmetic from other facts.
        sources: addresses; empty only for D.
    """

    about: str
    text: str
    confidence: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expected:
    """A number that an analysis of the scenario must find within limits; `unit` "" for counts."""

    name: str
    low: float
    high: float
    unit: str
    reason: str


@dataclass(frozen=True)
class Scenario:
    """A case, described completely.

    Attributes:
        name: as on the command line.
        title: for people.
        label: "reconstruction" of an event that took place, "synthetic" for one that did not.
            Whichever it is, its rows are marked `is_reconstruction` and shown as a reconstruction.
        summary: a paragraph.
        seed: of all noise.
        airspace: volumes against which it is meant to be seen.
        flights, radars, receivers, interference: who flies and who looks.
        facts: what is published.
        assumptions: what is not published and was chosen here.
        expected: what an analysis must find.
    """

    name: str
    title: str
    label: str
    summary: str
    seed: int
    airspace: tuple[str, ...]
    flights: tuple[Flight, ...]
    radars: tuple[Radar, ...] = ()
    receivers: tuple[AdsbReceiver, ...] = ()
    interference: tuple[Interference, ...] = ()
    facts: tuple[Fact, ...] = ()
    assumptions: tuple[str, ...] = ()
    expected: tuple[Expected, ...] = field(default=())


def generate(scenario: Scenario) -> pa.Table:
    """All reports of a scenario.

    Args:
        scenario: the description.

    Returns:
        Table with REPORT_SCHEMA, sorted by `received_at`, ties by their digest.
    """
    rows: list[Row] = []
    for i, flight in enumerate(scenario.flights):
        for j, radar in enumerate(scenario.radars):
            rows.extend(radar_rows(radar, flight, i + 1, Noise(scenario.seed, i, 0, j)))
        for j, receiver in enumerate(scenario.receivers):
            aircraft, reception = Noise(scenario.seed, i, 2), Noise(scenario.seed, i, 1, j)
            rows.extend(adsb_rows(receiver, flight, scenario.interference, aircraft, reception))
    finished = [_finished(row) for row in rows]
    finished.sort(key=lambda row: (row["received_at"], row["frame_digest"]))
    columns = {name: [row.get(name) for row in finished] for name in REPORT_SCHEMA.names}
    return reports_from_columns(columns, length=len(finished))


def _finished(row: Row) -> Row:
    """A row rounded, marked and with its digest."""
    known = {name: _rounded(name, value) for name, value in row.items() if value is not None}
    known["is_reconstruction"] = True
    known["frame_digest"] = row_digest(known)
    return known


def _rounded(name: str, value: object) -> object:
    if not isinstance(value, float):
        return value
    if name == "track_angle_deg":
        return round(value, 3) % 360.0
    return round(value, 8 if name.endswith("itude_deg") else 3)


def row_digest(row: Row) -> bytes:
    """SHA-256 of a row's canonical JSON.

    Example:
        >>> row_digest({"sensor": "a", "latitude_deg": 59.5}).hex()[:8]
        'd53441b4'
    """
    known = {name: value for name, value in row.items() if value is not None and name != "frame_digest"}
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).digest()
