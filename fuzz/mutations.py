"""What is done to bytes: each mutation takes bytes and a source of chance, and gives bytes."""

from __future__ import annotations

import functools
import gzip
import lzma
import random
import re
import zlib
from collections.abc import Callable

import pyarrow as pa

Mutation = Callable[[bytes, random.Random], bytes]

MAX_BYTES = 400_000  # of a mutated input, decompressed bombs apart

NUMBERS = (
    b"0", b"-0", b"-1", b"1e999", b"-1e999", b"1e308", b"1e-320", b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"1" + b"0" * 400, b"9" * 5000,
    b"0x7f", b"1_000", b"4102444800", b"7258118400", b"253402300800", b"1e18", b"\xd9\xa3", b"90.0000001", b"-180.5",
    b"null", b"true", b'""', b"[]", b"{}", b"2147483648", b"0.1e-1", b"--1", b"1.7976931348623157e308",
)  # fmt: skip
PIECES = (
    b"\x1a", b"\x1a\x1a", b"\x1a1", b"\x1a2", b"\x1a3", b"\x1a4", b"\x00" * 9, b"\xff" * 16, b"\r", b"\n", b"\r\n", b",", b";",
    b'"', b"\\", b"\\u0000", b"\\ud800", b"\xef\xbb\xbf", b"\xfe\xff", b"\xf0\x9f\x9b\xa9", b"{", b"}", b"[", b"]", b":", b"\x1e",
    b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"*", b"@", b"MSG,", b"nan,", b"~", b"\x1f\x8b", b"\xfd7zXZ\x00", b"(\xb5/\xfd",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def flip_bits(content: bytes, chance: random.Random) -> bytes:
    """Some bits turned over."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def set_bytes(content: bytes, chance: random.Random) -> bytes:
    """A run overwritten, by chance or by one value."""
    begin, length = _span(content, chance, 64)
    run = (
        chance.randbytes(length)
        if chance.random() < 0.5
        else bytes([chance.choice((0, 0xFF, 0x1A))]) * length
    )
    return content[:begin] + run + content[begin + length :]


def insert(content: bytes, chance: random.Random) -> bytes:
    """A telling piece, or anything, put in."""
    at = chance.randint(0, len(content))
    piece = chance.choice(PIECES) if chance.random() < 0.7 else chance.randbytes(chance.randint(1, 32))
    return content[:at] + piece + content[at:]


def delete(content: bytes, chance: random.Random) -> bytes:
    """A run taken out."""
    begin, length = _span(content, chance, 200)
    return content[:begin] + content[begin + length :]


def duplicate(content: bytes, chance: random.Random) -> bytes:
    """A run repeated, a few times or many."""
    begin, length = _span(content, chance, 4000)
    return (
        content[:begin]
        + content[begin : begin + length] * chance.choice((2, 3, 50))
        + content[begin + length :]
    )


def swap(content: bytes, chance: random.Random) -> bytes:
    """Two halves of a run in the other order: time goes backward."""
    begin, length = _span(content, chance, 4000)
    middle = begin + length // 2
    return (
        content[:begin] + content[middle : begin + length] + content[begin:middle] + content[begin + length :]
    )


def cut(content: bytes, chance: random.Random) -> bytes:
    """The end or the beginning missing."""
    at = chance.randint(0, len(content))
    return content[:at] if chance.random() < 0.8 else content[at:]


def change_number(content: bytes, chance: random.Random) -> bytes:
    """Some numbers in text replaced by ones at the edge of what there is."""
    found = [match.span() for match in _NUMBER.finditer(content[:100_000])]
    for begin, end in sorted(
        chance.sample(found, min(len(found), chance.choice((1, 1, 3, 20)))), reverse=True
    ):
        content = content[:begin] + chance.choice(NUMBERS) + content[end:]
    return content


def nest(content: bytes, chance: random.Random) -> bytes:
    """Brackets opened many times over, closed or not."""
    opening, closing = chance.choice(((b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b'{"trace":[', b"]}")))
    depth = chance.choice((5, 30, 40, 2_000, 100_000))
    bomb = opening * depth + (closing * depth if chance.random() < 0.5 else b"")
    at = chance.randint(0, len(content))
    return content[:at] + bomb + content[at:]


def unend(content: bytes, chance: random.Random) -> bytes:
    """Line ends and closing signs missing: one endless line or document."""
    for sign in chance.sample((b"\n", b"\r", b"}", b"]", b'"', b";"), 2):
        content = content.replace(sign, b"")
    return content + bytes([chance.choice(b"a1 [\x1a")]) * chance.choice((0, 1_000, 70_000, 200_000))


def mix_lines(content: bytes, chance: random.Random) -> bytes:
    """Lines in another order, some twice, some gone."""
    lines = content.split(b"\n")
    chosen = [chance.choice(lines) for _ in range(min(len(lines), 500))]
    return b"\n".join(lines[:1] + chosen)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, set_bytes, insert, delete, duplicate, swap, cut, change_number, change_number, nest, unend, mix_lines,
)  # fmt: skip


def _span(content: bytes, chance: random.Random, most: int) -> tuple[int, int]:
    begin = chance.randint(0, len(content))
    return begin, min(len(content) - begin, chance.randint(1, most))


def splice(first: bytes, second: bytes, chance: random.Random) -> bytes:
    """The beginning of one input and the end of another."""
    return first[: chance.randint(0, len(first))] + second[chance.randint(0, len(second)) :]


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """A seed after one or several mutations."""
    content = chance.choice(seeds)
    if chance.random() < 0.15:
        content = splice(content, chance.choice(seeds), chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        content = chance.choice(MUTATIONS)(content, chance)[:MAX_BYTES]
    return content


def compressed(content: bytes, kind: str) -> bytes:
    """The content as a gzip, xz or zstd source."""
    if kind == "gzip":
        return gzip.compress(content, 1, mtime=0)
    if kind == "xz":
        return lzma.compress(content, preset=0)
    return pa.compress(content, codec="zstd", asbytes=True)


FILLINGS = {
    "zeros": b"\x00", "spaces": b" ", "newlines": b"\n", "brackets": b"[", "quotes": b'"', "escapes": b"\x1a", "digits": b"1",
}  # fmt: skip
FEW_BYTES = 1 << 20  # of what becomes rows: these are judged one by one


@functools.cache
def _filler(filling: bytes, length: int, kind: str) -> bytes:
    """A compressed member that expands to `length` bytes of one kind; made piece by piece."""
    piece, count = filling * (1 << 20), max(1, length >> 20)
    if kind == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            for _ in range(count):
                stream.write(piece)
        return bytes(sink.getvalue())
    if kind == "gzip":
        gzipped = zlib.compressobj(1, wbits=31)
        return b"".join([*(gzipped.compress(piece) for _ in range(count)), gzipped.flush()])
    xz = lzma.LZMACompressor(preset=0)
    return b"".join([*(xz.compress(piece) for _ in range(count)), xz.flush()])


def bombs(seed: bytes, size: int) -> list[bytes]:
    """Small sources that expand to `size` bytes: an input, and after it nothing, a line without end, brackets, or itself again."""
    made = []
    for (name, filling), kind in zip(FILLINGS.items(), ("gzip", "xz", "zstd") * 3, strict=False):
        length = min(size, FEW_BYTES) if name == "newlines" else size
        # all three formats may have several members one after the other
        made.append(compressed(seed, kind) + _filler(filling, length, kind))
    return [*made, compressed(seed * (FEW_BYTES // len(seed)), "gzip")]
