"""Maps as SVG: coast, boundaries, tracks with their band, entry and exit, scale, north, graticule.

Colours come from the classes in `figures.css`, so one picture serves light, dark and print. Inside
and outside differ by width, members by letter, colour and dash: none by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from airvigil.exports.label_places import LabelPlaces
from airvigil.exports.map_decoration import decoration, footer, graticule, source_lines, watermark
from airvigil.exports.map_ground import boundaries, ground, volume_labels
from airvigil.exports.map_projection import MapFrame, frame_around
from airvigil.exports.run_view import Event, FloatArray, VolumeShape
from airvigil.exports.svg import element, path, text, title
from airvigil.exports.track_pieces import MemberTrack, band_polygon, inside_intervals
from airvigil.exports.wording import clock, known, member_name, ns_from_iso
from airvigil.units import NS_PER_S

SERIES = 6  # member styles before they repeat; .s0 to .s5 in figures.css


@dataclass(frozen=True)
class Ground:
    """What lies under a track: coast and volumes, as the airspace room gives them.

    coastline: arrays (n, 2) of latitude, longitude; closed ones are filled as land.
    """

    coastline: Sequence[FloatArray]
    volumes: Sequence[VolumeShape]
    source: str


def letter(index: int) -> str:
    """A, B, ..., Z, AA: the name of a member in figures and tables."""
    head, tail = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(65 + tail)


def member_label(member: Mapping[str, Any], index: int) -> str:
    """A member in a legend: `A · track 3`."""
    return f"{letter(index)} · {member_name(member)}"


def incident_map_svg(
    incident: Event,
    members: Sequence[MemberTrack],
    land: Ground,
    *,
    key: str,
    around_s: float,
    sources: Sequence[str] = (),
    width: float = 960.0,
) -> str | None:
    """The map of one incident, or None if no member has a position.

    Args:
        key: makes ids unique in a document that holds several maps; a name, not outside text.
        around_s: seconds of track shown before the entry and after the exit.
        sources: of the tracks, one line each; the ground has its own.
        width: of the paper, in units; less makes the writing larger beside it.
    """
    shown = [_near(member, around_s) for member in members]
    spots = [_spots(member) for member in shown]
    positions = np.vstack([np.zeros((0, 2)), *spots])
    if not np.isfinite(positions).all(axis=1).any():
        return None
    frame = frame_around(positions[:, 0], positions[:, 1], width=width, heights=(0.46 * width, 0.6 * width))
    made = bool(incident.get("reconstruction"))
    labels = free_room(frame, is_reconstruction=made)
    tracks = "".join(_member_svg(m, i, frame, labels) for i, m in enumerate(shown))
    marks = _end_marks(shown, frame, labels) + _minute_marks(shown, frame, labels)
    volume = str(incident.get("volume"))
    inner = (
        ground(land.coastline, frame)
        + boundaries(land.volumes, frame, infringed=volume)
        + graticule(frame)
        + (watermark(frame.width, frame.height) if made else "")
        + tracks
        + volume_labels(land.volumes, frame, labels, infringed=volume)
        + marks
    )
    name = f"Map of incident {incident.get('incident_id')}"
    legend = [(f"s{i % SERIES}", member_label(m.member, i)) for i, m in enumerate(shown[:4])]
    if len(shown) > 4:
        legend.append(("", f"and {len(shown) - 4} more"))
    return sheet(
        frame,
        inner,
        name=name,
        key=key,
        legend=legend,
        sources=[*sources, land.source],
        is_reconstruction=made,
    )


def free_room(frame: MapFrame, *, is_reconstruction: bool) -> LabelPlaces:
    """Where labels may stand: not in the north arrow's corner, and not on the word that it was made."""
    labels = LabelPlaces(frame.width, frame.height)
    labels.taken.append((frame.width - 60.0, 0.0, frame.width, 74.0))
    if is_reconstruction:
        labels.taken.append((0.0, 0.0, 190.0, 44.0))
    return labels


