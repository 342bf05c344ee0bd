"""The whole step: reports in, events out, with many tracks at once against every state of the world."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pyarrow as pa

from airspace_sets import EUROPE, traffic
from cases import Case, Cost

START_NS = 1_758_000_000_000_000_000
REPORTS = 1_000_000  # in a whole run
ALLOWED_US = 1.0 / 1.5  # a report: 1.5 million a second
ALLOWED_TICK_MS = 15.0


@functools.cache
def world() -> Any:
    """Every packaged state and disputed area."""
    from airvigil.airspace.margins import Airspace
    from airvigil.airspace.sources.boundaries import known_codes, load_volumes

    return Airspace(load_volumes(known_codes()))


def ticks(tracks: int, seconds: int) -> list[pa.Table]:
    """One table a second, in which every aircraft reports once, with quality, velocity and height as ADS-B gives it."""
    from airvigil.reports import reports_from_columns

    lat, lon = (array.reshape(seconds, tracks) for array in traffic(EUROPE, seconds, "feed", tracks))
    random = np.random.default_rng(5)
    altitude = random.uniform(9_000.0, 12_000.0, tracks).round(1)
    addresses = pa.array([f"{0x400000 + k:06x}" for k in range(tracks)])
    callsigns = pa.array([f"BEN{k:05d}"[:8] for k in range(tracks)])
    tables = []
    for second in range(seconds):
        when = START_NS + second * 10**9 + np.arange(tracks) * (10**9 // tracks)
        tables.append(
            reports_from_columns(
                {
                    "time_of_applicability": pa.array(when).view(pa.timestamp("ns", tz="UTC")),
                    "received_at": pa.array(when).view(pa.timestamp("ns", tz="UTC")),
                    "sensor": pa.repeat("bench", tracks),
                    "sensor_kind": pa.repeat("adsb", tracks),
                    "icao24": addresses,
                    "callsign": callsigns,
                    "latitude_deg": lat[second],
                    "longitude_deg": lon[second],
                    "pressure_altitude_m": altitude,
                    "nac_p": np.full(tracks, 9, dtype=np.int8),
                    "nic": np.full(tracks, 8, dtype=np.int8),
                    "sil": np.full(tracks, 3, dtype=np.int8),
                },
                length=tracks,
            )
        )
    return tables


def run(tables: list[pa.Table]) -> list[float]:
    """Seconds that each step takes, from the first report of an empty state."""
    from airvigil.engine import step
    from airvigil.settings import load_settings
    from airvigil.state import State
    from airvigil.tracking.intake import watermark_after

    state, settings, took = State(), load_settings(), []
    for table in tables:
        begin = time.perf_counter()
        watermark = watermark_after(state.intake, table, settings.time)
        state, _ = step(state, table, None, watermark, world(), settings)
        took.append(time.perf_counter() - begin)
    return took


def whole_case(tracks: int) -> Cost:
    """Microseconds a report, over a million reports after ten seconds of warming up."""
    tables = ticks(tracks, REPORTS // tracks + 10)
    run(tables)

    def figure() -> float:
        took = run(tables)[10:]
        return sum(took) / (tracks * len(took)) * 1e6

    return Cost(figure, ALLOWED_US)


def tick_case() -> Cost:
    """Milliseconds a tick of 10,000 tracks, the median of a hundred."""
    tables = ticks(10_000, 110)
    run(tables)
    return Cost(lambda: float(np.median(run(tables)[10:])) * 1e3, ALLOWED_TICK_MS)


def _whole(tracks: int) -> Case:
    return Case(
        f"step_{tracks // 1000}k_tracks",
        f"the whole step, {tracks:,} tracks, one report each a second, against every state: admission, filter, margins, "
        "spells, incidents, tables",
        "us/report",
        "allowed: 1.5 M reports/s",
        1.0,
        ("numba", "numpy", "pyarrow"),
        lambda: whole_case(tracks),
        rounds=3,
    )


STEP_CASES = (
    _whole(10_000),
    _whole(100_000),
    Case(
        "tick_10k_tracks",
        "one step of 10,000 tracks, as a live feed gives it each second",
        "ms",
        "allowed",
        1.0,
        ("numba", "numpy", "pyarrow"),
        tick_case,
        rounds=3,
    ),
)
