"""From description to reports: the same bytes, marked as generated, with digests that recompute."""

import dataclasses
import doctest
import hashlib
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import check_reports
from airvigil.scenarios import generator
from airvigil.scenarios.catalogue import get, list_scenarios
from airvigil.scenarios.generator import Scenario, generate
from airvigil.scenarios.sensors import AdsbReceiver

GRAZE = get("border-graze")
JAMMED = get("jammed-gulf")


def as_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def test_the_same_description_gives_the_same_bytes() -> None:
    assert as_bytes(generate(GRAZE)) == as_bytes(generate(GRAZE))
    other = dataclasses.replace(GRAZE, seed=GRAZE.seed + 1)
    assert as_bytes(generate(GRAZE)) != as_bytes(generate(other))


def test_every_row_is_marked_and_in_order_of_reception() -> None:
    for scenario in list_scenarios():
        table = check_reports(generate(scenario))
        assert table.num_rows > 100
        assert pc.all(table["is_reconstruction"]).as_py()
        received = table["received_at"].cast(pa.int64()).to_numpy()
        assert (received[1:] >= received[:-1]).all()
        assert table["reject_reason"].null_count == table.num_rows
        for name in ("time_of_applicability", "sensor", "sensor_kind", "frame_digest"):
            assert table[name].null_count == 0


def test_digests_recompute_from_the_table_alone_and_differ() -> None:
    table = generate(JAMMED)
    times = ("time_of_applicability", "received_at")
    table = table.select([name for name in table.schema.names if table[name].null_count < table.num_rows])
    for name in times:
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
    rows = table.to_pylist()
    assert len({row["frame_digest"] for row in rows}) == len(rows)
    for row in rows[:500]:
        digest = row.pop("frame_digest")
        known = {name: value for name, value in row.items() if value is not None}
        text = json.dumps(known, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).digest() == digest


def test_another_sensor_changes_nothing_in_what_the_others_saw() -> None:
    more = dataclasses.replace(JAMMED, receivers=(*JAMMED.receivers, AdsbReceiver("third", 60.4, 27.0, 50.0)))
    table = generate(more)
    others = table.filter(pc.not_equal(table["sensor"], "third"))
    assert others.num_rows < table.num_rows
    assert as_bytes(others) == as_bytes(generate(JAMMED))


def test_nobody_flying_is_an_empty_table() -> None:
    empty = Scenario("none", "none", "synthetic", "", 1, (), ())
    assert check_reports(generate(empty)).num_rows == 0


def test_the_example_in_the_documentation_runs() -> None:
    guide = Path(__file__).parent.parent / "docs" / "scenarios.md"
    (example,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, pa.Table] = {}
    exec(example, names)
    assert set(names["reports"]["sensor_track"].to_pylist()) == {"1", "2"}


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(generator)
    assert (result.attempted, result.failed) == (1, 0)
