"""Alerts of whole flights through the engine: raised, told again, cleared, and the laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from airvigil.airspace.lookahead.lookahead_book import LookaheadBook
from airvigil.airspace.margins import Airspace
from airvigil.engine import step
from airvigil.reports import empty_reports
from airvigil.state import State
from small_world import FAR_NS, SETTINGS, SKY, START_NS, events, flight, lines, make_reports, run, square

KINDS = ("lookahead_raised", "lookahead_updated", "lookahead_cleared")
TWO = Airspace(
    [
        square(),
        square("EAST", west=26.2),
        square("LAY", south=58.7, side=0.2, lower_limit_m=2000.0, vertical_reference="STD"),
    ]
)


def heading_in(**changed: Any) -> list[dict[str, Any]]:
    """From 22 km south of the square, straight into it."""
    plan = {
        "key": {"sensor_track": "7"},
        "lat": 58.8,
        "lon": 25.5,
        "north_mps": 200.0,
        "east_mps": 0.0,
        "count": 50,
    }
    return flight(**{**plan, **changed})


def turning_away() -> list[dict[str, Any]]:
    """Toward the border for a minute, then along it, 8 km off."""
    first = heading_in(count=16)
    last = first[-1]
    rest = heading_in(
        lat=last["latitude_deg"], lon=25.5, north_mps=-20.0, east_mps=200.0, count=30, begin_s=last["time_s"]
    )
    return first + rest[1:]


def told(rows: list[dict[str, Any]], **how: Any) -> list[dict[str, Any]]:
    return events(run(make_reports(rows), **how)[1], *KINDS)


def test_a_flight_into_the_square_is_told_before_it_is_there_and_cleared_as_entered() -> None:
    made = told(heading_in())
    assert [made[0]["event"], made[-1]["event"]] == ["lookahead_raised", "lookahead_cleared"]
    assert made[-1]["why"] == "entered"
    assert 85.0 < made[-1]["warning_time_s"] <= 120.0
    first = made[0]
    assert first["volume"] == "SQR"
    assert first["p_entry"] >= SETTINGS.lookahead.raise_p
    assert abs(first["expected_entry"]["latitude_deg"] - 59.0) < 1e-3
    assert first["time_to_boundary_sigma_s"] > 0.0
    assert len(first["fan"]) == 9
    assert first["fan"][4]["track_angle_deg"] == pytest.approx(first["track_angle_deg"], abs=0.01)
    assert {event["lookahead_id"] for event in made} == {first["lookahead_id"]}


def test_it_opens_no_incident_by_itself() -> None:
    outputs = run(make_reports(turning_away()))[1]
    assert events(outputs, "lookahead_raised")
    assert not events(outputs, "spell_opened", "incident_opened")


def test_turning_away_clears_it_and_the_warning_has_no_time() -> None:
    made = told(turning_away())
    assert made[0]["event"] == "lookahead_raised"
    assert made[-1]["why"] == "turned_away"
    assert made[-1]["warning_time_s"] is None
    assert made[-1]["duration_s"] > SETTINGS.lookahead.clear_s


def test_a_track_that_falls_silent_is_cleared_when_the_prediction_has_run_out() -> None:
    made = told(heading_in(count=12))
    assert made[-1]["why"] == "silent"
    last_s = heading_in(count=12)[-1]["time_s"]
    assert made[-1]["time_ns"] == START_NS + round((last_s + SETTINGS.lookahead.lookahead_s) * 1e9)


def test_flight_along_the_border_is_not_alerted() -> None:
    along = flight(
        key={"icao24": "43c001"},
        lat=58.95,
        lon=25.1,
        north_mps=0.0,
        east_mps=200.0,
        count=45,
        nac_p=9,
        nac_v=2,
        sensor_kind="adsb",
    )
    assert told(along) == []


def test_who_needs_no_permission_is_not_alerted() -> None:
    civil = heading_in(key={"icao24": "4601f7"}, sensor_kind="adsb", nac_p=8)
    assert told(civil) == []
    everybody = replace(SETTINGS, permission=replace(SETTINGS.permission, required_for=("civil",)))
    assert told(civil, settings=everybody)


def test_an_alert_ends_when_the_presence_turns_out_to_need_no_permission() -> None:
    rows = heading_in(key={"icao24": "4601f7"}, sensor_kind="adsb", nac_p=8, is_state_aircraft=True, count=20)
    for row in rows[12:]:
        row["is_state_aircraft"] = False
    made = told(rows)
    assert made[0]["event"] == "lookahead_raised"
    assert made[-1]["why"] == "not_required"


def test_a_climb_into_a_layer_is_told_before_it_is_there() -> None:
    sky = Airspace([square("LAY", lower_limit_m=3000.0, vertical_reference="STD")])
    rows = heading_in(lat=59.2, north_mps=100.0, count=60)
    for row in rows:
        row["pressure_altitude_m"] = 1500.0 + 10.0 * row["time_s"]
    made = told(rows, sky=sky)
    assert made[0]["event"] == "lookahead_raised"
    assert made[-1]["why"] == "entered"
    # 3,000 m is reached after 150 s; the rate must be known first
    assert 60.0 < made[-1]["warning_time_s"] < 120.0
    level = [dict(row, pressure_altitude_m=1500.0) for row in rows]
    assert told(level, sky=sky) == []


def test_reconstructions_are_labelled() -> None:
    made = told([dict(row, is_reconstruction=True) for row in heading_in()])
    assert made
    assert all(event["reconstruction"] for event in made)


def test_off_means_nothing_is_told() -> None:
    off = replace(SETTINGS, lookahead=replace(SETTINGS.lookahead, lookahead_s=0.0))
    assert told(heading_in(), settings=off) == []


def test_no_pair_outlives_its_deadline() -> None:
    state, _ = run(make_reports(heading_in() + turning_away()))
    assert state.lookahead == LookaheadBook()
    state, _ = step(State(), make_reports(heading_in(count=12)), None, START_NS + 40 * 10**9, SKY, SETTINGS)
    assert state.lookahead.pairs
    assert LookaheadBook.from_plain(state.lookahead.to_plain()) == state.lookahead
    state, output = step(state, empty_reports(), None, FAR_NS, SKY, SETTINGS)
    assert [event["why"] for event in output.events if event["event"] == "lookahead_cleared"] == ["silent"]


def wandering(seed: int) -> list[dict[str, Any]]:
    """Flights that head for the squares, turn, climb, fall silent and change what they say of themselves."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for k in range(4):
        lat, lon, begin = 58.75 + rng.uniform(0, 0.2), 25.2 + rng.uniform(0, 0.9), float(rng.uniform(0, 30))
        key = {"icao24": f"{0x400100 + k:06x}"} if k % 2 else {"sensor_track": str(k)}
        height = float(rng.uniform(1000, 3000))
        for _ in range(3):
            leg = flight(
                key=key, lat=lat, lon=lon, north_mps=rng.normal(60, 120), east_mps=rng.normal(0, 120),
                count=int(rng.integers(6, 20)), every_s=float(rng.choice([1.0, 4.0, 9.0])), begin_s=begin,
                sensor_kind="adsb" if k % 2 else "radar", sensor="one",
            )  # fmt: skip
            rate = rng.normal(0, 12)
            for row in leg[1:] if rows and rows[-1].get("leg") == k else leg:
                row["pressure_altitude_m"] = height + rate * (row["time_s"] - begin)
                row["is_state_aircraft"] = bool(rng.random() < 0.9)
                row["nac_p"] = int(rng.choice([8, 9, 4]))
                rows.append({**row, "leg": k})
            lat, lon = leg[-1]["latitude_deg"], leg[-1]["longitude_deg"]
            height, begin = (
                leg[-1].get("pressure_altitude_m", height),
                leg[-1]["time_s"] + float(rng.choice([1.0, 4.0, 150.0, 330.0])),
            )
    rows.sort(key=lambda row: (row["time_s"], row["leg"]))
    return [{name: value for name, value in row.items() if name != "leg"} for row in rows]


