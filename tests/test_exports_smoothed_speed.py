"""The smoothed speed against the truth that noisy positions were made from."""

from datetime import timedelta

import numpy as np

from airvigil.exports.run_view import read_run
from airvigil.exports.smoothed_speed import speed_after_the_fact
from example_run import M_PER_DEG, Example, fly, run_started

SPEED_MPS = 0.25 / 600.0 * M_PER_DEG  # of the way below


def noisy_track(*, noise_m: float, live_sigma_mps: float, gap_s: float = 0.0):
    """A straight flight north whose reports are noisy; the live speed is wrong by its stated sigma."""
    example = Example()
    run_started(example)
    fly(example, "T-1", [(0, 59.5, 26.0), (600, 59.75, 26.0)], step_s=4.0, sigma_m=noise_m * 0.8)
    rng = np.random.default_rng(5)
    for k, row in enumerate(example.points):
        row["reported_latitude_deg"] += rng.normal(0.0, noise_m) / M_PER_DEG
        row["reported_longitude_deg"] += rng.normal(0.0, noise_m) / M_PER_DEG * 2.0
        row["ground_speed_mps"] += rng.normal(0.0, live_sigma_mps)
        row["ground_speed_sigma_mps"] = live_sigma_mps
        if gap_s and k > 70:
            row["time"] += timedelta(seconds=gap_s)
    return read_run(*example.tables).tracks["T-1"]


def test_it_is_nearer_to_the_truth_than_the_live_speed_and_honest_about_it() -> None:
    track = noisy_track(noise_m=60.0, live_sigma_mps=9.0)
    speed = speed_after_the_fact(track)
    assert speed.is_smoothed
    error = speed.value_mps - SPEED_MPS
    live_error = track["ground_speed_mps"] - SPEED_MPS
    assert np.sqrt((error**2).mean()) < 0.6 * np.sqrt((live_error**2).mean())
    inside = np.abs(error) < 2.0 * speed.sigma_mps
    assert inside.mean() > 0.9


def test_a_better_live_speed_is_left_alone() -> None:
    track = noisy_track(noise_m=60.0, live_sigma_mps=1.0)
    speed = speed_after_the_fact(track)
    assert not speed.is_smoothed
    np.testing.assert_array_equal(speed.value_mps, track["ground_speed_mps"])


def test_few_points_and_unknown_accuracy_are_not_smoothed() -> None:
    track = noisy_track(noise_m=60.0, live_sigma_mps=9.0)
    few = track.where(np.arange(len(track)) < 5)
    assert not speed_after_the_fact(few).is_smoothed
    blind = track.where(np.ones(len(track), np.bool_))
    blind.numbers["covariance_ee_m2"][:] = np.nan
    assert not speed_after_the_fact(blind).is_smoothed


def test_nothing_is_smoothed_across_a_long_silence() -> None:
    whole = noisy_track(noise_m=60.0, live_sigma_mps=9.0, gap_s=300.0)
    first = whole.where(np.arange(len(whole)) <= 70)
    together, alone = speed_after_the_fact(whole), speed_after_the_fact(first)
    # the reports' accuracy is averaged over more points; the speeds themselves know nothing of what came later
    np.testing.assert_allclose(together.value_mps[:71], alone.value_mps, atol=1.0)
