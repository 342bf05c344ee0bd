"""State vectors in CSV, JSON, JSON Lines: somebody's table of positions.

Containers, told apart by content:

    CSV                 a header line with column names, then a line a row; `,` `;` or tab
    JSON Lines          {"timestamp": 1726560266000, "icao24": "4baac6", ...}   a line a row
    JSON array          [{...}, {...}]                         one object a row
    JSON by columns     {"timestamp": {"0": 1726560266000, ...}, "icao24": {...}}   or lists
    OpenSky REST        {"time": 1726560266, "states": [["4baac6", "THY9BP  ", ...], ...]}

What the columns mean and in which units: `state_vector_columns`. Parquet: `state_vectors_parquet`.

Rules
- The frame digest of a row is SHA-256 of its exact bytes (the line without its end, the object of
  an array); rows of JSON by columns and of REST answers, which have no bytes of their own, are
  digested as `json_documents.row_digest` says, by columns as an object of names and values.
- A row that cannot be read is rejected and counted; a file that lacks columns, or whose units are
  not clear, raises `DecodeError` with a hint.
- Columns of a JSON table are those of its first SAMPLE_ROWS rows; a column that only appears later
  is not read.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from airvigil.errors import DecodeError
from airvigil.feeds.feed import Feed, FeedOptions, LineSplitter
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES, JsonSplitter, parse_json, row_digest
from airvigil.feeds.state_vector_columns import KNOWN_NAMES, REST_COLUMNS, SAMPLE_ROWS
from airvigil.feeds.state_vector_rows import RawRows, StateVectorTable
from airvigil.reports import concat_reports, empty_reports

MAX_ROWS = 5_000_000  # in one JSON document that is not read row by row

_BOM = b"\xef\xbb\xbf"
# Not a regular expression: one that looks for spaces at the end takes quadratic time in a row of spaces elsewhere.
_NAME_NOISE = "\"'" + "".join(filter(str.isspace, map(chr, range(0x3001))))


def clean_name(name: str) -> str:
    """A column name as the tables here write it: lower case, no quotes or spaces around it."""
    return name.strip(_NAME_NOISE).lower()


class CsvStateVectorFeed:
    """CSV with a header line."""

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._lines = LineSplitter()
        self._table: StateVectorTable | None = None
        self._delimiter = ","
        self._wanted: list[int] = []
        self._fields = 0
        self._received_at_ns = options.start_ns or 0

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the lines that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        return self._read(self._lines.split(chunk), is_last=False)

    def finish(self) -> pa.Table:
        """Rows of what is left; see `Feed.finish`."""
        reports = self._read(self._lines.finish(), is_last=True)
        if self._table is None:
            raise DecodeError("expected a CSV header with column names, got nothing")
        return reports

    def _read(self, lines: Sequence[tuple[bytes, bool]], *, is_last: bool) -> pa.Table:
        first = 0
        if self._table is None:
            while first < len(lines) and not lines[first][0].removeprefix(_BOM).strip():
                first += 1
            if first == len(lines):
                return empty_reports()
            self._table = self._open(lines[first][0])
            first += 1
        rows = self._table.new_rows()
        for line, is_too_long in lines[first:]:
            if line.strip():
                fields = None if is_too_long else self._split(line)
                values = [fields[index] for index in self._wanted] if fields is not None else None
                rows.append(values, hashlib.sha256(line).digest())
        return self._table.add(rows, self._received_at_ns, is_last=is_last)

    def _open(self, header: bytes) -> StateVectorTable:
        text = header.removeprefix(_BOM).decode("utf-8", "replace")
        self._delimiter = max(
            ",;\t", key=lambda mark: sum(clean_name(n) in KNOWN_NAMES for n in text.split(mark))
        )
        names = [clean_name(name) for name in text.split(self._delimiter)]
        if not KNOWN_NAMES.intersection(names):
            raise DecodeError(
                f"expected a CSV header with column names, got {text[:60]!r}",
                hint="the first line must name the columns: timestamp, icao24, latitude, longitude, ...",
            )
        repeated = {name for name in names if name in KNOWN_NAMES and names.count(name) > 1}
        if repeated:
            raise DecodeError(f"CSV header names a column twice: {', '.join(sorted(repeated))}")
        self._fields = len(names)
        self._wanted = [index for index, name in enumerate(names) if name in KNOWN_NAMES]
        return StateVectorTable(self._options, [names[index] for index in self._wanted])

    def _split(self, line: bytes) -> list[str] | None:
        """Fields of one line; None if it has not as many as the header."""
        text = line.decode("utf-8", "replace")
        if '"' in text:
            try:
                fields = next(csv.reader([text], delimiter=self._delimiter))
            except (csv.Error, StopIteration):
                return None
        else:
            fields = text.split(self._delimiter)
        return fields if len(fields) == self._fields else None


class _JsonRows:
    """Parsed JSON rows to reports; the columns are settled by the first SAMPLE_ROWS rows."""

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._waiting: list[tuple[Any, bytes]] = []
        self._table: StateVectorTable | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether rows came that wait for the units to be settled."""
        return bool(self._waiting)

    def add(self, rows: Iterable[tuple[Any, bytes]], received_at_ns: int, *, is_last: bool) -> pa.Table:
        """Reports of (parsed row, digest) pairs; anything that is not an object is a bad row."""
        self._waiting.extend(rows)
        if self._table is None:
            if len(self._waiting) < SAMPLE_ROWS and not is_last:
                return empty_reports()
            names: dict[str, None] = {}
            for row, _ in self._waiting[:SAMPLE_ROWS]:
                if isinstance(row, dict):
                    names.update(dict.fromkeys(name for name in row if name in KNOWN_NAMES))
            self._table = StateVectorTable(self._options, tuple(names))
        ready, self._waiting = self._waiting, []
        raw = self._table.new_rows()
        is_bad = [not isinstance(row, dict) for row, _ in ready]
        objects = [row if isinstance(row, dict) else {} for row, _ in ready]
        columns = [[row.get(name) for row in objects] for name in raw.names]
        raw.extend(columns, [digest for _, digest in ready], is_bad)
        return self._table.add(raw, received_at_ns, is_last=is_last)


