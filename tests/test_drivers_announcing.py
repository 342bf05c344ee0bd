"""A live run tells incidents as they open and close; each has one JSON line, as final as it gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from airvigil.drivers.announcing import Announcing
from airvigil.drivers.replay import run
from airvigil.drivers.sink import NoFiles
from airvigil.exports.incident_lines import incident_lines
from airvigil.reports import empty_reports
from made_flights import path
from small_world import SETTINGS, SKY, make_reports


def test_incidents_are_told_when_they_open_and_have_their_line_when_they_close() -> None:
    people: list[str] = []
    lines: list[str] = []
    rows = make_reports(path(lat=58.97, track_deg=0.0, icao24="43c000", count=80))
    late = make_reports(path(lat=20.0, icao24="46aaaa", count=3, begin_s=4000.0))

    def tables() -> Iterator[pa.Table]:
        yield rows
        assert len(people) == 1
        assert "incident open: Square" in people[0]
        assert lines == []
        yield late  # an hour and more later
        assert len(people) == 2
        assert "incident over: Square" in people[1]
        assert len(lines) == 1
        yield empty_reports()

    result = run(tables(), SKY, SETTINGS, sink=Announcing(NoFiles(), people.append, lines.append))
    assert lines == incident_lines(result.events)
    assert json.loads(lines[0])["outcome"] == "probable"


def test_an_incident_that_is_open_at_the_end_has_its_line_then() -> None:
    people: list[str] = []
    lines: list[str] = []
    rows = make_reports(path(lat=58.97, track_deg=0.0, icao24="43c000", count=80))
    result = run([rows], SKY, SETTINGS, sink=Announcing(NoFiles(), people.append, lines.append))
    assert lines == incident_lines(result.events)
    assert len(lines) == 1
    assert len(people) == 2


def test_everything_is_passed_on_before_it_is_told() -> None:
    order: list[str] = []

    class Kept(NoFiles):
        def events(self, events: list[dict[str, Any]]) -> None:
            order.extend(event["event"] for event in events)

        def tables(self, points: pa.Table, margins: pa.Table) -> None:
            order.append(f"{points.num_rows}")

    rows = make_reports(path(lat=58.97, track_deg=0.0, icao24="43c000", count=80))
    run([rows], SKY, SETTINGS, sink=Announcing(Kept(), lambda line: order.append("told")))
    assert order.index("incident_opened") < order.index("told")
    assert "80" in order or sum(int(item) for item in order if item.isdigit()) == 80
