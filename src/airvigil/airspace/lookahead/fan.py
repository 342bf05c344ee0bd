"""The fan of courses that a track may take next, and the places to test on them.

A course is a geodesic from the filtered position at the filtered ground speed. The fan holds COURSES of them, spread evenly over
+-FAN_SIGMAS around the present one, with Gaussian weights. Its sigma is what the filter does not know of the course (its
velocity covariance across the track) and the turn allowance of the settings, in quadrature.

Rules
- A place on a course is as uncertain as the position; what the filter does not know of the speed decides by when it is reached, with
  a probability. That keeps the error ellipses small, for which P(inside) is fast.
- The filter's process noise does not enter: the turn allowance stands for it.
- Everything of a point depends on that point alone.
- No test is laid where the boundary cannot be reached yet, REACH_SIGMAS allowed for.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.tracking.local_plane import to_geodetic

FloatArray = npt.NDArray[np.float64]

COURSES = 9
PRESENT = COURSES // 2  # index of the present course
FAN_SIGMAS = 2.4
REACH_SIGMAS = 6.0
WIDE_SIGMA_M = 240.0  # above this the exact P(inside) of a place takes some 100 times as long
MOST_COURSE_SIGMA_RAD = math.radians(30.0)  # a fan wider than this points nowhere
OFFSETS = np.linspace(-FAN_SIGMAS, FAN_SIGMAS, COURSES)
_DENSITIES = [math.exp(-0.5 * z * z) for z in OFFSETS.tolist()]
WEIGHTS = np.array([density / math.fsum(_DENSITIES) for density in _DENSITIES])


@njit(cache=True, nogil=True)
def motion(point: Any) -> tuple[float, float, float, float]:
    """Ground speed (m/s), course (rad from the plane's north), 1 sigma of each by the filter; NaN where it stands still.

    Args:
        point: a POINT record.
    """
    e, n = point["ve"], point["vn"]
    speed = math.hypot(e, n)
    if not speed > 0.0:
        return 0.0, math.nan, math.nan, math.nan
    ee, en, nn = point["p22"], point["p23"], point["p33"]
    along = (e * e * ee + 2.0 * e * n * en + n * n * nn) / (speed * speed)
    across = (n * n * ee - 2.0 * e * n * en + e * e * nn) / (speed * speed)
    return speed, math.atan2(e, n), math.sqrt(max(0.0, along)), math.sqrt(max(0.0, across)) / speed


@njit(cache=True, nogil=True)
def is_course_known(point: Any, turn_sigma_rad: float) -> bool:
    """Whether the fan points anywhere: false for what stands still, and where its sigma is over 30 degrees."""
    return bool(math.hypot(motion(point)[3], turn_sigma_rad) <= MOST_COURSE_SIGMA_RAD)


@njit(cache=True, nogil=True)
def covariance_ahead(point: Any, t_s: float) -> tuple[float, float, float]:
    """Covariance (ee, en, nn; m^2) of the place after t_s on the present course, as the filter's state says."""
    ee = point["cov_ee"] + t_s * (2.0 * point["p02"] + t_s * point["p22"])
    en = point["cov_en"] + t_s * (point["p03"] + point["p12"] + t_s * point["p23"])
    nn = point["cov_nn"] + t_s * (2.0 * point["p13"] + t_s * point["p33"])
    return ee, en, nn


@njit(cache=True, nogil=True)
def first_tests(
    points: Any, distance_m: FloatArray, turn_sigma_rad: float, test_every_s: float, tests: int, first: Any
) -> int:
    """Which test of each point's courses is the first that is laid; `tests` where none need be.

    Args:
        points: (n,) POINT.
        distance_m: (n,) least distance to any boundary that is asked about; 0 inside one.
        turn_sigma_rad: the turn allowance.
        test_every_s: test j is at (j + 1) * test_every_s.
        tests: their number.
        first: (n,) int64 out.

    Returns:
        How many places are to be laid in all.
    """
    total = 0
    for i in range(len(points)):
        point = points[i]
        first[i] = tests
        if not is_course_known(point, turn_sigma_rad):
            continue
        spread = REACH_SIGMAS * math.sqrt(point["cov_ee"] + point["cov_nn"])
        soonest_s = max(0.0, distance_m[i] - spread) / motion(point)[0]
        # one test earlier than it can be reached: the boundary then lies between two tests
        first[i] = min(tests, max(0, int(soonest_s / test_every_s) - 1))
        total += COURSES * (tests - first[i])
    return total


@njit(cache=True, nogil=True)
def lay_fan(
    points: Any,
    first: Any,
    offsets: FloatArray,
    turn_sigma_rad: float,
    test_every_s: float,
    tests: int,
    owner: Any,
    course: Any,
    test: Any,
    lat: FloatArray,
    lon: FloatArray,
    cov: FloatArray,
) -> None:
    """The tested places of all fans, by point, course, then time.

    Args:
        points, turn_sigma_rad, test_every_s, tests: as `first_tests`.
        first: (n,) from `first_tests`.
        offsets: (COURSES,) in sigmas of the course.
        owner, course, test: (k,) int64 out, which point, course and test a place belongs to.
        lat, lon: (k,) out, degrees.
        cov: (k, 3) out, m^2: ee, en, nn.
    """
    at = 0
    for i in range(len(points)):
        if first[i] >= tests:
            continue
        point = points[i]
        speed, angle, _, course_sigma = motion(point)
        sigma = math.hypot(course_sigma, turn_sigma_rad)
        for k in range(len(offsets)):
            e, n = math.sin(angle + offsets[k] * sigma), math.cos(angle + offsets[k] * sigma)
            for j in range(first[i], tests):
                t = (j + 1) * test_every_s
                owner[at], course[at], test[at] = i, k, j
                lat[at], lon[at] = to_geodetic(point["lat"], point["lon"], speed * t * e, speed * t * n)
                cov[at, 0], cov[at, 1], cov[at, 2] = point["cov_ee"], point["cov_en"], point["cov_nn"]
                at += 1


@njit(cache=True, nogil=True)
def place_ahead(point: Any, t_s: float) -> tuple[float, float]:
    """Latitude and longitude (deg) after t_s on the present course."""
    lat, lon = to_geodetic(point["lat"], point["lon"], t_s * point["ve"], t_s * point["vn"])
    return lat, lon


@njit(cache=True, nogil=True)
def straight_chance(
    margin_m: FloatArray, sigma_m: FloatArray, normal_e: FloatArray, normal_n: FloatArray, cov: FloatArray,
    bias_m: FloatArray, p: FloatArray,
) -> None:  # fmt: skip
    """P(inside) as if the boundary were straight, where the error is too wide for the fast exact one.

    Args:
        margin_m, sigma_m, normal_e, normal_n: (k,) asked with an error of a metre; normal NaN: the largest sigma counts.
        cov: (k, 3) true covariance, m^2.
        bias_m: (k,) bound on the systematic error.
        p: (k,) out.
    """
    for i in range(len(margin_m)):
        e, n = normal_e[i], normal_n[i]
        variance = cov[i, 0] * e * e + 2.0 * cov[i, 1] * e * n + cov[i, 2] * n * n
        if math.isnan(variance):
            half = 0.5 * (cov[i, 0] - cov[i, 2])
            variance = 0.5 * (cov[i, 0] + cov[i, 2]) + math.hypot(half, cov[i, 1])
        sigma = math.sqrt(variance + max(0.0, sigma_m[i] * sigma_m[i] - 1.0))
        p[i] = 0.5 * math.erfc((bias_m[i] - margin_m[i]) / (sigma * math.sqrt(2.0)))


@njit(cache=True, nogil=True)
def chance_by_time(
    p: FloatArray, weights: FloatArray, within: FloatArray, speed_spread: FloatArray, out: FloatArray
) -> None:
    """P(inside at some tested place that is reached by each moment) over the fan: of each course the greatest, weighted.

    A place that is reached after j intervals at the present speed is reached within h of them with
    P = normal((h - j + 1/2) / (h + 1) / spread of the speed), the half because it was crossed into during the interval.

    Args:
        p: (c, courses, tests) P(laterally inside).
        weights: (courses,) with sum 1.
        within: (c, tests) P(height within the limits).
        speed_spread: (c,) 1 sigma of the speed over the speed; 0 exact.
        out: (c, tests) overwritten; never falls with time.
    """
    most = np.empty(p.shape[1])
    for c in range(p.shape[0]):
        for h in range(p.shape[2]):
            most[:] = 0.0
            for j in range(h + 1):
                reached = 1.0
                if speed_spread[c] > 0.0:
                    reached = 0.5 * math.erfc(-(h - j + 0.5) / ((h + 1) * speed_spread[c] * math.sqrt(2.0)))
                for k in range(p.shape[1]):
                    most[k] = max(most[k], p[c, k, j] * within[c, j] * reached)
            out[c, h] = 0.0
            for k in range(p.shape[1]):
                out[c, h] += weights[k] * most[k]