class JsonLinesStateVectorFeed:
    """One JSON object a line."""

    def __init__(self, options: FeedOptions) -> None:
        self._lines = LineSplitter()
        self._rows = _JsonRows(options)
        self._received_at_ns = options.start_ns or 0

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the lines that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        return self._read(self._lines.split(chunk), is_last=False)

    def finish(self) -> pa.Table:
        """Rows of what is left; see `Feed.finish`."""
        return self._read(self._lines.finish(), is_last=True)

    def _read(self, lines: Sequence[tuple[bytes, bool]], *, is_last: bool) -> pa.Table:
        texts = [line for line, _ in lines if line.strip()]
        return self._rows.add(_parse_each(texts), self._received_at_ns, is_last=is_last)


class JsonStateVectorFeed:
    """A JSON array of objects, JSON by columns, or OpenSky's REST answers."""

    def __init__(self, options: FeedOptions, *, max_document_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._options = options
        self._splitter = JsonSplitter(max_document_bytes)
        self._rows = _JsonRows(options)
        self._is_first = True
        self._is_rows = True
        self._received_at_ns = options.start_ns or 0

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the documents that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        try:
            documents = self._splitter.split(chunk)
        except DecodeError:
            if self._is_rows and self._rows.is_waiting:
                return self._rows.add([], received_at_ns, is_last=True)  # the fault is raised again
            raise
        if documents and self._is_first:
            self._is_first = False
            first = parse_json(documents[0])
            self._is_rows = not isinstance(first, dict) or not any(
                isinstance(value, dict | list)
                for key, value in first.items()
                if key in KNOWN_NAMES | {"states"}
            )
        if self._is_rows:
            return self._rows.add(_parse_each(documents), received_at_ns, is_last=False)
        return concat_reports([self._table_reports(parse_json(document)) for document in documents])

    def finish(self) -> pa.Table:
        """Rows of what is left; see `Feed.finish`.

        Raises:
            DecodeError: the source ended inside its only document, so that nothing could be read.
        """
        tail = self._splitter.finish().strip()
        if tail and (self._is_first or not self._is_rows):
            raise DecodeError(
                f"JSON ends inside a document, after {len(tail):,} bytes of it", hint="the file was cut off"
            )
        if not self._is_rows:
            return empty_reports()
        cut = [(None, hashlib.sha256(tail).digest())] if tail else []
        return self._rows.add(cut, self._received_at_ns, is_last=True)

    def _table_reports(self, document: Any) -> pa.Table:
        names, columns, digests, is_bad = read_table(document)
        table = StateVectorTable(self._options, names)
        raw = RawRows(names)
        raw.extend(columns, digests, is_bad)
        return table.add(raw, self._received_at_ns, is_last=True)


Table = tuple[Sequence[str], Sequence[Sequence[Any]], list[bytes], list[bool]]


def read_table(document: Any) -> Table:
    """Names, columns, digests and bad rows of JSON by columns or of a REST answer.

    Raises:
        DecodeError: neither, or columns of different lengths.
    """
    if isinstance(document, dict) and isinstance(document.get("states"), list):
        return _read_rest(document)
    if not isinstance(document, dict):
        raise DecodeError(f"expected a JSON object of columns, got {type(document).__name__}")
    columns = {
        clean_name(name): values for name, values in document.items() if isinstance(values, dict | list)
    }
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise DecodeError(f"JSON columns differ in length: {', '.join(map(str, sorted(lengths)[:5]))}")
    index = next((values.keys() for values in columns.values() if isinstance(values, dict)), None)
    if any(isinstance(values, dict) and values.keys() != index for values in columns.values()):
        raise DecodeError("JSON columns differ in their row labels")
    _check_rows(lengths.pop())
    # pandas writes every column in the same order of labels; another writer need not
    lists = [
        [values[label] for label in index] if isinstance(values, dict) and index is not None else list(values)
        for values in columns.values()
    ]
    names = list(columns)
    digests = [row_digest(dict(zip(names, row, strict=True))) for row in zip(*lists, strict=True)]
    known = [place for place, name in enumerate(names) if name in KNOWN_NAMES]
    return [names[p] for p in known], [lists[p] for p in known], digests, [False] * len(digests)


def _read_rest(document: dict[str, Any]) -> Table:
    states: list[Any] = document["states"]
    _check_rows(len(states))
    width = len(REST_COLUMNS)
    is_bad = [not isinstance(state, list) or not 17 <= len(state) <= 32 for state in states]
    rows = [
        (*[*state, None][:width], document.get("time")) if not bad else (None,) * (width + 1)
        for state, bad in zip(states, is_bad, strict=True)
    ]
    columns = list(zip(*rows, strict=True)) or [()] * (width + 1)
    names = (*REST_COLUMNS, "snapshot_time")
    known = [place for place, name in enumerate(names) if name in KNOWN_NAMES]
    return [names[p] for p in known], [columns[p] for p in known], [row_digest(s) for s in states], is_bad


def _check_rows(count: int) -> None:
    if count > MAX_ROWS:
        raise DecodeError(f"expected at most {MAX_ROWS:,} rows in a JSON document, got {count:,}")


def _parse_each(texts: Sequence[bytes]) -> list[tuple[Any, bytes]]:
    """(parsed object or None, digest) of each text; one parser call if all are good."""
    if not texts:
        return []
    rows: list[Any]
    try:
        rows = parse_json(b"[" + b",\n".join(texts) + b"]")
    except DecodeError:
        rows = []
    if len(rows) != len(texts):  # a fault somewhere, or a text that holds several values
        rows = [_parse_or_none(text) for text in texts]
    return [(_clean_names(row), hashlib.sha256(text).digest()) for row, text in zip(rows, texts, strict=True)]


def _parse_or_none(text: bytes) -> Any:
    try:
        return parse_json(text)
    except DecodeError:
        return None


def _clean_names(row: Any) -> Any:
    if not isinstance(row, dict) or KNOWN_NAMES.issuperset(row):
        return row
    return {clean_name(name): value for name, value in row.items()}


def state_vector_feed(container: str, options: FeedOptions, *, max_document_bytes: int) -> Feed:
    """The feed of one text container: "csv", "jsonl" or "json"."""
    feeds: dict[str, Callable[[], Feed]] = {
        "csv": lambda: CsvStateVectorFeed(options),
        "jsonl": lambda: JsonLinesStateVectorFeed(options),
        "json": lambda: JsonStateVectorFeed(options, max_document_bytes=max_document_bytes),
    }
    return feeds[container]()
