"""Values as senders write them."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.feeds.field_values import (
    epoch_ns,
    read_address,
    read_callsign,
    read_flags,
    read_numbers,
    read_small_integers,
    read_times,
    read_words,
)

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.lists(st.integers(), max_size=2),
    st.sampled_from(["1", " 2.5 ", "+3", "-4e2", "1e999", "nan", "None", "1_000", "0x1", "٣", "\ud800", "1,5", ".5", "5."]),
)  # fmt: skip


@given(st.lists(ANYTHING, max_size=12))
def test_a_number_does_not_depend_on_its_neighbours(values):
    together, is_bad_together = read_numbers(values)
    for place, value in enumerate(values):
        alone, is_bad_alone = read_numbers([value])
        np.testing.assert_array_equal(together[place], alone[0])
        assert is_bad_together[place] == is_bad_alone[0]


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.sampled_from(["1", " 2.5 ", "+3", "-4e2", "1e999", "nan", "1_000", "٣", "1,5", "", "5."]),
        )
    )
)
def test_texts_alone_are_read_as_texts_among_others(values):
    together, is_bad_together = read_numbers(values)
    mixed, is_bad_mixed = read_numbers([*values, 1.0])
    np.testing.assert_array_equal(together, mixed[:-1])
    np.testing.assert_array_equal(is_bad_together, is_bad_mixed[:-1])


@pytest.mark.parametrize(
    ("value", "number", "is_bad"),
    [(None, math.nan, False), ("", math.nan, False), ("NaN", math.nan, False), ("2.5e1", 25.0, False), (3, 3.0, False),
     (True, math.nan, True), ("1_000", math.nan, True), ("inf", math.nan, True), (math.inf, math.nan, True),
     (10**400, math.nan, True), ({}, math.nan, True), ("1,5", math.nan, True), ("٣", math.nan, True)],
)  # fmt: skip
def test_numbers(value, number, is_bad):
    numbers, bad = read_numbers([value])
    np.testing.assert_array_equal(numbers, [number])
    assert bad.tolist() == [is_bad]


@given(st.datetimes(datetime(1980, 1, 7), datetime(2199, 12, 31)), st.integers(-14 * 60, 14 * 60))
def test_iso_times_agree_with_datetime(moment, offset_minutes):
    stated = moment.replace(tzinfo=UTC) + timedelta(minutes=offset_minutes)
    expected = (
        (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    )
    texts = [moment.isoformat() + "Z", str(moment), stated.replace(tzinfo=None).isoformat()]
    times, is_known, _ = read_times(texts[:2])
    assert times.tolist() == [expected] * 2
    assert is_known.all()
    assert read_times(texts[2:], utc_offset_s=offset_minutes * 60)[0].tolist() == [expected]


@given(st.integers(316_000_000, 7_250_000_000), st.integers(0, 999_999))
def test_epochs_in_every_unit(seconds, microseconds):
    expected = seconds * 10**9 + microseconds * 1000
    stated = [seconds * 10**6 + microseconds, expected, f"{seconds}.{microseconds:06d}"]
    if seconds * 10**6 < 10**14:
        stated = stated[
            1:
        ]  # before March 1973 in us the magnitude is that of ms; no time before 1980 gets here
    assert [epoch_ns(float(v) if isinstance(v, str) else v) for v in stated] == [expected] * len(stated)


def test_times_that_no_clock_shows_are_bad_and_missing_ones_unknown():
    _, is_known, is_bad = read_times(
        [0, -1, "1970-01-01", 4e10, True, {}, None, "", float("nan"), -(2**63), "NaT"]
    )
    assert not is_known.any()
    assert is_bad.tolist() == [True] * 6 + [False] * 5


def test_names():
    assert [read_address(text) for text in ("4BAAC6", " ~4baac6 ", "4baac", "0x4baac6")] == [
        "4baac6",
        "4baac6",
        None,
        None,
    ]
    assert [read_callsign(text) for text in ("THY9BP  ", "", "@@@@", "a\nb", "nan")] == [
        "THY9BP",
        None,
        None,
        None,
        None,
    ]
    assert read_words(["4baac6", 5, None, "é", "\ud800"], read_address).to_pylist() == [
        "4baac6",
        None,
        None,
        None,
        None,
    ]


def test_flags():
    flags, is_bad = read_flags([True, 0, 1.0, "false", "T", None, "", float("nan"), "maybe", 2, []])
    assert flags.to_pylist() == [True, False, True, False, True, None, None, None, None, None, None]
    assert is_bad.tolist() == [False] * 8 + [True] * 3


def test_category_numbers_out_of_range_are_unknown():
    assert read_small_integers([0, 11, 12, -1, 2.5, "9", None, True], 0, 11).to_pylist() == [
        0,
        11,
        None,
        None,
        None,
        9,
        None,
        None,
    ]
