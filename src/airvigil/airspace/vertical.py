"""The vertical side of P(inside): is the height within a volume's limits?

A limit is decided in its own reference: flight levels against pressure altitude, WGS84 against
geometric height, mean sea level against a height over mean sea level. A height in another reference
decides only where it is so far from the limit that no weather and no geoid can bring it there.

Unknown is its own outcome (NaN): an aircraft laterally inside at unknown height is neither in nor out.
"""

from __future__ import annotations

import math

from airvigil.airspace.volumes import Volume
from airvigil.settings import Infringement

GEOMETRIC_SIGMA_M = (
    25.0  # GVA 1-2: 45 to 150 m at 95 %; taken near the better, stated in docs/units-and-uncertainty.md
)


def p_above(height_m: float, limit_m: float, sigma_m: float) -> float:
    """P(true height > limit) for a normal error."""
    return 0.5 * math.erfc((limit_m - height_m) / (sigma_m * math.sqrt(2.0)))


def p_within_limits(
    volume: Volume,
    pressure_altitude_m: float,
    geometric_height_m: float,
    height_msl_m: float,
    rule: Infringement,
) -> float:
    """P(height within the volume's limits); NaN where the heights known cannot tell.

    Args:
        volume: with limits in its own vertical reference.
        pressure_altitude_m, geometric_height_m, height_msl_m: NaN unknown.
    """
    low, high = volume.lower_limit_m, volume.upper_limit_m
    # ground or "none" as a lower limit and no upper one: all heights are inside
    if math.isinf(low) and math.isinf(high):
        return 1.0
    own = {"STD": pressure_altitude_m, "W84": geometric_height_m, "MSL": height_msl_m}.get(
        volume.vertical_reference, math.nan
    )
    if not math.isnan(own):
        sigma = rule.pressure_altitude_sigma_m if volume.vertical_reference == "STD" else GEOMETRIC_SIGMA_M
        return p_above(own, low, sigma) - p_above(own, high, sigma)
    return _decided_from_afar(
        low, high, (pressure_altitude_m, geometric_height_m, height_msl_m), rule.height_decides_beyond_m
    )


def _decided_from_afar(low: float, high: float, heights: tuple[float, ...], beyond_m: float) -> float:
    known = [h for h in heights if not math.isnan(h)]
    if not known:
        return math.nan
    if all(h > high + beyond_m or h < low - beyond_m for h in known):
        return 0.0
    if all(low + beyond_m < h < high - beyond_m for h in known):
        return 1.0
    return math.nan
