"""What changed between two sets of volumes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from airvigil.airspace.activation import Activation, Window
from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.diff import diff_volumes
from airvigil.airspace.volumes import Volume, make_volume

BOX = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])


def volume(volume_id: str = "a", ring: np.ndarray = BOX, **more: object) -> Volume:
    return make_volume(volume_id, [ring], **more)  # type: ignore[arg-type]


def test_nothing_changed() -> None:
    assert diff_volumes([volume()], [volume()]) == []
    # where it was read from and how a limit was spelt change no volume
    other = volume(source="elsewhere", version="2", place="line 9", upper=Limit(304.8, "MSL", "1000 ft"))
    assert diff_volumes([volume(upper=Limit(304.8, "MSL", "1000FT AMSL"))], [other]) == []


def test_added_removed_renamed() -> None:
    east = BOX + np.array([0.0, 5.0])
    changes = diff_volumes(
        [volume("a"), volume("gone", BOX + 1.0), volume("old", east)],
        [volume("a"), volume("new", east), volume("more", BOX - 1.0)],
    )
    assert [(change.change, change.volume_id) for change in changes] == [
        ("removed", "gone"),
        ("renamed", "old"),
        ("added", "more"),
    ]
    assert changes[0].area_before_m2 > 6e9
    assert math.isnan(changes[0].area_after_m2)
    assert (changes[1].fields[0].before, changes[1].fields[0].after) == ("old", "new")
    assert changes[2].area_after_m2 > 6e9


def test_fields() -> None:
    night = Activation("schedule", (Window(0, 2**62, (0,), 22 * 3600, 6 * 3600),), "MON 2200-0600")
    after = volume(
        upper=Limit(2895.6, "STD", "FL95"),
        activation=night,
        airspace_class="D",
        states=("EST",),
        may_enter="all",
        kind="fir",
    )
    (change,) = diff_volumes([volume(upper=Limit(1981.2, "STD", "FL65"))], [after])
    told = {field.field: (field.before, field.after) for field in change.fields}
    assert told == {
        "upper": ("FL65", "FL95"),
        "activation": ("permanent", "schedule (MON 2200-0600)"),
        "airspace_class": ("", "D"),
        "states": ("", "EST"),
        "may_enter": ("", "all"),
        "kind": ("user", "fir"),
    }
    assert change.displacement_m == 0.0
    assert math.isnan(change.area_after_m2)


def test_a_boundary_that_moved() -> None:
    moved = BOX.copy()
    moved[1:3, 1] += 0.1
    (change,) = diff_volumes([volume()], [volume(ring=moved)])
    assert (change.change, change.fields) == ("changed", ())
    assert change.displacement_m == pytest.approx(0.1 * 111_320 * math.cos(math.radians(59.0)), rel=0.01)
    assert change.area_after_m2 / change.area_before_m2 == pytest.approx(1.1, rel=1e-3)


def test_other_edges_between_the_same_corners_are_a_change() -> None:
    (change,) = diff_volumes([volume()], [replace(volume(), edge_kind="geodesic")])
    assert [field.field for field in change.fields] == ["edge_kind"]
    assert change.displacement_m > 100.0
