"""The map of one aircraft whose positions were not all believed.

The whole track that is credible is a line, before and after; what was reported and not believed are
hollow crosses, never joined, never a track. Where a credible place is followed by a claimed one, a
dotted line shows the jump.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from airvigil.exports.label_places import LabelPlaces
from airvigil.exports.map_decoration import graticule, hollow_cross, watermark
from airvigil.exports.map_ground import boundaries, ground, volume_labels
from airvigil.exports.map_projection import MapFrame, frame_around
from airvigil.exports.map_svg import Ground, callout, free_room, sheet
from airvigil.exports.run_view import BoolArray, FloatArray, IntArray, Track
from airvigil.exports.svg import element, path, split_at_gaps, text, title
from airvigil.exports.wording import clock
from airvigil.units import NS_PER_S

MOST_CROSSES = 160
HEIGHTS = (380.0, 560.0)
INSET = (250.0, 180.0)
LEAST_ENLARGED = 5
KNOT = 0.09  # share of the width below which claimed places cannot be told apart
GAP_NS = 120 * NS_PER_S  # a line does not bridge a longer silence
JUMP_NS = 3600 * NS_PER_S


def interference_map_svg(
    tracks: Sequence[Track],
    land: Ground,
    *,
    name: str,
    key: str,
    span_ns: tuple[int, int] | None = None,
    claimed_in: Sequence[str] = (),
    sources: Sequence[str] = (),
    is_reconstruction: bool = False,
) -> str | None:
    """What an aircraft claimed and was not believed, beside what was credible; None without positions.

    Args:
        tracks: all tracks of the aircraft, in order of time.
        name: of the picture, for those who hear it.
        key: makes ids unique in a document of several maps; a name, not outside text.
        span_ns: from the first to the last stretch, which the callouts tell of; None: all of it.
        claimed_in: names of the volumes that claimed positions lie in, for the callout.
        sources: of the positions, one line each.
    """
    kept_t, kept = _places(tracks, is_credible=True)
    lost_t, lost = _places(tracks, is_credible=False)
    everything = np.vstack([kept, lost])
    if not len(everything):
        return None
    frame = frame_around(everything[:, 0], everything[:, 1], heights=HEIGHTS, least_span_m=60_000.0)
    labels = free_room(frame, is_reconstruction=is_reconstruction)
    line = frame.xy(kept[:, 0], kept[:, 1])
    drawn = split_at_gaps(line, np.asarray(np.diff(kept_t, prepend=kept_t[:1]) > GAP_NS, np.bool_))
    for piece in drawn:
        labels.avoid(piece)
    labels.obstacles = np.vstack([labels.obstacles, frame.xy(lost[:, 0], lost[:, 1])])
    crosses = frame.xy(lost[:, 0], lost[:, 1])
    told = _within(lost_t, span_ns)
    inset = _inset(frame, lost[told], crosses[told], land, labels)
    inner = (
        ground(land.coastline, frame)
        + boundaries(land.volumes, frame, infringed=None)
        + graticule(frame)
        + (watermark(frame.width, frame.height) if is_reconstruction else "")
        + (element("path", d=path(drawn), class_="track credible s0") if drawn else "")
        + _crosses(crosses)
        + _marks(kept_t, line, lost_t[told], crosses[told], labels, claimed_in)
        + volume_labels(land.volumes, frame, labels, infringed=None)
        + inset
    )
    legend = [("credible s0", "credible track")] if drawn else []
    if len(lost):
        legend.append(("cross", "reported, not believed"))
    return sheet(
        frame,
        inner,
        name=name,
        key=key,
        legend=legend,
        sources=[*sources, land.source],
        is_reconstruction=is_reconstruction,
    )


def _within(times: IntArray, span_ns: tuple[int, int] | None) -> BoolArray:
    """(n,) whether a time lies in the span; all do in None."""
    if span_ns is None:
        return np.ones(len(times), np.bool_)
    return np.asarray((times >= span_ns[0]) & (times <= span_ns[1]), np.bool_)


def _places(tracks: Sequence[Track], *, is_credible: bool) -> tuple[IntArray, FloatArray]:
    """Times and (n, 2) latitude, longitude: filtered where credible, as reported where not."""
    prefix = "" if is_credible else "reported_"
    times, rows = [np.zeros(0, np.int64)], [np.zeros((0, 2))]
    for track in tracks:
        place = np.column_stack([track[f"{prefix}latitude_deg"], track[f"{prefix}longitude_deg"]])
        keep = np.isfinite(place).all(axis=1) & (track.credible == is_credible)
        times.append(track.time_ns[keep])
        rows.append(place[keep])
    order = np.argsort(np.concatenate(times), kind="stable")
    return np.concatenate(times)[order], np.vstack(rows)[order]


def _inset(frame: MapFrame, lost: FloatArray, crosses: FloatArray, land: Ground, labels: LabelPlaces) -> str:
    """The claimed places enlarged in a corner, where the map shows them as a knot; else nothing."""
    if not len(crosses) or float(np.ptp(crosses, axis=0).max()) > KNOT * frame.width:
        return ""
    small = frame_around(
        lost[:, 0], lost[:, 1], width=INSET[0], heights=(INSET[1], INSET[1]), least_span_m=8_000.0
    )
    if small.metres_per_unit > 0.5 * frame.metres_per_unit:
        return ""  # it would show no more than the map does
    if len(np.unique(np.rint(small.xy(lost[:, 0], lost[:, 1]) / 7.0), axis=0)) < LEAST_ENLARGED:
        return ""  # one place, however large
    x, y = _free_corner(frame, labels)
    labels.taken.append((x - 6.0, y - 6.0, x + INSET[0] + 6.0, y + INSET[1] + 6.0))
    km = next(
        (v for v in (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0) if v * 1000.0 < 90.0 * small.metres_per_unit),
        1.0,
    )
    bar = km * 1000.0 / small.metres_per_unit
    drawing = (
        element("rect", width=INSET[0], height=INSET[1], class_="sea")
        + ground(land.coastline, small)
        + boundaries(land.volumes, small, infringed=None)
        + _crosses(small.xy(lost[:, 0], lost[:, 1]))
        + element("rect", x=10.0, y=INSET[1] - 14.0, width=bar, height=4.0, class_="scale dark")
        + text(bar + 16.0, INSET[1] - 9.0, f"{km:g} km", class_="callout")
        + text(10.0, 18.0, "claimed positions, enlarged", class_="callout")
        + element("rect", width=INSET[0], height=INSET[1], class_="neatline")
    )
    name = "Claimed positions, enlarged"
    place = {"x": x, "y": y, "width": INSET[0], "height": INSET[1]}
    box = f"0 0 {INSET[0]:.0f} {INSET[1]:.0f}"
    (left, top), (right, bottom) = crosses.min(axis=0) - 9.0, crosses.max(axis=0) + 9.0
    mark = element(
        "rect",
        x=float(left),
        y=float(top),
        width=float(right - left),
        height=float(bottom - top),
        class_="knot",
    )
    return mark + element("svg", drawing, viewBox=box, role="img", aria_label=name, class_="inset", **place)


def _free_corner(frame: MapFrame, labels: LabelPlaces) -> tuple[float, float]:
    """The corner whose inset hides the least; the upper right belongs to the north arrow."""
    right, low = frame.width - INSET[0] - 12.0, frame.height - INSET[1] - 12.0
    corners = [(12.0, low), (right, low), (12.0, 12.0), (right, 84.0)]
    x, y = labels.obstacles[:, 0], labels.obstacles[:, 1]

    def hidden(corner: tuple[float, float]) -> int:
        inside = (x > corner[0] - 8.0) & (x < corner[0] + INSET[0] + 8.0)
        return int((inside & (y > corner[1] - 8.0) & (y < corner[1] + INSET[1] + 8.0)).sum())

    return min(corners, key=hidden)


def _crosses(xy: FloatArray) -> str:
    """Crosses at distinct places, thinned where they pile up."""
    if not len(xy):
        return ""
    _, first = np.unique(np.rint(xy / 7.0), axis=0, return_index=True)
    xy = xy[np.sort(first)]
    if len(xy) > MOST_CROSSES:
        xy = xy[np.linspace(0, len(xy) - 1, MOST_CROSSES).round().astype(int)]
    outline = "".join(hollow_cross(x, y) for x, y in xy.tolist())
    return element("path", title("reported positions that are not credible"), d=outline, class_="claimed")


def _marks(
    kept_t: IntArray,
    line: FloatArray,
    lost_t: IntArray,
    crosses: FloatArray,
    labels: LabelPlaces,
    claimed_in: Sequence[str],
) -> str:
    """Where the credible track stops and comes back, what is claimed between, and the jumps."""
    if not len(lost_t):
        return ""
    words = f"claimed {clock(int(lost_t[0]), seconds=False)}–{clock(int(lost_t[-1]), seconds=False)}"
    lines = [words, *([f"inside {claimed_in[0]}"] if len(claimed_in) == 1 else [])]
    before, after = np.flatnonzero(kept_t < lost_t[0]), np.flatnonzero(kept_t > lost_t[-1])
    parts = []
    ends = []
    if len(before) and lost_t[0] - kept_t[before[-1]] < JUMP_NS:
        ends.append((int(before[-1]), 0, "last credible before"))
    if len(after) and kept_t[after[0]] - lost_t[-1] < JUMP_NS:
        ends.append((int(after[0]), -1, "credible again"))
    callouts = [callout(float(crosses[0, 0]), float(crosses[0, 1]), lines, labels, strong=True)]
    for row, cross, word in ends:
        x, y = line[row].tolist()
        u, v = crosses[cross].tolist()
        if np.hypot(u - x, v - y) < 40.0:
            continue  # no jump that could be seen on this paper
        parts.append(element("line", x1=x, y1=y, x2=u, y2=v, class_="jump"))
        parts.append(element("circle", cx=x, cy=y, r=4.0, class_="spot"))
        callouts.append(callout(x, y, [f"{word} {clock(int(kept_t[row]))}"], labels, strong=True))
    return "".join(parts + callouts)
