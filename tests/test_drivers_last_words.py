"""What a run keeps in memory: the latest event of everything found, enough for every export."""

from __future__ import annotations

from typing import Any

import pytest

from airvigil.drivers.last_words import LastWords
from airvigil.drivers.replay import run
from airvigil.drivers.sink import NoFiles
from airvigil.exports.incident_lines import incident_lines
from airvigil.exports.report import report_html
from airvigil.state import MARGIN_SCHEMA, POINT_SCHEMA
from made_flights import path
from small_world import SETTINGS, SKY, make_reports, random_rows


class Told(NoFiles):
    """A sink that keeps every event."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def events(self, events: list[dict[str, Any]]) -> None:
        self.all += events


def crossing(icao24: str) -> list[dict[str, Any]]:
    return path(lat=58.97, track_deg=0.0, icao24=icao24, count=80)


@pytest.mark.parametrize(
    "rows", [crossing("43c000"), crossing("4601f7"), random_rows(11), random_rows(5)], ids="sca5"
)
def test_exports_of_what_is_kept_are_those_of_every_event(rows: list[dict[str, Any]]) -> None:
    told = Told()
    result = run([make_reports(rows)], SKY, SETTINGS, sink=told)
    kept = result.events
    assert incident_lines(kept) == incident_lines(told.all)
    points, margins = POINT_SCHEMA.empty_table(), MARGIN_SCHEMA.empty_table()
    pages = [
        report_html(events, points, margins, volumes=SKY.volumes, coastline=[]) for events in (kept, told.all)
    ]
    assert pages[0] == pages[1]
    assert [event["seq"] for event in kept] == sorted(event["seq"] for event in kept)


def spell(name: str, seq: int, event: str = "spell_opened", **other: Any) -> dict[str, Any]:
    end = {"time": "2025-09-19T06:58:00.000Z", "kind": "crossing", "latitude_deg": 1.0, "longitude_deg": 2.0}
    rest = dict.fromkeys(("track_id", "icao24", "volume", "outcome", "duration_s", "reconstruction", "time"))
    return {
        **rest,
        "event": event,
        "seq": seq,
        "spell_id": name,
        "permission": "required",
        "entry": end,
        "exit": None,
        "reentries": [],
        "squawk": "1000",
        **other,
    }


def test_memory_does_not_grow_with_how_often_a_thing_is_told() -> None:
    words = LastWords()
    for k in range(1000):
        words.take([spell("a", k, "spell_updated"), {"event": "observation", "seq": k}])
    assert [event["seq"] for event in words.events()] == [999]


def test_a_closed_stay_without_need_of_permission_is_kept_short_unless_an_incident_names_it() -> None:
    words = LastWords()
    words.take(
        [{"event": "incident_opened", "seq": 1, "incident_id": "i", "members": [{"spell_id": "member"}]}]
    )
    for k, name in enumerate(("member", "other"), start=2):
        words.take([spell(name, k, "spell_closed", permission="not_required")])
    _, member, other = words.events()
    assert member["squawk"] == "1000"
    assert "squawk" not in other
    assert other["entry"] == {"time": "2025-09-19T06:58:00.000Z", "kind": "crossing"}
    assert other["exit"] is None


def test_a_change_of_permission_is_kept_as_the_last_word_on_its_stay() -> None:
    words = LastWords()
    told = spell("a", 1, "spell_updated", permission="granted", permission_id="D-17")
    change = {
        "event": "permission_exceeded",
        "seq": 2,
        "time": "t",
        "spell_id": told["spell_id"],
        "spell": told,
    }
    words.take(
        [told, {**change, "permission": "lapsed", "permission_id": "D-17", "permission_before": "granted"}]
    )
    (kept,) = words.events()
    assert (kept["event"], kept["seq"]) == ("spell_updated", 2)
    assert (kept["permission"], kept["permission_id"]) == ("lapsed", "D-17")
    assert "permission_before" not in kept
