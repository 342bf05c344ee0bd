"""How fast a track climbs, from its heights: position reports carry a height, and seldom a rate.

A constant-rate Kalman filter of one height, white vertical acceleration. Whichever height the track has is followed:
pressure altitude first, then height over the ellipsoid, then over mean sea level; where it changes from one to another, or
was silent for SILENT_S, the filter begins anew.

Reference: Y. Bar-Shalom, X. Li, T. Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, section 6.2.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any

from airvigil.units import NS_PER_S

HEIGHTS = ("pressure_altitude_m", "geometric_height_m", "height_msl_m")
SILENT_S = 60.0
SIGMA_M = 5.0  # 1 sigma from report to report: steps of 25 ft are 2.2 m, and a height may be some seconds old
FIRST_RATE_SIGMA_MPS = 10.0  # 2,000 ft/min: what an airliner climbs at
NOISE_M2_S3 = 0.5  # levelling off from 10 m/s takes an airliner some 20 s: 2 sigma of this


@dataclass(slots=True)
class Climb:
    """Filtered height and rate of one track. Plain values, so that a state can be written.

    Attributes:
        start: ns, which track of its key.
        time: ns, of the latest height.
        kind: index into HEIGHTS; -1 none known.
        height_m, rate_mps: filtered.
        p_hh, p_hr, p_rr: their covariance.
    """

    start: int
    time: int
    kind: int
    height_m: float
    rate_mps: float = 0.0
    p_hh: float = SIGMA_M**2
    p_hr: float = 0.0
    p_rr: float = FIRST_RATE_SIGMA_MPS**2

    def to_plain(self) -> list[Any]:
        """JSON-able values."""
        return list(astuple(self))


def followed(climb: Climb | None, point: Any) -> Climb | None:
    """The climb after one more point; None while no height is known.

    Args:
        climb: of the same track key, or None.
        point: a POINT record, later than the one before.

    Example:
        >>> climb = None
        >>> for k in range(30):
        ...     row = {"start": 0, "time": k * 4 * 10**9, "pressure_altitude_m": 3000.0 + 40.0 * k}
        ...     climb = followed(climb, row | {"geometric_height_m": math.nan, "height_msl_m": math.nan})
        >>> round(climb.rate_mps, 1)
        10.0
    """
    heights = [float(point[name]) for name in HEIGHTS]
    kind = next((k for k, height in enumerate(heights) if not math.isnan(height)), -1)
    if kind < 0:
        return None
    start, time, height = int(point["start"]), int(point["time"]), heights[kind]
    is_other = climb is None or climb.start != start or climb.kind != kind
    if climb is None or is_other or not 0 <= time - climb.time <= SILENT_S * NS_PER_S:
        return Climb(start, time, kind, height)
    dt = (time - climb.time) / NS_PER_S
    expected = climb.height_m + dt * climb.rate_mps
    hh = climb.p_hh + dt * (2.0 * climb.p_hr + dt * climb.p_rr) + NOISE_M2_S3 * dt**3 / 3.0
    hr = climb.p_hr + dt * climb.p_rr + NOISE_M2_S3 * dt * dt / 2.0
    rr = climb.p_rr + NOISE_M2_S3 * dt
    total = hh + SIGMA_M**2
    miss = height - expected
    return Climb(
        start,
        time,
        kind,
        expected + hh / total * miss,
        climb.rate_mps + hr / total * miss,
        hh * SIGMA_M**2 / total,
        hr * SIGMA_M**2 / total,
        rr - hr * hr / total,
    )
