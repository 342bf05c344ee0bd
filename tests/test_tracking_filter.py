"""The motion filter against Stone Soup and against plain matrix twins."""

import datetime as dt
import doctest
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from airvigil.tracking import filter as motion
from airvigil.tracking.filter import (
    bridge,
    bridge_position,
    cv_predict,
    cv_start,
    cv_update_position,
    cv_update_velocity,
    filter_tracks,
    innovation_nis,
)
from airvigil.tracking.motion import motion_of, predicted_nis, put_motion

POSITION, VELOCITY = slice(0, 2), slice(2, 4)


def random_spd(rng: np.random.Generator, n: int, scale: float) -> np.ndarray:
    a = rng.normal(size=(n, n))
    return (a @ a.T + 0.05 * np.eye(n)) * scale


def random_state(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    unit = np.diag([300.0, 300.0, 10.0, 10.0])
    p = unit @ random_spd(rng, 4, 1.0) @ unit
    return rng.normal(size=4) * [1e4, 1e4, 150.0, 150.0], (p + p.T) / 2.0


def transition(dt_s: float) -> np.ndarray:
    f = np.eye(4)
    f[0, 2] = f[1, 3] = dt_s
    return f


def process_noise(dt_s: float, q: float) -> np.ndarray:
    out = np.zeros((4, 4))
    for axis in (0, 1):
        out[axis, axis] = q * dt_s**3 / 3.0
        out[axis, axis + 2] = out[axis + 2, axis] = q * dt_s**2 / 2.0
        out[axis + 2, axis + 2] = q * dt_s
    return out


def twin_predict(x: np.ndarray, p: np.ndarray, dt_s: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    f = transition(dt_s)
    return f @ x, f @ p @ f.T + process_noise(dt_s, q)


def twin_update(
    x: np.ndarray, p: np.ndarray, rows: slice, z: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    h = np.eye(4)[rows]
    s = h @ p @ h.T + r
    y = z - h @ x
    k = p @ h.T @ np.linalg.inv(s)
    joseph = (np.eye(4) - k @ h) @ p @ (np.eye(4) - k @ h).T + k @ r @ k.T
    return x + k @ y, (joseph + joseph.T) / 2.0, float(y @ np.linalg.solve(s, y))


def assert_covariance(p: np.ndarray) -> None:
    assert (p == p.T).all()
    scale = np.sqrt(np.diag(p))
    assert np.linalg.eigvalsh(p / np.outer(scale, scale)).min() > -1e-12


SEEDS = st.integers(0, 2**32 - 1)
STEPS = st.floats(0.0, 120.0)
PSD = st.floats(1e-3, 100.0)


@settings(max_examples=150, deadline=None)
@given(SEEDS, STEPS, PSD)
def test_predict_equals_its_matrix_twin(seed: int, dt_s: float, q: float) -> None:
    x, p = random_state(np.random.default_rng(seed))
    expected_x, expected_p = twin_predict(x, p, dt_s, q)
    cv_predict(x, p, dt_s, q)
    assert_covariance(p)
    np.testing.assert_allclose(x, expected_x, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(p, expected_p, rtol=1e-10, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from(["position", "velocity"]), st.floats(-3.0, 3.0))
def test_update_equals_its_matrix_twin(seed: int, kind: str, decades: float) -> None:
    rng = np.random.default_rng(seed)
    x, p = random_state(rng)
    rows, update, scale = (
        (POSITION, cv_update_position, 300.0) if kind == "position" else (VELOCITY, cv_update_velocity, 10.0)
    )
    r = random_spd(rng, 2, (scale * 10.0**decades) ** 2)
    z = x[rows] + rng.normal(size=2) * scale
    expected_x, expected_p, expected_nis = twin_update(x, p, rows, z, r)
    if kind == "position":
        assert innovation_nis(x, p, *z, r[0, 0], r[0, 1], r[1, 1]) == pytest.approx(expected_nis, rel=1e-8)
    nis = update(x, p, *z, r[0, 0], r[0, 1], r[1, 1])
    assert nis == pytest.approx(expected_nis, rel=1e-8)
    assert_covariance(p)
    np.testing.assert_allclose(x, expected_x, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(p, expected_p, rtol=1e-7, atol=1e-6)


def test_a_precise_measurement_of_a_vague_state_keeps_its_precision() -> None:
    x, p = np.zeros(4), np.diag([1e14, 1e14, 1e6, 1e6])
    cv_predict(x, p, 1.0, 1.0)
    cv_update_position(x, p, 5.0, -7.0, 0.25, 0.1, 0.25)
    np.testing.assert_allclose(p[POSITION, POSITION], [[0.25, 0.1], [0.1, 0.25]], rtol=1e-9)
    assert_covariance(p)


@pytest.mark.parametrize(
    "measurement",
    [
        (math.nan, 0.0, 1.0, 0.0, 1.0),
        (0.0, math.inf, 1.0, 0.0, 1.0),
        (0.0, 0.0, math.nan, 0.0, 1.0),
        (0.0, 0.0, 1.0, math.nan, 1.0),
        (0.0, 0.0, -9.0, 0.0, -9.0),
        (0.0, 0.0, 1.0, 5.0, 1.0),
    ],
    ids=["nan_position", "infinite", "nan_variance", "nan_covariance", "negative", "not_positive"],
)
def test_what_cannot_be_fused_leaves_the_state_untouched(measurement: tuple[float, ...]) -> None:
    x, p = np.array([1.0, 2.0, 3.0, 4.0]), np.eye(4)
    assert math.isnan(innovation_nis(x, p, *measurement))
    assert math.isnan(cv_update_position(x, p, *measurement))
    assert math.isnan(cv_update_velocity(x, p, *measurement))
    assert x.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert (p == np.eye(4)).all()


def random_run(seed: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Irregular times (s), positions of a wandering flight, and a covariance for each."""
    rng = np.random.default_rng(seed)
    times = np.concatenate([[0.0], np.cumsum(rng.choice([0.5, 1.0, 4.0, 5.0, 12.0, 37.25], steps - 1))])
    velocity = np.array([200.0, -80.0]) + np.cumsum(rng.normal(size=(steps, 2)), axis=0)
    truth = np.concatenate([np.zeros((1, 2)), np.cumsum(velocity[1:] * np.diff(times)[:, None], axis=0)])
    r = np.stack([random_spd(rng, 2, 10.0 ** rng.uniform(1.0, 5.0)) for _ in range(steps)])
    noise = np.stack([np.linalg.cholesky(c) @ rng.normal(size=2) for c in r])
    return times, truth + noise, r


def stone_soup_filter(
    times: np.ndarray, z: np.ndarray, r: np.ndarray, q: float, x0: np.ndarray, p0: np.ndarray
) -> tuple[object, list[object]]:
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.detection import Detection
    from stonesoup.types.hypothesis import SingleHypothesis
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    order = [0, 2, 1, 3]  # Stone Soup's state is [east, v_east, north, v_north]
    start = dt.datetime(2025, 1, 1)
    model = CombinedLinearGaussianTransitionModel([ConstantVelocity(q), ConstantVelocity(q)])
    # its default update, P - K S K^T, loses symmetry and drifts away over 300 irregular steps
    predictor = KalmanPredictor(model)
    updater = KalmanUpdater(None, use_joseph_cov=True, force_symmetric_covariance=True)
    states: list[object] = [GaussianState(x0[order].reshape(4, 1), p0[np.ix_(order, order)], timestamp=start)]
    for t, zi, ri in zip(times[1:], z[1:], r[1:], strict=True):
        when = start + dt.timedelta(seconds=float(t))
        prediction = predictor.predict(states[-1], timestamp=when)
        sensor = LinearGaussian(4, (0, 2), ri)
        detection = Detection(zi.reshape(2, 1), timestamp=when, measurement_model=sensor)
        states.append(updater.update(SingleHypothesis(prediction, detection)))
    return model, states


def test_three_hundred_steps_agree_with_stone_soup_to_a_micrometre() -> None:
    times, z, r = random_run(20250919, 301)
    q = 4.0
    x, p = np.empty(4), np.empty((4, 4))
    cv_start(x, p, *z[0], r[0, 0, 0], r[0, 0, 1], r[0, 1, 1], 300.0)
    _, states = stone_soup_filter(times, z, r, q, x, p)
    order = [0, 2, 1, 3]
    for i in range(1, 301):
        cv_predict(x, p, times[i] - times[i - 1], q)
        cv_update_position(x, p, *z[i], r[i, 0, 0], r[i, 0, 1], r[i, 1, 1])
        peer_x = np.asarray(states[i].state_vector, dtype=float).ravel()[order]
        peer_p = np.asarray(states[i].covar, dtype=float)[np.ix_(order, order)]
        assert np.abs(x - peer_x).max() < 1e-6, f"step {i}, metres and m/s"
        np.testing.assert_allclose(p, peer_p, rtol=1e-7, atol=1e-6)
        assert_covariance(p)


def test_many_tracks_at_once_give_the_bytes_of_each_alone() -> None:
    rng = np.random.default_rng(7)
    n = 50
    states = [random_state(rng) for _ in range(n)]
    X, P = np.stack([s[0] for s in states]), np.stack([s[1] for s in states])
    dt_s, q = rng.uniform(0.0, 20.0, n), rng.uniform(0.1, 10.0, n)
    z, z_v = rng.normal(size=(n, 2)) * 1e4, rng.normal(size=(n, 2)) * 200.0
    r = np.stack([random_spd(rng, 2, 1e4)[[0, 0, 1], [0, 1, 1]] for _ in range(n)])
    r_v = np.stack([random_spd(rng, 2, 4.0)[[0, 0, 1], [0, 1, 1]] for _ in range(n)])
    z[::5] = math.nan
    z_v[1::3] = math.nan
    nis = np.empty((n, 2))
    filter_tracks(X, P, dt_s, q, z, r, z_v, r_v, nis)
    for i, (x, p) in enumerate(states):
        cv_predict(x, p, dt_s[i], q[i])
        first = cv_update_position(x, p, *z[i], *r[i])
        second = cv_update_velocity(x, p, *z_v[i], *r_v[i])
        assert x.tobytes() == X[i].tobytes()
        assert p.tobytes() == P[i].tobytes()
        np.testing.assert_array_equal(nis[i], [first, second])
    assert np.isnan(nis[::5, 0]).all()
    assert np.isnan(nis[1::3, 1]).all()


def twin_bridge(
    x0: np.ndarray, p0: np.ndarray, x1: np.ndarray, p1: np.ndarray, gap_s: float, tau_s: float, q: float
) -> tuple[np.ndarray, np.ndarray]:
    xf, pf = twin_predict(x0, p0, tau_s, q)
    xp, pp = twin_predict(xf, pf, gap_s - tau_s, q)
    g = pf @ transition(gap_s - tau_s).T @ np.linalg.inv(pp)
    return xf + g @ (x1 - xp), pf + g @ (p1 - pp) @ g.T


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.floats(0.5, 300.0), st.floats(0.0, 1.0), st.floats(0.1, 50.0))
def test_bridge_equals_its_matrix_twin(seed: int, gap_s: float, part: float, q: float) -> None:
    rng = np.random.default_rng(seed)
    x0, p0 = random_state(rng)
    x1, p1 = twin_predict(x0, p0, gap_s, q)
    x1, p1, _ = twin_update(x1, p1, POSITION, x1[POSITION] + rng.normal(size=2) * 200.0, np.eye(2) * 1e4)
    tau_s = part * gap_s
    x, p = np.empty(4), np.empty((4, 4))
    bridge(x0, p0, x1, p1, gap_s, tau_s, q, x, p)
    expected_x, expected_p = twin_bridge(x0, p0, x1, p1, gap_s, tau_s, q)
    assert_covariance(p)
    np.testing.assert_allclose(x, expected_x, rtol=1e-7, atol=1e-4)
    np.testing.assert_allclose(p, expected_p, rtol=1e-6, atol=1e-3)
    e, n, ee, en, nn = bridge_position(x0, p0, x1, p1, gap_s, tau_s, q)
    assert (e, n, ee, en, nn) == (x[0], x[1], p[0, 0], p[0, 1], p[1, 1])


def test_bridge_equals_a_filter_that_stops_on_the_way_and_smooths() -> None:
    """Three points: filtered at 0 s, a stop without a report at 18 s, a report at 60 s."""
    q, gap_s, tau_s = 2.0, 60.0, 18.0
    x0, p0 = random_state(np.random.default_rng(3))
    x, p = twin_predict(x0, p0, tau_s, q)
    xp, pp = twin_predict(x, p, gap_s - tau_s, q)
    x1, p1, _ = twin_update(xp, pp, POSITION, xp[POSITION] + [150.0, -400.0], np.diag([2500.0, 900.0]))
    g = p @ transition(gap_s - tau_s).T @ np.linalg.inv(pp)
    got_x, got_p = np.empty(4), np.empty((4, 4))
    bridge(x0, p0, x1, p1, gap_s, tau_s, q, got_x, got_p)
    np.testing.assert_allclose(got_x, x + g @ (x1 - xp), rtol=1e-10)
    np.testing.assert_allclose(got_p, p + g @ (p1 - pp) @ g.T, rtol=1e-8, atol=1e-6)


def test_uncertainty_is_greatest_inside_the_gap() -> None:
    q = 10.0
    x0, p0 = np.array([0.0, 0.0, 125.0, 0.0]), np.diag([100.0**2, 100.0**2, 5.0**2, 5.0**2])
    x1, p1 = twin_predict(x0, p0, 60.0, q)
    x1, p1, _ = twin_update(x1, p1, POSITION, x1[POSITION], np.diag([100.0**2, 100.0**2]))
    variances = [bridge_position(x0, p0, x1, p1, 60.0, tau, q)[2] for tau in (0.0, 15.0, 30.0, 45.0, 60.0)]
    assert variances[2] > max(variances[0], variances[-1])
    assert variances[-1] == p1[0, 0]
    assert variances[0] < p0[0, 0]


def test_bridge_without_an_invertible_prediction_is_unknown() -> None:
    x, p = np.empty(4), np.empty((4, 4))
    bridge(np.zeros(4), np.zeros((4, 4)), np.zeros(4), np.eye(4), 10.0, 0.0, 0.0, x, p)
    assert np.isnan(x).all()
    assert np.isnan(p).all()


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(motion)
    assert result.attempted >= 2
    assert result.failed == 0


@settings(max_examples=100, deadline=None)
@given(SEEDS, STEPS, PSD)
def test_a_predicted_innovation_is_that_of_the_predicted_state(seed: int, dt_s: float, q: float) -> None:
    rng = np.random.default_rng(seed)
    x, p = random_state(rng)
    r, z = random_spd(rng, 2, 1e4), rng.normal(size=2) * 1e4
    before = motion_of(x, p)
    got = predicted_nis(before, dt_s, q, *z, r[0, 0], r[0, 1], r[1, 1])
    cv_predict(x, p, dt_s, q)
    assert got == innovation_nis(x, p, *z, r[0, 0], r[0, 1], r[1, 1])


def test_a_state_survives_being_numbers() -> None:
    x, p = random_state(np.random.default_rng(7))
    back_x, back_p = np.zeros(4), np.zeros((4, 4))
    put_motion(motion_of(x, p), back_x, back_p)
    assert back_x.tolist() == x.tolist()
    assert back_p.tolist() == p.tolist()
