"""Terrain tiles made here, against formulas and a plain twin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights import terrain
from airvigil.airspace.heights.terrain import (
    NODE_COUNT,
    VOID,
    Terrain,
    node_places,
    node_weights,
    parse_tile,
    tile_name,
)
from airvigil.errors import AirspaceError


def tile(south: int, west: int, height: Any, side: int = 1201) -> bytes:
    """A tile whose nodes are `height` of latitude and longitude, rounded to metres."""
    lat, lon = np.meshgrid(
        np.linspace(south + 1.0, south, side), np.linspace(west, west + 1.0, side), indexing="ij"
    )
    return np.round(height(lat, lon)).astype(">i2").tobytes()


def waves(lat: Any, lon: Any) -> Any:
    return 800.0 + 700.0 * np.sin(3.0 * lat) * np.cos(2.0 * lon)


def world(names: dict[str, bytes]) -> Terrain:
    return Terrain(names.get)


FOUR = world(
    {tile_name(s + 0.5, w + 0.5): tile(s, w, waves) for s in (59, 60) for w in (25, 26)}
    | {"S01W001": tile(-1, -1, waves), "N00E000": tile(0, 0, waves), "N10W180": tile(10, -180, waves)}
)


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "name"),
    [
        (59.44, 26.9, "N59E026"),
        (59.0, 26.0, "N59E026"),
        (-0.1, -0.1, "S01W001"),
        (0.0, 0.0, "N00E000"),
        (-34.6, 18.4, "S35E018"),
        (10.5, 180.0, "N10W180"),
        (10.5, -180.0, "N10W180"),
        (10.5, 179.9, "N10E179"),
        (90.0, 0.0, "N89E000"),
        (10.0, 540.5, "N10W180"),
    ],
)
def test_a_tile_is_named_after_its_south_west_corner(
    latitude_deg: float, longitude_deg: float, name: str
) -> None:
    assert tile_name(latitude_deg, longitude_deg) == name


@given(st.floats(59.0, 60.999), st.floats(25.0, 26.999))
def test_between_nodes_the_ground_is_the_surface_that_was_sampled(lat: float, lon: float) -> None:
    # rounding to metres, and a bend of 0.003 m in a cell
    assert FOUR.height_m(lat, lon) == pytest.approx(float(waves(lat, lon)), abs=0.51)


def plain(nodes: Any, south: float, west: float, lat: float, lon: float) -> float:
    """The twin: linear along both rows, then between them."""
    last = len(nodes) - 1
    y, x = (1.0 - (lat - south)) * last, (lon - west) * last
    row, column = min(int(y), last - 1), min(int(x), last - 1)
    square = [[int(nodes[row + i, column + j]) for j in (0, 1)] for i in (0, 1)]
    if VOID in square[0] + square[1]:
        return math.nan
    upper, lower = (a * (1 - (x - column)) + b * (x - column) for a, b in square)
    return upper * (1 - (y - row)) + lower * (y - row)


@given(
    st.floats(0.0, 0.9999),
    st.floats(0.0, 0.9999),
    st.sampled_from([1201, 3601]),
)
def test_the_kernel_is_its_plain_twin(north: float, east: float, side: int) -> None:
    nodes = ROUGH[side]
    found = world({"N59E025": nodes.astype(">i2").tobytes()}).height_m(59.0 + north, 25.0 + east)
    assert found == pytest.approx(plain(nodes, 59.0, 25.0, 59.0 + north, 25.0 + east), abs=1e-9, nan_ok=True)


def _rough(side: int) -> Any:
    rng = np.random.default_rng(side)
    nodes = rng.integers(-400, 8800, (side, side))
    nodes[rng.random((side, side)) < 0.1] = VOID
    return nodes


ROUGH = {side: _rough(side) for side in (1201, 3601)}


def test_a_node_stands_where_the_format_has_it() -> None:
    nodes = np.zeros((1201, 1201), dtype=">i2")
    nodes[0, 0], nodes[1200, 1200], nodes[600, 300] = 11, 22, 33
    ground = world({"N59E025": nodes.tobytes()})
    assert ground.height_m(60.0 - 1e-12, 25.0) == pytest.approx(11.0, abs=1e-6)
    assert ground.height_m(59.0, 26.0 - 1e-12) == pytest.approx(22.0, abs=1e-6)
    assert ground.height_m(59.5, 25.25) == pytest.approx(33.0, abs=1e-6)


def test_the_hemispheres_and_the_antimeridian() -> None:
    for lat, lon in ((-0.3, -0.7), (0.3, 0.7), (10.5, -179.5), (10.5, 180.5)):
        assert FOUR.height_m(lat, lon) == pytest.approx(
            float(waves(lat, lon if lon < 180 else lon - 360)), abs=0.51
        )


def test_what_is_not_there_is_unknown() -> None:
    assert math.isnan(FOUR.height_m(45.0, 7.0))
    assert math.isnan(FOUR.height_m(math.nan, 7.0))
    assert math.isnan(FOUR.height_m(59.5, math.inf))
    assert math.isnan(FOUR.height_m(95.0, 25.5))


def test_a_void_makes_its_four_cells_unknown_and_no_other() -> None:
    nodes = np.full((1201, 1201), 100, dtype=">i2")
    nodes[600, 600] = VOID
    ground = world({"N59E025": nodes.tobytes()})
    step = 1.0 / 1200.0
    for north in (-0.9, 0.9):
        for east in (-0.9, 0.9):
            assert math.isnan(ground.height_m(59.5 + north * step, 25.5 + east * step))
    assert ground.height_m(59.5 + 1.1 * step, 25.5) == 100.0


def test_a_tile_is_asked_for_once_and_not_before_it_is_needed() -> None:
    asked: list[str] = []

    def provider(name: str) -> bytes | None:
        asked.append(name)
        return tile(59, 25, waves) if name == "N59E025" else None

    ground = Terrain(provider)
    assert asked == []
    ground.heights_m(np.array([59.1, 59.9, 60.1]), np.array([25.1, 25.9, 25.1]))
    ground.height_m(59.5, 25.5)
    assert asked == ["N59E025", "N60E025"]


def test_not_all_tiles_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terrain, "TILES_KEPT", 2)
    ground = Terrain(lambda name: None)
    for lon in range(10):
        ground.height_m(50.5, lon + 0.5)
    assert len(ground._tiles) == 2


@pytest.mark.parametrize("raw", [b"", b"\0" * 100, b"\0" * (1201 * 1201 * 2 + 1), b"PK\x03\x04" + b"\0" * 50])
def test_bytes_of_another_size_are_no_tile(raw: bytes) -> None:
    with pytest.raises(
        AirspaceError, match=r"terrain tile N59E025: expected 2884802 or 25934402 bytes, got \d+"
    ) as error:
        parse_tile(raw, "N59E025")
    assert error.value.hint


def test_the_nodes_around_a_place_have_its_error() -> None:
    places = node_places(np.array([59.5]), np.array([25.5]), np.array([400.0]))
    weights = node_weights()
    assert (places.shape, weights.sum()) == ((1, NODE_COUNT, 2), pytest.approx(1.0, abs=1e-12))
    per_deg = 6_371_008.8 * math.pi / 180.0
    north = (places[0, :, 0] - 59.5) * per_deg
    east = (places[0, :, 1] - 25.5) * per_deg * math.cos(math.radians(59.5))
    for axis in (north, east):
        # a normal distribution's moments: 0, sigma^2, 3 sigma^4, 15 sigma^6
        moments = [float((weights * axis**k).sum()) / 400.0**k for k in (1, 2, 4, 6)]
        assert moments == pytest.approx([0.0, 1.0, 3.0, 15.0], abs=1e-6)


def test_ground_around_a_place_crosses_tiles() -> None:
    found = FOUR.around_m(np.array([60.0]), np.array([26.0]), np.array([2000.0]))
    assert found.shape == (1, NODE_COUNT)
    places = node_places(np.array([60.0]), np.array([26.0]), np.array([2000.0]))[0]
    assert found[0] == pytest.approx(waves(places[:, 0], places[:, 1]), abs=0.51)
    assert np.isnan(FOUR.around_m(np.array([60.0]), np.array([26.0]), np.array([math.nan]))).all()
