"""The index and its kernels against plain loops, and against what the order of building or the batch could change."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace import margins as margins_module
from airvigil.airspace.index.grid import (
    ROWS,
    ecef,
    geodesic_m,
    grid_rows,
    lift,
    north_in_plane,
    plane_at,
    project_centrally,
    to_plane,
)
from airvigil.airspace.index.nearest import LANES, least_key, squares_of_distances
from airvigil.airspace.index.segments import (
    bowed_point,
    foot_on_edge,
    is_crossed,
    is_edge_crossed,
    parts_of_bow,
)
from airvigil.airspace.margins import Airspace, Margins
from airvigil.airspace.probability import Covariance, p_inside_bounds, whitening
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import make_volume

GEOD = Geod(ellps="WGS84")
FIELDS = (
    "row", "volume", "margin_m", "sigma_m", "p_inside", "p_inside_high", "normal_e", "normal_n", "is_defective",
)  # fmt: skip


def bytes_of(found: Margins) -> list[bytes]:
    return [getattr(found, name).tobytes() for name in FIELDS]


# ---- the cells' planes ----


def test_planes_agree_with_geographiclib() -> None:
    """4,000 places in random rows: the polynomial to 2e-5 m, distances up to 50 km to 1e-7, azimuths to 1e-5."""
    rows = grid_rows()
    rng = np.random.default_rng(1)
    for _ in range(4_000):
        row = int(rng.integers(ROWS))
        latitude = (row + 0.5) / 4 - 90.0
        p, q = rng.uniform(-0.125, 0.125, 2)
        plane = plane_at(latitude, 0.0)
        x, y = project_centrally(plane, *ecef(latitude + p, q))
        assert math.dist((x, y), to_plane(rows.polynomial, row, p, q)) < 2e-5
        azimuth, distance = rng.uniform(0, 360), rng.uniform(0, 50_000)
        lon, lat, _ = GEOD.fwd(q, latitude + p, azimuth, distance)
        to_x, to_y = project_centrally(plane, *ecef(lat, lon))
        lifted = lift(rows.shape, row, x, y)
        found = geodesic_m(rows.shape, row, x, y, lifted, to_x, to_y)
        assert found == pytest.approx(distance, rel=1e-7, abs=1e-6)
        if abs(latitude + p) < 89.9 and distance > 10.0:
            north_x, north_y = north_in_plane(rows.polynomial, row, p, q)
            dx, dy = to_x - x, to_y - y
            turned = math.atan2(dx * north_y - dy * north_x, dx * north_x + dy * north_y)
            assert abs(math.remainder(turned - math.radians(azimuth), 2.0 * math.pi)) < 1e-5


# ---- edges ----

COORDINATE = st.floats(-2e4, 2e4)
BOW = st.one_of(st.just(0.0), st.floats(-2e-4, 2e-4))


@settings(deadline=None, max_examples=300)
@given(COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, BOW)
def test_the_foot_is_the_nearest_of_many_points(
    px: float, py: float, ax: float, ay: float, bx: float, by: float, bow: float
) -> None:
    x, y = foot_on_edge(px, py, ax, ay, bx, by, bow)
    points = [bowed_point(ax, ay, bx, by, bow, t) for t in np.linspace(0.0, 1.0, 401)]
    best = min(math.dist((px, py), point) for point in points)
    step = math.dist((ax, ay), (bx, by)) / 400
    found = math.dist((px, py), (x, y))
    assert found <= best + 1e-3
    assert found >= best - step


@settings(deadline=None, max_examples=300)
@given(
    COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, COORDINATE, BOW
)  # fmt: skip
def test_a_bowed_edge_is_crossed_as_its_parts_are(
    cx: float, cy: float, px: float, py: float, ax: float, ay: float, bx: float, by: float, bow: float
) -> None:
    parts = parts_of_bow(ax, ay, bx, by, bow)
    points = [bowed_point(ax, ay, bx, by, bow, j / parts) for j in range(parts)] + [(bx, by)]
    odd = sum(is_crossed(cx, cy, px, py, *points[j], *points[j + 1]) for j in range(parts)) % 2 == 1
    assert is_edge_crossed(cx, cy, px, py, ax, ay, bx, by, bow) == odd


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_lanes_agree_with_a_plain_loop(seed: int, counts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    n = sum(counts) + len(counts) + 2 * LANES
    x, y = rng.normal(0.0, 2e4, n).astype(np.float32), rng.normal(0.0, 2e4, n).astype(np.float32)
    inverse = np.zeros(n, np.float32)
    inverse[:-1] = 1.0 / (np.diff(x) ** 2 + np.diff(y) ** 2)
    runs = np.array([[sum(counts[:k]) + k, count] for k, count in enumerate(counts)], np.int32)
    squares = np.empty(sum(counts) + 2 * LANES, np.float32)
    px, py = rng.normal(0.0, 2e4, 2)
    found = squares_of_distances(x, y, inverse, runs, 0, len(runs), px, py, squares)
    assert found == sum(counts)
    expected = []
    one, none = np.float32(1.0), np.float32(0.0)
    for first, count in runs:
        for k in range(first, first + count):
            ex, ey = np.float32(px) - x[k], np.float32(py) - y[k]
            dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
            t = min(one, max(none, (ex * dx + ey * dy) * inverse[k]))
            expected.append((ex - t * dx) * (ex - t * dx) + (ey - t * dy) * (ey - t * dy))
    assert squares[:found].tobytes() == np.array(expected, np.float32).tobytes()
    key = least_key(squares.view(np.int32), found)
    assert np.int32(key >> 32).view(np.float32) == min(expected)
    assert key & 0xFFFF_FFFF == expected.index(min(expected))


# ---- what must not matter ----


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_building_does_not_matter(seed: int) -> None:
    """One airspace asked row by row in a random order, one after a box was built, one all at once: the same bytes."""
    volumes = load_volumes(["EST", "FIN"])
    rng = np.random.default_rng(seed)
    n = 40
    latitude, longitude = rng.uniform(58.5, 60.5, n), rng.uniform(22.0, 28.5, n)
    sigma = 10.0 ** rng.uniform(0.5, 3.5, n)
    covariance = np.column_stack([sigma**2, 0.3 * sigma**2, sigma**2])
    bias = rng.choice([0.0, 150.0], n)
    whole = Airspace(volumes).margins(latitude, longitude, covariance, bias)
    one_by_one, box = Airspace(volumes), Airspace(volumes)
    for k in rng.permutation(n):
        one_by_one.margins(latitude[[k]], longitude[[k]], covariance[[k]], bias[[k]])
    box.build(58.9, 23.0, 60.1, 27.0)
    assert bytes_of(one_by_one.margins(latitude, longitude, covariance, bias)) == bytes_of(whole)
    assert bytes_of(box.margins(latitude, longitude, covariance, bias)) == bytes_of(whole)


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(margins_module, "CHUNK_ROWS", 700)
    monkeypatch.setattr(margins_module, "ENTRIES_PER_ROW", 0)  # so that the columns have to grow
    volumes = load_volumes(["EST", "FIN", "LVA"])
    rng = np.random.default_rng(5)
    n = 10_000
    latitude, longitude = rng.uniform(56.0, 61.0, n), rng.uniform(20.0, 29.0, n)
    latitude[::97] = math.nan
    covariance, bias = np.tile([1e4, 0.0, 1e4], (n, 1)), np.zeros(n)
    alone = Airspace(volumes).margins(latitude, longitude, covariance, bias)
    with ThreadPoolExecutor(2) as pool:
        shared = Airspace(volumes).margins(latitude, longitude, covariance, bias, spread=pool.map)
    assert bytes_of(shared) == bytes_of(alone)
    assert len(alone) > n / 4


def test_containment_alone_is_a_positive_margin() -> None:
    airspace = Airspace(load_volumes(["EST", "FIN", "LVA"]))
    rng = np.random.default_rng(6)
    n = 20_000
    latitude, longitude = rng.uniform(56.0, 61.0, n), rng.uniform(20.0, 29.0, n)
    found = airspace.margins(latitude, longitude, np.full((n, 3), np.nan), np.zeros(n))
    held = airspace.inside(latitude, longitude)
    is_inside = found.margin_m > 0.0
    assert held.row.tolist() == found.row[is_inside].tolist()
    assert held.volume.tolist() == found.volume[is_inside].tolist()


@pytest.mark.parametrize("longitude", [180.0, -180.0, 540.0, -540.0])
def test_longitudes_wrap(longitude: float) -> None:
    airspace = Airspace(load_volumes(["FJI"]))
    found = airspace.margins([-16.8], [longitude], [[1e4, 0.0, 1e4]], [0.0])
    assert bytes_of(found) == bytes_of(airspace.margins([-16.8], [-180.0], [[1e4, 0.0, 1e4]], [0.0]))
    assert len(found) == 1


@pytest.mark.parametrize("latitude", [90.000_1, -91.0, math.inf, math.nan])
def test_beyond_a_pole_is_nowhere(latitude: float) -> None:
    airspace = Airspace(load_volumes(["EST"]))
    assert len(airspace.margins([latitude], [25.0], [[1.0, 0.0, 1.0]], [0.0])) == 0
    assert len(airspace.inside([latitude], [25.0]).row) == 0


def test_a_boundary_through_a_cells_centre() -> None:
    """From 43 N 13 W to 42 N 10 W: through the very centre of a cell, 42.625 N 11.875 W."""
    ring = np.array([[43.0, -13.0], [42.0, -10.0], [45.0, -10.0], [45.0, -13.0], [43.0, -13.0]])
    airspace = Airspace([make_volume("slanted", [ring])])
    rng = np.random.default_rng(7)
    latitude, longitude = rng.uniform(42.5, 42.75, 5_000), rng.uniform(-12.0, -11.75, 5_000)
    held = np.zeros(5_000, dtype=bool)
    held[airspace.inside(latitude, longitude).row] = True
    above = latitude - (43.0 - (longitude + 13.0) / 3.0)
    clear = np.abs(above) > 1e-7
    assert (held == (above > 0.0))[clear].all()


# ---- bias ----


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(0.3, 2.0), min_size=3, max_size=8), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5),
    st.floats(0.2, 1.5), st.floats(0.2, 1.5), st.floats(0.1, 2.0),
)  # fmt: skip
def test_a_bias_bound_against_all_shifts(
    radii: list[float], x: float, y: float, sigma_e: float, sigma_n: float, bias: float
) -> None:
    """A star around the origin, seen from (x, y), in kilometres; against a dense grid of shifts."""
    turn = np.arange(len(radii)) / len(radii) * 2.0 * math.pi
    corners = [
        (1e3 * (r * math.cos(t) - x), 1e3 * (r * math.sin(t) - y)) for r, t in zip(radii, turn, strict=True)
    ]
    covariance = Covariance(1e6 * sigma_e**2, 0.3e6 * sigma_e * sigma_n, 1e6 * sigma_n**2)
    scale = whitening(covariance)
    white = []
    for east, north in corners:
        u = east * scale.east
        white.append((u, (north - scale.shear * u) * scale.north))
    segments = np.array([[*a, *b] for a, b in zip(white, white[1:] + white[:1], strict=True)])

    def p(is_inside: bool, shift_e: float, shift_n: float, bias_m: float) -> tuple[float, float, bool]:
        u = shift_e * scale.east
        v = (shift_n - scale.shear * u) * scale.north
        moved = segments - np.array([u, v, u, v])
        return p_inside_bounds(moved, len(moved), is_inside, 1e3, scale, 1e3 * max(sigma_e, sigma_n), bias_m)

    def holds(shift_e: float, shift_n: float) -> bool:
        far = (1.234e7, 5.678e6)
        crossed = sum(
            is_crossed(shift_e, shift_n, *far, *a, *b)
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
        )
        return crossed % 2 == 1

    low, high, is_defective = p(holds(0.0, 0.0), 0.0, 0.0, 1e3 * bias)
    assert not is_defective
    shifts = [
        (1e3 * bias * r * math.cos(t), 1e3 * bias * r * math.sin(t))
        for r in np.linspace(0.0, 1.0, 13)
        for t in np.linspace(0.0, 2.0 * math.pi, 48, endpoint=False)
    ]
    all_p = [p(holds(e, n), e, n, 0.0)[0] for e, n in shifts]
    assert low <= min(all_p) + 1e-4
    assert high >= max(all_p) - 1e-4
    # and they are not beyond what some shift gives: P changes by less than 0.4 a sigma between neighbours of the grid
    assert low >= min(all_p) - 0.06
    assert high <= max(all_p) + 0.06
