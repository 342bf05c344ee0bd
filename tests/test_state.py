"""The state there and back, and what is no state of this version."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from airvigil.engine import step
from airvigil.errors import SchemaError
from airvigil.state import MARGIN_SCHEMA, POINT_SCHEMA, STATE_VERSION, State
from made_flights import path
from small_world import SETTINGS, SKY, START_NS, make_reports, random_rows


def _running() -> State:
    """A state with everything in it: waiting rows, open spells, interference, incidents, an observation."""
    state = State(receivers={"roof": (59.0, 25.0, 80.0)})
    rows = random_rows(3) + path(icao24="43c123", count=40) + path(icao24="46aaaa", count=40, nac_p=0)
    rows.sort(key=lambda row: row.get("received_s", row["time_s"]))
    state, _ = step(state, make_reports(rows), None, START_NS + 35 * 10**9, SKY, SETTINGS)
    state.observations = [{"event": "observation", "time_ns": 2**60, "value": {"a": 1}}]
    return state


def test_a_state_in_the_middle_of_everything_survives_arrow_bit_by_bit() -> None:
    state = _running()
    assert len(state.intake.pending)
    assert state.spells.open_count()
    assert state.incidents.incidents
    assert any(watch.is_open for watch in state.interference.watches.values())
    read = State.from_arrow(state.to_arrow())
    assert read.to_arrow().equals(state.to_arrow())
    assert read.receivers == state.receivers
    count = len(state.tracks.keys)
    assert read.tracks.records[:count].tobytes() == state.tracks.records[:count].tobytes()


def test_a_state_survives_a_file() -> None:
    table = _running().to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    read = pa.ipc.open_file(sink.getvalue()).read_all()
    assert State.from_arrow(read).to_arrow().equals(table)


def test_a_copy_shares_nothing() -> None:
    state = _running()
    before = state.to_arrow()
    copy = state.copy()
    assert copy.to_arrow().equals(before)
    step(copy, make_reports(random_rows(9)), None, START_NS + 10**12, SKY, SETTINGS)
    assert state.to_arrow().equals(before)


def _changed(table: pa.Table, name: str, value: object) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(
        place, table.schema.field(place), pa.array([value], table.schema.field(place).type)
    )


def test_a_state_of_another_version_is_refused() -> None:
    table = State().to_arrow()
    with pytest.raises(SchemaError, match=f"got {STATE_VERSION + 1}"):
        State.from_arrow(_changed(table, "version", STATE_VERSION + 1))


def test_a_state_with_records_of_another_layout_is_refused_and_the_message_says_so() -> None:
    table = State().to_arrow()
    layout = json.loads(table["layout"][0].as_py())
    layout["track"][0][0] = "begin"
    with pytest.raises(SchemaError, match="layout"):
        State.from_arrow(_changed(table, "layout", json.dumps(layout)))


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(SchemaError):
        State.from_arrow(pa.table({"a": [1]}))
    table = State().to_arrow()
    with pytest.raises(SchemaError):
        State.from_arrow(pa.concat_tables([table, table]))


def test_nothing_executable_is_in_a_state() -> None:
    # records as bytes with their layout, the rest JSON
    table = _running().to_arrow()
    assert json.loads(table["rest"][0].as_py())["keys"]
    assert b"pickle" not in table["tracks"][0].as_py()


def test_a_step_without_reports_gives_empty_tables_of_the_right_form() -> None:
    _, output = step(State(), make_reports([]), None, START_NS, SKY, SETTINGS)
    assert (output.events, output.points.schema, output.margins.schema) == ([], POINT_SCHEMA, MARGIN_SCHEMA)
    assert output.points.num_rows == output.margins.num_rows == 0


def test_places_of_unknown_receivers_are_nan() -> None:
    state = _running()
    places = state.receiver_table()
    known = state.intake.sensors.index("roof")
    assert places[known].tolist() == [59.0, 25.0, 80.0]
    assert np.isnan(np.delete(places, known, axis=0)).all()
