"""Track points become samples against volumes.

Between two believed points the path is tested too (`path`). Everything of a row depends on that row and the
believed one before it, so batches do not matter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.heights.sample_heights import heights_between, with_heights
from airvigil.airspace.heights.vertical import HeightKnowledge, heights_of
from airvigil.airspace.margins import Airspace, Margins
from airvigil.airspace.spells.path import (
    NEAR_M,
    NS,
    FloatArray,
    Near,
    Path,
    Points,
    blank_path,
    layers_of,
    path_before,
)
from airvigil.airspace.spells.sample_activation import take_activation
from airvigil.airspace.spells.spell_records import MISSING_BOUNDARY, Samples, blank_samples
from airvigil.settings import Settings
from airvigil.tracking import verdicts
from airvigil.tracking.row_order import taken

NO_KNOWLEDGE = HeightKnowledge()
NO_SAMPLES = blank_samples(0)


def believed_airborne(points: Points) -> Points:
    """The points that may make a spell: credible or degraded, and not on the ground."""
    is_believed = (points["integrity"] != verdicts.NOT_CREDIBLE) & (points["on_ground"] != 1)
    return points if is_believed.all() else taken(points, np.flatnonzero(is_believed))


def samples_of(
    points: Points, airspace: Airspace, settings: Settings, knowledge: HeightKnowledge = NO_KNOWLEDGE
) -> Samples:
    """Samples of believed airborne points and of the paths before them, against every volume near.

    Args:
        points: (n,) POINT, none of them not credible.
        airspace: volumes.
        settings: thresholds.
        knowledge: what turns one height reference into another.
    """
    n = len(points)
    if n == 0:
        return NO_SAMPLES
    here, bias_m = blank_path(n), np.zeros(n)
    _places(points, here, bias_m)
    at = airspace.margins(here.lat, here.lon, here.covariance_m2, bias_m)
    nearest_m, layers = np.full(n, NEAR_M), layers_of(airspace.volumes)
    _nearest(at.row, at.margin_m, nearest_m)
    near = Near(at.row, at.volume, at.margin_m)
    between = path_before(points, nearest_m, near, layers, settings.infringement.path_step_m)
    on = airspace.margins(between.lat, between.lon, between.covariance_m2, bias_m[between.owner])
    samples = blank_samples(len(on.row) + len(at.row))
    _merge(_measured(between, on), _measured(here, at), samples)
    # inside by the count of crossings, but P cannot be told: a defective boundary must not hide who is in there
    untold = np.flatnonzero(np.isnan(samples.p_lateral) & (samples.margin_m > 0.0))
    samples.p_lateral[untold] = samples.p_inside[untold] = 1.0
    limited = np.flatnonzero(layers.is_limited[samples.volume])
    if len(limited):
        _take_heights(samples, limited, points, airspace, knowledge, settings)
    take_activation(samples, airspace.volumes)
    samples.doubt[untold] |= MISSING_BOUNDARY
    samples.p_inside[untold[samples.p_inside[untold] > 0.0]] = np.nan
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


def _take_heights(
    samples: Samples,
    which: npt.NDArray[np.int64],
    points: Points,
    airspace: Airspace,
    knowledge: HeightKnowledge,
    settings: Settings,
) -> None:
    """P(inside) with height of the samples `which`, and what is missing where it is unknown."""
    mine = taken(points, samples.point[which])
    after = heights_of(mine, settings.heights)._replace(
        latitude_deg=samples.lat[which], longitude_deg=samples.lon[which]
    )
    before = after._replace(
        pressure_altitude_m=mine["before_pressure_altitude_m"],
        geometric_height_m=mine["before_geometric_height_m"],
        height_msl_m=mine["before_height_msl_m"],
    )
    is_bridged = samples.bridged[which]
    gap_s = np.where(is_bridged, (mine["time"] - mine["before"]) * NS, 0.0)
    since_s = np.where(is_bridged, (samples.time[which] - mine["before"]) * NS, 0.0)
    heights = heights_between(before, after, since_s, gap_s, settings.heights)
    samples.p_inside[which], missing = with_heights(
        airspace.volumes,
        samples.volume[which],
        samples.p_lateral[which],
        heights,
        knowledge,
        settings.heights,
    )
    samples.doubt[which] = np.where(missing > 0, 1 << missing.astype(np.int32), 0)
