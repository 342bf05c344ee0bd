"""What changed from one set of volumes to another: added, removed, changed, and what of each.

Volumes are the same ones by their id. One that was removed and one that was added with the same digest are one that was renamed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from airvigil.airspace.sources.outlines import area_m2, displacement_m
from airvigil.airspace.volumes import Volume

_FIELDS = (
    "name", "kind", "states", "airspace_class", "airspace_type", "may_enter", "edge_kind", "boundary_uncertainty_m",
)  # fmt: skip


@dataclass(frozen=True)
class FieldChange:
    """One thing that is different: its name, what it was, what it is; as texts."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class VolumeChange:
    """What became of one volume.

    Attributes:
        change: "added", "removed", "renamed" or "changed".
        volume_id: of the volume before, unless it was added.
        fields: what is different.
        area_before_m2, area_after_m2: NaN where there is none, or the boundary is the same.
        displacement_m: the furthest that the boundary moved; 0 where it is the same, NaN where there are not two.
    """

    change: str
    volume_id: str
    fields: tuple[FieldChange, ...] = ()
    area_before_m2: float = math.nan
    area_after_m2: float = math.nan
    displacement_m: float = math.nan


def diff_volumes(before: Sequence[Volume], after: Sequence[Volume]) -> list[VolumeChange]:
    """All changes, in the order of the volumes before, then of those that were added.

    Args:
        before, after: each with unique ids.
    """
    old, new = ({volume.volume_id: volume for volume in volumes} for volumes in (before, after))
    added = {key: volume for key, volume in new.items() if key not in old}
    changes = []
    for volume_id, volume in old.items():
        if volume_id in new:
            change = _changed(volume, new[volume_id])
            if change is not None:
                changes.append(change)
            continue
        twin = next((key for key, other in added.items() if other.digest == volume.digest), None)
        if twin is None:
            changes.append(VolumeChange("removed", volume_id, area_before_m2=area_m2(volume)))
        else:
            fields = (FieldChange("volume_id", volume_id, twin), *_field_changes(volume, added.pop(twin)))
            changes.append(VolumeChange("renamed", volume_id, fields, displacement_m=0.0))
    changes += [VolumeChange("added", key, area_after_m2=area_m2(volume)) for key, volume in added.items()]
    return changes


def _changed(before: Volume, after: Volume) -> VolumeChange | None:
    fields = _field_changes(before, after)
    same = len(before.rings) == len(after.rings) and all(
        a.shape == b.shape and bool((a == b).all()) for a, b in zip(before.rings, after.rings, strict=True)
    )
    if same and before.edge_kind == after.edge_kind:
        return VolumeChange("changed", before.volume_id, fields, displacement_m=0.0) if fields else None
    return VolumeChange(
        "changed",
        before.volume_id,
        fields,
        area_m2(before),
        area_m2(after),
        displacement_m(before, after),
    )


def _field_changes(before: Volume, after: Volume) -> tuple[FieldChange, ...]:
    changes = []
    for side in ("lower", "upper"):
        old, new = getattr(before, side), getattr(after, side)
        if (old.height_m, old.reference) != (new.height_m, new.reference):
            changes.append(FieldChange(side, str(old), str(new)))
    if before.activation.deciding_text() != after.activation.deciding_text():
        changes.append(FieldChange("activation", _when(before), _when(after)))
    for name in _FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes.append(FieldChange(name, _shown(old), _shown(new)))
    return tuple(changes)


def _when(volume: Volume) -> str:
    text = volume.activation.text
    return f"{volume.activation.kind} ({text})" if text else volume.activation.kind


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
