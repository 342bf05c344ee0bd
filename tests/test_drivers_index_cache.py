"""Indices kept between runs: what comes back is what was built, and what is broken is not used."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from airvigil.airspace.margins import Airspace, Margins
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.drivers.index_cache import KEPT, cache_folder, open_airspace, save_index
from airvigil.errors import ShapeError

RING = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])


def box(name: str = "box") -> list[Volume]:
    return [make_volume(name, [RING])]


def ask(airspace: Airspace, east_deg: float = 0.0) -> Margins:
    latitude = np.linspace(58.7, 60.3, 200)
    return airspace.margins(
        latitude,
        np.linspace(23.8, 25.1, 200) + east_deg,
        np.tile([2500.0, 0.0, 2500.0], (200, 1)),
        np.zeros(200),
    )


def same(one: Margins, two: Margins) -> bool:
    names = ("row", "volume", "margin_m", "sigma_m", "p_inside", "p_inside_high", "normal_e", "normal_n")
    return all(getattr(one, name).tobytes() == getattr(two, name).tobytes() for name in names)


def test_what_was_built_comes_back_and_grows(tmp_path: Path) -> None:
    first = open_airspace(box(), tmp_path)
    before = ask(first)
    assert first.has_grown
    assert save_index(first, tmp_path)
    second = open_airspace(box(), tmp_path)
    assert same(ask(second), before)
    assert not second.has_grown
    assert not save_index(second, tmp_path)
    beyond = ask(second, 0.5)
    assert second.has_grown
    assert same(beyond, ask(Airspace(box()), 0.5))
    assert same(ask(second), before)
    assert save_index(second, tmp_path)
    third = open_airspace(box(), tmp_path)
    assert same(ask(third, 0.5), beyond)
    assert not third.has_grown


def test_other_volumes_have_another_folder(tmp_path: Path) -> None:
    airspace = open_airspace(box(), tmp_path)
    ask(airspace)
    save_index(airspace, tmp_path)
    other = open_airspace(box("other"), tmp_path)
    ask(other)
    assert other.has_grown
    with pytest.raises(ShapeError, match="expected an index of airspace"):
        Airspace(box("other"), index=airspace.index_arrays())


@pytest.mark.parametrize("harm", ["cut", "empty", "text", "kind", "missing"])
def test_a_broken_index_is_built_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str) -> None:
    airspace = open_airspace(box(), tmp_path)
    before = ask(airspace)
    save_index(airspace, tmp_path)
    (folder,) = tmp_path.iterdir()
    file = folder / "leaves.records.npy"
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-16])
    elif harm == "empty":
        file.write_bytes(b"")
    elif harm == "text":
        file.write_text("not an array")
    elif harm == "kind":
        np.save(file, np.load(file).astype(np.int64))
    else:
        file.unlink()
    with caplog.at_level(logging.WARNING):
        again = open_airspace(box(), tmp_path)
    assert same(ask(again), before)
    assert again.has_grown
    assert harm == "missing" or "building the index anew" in caplog.text
    assert save_index(again, tmp_path)
    assert same(ask(open_airspace(box(), tmp_path)), before)


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    for k in range(KEPT + 3):
        airspace = open_airspace(box(f"box {k}"), tmp_path)
        airspace.build(59.1, 24.1, 59.2, 24.2)
        save_index(airspace, tmp_path)
    assert len(list(tmp_path.iterdir())) == KEPT


def test_a_folder_that_cannot_be_written_to_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    airspace = Airspace(box())
    ask(airspace)
    with caplog.at_level(logging.WARNING):
        assert not save_index(airspace, tmp_path / "file" / "below")
    assert "the index is not kept" in caplog.text


def test_the_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "airvigil" / "airspace"
