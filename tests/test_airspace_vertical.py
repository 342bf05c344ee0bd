"""Heights against limits: fixed points of the normal distribution, every chain by an outside oracle, and when a height cannot tell."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights import height_chains as hc
from airvigil.airspace.heights.atmosphere import msl_of_pressure_altitude_m
from airvigil.airspace.heights.geoid import packaged_geoid
from airvigil.airspace.heights.qnh import QnhBook, QnhObservation
from airvigil.airspace.heights.terrain import Terrain, node_weights
from airvigil.airspace.heights.vertical import (
    _REFERENCES,
    SOURCE_WORDS,
    UNKNOWN_GVA,
    HeightKnowledge,
    Heights,
    Vertical,
    _facts,
    gva_sigma_m,
    gva_sigmas_m,
    heights_of,
    missing_words,
    p_above,
    p_vertical,
    p_within_limits,
)
from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.tracking.points import POINT
from small_world import SETTINGS, START_NS, square

RULE = SETTINGS.heights
SIGMA = RULE.pressure_altitude_sigma_m
GVA2 = gva_sigma_m(2)
PHI = NormalDist().cdf
GEOID = packaged_geoid()
TIMBUKTU = (16.7758333, -3.0094444, 28.7068)  # undulation: GeographicLib's published value


def heights(
    std: Any = math.nan,
    w84: Any = math.nan,
    msl: Any = math.nan,
    *,
    lat: float = TIMBUKTU[0],
    lon: float = TIMBUKTU[1],
    sigma: Any = GVA2,
    std_sigma: float = SIGMA,
    place_sigma: float = 30.0,
) -> Heights:
    """Samples at one place; numbers or arrays of one length."""
    count = max(np.size(x) for x in (std, w84, msl, sigma))

    def column(x: Any) -> Any:
        return np.broadcast_to(np.asarray(x, dtype=np.float64), (count,)).copy()

    measured = [column(x) for x in (std, std_sigma, w84, sigma, msl, lat, lon, place_sigma)]
    return Heights(*measured, np.full(count, START_NS))


def volume(lower: Limit = NO_LOWER, upper: Limit = NO_UPPER) -> Any:
    return dataclasses.replace(square(), lower=lower, upper=upper)


def floor(height_m: float, reference: str) -> Any:
    return volume(Limit(height_m, reference))


def qnh_book(qnh_hpa: float = 1013.25, temperature_c: float = 15.0, **changes: Any) -> QnhBook:
    one = QnhObservation(
        START_NS, START_NS, "GATB", TIMBUKTU[0], TIMBUKTU[1], qnh_hpa, 0.0, temperature_c, ""
    )
    return QnhBook([one._replace(**changes)])


def ask(where: Any, given_heights: Heights, **knowledge: Any) -> Vertical:
    return p_vertical(where, given_heights, HeightKnowledge(**knowledge), RULE)


def p(volume: Any, *, std: float = math.nan, w84: float = math.nan, msl: float = math.nan) -> float:
    return p_within_limits(volume, std, w84, msl, RULE)


def limited(reference: str, low: float = 3000.0, high: float = 6000.0) -> Any:
    return square(lower_limit_m=low, upper_limit_m=high, vertical_reference=reference)


# --- a height in the limit's own reference ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigmas", [-3.0, -1.0, 0.0, 0.5, 1.96, 8.0])
def test_p_above_a_limit_is_the_normal_distributions(sigmas: float) -> None:
    assert p_above(1000.0 + sigmas * 38.0, 1000.0, 38.0) == pytest.approx(PHI(sigmas), rel=1e-9)


def test_a_volume_of_all_heights_needs_no_height() -> None:
    assert p(square()) == 1.0
    found = ask(square(), heights())
    assert (found.p[0], found.p_high[0], found.missing[0], *found.sources[0]) == (
        1.0,
        1.0,
        hc.NOTHING,
        -1,
        -1,
    )


@pytest.mark.parametrize(
    ("height_m", "expected"),
    [
        (3000.0, 0.5),
        (6000.0, 0.5),
        (4500.0, 1.0),
        (3000.0 + SIGMA, PHI(1.0)),
        (6000.0 + SIGMA, PHI(-1.0)),
        (9000.0, 0.0),
        (0.0, 0.0),
    ],
)
def test_flight_levels_are_decided_by_pressure_altitude(height_m: float, expected: float) -> None:
    assert p(limited("STD"), std=height_m) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("reference", "source"), [("STD", "std"), ("W84", "w84"), ("MSL", "msl"), ("MSL", "w84"), ("W84", "msl")]
)
def test_exactly_at_the_floor_it_is_even(reference: str, source: str) -> None:
    step = {"w84MSL": GEOID.undulation_m(*TIMBUKTU[:2]), "mslW84": -GEOID.undulation_m(*TIMBUKTU[:2])}
    height_m = 3000.0 + step.get(source + reference, 0.0)
    found = ask(floor(3000.0, reference), heights(**{source: height_m}), geoid=GEOID)
    assert found.p[0] == pytest.approx(0.5, abs=1e-9)
    assert found.missing[0] == hc.NOTHING


def test_a_layer_thinner_than_the_error_is_never_sure() -> None:
    thin = limited("STD", 5000.0, 5000.0 + SIGMA)
    assert p(thin, std=5000.0 + SIGMA / 2) == pytest.approx(2 * PHI(0.5) - 1, abs=1e-9)


def test_a_geometric_limit_is_decided_by_geometric_height_with_its_own_sigma() -> None:
    sigma = gva_sigma_m(UNKNOWN_GVA)
    assert p(limited("W84"), w84=3000.0 + sigma) == pytest.approx(PHI(1.0), abs=1e-9)


@pytest.mark.parametrize(("gva", "bound_m"), [(2, 45.0), (1, 150.0), (0, 150.0), (3, 150.0), (-1, 150.0)])
def test_gva_is_a_bound_on_95_percent_of_the_errors(gva: int, bound_m: float) -> None:
    # DO-260B table 2-71; 0 (unknown), 3 (reserved) and none stated count as the worst that is stated
    assert 2.0 * NormalDist(0.0, gva_sigma_m(gva)).cdf(-bound_m) == pytest.approx(0.05, abs=1e-4)
    assert gva_sigmas_m(np.array([gva], dtype=np.int8))[0] == gva_sigma_m(gva)


@pytest.mark.parametrize(("gva", "sigmas"), [(2, 45.0 / 22.96), (1, 45.0 / 76.53)])
def test_a_better_height_is_surer_of_its_side(gva: int, sigmas: float) -> None:
    found = p_within_limits(limited("W84"), math.nan, 3045.0, math.nan, RULE, gva_sigma_m(gva))
    assert found == pytest.approx(PHI(sigmas), abs=1e-4)


def test_pressure_altitude_has_nothing_to_do_with_gva() -> None:
    assert {p_within_limits(limited("STD"), 3010.0, math.nan, math.nan, RULE, s) for s in (20.0, 80.0)} == {
        p(limited("STD"), std=3010.0)
    }


def test_a_half_open_volume_has_one_limit() -> None:
    assert p(limited("STD", -math.inf, 6000.0), std=-100.0) == 1.0
    assert p(limited("STD", 3000.0, math.inf), std=20_000.0) == 1.0


def test_zero_over_mean_sea_level_is_a_height_like_any_other() -> None:
    assert p(limited("MSL", 0.0, 1000.0), msl=0.0) == pytest.approx(0.5)


# --- nothing known, or only in another reference -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["STD", "W84", "MSL", "SFC"])
def test_an_unknown_height_is_neither_in_nor_out(reference: str) -> None:
    found = ask(limited(reference), heights(), geoid=GEOID, qnh=qnh_book())
    assert math.isnan(found.p[0])
    assert (found.p_high[0], found.missing[0]) == (1.0, hc.ANY_HEIGHT)


def test_pressure_altitude_near_a_limit_over_mean_sea_level_cannot_tell() -> None:
    for height_m in (2100.0, 3000.0, 3900.0, 5100.0, 6000.0, 6900.0):
        found = ask(limited("MSL"), heights(height_m), geoid=GEOID)
        assert math.isnan(found.p[0])
        assert found.missing[0] == hc.QNH


def test_pressure_altitude_far_from_a_limit_over_mean_sea_level_tells() -> None:
    # 1,000 m and 5 % of the height
    assert p(limited("MSL"), std=4500.0) == 1.0
    assert p(limited("MSL"), std=7369.0) == 0.0
    assert math.isnan(p(limited("MSL"), std=7368.0))
    assert p(limited("MSL"), std=1904.0) == 0.0
    assert math.isnan(p(limited("MSL"), std=1905.0))


@pytest.mark.parametrize("source", ["w84", "msl"])
def test_flight_levels_never_use_another_height_silently(source: str) -> None:
    near = ask(limited("STD"), heights(**{source: 3200.0}), geoid=GEOID)
    assert math.isnan(near.p[0])
    assert near.missing[0] == hc.PRESSURE_ALTITUDE
    by_qnh = ask(limited("STD"), heights(**{source: 3400.0}), geoid=GEOID, qnh=qnh_book())
    assert by_qnh.p[0] > 0.9
    assert (
        SOURCE_WORDS[by_qnh.sources[0, 0]]
        == {"w84": "geometric height", "msl": "height over mean sea level"}[source]
    )


def test_geometric_height_without_a_geoid_asks_for_it() -> None:
    found = ask(limited("MSL"), heights(w84=3500.0))
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.GEOID)


def test_a_height_without_accuracy_decides_only_from_afar() -> None:
    near, far = heights(w84=3500.0, sigma=math.nan), heights(w84=8000.0, sigma=math.nan)
    for reference in ("W84", "MSL"):
        found = ask(limited(reference), near, geoid=GEOID)
        assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.HEIGHT_ACCURACY)
        assert ask(limited(reference), far, geoid=GEOID).p[0] == 0.0


def test_one_limit_that_excludes_is_enough() -> None:
    # above an upper flight level for sure; nobody knows of the lower limit over mean sea level, nor need they
    layer = volume(Limit(3000.0, "MSL"), Limit(3200.0, "STD"))
    found = ask(layer, heights(3600.0))
    assert (found.p[0], found.missing[0]) == (0.0, hc.NOTHING)
    assert found.p_high[0] < 1e-9
    # below it only by 2 sigma: p is unknown, but bounded
    found = ask(layer, heights(3200.0 + 2 * SIGMA))
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.QNH)
    assert found.p_high[0] == pytest.approx(PHI(-2.0), abs=1e-9)


def test_other_heights_that_disagree_cannot_tell() -> None:
    found = ask(limited("MSL"), heights(4500.0, 7500.0))
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.CONTRADICTION)


def test_the_margin_for_other_references_is_a_setting() -> None:
    narrow = dataclasses.replace(RULE, decides_beyond_m=100.0, decides_beyond_share=0.0)
    assert p_within_limits(limited("MSL"), 5800.0, math.nan, math.nan, narrow) == 1.0


# --- chains -----------------------------------------------------------------------------------------------------------------------


def test_geometric_height_serves_mean_sea_level_by_the_geoid() -> None:
    sigma = math.hypot(GVA2, RULE.geoid_sigma_m)
    found = ask(floor(3000.0, "MSL"), heights(w84=3000.0 + TIMBUKTU[2] + sigma), geoid=GEOID)
    assert found.p[0] == pytest.approx(PHI(1.0), abs=3e-4)
    found = ask(floor(3000.0, "W84"), heights(msl=3000.0 - TIMBUKTU[2] + sigma), geoid=GEOID)
    assert found.p[0] == pytest.approx(PHI(1.0), abs=3e-4)


def altimeter_m(pressure_altitude_m: float, qnh_hpa: float) -> float:
    """What an altimeter set to a QNH shows, by the altimeter equation with the constants of the US Standard Atmosphere."""
    ratio = 1.0 - pressure_altitude_m / 44_330.77
    return 44_330.77 * ((qnh_hpa / 1013.25) ** 0.190263 - ratio)


@pytest.mark.parametrize("qnh_hpa", [960.0, 1013.25, 1045.0])
@pytest.mark.parametrize("height_m", [300.0, 1500.0, 3000.0])
def test_pressure_altitude_serves_mean_sea_level_by_a_qnh(height_m: float, qnh_hpa: float) -> None:
    shown = altimeter_m(height_m, qnh_hpa)
    # gravity at Timbuktu is 0.24 % weaker than the standard one: lengths are longer
    length = shown * (1.0 + 0.00207) + shown**2 / 6_356_766.0
    found = ask(floor(length, "MSL"), heights(height_m), qnh=qnh_book(qnh_hpa))
    assert found.p[0] == pytest.approx(0.5, abs=0.02)
    assert list(found.sources[0]) == [hc.PRESSURE, hc.NO_SOURCE]


@pytest.mark.parametrize("temperature_c", [-20.0, 15.0, math.nan])
@pytest.mark.parametrize("offset_sigmas", [-1.5, 0.0, 0.7])
def test_the_sigma_of_a_qnh_chain_is_what_many_draws_say(temperature_c: float, offset_sigmas: float) -> None:
    """Altimeter, QNH and temperature drawn by themselves, each draw converted: how many are over the floor?"""
    rng = np.random.default_rng(11)
    level, qnh, lat = 2500.0, 1003.0, TIMBUKTU[0]
    book = qnh_book(qnh, temperature_c, time_ns=START_NS - 3_000_000_000_000)
    deviation = 0.0 if math.isnan(temperature_c) else temperature_c - 15.0
    sigma_k = RULE.temperature_sigma_k if math.isnan(temperature_c) else RULE.temperature_known_sigma_k
    at = book.at(*TIMBUKTU[:2], START_NS, START_NS, RULE)
    assert at is not None
    drawn = [
        msl_of_pressure_altitude_m(level + a, qnh + b, 0.0, deviation + c, lat)
        for a, b, c in rng.normal(0.0, (SIGMA, at.sigma_hpa, sigma_k), (20_000, 3))
    ]
    limit = float(np.mean(drawn) + offset_sigmas * np.std(drawn))
    found = ask(floor(limit, "MSL"), heights(level), qnh=book)
    assert found.p[0] == pytest.approx(np.mean(np.array(drawn) > limit), abs=0.015)


def test_an_old_qnh_or_a_far_one_is_less_sure_and_then_of_no_use() -> None:
    def p_at(**changes: Any) -> float:
        found = ask(floor(1000.0, "MSL"), heights(1060.0), qnh=qnh_book(**changes))
        return float(found.p[0])

    minute = 60_000_000_000
    fresh, old, far = p_at(), p_at(time_ns=START_NS - 80 * minute), p_at(latitude_deg=TIMBUKTU[0] + 1.2)
    assert fresh > old > 0.5
    assert fresh > far > 0.5
    assert math.isnan(p_at(time_ns=START_NS - 91 * minute))
    assert math.isnan(p_at(latitude_deg=TIMBUKTU[0] + 1.4))
    assert math.isnan(p_at(known_ns=START_NS + 1)), "not received yet"


def test_the_surest_chain_decides_alone() -> None:
    both = heights(2990.0, 3050.0 + TIMBUKTU[2], sigma=gva_sigma_m(2))
    found = ask(floor(3000.0, "MSL"), both, geoid=GEOID, qnh=qnh_book())
    assert found.sources[0, 0] == hc.GEOMETRIC
    assert found.p[0] == pytest.approx(PHI(50.0 / math.hypot(GVA2, RULE.geoid_sigma_m)), abs=1e-3)
    rough = heights(1000.0, 1050.0 + TIMBUKTU[2], sigma=gva_sigma_m(1))
    assert ask(floor(1000.0, "MSL"), rough, geoid=GEOID, qnh=qnh_book()).sources[0, 0] == hc.PRESSURE


def test_heights_that_contradict_each_other_decide_nothing_between_them() -> None:
    apart = heights(3000.0, 4500.0 + TIMBUKTU[2])
    found = ask(floor(3500.0, "MSL"), apart, geoid=GEOID, qnh=qnh_book())
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.CONTRADICTION)
    both_over = ask(floor(1000.0, "MSL"), apart, geoid=GEOID, qnh=qnh_book())
    assert (both_over.p[0], both_over.missing[0]) == (pytest.approx(1.0, abs=1e-6), hc.NOTHING)
    levels = ask(floor(3500.0, "STD"), apart, geoid=GEOID, qnh=qnh_book())
    assert levels.missing[0] == hc.CONTRADICTION
    # without a QNH they contradict only beyond what weather can do
    assert ask(floor(3500.0, "STD"), apart, geoid=GEOID).missing[0] == hc.CONTRADICTION
    near = heights(3000.0, 3900.0 + TIMBUKTU[2])
    assert ask(floor(3500.0, "STD"), near, geoid=GEOID).p[0] < 1e-6


def test_two_measurements_give_bounds_one_gives_the_difference() -> None:
    layer = volume(Limit(3000.0, "STD"), Limit(3300.0, "W84"))
    found = ask(layer, heights(3000.0 + SIGMA, 3300.0 - GVA2))
    over, above = PHI(1.0), PHI(-1.0)
    assert found.p[0] == pytest.approx(over - above, abs=1e-9)
    assert found.p_high[0] == pytest.approx(min(over, 1.0 - above), abs=1e-9)
    assert list(found.sources[0]) == [hc.PRESSURE, hc.GEOMETRIC]
    one = ask(limited("STD", 3000.0, 3000.0 + 2 * SIGMA), heights(3000.0 + SIGMA))
    assert one.p[0] == one.p_high[0] == pytest.approx(2 * PHI(1.0) - 1.0, abs=1e-9)


@given(st.floats(-0.99, 0.99), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0))
def test_the_bounds_hold_for_errors_that_have_any_correlation(rho: float, a: float, b: float) -> None:
    """P(X < a and Y < b) of a bivariate normal, by Gauss-Legendre over the correlation (Drezner)."""
    total, nodes = 0.0, np.polynomial.legendre.leggauss(20)
    for x, w in zip(*nodes, strict=True):
        r = rho * (x + 1.0) / 2.0
        total += w * math.exp(-(a * a - 2 * r * a * b + b * b) / (2 * (1 - r * r))) / math.sqrt(1 - r * r)
    joint = PHI(a) * PHI(b) + rho / 2.0 * total / (2 * math.pi)
    layer = volume(Limit(3000.0, "STD"), Limit(3000.0, "W84"))
    found = ask(layer, heights(3000.0 + a * SIGMA, 3000.0 - b * GVA2))
    assert found.p[0] - 1e-6 <= joint <= found.p_high[0] + 1e-6


# --- above ground ------------------------------------------------------------------------------------------------------------------

ANY_TERRAIN = [
    # over the shore of the Dead Sea 4,430 m above ground, over a mountain nothing: without terrain nobody knows
    ("std w84 msl", 1500.0, math.inf, 4000.0, math.nan),
    ("std w84 msl", -math.inf, 1000.0, 4000.0, math.nan),
    ("std w84 msl", -math.inf, 300.0, 100.0, math.nan),
    ("w84 msl", -math.inf, 1000.0, 11_000.0, 0.0),  # 1,151 m above Everest at the least
    ("std", -math.inf, 1000.0, 11_000.0, math.nan),  # cold air may be lower by 1,550 m
    ("std", -math.inf, 1000.0, 11_500.0, 0.0),
    ("w84", -math.inf, 1000.0, 10_800.0, math.nan),
    ("msl", -math.inf, 1000.0, 10_800.0, 0.0),  # its error is known
    ("std w84 msl", 3000.0, 6000.0, 1000.0, 0.0),  # 2,430 m above the lowest ground at the most
    ("std w84", 3000.0, 6000.0, 1600.0, math.nan),
    ("w84 msl", 1500.0, math.inf, 11_400.0, 1.0),
    ("w84 msl", -math.inf, 14_000.0, 12_000.0, 1.0),
    ("std w84", -math.inf, 13_000.0, 12_000.0, math.nan),
]


@pytest.mark.parametrize(("kinds", "low", "high", "height_m", "expected"), ANY_TERRAIN)
def test_without_terrain_a_limit_above_ground_is_decided_only_where_any_terrain_gives_the_same(
    kinds: str, low: float, high: float, height_m: float, expected: float
) -> None:
    for kind in kinds.split():
        found = p(limited("SFC", low, high), **{kind: height_m})
        assert found == pytest.approx(expected, nan_ok=True, abs=1e-9), kind


def test_zero_above_ground_is_the_ground() -> None:
    assert p(limited("SFC", 0.0, math.inf)) == 1.0
    assert p(limited("SFC", 0.0, 1000.0), w84=11_000.0) == 0.0
    assert p(limited("SFC", 0.0, 14_000.0), w84=12_000.0) == 1.0
    assert math.isnan(p(limited("SFC", 0.0, 1000.0), std=500.0))


def hill(ground_m: Any) -> Terrain:
    """One tile of 3" around Timbuktu; `ground_m` of arrays of latitude and longitude."""
    lat, lon = np.meshgrid(np.linspace(17.0, 16.0, 1201), np.linspace(-4.0, -3.0, 1201), indexing="ij")
    raw = np.round(ground_m(lat, lon)).astype(">i2").tobytes()
    return Terrain(lambda name: raw if name == "N16W004" else None)


