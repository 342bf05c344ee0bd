"""Incidents: which spells belong together, how an incident opens, grows and closes, and what it then says."""

from __future__ import annotations

from typing import Any

import pytest

from airvigil.airspace.margins import Airspace
from airvigil.airspace.volumes import make_volume
from airvigil.engine import step
from airvigil.incidents.incidents import IncidentBook
from airvigil.settings import load_settings
from airvigil.state import State
from airvigil.units import utc_ns, utc_text
from made_flights import Judged, Row, displaced, path
from small_world import SETTINGS, SKY, START_NS, make_reports, square

INCIDENT = ("incident_opened", "incident_updated", "incident_closed")


def intruder(number: int = 0, **what: Any) -> list[Row]:
    """A state aircraft north over the southern border, 20 s after it begins."""
    return path(
        **{"lat": 59.0 - 20.0 * 230.0 / 111_400.0, "track_deg": 0.0, "icao24": f"43c00{number}", **what}
    )


def at(time_s: float) -> str:
    return utc_text(START_NS + round(time_s * 1e9))


def test_three_tracks_that_enter_together_are_one_incident_of_three_members() -> None:
    rows = intruder(0) + intruder(1, lon=25.55, begin_s=5.0) + intruder(2, lon=25.6, begin_s=10.0)
    judged = Judged(rows)
    assert len(judged.events("incident_opened")) == 1
    (closed,) = judged.events("incident_closed")
    assert [member["icao24"] for member in closed["members"]] == ["43c000", "43c001", "43c002"]
    assert closed["entry"]["time"] == closed["members"][0]["entry"]["time"]
    assert closed["exit"]["time"] == max(member["exit"]["time"] for member in closed["members"])
    assert closed["max_depth_m"] == max(member["max_depth_m"] for member in closed["members"])


def test_tracks_that_enter_far_from_each_other_are_two_incidents() -> None:
    # 0.4 degrees of longitude at 59 N are 23 km
    judged = Judged(intruder(0, lon=25.3) + intruder(1, lon=25.7))
    assert len(judged.events("incident_opened")) == 2


def test_tracks_that_enter_long_after_each_other_are_two_incidents() -> None:
    judged = Judged(intruder(0, count=300) + intruder(1, begin_s=181.0, count=60))
    assert len(judged.events("incident_opened")) == 2
    assert len(Judged(intruder(0, count=300) + intruder(1, begin_s=178.0)).events("incident_opened")) == 1


def test_how_near_and_how_soon_are_settings() -> None:
    rows = intruder(0, lon=25.3) + intruder(1, lon=25.7)
    wide = load_settings("[incidents]\njoin_distance_m = 25000.0")
    assert len(Judged(rows, settings=wide).events("incident_opened")) == 1


def test_tracks_in_different_volumes_are_different_incidents() -> None:
    sky = Airspace([square("AAA"), square("BBB")])
    judged = Judged(intruder(), sky=sky)
    assert sorted(e["volume"] for e in judged.events("incident_opened")) == ["AAA", "BBB"]


def weaving(back_after_s: float) -> list[Row]:
    """In for 60 s, out, and in again so long after leaving."""
    rows = intruder(count=80, lon=25.1)
    out = path(
        lat=58.9,
        lon=25.1,
        track_deg=90.0,
        speed_mps=70.0,
        icao24="43c000",
        begin_s=140.0,
        count=round(back_after_s) - 60,
    )
    end = out[-1]
    again = path(
        lat=59.02,
        lon=end["longitude_deg"],
        track_deg=90.0,
        icao24="43c000",
        begin_s=end["time_s"] + 60.0,
        count=40,
    )
    return rows + out + again


def test_the_same_track_back_within_the_linger_is_the_same_incident_with_two_spells() -> None:
    judged = Judged(weaving(200.0))
    assert len(judged.events("incident_opened")) == 1
    (closed,) = judged.events("incident_closed")
    assert len(closed["members"]) == 2
    assert {member["track_id"] for member in closed["members"]} == {closed["members"][0]["track_id"]}


def test_the_same_track_back_after_the_linger_is_another_incident() -> None:
    judged = Judged(weaving(600.0))
    assert len(judged.events("incident_opened")) == 2


