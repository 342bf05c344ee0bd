"""What can have been between two places: against paths drawn at random in a plane, by Shapely."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace.gaps.reach import EndHeights, Gap, Outline, reachability, vertical_reach
from airvigil.airspace.limits import NO_LOWER, Limit
from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import Volume, make_volume, orient_ring

GEOD = Geod(ellps="WGS84")
ORIGIN = (
    0.0,
    20.0,
)  # on the equator straight lines in degrees are straight in the plane too, to 1e-5 over 20 km


def on_earth(points_m: np.ndarray) -> np.ndarray:
    """Latitude and longitude of points in the plane, by GeographicLib."""
    e, n = np.asarray(points_m, dtype=float).T
    aim, length = np.degrees(np.arctan2(e, n)), np.hypot(e, n)
    lon, lat, _ = GEOD.fwd(np.full(len(e), ORIGIN[1]), np.full(len(e), ORIGIN[0]), aim, length)
    return np.column_stack([lat, lon])


def volume_of(shape: shapely.Polygon | shapely.MultiPolygon, **limits: Limit) -> Volume:
    rings = []
    for polygon in shapely.get_parts(shape):
        rings.append(orient_ring(on_earth(np.array(polygon.exterior.coords)), is_hole=False))
        rings += [orient_ring(on_earth(np.array(hole.coords)), is_hole=True) for hole in polygon.interiors]
    return make_volume("V", rings, **limits)


def gap_of(
    a: tuple[float, float], b: tuple[float, float], way_m: float, errors_m: tuple[float, float] = (0.0, 0.0)
) -> Gap:
    """A gap in which way_m can be flown at 200 m/s."""
    places = on_earth(np.array([a, b]))
    return Gap(*places[0], errors_m[0], *places[1], errors_m[1], way_m / 200.0, 200.0)


def verdict(shape: shapely.Polygon, gap: Gap, boundary_error_m: float = 0.0) -> str:
    volume = volume_of(shape)
    return reachability(gap, Outline(volume), Airspace([volume]), 0, boundary_error_m=boundary_error_m)


A, B = (-5_000.0, 0.0), (5_000.0, 0.0)
WALL = shapely.box(-500, -20_000, 500, 20_000)
RING = shapely.Point(B).buffer(4_000).difference(shapely.Point(B).buffer(3_000))
CHANNEL = shapely.union(shapely.box(-500, -20_000, 500, -100), shapely.box(-500, 100, 500, 20_000))
HAIRLINE = shapely.union(shapely.box(-500, -20_000, 500, -2), shapely.box(-500, 2, 500, 20_000))
FAR = shapely.box(-5_000, 9_000, 5_000, 12_000)
AROUND = shapely.box(-15_000, -15_000, 15_000, 15_000)

VERDICTS = [
    ("a wall across the whole ellipse", WALL, 12_000, "must_have"),
    ("a wall with a way round its end", shapely.box(-500, -20_000, 500, 1_000), 12_000, "could"),
    ("the same wall when there is no time for the way round", shapely.box(-500, -9_000, 500, 2_000), 10_300, "must_have"),
    ("a ring around one end", RING, 30_000, "must_have"),
    ("a wall with a channel", CHANNEL, 12_000, "could"),
    ("a wall with a slit four metres wide", HAIRLINE, 12_000, "could"),
    ("beyond the ellipse", FAR, 15_000, "could_not"),
    ("touched by the ellipse", FAR, 21_000, "could"),
    ("all around", AROUND, 12_000, "must_have"),
    ("inside a hole of it", AROUND.difference(shapely.box(-9_000, -6_000, 9_000, 6_000)), 14_000, "could_not"),
    ("one end inside", shapely.box(4_000, -1_000, 20_000, 1_000), 12_000, "must_have"),
    ("further apart than the speed allows", WALL, 9_000, "could"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shape", "way_m", "want"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_simple_shapes(name: str, shape: shapely.Polygon, way_m: float, want: str) -> None:
    assert verdict(shape, gap_of(A, B, way_m)) == want
    assert verdict(shape, gap_of(B, A, way_m)) == want


def test_the_ellipse_is_as_large_as_it_must_be_and_hardly_larger() -> None:
    """Half width sqrt(7.5^2 - 5^2) = 5,590 m."""
    half_width = math.sqrt(7_500.0**2 - 5_000.0**2)
    for off, want in ((1.02, "could_not"), (0.999, "could")):
        shape = shapely.box(-20_000, off * half_width, 20_000, 15_000)
        assert verdict(shape, gap_of(A, B, 15_000)) == want


def test_errors_speak_against_proofs() -> None:
    assert verdict(FAR, gap_of(A, B, 15_000, (4_000.0, 4_000.0))) == "could"
    assert verdict(FAR, gap_of(A, B, 15_000), boundary_error_m=4_000.0) == "could"
    assert verdict(WALL, gap_of(A, B, 12_000), boundary_error_m=400.0) == "must_have"
    assert verdict(WALL, gap_of(A, B, 12_000), boundary_error_m=520.0) == "could"
    assert verdict(WALL, gap_of(A, (600.0, 0.0), 6_000, (10.0, 50.0))) == "must_have"
    # the end may lie behind the wall or before it
    assert verdict(WALL, gap_of(A, (600.0, 0.0), 6_000, (10.0, 1_200.0))) == "could"
    assert verdict(RING, gap_of(A, (5_000.0, 3_500.0), 12_000, (10.0, 300.0))) == "must_have"
    assert (
        verdict(shapely.box(4_000, -1_000, 20_000, 1_000), gap_of(A, B, 12_000, (10.0, 1_100.0))) == "could"
    )


def test_what_is_unknown_proves_nothing() -> None:
    gap = gap_of(A, B, 12_000)
    for name in ("start_error_m", "duration_s", "speed_mps"):
        assert verdict(WALL, dataclasses.replace(gap, **{name: math.nan})) == "could"
    assert verdict(WALL, dataclasses.replace(gap, speed_mps=1e6)) == "could"


def admissible_paths(
    a: tuple[float, float],
    b: tuple[float, float],
    gap: Gap,
    way_m: float,
    rng: np.random.Generator,
    count: int,
) -> list[shapely.LineString]:
    """Paths no longer than way_m from somewhere within the error of a to somewhere within that of b."""
    paths: list[shapely.LineString] = []
    while len(paths) < count:
        ends = []
        for place, error in ((a, gap.start_error_m), (b, gap.end_error_m)):
            angle, away = rng.uniform(0, 2 * math.pi), error * math.sqrt(rng.uniform())
            ends.append(np.array(place) + away * np.array([math.cos(angle), math.sin(angle)]))
        if np.hypot(*(ends[1] - ends[0])) > way_m:
            continue
        shares = np.sort(rng.uniform(0, 1, int(rng.integers(1, 4))))
        straight = ends[0] + shares[:, None] * (ends[1] - ends[0])
        offsets = rng.normal(0, 1, (len(shares), 2)) * way_m
        low, high = 0.0, 1.0
        for _ in range(25):
            u = 0.5 * (low + high)
            corners = np.vstack([ends[0], straight + u * offsets, ends[1]])
            if np.hypot(*np.diff(corners, axis=0).T).sum() <= way_m:
                low = u
            else:
                high = u
        u = low if rng.uniform() < 0.7 else low * rng.uniform()
        paths.append(shapely.LineString(np.vstack([ends[0], straight + u * offsets, ends[1]])))
    return paths


def star(spokes_m: list[float], turn: float, e: float, n: float) -> shapely.Polygon:
    """A polygon that does not cross itself: corners at growing angles about (e, n)."""
    angles = [turn + 2 * math.pi * k / len(spokes_m) for k in range(len(spokes_m))]
    return shapely.Polygon(
        [(e + r * math.cos(a), n + r * math.sin(a)) for r, a in zip(spokes_m, angles, strict=True)]
    )


def checked_verdict(
    shape: shapely.Polygon, stretch: float, errors_m: tuple[float, float], rng: np.random.Generator
) -> str:
    """The verdict, after trying to contradict it."""
    gap = gap_of(A, B, stretch * 10_000, errors_m)
    found = verdict(shape, gap)
    met = shapely.intersects(np.array(admissible_paths(A, B, gap, stretch * 10_000, rng, 60)), shape)
    assert met.all() or found != "must_have"
    assert not met.any() or found != "could_not"
    return found


@settings(max_examples=100)
@given(
    st.builds(
        star,
        st.lists(st.floats(1_000, 12_000), min_size=3, max_size=9),
        st.floats(0, 6),
        st.floats(-6_000, 6_000),
        st.floats(-6_000, 6_000),
    ),
    st.booleans(),
    st.floats(1.01, 2.0),
    st.tuples(st.floats(0, 800), st.floats(0, 800)),
    st.integers(0, 10**6),
)
def test_no_admissible_path_contradicts_a_proof(
    shape: shapely.Polygon, is_hollow: bool, stretch: float, errors_m: tuple[float, float], seed: int
) -> None:
    hollow = shape.difference(shape.buffer(-900.0)) if is_hollow else shape
    checked_verdict(hollow, stretch, errors_m, np.random.default_rng(seed))


def test_all_three_verdicts_are_given_and_none_is_contradicted() -> None:
    """A rule that always says `could` would pass the test before."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(150):
        spokes = rng.uniform(1_000, 12_000, int(rng.integers(3, 10))).tolist()
        shape = star(spokes, rng.uniform(0, 6), *rng.uniform(-9_000, 9_000, 2))
        found.append(checked_verdict(shape, 1.01 + rng.exponential(0.2), (50.0, 50.0), rng))
    assert min(found.count(word) for word in ("could_not", "could", "must_have")) >= 15


