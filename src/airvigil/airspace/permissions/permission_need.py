"""Whose presence needs permission, and where: one answer for spells, permissions and lookahead.

A flight information region says who serves the traffic, not whose airspace it is (Chicago Convention, Annex 11, 2.1): presence
in one needs no permission of anybody, so it is context and never an incident.
"""

from __future__ import annotations

from collections.abc import Iterable

from airvigil.airspace.volumes import Volume
from airvigil.settings import Settings
from airvigil.tracking.identity import AddressBlocks, icao24_of, identity_of

SERVES_ONLY = "fir"  # kind of a volume


def asks_for_permission(volume: Volume) -> bool:
    """Whether presence in a volume can need permission at all."""
    return volume.kind != SERVES_ONLY


def open_to_all(volumes: Iterable[Volume]) -> frozenset[str]:
    """Ids of the volumes in which nobody needs permission."""
    return frozenset(volume.volume_id for volume in volumes if not asks_for_permission(volume))


def track_needs_permission(
    key: str, is_state: int, settings: Settings, blocks: AddressBlocks, exempt: AddressBlocks
) -> bool:
    """Whether the presence of a track needs permission where anybody's does, by what it claims to be.

    Args:
        key: of the track.
        is_state: 1 if a source said so, 0 if it denied it, -1 unknown.
        settings: whose presence needs permission.
        blocks: addresses of state aircraft.
        exempt: addresses that never need permission.
    """
    address = icao24_of(key)
    if address is not None and exempt.holds(address):
        return False
    return identity_of(key, is_state, blocks) in settings.permission.required_for
