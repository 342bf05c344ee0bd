"""When volumes exist, applied to samples: where a volume is not active it is not there.

Rules
- A sample in an inactive volume counts as one above or below it: P(inside) is 0.
- Where nobody says when a volume is active, P(inside) stays what it would be if it were, and the doubt is noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from airvigil.airspace.activation import EPOCH_WEEKDAY, NS_PER_DAY, Activation, Window
from airvigil.airspace.spells.spell_records import MISSING_ACTIVATION, Samples
from airvigil.airspace.volumes import Volume
from airvigil.units import NS_PER_S

Times = npt.NDArray[np.int64]


def take_activation(samples: Samples, volumes: Sequence[Volume]) -> None:
    """Change P(inside) and doubt of samples against volumes that are not always active.

    Args:
        samples: changed.
        volumes: of the airspace.
    """
    changing = _changing(tuple(volumes))
    if not changing.any():
        return
    which = np.flatnonzero(changing[samples.volume])
    for number in np.unique(samples.volume[which]).tolist():
        mine = which[samples.volume[which] == number]
        activation = volumes[number].activation
        if activation.kind == "unknown":
            samples.doubt[mine] |= MISSING_ACTIVATION
        else:
            samples.p_inside[mine[~is_active(activation, samples.time[mine])]] = 0.0


@lru_cache(maxsize=4)
def _changing(volumes: tuple[Volume, ...]) -> npt.NDArray[np.bool_]:
    return np.array([volume.activation.kind != "permanent" for volume in volumes], np.bool_)


def is_active(activation: Activation, time_ns: Times) -> npt.NDArray[np.bool_]:
    """Whether `activation.state_at` says "active", of (n,) times; not for activation that is unknown."""
    if activation.kind == "permanent":
        return np.ones(len(time_ns), np.bool_)
    active = np.zeros(len(time_ns), np.bool_)
    for window in activation.windows:
        active |= _holds(window, time_ns)
    return active


def _holds(window: Window, time_ns: Times) -> npt.NDArray[np.bool_]:
    day, within = np.divmod(time_ns, NS_PER_DAY)
    weekdays = np.zeros(7, np.bool_)
    weekdays[list(window.weekdays)] = True
    today, yesterday = weekdays[(day + EPOCH_WEEKDAY) % 7], weekdays[(day + EPOCH_WEEKDAY - 1) % 7]
    begins, ends = window.from_s * NS_PER_S, window.to_s * NS_PER_S
    if begins < ends:
        holds = today & (begins <= within) & (within < ends)
    else:
        holds = (today & (within >= begins)) | (yesterday & (within < ends))
    return (window.start_ns <= time_ns) & (time_ns < window.end_ns) & holds
