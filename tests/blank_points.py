"""Track points of which nothing is known, for tests that fill in what they need."""

from __future__ import annotations

from typing import Any

import numpy as np

from airvigil.tracking.points import POINT


def blank_points(count: int) -> Any:
    """(n,) POINT: floats NaN, the rest 0."""
    points = np.zeros(count, dtype=POINT)
    for name in POINT.names or ():
        if POINT[name].kind == "f":
            points[name] = np.nan
    return points
