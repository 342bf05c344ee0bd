"""The smoother against Stone Soup's, and its agreement with the bridge."""

import numpy as np
import pytest

from airvigil.errors import ShapeError
from airvigil.tracking.filter import bridge
from airvigil.tracking.smoother import filter_series, smooth
from test_tracking_filter import assert_covariance, random_run, stone_soup_filter

Q = 4.0
SIGMA_V = 300.0


def flat(r: np.ndarray) -> np.ndarray:
    return np.stack([r[:, 0, 0], r[:, 0, 1], r[:, 1, 1]], axis=1)


def to_ns(times: np.ndarray) -> np.ndarray:
    return np.round(times * 1e9).astype(np.int64)


def test_three_hundred_steps_agree_with_stone_soup_to_a_micrometre() -> None:
    from stonesoup.smoother.kalman import KalmanSmoother
    from stonesoup.types.track import Track

    times, z, r = random_run(1991, 301)
    x, p, nis = filter_series(to_ns(times), z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    assert np.isnan(nis[0])
    assert (nis[1:] >= 0.0).all()
    xs, ps = smooth(to_ns(times), x, p, q=Q)
    model, states = stone_soup_filter(times, z, r, Q, x[0], p[0])
    peers = KalmanSmoother(model).smooth(Track(states))
    order = [0, 2, 1, 3]
    peer_x = np.stack([np.asarray(s.state_vector, dtype=float).ravel()[order] for s in peers])
    peer_p = np.stack([np.asarray(s.covar, dtype=float)[np.ix_(order, order)] for s in peers])
    # Stone Soup leaves a prior, its first state, as it was
    assert np.abs(xs - peer_x)[1:].max() < 1e-6
    np.testing.assert_allclose(ps[1:], peer_p[1:], rtol=1e-6, atol=1e-5)
    for one in ps:
        assert_covariance(one)


def test_the_last_state_is_the_filters_and_no_state_is_less_sure_than_it() -> None:
    times, z, r = random_run(4, 60)
    x, p, _ = filter_series(to_ns(times), z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    xs, ps = smooth(to_ns(times), x, p, q=Q)
    assert (xs[-1] == x[-1]).all()
    assert (ps[-1] == p[-1]).all()
    assert (ps[:, 0, 0] <= p[:, 0, 0] * (1.0 + 1e-12)).all()
    assert (ps[:-1, 0, 0] < p[:-1, 0, 0]).any()


def test_bridge_to_a_smoothed_state_equals_smoothing_with_a_stop_without_report() -> None:
    times, z, r = random_run(9, 12)
    stop = (times[5] + times[6]) / 2.0
    at = 6
    times_with, z_with, r_with = (
        np.insert(times, at, stop),
        np.insert(z, at, np.nan, 0),
        np.insert(flat(r), at, 1.0, 0),
    )
    x_with, p_with, _ = filter_series(to_ns(times_with), z_with, r_with, q=Q, sigma_v_mps=SIGMA_V)
    xs_with, ps_with = smooth(to_ns(times_with), x_with, p_with, q=Q)
    x, p, _ = filter_series(to_ns(times), z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    xs, ps = smooth(to_ns(times), x, p, q=Q)
    got_x, got_p = np.empty(4), np.empty((4, 4))
    bridge(x[5], p[5], xs[6], ps[6], times[6] - times[5], stop - times[5], Q, got_x, got_p)
    np.testing.assert_allclose(got_x, xs_with[at], atol=1e-6)
    np.testing.assert_allclose(got_p, ps_with[at], rtol=1e-8, atol=1e-6)


def test_measured_velocity_sharpens_the_state() -> None:
    times, z, r = random_run(5, 30)
    velocity = np.tile([200.0, -80.0], (30, 1))
    velocity[::3] = np.nan
    r_v = np.tile([4.0, 0.0, 4.0], (30, 1))
    _, without, _ = filter_series(to_ns(times), z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    _, with_v, _ = filter_series(
        to_ns(times), z, flat(r), q=Q, sigma_v_mps=SIGMA_V, velocity_mps=velocity, velocity_covariance=r_v
    )
    assert (with_v[1:, 2, 2] < without[1:, 2, 2]).all()


def test_two_reports_at_one_time_share_a_state() -> None:
    times = np.array([0, 10_000_000_000, 10_000_000_000], dtype=np.int64)
    z = np.array([[0.0, 0.0], [1000.0, 0.0], [1010.0, 5.0]])
    r = np.tile([100.0, 0.0, 100.0], (3, 1))
    x, p, _ = filter_series(times, z, r, q=Q, sigma_v_mps=SIGMA_V)
    xs, _ = smooth(times, x, p, q=Q)
    assert (xs[1] == xs[2]).all()


def test_no_reports_no_states() -> None:
    x, p, nis = filter_series(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 3)), q=Q, sigma_v_mps=1.0)
    xs, ps = smooth(np.empty(0, np.int64), x, p, q=Q)
    assert (x.shape, p.shape, nis.shape, xs.shape, ps.shape) == ((0, 4), (0, 4, 4), (0,), (0, 4), (0, 4, 4))


def test_wrong_shapes_and_times_are_refused() -> None:
    times, z, r = random_run(5, 4)
    ns = to_ns(times)
    with pytest.raises(ShapeError, match="position_m"):
        filter_series(ns, z[:3], flat(r), q=Q, sigma_v_mps=SIGMA_V)
    with pytest.raises(ShapeError, match="first report"):
        filter_series(ns, np.full((4, 2), np.nan), flat(r), q=Q, sigma_v_mps=SIGMA_V)
    with pytest.raises(ShapeError, match="backwards"):
        filter_series(ns[::-1].copy(), z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    x, p, _ = filter_series(ns, z, flat(r), q=Q, sigma_v_mps=SIGMA_V)
    with pytest.raises(ShapeError, match="states"):
        smooth(ns, x[:3], p, q=Q)
    with pytest.raises(ShapeError, match="backwards"):
        smooth(ns[::-1].copy(), x, p, q=Q)
