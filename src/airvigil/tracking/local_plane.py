"""A local plane in metres: degrees WGS84 to east and north of an origin, and back.

The plane is the azimuthal equidistant one: a point lies at its geodesic distance from the origin, in
its azimuth. So distances from the origin are true, and a straight constant-speed flight stays
straight to 1e-5 within 50 km.

Rules
- Within 50 km of the origin distance and direction agree with the geodesic to 1e-7, within 1,000 km to
  2e-5; `to_geodetic(to_local(p))` returns p to 1 micrometre within 1,000 km.
- No height enters: a position means the foot of its normal on the ellipsoid.
- The plane's axes are east and north *at the origin*. East and north at another point are turned by
  `convergence_rad`: 0.8 degrees per 50 km at 60 N, so velocities and covariances given there must be
  turned too.

Method: the point's chord from the origin in Earth-centred axes, turned into the tangent plane, its
length made an arc with the radius of curvature in its own azimuth (Euler's theorem).

Reference: W. Torge, J. Müller, Geodesy, 4th edition 2012, sections 4.1.3 (radii of curvature), 6.2.
"""

from __future__ import annotations

import math

from numba import njit

from airvigil.units import WGS84_A_M, WGS84_E2, WGS84_F

_SECOND_E2 = WGS84_E2 / (1.0 - WGS84_E2)


@njit(cache=True, nogil=True)
def _azimuth_radius_m(sin_lat0: float, sin2_az: float) -> float:
    """Radius of curvature of the normal section with this squared sine of azimuth (Euler's theorem)."""
    w2 = 1.0 - WGS84_E2 * sin_lat0 * sin_lat0
    prime_vertical = WGS84_A_M / math.sqrt(w2)
    meridian = prime_vertical * (1.0 - WGS84_E2) / w2
    return 1.0 / ((1.0 - sin2_az) / meridian + sin2_az / prime_vertical)


@njit(cache=True, nogil=True)
def to_local(lat0_deg: float, lon0_deg: float, lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """East and north of a point from an origin.

    Args:
        lat0_deg, lon0_deg: origin, degrees WGS84.
        lat_deg, lon_deg: the point; NaN gives NaN.

    Returns:
        (east_m, north_m).

    Example:
        >>> e, n = to_local(59.8, 26.4, 59.9, 26.4)
        >>> round(e, 3), round(n, 3)
        (0.0, 11140.973)
    """
    s0, c0 = math.sin(math.radians(lat0_deg)), math.cos(math.radians(lat0_deg))
    s1, c1 = math.sin(math.radians(lat_deg)), math.cos(math.radians(lat_deg))
    half = math.sin(math.radians(lon_deg - lon0_deg) / 2.0)
    sin_dlon = math.sin(math.radians(lon_deg - lon0_deg))
    n0 = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s0 * s0)
    n1 = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s1 * s1)
    # the chord in axes toward the origin's meridian (a), east (b) and the pole (c)
    a = n1 * c1 - n0 * c0 - 2.0 * n1 * c1 * half * half
    b = n1 * c1 * sin_dlon
    c = (1.0 - WGS84_E2) * (n1 * s1 - n0 * s0)
    north, up = -s0 * a + c0 * c, c0 * a + s0 * c
    h2 = b * b + north * north
    if h2 == 0.0:
        return 0.0, 0.0
    diameter = 2.0 * _azimuth_radius_m(s0, b * b / h2)
    scale = diameter * math.asin(min(math.sqrt(h2 + up * up) / diameter, 1.0)) / math.sqrt(h2)
    return b * scale, north * scale


@njit(cache=True, nogil=True)
def _first_guess(lat0_deg: float, lon0_deg: float, e_m: float, n_m: float) -> tuple[float, float]:
    """`to_geodetic` as if the Earth were, in this azimuth, a sphere; good to ~1e-7 at 50 km."""
    s0, c0 = math.sin(math.radians(lat0_deg)), math.cos(math.radians(lat0_deg))
    distance = math.hypot(e_m, n_m)
    radius = _azimuth_radius_m(s0, (e_m / distance) ** 2)
    angle = distance / radius
    scale = radius * math.sin(angle) / distance
    up = -2.0 * radius * math.sin(angle / 2.0) ** 2
    n0 = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s0 * s0)
    a = n0 * c0 - s0 * n_m * scale + c0 * up
    b = e_m * scale
    c = (1.0 - WGS84_E2) * n0 * s0 + c0 * n_m * scale + s0 * up
    # Earth-centred to geodetic by Bowring's formula, exact to below a nanometre near the ellipsoid
    p = math.hypot(a, b)
    beta = math.atan2(c, p * (1.0 - WGS84_F))
    lat = math.atan2(
        c + _SECOND_E2 * WGS84_A_M * (1.0 - WGS84_F) * math.sin(beta) ** 3,
        p - WGS84_E2 * WGS84_A_M * math.cos(beta) ** 3,
    )
    return math.degrees(lat), lon0_deg + math.degrees(math.atan2(b, a))


@njit(cache=True, nogil=True)
def to_geodetic(lat0_deg: float, lon0_deg: float, e_m: float, n_m: float) -> tuple[float, float]:
    """The point at east and north of an origin; the inverse of `to_local`.

    Args:
        lat0_deg, lon0_deg: origin, degrees WGS84.
        e_m, n_m: east and north, m; NaN gives NaN.

    Returns:
        (latitude_deg, longitude_deg), longitude in [-180, 180).

    Example:
        >>> lat, lon = to_geodetic(0.0, 179.9, 22263.898158654716, 0.0)
        >>> round(lat, 9), round(lon, 9)
        (0.0, -179.9)
    """
    if e_m == 0.0 and n_m == 0.0:
        return lat0_deg, lon0_deg
    lat, lon = _first_guess(lat0_deg, lon0_deg, e_m, n_m)
    aim_e, aim_n = e_m, n_m
    for _ in range(2):
        e, n = to_local(lat0_deg, lon0_deg, lat, lon)
        aim_e += e_m - e
        aim_n += n_m - n
        lat, lon = _first_guess(lat0_deg, lon0_deg, aim_e, aim_n)
    return lat, (lon + 180.0) % 360.0 - 180.0 if lon >= 180.0 or lon < -180.0 else lon


@njit(cache=True, nogil=True)
def convergence_rad(lat0_deg: float, lon0_deg: float, lat_deg: float, lon_deg: float) -> float:
    """How far true north at a point is turned from the plane's north axis.

    Args:
        lat0_deg, lon0_deg: origin, degrees WGS84.
        lat_deg, lon_deg: the point.

    Returns:
        Radians; a direction of true azimuth A at the point runs at A - convergence in the plane.
        Positive east of the origin in the northern hemisphere.

    Example:
        >>> round(math.degrees(convergence_rad(60.0, 25.0, 60.0, 26.0)), 4)
        0.866
    """
    half_dlon = math.radians(lon_deg - lon0_deg) / 2.0
    mean = math.radians(lat0_deg + lat_deg) / 2.0
    half_dlat = math.radians(lat_deg - lat0_deg) / 2.0
    # the difference of a great circle's azimuths at its two ends (Napier's analogies)
    return 2.0 * math.atan2(math.sin(half_dlon) * math.sin(mean), math.cos(half_dlon) * math.cos(half_dlat))
