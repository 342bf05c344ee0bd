"""The paper of a chart over time: series, axes, grid, heading and legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airvigil.exports.run_view import BoolArray, FloatArray, IntArray
from airvigil.exports.svg import element, text
from airvigil.exports.wording import clock, date_of
from airvigil.units import NS_PER_S

WIDTH, LEFT, RIGHT, TOP, BELOW = 960.0, 64.0, 62.0, 30.0, 58.0
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True)
class Series:
    """One line with its 1 sigma, in the chart's own unit. Arrays (n,), NaN = unknown."""

    label: str
    style: int
    time_ns: IntArray
    value: FloatArray
    sigma: FloatArray
    is_bridged: BoolArray


@dataclass(frozen=True)
class Axes:
    """What the axes of one chart mean.

    second: a second scale on the right as (unit, chart units in one of it).
    """

    name: str
    unit: str
    source: str
    second: tuple[str, float] | None = None
    has_zero: bool = False
    height: float = 240.0


@dataclass(frozen=True)
class Plot:
    """Paper coordinates of times and values."""

    from_ns: int
    to_ns: int
    low: float
    high: float
    height: float

    def x(self, time_ns: IntArray) -> FloatArray:
        span = max(self.to_ns - self.from_ns, 1)
        return LEFT + (time_ns - self.from_ns).astype(np.float64) / span * (WIDTH - LEFT - RIGHT)

    def y(self, value: FloatArray) -> FloatArray:
        return TOP + (self.high - value) / (self.high - self.low) * self.height

    def at(self, time_ns: int, value: float) -> tuple[float, float]:
        return float(self.x(np.array([time_ns]))[0]), float(self.y(np.array([value]))[0])


def grid(plot: Plot, axes: Axes) -> str:
    parts = []
    for value in _round_values(plot.low, plot.high, axes.height / 42.0):
        y = plot.at(plot.from_ns, value)[1]
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(
            text(LEFT - 8.0, y + 4.5, f"{value:,.10g}".replace("-", "−"), class_="degree", text_anchor="end")
        )
    if axes.second:
        unit, factor = axes.second
        for value in _round_values(plot.low / factor, plot.high / factor, axes.height / 42.0):
            y = plot.at(plot.from_ns, value * factor)[1]
            parts.append(element("line", x1=WIDTH - RIGHT, x2=WIDTH - RIGHT + 5.0, y1=y, y2=y, class_="grid"))
            parts.append(
                text(WIDTH - RIGHT + 9.0, y + 4.5, f"{value:,.10g}".replace("-", "−"), class_="degree")
            )
        parts.append(text(WIDTH - RIGHT + 9.0, TOP - 12.0, unit, class_="unit"))
    step = (
        next((s for s in _STEPS_S if (plot.to_ns - plot.from_ns) / NS_PER_S / s <= 9), _STEPS_S[-1])
        * NS_PER_S
    )
    for instant in range(int(-(-plot.from_ns // step) * step), plot.to_ns + 1, step):
        x = plot.at(instant, 0.0)[0]
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=TOP + plot.height, class_="grid"))
        parts.append(
            text(
                x,
                TOP + plot.height + 18.0,
                clock(instant, seconds=step < 60 * NS_PER_S),
                class_="degree",
                text_anchor="middle",
            )
        )
    right = WIDTH - RIGHT
    parts.append(
        text(
            right, TOP + plot.height + 36.0, f"UTC, {date_of(plot.from_ns)}", class_="unit", text_anchor="end"
        )
    )
    return "".join(parts)


def _round_values(low: float, high: float, wanted: float) -> list[float]:
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-9)))
    step = next(
        (step * f for f in (0.1, 0.2, 0.5, 1.0) if (high - low) / (step * f) <= max(wanted, 2.0)), step * 2.0
    )
    return [round(k * step, 9) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def heading(series: Sequence[Series], axes: Axes, bands: Sequence[float], *, is_reconstruction: bool) -> str:
    parts = [
        text(
            LEFT,
            TOP - 12.0,
            f"{axes.name}, {axes.unit}" + (" · RECONSTRUCTION" if is_reconstruction else ""),
            class_="heading",
        )
    ]
    x, y = LEFT, TOP + axes.height + 36.0
    for s in series[:5]:
        words = s.label if len(s.label) <= 22 else s.label[:21] + "…"
        parts.append(element("path", d=f"M{x:.0f},{y - 4:.0f}h22", class_=f"line s{s.style}"))
        parts.append(text(x + 27.0, y, words, class_="legend"))
        x += 44.0 + len(words) * 7.2
    if any(np.isfinite(s.sigma).any() for s in series):
        parts.append(text(x + 4.0, y, "bands ±1σ, ±2σ" if len(bands) > 1 else "band ±1σ", class_="legend"))
    return "".join(parts)
