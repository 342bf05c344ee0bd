"""P(inside): fixed points, a plain twin by quadrature, and Monte Carlo with somebody else's containment."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Proj

from airvigil.airspace.margins import Airspace
from airvigil.airspace.probability import (
    Covariance,
    edge_term,
    is_possible,
    largest_variance_m2,
    normal_cdf,
    owen_t,
    sigma_along_m,
    whitening,
)
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import make_volume, orient_ring

WIDE = np.array(
    [[50.0, 24.0], [50.0, 34.0], [60.0, 34.0], [60.0, 24.0], [50.0, 24.0]]
)  # west side is a meridian: straight
M_PER_DEG_LON_AT_55 = (
    111_412.84 * math.cos(math.radians(55.0))
    - 93.5 * math.cos(math.radians(165.0))
    + 0.118 * math.cos(math.radians(275.0))
)


def at_margin(
    airspace: Airspace, margin_m: float, sigma_m: float, bias_m: float = 0.0
) -> tuple[float, float]:
    longitude = 24.0 + margin_m / M_PER_DEG_LON_AT_55
    found = airspace.margins([55.0], [longitude], [[sigma_m**2, 0.0, sigma_m**2]], [bias_m])
    assert found.margin_m[0] == pytest.approx(margin_m, abs=0.1)
    return float(found.p_inside[0]), float(found.p_inside_high[0])


LEGENDRE_200 = np.polynomial.legendre.leggauss(200)


def owen_by_quadrature(h: float, a: float) -> float:
    x, w = LEGENDRE_200
    x, w = 0.5 * a * (x + 1.0), 0.5 * a * w
    return float(np.sum(w * np.exp(-0.5 * h * h * (1.0 + x * x)) / (1.0 + x * x)) / (2.0 * math.pi))


def p_by_quadrature(corners: list[tuple[float, float]], covariance: np.ndarray, strips: int = 4000) -> float:
    """The plain twin: strips along x, the conditional normal in y over the polygon's crossings of each."""
    sx = math.sqrt(covariance[0, 0])
    slope = covariance[0, 1] / covariance[0, 0]
    sy = math.sqrt(covariance[1, 1] - slope * covariance[0, 1])
    total = 0.0
    width = 14.0 * sx / strips
    for k in range(strips):
        x = -7.0 * sx + (k + 0.5) * width
        crossings = []
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (ax <= x) != (bx <= x):
                crossings.append(ay + (x - ax) / (bx - ax) * (by - ay))
        crossings.sort()
        mass = sum(
            math.erf((high - slope * x) / (sy * math.sqrt(2)))
            - math.erf((low - slope * x) / (sy * math.sqrt(2)))
            for low, high in zip(crossings[0::2], crossings[1::2], strict=True)
        )
        total += 0.5 * mass * math.exp(-0.5 * (x / sx) ** 2) / (sx * math.sqrt(2.0 * math.pi)) * width
    return total


def test_fixed_points_of_a_straight_boundary() -> None:
    airspace = Airspace([make_volume("wide", [WIDE])])
    assert at_margin(airspace, 700.0, 300.0)[0] == pytest.approx(0.990, abs=5e-4)
    assert at_margin(airspace, 700.0, 926.0)[0] == pytest.approx(0.775, abs=5e-4)
    for margin, sigma in ((700.0, 300.0), (-700.0, 926.0), (0.0, 50.0), (1500.0, 500.0), (-2000.0, 500.0)):
        expected = 0.5 * math.erfc(-margin / sigma / math.sqrt(2.0))
        assert at_margin(airspace, margin, sigma)[0] == pytest.approx(expected, abs=2e-4)


def test_the_boundarys_own_uncertainty_is_added() -> None:
    unsure = Airspace([make_volume("wide", [WIDE], boundary_uncertainty_m=400.0)])
    assert at_margin(unsure, 700.0, 300.0)[0] == pytest.approx(normal_cdf(700.0 / 500.0), abs=1e-4)


def test_a_bias_bound_gives_the_least_and_the_greatest() -> None:
    """Straight boundary: the worst shift is along the normal by the whole bound."""
    airspace = Airspace([make_volume("wide", [WIDE])])
    for margin in (700.0, -700.0, 0.0):
        low, high = at_margin(airspace, margin, 300.0, 500.0)
        assert low == pytest.approx(normal_cdf((margin - 500.0) / 300.0), abs=2e-4)
        assert high == pytest.approx(normal_cdf((margin + 500.0) / 300.0), abs=2e-4)


