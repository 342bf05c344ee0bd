"""How far a report is outside the corridor and the heights of a permission, and how surely.

Rules
- Lateral: distance to the route less its half width, positive outside. P(outside) is the normal one with the
  position's error along the line to the route; a bias bound is taken at the end that speaks against an excess.
- Vertical: in the limit's own reference. A height in another one decides only where it is so far from the limit that no
  weather, geoid or terrain can bring it there; else the report is not tested.
- Of a stay the report is kept that is most surely outside, of those that are equally so the one furthest.
- Positions on the path between two reports are not tested: their own errors are not known here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.heights.height_chains import HIGHEST_TERRAIN_M, LOWEST_TERRAIN_M
from airvigil.airspace.heights.vertical import gva_sigma_m
from airvigil.airspace.limits import Limit
from airvigil.airspace.permissions.permissions import Permission
from airvigil.settings import Settings
from airvigil.tracking.local_plane import to_local

# A geodesic edge of this length, seen from 50 km aside, leaves its chord in the local plane by 0.2 m at the most.
CUT_M = 25_000.0


class Place(NamedTuple):
    """Where an aircraft was by one report: ns UTC, degrees, m^2, m; a height that is not known is NaN."""

    time: int
    lat: float
    lon: float
    cov_ee: float
    cov_en: float
    cov_nn: float
    bias_m: float
    pressure_altitude_m: float
    geometric_height_m: float
    height_msl_m: float
    gva: int


@dataclass
class Excess:
    """The worst of a stay against one corridor and one pair of limits.

    Attributes:
        reports, heights: tested against the corridor, against the limits.
        lateral_m, lateral_sigma_m, lateral_p: of the report that was most surely outside the corridor; NaN: none tested.
        vertical_m, vertical_sigma_m, vertical_p: the same of the limits; `vertical_m` is a lower bound where the height is
            in another reference than the limit, and sigma then NaN.
    """

    reports: int = 0
    heights: int = 0
    lateral_m: float = math.nan
    lateral_sigma_m: float = math.nan
    lateral_p: float = 0.0
    vertical_m: float = math.nan
    vertical_sigma_m: float = math.nan
    vertical_p: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return dict(vars(self))


def normal_p(z: float) -> float:
    """P(a standard normal value < z)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@lru_cache(maxsize=1024)
def route_points(route: tuple[tuple[float, float], ...]) -> npt.NDArray[np.float64]:
    """(n, 2) the route cut along its geodesics into pieces of at most CUT_M."""
    parts = []
    for (lat0, lon0), (lat1, lon1) in pairwise(route):
        east, north = to_local(lat0, lon0, lat1, lon1)
        pieces = max(1, math.ceil(math.hypot(east, north) / CUT_M))
        parts.append(geodesic_points(lat0, lon0, lat1, lon1, pieces))
    cut = np.concatenate([*parts, np.array([route[-1]])])
    cut.setflags(write=False)
    return cut


