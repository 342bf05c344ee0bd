"""When a volume exists: always, by a schedule, by NOTAM, or nobody has said.

Rules
- "active" and "inactive" are said only where the source's text was understood whole; else "unknown".
- Times are UTC. A source's local or sunrise-bound times are "unknown" and keep their text.
"""

from __future__ import annotations

from dataclasses import dataclass

from airvigil.errors import AirspaceError
from airvigil.units import NS_PER_S

ACTIVATION_KINDS = ("permanent", "schedule", "notam", "unknown")
NS_PER_DAY = 86_400 * NS_PER_S
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


@dataclass(frozen=True)
class Window:
    """From start_ns up to, not including, end_ns: UTC. On `weekdays` (0 Monday) from `from_s` to `to_s` of the day
    only, if given; a `to_s` not after `from_s` runs into the next day."""

    start_ns: int
    end_ns: int
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    from_s: int = 0
    to_s: int = 86_400

    def holds(self, time_ns: int) -> bool:
        """Whether the instant is within."""
        if not self.start_ns <= time_ns < self.end_ns:
            return False
        day, within = divmod(time_ns, NS_PER_DAY)
        weekday = (day + EPOCH_WEEKDAY) % 7
        begins, ends = self.from_s * NS_PER_S, self.to_s * NS_PER_S
        if begins < ends:
            return weekday in self.weekdays and begins <= within < ends
        return (weekday in self.weekdays and within >= begins) or (
            (weekday - 1) % 7 in self.weekdays and within < ends
        )


@dataclass(frozen=True)
class Activation:
    """When a volume exists.

    Attributes:
        kind: one of ACTIVATION_KINDS.
        windows: of "schedule" and "notam"; outside all of them the volume does not exist.
        text: as written in the source.

    Example:
        >>> night = Activation("schedule", (Window(0, 2**62, (0, 1, 2, 3, 4), 22 * 3600, 6 * 3600),), "MON-FRI 2200-0600")
        >>> night.state_at(1_767_394_800 * 10**9)  # Friday 2026-01-02 23:00 UTC
        'active'
    """

    kind: str
    windows: tuple[Window, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATION_KINDS:
            raise AirspaceError(f"activation must be one of {', '.join(ACTIVATION_KINDS)}, got {self.kind!r}")

    def state_at(self, time_ns: int) -> str:
        """ "active", "inactive" or "unknown" at an instant (ns UTC)."""
        if self.kind == "permanent":
            return "active"
        if self.kind == "unknown":
            return "unknown"
        return "active" if any(window.holds(time_ns) for window in self.windows) else "inactive"

    def deciding_text(self) -> str:
        """What of it decides, as a canonical text for digests."""
        windows = [f"{w.start_ns},{w.end_ns},{w.weekdays},{w.from_s},{w.to_s}" for w in self.windows]
        return " ".join([self.kind, *windows])


PERMANENT = Activation("permanent")
