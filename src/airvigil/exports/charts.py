"""Charts over time as SVG: margin to the boundary, ground speed, pressure altitude.

Every chart has a UTC axis, units, ±1 and ±2 sigma bands where the accuracy is known, and its source
line. Where there is no report there is no line; what the engine bridged between reports is dashed.
The plain numbers stand in the page's tables; a chart that needs its colours to be read is a defect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from airvigil.exports.chart_axes import BELOW, LEFT, RIGHT, TOP, WIDTH, Axes, Plot, Series, grid, heading
from airvigil.exports.map_decoration import watermark
from airvigil.exports.map_svg import SERIES, member_label
from airvigil.exports.run_view import BoolArray, Event, FloatArray, Run, Track
from airvigil.exports.smoothed_speed import speed_after_the_fact
from airvigil.exports.svg import element, path, points, split_at_gaps, text, title
from airvigil.exports.track_pieces import MemberTrack, inside_intervals
from airvigil.exports.wording import MARGIN_CAP_M, clock, file_name, iso_from_ns, listed, ns_from_iso
from airvigil.units import M_PER_FT, MPS_PER_KT, NS_PER_S

MOST_MEMBERS = 6


def margin_chart_svg(
    run: Run, incident: Event, members: Sequence[MemberTrack], *, key: str, around_s: float
) -> str | None:
    """Signed distance to the boundary over time, inside above zero; None without margins."""
    window = _window(members, around_s)
    series = []
    for index, member in enumerate(members[:MOST_MEMBERS]):
        found = run.margins.get((str(member.member.get("track_id")), str(incident.get("volume"))))
        if found is None or window is None:
            continue
        keep = (found.time_ns >= window[0]) & (found.time_ns <= window[1])
        label = member_label(member.member, index)
        # a margin of exactly 50 km is a cap, not a measurement
        value = np.where(np.abs(found.margin_m) < MARGIN_CAP_M, found.margin_m / 1000.0, np.nan)
        series.append(
            Series(
                label,
                index % SERIES,
                found.time_ns[keep],
                value[keep],
                found.sigma_m[keep] / 1000.0,
                found.bridged[keep],
            )
        )
    axes = Axes(
        "Distance to the boundary, inside positive",
        "km",
        figure_source(run, members),
        ("NM", 1.852),
        has_zero=True,
        height=260.0,
    )
    return _chart(
        series, axes, members, window, key=key, is_reconstruction=bool(incident.get("reconstruction"))
    )


def speed_chart_svg(
    run: Run, incident: Event, members: Sequence[MemberTrack], *, key: str, around_s: float
) -> str | None:
    """Ground speed over time, smoothed where that is more accurate; None if no member has any."""
    window = _window(members, around_s)
    series, is_smoothed = [], False
    for index, track in _shown_tracks(members, window):
        speed = speed_after_the_fact(track)
        is_smoothed |= speed.is_smoothed
        label = member_label(members[index].member, index)
        series.append(_series(label, index, track, speed.value_mps, speed.sigma_mps))
    name = "Ground speed, smoothed after the fact" if is_smoothed else "Ground speed"
    axes = Axes(name, "m/s", figure_source(run, members), ("kt", MPS_PER_KT), height=170.0)
    return _chart(
        series, axes, members, window, key=key, is_reconstruction=bool(incident.get("reconstruction"))
    )


def altitude_chart_svg(
    run: Run, incident: Event, members: Sequence[MemberTrack], *, key: str, around_s: float
) -> str | None:
    """Pressure altitude over time; None if no member has any."""
    axes = Axes(
        "Pressure altitude (1013.25 hPa)", "m", figure_source(run, members), ("ft", M_PER_FT), height=150.0
    )
    window = _window(members, around_s)
    series = [
        _series(
            member_label(members[index].member, index),
            index,
            track,
            track["pressure_altitude_m"],
            np.full(len(track), np.nan),
        )
        for index, track in _shown_tracks(members, window)
    ]
    return _chart(
        series, axes, members, window, key=key, is_reconstruction=bool(incident.get("reconstruction"))
    )


def figure_source(run: Run, members: Sequence[MemberTrack]) -> str:
    """Who measured these tracks, or that a generator made them; files by their own names only."""
    tracks = [member.track for member in members if member.track is not None]
    sensors = list(dict.fromkeys(sensor for track in tracks for sensor in track.sensors))
    made = any(track.is_made for track in tracks) or any(m.spell.get("reconstruction") for m in members)
    tool = f"Airvigil {run.started.get('version') or ''}".rstrip()
    names = listed(sensors, most=3)
    if made:
        case = f" ({run.title})" if run.title else ""
        by = f"; {'sensor' if len(sensors) == 1 else 'sensors'}: {names}" if sensors else ""
        return f"Source: generated{case}{by}; {tool}"
    files = [
        file_name(i.get("name")) for i in run.inputs if not sensors or i.get("sensor") in (None, *sensors)
    ]
    shown = ", ".join(files[:2]) + (f" and {len(files) - 2} more" if len(files) > 2 else "")
    return f"Source: {' · '.join(filter(None, [names, shown])) or 'inputs of the run'}; {tool}"


def _window(members: Sequence[MemberTrack], around_s: float) -> tuple[int, int] | None:
    spans = [i for m in members for i in inside_intervals(m.member, m.spell, m.track)]
    if not spans:
        return None
    around = int(around_s * NS_PER_S)
    return min(s[0] for s in spans) - around, max(s[1] for s in spans) + around


def _shown_tracks(
    members: Sequence[MemberTrack], window: tuple[int, int] | None
) -> Iterator[tuple[int, Track]]:
    """(index, track) of the members that are drawn, cut to the window and to what is credible."""
    for index, member in enumerate(members[:MOST_MEMBERS]):
        if member.track is not None and window is not None:
            times = member.track.time_ns
            yield (
                index,
                member.track.where((times >= window[0]) & (times <= window[1]) & member.track.credible),
            )


def _series(label: str, index: int, track: Track, value: FloatArray, sigma: FloatArray) -> Series:
    return Series(label, index % SERIES, track.time_ns, value, sigma, np.zeros(len(track), np.bool_))


def thin(series: Series, most: int = 420) -> Series:
    """Fewer points, but the extremes of every stretch are kept.

    Of each of `most / 3` equal stretches the first, lowest and highest point stay; the last point
    of all does too.
    """
    if len(series.time_ns) <= most:
        return series
    edges = np.linspace(0, len(series.time_ns), most // 3 + 1).astype(int)
    keep = {0, len(series.time_ns) - 1}
    for begin, end in pairwise(edges.tolist()):
        keep.add(begin)
        part = series.value[begin:end]
        if np.isfinite(part).any():
            keep |= {int(begin + np.nanargmin(part)), int(begin + np.nanargmax(part))}
    rows = np.array(sorted(keep))
    return Series(
        series.label,
        series.style,
        series.time_ns[rows],
        series.value[rows],
        series.sigma[rows],
        series.is_bridged[rows],
    )


def _chart(
    series: list[Series],
    axes: Axes,
    members: Sequence[MemberTrack],
    window: tuple[int, int] | None,
    *,
    key: str,
    is_reconstruction: bool,
) -> str | None:
    series = [thin(s) for s in series if np.isfinite(s.value).any()]
    if not series or window is None:
        return None
    plot = _plot(series, axes, window)
    shade, marks = _inside(plot, members)
    area = element("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=axes.height)
    bands = (2.0, 1.0) if len(series) == 1 or axes.has_zero else (1.0,)  # three noisy bands are a thicket
    drawn = shade + "".join(_bands(s, plot, bands) for s in series) + "".join(_lines(s, plot) for s in series)
    mark = (
        element("g", watermark(WIDTH, axes.height), transform="translate(0 20)") if is_reconstruction else ""
    )
    total = TOP + axes.height + BELOW
    name = axes.name + (" (reconstruction)" if is_reconstruction else "")
    return element(
        "svg",
        title(f"{name}, {axes.unit}, over time, UTC"),
        element("defs", element("clipPath", area, id=f"clip-{key}")),
        element("rect", x=LEFT, y=TOP, width=WIDTH - LEFT - RIGHT, height=axes.height, class_="plot"),
        grid(plot, axes),
        element("g", mark, drawn, clip_path=f"url(#clip-{key})"),
        _zero(plot) if axes.has_zero else "",
        marks,
        heading(series, axes, bands, is_reconstruction=is_reconstruction),
        text(LEFT, total - 6.0, axes.source, class_="source"),
        viewBox=f"0 0 {WIDTH:.0f} {total:.0f}",
        class_="figure chart",
        role="img",
        aria_label=name,
        xmlns="http://www.w3.org/2000/svg",
        data_from=iso_from_ns(plot.from_ns),
        data_to=iso_from_ns(plot.to_ns),
        data_low=f"{plot.low:.6g}",
        data_high=f"{plot.high:.6g}",
        data_box=f"{LEFT:.0f} {TOP:.0f} {WIDTH - LEFT - RIGHT:.0f} {axes.height:.0f}",
        data_unit=axes.unit,
    )


def _zero(plot: Plot) -> str:
    """The boundary as a line, where it lies within the plot, and which side is which."""
    if not plot.low < 0.0 < plot.high:
        return ""
    y = plot.at(plot.from_ns, 0.0)[1]
    zero = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="zero")
    if plot.high > 0.12 * (plot.high - plot.low):
        zero += text(WIDTH - RIGHT - 6.0, y - 6.0, "inside ↑", class_="note", text_anchor="end")
    return zero + text(WIDTH - RIGHT - 6.0, y + 16.0, "outside ↓", class_="note", text_anchor="end")


def _plot(series: Sequence[Series], axes: Axes, window: tuple[int, int]) -> Plot:
    values = np.concatenate([s.value for s in series])
    spread = np.concatenate([s.sigma for s in series])
    fine = np.isfinite(values)
    bare = float(np.ptp(values[fine]))
    # a wild sigma may leave the paper; it must not squeeze the line flat
    reach = np.minimum(
        np.nan_to_num(2.0 * spread[fine]), 0.6 * bare + 0.05 * float(np.abs(values[fine]).max())
    )
    low, high = float((values[fine] - reach).min()), float((values[fine] + reach).max())
    if axes.has_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.08 * (high - low) or max(0.1 * abs(high), 1.0)
    times = np.concatenate([s.time_ns[np.isfinite(s.value)] for s in series])
    begin, end = max(window[0], int(times.min())), min(window[1], int(times.max()))
    if end <= begin:
        begin, end = begin - 30 * NS_PER_S, end + 30 * NS_PER_S
    return Plot(begin, end, low - room, high + room, axes.height)


def _inside(plot: Plot, members: Sequence[MemberTrack]) -> tuple[str, str]:
    """Shading from the first entry to the last exit, and the marks with the times."""
    spans = [i for m in members for i in inside_intervals(m.member, m.spell, m.track)]
    if not spans:
        return "", ""
    entry, leave = min(s[0] for s in spans), max(s[1] for s in spans)
    x0, x1 = plot.at(entry, 0.0)[0], plot.at(leave, 0.0)[0]
    shades, marks = (
        [element("rect", x=x0, y=TOP, width=max(x1 - x0, 1.0), height=plot.height, class_="inside")],
        [],
    )
    ends = [
        (x0, "in", entry, [m.member.get("entry") for m in members]),
        (x1, "out", leave, [m.member.get("exit") for m in members]),
    ]
    for x, word, instant, sources in ends:
        if not LEFT - 1.0 <= x <= WIDTH - RIGHT + 1.0:
            continue
        kinds = {
            str((end or {}).get("kind")) for end in sources if ns_from_iso((end or {}).get("time")) == instant
        }
        words = {"first_seen": "first seen", "last_seen": "last seen"}.get(next(iter(kinds), ""), word)
        marks.append(element("line", x1=x, x2=x, y1=TOP, y2=TOP + plot.height, class_="edge"))
        outward = "end" if (word == "in") == (x > LEFT + 110.0) and x > LEFT + 110.0 else "start"
        shift = -5.0 if outward == "end" else 5.0
        marks.append(
            text(
                x + shift,
                TOP + 16.0,
                f"{words} {clock(instant)}",
                class_="callout strong",
                text_anchor=outward,
            )
        )
    return "".join(shades), "".join(marks)


def _bands(series: Series, plot: Plot, bands: Sequence[float]) -> str:
    parts = []
    for sigmas in bands:
        upper, lower = series.value + sigmas * series.sigma, series.value - sigmas * series.sigma
        x = plot.x(series.time_ns)
        edges = np.column_stack([x, plot.y(upper), plot.y(lower)])
        rings = [
            np.vstack([piece[:, [0, 1]], piece[::-1][:, [0, 2]]])
            for piece in split_at_gaps(edges, _breaks(series))
            if len(piece) > 1
        ]
        if rings:
            parts.append(
                element("path", d=path(rings, closed=True), class_=f"sigma{sigmas:.0f} s{series.style}")
            )
    return "".join(parts)


def _lines(series: Series, plot: Plot) -> str:
    xy = np.column_stack([plot.x(series.time_ns), plot.y(series.value)])
    breaks = _breaks(series)
    parts = []
    for piece in split_at_gaps(xy, breaks):
        if len(piece) == 1:
            parts.append(
                element(
                    "circle",
                    cx=float(piece[0, 0]),
                    cy=float(piece[0, 1]),
                    r=2.5,
                    class_=f"dot s{series.style}",
                )
            )
        else:
            parts.append(
                element(
                    "polyline", points=points(piece), class_=f"line s{series.style}", data_label=series.label
                )
            )
    bridged = xy.copy()
    near = series.is_bridged | np.roll(series.is_bridged, 1) | np.roll(series.is_bridged, -1)
    bridged[~near] = np.nan
    dashes = path(split_at_gaps(bridged, breaks)) if series.is_bridged.any() else ""
    return "".join(parts) + (element("path", d=dashes, class_="bridged") if dashes else "")


def _breaks(series: Series) -> BoolArray:
    """True before a point that comes after a gap four times the usual step, and a minute at least."""
    step = np.diff(series.time_ns, prepend=series.time_ns[:1])
    usual = float(np.median(step[1:])) if len(step) > 1 else 0.0
    return np.asarray(step > max(4.0 * usual, 60.0 * NS_PER_S), dtype=np.bool_)