# ---- heights ----

LAYER = {"lower": Limit(3_000.0, "STD"), "upper": Limit(4_000.0, "STD")}


@pytest.mark.parametrize(
    ("heights", "climb_mps", "over", "want"),
    [
        (EndHeights(2_000, 2_100, 5_000, 5_100), 60.0, AROUND, "must_have"),  # climbs through
        (EndHeights(5_000, 5_100, 2_000, 2_100), 60.0, AROUND, "must_have"),  # descends through
        (EndHeights(2_000, 2_100, 5_000, 5_100), 60.0, WALL, "could"),  # may be below when it passes the wall
        (EndHeights(3_400, 3_500, 3_400, 3_500), 5.0, WALL, "must_have"),  # no time to leave the layer
        (EndHeights(3_400, 3_500, 3_400, 3_500), 60.0, WALL, "could"),
        (EndHeights(3_400, 3_500, 3_400, 3_500), 60.0, AROUND, "must_have"),  # was inside at its ends
        (
            EndHeights(2_000, 2_100, 2_000, 2_100),
            20.0,
            AROUND,
            "could_not",
        ),  # 600 m at the most, up and down again
        (EndHeights(2_000, 2_100, 2_000, 2_100), 60.0, AROUND, "could"),
        (EndHeights(2_000, 2_100, 3_000, 3_100), 60.0, AROUND, "must_have"),  # reaches the floor
        (EndHeights(2_000, 2_100, 2_950, 3_050), 60.0, AROUND, "could"),  # perhaps
        (EndHeights(2_000, 2_100, 9_000, 9_100), 20.0, AROUND, "could"),  # cannot be: the climb is refuted
        (EndHeights(), 60.0, AROUND, "could"),
        (EndHeights(2_000, 2_100, 5_000, math.nan), 60.0, AROUND, "could"),
        (EndHeights(), 60.0, FAR, "could_not"),
    ],
)
def test_heights(heights: EndHeights, climb_mps: float, over: shapely.Polygon, want: str) -> None:
    volume = volume_of(over, **LAYER)
    gap = dataclasses.replace(gap_of(A, B, 12_000), climb_mps=climb_mps)
    assert reachability(gap, Outline(volume), Airspace([volume]), 0, heights) == want


