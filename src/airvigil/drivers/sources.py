"""Where bytes come from: a file, a directory of snapshots, standard input, a socket, a polled URL.

A source is a row of *documents*, each read by a fresh feed: a file is one, a directory has one a
file, a socket one a connection, a polled URL one a poll. What is wrong with one document says
nothing about the next.

Forms of a source (`open_source`):

    recording.bin.xz                        a file; compression told by content
    snapshots/                              the files of a directory, in order of their names
    -                                       standard input
    tcp+beast://host:30005                  Beast        also tcp+raw://host:30002,
    tcp+sbs://host:30003                    SBS-1        each with @NAME for the sensor at the end
    http://host/data/aircraft.json          polled; https too

Rules
- Files are hashed as they are read: `sha256` is that of the bytes as stored, compressed or not, and
  stands when the source has been read to its end, also if its content turned out to be damaged.
- The digest of a directory is SHA-256 over lines `<sha256 of file>  <name>` in reading order.
- Names are compared as people do: snapshot_9 comes before snapshot_10.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from airvigil.drivers.compression import MAGIC_BYTES, OUTPUT_BYTES, decompressed
from airvigil.errors import ConfigError, DecodeError

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_NUMBERS = re.compile(r"(\d+)")


@dataclass
class Document:
    """One run of bytes for one feed.

    Attributes:
        name: what to call it in messages.
        file_name: name that may tell a start time; empty if none.
        chunks: content, decompressed, with the time at which it was received (ns UTC; 0 where the
            bytes come from storage and that time means nothing). Sockets give an empty chunk where
            nothing came for a while.
    """

    name: str
    file_name: str
    chunks: Iterator[tuple[bytes, int]]


class Source(Protocol):
    """What every source offers while it is being read."""

    name: str
    is_live: bool
    stated_format: str | None  # where the form of the source already says it
    sensor: str | None

    @property
    def bytes_total(self) -> int | None:
        """Size as stored; None if it has no end or it is not known."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, as stored (before decompression)."""
        ...

    @property
    def sha256(self) -> str | None:
        """Digest of what was read, once the end is reached; None before, and without an end."""
        ...

    def documents(self) -> Iterator[Document]:
        """The documents, in order; each must be read before the next is asked for."""
        ...

    def drain(self) -> None:
        """Read what is left of a document whose content cannot be used, for the digest alone."""
        ...

    def close(self) -> None:
        """Let go of files and sockets."""
        ...


class _HashedReader:
    """A file object being read, counted and hashed."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._digest = hashlib.sha256()
        self.bytes_read = 0
        self.is_finished = False

    def read(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except OSError as error:
            raise DecodeError(
                f"{self._name}: cannot be read after byte {self.bytes_read:,}: {error.strerror or error}"
            ) from error
        self.bytes_read += len(piece)
        self._digest.update(piece)
        self.is_finished = self.is_finished or not piece
        return piece

    def content(self) -> Iterator[tuple[bytes, int]]:
        """The content, decompressed."""
        head = self.read(MAGIC_BYTES)
        for piece in decompressed(self.read, head, input_bytes=lambda: self.bytes_read):
            yield piece, 0

    def drain(self) -> None:
        """Read what is left, for the digest alone."""
        try:
            while not self.is_finished:
                self.read(OUTPUT_BYTES)
        except (DecodeError, ValueError):
            self.is_finished = False

    def hexdigest(self) -> str | None:
        return self._digest.hexdigest() if self.is_finished else None


class StreamSource:
    """One file, or standard input."""

    is_live = False
    stated_format: str | None = None
    sensor: str | None = None

    def __init__(self, path: Path | None) -> None:
        self.name = str(path) if path is not None else "-"
        self._path = path
        self._reader: _HashedReader | None = None
        self._stream: BinaryIO | None = None

    @property
    def bytes_total(self) -> int | None:
        """Size of the file; None for standard input, pipes and files that are gone."""
        return _size(self._path) if self._path is not None else None

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far."""
        return self._reader.bytes_read if self._reader is not None else 0

    @property
    def sha256(self) -> str | None:
        """Digest of the file as stored, once read to its end."""
        return self._reader.hexdigest() if self._reader is not None else None

    def documents(self) -> Iterator[Document]:
        """The file as its only document."""
        file_name = self._path.name if self._path is not None else ""
        if self._path is None:
            self._stream = sys.stdin.buffer
        else:
            self._stream = _open(self._path)
        self._reader = _HashedReader(self._stream, self.name)
        yield Document(self.name, file_name, self._reader.content())

    def drain(self) -> None:
        """Read the rest of the file, for its digest."""
        if self._reader is not None:
            self._reader.drain()

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None and self._path is not None:
            self._stream.close()


