"""Short texts as integers of their bytes: what a row's callsign, squawk and track key travel as.

Up to eight bytes fit, the first one lowest; 0 is no text. One pass over Arrow's own buffers, so that a
column of a hundred thousand addresses makes no Python object.

Rules
- Two texts of one to eight bytes without a NUL have two integers, and the integer gives the text back.
- What does not fit is told, not guessed: it gets a flag, and whoever asked decides.

Reference: Apache Arrow columnar format, variable-size binary layout.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

MOST_BYTES = 8
TOO_LONG, HAS_NUL, NOT_ASCII, EMPTY = 1, 2, 4, 8  # flags of a text

Codes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.uint8]


def text_of(code: int) -> str | None:
    """The text whose bytes make up an integer; None for 0.

    Example:
        >>> text_of(int.from_bytes(b"FIN7", "little"))
        'FIN7'
    """
    if code == 0:
        return None
    return int(code).to_bytes(MOST_BYTES, "little").rstrip(b"\0").decode("utf-8", "replace")


def code_of(text: str) -> int:
    """The integer of a text of one to eight bytes without NUL; 0 if it is none.

    Example:
        >>> text_of(code_of("4601f7")), code_of("a sensor/12")
        ('4601f7', 0)
    """
    raw = text.encode()
    return 0 if len(raw) > MOST_BYTES or 0 in raw else int.from_bytes(raw, "little")


def flat_text(column: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """(n + 1,) offsets and the bytes they point into, of a string column; what null rows hold means nothing."""
    _, offsets, data = column.buffers()
    begin, count = column.offset, len(column)
    if offsets is None or not count:
        return np.zeros(count + 1, np.int32), np.zeros(0, np.uint8)
    places = np.frombuffer(offsets, np.int32)[begin : begin + count + 1]
    return places, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


@njit(cache=True, nogil=True)
def pack_texts(offsets: Any, data: Any, width: int, codes: Any, flags: Any) -> int:
    """Pack the first `width` bytes of each text.

    Args:
        offsets, data: as `flat_text`.
        width: bytes at most, 1 to 8.
        codes: (n,) uint64 out.
        flags: (n,) uint8 out; NOT_ASCII and HAS_NUL look at the packed bytes alone.

    Returns:
        All flags together.
    """
    seen = 0
    for i in range(len(codes)):
        begin, end = offsets[i], offsets[i + 1]
        code, flag = np.uint64(0), 0
        if end == begin:
            flag = EMPTY
        elif end - begin > width:
            flag = TOO_LONG
            end = begin + width
        shift = np.uint64(0)
        for k in range(begin, end):
            byte = data[k]
            if byte == 0:
                flag |= HAS_NUL
            elif byte > 127:
                flag |= NOT_ASCII
            code |= np.uint64(byte) << shift
            shift += np.uint64(8)
        codes[i] = code
        flags[i] = flag
        seen |= flag
    return seen


def packed(column: pa.Array, width: int = MOST_BYTES) -> tuple[Codes, Flags, int]:
    """Codes, flags and all flags together, of a string column. Null rows have code 0 and flag EMPTY."""
    count = len(column)
    codes, flags = np.empty(count, np.uint64), np.empty(count, np.uint8)
    seen = pack_texts(*flat_text(column), width, codes, flags)
    if column.null_count:
        unknown = column.is_null().to_numpy(zero_copy_only=False)
        codes[unknown], flags[unknown] = 0, EMPTY
    return codes, flags, int(seen)


def ascii_codes(column: pa.Array, width: int) -> Codes:
    """Codes of a column of short ASCII texts: cut to `width`; each character that is not ASCII becomes '?'."""
    codes, flags, seen = packed(column, width)
    if seen & NOT_ASCII:
        for i in np.flatnonzero(flags & NOT_ASCII).tolist():
            codes[i] = int.from_bytes(column[i].as_py().encode("ascii", "replace")[:width], "little")
    return codes


def numbered(column: pa.Array) -> tuple[Any, list[str]]:
    """Index of each row's text among the distinct ones, and these in order of first appearance.

    Args:
        column: strings; null rows get the index -1.

    Returns:
        ((n,) int32 or the one int that all rows have, names).
    """
    if column.null_count == 0 and len(column) and _is_constant(column):
        return 0, [column[0].as_py()]
    encoded = column.dictionary_encode()
    indices = encoded.indices.fill_null(-1) if encoded.indices.null_count else encoded.indices
    return indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()


def _is_constant(column: pa.Array) -> bool:
    offsets, data = flat_text(column)
    width, count = int(offsets[1] - offsets[0]), len(column)
    begin, end = int(offsets[0]), int(offsets[-1])
    if end - begin != width * count or (count > 1 and np.any(np.diff(offsets) != width)):
        return False
    table = data[begin:end].reshape(count, width)
    return bool((table == table[0]).all())
