"""Compressed sources, told by their first bytes and never by their names: gzip, xz, zstd.

Rules
- Streaming: no more than OUTPUT_BYTES is held, whatever the input expands to.
- Several compressed members one after the other are one source, as the formats say.
- A source that ends inside a member yields all that could be read of it, then fails.
- A source that expands beyond all measure (MAX_RATIO) is a bomb and fails.

Sources: RFC 1952 (gzip: 1f 8b), the .xz file format (fd 37 7a 58 5a 00), RFC 8878 (zstd:
28 b5 2f fd).
"""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import pyarrow as pa

from airvigil.errors import DecodeError

MAGIC_BYTES = 6
OUTPUT_BYTES = 1 << 16  # a fault costs at most the piece that it is found in
MAX_RATIO = 1_000  # text of one repeated row compresses by about 200 (gzip) to 800 (xz)
RATIO_FREE_BYTES = 256 << 20  # below this size no ratio is suspicious
_XZ_MEMORY_BYTES = 256 << 20  # xz -9 needs 65 MiB to decompress

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))

Read = Callable[[int], bytes]


def compression_of(head: bytes) -> str | None:
    """Kind of compression that starts with these bytes: "gzip", "xz", "zstd"; None for none.

    Example:
        >>> compression_of(b"\\x1f\\x8b\\x08\\x00"), compression_of(b"MSG,3")
        ('gzip', None)
    """
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)


def decompressed(read: Read, head: bytes, *, input_bytes: Callable[[], int]) -> Iterator[bytes]:
    """The content of a source, decompressed if it is compressed.

    Args:
        read: returns up to n further bytes of the source, nothing at its end.
        head: the bytes already read, at least MAGIC_BYTES unless the source is shorter.
        input_bytes: how many bytes have been read of the source so far.

    Yields:
        Pieces of at most OUTPUT_BYTES.

    Raises:
        DecodeError: damaged, cut off, or a bomb.
    """
    kind = compression_of(head)
    if kind is None:
        return _plain(read, head)
    return _bounded(_zstd(read, head) if kind == "zstd" else _members(read, head, kind), kind, input_bytes)


def _plain(read: Read, head: bytes) -> Iterator[bytes]:
    piece = head or read(OUTPUT_BYTES)
    while piece:
        yield piece
        piece = read(OUTPUT_BYTES)


def _bounded(pieces: Iterator[bytes], kind: str, input_bytes: Callable[[], int]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > RATIO_FREE_BYTES and total > MAX_RATIO * max(input_bytes(), 1):
            raise DecodeError(
                f"{kind} expands {input_bytes():,} bytes to more than {total:,}",
                hint="no recording compresses that well; decompress it by hand if it is meant",
            )
        yield piece


class _Member(Protocol):
    """One compressed member being read."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """zlib's object with the manners of lzma's: it keeps what it did not take."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)


def _new_member(kind: str) -> _Member:
    if kind == "gzip":
        return _GzipMember()
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)


def _members(read: Read, head: bytes, kind: str) -> Iterator[bytes]:
    data = head
    while data:
        member = _new_member(kind)
        while not member.eof:
            try:
                piece = member.decompress(data, OUTPUT_BYTES)
            except (zlib.error, lzma.LZMAError, EOFError) as error:
                raise DecodeError(f"{kind} is damaged: {error}") from error
            data = b""
            if piece:
                yield piece
            elif not member.eof:
                data = read(OUTPUT_BYTES)
                if not data:
                    raise DecodeError(f"{kind} ends inside its content", hint="the file was cut off")
        data = _next_member(read, member.unused_data, kind)


def _next_member(read: Read, rest: bytes, kind: str) -> bytes:
    """Start of the member that follows, without padding; empty at the end."""
    data = rest
    while True:
        data = data.lstrip(b"\x00")
        if len(data) >= MAGIC_BYTES:
            break
        more = read(OUTPUT_BYTES)
        if not more:
            break
        data += more
    if data and compression_of(data) != kind:
        raise DecodeError(f"{kind} is followed by {len(data):,} or more bytes that are not {kind}")
    return data


class _Reader(io.RawIOBase):
    """The source as the file object that Arrow wants."""

    def __init__(self, read: Read, head: bytes) -> None:
        self._read = read
        self._head = head

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = OUTPUT_BYTES if size is None or size < 0 else size
        if self._head:
            piece, self._head = self._head[:wanted], self._head[wanted:]
            return piece
        return self._read(wanted)


def _zstd(read: Read, head: bytes) -> Iterator[bytes]:
    # Python 3.11 has no zstd of its own; Arrow's stream reads several frames and notices a cut.
    with pa.CompressedInputStream(pa.PythonFile(_Reader(read, head), mode="r"), "zstd") as stream:
        while True:
            try:
                # small pieces: all of a cut-off source that can be read comes out before the fault
                piece = stream.read(65_536)
            except (pa.ArrowException, OSError) as error:
                raise DecodeError(f"zstd is damaged or cut off: {error}") from error
            if not piece:
                return
            yield bytes(piece)
