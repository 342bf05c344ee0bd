"""Heights of samples: at the points themselves and on the path between them, and P(inside) with them.

Between two points the height is on the straight line between the two known, and wanders from it as a position does:
with white acceleration its variance in a gap of T, t after its beginning, is `q t^3 (T - t)^3 / (3 T^3)`. The errors
of the two ends are taken as one and the same (an altimeter's is), which is never too sure. Where only one end is
known, the other may be as far away as a climb or descent brings it.

A climb through a layer between two reports is found so: somewhere on the path the height is within its limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.airspace.heights.vertical import HeightKnowledge, Heights, p_vertical
from airvigil.airspace.volumes import Volume
from airvigil.settings import HeightRules

Floats = npt.NDArray[np.float64]


def heights_between(
    before: Heights, after: Heights, since_s: Floats, gap_s: Floats, rule: HeightRules
) -> Heights:
    """Heights of (n,) samples on the paths between two points each.

    Args:
        before, after: (n,) at the two points; the places and times of the result are those of `after`.
        since_s: (n,) from the point before to the sample.
        gap_s: (n,) between the two points; 0: there is none before, and the heights of `after` are taken.
        rule: vertical noise and rate.

    Example: two altimeters' readings, one minute apart; in the middle half a minute from both

        >>> from airvigil.settings import load_settings
        >>> rule = load_settings().heights
        >>> unknown, zero = np.array([np.nan]), np.array([0.0])
        >>> def at(height): return Heights(np.array([height]), np.array([38.0]), *[unknown] * 6, np.array([0]))
        >>> middle = heights_between(at(1000.0), at(1600.0), np.array([30.0]), np.array([60.0]), rule)
        >>> middle.pressure_altitude_m.tolist(), middle.pressure_sigma_m.round(1).tolist()
        ([1300.0], [112.7])
    """
    # one sigma serves both heights that satellites give; so does the wider of what the gap adds
    made = {
        name: np.empty(len(gap_s))
        for name in ("pressure", "geometric", "msl", "p_sigma", "g_sigma", "m_sigma")
    }
    noise, rate = rule.vertical_noise_m2_s3, rule.vertical_rate_sigma_mps
    for value, sigma, ends in (
        ("pressure", "p_sigma", (0, 1)),
        ("geometric", "g_sigma", (2, 3)),
        ("msl", "m_sigma", (4, 3)),
    ):
        b_value, a_value, b_sigma, a_sigma = (
            np.ascontiguousarray(h[k], dtype=np.float64) for k in ends for h in (before, after)
        )
        bridge(b_value, a_value, b_sigma, a_sigma, since_s, gap_s, noise, rate, made[value], made[sigma])
    return after._replace(
        pressure_altitude_m=made["pressure"],
        pressure_sigma_m=made["p_sigma"],
        geometric_height_m=made["geometric"],
        geometric_sigma_m=np.fmax(made["g_sigma"], made["m_sigma"]),
        height_msl_m=made["msl"],
    )


@njit(cache=True, nogil=True)
def bridge(
    before_m: Floats,
    after_m: Floats,
    before_sigma_m: Floats,
    after_sigma_m: Floats,
    since_s: Floats,
    gap_s: Floats,
    noise: float,
    rate: float,
    height_m: Any,
    sigma_m: Any,
) -> None:
    """Height between two known ones, and its sigma, as the module says; NaN where both are unknown.

    Args:
        before_m, after_m, before_sigma_m, after_sigma_m: (n,) of the two ends.
        since_s, gap_s: (n,).
        noise: m^2/s^3.
        rate: m/s.
        height_m, sigma_m: (n,) out.
    """
    for i in range(len(gap_s)):
        gap, since = gap_s[i], since_s[i]
        left = gap - since
        knows_before, knows_after = not math.isnan(before_m[i]), not math.isnan(after_m[i])
        if gap <= 0.0 or (knows_after and left <= 0.0) or not (knows_before or knows_after):
            height_m[i], sigma_m[i] = after_m[i], after_sigma_m[i]
        elif knows_before and knows_after:
            share = since / gap
            height_m[i] = before_m[i] + (after_m[i] - before_m[i]) * share
            error = before_sigma_m[i] + (after_sigma_m[i] - before_sigma_m[i]) * share
            wander = since * left / gap
            sigma_m[i] = math.sqrt(error * error + noise * wander * wander * wander / 3.0)
        elif knows_after:
            height_m[i], sigma_m[i] = after_m[i], math.hypot(after_sigma_m[i], rate * left)
        else:
            height_m[i], sigma_m[i] = before_m[i], math.hypot(before_sigma_m[i], rate * since)


def with_heights(
    volumes: Sequence[Volume],
    volume_of: npt.NDArray[Any],
    p_lateral: Floats,
    heights: Heights,
    knowledge: HeightKnowledge,
    rule: HeightRules,
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """P(inside) with height of (k,) samples, and what is missing where it is unknown.

    Args:
        volumes: of the airspace.
        volume_of: (k,) index of each sample's volume.
        p_lateral: (k,) P(inside) in the plane.
        heights: (k,) of each sample.
        knowledge: QNH, geoid and terrain at hand.
        rule: from the settings.

    Returns:
        P: the lateral one where the volume spans all heights; 0 where that is 0, whatever the height; NaN
        where the height that it takes is missing. And the code for `vertical.missing_words`, 0 elsewhere.
    """
    p_inside, missing = p_lateral.copy(), np.zeros(len(p_lateral), dtype=np.int8)
    order = np.argsort(volume_of, kind="stable")
    starts = np.flatnonzero(np.diff(volume_of[order], prepend=-1))
    for block in np.split(order, starts[1:]):
        if not len(block) or volumes[volume_of[block[0]]].spans_all_heights:
            continue
        asked = block[p_lateral[block] != 0.0]
        found = p_vertical(
            volumes[volume_of[block[0]]],
            Heights(*(column[asked] for column in heights)),
            knowledge,
            rule,
        )
        p_inside[asked] = p_lateral[asked] * found.p
        missing[asked] = found.missing
    return p_inside, missing
