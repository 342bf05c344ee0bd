"""What a report costs as the world grows: four charts, written to bench/scaling.svg, with their numbers in bench/scaling.json.

    python bench/scaling.py

Against the number of volumes (states of Europe, one after the other), of vertices (one wavy circle, finer and finer), of the
position's sigma, each for `Airspace.margins` in feed order; and of tracks, for the whole step against every state. One core; the
median of five. The first question, which builds the index, is not in the figure.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from airspace_sets import EUROPE, traffic
from run import stay_single, use_cores

FOLDER = Path(__file__).resolve().parent
Line = list[tuple[float, float]]


def nanoseconds(airspace: Any, lat: np.ndarray, lon: np.ndarray, sigma_m: float) -> float:
    """Median time for a report."""
    given = (lat, lon, np.tile([sigma_m**2, 0.0, sigma_m**2], (len(lat), 1)), np.zeros(len(lat)))
    airspace.margins(*given)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        airspace.margins(*given)
        took.append(time.perf_counter() - begin)
    return statistics.median(took) / len(lat) * 1e9


def wavy(vertices: int) -> Any:
    """A volume of this many vertices: a circle of 250 km around 60 N 25 E with waves on it."""
    from airvigil.airspace.volumes import make_volume

    angle = np.arange(vertices) / vertices * 2.0 * math.pi
    radius = 2.25 * (1.0 + 0.02 * np.sin(37.0 * angle) + 0.004 * np.sin(391.0 * angle))
    ring = np.column_stack([60.0 + radius * np.sin(angle), 25.0 + 2.0 * radius * np.cos(angle)])
    return make_volume("wavy", [np.concatenate([ring, ring[:1]])])


def by_volumes() -> Line:
    """ns a report against 1 to 253 volumes."""
    from airspace_sets import sky
    from airvigil.airspace.margins import Airspace

    states = sky("states")
    volumes = states.volumes()
    nearest = sorted(
        range(len(volumes)),
        key=lambda k: states.areas[k].distance(states.areas[states.names.index("Estonia")]),
    )
    lat, lon = traffic(EUROPE, 50, "feed")
    return [
        (count, nanoseconds(Airspace([volumes[k] for k in nearest[:count]]), lat, lon, 50.0))
        for count in (1, 4, 16, 64, len(volumes))
    ]


def by_vertices() -> Line:
    """ns a report against 100 to 1,000,000 vertices."""
    from airvigil.airspace.margins import Airspace

    lat, lon = traffic((56.5, 63.5, 18.0, 32.0), 50, "feed")
    return [(count, nanoseconds(Airspace([wavy(count)]), lat, lon, 50.0)) for count in (100, 1_000, 10_000, 100_000, 1_000_000)]  # fmt: skip


def by_sigma() -> Line:
    """ns a report against sigmas of 3 m to 3 km; beyond the index's reach the wide path answers."""
    from airspace_sets import sky
    from airvigil.airspace.margins import Airspace

    airspace = Airspace(sky("fir").volumes())
    lat, lon = traffic(EUROPE, 20, "feed")
    return [
        (sigma, nanoseconds(airspace, lat, lon, sigma))
        for sigma in (3.0, 10.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 3_000.0)
    ]


def by_tracks() -> Line:
    """ns a report in the whole step with 100 to 100,000 tracks."""
    from step_cases import run, ticks

    line = []
    for tracks in (100, 1_000, 10_000, 100_000):
        tables = ticks(tracks, 30)
        run(tables)
        took = run(tables)[10:]
        line.append((tracks, statistics.median(took) / tracks * 1e9))
    return line


CHARTS: dict[str, tuple[Callable[[], Line], str]] = {
    "volumes": (by_volumes, "number of volumes, the nearest to Estonia first"),
    "vertices": (by_vertices, "vertices of one volume"),
    "sigma": (by_sigma, "1 sigma of the position, m; 58 FIRs"),
    "tracks": (by_tracks, "tracks; the whole step, every state"),
}


def draw(lines: dict[str, Line]) -> None:
    """All charts on one page."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "airvigil"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), constrained_layout=True)
    for chart, (name, line) in zip(axes.ravel(), lines.items(), strict=True):
        x, y = zip(*line, strict=True)
        chart.plot(x, y, "o-", color="#1f5f8b")
        chart.set_xscale("log")
        chart.set_ylim(0, max(y) * 1.15)
        chart.set_xlabel(CHARTS[name][1])
        chart.set_ylabel("ns a report, one core")
        chart.grid(True, alpha=0.3)
    figure.suptitle("What a report costs; source: python bench/scaling.py, figures in bench/scaling.json")
    figure.savefig(FOLDER / "scaling.svg", metadata={"Date": None})


def main() -> int:
    """Measure and draw."""
    stay_single()
    use_cores(1)
    lines = {}
    for name, (measure, _) in CHARTS.items():
        lines[name] = measure()
        print(name, [(x, round(y)) for x, y in lines[name]], flush=True)
    (FOLDER / "scaling.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    draw(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
