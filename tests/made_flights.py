"""Made-up flights and what admission says of them, for the tests of tracking.

A flight is a list of rows for `small_world.make_reports`; `judged` runs it through the whole engine, so that
what is tested is what a run would do.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from airvigil.airspace.margins import Airspace
from airvigil.settings import Settings
from small_world import SETTINGS, SKY, events, make_reports, run

Row = dict[str, Any]
M_PER_DEG = 111_320.0

# An ADS-B airliner with good quality, cruising.
AIRLINER: Row = {
    "icao24": "4601f7",
    "sensor_kind": "adsb",
    "sensor": "roof",
    "nac_p": 9,
    "pressure_altitude_m": 10_668.0,
}


def path(
    *,
    lat: float = 59.5,
    lon: float = 25.5,
    speed_mps: float = 230.0,
    track_deg: float = 90.0,
    turn_deg_s: float = 0.0,
    count: int = 60,
    every_s: float = 1.0,
    begin_s: float = 0.0,
    **fixed: Any,
) -> list[Row]:
    """A flight at constant speed and constant rate of turn, as an airliner unless told otherwise.

    Positions are integrated in ten steps a row, so a turn is a circle to millimetres.
    """
    rows: list[Row] = []
    angle = track_deg
    for k in range(count):
        row = {
            **AIRLINER,
            "time_s": begin_s + k * every_s,
            "latitude_deg": lat,
            "longitude_deg": (lon + 180.0) % 360.0 - 180.0,
            "ground_speed_mps": speed_mps,
            "track_angle_deg": angle % 360.0,
            **fixed,
        }
        rows.append({name: value for name, value in row.items() if value is not None})
        for _ in range(10):
            angle += turn_deg_s * every_s / 20.0
            north, east = (f(math.radians(angle)) * speed_mps * every_s / 10.0 for f in (math.cos, math.sin))
            lat += north / M_PER_DEG
            lon += east / (M_PER_DEG * math.cos(math.radians(lat)))
            angle += turn_deg_s * every_s / 20.0
    return rows


def displaced(row: Row, *, north_m: float = 0.0, east_m: float = 0.0, **changed: Any) -> Row:
    """The same report from somewhere else."""
    lat = row["latitude_deg"] + north_m / M_PER_DEG
    lon = row["longitude_deg"] + east_m / (M_PER_DEG * math.cos(math.radians(lat)))
    return {**row, "latitude_deg": lat, "longitude_deg": lon, **changed}


def noisy(rows: list[Row], sigma_m: float, seed: int) -> list[Row]:
    """The same reports with independent normal errors on both axes."""
    rng = np.random.default_rng(seed)
    return [displaced(row, north_m=rng.normal(0, sigma_m), east_m=rng.normal(0, sigma_m)) for row in rows]


class Judged:
    """What became of rows: `marks` per track point in time order, `rejected` by reason, `outputs` of the run."""

    def __init__(self, rows: list[Row], *, sky: Airspace = SKY, settings: Settings = SETTINGS) -> None:
        rows = sorted(rows, key=lambda row: row.get("received_s", row["time_s"]))
        self.state, self.outputs = run(make_reports(rows), sky=sky, settings=settings)
        self.points = [point for output in self.outputs for point in output.points.to_pylist()]
        self.marks = [(p["integrity"], p["integrity_reason"]) for p in self.points]
        self.integrity = [p["integrity"] for p in self.points]
        self.reasons = Counter(p["integrity_reason"] for p in self.points)
        self.rejected: Counter[str] = Counter()
        self.late = 0
        for account in self.state.intake.accounts.values():
            self.rejected += account.rejected
            self.late += account.late

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The events with these names."""
        return events(self.outputs, *names)
