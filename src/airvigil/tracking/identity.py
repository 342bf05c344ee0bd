"""Who a track is, as far as its reports say: names of tracks, and civil, state or unidentified.

An identity here is what a transmitter claims and what address lists say, never a finding. Without an
address there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from airvigil.settings import Permission
from airvigil.units import utc_text

_ADDRESS = re.compile(r"[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class AddressBlocks:
    """Address blocks of state aircraft as integers, [first, last] each, sorted."""

    blocks: tuple[tuple[int, int], ...]

    def holds(self, icao24: str) -> bool:
        """Whether an address lies in a block."""
        value = int(icao24, 16)
        return any(first <= value <= last for first, last in self.blocks)


def state_blocks(rule: Permission) -> AddressBlocks:
    """The settings' address blocks of state aircraft."""
    return AddressBlocks(
        tuple(sorted((int(first, 16), int(last, 16)) for first, last in rule.state_addresses))
    )


def exempt_blocks(rule: Permission) -> AddressBlocks:
    """The settings' address blocks whose presence never needs permission."""
    return AddressBlocks(
        tuple(sorted((int(first, 16), int(last, 16)) for first, last in rule.exempt_addresses))
    )


# Names are asked for at each step that tells of a track, and stay the same: this many are kept made.
NAMES_KEPT = 1 << 17


@lru_cache(maxsize=NAMES_KEPT)
def track_id(key: str, start_ns: int) -> str:
    """A name for one track of a key: the key and when it began.

    Example:
        >>> track_id("4601f7", 1_767_735_420_000_000_000)
        '4601f7@20260106T213700Z'
    """
    stamp = utc_text(start_ns)[:19].replace("-", "").replace(":", "")
    return f"{key}@{stamp}Z"


# Never assigned (ICAO Annex 10 volume III, 9.1): whoever sends one names nobody.
NO_ADDRESS = ("000000", "ffffff")


@lru_cache(maxsize=NAMES_KEPT)
def icao24_of(key: str) -> str | None:
    """The 24-bit address in a track key; None for anonymous addresses, sensor tracks and what is no address."""
    return key if _ADDRESS.fullmatch(key) and key not in NO_ADDRESS else None


def identity_of(key: str, is_state: int, blocks: AddressBlocks) -> str:
    """ "civil", "state" or "unidentified" by what the reports say.

    Args:
        key: track key.
        is_state: 1 if a source said so, 0 if it denied it, -1 unknown.
        blocks: addresses of state aircraft.
    """
    address = icao24_of(key)
    if is_state == 1 or (address is not None and blocks.holds(address)):
        return "state"
    return "civil" if address is not None else "unidentified"
