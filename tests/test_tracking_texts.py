"""Short texts as integers: against Python's own bytes, for every kind of string a column may hold."""

from __future__ import annotations

import doctest

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from airvigil.tracking import texts
from airvigil.tracking.texts import (
    EMPTY,
    HAS_NUL,
    NOT_ASCII,
    TOO_LONG,
    ascii_codes,
    code_of,
    numbered,
    packed,
    text_of,
)

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=12)


def _plain(text: str | None, width: int) -> tuple[int, int]:
    """Code and flags, one string at a time."""
    if not text:
        return 0, EMPTY
    raw = text.encode()
    head = raw[:width]
    flag = TOO_LONG if len(raw) > width else 0
    flag |= HAS_NUL if 0 in head else 0
    flag |= NOT_ASCII if any(byte > 127 for byte in head) else 0
    return int.from_bytes(head, "little"), flag


@given(TEXTS, st.integers(1, 8), st.integers(0, 3))
def test_packing_equals_the_bytes_of_each_text(values: list[str | None], width: int, skipped: int) -> None:
    column = pa.array(values, pa.string()).slice(skipped)
    codes, flags, seen = packed(column, width)
    expected = [_plain(text, width) for text in values[skipped:]]
    assert list(zip(codes.tolist(), flags.tolist(), strict=True)) == expected
    valid = [flag for text, (_, flag) in zip(values[skipped:], expected, strict=True) if text is not None]
    assert seen & ~EMPTY == np.bitwise_or.reduce([0, *valid]) & ~EMPTY


@given(st.text(min_size=1).filter(lambda text: len(text.encode()) <= 8 and "\0" not in text))
def test_a_short_text_survives_being_a_number(text: str) -> None:
    assert text_of(code_of(text)) == text


@given(TEXTS, st.sampled_from([4, 8]))
def test_ascii_codes_cut_and_mark_as_python_does(values: list[str | None], width: int) -> None:
    got = ascii_codes(pa.array(values, pa.string()), width).tolist()
    plain = [(text or "").encode("ascii", "replace")[:width] for text in values]
    assert got == [int.from_bytes(raw, "little") for raw in plain]


@given(st.lists(st.one_of(st.none(), st.sampled_from(["roof", "attic", "", "ä"])), min_size=1, max_size=20))
def test_numbers_stand_for_names_in_order_of_first_appearance(values: list[str | None]) -> None:
    index, names = numbered(pa.array(values, pa.string()))
    wide = np.broadcast_to(index, len(values))
    assert [None if k < 0 else names[k] for k in wide] == values
    assert names == list(dict.fromkeys(value for value in values if value is not None))


def test_what_does_not_fit_has_no_code() -> None:
    assert [code_of(text) for text in ("", "a\0b", "ninebytes")] == [0, 0, 0]
    assert text_of(0) is None


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(texts)
    assert result.attempted >= 2
    assert result.failed == 0
