import numpy as np
import pyproj
import pytest

from airvigil.exports.map_projection import LocalPlane, frame_around, visible_areas, visible_lines
from example_run import square

RADIUS_M = 6_371_008.8


@pytest.mark.parametrize(
    ("latitude0", "longitude0"), [(59.8, 26.0), (-16.5, 179.9), (0.0, 0.0), (78.0, -170.0)]
)
def test_the_plane_agrees_with_proj(latitude0: float, longitude0: float) -> None:
    rng = np.random.default_rng(1)
    latitude = latitude0 + rng.uniform(-4, 4, 50)
    longitude = longitude0 + rng.uniform(-8, 8, 50)
    proj = pyproj.Proj(proj="stere", lat_0=latitude0, lon_0=longitude0, R=RADIUS_M)
    expected = np.column_stack(proj(longitude, latitude))
    plane = LocalPlane(latitude0, longitude0)
    found = plane.forward(latitude, longitude)
    np.testing.assert_allclose(found, expected, atol=1e-3)  # metres
    back = plane.inverse(found)
    np.testing.assert_allclose(back[:, 0], latitude, atol=1e-9)
    np.testing.assert_allclose((back[:, 1] - longitude + 540.0) % 360.0 - 180.0, 0.0, atol=1e-9)


def test_a_kilometre_north_is_as_long_as_a_kilometre_east_at_60_north() -> None:
    frame = frame_around(np.array([59.5, 60.5]), np.array([25.0, 27.0]))
    centre = np.array([60.0, 26.0])
    north = frame.xy(np.array([60.0, 60.1]), np.array([26.0, 26.0]))
    east = frame.xy(np.array([60.0, 60.0]), np.array([26.0, 26.2]))
    assert np.ptp(north[:, 1]) == pytest.approx(np.ptp(east[:, 0]), rel=1e-3), centre


@pytest.mark.parametrize("longitudes", [(25.0, 27.0), (179.5, -179.5), (-0.2, 0.3)])
def test_every_point_is_on_the_paper(longitudes: tuple[float, float]) -> None:
    latitude, longitude = np.array([59.5, 60.5, np.nan]), np.array([*longitudes, 1.0])
    frame = frame_around(latitude, longitude)
    xy = frame.xy(latitude[:2], longitude[:2])
    assert (xy >= 0).all()
    assert (xy <= [frame.width, frame.height]).all()
    assert frame.metres_per_unit < 500.0


def test_one_point_still_makes_a_map() -> None:
    frame = frame_around(np.array([59.8]), np.array([26.4]))
    assert frame.width * frame.metres_per_unit > 30_000.0


def test_lines_are_cut_to_the_paper_and_the_seam_is_no_border() -> None:
    frame = frame_around(np.array([-17.0, -16.0]), np.array([179.5, -179.5]))
    west = np.array([[-20.0, 170.0], [-20.0, 180.0], [-10.0, 180.0], [-10.0, 170.0], [-20.0, 170.0]])
    east = np.array([[-20.0, -180.0], [-20.0, -170.0], [-10.0, -170.0], [-10.0, -180.0], [-20.0, -180.0]])
    assert visible_lines([west, east], frame) == []
    areas = visible_areas([west, east], frame)
    assert len(areas) == 2
    on_paper = [np.ptp(np.clip(area[:, 0], 0.0, frame.width)) for area in areas]
    assert sum(on_paper) == pytest.approx(frame.width, abs=1.0)  # no gap, no overlap


def test_a_ring_around_the_whole_paper_fills_it_and_shows_no_line() -> None:
    frame = frame_around(np.array([59.5, 60.0]), np.array([25.0, 26.0]))
    ring = square(50.0, 10.0, 70.0, 40.0)
    assert visible_lines([ring], frame) == []
    (area,) = visible_areas([ring], frame)
    assert (area.min(axis=0) <= 0).all()
    assert (area.max(axis=0) >= [frame.width, frame.height]).all()


def test_a_long_edge_without_a_vertex_on_the_paper_is_drawn() -> None:
    frame = frame_around(np.array([59.5, 60.0]), np.array([25.0, 26.0]))
    (line,) = visible_lines([np.array([[59.75, 0.0], [59.75, 50.0]])], frame)
    assert np.ptp(line[:, 0]) >= frame.width
