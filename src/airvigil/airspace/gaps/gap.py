"""The probability of having been inside a volume at some time between two reports.

The path between two filtered states is that of the filter's own model: white acceleration, given both states with their
errors. Its probability of touching the volume at any moment is no less than that of being inside at the best one.

Rules
- `low` is the greatest P(inside) of any of the moments looked at, exact as a margin's P is. It is a proven bound.
- `estimate` adds to it the share of sampled paths that are inside at some moment, but not at that one. A path that may
  have passed through between two moments is looked at four times as closely, along the cubic.
  The paths are a fixed set: the same question has the same answer, to the last bit.
- `resolution` is what the sampling leaves open: two standard errors, and the share of paths that half as close a look
  would have missed. What every path crosses in less than a quarter of the time between two moments, a sixty-fourth of
  the gap, can be missed altogether.
- The part of the error that does not change from report to report moves a path as a whole; so does the boundary's
  own uncertainty. A bias is taken at its worst for the best moment.
- Where no path can come near, the answer is 0 without sampling; where a covariance or bias is unknown, it is NaN.
- Heights are not looked at here.

Method: the end states are drawn first, the later from its own error, the earlier given the later (the filter's bridge).
Between two known states the model's path is a cubic through both, and what it departs from that by is normal: in the
middle of T seconds with a variance of q T^3 / 192 in place and q T / 16 in speed, independent. So the middle is drawn,
then the middles of both halves, and so on. Each normal number takes each of 256 equally probable values once
(Latin hypercube), shuffled by a fixed sequence.

References: M. D. McKay, R. J. Beckman, W. J. Conover, A comparison of three methods for selecting values of input
variables, Technometrics 21 (1979) 239-245; G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number
generators, OOPSLA 2014 (the sequence); Bar-Shalom, Li, Kirubarajan (2001), 6.2, for the process noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.grid import RELEVANCE_M, Floats
from airvigil.airspace.margins import Airspace
from airvigil.tracking.filter import bridge, bridge_position
from airvigil.tracking.local_plane import to_geodetic

PATHS = 256
LEVELS = 4
PARTS = 4  # of the way between two moments, where it may lead through the volume and out again
MOMENTS = 2**LEVELS + 1  # both ends included
NUMBERS = 8 + 4 * (MOMENTS - 2) + 2  # normal numbers a path takes: ends, middles, its shift
SURE_SIGMAS = 8.0  # a path strays further than this once in 1e14
SURE_P = 1e-9  # nothing is left to sample where P is nearer than this to 1
_GAMMA, _MIX_1, _MIX_2, _WORD = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 2**64 - 1


@dataclass(frozen=True, slots=True)
class PathProbability:
    """P(inside at some time): at least `low`, about `estimate` to within `resolution`. NaN: unknown."""

    low: float
    estimate: float
    resolution: float


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two filtered states of one track and what lies between.

    Attributes:
        latitude_deg, longitude_deg: origin of the plane of both states.
        x_start, P_start: (4,), (4, 4) filtered state at the start of the gap.
        x_end, P_end: the same at its end, reports there fused.
        duration_s: > 0.
        q: acceleration PSD that the filter took between them, m^2/s^3, > 0.
        slow_variance_m2: per axis, of the error that stays the same throughout; not in P_start and P_end.
        bias_bound_m: bound on the systematic error; NaN if unknown.
    """

    latitude_deg: float
    longitude_deg: float
    x_start: Floats
    P_start: Floats
    x_end: Floats
    P_end: Floats
    duration_s: float
    q: float
    slow_variance_m2: float = 0.0
    bias_bound_m: float = 0.0


