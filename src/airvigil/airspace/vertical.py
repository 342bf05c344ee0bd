"""The vertical side of P(inside): is the height within a volume's limits?

A limit is decided in its own reference: flight levels against pressure altitude, WGS84 against
geometric height, mean sea level against a height over mean sea level. A height in another reference
decides only where it is so far from the limit that no weather and no geoid can bring it there. Nothing
measures a height above ground: such a limit is decided only where the answer is the same over any terrain.

Unknown is its own outcome (NaN): an aircraft laterally inside at unknown height is neither in nor out.
"""

from __future__ import annotations

import math

from airvigil.airspace.limits import Limit
from airvigil.airspace.volumes import Volume
from airvigil.settings import Infringement

# Geometric vertical accuracy, ADS-B version 2 (DO-260B table 2-71): bounds that hold 95 % of the errors, m.
# 0 is "unknown or worse than 150 m"; 3 is reserved. Both are taken as the worst that is stated.
_GVA_95_M = {1: 150.0, 2: 45.0}
_TWO_SIDED_95 = 1.96  # standard normal
UNKNOWN_GVA = -1

# Land lies between the shore of the Dead Sea and the top of Everest, m over mean sea level.
LOWEST_TERRAIN_M = -430.0
HIGHEST_TERRAIN_M = 8849.0


def gva_sigma_m(gva: int) -> float:
    """One sigma of a geometric height whose accuracy category is `gva`; UNKNOWN_GVA where none was stated.

    Example:
        >>> round(gva_sigma_m(2), 1), round(gva_sigma_m(1), 1), round(gva_sigma_m(UNKNOWN_GVA), 1)
        (23.0, 76.5, 76.5)
    """
    return _GVA_95_M.get(gva, 150.0) / _TWO_SIDED_95


def p_above(height_m: float, limit_m: float, sigma_m: float) -> float:
    """P(true height > limit) for a normal error."""
    return 0.5 * math.erfc((limit_m - height_m) / (sigma_m * math.sqrt(2.0)))


def p_within_limits(
    volume: Volume,
    pressure_altitude_m: float,
    geometric_height_m: float,
    height_msl_m: float,
    rule: Infringement,
    geometric_sigma_m: float = gva_sigma_m(UNKNOWN_GVA),
) -> float:
    """P(height within the volume's limits); NaN where the heights known cannot tell.

    Args:
        volume: with limits in its own vertical reference.
        pressure_altitude_m, geometric_height_m, height_msl_m: NaN unknown.
        geometric_sigma_m: one sigma of the last two, as `gva_sigma_m` gives it.
    """
    heights = {"STD": pressure_altitude_m, "W84": geometric_height_m, "MSL": height_msl_m}
    p_over_floor = _p_over(volume.lower, heights, rule, geometric_sigma_m)
    p_over_ceiling = _p_over(volume.upper, heights, rule, geometric_sigma_m)
    if p_over_floor == 0.0 or p_over_ceiling == 1.0:
        return 0.0
    p = p_over_floor - p_over_ceiling
    return p if math.isnan(p) else max(0.0, p)


def _p_over(limit: Limit, heights: dict[str, float], rule: Infringement, geometric_sigma_m: float) -> float:
    """P(height above a limit); NaN where the heights known cannot tell."""
    if math.isinf(limit.height_m):
        return 1.0 if limit.height_m < 0.0 else 0.0
    is_above_ground = limit.reference == "SFC"
    if is_above_ground and limit.height_m <= 0.0:
        return 1.0  # the ground itself: nothing that flies is below it
    own = heights.get(limit.reference, math.nan)
    if not math.isnan(own):
        sigma = rule.pressure_altitude_sigma_m if limit.reference == "STD" else geometric_sigma_m
        return p_above(own, limit.height_m, sigma)
    least = most = rule.height_decides_beyond_m
    if is_above_ground:
        least, most = least + HIGHEST_TERRAIN_M, most - LOWEST_TERRAIN_M
    known = [height for height in heights.values() if not math.isnan(height)]
    if known and all(height - least > limit.height_m for height in known):
        return 1.0
    if known and all(height + most < limit.height_m for height in known):
        return 0.0
    return math.nan
