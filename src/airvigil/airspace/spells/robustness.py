"""The robustness radius: how far a whole track would have to be shifted to have stayed out of a volume.

A shift s = (east, north) in metres moves every place along the geodesic that leaves it in the direction of s, measured
from that place's own north, by the length of s. The radius is the length of the smallest s that leaves none of the
places inside. So "every sensor must have been wrong by 9 km in the same direction" means the same compass direction.

Rules
- What is returned is an interval that holds the radius. Its low end is proven: no shorter shift empties the spell.
  Its high end comes with a shift that does. If the budget runs out first, the interval is wide and says so.
- The low end is never less than the deepest margin: a shorter shift leaves that place inside.
- Margins end at 50 km. Where the deepest one is capped, or no shift up to 100 km empties the spell, high is inf.
- Only the order of the places changes the time taken; neither order nor repetition changes what is proven.

Method: branch and bound. f(s), the greatest margin of the shifted places, changes by no more than s does, because on a
surface that curves as the ellipsoid does, geodesics from one place end no further apart than their directions begin
(Rauch's comparison theorem). So one place whose margin at the middle of a square of shifts exceeds the square's half
diagonal makes the whole square bad; and a place that is outside by d frees all places within d on the path.

Limits: "the same compass direction" at two ends of a track of length L is not the same direction in the plane of its
middle: the shifted ends move against each other by up to |s| L tan(latitude) / R, 0.3 km for 10 km, 100 km and 60
degrees. Along tracks of some 100 km that is what "the same error" can mean at all; for longer ones the proof of the low
end holds, but the definition is only one of several. Errors that turn or stretch a track are not shifts.

References: H. E. Rauch, A contribution to differential geometry in the large, Annals of Mathematics 54 (1951);
A. H. Land, A. G. Doig, An automatic method of solving discrete programming problems, Econometrica 28 (1960).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index.grid import RELEVANCE_M, Floats, Ints
from airvigil.airspace.margins import Airspace
from airvigil.errors import ShapeError
from airvigil.tracking.local_plane import to_geodetic, to_local
from airvigil.units import MEAN_EARTH_RADIUS_M

REACH_M = 100_000.0  # shifts longer than this are not looked for
RELATIVE_TOLERANCE = 1e-3  # of the radius: below what any position's error says
MARGIN_RELATIVE = 2e-4  # how wrong a margin may be
MARGIN_ABSOLUTE_M = 0.05  # the same for short ones: edges are cut into chords
SQUARES_AT_ONCE = 32
FIRST_LOOKS = 16  # places looked at first along the path; four times as many then, until all are settled
PUSHES = 24  # steps of the first descent out of the volume
WORTH_SHORTENING = 0.98  # of the shortest shift so far
HALVINGS = 7  # of the way back along a shift that empties the spell


Shift = tuple[float, float]  # east, north, m


@dataclass(frozen=True, slots=True)
class Robustness:
    """Where the robustness radius lies.

    Attributes:
        low_m: no shift shorter than this empties the spell.
        high_m: the length of a shift that empties it; inf if none was found.
        shift_e_m, shift_n_m: that shift; NaN if there is none.
        measured: how many margins it took.
    """

    low_m: float
    high_m: float
    shift_e_m: float
    shift_n_m: float
    measured: int


def robustness_radius_m(
    latitude_deg: Floats | Sequence[float],
    longitude_deg: Floats | Sequence[float],
    airspace: Airspace,
    volume_index: int,
    *,
    tolerance_m: float = 1.0,
    budget: int = 40_000,
) -> Robustness:
    """The smallest shift that leaves none of the places inside a volume, as an interval.

    Args:
        latitude_deg, longitude_deg: (n,) places of the spell, in the order of the path, n >= 1.
        airspace: holds the volume; with no others near it is quickest.
        volume_index: index into `airspace.volumes`.
        tolerance_m: the interval is closed to this, or to a thousandth of the radius if that is more.
        budget: margins measured at the most, beyond one for each place.

    Raises:
        ShapeError: if the places are none, not of equal number, or not finite.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> box = make_volume("box", [np.array([[-1.0, 0.0], [-1.0, 2.0], [1.0, 2.0], [1.0, 0.0], [-1.0, 0.0]])])
        >>> found = robustness_radius_m([0.0, 0.01, 0.02], [0.05, 0.08, 0.05], Airspace([box]), 0)
        >>> found.low_m < 0.08 * 111_319.5 < found.high_m < found.low_m + 10.0
        True
    """
    search = _Search(latitude_deg, longitude_deg, airspace, volume_index, budget)
    start = search.margins(np.arange(search.count), np.zeros(search.count), np.zeros(search.count))
    search.measured = 0
    deepest = int(np.argmax(start))
    depth = float(start[deepest])
    if depth <= 0.0:
        return Robustness(0.0, 0.0, 0.0, 0.0, search.count)
    low = min(depth, RELEVANCE_M)
    if depth < RELEVANCE_M:
        search.descend(depth)
        low = _close_in(search, deepest, depth, tolerance_m)
    east, north = search.best
    return Robustness(low, search.high, east, north, search.measured + search.count)


def is_emptied(
    latitude_deg: Floats | Sequence[float],
    longitude_deg: Floats | Sequence[float],
    airspace: Airspace,
    volume_index: int,
    shift_e_m: float,
    shift_n_m: float,
) -> bool:
    """Whether a shift leaves none of the places inside: all are measured, none is inferred.

    Arguments and errors as for `robustness_radius_m`.
    """
    search = _Search(latitude_deg, longitude_deg, airspace, volume_index, 0)
    everywhere = np.ones(search.count)
    return bool(
        search.margins(np.arange(search.count), shift_e_m * everywhere, shift_n_m * everywhere).max() <= 0.0
    )


@njit(cache=True, nogil=True)
def shift_places(lat: Floats, lon: Floats, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
    """Each place moved by its own shift, from its own north: degrees, (n,) each."""
    to_lat, to_lon = np.empty(len(lat)), np.empty(len(lat))
    for k in range(len(lat)):
        to_lat[k], to_lon[k] = to_geodetic(lat[k], lon[k], east_m[k], north_m[k])
    return to_lat, to_lon


@njit(cache=True, nogil=True)
def path_lengths_m(lat: Floats, lon: Floats) -> Floats:
    """Length of the path from the first place to each: (n,), not decreasing."""
    along = np.zeros(len(lat))
    for k in range(1, len(lat)):
        east, north = to_local(lat[k - 1], lon[k - 1], lat[k], lon[k])
        along[k] = along[k - 1] + math.sqrt(east * east + north * north)
    return along


@njit(cache=True, nogil=True)
def close_near(
    is_open: NDArray[np.bool_], along_m: Floats, look: Ints, lack_m: Floats, spread: float
) -> None:
    """Close each place that was looked at, and all so near on the path to one that lacks something that they lack it too.

    Args:
        is_open: (n,) changed.
        along_m: (n,) path length to each place.
        look: (k,) the places looked at.
        lack_m: (k,) by how much the margin of each is less than wanted.
        spread: how much further apart two places can be than they are on the path, >= 1.
    """
    for j in range(len(look)):
        middle = along_m[look[j]]
        free = max(lack_m[j] * (1.0 - MARGIN_RELATIVE) - MARGIN_ABSOLUTE_M, 0.0) / spread
        is_open[look[j]] = False
        k = look[j] + 1
        while k < len(along_m) and along_m[k] <= middle + free:
            is_open[k] = False
            k += 1
        k = look[j] - 1
        while k >= 0 and along_m[k] >= middle - free:
            is_open[k] = False
            k -= 1


class _Search:
    """The places, what was measured, and the best shift so far."""

    def __init__(
        self,
        latitude_deg: Floats | Sequence[float],
        longitude_deg: Floats | Sequence[float],
        airspace: Airspace,
        volume_index: int,
        budget: int,
    ) -> None:
        self._lat = np.ascontiguousarray(latitude_deg, dtype=np.float64)
        self._lon = np.ascontiguousarray(longitude_deg, dtype=np.float64)
        shapes = self._lat.shape, self._lon.shape
        if shapes[0] != shapes[1] or len(shapes[0]) != 1 or not shapes[0][0]:
            raise ShapeError(
                f"expected two arrays of the same length, at least 1, got {shapes[0]}, {shapes[1]}"
            )
        if not (np.isfinite(self._lat).all() and np.isfinite(self._lon).all()):
            raise ShapeError("a place is not a finite latitude and longitude")
        self._airspace, self._volume = airspace, volume_index
        self.count = len(self._lat)
        self.budget = budget
        self.measured = 0
        self.high = math.inf
        self.best: Shift = (math.nan, math.nan)
        self._along = path_lengths_m(self._lat, self._lon)
        self._normal = math.nan, math.nan
        steepest = math.tan(math.radians(min(float(np.abs(self._lat).max()) + 2.0, 89.9)))
        self._turning = (1.0 + steepest) / MEAN_EARTH_RADIUS_M

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up."""
        return self.measured >= self.budget

    def margins(self, place: Ints, east_m: Floats, north_m: Floats) -> Floats:
        """Margins of shifted places; -50 km where the volume is further away than that."""
        lat, lon = shift_places(self._lat[place], self._lon[place], east_m, north_m)
        unknown = np.full((len(place), 3), math.nan)
        found = self._airspace.margins(lat, lon, unknown, unknown[:, 0])
        mine = found.volume == self._volume
        margin = np.full(len(place), -RELEVANCE_M)
        margin[found.row[mine]] = found.margin_m[mine]
        deepest = int(np.argmax(margin))
        at = np.flatnonzero(mine & (found.row == deepest))
        if len(at):
            self._normal = float(found.normal_e[at[0]]), float(found.normal_n[at[0]])
        self.measured += len(place)
        return margin

    def deepest(self, shifts: Sequence[Shift], enough_m: Sequence[float]) -> list[tuple[int, float]]:
        """For each shift a place whose margin then is more than enough, and that margin.

        If no place has as much: the deepest that was seen, and at 0 m enough, none is inside.
        """
        stride = 1
        while stride * FIRST_LOOKS < self.count:
            stride *= 4
        found = [(-1, -math.inf)] * len(shifts)
        is_open = np.ones((len(shifts), self.count), dtype=np.bool_)
        while stride:
            wanted = [k for k in range(len(shifts)) if found[k][1] <= enough_m[k]]
            looks = [np.flatnonzero(is_open[k, ::stride]) * stride for k in wanted]
            counts = [len(look) for look in looks]
            if sum(counts):
                east = np.repeat([shifts[k][0] for k in wanted], counts)
                north = np.repeat([shifts[k][1] for k in wanted], counts)
                margins = np.split(self.margins(np.concatenate(looks), east, north), np.cumsum(counts)[:-1])
                for k, look, margin in zip(wanted, looks, margins, strict=True):
                    if len(look):
                        best = int(np.argmax(margin))
                        found[k] = max(
                            found[k], (int(look[best]), float(margin[best])), key=lambda one: one[1]
                        )
                        # how much further apart two places can be after the shift than on the path before it
                        spread = 1.0 + self._turning * math.hypot(*shifts[k])
                        close_near(is_open[k], self._along, look, enough_m[k] - margin, spread)
            stride //= 4
        return found

    def is_empty_after(self, shift: Shift) -> bool:
        """Whether a shift leaves no place inside."""
        return self.deepest([shift], [0.0])[0][1] <= 0.0

    def take(self, shift: Shift) -> None:
        """Keep a shift that empties the spell if it is the shortest yet."""
        length = math.hypot(*shift)
        if length < self.high:
            self.high, self.best = length, shift

    def descend(self, depth: float) -> None:
        """A first shift that empties the spell: push what is inside through its nearest border, again and again."""
        east = north = 0.0
        for _ in range(PUSHES):
            margin = self.deepest([(east, north)], [0.0])[0][1]
            if margin <= 0.0:
                self.take((east, north))
                self.shorten(depth)
                return
            normal_e, normal_n = self._normal
            push = margin * (1.0 + RELATIVE_TOLERANCE / 4.0) + 10.0 * MARGIN_ABSOLUTE_M
            if math.isnan(normal_e) or self.is_spent or math.hypot(east, north) > REACH_M:
                return
            east, north = east + push * normal_e, north + push * normal_n

    def accept(self, shift: Shift, least_m: float) -> None:
        """Take a shift that empties the spell, and shorten it if it is much better than the last."""
        was = self.high
        self.take(shift)
        if self.high < WORTH_SHORTENING * was:
            self.shorten(least_m)

    def shorten(self, low: float) -> None:
        """Go back along the best shift as far as it still empties the spell."""
        east, north = self.best
        good, bad = 1.0, min(low / self.high, 1.0)
        for _ in range(HALVINGS):
            share = 0.5 * (good + bad)
            if self.is_empty_after((share * east, share * north)):
                good = share
            else:
                bad = share
        self.take((good * east, good * north))


