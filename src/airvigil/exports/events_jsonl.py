"""`events.jsonl`: one event a line, canonical, so that equal events are equal bytes.

Rules
- Keys sorted by code point, no spaces, UTF-8 without escapes, `\\n` after every line.
- Floats as Python's shortest text that reads back to the same double.
- JSON has no NaN and no infinity: unknown and unlimited are both null.
- The order of lines is the order of the events given.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from airvigil.errors import DecodeError, SchemaError


def jsonable(value: Any) -> Any:
    """The value as plain JSON types; NumPy scalars unwrapped, non-finite floats as None.

    Raises:
        SchemaError: a type that JSON lacks, or a key that is not text.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SchemaError(f"event key: expected text, got {type(key).__name__}")
        return {key: jsonable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(entry) for entry in value]
    raise SchemaError(f"event value: JSON has no {type(value).__name__}")


def canonical_line(value: Mapping[str, Any]) -> str:
    """One object as canonical JSON, without the line end.

    Example:
        >>> canonical_line({"b": 0.1, "a": "Õ", "c": float("nan")})
        '{"a":"Õ","b":0.1,"c":null}'
    """
    return json.dumps(
        jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def events_jsonl(events: Iterable[Mapping[str, Any]]) -> bytes:
    """The whole file."""
    return b"".join((canonical_line(event) + "\n").encode("utf-8", "backslashreplace") for event in events)


def parse_events_jsonl(content: bytes) -> list[dict[str, Any]]:
    """Read a file made by `events_jsonl`.

    Raises:
        DecodeError: a line that is not a JSON object, with its number.
    """
    events: list[dict[str, Any]] = []
    for count, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"events line {count}: not JSON") from error
        if not isinstance(event, dict):
            raise DecodeError(f"events line {count}: expected an object, got {type(event).__name__}")
        events.append(event)
    return events
