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
from typing import NamedTuple

from numba import njit

from airvigil.units import WGS84_A_M, WGS84_E2

# Below this sine or angle (64 km on the Earth) a few terms of a series give every digit, and cost no call.
_SMALL = 0.01
_GUESS_IS_ENOUGH_M = (
    1_000.0  # the guess is good to 4e-8 m there, and to 5 mm at 50 km; its error grows as the cube
)
_ONE_CORRECTION_M = 50_000.0


class Leg(NamedTuple):
    """What the way from an origin to a point is reckoned from: sines and cosines of its ends.

    One leg serves every question about it (`leg_local`, `turn_along`, `plausibility.sphere_m`).
    """

    sin_lat0: float
    cos_lat0: float
    sin_lat1: float
    cos_lat1: float
    sin_half_dlat: float  # of half the difference of latitudes
    sin_half_dlon: float  # of half the difference of longitudes
    sin_dlon: float


@njit(cache=True, nogil=True)
def _sine(x: float) -> float:
    if not abs(x) < _SMALL:
        return math.sin(x)
    t = x * x
    return x * (1.0 - t / 6.0 * (1.0 - t / 20.0 * (1.0 - t / 42.0)))


@njit(cache=True, nogil=True)
def _arc_ratio(t: float) -> float:
    """asin(x) / x where t = x^2 is below the square of _SMALL."""
    return 1.0 + t * (1.0 / 6.0 + t * (3.0 / 40.0 + t * (15.0 / 336.0 + t * (105.0 / 3456.0))))


@njit(cache=True, nogil=True)
def _half_sine(sine: float, angle: float) -> float:
    """Sine of half an angle, from its sine and itself."""
    if not abs(angle) < _SMALL:
        return math.sin(angle / 2.0)
    t = sine * sine
    return 0.5 * sine * (1.0 + t * (1.0 / 8.0 + t * (7.0 / 128.0 + t * (33.0 / 1024.0))))


@njit(cache=True, nogil=True)
def _curvature_per_m(w: float, sin2_az: float) -> float:
    """Curvature of the normal section with this squared sine of azimuth (Euler's theorem).

    `w` is the root of 1 - e^2 sin^2 of the latitude.
    """
    return w / WGS84_A_M * ((1.0 - sin2_az) * w * w / (1.0 - WGS84_E2) + sin2_az)


@njit(cache=True, nogil=True)
def leg_between(lat0_deg: float, lon0_deg: float, lat_deg: float, lon_deg: float) -> Leg:
    """The leg from an origin to a point, degrees WGS84."""
    lat0, lat = math.radians(lat0_deg), math.radians(lat_deg)
    dlat, dlon = lat - lat0, math.radians(lon_deg - lon0_deg)
    s0, c0 = math.sin(lat0), math.cos(lat0)
    half = _sine(dlat / 2.0)
    if abs(dlat) < _SMALL:
        s, c = _sine(dlat), 1.0 - 2.0 * half * half
        s1, c1 = s0 * c + c0 * s, c0 * c - s0 * s
    else:
        s1, c1 = math.sin(lat), math.cos(lat)
    return Leg(s0, c0, s1, c1, half, _sine(dlon / 2.0), _sine(dlon))


@njit(cache=True, nogil=True)
def leg_back(leg: Leg) -> Leg:
    """The same leg from its end to its origin."""
    return Leg(
        leg.sin_lat1,
        leg.cos_lat1,
        leg.sin_lat0,
        leg.cos_lat0,
        -leg.sin_half_dlat,
        -leg.sin_half_dlon,
        -leg.sin_dlon,
    )


@njit(cache=True, nogil=True)
def leg_local(leg: Leg) -> tuple[float, float]:
    """(east_m, north_m) of a leg's end from its origin."""
    s0, c0, s1, c1 = leg.sin_lat0, leg.cos_lat0, leg.sin_lat1, leg.cos_lat1
    w0 = math.sqrt(1.0 - WGS84_E2 * s0 * s0)
    n0 = WGS84_A_M / w0
    n1 = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * s1 * s1)
    # the chord in axes toward the origin's meridian (a), east (b) and the pole (c)
    a = n1 * c1 - n0 * c0 - 2.0 * n1 * c1 * leg.sin_half_dlon * leg.sin_half_dlon
    b = n1 * c1 * leg.sin_dlon
    c = (1.0 - WGS84_E2) * (n1 * s1 - n0 * s0)
    north, up = -s0 * a + c0 * c, c0 * a + s0 * c
    h2 = b * b + north * north
    if h2 == 0.0:
        return 0.0, 0.0
    half_curvature = 0.5 * _curvature_per_m(w0, b * b / h2)
    chord2 = h2 + up * up
    t = chord2 * half_curvature * half_curvature
    root = math.sqrt(t)
    ratio = _arc_ratio(t) if root < _SMALL else math.asin(min(root, 1.0)) / root
    scale = math.sqrt(chord2 / h2) * ratio
    return b * scale, north * scale


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
    return leg_local(leg_between(lat0_deg, lon0_deg, lat_deg, lon_deg))