def test_over_flat_ground_a_limit_is_that_much_higher() -> None:
    flat = hill(lambda lat, lon: np.full_like(lat, 120.0))
    sigma = math.hypot(GVA2, RULE.terrain_sigma_m)
    found = ask(floor(300.0, "SFC"), heights(msl=420.0 + sigma), terrain=flat)
    assert found.p[0] == pytest.approx(PHI(1.0), abs=1e-9)
    assert found.sources[0, 0] == hc.SEA_LEVEL
    by_geoid = ask(floor(300.0, "SFC"), heights(w84=420.0 + TIMBUKTU[2]), terrain=flat, geoid=GEOID)
    assert by_geoid.p[0] == pytest.approx(0.5, abs=1e-3)


def test_over_a_slope_the_place_matters_as_much_as_the_height() -> None:
    """A plane that rises 1 in 5 towards the east: its error is the slope times the place's, by hand."""
    per_deg = 6_371_008.8 * math.pi / 180.0 * math.cos(math.radians(TIMBUKTU[0]))
    slope = hill(lambda lat, lon: 2000.0 + 0.2 * (lon - TIMBUKTU[1]) * per_deg)
    sigma = math.sqrt(GVA2**2 + RULE.terrain_sigma_m**2 + (0.2 * 200.0) ** 2)
    for sigmas in (-1.0, 0.0, 2.0):
        asked = heights(msl=2300.0 + sigmas * sigma, place_sigma=200.0)
        found = ask(floor(300.0, "SFC"), asked, terrain=slope)
        assert found.p[0] == pytest.approx(PHI(sigmas), abs=0.01)


