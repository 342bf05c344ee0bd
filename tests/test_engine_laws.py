"""The laws of docs/life-of-a-report.md: chunking, order, partition, resume, accounting, explanation."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.engine import step
from airvigil.reports import OBSERVATION_SCHEMA, empty_reports
from airvigil.state import State
from small_world import FAR_NS, SETTINGS, SKY, START_NS, events, lines, make_reports, random_rows, run

SEEDS = st.integers(0, 2**31)


def _tables(outputs: list) -> tuple[list, list]:
    points = pa.concat_tables([o.points for o in outputs]).sort_by(
        [("track_id", "ascending"), ("time", "ascending")]
    )
    margins = pa.concat_tables([o.margins for o in outputs])
    margins = margins.sort_by([("track_id", "ascending"), ("volume", "ascending"), ("time", "ascending")])
    # compared as text: NaN equals NaN
    return [repr(row) for row in points.to_pylist()], [repr(row) for row in margins.to_pylist()]


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_chunking_events_are_the_same_byte_for_byte(seed: int, batch: int) -> None:
    table = make_reports(random_rows(seed))
    whole = run(table)[1]
    parts = run(table, batch=batch)[1]
    assert lines(parts) == lines(whole)
    assert _tables(parts) == _tables(whole)


@settings(max_examples=4, deadline=None)
@given(SEEDS)
def test_chunking_one_row_at_a_time(seed: int) -> None:
    table = make_reports(random_rows(seed, count=15))
    assert lines(run(table, batch=1)[1]) == lines(run(table)[1])


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_order_within_the_allowed_lateness_does_not_matter(seed: int) -> None:
    rows = random_rows(seed)
    table = make_reports(rows)
    rng = np.random.default_rng(seed)
    received = table["received_at"].cast(pa.int64()).to_numpy()
    # a shift of less than half the allowed lateness each makes nothing late
    order = np.argsort(received + rng.uniform(0, 0.9e9, len(received)), kind="stable")
    shuffled = table.take(pa.array(order))
    state, whole = run(table)
    assert sum(a.late for a in state.intake.accounts.values()) == 0
    assert lines(run(shuffled, batch=7)[1]) == lines(whole)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_partition_by_track_gives_the_same_events_of_each_track(seed: int, shards: int) -> None:
    rows = random_rows(seed)
    names = ("spell_opened", "spell_updated", "spell_closed", "interference_opened", "interference_closed")

    def bare(outputs: list) -> list[str]:
        return sorted(
            json.dumps({k: v for k, v in e.items() if k != "seq"}, sort_keys=True)
            for e in events(outputs, *names)
        )

    parts = []
    for shard in range(shards):
        mine = [row for row in rows if int(row.get("icao24", row.get("sensor_track")), 16) % shards == shard]
        parts += bare(run(make_reports(mine))[1])
    assert sorted(parts) == bare(run(make_reports(rows))[1])


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(5, 40))
def test_resume_from_arrow_continues_identically(seed: int, batch: int) -> None:
    table = make_reports(random_rows(seed))
    assert lines(run(table, batch=batch, reload_every=2)[1]) == lines(run(table)[1])


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_copy_does_not_change_with_the_state_it_came_from(seed: int) -> None:
    table = make_reports(random_rows(seed))
    state, _ = run(table)
    before = state.to_arrow()
    copy = state.copy()
    run_again = make_reports([dict(row, time_s=row["time_s"] + 5_000_000) for row in random_rows(seed + 1)])
    step(state, run_again, None, FAR_NS * 2, SKY, SETTINGS)
    assert copy.to_arrow().equals(before)
    assert State.from_arrow(before).to_arrow().equals(before)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(1, 60))
def test_everything_received_is_accounted_for(seed: int, batch: int) -> None:
    table = make_reports(random_rows(seed))
    state, _ = run(table, batch=batch)
    total = 0
    for account in state.intake.accounts.values():
        assert account.waiting() == 0
        assert account.received == account.used + account.late + account.rejected.total()
        total += account.received
    assert total == table.num_rows


def _numbers(value: object) -> set[str]:
    """All numbers in an event's own fields, as an explanation would print them."""
    if isinstance(value, dict):
        return set().union(*(_numbers(v) for v in value.values())) if value else set()
    if isinstance(value, list):
        return set().union({str(len(value))}, *(_numbers(v) for v in value))
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return set()
    return {f"{value:.0f}", f"{value:.3f}", str(value)}


def test_the_made_up_world_makes_incidents_with_explanations() -> None:
    made = [
        e for seed in range(4) for e in events(run(make_reports(random_rows(seed)))[1], "incident_closed")
    ]
    assert made
    assert all(len(event["why"]) >= 3 for event in made)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_every_number_of_an_explanation_is_a_field_of_its_event(seed: int) -> None:
    for event in events(
        run(make_reports(random_rows(seed)))[1], "incident_opened", "incident_updated", "incident_closed"
    ):
        for reason in event["why"]:
            fields = {k: v for k, v in reason.items() if k not in ("code", "text")}
            for name in fields.keys() & event.keys():
                assert fields[name] == event[name]
            for number in re.findall(
                r"(?<![\w.])\d+(?:\.\d+)?(?![\w])",
                reason["text"].replace("(1 sigma)", "").replace("0.999", ""),
            ):
                assert number in _numbers(fields), (number, reason)


def test_observations_are_told_when_they_were_received() -> None:
    row = [
        START_NS,
        START_NS + 10**9,
        "duty officer",
        "radio_contact",
        "abcdef",
        '{"frequency_mhz":121.5}',
        None,
    ]
    table = pa.table([[v] for v in row], schema=OBSERVATION_SCHEMA)
    state, early = step(State(), empty_reports(), table, START_NS, SKY, SETTINGS)
    assert early.events == []
    state, late = step(State.from_arrow(state.to_arrow()), empty_reports(), None, FAR_NS, SKY, SETTINGS)
    assert [e["kind"] for e in late.events] == ["radio_contact"]
    assert late.events[0]["value"] == {"frequency_mhz": 121.5}


def _many_addresses(first: int, count: int, begin_s: float) -> list[dict]:
    """Addresses that are heard once each and never again, as a noisy or hostile feed has them."""
    return [
        {"time_s": begin_s + k * 0.01, "icao24": f"{first + k:06x}", "sensor_kind": "adsb"}
        for k in range(count)
    ]


def test_forgetting_silent_tracks_bounds_memory_and_changes_no_event() -> None:
    hours = SETTINGS.tracks.memory_s + 600.0
    rows = random_rows(5) + _many_addresses(0, 5000, 2_000.0)
    rows += [dict(row, time_s=row["time_s"] + hours + 3_000.0) for row in random_rows(6)]
    rows = [{**row, "received_s": row["time_s"]} for row in rows]
    rows += _many_addresses(5000, 6000, hours + 5_000.0)
    rows.sort(key=lambda row: row["time_s"])
    table = make_reports(rows)
    whole = run(table)[1]
    forgetful, parts = run(table, batch=500)
    assert lines(parts) == lines(whole)
    assert len(forgetful.tracks.keys) < 7000  # of 11,004 addresses heard
