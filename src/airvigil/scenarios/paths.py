"""Where an aircraft truly is: a path through waypoints, flown on a schedule, with a place in a formation.

Rules
- Legs are straight in the plane (`tracking.local_plane`) about the path's middle, which departs from
  geodesics by less than 10 m over 200 km. Corners are flown by: an arc of `turn_radius_m` touches both legs.
- The schedule is one of two. Two waypoints with a `time` and no speeds: one constant ground speed.
  Or one waypoint with a `time` and a `speed_mps` at every waypoint: constant acceleration between.
  A waypoint is passed in the middle of its turn.
- A follower flies its leader's path `behind_m` later along it and `right_m` to its right.
- Before its first waypoint's time and after its last's, there is no aircraft.

Nothing here looks at an aircraft's performance; a description that no aircraft could fly is the
author's fault, except that a turn must fit its legs.
"""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from airvigil.errors import ConfigError
from airvigil.tracking.local_plane import convergence_rad, to_geodetic, to_local
from airvigil.units import NS_PER_S

_STRAIGHT_RAD = 1e-9  # a change of heading below which no turn is flown


def parse_time(text: str) -> int:
    """ISO 8601 UTC ("2025-09-19T06:58:00Z") to ns since 1970.

    Raises:
        ConfigError: not such a time, or without a zone.

    Example:
        >>> parse_time("1970-01-01T00:00:01.500Z")
        1500000000
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"expected an ISO 8601 time, got {text!r}") from None
    if moment.tzinfo is None:
        raise ConfigError(f"expected a time with zone, got {text!r}", hint="end it with Z for UTC")
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


@dataclass(frozen=True)
class Waypoint:
    """A place to pass.

    Attributes:
        latitude_deg, longitude_deg: WGS84.
        height_m: height to have there; between waypoints it changes evenly along the path.
        time: ISO 8601 UTC at which it is passed, or None.
        speed_mps: ground speed there, or None.
    """

    latitude_deg: float
    longitude_deg: float
    height_m: float
    time: str | None = None
    speed_mps: float | None = None


@dataclass(frozen=True)
class Place:
    """A place in a formation, relative to the leader: right, behind and above, m."""

    right_m: float = 0.0
    behind_m: float = 0.0
    above_m: float = 0.0


LEADER = Place()


@dataclass(frozen=True)
class Motion:
    """The truth about an aircraft at one instant; height above whatever the waypoints' heights mean."""

    latitude_deg: float
    longitude_deg: float
    height_m: float
    ground_speed_mps: float
    track_angle_deg: float
    vertical_rate_mps: float


@dataclass(frozen=True)
class _Piece:
    """A straight (curvature 0) or an arc (curvature 1/m, positive to the right) of the path."""

    start_m: float
    east_m: float
    north_m: float
    heading_rad: float
    curvature: float

    def at(self, along_m: float) -> tuple[float, float, float]:
        """(east_m, north_m, heading_rad) at a distance along the whole path."""
        s = along_m - self.start_m
        if self.curvature == 0.0:
            east = self.east_m + s * math.sin(self.heading_rad)
            return east, self.north_m + s * math.cos(self.heading_rad), self.heading_rad
        heading = self.heading_rad + self.curvature * s
        east = self.east_m + (math.cos(self.heading_rad) - math.cos(heading)) / self.curvature
        return east, self.north_m + (math.sin(heading) - math.sin(self.heading_rad)) / self.curvature, heading