def test_at_a_cliff_p_is_what_many_places_say() -> None:
    cliff = hill(lambda lat, lon: np.where(lon > TIMBUKTU[1], 600.0, 100.0))
    rng = np.random.default_rng(5)
    east = rng.normal(0.0, 300.0, 20_000)
    per_deg = 6_371_008.8 * math.pi / 180.0 * math.cos(math.radians(TIMBUKTU[0]))
    ground = cliff.heights_m(np.full(20_000, TIMBUKTU[0]), TIMBUKTU[1] + east / per_deg)
    height = 700.0 + rng.normal(0.0, math.hypot(GVA2, RULE.terrain_sigma_m), 20_000)
    asked = heights(msl=700.0, place_sigma=300.0)
    found = ask(floor(300.0, "SFC"), asked, terrain=cliff)
    # five nodes across a step carry 0.27 of doubt in the middle one: the cliff stands on it
    assert found.p[0] == pytest.approx(np.mean(height - ground > 300.0), abs=0.27)
    assert 0.1 < found.p[0] < 0.9


@pytest.mark.parametrize(
    ("terrain", "place_sigma", "code"),
    [
        (None, 30.0, hc.TERRAIN),
        (Terrain(lambda name: None), 30.0, hc.TERRAIN),
        (hill(lambda lat, lon: np.full_like(lat, -32768.0)), 30.0, hc.TERRAIN),
        (hill(lambda lat, lon: np.full_like(lat, 5.0)), math.nan, hc.POSITION_ACCURACY),
    ],
)
def test_above_ground_says_what_it_lacks(terrain: Any, place_sigma: float, code: int) -> None:
    found = ask(floor(300.0, "SFC"), heights(msl=400.0, place_sigma=place_sigma), terrain=terrain)
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, code)