def p_inside_on_the_way(gap: Bridge, airspace: Airspace, volume_index: int) -> PathProbability:
    """P of being inside a volume at some time from the start of the gap to its end.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> box = make_volume("box", [np.array([[0.0, 20.0], [0.0, 21.0], [1.0, 21.0], [1.0, 20.0], [0.0, 20.0]])])
        >>> P = np.diag([2500.0, 2500.0, 4.0, 4.0])
        >>> start, end = np.array([-5e3, 0.0, 200.0, 0.0]), np.array([5e3, 0.0, 200.0, 0.0])
        >>> found = p_inside_on_the_way(Bridge(0.0, 20.5, start, P, end, P, 50.0, 10.0), Airspace([box]), 0)
        >>> round(found.low, 2), 0.7 < found.estimate < 0.95, found.resolution < 0.15
        (0.5, True, True)
    """
    mean, covariance = moments_of(gap)
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        return PathProbability(math.nan, math.nan, math.nan)
    at = _Moments.measured(gap, mean, covariance, airspace, volume_index)
    if math.isnan(gap.bias_bound_m) or np.isnan(at.p_inside).any():
        return PathProbability(math.nan, math.nan, math.nan)
    best = int(np.argmax(at.p_inside))
    low = float(at.p_inside[best])
    spread = SURE_SIGMAS * at.sigma_m
    legs = np.diff(mean, axis=0)
    longest = math.sqrt(float((legs * legs).sum(axis=1).max()))
    if float(at.margin_m.max()) + float(spread.max()) + longest < 0.0:
        return PathProbability(0.0, 0.0, 0.0)
    if low > 1.0 - SURE_P:
        return PathProbability(low, low, 0.0)
    inside, crosses, crosses_briefly = _sampled(gap, at, best, airspace, volume_index)
    elsewhere = float(((inside.any(axis=1) & ~inside[:, best]) | crosses).mean())
    error = 2.0 * math.sqrt((elsewhere + 1.0 / PATHS) * max(1.0 - elsewhere, 0.0) / PATHS)
    return PathProbability(low, min(low + elsewhere, 1.0), error + float(crosses_briefly.mean()))


@dataclass(frozen=True, slots=True)
class _Moments:
    """The moments looked at: where the path is in the mean, how sure that is, and P(inside) of each."""

    margin_m: Floats
    sigma_m: Floats  # largest of all directions, boundary included
    p_inside: Floats
    away_e: Floats  # out of the volume: where a bias speaks most against being inside; NaN unknown
    away_n: Floats

    @classmethod
    def measured(
        cls, gap: Bridge, mean: Floats, covariance: Floats, airspace: Airspace, volume_index: int
    ) -> _Moments:
        lat, lon = to_places(gap.latitude_deg, gap.longitude_deg, mean)
        ee, en, nn = (covariance[:, k] for k in range(3))
        bias = np.full(len(mean), gap.bias_bound_m)
        found = airspace.margins(lat, lon, covariance, bias)
        uncertainty = airspace.volumes[volume_index].boundary_uncertainty_m
        largest = 0.5 * (ee + nn) + np.sqrt(0.25 * (ee - nn) ** 2 + en * en) + uncertainty**2
        margin, p_inside = np.full(len(mean), -RELEVANCE_M), np.zeros(len(mean))
        away_e, away_n = np.full(len(mean), math.nan), np.full(len(mean), math.nan)
        mine = found.volume == volume_index
        row = found.row[mine]
        margin[row], p_inside[row] = found.margin_m[mine], found.p_inside[mine]
        side = np.where(margin[row] > 0.0, 1.0, -1.0)
        away_e[row], away_n[row] = side * found.normal_e[mine], side * found.normal_n[mine]
        return cls(margin, np.sqrt(largest), p_inside, away_e, away_n)


