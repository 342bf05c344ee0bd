"""Is it the aircraft that is meant? Each identifier against what is sent."""

from __future__ import annotations

import pytest

from airvigil.airspace.permissions.permission_matching import Who, compare, doubt
from airvigil.airspace.permissions.permissions import Permission
from airvigil.settings import IDENTIFIERS


def judged(who: Who, grants_by: tuple[str, ...] = IDENTIFIERS, **named: object) -> str | None:
    return doubt(compare(Permission("x", "exemption", **named), who), grants_by)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("named", "who", "result"),
    [
        ({"icao24": "43c0de"}, Who("43c0de", None, "state"), "equal"),
        ({"icao24": "43c0de"}, Who("43c0df", None, "state"), "differs"),
        ({"icao24": "43c0de"}, Who(None, "A", "unidentified"), "not_sent"),
        ({"addresses": ("43c000", "43cfff")}, Who("43cfff", None, "state"), "equal"),
        ({"addresses": ("43c000", "43cfff")}, Who("43d000", None, "state"), "differs"),
        ({"callsign": "GAF12"}, Who(None, "GAF12", "state"), "equal"),
        ({"callsign": "GAF12"}, Who(None, "GAF1", "state"), "differs"),
        ({"callsign": "GAF12"}, Who("43c0de", None, "state"), "not_sent"),
        ({"registration": "DEABC"}, Who(None, "DEABC", "civil"), "equal"),
        ({"registration": "DEABC"}, Who(None, "DLH12", "civil"), "not_sent"),
        ({"operator": "GAF"}, Who(None, "GAF99", "state"), "equal"),
        ({"operator": "GAF"}, Who(None, "FAF99", "state"), "differs"),
        ({"anyone": True}, Who(None, None, "unidentified"), "equal"),
    ],
)
def test_each_identifier_is_compared(named: dict[str, object], who: Who, result: str) -> None:
    (found,) = compare(Permission("x", "exemption", **named), who)  # type: ignore[arg-type]
    assert found.result == result


def test_what_differs_is_not_outvoted_and_is_named_with_both_values() -> None:
    found = judged(Who("43c0df", "GAF12", "state"), icao24="43c0de", callsign="GAF12", operator="GAF")
    assert found == "callsign and operator equal, icao24 differs: 43c0de permitted, 43c0df seen"


def test_what_is_not_sent_neither_helps_nor_hurts() -> None:
    assert judged(Who("43c0de", None, "state"), icao24="43c0de", callsign="GAF12") is None
    assert judged(Who(None, "GAF12", "unidentified"), icao24="43c0de", callsign="GAF12") is None


def test_the_settings_say_what_suffices() -> None:
    who = Who(None, "GAF12", "unidentified")
    assert judged(who, ("icao24",), callsign="GAF12") is not None
    assert judged(who, ("icao24", "callsign"), callsign="GAF12") is None
    both = Who("43c0de", "GAF12", "state")
    assert judged(both, ("icao24",), callsign="GAF12", icao24="43c0de") is None