def test_an_incident_closes_so_long_after_its_last_spell() -> None:
    judged = Judged(intruder() + intruder(1, lon=25.55, begin_s=30.0))
    last = max(utc_ns(e["time"]) for e in judged.events("spell_closed"))
    (closed,) = judged.events("incident_closed")
    assert utc_ns(closed["time"]) - last == 300 * 10**9


def test_an_incident_opens_with_the_second_report_and_rises_with_the_third() -> None:
    judged = Judged(intruder())
    told = judged.events(*INCIDENT)
    assert [(e["event"], e["outcome"]) for e in told[:2]] == [
        ("incident_opened", "suspected"),
        ("incident_updated", "probable"),
    ]
    assert told[0]["exit"] is None
    assert utc_ns(told[1]["time"]) - utc_ns(told[0]["time"]) == 10**9
    assert told[-1]["event"] == "incident_closed"


def test_a_lone_report_opens_none() -> None:
    rows = path(lat=58.5, icao24="43c000", count=30, every_s=20.0, speed_mps=230.0)
    rows[15] = displaced(rows[15], north_m=57_000.0 - 2000.0 + 1500.0)
    judged = Judged(rows)
    assert not judged.events(*INCIDENT)


def test_presence_with_identity_makes_spells_and_no_incident() -> None:
    judged = Judged(intruder(icao24="4601f7"))
    assert judged.events("spell_closed")[0]["outcome"] == "probable"
    assert not judged.events(*INCIDENT)


def test_the_name_of_an_incident_does_not_change_and_tells_volume_and_entry() -> None:
    told = Judged(intruder() + intruder(1, lon=25.55, begin_s=5.0)).events(*INCIDENT)
    assert len({event["incident_id"] for event in told}) == 1
    stamp = told[0]["entry"]["time"][:19].replace("-", "").replace(":", "")
    assert told[0]["incident_id"].startswith(f"SQR-{stamp}Z-")


def test_an_undecidable_height_makes_an_undecidable_incident_that_names_what_is_missing() -> None:
    sky = Airspace([square(upper_limit_m=6000.0, vertical_reference="MSL")])
    judged = Judged(intruder(pressure_altitude_m=None), sky=sky)
    (closed,) = judged.events("incident_closed")
    assert (closed["outcome"], closed["undecidable_for"]) == (
        "undecidable",
        ["any height: none was reported"],
    )
    assert closed["why"][-1]["code"] == "missing"


def test_a_disputed_area_names_both_states_and_is_assigned_to_neither() -> None:
    ring = square().rings[0]
    volume = make_volume("AAA|BBB", [ring], name="Disputed", kind="disputed", states=("AAA", "BBB"))
    (closed,) = Judged(intruder(), sky=Airspace([volume])).events("incident_closed")
    assert (closed["volume"], closed["volume_kind"], closed["states"]) == (
        "AAA|BBB",
        "disputed",
        ["AAA", "BBB"],
    )
    (reason,) = [reason for reason in closed["why"] if reason["code"] == "disputed"]
    assert "AAA" in reason["text"]
    assert "BBB" in reason["text"]
    assert reason["states"] == ["AAA", "BBB"]


def spoofed(number: int) -> list[Row]:
    """An airliner 150 km to the south whose positions jump to one place inside."""
    rows = path(lat=58.0, lon=25.0 + 0.2 * number, icao24=f"46000{number}", count=60)
    place = path(lat=59.1, lon=25.5, speed_mps=20.0, icao24=f"46000{number}", begin_s=60.0, count=30)
    return rows + place


@pytest.mark.parametrize(("aircraft", "outcome"), [(2, "undecidable"), (1, "probable")])
def test_an_entry_where_several_aircraft_were_sent_by_impossible_positions_is_undecidable(
    aircraft: int, outcome: str
) -> None:
    rows = [row for number in range(aircraft) for row in spoofed(number)]
    rows += path(lat=59.1, lon=25.45, icao24="43c000", begin_s=200.0, count=60)
    (closed,) = Judged(rows).events("incident_closed")
    assert (closed["outcome"], closed["shared_place"]) == (outcome, aircraft == 2)
    assert ("shared_place" in [reason["code"] for reason in closed["why"]]) == (aircraft == 2)