class Path:
    """A path with its schedule.

    Args:
        waypoints: two or more, in order.
        turn_radius_m: of every turn.

    Raises:
        ConfigError: too few waypoints, turns that do not fit, or a schedule that is not one of the two.

    Attributes:
        start_ns, end_ns: times of the first and last waypoint.
        length_m: of the whole path.
        passes_m: distance along the path at which each waypoint is passed.
    """

    def __init__(self, waypoints: tuple[Waypoint, ...], turn_radius_m: float = 5_000.0) -> None:
        if len(waypoints) < 2:
            raise ConfigError(f"path: expected 2 or more waypoints, got {len(waypoints)}")
        self.waypoints = waypoints
        self._origin = (
            (min(w.latitude_deg for w in waypoints) + max(w.latitude_deg for w in waypoints)) / 2.0,
            (min(w.longitude_deg for w in waypoints) + max(w.longitude_deg for w in waypoints)) / 2.0,
        )
        corners = [to_local(*self._origin, w.latitude_deg, w.longitude_deg) for w in waypoints]
        self._pieces, self.passes_m = _pieces_of(corners, turn_radius_m)
        self._starts = [piece.start_m for piece in self._pieces]
        self.length_m = self.passes_m[-1]
        self._speeds, self._passed_ns = _schedule_of(waypoints, self.passes_m)
        self.start_ns, self.end_ns = self._passed_ns[0], self._passed_ns[-1]

    def motion(self, time_ns: int, place: Place = LEADER) -> Motion | None:
        """The truth at a time for the leader or for a place in its formation; None outside the schedule."""
        if not self.start_ns <= time_ns <= self.end_ns:
            return None
        leader_m, speed = self._along(time_ns)
        along_m = leader_m - place.behind_m
        piece = self._pieces[max(bisect.bisect_right(self._starts, along_m) - 1, 0)]
        east, north, heading = piece.at(along_m)
        east += place.right_m * math.cos(heading)
        north -= place.right_m * math.sin(heading)
        latitude, longitude = to_geodetic(*self._origin, east, north)
        true_heading = math.degrees(heading + convergence_rad(*self._origin, latitude, longitude))
        height, slope = self._height(along_m)
        return Motion(
            latitude,
            longitude,
            height + place.above_m,
            speed * (1.0 - piece.curvature * place.right_m),
            true_heading % 360.0,
            slope * speed,
        )

    def _along(self, time_ns: int) -> tuple[float, float]:
        """Distance along the path (m) and ground speed (m/s) at a time within the schedule."""
        leg = min(max(bisect.bisect_right(self._passed_ns, time_ns) - 1, 0), len(self._speeds) - 2)
        v0, v1 = self._speeds[leg], self._speeds[leg + 1]
        length = self.passes_m[leg + 1] - self.passes_m[leg]
        acceleration = (v1 * v1 - v0 * v0) / (2.0 * length)
        t = (time_ns - self._passed_ns[leg]) / NS_PER_S
        return self.passes_m[leg] + t * (v0 + acceleration * t / 2.0), v0 + acceleration * t

    def _height(self, along_m: float) -> tuple[float, float]:
        """Height (m) and its change per metre along the path."""
        s = min(max(along_m, 0.0), self.length_m)
        leg = min(max(bisect.bisect_right(self.passes_m, s) - 1, 0), len(self.passes_m) - 2)
        h0, h1 = self.waypoints[leg].height_m, self.waypoints[leg + 1].height_m
        slope = (h1 - h0) / (self.passes_m[leg + 1] - self.passes_m[leg])
        return h0 + slope * (s - self.passes_m[leg]), slope


def _pieces_of(corners: list[tuple[float, float]], radius_m: float) -> tuple[list[_Piece], list[float]]:
    """Straights and arcs through the corners, and where along them each corner is passed."""
    legs = []
    for (e0, n0), (e1, n1) in itertools.pairwise(corners):
        length = math.hypot(e1 - e0, n1 - n0)
        if not length > 0.0:
            raise ConfigError("path: two waypoints at one place")
        legs.append((length, math.atan2(e1 - e0, n1 - n0)))
    pieces: list[_Piece] = []
    passes = [0.0]
    at, used = 0.0, 0.0  # distance so far; metres of the present leg already used by the turn before
    for i, (length, heading) in enumerate(legs):
        turn = math.remainder(legs[i + 1][1] - heading, 2.0 * math.pi) if i + 1 < len(legs) else 0.0
        tangent = radius_m * math.tan(abs(turn) / 2.0) if abs(turn) > _STRAIGHT_RAD else 0.0
        straight = length - used - tangent
        if straight < 0.0:
            raise ConfigError(
                f"path: the turns at both ends of leg {i + 1} need {used + tangent:.0f} m, it has {length:.0f} m"
            )
        e0, n0 = corners[i]
        sin_h, cos_h = math.sin(heading), math.cos(heading)
        pieces.append(_Piece(at, e0 + used * sin_h, n0 + used * cos_h, heading, 0.0))
        at += straight
        if tangent > 0.0:
            e1, n1 = corners[i + 1]
            curvature = math.copysign(1.0 / radius_m, turn)
            pieces.append(_Piece(at, e1 - tangent * sin_h, n1 - tangent * cos_h, heading, curvature))
            passes.append(at + radius_m * abs(turn) / 2.0)
            at += radius_m * abs(turn)
        else:
            passes.append(at)
        used = tangent
    return pieces, passes


def _schedule_of(waypoints: tuple[Waypoint, ...], passes_m: list[float]) -> tuple[list[float], list[int]]:
    """Ground speed (m/s) at each waypoint and the time (ns) at which it is passed."""
    timed = [(i, parse_time(w.time)) for i, w in enumerate(waypoints) if w.time is not None]
    given = [w.speed_mps for w in waypoints if w.speed_mps is not None]
    if len(timed) == 2 and not given:
        (first, first_ns), (last, last_ns) = timed
        if last_ns <= first_ns:
            raise ConfigError("path: the second time is not after the first")
        speed = (passes_m[last] - passes_m[first]) * NS_PER_S / (last_ns - first_ns)
        speeds = [speed] * len(waypoints)
    elif len(timed) == 1 and len(given) == len(waypoints) and min(given) > 0.0:
        first, first_ns = timed[0]
        speeds = [float(speed) for speed in given]
    else:
        raise ConfigError(
            f"path: {len(timed)} times and {len(given)} speeds for {len(waypoints)} waypoints",
            hint="give two times and no speeds, or one time and a positive speed at every waypoint",
        )
    elapsed = [0.0]
    for i in range(len(waypoints) - 1):
        elapsed.append(elapsed[-1] + 2.0 * (passes_m[i + 1] - passes_m[i]) / (speeds[i] + speeds[i + 1]))
    return speeds, [first_ns + round((t - elapsed[first]) * NS_PER_S) for t in elapsed]
