"""Geodesics on the WGS84 ellipsoid: points along one, its length and azimuth, the place at its end.

Vincenty's inverse and direct solutions, in scalar Python: only the edges, arcs and circles of a user's
volumes pass here, once, when they are loaded. Nearly antipodal end points, where the inverse solution does
not converge, are refused: no airspace has such an edge.

Reference: T. Vincenty, Survey Review 23 (1975) 88-93. Accuracy 0.1 mm over the lengths in question.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from airvigil.errors import AirspaceError
from airvigil.units import WGS84_A_M, WGS84_F

WGS84_B_M = WGS84_A_M * (1.0 - WGS84_F)


def geodesic_points(lat1: float, lon1: float, lat2: float, lon2: float, pieces: int) -> NDArray[np.float64]:
    """Points that cut the geodesic from place 1 to place 2 evenly: (pieces, 2), place 2 left out.

    Raises:
        AirspaceError: if the end points are nearly antipodal.

    Example:
        >>> geodesic_points(60.0, 20.0, 60.0, 24.0, 2).round(4).tolist()
        [[60.0, 20.0], [60.0151, 22.0]]
    """
    points = np.empty((pieces, 2))
    points[0] = lat1, lon1
    if pieces == 1:
        return points
    length, azimuth = _inverse(lat1, lon1, lat2, lon2)
    for k in range(1, pieces):
        points[k] = _direct(lat1, lon1, azimuth, length * k / pieces)
    return points


def geodesic_inverse(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Length in metres and azimuth in radians (clockwise from north) at place 1; 0, 0 where the places are one.

    Raises:
        AirspaceError: if the places are nearly antipodal.

    Example:
        >>> length, azimuth = geodesic_inverse(60.0, 25.0, 61.0, 25.0)
        >>> round(length, 2), azimuth
        (111420.73, 0.0)
    """
    return _inverse(lat1, lon1, lat2, lon2)


def geodesic_direct(lat: float, lon: float, azimuth_rad: float, length_m: float) -> tuple[float, float]:
    """Latitude and longitude (degrees, within +-180) at a length along the geodesic that leaves at an azimuth.

    Example:
        >>> [round(value, 6) for value in geodesic_direct(60.0, 25.0, 0.0, 111420.73)]
        [61.0, 25.0]
    """
    return _direct(lat, lon, azimuth_rad, length_m)


def _series(cos2_alpha: float) -> tuple[float, float]:
    u2 = cos2_alpha * (WGS84_A_M**2 - WGS84_B_M**2) / WGS84_B_M**2
    a = 1.0 + u2 / 16384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)))
    b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)))
    return a, b


def _delta_sigma(b: float, sin_s: float, cos_s: float, cos_2m: float) -> float:
    inner = cos_s * (2.0 * cos_2m**2 - 1.0)
    inner -= b / 6.0 * cos_2m * (4.0 * sin_s**2 - 3.0) * (4.0 * cos_2m**2 - 3.0)
    return b * sin_s * (cos_2m + b / 4.0 * inner)


def _longitude_term(sin_alpha: float, cos2_alpha: float, sigma: float, cos_2m: float) -> float:
    c = WGS84_F / 16.0 * cos2_alpha * (4.0 + WGS84_F * (4.0 - 3.0 * cos2_alpha))
    inner = cos_2m + c * math.cos(sigma) * (2.0 * cos_2m**2 - 1.0)
    return (1.0 - c) * WGS84_F * sin_alpha * (sigma + c * math.sin(sigma) * inner)


def _inverse(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Length (m) and azimuth (rad) at place 1."""
    u1 = math.atan((1.0 - WGS84_F) * math.tan(math.radians(lat1)))
    u2 = math.atan((1.0 - WGS84_F) * math.tan(math.radians(lat2)))
    difference = math.radians(math.remainder(lon2 - lon1, 360.0))
    lam = difference
    for _ in range(100):
        x = math.cos(u2) * math.sin(lam)
        y = math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam)
        sin_s = math.hypot(x, y)
        if sin_s == 0.0:
            return 0.0, 0.0
        cos_s = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_s, cos_s)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_s
        cos2_alpha = 1.0 - sin_alpha**2
        cos_2m = cos_s - 2.0 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha > 0.0 else 0.0
        previous, lam = lam, difference + _longitude_term(sin_alpha, cos2_alpha, sigma, cos_2m)
        if abs(lam - previous) < 1e-14:
            a, b = _series(cos2_alpha)
            length = WGS84_B_M * a * (sigma - _delta_sigma(b, sin_s, cos_s, cos_2m))
            return length, math.atan2(x, y)
    raise AirspaceError(f"edge from {lat1}, {lon1} to {lat2}, {lon2} is nearly antipodal")


def _direct(lat1: float, lon1: float, azimuth: float, length: float) -> tuple[float, float]:
    """Latitude and longitude (deg) at a length (m) along the geodesic."""
    u1 = math.atan((1.0 - WGS84_F) * math.tan(math.radians(lat1)))
    sin_alpha = math.cos(u1) * math.sin(azimuth)
    cos2_alpha = 1.0 - sin_alpha**2
    sigma1 = math.atan2(math.tan(u1), math.cos(azimuth))
    a, b = _series(cos2_alpha)
    sigma = first = length / (WGS84_B_M * a)
    for _ in range(20):
        cos_2m = math.cos(2.0 * sigma1 + sigma)
        previous, sigma = sigma, first + _delta_sigma(b, math.sin(sigma), math.cos(sigma), cos_2m)
        if sigma == previous:
            break
    cos_2m = math.cos(2.0 * sigma1 + sigma)
    x = math.sin(u1) * math.sin(sigma) - math.cos(u1) * math.cos(sigma) * math.cos(azimuth)
    y = math.sin(u1) * math.cos(sigma) + math.cos(u1) * math.sin(sigma) * math.cos(azimuth)
    latitude = math.atan2(y, (1.0 - WGS84_F) * math.hypot(sin_alpha, x))
    lam = math.atan2(
        math.sin(sigma) * math.sin(azimuth),
        math.cos(u1) * math.cos(sigma) - math.sin(u1) * math.sin(sigma) * math.cos(azimuth),
    )
    longitude = lon1 + math.degrees(lam - _longitude_term(sin_alpha, cos2_alpha, sigma, cos_2m))
    return math.degrees(latitude), math.remainder(longitude, 360.0)