def test_open_interference_on_the_track_is_named_in_its_incident() -> None:
    rows = intruder(count=60)
    jammed = [{**row, "nac_p": 0} if 5 <= k < 15 else row for k, row in enumerate(rows)]
    judged = Judged(jammed)
    (opened,) = judged.events("incident_opened")
    (interference,) = judged.events("interference_opened")
    assert opened["interference"] == [interference["interference_id"]]
    assert "interference" in [reason["code"] for reason in opened["why"]]


def test_a_reconstruction_of_one_member_marks_the_incident() -> None:
    judged = Judged(intruder() + intruder(1, lon=25.55, is_reconstruction=True))
    (closed,) = judged.events("incident_closed")
    assert closed["reconstruction"] is True


def test_a_member_without_exit_leaves_the_incident_without_one() -> None:
    judged = Judged(intruder(count=60) + intruder(1, lon=25.55, count=200))
    updates = judged.events("incident_updated")
    assert updates[-2]["exit"] is None
    assert judged.events("incident_closed")[0]["exit"]["time"] == at(199)


def test_durations_run_from_first_entry_to_last_exit() -> None:
    (closed,) = Judged(intruder() + intruder(1, lon=25.55, begin_s=30.0)).events("incident_closed")
    assert closed["duration_s"] == pytest.approx(
        (utc_ns(closed["exit"]["time"]) - utc_ns(closed["entry"]["time"])) / 1e9, abs=0.06
    )
    assert closed["duration_s"] == pytest.approx(89.0 - 20.0, abs=0.3)


def test_a_book_survives_its_plain_form() -> None:
    state, _ = step(
        State(), make_reports(intruder() + spoofed(0)), None, START_NS + 61 * 10**9, SKY, SETTINGS
    )
    assert state.incidents.incidents
    assert IncidentBook.from_plain(state.incidents.to_plain()) == state.incidents
    copy = state.incidents.copy()
    copy.incidents[0].spells.clear()
    assert state.incidents.incidents[0].spells


def radar_rows(**what: Any) -> list[Row]:
    """A flight that only a radar sees."""
    fixed = {"icao24": None, "sensor_track": "9", "sensor_kind": "radar", "sensor": "hill", "nac_p": None}
    return path(**{**fixed, "pressure_altitude_m": None, "every_s": 4.0, **what})


def test_what_transponders_claim_takes_nothing_back_that_a_radar_saw() -> None:
    rows = [row for number in range(2) for row in spoofed(number)]
    rows += radar_rows(lat=58.95, lon=25.45, track_deg=0.0, begin_s=200.0, count=60)
    (closed,) = Judged(rows).events("incident_closed")
    assert (closed["outcome"], closed["shared_place"]) == ("probable", False)


def test_an_undecidable_entry_at_a_shared_place_says_what_would_settle_it() -> None:
    rows = [row for number in range(2) for row in spoofed(number)]
    rows += path(lat=59.1, lon=25.45, icao24="43c000", begin_s=200.0, count=60)
    (closed,) = Judged(rows).events("incident_closed")
    assert closed["undecidable_for"] == ["a sensor that does not depend on satellite navigation"]


def test_interference_that_opens_later_on_a_member_is_named_too() -> None:
    rows = [{**row, "nac_p": 0} if 40 <= k < 50 else row for k, row in enumerate(intruder(count=90))]
    judged = Judged(rows)
    (opened,) = judged.events("interference_opened")
    (closed,) = judged.events("incident_closed")
    assert judged.events("incident_opened")[0]["interference"] == []
    assert closed["interference"] == [opened["interference_id"]]


def test_an_incident_is_spoken_for_by_the_members_that_carry_its_outcome() -> None:
    # a degraded track deeper inside than the credible one
    deep = intruder(1, lon=25.55, count=90, nac_p=4)
    judged = Judged(intruder(0, count=50) + deep)
    (closed,) = judged.events("incident_closed")
    carrying = [m for m in closed["members"] if m["outcome"] == closed["outcome"] == "probable"]
    assert [m["icao24"] for m in carrying] == ["43c000"]
    assert max(m["max_depth_m"] for m in closed["members"]) > carrying[0]["max_depth_m"]
    assert closed["max_depth_m"] == carrying[0]["max_depth_m"]
    assert closed["robustness_radius_m"] == carrying[0]["robustness_radius_m"] > 0.0
