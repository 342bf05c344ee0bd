"""What stands on and around every map: graticule, frame, scale bar, north arrow, legend, source."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from airvigil.exports.map_projection import MapFrame
from airvigil.exports.run_view import FloatArray
from airvigil.exports.svg import element, path, text
from airvigil.units import M_PER_NM

_DEGREE_STEPS = (1 / 60, 2 / 60, 5 / 60, 10 / 60, 15 / 60, 20 / 60, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


def watermark(width: float, height: float) -> str:
    """The word across a picture: it must survive a screenshot of any part of it."""
    rows = []
    places = ((0.34, 0.48), (0.64, 0.86)) if height > 300.0 else ((0.3, 0.72), (0.72, 0.72))
    for x, y in places:
        at = f"translate({width * x:.0f} {height * y:.0f}) rotate(-14)"
        rows.append(element("text", "RECONSTRUCTION", class_="watermark", transform=at, text_anchor="middle"))
    return element("g", *rows, aria_hidden="true")


def source_lines(width: float, sources: Sequence[str]) -> list[str]:
    """The lines under a map: its sources and its projection, which has its own line where there is no room."""
    projection = "Stereographic projection, WGS84."
    if not sources:
        return [projection]
    last = f"{sources[-1]}. {projection}"
    fits = len(last) * 6.3 < width
    return [*sources[:-1], *([last] if fits else [sources[-1] + ".", projection])]


def hollow_cross(x: float, y: float, arm: float = 5.0) -> str:
    """Outline of a diagonal cross: a place that was only claimed is drawn empty."""
    w = arm * 0.4
    t = arm - w
    arms = ((t, -t, w, w, -t, t), (t, t, -w, w, -t, -t), (-t, t, -w, -w, t, -t), (-t, -t, w, -w, t, t))
    steps = "".join(f"l{a:.1f},{b:.1f} {c:.1f},{d:.1f} {e:.1f},{f:.1f}" for a, b, c, d, e, f in arms)
    return f"M{x:.1f},{y - w:.1f}{steps}z"


def graticule(frame: MapFrame) -> str:
    """Meridians and parallels at round angles."""
    south, west, north, east = frame.edge_bounds
    latitudes, longitudes = np.linspace(south, north, 25), np.linspace(west, east, 25)
    lines = [frame.xy(np.full(25, latitude), longitudes) for latitude in _angles(south, north, 4)]
    lines += [frame.xy(latitudes, np.full(25, longitude)) for longitude in _angles(west, east, 5)]
    return element("path", d=path(lines), class_="graticule")


def decoration(frame: MapFrame, *, is_reconstruction: bool) -> str:
    """The neat line with its degrees, north arrow, and the reconstruction's tag."""
    parts = [
        element("rect", width=frame.width, height=frame.height, class_="neatline"),
        _degrees(frame),
        _north(frame),
    ]
    if is_reconstruction:
        parts.append(element("rect", x=10.0, y=10.0, width=168.0, height=26.0, class_="tag"))
        parts.append(text(94.0, 28.0, "RECONSTRUCTION", class_="tag-text", text_anchor="middle"))
    return "".join(parts)


def footer(frame: MapFrame, legend: list[tuple[str, str]], sources: Sequence[str]) -> str:
    """Scale bar, legend and source line under the frame."""
    parts = [_scale_bar(frame)]
    x = 330.0
    for style, words in legend:
        y = frame.height + 41.0
        if style == "cross":
            parts.append(element("path", d=hollow_cross(x + 14.0, y - 4.0), class_="claimed"))
        elif style:
            parts.append(
                element(
                    "path",
                    d=f"M{x:.0f},{y - 4:.0f}h26",
                    class_=f"track {style if ' ' in style else 'in ' + style}",
                )
            )
        shown = words if len(words) <= 24 else words[:23] + "…"
        parts.append(text(x + 32.0, y, shown, class_="legend"))
        x += 52.0 + len(shown) * 7.2
    for k, line in enumerate(source_lines(frame.width, sources)):
        parts.append(text(0.0, frame.height + 67.0 + 16.0 * k, line, class_="source"))
    return element("g", *parts)


