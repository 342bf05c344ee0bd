"""Heights against limits: fixed points of the normal distribution, and when a height cannot tell."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import pytest

from airvigil.airspace.vertical import UNKNOWN_GVA, gva_sigma_m, p_above, p_within_limits
from small_world import SETTINGS, square

RULE = SETTINGS.heights
SIGMA = RULE.pressure_altitude_sigma_m


def p(volume: Any, *, std: float = math.nan, w84: float = math.nan, msl: float = math.nan) -> float:
    return p_within_limits(volume, std, w84, msl, RULE)


def limited(reference: str, low: float = 3000.0, high: float = 6000.0) -> Any:
    return square(lower_limit_m=low, upper_limit_m=high, vertical_reference=reference)


@pytest.mark.parametrize("sigmas", [-3.0, -1.0, 0.0, 0.5, 1.96, 8.0])
def test_p_above_a_limit_is_the_normal_distributions(sigmas: float) -> None:
    assert p_above(1000.0 + sigmas * 38.0, 1000.0, 38.0) == pytest.approx(NormalDist().cdf(sigmas), rel=1e-9)


def test_a_volume_of_all_heights_needs_no_height() -> None:
    assert p(square()) == 1.0


@pytest.mark.parametrize(
    ("height_m", "expected"),
    [
        (3000.0, 0.5),
        (6000.0, 0.5),
        (4500.0, 1.0),
        (3000.0 + SIGMA, NormalDist().cdf(1.0)),
        (6000.0 + SIGMA, NormalDist().cdf(-1.0)),
        (9000.0, 0.0),
        (0.0, 0.0),
    ],
)
def test_flight_levels_are_decided_by_pressure_altitude(height_m: float, expected: float) -> None:
    assert p(limited("STD"), std=height_m) == pytest.approx(expected, abs=1e-9)


def test_a_layer_thinner_than_the_error_is_never_sure() -> None:
    thin = limited("STD", 5000.0, 5000.0 + SIGMA)
    assert p(thin, std=5000.0 + SIGMA / 2) == pytest.approx(2 * NormalDist().cdf(0.5) - 1, abs=1e-9)


def test_a_geometric_limit_is_decided_by_geometric_height_with_its_own_sigma() -> None:
    sigma = gva_sigma_m(UNKNOWN_GVA)
    assert p(limited("W84"), w84=3000.0 + sigma) == pytest.approx(NormalDist().cdf(1.0), abs=1e-9)


@pytest.mark.parametrize(("gva", "bound_m"), [(2, 45.0), (1, 150.0), (0, 150.0), (3, 150.0), (-1, 150.0)])
def test_gva_is_a_bound_on_95_percent_of_the_errors(gva: int, bound_m: float) -> None:
    # DO-260B table 2-71; 0 (unknown), 3 (reserved) and none stated count as the worst that is stated
    assert 2.0 * NormalDist(0.0, gva_sigma_m(gva)).cdf(-bound_m) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("gva", "sigmas"), [(2, 45.0 / 22.96), (1, 45.0 / 76.53)])
def test_a_better_height_is_surer_of_its_side(gva: int, sigmas: float) -> None:
    found = p_within_limits(limited("W84"), math.nan, 3045.0, math.nan, RULE, gva_sigma_m(gva))
    assert found == pytest.approx(NormalDist().cdf(sigmas), abs=1e-4)


def test_pressure_altitude_has_nothing_to_do_with_gva() -> None:
    assert {p_within_limits(limited("STD"), 3010.0, math.nan, math.nan, RULE, s) for s in (20.0, 80.0)} == {
        p(limited("STD"), std=3010.0)
    }


def test_a_half_open_volume_has_one_limit() -> None:
    assert p(limited("STD", -math.inf, 6000.0), std=-100.0) == 1.0
    assert p(limited("STD", 3000.0, math.inf), std=20_000.0) == 1.0


@pytest.mark.parametrize("reference", ["STD", "W84", "MSL", "SFC"])
def test_an_unknown_height_is_neither_in_nor_out(reference: str) -> None:
    assert math.isnan(p(limited(reference)))


def test_pressure_altitude_near_a_limit_over_mean_sea_level_cannot_tell() -> None:
    for height_m in (2100.0, 3000.0, 3900.0, 5100.0, 6000.0, 6900.0):
        assert math.isnan(p(limited("MSL"), std=height_m))


def test_pressure_altitude_far_from_a_limit_over_mean_sea_level_tells() -> None:
    assert p(limited("MSL"), std=4500.0) == 1.0
    assert p(limited("MSL"), std=7001.0) == 0.0
    assert p(limited("MSL"), std=1999.0) == 0.0
    assert math.isnan(p(limited("MSL"), std=6999.0))


def test_the_right_reference_beats_the_others() -> None:
    assert p(limited("MSL"), msl=3000.0, std=4500.0) == pytest.approx(0.5)


def test_other_heights_that_disagree_cannot_tell() -> None:
    assert math.isnan(p(limited("MSL"), std=4500.0, w84=7500.0))


@pytest.mark.parametrize(
    ("low", "high", "height_m", "expected"),
    [
        # over the shore of the Dead Sea 4,430 m above ground, over a mountain nothing: without terrain nobody knows
        (1500.0, math.inf, 4000.0, math.nan),
        (-math.inf, 1000.0, 4000.0, math.nan),
        (-math.inf, 1000.0, 11_000.0, 0.0),  # 1,151 m above Everest at the least
        (-math.inf, 1000.0, 10_800.0, math.nan),
        (-math.inf, 300.0, 100.0, math.nan),
        (3000.0, 6000.0, 1000.0, 0.0),  # 2,430 m above the lowest ground at the most
        (3000.0, 6000.0, 1600.0, math.nan),
        (1500.0, math.inf, 11_400.0, 1.0),
        (-math.inf, 14_000.0, 12_000.0, 1.0),
        (-math.inf, 13_000.0, 12_000.0, math.nan),
    ],
)
@pytest.mark.parametrize("kind", ["std", "msl", "w84"])
def test_heights_above_ground_are_decided_only_where_any_terrain_gives_the_same(
    low: float, high: float, height_m: float, expected: float, kind: str
) -> None:
    assert p(limited("SFC", low, high), **{kind: height_m}) == pytest.approx(expected, nan_ok=True)


def test_zero_above_ground_is_the_ground() -> None:
    assert p(limited("SFC", 0.0, math.inf)) == 1.0
    assert p(limited("SFC", 0.0, 1000.0), std=11_000.0) == 0.0
    assert p(limited("SFC", 0.0, 14_000.0), std=12_000.0) == 1.0
    assert math.isnan(p(limited("SFC", 0.0, 1000.0), std=500.0))


def test_zero_over_mean_sea_level_is_a_height_like_any_other() -> None:
    assert p(limited("MSL", 0.0, 1000.0), msl=0.0) == pytest.approx(0.5)


def test_the_margin_for_other_references_is_a_setting() -> None:
    narrow = SETTINGS.infringement.__class__(**{**vars(RULE), "height_decides_beyond_m": 100.0})
    assert p_within_limits(limited("MSL"), 5800.0, math.nan, math.nan, narrow) == 1.0