class DirectorySource:
    """The files of a directory, in the order of their names."""

    is_live = False
    stated_format: str | None = None
    sensor: str | None = None

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.paths = sorted(
            (entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")),
            key=lambda entry: natural_order(entry.name),
        )
        if not self.paths:
            raise ConfigError(f"{path}: expected files, got an empty directory")
        self._bytes_before = 0
        self._current: StreamSource | None = None
        self._lines: list[str] | None = []
        self._is_finished = False

    @property
    def bytes_total(self) -> int | None:
        """Sum of the files' sizes."""
        sizes = [_size(path) for path in self.paths]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def bytes_read(self) -> int:
        """Bytes of all files read so far."""
        return self._bytes_before + (self._current.bytes_read if self._current is not None else 0)

    @property
    def sha256(self) -> str | None:
        """Digest over the files' digests and names, once all are read."""
        if not self._is_finished or self._lines is None:
            return None
        return hashlib.sha256("".join(self._lines).encode("utf-8", "surrogateescape")).hexdigest()

    def documents(self) -> Iterator[Document]:
        """One document a file; a file that cannot be opened fails when it is read."""
        for path in self.paths:
            self._current = StreamSource(path)
            yield Document(str(path), path.name, self._read_one(self._current))
            self._account_for(self._current, path.name)
            self._current = None
        self._is_finished = True

    def _read_one(self, source: StreamSource) -> Iterator[tuple[bytes, int]]:
        for document in source.documents():
            yield from document.chunks

    def _account_for(self, source: StreamSource, name: str) -> None:
        self._bytes_before += source.bytes_read
        digest = source.sha256
        source.close()
        if digest is None:
            self._lines = None  # not read to its end: the whole has no digest
        elif self._lines is not None:
            self._lines.append(f"{digest}  {name}\n")

    def drain(self) -> None:
        """Read the rest of the file that is open, for its digest."""
        if self._current is not None:
            self._current.drain()

    def close(self) -> None:
        """Close the file that is open."""
        if self._current is not None:
            self._current.close()


def is_url(spec: str) -> bool:
    """Whether a source is written as a URL (`file://` counts as a path)."""
    return bool(_SCHEME.match(spec)) and not spec.startswith("file://")


def open_path(spec: str) -> StreamSource | DirectorySource:
    """The source for a path, a directory, or `-`.

    Raises:
        ConfigError: there is nothing at that path, or it may not be read.
    """
    if spec == "-":
        return StreamSource(None)
    path = Path(spec.removeprefix("file://"))
    try:
        if path.is_dir():
            return DirectorySource(path)
        _open(path).close()
    except DecodeError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    return StreamSource(path)


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key for file names in which runs of digits count as numbers.

    Example:
        >>> sorted(["history_10.json", "history_9.json"], key=natural_order)
        ['history_9.json', 'history_10.json']
    """
    parts = _NUMBERS.split(name)
    return (
        *((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part),
        (-1, 0, name),
    )


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise DecodeError(
            f"{path}: expected a file, got: {(error.strerror or str(error)).lower()}",
            hint="a source is a file, a directory, -, or a URL such as tcp+beast://host:30005",
        ) from error


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
