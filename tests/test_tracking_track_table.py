"""The table of tracks: slots, growth, copies, forgetting, and limits in the order that kernels expect."""

from __future__ import annotations

import numpy as np
import pytest

from airvigil.reports import SENSOR_KINDS
from airvigil.tracking.track_table import (
    LIMITS,
    MOTION,
    NEVER,
    SENSOR_VALUES,
    TRACK,
    TrackTable,
    blank_tracks,
    limits_of,
    sensor_table_of,
)
from small_world import SETTINGS


def test_a_key_has_one_slot_for_ever_and_new_keys_get_new_ones() -> None:
    table = TrackTable()
    slots = [table.slot(f"{k:06x}") for k in range(200)]
    assert slots == list(range(200))
    assert [table.slot(f"{k:06x}") for k in range(200)] == slots


def test_the_table_grows_without_changing_what_is_in_it() -> None:
    table = TrackTable()
    table.slot("first")
    table.records["lat"][0] = 59.0
    for k, name in enumerate(MOTION):
        table.records[name][0] = k
    for k in range(500):
        table.slot(str(k))
    assert len(table.records) >= 501
    assert table.records["lat"][0] == 59.0
    assert [table.records[name][0] for name in MOTION] == list(range(len(MOTION)))


def test_of_a_blank_track_nothing_is_known() -> None:
    blank = blank_tracks(1)[0]
    for name in TRACK.names or ():
        if TRACK[name].kind == "f":
            assert np.isnan(blank[name]), name
        elif TRACK[name] == np.int64:
            assert blank[name] == NEVER, name
    assert blank["is_state"] == -1


def test_a_difference_to_never_does_not_overflow_in_this_century() -> None:
    year_2100_ns = 4_102_444_800_000_000_000
    assert year_2100_ns - NEVER <= np.iinfo(np.int64).max
    assert -year_2100_ns > NEVER


def test_a_copy_shares_nothing() -> None:
    table = TrackTable()
    table.slot("a")
    copy = table.copy()
    copy.slot("b")
    copy.records["lat"][0] = 1.0
    assert table.keys == ["a"]
    assert np.isnan(table.records["lat"][0])


def test_limits_stand_where_kernels_look_for_them() -> None:
    (limits,) = limits_of(SETTINGS)
    for name in LIMITS:
        value = limits[name]
        group = SETTINGS.admission if hasattr(SETTINGS.admission, name) else SETTINGS.tracks
        assert value == float(getattr(group, name))


def test_the_assumed_quality_of_each_kind_stands_in_its_row() -> None:
    table = sensor_table_of(SETTINGS)
    assert len(table) == len(SENSOR_KINDS)
    for name in SENSOR_VALUES:
        assert table[SENSOR_KINDS.index("radar")][name] == getattr(SETTINGS.sensors["radar"], name)


def test_forgetting_moves_what_is_kept_and_says_where_to() -> None:
    table = TrackTable()
    for k in range(6):
        table.slot(str(k))
        table.records["heard"][k] = 100 * k
        table.records["ve"][k] = k
    moved = table.forget(250, np.array([1], dtype=np.int32))
    assert moved.tolist() == [-1, 0, -1, 1, 2, 3]
    assert table.keys == ["1", "3", "4", "5"]
    assert [table.slot(key) for key in table.keys] == [0, 1, 2, 3]
    assert table.records["heard"][:4].tolist() == [100, 300, 400, 500]
    assert table.records["ve"][:4].tolist() == [1.0, 3.0, 4.0, 5.0]
    assert table.records["heard"][table.slot("new")] == NEVER


@pytest.mark.parametrize("before", [0, 10**9])
def test_forgetting_nothing_and_everything(before: int) -> None:
    table = TrackTable()
    table.slot("a")
    table.records["heard"][0] = 5
    table.forget(before, np.zeros(0, dtype=np.int32))
    assert table.keys == (["a"] if before == 0 else [])