def sheet(
    frame: MapFrame,
    inner: str,
    *,
    name: str,
    key: str,
    legend: list[tuple[str, str]],
    sources: Sequence[str],
    is_reconstruction: bool,
) -> str:
    """The frame cut to its edge, with what stands around it."""
    below = 58.0 + 16.0 * len(source_lines(frame.width, sources))
    clip = element("clipPath", element("rect", width=frame.width, height=frame.height), id=f"clip-{key}")
    body = element(
        "g",
        element("rect", width=frame.width, height=frame.height, class_="sea"),
        inner,
        clip_path=f"url(#clip-{key})",
    )
    around = decoration(frame, is_reconstruction=is_reconstruction) + footer(frame, legend, sources)
    return element(
        "svg",
        title(name + (" (reconstruction)" if is_reconstruction else "")),
        element("defs", clip),
        body,
        around,
        viewBox=f"-60 -8 {frame.width + 68:.0f} {frame.height + 8 + below:.0f}",
        class_="figure map",
        role="img",
        aria_label=name + (", reconstruction" if is_reconstruction else ""),
        xmlns="http://www.w3.org/2000/svg",
    )


def _near(member: MemberTrack, around_s: float) -> MemberTrack:
    intervals = inside_intervals(member.member, member.spell, member.track)
    if member.track is None or not intervals:
        return member
    around = int(around_s * NS_PER_S)
    begin, end = intervals[0][0] - around, intervals[-1][1] + around
    pieces = []
    for piece in member.pieces:
        keep = (piece.time_ns >= begin) & (piece.time_ns <= end)
        if keep.any():
            pieces.append(
                type(piece)(
                    piece.inside,
                    piece.time_ns[keep],
                    piece.latitude_deg[keep],
                    piece.longitude_deg[keep],
                    piece.geometric_height_m[keep],
                )
            )
    return MemberTrack(member.member, member.spell, member.track, tuple(pieces))


def _spots(member: MemberTrack) -> FloatArray:
    """Every place that the map must show of one member: (n, 2) latitude, longitude."""
    rows = [np.column_stack([piece.latitude_deg, piece.longitude_deg]) for piece in member.pieces]
    for role in ("entry", "exit"):
        end = member.member.get(role) or {}
        latitude, longitude = known(end.get("latitude_deg")), known(end.get("longitude_deg"))
        if latitude is not None and longitude is not None:
            rows.append(np.array([[latitude, longitude]]))
    return np.vstack([np.zeros((0, 2)), *rows])


def _member_svg(member: MemberTrack, index: int, frame: MapFrame, labels: LabelPlaces) -> str:
    style = f"s{index % SERIES}"
    parts = []
    intervals = inside_intervals(member.member, member.spell, member.track)
    if member.track is not None and len(member.track):
        for begin, end in intervals:
            band = band_polygon(member.track, frame.plane, from_ns=begin, to_ns=end)
            rings = _rings_on_paper(band, frame)
            if rings:
                parts.append(
                    element("path", d=path(rings, closed=True), class_=f"band {style}", fill_rule="evenodd")
                )
    for piece in member.pieces:
        xy = frame.xy(piece.latitude_deg, piece.longitude_deg)
        labels.avoid(xy)
        where = "in" if piece.inside else "out"
        tip = title(f"{member_label(member.member, index)}, {'inside' if piece.inside else 'outside'}")
        parts.append(element("path", tip, d=path([_simple(xy)]), class_=f"track {where} {style}"))
    return element("g", *parts) if parts else ""


def _rings_on_paper(shape: object, frame: MapFrame) -> list[FloatArray]:

    rings = shapely.get_rings(shapely.get_parts(shapely.simplify(shape, frame.metres_per_unit * 0.3)))
    turned = []
    for ring in rings:
        xy = shapely.get_coordinates(ring)
        x = (xy[:, 0] - frame.centre_east_m) / frame.metres_per_unit + frame.width / 2.0
        y = frame.height / 2.0 - (xy[:, 1] - frame.centre_north_m) / frame.metres_per_unit
        turned.append(np.column_stack([x, y]))
    return turned


