"""Paths: geometry against GeographicLib, schedules against arithmetic."""

import doctest
import itertools
import math

import hypothesis.strategies as st
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings

from airvigil.errors import ConfigError
from airvigil.scenarios import paths
from airvigil.scenarios.paths import Motion, Path, Place, Waypoint, parse_time

WGS84 = Geodesic.WGS84
T0 = "2024-01-01T12:00:00Z"
T0_NS = 1_704_110_400_000_000_000
S = 1_000_000_000


def apart_m(a: Motion, b: Motion) -> float:
    return float(WGS84.Inverse(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)["s12"])


def east_then_north(**kw: float) -> Path:
    corner = WGS84.Direct(59.0, 25.0, 90.0, 40_000.0)
    end = WGS84.Direct(corner["lat2"], corner["lon2"], corner["azi2"] - 90.0, 40_000.0)
    return Path(
        (
            Waypoint(59.0, 25.0, 1_000.0, time=T0, speed_mps=100.0),
            Waypoint(corner["lat2"], corner["lon2"], 2_000.0, speed_mps=100.0),
            Waypoint(end["lat2"], end["lon2"], 2_000.0, speed_mps=100.0),
        ),
        **kw,
    )


def moving(path: Path, time_ns: int, place: Place | None = None) -> Motion:
    motion = path.motion(time_ns, place or Place())
    assert motion is not None
    return motion


def test_a_corner_is_cut_by_an_arc_of_the_turn_radius() -> None:
    path = east_then_north(turn_radius_m=4_000.0)
    # two legs, less two tangents, plus a quarter circle
    assert path.length_m == pytest.approx(80_000.0 - 8_000.0 + 2_000.0 * math.pi, abs=5.0)
    assert path.passes_m[1] == pytest.approx(36_000.0 + 1_000.0 * math.pi, abs=5.0)
    middle = moving(path, path.start_ns + round(path.passes_m[1] / 100.0 * S))
    corner = path.waypoints[1]
    gap = WGS84.Inverse(middle.latitude_deg, middle.longitude_deg, corner.latitude_deg, corner.longitude_deg)
    assert gap["s12"] == pytest.approx(4_000.0 * (math.sqrt(2.0) - 1.0), abs=5.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 0.98), st.floats(-500.0, 500.0), st.floats(0.0, 500.0))