def test_terrain_narrows_what_a_bare_pressure_altitude_decides() -> None:
    flat = hill(lambda lat, lon: np.full_like(lat, 100.0))
    assert ask(volume(upper=Limit(300.0, "SFC")), heights(2000.0), terrain=flat).p[0] == 0.0
    found = ask(volume(upper=Limit(300.0, "SFC")), heights(1200.0), terrain=flat)
    assert (math.isnan(found.p[0]), found.missing[0]) == (True, hc.QNH)


# --- words, and the adapter of points ------------------------------------------------------------------------------------------------


def test_every_code_has_words_that_say_what_it_would_take() -> None:
    words = [missing_words(code, 59.44, 26.9, RULE) for code in range(9)]
    assert words[0] == ""
    assert len(set(words)) == 9
    assert "a QNH within 150 km and 90 min" in words[hc.QNH]
    assert "N59E026" in words[hc.TERRAIN]
    assert "of the place" in missing_words(hc.TERRAIN, math.nan, 0.0, RULE)


def test_heights_of_points_take_their_columns() -> None:
    points = np.zeros(2, POINT)
    points["pressure_altitude_m"], points["gva"] = [1000.0, math.nan], [2, -1]
    points["cov_ee"], points["cov_nn"], points["cov_en"] = 25.0, 25.0, [0.0, 20.0]
    points["known"] = [5, 6]
    found = heights_of(points, RULE)
    assert found.horizontal_sigma_m.tolist() == pytest.approx([5.0, math.sqrt(45.0)])
    assert found.geometric_sigma_m.tolist() == [gva_sigma_m(2), gva_sigma_m(-1)]
    assert (found.time_ns.tolist(), found.pressure_sigma_m.tolist()) == ([5, 6], [SIGMA, SIGMA])