Square = tuple[
    float, int, float, float, float, int
]  # least length in it, number, middle e, n, half side, witness


def _close_in(search: _Search, deepest: int, depth: float, tolerance_m: float) -> float:
    """Split the squares with the shortest shifts first until the interval is closed; its low end."""
    whole = search.high if search.high < REACH_M else REACH_M
    heap: list[Square] = [(0.0, 0, 0.0, 0.0, whole, deepest)]
    number = 1
    low = depth
    while heap and search.high - low > max(tolerance_m, RELATIVE_TOLERANCE * low):
        if search.is_spent:
            return low
        some = [heapq.heappop(heap) for _ in range(min(SQUARES_AT_ONCE, len(heap)))]
        kept = [square for square in _not_bad(search, some) if square[0] < search.high]
        for square in kept:
            for child in _quarters(square, depth, number):
                heapq.heappush(heap, child)
                number += 1
        low = max(low, heap[0][0] if heap else min(search.high, whole))
    return min(low, search.high)


def _not_bad(search: _Search, squares: list[Square]) -> list[Square]:
    """The squares that may hold a shift that empties the spell, each with a place that speaks against it."""
    middles = [(square[2], square[3]) for square in squares]
    # a margin above this is above the half diagonal, whatever its error
    needed = [
        (math.sqrt(2.0) * square[4] + MARGIN_ABSOLUTE_M) / (1.0 - MARGIN_RELATIVE) for square in squares
    ]
    east, north = np.array(middles).T
    margins = search.margins(np.array([square[5] for square in squares]), east, north).tolist()
    found = [(square[5], margin) for square, margin in zip(squares, margins, strict=True)]
    # a place that is half good enough speaks against most quarters: no need to look for a better one
    weak = [
        k for k, (_, margin) in enumerate(found) if margin <= max(0.5 * needed[k], 2.0 * MARGIN_ABSOLUTE_M)
    ]
    for k, better in zip(
        weak, search.deepest([middles[k] for k in weak], [needed[k] for k in weak]), strict=True
    ):
        found[k] = max(found[k], better, key=lambda one: one[1])
    for k in weak:
        if found[k][1] <= 0.0 and math.hypot(*middles[k]) < search.high:
            found[k] = search.deepest([middles[k]], [0.0])[0]
            if found[k][1] <= 0.0:
                search.accept(middles[k], squares[k][0])
    return [
        (*square[:5], witness)
        for square, enough, (witness, margin) in zip(squares, needed, found, strict=True)
        if margin <= enough
    ]


def _quarters(square: Square, depth: float, number: int) -> list[Square]:
    """The four parts of a square, without those that hold only shifts shorter than the deepest margin."""
    _, _, e, n, half, witness = square
    quarter = 0.5 * half
    parts: list[Square] = []
    for east in (e - quarter, e + quarter):
        for north in (n - quarter, n + quarter):
            if math.hypot(abs(east) + quarter, abs(north) + quarter) < depth:
                continue
            least = math.hypot(max(abs(east) - quarter, 0.0), max(abs(north) - quarter, 0.0))
            parts.append((least, number + len(parts), east, north, quarter, witness))
    return parts
