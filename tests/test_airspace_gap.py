"""P(inside at some time in a gap): against a Monte Carlo of the same motion that knows nothing of bridges."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.gaps.gap import (
    MOMENTS,
    NUMBERS,
    PATHS,
    Bridge,
    PathProbability,
    lay_cubics,
    moments_of,
    normal_numbers,
    p_inside_on_the_way,
    sample_paths,
    to_places,
)
from airvigil.airspace.margins import Airspace
from airvigil.airspace.volumes import make_volume
from airvigil.tracking.filter import bridge
from airvigil.tracking.local_plane import to_geodetic

LAT, LON = 0.0, 20.0


def rectangle(west_m: float, south_m: float, east_m: float, north_m: float, **fixed: float) -> Airspace:
    """In the plane at (LAT, LON); on the equator its sides are straight there."""
    corners = [(west_m, south_m), (east_m, south_m), (east_m, north_m), (west_m, north_m), (west_m, south_m)]
    return Airspace(
        [make_volume("V", [np.array([to_geodetic(LAT, LON, e, n) for e, n in corners])], **fixed)]
    )


def transition(dt: float) -> np.ndarray:
    F = np.eye(4)
    F[0, 2] = F[1, 3] = dt
    return F


def noise(dt: float, q: float) -> np.ndarray:
    Q = np.zeros((4, 4))
    for axis in (0, 1):
        Q[axis, axis], Q[axis + 2, axis + 2] = q * dt**3 / 3, q * dt
        Q[axis, axis + 2] = Q[axis + 2, axis] = q * dt**2 / 2
    return Q


@dataclasses.dataclass
class Case:
    """A state, a gap, and one measured position at its end."""

    x: np.ndarray
    P: np.ndarray
    duration_s: float
    q: float
    z: np.ndarray
    r: float
    slow_variance_m2: float = 0.0

    def gap(self) -> Bridge:
        """With the end state as a Kalman filter has it, by matrices."""
        F, H = transition(self.duration_s), np.eye(2, 4)
        x1, P1 = F @ self.x, F @ self.P @ F.T + noise(self.duration_s, self.q)
        K = P1 @ H.T @ np.linalg.inv(H @ P1 @ H.T + self.r * np.eye(2))
        return Bridge(
            LAT, LON, self.x, self.P, x1 + K @ (self.z - H @ x1), (np.eye(4) - K @ H) @ P1,
            self.duration_s, self.q, self.slow_variance_m2,
        )  # fmt: skip

    def monte_carlo(self, inside, steps: int = 64, count: int = 12_000, seed: int = 1) -> tuple[float, float]:  # type: ignore[no-untyped-def]  # fmt: skip
        """Share of paths flown forward that are inside at some time, weighted by how well they fit the end; its sigma."""
        rng = np.random.default_rng(seed)
        dt = self.duration_s / steps
        F, L = transition(dt), np.linalg.cholesky(noise(dt, self.q))
        state = self.x + rng.standard_normal((count, 4)) @ np.linalg.cholesky(self.P).T
        shift = math.sqrt(self.slow_variance_m2) * rng.standard_normal((count, 2))
        hit = inside(state[:, :2] + shift)
        for _ in range(steps):
            state = state @ F.T + rng.standard_normal((count, 4)) @ L.T
            hit |= inside(state[:, :2] + shift)
        weight = np.exp(-0.5 * ((state[:, :2] - self.z) ** 2).sum(axis=1) / self.r)
        weight /= weight.sum()
        p = float((weight * hit).sum())
        return p, math.sqrt(float((weight**2 * (hit - p) ** 2).sum()))


def turning(q: float = 10.0, duration_s: float = 30.0, slow: float = 0.0) -> Case:
    return Case(
        np.array([-3_000.0, 0.0, 200.0, 0.0]), np.diag([900.0, 900.0, 25.0, 25.0]), duration_s, q,
        np.array([-3_000.0 + 200.0 * duration_s, 0.0]), 100.0**2, slow,
    )  # fmt: skip


@pytest.mark.parametrize("border_m", [-200.0, -60.0, 0.0, 60.0, 200.0, 400.0])
@pytest.mark.parametrize(("q", "slow"), [(10.0, 0.0), (100.0, 0.0), (10.0, 150.0**2)])
def test_a_straight_border(border_m: float, q: float, slow: float) -> None:
    case = turning(q, slow=slow)
    found = p_inside_on_the_way(case.gap(), rectangle(-50_000, border_m, 50_000, 90_000), 0)
    want, sigma = case.monte_carlo(lambda at: at[:, 1] > border_m)
    assert found.low <= want + 3.0 * sigma + 1e-6
    assert abs(found.estimate - want) <= found.resolution + 3.0 * sigma + 1e-9
    assert found.resolution < 0.1


@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.0, 150.0), (500.0, -100.0), (-1_000.0, 50.0)])
def test_a_corner_that_juts_into_the_path(corner: tuple[float, float]) -> None:
    """A strip whose end is passed: inside only for a moment, at none of them surely."""
    case = turning(40.0)
    west, south = corner
    found = p_inside_on_the_way(case.gap(), rectangle(west, south, west + 1_500.0, 50_000), 0)
    want, sigma = case.monte_carlo(
        lambda at: (at[:, 0] > west) & (at[:, 0] < west + 1_500.0) & (at[:, 1] > south)
    )
    assert found.low <= want + 3.0 * sigma
    assert abs(found.estimate - want) <= found.resolution + 3.0 * sigma


def test_a_strip_that_is_crossed_between_two_moments_is_found() -> None:
    case = turning(1.0)
    found = p_inside_on_the_way(case.gap(), rectangle(60.0, -20_000, 180.0, 20_000), 0)
    assert found.low < 0.9
    assert found.estimate == pytest.approx(1.0, abs=found.resolution)
    # narrower than the closest look: half of it is missed, and that is told
    thin = p_inside_on_the_way(case.gap(), rectangle(60.0, -20_000, 110.0, 20_000), 0)
    assert thin.estimate + 3.0 * thin.resolution >= 1.0


def test_cubics_pass_through_both_states() -> None:
    rng = np.random.default_rng(8)
    before, after = rng.normal(0, 100, (2, 5, 4))
    places = np.empty((5, 1001, 2))
    lay_cubics(before, after, 20.0, places)
    assert places[:, 0] == pytest.approx(before[:, :2])
    assert places[:, -1] == pytest.approx(after[:, :2])
    speed = np.diff(places, axis=1) / 0.02
    assert speed[:, 0] == pytest.approx(before[:, 2:], rel=0.01, abs=1.0)
    assert speed[:, -1] == pytest.approx(after[:, 2:], rel=0.01, abs=1.0)
    assert np.abs(np.diff(speed, n=3, axis=1)).max() < 1e-6


def test_the_boundarys_own_uncertainty_counts_like_an_error_that_stays() -> None:
    case = turning(10.0, slow=120.0**2)
    with_slow = p_inside_on_the_way(case.gap(), rectangle(-50_000, 50.0, 50_000, 90_000), 0)
    sharp = dataclasses.replace(case, slow_variance_m2=0.0).gap()
    with_edge = p_inside_on_the_way(
        sharp, rectangle(-50_000, 50.0, 50_000, 90_000, boundary_uncertainty_m=120.0), 0
    )
    assert with_edge.low == pytest.approx(with_slow.low, abs=1e-9)
    assert with_edge.estimate == pytest.approx(with_slow.estimate, abs=1e-9)


def test_a_bias_is_as_a_border_that_much_further_away() -> None:
    gap = turning(10.0).gap()
    biased = dataclasses.replace(gap, bias_bound_m=100.0)
    found = p_inside_on_the_way(biased, rectangle(-50_000, -50.0, 50_000, 90_000), 0)
    moved = p_inside_on_the_way(gap, rectangle(-50_000, 50.0, 50_000, 90_000), 0)
    assert found.low == pytest.approx(moved.low, abs=1e-3)
    assert found.estimate == pytest.approx(moved.estimate, abs=0.01)


# ---- limits ----


@pytest.mark.parametrize(("border_m", "want"), [(-5.0, 1.0), (5.0, 0.0)])
def test_without_errors_it_is_the_path_that_decides(border_m: float, want: float) -> None:
    tiny = 1e-10 * np.eye(4)
    gap = Bridge(
        LAT, LON, np.array([-3e3, 0.0, 200.0, 0.0]), tiny, np.array([3e3, 0.0, 200.0, 0.0]), tiny, 30.0, 1e-6
    )
    found = p_inside_on_the_way(gap, rectangle(-50_000, border_m, 50_000, 90_000), 0)
    assert (found.low, found.estimate) == (pytest.approx(want), pytest.approx(want))
    # a turn between the two, as both speeds tell: 375 m to the north in the middle
    bent = dataclasses.replace(
        gap, x_start=np.array([-3e3, 0.0, 200.0, 50.0]), x_end=np.array([3e3, 0.0, 200.0, -50.0])
    )
    for border, p in ((370.0, 1.0), (380.0, 0.0)):
        assert p_inside_on_the_way(
            bent, rectangle(-50_000, border, 50_000, 90_000), 0
        ).estimate == pytest.approx(p)


def test_a_short_gap_adds_nothing_to_its_ends() -> None:
    P = np.diag([100.0**2, 100.0**2, 1.0, 1.0])
    x = np.array([0.0, 0.0, 200.0, 0.0])
    gap = Bridge(LAT, LON, x, P, x, P, 1e-6, 10.0)
    found = p_inside_on_the_way(gap, rectangle(-50_000, 50.0, 50_000, 90_000), 0)
    half = p_inside_on_the_way(gap, rectangle(-50_000, 0.0, 50_000, 90_000), 0)
    assert found.low == pytest.approx(0.30854, abs=1e-4)
    assert half.low == pytest.approx(0.5, abs=1e-6)
    for probability in (found, half):
        assert probability.estimate == pytest.approx(probability.low, abs=0.35)


def test_far_away_it_is_zero_and_deep_inside_one_without_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise AssertionError("sampled")

    monkeypatch.setattr("airvigil.airspace.gaps.gap.sample_paths", fail)
    gap = turning().gap()
    assert p_inside_on_the_way(gap, rectangle(-9_000, 30_000, 9_000, 90_000), 0) == PathProbability(
        0.0, 0.0, 0.0
    )
    assert p_inside_on_the_way(gap, rectangle(800_000, 0, 900_000, 9_000), 0) == PathProbability(
        0.0, 0.0, 0.0
    )
    deep = p_inside_on_the_way(gap, rectangle(-40_000, -40_000, 40_000, 40_000), 0)
    assert (deep.low, deep.estimate, deep.resolution) == (pytest.approx(1.0), deep.low, 0.0)


@pytest.mark.parametrize("change", [
    {"bias_bound_m": math.nan}, {"slow_variance_m2": math.nan}, {"x_end": np.full(4, math.nan)},
    {"P_start": np.full((4, 4), math.nan)},
])  # fmt: skip
def test_what_is_unknown_leaves_it_unknown(change: dict[str, object]) -> None:
    found = p_inside_on_the_way(
        dataclasses.replace(turning().gap(), **change),
        rectangle(-9e3, -9e3, 9e3, 9e3),
        0,  # type: ignore[arg-type]
    )
    assert math.isnan(found.low)
    assert math.isnan(found.estimate)


@settings(max_examples=40)
@given(st.floats(-800, 800), st.floats(0.01, 300), st.floats(1, 90), st.floats(0, 300), st.floats(0, 300))
def test_it_is_a_probability_and_no_less_than_of_any_moment(
    border_m: float, q: float, duration_s: float, slow_m: float, bias_m: float
) -> None:
    gap = dataclasses.replace(turning(q, duration_s, slow_m**2).gap(), bias_bound_m=bias_m)
    sky = rectangle(-50_000, border_m, 50_000, 90_000)
    found = p_inside_on_the_way(gap, sky, 0)
    mean, covariance = moments_of(gap)
    lat, lon = to_places(LAT, LON, mean)
    each = sky.margins(lat, lon, covariance, np.full(len(lat), bias_m)).p_inside
    assert found.low == each.max()
    assert 0.0 <= found.low <= found.estimate <= 1.0
    assert 0.0 <= found.resolution <= 1.1
    assert found == p_inside_on_the_way(gap, sky, 0)


# ---- the paths themselves ----


def test_the_paths_have_the_mean_and_covariance_of_the_filters_bridge() -> None:
    """Drawn with ordinary random numbers, so that the covariance can be tested to what chance allows."""
    gap = turning(60.0).gap()
    count = 40_000
    numbers = np.random.default_rng(5).standard_normal((count, NUMBERS))
    paths = np.empty((count, MOMENTS, 4))
    sample_paths(gap.x_start, gap.P_start, gap.x_end, gap.P_end, gap.duration_s, gap.q, 0.0, numbers, paths)
    for k in range(MOMENTS):
        x, P = np.empty(4), np.empty((4, 4))
        bridge(
            gap.x_start,
            gap.P_start,
            gap.x_end,
            gap.P_end,
            gap.duration_s,
            k * gap.duration_s / (MOMENTS - 1),
            gap.q,
            x,
            P,
        )
        scale = np.sqrt(np.diag(P)[:2])
        assert (np.abs(paths[:, k, :2].mean(axis=0) - x[:2]) < 4.5 * scale / math.sqrt(count)).all()
        assert paths[:, k].var(axis=0) == pytest.approx(np.diag(P), rel=0.035)


def test_two_moments_of_a_path_belong_together_as_in_the_model() -> None:
    """Covariance of neighbouring moments against the smoother's, P(k | end) with the gain by matrices."""
    gap = turning(60.0).gap()
    count, dt = 60_000, gap.duration_s / (MOMENTS - 1)
    numbers = np.random.default_rng(6).standard_normal((count, NUMBERS))
    paths = np.empty((count, MOMENTS, 4))
    sample_paths(gap.x_start, gap.P_start, gap.x_end, gap.P_end, gap.duration_s, gap.q, 0.0, numbers, paths)
    F, Q = transition(dt), noise(dt, gap.q)
    ahead = [gap.P_start]
    for _ in range(MOMENTS - 1):
        ahead.append(F @ ahead[-1] @ F.T + Q)
    P = gap.P_end
    for k in range(MOMENTS - 2, -1, -1):
        G = ahead[k] @ F.T @ np.linalg.inv(ahead[k + 1])
        want = (G @ P)[1, 1]  # of north at k and at k + 1
        found = np.cov(paths[:, k, 1], paths[:, k + 1, 1])[0, 1]
        assert found == pytest.approx(want, rel=0.035)
        P = ahead[k] + G @ (P - ahead[k + 1]) @ G.T


def test_the_fixed_numbers_are_normal_one_by_one_and_nearly_unrelated() -> None:
    table = normal_numbers()
    assert table.shape == (PATHS, NUMBERS)
    assert np.abs(table.mean(axis=0)).max() < 1e-12
    assert table.std(axis=0) == pytest.approx(np.ones(NUMBERS), abs=0.01)
    assert (np.sort(table, axis=0) == np.sort(table[:, :1], axis=0)).all()
    related = np.corrcoef(table.T) - np.eye(NUMBERS)
    # of 2,415 pairs the worst of a chance draw is about 3.6 / sqrt(256)
    assert np.abs(related).max() < 4.5 / math.sqrt(PATHS)
