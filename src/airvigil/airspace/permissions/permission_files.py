"""Files of permissions become observations: CSV, JSON, or flight plan messages as they are sent.

Which of them a file is, its first sign says: `{` or `[` JSON, `(` or `#` messages, else CSV with a header line.

Rules
- A file that is not of its form is one error. A row that cannot be used is rejected with file, line, field and value, and the
  others are taken: nothing is guessed, and nobody loses a permission to a neighbour's slip.
- `received_at` is when it became known. Where a file does not say, it is taken as known from the start, and `source` says so.
- `withdrawn_at` ends a permission from then on, and becomes known then.
- Bounded: MOST_BYTES, MOST_PERMISSIONS, and the lengths of `permission_values` and `flight_plan`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from airvigil.airspace.permissions.flight_plan import plan_value, read_cancellation, read_plan
from airvigil.airspace.permissions.permission_values import FIELDS, instant, permission_values, place
from airvigil.airspace.permissions.permissions import OBSERVATION_KIND
from airvigil.errors import ConfigError
from airvigil.reports import OBSERVATION_SCHEMA

MOST_BYTES = 64 * 1024 * 1024
MOST_PERMISSIONS = 200_000
MOST_POINTS = 200_000
FROM_THE_START_NS = 0
LATEST_NS = 2**62  # what is later than the engine's end of time is a slip of the pen
COLUMNS = (*FIELDS, "fpl", "received_at", "withdrawn_at")
Points = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class _Found:
    """Observations so far, and why others were rejected."""

    rows: list[list[Any]] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)

    def add(self, value: dict[str, Any], known_ns: int | None, applies_ns: int, where: str) -> None:
        known = FROM_THE_START_NS if known_ns is None else known_ns
        said = "" if known_ns is not None else "; when it was received is not stated: known from the start"
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        author = value.get("issuer") or "not stated"
        self.rows.append([applies_ns, known, author, OBSERVATION_KIND, None, text, where + said])


def observations_of_permissions(raw: bytes, name: str) -> tuple[pa.Table, list[str]]:
    """The permissions of a file as observations.

    Args:
        raw: the file's bytes.
        name: how messages call it.

    Returns:
        (table with OBSERVATION_SCHEMA, why each of the others was rejected).

    Raises:
        ConfigError: too large, not UTF-8, or not of its form as a whole.

    Example:
        >>> raw = b"permission_id,kind,icao24,volumes\\nD-17,diplomatic_clearance,43c0de,EST\\nD-18,favour,43c0df,EST\\n"
        >>> table, rejected = observations_of_permissions(raw, "list.csv")
        >>> table.num_rows, rejected[0][:31]
        (1, 'list.csv line 3: kind: expected')
    """
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{name}: expected at most {MOST_BYTES:,} bytes, got {len(raw):,}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not UTF-8 text: byte {error.start}") from error
    sign = text.lstrip()[:1]
    rows = _json_rows if sign in ("{", "[") else _message_rows if sign in ("(", "#") else _csv_rows
    found = _Found()
    for number, (where, row, points) in enumerate(rows(text, name)):
        if number >= MOST_PERMISSIONS:
            raise ConfigError(f"{name}: expected at most {MOST_PERMISSIONS:,} permissions")
        try:
            _take(row, points, where, found)
        except ConfigError as error:
            found.rejected.append(str(error))
    columns = list(zip(*found.rows, strict=True)) or [()] * len(OBSERVATION_SCHEMA)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, OBSERVATION_SCHEMA, strict=True)]
    return pa.table(arrays, schema=OBSERVATION_SCHEMA), found.rejected


Row = tuple[str, Any, Points]


def _csv_rows(text: str, name: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(header, name)
        for cells in reader:
            where = f"{name} line {reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            row: Any = cells
            if len(cells) == len(header):
                row = {k: cell.strip() for k, cell in zip(header, cells, strict=True) if cell.strip()}
            yield where, row, {}
    except csv.Error as error:
        raise ConfigError(f"{name} line {reader.line_num}: not CSV: {error}") from error


def _check_header(header: list[str], name: str) -> None:
    for column in header:
        if column not in COLUMNS:
            raise ConfigError(
                f"{name} line 1: unknown column {column[:40]!r}", hint=f"columns are {', '.join(COLUMNS)}"
            )
    twice = next((c for c in header if header.count(c) > 1), None)
    if twice is not None:
        raise ConfigError(f"{name} line 1: column {twice} stands there twice")
    if not ({"permission_id", "kind"} <= set(header) or "fpl" in header):
        raise ConfigError(
            f"{name} line 1: expected the columns permission_id and kind, got {', '.join(header)}"
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _json_rows(text: str, name: str) -> Iterator[Row]:
    try:
        tree = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: not JSON: {error}") from error
    if isinstance(tree, list):
        tree = {"permissions": tree}
    unknown = set(tree) - {"permissions", "points"}
    if unknown or not isinstance(tree.get("permissions"), list):
        raise ConfigError(
            f"{name}: expected a list, or an object with `permissions` and perhaps `points`, got {sorted(tree)[:6]}"
        )
    points = _points_of(tree.get("points") or {}, name)
    for number, row in enumerate(tree["permissions"]):
        yield f"{name} permissions[{number}]", row, points


def _points_of(value: Any, name: str) -> Points:
    if not isinstance(value, Mapping) or len(value) > MOST_POINTS:
        raise ConfigError(f"{name}: points: expected an object of at most {MOST_POINTS:,} names")
    return {str(word).upper(): place(at, f"{name} points", str(word)[:20]) for word, at in value.items()}


def _message_rows(text: str, name: str) -> Iterator[Row]:
    begun: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = first if begun else number
        begun.append(line)
        if line.rstrip().endswith(")") or len(begun) > 100:
            yield f"{name} line {first}", {"fpl": "\n".join(begun)}, {}
            begun = []
    if begun:
        yield f"{name} line {first}", {"fpl": "\n".join(begun)}, {}


def _take(row: Any, points: Points, where: str, found: _Found) -> None:
    """One row as one or two observations."""
    if not isinstance(row, Mapping):
        count = f"{len(row)} cells" if isinstance(row, list) else repr(row)[:40]
        raise ConfigError(f"{where}: expected a value for each column, got {count}")
    value = {name: item for name, item in row.items() if item not in (None, "", [])}
    times = [_instant(value.pop(name, None), where, name) for name in ("received_at", "withdrawn_at")]
    known_ns, withdrawn_ns = times
    message = value.pop("fpl", None)
    if message is not None:
        if not isinstance(message, str):
            raise ConfigError(f"{where}: fpl: expected the text of a message, got {str(message)[:40]!r}")
        if message.lstrip().startswith("(CNL"):
            _cancel(message, known_ns, where, found)
            return
        value = {
            **plan_value(read_plan(message, points=points, received_ns=known_ns, where=where), message),
            **value,
        }
    permission_values(value, where=where)
    if known_ns is not None and withdrawn_ns is not None and withdrawn_ns < known_ns:
        raise ConfigError(f"{where}: withdrawn_at is before received_at")
    found.add(value, known_ns, FROM_THE_START_NS if known_ns is None else known_ns, where)
    if withdrawn_ns is not None:
        withdrawal = {"permission_id": value["permission_id"], "withdrawn": True}
        if "issuer" in value:
            withdrawal["issuer"] = value["issuer"]
        found.add(withdrawal, withdrawn_ns, withdrawn_ns, where)


def _cancel(message: str, known_ns: int | None, where: str, found: _Found) -> None:
    name, off_block_ns = read_cancellation(message, received_ns=known_ns, where=where)
    withdrawal = {"permission_id": name, "withdrawn": True, "text": " ".join(message.split())}
    found.add(withdrawal, known_ns, off_block_ns if known_ns is None else known_ns, where)


def _instant(value: Any, where: str, name: str) -> int | None:
    if value is None:
        return None
    found = instant(value, where, name)
    if not 0 <= found < LATEST_NS:
        raise ConfigError(f"{where}: {name}: expected a time from 1970 to 2116, got {value!r}")
    return found