def test_unknown_error_gives_unknown_probability() -> None:
    airspace = Airspace([make_volume("wide", [WIDE])])
    for covariance, bias in (
        ([math.nan] * 3, 0.0),
        ([1e4, 0.0, 1e4], math.nan),
        ([1.1e8, 0.0, 1.1e8], 0.0),
        ([1e4, 0.0, 1e4], 49_600.0),
    ):
        found = airspace.margins([55.0], [24.1], [covariance], [bias])
        assert math.isnan(found.p_inside[0])
        assert math.isnan(found.p_inside_high[0])
        assert not found.is_defective[0]
        assert found.margin_m[0] > 6_000.0


def test_a_perfect_position_is_inside_or_not() -> None:
    airspace = Airspace([make_volume("wide", [WIDE])])
    assert at_margin(airspace, 1.0, 0.0)[0] == 1.0
    assert at_margin(airspace, -1.0, 0.0)[0] == 0.0


@settings(deadline=None, max_examples=200)
@given(st.floats(0.0, 6.0), st.floats(-5.0, 5.0))
def test_owen_against_quadrature(h: float, a: float) -> None:
    assert owen_t(h, a) == pytest.approx(owen_by_quadrature(h, a), abs=1e-9)


def test_owen_at_known_values() -> None:
    """T(0, a) = arctan(a) / 2 pi; T(h, 1) = Phi(h) Phi(-h) / 2; T(h, inf) = Phi(-|h|) / 2 (Owen 1956, 2.1 to 2.4)."""
    for a in (0.1, 1.0, 7.0, 1e9):
        assert owen_t(0.0, a) == pytest.approx(math.atan(a) / (2.0 * math.pi), abs=1e-12)
    for h in (0.0, 0.5, 2.0, 5.0):
        assert owen_t(h, 1.0) == pytest.approx(0.5 * normal_cdf(h) * normal_cdf(-h), abs=1e-12)
        assert owen_t(h, 1e12) == pytest.approx(0.5 * normal_cdf(-h), abs=1e-12)
        assert owen_t(-h, -1.0) == -owen_t(h, 1.0)


def test_a_short_edge_is_as_good_as_its_parts() -> None:
    """The three-point rule for short edges against the same edge as one long T difference."""
    rng = np.random.default_rng(8)
    for _ in range(300):
        a, b = rng.normal(0.0, 2.0, 2), rng.normal(0.0, 2.0, 2)
        parts = np.linspace(a, b, 400)
        cut = sum(edge_term(*p, *q) for p, q in itertools.pairwise(parts))
        assert cut == pytest.approx(edge_term(*a, *b), abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.2, 2.0), st.floats(0.15, 1.0)), min_size=3, max_size=9),
    st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0.1, 3.0), st.floats(0.1, 3.0), st.floats(-0.95, 0.95),
)  # fmt: skip
def test_any_polygon_against_the_plain_twin(
    spokes: list[tuple[float, float]], x: float, y: float, sigma_e: float, sigma_n: float, correlation: float
) -> None:
    turn = np.cumsum([gap for _, gap in spokes])
    turn = turn / turn[-1] * 2.0 * math.pi
    corners = [(r * math.cos(t) - x, r * math.sin(t) - y) for (r, _), t in zip(spokes, turn, strict=True)]
    covariance = np.array(
        [[sigma_e**2, correlation * sigma_e * sigma_n], [correlation * sigma_e * sigma_n, sigma_n**2]]
    )
    scale = whitening(Covariance(covariance[0, 0], covariance[0, 1], covariance[1, 1]))
    white = []
    for px, py in corners:
        u = px * scale.east
        white.append((u, (py - scale.shear * u) * scale.north))
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid or shapely.Point(0, 0).distance(polygon.exterior) < 1e-6:
        return
    removed = sum(edge_term(*a, *b) for a, b in zip(white, white[1:] + white[:1], strict=True))
    p = float(polygon.contains(shapely.Point(0, 0))) - removed * (1.0 if polygon.exterior.is_ccw else -1.0)
    assert p == pytest.approx(p_by_quadrature(corners, covariance), abs=2e-3)


