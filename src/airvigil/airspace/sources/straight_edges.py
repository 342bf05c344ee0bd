"""How far the readings of a straight edge part, where its source does not say which it means."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.sources.loaded import Remark
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.units import MEAN_EARTH_RADIUS_M

WORTH_SAYING_M = 100.0


def readings_part_m(ring: NDArray[np.float64]) -> float:
    """The most by which an edge as a geodesic departs from one straight in longitude and latitude, in metres.

    On a sphere, at the middle of the edge: R dlon^2 sin(2 lat) / 16 along a parallel, which is also the leading term elsewhere. It
    is a figure for people and decides nothing.

    Example:
        >>> leg = np.array([[60.0, 24.0], [60.0, 25.8], [61.0, 25.0], [60.0, 24.0]])
        >>> round(readings_part_m(leg))
        340
    """
    real = ~is_artificial_edge(ring)
    if not real.any():
        return 0.0
    spans = np.radians(np.abs(np.diff(ring[:, 1])))[real]
    middle = np.radians(0.5 * (ring[:-1, 0] + ring[1:, 0]))[real]
    return float(np.max(MEAN_EARTH_RADIUS_M * spans**2 * np.abs(np.sin(2.0 * middle)) / 16.0))


def remark_on_straight_edges(volumes: Sequence[Volume]) -> list[Remark]:
    """One remark on all volumes for which the reading matters by more than WORTH_SAYING_M; none if there are none."""
    parts = [max(readings_part_m(ring) for ring in volume.rings) for volume in volumes]
    wide = [k for k, metres in enumerate(parts) if metres > WORTH_SAYING_M]
    if not wide:
        return []
    worst = max(wide, key=lambda k: parts[k])
    volume = volumes[worst]
    line = int(volume.place.removeprefix("line ")) if volume.place.startswith("line ") else 0
    reason = (
        f"straight edges are read as {volume.edge_kind}; in {len(wide)} volumes the readings part by over "
        f"{WORTH_SAYING_M:.0f} m, at most {math.ceil(parts[worst]):,} m here"
    )
    return [Remark(line, reason, volume.name)]