@pytest.mark.parametrize(
    "limits",
    [
        {"lower": NO_LOWER, "upper": Limit(300.0, "SFC")},
        {"lower": Limit(900.0, "MSL"), "upper": Limit(4_000.0, "STD")},
    ],
)
def test_limits_above_ground_or_in_two_references_prove_nothing(limits: dict[str, Limit]) -> None:
    volume = volume_of(AROUND, **limits)
    assert not any(vertical_reach(volume, EndHeights(1_000, 1_010, 1_000, 1_010), 10.0))


heights_m = st.floats(0, 8_000)


@settings(max_examples=200)
@given(heights_m, heights_m, st.floats(0, 500), st.floats(0, 500), st.floats(0, 6_000), st.integers(0, 10**6))
def test_no_admissible_climb_contradicts_the_heights(
    a: float, b: float, error_a: float, error_b: float, climb_m: float, seed: int
) -> None:
    volume = volume_of(AROUND, **LAYER)
    proof = vertical_reach(volume, EndHeights(a - error_a, a + error_a, b - error_b, b + error_b), climb_m)
    rng = np.random.default_rng(seed)
    for _ in range(40):
        start, end = a + rng.uniform(-error_a, error_a), b + rng.uniform(-error_b, error_b)
        if abs(end - start) > climb_m:
            continue
        # as high or as low as can be at a moment drawn, then on to the end
        t, up = rng.uniform(), rng.choice([-1.0, 1.0])
        turn = max(up * start - t * climb_m, min(up * start + t * climb_m, up * end + (1 - t) * climb_m))
        path = sorted([start, up * turn, end])
        visits = path[0] <= 4_000.0 and path[-1] >= 3_000.0
        leaves = path[0] < 3_000.0 or path[-1] > 4_000.0
        assert not (proof.never and visits)
        assert not (proof.always and leaves)
        assert not (proof.crosses and not visits)


