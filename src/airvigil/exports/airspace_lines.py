"""Airspace in words and in JSON lines: what a file gave, what is in it, what changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from airvigil.airspace.sources.boundaries import describe
from airvigil.airspace.sources.diff import VolumeChange
from airvigil.airspace.sources.loaded import Loaded, Remark
from airvigil.airspace.volumes import Volume


def loading_lines(name: str, loaded: Loaded, *, most: int | None = None) -> Iterator[str]:
    """What loading a file gave: a line of counts, then one each for what was rejected and what is remarked.

    Args:
        most: how many of each to name; all of them if None.
    """
    counts = f"{len(loaded.volumes)} volumes read, {len(loaded.rejected)} rejected"
    yield f"{name}: {loaded.format}: {counts}"
    for what, remarks in (("rejected", loaded.rejected), ("note", loaded.remarks)):
        shown = remarks if most is None else remarks[:most]
        yield from (f"{what}: {remark}" for remark in shown)
        if len(remarks) > len(shown):
            yield f"{what}: {len(remarks) - len(shown)} more; `airvigil airspace check {name}` names them"


def loading_json(name: str, loaded: Loaded) -> str:
    """The same as one JSON object."""
    return _json(
        {
            "file": name,
            "format": loaded.format,
            "read": len(loaded.volumes),
            "rejected": [_remark(remark) for remark in loaded.rejected],
            "remarks": [_remark(remark) for remark in loaded.remarks],
        }
    )


def volume_json(volume: Volume, *, with_original: bool = False) -> str:
    """One volume as a JSON object, without its coordinates."""
    return _json({**describe(volume), **({"original": volume.original} if with_original else {})})


def volume_row(volume: Volume) -> tuple[str, ...]:
    """Id, kind, class and type, lower and upper limit, activation, vertices, place: for a table."""
    return (
        volume.volume_id,
        volume.kind,
        " ".join(filter(None, (volume.airspace_class, volume.airspace_type))),
        str(volume.lower),
        str(volume.upper),
        volume.activation.kind,
        f"{sum(len(ring) - 1 for ring in volume.rings):,}",
        volume.place.partition(": ")[0],
    )


def diff_lines(changes: Sequence[VolumeChange]) -> Iterator[str]:
    """One line a change, with what is different."""
    for change in changes:
        facts = [f"{field.field} {field.before!r} -> {field.after!r}" for field in change.fields]
        if change.change == "changed" and not math.isnan(change.area_before_m2):
            facts.append(f"area {_km2(change.area_before_m2)} -> {_km2(change.area_after_m2)}")
            facts.append(f"boundary moved by up to {_metres(change.displacement_m)}")
        elif change.change in ("added", "removed"):
            area = change.area_after_m2 if change.change == "added" else change.area_before_m2
            facts.append(f"area {_km2(area)}")
        yield f"{change.change}: {change.volume_id}: {'; '.join(facts)}"


def diff_json(change: VolumeChange) -> str:
    """One change as a JSON object; what there is none of is null."""
    return _json(
        {
            "change": change.change,
            "volume_id": change.volume_id,
            "fields": {field.field: [field.before, field.after] for field in change.fields},
            "area_before_m2": _known(change.area_before_m2),
            "area_after_m2": _known(change.area_after_m2),
            "displacement_m": _known(change.displacement_m),
        }
    )


def _metres(value: float) -> str:
    return f"{value:,.0f} m" if value >= 10.0 else f"{value:.3f} m"


def _km2(area_m2: float) -> str:
    return f"{area_m2 / 1e6:,.3f} km2"


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def _remark(remark: Remark) -> dict[str, Any]:
    return {"line": remark.line or None, "reason": remark.reason, "text": remark.text}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
