"""Gaps that must have led inside: told as suspected once borne out, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from airvigil.airspace.gaps.gap_spells import GapBook
from airvigil.airspace.margins import Airspace
from airvigil.engine import step
from airvigil.reports import empty_reports
from airvigil.settings import load_settings
from airvigil.state import State
from made_flights import Judged, path
from small_world import FAR_NS, SETTINGS, lines, make_reports, run, square

RADAR: dict[str, Any] = {
    **{"sensor_kind": "radar", "sensor": "radar", "nac_p": None, "icao24": None, "sensor_track": "7"},
    **{"bias_bound_m": 0.0, "covariance_ee_m2": 2500.0, "covariance_en_m2": 0.0, "covariance_nn_m2": 2500.0},
}
# A layer of 60 m, 4 degrees wide: thinner than the sigma to which the height grows in a gap
LAYER = {"lower_limit_m": 3000.0, "upper_limit_m": 3060.0, "vertical_reference": "STD"}
WIDE = {"south": 57.0, "west": 21.0, "side": 4.0}


def climb(
    *, low_m: float = 1500.0, high_m: float = 4500.0, gap_s: float = 60.0, after: int = 6, **what: Any
) -> list[dict[str, Any]]:
    """Level, silent, and level again at another height, in a straight line."""
    fixed = {"lat": 59.0, "lon": 23.0, "speed_mps": 150.0, "every_s": 4.0, **RADAR, **what}
    rows = path(count=6 + after + round(gap_s / 4.0), **fixed)
    for row in rows:
        row["pressure_altitude_m"] = low_m if row["time_s"] <= 20.0 else high_m
    return [row for row in rows if not 20.0 < row["time_s"] < 20.0 + gap_s]


def judged(rows: list[dict[str, Any]], **limits: Any) -> Judged:
    return Judged(rows, sky=Airspace([square(**{**WIDE, **LAYER, **limits})]))


def gap_spells(found: Judged) -> list[dict[str, Any]]:
    return [e for e in found.events("spell_opened", "spell_closed") if e.get("spell_kind") == "gap"]


def test_a_climb_through_a_thin_layer_in_a_long_gap_is_suspected() -> None:
    found = judged(climb())
    opened, closed = gap_spells(found)
    assert (opened["event"], closed["event"]) == ("spell_opened", "spell_closed")
    assert opened["gap_reach"] == "must_have"
    assert opened["outcome"] == "suspected"
    assert opened["gap_p"] > 0.999
    assert opened["gap_p_low"] is None
    assert (opened["reports"], opened["bridged"], opened["gap_speed_mps"]) == (0, 0, 1000.0)
    assert opened["gap_from"] < opened["entry"]["time"] <= opened["gap_to"] < opened["time"]
    (incident,) = found.events("incident_opened")
    assert incident["outcome"] == "suspected"
    (member,) = incident["members"]
    assert member["gap_reach"] == "must_have"
    (reason,) = [r for r in incident["why"] if r["code"] == "gap_must_have"]
    assert "unless it flew faster than 1000 m/s" in reason["text"]
    assert [e["outcome"] for e in found.events("incident_closed")] == ["suspected"]


@pytest.mark.parametrize(
    ("rows", "limits"),
    [
        (climb(low_m=4000.0), {}),  # over the layer all the time, as far as anybody knows
        (climb(gap_s=24.0), {}),  # shorter than gap_s
        (climb(after=0), {}),  # a lone report at the gap's end
        (climb(icao24="abc123", sensor_track=None), {}),  # civil
        (climb(low_m=2950.0), {}),  # height errors reach into the layer: not proven
        (climb(), {"vertical_reference": "MSL"}),  # no height in this reference
        (climb(), {"west": 25.0}),  # elsewhere
    ],
)
def test_without_a_proof_nothing_is_told(rows: list[dict[str, Any]], limits: dict[str, Any]) -> None:
    found = judged(rows, **limits)
    assert not gap_spells(found)
    assert not found.events("incident_opened")


def wall_crossing() -> list[dict[str, Any]]:
    rows = path(lat=59.0, lon=22.85, speed_mps=200.0, count=30, every_s=4.0, **RADAR)
    return [row for row in rows if not 20.0 < row["time_s"] < 60.0]


def test_a_wall_that_leaves_no_way_round_is_suspected_though_no_report_is_inside() -> None:
    ring = square(south=57.0, west=22.95, side=4.0)
    wall = Airspace([_wall(ring)])
    found = Judged(wall_crossing(), sky=wall)
    opened, _ = gap_spells(found)
    assert opened["gap_reach"] == "must_have"
    assert opened["gap_p_low"] > 0.99
    assert opened["max_depth_m"] > 100.0
    assert [e["outcome"] for e in found.events("incident_closed")] == ["suspected"]


def _wall(volume: Any) -> Any:
    rings = tuple(r.copy() for r in volume.rings)
    for r in rings:
        r[r[:, 1] > 24.0, 1] = 23.0
    return dataclasses.replace(volume, rings=rings)


def test_gaps_are_not_looked_at_where_the_setting_is_longer() -> None:
    rules = load_settings("[infringement]\ngap_s = 100.0")
    sky = Airspace([square(**WIDE, **LAYER)])
    assert not gap_spells(Judged(climb(), sky=sky, settings=rules))


@pytest.mark.parametrize("batch", [1, 7])
def test_batches_and_a_stored_state_change_nothing(batch: int) -> None:
    sky, table = Airspace([square(**WIDE, **LAYER)]), make_reports(climb())
    whole = lines(run(table, sky=sky)[1])
    assert any('"spell_kind": "gap"' in line or '"spell_kind":"gap"' in line for line in whole)
    assert lines(run(table, sky=sky, batch=batch)[1]) == whole
    state = State()
    outputs = []
    for k in range(len(table)):
        state, output = step(state, table.slice(k, 1), None, state.watermark, sky, SETTINGS)
        outputs.append(output)
        state = State.from_arrow(state.to_arrow())
        mark = int(table["received_at"].cast("int64")[k].as_py()) - 2_000_000_000
        state, output = step(state, empty_reports(), None, max(mark, state.watermark), sky, SETTINGS)
        outputs.append(output)
    state, output = step(state, empty_reports(), None, FAR_NS, sky, SETTINGS)
    assert lines([*outputs, output]) == whole


def test_a_book_survives_being_written() -> None:
    book = GapBook([("7", 1, 2, {"a": 1.5})])
    assert GapBook.from_plain(json.loads(json.dumps(book.to_plain()))) == book == book.copy()
