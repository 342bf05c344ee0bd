"""The vertical side of P(inside): is the height within a volume's limits?

A limit is decided in its own reference: flight levels against pressure altitude, WGS84 against
geometric height, mean sea level against a height over mean sea level. A height in another reference
decides only where it is so far from the limit that no weather and no geoid can bring it there. Nothing
measures a height above ground: such a limit is decided only where the answer is the same over any terrain.

Unknown is its own outcome (NaN): an aircraft laterally inside at unknown height is neither in nor out.
"""

from __future__ import annotations

import math

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
    low, high = volume.lower_limit_m, volume.upper_limit_m
    is_above_ground = volume.vertical_reference == "SFC"
    if is_above_ground and low <= 0.0:
        low = -math.inf  # the ground itself: nothing that flies is below it
    # ground or "none" as a lower limit and no upper one: all heights are inside
    if math.isinf(low) and math.isinf(high):
        return 1.0
    own = {"STD": pressure_altitude_m, "W84": geometric_height_m, "MSL": height_msl_m}.get(
        volume.vertical_reference, math.nan
    )
    if not math.isnan(own):
        is_pressure = volume.vertical_reference == "STD"
        sigma = rule.pressure_altitude_sigma_m if is_pressure else geometric_sigma_m
        return p_above(own, low, sigma) - p_above(own, high, sigma)
    known = [h for h in (pressure_altitude_m, geometric_height_m, height_msl_m) if not math.isnan(h)]
    beyond = rule.height_decides_beyond_m
    least, most = beyond, beyond
    if is_above_ground:
        least, most = beyond + HIGHEST_TERRAIN_M, beyond - LOWEST_TERRAIN_M
    return _decided_from_afar(low, high, [(h - least, h + most) for h in known])


def _decided_from_afar(low: float, high: float, ranges: list[tuple[float, float]]) -> float:
    """1 or 0 where every range that the true height may lie in says the same, else NaN."""
    if not ranges:
        return math.nan
    if all(least > high or most < low for least, most in ranges):
        return 0.0
    if all(low < least and most < high for least, most in ranges):
        return 1.0
    return math.nan
