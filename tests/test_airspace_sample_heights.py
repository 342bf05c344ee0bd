"""Heights on the path between reports, and P(inside) of samples with them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights import height_chains as hc
from airvigil.airspace.heights.sample_heights import bridge, heights_between, with_heights
from airvigil.airspace.heights.vertical import HeightKnowledge, Heights, p_vertical
from airvigil.airspace.limits import Limit
from small_world import SETTINGS, square

RULE = SETTINGS.heights
NOTHING = HeightKnowledge()
NAN = math.nan


def at(std: Any = NAN, w84: Any = NAN, msl: Any = NAN) -> Heights:
    std, w84, msl = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (std, w84, msl)))
    columns = [std, np.full(len(std), 38.0), w84, np.full(len(std), 23.0), msl]
    places = [np.full(len(std), x) for x in (59.5, 25.5, 30.0)]
    return Heights(*columns, *places, np.zeros(len(std), np.int64))


def layer(low_m: float, high_m: float, reference: str = "STD") -> Any:
    return dataclasses.replace(square(), lower=Limit(low_m, reference), upper=Limit(high_m, reference))


def test_a_climb_through_a_layer_between_two_reports_is_found() -> None:
    """From 2,000 m to 4,000 m in two minutes, with nothing heard between: the layer from 2,900 to 3,300 m was crossed."""
    since = np.linspace(0.0, 120.0, 61)
    count = len(since)
    path = heights_between(at([2000.0] * count), at([4000.0] * count), since, np.full(count, 120.0), RULE)
    found = p_vertical(layer(2900.0, 3300.0), path, NOTHING, RULE).p
    assert found[0] < 1e-9
    assert found[-1] < 1e-9
    assert found.max() > 0.5
    assert 55.0 <= since[np.argmax(found)] <= 71.0


def test_level_flight_over_a_layer_between_two_reports_is_not_in_it() -> None:
    since = np.linspace(0.0, 30.0, 31)
    path = heights_between(at([4000.0] * 31), at([4000.0] * 31), since, np.full(31, 30.0), RULE)
    assert p_vertical(layer(2900.0, 3300.0), path, NOTHING, RULE).p.max() < 1e-9


def test_the_ends_are_the_reports_and_no_gap_is_the_report() -> None:
    before, after = at([1000.0] * 3), at([1500.0] * 3)
    found = heights_between(before, after, np.array([0.0, 60.0, 0.0]), np.array([60.0, 60.0, 0.0]), RULE)
    assert found.pressure_altitude_m.tolist() == [1000.0, 1500.0, 1500.0]
    assert found.pressure_sigma_m.tolist() == [38.0, 38.0, 38.0]
    assert np.isnan(found.geometric_height_m).all()


def test_the_spread_of_the_bridge_is_what_many_flights_show() -> None:
    """Vertical speed as a random walk from any start, tied to both heights: its spread about the line in the middle.

    Conditioned on end heights and end speeds, the variance is q T^3 / 192: here the ends are at rest.
    """
    rng = np.random.default_rng(2)
    gap, steps, noise = 40.0, 400, RULE.vertical_noise_m2_s3
    dt = gap / steps
    kicks = rng.normal(0.0, math.sqrt(noise * dt), (20_000, steps))
    speed = np.cumsum(kicks, axis=1)
    height = np.cumsum((speed - kicks / 2.0) * dt, axis=1)
    # what is left of the middle when the end's height and speed are known: linear regression
    known = np.column_stack([height[:, -1], speed[:, -1]])
    middle = height[:, steps // 2 - 1]
    rest = middle - known @ np.linalg.lstsq(known, middle, rcond=None)[0]
    found = heights_between(at(0.0), at(0.0), np.array([gap / 2]), np.array([gap]), RULE)
    assert math.sqrt(found.pressure_sigma_m[0] ** 2 - 38.0**2) == pytest.approx(float(np.std(rest)), rel=0.03)


def test_one_known_end_is_less_and_less_sure_away_from_it() -> None:
    since, gap = np.array([10.0, 50.0]), np.array([60.0, 60.0])
    forward = heights_between(at([1000.0] * 2), at([NAN] * 2), since, gap, RULE)
    assert forward.pressure_altitude_m.tolist() == [1000.0, 1000.0]
    assert forward.pressure_sigma_m.tolist() == pytest.approx(
        [math.hypot(38.0, 100.0), math.hypot(38.0, 500.0)]
    )
    back = heights_between(at([NAN] * 2), at([1000.0] * 2), since, gap, RULE)
    assert back.pressure_sigma_m.tolist() == pytest.approx([math.hypot(38.0, 500.0), math.hypot(38.0, 100.0)])


def test_a_height_of_satellites_has_the_wider_sigma_of_the_two() -> None:
    path = heights_between(
        at(w84=1000.0), at(w84=1000.0, msl=950.0), np.array([30.0]), np.array([60.0]), RULE
    )
    assert path.geometric_sigma_m[0] == pytest.approx(math.hypot(23.0, 300.0))


ENDS = st.one_of(st.just(NAN), st.floats(0.0, 12_000.0))


@given(ENDS, ENDS, st.floats(0.0, 1.0), st.one_of(st.just(0.0), st.floats(1e-3, 300.0)))
def test_the_kernel_is_its_plain_twin(before: float, after: float, share: float, gap: float) -> None:
    height, sigma = np.empty(1), np.empty(1)
    columns = [np.array([x]) for x in (before, after, 20.0, 50.0, share * gap, gap)]
    bridge(*columns, 10.0, 8.0, height, sigma)
    since, left = share * gap, gap - share * gap
    ends = {0: before, 1: after}
    known = [k for k, x in ends.items() if x == x]
    if gap == 0.0 or known == [] or (1 in known and left == 0.0):
        expected = after, 50.0
    elif known == [0, 1]:
        spread = 10.0 * since**3 * left**3 / (3.0 * gap**3) if since * left else 0.0
        mean = before * left / gap + after * since / gap
        expected = mean, math.sqrt((20.0 * left / gap + 50.0 * since / gap) ** 2 + spread)
    else:
        away, own = (since, 20.0) if known == [0] else (left, 50.0)
        expected = ends[known[0]], math.hypot(own, 8.0 * away)
    assert height[0] == pytest.approx(expected[0], abs=1e-6, nan_ok=True)
    assert sigma[0] == pytest.approx(expected[1], abs=1e-6)


def test_samples_of_several_volumes_get_each_its_own() -> None:
    volumes = [square(), layer(1000.0, 2000.0), layer(3000.0, 4000.0), layer(0.0, 500.0, "MSL")]
    volume_of = np.array([2, 0, 1, 1, 3, 2, 1], dtype=np.int32)
    p_lateral = np.array([0.8, 0.7, 0.9, 0.0, 0.6, 0.5, NAN])
    heights = at([3500.0, NAN, 1000.0, NAN, 700.0, NAN, 1500.0])
    p_inside, missing = with_heights(volumes, volume_of, p_lateral, heights, NOTHING, RULE)
    assert p_inside == pytest.approx([0.8, 0.7, 0.45, 0.0, NAN, NAN, NAN], nan_ok=True)
    assert missing.tolist() == [0, 0, 0, 0, hc.QNH, hc.ANY_HEIGHT, 0]
    nobody = with_heights(volumes, volume_of[:0], p_lateral[:0], at(np.zeros(0)), NOTHING, RULE)
    assert [len(x) for x in nobody] == [0, 0]


def test_a_sample_surely_outside_is_outside_at_any_height() -> None:
    p_inside, missing = with_heights(
        [layer(1000.0, 2000.0)], np.array([0, 0]), np.array([0.0, 0.0]), at([NAN, 1500.0]), NOTHING, RULE
    )
    assert p_inside.tolist() == [0.0, 0.0]
    assert missing.tolist() == [0, 0]
