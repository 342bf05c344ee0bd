"""The books of what came in: per sensor, received = used + rejected (by reason) + late + waiting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """Counts of one sensor's reports."""

    received: int = 0
    used: int = 0
    late: int = 0
    positions: int = 0  # of the used ones, those with a position
    rejected: Counter[str] = field(default_factory=Counter)

    def waiting(self) -> int:
        """Received and not yet judged: inside the allowed lateness."""
        return self.received - self.used - self.late - self.rejected.total()

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values, rejections sorted by name."""
        return {
            "received": self.received,
            "used": self.used,
            "late": self.late,
            "positions": self.positions,
            "rejected": dict(sorted(self.rejected.items())),
        }

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> Account:
        """The inverse of `to_plain`."""
        return Account(**{**plain, "rejected": Counter(plain["rejected"])})


def accounting_rows(accounts: dict[str, Account]) -> list[dict[str, Any]]:
    """One entry a sensor, by name."""
    return [{"sensor": name, **accounts[name].to_plain()} for name in sorted(accounts)]
