"""A track cut where it enters and leaves a volume, and the band of its uncertainty.

Where a spell begins with a crossing, the crossing point itself ends the piece outside and begins
the one inside, so that drawn lines meet on the boundary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from airvigil.exports.map_projection import LocalPlane
from airvigil.exports.run_view import FloatArray, IntArray, Run, Track
from airvigil.exports.wording import known, ns_from_iso

BAND_SIGMAS = 2.0  # half-width of a drawn band; 95 % of a normal error across the track


@dataclass(frozen=True)
class Piece:
    """A stretch of a track, all inside or all outside. Arrays (n,), NaN height = unknown."""

    inside: bool
    time_ns: IntArray
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    geometric_height_m: FloatArray


@dataclass(frozen=True)
class MemberTrack:
    """One member of an incident with its track (None if the tables have none) and its pieces."""

    member: Mapping[str, Any]
    spell: Mapping[str, Any]
    track: Track | None
    pieces: tuple[Piece, ...]


def member_tracks(run: Run, incident: Mapping[str, Any], *, around_s: float = 600.0) -> list[MemberTrack]:
    """The members of an incident with their tracks.

    Args:
        around_s: seconds of track kept before the entry and after the exit.
    """
    found = []
    for member in incident.get("members") or []:
        spell = run.spells.get(str(member.get("spell_id")), {})
        track = run.tracks.get(str(member.get("track_id")))
        intervals = inside_intervals(member, spell, track)
        if track is not None and intervals:
            around = int(around_s * 1e9)
            from_ns, to_ns = intervals[0][0] - around, intervals[-1][1] + around
            track = track.where((track.time_ns >= from_ns) & (track.time_ns <= to_ns))
        pieces = () if track is None else tuple(_pieces(track, intervals, member, spell))
        found.append(MemberTrack(member, spell, track, pieces))
    return found


def inside_intervals(
    member: Mapping[str, Any], spell: Mapping[str, Any], track: Track | None
) -> list[tuple[int, int]]:
    """(from, to) ns of each stay inside; a spell without an exit lasts to the track's end."""
    entry = ns_from_iso((member.get("entry") or spell.get("entry") or {}).get("time"))
    leave = ns_from_iso((member.get("exit") or spell.get("exit") or {}).get("time"))
    if entry is None:
        return []
    if leave is None:
        leave = int(track.time_ns[-1]) if track is not None and len(track) else entry
    intervals, begin = [], entry
    for gap in spell.get("reentries") or []:
        out, back = (ns_from_iso(_instant(gap.get(key))) for key in ("exit", "entry"))
        if out is not None and back is not None and begin <= out <= back <= leave:
            intervals.append((begin, out))
            begin = back
    return [*intervals, (begin, max(begin, leave))]


def assumed_inside(members: Sequence[MemberTrack]) -> tuple[int, int] | None:
    """(positions with an assumed accuracy, all positions) among the believed ones inside; None if nobody says."""
    assumed = total = 0
    for m in members:
        if m.track is None:
            continue
        inside = np.zeros(len(m.track), np.bool_)
        for from_ns, to_ns in inside_intervals(m.member, m.spell, m.track):
            inside |= (m.track.time_ns >= from_ns) & (m.track.time_ns <= to_ns)
        marks = m.track["accuracy_assumed"][inside & m.track.credible]
        assumed += int(np.count_nonzero(marks == 1.0))
        total += int(np.count_nonzero(np.isfinite(marks)))
    return (assumed, total) if total else None


def _instant(end: Any) -> str | None:
    """A re-entry's end is an instant, or an object that has one as `time`."""
    value = end.get("time") if isinstance(end, Mapping) else end
    return value if isinstance(value, str) else None


def _pieces(
    track: Track, intervals: list[tuple[int, int]], member: Mapping[str, Any], spell: Mapping[str, Any]
) -> list[Piece]:
    keep = track.credible & np.isfinite(track["latitude_deg"]) & np.isfinite(track["longitude_deg"])
    shown = track.where(keep)
    times, rows = shown.time_ns, _rows(shown)
    if intervals:
        extra_t, extra = _ends(intervals, member, spell)
        fresh = ~np.isin(extra_t, times)
        times, rows = np.concatenate([times, extra_t[fresh]]), np.vstack([rows, extra[fresh]])
        order = np.argsort(times, kind="stable")
        times, rows = times[order], _with_heights(rows[order], np.isin(times[order], extra_t))
    pieces, begin = [], None
    for from_ns, to_ns in intervals:
        before = (times <= from_ns) & ((times >= begin) if begin is not None else True)
        pieces.append(_piece(False, times, rows, before))
        pieces.append(_piece(True, times, rows, (times >= from_ns) & (times <= to_ns)))
        begin = to_ns
    rest = np.ones(len(times), np.bool_) if begin is None else times >= begin
    pieces.append(_piece(False, times, rows, rest))
    return [piece for piece in pieces if len(piece.time_ns) > (0 if piece.inside else 1)]


