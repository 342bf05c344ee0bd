"""Stays that no report and no tested point of the path shows, but that the gap between two reports leaves little doubt of.

A gap longer than `gap_s` is held against the volumes near its path. What comes of it is told as a spell of kind "gap", opened
and closed at once, when the next report of the track bears out the one at the gap's end.

Rules
- Told are: `must_have`, the proof from the greatest speed, as `suspected`; and `could` with a P of `suspected_p` or more, as
  `undecidable` for want of a report inside. Never more: nobody saw it inside.
- Nothing is told where an end may be inside: there a spell of reports tells it. Where a tested point of the path is, its own
  spell is undecidable, and only the proof adds to it.
- A report at the end of a gap can be a lone wrong one, which bends the path to itself: without another believed one within
  `timeout_s` nothing is told. The report at its beginning must not be the track's first one.
- Heights count by what they prove (`reach.vertical_reach`), where they are known in the volume's own reference. Where they
  prove neither that every height reached is inside nor that the layer is passed, nothing is told.
- Of a volume that is not always active nothing is told.
- Everything depends on the two points of the gap and the next one only, so batches do not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from airvigil.airspace.gaps.gap import (
    MOMENTS,
    Bridge,
    PathProbability,
    moments_of,
    p_inside_on_the_way,
    to_places,
)
from airvigil.airspace.gaps.reach import (
    MUST_HAVE,
    UNKNOWN_HEIGHTS,
    EndHeights,
    Gap,
    Outline,
    Vertical,
    reachability,
    vertical_reach,
)
from airvigil.airspace.heights.vertical import gva_sigma_m
from airvigil.airspace.margins import Airspace
from airvigil.airspace.permissions.permission_need import asks_for_permission
from airvigil.airspace.spells.path import NS, Points
from airvigil.airspace.spells.spell_book import Teller
from airvigil.airspace.spells.spell_events import LONE_REPORT
from airvigil.airspace.spells.spell_records import HALF_DIGIT, Samples
from airvigil.airspace.volumes import Volume
from airvigil.reports import SENSOR_KINDS
from airvigil.settings import Settings
from airvigil.tracking.identity import icao24_of, identity_of, track_id
from airvigil.tracking.local_plane import to_geodetic
from airvigil.tracking.motion import put_motion
from airvigil.tracking.points import motion_at, motion_before
from airvigil.tracking.rows import text_of
from airvigil.tracking.track_table import NEVER
from airvigil.units import NS_PER_S, utc_text

Event = dict[str, Any]
NEAR_SIGMAS = 6.0
SURE_SIGMAS = 5.0  # bound on the error of an end and of its height
MOST_OUTLINES = 64  # kept


@dataclass
class GapBook:
    """Gaps whose end no other report has borne out yet: [track key, start and end of the gap in ns, spell]."""

    waiting: list[tuple[str, int, int, Event]] = field(default_factory=list)

    def copy(self) -> GapBook:
        """An independent copy; events are not changed while they wait."""
        return GapBook(list(self.waiting))

    def to_plain(self) -> list[Any]:
        """JSON-able values."""
        return [list(each) for each in self.waiting]

    @staticmethod
    def from_plain(plain: list[Any]) -> GapBook:
        """The inverse of `to_plain`."""
        return GapBook([(key, start, end, spell) for key, start, end, spell in plain])


def take_gaps(
    book: GapBook, points: Points, samples: Samples, keys: list[str], airspace: Airspace, teller: Teller
) -> list[Event]:
    """Judge the gaps of a batch; returns the spells of those that a later report bears out.

    Args:
        book: changed.
        points: (n,) POINT, believed and airborne, by slot and time.
        samples: of these points.
        keys: track key of each slot.
        airspace: volumes.
        teller: settings and who needs permission.
    """
    for index, volume, is_shown in _candidates(points, samples, airspace, teller.settings):
        point = points[index]
        key = keys[point["slot"]]
        if teller.needs_permission(key, int(point["is_state"]), airspace.volumes[volume].volume_id):
            found = _judged(point, volume, airspace, teller.settings)
            if found is not None and is_shown and found.reach != MUST_HAVE:
                continue
            if found is not None:
                spell = _spell(point, key, airspace.volumes[volume], found, teller)
                book.waiting.append((key, int(point["start"]), int(point["time"]), spell))
    if not book.waiting:
        return []
    return _borne_out(book, points, keys)


def pass_time(book: GapBook, watermark: int, settings: Settings) -> None:
    """Forget the gaps after which nothing came within `timeout_s`."""
    oldest = watermark - round(settings.tracks.timeout_s * NS_PER_S)
    book.waiting = [each for each in book.waiting if each[2] >= oldest]


def _borne_out(book: GapBook, points: Points, keys: list[str]) -> list[Event]:
    """The spells whose gap ends at the point before one of these."""
    ends = np.array([end for _, _, end, _ in book.waiting])
    after: dict[tuple[str, int, int], Any] = {}
    for index in np.flatnonzero(np.isin(points["before"], ends)).tolist():
        point = points[index]
        after[keys[point["slot"]], int(point["start"]), int(point["before"])] = point
    events: list[Event] = []
    waiting = []
    for each in book.waiting:
        point = after.get(each[:3])
        if point is None:
            waiting.append(each)
            continue
        known = int(point["known"])
        when = {"time": utc_text(known), "time_ns": known}
        events += [{**each[3], "event": name, **when} for name in ("spell_opened", "spell_closed")]
    book.waiting = waiting
    return events


def _candidates(
    points: Points, samples: Samples, airspace: Airspace, settings: Settings
) -> list[tuple[int, int, bool]]:
    """Of each gap that can hide a stay: index of the point, of the volume, and whether a tested point shows it."""
    has_before = points["before"] != NEVER
    gap_s = np.where(has_before, points["time"] - points["before"], 0) * NS
    is_long = has_before & (gap_s > settings.infringement.gap_s) & (points["before"] > points["start"])
    if not is_long.any():
        return []
    which = np.flatnonzero(is_long[samples.point])
    owner, volume = samples.point[which], samples.volume[which]
    is_end = ~samples.bridged[which]
    mine, gap_s = points[owner], gap_s[owner]
    reach = np.sqrt(mine["before_e"] ** 2 + mine["before_n"] ** 2)
    for v in (
        "ve",
        "vn",
        "before_ve",
        "before_vn",
    ):  # a cubic strays from its chord by no more than 4/27 of these
        reach += 4.0 / 27.0 * np.abs(mine[v]) * gap_s
    reach += NEAR_SIGMAS * (
        np.sqrt(mine["noise"] * gap_s**3 / 192.0) + np.sqrt(mine["cov_ee"] + mine["cov_nn"])
    )
    reach = np.minimum(reach, settings.admission.max_speed_mps * gap_s) + mine["bias_m"]
    suspected = settings.infringement.suspected_p - HALF_DIGIT
    is_inside = (samples.p_lateral[which] >= suspected) & ~(samples.p_inside[which] < suspected)
    is_far = is_end & (samples.margin_m[which] < -reach)
    gone = {(int(owner[k]), int(volume[k])) for k in np.flatnonzero(is_end & (is_inside | is_far))}
    shown = {(int(owner[k]), int(volume[k])) for k in np.flatnonzero(~is_end & is_inside)}
    asked = [asks_for_permission(v) and v.activation.kind == "permanent" for v in airspace.volumes]
    pairs = sorted({(o, v) for o, v in zip(owner.tolist(), volume.tolist(), strict=True) if asked[v]})
    return [(*pair, pair in shown) for pair in pairs if pair not in gone]


@dataclass(frozen=True)
class _Found:
    """What a gap comes to: reach, P, and the likeliest moment with its margin."""

    reach: str
    p: PathProbability
    time: int
    place: tuple[float, float]
    margin_m: float


def _judged(point: Any, index: int, airspace: Airspace, settings: Settings) -> _Found | None:
    """A gap against one volume; None where there is nothing to tell."""
    volume, suspected = airspace.volumes[index], settings.infringement.suspected_p
    heights = _heights(point, volume, settings)
    gap = _gap(point, settings)
    vertical = vertical_reach(volume, heights, gap.climb_mps * gap.duration_s)
    if not (vertical.always or vertical.crosses):
        return None
    bridge = _bridge(point)
    p_inside, margin_m, places = _moments(bridge, airspace, index)
    if _may_start_inside(volume, heights, float(p_inside[0]), suspected):
        return None
    p = (
        p_inside_on_the_way(bridge, airspace, index)
        if vertical.always
        else _p_all_the_way(p_inside, vertical)
    )
    if not p.estimate > 0.0:
        return None
    error_m = SURE_SIGMAS * volume.boundary_uncertainty_m
    reach = reachability(gap, _outline(volume), airspace, index, heights, boundary_error_m=error_m)
    if reach != MUST_HAVE and p.estimate < suspected - HALF_DIGIT:
        return None
    best = int(np.argmax(margin_m)) if vertical.always else _passing(volume, heights)
    time = int(point["before"]) + (int(point["time"]) - int(point["before"])) * best // (MOMENTS - 1)
    return _Found(reach, p, time, (float(places[0][best]), float(places[1][best])), float(margin_m[best]))


def _passing(volume: Volume, heights: EndHeights) -> int:
    """The moment nearest to that at which an even climb or descent meets the middle of the layer."""
    start = 0.5 * (heights.start_low_m + heights.start_high_m)
    end = 0.5 * (heights.end_low_m + heights.end_high_m)
    share = (0.5 * (volume.lower.height_m + volume.upper.height_m) - start) / (end - start)
    return round(share * (MOMENTS - 1)) if math.isfinite(share) else MOMENTS // 2


def _may_start_inside(volume: Volume, heights: EndHeights, p_lateral: float, suspected: float) -> bool:
    lower, upper = volume.lower.height_m, volume.upper.height_m
    is_beyond = heights.start_high_m < lower or heights.start_low_m > upper
    return p_lateral >= suspected - HALF_DIGIT and (volume.spans_all_heights or not is_beyond)


def _p_all_the_way(p_inside: npt.NDArray[np.float64], vertical: Vertical) -> PathProbability:
    """P(inside) of whoever passes the layer at a moment that is not known: that of the least likely one."""
    if not vertical.crosses or np.isnan(p_inside).any():
        return PathProbability(math.nan, math.nan, math.nan)
    least = float(p_inside.min())
    return PathProbability(math.nan, least, math.nan)


def _moments(
    bridge: Bridge, airspace: Airspace, index: int
) -> tuple[
    npt.NDArray[np.float64], npt.NDArray[np.float64], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
]:
    """P(inside) in the plane, margin and place at evenly spaced moments of a gap; far away P is 0."""
    mean, covariance = moments_of(bridge)
    lat, lon = to_places(bridge.latitude_deg, bridge.longitude_deg, mean)
    found = airspace.margins(lat, lon, covariance, np.full(len(lat), bridge.bias_bound_m))
    mine = found.volume == index
    p_inside, margin_m = np.zeros(len(lat)), np.full(len(lat), -math.inf)
    p_inside[found.row[mine]], margin_m[found.row[mine]] = found.p_inside[mine], found.margin_m[mine]
    return p_inside, margin_m, (lat, lon)


def _bridge(point: Any) -> Bridge:
    x0, P0, x1, P1 = np.empty(4), np.empty((4, 4)), np.empty(4), np.empty((4, 4))
    put_motion(motion_before(point), x0, P0)
    put_motion(motion_at(point), x1, P1)
    duration_s = float(point["time"] - point["before"]) * NS
    numbers = (float(point[name]) for name in ("noise", "slow_var", "bias_m"))
    return Bridge(float(point["lat"]), float(point["lon"]), x0, P0, x1, P1, duration_s, *numbers)


def _gap(point: Any, settings: Settings) -> Gap:
    lat, lon = float(point["lat"]), float(point["lon"])
    start = to_geodetic(lat, lon, float(point["before_e"]), float(point["before_n"]))
    top = settings.admission.max_speed_mps
    slow, bias = float(point["slow_var"]), float(point["bias_m"])

    def error_m(ee: float, nn: float) -> float:
        return SURE_SIGMAS * math.sqrt(ee + nn + 2.0 * slow) + bias

    return Gap(
        *start,
        error_m(float(point["before_p00"]), float(point["before_p11"])),
        lat,
        lon,
        error_m(float(point["p00"]), float(point["p11"])),
        # a clock may be wrong at either end: the aircraft may have had that much longer
        float(point["time"] - point["before"]) * NS + 2.0 * SURE_SIGMAS * float(point["clock_s"]),
        top,
        top,  # nothing climbs faster than it flies
    )


def _heights(point: Any, volume: Volume, settings: Settings) -> EndHeights:
    """The heights of both ends in the reference of the limits; unknown where they are not measured in it."""
    references = {volume.lower.reference, volume.upper.reference} - {"none"}
    gva_m = SURE_SIGMAS * gva_sigma_m(int(point["gva"]))
    measured = {
        "STD": ("pressure_altitude_m", SURE_SIGMAS * settings.heights.pressure_altitude_sigma_m),
        "W84": ("geometric_height_m", gva_m),
        "MSL": ("height_msl_m", gva_m),
    }
    reference = references.pop() if len(references) == 1 else ""
    if reference not in measured:
        return UNKNOWN_HEIGHTS
    name, error_m = measured[reference]
    start, end = float(point[f"before_{name}"]), float(point[name])
    return EndHeights(start - error_m, start + error_m, end - error_m, end + error_m)


class _ById:
    """A volume as a key: the same object, so that its rings are not compared."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    def __hash__(self) -> int:
        return hash((self.volume.volume_id, self.volume.digest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.volume is self.volume


@lru_cache(maxsize=MOST_OUTLINES)
def _outline_of(key: _ById) -> Outline:
    return Outline(key.volume)


def _outline(volume: Volume) -> Outline:
    return _outline_of(_ById(volume))


def _or_none(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _spell(point: Any, key: str, volume: Volume, found: _Found, teller: Teller) -> Event:
    """The spell of a gap, but for its name and the time at which it is told."""
    is_proven = found.reach == MUST_HAVE
    at = {"time": utc_text(found.time), "sigma_s": None}
    place = {"latitude_deg": round(found.place[0], 6), "longitude_deg": round(found.place[1], 6)}
    who, start, end = track_id(key, int(point["start"])), int(point["before"]), int(point["time"])
    return {
        "spell_id": f"{who}/{volume.volume_id}/gap/{utc_text(start)}",
        "spell_kind": "gap",
        "track_id": who,
        "icao24": icao24_of(key),
        "callsign": text_of(int(point["callsign"])),
        "squawk": text_of(int(point["squawk"])),
        "sensor_kinds": [SENSOR_KINDS[int(point["kind"])]],
        "volume": volume.volume_id,
        "permission": "required",
        "identity": identity_of(key, int(point["is_state"]), teller.blocks),
        "gap_from": utc_text(start),
        "gap_to": utc_text(end),
        "gap_reach": found.reach,
        "gap_p": _or_none(found.p.estimate, 6),
        "gap_p_low": _or_none(found.p.low, 6),
        "gap_p_resolution": _or_none(found.p.resolution, 6),
        "gap_speed_mps": teller.settings.admission.max_speed_mps,
        "entry": {**at, "kind": "first_seen", **place},
        "exit": {**at, "kind": "last_seen", **place},
        "duration_s": 0.0,
        "length_m": 0.0,
        "max_depth_m": _or_none(found.margin_m, 1) if found.margin_m > 0.0 else None,
        "max_depth_sigma_m": None,
        "max_depth_is_bound": False,
        "max_depth_at": utc_text(found.time),
        # of whoever passes the layer: at the moment of passing, whichever that is
        "p_inside_max": round(found.p.estimate if math.isnan(found.p.low) else found.p.low, 6),
        "robustness_radius_m": 0.0,
        "robustness_radius_high_m": None,
        "outcome": "suspected" if is_proven else "undecidable",
        "undecidable_for": [] if is_proven else [LONE_REPORT],
        "undecidable_because": [] if is_proven else ["reports"],
        "activation_unknown": False,
        "reports": 0,
        "bridged": 0,
        "reentries": [],
        "reconstruction": bool(point["is_reconstruction"]),
    }
