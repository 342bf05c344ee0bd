"""Airspace in words."""

from __future__ import annotations

import json

import numpy as np

from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.diff import diff_volumes
from airvigil.airspace.sources.loaded import SHOWN_TEXT, Loaded, Remark
from airvigil.airspace.volumes import make_volume
from airvigil.exports.airspace_lines import (
    diff_json,
    diff_lines,
    loading_json,
    loading_lines,
    volume_json,
    volume_row,
)

BOX = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
LOADED = Loaded(
    "openair",
    (make_volume("a", [BOX], place="line 1"),),
    tuple(Remark(line, "not a place", "DP x") for line in (7, 9, 11)),
    (Remark(0, "read as UTF-16"),),
)


def test_a_loading_report_counts_and_names() -> None:
    assert list(loading_lines("f.txt", LOADED)) == [
        "f.txt: openair: 1 volumes read, 3 rejected",
        "rejected: line 7: not a place: 'DP x'",
        "rejected: line 9: not a place: 'DP x'",
        "rejected: line 11: not a place: 'DP x'",
        "note: read as UTF-16",
    ]
    short = list(loading_lines("f.txt", LOADED, most=1))
    assert len(short) == 4
    assert short[2] == "rejected: 2 more; `airvigil airspace check f.txt` names them"


def test_the_report_as_json() -> None:
    report = json.loads(loading_json("f.txt", LOADED))
    assert (report["read"], len(report["rejected"]), report["rejected"][0]["line"]) == (1, 3, 7)
    assert report["remarks"][0]["line"] is None


def test_what_stands_there_is_cut() -> None:
    assert len(Remark(1, "r", "x" * 10_000).text) == SHOWN_TEXT


def test_a_volume_in_a_row_and_in_json() -> None:
    volume = make_volume("a", [BOX], airspace_class="D", airspace_type="CTR", original="AC D")
    assert volume_row(volume) == ("a", "user", "D CTR", "SFC", "UNL", "permanent", "4", "")
    assert json.loads(volume_json(volume, with_original=True))["original"] == "AC D"
    assert "original" not in json.loads(volume_json(volume))


def test_differences_in_words_and_in_json() -> None:
    moved = BOX.copy()
    moved[1:3, 1] += 0.0001
    before = [make_volume("a", [BOX]), make_volume("b", [BOX + 3.0])]
    after = [make_volume("a", [moved], upper=Limit(304.8, "MSL", "1000 ft")), make_volume("c", [BOX + 6.0])]
    changes = diff_volumes(before, after)
    first, second, third = diff_lines(changes)
    assert first.startswith("changed: a: upper 'UNL' -> '1000 ft'; area 6,30")
    assert "boundary moved by up to 5.7" in first
    assert second.startswith("removed: b: area ")
    assert third.startswith("added: c: area ")
    rows = [json.loads(diff_json(change)) for change in changes]
    assert rows[0]["fields"]["upper"] == ["UNL", "1000 ft"]
    assert (rows[1]["area_after_m2"], rows[2]["displacement_m"]) == (None, None)