# ---- on the Earth ----


@pytest.mark.parametrize("seed", range(5))
def test_proofs_hold_along_a_real_coast(seed: int) -> None:
    """Paths by GeographicLib, containment by Shapely in longitude and latitude, which is what the edges are straight in."""
    rng = np.random.default_rng(seed)
    (volume,) = [v for v in load_volumes(["EST"]) if v.volume_id == "EST"]
    polygon = shapely.union_all([shapely.Polygon(ring[:, ::-1]) for ring in volume.rings])
    outline, sky = Outline(volume), Airspace([volume])
    seen = set()
    for _ in range(60):
        lat, lon = rng.uniform(59.5, 60.0), rng.uniform(22.0, 27.8)
        azimuth, length = rng.uniform(0, 360), rng.uniform(5_000, 60_000)
        lon2, lat2, _ = GEOD.fwd(lon, lat, azimuth, length)
        stretch = 1.0 + rng.exponential(0.1)
        gap = Gap(lat, lon, 0.0, lat2, lon2, 0.0, stretch * length / 250.0, 250.0)
        found = reachability(gap, outline, sky, 0)
        seen.add(found)
        for _ in range(12):
            share, side = rng.uniform(0.02, 0.98), rng.choice([-90.0, 90.0])
            mid_lon, mid_lat, back = GEOD.fwd(lon, lat, azimuth, share * length)
            low, high = 0.0, stretch * length
            for _ in range(20):
                off = 0.5 * (low + high)
                q_lon, q_lat, _ = GEOD.fwd(mid_lon, mid_lat, back + 180.0 + side, off)
                legs = GEOD.inv([lon, q_lon], [lat, q_lat], [q_lon, lon2], [q_lat, lat2])[2]
                low, high = (off, high) if sum(legs) <= stretch * length else (low, off)
            q_lon, q_lat, _ = GEOD.fwd(mid_lon, mid_lat, back + 180.0 + side, low * rng.uniform() ** 0.3)
            flown = []
            for p, q in (((lon, lat), (q_lon, q_lat)), ((q_lon, q_lat), (lon2, lat2))):
                flown += [p, *GEOD.npts(*p, *q, 200), q]
            inside = shapely.contains_xy(polygon, *np.array(flown).T).any()
            assert not (found == "could_not" and inside)
            assert not (found == "must_have" and not inside)
    assert seen == {"could_not", "could", "must_have"}


def test_across_the_antimeridian() -> None:
    """Two rings that meet there are one area: their common edge is no boundary, and the way through is one."""
    west = np.array([[-0.3, 179.9], [-0.3, 180.0], [0.3, 180.0], [0.3, 179.9], [-0.3, 179.9]])
    east = np.array([[-0.3, -180.0], [-0.3, -179.9], [0.3, -179.9], [0.3, -180.0], [-0.3, -180.0]])
    volume = make_volume("V", [west, east])
    gap = Gap(0.0, 179.8, 50.0, 0.0, -179.8, 50.0, 200.0, 250.0)
    assert reachability(gap, Outline(volume), Airspace([volume]), 0) == "must_have"
    away = Gap(0.0, 179.7, 50.0, 0.0, 179.8, 50.0, 50.0, 250.0)
    assert reachability(away, Outline(volume), Airspace([volume]), 0) == "could_not"