def test_the_wandering_flights_make_every_kind_of_event() -> None:
    made = [event for seed in range(12) for event in told(wandering(seed), sky=TWO)]
    assert {event["event"] for event in made} == set(KINDS)
    assert {event["why"] for event in made if "why" in event} >= {"entered", "turned_away", "silent"}


@examples(max_examples=6, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(0, 3))
def test_chunking_and_resume_change_nothing(seed: int, batch: int, reload_every: int) -> None:
    table = make_reports(wandering(seed))
    whole = lines(run(table, sky=TWO)[1])
    assert lines(run(table, sky=TWO, batch=batch, reload_every=reload_every)[1]) == whole


@examples(max_examples=4, deadline=None)
@given(st.integers(0, 2**31))
def test_order_within_the_allowed_lateness_and_partition_change_nothing(seed: int) -> None:
    rows = wandering(seed)
    table = make_reports(rows)
    received = table["received_at"].cast(pa.int64()).to_numpy()
    order = np.argsort(received + np.random.default_rng(seed).uniform(0, 0.9e9, len(received)), kind="stable")
    whole = run(table, sky=TWO)[1]
    assert lines(run(table.take(pa.array(order)), sky=TWO, batch=7)[1]) == lines(whole)

    def bare(outputs: list[Any]) -> list[str]:
        return sorted(
            repr({k: v for k, v in event.items() if k != "seq"}) for event in events(outputs, *KINDS)
        )

    parts: list[str] = []
    for adsb in (False, True):
        mine = [row for row in rows if (row["sensor_kind"] == "adsb") == adsb]
        parts += bare(run(make_reports(mine), sky=TWO)[1])
    assert sorted(parts) == bare(whole)
