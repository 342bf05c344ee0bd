"""Standing of a stay: each status by how much, near misses explained, and nothing that grows makes it worse."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.limits import Limit
from airvigil.airspace.permissions.permission_excess import Excess, Place, add_place, geometry_of
from airvigil.airspace.permissions.permission_matching import Who
from airvigil.airspace.permissions.permission_standing import (
    NO_STANDING,
    Presence,
    Standing,
    judge,
    standing_of,
    verdict,
)
from airvigil.airspace.permissions.permissions import Permission, PermissionBook
from airvigil.exports.incident_lines import incident_schema
from airvigil.settings import load_settings
from test_airspace_permissions import PLAIN, observation, table

SETTINGS = load_settings()
S = 10**9
STATE = Who("43c0de", "GAF12", "state")
MINE: dict[str, Any] = {"icao24": "43c0de", "volumes": ("SQR",)}


def flight(begin_s: int = 100, end_s: int = 200, lon: float = 25.0, **heights: float) -> list[Place]:
    known = {
        "pressure_altitude_m": 3000.0,
        "geometric_height_m": math.nan,
        "height_msl_m": math.nan,
        **heights,
    }
    return [
        Place(t * S, 59.5, lon, 50.0**2, 0.0, 50.0**2, 0.0, **known, gva=-1)
        for t in range(begin_s, end_s + 1, 10)
    ]


def standing(
    *permissions: Permission, who: Who = STATE, places: list[Place] | None = None, **rule: str
) -> Standing:
    settings = load_settings("[permission]\n" + "\n".join(f"{k} = {v}" for k, v in rule.items()))
    places = places or flight()
    excesses: dict[str, Excess] = {}
    for permission in permissions:
        for place in places:
            add_place(excesses.setdefault(geometry_of(permission), Excess()), place, permission, settings)
    presence = Presence(places[0].time, places[-1].time, excesses)
    return standing_of(permissions, who, "SQR", presence, settings)


def exemption(**what: Any) -> Permission:
    return Permission("X-1", "exemption", **{**MINE, **what})


def test_a_permission_that_covers_everything_is_granted() -> None:
    found = standing(exemption(valid_from_ns=100 * S, valid_to_ns=200 * S))
    assert (found.status, found.near_misses) == ("granted", ())
    assert found.as_event()["permission_excess_s"] is None


@pytest.mark.parametrize(
    ("times", "status", "excess_s"),
    [
        ({"valid_to_ns": 150 * S}, "lapsed", 50.0),
        ({"valid_to_ns": 150 * S, "tolerance_s": 30.0}, "lapsed", 20.0),
        ({"valid_to_ns": 150 * S, "tolerance_s": 50.0}, "granted", None),
        ({"valid_from_ns": 160 * S}, "not_yet", 60.0),
        ({"valid_to_ns": 999 * S, "withdrawn_ns": 170 * S, "tolerance_s": 600.0}, "lapsed", 30.0),
    ],
)
def test_outside_its_time_it_says_by_how_much(
    times: dict[str, Any], status: str, excess_s: float | None
) -> None:
    found = standing(exemption(**times))
    assert (found.status, found.as_event()["permission_excess_s"]) == (status, excess_s)


def test_outside_its_corridor_it_says_by_how_much_and_how_surely() -> None:
    route = ((59.0, 25.0), (60.0, 25.0))
    found = standing(exemption(route=route, half_width_m=2000.0), places=flight(lon=25.06)).as_event()
    assert found["permission"] == "exceeded"
    aside = Geodesic.WGS84.Inverse(59.5, 25.0, 59.5, 25.06)["s12"]
    assert found["permission_excess_m"] == pytest.approx(aside - 2000.0, abs=1.0)
    assert found["permission_excess_sigma_m"] == 50.0
    assert found["permission_p_outside"] == 1.0
    inside = standing(exemption(route=route, half_width_m=4000.0), places=flight(lon=25.06)).as_event()
    assert inside["permission"] == "granted"
    assert inside["permission_excess_m"] == pytest.approx(aside - 4000.0, abs=1.0)


def test_beyond_its_limits_it_says_by_how_much() -> None:
    found = standing(exemption(upper=Limit(2800.0, "STD"))).as_event()
    assert (found["permission"], found["permission_vertical_excess_m"]) == ("exceeded", 200.0)
    assert found["permission_vertical_excess_sigma_m"] == 38.0


def test_a_doubtful_excess_is_no_excess_and_its_probability_is_told() -> None:
    found = standing(exemption(upper=Limit(2980.0, "STD"))).as_event()
    assert found["permission"] == "granted"
    assert found["permission_p_outside"] == pytest.approx(0.70, abs=0.01)


def test_limits_that_no_height_can_be_held_against_leave_it_ambiguous() -> None:
    found = standing(
        exemption(upper=Limit(3100.0, "STD")), places=flight(pressure_altitude_m=math.nan)
    ).as_event()
    assert found["permission"] == "ambiguous"
    assert "no height of the stay is known" in found["permission_reason"]


def test_another_address_under_the_same_callsign_is_ambiguous_and_named() -> None:
    plan = exemption(icao24="43c0df", callsign="GAF12")
    found = standing(plan)
    assert found.status == "ambiguous"
    assert "icao24 differs: 43c0df permitted, 43c0de seen" in found.as_event()["permission_reason"]
    lapsed = standing(replace(plan, valid_to_ns=150 * S))
    assert lapsed.status == "none"
    assert lapsed.near_misses[0].reasons[0].startswith("callsign equal, icao24 differs")


def test_a_lapsed_permission_of_its_own_says_more_than_one_that_seems_another_aircrafts() -> None:
    other = Permission("A-0", "exemption", icao24="43c0df", callsign="GAF12", volumes=("SQR",))
    found = standing(other, exemption(valid_to_ns=150 * S))
    assert (found.status, found.best and found.best.permission.permission_id) == ("lapsed", "X-1")
    assert [v.permission.permission_id for v in found.near_misses] == ["A-0"]


def test_a_permission_for_another_volume_is_a_near_miss() -> None:
    found = standing(exemption(volumes=("XYZ",)))
    assert found.status == "none"
    event = found.as_event()
    assert event["permission"] == "required"
    assert event["permission_near_misses"][0]["reasons"] == ["it does not open SQR"]


def test_a_flight_plan_of_a_state_aircraft_is_no_permission_unless_the_settings_say_so() -> None:
    plan = Permission("F-1", "flight_plan", **MINE)
    assert standing(plan).status == "none"
    assert standing(plan, flight_plan_suffices_for='["civil", "state"]').status == "granted"
    civil = Who("43c0de", "DLH12", "civil")
    assert standing(plan, who=civil).status == "granted"
    # a plan that says of itself that it is a state aircraft's is one, whatever the address lists say
    assert standing(replace(plan, is_state_flight=True), who=civil).status == "none"


def test_a_flight_plan_has_its_own_tolerance() -> None:
    plan = Permission("F-1", "flight_plan", **MINE, valid_from_ns=1000 * S, valid_to_ns=2000 * S)
    civil = Who("43c0de", "DLH12", "civil")
    assert standing(plan, who=civil).status == "granted"  # 900 s early, 1,800 s allowed
    found = standing(plan, who=civil, flight_plan_tolerance_s="600.0").as_event()
    assert (found["permission"], found["permission_excess_s"]) == ("not_yet", 300.0)


def test_a_plan_that_says_nowhere_what_it_opens_is_ambiguous_and_names_the_words() -> None:
    plan = Permission("F-1", "flight_plan", icao24="43c0de", route_unknown=("UL617", "SKP"))
    found = standing(plan, who=Who("43c0de", None, "civil")).as_event()
    assert found["permission"] == "ambiguous"
    assert "UL617, SKP" in found["permission_reason"]


def test_permissions_one_after_the_other_cover_together() -> None:
    first = exemption(valid_to_ns=150 * S)
    second = Permission("X-2", "exemption", **MINE, valid_from_ns=150 * S, valid_to_ns=300 * S)
    assert standing(first, second).status == "granted"
    gap = replace(second, valid_from_ns=151 * S)
    assert standing(first, gap).status == "lapsed"
    other = replace(second, volumes=("XYZ",))
    assert standing(first, other).status == "lapsed"


def test_judging_by_what_was_known() -> None:
    book = PermissionBook()
    value = {**PLAIN, "valid_to": "1970-01-01T00:02:30Z"}
    book.taken(table(observation(PLAIN, known=500 * S), observation(value, known=700 * S)), 0)

    def status(known_s: int) -> str:
        return judge(book, STATE, "SQR", flight(), known_s * S, SETTINGS).status

    assert [status(499), status(500), status(700)] == ["none", "granted", "lapsed"]


def test_every_field_of_a_standing_is_in_the_schema_and_valid() -> None:
    fields = incident_schema()["$defs"]["member"]["properties"]
    assert {"permission", *NO_STANDING} <= fields.keys()
    schema = {**incident_schema()["$defs"]["member"], "$defs": incident_schema()["$defs"]}
    for found in (
        standing(),
        standing(exemption()),
        standing(exemption(volumes=("A",))),
        standing(exemption(valid_to_ns=0)),
    ):
        event = {"track_id": "x", **found.as_event()}
        json.dumps(event, allow_nan=False)
        jsonschema.Draft202012Validator(schema).validate(event)


seconds = st.integers(0, 300)
metres = st.floats(0.0, 6000.0)
some = st.none() | seconds


@st.composite
def permissions(draw: st.DrawFn) -> tuple[Permission, Permission]:
    """A permission and one that is nowhere narrower."""
    begin, end = draw(some), draw(some)
    if begin is not None and end is not None and begin > end:
        begin, end = end, begin
    tolerance = float(draw(seconds))
    route = draw(st.sampled_from([(), ((59.0, 25.0), (60.0, 25.0))]))
    width, top = draw(metres), draw(st.none() | metres)
    small = Permission(
        "P",
        draw(st.sampled_from(["exemption", "flight_plan"])),
        icao24=draw(st.sampled_from(["43c0de", "43c0df"])),
        callsign=draw(st.sampled_from([None, "GAF12"])),
        volumes=draw(st.sampled_from([("SQR",), ("XYZ",), ()])),
        valid_from_ns=None if begin is None else begin * S,
        valid_to_ns=None if end is None else end * S,
        tolerance_s=tolerance,
        route=route,
        half_width_m=width if route else None,
        upper=Limit(math.inf, "none") if top is None else Limit(top, "STD"),
    )
    more = st.integers(0, 100)
    wide = replace(
        small,
        valid_from_ns=None if begin is None else (begin - draw(more)) * S,
        valid_to_ns=None if end is None or draw(st.booleans()) else (end + draw(more)) * S,
        tolerance_s=tolerance + draw(more),
        half_width_m=width + draw(metres) if route else None,
        upper=Limit(math.inf, "none")
        if top is None or draw(st.booleans())
        else Limit(top + draw(metres), "STD"),
        volumes=(*small.volumes, "SQR") if small.volumes else (),
    )
    return small, wide


@given(
    permissions(),
    st.sampled_from([25.0, 25.02, 25.05]),
    st.sampled_from([3000.0, math.nan]),
    seconds,
    seconds,
)
def test_greater_limits_never_make_a_standing_worse(
    pair: tuple[Permission, Permission], lon: float, height: float, begin: int, length: int
) -> None:
    places = flight(begin, begin + length, lon, pressure_altitude_m=height)
    ranks = []
    for permission in pair:
        excess = Excess()
        for place in places:
            add_place(excess, place, permission, SETTINGS)
        presence = Presence(places[0].time, places[-1].time, {geometry_of(permission): excess})
        ranks.append(verdict(permission, STATE, "SQR", presence, SETTINGS).rank)
    assert ranks[1] <= ranks[0]


@given(st.lists(permissions(), max_size=4))
def test_another_permission_never_makes_a_standing_worse(pairs: list[tuple[Permission, Permission]]) -> None:
    named = [replace(p, permission_id=f"P{k}") for k, (p, _) in enumerate(pairs)]
    ranks = []
    for count in range(len(named) + 1):
        found = standing(*named[:count])
        ranks.append(9 if found.best is None else found.best.rank)
    assert ranks == sorted(ranks, reverse=True)
