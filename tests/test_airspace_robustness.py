"""The robustness radius: against Shapely's union of shifted polygons in a plane, GeographicLib and Shapely on the Earth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import affinity

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.spells.robustness import (
    MARGIN_ABSOLUTE_M,
    MARGIN_RELATIVE,
    Robustness,
    close_near,
    is_emptied,
    path_lengths_m,
    robustness_radius_m,
    shift_places,
)
from airvigil.airspace.volumes import make_volume, orient_ring
from airvigil.errors import ShapeError
from airvigil.scenarios.casebook import vaindloo_2025
from airvigil.scenarios.paths import parse_time
from airvigil.units import NS_PER_S

GEOD = Geod(ellps="WGS84")
ORIGIN = (
    0.0,
    20.0,
)  # on the equator straight lines in degrees are straight in the plane too, to 1e-5 over 20 km
RELATIVE = 1e-3 + 2e-4  # the stated tolerance, and what plane and Earth part by
ABSOLUTE_M = 1.2


def on_earth(points_m: np.ndarray) -> np.ndarray:
    """Latitude and longitude of points in the plane, by GeographicLib."""
    e, n = np.asarray(points_m, dtype=float).T
    lon, lat, _ = GEOD.fwd(
        np.full(len(e), ORIGIN[1]),
        np.full(len(e), ORIGIN[0]),
        np.degrees(np.arctan2(e, n)),
        np.hypot(e, n),
    )
    return np.column_stack([lat, lon])


def sky_of(polygon: shapely.Polygon) -> Airspace:
    rings = [orient_ring(on_earth(np.array(polygon.exterior.coords)), is_hole=False)]
    rings += [orient_ring(on_earth(np.array(hole.coords)), is_hole=True) for hole in polygon.interiors]
    return Airspace([make_volume("V", rings)])


def radius_of(polygon: shapely.Polygon, track_m: np.ndarray) -> Robustness:
    places = on_earth(track_m)
    return robustness_radius_m(places[:, 0], places[:, 1], sky_of(polygon), 0)


def exact_radius_m(polygon: shapely.Polygon, track_m: np.ndarray) -> float:
    """From no shift to the nearest place outside the union of the polygon moved back by every point."""
    bad = shapely.union_all([affinity.translate(polygon, -e, -n) for e, n in track_m])
    zero = shapely.Point(0.0, 0.0)
    return float(bad.boundary.distance(zero)) if bad.contains(zero) else 0.0


def deepest_m(polygon: shapely.Polygon, track_m: np.ndarray) -> float:
    return max(
        float(polygon.boundary.distance(shapely.Point(p))) * (1 if polygon.contains(shapely.Point(p)) else -1)
        for p in track_m
    )


def line(*corners: tuple[float, float], count: int = 60) -> np.ndarray:
    path = shapely.LineString(corners)
    return np.array([path.interpolate(f, normalized=True).coords[0] for f in np.linspace(0, 1, count)])


BOX = shapely.box(-8_000, -8_000, 8_000, 8_000)
BAY = shapely.Polygon(
    [(-9_000, -6_000), (9_000, -6_000), (9_000, 6_000), (2_000, 6_000), (2_000, -2_000), (-2_000, -2_000),
     (-2_000, 6_000), (-9_000, 6_000)]
)  # fmt: skip
HOLED = BOX.difference(shapely.Point(1_000, 500).buffer(2_500, quad_segs=6))
CORRIDOR = shapely.LineString([(-9_000, -5_000), (0, 0), (0, 9_000)]).buffer(1_200, cap_style="flat")
ARCED = shapely.Point(0, 0).buffer(9_000, quad_segs=16)

CASES = {
    "straight passage": (BOX, line((-4_000, 9_000), (-3_000, 5_000), (4_000, 9_000))),
    "corner cut": (BOX, line((4_000, 9_000), (9_000, 4_500))),
    "across": (BOX, line((-9_000, 1_000), (9_000, 2_000))),
    "around a bay": (BAY, line((-5_000, 5_000), (-5_000, -4_000), (5_000, -4_000), (5_000, 5_000))),
    "over a bay": (BAY, line((-4_000, 4_000), (4_000, 4_500))),
    "around a hole": (
        HOLED,
        line((-3_500, 500), (1_000, 4_500), (5_000, 500), (1_000, -4_000), (-3_500, 500)),
    ),
    "beside a hole": (HOLED, line((-500, -2_500), (2_500, -2_500))),
    "along a corridor": (CORRIDOR, line((-8_000, -4_444), (0, 100), (0, 8_000))),
    "bending with the border": (ARCED, line(*[(8_200 * math.cos(a), 8_200 * math.sin(a)) for a in np.linspace(0, 3, 30)])),
    "one place": (BOX, np.array([[7_000.0, 6_500.0]])),
    "hovering": (BOX, np.repeat([[7_000.0, 0.0]], 40, axis=0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_radius_is_that_of_the_union_of_shifted_polygons(name: str) -> None:
    polygon, track = CASES[name]
    want = exact_radius_m(polygon, track)
    found = radius_of(polygon, track)
    slack = RELATIVE * want + ABSOLUTE_M
    assert want > 100.0
    assert found.low_m - slack <= want <= found.high_m + slack
    assert found.high_m - found.low_m <= max(1.0, 1e-3 * found.low_m)
    assert math.hypot(found.shift_e_m, found.shift_n_m) == pytest.approx(found.high_m)


@pytest.mark.parametrize(
    "name", ["around a bay", "along a corridor", "bending with the border", "around a hole"]
)
def test_where_a_path_bends_with_the_border_the_radius_is_more_than_the_depth(name: str) -> None:
    polygon, track = CASES[name]
    assert radius_of(polygon, track).low_m > 1.1 * deepest_m(polygon, track)


corners = st.tuples(st.floats(-9_000, 9_000), st.floats(-9_000, 9_000))


@st.composite
def stars(draw: st.DrawFn) -> shapely.Polygon:
    """A polygon that does not cross itself: corners at growing angles."""
    spokes = draw(st.lists(st.floats(1_500, 9_000), min_size=3, max_size=9))
    turn = draw(st.floats(0, 6))
    angles = [turn + 2 * math.pi * k / len(spokes) for k in range(len(spokes))]
    return shapely.Polygon([(r * math.cos(a), r * math.sin(a)) for r, a in zip(spokes, angles, strict=True)])


@settings(max_examples=60)
@given(stars(), st.lists(corners, min_size=1, max_size=12))
def test_any_polygon_and_any_places(polygon: shapely.Polygon, places: list[tuple[float, float]]) -> None:
    track = np.array(places)
    want = exact_radius_m(polygon, track)
    found = radius_of(polygon, track)
    slack = RELATIVE * want + ABSOLUTE_M
    assert found.low_m - slack <= want <= found.high_m + slack
    assert found.high_m - found.low_m <= max(1.0, 1e-3 * found.low_m) + 1e-9
    assert found.low_m >= deepest_m(polygon, track) * (1.0 - 1e-4) - 0.1


@settings(max_examples=25)
@given(stars(), st.lists(corners, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_prove_nothing_more(polygon: shapely.Polygon, places: list[tuple[float, float]], chance) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
    sky = sky_of(polygon)
    first = on_earth(np.array(places))
    mixed = np.concatenate([first, first])
    chance.shuffle(order := list(range(len(mixed))))
    a = robustness_radius_m(first[:, 0], first[:, 1], sky, 0)
    b = robustness_radius_m(mixed[order, 0], mixed[order, 1], sky, 0)
    assert max(a.low_m, b.low_m) <= min(a.high_m, b.high_m) + 0.2


def test_a_longer_track_is_never_easier_to_empty() -> None:
    polygon, track = CASES["around a bay"]
    radii = [radius_of(polygon, track[:count]) for count in (1, 15, 30, 60)]
    for shorter, longer in itertools.pairwise(radii):
        assert longer.high_m >= shorter.low_m


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_place_to_look_at_first_does_not_matter(seed: int) -> None:
    """More places than are looked at first: what is inferred from neighbours on the path must hold for all."""
    rng = np.random.default_rng(seed)
    polygon = CASES["bending with the border"][0]
    steps = rng.normal(0, 220, (700, 2))
    track = np.array([7_000.0, 0.0]) + np.cumsum(steps, axis=0)
    want, found = exact_radius_m(polygon, track), radius_of(polygon, track)
    slack = RELATIVE * want + ABSOLUTE_M
    assert found.low_m - slack <= want <= found.high_m + slack


# ---- the search's own parts ----


@settings(max_examples=80)
@given(st.lists(corners, min_size=2, max_size=12), corners, st.data())
def test_places_closed_by_a_neighbour_do_lack_what_it_lacks(
    places: list[tuple[float, float]], centre: tuple[float, float], data: st.DataObject
) -> None:
    """The margin to a point-sized volume is minus the distance: closed places lack at least nothing."""
    track = np.array(places)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(track, axis=0).T))])
    distance = np.hypot(*(track - np.array(centre)).T)
    wanted = data.draw(st.floats(-20_000, 0))
    look = np.array(data.draw(st.lists(st.integers(0, len(track) - 1), min_size=1, max_size=3, unique=True)))
    is_open = np.ones(len(track), dtype=bool)
    close_near(is_open, along, look, wanted + distance[look], 1.0)
    twin = [
        any(
            k == j
            or abs(along[k] - along[j])
            <= max((wanted + distance[j]) * (1.0 - MARGIN_RELATIVE) - MARGIN_ABSOLUTE_M, 0.0)
            for j in look
        )
        for k in range(len(track))
    ]
    assert is_open.tolist() == [not closed for closed in twin]
    inferred = ~is_open & ~np.isin(np.arange(len(track)), look)
    # a place looked at that lacks nothing closes only what lies where it lies, and is what was looked for
    assert (-distance[inferred] <= max(wanted, -distance[look].min()) + 1e-6).all()


def test_shifts_and_path_lengths_agree_with_geographiclib() -> None:
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(-80, 80, 50), rng.uniform(-180, 180, 50)
    e, n = rng.normal(0, 20_000, (2, 50))
    to_lat, to_lon = shift_places(lat, lon, e, n)
    _, _, off = GEOD.inv(
        to_lon, to_lat, *GEOD.fwd(lon, lat, np.degrees(np.arctan2(e, n)), np.hypot(e, n))[:2]
    )
    assert np.max(off) < 0.05
    lat, lon = 59.0 + np.cumsum(rng.normal(0, 0.05, 50)), 25.0 + np.cumsum(rng.normal(0, 0.05, 50))
    legs = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    assert np.diff(path_lengths_m(lat, lon)) == pytest.approx(legs, rel=1e-6)


# ---- limits of what can be said ----


def test_a_track_outside_is_empty_already() -> None:
    found = radius_of(BOX, line((-9_000, 9_000), (9_000, 9_000)))
    assert (found.low_m, found.high_m, found.shift_e_m, found.shift_n_m) == (0.0, 0.0, 0.0, 0.0)


def test_beyond_50_km_it_is_at_least_that() -> None:
    ring = np.array([[50.0, 20.0], [50.0, 24.0], [53.0, 24.0], [53.0, 20.0], [50.0, 20.0]])
    found = robustness_radius_m([51.5], [22.0], Airspace([make_volume("V", [ring])]), 0)
    assert (found.low_m, found.high_m) == (50_000.0, math.inf)
    assert math.isnan(found.shift_e_m)


def test_what_is_larger_than_any_shift_looked_for_is_at_least_what_was_proven() -> None:
    """Places in a long corridor and 45 km deep everywhere around: no shift of 100 km empties them all."""
    ring = np.array([[-0.4, 18.0], [-0.4, 24.0], [0.4, 24.0], [0.4, 18.0], [-0.4, 18.0]])
    tall = np.array([[-3.0, 20.6], [-3.0, 21.4], [3.0, 21.4], [3.0, 20.6], [-3.0, 20.6]])
    cross = shapely.union(shapely.Polygon(ring[:, ::-1]), shapely.Polygon(tall[:, ::-1]))
    sky = Airspace(
        [
            make_volume(
                "V", [np.array(shapely.set_precision(cross, 1e-9).normalize().exterior.coords)[::-1, ::-1]]
            )
        ]
    )
    places = [(0.0, 21.0 + d) for d in np.linspace(-2.5, 2.5, 30)] + [
        (d, 21.0) for d in np.linspace(-2.5, 2.5, 30)
    ]
    lat, lon = np.array(places).T
    found = robustness_radius_m(lat, lon, sky, 0)
    assert found.high_m >= found.low_m >= 44_000.0


def test_a_budget_that_runs_out_leaves_the_interval_wide_and_true() -> None:
    polygon, track = CASES["bending with the border"]
    places, sky, want = on_earth(track), sky_of(polygon), exact_radius_m(polygon, track)
    widths = []
    for budget in (0, 200, 40_000):
        found = robustness_radius_m(places[:, 0], places[:, 1], sky, 0, budget=budget)
        assert found.low_m - 1.0 <= want * 1.001
        assert want * 0.999 <= found.high_m + 1.0
        widths.append(found.high_m - found.low_m)
    assert widths[0] >= widths[1] > widths[2]


@pytest.mark.parametrize(
    ("lat", "lon"), [([], []), ([1.0], [1.0, 2.0]), ([math.nan], [1.0]), ([[1.0]], [[1.0]])]
)
def test_places_that_are_none_are_refused(lat: list[float], lon: list[float]) -> None:
    with pytest.raises(ShapeError):
        robustness_radius_m(lat, lon, sky_of(BOX), 0)


# ---- on the Earth ----


def estonia() -> tuple[Airspace, shapely.MultiPolygon]:
    (volume,) = [v for v in load_volumes(["EST"]) if v.volume_id == "EST"]
    polygons = [shapely.Polygon(ring[:, ::-1]) for ring in volume.rings]
    return Airspace([volume]), shapely.union_all(polygons)


def vaindloo_track() -> tuple[np.ndarray, np.ndarray]:
    """Every 4 s of the reconstruction's first flight while inside."""
    leader = vaindloo_2025.SCENARIO.flights[0].path
    begin = parse_time(vaindloo_2025.ENTRY) + NS_PER_S
    motions = [leader.motion(begin + k * 4 * NS_PER_S) for k in range(179)]
    places = np.array(
        [(motion.latitude_deg, motion.longitude_deg) for motion in motions if motion is not None]
    )
    return places[:, 0], places[:, 1]


