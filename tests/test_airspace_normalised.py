"""Volumes written as our own GeoJSON and read back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.activation import Activation, Window
from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.geojson import parse
from airvigil.airspace.sources.normalised import normalised_bytes, polygons_of, read_normalised
from airvigil.airspace.sources.openair_words import ALWAYS_NS
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.errors import AirspaceError

BOX = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
HOLE = np.array([[59.4, 24.4], [59.6, 24.4], [59.6, 24.6], [59.4, 24.6], [59.4, 24.4]])


def read_back(volumes: list[Volume]) -> list[Volume]:
    return read_normalised(parse(normalised_bytes(volumes), "n"), "n")


def assert_same(before: Volume, after: Volume) -> None:
    for field in dataclasses.fields(Volume):
        if field.name != "rings":
            assert getattr(before, field.name) == getattr(after, field.name), field.name
    assert len(before.rings) == len(after.rings)
    assert all(np.array_equal(a, b) for a, b in zip(before.rings, after.rings, strict=True))


def rich_volume() -> Volume:
    return make_volume(
        "R 1",
        [HOLE, BOX + np.array([0.0, 5.0]), BOX],
        name='Range "Å" \u2028',
        kind="fir",
        states=("EST", "FIN"),
        lower=Limit(-0.1 + 0.3, "SFC", "0.2 m"),
        upper=Limit(2895.6, "STD", "FL 95"),
        activation=Activation(
            "schedule",
            (
                Window(-ALWAYS_NS, ALWAYS_NS, (0, 6), 3600, 60),
                Window(1, 1_777_672_800_000_000_000),
                Window(-5, 5),
            ),
            "as it says",
        ),
        airspace_class="D",
        airspace_type="CTR",
        may_enter="nobody",
        edge_kind="geodesic",
        edges_written=("arc", "circle"),
        boundary_uncertainty_m=12.5,
        source="s",
        version="v",
        place="line 7",
        original="AC R\nAN x",
    )


def test_every_field_comes_back() -> None:
    volume = rich_volume()
    (after,) = read_back([volume])
    assert_same(volume, after)


def test_the_package_comes_back() -> None:
    volumes = load_volumes(["EST", "RUS", "FJI"])
    for before, after in zip(volumes, read_back(volumes), strict=True):
        assert_same(before, after)


@given(
    st.lists(st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)), min_size=3, max_size=6),
    st.one_of(st.none(), st.floats(-1e5, 1e5)),
    st.integers(-(2**62), 2**62),
)
@hypothesis_settings(max_examples=100)
def test_any_numbers_come_back(
    places: list[tuple[float, float]], lower_m: float | None, start_ns: int
) -> None:
    lower = Limit(float("-inf"), "none") if lower_m is None else Limit(lower_m, "W84")
    windows = (Window(start_ns, 2**62),) if start_ns < 2**62 else ()
    ring = np.array([*places, places[0]])
    volume = make_volume("x", [ring], lower=lower, activation=Activation("notam", windows))
    assert_same(volume, read_back([volume])[0])


def test_any_geojson_reader_sees_the_same_area() -> None:
    document = json.loads(normalised_bytes([rich_volume()]))
    shape = shapely.geometry.shape(document["features"][0]["geometry"])
    assert shape.is_valid
    assert shape.area == pytest.approx(2.0 - 0.04)


def test_polygons_of_an_island_in_a_lake() -> None:
    island = HOLE[::-1] * 0.25 + np.array([59.5, 24.5]) * 0.75
    groups = polygons_of([BOX, HOLE, island, BOX + 20.0])
    assert groups == [[0, 1], [2], [3]]
    assert polygons_of([HOLE]) == [[0]]


def changed(change: Any) -> dict[str, Any]:
    document = json.loads(normalised_bytes([rich_volume()]))
    change(document, document["features"][0]["properties"], document["features"][0])
    return document


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d, p, f: d.update(airvigil="airspace/9"), "expected airvigil"),
        (lambda d, p, f: d.update(features=None), "expected a list"),
        (lambda d, p, f: p.update(upper_limit_m=3000.0), "digest"),
        (lambda d, p, f: p["activation"].update(kind="permanent"), "digest"),
        (lambda d, p, f: f["geometry"]["coordinates"][0][0].reverse(), "digest"),
        (lambda d, p, f: f["geometry"]["coordinates"][0][0][1].__setitem__(0, 29.5), "digest"),
        (lambda d, p, f: p.update(edge_kind="lonlat"), "digest"),
        (lambda d, p, f: p.pop("digest"), "not a volume"),
        (lambda d, p, f: p.pop("kind"), "not a volume"),
        (lambda d, p, f: p.update(kind="mine"), "kind must be"),
        (lambda d, p, f: p.update(name=5), "not a volume"),
        (lambda d, p, f: p.update(ring_order=[0, 0, 1]), "not a volume"),
        (lambda d, p, f: p.update(upper_limit_m=1e400), "not a volume|limit|digest|finite|inf"),
        (lambda d, p, f: f.update(geometry=None), "not a volume"),
        (lambda d, p, f: f["geometry"].update(type="Point"), "not a volume"),
        (lambda d, p, f: f["geometry"].update(coordinates=[[[1, 2, 3]]]), "not a volume"),
        (lambda d, p, f: p["activation"]["windows"][0].update({"from": "soon"}), "not a volume"),
        (lambda d, p, f: p["activation"]["windows"][0].update(weekdays=["x"]), "not a volume"),
        (lambda d, p, f: d.update(features=[7]), "not a volume"),
    ],
)
def test_what_was_changed_by_hand_is_refused(change: Any, reason: str) -> None:
    with pytest.raises(AirspaceError, match=reason):
        read_normalised(changed(change), "n")


def test_what_decides_nothing_may_be_changed_by_hand() -> None:
    document = changed(lambda d, p, f: p.update(name="better", may_enter="all"))
    assert read_normalised(document, "n")[0].name == "better"
