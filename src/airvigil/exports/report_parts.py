"""What the report's sections share: room for pictures, a section's shape, ends of stays in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from airvigil.exports.wording import UNKNOWN, clock, code_text, known, ns_from_iso, place_text

_END_KINDS = {
    "crossing": "crossing",
    "first_seen": "first seen, already inside",
    "last_seen": "last seen, still inside",
}


@dataclass
class FigureBudget:
    """Bytes left for pictures: a report of many incidents must stay openable."""

    left: int
    left_out: int = 0

    def spend(self, draw: Callable[[], str | None]) -> Markup | None:
        """The picture, or None once the budget is spent or there is nothing to draw."""
        if self.left <= 0:
            self.left_out += 1
            return None
        drawn = draw()
        if drawn is None:
            return None
        self.left -= len(drawn.encode("utf-8", "replace"))
        return Markup(drawn)  # noqa: S704  made by svg.element, which escapes every outside text


@dataclass(frozen=True)
class Section:
    """One incident or interference event, ready to be laid out."""

    number: int
    anchor: str
    heading: str
    values: Mapping[str, Any]
    figures: list[tuple[Markup, str]] = field(default_factory=list)


def end_text(end: Mapping[str, Any] | None) -> dict[str, str]:
    """Entry or exit as time, sigma, place and kind."""
    end = end or {}
    sigma = known(end.get("sigma_s"))
    return {
        "time": clock(ns_from_iso(end.get("time"))),
        "sigma": "" if sigma is None else f"± {max(sigma, 0.1):.1f} s",
        "place": place_text(end.get("latitude_deg"), end.get("longitude_deg")),
        "kind": _END_KINDS.get(str(end.get("kind")), code_text(end.get("kind") or UNKNOWN)),
    }
