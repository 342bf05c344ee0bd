"""Which samples permissions look at: those inside a volume of tracks whose presence needs permission.

All others cost one look at an array. Whether an address needs permission is found once for each track key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from airvigil.airspace.permissions.permission_need import asks_for_permission, track_needs_permission
from airvigil.airspace.spells.spell_records import Samples
from airvigil.airspace.volumes import Volume
from airvigil.settings import Settings
from airvigil.tracking.identity import exempt_blocks, state_blocks
from airvigil.units import NS_PER_S


class Needs:
    """Per slot, whether presence needs permission: by address alone, and if a source says that it is a state aircraft."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys: list[str] | None = None
        self.flags = np.zeros((0, 2), dtype=np.bool_)
        self.state, self.exempt = state_blocks(settings.permission), exempt_blocks(settings.permission)

    def of(self, keys: list[str]) -> npt.NDArray[np.bool_]:
        """(slots, 2); the list of keys only grows, or is replaced by another."""
        if keys is not self.keys:
            self.keys, self.flags = keys, np.zeros((0, 2), dtype=np.bool_)
        if len(keys) > len(self.flags):
            fresh = [[self._need(key, -1), self._need(key, 1)] for key in keys[len(self.flags) :]]
            self.flags = np.concatenate([self.flags, np.array(fresh, dtype=np.bool_)])
        return self.flags

    def _need(self, key: str, is_state: int) -> bool:
        return track_needs_permission(key, is_state, self.settings, self.state, self.exempt)


def followed_samples(
    needs: Needs,
    samples: Samples,
    points: Any,
    keys: list[str],
    volumes: Sequence[Volume],
    settings: Settings,
) -> npt.NDArray[np.int64]:
    """Samples inside whose track needs permission, in order of track, volume and time."""
    rule = settings.infringement
    inside = np.flatnonzero((samples.p_lateral >= rule.suspected_p) & ~(samples.p_inside < rule.suspected_p))
    if not len(inside):
        return inside
    flags = needs.of(keys)
    owner = samples.point[inside]
    slot = points["slot"][owner]
    asked = flags[slot, (points["is_state"][owner] == 1).astype(np.int64)]
    asked &= np.array([asks_for_permission(volume) for volume in volumes])[samples.volume[inside]]
    kept = inside[asked]
    order = np.lexsort((kept, samples.volume[kept], points["slot"][samples.point[kept]]))
    return kept[order]


def thinned(
    followed: npt.NDArray[np.int64], samples: Samples, points: Any, settings: Settings
) -> npt.NDArray[np.int64]:
    """Of samples in the order of `followed_samples` those that a stay keeps while no permission at all is known.

    These are each track's first and last in a volume, the two beside a gap in which a stay may have ended, and the first
    report of each stretch of the trail.
    """
    if len(followed) < 3:
        return followed
    spacing = round(settings.permission.trail_s * NS_PER_S)
    owner = samples.point[followed]
    known = points["known"][owner]
    apart = np.flatnonzero(
        (points["slot"][owner][1:] != points["slot"][owner][:-1])
        | (points["start"][owner][1:] != points["start"][owner][:-1])
        | (samples.volume[followed][1:] != samples.volume[followed][:-1])
        | (known[1:] - known[:-1] >= settings.infringement.hysteresis_s * NS_PER_S)
    )
    kept = np.zeros(len(followed), dtype=np.bool_)
    kept[0] = kept[-1] = True
    kept[apart] = kept[apart + 1] = True
    group = np.zeros(len(followed), dtype=np.int64)
    group[apart + 1] = 1
    reports = np.flatnonzero(~samples.bridged[followed])
    if len(reports):
        stretch = np.column_stack([np.cumsum(group)[reports], samples.time[followed][reports] // spacing])
        kept[reports[0]] = True
        kept[reports[1:][np.any(stretch[1:] != stretch[:-1], axis=1)]] = True
    return followed[kept]
