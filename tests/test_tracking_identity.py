"""Names of tracks, and civil, state or unidentified by what reports say."""

from __future__ import annotations

import pytest

from airvigil.settings import load_settings
from airvigil.tracking.identity import icao24_of, identity_of, state_blocks, track_id
from made_flights import Judged, path

BLOCKS = state_blocks(load_settings().permission)


@pytest.mark.parametrize("address", ["43c000", "43cfff", "adf7c8", "afffff", "3ea123", "480000"])
def test_addresses_of_armed_forces_are_state_from_first_to_last_of_a_block(address: str) -> None:
    assert BLOCKS.holds(address)
    assert identity_of(address, -1, BLOCKS) == "state"


@pytest.mark.parametrize("address", ["43bfff", "43d000", "adf7c7", "4601f7", "000001"])
def test_addresses_beside_a_block_are_civil(address: str) -> None:
    assert not BLOCKS.holds(address)
    assert identity_of(address, -1, BLOCKS) == "civil"


def test_what_a_source_says_makes_any_aircraft_a_state_aircraft() -> None:
    assert identity_of("4601f7", 1, BLOCKS) == "state"
    assert identity_of("radar/7", 1, BLOCKS) == "state"


def test_a_source_that_denies_it_does_not_clear_an_address_of_armed_forces() -> None:
    assert identity_of("43c000", 0, BLOCKS) == "state"


@pytest.mark.parametrize("key", ["radar/7", "~4601f7", "a/bcde", "4601f", "zzzzzz", ""])
def test_without_an_address_there_is_no_identity(key: str) -> None:
    assert icao24_of(key) is None
    assert identity_of(key, -1, BLOCKS) == "unidentified"


def test_blocks_of_the_users_are_used() -> None:
    own = load_settings('[permission]\nstate_addresses = [["4601f0", "4601ff"]]')
    assert identity_of("4601f7", -1, state_blocks(own.permission)) == "state"
    assert identity_of("43c000", -1, state_blocks(own.permission)) == "civil"


def test_a_track_is_named_by_key_and_start_to_the_second() -> None:
    assert track_id("4601f7", 1_767_735_420_999_000_000) == "4601f7@20260106T213700Z"


def test_an_exempt_address_is_present_and_makes_no_incident() -> None:
    rows = path(lat=59.5, icao24="3b7777", count=60)
    assert len(Judged(rows).events("incident_opened")) == 1
    own = load_settings('[permission]\nexempt_addresses = [["3b7000", "3b7fff"]]')
    judged = Judged(rows, settings=own)
    assert judged.events("incident_opened") == []
    assert {e["permission"] for e in judged.events("spell_opened")} == {"not_required"}