def _simple(xy: FloatArray) -> FloatArray:

    return (
        np.asarray(shapely.get_coordinates(shapely.simplify(shapely.linestrings(xy), 0.25)))
        if len(xy) > 2
        else xy
    )


def _end_marks(members: Sequence[MemberTrack], frame: MapFrame, labels: LabelPlaces) -> str:
    """A marker at every entry and exit; a label with the time at the first entry and the last exit."""
    parts: list[str] = []
    for role, words in (
        ("entry", {"crossing": "in", "first_seen": "first seen"}),
        ("exit", {"crossing": "out", "last_seen": "last seen"}),
    ):
        spots = []
        for member in members:
            end = member.member.get(role) or {}
            instant = ns_from_iso(end.get("time"))
            latitude, longitude = known(end.get("latitude_deg")), known(end.get("longitude_deg"))
            if latitude is not None and longitude is not None and instant is not None:
                x, y = frame.xy(np.array([latitude]), np.array([longitude]))[0]
                spots.append((instant, float(x), float(y), str(words.get(str(end.get("kind")), role))))
        spots.sort()
        for instant, x, y, word in spots:
            shape = (
                f"M{x - 6:.1f},{y - 5:.1f}h12l-6,10.5z"
                if role == "entry"
                else f"M{x - 6:.1f},{y + 5:.1f}h12l-6,-10.5z"
            )
            parts.append(
                element("path", title(f"{word} {clock(instant)} UTC"), d=shape, class_=f"mark {role}")
            )
        if spots:
            instant, x, y, word = spots[0] if role == "entry" else spots[-1]
            parts.append(callout(x, y, [f"{word} {clock(instant)}"], labels, strong=True))
    return "".join(parts)


def callout(
    x: float, y: float, lines: list[str], labels: LabelPlaces, *, strong: bool = False, reach: float = 18.0
) -> str:
    left, top, right, bottom = labels.place(x, y, lines, size=14.0 if strong else 12.5, reach=reach)
    middle_x, middle_y = min(max(x, left), right), min(max(y, top), bottom)
    leader = element("line", x1=x, y1=y, x2=middle_x, y2=middle_y, class_="leader") if strong else ""
    rows = [
        text(
            (left + right) / 2,
            top + 15.0 + 16.0 * k,
            line,
            class_="callout strong" if strong else "callout",
            text_anchor="middle",
        )
        for k, line in enumerate(lines)
    ]
    return leader + "".join(rows)


def _minute_marks(members: Sequence[MemberTrack], frame: MapFrame, labels: LabelPlaces) -> str:
    """Ticks with the time at round minutes along the first member."""
    member = next((m for m in members if m.pieces), None)
    if member is None:
        return ""
    times = np.concatenate([piece.time_ns for piece in member.pieces])
    xy = np.vstack([frame.xy(piece.latitude_deg, piece.longitude_deg) for piece in member.pieces])
    times, first = np.unique(times, return_index=True)
    xy = xy[first]
    if len(times) < 3:
        return ""
    span = int(times[-1] - times[0])
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 360)
    step = next((s for s in steps if span / (s * 60 * NS_PER_S) <= 8), steps[-1]) * 60 * NS_PER_S
    parts = []
    for instant in range(int(-(-times[0] // step) * step), int(times[-1]) + 1, step):
        at = (instant - times[0]) / NS_PER_S
        seconds = (times - times[0]) / NS_PER_S
        x, y = float(np.interp(at, seconds, xy[:, 0])), float(np.interp(at, seconds, xy[:, 1]))
        after = int(np.clip(np.searchsorted(times, instant), 1, len(times) - 1))
        dx, dy = xy[after] - xy[after - 1]
        norm = float(np.hypot(dx, dy)) or 1.0
        ex, ey = float(-dy / norm * 6.0), float(dx / norm * 6.0)
        parts.append(element("line", x1=x - ex, y1=y - ey, x2=x + ex, y2=y + ey, class_="tick"))
        parts.append(callout(x, y, [clock(instant, seconds=False)], labels, reach=8.0))
    return "".join(parts)
