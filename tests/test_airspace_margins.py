"""Signed margins: against GeographicLib for distance, Shapely for containment."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace.index.edges import CHORD_TOLERANCE_M
from airvigil.airspace.margins import Airspace, Margins
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import Volume, make_volume, orient_ring
from airvigil.errors import AirspaceError, ShapeError

GEOD = Geod(ellps="WGS84")
RELATIVE_TOLERANCE = 1e-6  # of what is measured along one edge
CELL_M = 20_000.0  # from a cell's centre to its corner, at most
EARTH_M = 6_356_752.0
CHORD_M = CHORD_TOLERANCE_M  # what cutting edges into chords may add, in metres


def measure(airspace: Airspace, latitude: np.ndarray, longitude: np.ndarray) -> Margins:
    n = len(latitude)
    return airspace.margins(latitude, longitude, np.tile([100.0, 0.0, 100.0], (n, 1)), np.zeros(n))


def tolerance(distance_m: float) -> float:
    """By what share a distance may be too long: a cell's plane is not true to scale in all directions alike."""
    return RELATIVE_TOLERANCE + ((CELL_M + distance_m) / EARTH_M) ** 2


def nearest_m(volume: Volume, latitude: float, longitude: float, about_m: float) -> float:
    """Distance to the boundary as its source means it: all edges near the place, each searched on GeographicLib's geodesics.

    Edges are straight in longitude and latitude; which are near is found from points 2 km apart on them.
    """
    best = math.inf
    for ring in volume.rings:
        a, b = ring[:-1], ring[1:]
        real = ~((np.abs(a[:, 1]) == 180.0) & (np.abs(b[:, 1]) == 180.0))
        parts = np.ceil(np.hypot(*(b - a).T) * 111.0 / 2.0).astype(int) + 1
        edge = np.repeat(np.arange(len(a)), parts)
        t = (np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[edge]
        points = a[edge] + t[:, None] * (b - a)[edge]
        apart = np.column_stack(
            [points[:, 0] - latitude, (points[:, 1] - longitude) * math.cos(math.radians(latitude))]
        )
        reach = 1.3 * about_m + 4_000.0  # scaling longitudes by one cosine is off by less
        for k in np.unique(edge[(111_320.0 * np.hypot(*apart.T) < reach) & real[edge]]):
            best = min(best, golden_section_m(a[k], b[k], latitude, longitude))
    return best


def golden_section_m(a: np.ndarray, b: np.ndarray, latitude: float, longitude: float) -> float:
    def distance(t: float) -> float:
        lat, lon = a + t * (b - a)
        return float(GEOD.inv(longitude, latitude, lon, lat)[2])

    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    grid = np.linspace(0.0, 1.0, 9)
    middle = int(np.argmin([distance(t) for t in grid]))
    low, high = grid[max(middle - 1, 0)], grid[min(middle + 1, 8)]
    for _ in range(45):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if distance(left) < distance(right):
            high = right
        else:
            low = left
    return min(distance(low), distance(high), distance(0.0), distance(1.0))


@pytest.mark.parametrize(("code", "south", "west", "north", "east", "count"), [
    ("EST", 57.3, 21.0, 60.2, 28.5, 60),
    ("FIN", 59.0, 18.5, 62.5, 28.5, 60),
    ("NOR", 68.0, 10.0, 81.5, 35.0, 60),
    ("ISL", 62.8, -26.0, 67.6, -12.0, 60),
    ("ECU", -5.2, -82.0, 1.8, -75.0, 40),
    ("CHL", -56.0, -76.0, -20.0, -66.0, 40),
    ("FJI", -20.0, 176.0, -15.0, 180.0, 30),
])  # fmt: skip
def test_distances_agree_with_geographiclib(
    code: str, south: float, west: float, north: float, east: float, count: int
) -> None:
    """350 random places: too long by the plane's scale at most, and too short by 1e-6, or by 1 cm where that is more."""
    airspace = Airspace(load_volumes([code])[:1])
    rng = np.random.default_rng(abs(int(1000 * south)))
    latitude, longitude = rng.uniform(south, north, 40 * count), rng.uniform(west, east, 40 * count)
    found = measure(airspace, latitude, longitude)
    picked = np.flatnonzero(np.abs(found.margin_m) < 50_000.0)[:count]
    assert len(picked) == count
    for k in picked:
        row = found.row[k]
        expected = nearest_m(airspace.volumes[0], latitude[row], longitude[row], abs(found.margin_m[k]))
        found_m, place = abs(found.margin_m[k]), (latitude[row], longitude[row])
        assert found_m <= expected + max(tolerance(expected) * expected, CHORD_M), place
        assert found_m >= expected - max(RELATIVE_TOLERANCE * expected, CHORD_M), place


def test_geodesic_edges_agree_with_geographiclib() -> None:
    """200 places around a 400 km geodesic edge at 60 degrees, which leaves the parallel by 5 km."""
    box = np.array([[60.0, 20.0], [60.0, 27.0], [57.0, 27.0], [57.0, 20.0], [60.0, 20.0]])
    airspace = Airspace([make_volume("box", [orient_ring(box, is_hole=False)], edge_kind="geodesic")])
    azimuth, _, length = GEOD.inv(20.0, 60.0, 27.0, 60.0)
    rng = np.random.default_rng(5)
    latitude, longitude = rng.uniform(59.9, 60.3, 200), rng.uniform(21.0, 26.0, 200)
    found = measure(airspace, latitude, longitude)
    assert len(found) == 200
    worst = 0.0
    for lat, lon, margin in zip(latitude, longitude, found.margin_m, strict=True):
        low, high = 0.0, length
        for _ in range(80):  # ternary search: the distance to a geodesic has one minimum
            a, b = low + (high - low) / 3, high - (high - low) / 3
            da, db = (GEOD.inv(lon, lat, *GEOD.fwd(20.0, 60.0, azimuth, s)[:2])[2] for s in (a, b))
            low, high = (low, b) if da < db else (a, high)
        worst = max(worst, abs(abs(margin) - GEOD.inv(lon, lat, *GEOD.fwd(20.0, 60.0, azimuth, low)[:2])[2]))
    assert worst < 0.05


def test_containment_agrees_with_shapely() -> None:
    """20,000 places: both call edges straight in longitude and latitude, so they differ within a chord's tolerance only."""
    airspace = Airspace(load_volumes(["EST", "FIN", "LVA"]))
    rng = np.random.default_rng(2)
    latitude, longitude = rng.uniform(56.0, 61.0, 20_000), rng.uniform(20.0, 29.0, 20_000)
    found = measure(airspace, latitude, longitude)
    for number, volume in enumerate(airspace.volumes):
        area = shapely.Polygon()
        for ring in sorted(volume.rings, key=lambda r: -shapely.Polygon(r[:, ::-1]).area):
            area = shapely.symmetric_difference(area, shapely.Polygon(ring[:, ::-1]))
        expected = shapely.contains_xy(area, longitude, latitude)
        ours = np.zeros(20_000, dtype=bool)
        mine = found.volume == number
        ours[found.row[mine & (found.margin_m > 0.0)]] = True
        unsure = np.zeros(20_000, dtype=bool)
        unsure[found.row[mine & (np.abs(found.margin_m) <= CHORD_M)]] = True
        assert expected.any()
        assert (ours == expected)[~unsure].all(), volume.volume_id
        assert unsure.sum() < 5


def test_pairs_are_ordered_and_complete() -> None:
    airspace = Airspace(load_volumes(["EST", "FIN"]))
    found = measure(
        airspace, np.array([59.7, 45.0, math.nan, 58.7, 59.9]), np.array([25.5, 0.0, 25.0, 25.5, 25.5])
    )
    ids = [airspace.volumes[k].volume_id for k in found.volume]
    assert list(zip(found.row.tolist(), ids, strict=True)) == [
        (0, "EST"),
        (0, "FIN"),
        (3, "EST"),
        (4, "EST"),
        (4, "FIN"),
    ]
    assert [m > 0 for m in found.margin_m] == [True, False, True, False, False]
    deep = found.row == 3
    assert found.margin_m[deep].tolist() == [50_000.0]
    assert np.isnan(found.normal_e[deep]).all()
    assert found.p_inside[deep].tolist() == [1.0]


def test_the_normal_points_at_the_nearest_boundary() -> None:
    """Going the margin's length along the normal arrives at the boundary."""
    airspace = Airspace(load_volumes(["FIN"]))
    rng = np.random.default_rng(9)
    latitude, longitude = rng.uniform(59.2, 60.0, 50), rng.uniform(22.0, 27.0, 50)
    found = measure(airspace, latitude, longitude)
    assert np.hypot(found.normal_e, found.normal_n) == pytest.approx(1.0)
    azimuth = np.degrees(np.arctan2(found.normal_e, found.normal_n))
    lon, lat, _ = GEOD.fwd(longitude[found.row], latitude[found.row], azimuth, np.abs(found.margin_m))
    again = measure(airspace, lat, lon)
    # an orthographic direction is not quite the geodesic's: 1e-5 of 50 km across, hence 1 m along a bent boundary
    assert np.abs(again.margin_m).max() < 1.0


def test_sigma_is_along_the_normal_and_has_the_boundarys_own() -> None:
    ring = np.array([[59.0, 24.0], [59.0, 26.0], [60.0, 26.0], [60.0, 24.0], [59.0, 24.0]])
    airspace = Airspace([make_volume("box", [ring], boundary_uncertainty_m=40.0)])
    found = airspace.margins([59.5, 59.5], [24.1, 24.1], [[900.0, 0.0, 1e6], [math.nan] * 3], [0.0, 0.0])
    assert found.sigma_m[0] == pytest.approx(50.0, rel=1e-3)  # west lies 30 m, not the 1,000 m of north
    assert math.isnan(found.sigma_m[1])
    assert math.isnan(found.p_inside[1])
    assert found.margin_m[0] == found.margin_m[1]


def test_artificial_cuts_are_no_boundary() -> None:
    """Fiji lies on both sides of the antimeridian, where the source cuts it."""
    airspace = Airspace(load_volumes(["FJI"]))
    found = airspace.margins(
        [-16.8, -16.8, -16.8], [180.0, 179.999, -179.999], np.tile([1e4, 0.0, 1e4], (3, 1)), [0.0] * 3
    )
    assert found.margin_m.min() > 20_000.0
    assert found.margin_m[0] == pytest.approx(found.margin_m[1], abs=200.0)
    assert (found.p_inside == 1.0).all()


def test_a_volume_around_the_pole() -> None:
    """Cut at the antimeridian and closed along the pole, as RFC 7946 has it; 80 degrees north everywhere."""
    ring = np.array(
        [[80.0, lon] for lon in range(-180, 181, 10)] + [[90.0, 180.0], [90.0, -180.0], [80.0, -180.0]],
        dtype=float,
    )
    airspace = Airspace([make_volume("cap", [ring])])
    rng = np.random.default_rng(4)
    latitude, longitude = rng.uniform(79.7, 90.0, 500), rng.uniform(-180, 180, 500)
    found = measure(airspace, latitude, longitude)
    assert len(found) == 500
    assert ((found.margin_m > 0.0) == (latitude > 80.0)).all()
    near = np.abs(latitude - 80.0) < 0.3
    # the nearest point of a parallel is due south or north of a place
    for lat, lon, margin in zip(latitude[near], longitude[near], found.margin_m[near], strict=True):
        assert abs(margin) == pytest.approx(
            GEOD.inv(lon, lat, lon, 80.0)[2], rel=RELATIVE_TOLERANCE, abs=CHORD_M
        )


def test_results_do_not_depend_on_the_batch() -> None:
    """Byte for byte: one call, single rows, another order, another airspace object, with cells dropped in between."""
    volumes = load_volumes(["EST", "FIN", "RUS"])
    rng = np.random.default_rng(3)
    n = 60
    latitude, longitude = rng.uniform(59.0, 60.5, n), rng.uniform(22.0, 29.0, n)
    sigma = rng.uniform(10.0, 3000.0, (n, 2))
    covariance = np.column_stack(
        [sigma[:, 0] ** 2, rng.uniform(-0.9, 0.9, n) * sigma[:, 0] * sigma[:, 1], sigma[:, 1] ** 2]
    )
    bias = rng.choice([0.0, 200.0], n)
    whole = Airspace(volumes).margins(latitude, longitude, covariance, bias)
    other = Airspace(volumes)
    order = rng.permutation(n)
    for row in order:
        single = other.margins(
            latitude[row : row + 1], longitude[row : row + 1], covariance[row : row + 1], bias[row : row + 1]
        )
        mine = whole.row == row
        for name in ("volume", "margin_m", "sigma_m", "p_inside", "p_inside_high", "normal_e", "normal_n"):
            assert getattr(single, name).tobytes() == getattr(whole, name)[mine].tobytes()


def test_a_reference_point_on_a_boundary_is_moved() -> None:
    """A box whose west side runs through the middle of quarter-degree cells."""
    ring = np.array([[59.0, 24.125], [59.0, 25.0], [60.0, 25.0], [60.0, 24.125], [59.0, 24.125]])
    airspace = Airspace([make_volume("box", [ring])])
    latitude = np.linspace(59.26, 59.99, 300)
    for longitude, is_inside in ((24.1249, False), (24.1251, True)):
        found = measure(airspace, latitude, np.full(300, longitude))
        assert ((found.margin_m > 0.0) == is_inside).all()


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-85.0, 85.0),
    st.floats(-180.0, 179.9),
    st.floats(100.0, 20_000.0),
    st.integers(3, 9),
    st.floats(0.0, 2.0),
)
def test_any_polygon_against_a_plain_twin(
    lat: float, lon: float, size_m: float, corners: int, distance: float
) -> None:
    """A star of geodesic radii; the twin walks all its edges with GeographicLib and counts crossings in the plane."""
    radii = [size_m * (1.0 if k % 2 else 0.45) for k in range(2 * corners)]
    bearing = [-180.0 * k / corners for k in range(2 * corners)]
    ends = [GEOD.fwd(lon, lat, b, r)[:2] for b, r in zip(bearing, radii, strict=True)]
    if max(abs(e[0] - lon) for e in ends) > 90.0:
        return  # would need the cut at the antimeridian, which has its own test
    ring = np.array([[e[1], e[0]] for e in [*ends, ends[0]]])
    airspace = Airspace([make_volume("star", [orient_ring(ring, is_hole=False)], edge_kind="geodesic")])
    there_lon, there_lat, _ = GEOD.fwd(lon, lat, 77.7, distance * size_m)
    found = measure(airspace, np.array([there_lat]), np.array([there_lon]))
    flat = []
    for position_lat, position_lon in ring:
        azimuth, _, length = GEOD.inv(there_lon, there_lat, position_lon, position_lat)
        flat.append((length * math.sin(math.radians(azimuth)), length * math.cos(math.radians(azimuth))))
    outline = shapely.Polygon(flat)
    expected = shapely.Point(0.0, 0.0).distance(outline.exterior)
    expected = expected if outline.contains(shapely.Point(0.0, 0.0)) else -expected
    # the twin's azimuthal plane bends edges by up to (size / R)^2
    assert len(found) == 1
    assert found.margin_m[0] == pytest.approx(expected, rel=2e-5, abs=1e-5 * size_m)