@njit(cache=True, nogil=True)
def to_route(lat: float, lon: float, route: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """The nearest point of a route as seen from a place.

    Args:
        lat, lon: degrees.
        route: (n, 2) from `route_points`.

    Returns:
        (distance_m, east, north): the last two a unit vector towards it; 0 where the place is on the route.
    """
    best, east, north = math.inf, 0.0, 0.0
    e0, n0 = to_local(lat, lon, route[0, 0], route[0, 1])
    for k in range(1, len(route)):
        e1, n1 = to_local(lat, lon, route[k, 0], route[k, 1])
        de, dn = e1 - e0, n1 - n0
        length2 = de * de + dn * dn
        share = 0.0 if length2 == 0.0 else -(e0 * de + n0 * dn) / length2
        share = min(1.0, max(0.0, share))
        e, n = e0 + share * de, n0 + share * dn
        distance = math.hypot(e, n)
        if distance < best:
            best, east, north = distance, e, n
        e0, n0 = e1, n1
    if best == 0.0:
        return 0.0, 0.0, 0.0
    return best, east / best, north / best


def lateral_of(place: Place, permission: Permission, settings: Settings) -> tuple[float, float, float]:
    """(excess_m, sigma_m, P(outside)) of a place against the permission's corridor; positive outside."""
    half = permission.half_width_m
    half = settings.permission.route_half_width_m if half is None else half
    distance, e, n = to_route(place.lat, place.lon, route_points(permission.route))
    if e == n == 0.0:
        variance = max(place.cov_ee, place.cov_nn)
    else:
        variance = place.cov_ee * e * e + 2.0 * place.cov_en * e * n + place.cov_nn * n * n
    sigma = math.sqrt(max(variance, 0.0))
    excess = distance - half
    return excess, sigma, _p_beyond(excess - place.bias_m, sigma)


def _p_beyond(excess_m: float, sigma_m: float) -> float:
    if not sigma_m > 0.0:
        return 1.0 if excess_m > 0.0 else 0.0
    return normal_p(excess_m / sigma_m)


def vertical_of(
    place: Place, lower: Limit, upper: Limit, settings: Settings
) -> tuple[float, float, float] | None:
    """(excess_m, sigma_m, P(outside)) against both limits, the worse of them; None where a limit could not be tested."""
    worst = (-math.inf, math.nan, 0.0)
    for limit, sign in ((lower, -1.0), (upper, 1.0)):
        if math.isinf(limit.height_m) or (sign < 0.0 and limit.reference == "SFC" and limit.height_m <= 0.0):
            continue
        tested = _beyond(place, limit, sign, settings)
        if tested is None:
            return None
        worst = max(worst, tested, key=lambda t: (t[2], t[0]))
    return worst


def _beyond(place: Place, limit: Limit, sign: float, settings: Settings) -> tuple[float, float, float] | None:
    """Over (sign 1) or under (sign -1) one limit."""
    heights = {
        "STD": place.pressure_altitude_m,
        "W84": place.geometric_height_m,
        "MSL": place.height_msl_m,
    }
    own = heights.get(limit.reference, math.nan)
    if not math.isnan(own):
        is_std = limit.reference == "STD"
        sigma = settings.heights.pressure_altitude_sigma_m if is_std else gva_sigma_m(place.gva)
        excess = sign * (own - limit.height_m)
        return excess, sigma, _p_beyond(excess, sigma)
    rule, ranges = settings.heights, []
    for reference, height in heights.items():
        if not math.isnan(height):  # weather grows with height, the geoid does not
            has_weather = (reference == "STD") != (limit.reference == "STD")
            share = rule.decides_beyond_share * max(0.0, height) if has_weather else 0.0
            ranges.append((height - rule.decides_beyond_m - share, height + rule.decides_beyond_m + share))
    if not ranges:
        return None
    low, high = min(least for least, _ in ranges), max(most for _, most in ranges)
    if limit.reference == "SFC":
        low, high = low - HIGHEST_TERRAIN_M, high - LOWEST_TERRAIN_M
    least = low - limit.height_m if sign > 0.0 else limit.height_m - high
    most = high - limit.height_m if sign > 0.0 else limit.height_m - low
    if least > 0.0:
        return least, math.nan, 1.0
    return (most, math.nan, 0.0) if most < 0.0 else None


def add_place(excess: Excess, place: Place, permission: Permission, settings: Settings) -> None:
    """Test one report inside the volume against a permission; `excess` keeps the worst."""
    if permission.route:
        excess.reports += 1
        metres, sigma, p = lateral_of(place, permission, settings)
        if math.isnan(excess.lateral_m) or (p, metres) > (excess.lateral_p, excess.lateral_m):
            excess.lateral_m, excess.lateral_sigma_m, excess.lateral_p = metres, sigma, p
    if has_limits(permission):
        tested = vertical_of(place, permission.lower, permission.upper, settings)
        if tested is None:
            return
        excess.heights += 1
        metres, sigma, p = tested
        if math.isnan(excess.vertical_m) or (p, metres) > (excess.vertical_p, excess.vertical_m):
            excess.vertical_m, excess.vertical_sigma_m, excess.vertical_p = metres, sigma, p


def has_limits(permission: Permission) -> bool:
    """Whether the permission is bounded in height."""
    return not (math.isinf(permission.lower.height_m) and math.isinf(permission.upper.height_m))


def geometry_of(permission: Permission) -> str:
    """A name for what of a permission is tested at each report; empty if nothing is."""
    if not permission.route and not has_limits(permission):
        return ""
    limits = [
        (limit.height_m, limit.reference) if math.isfinite(limit.height_m) else None
        for limit in (permission.lower, permission.upper)
    ]
    return repr((permission.route, permission.half_width_m, limits))