def test_covariance_along_directions() -> None:
    """Against NumPy's eigenvalues and quadratic forms."""
    rng = np.random.default_rng(6)
    for _ in range(200):
        half = rng.normal(0.0, 100.0, (2, 2))
        matrix = half @ half.T
        covariance = Covariance(matrix[0, 0], matrix[0, 1], matrix[1, 1])
        unit = np.array([math.cos(t := rng.uniform(0, 7)), math.sin(t)])
        assert largest_variance_m2(covariance) == pytest.approx(np.linalg.eigvalsh(matrix)[-1])
        assert sigma_along_m(covariance, *unit) == pytest.approx(math.sqrt(unit @ matrix @ unit))


def test_a_boundary_wound_wrongly_is_reported_and_gives_no_probability() -> None:
    airspace = Airspace([make_volume("wrong", [WIDE[::-1]])])
    found = airspace.margins([55.0], [24.002], [[1e4, 0.0, 1e4]], [0.0])
    assert found.is_defective.tolist() == [True]
    assert math.isnan(found.p_inside[0])


def test_on_a_vertex_the_probability_is_the_corners_share() -> None:
    """Exactly on the right-angled corner of a box: a quarter."""
    airspace = Airspace([make_volume("wide", [WIDE])])
    found = airspace.margins([50.0], [24.0], [[1e4, 0.0, 1e4]], [0.0])
    assert found.margin_m[0] == pytest.approx(0.0, abs=0.002)  # a step of float32 in the cell's plane
    assert found.p_inside[0] == pytest.approx(0.25, abs=1e-3)


def test_a_cut_through_the_middle_changes_nothing() -> None:
    """Two halves in one volume that touch along a meridian: their common side cancels."""
    left = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
    whole = Airspace(
        [
            make_volume(
                "whole",
                [
                    orient_ring(
                        np.array([[59.0, 24.0], [59.0, 26.0], [60.0, 26.0], [60.0, 24.0], [59.0, 24.0]]),
                        is_hole=False,
                    )
                ],
            )
        ]
    )
    halves = Airspace([make_volume("halves", [left, left + np.array([0.0, 1.0])])])
    covariance = [[250_000.0, 0.0, 250_000.0]]
    for longitude in (24.99, 24.999, 25.001):
        one = whole.margins([59.5], [longitude], covariance, [0.0])
        two = halves.margins([59.5], [longitude], covariance, [0.0])
        assert two.p_inside[0] == pytest.approx(one.p_inside[0], abs=1e-7)


def test_a_thousand_cases_against_monte_carlo() -> None:
    """Real boundaries of Estonia and Finland, random places and full covariances; containment by Shapely on PROJ's plane.

    z is (P - share of draws inside) in the draws' own standard error: its root mean square is 1 if P is exact.
    """
    volumes = [v for v in load_volumes(["EST", "FIN"]) if v.kind == "sovereign"]
    areas = [even_odd(volume.rings) for volume in volumes]
    airspace = Airspace(volumes)
    rng = np.random.default_rng(20250919)
    draws = rng.standard_normal((2, 4_000))
    z_scores: list[float] = []
    attempts = 0
    while len(z_scores) < 1_000:
        attempts += 1
        assert attempts < 8_000
        number = int(rng.integers(len(volumes)))
        ring = volumes[number].rings[int(rng.integers(len(volumes[number].rings)))]
        vertex = ring[int(rng.integers(len(ring)))]
        sigma = 10.0 ** rng.uniform(1.5, 3.3, 2)
        correlation = rng.uniform(-0.95, 0.95)
        reach = float(sigma.max())
        latitude = vertex[0] + rng.normal(0.0, reach) / 111_200.0
        longitude = vertex[1] + rng.normal(0.0, reach) / 111_200.0 / math.cos(math.radians(vertex[0]))
        covariance = np.array([sigma[0] ** 2, correlation * sigma[0] * sigma[1], sigma[1] ** 2])
        found = airspace.margins([latitude], [longitude], [covariance], [0.0])
        mine = found.volume == number
        p = float(found.p_inside[mine][0])
        if not 0.01 < p < 0.99:
            continue
        variance = 10.0**2  # the packaged boundary's own, per axis
        factor = np.linalg.cholesky(
            np.array([[covariance[0] + variance, covariance[1]], [covariance[1], covariance[2] + variance]])
        )
        turned = draws[:, rng.permutation(4_000)] * rng.choice([-1.0, 1.0], (2, 1))
        xy = factor @ turned
        area = local_area(areas[number], latitude, longitude, 8.0 * reach)
        shapely.prepare(area)
        share = float(shapely.contains_xy(area, xy[0], xy[1]).mean())
        z_scores.append((share - p) / math.sqrt(p * (1.0 - p) / 4_000))
    rms = math.sqrt(float(np.mean(np.square(z_scores))))
    assert 0.9 < rms < 1.1
    assert max(abs(z) for z in z_scores) < 5.0


