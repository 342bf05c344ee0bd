"""The vertical side of P(inside): is the height within a volume's limits, each in its own reference?

A flight level is decided by pressure altitude, WGS84 by geometric height, mean sea level and above ground by a height
over mean sea level. What is measured otherwise is converted where what that takes is known (a QNH, the geoid, terrain),
with the error of every step; `height_chains` has the rules. Without it, a height in another reference decides
only where it is so far from the limit that no weather and no geoid can bring it there.

Unknown is its own outcome (NaN), with what is missing: an aircraft laterally inside at unknown height is neither in
nor out. Limits over mean sea level mean the length, not what an altimeter shows: in cold air the two part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.heights import height_chains as hc
from airvigil.airspace.heights.geoid import Geoid, Grid, packaged_geoid, undulation_m
from airvigil.airspace.heights.height_chains import p_above
from airvigil.airspace.heights.qnh import QnhBook, limits_of, nearest_qnh
from airvigil.airspace.heights.terrain import Terrain, node_weights, tile_name
from airvigil.airspace.volumes import Volume
from airvigil.settings import HeightRules

__all__ = [
    "UNKNOWN_GVA",
    "HeightKnowledge",
    "Heights",
    "Vertical",
    "gva_sigma_m",
    "gva_sigmas_m",
    "heights_of",
    "knowledge_for",
    "missing_words",
    "p_above",
    "p_vertical",
    "p_within_limits",
]

# Geometric vertical accuracy, ADS-B version 2 (DO-260B table 2-71): bounds that hold 95 % of the errors, m.
# 0 is "unknown or worse than 150 m"; 3 is reserved. Both are taken as the worst that is stated.
_GVA_95_M = {1: 150.0, 2: 45.0}
_TWO_SIDED_95 = 1.96  # standard normal
UNKNOWN_GVA = -1

_REFERENCES = {"none": hc.NONE, "STD": hc.STD, "MSL": hc.MSL, "W84": hc.W84, "SFC": hc.SFC}
SOURCE_WORDS = ("pressure altitude", "geometric height", "height over mean sea level")
_S_PER_MIN = 60.0
_M_PER_KM = 1000.0

Floats = npt.NDArray[np.float64]


class Heights(NamedTuple):
    """Heights of n samples and where and when they were; all (n,), NaN unknown.

    Attributes:
        pressure_altitude_m, pressure_sigma_m: of the standard atmosphere.
        geometric_height_m: over WGS84.
        geometric_sigma_m: one sigma of the geometric height, and of the one over mean sea level.
        height_msl_m: over mean sea level, as the source itself gives it.
        latitude_deg, longitude_deg: where.
        horizontal_sigma_m: one sigma per axis of the place: over which ground.
        time_ns: int64; when the sample was known. Only what was known by then is used for it.
    """

    pressure_altitude_m: Floats
    pressure_sigma_m: Floats
    geometric_height_m: Floats
    geometric_sigma_m: Floats
    height_msl_m: Floats
    latitude_deg: Floats
    longitude_deg: Floats
    horizontal_sigma_m: Floats
    time_ns: npt.NDArray[np.int64]


@dataclass(frozen=True)
class HeightKnowledge:
    """What turns one reference into another; None where it is not at hand."""

    qnh: QnhBook | None = None
    geoid: Geoid | None = None
    terrain: Terrain | None = None


def knowledge_for(volumes: Sequence[Volume], qnh: QnhBook | None, terrain: Terrain | None) -> HeightKnowledge:
    """What there is to know; nothing where no volume has a limit, so that the geoid is not read for nothing."""
    if all(volume.spans_all_heights for volume in volumes):
        return HeightKnowledge()
    return HeightKnowledge(qnh, packaged_geoid(), terrain)


class Vertical(NamedTuple):
    """P(height within the limits) of n samples.

    Attributes:
        p: (n,) NaN where the heights known cannot tell. Where the two limits are decided by different measurements
            it is the lower of the bounds that hold whatever their errors have to do with each other.
        p_high: (n,) the upper one; equal to p where one measurement decides both, and the bound that
            remains where p is NaN (1.0: none).
        missing: (n,) int8, 0 or what is missing, for `missing_words`.
        sources: (n, 2) int8, index into SOURCE_WORDS of what decided lower and upper limit; -1: nothing had to.
    """

    p: Floats
    p_high: Floats
    missing: npt.NDArray[np.int8]
    sources: npt.NDArray[np.int8]


def gva_sigma_m(gva: int) -> float:
    """One sigma of a geometric height whose accuracy category is `gva`; UNKNOWN_GVA where none was stated.

    Example:
        >>> round(gva_sigma_m(2), 1), round(gva_sigma_m(1), 1), round(gva_sigma_m(UNKNOWN_GVA), 1)
        (23.0, 76.5, 76.5)
    """
    return _GVA_95_M.get(gva, 150.0) / _TWO_SIDED_95


def gva_sigmas_m(gva: npt.NDArray[np.int8]) -> Floats:
    """`gva_sigma_m` of each of (n,) categories."""
    return np.where(gva == 2, gva_sigma_m(2), gva_sigma_m(1))


def heights_of(points: Any, rule: HeightRules) -> Heights:
    """Heights of track points.

    Args:
        points: (n,) records with the fields of `tracking.points.POINT`.
        rule: for the sigma of pressure altitude.

    Returns:
        The horizontal sigma is the wider axis of the covariance.
    """
    half, cross = (points["cov_ee"] - points["cov_nn"]) / 2.0, points["cov_en"]
    widest = (points["cov_ee"] + points["cov_nn"]) / 2.0 + np.sqrt(half * half + cross * cross)
    return Heights(
        points["pressure_altitude_m"],
        np.full(len(points), rule.pressure_altitude_sigma_m),
        points["geometric_height_m"],
        gva_sigmas_m(points["gva"]),
        points["height_msl_m"],
        points["lat"],
        points["lon"],
        np.sqrt(np.maximum(widest, 0.0)),
        points["known"],
    )


def p_vertical(volume: Volume, heights: Heights, knowledge: HeightKnowledge, rule: HeightRules) -> Vertical:
    """P(height within a volume's limits) of each sample.

    Args:
        volume: with each limit in its own reference.
        heights: what was measured.
        knowledge: QNH, geoid and terrain at hand.
        rule: errors and reaches, from the settings.

    Example:
        >>> from airvigil.airspace.limits import Limit
        >>> from airvigil.airspace.volumes import make_volume
        >>> from airvigil.settings import load_settings
        >>> ring = np.array([[59.0, 25.0], [59.0, 26.0], [60.0, 26.0], [60.0, 25.0], [59.0, 25.0]])
        >>> layer = make_volume("layer", [ring], lower=Limit(2895.6, "STD"), upper=Limit(5943.6, "STD"))
        >>> one = [np.array([x]) for x in (2895.6, 38.0, np.nan, 77.0, np.nan, 59.5, 25.5, 40.0)]
        >>> found = p_vertical(layer, Heights(*one, np.array([0])), HeightKnowledge(), load_settings().heights)
        >>> found.p.round(6).tolist(), found.missing.tolist()
        ([0.5], [0])
    """
    count = len(heights.latitude_deg)
    references = np.array([_REFERENCES[limit.reference] for limit in (volume.lower, volume.upper)])
    facts = _facts(heights, knowledge, rule)
    ground = np.zeros((count, 0))
    if knowledge.terrain is not None and hc.SFC in references:
        ground = knowledge.terrain.around_m(
            heights.latitude_deg, heights.longitude_deg, heights.horizontal_sigma_m
        )
    p, p_high = np.empty(count), np.empty(count)
    missing, sources = np.zeros(count, dtype=np.int8), np.zeros((count, 2), dtype=np.int8)
    hc.p_between(
        facts,
        np.array([volume.lower.height_m, volume.upper.height_m]),
        references,
        ground,
        node_weights(),
        _rule_record(rule),
        p,
        p_high,
        missing,
        sources,
    )
    return Vertical(p, p_high, missing, sources)


def _rule_record(rule: HeightRules) -> Any:
    row = (
        rule.decides_beyond_m,
        rule.decides_beyond_share,
        rule.contradiction_sigmas,
        rule.geoid_sigma_m,
        rule.terrain_sigma_m,
    )
    return np.array([row], dtype=hc.RULE)[0]


_FIELDS = {
    "pressure_m": "pressure_altitude_m",
    "pressure_sigma_m": "pressure_sigma_m",
    "geometric_m": "geometric_height_m",
    "geometric_sigma_m": "geometric_sigma_m",
    "msl_m": "height_msl_m",
    "lat": "latitude_deg",
    "horizontal_sigma_m": "horizontal_sigma_m",
}


def _facts(heights: Heights, knowledge: HeightKnowledge, rule: HeightRules) -> npt.NDArray[Any]:
    """One FACT a sample: what was measured, and what is known at its place and time."""
    facts = np.zeros(len(heights.latitude_deg), dtype=hc.FACT)
    for name in ("undulation_m", "qnh_hpa", "qnh_sigma_hpa", "elevation_m"):
        facts[name] = np.nan
    for name, measured in _FIELDS.items():
        facts[name] = getattr(heights, measured)
    lat, lon = (
        np.ascontiguousarray(x, dtype=np.float64) for x in (heights.latitude_deg, heights.longitude_deg)
    )
    if knowledge.geoid is not None:
        _fill_undulation(knowledge.geoid.grid_cm, lat, lon, facts)
    if knowledge.qnh is not None and knowledge.qnh.observations:
        times = np.ascontiguousarray(heights.time_ns, dtype=np.int64)
        _take_qnh(knowledge.qnh, lat, lon, times, rule, facts)
    return facts


@njit(cache=True, nogil=True)
def _fill_undulation(grid: Grid, lat: Floats, lon: Floats, facts: Any) -> None:
    for i in range(len(facts)):
        facts[i]["undulation_m"] = undulation_m(grid, lat[i], lon[i])


def _take_qnh(book: QnhBook, lat: Floats, lon: Floats, times: Any, rule: HeightRules, facts: Any) -> None:
    rows = book.rows()
    which, sigma_hpa = np.empty(len(lat), dtype=np.int64), np.empty(len(lat))
    _nearest(rows, lat, lon, times, limits_of(rule), which, sigma_hpa)
    has = np.flatnonzero(which >= 0)
    found = rows[which[has]]
    is_known = ~np.isnan(found["deviation_k"])
    facts["qnh_hpa"][has] = found["qnh_hpa"]
    facts["qnh_sigma_hpa"][has] = sigma_hpa[has]
    facts["elevation_m"][has] = found["elevation_m"]
    facts["deviation_k"][has] = np.where(is_known, found["deviation_k"], 0.0)
    sigma_k = np.where(is_known, rule.temperature_known_sigma_k, rule.temperature_sigma_k)
    facts["deviation_sigma_k"][has] = sigma_k


@njit(cache=True, nogil=True)
def _nearest(
    rows: Any, lat: Floats, lon: Floats, times: Any, reach: Any, which: Any, sigma_hpa: Floats
) -> None:
    for i in range(len(lat)):
        which[i], sigma_hpa[i], _ = nearest_qnh(rows, lat[i], lon[i], times[i], times[i], *reach)


def missing_words(code: int, latitude_deg: float, longitude_deg: float, rule: HeightRules) -> str:
    """What is missing for an answer, and what it would take; empty where nothing is.

    Args:
        code: from `Vertical.missing`.
        latitude_deg, longitude_deg: where, for the terrain tile's name.
        rule: for the reach of a QNH.

    Example:
        >>> from airvigil.settings import load_settings
        >>> missing_words(3, 59.44, 26.9, load_settings().heights)
        'height over mean sea level: a QNH within 150 km and 90 min, or a geometric height'
        >>> missing_words(6, 59.44, 26.9, load_settings().heights)
        'height above ground: terrain tile N59E026'
    """
    qnh = (
        f"a QNH within {rule.qnh_max_distance_m / _M_PER_KM:g} km and {rule.qnh_max_age_s / _S_PER_MIN:g} min"
    )
    is_place = math.isfinite(latitude_deg) and math.isfinite(longitude_deg)
    tile = tile_name(latitude_deg, longitude_deg) if is_place else "of the place"
    words = {
        hc.NOTHING: "",
        hc.ANY_HEIGHT: "any height: none was reported",
        hc.PRESSURE_ALTITUDE: f"pressure altitude, or {qnh} for the height that is known",
        hc.QNH: f"height over mean sea level: {qnh}, or a geometric height",
        hc.GEOID: "the geoid, to compare heights over WGS84 and over mean sea level",
        hc.HEIGHT_ACCURACY: "the accuracy of the height: one with GVA of 1 or more",
        hc.TERRAIN: f"height above ground: terrain tile {tile}",
        hc.POSITION_ACCURACY: "height above ground: the accuracy of the position",
        hc.CONTRADICTION: "heights that agree: those reported contradict each other",
    }
    return words[int(code)]


def p_within_limits(
    volume: Volume,
    pressure_altitude_m: float,
    geometric_height_m: float,
    height_msl_m: float,
    rule: HeightRules,
    geometric_sigma_m: float = gva_sigma_m(UNKNOWN_GVA),
) -> float:
    """`p_vertical` of one sample, knowing neither QNH nor geoid nor terrain; NaN where the heights cannot tell."""

    def one(x: float) -> Floats:
        return np.array([x])

    heights = Heights(
        one(pressure_altitude_m),
        one(rule.pressure_altitude_sigma_m),
        one(geometric_height_m),
        one(geometric_sigma_m),
        one(height_msl_m),
        latitude_deg=one(math.nan),
        longitude_deg=one(math.nan),
        horizontal_sigma_m=one(math.nan),
        time_ns=np.array([0]),
    )
    return float(p_vertical(volume, heights, HeightKnowledge(), rule).p[0])