def test_ids_are_given_once() -> None:
    ring = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [59.0, 24.0]])
    with pytest.raises(AirspaceError, match="given twice: a"):
        Airspace([make_volume("a", [ring]), make_volume("a", [ring])])


def test_shapes_that_do_not_fit_are_refused() -> None:
    airspace = Airspace([])
    with pytest.raises(ShapeError, match=r"expected \(n,\)"):
        airspace.margins([59.0], [24.0, 25.0], [[1.0, 0.0, 1.0]], [0.0])
    with pytest.raises(ShapeError):
        airspace.margins([59.0], [24.0], [1.0, 0.0, 1.0], [0.0])


def test_without_rows_or_volumes_there_are_no_margins() -> None:
    assert len(Airspace([]).margins([59.0], [24.0], [[1.0, 0.0, 1.0]], [0.0])) == 0
    assert len(Airspace(load_volumes(["EST"])).margins([], [], np.empty((0, 3)), [])) == 0


def test_the_digest_is_of_all_that_decides() -> None:
    ring = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [59.0, 24.0]])
    one, less_sure = make_volume("a", [ring]), make_volume("a", [ring], boundary_uncertainty_m=5.0)
    assert Airspace([one]).digest == Airspace([make_volume("a", [ring])]).digest
    assert Airspace([one]).digest != Airspace([less_sure]).digest
    assert Airspace([one]).digest != Airspace([make_volume("b", [ring])]).digest
