"""JSON in a byte stream: cut it into documents, parse them, digest their rows.

`JsonSplitter` finds where documents end by counting braces outside strings, so that a stream of
snapshots needs no agreed separator, and nesting is bounded before a parser sees it. A top-level
array comes out element by element: a file with a million records is read as a million small
documents, not as one large one.

Rules
- No document longer than the bound, none nested deeper than MAX_DEPTH.
- What comes before the first fault in a stream is returned; the fault is raised at the next call.
- A row that has no bytes of its own (a column-oriented table, an aircraft in a snapshot) is
  digested as `row_digest` says: SHA-256 of its values as canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np

from airvigil.errors import DecodeError

MAX_DOCUMENT_BYTES = 512 * 1024 * 1024
MAX_DEPTH = 32  # the formats read here nest at most 5 deep; a parser's own stack is about 1,000
_BLOCK_BYTES = 4 * 1024 * 1024

_ESCAPED = re.compile(rb"\\[\x00-\xff]")
_NOT_FILLING = re.compile(rb"[^ \t\r\n,\x1e\xef\xbb\xbf]")  # JSON's spaces, RFC 7464's separator, the BOM
_SIGN = np.zeros(256, dtype=np.int8)
_SIGN[list(b"{[")] = 1
_SIGN[list(b"}]")] = -1

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def row_digest(values: Any) -> bytes:
    """SHA-256 of a row's values as read: JSON with sorted names, no spaces, ASCII, shortest floats.

    Example:
        >>> row_digest({"b": 1.50, "a": None}) == hashlib.sha256(b'{"a":null,"b":1.5}').digest()
        True
    """
    return hashlib.sha256(_canonical(values).encode("ascii")).digest()


def parse_json(document: bytes) -> Any:
    """One parsed document; NaN and Infinity, which are no JSON, become None.

    Raises:
        DecodeError: not JSON in UTF-8; says where.
    """
    try:
        return json.loads(document, parse_constant=_unknown)
    except json.JSONDecodeError as error:
        raise DecodeError(f"expected JSON: {error.msg.lower()} at byte {error.pos}") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        # ValueError: an integer of more digits than Python agrees to read
        raise DecodeError(f"expected JSON in UTF-8, got {document[:40]!r}") from error


def _unknown(_: str) -> None:
    return None


class JsonSplitter:
    """Cut a byte stream into JSON documents (objects, and the elements of top-level arrays).

    Example:
        >>> s = JsonSplitter()
        >>> s.split(b'{"a": "}"} {"b"'), s.split(b": 1}"), s.split(b"[[1], [2]]")
        ([b'{"a": "}"}'], [b'{"b": 1}'], [b'[1]', b'[2]'])
    """

    def __init__(self, max_document_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._max_document_bytes = max_document_bytes
        self._parts: list[bytes] = []  # of the document being read
        self._part_bytes = 0
        self._depth = 0
        self._in_string = False
        self._held = b""  # a backslash whose second half is in the next chunk
        self._array_depth = 0  # 1 while inside a top-level array
        self._error: DecodeError | None = None

    def split(self, chunk: bytes) -> list[bytes]:
        """The documents that this chunk completes.

        Raises:
            DecodeError: what came before cannot be JSON, is too deep or too long.
        """
        if self._error is not None:
            raise self._error
        documents: list[bytes] = []
        try:
            for start in range(0, len(chunk), _BLOCK_BYTES):
                self._split_block(chunk[start : start + _BLOCK_BYTES], documents)
        except DecodeError as error:
            self._error = error
            if not documents:
                raise
        return documents

    def finish(self) -> bytes:
        """The bytes of the document that did not end, empty if all did.

        Raises:
            DecodeError: a fault found by the last call of `split`.
        """
        if self._error is not None:
            raise self._error
        tail = b"".join(self._parts) + self._held
        self._parts, self._part_bytes, self._held = [], 0, b""
        self._depth, self._in_string, self._array_depth = 0, False, 0
        return tail

    def _split_block(self, block: bytes, documents: list[bytes]) -> None:
        block = self._held + block
        self._held = b""
        if (len(block) - len(block.rstrip(b"\\"))) % 2:
            block, self._held = block[:-1], b"\\"
        # Same length, with every escaped character made harmless: quotes now only open and close.
        plain = np.frombuffer(_ESCAPED.sub(b"__", block), dtype=np.uint8)
        is_quote = plain == 0x22
        parity = np.cumsum(is_quote, dtype=np.int64) + self._in_string
        sign = np.where((parity & 1) | is_quote, 0, _SIGN[plain])
        places = np.flatnonzero(sign)
        begin = 0
        for place, step in zip(places.tolist(), sign[places].tolist(), strict=True):
            begin = self._at_bracket(block, begin, place, step, documents)
        rest = block[begin:]
        if self._depth > self._array_depth:
            self._keep(rest)
        else:
            self._check_filling(rest)
        self._in_string = bool((int(parity[-1]) if len(parity) else self._in_string) & 1)

    def _at_bracket(self, block: bytes, begin: int, place: int, step: int, documents: list[bytes]) -> int:
        """Follow one brace or bracket; returns where the unread part of the block begins."""
        if step > 0:
            if self._depth == self._array_depth:
                self._check_filling(block[begin:place])
                begin = place
                if self._depth == 0 and block[place] == 0x5B:
                    self._depth = self._array_depth = 1
                    return place + 1
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise DecodeError(f"JSON nested deeper than {MAX_DEPTH}")
            return begin
        self._depth -= 1
        if self._depth < 0:
            raise DecodeError("JSON closes a bracket that it did not open")
        if self._depth == self._array_depth:
            self._keep(block[begin : place + 1])
            documents.append(b"".join(self._parts))
            self._parts, self._part_bytes = [], 0
            return place + 1
        if self._depth < self._array_depth:
            self._check_filling(block[begin:place])
            self._array_depth = 0
            return place + 1
        return begin

    def _keep(self, part: bytes) -> None:
        self._part_bytes += len(part)
        if self._part_bytes > self._max_document_bytes:
            raise DecodeError(
                f"JSON document longer than {self._max_document_bytes:,} bytes",
                hint="split the file, or raise the bound on the size of a document",
            )
        if part:
            self._parts.append(part)

    def _check_filling(self, filling: bytes) -> None:
        found = _NOT_FILLING.search(filling)
        if found:
            at = found.start()
            raise DecodeError(f"expected a JSON object or array, got {filling[at : at + 24]!r}")
