"""Keys to slots: against a dictionary, whatever the keys and batches."""

from __future__ import annotations

import doctest

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airvigil.tracking import key_index
from airvigil.tracking.key_index import FIRST_PLACES, KeyIndex

KEYS = st.one_of(
    st.integers(0, 40).map(lambda k: f"{k:06x}"),
    st.integers(0, 20).map(lambda k: f"~{k:06x}"),
    st.integers(0, 20).map(lambda k: f"a radar with a long name/{k}"),
    st.text(max_size=10),
)


@given(st.lists(st.lists(KEYS, max_size=30), max_size=6))
def test_slots_are_those_of_a_dictionary(batches: list[list[str]]) -> None:
    index, plain = KeyIndex(), dict[str, int]()
    for batch in batches:
        expected = [plain.setdefault(key, len(plain)) for key in batch]
        codes = np.array([index.code(key) for key in batch], np.uint64)
        assert index.slots(codes).tolist() == expected
    assert index.keys == list(plain)
    assert len(index) == len(plain)
    again = KeyIndex(index.keys)
    for key, slot in plain.items():
        assert index.find(key) == index.copy().find(key) == again.find(key) == slot


def test_it_grows_within_a_batch_and_forgets_nothing() -> None:
    index, count = KeyIndex(), 20 * FIRST_PLACES
    codes = np.array([index.code(f"{k:06x}") for k in range(count)], np.uint64)
    assert index.slots(codes).tolist() == list(range(count))
    assert index.slots(codes[::-1]).tolist() == list(range(count))[::-1]


def test_codes_that_fall_on_one_place_are_told_apart() -> None:
    # all multiples of 2^56 share their low 56 bits
    index = KeyIndex()
    codes = np.array([(k << 56) + 1 for k in range(1, 255)], np.uint64)
    assert index.slots(codes).tolist() == list(range(254))


def test_no_key_has_no_slot() -> None:
    index = KeyIndex()
    assert index.slots(np.zeros(3, np.uint64)).tolist() == [-1, -1, -1]
    assert (index.find("absent"), index.find("an absent and long one"), len(index)) == (None, None, 0)


def test_a_copy_shares_nothing() -> None:
    index = KeyIndex(["a", "a very long key"])
    copy = index.copy()
    copy.slot("b")
    copy.slot("another very long key")
    assert index.keys == ["a", "a very long key"]
    assert index.find("b") is None
    assert index.find("another very long key") is None


def test_the_example_in_the_docstring_holds() -> None:
    result = doctest.testmod(key_index)
    assert result.attempted >= 2
    assert result.failed == 0
