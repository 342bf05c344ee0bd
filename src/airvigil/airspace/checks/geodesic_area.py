"""Areas of rings whose edges are geodesics.

The area between a geodesic and the equator, on the sphere that has the ellipsoid's area (authalic latitude); summed
over a ring that is the ring's own. A geodesic on the ellipsoid departs from the great circle between the same authalic
places by about 0.3 % of its sagitta, which bounds the error of a sliver's area and so of its sign.

Reference: C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013) 43-55, section 6, for the method; J. P. Snyder, Map
projections: a working manual, USGS 1395 (1987), equations 3-11 to 3-13, for the authalic latitude.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from airvigil.units import WGS84_A_M, WGS84_E2

_E = math.sqrt(WGS84_E2)


def _q(sine: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithm = np.log((1.0 - _E * sine) / (1.0 + _E * sine)) / (2.0 * _E)
    return np.asarray((1.0 - WGS84_E2) * (sine / (1.0 - WGS84_E2 * sine**2) - logarithm))


_Q_POLE = float(_q(np.array([1.0]))[0])
AUTHALIC_RADIUS_M = WGS84_A_M * math.sqrt(_Q_POLE / 2.0)


def geodesic_ring_area_m2(ring: NDArray[np.float64]) -> float:
    """Signed area of a ring with geodesic edges, positive if counter-clockwise.

    Args:
        ring: (n, 2) latitude, longitude in degrees; closed; not around a pole.

    Example:
        >>> square = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
        >>> round(geodesic_ring_area_m2(square) / 1e6)
        6310
    """
    authalic = np.arcsin(np.clip(_q(np.sin(np.radians(ring[:, 0]))) / _Q_POLE, -1.0, 1.0))
    half = np.tan(0.5 * authalic)
    steps = np.diff(ring[:, 1])
    steps = np.radians(steps - 360.0 * np.round(steps / 360.0))
    excess = 2.0 * np.arctan2(np.tan(0.5 * steps) * (half[:-1] + half[1:]), 1.0 + half[:-1] * half[1:])
    return float(-math.fsum(excess.tolist()) * AUTHALIC_RADIUS_M**2)
