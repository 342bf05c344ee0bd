"""From what was measured to P(above a limit): chains of conversion, each with all its errors.

Three things are measured: pressure altitude, geometric height, height over mean sea level. A chain takes one of them
to the limit's reference, by QNH and temperature (atmosphere.py), by the geoid, by both; its variance is the sum of the
measurement's and of every conversion's. Rules
- The chain with the smallest sigma decides. They are not averaged: their errors are not independent.
- A chain that contradicts it (further off than `contradiction_sigmas` of both) takes its decision away, unless
  both give the same answer.
- What no chain can take there still counts from afar: beyond what weather and geoid can do it decides, or contradicts.
- Above ground, P is the mean over the ground within the position's error. Over unknown ground a limit is decided
  only where all the terrain on Earth gives the same answer.

One sample at a time, scalar functions only: the same bits in every batch and on every machine with the same libm.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.heights.atmosphere import (
    ISA_T0_K,
    isa_slope_m_per_hpa,
    msl_of_pressure_altitude_m,
    pressure_altitude_of_msl_m,
    warmth_m_per_k,
)

# References of a limit.
NONE, STD, MSL, W84, SFC = range(5)
# What was measured.
PRESSURE, GEOMETRIC, SEA_LEVEL = range(3)
NO_SOURCE = -1

# What is missing.
(
    NOTHING,
    ANY_HEIGHT,
    PRESSURE_ALTITUDE,
    QNH,
    GEOID,
    HEIGHT_ACCURACY,
    TERRAIN,
    POSITION_ACCURACY,
    CONTRADICTION,
) = range(9)

# Land lies between the shore of the Dead Sea and the top of Everest, m over mean sea level.
LOWEST_TERRAIN_M = -430.0
HIGHEST_TERRAIN_M = 8849.0
# Few stations lie higher; one whose elevation is unknown is taken to be at 0 with this error.
UNKNOWN_ELEVATION_M = 500.0
SURE_SIGMAS = 6.0  # what is this far away is not there: 1e-9
SAME_P = 1e-6  # answers that differ by less are one answer
NEGLIGIBLE_P = 1e-9

FACT = np.dtype(
    [
        ("pressure_m", "f8"),
        ("pressure_sigma_m", "f8"),
        ("geometric_m", "f8"),
        ("geometric_sigma_m", "f8"),
        ("msl_m", "f8"),
        ("lat", "f8"),
        ("undulation_m", "f8"),  # NaN without a geoid
        ("qnh_hpa", "f8"),  # NaN without one in reach
        ("qnh_sigma_hpa", "f8"),
        ("elevation_m", "f8"),
        ("deviation_k", "f8"),
        ("deviation_sigma_k", "f8"),
        ("horizontal_sigma_m", "f8"),
    ]
)
RULE = np.dtype(
    [
        ("beyond_m", "f8"),
        ("beyond_share", "f8"),
        ("contradiction_sigmas", "f8"),
        ("geoid_sigma_m", "f8"),
        ("terrain_sigma_m", "f8"),
    ]
)

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def p_above(height_m: float, limit_m: float, sigma_m: float) -> float:
    """P(true height > limit) for a normal error."""
    return 0.5 * math.erfc((limit_m - height_m) / (sigma_m * math.sqrt(2.0)))


@njit(cache=True, nogil=True)
def _weather_sigma_m(fact: Any, pressure_altitude_m: float, elevation_m: float) -> float:
    """What QNH and temperature can be off, as a height."""
    setting = isa_slope_m_per_hpa(fact["qnh_hpa"]) * fact["qnh_sigma_hpa"]
    warmth = warmth_m_per_k(pressure_altitude_m, fact["qnh_hpa"], elevation_m) * fact["deviation_sigma_k"]
    station = 0.0
    if math.isnan(fact["elevation_m"]):
        station = UNKNOWN_ELEVATION_M / ISA_T0_K * fact["deviation_sigma_k"]
    return math.sqrt(setting * setting + warmth * warmth + station * station)


@njit(cache=True, nogil=True)
def _msl_chains(fact: Any, geoid_sigma_m: float, heights: Floats, sigmas: Floats) -> None:
    """Height over mean sea level by each source; NaN where it cannot be had."""
    heights[:], sigmas[:] = math.nan, math.nan
    elevation = 0.0 if math.isnan(fact["elevation_m"]) else fact["elevation_m"]
    pressure = fact["pressure_m"]
    if not math.isnan(pressure + fact["qnh_hpa"] + fact["lat"] + fact["pressure_sigma_m"]):
        heights[PRESSURE] = msl_of_pressure_altitude_m(
            pressure, fact["qnh_hpa"], elevation, fact["deviation_k"], fact["lat"]
        )
        sigmas[PRESSURE] = math.hypot(fact["pressure_sigma_m"], _weather_sigma_m(fact, pressure, elevation))
    if not math.isnan(fact["geometric_m"] + fact["undulation_m"] + fact["geometric_sigma_m"]):
        heights[GEOMETRIC] = fact["geometric_m"] - fact["undulation_m"]
        sigmas[GEOMETRIC] = math.hypot(fact["geometric_sigma_m"], geoid_sigma_m)
    if not math.isnan(fact["msl_m"] + fact["geometric_sigma_m"]):
        heights[SEA_LEVEL] = fact["msl_m"]
        sigmas[SEA_LEVEL] = fact["geometric_sigma_m"]


@njit(cache=True, nogil=True)
def chains(fact: Any, reference: int, geoid_sigma_m: float, heights: Floats, sigmas: Floats) -> None:
    """Height in a reference (above ground: over mean sea level) and its sigma, by each source.

    Args:
        fact: one FACT.
        reference: STD, MSL, W84 or SFC.
        geoid_sigma_m: one sigma of the geoid.
        heights, sigmas: (3,) out; NaN where the source or what it takes is missing.
    """
    _msl_chains(fact, geoid_sigma_m, heights, sigmas)
    if reference == W84:
        for j in (PRESSURE, SEA_LEVEL):
            heights[j] += fact["undulation_m"]
            sigmas[j] = math.hypot(sigmas[j], geoid_sigma_m)
        heights[GEOMETRIC], sigmas[GEOMETRIC] = fact["geometric_m"], fact["geometric_sigma_m"]
    elif reference == STD:
        elevation = 0.0 if math.isnan(fact["elevation_m"]) else fact["elevation_m"]
        for j in (GEOMETRIC, SEA_LEVEL):
            if math.isnan(heights[j] + fact["qnh_hpa"] + fact["lat"]):
                heights[j] = math.nan
                continue
            heights[j] = pressure_altitude_of_msl_m(
                heights[j], fact["qnh_hpa"], elevation, fact["deviation_k"], fact["lat"]
            )
            sigmas[j] = math.hypot(sigmas[j], _weather_sigma_m(fact, heights[j], elevation))
        heights[PRESSURE], sigmas[PRESSURE] = fact["pressure_m"], fact["pressure_sigma_m"]
    for j in range(3):
        if math.isnan(heights[j] + sigmas[j]):
            heights[j] = math.nan


@njit(cache=True, nogil=True)
def _p_chain(
    limit_m: float,
    reference: int,
    height_m: float,
    sigma_m: float,
    ground: Floats,
    weights: Floats,
    rule: Any,
) -> float:
    """P(above the limit) by one chain; above ground the mean over the ground."""
    if reference != SFC:
        return p_above(height_m, limit_m, sigma_m)
    total = 0.0
    sigma = math.hypot(sigma_m, rule["terrain_sigma_m"])
    for k in range(len(ground)):
        total += weights[k] * p_above(height_m - ground[k], limit_m, sigma)
    return min(1.0, total)


@njit(cache=True, nogil=True)
def _from_afar(
    limit_m: float, low_m: float, high_m: float, reference: int, ground: Floats, rule: Any
) -> float:
    """1 or 0 where every height from low to high, over any ground there may be, says so; else NaN."""
    lowest, highest = 0.0, 0.0
    if reference == SFC:
        lowest, highest = LOWEST_TERRAIN_M, HIGHEST_TERRAIN_M
        if is_known(ground):
            lowest = ground.min() - SURE_SIGMAS * rule["terrain_sigma_m"]
            highest = ground.max() + SURE_SIGMAS * rule["terrain_sigma_m"]
    if low_m - highest > limit_m:
        return 1.0
    if high_m - lowest < limit_m:
        return 0.0
    return math.nan


@njit(cache=True, nogil=True)
def is_known(ground: Floats) -> bool:
    """Whether there is a height of the ground at all nodes."""
    for k in range(len(ground)):
        if math.isnan(ground[k]):
            return False
    return len(ground) > 0


@njit(cache=True, nogil=True)
def _raw(fact: Any, source: int) -> float:
    if source == PRESSURE:
        return float(fact["pressure_m"])
    return float(fact["geometric_m"] if source == GEOMETRIC else fact["msl_m"])


@njit(cache=True, nogil=True)
def _reach_m(source: int, reference: int, height_m: float, rule: Any) -> float:
    """How far a height may be off in another reference: weather grows with height, the geoid does not."""
    has_weather = (source == PRESSURE) != (reference == STD)
    return float(rule["beyond_m"] + (rule["beyond_share"] * max(0.0, height_m) if has_weather else 0.0))


@njit(cache=True, nogil=True)
def _is_decided(limit_m: float, reference: int) -> bool:
    """Whether any height answers: there is no limit, or it is the ground itself, below which nothing flies."""
    return math.isinf(limit_m) or (reference == SFC and limit_m <= 0.0)


@njit(cache=True, nogil=True)
def p_over_limit(
    fact: Any,
    limit_m: float,
    reference: int,
    ground: Floats,
    weights: Floats,
    rule: Any,
    heights: Floats,
    sigmas: Floats,
) -> tuple[float, int, int]:
    """P(above a limit), what is missing, and by which source it was decided.

    Args:
        fact: one FACT.
        limit_m: in its own reference; infinite where there is none.
        reference: of the limit.
        ground: (nodes,) heights of the ground around the place, for limits above ground; NaN or empty if unknown.
        weights: (nodes,) of the ground.
        rule: one RULE.
        heights, sigmas: (3,) working space.

    Returns:
        P, NaN where the heights known cannot tell; NOTHING or what is missing; a source or NO_SOURCE.
    """
    if _is_decided(limit_m, reference):
        return (0.0 if limit_m == math.inf else 1.0), NOTHING, NO_SOURCE
    chains(fact, reference, rule["geoid_sigma_m"], heights, sigmas)
    best = NO_SOURCE
    for j in range(3):
        if not math.isnan(heights[j]) and (best == NO_SOURCE or sigmas[j] < sigmas[best]):
            best = j
    if best == NO_SOURCE or (reference == SFC and not is_known(ground)):
        return _without_chain(fact, limit_m, reference, ground, rule, heights, sigmas)
    p = _p_chain(limit_m, reference, heights[best], sigmas[best], ground, weights, rule)
    for j in range(3):
        if j == best or math.isnan(_raw(fact, j)):
            continue
        apart = abs(heights[j] - heights[best])
        if not math.isnan(heights[j]):
            if apart <= rule["contradiction_sigmas"] * math.hypot(sigmas[j], sigmas[best]):
                continue
            other = _p_chain(limit_m, reference, heights[j], sigmas[j], ground, weights, rule)
        else:
            raw = _raw(fact, j)
            reach = _reach_m(j, reference, raw, rule)
            if abs(raw - heights[best]) <= reach + rule["contradiction_sigmas"] * sigmas[best]:
                continue
            other = _from_afar(limit_m, raw - reach, raw + reach, reference, ground, rule)
        if not abs(other - p) <= SAME_P:
            return math.nan, CONTRADICTION, best
    return p, NOTHING, best


@njit(cache=True, nogil=True)
def _without_chain(
    fact: Any, limit_m: float, reference: int, ground: Floats, rule: Any, heights: Floats, sigmas: Floats
) -> tuple[float, int, int]:
    """The answer where no chain reaches the limit: only from afar, and only if all that is known agrees."""
    over, under, unsure, source = 0, 0, 0, NO_SOURCE
    for j in range(3):
        raw = _raw(fact, j)
        if math.isnan(raw):
            continue
        middle = raw if math.isnan(heights[j]) else heights[j]
        reach = _reach_m(j, reference, raw, rule)
        if not math.isnan(heights[j]):
            reach = SURE_SIGMAS * sigmas[j]
        p = _from_afar(limit_m, middle - reach, middle + reach, reference, ground, rule)
        over += p == 1.0
        under += p == 0.0
        unsure += math.isnan(p)
        source = j
    if over and under:
        return math.nan, CONTRADICTION, NO_SOURCE
    if unsure == 0 and over + under > 0:
        return (1.0 if over else 0.0), NOTHING, source
    return math.nan, _what_is_missing(fact, reference, ground, heights), NO_SOURCE


@njit(cache=True, nogil=True)
def _what_is_missing(fact: Any, reference: int, ground: Floats, heights: Floats) -> int:
    """The one thing that would help soonest."""
    has_pressure = not math.isnan(fact["pressure_m"])
    has_length = not math.isnan(fact["geometric_m"]) or not math.isnan(fact["msl_m"])
    if not has_pressure and not has_length:
        return ANY_HEIGHT
    has_chain = not (math.isnan(heights[0]) and math.isnan(heights[1]) and math.isnan(heights[2]))
    if reference == SFC and has_chain:
        return POSITION_ACCURACY if math.isnan(fact["horizontal_sigma_m"]) else TERRAIN
    if has_length and math.isnan(fact["geometric_sigma_m"]):
        return HEIGHT_ACCURACY
    if reference == STD:
        return HEIGHT_ACCURACY if has_pressure else PRESSURE_ALTITUDE
    if has_length:
        return GEOID
    return HEIGHT_ACCURACY if math.isnan(fact["pressure_sigma_m"]) else QNH


@njit(cache=True, nogil=True)
def p_between(
    facts: Any,
    limits_m: Any,
    references: Any,
    ground: Floats,
    weights: Floats,
    rule: Any,
    p_low: Floats,
    p_high: Floats,
    missing: Any,
    sources: Any,
) -> None:
    """P(height between two limits) of each sample.

    Args:
        facts: (n,) FACT.
        limits_m, references: (2,) lower and upper.
        ground: (n, nodes) or (n, 0).
        weights: (nodes,).
        rule: one RULE.
        p_low, p_high: (n,) out: bounds; equal where one source decides both. p_low is NaN where nothing can tell.
        missing: (n,) int8 out.
        sources: (n, 2) int8 out.
    """
    heights, sigmas = np.empty(3), np.empty(3)
    for i in range(len(facts)):
        over, lacks_over, by_over = p_over_limit(
            facts[i], limits_m[0], references[0], ground[i], weights, rule, heights, sigmas
        )
        above, lacks_above, by_above = p_over_limit(
            facts[i], limits_m[1], references[1], ground[i], weights, rule, heights, sigmas
        )
        sources[i, 0], sources[i, 1] = by_over, by_above
        missing[i] = lacks_over if lacks_over != NOTHING else lacks_above
        most = min(1.0 if math.isnan(over) else over, 1.0 if math.isnan(above) else 1.0 - above)
        p_high[i] = most
        # who is above the upper limit is above the lower one, so the difference is a bound whatever decided them
        p_low[i] = max(0.0, over - above) if not math.isnan(over - above) else math.nan
        if most <= NEGLIGIBLE_P and math.isnan(p_low[i]):
            p_low[i] = 0.0
        is_one = by_over == by_above or min(by_over, by_above) == NO_SOURCE
        if not math.isnan(p_low[i]):
            missing[i] = NOTHING
            if is_one:
                p_high[i] = p_low[i]