# --- laws ----------------------------------------------------------------------------------------------------------------------------

MAYBE = st.one_of(st.just(math.nan), st.floats(-500.0, 15_000.0))
REFERENCES = st.sampled_from(["STD", "MSL", "W84", "SFC"])
GROUND = hill(lambda lat, lon: 300.0 + 200.0 * np.sin(40.0 * lat) * np.cos(40.0 * lon))


@st.composite
def cases(draw: Any) -> tuple[Any, Heights, HeightKnowledge]:
    low = draw(st.one_of(st.just(NO_LOWER), st.builds(Limit, st.floats(0.0, 6000.0), REFERENCES)))
    high = draw(st.one_of(st.just(NO_UPPER), st.builds(Limit, st.floats(6000.0, 14_000.0), REFERENCES)))
    near = draw(st.floats(-500.0, 15_000.0))
    agree = draw(st.booleans())
    std, w84, msl = (
        draw(st.one_of(st.just(math.nan), st.floats(near - 80.0, near + 80.0) if agree else MAYBE))
        for _ in range(3)
    )
    sigma = draw(st.sampled_from([GVA2, gva_sigma_m(1), math.nan]))
    book = draw(
        st.sampled_from(
            [None, qnh_book(), qnh_book(980.0, -20.0), qnh_book(1040.0, math.nan, elevation_m=math.nan)]
        )
    )
    knowledge = HeightKnowledge(
        book, draw(st.sampled_from([None, GEOID])), draw(st.sampled_from([None, GROUND]))
    )
    return volume(low, high), heights(std, w84, msl, sigma=sigma), knowledge


