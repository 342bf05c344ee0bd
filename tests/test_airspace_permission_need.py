"""Where presence needs permission: in states' airspace and users' volumes, and not in an information region."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from airvigil.airspace.margins import Airspace
from airvigil.airspace.permissions.permission_need import asks_for_permission, open_to_all
from made_flights import Judged, path
from small_world import square

STATE = square("EST")
# as over Vaindloo: the state's airspace, served by a neighbour's centre
FIR = dataclasses.replace(
    square("ULLL", west=24.5, south=58.5, side=2.0), kind="fir", airspace_type="FIR", states=()
)
RADAR: dict[str, Any] = {"sensor_kind": "radar", "sensor": "radar", "nac_p": None, "icao24": None}


@pytest.mark.parametrize(
    ("kind", "expected"), [("fir", False), ("user", True), ("sovereign", True), ("disputed", True)]
)
def test_only_an_information_region_asks_nobody(kind: str, expected: bool) -> None:
    volume = dataclasses.replace(STATE, kind=kind)
    assert asks_for_permission(volume) is expected
    assert open_to_all([volume]) == (frozenset() if expected else {"EST"})


@pytest.mark.parametrize("order", [(STATE, FIR), (FIR, STATE)])
def test_one_incident_for_the_state_and_the_region_as_context(order: tuple[Any, Any]) -> None:
    rows = path(lat=59.5, lon=24.9, speed_mps=200.0, count=60, every_s=4.0, sensor_track="7", **RADAR)
    found = Judged(rows, sky=Airspace(list(order)))
    assert [e["volume"] for e in found.events("incident_opened")] == ["EST"]
    spells = {e["volume"]: e for e in found.events("spell_closed")}
    assert spells["ULLL"]["permission"] == "not_required"
    assert spells["EST"]["permission"] == "required"
    assert spells["ULLL"]["robustness_radius_high_m"] is None
    assert spells["EST"]["robustness_radius_high_m"] is not None
    assert {e["volume"] for e in found.events("lookahead_raised")} <= {"EST"}


def test_nobody_is_warned_of_an_information_region_ahead() -> None:
    rows = path(lat=59.5, lon=24.3, speed_mps=200.0, count=40, every_s=4.0, sensor_track="7", **RADAR)
    assert not Judged(rows, sky=Airspace([FIR])).events("lookahead_raised")
    other = dataclasses.replace(FIR, kind="user")
    assert Judged(rows, sky=Airspace([other])).events("lookahead_raised")
