"""Spells from samples: entry, exit, hysteresis, the outcome ladder, and numbers against closed forms."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace.spells.spell_events import missing_for
from airvigil.airspace.spells.spell_records import CROSSED, NEVER, OUTCOMES
from airvigil.units import NS_PER_S, utc_text
from plain_spells import Sample
from small_world import SETTINGS
from spell_feeding import Fed, Kernels, Twin

RULE = SETTINGS.infringement
SECOND = NS_PER_S


def sample(time_s: float, margin_m: float, sigma_m: float = 100.0, **changed: Any) -> Sample:
    """A report on a straight border along the equator: P is Phi(margin / sigma), 0.00001 deg north a metre inside."""
    p = NormalDist().cdf(margin_m / sigma_m)
    time = round(time_s * SECOND)
    values = Sample(
        time=time,
        known=time,
        lat=margin_m * 1e-5,
        lon=25.0,
        margin_m=margin_m,
        sigma_m=sigma_m,
        p_lateral=p,
        p_inside=p,
        clock_s=0.0,
        bridged=False,
        degraded=False,
        is_reconstruction=False,
    )
    return dataclasses.replace(values, **changed)


def fed(samples: list[Sample]) -> dict[str, Any]:
    """The pair after the samples."""
    kernels = Kernels()
    kernels.take([Fed(each) for each in samples])
    (pair,) = kernels.pairs()
    return pair


def spells_of(samples: list[Sample]) -> list[dict[str, Any]]:
    """The last event of each spell that samples make."""
    kernels = Kernels()
    told = kernels.take([Fed(each) for each in samples]) + kernels.pass_time(2**61)
    return [event for what, *_, event in told if what == "closed"]


def crossing_between(a: Sample, b: Sample) -> dict[str, Any] | None:
    """Where the border was crossed from a to b, in full precision."""
    pair = fed([a, b])
    return next((pair[name] for name in ("entry", "exit") if pair[name]["kind"] == CROSSED), None)


# --- crossings against closed forms ---------------------------------------------------------------------------------


def test_a_crossing_is_where_the_straight_line_of_margins_is_zero() -> None:
    crossing = crossing_between(sample(0, -300), sample(4, 100))
    assert crossing is not None
    assert crossing["time"] == 3 * SECOND
    assert crossing["lat"] == pytest.approx(0.0)


def test_the_sigma_of_a_crossing_is_that_of_the_margin_over_its_rate() -> None:
    # 100 m/s towards the border, 250 m of uncertainty: 2.5 s; with a clock of 1.5 s hypot(2.5, 1.5)
    sharp = crossing_between(sample(0, -300, 250), sample(4, 100, 250))
    slack = crossing_between(sample(0, -300, 250, clock_s=1.5), sample(4, 100, 250))
    assert sharp is not None
    assert sharp["sigma_s"] == pytest.approx(2.5)
    assert slack is not None
    assert slack["sigma_s"] == pytest.approx(math.hypot(2.5, 1.5))


def test_the_sigma_of_a_crossing_between_unlike_sensors_is_interpolated() -> None:
    crossing = crossing_between(sample(0, -100, 100), sample(2, 100, 300))
    assert crossing is not None
    assert crossing["sigma_s"] == pytest.approx(2.0)


def test_the_sigma_of_a_crossing_is_unknown_where_the_margins_is() -> None:
    crossing = crossing_between(
        sample(0, -100, sigma_m=100), dataclasses.replace(sample(2, 100), sigma_m=math.nan)
    )
    assert crossing is not None
    assert math.isnan(crossing["sigma_s"])


def test_there_is_no_crossing_on_one_side_or_in_no_time() -> None:
    assert crossing_between(sample(0, 100), sample(4, 1)) is None
    assert crossing_between(sample(0, -100), sample(4, -1)) is None
    assert crossing_between(sample(4, -100), sample(4, 100)) is None


def test_a_crossing_at_the_antimeridian_lies_there_and_not_at_greenwich() -> None:
    west, east = sample(0, -100, lon=179.99), sample(4, 100, lon=-179.99)
    for crossing in (
        crossing_between(west, east),
        crossing_between(dataclasses.replace(east, time=-1), west),
    ):
        assert crossing is not None
        assert abs(crossing["lon"]) == pytest.approx(180.0, abs=1e-9)
        assert -180.0 <= crossing["lon"] < 180.0


def test_many_noisy_crossings_scatter_as_their_sigma_says() -> None:
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(2000):
        a, b = rng.normal(0, 200, 2)
        crossing = crossing_between(sample(0, -2000 + a, 200), sample(40, 2000 + b, 200))
        assert crossing is not None
        errors.append((crossing["time"] / SECOND - 20.0) / 2.0)  # sigma: 200 m at 100 m/s
    # two independent ends average: half the variance; the sigma told is the bound for fully correlated ends
    assert np.std(errors) == pytest.approx(math.sqrt(0.5), rel=0.05)


# --- one stay --------------------------------------------------------------------------------------------------------


def triangle(
    depth_m: float, speed_mps: float = 100.0, every_s: float = 1.0, sigma_m: float = 50.0
) -> list[Sample]:
    """Straight in to a depth and straight out again, from and to 2 km outside."""
    half = (depth_m + 2000.0) / speed_mps
    times = np.arange(0.0, 2 * half + every_s / 2, every_s)
    return [sample(float(t), depth_m - speed_mps * abs(float(t) - half), sigma_m) for t in times]


def test_the_numbers_of_a_stay_are_those_of_its_geometry() -> None:
    (spell,) = spells_of(triangle(3000.0))
    assert spell["entry"]["time"] == utc_text(20 * SECOND)
    assert spell["exit"]["time"] == utc_text(80 * SECOND)
    assert spell["entry"]["sigma_s"] == spell["exit"]["sigma_s"] == 0.5
    assert spell["duration_s"] == 60.0
    assert spell["max_depth_m"] == spell["robustness_radius_m"] == 3000.0
    assert spell["max_depth_sigma_m"] == 50.0
    assert spell["max_depth_at"] == utc_text(50 * SECOND)
    assert spell["reports"] == 61
    assert spell["outcome"] == "probable"
    # the samples lie a metre of margin apart along 0.00001 deg of latitude
    entry, exit_ = spell["entry"], spell["exit"]
    _, _, there = Geod(ellps="WGS84").inv(
        entry["longitude_deg"], entry["latitude_deg"], entry["longitude_deg"], entry["latitude_deg"] + 0.03
    )
    assert entry["longitude_deg"] == exit_["longitude_deg"]
    assert spell["length_m"] == pytest.approx(2.0 * there, rel=1e-3)


def test_a_stay_that_begins_and_ends_out_of_sight_says_so() -> None:
    (spell,) = spells_of([sample(t, 5000.0) for t in range(10)])
    assert (spell["entry"]["kind"], spell["exit"]["kind"]) == ("first_seen", "last_seen")
    assert spell["entry"]["sigma_s"] is spell["exit"]["sigma_s"] is None
    assert spell["duration_s"] == 9.0


def test_outside_there_is_no_spell() -> None:
    assert spells_of([sample(t, -10.0 * t) for t in range(1, 50)]) == []


# --- hysteresis ------------------------------------------------------------------------------------------------------


def test_noise_along_a_border_makes_one_spell_of_dozens_of_crossings() -> None:
    rng = np.random.default_rng(1)
    margins = 30.0 + rng.normal(0.0, 100.0, 600)
    naive = int(np.sum((margins[1:] >= 0) & (margins[:-1] < 0)))
    made = spells_of([sample(t, m) for t, m in enumerate(margins)])
    assert naive > 100
    assert len(made) == 1
    assert len(made[0]["reentries"]) > 20


def test_coming_back_within_the_hysteresis_is_a_reentry_of_the_same_spell() -> None:
    margins = [-500, 500, 500, -500, -500, 500, 500]
    (spell,) = spells_of([sample(4 * t, m) for t, m in enumerate(margins)])
    assert [(r["exit"]["time"], r["entry"]["time"]) for r in spell["reentries"]] == [
        (utc_text(10 * SECOND), utc_text(18 * SECOND))
    ]
    assert spell["exit"]["kind"] == "last_seen"


def test_coming_back_after_the_hysteresis_is_another_spell() -> None:
    times = [0, 4, 8, 12, 12 + RULE.hysteresis_s, 60, 64]
    margins = [-500, 500, 500, -500, -500, 500, 500]
    first, second = spells_of([sample(t, m) for t, m in zip(times, margins, strict=True)])
    assert first["exit"]["time"] == utc_text(10 * SECOND)
    assert second["entry"]["kind"] == "crossing"
    assert first["reentries"] == second["reentries"] == []


def test_between_the_two_thresholds_a_spell_neither_opens_nor_begins_to_end() -> None:
    # P = 0.3 at -0.524 sigma: below suspected_p, above close_p
    hovering = [sample(t, -52.4) for t in range(1, 100)]
    assert spells_of(hovering) == []
    pair = fed([sample(0, 500), *hovering])
    assert pair["is_open"] == 1
    assert pair["below_since"] == NEVER


def test_the_deadline_runs_on_the_report_that_told_it() -> None:
    left = Kernels()
    left.take([Fed(sample(0, 500)), Fed(sample(4, -500, known=9 * SECOND))])
    assert left.pass_time((9 + 30) * SECOND) == []
    ((what, now, *_),) = left.pass_time((9 + 30) * SECOND + 1)
    assert (what, now) == ("closed", (9 + 30) * SECOND)
    silent = Kernels()
    silent.take([Fed(sample(0, 500))])
    assert silent.pass_time(300 * SECOND) == []
    ((what, now, *_),) = silent.pass_time(300 * SECOND + 1)
    assert (what, now) == ("closed", 300 * SECOND)


# --- the outcome ladder ------------------------------------------------------------------------------------------------


def test_one_report_alone_is_undecidable_however_deep() -> None:
    (spell,) = spells_of([sample(0, -9000), sample(4, 20_000), sample(8, -9000)])
    assert spell["outcome"] == "undecidable"
    assert spell["undecidable_for"] == ["a second report inside"]


def test_path_points_that_one_wrong_report_bends_inside_do_not_second_it() -> None:
    path = [sample(t, 2000, bridged=True) for t in (1, 2, 3)]
    (spell,) = spells_of([sample(0, -3000), *path, sample(4, 5000), sample(8, -3000)])
    assert (spell["reports"], spell["bridged"]) == (1, 3)
    assert spell["outcome"] == "undecidable"


def test_a_path_inside_between_two_reports_outside_is_found_and_undecidable() -> None:
    path = [sample(t, 300, bridged=True) for t in (1, 2, 3)]
    (spell,) = spells_of([sample(0, -900), *path, sample(4, -900)])
    assert (spell["reports"], spell["bridged"]) == (0, 3)
    assert (spell["outcome"], spell["max_depth_m"]) == ("undecidable", 300.0)
    assert spell["robustness_radius_m"] == 0.0


@pytest.mark.parametrize(
    ("reports", "p", "outcome"),
    [
        (1, 0.99, "undecidable"),
        (2, 0.99, "suspected"),
        (3, 0.99, "probable"),
        (3, 0.94, "suspected"),
        (9, 0.5, "suspected"),
    ],
)
def test_the_ladder_needs_both_reports_and_probability(reports: int, p: float, outcome: str) -> None:
    margin = 100.0 * NormalDist().inv_cdf(p) + 1e-6
    (spell,) = spells_of([sample(t, margin) for t in range(reports)])
    assert spell["outcome"] == outcome
    assert outcome in OUTCOMES


def test_degraded_reports_alone_make_at_most_suspected() -> None:
    (spell,) = spells_of([sample(t, 9000, degraded=True) for t in range(100)])
    assert spell["outcome"] == "suspected"
    assert spell["robustness_radius_m"] == 0.0
    (mixed,) = spells_of([sample(t, 9000, degraded=t > 0) for t in range(100)])
    assert mixed["outcome"] == "probable"


def test_an_outcome_once_reached_is_not_lost_by_leaving() -> None:
    (spell,) = spells_of([sample(t, m) for t, m in enumerate([900, 900, 900, -900, -900])])
    assert spell["outcome"] == "probable"


# --- heights -----------------------------------------------------------------------------------------------------------


def test_a_missing_height_is_undecidable_and_named() -> None:
    samples = [sample(t, 9000, p_inside=math.nan) for t in range(20)]
    (spell,) = spells_of(samples)
    assert spell["outcome"] == "undecidable"
    assert spell["undecidable_for"] == ["any height: none was reported"]
    assert spell["p_inside_max"] == 0.0


def test_what_is_missing_changing_is_told_although_the_outcome_stays() -> None:
    kernels = Kernels()
    told = [kernels.take([Fed(sample(t, 9000, p_inside=math.nan))]) for t in range(4)]
    assert [[what for what, *_ in each] for each in told] == [["opened"], ["updated"], [], []]
    (pair,) = kernels.pairs()
    assert missing_for(pair, SETTINGS) == (["any height: none was reported"], ["height"])


def test_above_the_volume_is_no_spell() -> None:
    assert spells_of([sample(t, 9000, p_inside=0.0) for t in range(20)]) == []


def test_descending_into_a_volume_is_an_entry_there_and_not_at_the_border_crossed_long_before() -> None:
    over = [sample(t, m, p_inside=0.0) for t, m in ((0, -500), (4, 500), (8, 1000))]
    (spell,) = spells_of([*over, sample(1800, 5000), sample(1804, 5000), sample(1808, 5000)])
    assert (spell["entry"]["kind"], spell["entry"]["time"]) == ("first_seen", utc_text(1800 * SECOND))
    assert spell["duration_s"] == 8.0


def test_climbing_out_through_the_roof_ends_the_stay_there_and_not_at_the_border() -> None:
    inside = [sample(t, 5000) for t in range(5)]
    over = [sample(t, m, p_inside=0.0) for t, m in ((6, 3000), (10, 1000), (14, -1000))]
    (spell,) = spells_of([*inside, *over])
    assert (spell["exit"]["kind"], spell["exit"]["time"]) == ("last_seen", utc_text(6 * SECOND))


# --- robustness, P, state ----------------------------------------------------------------------------------------------


def test_the_robustness_radius_is_the_deepest_credible_measured_depth() -> None:
    samples = [
        sample(0, 500),
        sample(1, 800),
        sample(2, 9000, degraded=True),
        sample(3, 7000, bridged=True),
        sample(4, 600),
    ]
    (spell,) = spells_of(samples)
    assert spell["max_depth_m"] == 9000.0
    assert spell["robustness_radius_m"] == 800.0


def test_p_of_a_spell_is_the_greatest_of_its_moments() -> None:
    (spell,) = spells_of([sample(t, m) for t, m in enumerate([10, 150, 60])])
    assert spell["p_inside_max"] == pytest.approx(NormalDist().cdf(1.5), abs=1e-6)


def test_a_stay_seen_partly_by_a_generator_is_a_reconstruction() -> None:
    (spell,) = spells_of([sample(0, 500), sample(1, 500, is_reconstruction=True), sample(2, 500)])
    assert spell["reconstruction"] is True


# --- the kernels and their plain twin ------------------------------------------------------------------------------------

MARGINS = st.one_of(st.sampled_from([-500.0, -52.4, -1.0, 0.0, 1.0, 250.0]), st.floats(-60_000.0, 60_000.0))
GAPS_S = st.sampled_from([0.0, 1.0, 4.0, 12.0, 29.0, 30.0, 31.0, 299.0, 301.0, 400.0])


@st.composite
def feedings(draw: st.DrawFn) -> list[Fed]:
    """Samples of a few pairs that come and go, with all that a sample may lack."""
    time_s, starts, fed = 0.0, [0, 0], []
    longitudes = draw(st.sampled_from([[25.0, 25.001], [179.9999, -179.9999, -180.0]]))
    for _ in range(draw(st.integers(1, 40))):
        time_s += draw(GAPS_S)
        slot, volume = draw(st.integers(0, 1)), draw(st.integers(0, 1))
        if draw(st.integers(0, 19)) == 0:
            starts[slot] = round(time_s * SECOND)
        margin, sigma = draw(MARGINS), draw(st.sampled_from([0.0, 5.0, 100.0, 3000.0, math.nan]))
        p = draw(st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.9, 0.95, 1.0]))
        height = draw(st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.0, math.nan]))
        lag = draw(st.sampled_from([0, 0, 0, 5 * SECOND]))
        one = sample(
            time_s,
            margin,
            p_lateral=p,
            p_inside=0.0 if p == 0.0 else p * height,
            known=round(time_s * SECOND) + lag,
            lat=draw(st.floats(58.5, 59.5)) if draw(st.booleans()) else 59.0 + margin * 1e-5,
            lon=draw(st.sampled_from(longitudes)),
            clock_s=draw(st.sampled_from([0.0, 0.5])),
            bridged=draw(st.booleans()),
            degraded=draw(st.integers(0, 3)) == 0,
            is_reconstruction=draw(st.integers(0, 9)) == 0,
        )
        one = dataclasses.replace(one, sigma_m=sigma)
        fed.append(Fed(one, slot, starts[slot], volume, draw(st.sampled_from([-1, -1, -1, 1]))))
    return fed


def _same(told: list[Any], other: list[Any]) -> None:
    """Equal; numbers that are sums of lengths to what both know of a length."""
    assert [each[:-1] for each in told] == [each[:-1] for each in other]
    for (*_, event), (*_, expected) in zip(told, other, strict=True):
        for name in expected:
            if isinstance(event[name], float) and isinstance(expected[name], float):
                assert event[name] == pytest.approx(expected[name], rel=3e-5), name
            else:
                assert event[name] == expected[name], name


@settings(max_examples=300, deadline=None)
@given(feedings(), st.integers(1, 40))
def test_the_kernels_tell_what_their_plain_twin_tells(fed: list[Fed], batch: int) -> None:
    kernels, twin = Kernels(), Twin()
    for begin in range(0, len(fed), batch):
        part = fed[begin : begin + batch]
        _same(kernels.take(part), twin.take(part))
        watermark = part[-1].sample.time - 2 * SECOND
        _same(sorted(kernels.pass_time(watermark), key=str), sorted(twin.pass_time(watermark), key=str))
        assert len(kernels.pairs()) == len(twin.pairs)
    _same(sorted(kernels.pass_time(2**61), key=str), sorted(twin.pass_time(2**61), key=str))
    assert kernels.pairs() == []
    assert twin.pairs == {}