@given(cases())
def test_p_is_a_probability_or_unknown_with_its_reason(case: Any) -> None:
    found = p_vertical(*case, RULE)
    low, high, missing = found.p[0], found.p_high[0], found.missing[0]
    assert 0.0 <= high <= 1.0
    if math.isnan(low):
        assert missing != hc.NOTHING
        assert missing_words(missing, 0.0, 0.0, RULE)
    else:
        assert missing == hc.NOTHING
        assert 0.0 <= low <= high + 1e-15


@given(
    st.floats(-500.0, 14_000.0),
    st.floats(0.0, 500.0),
    st.floats(100.0, 12_000.0),
    REFERENCES,
    st.sampled_from(["std", "w84", "msl"]),
)
def test_higher_is_never_less_above(
    height_m: float, step_m: float, limit_m: float, reference: str, source: str
) -> None:
    two = heights(**{source: np.array([height_m, height_m + step_m])})
    found = ask(floor(limit_m, reference), two, geoid=GEOID, qnh=qnh_book(), terrain=GROUND)
    assert found.p[1] >= found.p[0] - 1e-12


@given(st.lists(cases(), min_size=2, max_size=4))
def test_a_sample_does_not_depend_on_its_batch(drawn: Any) -> None:
    where, _, knowledge = drawn[0]
    singles = [p_vertical(where, case[1], knowledge, RULE) for case in drawn]
    together = Heights(*(np.concatenate(column) for column in zip(*(case[1] for case in drawn), strict=True)))
    whole = p_vertical(where, together, knowledge, RULE)
    for k, one in enumerate(singles):
        assert [x[0].tobytes() for x in one] == [x[k].tobytes() for x in whole]


