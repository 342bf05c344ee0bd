"""Track points of which nothing is known, for tests that fill in what they need."""

from __future__ import annotations

from typing import Any

import numpy as np

from airvigil.tracking.motion import motion_of
from airvigil.tracking.points import POINT
from airvigil.tracking.track_table import MOTION


def blank_points(count: int) -> Any:
    """(n,) POINT: floats NaN, the rest 0."""
    points = np.zeros(count, dtype=POINT)
    for name in POINT.names or ():
        if POINT[name].kind == "f":
            points[name] = np.nan
    return points


def set_motion(points: Any, x: Any, P: Any) -> None:
    """Give points a filtered state (4,) and its covariance (4, 4)."""
    for name, value in zip(
        MOTION, motion_of(np.asarray(x, dtype=float), np.asarray(P, dtype=float)), strict=True
    ):
        points[name] = value
