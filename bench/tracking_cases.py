"""Tracking: what the engine does with a row, and the Kalman step inside it, each against the same step by Stone Soup."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from cases import Case, Load

TRACKS, STEPS, PEER_STEPS = 1000, 20, 100
SIGMA_M, PSD = 50.0, 4.0
START_NS = 1_760_000_000_000_000_000


def _path() -> np.ndarray:
    """(steps, tracks, 2) noisy positions of straight flights, a second apart, m."""
    noise = np.random.default_rng(1).normal(scale=SIGMA_M, size=(STEPS, TRACKS, 2))
    return np.arange(1, STEPS + 1)[:, None, None] * np.array([200.0, 50.0]) + noise


def _stone_soup(path: np.ndarray) -> Callable[[], None]:
    """PEER_STEPS times predict and fuse, constant velocity in the plane."""
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.detection import Detection
    from stonesoup.types.hypothesis import SingleHypothesis
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    model = CombinedLinearGaussianTransitionModel([ConstantVelocity(PSD), ConstantVelocity(PSD)])
    sensor = LinearGaussian(4, (0, 2), np.diag([SIGMA_M**2, SIGMA_M**2]))
    predictor, updater = KalmanPredictor(model), KalmanUpdater(sensor, use_joseph_cov=True)
    start, start_p = dt.datetime(2025, 1, 1), np.diag([SIGMA_M**2, 1e4, SIGMA_M**2, 1e4])

    def peer() -> None:
        state = GaussianState(np.zeros((4, 1)), start_p, timestamp=start)
        for step in range(PEER_STEPS):
            when = start + dt.timedelta(seconds=step + 1)
            prediction = predictor.predict(state, timestamp=when)
            place = path[step % STEPS, 0].reshape(2, 1)
            detection = Detection(place, timestamp=when, measurement_model=sensor)
            state = updater.update(SingleHypothesis(prediction, detection))

    return peer


def kalman_step() -> Load:
    """Predict and fuse one position: the arithmetic alone, on equal numbers."""
    from airvigil.tracking.filter import filter_tracks

    path = _path()
    r = np.tile([SIGMA_M**2, 0.0, SIGMA_M**2], (TRACKS, 1))
    absent_velocity, absent_r = np.full((TRACKS, 2), np.nan), np.full((TRACKS, 3), np.nan)
    nis = np.empty((TRACKS, 2))
    start_p = np.diag([SIGMA_M**2, SIGMA_M**2, 1e4, 1e4])

    def ours() -> None:
        x, p = np.zeros((TRACKS, 4)), np.tile(start_p, (TRACKS, 1, 1))
        dt_s, qs = np.ones(TRACKS), np.full(TRACKS, PSD)
        for z in path:
            filter_tracks(x, p, dt_s, qs, z, r, absent_velocity, absent_r, nis)

    def notes() -> dict[str, str]:
        return {
            "what it is": "the step of the engine's filter over many tracks (`filter.filter_tracks`). The engine itself "
            "takes the same step row by row inside `admission`, which is what a run costs",
        }

    return Load(ours, TRACKS * STEPS, _stone_soup(path), PEER_STEPS, notes=notes)


def _flights() -> Any:
    """Report rows of TRACKS airliners abreast, a row a second each, as a feed gives them."""
    from airvigil.reports import reports_from_columns

    step, track = np.divmod(np.arange(STEPS * TRACKS), TRACKS)
    noise = np.random.default_rng(1).normal(scale=1e-4, size=(2, STEPS * TRACKS))  # 10 m, as NACp 9 states
    when = START_NS + step * 1_000_000_000 + track * 1_000
    columns = {
        "time_of_applicability": when.tolist(),
        "received_at": when.tolist(),
        "sensor": ["roof"] * len(step),
        "sensor_kind": ["adsb"] * len(step),
        "icao24": [f"{0x400000 + number:06x}" for number in track.tolist()],
        "latitude_deg": (45.0 + track * 0.02 + noise[0]).tolist(),
        "longitude_deg": (10.0 + step * 230.0 / 70_000.0 + noise[1]).tolist(),
        "ground_speed_mps": [230.0] * len(step),
        "track_angle_deg": [90.0] * len(step),
        "pressure_altitude_m": [10_668.0] * len(step),
        "nac_p": [9] * len(step),
        "frame_digest": [hashlib.sha256(str(k).encode()).digest() for k in range(len(step))],
    }
    return reports_from_columns(columns, length=len(step))


def admission() -> Load:
    """What the engine does with each row: judge, reject or filter, and describe the point."""
    from airvigil.settings import load_settings
    from airvigil.state import BEGINNING
    from airvigil.tracking.admission import admit
    from airvigil.tracking.intake import Intake, arrive, release
    from airvigil.tracking.track_table import TrackTable, limits_of, sensor_table_of

    settings, intake, table = load_settings(), Intake(), TrackTable()
    arrive(intake, table, _flights(), settings.time, BEGINNING)
    rows = release(intake, START_NS + 10**15, len(table.keys))
    receivers = np.full((1, 3), np.nan)
    sensors, limits = sensor_table_of(settings), limits_of(settings)
    found: dict[str, int] = {}

    def ours() -> None:
        _, points = admit(rows, table.copy(), receivers, sensors, limits)
        found.update(points=len(points), credible=int(np.count_nonzero(points["integrity"] == 0)))

    def notes() -> dict[str, str]:
        return {
            "what it is": "`tracking.admission.admit`, which every run calls: sort, reject, test against motion and speed, filter "
            "with turns and bias, describe the point. The peer only takes the Kalman step",
            "input": f"{len(rows):,} rows of {TRACKS:,} flights; {found['points']:,} points, {found['credible']:,} of them credible",
        }

    return Load(ours, len(rows), _stone_soup(_path()), PEER_STEPS, notes=notes)


TRACKING_CASES = (
    Case(
        "admission",
        "what the engine does with a row: judge, filter, describe; the peer: predict and fuse only",
        "rows/s",
        "Stone Soup",
        50.0,
        ("numba", "numpy", "stonesoup"),
        admission,
    ),
    Case(
        "motion_filter",
        "the Kalman step alone: predict and fuse one position, constant velocity, on equal numbers",
        "updates/s",
        "Stone Soup",
        500.0,
        ("numba", "numpy", "stonesoup"),
        kalman_step,
    ),
)