def _angles(low: float, high: float, wanted: int) -> list[float]:
    step = next((s for s in _DEGREE_STEPS if (high - low) / s <= wanted + 1), _DEGREE_STEPS[-1])
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _angle_text(degrees: float, letters: str) -> str:
    turned = (degrees + 180.0) % 360.0 - 180.0 if letters == "EW" else degrees
    minutes = round(abs(turned) * 60.0)
    whole, rest = divmod(minutes, 60)
    hemisphere = letters[turned < 0.0] if minutes else ""
    return f"{whole}°{rest:02d}′{hemisphere}" if rest else f"{whole}°{hemisphere}"


def _degrees(frame: MapFrame) -> str:
    """Labels where the graticule meets the left and lower edges."""
    south, west, north, east = frame.edge_bounds
    parts = []
    for latitude in _angles(south, north, 4):
        line = frame.xy(np.full(200, latitude), np.linspace(west, east, 200))
        y = _meets(line[:, 0], line[:, 1], 0.0)
        if y is not None and 8.0 < y < frame.height - 8.0:
            parts.append(text(-6.0, y + 4.0, _angle_text(latitude, "NS"), class_="degree", text_anchor="end"))
    for longitude in _angles(west, east, 5):
        line = frame.xy(np.linspace(south, north, 200), np.full(200, longitude))
        x = _meets(line[:, 1], line[:, 0], frame.height)
        if x is not None and 16.0 < x < frame.width - 16.0:
            parts.append(
                text(
                    x,
                    frame.height + 15.0,
                    _angle_text(longitude, "EW"),
                    class_="degree",
                    text_anchor="middle",
                )
            )
    return "".join(parts)


def _meets(along: FloatArray, across: FloatArray, edge: float) -> float | None:
    """Where a line given as (along, across) crosses along = edge."""
    cross = np.flatnonzero((along[:-1] - edge) * (along[1:] - edge) <= 0.0)
    if not len(cross):
        return None
    i = int(cross[0])
    step = along[i + 1] - along[i]
    share = (edge - along[i]) / step if step else 0.0
    return float(across[i] + (across[i + 1] - across[i]) * share)


def _north(frame: MapFrame) -> str:
    """An arrow along the meridian at its own place."""
    x, y = frame.width - 30.0, 40.0
    place = frame.geographic(np.array([[x, y]]))[0]
    tip = frame.xy(np.array([place[0] + 0.01]), np.array([place[1]]))[0]
    angle = math.degrees(math.atan2(tip[0] - x, y - tip[1]))
    needle = element("path", d="M0,-24l8,30l-8,-6l-8,6z", class_="needle")
    return element(
        "g",
        needle,
        text(0.0, 22.0, "N", class_="north", text_anchor="middle"),
        transform=f"translate({x:.0f} {y:.0f}) rotate({angle:.1f})",
    )


def _scale_bar(frame: MapFrame) -> str:
    """Kilometres above, nautical miles below, each a round number."""
    y = frame.height + 36.0
    km = _round_length(240.0 * frame.metres_per_unit / 1000.0)
    nm = _round_length(240.0 * frame.metres_per_unit / M_PER_NM)
    parts = []
    for length, unit_m, unit, top in ((km, 1000.0, "km", y - 5.0), (nm, M_PER_NM, "NM", y + 5.0)):
        width = length * unit_m / frame.metres_per_unit
        parts.append(element("rect", x=0.0, y=top, width=width, height=5.0, class_="scale"))
        parts.append(element("rect", x=0.0, y=top, width=width / 2.0, height=5.0, class_="scale dark"))
        parts.append(
            text(width + 6.0, top + (4.0 if unit == "km" else 10.0), f"{length:g} {unit}", class_="degree")
        )
    return "".join(parts)


def _round_length(most: float) -> float:
    power = 10.0 ** math.floor(math.log10(most))
    return next(f * power for f in (5.0, 2.0, 1.0) if f * power <= most)
