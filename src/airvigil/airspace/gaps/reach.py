"""What an aircraft can have done between two places where it was seen: could not, could, or must have been inside.

With a greatest speed v, a path that takes T seconds from A to B stays where |A q| + |q B| <= v T: in an ellipse with the
foci A and B. With a greatest climb it stays between two heights. Nothing else about the motion is assumed.

Rules
- `could_not` and `must_have` are proofs as long as the speed, the climb and the errors given are true bounds; whatever
  is not proven is `could`. So is everything if the two places are further apart than the speed allows.
- `could_not`: the ellipse does not touch the volume, or the heights do not.
- `must_have`, any of: one end is surely inside. Or no height that can be reached is outside the limits, and the volume
  cuts the ellipse so that no way round is left from one end to the other. Or the whole ellipse lies over the volume's
  ground and the two ends lie so that the climb passes through its layer.
- Errors always speak against a proof: the places may be anywhere within their error, and so may the boundary.
- Who asks turns heights into the reference of the volume's limits. Against limits above ground nothing is proven, since
  the ground's height changes on the way; nor through limits of two references.

Method: the plane touches the Earth in the ellipse's middle and keeps distances from there; between other points lengths
in it are too long by r^2 / 6R^2 at the most (Rauch), by which the ellipse is made larger. It is circumscribed by a polygon
of 48 sides, up to 0.2 % larger. The boundary is cut into chords of at most 2 km (0.01 m off) and thinned to 1 % of the
ellipse's half width, at most 50 m; the volume is made smaller by all of that, and what remains of the ellipse falls
into parts. A volume so narrow that it vanishes thereby is `could`.

Reference: T. Hägerstrand, What about people in regional science? (1970), for the prism in space and time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.edges import densify_geodesic, densify_lonlat, ecef_points, pieces_of_edges
from airvigil.airspace.index.grid import RELEVANCE_M, Floats, ecef
from airvigil.airspace.margins import Airspace
from airvigil.airspace.volumes import Volume, is_artificial_edge
from airvigil.tracking.local_plane import to_geodetic, to_local
from airvigil.units import MEAN_EARTH_RADIUS_M

COULD_NOT, COULD, MUST_HAVE = "could_not", "could", "must_have"

LONGEST_M = 500_000.0  # of v T: beyond, nothing is proven
SIDES = 48  # of the polygon around the ellipse
PLANE_ERROR = 2e-5  # relative, of `local_plane` within 1,000 km
CUT_M = 1.0  # chords of the boundary and rounding, far more than they are
MARGIN_RELATIVE = 2e-4  # how wrong a margin may be
THINNING = 0.01  # of the ellipse's half width
MOST_THINNING_M = 50.0
RUN_PIECES = 64  # of the boundary, found or passed over together
MOST_DISCS = 16
ROUND = 1.03  # a buffer of Shapely's with 4 points a quarter falls short of a round one by 2 %


@dataclass(frozen=True, slots=True)
class Gap:
    """Two places where a track was believed, and what is assumed of the time between.

    Attributes:
        start_latitude_deg, start_longitude_deg, end_latitude_deg, end_longitude_deg: the places.
        start_error_m, end_error_m: bound on the error of each, such as five sigma and the bias.
        duration_s: the time between them.
        speed_mps: greatest plausible speed over ground.
        climb_mps: greatest plausible rate of climb and of descent.
    """

    start_latitude_deg: float
    start_longitude_deg: float
    start_error_m: float
    end_latitude_deg: float
    end_longitude_deg: float
    end_error_m: float
    duration_s: float
    speed_mps: float
    climb_mps: float = math.inf


class EndHeights(NamedTuple):
    """Between what heights the ends are, m in the reference of the volume's limits; NaN where unknown."""

    start_low_m: float = math.nan
    start_high_m: float = math.nan
    end_low_m: float = math.nan
    end_high_m: float = math.nan


UNKNOWN_HEIGHTS = EndHeights()


class Vertical(NamedTuple):
    """What heights alone prove; all False where they prove nothing.

    Attributes:
        never: no height that can be reached is within the limits.
        always: every one is.
        crosses: on the way from one end to the other some height within the limits is passed.
        start, end: that end is within the limits.
    """

    never: bool
    always: bool
    crosses: bool
    start: bool
    end: bool


