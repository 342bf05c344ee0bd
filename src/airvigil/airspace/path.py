"""The path between two believed points: where along it to look, and how surely it ran there.

Where the path could touch a boundary, points along it are taken from the filter's bridge, with the
uncertainty grown in the gap.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.index import RELEVANCE_M
from airvigil.tracking.filter import bridge_position
from airvigil.tracking.local_plane import to_geodetic
from airvigil.tracking.track_table import NEVER

NS = 1e-9
NEAR_M = RELEVANCE_M  # margins are known within this
MOST_STEPS = 256  # tested points on one gap at the most
NEAR_SIGMAS = 6.0

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


@njit(cache=True, nogil=True)
def count_steps(points: Points, nearest_m: FloatArray, step_m: float, steps: Any) -> int:
    """How many points to test on the path to each point; 0 where it cannot touch a boundary.

    Args:
        points: (n,) POINT.
        nearest_m: (n,) least |margin| to any volume at the point; NEAR_M if none is near.
        step_m: spacing.
        steps: (n,) int64 out.

    Returns:
        Their sum.
    """
    total = 0
    for i in range(len(points)):
        point = points[i]
        steps[i] = 0
        if point["before"] == NEVER:
            continue
        gap_s = (point["time"] - point["before"]) * NS
        path = math.hypot(point["x_before"][0], point["x_before"][1])
        q_sigma = math.sqrt(point["noise"] * gap_s * gap_s * gap_s / 192.0)
        spread = NEAR_SIGMAS * (q_sigma + math.sqrt(point["cov_ee"] + point["cov_nn"]))
        if nearest_m[i] > path + spread and path + spread < NEAR_M:
            continue
        steps[i] = min(MOST_STEPS, int(path / step_m))
        total += steps[i]
    return total


@njit(cache=True, nogil=True)
def lay_path(points: Points, steps: Any, path: Path) -> None:
    """The tested path points: where and how uncertain.

    Args:
        points: (n,) POINT.
        steps: (n,) from `count_steps`.
        path: written.
    """
    k = 0
    for i in range(len(points)):
        if steps[i] == 0:
            continue
        point = points[i]
        gap = point["time"] - point["before"]
        for j in range(steps[i]):
            tau = gap * (j + 1) // (steps[i] + 1)
            e, n, ee, en, nn = bridge_position(
                point["x_before"],
                point["P_before"],
                point["x"],
                point["P"],
                gap * NS,
                tau * NS,
                point["noise"],
            )
            path.owner[k] = i
            path.time[k] = point["before"] + tau
            path.lat[k], path.lon[k] = to_geodetic(point["lat"], point["lon"], e, n)
            path.covariance_m2[k, 0] = ee + point["slow_var"]
            path.covariance_m2[k, 1] = en
            path.covariance_m2[k, 2] = nn + point["slow_var"]
            k += 1
