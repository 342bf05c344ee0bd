"""The path between two believed points: where along it to look, and how surely it ran there.

Where the path could touch a boundary, points along it are taken from the filter's bridge, with the
uncertainty grown in the gap. Where it climbs or descends through a limit of a volume near, it is tested
when its height, on the line between the heights at its two ends, meets floor, middle and ceiling; so a layer between
two reports is not stepped over. Where limits are in a reference in which the heights are not known, the
steps are so short that four of them lie in the layer, whatever turns one reference into the other.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.index.grid import RELEVANCE_M
from airvigil.airspace.volumes import Volume
from airvigil.tracking.local_plane import to_geodetic
from airvigil.tracking.points import between
from airvigil.tracking.track_table import NEVER

NS = 1e-9
NEAR_M = RELEVANCE_M  # margins are known within this
MOST_STEPS = 256  # tested points on one gap at the most
NEAR_SIGMAS = 6.0
STEPS_A_LAYER = 4.0  # in height
MOST_MEETINGS = 64  # with limits, on one gap

FloatArray = npt.NDArray[np.float64]
Points = npt.NDArray[Any]


class Path(NamedTuple):
    """Tested points of the paths, in order of point, then time.

    Attributes:
        owner: (k,) index of the point that the path leads to.
        time: (k,) ns.
        lat, lon: (k,) degrees.
        covariance_m2: (k, 3) ee, en, nn.
    """

    owner: npt.NDArray[np.int64]
    time: npt.NDArray[np.int64]
    lat: FloatArray
    lon: FloatArray
    covariance_m2: FloatArray


def blank_path(count: int) -> Path:
    """So many tested points, to be filled."""
    return Path(
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(count),
        np.zeros(count),
        np.zeros((count, 3)),
    )


class Layers(NamedTuple):
    """The vertical limits of an airspace's volumes, as kernels take them: (volumes,) each.

    Attributes:
        is_limited: whether some height is outside.
        lower_m, upper_m: -inf, inf: none.
        lower_reference, upper_reference: index into REFERENCES; -1: none of these.
    """

    is_limited: npt.NDArray[np.bool_]
    lower_m: FloatArray
    upper_m: FloatArray
    lower_reference: npt.NDArray[np.int8]
    upper_reference: npt.NDArray[np.int8]


REFERENCES = ("STD", "W84", "MSL")  # in which heights are measured; the order is that of `_heights`


@lru_cache(maxsize=4)
def layers_of(volumes: tuple[Volume, ...]) -> Layers:
    """The limits of volumes."""

    def number(reference: str) -> int:
        return REFERENCES.index(reference) if reference in REFERENCES else -1

    return Layers(
        np.array([not volume.spans_all_heights for volume in volumes], np.bool_),
        np.array([volume.lower.height_m for volume in volumes], np.float64),
        np.array([volume.upper.height_m for volume in volumes], np.float64),
        np.array([number(volume.lower.reference) for volume in volumes], np.int8),
        np.array([number(volume.upper.reference) for volume in volumes], np.int8),
    )


class Near(NamedTuple):
    """Which volumes are near which points: (m,) each, in order of point; as `margins.Margins`."""

    row: npt.NDArray[np.int64]
    volume: npt.NDArray[np.int32]
    margin_m: FloatArray


@njit(cache=True, nogil=True)
def _heights(point: Any) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """(before, after) of each of REFERENCES, m."""
    return (
        (point["before_pressure_altitude_m"], point["pressure_altitude_m"]),
        (point["before_geometric_height_m"], point["geometric_height_m"]),
        (point["before_height_msl_m"], point["height_msl_m"]),
    )


@njit(cache=True, nogil=True)
def _put_meeting(level_m: float, ends: tuple[float, float], gap: int, times: Any, count: int) -> int:
    """The time into the gap at which the height passes a level, if it does; returns how many times there are."""
    before, after = ends
    if count == len(times) or not (min(before, after) < level_m < max(before, after)):
        return count
    when = round(gap * ((level_m - before) / (after - before)))
    for k in range(count):  # many volumes share their limits
        if times[k] == when:
            return count
    times[count] = when
    return count + 1


@njit(cache=True, nogil=True)
def _put_levels(layers: Layers, v: int, point: Any, times: Any, count: int) -> tuple[int, int]:
    """The times at which the height passes a volume's floor, middle and ceiling.

    Returns:
        (count, steps): how many times there are; how many even steps make sure that no layer is stepped over where
        its limits are not of a reference in which the height is known at both ends.
    """
    gap = point["time"] - point["before"]
    lower, upper = layers.lower_m[v], layers.upper_m[v]
    heights = _heights(point)
    greatest, is_met = 0.0, False
    for r in range(3):
        before, after = heights[r]
        if math.isnan(before) or math.isnan(after):
            continue
        greatest = max(greatest, abs(after - before))
        if layers.lower_reference[v] == r:
            count = _put_meeting(lower, heights[r], gap, times, count)
        if layers.upper_reference[v] == r:
            count = _put_meeting(upper, heights[r], gap, times, count)
        if layers.lower_reference[v] == r and layers.upper_reference[v] == r:
            count = _put_meeting(0.5 * (lower + upper), heights[r], gap, times, count)
            is_met = True
    thickness = upper - lower
    if is_met or not thickness > 0.0 or math.isinf(thickness):
        return count, 0
    return count, int(min(STEPS_A_LAYER * greatest / thickness, MOST_STEPS))


@njit(cache=True, nogil=True)
def _put_even(steps: int, gap: int, times: Any, count: int) -> int:
    for j in range(steps):
        times[count] = gap * (j + 1) // (steps + 1)
        count += 1
    return count


@njit(cache=True, nogil=True)
def _sorted_once(times: Any, count: int, gap: int) -> int:
    """Sort, and drop what is there twice or is an end of the gap; returns how many are left."""
    times[:count].sort()
    kept = 0
    for j in range(count):
        if 0 < times[j] < gap and (kept == 0 or times[j] != times[kept - 1]):
            times[kept] = times[j]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def choose_times(
    points: Points, nearest_m: FloatArray, near: Near, layers: Layers, step_m: float, owner: Any, time: Any
) -> int:
    """When to test the path to each point: evenly where it may touch a boundary, and where it meets a limit.

    Args:
        points: (n,) POINT.
        nearest_m: (n,) least |margin| to any volume at the point; NEAR_M if none is near.
        near: volumes near the points.
        layers: of all volumes.
        step_m: spacing.
        owner, time: (k,) int64 out: index of the point and ns. Nothing is written beyond their length.

    Returns:
        How many there are.
    """
    total, at = 0, 0
    times = np.empty(MOST_STEPS + MOST_MEETINGS, np.int64)
    for i in range(len(points)):
        begin = at
        while at < len(near.row) and near.row[at] == i:
            at += 1
        point = points[i]
        if point["before"] == NEVER:
            continue
        gap = point["time"] - point["before"]
        gap_s = gap * NS
        path = math.hypot(point["before_e"], point["before_n"])
        q_sigma = math.sqrt(point["noise"] * gap_s * gap_s * gap_s / 192.0)
        reach = path + NEAR_SIGMAS * (q_sigma + math.sqrt(point["cov_ee"] + point["cov_nn"]))
        steps, count = 0, 0
        if nearest_m[i] <= reach or reach >= NEAR_M:
            steps = min(MOST_STEPS, int(path / step_m))
        for k in range(begin, at):
            if layers.is_limited[near.volume[k]] and near.margin_m[k] > -reach:
                count, at_least = _put_levels(layers, near.volume[k], point, times[:MOST_MEETINGS], count)
                steps = max(steps, at_least)
        if steps + count == 0:
            continue
        count = (
            _sorted_once(times, _put_even(steps, gap, times, count), gap)
            if count
            else _put_even(steps, gap, times, 0)
        )
        for j in range(count):
            if total < len(owner):
                owner[total], time[total] = i, point["before"] + times[j]
            total += 1
    return total


@njit(cache=True, nogil=True)
def lay_path(points: Points, path: Path) -> None:
    """The tested path points: where and how uncertain.

    Args:
        points: (n,) POINT.
        path: `owner` and `time` are read, the rest is written.
    """
    for k in range(len(path.owner)):
        point = points[path.owner[k]]
        e, n, ee, en, nn = between(point, (path.time[k] - point["before"]) * NS)
        path.lat[k], path.lon[k] = to_geodetic(point["lat"], point["lon"], e, n)
        path.covariance_m2[k, 0] = ee + point["slow_var"]
        path.covariance_m2[k, 1] = en
        path.covariance_m2[k, 2] = nn + point["slow_var"]


def path_before(points: Points, nearest_m: FloatArray, near: Near, layers: Layers, step_m: float) -> Path:
    """The tested points of the paths to points; arguments as for `choose_times`."""
    nobody = np.zeros(0, np.int64)
    count = choose_times(points, nearest_m, near, layers, step_m, nobody, nobody)
    path = blank_path(count)
    if count:
        choose_times(points, nearest_m, near, layers, step_m, path.owner, path.time)
        lay_path(points, path)
    return path