class Outline:
    """A volume's real boundary in runs of short chords, so that those near a place are found quickly.

    Args:
        volume: is cut once; takes some seconds for a hundred thousand vertices with geodesic edges, else milliseconds.
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        runs: list[Floats] = []
        for ring in volume.rings:
            pieces = pieces_of_edges(ring, volume.edge_kind)
            cut = densify_geodesic if volume.edge_kind == "geodesic" else densify_lonlat
            runs += _runs(cut(ring, pieces), ~np.repeat(is_artificial_edge(ring), pieces))
        self._counts = np.array([len(run) for run in runs], dtype=np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        places = np.concatenate(runs) if runs else np.empty((0, 2))
        self._lat, self._lon = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
        points = ecef_points(self._lat, self._lon)
        self._centre = points[self._firsts + self._counts // 2]
        away = np.sqrt(((points - np.repeat(self._centre, self._counts, axis=0)) ** 2).sum(axis=1))
        self._radius = np.maximum.reduceat(away, self._firsts) if runs else np.empty(0)

    def lines_near(self, latitude_deg: float, longitude_deg: float, reach_m: float, thin_m: float) -> Any:
        """Shapely lines, in the plane at a place, of all runs that can be within reach of it; thinned."""
        import shapely  # only where a gap is long and near a boundary

        gap = self._centre - np.array(ecef(latitude_deg, longitude_deg))
        near = np.flatnonzero((gap * gap).sum(axis=1) <= (reach_m + CUT_M + self._radius) ** 2)
        counts = self._counts[near]
        which = np.repeat(np.arange(len(near)), counts)
        index = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        index += np.repeat(self._firsts[near], counts)
        points = plane_points(latitude_deg, longitude_deg, self._lat[index], self._lon[index])
        lines = shapely.linestrings(points, indices=which) if len(near) else np.empty(0, dtype=object)
        return shapely.simplify(lines, thin_m, preserve_topology=False)


def reachability(
    gap: Gap,
    outline: Outline,
    airspace: Airspace,
    volume_index: int,
    heights: EndHeights = UNKNOWN_HEIGHTS,
    *,
    boundary_error_m: float = 0.0,
) -> str:
    """Whether a track could not, could, or must have been inside a volume between two places.

    Args:
        gap: the places and bounds.
        outline: of the same volume.
        airspace: holds it; tells what is inside.
        volume_index: index into `airspace.volumes`.
        heights: of the ends.
        boundary_error_m: bound on the error of the boundary itself.

    Returns:
        "could_not", "could" or "must_have".

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> wall = make_volume("w", [np.array([[-1.0, 20.0], [-1.0, 20.1], [1.0, 20.1], [1.0, 20.0], [-1.0, 20.0]])])
        >>> sky, outline = Airspace([wall]), Outline(wall)
        >>> [reachability(Gap(0.0, 19.9, 50.0, 0.0, 20.2, 50.0, t, 250.0), outline, sky, 0) for t in (140.0, 900.0)]
        ['must_have', 'could']
        >>> reachability(Gap(0.0, 19.7, 50.0, 0.0, 19.8, 50.0, 60.0, 250.0), outline, sky, 0)
        'could_not'
    """
    vertical = vertical_reach(outline.volume, heights, gap.climb_mps * gap.duration_s)
    if vertical.never:
        return COULD_NOT
    ground = _Ground.of(gap, airspace, volume_index, boundary_error_m)
    if ground is None:
        return COULD
    if (vertical.start and ground.is_surely_inside(0)) or (vertical.end and ground.is_surely_inside(1)):
        return MUST_HAVE
    side = ground.side_of_all() or ground.side_beside(outline)
    if side < 0:
        return COULD_NOT
    if side > 0:
        return MUST_HAVE if vertical.always or vertical.crosses else COULD
    return MUST_HAVE if vertical.always and ground.leaves_no_way_round(outline) else COULD


def vertical_reach(volume: Volume, heights: EndHeights, climb_m: float) -> Vertical:
    """What the heights of the ends prove about the heights between, for a climb of no more than climb_m.

    Example:
        >>> from airvigil.airspace.limits import Limit
        >>> from airvigil.airspace.volumes import make_volume
        >>> ring = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
        >>> layer = make_volume("v", [ring], lower=Limit(3000.0, "STD"), upper=Limit(4000.0, "STD"))
        >>> vertical_reach(layer, EndHeights(2000.0, 2100.0, 5000.0, 5100.0), 5000.0).crosses
        True
    """
    if volume.spans_all_heights:
        return Vertical(False, True, True, True, True)
    nothing = Vertical(False, False, False, False, False)
    references = {volume.lower.reference, volume.upper.reference}
    if (
        any(math.isnan(h) for h in heights)
        or "SFC" in references
        or not volume.lower.is_comparable(volume.upper)
    ):
        return nothing
    a_low, a_high, b_low, b_high = heights
    if max(a_low - b_high, b_low - a_high) > climb_m:
        return nothing
    lower, upper = volume.lower.height_m, volume.upper.height_m
    top = max(a_high, b_high, 0.5 * (a_high + b_high + climb_m))
    bottom = min(a_low, b_low, 0.5 * (a_low + b_low - climb_m))
    return Vertical(
        never=top < lower or bottom > upper,
        always=lower <= bottom and top <= upper,
        crosses=(a_high <= upper and b_low >= lower) or (b_high <= upper and a_low >= lower),
        start=lower <= a_low and a_high <= upper,
        end=lower <= b_low and b_high <= upper,
    )


@njit(cache=True, nogil=True)
def plane_points(lat0: float, lon0: float, lat: Floats, lon: Floats) -> Floats:
    """East and north of places in the plane at (lat0, lon0): (n, 2)."""
    points = np.empty((len(lat), 2))
    for k in range(len(lat)):
        points[k, 0], points[k, 1] = to_local(lat0, lon0, lat[k], lon[k])
    return points


@dataclass(frozen=True, slots=True)
class _Ground:
    """The ellipse of a gap on the ground, larger by all errors, in the plane at its middle."""

    airspace: Airspace
    volume_index: int
    latitude_deg: float
    longitude_deg: float
    ends: tuple[tuple[float, float], tuple[float, float]]
    errors_m: tuple[float, float]
    half_length_m: float
    half_width_m: float
    axis: tuple[float, float]
    slack_m: float  # how far off the boundary may be, from its own error and the plane's

    @classmethod
    def of(cls, gap: Gap, airspace: Airspace, volume_index: int, boundary_error_m: float) -> _Ground | None:
        """None if the places are too far apart for the speed, or for a plane, or something is unknown."""
        way = gap.speed_mps * gap.duration_s + gap.start_error_m + gap.end_error_m
        a = gap.start_latitude_deg, gap.start_longitude_deg
        b = gap.end_latitude_deg, gap.end_longitude_deg
        east, north = to_local(*a, *b)
        apart = math.hypot(east, north)
        if not apart <= way <= LONGEST_M:
            return None
        middle = to_geodetic(*a, 0.5 * east, 0.5 * north)
        here, there = to_local(*middle, *a), to_local(*middle, *b)
        way *= 1.0 + (way / MEAN_EARTH_RADIUS_M) ** 2 / 5.5
        foci = math.hypot(there[0] - here[0], there[1] - here[1])
        slack = boundary_error_m + CUT_M + PLANE_ERROR * way
        way = max(way, foci) + slack
        axis = ((there[0] - here[0]) / foci, (there[1] - here[1]) / foci) if foci > 0.0 else (1.0, 0.0)
        return cls(
            airspace,
            volume_index,
            *middle,
            ends=(here, there),
            errors_m=(gap.start_error_m, gap.end_error_m),
            half_length_m=0.5 * way,
            half_width_m=0.5 * math.sqrt(way * way - foci * foci),
            axis=axis,
            slack_m=slack,
        )

    def margins(self, points: list[tuple[float, float]]) -> Floats:
        """Margins of points of the plane; -50 km where the volume is further away than that."""
        places = np.array([to_geodetic(self.latitude_deg, self.longitude_deg, e, n) for e, n in points])
        unknown = np.full((len(points), 3), math.nan)
        found = self.airspace.margins(places[:, 0], places[:, 1], unknown, unknown[:, 0])
        mine = found.volume == self.volume_index
        margin = np.full(len(points), -RELEVANCE_M)
        margin[found.row[mine]] = found.margin_m[mine]
        return margin

    def is_surely_inside(self, which: int) -> bool:
        """Whether an end is inside wherever it is within its error."""
        margin = float(self.margins([self.ends[which]])[0])
        return margin * (1.0 - MARGIN_RELATIVE) > self.errors_m[which] + self.slack_m

    def side_of_all(self) -> int:
        """1: the ellipse is inside, -1: outside; 0: the margins of discs that cover it do not say."""
        long, wide = self.half_length_m, self.half_width_m
        count = max(1, min(MOST_DISCS, math.ceil(long / max(wide, 1.0))))
        at = [long * (2 * k + 1 - count) / count for k in range(count)]
        middle_e, middle_n = self._middle()
        margin = self.margins([(middle_e + s * self.axis[0], middle_n + s * self.axis[1]) for s in at])
        clear = np.abs(margin) * (1.0 - MARGIN_RELATIVE) > math.hypot(long / count, wide) + self.slack_m
        if not clear.all() or not (np.sign(margin) == np.sign(margin[0])).all():
            return 0
        return 1 if margin[0] > 0.0 else -1

    def side_beside(self, outline: Outline) -> int:
        """The same from the boundary itself: 0 if some of it may be in the ellipse."""
        import shapely  # only where a gap is long and near a boundary

        ellipse = self._polygon()
        lines = outline.lines_near(*self._where(), self._thin_m())
        if shapely.dwithin(lines, ellipse, self._grow_m()).any():
            return 0
        return 1 if float(self.margins([self._middle()])[0]) > 0.0 else -1

    def leaves_no_way_round(self, outline: Outline) -> bool:
        """Whether the volume, made smaller by all errors, parts the ellipse between its ends, or holds one."""
        import shapely  # only where a gap is long and near a boundary

        ellipse, grow = self._polygon(), self._grow_m()
        frame = ellipse.buffer(2.0 * grow, quad_segs=4)
        # lines run on beyond the frame, so that where they cross it is found and not presumed
        lines = shapely.union_all(outline.lines_near(*self._where(), self._thin_m()))
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines.union(frame.boundary))))
        faces = faces[shapely.intersects(faces, ellipse)]
        inner = shapely.get_coordinates(shapely.point_on_surface(faces))
        # thinning can have moved a face over what lies this near to the boundary
        deep = self.margins([(e, n) for e, n in inner.tolist()]) > 2.0 * self._thin_m() + self.slack_m
        outside = shapely.union_all(faces[~deep]).union(lines).buffer(ROUND * grow, quad_segs=4)
        parts = shapely.get_parts(outside.intersection(ellipse))
        touched = [
            shapely.dwithin(parts, shapely.Point(end), error + self.slack_m)
            for end, error in zip(self.ends, self.errors_m, strict=True)
        ]
        return not bool((touched[0] & touched[1]).any())

    def _middle(self) -> tuple[float, float]:
        (a_e, a_n), (b_e, b_n) = self.ends
        return 0.5 * (a_e + b_e), 0.5 * (a_n + b_n)

    def _where(self) -> tuple[float, float, float]:
        return self.latitude_deg, self.longitude_deg, 1.01 * self.half_length_m + 4.0 * self._grow_m()

    def _thin_m(self) -> float:
        return min(THINNING * self.half_width_m, MOST_THINNING_M)

    def _grow_m(self) -> float:
        return self.slack_m + self._thin_m()

    def _polygon(self) -> Any:
        """A polygon around the ellipse."""
        import shapely  # only where a gap is long and near a boundary

        (c_e, c_n), (u_e, u_n) = self._middle(), self.axis
        larger = 1.0 / math.cos(math.pi / SIDES)
        corners = []
        for k in range(SIDES):
            angle = 2.0 * math.pi * k / SIDES
            x, y = larger * self.half_length_m * math.cos(angle), larger * self.half_width_m * math.sin(angle)
            corners.append((c_e + x * u_e - y * u_n, c_n + x * u_n + y * u_e))
        return shapely.Polygon(corners)


def _runs(line: Floats, is_real: NDArray[np.bool_]) -> list[Floats]:
    """Stretches of real pieces, none longer than RUN_PIECES."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_real, [False]]).astype(np.int8)))
    return [
        line[first : min(first + RUN_PIECES, end) + 1]
        for begin, end in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True)
        for first in range(begin, end, RUN_PIECES)
    ]
