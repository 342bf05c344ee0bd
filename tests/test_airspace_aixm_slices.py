"""Temporality: which slices make a feature's state, against a reading of the rules one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.sources.aixm_document import read_documents, text_of
from airvigil.airspace.sources.aixm_slices import (
    OPEN_NS,
    Slice,
    change_instants,
    parse_time,
    read_slices,
    standing,
    state_at,
)
from airvigil.units import utc_ns
from made_aixm import ONE, airspace, message, time_slice


def slices_of(*made: str) -> tuple[list[Slice], list[str]]:
    library = read_documents([(message(airspace(ONE, *made)), "a.xml")])
    slices, unread = read_slices(library.features[ONE], library)
    kept, odd = standing(slices)
    return kept, [text for _, text in unread] + odd


def name_at(kept: list[Slice], time: str) -> str | None:
    state = state_at(kept, utc_ns(time))
    return text_of(state.properties["name"][0]) if "name" in state.properties else None


def called(name: str) -> str:
    return f"<aixm:name>{name}</aixm:name>"


def test_the_highest_correction_holds_and_a_missing_one_is_0() -> None:
    kept, _ = slices_of(
        time_slice(called("first"), number="1"),
        time_slice(called("third"), number="1.2"),
        time_slice(called("second"), number="1.1"),
    )
    assert name_at(kept, "2020-06-01") == "third"


def test_a_correction_without_a_valid_time_cancels() -> None:
    kept, _ = slices_of(
        time_slice(called("base")),
        time_slice(called("notam"), "TEMPDELTA", "1.0", "2020-05-01T00:00:00Z/2020-07-01T00:00:00Z"),
        time_slice("", "TEMPDELTA", "1.1", None),
    )
    assert name_at(kept, "2020-06-01") == "base"


def test_a_correction_ends_a_baseline_before_the_next_begins() -> None:
    kept, _ = slices_of(
        time_slice(called("old"), number="1.0"),
        time_slice(called("old"), number="1.1", valid="2020-01-01T00:00:00Z/2020-03-01T00:00:00Z"),
        time_slice(called("new"), number="2.0", valid="2020-03-01T00:00:00Z/"),
    )
    assert [name_at(kept, f"2020-0{month}-01") for month in (2, 3)] == ["old", "new"]
    assert name_at(kept, "2019-12-31") is None


def test_two_open_baselines_the_later_sequence_holds() -> None:
    kept, _ = slices_of(
        time_slice(called("old"), number="1"),
        time_slice(called("new"), number="2", valid="2020-03-01T00:00:00Z/"),
    )
    assert [name_at(kept, f"2020-0{month}-01") for month in (2, 3)] == ["old", "new"]


def test_permanent_deltas_alone_make_a_feature_and_end_it() -> None:
    life = "2020-01-01T00:00:00Z/"
    kept, _ = slices_of(
        time_slice(called("made"), "PERMDELTA", "1", "2020-01-01T00:00:00Z", life),
        time_slice(called("renamed"), "PERMDELTA", "2", "2020-02-01T00:00:00Z"),
        time_slice("", "PERMDELTA", "3", "2020-03-01T00:00:00Z", life + "2020-03-01T00:00:00Z"),
    )
    names = [name_at(kept, time) for time in ("2019-12-31", "2020-01-01", "2020-02-28", "2020-03-01")]
    assert names == [None, "made", "renamed", None]


def test_a_delta_at_the_start_of_a_baseline_is_in_it_already() -> None:
    kept, _ = slices_of(
        time_slice(called("base"), number="2", valid="2020-02-01T00:00:00Z/"),
        time_slice(called("delta"), "PERMDELTA", "2", "2020-02-01T00:00:00Z"),
    )
    assert name_at(kept, "2020-06-01") == "base"


def test_temporary_deltas_go_over_one_another_by_sequence() -> None:
    both = "2020-05-01T00:00:00Z/2020-07-01T00:00:00Z"
    kept, _ = slices_of(
        time_slice(called("base")),
        time_slice(called("later"), "TEMPDELTA", "2", both),
        time_slice(called("earlier") + "<aixm:type>R</aixm:type>", "TEMPDELTA", "1", both),
    )
    assert name_at(kept, "2020-06-01") == "later"
    state = state_at(kept, utc_ns("2020-06-01"))
    assert text_of(state.properties["type"][0]) == "R"
    assert state.temporary == {"name", "type"}


def test_a_nil_property_empties_what_was_there() -> None:
    kept, _ = slices_of(
        time_slice(called("base")),
        time_slice(
            '<aixm:name xsi:nil="true" nilReason="withheld"/>', "TEMPDELTA", "1", "2020-05-01T00:00:00Z/"
        ),
    )
    assert name_at(kept, "2020-06-01") is None
    assert name_at(kept, "2020-04-01") == "base"


def test_a_snapshot_is_taken_at_its_instant_only() -> None:
    kept, _ = slices_of(
        time_slice(called("base")), time_slice(called("shot"), "SNAPSHOT", "0", "2020-06-01T00:00:00Z")
    )
    assert [name_at(kept, time) for time in ("2020-06-01T00:00:00Z", "2020-06-01T00:00:01Z")] == [
        "shot",
        "base",
    ]


def test_the_same_slice_twice_is_one_and_a_contradiction_is_said() -> None:
    same = time_slice(called("base"))
    kept, said = slices_of(same, same)
    assert (len(kept), said) == (1, [])
    kept, said = slices_of(same, time_slice(called("other"), valid="2021-01-01T00:00:00Z/"))
    assert len(kept) == 2
    assert "2 different slices are all BASELINE 1.0" in said[0]
    assert [name_at(kept, time) for time in ("2020-06-01", "2021-06-01")] == ["base", "other"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (time_slice("", "FORECAST"), "interpretation must be one of BASELINE"),
        (time_slice("", number="-1"), "not a number: '-1'"),
        (time_slice("", number="9999999999999999"), "not a number"),
        (time_slice("", valid="yesterday/"), "not a time: 'yesterday'"),
        (time_slice("", valid="2020-13-01T00:00:00Z/"), "month must be in 1..12"),
        (time_slice("", valid="2020-02-01T00:00:00Z/2020-01-01T00:00:00Z"), "before it begins"),
    ],
)
def test_a_slice_that_cannot_be_read_is_named(made: str, reason: str) -> None:
    kept, said = slices_of(made)
    assert kept == []
    assert reason in said[0]
    assert f"Airspace[{ONE}]/AirspaceTimeSlice[line 3]" in said[0]


def test_a_lifetime_that_cannot_be_read_is_taken_as_not_given() -> None:
    kept, said = slices_of(time_slice(called("base"), lifetime="20010-11-01T00:00:00Z/"))
    assert name_at(kept, "2020-06-01") == "base"
    assert "taken as not given" in said[0]


def test_times() -> None:
    assert (
        parse_time("2018-12-06")
        == parse_time("2018-12-06T00:00:00Z")
        == parse_time("2018-12-06T01:00:00+01:00")
    )
    assert parse_time("9999-12-31T00:00:00Z") == OPEN_NS


deltas = st.lists(
    st.tuples(
        st.sampled_from(["PERMDELTA", "TEMPDELTA"]), st.integers(1, 28), st.integers(1, 28), st.integers(0, 2)
    ),
    max_size=6,
)


@given(deltas, st.integers(1, 28), st.randoms(use_true_random=False))
def test_the_order_of_slices_in_the_documents_does_not_matter(
    made: list[tuple[str, int, int, int]], day: int, shuffler: object
) -> None:
    texts = [time_slice(called("base"), valid="2020-01-01T00:00:00Z/")]
    for k, (interpretation, begin, end, correction) in enumerate(made):
        first, last = sorted((begin, end))
        valid = f"2020-03-{first:02d}T00:00:00Z" + (
            "" if interpretation == "PERMDELTA" else f"/2020-03-{last:02d}T12:00:00Z"
        )
        texts.append(time_slice(called(f"{interpretation} {k}"), interpretation, f"{k}.{correction}", valid))
    shuffled = list(texts)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    at = f"2020-03-{day:02d}T06:00:00Z"
    (one, _), (other, _) = slices_of(*texts), slices_of(*shuffled)
    expected = "base"
    standing_perm = [
        (min(b, e), k) for k, (i, b, e, _) in enumerate(made) if i == "PERMDELTA" and min(b, e) <= day
    ]
    if standing_perm:
        expected = f"PERMDELTA {max(standing_perm)[1]}"
    temp = [k for k, (i, b, e, _) in enumerate(made) if i == "TEMPDELTA" and min(b, e) <= day <= max(b, e)]
    if temp:
        expected = f"TEMPDELTA {max(temp)}"
    assert name_at(one, at) == name_at(other, at) == expected
    assert change_instants(one) == change_instants(other)