@pytest.mark.parametrize("seed", range(3))
def test_no_shorter_shift_empties_a_track_along_a_real_coast(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sky, polygon = estonia()
    t = np.linspace(0, 1, 250)
    lat = 59.72 + 0.03 * np.sin(9 * t + seed) + rng.normal(0, 1e-3, 250)
    lon = 25.0 + 1.1 * t
    check_on_earth(robustness_radius_m(lat, lon, sky, 0), lat, lon, polygon, rng)


def check_on_earth(
    found: Robustness,
    lat: np.ndarray,
    lon: np.ndarray,
    polygon: shapely.MultiPolygon,
    rng: np.random.Generator,
) -> None:
    """By GeographicLib's shifts and Shapely's containment: the shift found empties, 400 shorter ones do not."""
    assert found.high_m - found.low_m <= max(1.0, 1e-3 * found.low_m)

    def inside(e: float, n: float) -> int:
        azimuth, length = (
            np.full(len(lat), math.degrees(math.atan2(e, n))),
            np.full(len(lat), math.hypot(e, n)),
        )
        lon2, lat2, _ = GEOD.fwd(lon, lat, azimuth, length)
        return int(shapely.contains_xy(polygon, lon2, lat2).sum())

    assert inside(found.shift_e_m, found.shift_n_m) == 0
    aim = math.atan2(found.shift_e_m, found.shift_n_m)
    for k in range(400):
        angle = aim + rng.normal(0, 0.3) if k % 2 else rng.uniform(0, 2 * math.pi)
        length = found.low_m * (1.0 - 1e-4 - rng.exponential(0.02))
        assert inside(length * math.sin(angle), length * math.cos(angle)) > 0


def test_the_vaindloo_reconstruction_is_harder_to_explain_away_than_its_depth_says() -> None:
    sky, polygon = estonia()
    lat, lon = vaindloo_track()
    n = len(lat)
    margins = sky.margins(lat, lon, np.full((n, 3), np.nan), np.full(n, np.nan))
    found = robustness_radius_m(lat, lon, sky, 0)
    assert found.low_m >= margins.margin_m.max()
    assert is_emptied(lat, lon, sky, 0, found.shift_e_m, found.shift_n_m)
    check_on_earth(found, lat, lon, polygon, np.random.default_rng(9))