# --- the kernel's plain twin -----------------------------------------------------------------------------------------------------------


def plain_over(fact: Any, limit_m: float, reference: int, ground: Any) -> tuple[float, int]:
    """P(above) and what is missing, from the rules as the module states them, with sets and comprehensions."""
    if math.isinf(limit_m) or (reference == hc.SFC and limit_m <= 0.0):
        return (0.0 if limit_m == math.inf else 1.0), hc.NOTHING
    h, s = np.empty(3), np.empty(3)
    hc.chains(fact, reference, RULE.geoid_sigma_m, h, s)
    raw = [float(fact[name]) for name in ("pressure_m", "geometric_m", "msl_m")]
    seen = [j for j in range(3) if raw[j] == raw[j]]
    usable = sorted((j for j in seen if h[j] == h[j]), key=lambda j: s[j])
    has_ground = len(ground) > 0 and not np.isnan(ground).any()
    reach = {
        j: RULE.decides_beyond_m
        + RULE.decides_beyond_share * max(0.0, raw[j]) * ((j == 0) != (reference == hc.STD))
        for j in seen
    }
    lowest, highest = (0.0, 0.0) if reference != hc.SFC else (hc.LOWEST_TERRAIN_M, hc.HIGHEST_TERRAIN_M)
    if reference == hc.SFC and has_ground:
        lowest, highest = ground.min() - 6 * RULE.terrain_sigma_m, ground.max() + 6 * RULE.terrain_sigma_m

    def afar(low: float, high: float) -> float | None:
        return 1.0 if low - highest > limit_m else 0.0 if high - lowest < limit_m else None

    def by(j: int) -> float:
        if reference != hc.SFC:
            return PHI((h[j] - limit_m) / s[j])
        sigma = math.hypot(s[j], RULE.terrain_sigma_m)
        return sum(w * PHI((h[j] - g - limit_m) / sigma) for w, g in zip(node_weights(), ground, strict=True))

    if usable and (reference != hc.SFC or has_ground):
        best = usable[0]
        for j in seen:
            if j in usable:
                far = abs(h[j] - h[best]) > RULE.contradiction_sigmas * math.hypot(s[j], s[best])
                other = by(j) if far else None
            else:
                far = abs(raw[j] - h[best]) > reach[j] + RULE.contradiction_sigmas * s[best]
                other = afar(raw[j] - reach[j], raw[j] + reach[j])
            if far and (other is None or abs(other - by(best)) > 1e-6):
                return math.nan, hc.CONTRADICTION
        return by(best), hc.NOTHING
    spans = [
        (h[j] - 6 * s[j], h[j] + 6 * s[j]) if j in usable else (raw[j] - reach[j], raw[j] + reach[j])
        for j in seen
    ]
    answers = {afar(*span) for span in spans}
    if {0.0, 1.0} <= answers:
        return math.nan, hc.CONTRADICTION
    if len(answers) == 1 and None not in answers:
        return float(answers.pop() or 0.0), hc.NOTHING
    return math.nan, -1  # some reason


@given(cases())
def test_the_kernel_is_its_plain_twin(case: Any) -> None:
    where, given_heights, knowledge = case
    found = p_vertical(where, given_heights, knowledge, RULE)
    fact = _facts(given_heights, knowledge, RULE)[0]
    ground = np.zeros(0)
    limits = (where.lower, where.upper)
    if knowledge.terrain is not None and "SFC" in (limits[0].reference, limits[1].reference):
        ground = knowledge.terrain.around_m(
            given_heights.latitude_deg, given_heights.longitude_deg, given_heights.horizontal_sigma_m
        )[0]
    (over, lacks), (above, lacks_too) = (
        plain_over(fact, limit.height_m, _REFERENCES[limit.reference], ground) for limit in limits
    )
    most = min(1.0 if over != over else over, 1.0 if above != above else 1.0 - above)
    if over != over or above != above:
        expected = 0.0 if most <= 1e-9 else math.nan
    else:
        expected = max(0.0, over - above)
    assert found.p[0] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    if math.isnan(expected) and hc.CONTRADICTION in (lacks, lacks_too):
        assert hc.CONTRADICTION in (found.missing[0], lacks_too)
