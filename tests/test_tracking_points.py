"""Track points: the state that they hold is the filter's, and what was never believed has none."""

from __future__ import annotations

import math

import numpy as np

from airvigil.engine import step
from airvigil.state import State
from airvigil.tracking.filter import bridge_position
from airvigil.tracking.motion import put_motion
from airvigil.tracking.points import (
    POINT,
    between,
    keep_motion,
    keep_motion_before,
    motion_at,
    motion_before,
)
from airvigil.tracking.track_table import MOTION
from made_flights import Judged, path
from small_world import SETTINGS, SKY, START_NS, make_reports
from test_tracking_filter import random_state


def _point(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    point = np.zeros(1, POINT)
    for prefix in ("", "before_"):
        x, p = random_state(rng)
        values = [*x, *(p[i, j] for i in range(4) for j in range(i, 4))]
        for name, value in zip(MOTION, values, strict=True):
            point[prefix + name] = value
    point["time"], point["before"], point["noise"] = 14_000_000_000, 4_000_000_000, 10.0
    return point


def test_states_come_back_as_they_were_put() -> None:
    point, copy = _point(1)[0], np.zeros(1, POINT)[0]
    keep_motion(motion_at(point), copy)
    keep_motion_before(motion_before(point), copy)
    for name in MOTION:
        assert copy[name] == point[name]
        assert copy[f"before_{name}"] == point[f"before_{name}"]


def test_between_two_points_is_the_bridge_of_their_states() -> None:
    for seed in range(5):
        point = _point(seed)[0]
        x0, p0, x1, p1 = np.zeros(4), np.zeros((4, 4)), np.zeros(4), np.zeros((4, 4))
        put_motion(motion_before(point), x0, p0)
        put_motion(motion_at(point), x1, p1)
        assert between(point, 3.0) == bridge_position(x0, p0, x1, p1, 10.0, 3.0, 10.0)


def test_a_point_that_is_not_believed_has_the_reported_place_and_no_state() -> None:
    rows = path(count=12)
    rows[6] = {**rows[6], "nac_p": 0}
    _, output = step(State(), make_reports(rows), None, START_NS + 10**12, SKY, SETTINGS)
    bad = output.track_points[6]
    assert (bad["lat"], bad["lon"]) == (rows[6]["latitude_deg"], rows[6]["longitude_deg"])
    assert all(math.isnan(bad[name]) and math.isnan(bad[f"before_{name}"]) for name in MOTION)
    assert output.points["ground_speed_mps"][6].as_py() is None
    assert len(Judged(rows).points) == 12
