"""Volumes that are not always there: samples in them, and the spells that come of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.activation import NS_PER_DAY, PERMANENT, Activation, Window
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells.sample_activation import is_active
from airvigil.units import NS_PER_S, utc_ns
from made_flights import Judged, path
from small_world import START_NS, square

HOURS = st.integers(0, 24).map(lambda hour: hour * 3600)
WINDOWS = st.builds(
    Window,
    st.integers(0, 5).map(lambda day: day * NS_PER_DAY),
    st.integers(0, 20).map(lambda day: day * NS_PER_DAY),
    st.lists(st.integers(0, 6), unique=True).map(tuple),
    HOURS,
    HOURS,
)


@given(st.lists(WINDOWS, max_size=3), st.lists(st.integers(0, 20 * 24 * 4), min_size=1, max_size=50))
def test_many_times_at_once_are_answered_as_one_by_one(windows: list[Window], quarters: list[int]) -> None:
    activation = Activation("schedule", tuple(windows), "")
    times = np.array(quarters, np.int64) * (900 * NS_PER_S)
    expected = [activation.state_at(int(time)) == "active" for time in times]
    assert is_active(activation, times).tolist() == expected
    assert is_active(PERMANENT, times).all()


def sky(activation: Activation) -> Airspace:
    return Airspace([square(activation=activation)])


def inside(count: int = 60) -> list[dict]:
    return path(lat=59.5, icao24="43c123", count=count)


def test_an_inactive_volume_is_not_there() -> None:
    never = Judged(inside(), sky=sky(Activation("notam", (), "")))
    assert not never.events("spell_opened")
    margins = [row for output in never.outputs for row in output.margins.to_pylist()]
    assert margins
    assert {row["p_inside"] for row in margins} == {0.0}


def test_a_volume_that_becomes_active_around_an_aircraft_is_entered_then() -> None:
    opens = START_NS + 20 * NS_PER_S
    judged = Judged(inside(), sky=sky(Activation("notam", (Window(opens, opens + 15 * NS_PER_S),), "")))
    (spell,) = judged.events("spell_closed")
    assert (utc_ns(spell["entry"]["time"]), spell["entry"]["kind"]) == (opens, "first_seen")
    assert utc_ns(spell["exit"]["time"]) == opens + 15 * NS_PER_S
    assert (spell["reports"], spell["outcome"]) == (15, "probable")
    assert spell["activation_unknown"] is False


def test_where_nobody_says_when_a_volume_is_active_a_stay_is_found_and_undecidable() -> None:
    judged = Judged(inside(), sky=sky(Activation("unknown", (), "SR-SS")))
    (spell,) = judged.events("spell_closed")
    assert spell["outcome"] == "undecidable"
    assert spell["activation_unknown"] is True
    assert spell["undecidable_because"] == ["activation"]
    assert spell["undecidable_for"] == ["whether the volume was active"]
    assert spell["p_inside_max"] == pytest.approx(1.0)
    (incident,) = judged.events("incident_closed")
    assert (incident["outcome"], incident["undecidable_for"]) == (
        "undecidable",
        ["whether the volume was active"],
    )
