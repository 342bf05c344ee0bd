"""Circles, arcs and corridors against GeographicLib and Shapely."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.sources.arcs import (
    CHORD_ERROR_M,
    arc_between,
    arc_points,
    circle_ring,
    corridor_rings,
    turn_pieces,
)
from airvigil.airspace.volumes import ring_area_deg2
from airvigil.errors import AirspaceError

WGS84 = Geodesic.WGS84
places = st.tuples(st.floats(-80.0, 80.0), st.floats(-170.0, 170.0))


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(WGS84.Inverse(*a, *b)["s12"])


def middle(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    line = WGS84.InverseLine(*a, *b)
    half = line.Position(line.s13 / 2)
    return half["lat2"], half["lon2"]


@given(places, st.floats(20.0, 500_000.0))
@hypothesis_settings(max_examples=40)
def test_a_circle_is_nowhere_further_off_than_it_says(centre: tuple[float, float], radius_m: float) -> None:
    ring = [(float(lat), float(lon)) for lat, lon in circle_ring(centre, radius_m)]
    assert ring[0] == ring[-1]
    for a, b in list(pairwise(ring))[:: max(len(ring) // 12, 1)]:
        assert distance_m(centre, a) == pytest.approx(radius_m, abs=1e-3)
        # a chord of the greatest curve that the ellipsoid has under it keeps a margin for the other curvature
        assert radius_m - CHORD_ERROR_M * 1.01 <= distance_m(centre, middle(a, b)) <= radius_m + 1e-3
        straight = (0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1]))
        if abs(a[1] - b[1]) < 180.0:
            assert abs(distance_m(centre, straight) - radius_m) <= 2.0 * CHORD_ERROR_M


def test_a_circle_runs_counter_clockwise_and_has_the_pieces_that_it_needs() -> None:
    assert ring_area_deg2(circle_ring((60.0, 25.0), 10_000.0)) > 0.0
    assert turn_pieces(1.0, 2.0 * math.pi) == 16
    assert turn_pieces(185_200.0, 0.0) == 1
    # half a chord error more would be allowed with one piece fewer
    pieces = turn_pieces(18_520.0, 2.0 * math.pi)
    assert 18_520.0 * (1.0 - math.cos(math.pi / pieces)) <= CHORD_ERROR_M
    assert 18_520.0 * (1.0 - math.cos(math.pi / (pieces - 1))) > CHORD_ERROR_M


@pytest.mark.parametrize("radius_m", [0.0, -1.0, math.nan, math.inf, 3e6])
def test_a_radius_that_is_none_is_refused(radius_m: float) -> None:
    with pytest.raises(AirspaceError, match="radius"):
        circle_ring((60.0, 25.0), radius_m)


def test_an_arc_by_azimuths_begins_and_ends_there() -> None:
    points = arc_points((60.0, 25.0), math.radians(270.0), math.radians(110.0), 18_520.0)
    azimuths = [WGS84.Inverse(60.0, 25.0, *p)["azi1"] % 360.0 for p in points]
    assert azimuths[0] == pytest.approx(270.0, abs=1e-6)
    assert azimuths[-1] == pytest.approx(20.0, abs=1e-6)
    assert all((b - a) % 360.0 < 5.0 for a, b in pairwise(azimuths))


@pytest.mark.parametrize(("is_clockwise", "sweep_deg"), [(True, 90.0), (False, -270.0)])
def test_an_arc_by_its_ends_turns_as_told(is_clockwise: bool, sweep_deg: float) -> None:
    centre = (60.0, 25.0)
    ends = [
        tuple(WGS84.Direct(*centre, azimuth, 9_260.0)[k] for k in ("lat2", "lon2"))
        for azimuth in (45.0, 135.0)
    ]
    points, apart = arc_between(centre, ends[0], ends[1], is_clockwise=is_clockwise)
    assert (points[0], points[-1]) == (ends[0], ends[1])
    assert apart < 1e-3
    azimuths = np.unwrap([math.radians(WGS84.Inverse(*centre, *p)["azi1"]) for p in points])
    assert math.degrees(azimuths[-1] - azimuths[0]) == pytest.approx(sweep_deg, abs=1e-4)


def test_ends_at_different_radii_are_both_met_and_the_difference_is_told() -> None:
    centre = (48.0, 2.0)
    first = WGS84.Direct(*centre, 0.0, 10_000.0)
    last = WGS84.Direct(*centre, 180.0, 10_150.0)
    start, end = (first["lat2"], first["lon2"]), (last["lat2"], last["lon2"])
    points, apart = arc_between(centre, start, end, is_clockwise=True)
    assert apart == pytest.approx(150.0, abs=1e-3)
    radii = [distance_m(centre, p) for p in points]
    assert radii == sorted(radii)
    assert (points[0], points[-1]) == (start, end)


def test_an_end_that_is_the_start_makes_a_whole_turn() -> None:
    points, _ = arc_between((60.0, 25.0), (60.1, 25.0), (60.1, 25.0), is_clockwise=True)
    assert len(points) > 100


@given(
    st.lists(st.tuples(st.floats(58.0, 61.0), st.floats(20.0, 28.0)), min_size=2, max_size=5),
    st.floats(500.0, 20_000.0),
    st.integers(0, 2**32 - 1),
)
@hypothesis_settings(max_examples=15)
def test_a_corridor_holds_what_is_within_its_half_width(
    line: list[tuple[float, float]], half_width_m: float, seed: int
) -> None:
    rings = corridor_rings(line, half_width_m)
    shape = shapely.Polygon(rings[0][:, ::-1], [ring[:, ::-1] for ring in rings[1:]])
    assert shape.is_valid
    samples = [
        (p["lat2"], p["lon2"])
        for a, b in pairwise(line)
        for leg in [WGS84.InverseLine(*a, *b)]
        for p in (leg.Position(leg.s13 * k / 400) for k in range(401))
    ]
    chance = np.random.default_rng(seed)
    longest = max(distance_m(a, b) for a, b in pairwise(line))
    for _ in range(10):
        near = samples[int(chance.integers(len(samples)))]
        there = WGS84.Direct(*near, chance.uniform(0.0, 360.0), chance.uniform(0.0, 2.0) * half_width_m)
        place = (there["lat2"], there["lon2"])
        off = (np.array(samples) - place) * [1.0, math.cos(math.radians(place[0]))]
        candidates = np.argsort(np.hypot(off[:, 0], off[:, 1]))[:3]
        nearest = min(distance_m(place, samples[k]) for k in candidates.tolist())
        slack = 3.0 + (longest / 800.0) ** 2 / (2.0 * half_width_m)
        if nearest < half_width_m - slack:
            assert shape.covers(shapely.Point(place[1], place[0]))
        elif nearest > half_width_m + slack:
            assert not shape.covers(shapely.Point(place[1], place[0]))


def test_a_corridor_round_something_has_a_hole() -> None:
    line = [(59.0, 24.0), (59.0, 26.0), (60.0, 26.0), (60.0, 24.0), (59.0, 24.0)]
    rings = corridor_rings(line, 2_000.0)
    assert len(rings) == 2
    assert ring_area_deg2(rings[0]) != 0.0


def test_a_corridor_over_the_antimeridian_is_in_one_piece() -> None:
    (ring,) = corridor_rings([(60.0, 179.5), (60.0, -179.5)], 5_000.0)
    assert ring[:, 1].min() < 180.0 < ring[:, 1].max()
    assert np.ptp(ring[:, 1]) < 2.0


@pytest.mark.parametrize(
    ("line", "half_width_m"),
    [
        ([(60.0, 25.0)], 100.0),
        ([(60.0, 25.0)] * 2001, 100.0),
        ([(0.0, 0.0), (0.0, 90.0)], 100.0),
        ([(84.99, 0.0), (84.99, 1.0)], 5_000.0),
        ([(60.0, 25.0), (61.0, 25.0)], 0.0),
        ([(60.0, 25.0), (61.0, 25.0)], 1e6),
    ],
)
def test_a_corridor_beyond_measure_is_refused(line: list[tuple[float, float]], half_width_m: float) -> None:
    with pytest.raises(AirspaceError):
        corridor_rings(line, half_width_m)
