"""Volumes, the joining of faces, and points along a geodesic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airvigil.airspace.geodesic import geodesic_points
from airvigil.airspace.limits import Limit
from airvigil.airspace.sources.faces import join_faces, pack_face, unpack_face
from airvigil.airspace.volumes import is_artificial_edge, make_volume, orient_ring, ring_area_deg2
from airvigil.errors import AirspaceError

SQUARE = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])


def test_digest_changes_with_each_thing_that_decides() -> None:
    plain = make_volume("a", [SQUARE])
    moved = make_volume("a", [SQUARE + np.array([1e-9, 0.0])])
    lower = make_volume("a", [SQUARE], lower=Limit(100.0, "MSL"))
    other = make_volume("a", [SQUARE], lower=Limit(100.0, "STD"))
    curved = make_volume("a", [SQUARE], edge_kind="geodesic")
    assert len({v.digest for v in (plain, moved, lower, other, curved)}) == 5
    assert make_volume("b", [SQUARE], name="other name", source="x").digest == plain.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volume_id": ""}, "needs an id"),
        ({"kind": "secret"}, "kind must be one of"),
        ({"edge_kind": "curved"}, "edge kind must be one of"),
        ({"lower": Limit(10.0, "MSL"), "upper": Limit(10.0, "MSL")}, "not below"),
        ({"boundary_uncertainty_m": -1.0}, "must be >= 0"),
        ({"rings": []}, "no rings"),
        ({"rings": [SQUARE[:-1]]}, "differs from the first"),
        ({"rings": [SQUARE[:3]]}, "at least 4"),
        ({"rings": [SQUARE + np.array([40.0, 0.0])]}, "out of range"),
        ({"rings": [SQUARE * np.nan]}, "not a finite number"),
    ],
)
def test_what_cannot_be_a_volume_is_refused(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"volume_id": "a", "rings": [SQUARE]} | change
    with pytest.raises(AirspaceError, match=message):
        make_volume(arguments.pop("volume_id"), arguments.pop("rings"), **arguments)


@pytest.mark.parametrize(
    ("height", "reference"), [(10.0, "QNH"), (math.nan, "MSL"), (10.0, "none"), (math.inf, "STD")]
)
def test_what_cannot_be_a_limit_is_refused(height: float, reference: str) -> None:
    with pytest.raises(AirspaceError):
        Limit(height, reference)


def test_limits_of_different_references_are_not_compared() -> None:
    volume = make_volume("a", [SQUARE], lower=Limit(1500.0, "MSL"), upper=Limit(1400.0, "STD"))
    assert not volume.spans_all_heights


def test_rings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_volume("a", [SQUARE]).rings[0][0, 0] = 1.0


@pytest.mark.parametrize("is_hole", [False, True])
@pytest.mark.parametrize("ring", [SQUARE, SQUARE[::-1]])
def test_interior_is_on_the_left(ring: np.ndarray, is_hole: bool) -> None:
    turned = orient_ring(ring, is_hole=is_hole)
    assert shapely.is_ccw(shapely.LinearRing(turned[:, ::-1])) != is_hole
    assert abs(ring_area_deg2(turned)) == 1.0


def test_edges_on_the_antimeridian_and_the_poles_are_artificial() -> None:
    ring = np.array(
        [[60.0, 170.0], [60.0, 180.0], [70.0, 180.0], [90.0, 175.0], [90.0, 170.0], [60.0, 170.0]]
    )
    assert is_artificial_edge(ring).tolist() == [False, True, False, True, False]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-9_000_000, 9_000_000), st.integers(-18_000_000, 18_000_000)), min_size=3, max_size=8),
        min_size=1,
        max_size=4,
    )
)  # fmt: skip
def test_packing_loses_nothing(faces: list[list[tuple[int, int]]]) -> None:
    rings = [np.array([*ring, ring[0]], dtype=np.int64) for ring in faces]
    again = unpack_face(pack_face(rings))
    assert len(again) == len(rings)
    assert all((a == b).all() for a, b in zip(rings, again, strict=True))


@pytest.mark.parametrize("packed", [b"", b"\x01", b"\x01\x00\x00\x00", b"\x01\x05\x00\x00\x00\x00\x00\x00"])
def test_a_damaged_face_is_refused(packed: bytes) -> None:
    with pytest.raises(AirspaceError, match="packed face"):
        unpack_face(packed)


@settings(deadline=None)
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=36))
def test_joined_cells_are_their_union(cells: set[tuple[int, int]]) -> None:
    """Against Shapely's union: any set of unit cells, touching at corners or around holes."""
    faces = [[np.array([[y, x], [y, x + 1], [y + 1, x + 1], [y + 1, x], [y, x]])] for y, x in sorted(cells)]
    rings = join_faces([*faces, []])
    union = shapely.union_all([shapely.box(x, y, x + 1, y + 1) for y, x in cells])
    assert sum(ring_area_deg2(ring.astype(float)) for ring in rings) == union.area
    assert sum(len(ring) - 1 for ring in rings) == union.length
    for ring in rings:
        assert len({tuple(p) for p in ring.tolist()}) == len(ring) - 1


def test_faces_that_do_not_share_their_border_are_noticed() -> None:
    open_line = np.array([[0, 0], [0, 1], [1, 1]])
    with pytest.raises(AirspaceError, match="stays open"):
        join_faces([[open_line], []])


def test_geodesic_points_agree_with_geographiclib() -> None:
    """200 random edges of up to 2,000 km, to 1 mm, against PROJ's GeographicLib."""
    geod, rng, worst = Geod(ellps="WGS84"), np.random.default_rng(7), 0.0
    for _ in range(200):
        lat, lon = rng.uniform(-85, 85), rng.uniform(-180, 180)
        lon2, lat2, _ = geod.fwd(lon, lat, rng.uniform(0, 360), rng.uniform(1.0, 2e6))
        points = geodesic_points(lat, lon, lat2, lon2, 4)
        azimuth, _, length = geod.inv(lon, lat, lon2, lat2)
        for k in (1, 2, 3):
            lon_k, lat_k, _ = geod.fwd(lon, lat, azimuth, length * k / 4)
            worst = max(worst, geod.inv(points[k, 1], points[k, 0], lon_k, lat_k)[2])
    assert worst < 1e-3


def test_nearly_antipodal_edges_are_refused() -> None:
    with pytest.raises(AirspaceError, match="antipodal"):
        geodesic_points(0.0, 0.0, 0.3, 179.8, 2)


def test_an_edge_without_length_stays_where_it_is() -> None:
    assert np.allclose(geodesic_points(10.0, 20.0, 10.0, 20.0, 3), [10.0, 20.0])
