"""Track points become samples against volumes, and samples become spells.

Between two believed points the path is tested too: where it could touch a boundary, points along it
are taken from the filter's bridge, with the uncertainty grown in the gap. Everything of a row depends
on that row and the believed one before it, so batches do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells import Sample
from airvigil.airspace.vertical import gva_sigma_m, p_within_limits
from airvigil.settings import Settings
from airvigil.tracking import verdicts
from airvigil.tracking.local_plane import to_geodetic
from airvigil.tracking.points import between
from airvigil.tracking.row_order import taken
from airvigil.tracking.track_table import NEVER

NS = 1e-9
NEAR_M = 50_000.0  # margins are known within this
MOST_STEPS = 256  # tested points on one gap at the most
NEAR_SIGMAS = 6.0

FloatArray = npt.NDArray[np.float64]
Points = npt.NDArray[Any]


@dataclass(frozen=True)
class Samples:
    """Points and path points against all volumes near them, in order of point, then time.

    Attributes:
        point: (k,) index into the points given.
        volume: (k,) index into the airspace's volumes.
        time: (k,) ns.
        lat, lon: (k,) degrees.
        margin_m, sigma_m, p_lateral, p_inside: (k,) as `spells.Sample`.
        bridged: (k,) bool.
    """

    point: npt.NDArray[np.int64]
    volume: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    lat: FloatArray
    lon: FloatArray
    margin_m: FloatArray
    sigma_m: FloatArray
    p_lateral: FloatArray
    p_inside: FloatArray
    bridged: npt.NDArray[np.bool_]

    def sample(self, k: int, point: Any) -> Sample:
        """Sample k; `point` is the record it belongs to."""
        return Sample(
            time=int(self.time[k]),
            known=int(point["known"]),
            lat=float(self.lat[k]),
            lon=float(self.lon[k]),
            margin_m=float(self.margin_m[k]),
            sigma_m=float(self.sigma_m[k]),
            p_lateral=float(self.p_lateral[k]),
            p_inside=float(self.p_inside[k]),
            clock_s=float(point["clock_s"]),
            bridged=bool(self.bridged[k]),
            degraded=bool(point["integrity"] != verdicts.CREDIBLE),
            is_reconstruction=bool(point["is_reconstruction"]),
        )


_NO_NUMBERS: FloatArray = np.zeros(0)
NO_SAMPLES = Samples(
    point=np.zeros(0, np.int64),
    volume=np.zeros(0, np.int32),
    time=np.zeros(0, np.int64),
    lat=_NO_NUMBERS,
    lon=_NO_NUMBERS,
    margin_m=_NO_NUMBERS,
    sigma_m=_NO_NUMBERS,
    p_lateral=_NO_NUMBERS,
    p_inside=_NO_NUMBERS,
    bridged=np.zeros(0, np.bool_),
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
        path = math.hypot(point["before_e"], point["before_n"])
        q_sigma = math.sqrt(point["noise"] * gap_s * gap_s * gap_s / 192.0)
        spread = NEAR_SIGMAS * (q_sigma + math.sqrt(point["cov_ee"] + point["cov_nn"]))
        if nearest_m[i] > path + spread and path + spread < NEAR_M:
            continue
        steps[i] = min(MOST_STEPS, int(path / step_m))
        total += steps[i]
    return total


@njit(cache=True, nogil=True)
def lay_path(
    points: Points,
    steps: Any,
    owner: Any,
    time: Any,
    lat: FloatArray,
    lon: FloatArray,
    cov: FloatArray,
) -> None:
    """The tested path points: where and how uncertain.

    Args:
        points: (n,) POINT.
        steps: (n,) from `count_steps`.
        owner: (k,) int64 out, index of the point whose path it is.
        time: (k,) int64 out, ns.
        lat, lon: (k,) out, degrees.
        cov: (k, 3) out, m^2: ee, en, nn.
    """
    k = 0
    for i in range(len(points)):
        point = points[i]
        gap = point["time"] - point["before"]
        for j in range(steps[i]):
            tau = gap * (j + 1) // (steps[i] + 1)
            e, n, ee, en, nn = between(point, tau * NS)
            owner[k] = i
            time[k] = point["before"] + tau
            lat[k], lon[k] = to_geodetic(point["lat"], point["lon"], e, n)
            cov[k, 0], cov[k, 1], cov[k, 2] = ee + point["slow_var"], en, nn + point["slow_var"]
            k += 1


def _with_height(
    samples_volume: Any,
    owner: Any,
    p_lateral: FloatArray,
    points: Points,
    airspace: Airspace,
    settings: Settings,
) -> FloatArray:
    """P(inside) with height: equal to the lateral one where a volume spans all heights."""
    p_inside = p_lateral.copy()
    for v, volume in enumerate(airspace.volumes):
        if volume.spans_all_heights:
            continue
        for k in np.flatnonzero(samples_volume == v):
            point = points[owner[k]]
            p_vertical = p_within_limits(
                volume,
                float(point["pressure_altitude_m"]),
                float(point["geometric_height_m"]),
                float(point["height_msl_m"]),
                settings.infringement,
                gva_sigma_m(int(point["gva"])),
            )
            p_inside[k] = 0.0 if p_lateral[k] == 0.0 else p_lateral[k] * p_vertical
    return p_inside


def samples_of(points: Points, airspace: Airspace, settings: Settings) -> Samples:
    """Samples of believed airborne points and of the paths before them, against every volume near.

    Args:
        points: (n,) POINT, none of them not credible.
        airspace: volumes.
        settings: thresholds.
    """
    n = len(points)
    if n == 0:
        return NO_SAMPLES
    cov = np.column_stack([points["cov_ee"], points["cov_en"], points["cov_nn"]])
    lat, lon = np.ascontiguousarray(points["lat"]), np.ascontiguousarray(points["lon"])
    bias = np.ascontiguousarray(points["bias_m"])
    at = airspace.margins(lat, lon, cov, bias)
    nearest = np.full(n, NEAR_M)
    np.minimum.at(nearest, at.row, np.abs(at.margin_m))
    steps = np.zeros(n, dtype=np.int64)
    total = count_steps(points, nearest, settings.infringement.path_step_m, steps)
    owner, time = np.zeros(total, dtype=np.int64), np.zeros(total, dtype=np.int64)
    path_lat, path_lon, path_cov = np.zeros(total), np.zeros(total), np.zeros((total, 3))
    lay_path(points, steps, owner, time, path_lat, path_lon, path_cov)
    on = airspace.margins(path_lat, path_lon, path_cov, bias[owner])
    point_index = np.concatenate([owner[on.row], at.row])
    times = np.concatenate([time[on.row], points["time"][at.row]])
    volume = np.concatenate([on.volume, at.volume])
    order = np.lexsort((volume, times, point_index))
    p_lateral = np.concatenate([on.p_inside, at.p_inside])
    p_inside = _with_height(volume, point_index, p_lateral, points, airspace, settings)
    return Samples(
        point=point_index[order],
        volume=volume[order],
        time=times[order],
        lat=np.concatenate([path_lat[on.row], lat[at.row]])[order],
        lon=np.concatenate([path_lon[on.row], lon[at.row]])[order],
        margin_m=np.concatenate([on.margin_m, at.margin_m])[order],
        sigma_m=np.concatenate([on.sigma_m, at.sigma_m])[order],
        p_lateral=p_lateral[order],
        p_inside=p_inside[order],
        bridged=np.concatenate([np.ones(len(on.row), bool), np.zeros(len(at.row), bool)])[order],
    )


def believed_airborne(points: Points) -> Points:
    """The points that may make a spell: credible or degraded, and not on the ground."""
    is_believed = (points["integrity"] != verdicts.NOT_CREDIBLE) & (points["on_ground"] != 1)
    return points if is_believed.all() else taken(points, np.flatnonzero(is_believed))


def pairs_in(samples: Samples, points: Points) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
    """(slot, volume, indices of samples in time order) of each pair of track and volume."""
    if not len(samples.point):
        return
    slot = points["slot"][samples.point]
    order = np.lexsort((np.arange(len(slot)), samples.volume, slot))
    both = np.column_stack([slot[order], samples.volume[order]])
    starts = np.flatnonzero(np.any(both[1:] != both[:-1], axis=1)) + 1
    for block in np.split(order, starts):
        yield int(slot[block[0]]), int(samples.volume[block[0]]), block
