"""Where tracks are heading: time to a volume's boundary, and P(inside at some moment of the next minutes).

Two answers for each track point outside a volume that it could reach within `lookahead_s`:
- the time to the boundary on the present course (a geodesic, at the present ground speed and rate of climb), with the sigma that
  follows from position, speed and course as the filter knows them;
- P(entry): over the fan of courses (`fan`), of each course the greatest P(inside) of its tested moments, weighted. Like P of a spell, this
  is a bound from below: no independence between moments is assumed.

Rules
- Heights are carried ahead by the rate of climb (`climb`), their sigma growing with it. Where a height that a limit takes is
  missing, the lateral answer stands and says so: `is_height_missing`.
- It looks no further than the 50 km within which boundaries are known: a supersonic aircraft gets less than `lookahead_s`.
- A point costs nothing unless a boundary is within reach; each answer depends on its own point alone.
- A stay shorter than `test_every_s` may be missed.

Terms (look-ahead time, warning time, nuisance alert): EUROCONTROL Guidelines for Area Proximity Warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from airvigil.airspace.heights.climb import Climb
from airvigil.airspace.heights.vertical import gva_sigma_m, p_within_limits
from airvigil.airspace.lookahead.fan import (
    COURSES,
    OFFSETS,
    PRESENT,
    REACH_SIGMAS,
    WEIGHTS,
    WIDE_SIGMA_M,
    chance_by_time,
    covariance_ahead,
    first_tests,
    is_course_known,
    lay_fan,
    motion,
    place_ahead,
    straight_chance,
)
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells.path import Points
from airvigil.airspace.spells.spell_records import Samples
from airvigil.airspace.volumes import Volume
from airvigil.settings import Settings
from airvigil.tracking.track_table import NEVER
from airvigil.units import NS_PER_S

FloatArray = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHUNK_POINTS = 2000  # whose fans are laid at once: some 60 MB
REFINEMENTS = 3  # of the time to the boundary between two tests
LEAST_P = 1e-3  # a layer that is less likely reached in height is not asked about


@dataclass(frozen=True)
class Candidates:
    """Points and volumes to be looked at: the point is outside, and could be inside within the lookahead.

    Attributes:
        point: (c,) index into the points, never falling.
        volume: (c,) index into the airspace's volumes.
        margin_m: (c,) signed distance to its boundary, positive laterally inside.
    """

    point: Ints
    volume: Ints
    margin_m: FloatArray

    def __len__(self) -> int:
        return len(self.point)

    def take(self, which: Any) -> Candidates:
        """Some of them."""
        return Candidates(self.point[which], self.volume[which], self.margin_m[which])


@dataclass(frozen=True)
class Predictions:
    """What is ahead of each candidate; arrays in the candidates' order.

    Attributes:
        p_by_time: (c, tests) P(inside at some tested moment so far); NaN where no course is known.
        p_course: (c, COURSES) the greatest P(inside) on each course.
        time_s, sigma_s: (c,) to the boundary on the present course; NaN where it does not enter within the lookahead.
        lat, lon: (c,) where; NaN likewise.
        is_height_missing: (c,) bool.
    """

    p_by_time: FloatArray
    p_course: FloatArray
    time_s: FloatArray
    sigma_s: FloatArray
    lat: FloatArray
    lon: FloatArray
    is_height_missing: npt.NDArray[np.bool_]

    @property
    def p(self) -> FloatArray:
        """(c,) P(entry within the lookahead)."""
        return self.p_by_time[:, -1]


def moments_of(settings: Settings) -> int:
    """How many moments are tested on each course; 0 where prediction is off."""
    rule = settings.lookahead
    return math.ceil(rule.lookahead_s / rule.test_every_s)


def is_due(points: Points, every_s: float) -> npt.NDArray[np.bool_]:
    """(n,) whether a point is the first of its track in an interval of the clock: it is then judged."""
    every = round(every_s * NS_PER_S)
    is_next = points["time"] // every != points["before"] // every
    return np.asarray((points["before"] == NEVER) | is_next, dtype=np.bool_)


def candidates_of(
    points: Points,
    samples: Samples,
    settings: Settings,
    needs_permission: Callable[[Any, int], bool],
) -> Candidates:
    """Who could enter what within the lookahead, of those whose presence would need permission.

    Args:
        points: (n,) POINT, believed and airborne.
        samples: of these points.
        settings: thresholds.
        needs_permission: of a POINT record and the index of a volume.
    """
    rule = settings.lookahead
    speed = np.sqrt(points["ve"] ** 2 + points["vn"] ** 2)
    spread = np.sqrt(points["p22"] + points["p33"])
    reach = (speed + REACH_SIGMAS * spread) * rule.lookahead_s
    reach += REACH_SIGMAS * np.sqrt(points["cov_ee"] + points["cov_nn"])
    chance = np.where(np.isnan(samples.p_inside), samples.p_lateral, samples.p_inside)
    is_outside = chance < settings.infringement.suspected_p
    in_reach = -samples.margin_m <= reach[samples.point]
    due = is_due(points, rule.every_s)[samples.point]
    which = np.flatnonzero(~samples.bridged & due & is_outside & in_reach)
    at, volume = samples.point[which], samples.volume[which].astype(np.int64)
    who = np.column_stack([points["slot"][at], points["is_state"][at], volume])
    _, first, back = np.unique(who, axis=0, return_index=True, return_inverse=True)
    needs = [needs_permission(points[at[k]], int(volume[k])) for k in first.tolist()]
    keep = which[np.array(needs, dtype=np.bool_)[back.reshape(-1)]]
    return Candidates(
        samples.point[keep], samples.volume[keep].astype(np.int64), np.asarray(samples.margin_m[keep])
    )


def predict(
    points: Points,
    candidates: Candidates,
    climbs: Mapping[int, Climb],
    airspace: Airspace,
    settings: Settings,
) -> Predictions:
    """What is ahead of each candidate.

    Args:
        points: as the candidates were made of.
        candidates: see `candidates_of`.
        climbs: by index of the point, where a rate of climb is known.
        airspace: volumes.
        settings: thresholds.
    """
    parts: list[Predictions] = []
    used = np.unique(candidates.point)
    for begin in range(0, len(used), CHUNK_POINTS):
        some = used[begin : begin + CHUNK_POINTS]
        lot = candidates.take((candidates.point >= some[0]) & (candidates.point <= some[-1]))
        parts.append(_predict(points, lot, climbs, airspace, settings))
    if not parts:
        none = np.zeros(0)
        empty = np.zeros((0, max(1, moments_of(settings))))
        return Predictions(empty, np.zeros((0, COURSES)), none, none, none, none, np.zeros(0, np.bool_))
    names = Predictions.__dataclass_fields__
    return Predictions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _predict(
    points: Points,
    candidates: Candidates,
    climbs: Mapping[int, Climb],
    airspace: Airspace,
    settings: Settings,
) -> Predictions:
    rule, tests, count = settings.lookahead, moments_of(settings), len(candidates)
    height = _Heights(points, climbs, airspace.volumes, settings)
    within, missing = np.ones((count, tests)), np.zeros(count, dtype=np.bool_)
    for c in range(count):
        if airspace.volumes[candidates.volume[c]].spans_all_heights:
            continue
        row = [height.p_within(candidates, c, (j + 1) * rule.test_every_s) for j in range(tests)]
        missing[c] = any(math.isnan(p) for p in row)
        within[c] = [1.0 if math.isnan(p) else p for p in row]
    asked = np.flatnonzero(within.max(axis=1, initial=0.0) >= LEAST_P)
    p, margin = _along_courses(points, candidates.take(asked), airspace, settings)
    by_time = np.empty((len(asked), tests))
    speeds = [motion(point) for point in points[candidates.point[asked]]]
    spread = np.array([sigma / speed if speed > 0.0 else 0.0 for speed, _, sigma, _ in speeds])
    chance_by_time(p, WEIGHTS, within[asked], spread, by_time)
    when, sigma, lat, lon = (np.full(count, math.nan) for _ in range(4))
    p_course = np.zeros((count, COURSES))
    made = Predictions(np.zeros((count, tests)), p_course, when, sigma, lat, lon, missing)
    made.p_by_time[asked] = by_time
    made.p_course[asked] = (p * within[asked][:, None, :]).max(axis=2, initial=0.0)
    turn = math.radians(rule.turn_sigma_deg)
    lost = [not is_course_known(points[index], turn) for index in candidates.point.tolist()]
    made.p_by_time[lost] = math.nan
    _times_to_boundary(points, candidates, asked, margin, within, height, airspace, settings, made)
    return made


def _along_courses(
    points: Points, candidates: Candidates, airspace: Airspace, settings: Settings
) -> tuple[FloatArray, FloatArray]:
    """P(laterally inside), (c, COURSES, tests), and the margin on the present course, (c, tests); -inf where far."""
    rule, tests, count = settings.lookahead, moments_of(settings), len(candidates)
    p, margin = np.zeros((count, COURSES, tests)), np.full((count, tests), -math.inf)
    used, back = np.unique(candidates.point, return_inverse=True)
    some = points[used]
    distance = np.full(len(used), math.inf)
    np.minimum.at(distance, back, np.maximum(0.0, -candidates.margin_m))
    turn = math.radians(rule.turn_sigma_deg)
    first = np.zeros(len(used), dtype=np.int64)
    total = first_tests(some, distance, turn, rule.test_every_s, tests, first)
    owner, course, test = (np.zeros(total, dtype=np.int64) for _ in range(3))
    lat, lon, cov = np.zeros(total), np.zeros(total), np.zeros((total, 3))
    lay_fan(some, first, OFFSETS, turn, rule.test_every_s, tests, owner, course, test, lat, lon, cov)
    bias = some["bias_m"][owner]
    is_wide = cov[:, 0] + cov[:, 2] > WIDE_SIGMA_M**2
    found = airspace.margins(lat, lon, np.where(is_wide[:, None], [1.0, 0.0, 1.0], cov), bias)
    inside, wide = found.p_inside.copy(), np.flatnonzero(is_wide[found.row])
    straight, asked = np.zeros(len(wide)), found.row[wide]
    straight_chance(
        found.margin_m[wide], found.sigma_m[wide], found.normal_e[wide], found.normal_n[wide],
        cov[asked], bias[asked], straight,
    )  # fmt: skip
    inside[wide] = straight
    width = len(airspace.volumes)
    names = back * width + candidates.volume
    order = np.argsort(names, kind="stable")
    wanted = owner[found.row] * width + found.volume
    at = np.searchsorted(names[order], wanted)
    at[at == count] = 0
    hit = np.flatnonzero(names[order][at] == wanted) if count else np.zeros(0, np.int64)
    c, row = order[at[hit]], found.row[hit]
    # a chance that cannot be told speaks for no alert
    p[c, course[row], test[row]] = np.nan_to_num(inside[hit], nan=0.0)
    present = course[row] == PRESENT
    margin[c[present], test[row[present]]] = found.margin_m[hit[present]]
    return p, margin


class _Heights:
    """P(height within a volume's limits) of a point's height carried ahead."""

    def __init__(
        self, points: Points, climbs: Mapping[int, Climb], volumes: tuple[Volume, ...], settings: Settings
    ) -> None:
        self.points, self.climbs, self.volumes, self.settings = points, climbs, volumes, settings

    def p_within(self, candidates: Candidates, c: int, t_s: float) -> float:
        """Of candidate c after t_s; NaN where the heights known cannot tell."""
        index = int(candidates.point[c])
        point, climb, rule = self.points[index], self.climbs.get(index), self.settings.heights
        rise, rise_sigma = (
            (0.0, 0.0) if climb is None else (climb.rate_mps * t_s, math.sqrt(climb.p_rr) * t_s)
        )
        grown = replace(
            rule, pressure_altitude_sigma_m=math.hypot(rule.pressure_altitude_sigma_m, rise_sigma)
        )
        return p_within_limits(
            self.volumes[candidates.volume[c]],
            float(point["pressure_altitude_m"]) + rise,
            float(point["geometric_height_m"]) + rise,
            float(point["height_msl_m"]) + rise,
            grown,
            math.hypot(gva_sigma_m(int(point["gva"])), rise_sigma),
        )

    def sigma_s(self, candidates: Candidates, c: int, t_s: float) -> float:
        """1 sigma of the time at which a limit is met, t_s ahead."""
        index = int(candidates.point[c])
        climb = self.climbs.get(index)
        if climb is None or climb.rate_mps == 0.0:
            return math.nan
        own = self.settings.heights.pressure_altitude_sigma_m
        return math.hypot(own, math.sqrt(climb.p_rr) * t_s) / abs(climb.rate_mps)


def _times_to_boundary(
    points: Points,
    candidates: Candidates,
    asked: Ints,
    margin: FloatArray,
    within: FloatArray,
    height: _Heights,
    airspace: Airspace,
    settings: Settings,
    made: Predictions,
) -> None:
    """Fill in when, how surely and where the present course enters: in plan, in height, or the later of both."""
    every = settings.lookahead.test_every_s
    is_in = (margin > 0.0) & (within[asked] >= 0.5)
    hits = np.flatnonzero(is_in.any(axis=1))
    test = is_in[hits].argmax(axis=1)
    before = np.where(test > 0, margin[hits, test - 1], candidates.margin_m[asked[hits]])
    plan = np.flatnonzero(before <= 0.0)
    low, high = test[plan] * every, (test[plan] + 1) * every
    times, sigmas = _refined(
        points,
        candidates.take(asked[hits[plan]]),
        (low, high),
        (before[plan], margin[hits[plan], test[plan]]),
        airspace,
    )
    in_plan = dict(zip(plan.tolist(), zip(times.tolist(), sigmas.tolist(), strict=True), strict=True))
    for k, (hit, j) in enumerate(zip(hits.tolist(), test.tolist(), strict=True)):
        c = int(asked[hit])
        when, sigma = in_plan.get(k, (j * every, math.nan))
        if (within[c, j - 1] if j > 0 else height.p_within(candidates, c, 0.0)) < 0.5:
            limit = _height_met(height, candidates, c, j * every, (j + 1) * every)
            if limit >= when:
                when, sigma = limit, height.sigma_s(candidates, c, limit)
        made.time_s[c], made.sigma_s[c] = when, sigma
        made.lat[c], made.lon[c] = place_ahead(points[candidates.point[c]], when)


def _height_met(height: _Heights, candidates: Candidates, c: int, low_s: float, high_s: float) -> float:
    """When P(within the limits) passes 0.5 between two moments, to 10 ms."""
    while high_s - low_s > 0.01:
        middle = 0.5 * (low_s + high_s)
        if height.p_within(candidates, c, middle) < 0.5:
            low_s = middle
        else:
            high_s = middle
    return high_s


def _refined(
    points: Points,
    candidates: Candidates,
    times: tuple[Any, Any],
    margins: tuple[Any, Any],
    airspace: Airspace,
) -> tuple[FloatArray, FloatArray]:
    """When the margin passes zero between two moments (regula falsi), and its sigma: the margin's over its rate."""
    count = len(candidates)
    (low, high), (below, above) = (
        [np.array(side, dtype=np.float64) for side in pair] for pair in (times, margins)
    )
    rate = (above - below) / (high - low)
    when, sigma = high.copy(), np.full(count, math.nan)
    for _ in range(REFINEMENTS if count else 0):
        known = np.isfinite(below)
        when = np.where(
            known, low + (high - low) * (-below / np.where(known, above - below, 1.0)), 0.5 * (low + high)
        )
        lat, lon, ahead = np.zeros(count), np.zeros(count), np.zeros((count, 3))
        for k, index in enumerate(candidates.point.tolist()):
            lat[k], lon[k] = place_ahead(points[index], when[k])
            ahead[k] = covariance_ahead(points[index], when[k])
        # asked with an error of a metre: the true one, far ahead, is wide, and only its part along the normal is wanted
        found = airspace.margins(lat, lon, np.tile([1.0, 0.0, 1.0], (count, 1)), np.zeros(count))
        now = np.full(count, -math.inf)
        own = np.flatnonzero(found.volume == candidates.volume[found.row])
        row, e, n = found.row[own], found.normal_e[own], found.normal_n[own]
        now[row] = found.margin_m[own]
        along = ahead[row, 0] * e * e + 2.0 * ahead[row, 1] * e * n + ahead[row, 2] * n * n
        own_sigma = np.sqrt(along + found.sigma_m[own] ** 2 - 1.0)
        sigma[row] = np.where(np.isnan(own_sigma), sigma[row], own_sigma)
        is_in = now > 0.0
        high, above = np.where(is_in, when, high), np.where(is_in, now, above)
        low, below = np.where(is_in, low, when), np.where(is_in, below, now)
    return when, sigma / np.where(np.isfinite(rate), rate, math.nan)
