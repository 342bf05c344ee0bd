"""Stays against permissions, through the whole engine: what spell events say, what is told when, and the laws."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.permissions.permission_stays import MOST_TRAIL, StayBook
from airvigil.engine import step
from airvigil.reports import empty_reports
from airvigil.settings import Settings, load_settings
from airvigil.state import State
from airvigil.tracking.intake import watermark_after
from made_flights import Row, path
from small_world import FAR_NS, SETTINGS, SKY, START_NS, events, lines, make_reports, random_rows, square
from test_airspace_permissions import observation, table

S = 10**9
MINE = {
    "permission_id": "D-17",
    "kind": "diplomatic_clearance",
    "icao24": "43c000",
    "volumes": ["SQR"],
    "issuer": "Ministry",
}
PERMISSION_EVENTS = ("permission_exceeded", "permission_changed")
INCIDENT = ("incident_opened", "incident_updated", "incident_closed")


def at(seconds: float) -> str:
    return (datetime.fromtimestamp(START_NS / S, UTC) + timedelta(seconds=seconds)).isoformat()


def intruder(**what: Any) -> list[Row]:
    """A state aircraft north over the southern border, 20 s after it begins."""
    return path(
        **{"lat": 59.0 - 20.0 * 230.0 / 111_400.0, "track_deg": 0.0, "icao24": "43c000", "count": 120, **what}
    )


def run(
    rows: list[Row],
    *permissions: list,
    batch: int | None = None,
    live: bool = False,
    reload_every: int = 0,
    rule: Settings = SETTINGS,
    sky: Any = SKY,
) -> tuple[State, list]:
    """Reports and permissions as a driver gives them: all before the first report, or (live) when they are received."""
    reports = make_reports(sorted(rows, key=lambda row: row.get("received_s", row["time_s"])))
    state, outputs = State(), []
    waiting = sorted(permissions, key=lambda row: row[1])
    size = batch or max(1, reports.num_rows)
    for number, begin in enumerate(range(0, reports.num_rows, size)):
        part = reports.slice(begin, size)
        watermark = watermark_after(state.intake, part, rule.time)
        given_now = [row for row in waiting if not live or row[1] < watermark]
        waiting = [row for row in waiting if row not in given_now]
        state, output = step(state, part, table(*given_now) if given_now else None, watermark, sky, rule)
        outputs.append(output)
        if reload_every and number % reload_every == 0:
            state = State.from_arrow(state.to_arrow())
    state, output = step(state, empty_reports(), table(*waiting) if waiting else None, FAR_NS, sky, rule)
    return state, [*outputs, output]


def known(value: dict[str, Any], seconds: float | None = None, **more: Any) -> list:
    return observation(value, known=0 if seconds is None else START_NS + round(seconds * S), **more)


def told(outputs: list) -> list[tuple[str, str]]:
    return [(e["event"], e["permission"]) for e in events(outputs, *PERMISSION_EVENTS)]


# --- what is told -----------------------------------------------------------------------------------------------------


def test_without_permissions_events_say_that_one_is_required() -> None:
    _, outputs = run(intruder())
    assert {e["permission"] for e in events(outputs, "spell_opened", "spell_closed")} == {"required"}
    assert events(outputs, *PERMISSION_EVENTS) == []
    assert events(outputs, "incident_closed")[0]["permission"] == "required"


def test_presence_with_permission_is_no_incident() -> None:
    _, outputs = run(intruder(), known(MINE))
    closed = events(outputs, "spell_closed")[0]
    assert (closed["permission"], closed["permission_id"], closed["permission_issuer"]) == (
        "granted",
        "D-17",
        "Ministry",
    )
    assert closed["outcome"] == "probable"  # presence is a fact all the same
    assert events(outputs, *INCIDENT) == []


def test_the_permission_of_another_changes_nothing() -> None:
    with_it, without = run(intruder(), known({**MINE, "icao24": "43c001"}))[1], run(intruder())[1]
    strip = [e for o in with_it for e in o.events if e["event"] != "observation"]
    assert [{**e, "seq": 0} for e in strip] == [{**e, "seq": 0} for o in without for e in o.events]


def test_civil_traffic_needs_none_and_is_not_looked_up() -> None:
    state, outputs = run(intruder(icao24="4601f7"), known({**MINE, "icao24": "4601f7"}))
    assert events(outputs, "spell_closed")[0]["permission"] == "not_required"
    assert state.stays.stays == []


def test_a_permission_that_lapses_inside_opens_an_incident_from_then_on_and_says_by_how_much() -> None:
    _, outputs = run(intruder(), known({**MINE, "valid_to": at(60)}))
    (exceeded,) = events(outputs, "permission_exceeded")
    assert exceeded["time_ns"] == START_NS + 61 * S
    assert (exceeded["permission_before"], exceeded["permission"]) == ("granted", "lapsed")
    assert exceeded["permission_excess_s"] == 1.0
    opened = events(outputs, "incident_opened")[0]
    assert opened["time_ns"] == exceeded["time_ns"]
    closed = events(outputs, "incident_closed")[0]
    assert closed["permission"] == "lapsed"
    assert closed["members"][0]["permission_excess_s"] == pytest.approx(59.0, abs=0.1)
    (reason,) = [r for r in closed["why"] if r["code"] == "permission_lapsed"]
    assert reason["permission_excess_s"] == closed["members"][0]["permission_excess_s"]
    assert "'D-17'" in reason["text"]


def test_leaving_a_corridor_opens_an_incident_and_says_how_far_and_how_surely() -> None:
    # the flight goes north on 25.5 E; the corridor turns away from it at 59.1 N
    corridor = {**MINE, "route": [[58.9, 25.5], [59.1, 25.5], [59.2, 25.8]], "half_width_m": 1000.0}
    _, outputs = run(intruder(), known(corridor))
    (exceeded,) = events(outputs, "permission_exceeded")
    assert exceeded["permission"] == "exceeded"
    assert exceeded["permission_p_outside"] >= 0.95
    closed = events(outputs, "incident_closed")[0]
    member = closed["members"][0]
    assert member["permission_excess_m"] > exceeded["permission_excess_m"]
    assert member["permission_excess_sigma_m"] > 0.0


def test_heights_beyond_a_permission_are_an_excess() -> None:
    _, outputs = run(intruder(), known({**MINE, "upper": "FL300"}))
    closed = events(outputs, "spell_closed")[0]
    assert (closed["permission"], closed["permission_vertical_excess_m"]) == ("exceeded", 1524.0)


def test_a_permission_found_later_makes_the_open_incident_permitted_and_deletes_nothing() -> None:
    _, outputs = run(intruder(), known(MINE, 70))
    assert told(outputs) == [("permission_changed", "granted")]
    incidents = events(outputs, *INCIDENT)
    outcomes = [(e["event"], e["outcome"], e["permission"]) for e in incidents]
    assert outcomes[0] == ("incident_opened", "suspected", "required")
    assert outcomes[2] == ("incident_updated", "permitted", "granted")
    assert outcomes[-1] == ("incident_closed", "permitted", "granted")
    assert incidents[2]["time_ns"] == START_NS + 70 * S
    assert [r["code"] for r in incidents[2]["why"]][-1] == "permission_granted"
    assert "permission_required" not in [r["code"] for r in incidents[2]["why"]]


def test_a_permission_found_later_is_tested_against_the_past() -> None:
    aside = {**MINE, "route": [[58.9, 25.5], [59.1, 25.5], [59.2, 25.8]], "half_width_m": 1000.0}
    # outside the corridor from about 59.12 N, some 80 s after the beginning
    _, outputs = run(intruder(), known(aside, 115))
    (changed,) = events(outputs, *PERMISSION_EVENTS)
    assert (changed["event"], changed["permission"]) == ("permission_changed", "exceeded")
    _, blind = run(intruder(), known(aside, 115), rule=load_settings("[permission]\ntrail_s = 0.0"))
    assert events(blind, *PERMISSION_EVENTS)[0]["permission"] in ("ambiguous", "exceeded")


def test_a_permission_found_after_the_stay_still_reaches_its_open_incident() -> None:
    _, outputs = run(intruder(), known(MINE, 119 + 300 + 100))
    assert [e["outcome"] for e in events(outputs, "incident_closed")] == ["permitted"]
    _, late = run(intruder(), known(MINE, 119 + 300 + 301))
    assert [e["outcome"] for e in events(late, "incident_closed")] == ["probable"]
    assert told(late) == [("permission_changed", "granted")]


def test_a_withdrawal_ends_a_permission_and_what_was_covered_stays_covered() -> None:
    gone = {"permission_id": "D-17", "withdrawn": True}
    _, outputs = run(intruder(), known(MINE), known(gone, 60))
    (exceeded,) = events(outputs, "permission_exceeded")
    assert (exceeded["permission"], exceeded["permission_excess_s"]) == ("lapsed", 1.0)
    _, before = run(intruder(), known(MINE), known(gone, 10_000))
    assert events(before, *INCIDENT) == []


def test_a_permission_that_proves_wrong_after_the_stay_opens_an_incident_then() -> None:
    _, outputs = run(intruder(), known(MINE), known({**MINE, "volumes": ["XYZ"]}, 600))
    (opened,) = events(outputs, "incident_opened")
    assert opened["time_ns"] == START_NS + 600 * S
    (closed,) = events(outputs, "incident_closed")
    assert closed["time_ns"] == START_NS + 900 * S
    assert [r["code"] for r in opened["why"]][-1] == "permission_near_miss"


def test_a_callsign_that_belongs_to_another_address_is_ambiguous_and_the_incident_says_so() -> None:
    _, outputs = run(intruder(callsign="GAF612"), known({**MINE, "icao24": "43c001", "callsign": "GAF612"}))
    closed = events(outputs, "incident_closed")[0]
    assert closed["permission"] == "ambiguous"
    (reason,) = [r for r in closed["why"] if r["code"] == "permission_ambiguous"]
    assert "icao24 differs: 43c001 permitted, 43c000 seen" in reason["text"]


def test_one_of_two_members_with_permission_leaves_the_incident_to_the_other() -> None:
    rows = intruder() + intruder(icao24="43c001", lon=25.55, begin_s=5.0)
    _, outputs = run(rows, known(MINE, 70))
    closed = events(outputs, "incident_closed")[0]
    assert (closed["outcome"], closed["permission"]) == ("probable", "required")
    assert {m["icao24"]: m["permission"] for m in closed["members"]} == {
        "43c000": "granted",
        "43c001": "required",
    }


def test_a_second_stay_is_judged_by_itself() -> None:
    """Outside its permission in the first stay, within it in the second."""
    out = path(
        lat=58.98, lon=25.5, track_deg=180.0, icao24="43c000", begin_s=140.0, count=60, speed_mps=100.0
    )
    again = path(
        lat=58.96, lon=25.5, track_deg=0.0, icao24="43c000", begin_s=260.0, count=100, speed_mps=100.0
    )
    rows = intruder(count=60, speed_mps=150.0, lat=58.98) + out + again
    _, outputs = run(rows, known({**MINE, "valid_from": at(250)}))
    assert [e["permission"] for e in events(outputs, "spell_closed")] == ["not_yet", "granted"]


def test_what_cannot_be_read_is_told_and_changes_nothing() -> None:
    _, outputs = run(intruder(), known({"permission_id": "D-17"}))
    (refused,) = events(outputs, "permission_refused")
    assert "kind: expected a value" in refused["reason"]
    assert events(outputs, "incident_closed")[0]["permission"] == "required"


def test_a_long_stay_keeps_a_bounded_trail() -> None:
    rows = path(lat=59.5, lon=25.1, speed_mps=60.0, turn_deg_s=2.0, icao24="43c000", count=1500, every_s=10.0)
    state, _ = step(State(), make_reports(rows), None, START_NS + 14_000 * S, SKY, SETTINGS)
    (stay,) = state.stays.stays
    assert MOST_TRAIL / 2 <= len(stay.trail) <= MOST_TRAIL
    assert stay.spacing == 20 * S
    plain = json.dumps(state.stays.to_plain())  # NaN equals NaN as text
    assert json.dumps(StayBook.from_plain(json.loads(plain)).to_plain()) == plain


# --- laws -------------------------------------------------------------------------------------------------------------

SEEDS = st.integers(0, 2**31)


def made_permissions(seed: int) -> list[list]:
    """Permissions for the aircraft of `random_rows`, of every kind, some found later, lapsed, withdrawn or wrong."""
    span = [seed % 170, 60 + seed % 230]
    near = {"volumes": ["SQR"], "kind": "agreement"}
    return [
        known({**near, "permission_id": "A", "icao24": "400101", "valid_to": at(span[0])}, seed % 3 * 40),
        known({**near, "permission_id": "B", "icao24": "400103", "route": [[58.9, 25.2], [59.1, 25.7]], "half_width_m": 3000}, span[1]),
        known({**near, "permission_id": "C", "callsign": "TEST", "valid_from": at(span[0])}, 20),
        known({**near, "permission_id": "D", "anyone": True, "upper": "FL100", "valid_to": at(100)}, 90),
        known({"permission_id": "C", "withdrawn": True}, 150),
        known({**near, "permission_id": "A", "icao24": "400101", "volumes": ["*"]}, 200 + seed % 50),
        known({"permission_id": "Z"}, 50),
    ]  # fmt: skip


EVERYBODY = load_settings('[permission]\nrequired_for = ["civil", "state", "unidentified"]\ntrail_s = 5.0')


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_chunking_and_resuming_change_nothing(seed: int, batch: int) -> None:
    rows, permissions = random_rows(seed), made_permissions(seed)
    whole = lines(run(rows, *permissions, rule=EVERYBODY)[1])
    assert lines(run(rows, *permissions, batch=batch, rule=EVERYBODY)[1]) == whole
    assert lines(run(rows, *permissions, batch=batch, reload_every=2, rule=EVERYBODY)[1]) == whole


@settings(max_examples=12, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_permissions_that_come_when_they_are_received_give_the_same_as_all_at_once(
    seed: int, batch: int
) -> None:
    rows, permissions = random_rows(seed), made_permissions(seed)
    whole = lines(run(rows, *permissions, rule=EVERYBODY)[1])
    assert lines(run(rows, *permissions, batch=batch, live=True, rule=EVERYBODY)[1]) == whole


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_in_which_permissions_arrive_changes_nothing(seed: int, random: Any) -> None:
    rows, permissions = random_rows(seed), made_permissions(seed)
    shuffled = list(permissions)
    random.shuffle(shuffled)

    def bare(outputs: list) -> list[str]:
        # observations of one instant are told in the order in which they came
        return [
            json.dumps({**e, "seq": 0}, sort_keys=True)
            for o in outputs
            for e in o.events
            if e["event"] != "observation"
        ]

    assert bare(run(rows, *shuffled, rule=EVERYBODY)[1]) == bare(run(rows, *permissions, rule=EVERYBODY)[1])


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_partition_by_track_gives_the_same_permission_events(seed: int, shards: int) -> None:
    rows, permissions = random_rows(seed), made_permissions(seed)
    names = ("spell_opened", "spell_updated", "spell_closed", *PERMISSION_EVENTS)

    def bare(outputs: list) -> list[str]:
        return sorted(json.dumps({**e, "seq": 0}, sort_keys=True) for e in events(outputs, *names))

    parts: list[str] = []
    for shard in range(shards):
        mine = [row for row in rows if int(row.get("icao24", row.get("sensor_track")), 16) % shards == shard]
        parts += bare(run(mine, *permissions, rule=EVERYBODY)[1])
    assert sorted(parts) == bare(run(rows, *permissions, rule=EVERYBODY)[1])


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_every_number_of_an_explanation_is_a_field_beside_it(seed: int) -> None:
    cited = 0
    for event in events(run(random_rows(seed), *made_permissions(seed), rule=EVERYBODY)[1], *INCIDENT):
        for reason in event["why"]:
            fields = {k: v for k, v in reason.items() if k not in ("code", "text")}
            # names in quotes and what identifiers spell are text, and stand in the fields as text
            text = re.sub(r"'[^']*'", "", reason["text"]).replace("(1 sigma)", "").replace("0.999", "")
            for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])", text):
                assert number in numbers(fields) or number in json.dumps(fields), (number, reason)
                cited += 1
    assert cited > 0 or not events(run(random_rows(seed))[1], *INCIDENT)


def numbers(value: Any) -> set[str]:
    """All numbers in fields, as an explanation would print them."""
    if isinstance(value, dict):
        return set().union(*map(numbers, value.values()))
    if isinstance(value, list):
        return set().union(*map(numbers, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return set()
    return {f"{value:.0f}", f"{value:.1f}", f"{value:.3f}", str(value)}


def test_the_made_up_world_has_every_standing() -> None:
    found = {
        e["permission"]
        for seed in range(12)
        for e in events(
            run(random_rows(seed), *made_permissions(seed * 37), rule=EVERYBODY)[1],
            "spell_closed",
            *PERMISSION_EVENTS,
        )
    }
    assert {"granted", "lapsed", "required", "exceeded"} <= found, found


def test_events_leave_in_order_of_time() -> None:
    for seed in range(6):
        _, outputs = run(random_rows(seed), *made_permissions(seed), batch=11, rule=EVERYBODY)
        times = [e["time_ns"] for o in outputs for e in o.events]
        assert times == sorted(times)


def test_a_state_with_stays_survives_arrow() -> None:
    rows = random_rows(3)
    state, _ = step(
        State(), make_reports(rows), table(*made_permissions(3)), START_NS + 100 * S, SKY, EVERYBODY
    )
    assert state.stays.stays
    assert state.permissions.entries
    again = State.from_arrow(state.to_arrow())
    assert again.to_arrow().equals(state.to_arrow())
    copy = state.copy()
    step(state, empty_reports(), None, FAR_NS, SKY, EVERYBODY)
    assert copy.to_arrow().equals(again.to_arrow())


def test_two_volumes_are_two_stays() -> None:
    from airvigil.airspace.margins import Airspace

    sky = Airspace([square("AAA"), square("BBB")])
    _, outputs = run(intruder(), known({**MINE, "volumes": ["AAA"]}), sky=sky)
    assert {e["volume"]: e["permission"] for e in events(outputs, "spell_closed")} == {
        "AAA": "granted",
        "BBB": "required",
    }
    assert isinstance(outputs[0].points, pa.Table)