def _sampled(
    gap: Bridge, at: _Moments, best: int, airspace: Airspace, volume_index: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the paths are inside at which moments: (PATHS, MOMENTS); and what `_between` says of the others."""
    uncertainty = airspace.volumes[volume_index].boundary_uncertainty_m
    shift_sigma = math.sqrt(gap.slow_variance_m2 + uncertainty**2)
    states = np.empty((PATHS, MOMENTS, 4))
    sample_paths(
        gap.x_start,
        gap.P_start,
        gap.x_end,
        gap.P_end,
        gap.duration_s,
        gap.q,
        shift_sigma,
        normal_numbers(),
        states,
    )
    needed_m = 0.0
    if math.isnan(float(at.away_e[best])):
        needed_m = gap.bias_bound_m
    else:
        states[:, :, :2] += gap.bias_bound_m * np.array([at.away_e[best], at.away_n[best]])
    near = np.flatnonzero(at.margin_m + SURE_SIGMAS * at.sigma_m + gap.bias_bound_m > 0.0)
    depth = np.full((PATHS, MOMENTS), -RELEVANCE_M)
    depth[:, near] = _depths(gap, states[:, near, :2], airspace, volume_index) - needed_m
    inside = depth > 0.0
    return inside, *_between(gap, states, depth, airspace, volume_index, needed_m)


def _between(
    gap: Bridge, states: Floats, depth: Floats, airspace: Airspace, volume_index: int, needed_m: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of the paths inside at no moment: which are between two, and which of these half as close a look would miss."""
    crosses, is_seen_by_half = np.zeros(PATHS, dtype=np.bool_), np.zeros(PATHS, dtype=np.bool_)
    outside = np.flatnonzero(~(depth > 0.0).any(axis=1))
    step = np.diff(states[outside, :, :2], axis=1)
    # to pass through unseen, a step must be longer than both its ends are away from the volume together
    may_cross = np.sqrt((step * step).sum(axis=2)) > -(depth[outside, :-1] + depth[outside, 1:])
    path, moment = np.nonzero(may_cross)
    path = outside[path]
    if len(path):
        fine = np.empty((len(path), PARTS + 1, 2))
        lay_cubics(states[path, moment], states[path, moment + 1], gap.duration_s / (MOMENTS - 1), fine)
        found = _depths(gap, fine[:, 1:-1], airspace, volume_index) > needed_m
        crosses[path[found.any(axis=1)]] = True
        is_seen_by_half[path[found[:, 1::2].any(axis=1)]] = True
    return crosses, crosses & ~is_seen_by_half


def _depths(gap: Bridge, places: Floats, airspace: Airspace, volume_index: int) -> Floats:
    """Margins of places of the plane (n, k, 2): (n, k); -50 km where the volume is further away than that."""
    lat, lon = to_places(gap.latitude_deg, gap.longitude_deg, places.reshape(-1, 2))
    unknown = np.full((len(lat), 3), math.nan)
    found = airspace.margins(lat, lon, unknown, unknown[:, 0])
    mine = found.volume == volume_index
    depth = np.full(len(lat), -RELEVANCE_M)
    depth[found.row[mine]] = found.margin_m[mine]
    return depth.reshape(places.shape[:2])


def moments_of(gap: Bridge) -> tuple[Floats, Floats]:
    """Mean (MOMENTS, 2) and covariance (MOMENTS, 3: ee, en, nn) of the place at evenly spaced times, ends included."""
    mean, covariance = np.empty((MOMENTS, 2)), np.empty((MOMENTS, 3))
    for k in range(MOMENTS):
        tau_s = gap.duration_s * k / (MOMENTS - 1)
        e, n, ee, en, nn = bridge_position(
            gap.x_start, gap.P_start, gap.x_end, gap.P_end, gap.duration_s, tau_s, gap.q
        )
        mean[k] = e, n
        covariance[k] = ee + gap.slow_variance_m2, en, nn + gap.slow_variance_m2
    return mean, covariance


@cache
def normal_numbers() -> Floats:
    """The fixed numbers of all paths: (PATHS, NUMBERS); each column holds the same values in another order."""
    value = [NormalDist().inv_cdf((k + 0.5) / PATHS) for k in range(PATHS)]
    table = np.empty((PATHS, NUMBERS))
    state = 0
    for column in range(NUMBERS):
        order = list(range(PATHS))
        for last in range(PATHS - 1, 0, -1):
            state = (state + _GAMMA) & _WORD
            mixed = ((state ^ (state >> 30)) * _MIX_1) & _WORD
            mixed = ((mixed ^ (mixed >> 27)) * _MIX_2) & _WORD
            other = (mixed ^ (mixed >> 31)) % (last + 1)
            order[last], order[other] = order[other], order[last]
        table[:, column] = [value[k] for k in order]
    table.setflags(write=False)
    return table


@njit(cache=True, nogil=True)
def to_places(lat0: float, lon0: float, points: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude of points (n, 2) in the plane at (lat0, lon0)."""
    lat, lon = np.empty(len(points)), np.empty(len(points))
    for k in range(len(points)):
        lat[k], lon[k] = to_geodetic(lat0, lon0, points[k, 0], points[k, 1])
    return lat, lon


@njit(cache=True, nogil=True)
def _factor(P: Floats, L: Floats) -> None:
    """Lower L with L L^T = P for a positive semidefinite 4x4 P; what is not positive by rounding counts as 0."""
    L[:, :] = 0.0
    for j in range(4):
        pivot = P[j, j]
        for k in range(j):
            pivot -= L[j, k] * L[j, k]
        if not pivot > 0.0:
            continue
        L[j, j] = math.sqrt(pivot)
        for i in range(j + 1, 4):
            t = P[i, j]
            for k in range(j):
                t -= L[i, k] * L[j, k]
            L[i, j] = t / L[j, j]


@njit(cache=True, nogil=True)
def _drawn(mean: Floats, L: Floats, numbers: Floats, out: Floats) -> None:
    """out = mean + L numbers."""
    for i in range(4):
        out[i] = mean[i]
        for k in range(i + 1):
            out[i] += L[i, k] * numbers[k]


@njit(cache=True, nogil=True)
def sample_paths(
    x_start: Floats,
    P_start: Floats,
    x_end: Floats,
    P_end: Floats,
    duration_s: float,
    q: float,
    shift_sigma_m: float,
    numbers: Floats,
    paths: Floats,
) -> None:
    """Paths between two states, from standard normal numbers.

    Args:
        x_start, P_start, x_end, P_end, duration_s, q: as in `Bridge`.
        shift_sigma_m: one sigma per axis of what moves a path as a whole.
        numbers: (n, 8 + 4 (2^L - 1) + 2).
        paths: (n, 2^L + 1, 4) written: east, north and their speeds at evenly spaced times, ends included.
    """
    last = paths.shape[1] - 1
    known = np.zeros((4, 4))
    L_end, L_start = np.empty((4, 4)), np.empty((4, 4))
    mean, given_end = np.empty(4), np.empty((4, 4))
    bridge(x_start, P_start, x_end, known, duration_s, 0.0, q, mean, given_end)
    _factor(P_end, L_end)
    _factor(given_end, L_start)
    states = np.empty((last + 1, 4))
    for i in range(len(numbers)):
        _drawn(x_end, L_end, numbers[i, 0:4], states[last])
        bridge(x_start, P_start, states[last], known, duration_s, 0.0, q, mean, given_end)
        _drawn(mean, L_start, numbers[i, 4:8], states[0])
        column, stride = 8, last
        while stride > 1:
            half, T = stride // 2, duration_s * stride / last
            place, speed = math.sqrt(q * T * T * T / 192.0), math.sqrt(q * T / 16.0)
            for k in range(0, last, stride):
                a, b, middle = states[k], states[k + stride], states[k + half]
                for axis in range(2):
                    apart, v_a, v_b = b[axis] - a[axis], a[axis + 2], b[axis + 2]
                    middle[axis] = a[axis] + 0.5 * apart + T * (v_a - v_b) / 8.0 + place * numbers[i, column]
                    middle[axis + 2] = 1.5 * apart / T - 0.25 * (v_a + v_b) + speed * numbers[i, column + 1]
                    column += 2
            stride = half
        for k in range(last + 1):
            for axis in range(2):
                paths[i, k, axis] = states[k, axis] + shift_sigma_m * numbers[i, column + axis]
                paths[i, k, axis + 2] = states[k, axis + 2]


@njit(cache=True, nogil=True)
def lay_cubics(before: Floats, after: Floats, duration_s: float, places: Floats) -> None:
    """The model's mean path between two states each: cubics.

    Args:
        before, after: (n, 4) states.
        duration_s: between the two.
        places: (n, k + 1, 2) written: east, north at evenly spaced times, ends included.
    """
    last = places.shape[1] - 1
    for i in range(len(places)):
        for k in range(last + 1):
            u = k / last
            for axis in range(2):
                apart = after[i, axis] - before[i, axis]
                v_a, v_b = before[i, axis + 2] * duration_s, after[i, axis + 2] * duration_s
                bend = u * (1.0 - u) * ((1.0 - u) * (v_a - apart) - u * (v_b - apart))
                places[i, k, axis] = before[i, axis] + u * apart + bend
