"""A small made-up world for engine tests: one square volume and reports around its border.

Everything is drawn from a seed, so a failing example prints all that is needed to repeat it.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.airspace.limits import Limit
from airvigil.airspace.margins import Airspace
from airvigil.airspace.volumes import make_volume
from airvigil.engine import step
from airvigil.reports import empty_reports, reports_from_columns
from airvigil.settings import Settings, load_settings
from airvigil.state import Output, State
from airvigil.tracking.intake import watermark_after

START_NS = 1_760_000_000_000_000_000
FAR_NS = START_NS + 10**15  # after everything
SETTINGS: Settings = load_settings()


def square(
    volume_id: str = "SQR", south: float = 59.0, west: float = 25.0, side: float = 1.0, **limits: Any
) -> Any:
    """A volume with straight lon/lat edges."""
    n, e = south + side, west + side
    reference = limits.pop("vertical_reference", "none")
    for name in ("lower", "upper"):
        height = limits.pop(f"{name}_limit_m", None)
        if height is not None and math.isfinite(height):
            limits[name] = Limit(height, reference)
    ring = np.array([[south, west], [south, e], [n, e], [n, west], [south, west]])
    return make_volume(
        volume_id, [ring], name="Square", kind="sovereign", states=(volume_id,), source="made up", **limits
    )


SKY = Airspace([square()])


def make_reports(rows: list[dict[str, Any]]) -> pa.Table:
    """A report table from rows with `time_s` after START_NS and any report columns.

    `received_s` defaults to time_s; sensor to "made-up", kind to radar.
    """
    filled = []
    for row in rows:
        row = dict(row)
        time_s = row.pop("time_s")
        row["time_of_applicability"] = START_NS + round(time_s * 1e9)
        row["received_at"] = START_NS + round(row.pop("received_s", time_s) * 1e9)
        row.setdefault("sensor", "made-up")
        row.setdefault("sensor_kind", "radar")
        row["frame_digest"] = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).digest()
        filled.append(row)
    names = sorted({name for row in filled for name in row})
    columns = {name: [row.get(name) for row in filled] for name in names}
    return reports_from_columns(columns, length=len(filled)) if filled else empty_reports()


def flight(
    *,
    key: dict[str, Any],
    lat: float,
    lon: float,
    north_mps: float,
    east_mps: float,
    count: int,
    every_s: float = 4.0,
    begin_s: float = 0.0,
    **fixed: Any,
) -> list[dict[str, Any]]:
    """Rows of a straight flight; `key` is e.g. {"icao24": "abcdef"} or {"sensor_track": "7"}."""
    rows = []
    for k in range(count):
        t = k * every_s
        rows.append(
            {
                "time_s": begin_s + t,
                "latitude_deg": lat + north_mps * t / 111_320.0,
                "longitude_deg": lon + east_mps * t / (111_320.0 * np.cos(np.radians(lat))),
                "ground_speed_mps": float(np.hypot(north_mps, east_mps)),
                "track_angle_deg": float(np.degrees(np.arctan2(east_mps, north_mps)) % 360.0),
                **key,
                **fixed,
            }
        )
    return rows


def _jam(made: list[dict[str, Any]], rng: np.random.Generator) -> None:
    """A stretch of a flight that is heard and not believed, or not heard at all, for up to ten minutes."""
    begin = int(rng.integers(0, len(made)))
    gap_s = float(rng.choice([20.0, 200.0, 330.0, 600.0]))
    if rng.random() < 0.5:
        for row in made[begin : begin + 1 + int(gap_s / 30.0)]:
            row["nac_p"] = 0
    for row in made[begin:]:
        row["time_s"] += gap_s


def random_rows(seed: int, tracks: int = 4, count: int = 40) -> list[dict[str, Any]]:
    """Noisy flights across the border, with jumps, lost accuracy, repeats, rejects and several sensors."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for k in range(tracks):
        key = {"icao24": f"{0x400100 + k:06x}"} if k % 2 else {"sensor_track": str(k)}
        kind = "adsb" if k % 2 else "radar"
        made = flight(
            key=key,
            lat=58.98 + rng.uniform(0, 0.04),
            lon=25.3 + rng.uniform(0, 0.3),
            north_mps=rng.normal(0, 60),
            east_mps=rng.normal(0, 120),
            count=count,
            every_s=float(rng.choice([1.0, 4.0, 11.0])),
            begin_s=float(rng.uniform(0, 30)),
            sensor_kind=kind,
            sensor=f"{kind}-{k % 3}",
        )
        for row in made:
            row["latitude_deg"] += rng.normal(0, 0.001)
            if kind == "adsb":
                row["nac_p"] = int(rng.choice([8, 8, 8, 9, 4, 0]))
            if rng.random() < 0.04:
                row["longitude_deg"] += rng.choice([-3.0, 2.0])
            if rng.random() < 0.03:
                row["reject_reason"] = "bad_crc"
            if rng.random() < 0.03:
                row["callsign"] = "TEST"
        if rng.random() < 0.4:
            _jam(made, rng)
        rows += made
        rows += [dict(row, received_s=row["time_s"] + 0.3) for row in made if rng.random() < 0.05]
    rows.sort(key=lambda row: (row.get("received_s", row["time_s"]), str(row)))
    return rows


def run(
    table: pa.Table,
    *,
    batch: int | None = None,
    sky: Airspace = SKY,
    settings: Settings = SETTINGS,
    reload_every: int = 0,
) -> tuple[State, list[Output]]:
    """Feed a table in batches as a driver would, then let time pass to the end."""
    state, outputs = State(), []
    size = batch or max(1, table.num_rows)
    for number, begin in enumerate(range(0, table.num_rows, size)):
        part = table.slice(begin, size)
        watermark = watermark_after(state.intake, part, settings.time)
        state, output = step(state, part, None, watermark, sky, settings)
        outputs.append(output)
        if reload_every and number % reload_every == 0:
            state = State.from_arrow(state.to_arrow())
    state, output = step(state, empty_reports(), None, FAR_NS, sky, settings)
    return state, [*outputs, output]


def lines(outputs: list[Output]) -> list[str]:
    """All events as canonical JSON."""
    return [json.dumps(event, sort_keys=True) for output in outputs for event in output.events]


def events(outputs: list[Output], *names: str) -> list[dict[str, Any]]:
    """The events with these names."""
    return [event for output in outputs for event in output.events if event["event"] in names]
