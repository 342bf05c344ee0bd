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
from airvigil.exports.map_projection import frame_around
from airvigil.exports.map_svg import Ground, callout, sheet
from airvigil.exports.run_view import FloatArray, IntArray, Track
from airvigil.exports.svg import element, path, split_at_gaps, title
from airvigil.exports.wording import clock
from airvigil.units import NS_PER_S

MOST_CROSSES = 160
GAP_NS = 120 * NS_PER_S  # a line does not bridge a longer silence
JUMP_NS = 3600 * NS_PER_S


def interference_map_svg(
    tracks: Sequence[Track],
    land: Ground,
    *,
    name: str,
    key: str,
    claimed_in: Sequence[str] = (),
    sources: Sequence[str] = (),
    is_reconstruction: bool = False,
) -> str | None:
    """What an aircraft claimed and was not believed, beside what was credible; None without positions.

    Args:
        tracks: all tracks of the aircraft, in order of time.
        name: of the picture, for those who hear it.
        key: makes ids unique in a document of several maps; a name, not outside text.
        claimed_in: names of the volumes that claimed positions lie in, for the callout.
        sources: of the positions, one line each.
    """
    kept_t, kept = _places(tracks, is_credible=True)
    lost_t, lost = _places(tracks, is_credible=False)
    everything = np.vstack([kept, lost])
    if not len(everything):
        return None
    frame = frame_around(everything[:, 0], everything[:, 1], least_span_m=60_000.0)
    labels = LabelPlaces(frame.width, frame.height)
    labels.taken.append((frame.width - 60.0, 0.0, frame.width, 74.0))
    if is_reconstruction:
        labels.taken.append((0.0, 0.0, 190.0, 44.0))
    line = frame.xy(kept[:, 0], kept[:, 1])
    drawn = split_at_gaps(line, np.asarray(np.diff(kept_t, prepend=kept_t[:1]) > GAP_NS, np.bool_))
    for piece in drawn:
        labels.avoid(piece)
    crosses = frame.xy(lost[:, 0], lost[:, 1])
    inner = (
        ground(land.coastline, frame)
        + boundaries(land.volumes, frame, infringed=None)
        + graticule(frame)
        + (watermark(frame.width, frame.height) if is_reconstruction else "")
        + (element("path", d=path(drawn), class_="track credible s0") if drawn else "")
        + _crosses(crosses, labels)
        + _marks(kept_t, line, lost_t, crosses, labels, claimed_in)
        + volume_labels(land.volumes, frame, labels, infringed=None)
    )
    legend = [("credible s0", "credible track"), ("cross", "reported, not believed")]
    return sheet(
        frame,
        inner,
        name=name,
        key=key,
        legend=legend,
        sources=[*sources, land.source],
        is_reconstruction=is_reconstruction,
    )


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


def _crosses(xy: FloatArray, labels: LabelPlaces) -> str:
    """Crosses at distinct places, thinned where they pile up."""
    if not len(xy):
        return ""
    _, first = np.unique(np.rint(xy / 7.0), axis=0, return_index=True)
    xy = xy[np.sort(first)]
    if len(xy) > MOST_CROSSES:
        xy = xy[np.linspace(0, len(xy) - 1, MOST_CROSSES).round().astype(int)]
    labels.obstacles = np.vstack([labels.obstacles, xy])
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
    callouts = [callout(*crosses[0].tolist(), lines, labels, strong=True)]
    for row, cross, word in ends:
        x, y = line[row].tolist()
        u, v = crosses[cross].tolist()
        if np.hypot(u - x, v - y) < 40.0:
            continue  # no jump that could be seen on this paper
        parts.append(element("line", x1=x, y1=y, x2=u, y2=v, class_="jump"))
        parts.append(element("circle", cx=x, cy=y, r=4.0, class_="spot"))
        callouts.append(callout(x, y, [f"{word} {clock(int(kept_t[row]))}"], labels, strong=True))
    return "".join(parts + callouts)