def test_reported_speed_and_direction_are_those_of_the_positions(
    part: float, right: float, behind: float
) -> None:
    path = east_then_north(turn_radius_m=5_000.0)
    place = Place(right_m=right, behind_m=behind)
    at = path.start_ns + round(part * (path.end_ns - path.start_ns))
    before, now, after = (moving(path, at + k * S // 10, place) for k in (-1, 0, 1))
    line = WGS84.Inverse(before.latitude_deg, before.longitude_deg, after.latitude_deg, after.longitude_deg)
    assert line["s12"] / 0.2 == pytest.approx(now.ground_speed_mps, abs=2.0)
    # within a tenth of a second of the ends of a turn the chord lags by half of its bend
    turned = math.remainder(line["azi1"] - now.track_angle_deg, 360.0)
    assert abs(turned) < 0.2


def test_the_path_has_no_gaps_in_place_or_direction() -> None:
    path = east_then_north(turn_radius_m=4_000.0)
    step = [moving(path, t) for t in range(path.start_ns, path.end_ns, S)]
    for a, b in itertools.pairwise(step):
        assert apart_m(a, b) == pytest.approx(100.0, abs=0.1)
        assert (
            abs(math.remainder(b.track_angle_deg - a.track_angle_deg, 360.0))
            < math.degrees(100.0 / 4_000.0) + 0.01
        )


def test_formation_places_keep_their_distances_on_a_straight() -> None:
    path = east_then_north()
    at = path.start_ns + 100 * S
    leader = moving(path, at)
    right = moving(path, at, Place(right_m=300.0))
    behind = moving(path, at, Place(behind_m=400.0, above_m=50.0))
    assert apart_m(leader, right) == pytest.approx(300.0, abs=0.01)
    assert right.latitude_deg < leader.latitude_deg, "right of eastbound is south"
    assert apart_m(leader, behind) == pytest.approx(400.0, abs=0.01)
    assert behind.longitude_deg < leader.longitude_deg
    # 1,000 m of climb over the 40 km less what the turn cuts off, 400 m further back
    assert behind.height_m - leader.height_m == pytest.approx(50.0 - 10.0, abs=0.5)


def test_a_follower_behind_the_start_is_on_the_path_prolonged() -> None:
    path = east_then_north()
    first = moving(path, path.start_ns, Place(behind_m=1_000.0))
    assert apart_m(first, moving(path, path.start_ns)) == pytest.approx(1_000.0, abs=0.01)
    assert first.height_m == 1_000.0


def test_two_times_give_one_constant_speed() -> None:
    path = Path(
        (
            Waypoint(59.0, 25.0, 0.0),
            Waypoint(59.0, 25.5, 0.0, time=T0),
            Waypoint(59.0, 26.0, 0.0, time="2024-01-01T12:05:00Z"),
            Waypoint(59.0, 26.5, 0.0),
        )
    )
    inside = path.passes_m[2] - path.passes_m[1]
    assert inside == pytest.approx(WGS84.Inverse(59.0, 25.5, 59.0, 26.0)["s12"], abs=1.0)
    assert moving(path, path.start_ns).ground_speed_mps == pytest.approx(inside / 300.0)
    passed = moving(path, T0_NS)
    assert passed.longitude_deg == pytest.approx(25.5, abs=1e-5)
    assert path.start_ns < T0_NS < path.end_ns


def test_speeds_change_evenly_in_time_between_waypoints() -> None:
    end = WGS84.Direct(59.0, 25.0, 90.0, 30_000.0)
    path = Path(
        (
            Waypoint(59.0, 25.0, 0.0, time=T0, speed_mps=100.0),
            Waypoint(end["lat2"], end["lon2"], 3_000.0, speed_mps=200.0),
        )
    )
    assert path.end_ns - path.start_ns == pytest.approx(200 * S, abs=S // 100)
    half = moving(path, path.start_ns + 100 * S)
    assert half.ground_speed_mps == pytest.approx(150.0, abs=0.01)
    assert half.height_m == pytest.approx(1_250.0, abs=0.5)  # 12,500 m of 30,000 m
    assert half.vertical_rate_mps == pytest.approx(15.0, abs=0.01)


def test_outside_its_schedule_there_is_no_aircraft() -> None:
    path = east_then_north()
    assert path.motion(path.start_ns - 1) is None
    assert path.motion(path.end_ns + 1) is None
    assert path.motion(path.end_ns) is not None


A, B, C = (Waypoint(59.0, 25.0, 0.0), Waypoint(59.0, 25.5, 0.0), Waypoint(59.0, 25.01, 0.0))
AT, BT = (Waypoint(59.0, 25.0, 0.0, time=T0), Waypoint(59.0, 25.5, 0.0, time=T0))


@pytest.mark.parametrize(
    ("waypoints", "message"),
    [
        ((AT,), "2 or more"),
        ((A, B), "0 times and 0 speeds"),
        ((AT, B), "1 times and 0 speeds"),
        ((AT, BT), "not after"),
        ((AT, Waypoint(59.0, 25.0, 0.0)), "one place"),
        ((AT, B, C), "the turns at both ends of leg 1"),
        ((Waypoint(59.0, 25.0, 0.0, time="noon"), B), "noon"),
        ((Waypoint(59.0, 25.0, 0.0, time="2024-01-01T12:00:00"), B), "with zone"),
        ((Waypoint(59.0, 25.0, 0.0, T0, 100.0), Waypoint(59.0, 25.5, 0.0, None, 0.0)), "2 speeds"),
    ],
    ids=[
        "one",
        "no_schedule",
        "no_speed",
        "backwards",
        "same_place",
        "turn",
        "not_a_time",
        "no_zone",
        "standing",
    ],
)
def test_what_is_no_path_is_refused(waypoints: tuple[Waypoint, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Path(waypoints)


def test_times_keep_their_microseconds() -> None:
    assert parse_time("2024-01-01T14:00:00.123456+02:00") == T0_NS + 123_456_000


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(paths)
    assert (result.attempted, result.failed) == (1, 0)