@njit(cache=True, nogil=True)
def _guess(s0: float, c0: float, e_m: float, n_m: float) -> tuple[float, float, Leg]:
    """(difference of latitude, of longitude, rad; leg) of a point as if the Earth were, in its azimuth, a sphere."""
    d2 = e_m * e_m + n_m * n_m
    w0 = math.sqrt(1.0 - WGS84_E2 * s0 * s0)
    curvature = _curvature_per_m(w0, e_m * e_m / d2)
    t = d2 * curvature * curvature
    if t < _SMALL * _SMALL:
        scale = 1.0 - t / 6.0 * (1.0 - t / 20.0 * (1.0 - t / 42.0))
        up = -0.5 * d2 * curvature * (1.0 - t / 12.0 * (1.0 - t / 30.0 * (1.0 - t / 56.0)))
    else:
        angle = math.sqrt(t)
        scale = math.sin(angle) / angle
        up = -2.0 / curvature * math.sin(angle / 2.0) ** 2
    n0 = WGS84_A_M / w0
    a = n0 * c0 - s0 * n_m * scale + c0 * up
    b = e_m * scale
    c = (1.0 - WGS84_E2) * n0 * s0 + c0 * n_m * scale + s0 * up
    # the point is as good as on the ellipsoid, whose normal is known from the place without iteration
    p = math.sqrt(a * a + b * b)
    if p == 0.0:
        return math.copysign(math.pi / 2.0, c) - math.atan2(s0, c0), 0.0, Leg(s0, c0, 1.0, 0.0, 0.0, 0.0, 0.0)
    flat = (1.0 - WGS84_E2) * p
    q = 1.0 / math.sqrt(flat * flat + c * c)
    s1, c1 = c * q, flat * q
    sin_dlat, sin_dlon = s1 * c0 - c1 * s0, b / p
    if t < _SMALL * _SMALL:
        dlat = sin_dlat * _arc_ratio(sin_dlat * sin_dlat)
    else:
        dlat = math.atan2(sin_dlat, c1 * c0 + s1 * s0)
    if abs(sin_dlon) < _SMALL and a > 0.0:
        dlon = sin_dlon * _arc_ratio(sin_dlon * sin_dlon)
    else:
        dlon = math.atan2(b, a)
    return dlat, dlon, Leg(s0, c0, s1, c1, _half_sine(sin_dlat, dlat), _half_sine(sin_dlon, dlon), sin_dlon)


@njit(cache=True, nogil=True)
def walk(
    lat0_deg: float, lon0_deg: float, s0: float, c0: float, e_m: float, n_m: float
) -> tuple[float, float, Leg]:
    """`to_geodetic` where the sine and cosine of the origin's latitude are known; gives the leg as well."""
    d2 = e_m * e_m + n_m * n_m
    if d2 == 0.0:
        return lat0_deg, lon0_deg, Leg(s0, c0, s0, c0, 0.0, 0.0, 0.0)
    dlat, dlon, leg = _guess(s0, c0, e_m, n_m)
    corrections = 0
    if not d2 < _GUESS_IS_ENOUGH_M * _GUESS_IS_ENOUGH_M:
        corrections = 1 if d2 < _ONE_CORRECTION_M * _ONE_CORRECTION_M else 2
    aim_e, aim_n = e_m, n_m
    for _ in range(corrections):
        e, n = leg_local(leg)
        aim_e += e_m - e
        aim_n += n_m - n
        dlat, dlon, leg = _guess(s0, c0, aim_e, aim_n)
    lat = lat0_deg + math.degrees(dlat)
    if abs(lat) > 90.0:  # by a rounding
        lat = math.copysign(90.0, lat)
    lon = lon0_deg + math.degrees(dlon)
    return lat, (lon + 180.0) % 360.0 - 180.0 if lon >= 180.0 or lon < -180.0 else lon, leg


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
    lat0 = math.radians(lat0_deg)
    lat, lon, _ = walk(lat0_deg, lon0_deg, math.sin(lat0), math.cos(lat0), e_m, n_m)
    return lat, lon


@njit(cache=True, nogil=True)
def turn_along(leg: Leg) -> tuple[float, float]:
    """(cosine, sine) of `convergence_rad` at the end of a leg shorter than a quarter of the Earth."""
    # Napier's analogies: the tangent of half the angle is y / x
    y = leg.sin_half_dlon * (leg.sin_lat0 + leg.sin_lat1)
    x = (
        2.0
        * math.sqrt(1.0 - leg.sin_half_dlon * leg.sin_half_dlon)
        * (1.0 - leg.sin_half_dlat * leg.sin_half_dlat)
    )
    if leg.sin_dlon * leg.sin_half_dlon < 0.0:  # longitudes told across the antimeridian
        x = -x
    d = x * x + y * y
    if d == 0.0:
        return 1.0, 0.0
    return (x * x - y * y) / d, 2.0 * x * y / d


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