def _rows(track: Track) -> FloatArray:
    return np.column_stack([track["latitude_deg"], track["longitude_deg"], track["geometric_height_m"]])


def _ends(
    intervals: list[tuple[int, int]], member: Mapping[str, Any], spell: Mapping[str, Any]
) -> tuple[IntArray, FloatArray]:
    """Entry and exit as rows, if their place is known."""
    times, rows = [], []
    ends = (("entry", intervals[0][0]), ("exit", intervals[-1][1]))
    for key, instant in ends:
        end = member.get(key) or spell.get(key) or {}
        latitude, longitude = known(end.get("latitude_deg")), known(end.get("longitude_deg"))
        if latitude is not None and longitude is not None:
            times.append(instant)
            rows.append([latitude, longitude, np.nan])
    return np.array(times, np.int64), np.array(rows, np.float64).reshape(-1, 3)


def _with_heights(rows: FloatArray, is_end: npt.NDArray[np.bool_]) -> FloatArray:
    """Give a crossing the height between its two neighbours, where both have one."""
    for row in np.flatnonzero(is_end & np.isnan(rows[:, 2])):
        if 0 < row < len(rows) - 1:
            rows[row, 2] = (rows[row - 1, 2] + rows[row + 1, 2]) / 2.0
    return rows


def _piece(inside: bool, times: IntArray, rows: FloatArray, keep: npt.NDArray[np.bool_]) -> Piece:
    part = rows[keep]
    return Piece(inside, times[keep], part[:, 0], part[:, 1], part[:, 2])


def across_sigma_m(track: Track) -> FloatArray:
    """(n,) 1 sigma across the direction of motion (m); NaN where the accuracy is unknown.

    The direction is that of the neighbouring points; for a track of one point the larger axis counts.
    """
    ee, en, nn = track["covariance_ee_m2"], track["covariance_en_m2"], track["covariance_nn_m2"]
    if len(track) < 2:
        half = (ee + nn) / 2.0
        return np.sqrt(half + np.sqrt(((ee - nn) / 2.0) ** 2 + en**2))
    plane = LocalPlane(float(np.nanmean(track["latitude_deg"])), float(track["longitude_deg"][0]))
    step = np.gradient(plane.forward(track["latitude_deg"], track["longitude_deg"]), axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    safe = np.where(length > 0.0, length, 1.0)
    east, north = -step[:, 1] / safe, step[:, 0] / safe
    variance = ee * east**2 + 2.0 * en * east * north + nn * north**2
    variance = np.where(length > 0.0, variance, np.fmax(ee, nn))
    return np.sqrt(np.maximum(variance, 0.0))


def band_polygon(track: Track, plane: LocalPlane, *, from_ns: int, to_ns: int, most_points: int = 160) -> Any:
    """The ±2 sigma band across a track as a shapely geometry in the plane's metres.

    Empty where no accuracy is known. Discs of 2 sigma at the points, joined by their convex hulls
    from point to point, united.
    """
    keep = (track.time_ns >= from_ns) & (track.time_ns <= to_ns) & track.credible
    sigma = across_sigma_m(track) if len(track) else np.zeros(0)
    xy = plane.forward(track["latitude_deg"], track["longitude_deg"])
    keep &= np.isfinite(sigma) & np.isfinite(xy).all(axis=1)
    rows = np.flatnonzero(keep)
    if not len(rows):
        return shapely.Polygon()
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(most_points, len(rows))).round().astype(int))]
    discs = shapely.buffer(shapely.points(xy[rows]), np.maximum(BAND_SIGMAS * sigma[rows], 0.5), quad_segs=4)
    if len(discs) == 1:
        return discs[0]
    pairs = shapely.geometrycollections([[a, b] for a, b in pairwise(discs)])
    return shapely.union_all(shapely.convex_hull(pairs))
