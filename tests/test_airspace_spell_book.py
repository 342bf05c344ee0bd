"""Spells of many tracks: how they end, who needs permission, and that the watermark decides nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airvigil.airspace.spells.spell_book import SpellBook, Teller, pass_time
from airvigil.airspace.spells.spell_records import NONE, find
from airvigil.engine import step
from airvigil.errors import SchemaError
from airvigil.settings import load_settings
from airvigil.state import State
from airvigil.tracking.identity import exempt_blocks, state_blocks
from airvigil.units import utc_ns, utc_text
from made_flights import Judged, Row, displaced, path
from small_world import SETTINGS, SKY, START_NS, make_reports, square

STATE = "43c0de"  # in a block of armed forces
TELLER = Teller(SETTINGS, state_blocks(SETTINGS.permission), exempt_blocks(SETTINGS.permission), SKY)


def across(**what: Any) -> list[Row]:
    """Straight north over the southern border at 59 N after 20 s."""
    return path(**{"lat": 59.0 - 20.0 * 230.0 / 111_400.0, "track_deg": 0.0, "icao24": STATE, **what})


def at(time_s: float) -> str:
    return utc_text(START_NS + round(time_s * 1e9))


# --- endings ----------------------------------------------------------------------------------------------------------


def test_a_spell_closes_thirty_seconds_after_the_exit_was_seen() -> None:
    rows = path(lat=59.0 + 20.0 * 230.0 / 111_400.0, track_deg=180.0, count=120, icao24=STATE)
    (closed,) = Judged(rows).events("spell_closed")
    left_s = (utc_ns(closed["exit"]["time"]) - START_NS) / 1e9
    assert closed["exit"]["kind"] == "crossing"
    assert left_s == pytest.approx(20.0, abs=0.2)
    # the first report with P below 0.1 is a moment later
    assert 50.0 <= (utc_ns(closed["time"]) - START_NS) / 1e9 <= 52.0


def test_a_spell_of_a_silent_track_closes_with_the_timeout_where_it_was_last_seen() -> None:
    (closed,) = Judged(across(count=60)).events("spell_closed")
    assert closed["time"] == at(59 + SETTINGS.tracks.timeout_s)
    assert (closed["exit"]["kind"], closed["exit"]["time"]) == ("last_seen", at(59))


def test_a_new_track_under_the_same_key_has_a_spell_of_its_own() -> None:
    rows = across(count=60) + path(lat=59.4, begin_s=800.0, icao24=STATE, count=60)
    first, second = Judged(rows).events("spell_closed")
    assert first["exit"]["time"] == at(59)
    assert (second["entry"]["kind"], second["entry"]["time"]) == ("first_seen", at(800))
    assert first["track_id"] != second["track_id"]


def test_the_end_does_not_depend_on_whether_reports_or_time_show_it() -> None:
    rows = across(count=60)
    later = path(lat=57.0, icao24="46bbbb", begin_s=400.0, count=3)
    (alone,) = Judged(rows).events("spell_closed")
    (shown,) = [e for e in Judged(rows + later).events("spell_closed") if e["icao24"] == STATE]
    assert {k: v for k, v in alone.items() if k != "seq"} == {k: v for k, v in shown.items() if k != "seq"}


def test_an_open_spell_is_told_before_it_ends() -> None:
    state, output = step(State(), make_reports(across(count=60)), None, START_NS + 61 * 10**9, SKY, SETTINGS)
    names = [event["event"] for event in output.events if event["event"].startswith("spell")]
    assert names == ["spell_opened", "spell_updated", "spell_updated"]
    assert [e["outcome"] for e in output.events if e["event"].startswith("spell")] == [
        "undecidable",
        "suspected",
        "probable",
    ]
    assert (len(state.spells), state.spells.open_count()) == (1, 1)


def test_pairs_that_are_silent_are_forgotten() -> None:
    judged = Judged(across(count=60))
    assert len(judged.state.spells) == 0


def test_a_spell_opens_only_once() -> None:
    judged = Judged(across(count=60, is_state_aircraft=None))
    assert [e["event"] for e in judged.events("spell_opened", "spell_closed")] == [
        "spell_opened",
        "spell_closed",
    ]


# --- permission -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "identity", "permission"),
    [
        ({"icao24": "4601f7"}, "civil", "not_required"),
        ({"icao24": STATE}, "state", "required"),
        ({"icao24": "4601f7", "is_state_aircraft": True}, "state", "required"),
        ({"icao24": "4601f7", "is_icao_address": False}, "unidentified", "required"),
        (
            {"icao24": None, "sensor_track": "12", "sensor_kind": "radar", "nac_p": None},
            "unidentified",
            "required",
        ),
    ],
)
def test_state_and_unidentified_aircraft_need_permission_and_civil_ones_do_not(
    columns: dict[str, Any], identity: str, permission: str
) -> None:
    judged = Judged(across(**columns))
    (closed,) = judged.events("spell_closed")
    assert (closed["identity"], closed["permission"]) == (identity, permission)
    assert bool(judged.events("incident_opened")) == (permission == "required")


def test_a_callsign_is_no_identity() -> None:
    judged = Judged(across(icao24=None, sensor_track="12", callsign="FIN123"))
    (closed,) = judged.events("spell_closed")
    assert (closed["identity"], closed["callsign"]) == ("unidentified", "FIN123")


def test_settings_may_require_permission_of_civil_aircraft_too() -> None:
    strict = load_settings('[permission]\nrequired_for = ["civil", "state", "unidentified"]')
    assert Judged(across(icao24="4601f7"), settings=strict).events("incident_opened")


def test_settings_may_require_permission_of_nobody() -> None:
    lax = load_settings("[permission]\nrequired_for = []")
    judged = Judged(across(), settings=lax)
    assert judged.events("spell_closed")
    assert not judged.events("incident_opened")


def test_an_aircraft_told_to_be_a_states_during_its_stay_makes_an_incident_then() -> None:
    rows = across(icao24="4601f7", count=100)
    rows[60:] = [{**row, "is_state_aircraft": True} for row in rows[60:]]
    judged = Judged(rows)
    (opened,) = judged.events("incident_opened")
    assert opened["time"] == at(60)
    assert [e["permission"] for e in judged.events("spell_opened", "spell_closed")] == [
        "not_required",
        "required",
    ]


def test_an_incident_closes_although_its_aircraft_is_then_told_to_be_civil() -> None:
    rows = across(icao24="4601f7", count=100, is_state_aircraft=True)
    rows[60:] = [{**row, "is_state_aircraft": False} for row in rows[60:]]
    judged = Judged(rows)
    (closed,) = judged.events("incident_closed")
    assert closed["exit"]["time"] == at(99)
    assert closed["members"][0]["identity"] == "civil"


# --- what an event says -----------------------------------------------------------------------------------------------


def test_an_event_names_who_where_and_by_which_sensors() -> None:
    rows = across(callsign="NATO01", squawk="7700")
    rows += [
        displaced(row, north_m=115.0, sensor_kind="mlat", sensor="net", time_s=row["time_s"] + 0.5)
        for row in across(count=55)
    ]
    (closed,) = Judged(rows).events("spell_closed")
    assert (closed["icao24"], closed["callsign"], closed["squawk"]) == (STATE, "NATO01", "7700")
    assert closed["sensor_kinds"] == ["adsb", "mlat"]
    assert closed["volume"] == "SQR"
    assert closed["spell_id"].startswith(closed["track_id"] + "/SQR/")


# --- the book ---------------------------------------------------------------------------------------------------------


def under_way() -> State:
    """A state with an open spell that has been left and re-entered once."""
    rows = path(lat=59.0 + 100.0 / 111_400.0, icao24=STATE, count=12, speed_mps=50.0, track_deg=180.0)
    rows += path(
        lat=rows[-1]["latitude_deg"], icao24=STATE, count=60, speed_mps=50.0, track_deg=0.0, begin_s=12.0
    )
    state, _ = step(State(), make_reports(rows), None, START_NS + 80 * 10**9, SKY, SETTINGS)
    return state


def test_a_book_survives_its_plain_form() -> None:
    state = under_way()
    plain = json.loads(json.dumps(state.spells.to_plain()))
    assert [len(those) for those in plain["reentries"]] == [1]
    assert json.dumps(SpellBook.from_plain(plain).to_plain()) == json.dumps(plain)


def test_a_copy_of_a_book_is_independent() -> None:
    state = under_way()
    copy, before = state.spells.copy(), json.dumps(state.spells.to_plain())
    step(state, make_reports([]), None, START_NS + 10**15, SKY, SETTINGS)
    assert len(state.spells) == 0
    assert json.dumps(copy.to_plain()) == before


@pytest.mark.parametrize("plain", [[], {}, {"layout": "another"}])
def test_a_book_of_another_layout_is_refused(plain: Any) -> None:
    with pytest.raises(SchemaError, match="another layout"):
        SpellBook.from_plain(plain)


def test_a_pair_finds_its_track_and_volume_again_under_other_numbers() -> None:
    book = under_way().spells
    (key,), (volume,) = (book.to_plain()[name] for name in ("keys", "volumes"))
    first, other = square("AAA"), square("BBB")
    book.meet(["x", "y", key], (first, *SKY.volumes, other), TELLER)
    plain = book.to_plain()
    assert (plain["keys"], plain["volumes"]) == ([key], [volume])
    assert find(book.table.pairs, book.table.first, 2, 1) != NONE
    assert find(book.table.pairs, book.table.first, 0, 1) == NONE


def test_the_spell_of_a_forgotten_track_or_volume_still_ends_under_its_name() -> None:
    state = under_way()
    state.spells.meet(["x"], (square("AAA"),), TELLER)
    (closed,) = pass_time(state.spells, START_NS + 10**15, TELLER)
    assert (closed["icao24"], closed["volume"]) == (STATE, "SQR")
    assert len(closed["reentries"]) == 1
    assert len(state.spells) == 0
