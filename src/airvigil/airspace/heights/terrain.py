"""Terrain from the user's own tiles, for limits above ground.

A tile is SRTM's `.hgt`: one degree square, big-endian int16 metres over EGM96, from the north-west corner row by
row, its edges shared with the neighbours; 1201 by 1201 nodes (3") or 3601 by 3601 (1"); -32768 is void. It is named
after its south-west corner: "N59E026". Other models (Copernicus GLO-30, national ones) serve once converted to this form.

Rules
- This module reads no files: it asks a provider for the bytes of a tile by name, once, when a place in it is asked for.
- Between nodes, bilinear. Where one of the four is void or the tile is not there, the height is unknown (NaN).
- The position is not known exactly, so neither is the ground below it: `node_places` spreads a place over its
  horizontal error, and whoever asks weighs what is found there. `terrain_sigma_m` in the settings is the model's
  own error. SRTM saw the tops of trees and roofs, not always the ground.

Reference: SRTM Topography, USGS/NASA, version 2.1 documentation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.errors import AirspaceError
from airvigil.units import MEAN_EARTH_RADIUS_M

VOID = -32768
SIDES = (1201, 3601)
TILES_KEPT = 64  # decoded ones, 26 MB each at 1": of more, those asked for first are let go
# Nodes and weights of five-point Gauss-Hermite quadrature for the normal distribution (Abramowitz and Stegun, table 25.10).
_NODES = (0.0, 1.355626179974266, 2.856970013872806)
_WEIGHTS = (8.0 / 15.0, 0.2220759220056126, 0.01125741132772069)
SPREAD = np.array([-_NODES[2], -_NODES[1], 0.0, _NODES[1], _NODES[2]])
WEIGHTS = np.array([_WEIGHTS[2], _WEIGHTS[1], _WEIGHTS[0], _WEIGHTS[1], _WEIGHTS[2]])
NODE_COUNT = len(SPREAD) ** 2

Floats = npt.NDArray[np.float64]
Heights16 = npt.NDArray[np.int16]
TileProvider = Callable[[str], bytes | None]


def tile_name(latitude_deg: float, longitude_deg: float) -> str:
    """Name of the tile that holds a place.

    Example:
        >>> tile_name(59.44, 26.9), tile_name(-0.1, -0.1), tile_name(60.0, 180.0)
        ('N59E026', 'S01W001', 'N60W180')
    """
    south = min(math.floor(latitude_deg), 89)
    west = math.floor(longitude_deg - 360.0 * math.floor((longitude_deg + 180.0) / 360.0))
    return f"{'N' if south >= 0 else 'S'}{abs(south):02d}{'E' if west >= 0 else 'W'}{abs(west):03d}"


def parse_tile(raw: bytes, name: str) -> Heights16:
    """The nodes of a tile, (n, n) metres, from north to south.

    Raises:
        AirspaceError: not the size of a tile.
    """
    side = {2 * side * side: side for side in SIDES}.get(len(raw))
    if side is None:
        sizes = " or ".join(f"{2 * side * side}" for side in SIDES)
        raise AirspaceError(
            f"terrain tile {name}: expected {sizes} bytes, got {len(raw)}",
            hint='terrain tiles are SRTM .hgt files of 3" or 1", unpacked',
        )
    return np.frombuffer(raw, dtype=">i2").reshape(side, side).astype(np.int16)


@dataclass
class Terrain:
    """Terrain heights over mean sea level.

    Attributes:
        provider: bytes of a tile by name, None if there is none. Must answer the same each time.
    """

    provider: TileProvider
    _tiles: dict[str, Heights16 | None] = field(default_factory=dict, repr=False)

    def heights_m(self, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
        """Height of the ground at places (n,); NaN where it is unknown.

        Raises:
            AirspaceError: a tile is not the size of one.
        """
        found = np.full(len(latitude_deg), np.nan)
        is_place = np.isfinite(latitude_deg) & np.isfinite(longitude_deg) & (np.abs(latitude_deg) <= 90.0)
        lat, lon = latitude_deg[is_place], longitude_deg[is_place]
        south = np.minimum(np.floor(lat), 89.0)
        west = np.floor(lon - 360.0 * np.floor((lon + 180.0) / 360.0))
        values = np.full(len(lat), np.nan)
        for corner in np.unique(south * 1000.0 + west + 180.0):
            here = np.flatnonzero(south * 1000.0 + west + 180.0 == corner)
            tile = self._tile(tile_name(float(south[here[0]]), float(west[here[0]])))
            if tile is not None:
                inside = np.empty(len(here))
                interpolate(tile, float(south[here[0]]), float(west[here[0]]), lat[here], lon[here], inside)
                values[here] = inside
        found[is_place] = values
        return found

    def height_m(self, latitude_deg: float, longitude_deg: float) -> float:
        """Height of the ground at a place; NaN where it is unknown."""
        return float(self.heights_m(np.array([latitude_deg]), np.array([longitude_deg]))[0])

    def around_m(self, latitude_deg: Floats, longitude_deg: Floats, sigma_m: Floats) -> Floats:
        """Heights at the nodes of `node_places`: (n, NODE_COUNT); NaN where unknown."""
        places = node_places(latitude_deg, longitude_deg, sigma_m)
        heights = self.heights_m(places[..., 0].ravel(), places[..., 1].ravel())
        return heights.reshape(len(latitude_deg), NODE_COUNT)

    def _tile(self, name: str) -> Heights16 | None:
        if name not in self._tiles:
            raw = self.provider(name)
            if len(self._tiles) >= TILES_KEPT:
                del self._tiles[next(iter(self._tiles))]
            self._tiles[name] = None if raw is None else parse_tile(raw, name)
        return self._tiles[name]


def node_places(latitude_deg: Floats, longitude_deg: Floats, sigma_m: Floats) -> Floats:
    """Places that stand for a normal horizontal error: (n, NODE_COUNT, 2) latitude, longitude.

    Args:
        sigma_m: (n,) one sigma per axis; NaN makes the places NaN.
    """
    north = np.empty((len(latitude_deg), NODE_COUNT, 2))
    spread_places(latitude_deg, longitude_deg, sigma_m, north)
    return north


def node_weights() -> Floats:
    """Their weights, (NODE_COUNT,), which sum to 1."""
    return np.outer(WEIGHTS, WEIGHTS).ravel()


@njit(cache=True, nogil=True)
def spread_places(latitude_deg: Floats, longitude_deg: Floats, sigma_m: Floats, places: Any) -> None:
    """Fill `places` of `node_places`; flat over the few sigma that an error spans, and clamped at a pole."""
    for i in range(len(latitude_deg)):
        per_m = math.degrees(1.0 / MEAN_EARTH_RADIUS_M)
        narrow = max(math.cos(math.radians(latitude_deg[i])), 1e-3)
        for a in range(len(SPREAD)):
            for b in range(len(SPREAD)):
                north = latitude_deg[i] + SPREAD[a] * sigma_m[i] * per_m
                places[i, a * len(SPREAD) + b, 0] = max(-90.0, min(90.0, north))
                places[i, a * len(SPREAD) + b, 1] = longitude_deg[i] + SPREAD[b] * sigma_m[i] * per_m / narrow


@njit(cache=True, nogil=True)
def interpolate(
    tile: Heights16, south: float, west: float, latitude_deg: Floats, longitude_deg: Floats, heights: Floats
) -> None:
    """Bilinear heights of places within one tile.

    Args:
        tile: (n, n) from `parse_tile`.
        south, west: its corner, degrees.
        latitude_deg, longitude_deg: (k,) within it.
        heights: (k,) out; NaN at a void.
    """
    last = len(tile) - 1
    for k in range(len(heights)):
        east = longitude_deg[k] - west
        east -= 360.0 * math.floor(east / 360.0)
        y = (1.0 - (latitude_deg[k] - south)) * last
        x = east * last
        row, column = min(max(int(y), 0), last - 1), min(max(int(x), 0), last - 1)
        down, right = y - row, x - column
        a, b = tile[row, column], tile[row, column + 1]
        c, d = tile[row + 1, column], tile[row + 1, column + 1]
        if a == VOID or b == VOID or c == VOID or d == VOID:
            heights[k] = math.nan
            continue
        top = a + (float(b) - a) * right
        low = c + (float(d) - c) * right
        heights[k] = top + (low - top) * down
