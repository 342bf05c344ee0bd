"""The rate of climb: against a matrix Kalman filter, and on heights in steps of 25 ft."""

from __future__ import annotations

import math

import numpy as np

from airvigil.airspace.heights.climb import FIRST_RATE_SIGMA_MPS, NOISE_M2_S3, SIGMA_M, Climb, followed


def row(time_s: float, pressure: float = math.nan, geometric: float = math.nan, start: int = 0) -> dict:
    return {
        "start": start,
        "time": round(time_s * 1e9),
        "pressure_altitude_m": pressure,
        "geometric_height_m": geometric,
        "height_msl_m": math.nan,
    }


def test_it_is_the_matrix_filter() -> None:
    rng = np.random.default_rng(5)
    x, P = np.array([3000.0, 0.0]), np.diag([SIGMA_M**2, FIRST_RATE_SIGMA_MPS**2])
    climb, time = followed(None, row(0.0, 3000.0)), 0.0
    for _ in range(40):
        dt = float(rng.choice([1.0, 4.0, 12.0]))
        time += dt
        height = 3000.0 + 8.0 * time + rng.normal(0, 5.0)
        F = np.array([[1.0, dt], [0.0, 1.0]])
        x, P = F @ x, F @ P @ F.T + NOISE_M2_S3 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        gain = P[:, 0] / (P[0, 0] + SIGMA_M**2)
        x, P = x + gain * (height - x[0]), P - np.outer(gain, P[0])
        climb = followed(climb, row(time, height))
        assert climb is not None
        assert np.allclose([climb.height_m, climb.rate_mps], x)
        assert np.allclose([climb.p_hh, climb.p_hr, climb.p_rr], [P[0, 0], P[0, 1], P[1, 1]])


def test_steps_of_25_ft_give_the_rate_within_its_sigma() -> None:
    climb = None
    for k in range(60):
        climb = followed(climb, row(k * 1.0, round(7.0 * k / 7.62) * 7.62))
    assert climb is not None
    assert abs(climb.rate_mps - 7.0) < 2.0 * math.sqrt(climb.p_rr) < 4.0


def test_it_begins_anew_after_silence_another_track_and_another_kind_of_height() -> None:
    first = followed(followed(None, row(0.0, 1000.0)), row(10.0, 1100.0))
    assert first is not None
    assert first.rate_mps > 5.0
    for other in (row(80.0, 1200.0), row(20.0, 1200.0, start=1), row(20.0, geometric=1200.0)):
        again = followed(first, other)
        assert again is not None
        assert (again.rate_mps, again.p_rr) == (0.0, FIRST_RATE_SIGMA_MPS**2)


def test_without_a_height_there_is_no_climb_and_a_climb_survives_being_written() -> None:
    assert followed(None, row(0.0)) is None
    climb = followed(None, row(0.0, 1000.0))
    assert climb is not None
    assert Climb(*climb.to_plain()) == climb
