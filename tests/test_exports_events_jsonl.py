import json
import math

import numpy as np
import pytest

from airvigil.errors import DecodeError, SchemaError
from airvigil.exports.events_jsonl import canonical_line, events_jsonl, parse_events_jsonl
from example_run import example_run


def test_what_is_written_reads_back_the_same() -> None:
    events = example_run().events
    assert parse_events_jsonl(events_jsonl(events)) == events


def test_a_line_is_canonical() -> None:
    assert canonical_line({"b": 0.1, "a": ["Õ", True], "c": None}) == '{"a":["Õ",true],"b":0.1,"c":null}'


def test_order_of_keys_does_not_change_the_bytes() -> None:
    event = example_run().events[0]
    turned = dict(reversed(event.items()))
    assert list(turned) != list(event)
    assert events_jsonl([turned]) == events_jsonl([event])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_json_cannot_say_becomes_null(value: float) -> None:
    assert json.loads(canonical_line({"x": value, "y": [value]})) == {"x": None, "y": [None]}


def test_numpy_scalars_are_written_as_numbers() -> None:
    assert (
        canonical_line({"x": np.float64(0.1), "n": np.int64(3), "b": np.bool_(True)})
        == '{"b":true,"n":3,"x":0.1}'
    )


def test_a_type_without_json_is_refused() -> None:
    with pytest.raises(SchemaError, match="bytes"):
        canonical_line({"x": b"raw"})
    with pytest.raises(SchemaError, match="int"):
        canonical_line({"x": {1: 2}})


@pytest.mark.parametrize("content", [b"{", b"[1]\n", b'{"a":1}\n\xff\n', b"[" * 100_000])
def test_a_bad_file_names_its_line(content: bytes) -> None:
    with pytest.raises(DecodeError, match=r"events line \d"):
        parse_events_jsonl(content)
