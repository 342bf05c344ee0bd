"""What loading an airspace file gives: the volumes, what was not read and why, and what to know about the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from airvigil.airspace.volumes import Volume

SHOWN_TEXT = 160  # of what was not read, as much as a person wants to see


@dataclass(frozen=True)
class Remark:
    """Something about one place of a file: why it was not read, or what to know about what was.

    Attributes:
        line: 1 for the first; 0 for the file as a whole or where lines mean nothing.
        reason: what is wrong.
        text: what stands there, cut to SHOWN_TEXT.
    """

    line: int
    reason: str
    text: str = ""

    def __post_init__(self) -> None:
        if len(self.text) > SHOWN_TEXT:
            object.__setattr__(self, "text", self.text[: SHOWN_TEXT - 3] + "...")

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.reason}" + (f": {self.text!r}" if self.text else "")


@dataclass(frozen=True)
class Loaded:
    """The content of one airspace file.

    Attributes:
        format: "openair", "geojson", "airvigil", "kml", "aixm" or "shapes".
        volumes: in the order of the file.
        rejected: what was not read, each with its reason; nothing that is not named here was left out.
        remarks: what to know about what was read.
    """

    format: str
    volumes: tuple[Volume, ...]
    rejected: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()


def with_unique_ids(volumes: Iterable[Volume]) -> tuple[tuple[Volume, ...], int]:
    """The volumes, each with an id of its own, and how many had to get one.

    The first to have an id keeps it; the others get " (2)", " (3)" and so on behind it.
    """
    given = list(volumes)
    seen: Counter[str] = Counter()
    taken = {volume.volume_id for volume in given}
    unique, changed = [], 0
    for volume in given:
        seen[volume.volume_id] += 1
        if seen[volume.volume_id] == 1:
            unique.append(volume)
            continue
        number = seen[volume.volume_id]
        while f"{volume.volume_id} ({number})" in taken:
            number += 1
        seen[volume.volume_id] = number
        taken.add(f"{volume.volume_id} ({number})")
        unique.append(replace(volume, volume_id=f"{volume.volume_id} ({number})"))
        changed += 1
    return tuple(unique), changed