def local_area(
    whole: shapely.Geometry, latitude: float, longitude: float, reach_m: float
) -> shapely.Geometry:
    """The area around a place, clipped in longitude and latitude, on PROJ's azimuthal equidistant plane (m)."""
    dlat = reach_m / 111_000.0
    dlon = dlat / math.cos(math.radians(latitude))
    part = shapely.clip_by_rect(whole, longitude - dlon, latitude - dlat, longitude + dlon, latitude + dlat)
    plane = Proj(f"+proj=aeqd +lat_0={float(latitude)!r} +lon_0={float(longitude)!r} +ellps=WGS84")
    return shapely.transform(
        shapely.segmentize(part, 0.02), lambda xy: np.column_stack(plane(xy[:, 0], xy[:, 1]))
    )


def even_odd(rings: tuple[np.ndarray, ...]) -> shapely.Geometry:
    area = shapely.Polygon()
    for ring in sorted(rings, key=lambda r: -shapely.Polygon(r[:, ::-1]).area):
        area = shapely.symmetric_difference(area, shapely.Polygon(ring[:, ::-1]))
    return area


INF, NAN = math.inf, math.nan
NO_COVARIANCES = [
    (INF, 0.0, INF),
    (INF, 0.0, 100.0),
    (100.0, 0.0, INF),
    (100.0, INF, 100.0),
    (100.0, -INF, 100.0),
    (NAN, 0.0, 100.0),
    (100.0, 200.0, 100.0),
    (100.0, -100.001, 100.0),
    (-1.0, 0.0, 100.0),
    (-1.0, 0.0, -1.0),
    (100.0, 0.0, -1e-9),
    (0.0, 1.0, 100.0),
]


@pytest.mark.parametrize("covariance", NO_COVARIANCES)
@pytest.mark.parametrize("depth_deg", [-0.01, 0.001, 0.5, 4.0])
@pytest.mark.parametrize("boundary_m", [0.0, 500.0])
def test_what_is_no_covariance_gives_no_probability(
    covariance: tuple[float, float, float], depth_deg: float, boundary_m: float
) -> None:
    """Also not far inside, and also where the boundary's own uncertainty would make the sum look possible."""
    sky = Airspace([make_volume("WIDE", [WIDE], boundary_uncertainty_m=boundary_m)])
    found = sky.margins([55.0], [24.0 + depth_deg], [covariance], [0.0])
    assert len(found) == 1
    for column in (found.p_inside, found.p_inside_high, found.sigma_m):
        assert np.isnan(column).all()
    assert not found.is_defective[0]
    assert np.isfinite(found.margin_m).all()


@pytest.mark.parametrize("bias_m", [INF, -INF, NAN, -1.0])
@pytest.mark.parametrize("depth_deg", [0.001, 4.0])
def test_what_is_no_bound_gives_no_probability(bias_m: float, depth_deg: float) -> None:
    sky = Airspace([make_volume("WIDE", [WIDE])])
    found = sky.margins([55.0], [24.0 + depth_deg], [[100.0, 0.0, 100.0]], [bias_m])
    assert np.isnan([found.p_inside[0], found.p_inside_high[0]]).all()


@pytest.mark.parametrize(
    "covariance",
    [(0.0, 0.0, 0.0), (100.0, 100.0, 100.0), (9.0, -15.0, 25.0), (0.1, 0.3, 0.9), (0.0, 0.0, 1e4)],
)
def test_a_singular_covariance_is_one(covariance: tuple[float, float, float]) -> None:
    assert is_possible(Covariance(*covariance))
    sky = Airspace([make_volume("WIDE", [WIDE])])
    for longitude, expected in ((24.5, 1.0), (23.99, 0.0)):
        assert sky.margins([55.0], [longitude], [covariance], [0.0]).p_inside.tolist() == [expected]


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_every_product_of_a_matrix_with_its_transpose_is_possible(
    a: float, b: float, c: float, d: float
) -> None:
    ee, en, nn = a * a + b * b, a * c + b * d, c * c + d * d
    assume(min(ee, nn) > 1e-100)  # below, products of them lose their digits
    assert is_possible(Covariance(ee, en, nn))
