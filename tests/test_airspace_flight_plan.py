"""Flight plan messages: what of each field is taken, and what each wrong one is told as.

The vectors are made up for these tests from the forms of Doc 4444; none is of a real flight.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.permissions.flight_plan import (
    MOST_MESSAGE_LETTERS,
    plan_value,
    read_cancellation,
    read_plan,
)
from airvigil.airspace.permissions.flight_plan_route import MOST_ROUTE_WORDS, coordinates_of, read_route
from airvigil.airspace.permissions.permissions import permission_from_value
from airvigil.errors import ConfigError
from airvigil.units import utc_ns, utc_text

FIELDS = {
    "title": "FPL",
    "7": "MADEUP1/A4301",
    "8": "IS",
    "9": "1A320/M",
    "10": "SDFGIRWY/SB1D1",
    "13": "EFHK0600",
    "15": "N0450F350 DCT 5950N02500E/N0440F330 DCT 59N026E DCT",
    "16": "EETN0045 EVRA EYVI",
    "18": "PBN/A1B1 DOF/260106 REG/OHXYZ CODE/461f00 OPR/MADE UP AIR RMK/NOTHING TO SAY",
}
POINTS = {"EFHK": (60.3172, 24.9633), "EETN": (59.4133, 24.8328)}


def message(**changed: str | None) -> str:
    fields = {**FIELDS, **{name.removeprefix("f"): value for name, value in changed.items()}}
    fields["18"] = (fields["18"] or "").replace("461f00", "461F00")
    return "(" + "-".join(value for value in fields.values() if value is not None) + ")"


def plan(
    text: str | None = None, *, received: str | None = None, points: Any = POINTS, **changed: str | None
) -> Any:
    received_ns = None if received is None else utc_ns(received)
    return read_plan(text or message(**changed), points=points, received_ns=received_ns, where="x")


def test_every_field_that_bears_on_permission_is_taken() -> None:
    found = plan()
    assert (found.callsign, found.registration, found.address) == ("MADEUP1", "OHXYZ", "461f00")
    assert (utc_text(found.off_block_ns), utc_text(found.arrival_ns)) == (
        "2026-01-06T06:00:00.000Z",
        "2026-01-06T06:45:00.000Z",
    )
    assert (found.departure, found.destination, found.is_state_flight) == ("EFHK", "EETN", False)
    assert (found.route.speed, found.route.level) == ("N0450", "F350")
    assert found.route.places == (
        POINTS["EFHK"],
        (pytest.approx(59.8333, abs=1e-4), 25.0),
        (59.0, 26.0),
        POINTS["EETN"],
    )
    assert found.other["OPR"] == "MADE UP AIR"
    assert found.other["RMK"] == "NOTHING TO SAY"


def test_line_breaks_and_a_supplementary_field_change_nothing() -> None:
    broken = message().replace("-", "\n-").replace(" ", " \n ")[:-1] + "\n-E/0410 P/TBN)"
    assert plan(broken) == plan()


def test_a_plan_becomes_a_permission() -> None:
    permission = permission_from_value(plan_value(plan(), message()))
    assert permission.permission_id == "FPL-MADEUP1-EFHK-EETN-20260106T0600"
    assert (permission.kind, permission.icao24, len(permission.route)) == ("flight_plan", "461f00", 4)
    assert permission.valid_to_ns == utc_ns("2026-01-06T06:45:00Z")


@pytest.mark.parametrize(("changed", "is_state"), [({"f8": "IM"}, True), ({"f18": "DOF/260106 STS/STATE"}, True), ({"f8": "V"}, False), ({"f18": "DOF/260106 STS/HOSP ALTRV"}, False)])  # fmt: skip
def test_a_plan_says_of_itself_that_it_is_a_state_aircrafts(changed: dict[str, str], is_state: bool) -> None:
    assert plan(**changed).is_state_flight == is_state


@pytest.mark.parametrize(
    ("received", "off_block"),
    [("2026-01-05T20:00Z", "2026-01-06T06:00"), ("2026-01-06T05:59Z", "2026-01-06T06:00"), ("2026-01-06T06:01Z", "2026-01-07T06:00")],
)  # fmt: skip
def test_without_a_day_it_is_the_next_time_of_that_hour(received: str, off_block: str) -> None:
    assert utc_text(plan(f18="REG/OHXYZ", received=received).off_block_ns).startswith(off_block)


def test_a_formation_names_no_single_aircraft() -> None:
    found = plan(f18="DOF/260106 REG/AAA BBB CODE/461F00 461F01")
    assert (found.registration, found.address) == (None, None)


def test_a_remark_hides_nothing_that_decides() -> None:
    assert plan(f18="RMK/TCAS/EQUIPPED AND MORE DOF/260106").other == {
        "RMK": "TCAS/EQUIPPED AND MORE",
        "DOF": "260106",
    }
    assert plan(f18="DOF/260106 NATIONAL1/WORD").other["NATIONAL1"] == "WORD"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "CHG"}, "field 3"),
        ({"f7": "TOOLONGID"}, "field 7"),
        ({"f7": "MADEUP1/A4308"}, "field 7"),
        ({"f8": "XS"}, "field 8"),
        ({"f8": "ISX"}, "field 8"),
        ({"f9": "A320"}, "field 9"),
        ({"f9": "A320/X"}, "field 9"),
        ({"f10": "SDFG"}, "field 10"),
        ({"f13": "EFHK2400"}, "field 13"),
        ({"f13": "EFHK0660"}, "field 13"),
        ({"f13": "EFH0600"}, "field 13"),
        ({"f15": "N450F350 DCT"}, "field 15"),
        ({"f15": "N0450F350 DCT 5950N02500E/FAST DCT"}, "field 15"),
        ({"f15": "N0450F350 DCT TOOLONGWORD DCT"}, "field 15"),
        ({"f15": ""}, "field 15"),
        ({"f15": "N0450F350 " + "DCT " * MOST_ROUTE_WORDS}, "field 15"),
        ({"f16": "EETN"}, "field 16"),
        ({"f16": "EETN0045 EVRA EYVI EPWA"}, "field 16"),
        ({"f16": "EETN0045 EV"}, "field 16"),
        ({"f18": "WORDS DOF/260106"}, "field 18"),
        ({"f18": "DOF/261306"}, "field 18"),
        ({"f18": "DOF/260106 DOF/260107"}, "field 18"),
        ({"f18": "DOF/260106 CODE/46"}, "field 18"),
        ({"f18": "REG/OHXYZ"}, "DOF/ is missing"),
        ({"f16": None}, "got 7 fields"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as raised:
        plan(**changed)
    assert str(raised.value).startswith("x: ")
    assert field in str(raised.value)


@pytest.mark.parametrize(
    "text", ["FPL", "(FPL", "(FPL-a-b)", "(FPL-" + "A" * MOST_MESSAGE_LETTERS + ")", "()", "(FPL-\x00)"]
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        plan(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"({text})", message(f15=text), message(f18=text)):
        try:
            plan(candidate)
        except ConfigError:
            continue


@given(
    st.integers(0, 90),
    st.integers(0, 180),
    st.integers(0, 59),
    st.integers(0, 59),
    st.sampled_from("NS"),
    st.sampled_from("EW"),
)
def test_coordinates_are_read_as_they_are_written(
    lat: int, lon: int, m: int, n: int, ns: str, ew: str
) -> None:
    found = coordinates_of(f"{lat:02d}{m:02d}{ns}{lon:03d}{n:02d}{ew}")
    want = lat + m / 60.0, lon + n / 60.0
    if want[0] > 90.0 or want[1] > 180.0:
        assert found is None
    else:
        assert found == (want[0] if ns == "N" else -want[0], want[1] if ew == "E" else -want[1])
    assert coordinates_of(f"{lat:02d}{ns}{lon:03d}{n:02d}{ew}") is None


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("N0450F350 DCT 59N025E DCT", ()),
        ("N0450F350 UL617 59N025E", ("UL617",)),  # along an ATS route the way between is not known
        ("N0450F350 BALTI3A BALTI DCT 59N025E", ("BALTI3A", "BALTI")),
        ("N0450F350 59N025E 58N025E VFR", ()),
        ("N0450F350 DCT EFHK090020 DCT", ("EFHK090020",)),  # a bearing is magnetic
        ("M082F350 C/59N025E/M082F290F350 DCT", ()),
        ("K0800S1050 DCT 59N025E/K0800VFR T", ()),
    ],
)
def test_a_corridor_is_made_only_of_what_is_known(text: str, unknown: tuple[str, ...]) -> None:
    found = read_route(text, "EFHK", "EETN", POINTS, "x")
    assert found.unknown == unknown
    assert bool(found.places) == (unknown == ())


def test_names_of_a_table_are_places() -> None:
    found = read_route("N0450F350 DCT BALTI DCT", "EFHK", "EETN", {**POINTS, "BALTI": (59.7, 25.5)}, "x")
    assert found.places[1] == (59.7, 25.5)
    assert read_route("N0450F350 DCT", "EFHK", "ZZZZ", POINTS, "x").unknown == ("ZZZZ",)


def test_an_aerodrome_without_a_name_may_give_its_place() -> None:
    found = plan(f13="ZZZZ0600", f18="DOF/260106 DEP/5930N02600E")
    assert found.route.places[0] == (59.5, 26.0)


def test_a_cancellation_names_the_plan_that_it_takes_back() -> None:
    text = "(CNL-MADEUP1-EFHK0600-EETN-DOF/260106)"
    name, off_block = read_cancellation(text, received_ns=None, where="x")
    assert (name, off_block) == (plan().permission_id, plan().off_block_ns)
    for bad in ("(CNL-MADEUP1-EFHK0600-EETN)", "(CNL-MADEUP1-EFHK0600-12-DOF/260106)", message()):
        with pytest.raises(ConfigError):
            read_cancellation(bad, received_ns=None, where="x")
