"""Inputs: what the user named on the command line, opened, read and accounted for.

    inputs = [open_input(spec, options) for spec in specs]
    for table in read_merged(inputs): ...
    for each in inputs: each.failures, each.sha256, each.rows

An `Input` is an iterator of report tables, and says while it is read how far it is.

Rules
- Every input is read in blocks; none is held whole but what its format demands (a JSON document, a
  Parquet file), and tables that are not in time order are sorted (`ordering`).
- What is wrong with an input once it is open never stops the others: its rows up to there are given
  out, the fault is in `failures`, with the file, the place and what was expected.
- Only what is wrong before anything is read is raised: no such file, no such format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pyarrow as pa

from airvigil.drivers.merging import BLOCK_ROWS, MergeInput, merge_in_time_order
from airvigil.drivers.ordering import blocks, in_time_order
from airvigil.drivers.peeking import has_counter_only, peek_format
from airvigil.drivers.sources import DirectorySource, Document, Source, StreamSource, is_url, open_path
from airvigil.drivers.start_time import start_from_name
from airvigil.errors import AirvigilError, ConfigError
from airvigil.feeds.detect import detect_format
from airvigil.feeds.feed import Feed, FeedOptions
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES
from airvigil.feeds.open_feed import HEAD_BYTES, open_feed, split_format

if TYPE_CHECKING:
    from airvigil.drivers.sockets import SocketOptions

CHUNK_BYTES = 1 << 18  # some 10,000 Mode S frames
KEPT_FAILURES = 10  # of an input, from either end

_SUFFIXES = re.compile(r"(\.[A-Za-z][A-Za-z0-9]{0,9}){1,3}$")
_TIME_IN_NAME = re.compile(r"[-_. ]?\d{4}[-_.]?\d{2}[-_.]?\d{2}[-_T. ]?\d{2}[-_:.h]?\d{2}[-_:.m]?\d{2}Z?")
_TABLES = ("state-vectors", "parquet", "reports", "trace")  # files sorted by something other than time


@dataclass(frozen=True)
class InputOptions:
    """What the user said about the inputs.

    Attributes:
        format: format with or without dialect, as `open_feed` takes it; None: by content.
        sensor: name of the sensor; None: from the name of the input.
        sensor_kind: overrides the kind that the format implies.
        start_ns: start of the recording, ns UTC; None: from the file's name.
        name_utc_offset_s: what the clock that named the file was ahead of UTC; None: not stated.
        utc_offset_s: what local times inside the file are ahead of UTC.
        receiver: latitude_deg, longitude_deg, height_m of the antenna.
        block_rows: rows in a table given out.
        chunk_bytes: bytes given to a feed at a time.
        max_document_bytes: bound on what must be held whole.
        sockets: how live sources are kept open; None: as `SocketOptions` has it.
    """

    format: str | None = None
    sensor: str | None = None
    sensor_kind: str | None = None
    start_ns: int | None = None
    name_utc_offset_s: float | None = None
    utc_offset_s: float = 0.0
    receiver: tuple[float, float, float] | None = None
    block_rows: int = BLOCK_ROWS
    chunk_bytes: int = CHUNK_BYTES
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    sockets: SocketOptions | None = None


@dataclass(frozen=True)
class InputFailure:
    """Why an input, or one document of it, could not be read to its end.

    Attributes:
        name: file or URL.
        content_bytes: how much of its content, decompressed, had been read; the fault is at or
            before that byte.
        message: what was expected and what was found.
        hint: what to do about it.
        rows: rows that were read of it before.
    """

    name: str
    content_bytes: int
    message: str
    hint: str | None
    rows: int

    def __str__(self) -> str:
        place = f" within the first {self.content_bytes:,} bytes of its content" if self.content_bytes else ""
        message = self.message.removeprefix(f"{self.name}: ")
        return f"{self.name}: {message}{place}, {self.rows:,} rows read before"


class Input(Iterator[pa.Table]):
    """One input being read; iterate it for report tables.

    Attributes:
        name: as the user gave it.
        sensor: name in the `sensor` column (reports read back keep their own).
        format: what it is in; None until something of it was read.
        failures: what could not be read: the first and the latest few.
        failure_count: how often something could not be read; a URL that is polled for weeks may fail often.
        notes: what the user should know about how it was read.
        rows: rows given out so far.
    """

    def __init__(self, source: Source, options: InputOptions) -> None:
        self.name = source.name
        self.sensor = options.sensor or source.sensor or sensor_name(source.name)
        self.format = options.format or source.stated_format
        self.failures: list[InputFailure] = []
        self.failure_count = 0
        self.notes: list[str] = []
        self.rows = 0
        self._source = source
        self._options = options
        self._stated_format = self.format
        self._tables = self._read()

    @property
    def is_live(self) -> bool:
        """Whether it has no end and its rows are made as it is read."""
        return self._source.is_live

    @property
    def bytes_total(self) -> int | None:
        """Size as stored; None if it has no end or it is not known."""
        return self._source.bytes_total

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, as stored (compressed)."""
        return self._source.bytes_read

    @property
    def sha256(self) -> str | None:
        """Digest of the input as stored, once read to its end."""
        return self._source.sha256

    @property
    def starts_at_ns(self) -> int | None:
        """Time before which it has no rows, ns UTC: known of Beast files, which start when told."""
        if not isinstance(self._source, StreamSource) or not Path(self.name).is_file():
            return None
        if (self._stated_format or peek_format(self.name)) != "beast":
            return None
        return self._start_ns(PurePath(self.name).name)

    @property
    def relative_recordings(self) -> int:
        """How many recordings it has whose clock has no origin, and which a stated start would all begin at."""
        if self.is_live:
            return 0
        if isinstance(self._source, DirectorySource):
            paths = self._source.paths
        elif Path(self.name).is_file():
            paths = [Path(self.name)]
        else:  # standard input and pipes cannot be looked at beforehand
            return int(self._stated_format in (None, "beast", "raw"))
        return sum(has_counter_only(str(path), self._stated_format) for path in paths)

    def __next__(self) -> pa.Table:
        return next(self._tables)

    def close(self) -> None:
        """Let go of files and sockets."""
        self._source.close()

    def _start_ns(self, file_name: str) -> int | None:
        if self._options.start_ns is not None:
            return self._options.start_ns
        return start_from_name(file_name, self._options.name_utc_offset_s or 0.0)

    def _read(self) -> Iterator[pa.Table]:
        try:
            documents = self._source.documents()
            first = next(documents, None)
            if first is None:
                return
            tables = self._first_tables(first)
            rest = chain.from_iterable(map(self._document_tables, documents))
            for table in self._ordered(tables, rest):
                self.rows += table.num_rows
                yield table
        except AirvigilError as error:  # opening the next document failed
            self._failed(self.name, 0, 0, error)
        finally:
            self.close()

    def _first_tables(self, document: Document) -> Iterator[pa.Table]:
        """Tables of the first document, read just so far that its format is known."""
        tables = self._document_tables(document)
        first = next(tables, None)
        return iter(()) if first is None else chain((first,), tables)

    def _ordered(self, tables: Iterator[pa.Table], rest: Iterator[pa.Table]) -> Iterator[pa.Table]:
        name = (self.format or "").partition(":")[0]
        is_directory = isinstance(self._source, DirectorySource)
        if self.is_live or not (name in _TABLES or (is_directory and name == "aircraft-json")):
            return chain(tables, rest)
        return in_time_order(chain(tables, rest), block_rows=self._options.block_rows)

    def _document_tables(self, document: Document) -> Iterator[pa.Table]:
        """Tables of one document; its fault, if any, goes to `failures`."""
        content_bytes = rows = 0
        feed: Feed | None = None
        try:
            head, chunks = self._head(document)
            feed = self._open_feed(document, head[0])
            for chunk, received_at_ns in chain((head,), self._gathered(chunks)):
                content_bytes += len(chunk)
                for table in self._given_out(feed.decode(chunk, received_at_ns)):
                    rows += table.num_rows
                    yield table
            yield from self._given_out(feed.finish())
        except AirvigilError as error:
            self._failed(document.name, content_bytes, rows, error)
            if feed is not None:
                yield from self._rescued(feed)
            self._source.drain()

    def _rescued(self, feed: Feed) -> Iterator[pa.Table]:
        """Rows that a feed still holds when its source has failed."""
        try:
            yield from self._given_out(feed.finish())
        except AirvigilError:
            return  # the fault is already in `failures`

    def _failed(self, name: str, content_bytes: int, rows: int, error: AirvigilError) -> None:
        self.failure_count += 1
        self.failures.append(InputFailure(name, content_bytes, str(error), error.hint, rows))
        if len(self.failures) > 2 * KEPT_FAILURES:
            del self.failures[KEPT_FAILURES]

    def _given_out(self, table: pa.Table) -> Iterator[pa.Table]:
        if self.is_live and not table.num_rows:
            yield table  # time passes
        yield from blocks(table, self._options.block_rows)

    def _head(self, document: Document) -> tuple[tuple[bytes, int], Iterator[tuple[bytes, int]]]:
        """The first bytes of a document, enough to tell its format, and what comes after them."""
        if self.is_live and self._stated_format is not None:
            return (b"", 0), document.chunks
        parts: list[bytes] = []
        time_ns = 0
        try:
            for chunk, received_at_ns in document.chunks:
                time_ns = received_at_ns
                parts.append(chunk)
                if sum(map(len, parts)) >= HEAD_BYTES:
                    break
        except AirvigilError as error:
            if not parts:
                raise
            return (b"".join(parts), time_ns), _failing(error)
        return (b"".join(parts), time_ns), document.chunks

    def _gathered(self, chunks: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
        """Small pieces of storage put together; what comes from a socket goes on at once."""
        if self.is_live:
            yield from chunks
            return
        parts: list[bytes] = []
        length = 0
        try:
            for chunk, _ in chunks:
                parts.append(chunk)
                length += len(chunk)
                if length >= self._options.chunk_bytes:
                    yield b"".join(parts), 0
                    parts, length = [], 0
        except AirvigilError:
            if parts:
                yield b"".join(parts), 0
            raise
        if parts:
            yield b"".join(parts), 0

    def _open_feed(self, document: Document, head: bytes) -> Feed:
        name = self._stated_format or detect_format(head)
        self.format = name
        start_ns = self._start_ns(document.file_name)
        if name == "beast" and start_ns is not None and self._options.start_ns is None:
            self._note_start(document.file_name)
        options = FeedOptions(
            sensor=self.sensor,
            start_ns=start_ns,
            receiver=self._options.receiver,
            is_live=self.is_live,
            utc_offset_s=self._options.utc_offset_s,
            sensor_kind=self._options.sensor_kind,
        )
        return open_feed(name, options, head=head, max_document_bytes=self._options.max_document_bytes)

    def _note_start(self, file_name: str) -> None:
        if self._options.name_utc_offset_s is None:
            self.notes.append(
                f"{file_name}: start time taken from its name as UTC; "
                "state --name-utc-offset if the clock that named it was not on UTC"
            )


def _failing(error: AirvigilError) -> Iterator[tuple[bytes, int]]:
    """An iterator that has nothing but this fault."""
    yield b"", 0
    raise error


def open_input(spec: str, options: InputOptions) -> Input:
    """Open a path or URL for reading.

    Args:
        spec: file, directory, `-`, or URL (see `airvigil.drivers.sources`).
        options: what the user said about it.

    Returns:
        Iterator of report tables, none of more than `block_rows` rows; live inputs also give empty
        ones while nothing comes.

    Raises:
        ConfigError: nothing is there, or no such format or scheme.
    """
    if options.format is not None:
        split_format(options.format)
    return Input(_live_source(spec, options) if is_url(spec) else open_path(spec), options)


def _live_source(spec: str, options: InputOptions) -> Source:
    from airvigil.drivers.sockets import SocketOptions, open_url  # heavy: a client for HTTP

    return open_url(spec, options.sockets or SocketOptions())


def read_merged(inputs: Sequence[Input], *, block_rows: int = BLOCK_ROWS) -> Iterator[pa.Table]:
    """Rows of all inputs in time order (see `merging`); for recordings, not for live inputs."""
    merge_inputs = [MergeInput(each.sensor, each, each.starts_at_ns) for each in inputs]
    return merge_in_time_order(merge_inputs, block_rows=block_rows)


def check_start(inputs: Sequence[Input], options: InputOptions) -> None:
    """A stated start is the start of one recording: two of them would lie over each other.

    Raises:
        ConfigError: there are several that it would be taken for.
    """
    if options.start_ns is None:
        return
    count = sum(each.relative_recordings for each in inputs)
    if count > 1:
        raise ConfigError(
            f"--start is the start of one recording, and {count} of the inputs have no times of their own",
            hint="let the files' names tell their times (--name-utc-offset), or replay one file at a time",
        )


def sensor_name(name: str) -> str:
    """Name of a sensor from the name of its file: without folder, endings, and time.

    Recordings of one receiver, each named after its time, so belong to one sensor.

    Example:
        >>> sensor_name("night/raw_adsb_20260106_235704.bin.xz"), sensor_name("-")
        ('raw_adsb', 'stdin')
    """
    if name == "-":
        return "stdin"
    if is_url(name):
        return name
    file_name = PurePath(name).name
    short = _TIME_IN_NAME.sub("", _SUFFIXES.sub("", file_name)).strip("-_. ")
    return short or file_name
