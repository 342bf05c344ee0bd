"""Track points become samples against volumes.

Between two believed points the path is tested too (`path`). Everything of a row depends on that row and the
believed one before it, so batches do not matter.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.margins import Airspace, Margins
from airvigil.airspace.path import NEAR_M, FloatArray, Path, Points, blank_path, count_steps, lay_path
from airvigil.airspace.spell_records import MISSING_HEIGHT, Samples, blank_samples
from airvigil.airspace.vertical import gva_sigma_m, p_within_limits
from airvigil.settings import Settings
from airvigil.tracking import verdicts

NO_SAMPLES = blank_samples(0)


def believed_airborne(points: Points) -> Points:
    """The points that may make a spell: credible or degraded, and not on the ground."""
    is_believed = (points["integrity"] != verdicts.NOT_CREDIBLE) & (points["on_ground"] != 1)
    return points if is_believed.all() else points[is_believed]


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
    here, bias_m = blank_path(n), np.zeros(n)
    _places(points, here, bias_m)
    at = airspace.margins(here.lat, here.lon, here.covariance_m2, bias_m)
    nearest_m, steps = np.full(n, NEAR_M), np.zeros(n, np.int64)
    _nearest(at.row, at.margin_m, nearest_m)
    total = count_steps(points, nearest_m, settings.infringement.path_step_m, steps)
    between = blank_path(total)
    lay_path(points, steps, between)
    on = airspace.margins(between.lat, between.lon, between.covariance_m2, bias_m[between.owner])
    samples = blank_samples(len(on.row) + len(at.row))
    _merge(_measured(between, on), _measured(here, at), samples)
    _take_heights(samples, points, airspace, settings)
    return samples


@njit(cache=True, nogil=True)
def _places(points: Points, here: Path, bias_m: FloatArray) -> None:
    """The points themselves in the form of a path; their own index is the owner."""
    for i in range(len(points)):
        point = points[i]
        here.owner[i] = i
        here.time[i] = point["time"]
        here.lat[i], here.lon[i] = point["lat"], point["lon"]
        here.covariance_m2[i, 0] = point["cov_ee"]
        here.covariance_m2[i, 1] = point["cov_en"]
        here.covariance_m2[i, 2] = point["cov_nn"]
        bias_m[i] = point["bias_m"]


@njit(cache=True, nogil=True)
def _nearest(row: npt.NDArray[np.int64], margin_m: FloatArray, nearest_m: FloatArray) -> None:
    for k in range(len(row)):
        nearest_m[row[k]] = min(nearest_m[row[k]], abs(margin_m[k]))


Measured = tuple[
    Path, npt.NDArray[np.int64], npt.NDArray[np.int32], FloatArray, FloatArray, FloatArray
]  # of a path: row, volume, margin, sigma, P


def _measured(path: Path, margins: Margins) -> Measured:
    return path, margins.row, margins.volume, margins.margin_m, margins.sigma_m, margins.p_inside


@njit(cache=True, nogil=True)
def _merge(on: Measured, at: Measured, samples: Samples) -> None:
    """The samples of each point's path, then its own; both come in order of point, time and volume."""
    j = 0
    for k in range(len(at[1]) + 1):
        point = at[0].owner[at[1][k]] if k < len(at[1]) else len(at[0].owner)
        while j < len(on[1]) and on[0].owner[on[1][j]] <= point:
            _copy(on, j, samples, j + k, True)
            j += 1
        if k < len(at[1]):
            _copy(at, k, samples, j + k, False)


@njit(cache=True, nogil=True)
def _copy(measured: Measured, k: int, samples: Samples, to: int, is_bridged: bool) -> None:
    path, rows, volume, margin_m, sigma_m, p_inside = measured
    row = rows[k]
    samples.point[to] = path.owner[row]
    samples.time[to] = path.time[row]
    samples.lat[to], samples.lon[to] = path.lat[row], path.lon[row]
    samples.volume[to] = volume[k]
    samples.margin_m[to], samples.sigma_m[to] = margin_m[k], sigma_m[k]
    samples.p_lateral[to] = samples.p_inside[to] = p_inside[k]
    samples.bridged[to] = is_bridged


def _take_heights(samples: Samples, points: Points, airspace: Airspace, settings: Settings) -> None:
    """P(inside) with height: equal to the lateral one where a volume spans all heights."""
    for number, volume in enumerate(airspace.volumes):
        if volume.spans_all_heights:
            continue
        for k in np.flatnonzero(samples.volume == number):
            point = points[samples.point[k]]
            p_vertical = p_within_limits(
                volume,
                float(point["pressure_altitude_m"]),
                float(point["geometric_height_m"]),
                float(point["height_msl_m"]),
                settings.infringement,
                gva_sigma_m(int(point["gva"])),
            )
            lateral = samples.p_lateral[k]
            samples.p_inside[k] = 0.0 if lateral == 0.0 else lateral * p_vertical
            if math.isnan(samples.p_inside[k]):
                samples.doubt[k] = MISSING_HEIGHT
