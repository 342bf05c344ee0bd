"""Tables in Parquet or Arrow files: our own reports back, or state vectors.

A Parquet file shows its columns only at its end, so it is read whole: `decode` collects, `finish`
reads. A table with the columns of REPORT_SCHEMA is reports written by Airvigil; any other is taken
for state vectors (`state_vector_columns`).

Rules
- Reports come back as they are: sensor, digests, reject reasons and all. A table that only almost
  fits REPORT_SCHEMA is refused, never repaired.
- Rows of state vectors have no bytes of their own: their frame digest is `row_digest` of the
  row's values by column name, times as whole nanoseconds.

Source: Apache Parquet and Arrow columnar formats (magic bytes `PAR1`, `ARROW1`, stream marker
FFFFFFFF).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airvigil.errors import DecodeError, SchemaError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES, row_digest
from airvigil.feeds.state_vector_columns import KNOWN_NAMES
from airvigil.feeds.state_vector_rows import StateVectorTable
from airvigil.reports import REPORT_SCHEMA, SENSOR_KINDS, check_reports, concat_reports, empty_reports

MAX_ROWS = 5_000_000
_BATCH_ROWS = 16_384
_NEVER_NULL = (
    "time_of_applicability",
    "received_at",
    "sensor",
    "sensor_kind",
    "frame_digest",
    "is_reconstruction",
)
# What the readers raise for bytes that are not what they say (Arrow raises several kinds).
_READ_FAULTS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError, OverflowError)


class ParquetFeed:
    """One Parquet or Arrow file.

    Args:
        options: `dialect` settles the units of state vectors.
        wanted: "reports", "state-vectors", or None to tell by the columns.
        max_document_bytes: size above which a file is refused.
    """

    def __init__(
        self, options: FeedOptions, *, wanted: str | None = None, max_document_bytes: int = MAX_DOCUMENT_BYTES
    ) -> None:
        self._options = options
        self._wanted = wanted
        self._max_document_bytes = max_document_bytes
        self._parts: list[bytes] = []
        self._bytes = 0
        self._received_at_ns = options.start_ns or 0

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Collects the bytes; the rows come at the end. See `Feed.decode`."""
        self._received_at_ns = received_at_ns
        self._bytes += len(chunk)
        if self._bytes > self._max_document_bytes:
            raise DecodeError(
                f"file longer than {self._max_document_bytes:,} bytes",
                hint="split it, or raise the bound on the size of a document",
            )
        self._parts.append(chunk)
        return empty_reports()

    def finish(self) -> pa.Table:
        """Rows of the whole file; see `Feed.finish`."""
        content, self._parts, self._bytes = b"".join(self._parts), [], 0
        if not content:
            raise DecodeError("expected a Parquet or Arrow file, got nothing")
        schema, batches = _open_table(content)
        try:
            names = schema.names
        except UnicodeDecodeError as error:
            raise DecodeError("table names a column in something that is not UTF-8") from error
        is_reports = "time_of_applicability" in names and "frame_digest" in names
        if self._wanted == "reports" or (self._wanted is None and is_reports):
            return _read_reports(schema, batches)
        return self._read_state_vectors(schema, batches)

    def _read_state_vectors(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.Table:
        names = {name.lower(): name for name in schema.names}
        if len(names) != len(schema.names):
            raise DecodeError("table names a column twice")
        known = [name for name in names if name in KNOWN_NAMES]
        table = StateVectorTable(self._options, known)
        reports = []
        for batch in _bounded(batches):
            columns = {name: _plain_values(batch.column(original)) for name, original in names.items()}
            raw = table.new_rows()
            digests = [
                row_digest(dict(zip(columns, row, strict=True)))
                for row in zip(*columns.values(), strict=True)
            ]
            raw.extend([columns[name] for name in known], digests, [False] * batch.num_rows)
            reports.append(table.add(raw, self._received_at_ns))
        reports.append(table.add(table.new_rows(), self._received_at_ns, is_last=True))
        return concat_reports(reports)


def _open_table(content: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Schema and batches of a Parquet file, an Arrow file or an Arrow stream."""
    source = pa.BufferReader(content)
    try:
        if content.startswith(b"PAR1"):
            file = pq.ParquetFile(source, page_checksum_verification=True)
            if file.metadata.num_rows > MAX_ROWS:
                raise DecodeError(f"expected at most {MAX_ROWS:,} rows, got {file.metadata.num_rows:,}")
            return file.schema_arrow, file.iter_batches(batch_size=_BATCH_ROWS)
        if content.startswith(b"ARROW1"):
            reader = pa.ipc.open_file(source)
            return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
        stream = pa.ipc.open_stream(source)
        return stream.schema, iter(stream)
    except _READ_FAULTS as error:
        raise _unreadable(error) from error


def _bounded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, checked, until they fail or pass MAX_ROWS."""
    count = 0
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            batch.validate(full=True)
        except _READ_FAULTS as error:
            raise _unreadable(error) from error
        count += batch.num_rows
        if count > MAX_ROWS:
            raise DecodeError(f"expected at most {MAX_ROWS:,} rows, got more")
        yield batch


def _unreadable(error: BaseException) -> DecodeError:
    reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
    return DecodeError(f"cannot read as Parquet or Arrow: {reason}", hint="the file is damaged or cut off")


def _read_reports(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.Table:
    if len(set(schema.names)) != len(schema.names):
        raise DecodeError("table names a column twice")
    tables = []
    for batch in _bounded(batches):
        table = pa.Table.from_batches([batch])
        try:
            check_reports(table)
        except SchemaError as error:
            raise DecodeError(str(error), hint="not a report table of this version of Airvigil") from error
        tables.append(_check_values(table.select(REPORT_SCHEMA.names).cast(REPORT_SCHEMA)))
    return concat_reports(tables)


def _check_values(table: pa.Table) -> pa.Table:
    for name in _NEVER_NULL:
        if table[name].null_count:
            raise DecodeError(f"report column {name}: null is not allowed, got {table[name].null_count}")
    kinds = set(pc.unique(table["sensor_kind"]).to_pylist())
    if not kinds <= set(SENSOR_KINDS):
        raise DecodeError(f"report column sensor_kind: no such kind {sorted(kinds - set(SENSOR_KINDS))[0]!r}")
    for name, limit in (("latitude_deg", 90.0), ("longitude_deg", 180.0)):
        extremes = pc.min_max(table[name]).as_py()
        if any(value is not None and not abs(value) <= limit for value in extremes.values()):
            raise DecodeError(f"report column {name}: expected at most {limit:g} in size, got {extremes}")
    return table


def _plain_values(column: pa.Array) -> list[Any]:
    """Values as JSON could hold them: times as ns, everything that is no number or text as text."""
    kind = column.type
    try:
        if pa.types.is_dictionary(kind):
            return _plain_values(column.dictionary_decode())
        if pa.types.is_timestamp(kind):
            return pc.cast(pc.cast(column, pa.timestamp("ns", tz=kind.tz)), pa.int64()).to_pylist()
        if pa.types.is_floating(kind):
            return [None if value != value else value for value in column.to_pylist()]
        if (
            pa.types.is_integer(kind)
            or pa.types.is_boolean(kind)
            or pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
        ):
            return column.to_pylist()
        return [None if value is None else str(value) for value in column.to_pylist()]
    except _READ_FAULTS as error:
        raise _unreadable(error) from error
