"""Real recordings beside a scenario: moved in time, named so, and otherwise untouched."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from airvigil.errors import SchemaError
from airvigil.reports import empty_reports, reports_from_columns
from airvigil.scenarios.background import shift_time, with_background
from airvigil.scenarios.catalogue import get
from airvigil.scenarios.generator import generate

S = 1_000_000_000
OLD = 1_543_225_095 * S


def recording(seconds: list[float]) -> pa.Table:
    n = len(seconds)
    times = [OLD + round(s * S) for s in seconds]
    return reports_from_columns(
        {
            "time_of_applicability": times,
            "received_at": [t + S for t in times],
            "last_position": [None if i % 2 else t - 5 * S for i, t in enumerate(times)],
            "sensor": ["recorder"] * n,
            "sensor_kind": ["state_vector"] * n,
            "frame_digest": [bytes([i]) * 32 for i in range(n)],
            "icao24": ["4ab179"] * n,
            "latitude_deg": [55.0 + i for i in range(n)],
            "longitude_deg": [14.0] * n,
        },
        length=n,
    )


def ns(table: pa.Table, name: str) -> list[int | None]:
    return table[name].cast(pa.int64()).to_pylist()


def test_all_times_move_alike_and_the_sensor_says_so() -> None:
    before = recording([10.0, 0.0, 3600.0])
    after = shift_time(before, 2_000 * S)
    assert ns(after, "received_at") == [2_010 * S, 2_000 * S, 5_600 * S]
    assert ns(after, "time_of_applicability") == [2_009 * S, 1_999 * S, 5_599 * S]
    assert ns(after, "last_position") == [2_004 * S, None, 5_594 * S]
    assert set(after["sensor"].to_pylist()) == {"recorder (time-shifted)"}
    moved = ("received_at", "time_of_applicability", "last_position", "sensor")
    kept = [name for name in before.schema.names if name not in moved]
    assert after.select(kept).equals(before.select(kept))
    assert after.schema.equals(before.schema, check_metadata=True)
    assert not pc.any(after["is_reconstruction"]).as_py()


def test_shifting_twice_says_it_once() -> None:
    twice = shift_time(shift_time(recording([0.0]), S), 2 * S)
    assert twice["sensor"].to_pylist() == ["recorder (time-shifted)"]


def test_background_begins_with_the_scenario_and_ends_with_it() -> None:
    scenario = generate(get("border-graze"))
    first, last = ns(scenario, "received_at")[0], ns(scenario, "received_at")[-1]
    assert first is not None
    assert last is not None
    both = with_background(scenario, recording([0.0, 60.0, 100_000.0]))
    real = both.filter(pc.invert(both["is_reconstruction"]))
    assert ns(real, "received_at") == [first, first + 60 * S]
    assert real["latitude_deg"].to_pylist() == [55.0, 56.0]
    assert both.num_rows == scenario.num_rows + 2
    received = ns(both, "received_at")
    assert received == sorted(received)
    assert max(received) == last


def test_nothing_shifts_to_nothing() -> None:
    assert shift_time(empty_reports(), S).num_rows == 0
    assert with_background(empty_reports(), recording([0.0])).num_rows == 0
    scenario = generate(get("border-graze"))
    assert with_background(scenario, empty_reports()).num_rows == scenario.num_rows


def test_what_is_no_report_table_is_refused() -> None:
    with pytest.raises(SchemaError):
        shift_time(pa.table({"received_at": [1]}), S)
