"""Where a spell's credible reports were inside: what its robustness radius is computed from when it ends.

Rules
- Of a long stay places are left out, by a rule that looks at one place after the other, so batches do not matter: when
  there are more than MOST_PLACES, those nearer than a spacing to the last one kept go, and the spacing doubles until few
  enough are left. From then on a place nearer than that to the last one is not kept.
- Fewer places can only make the radius smaller. So its proven low end stays proven; an upper end would not be one, and
  none is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from airvigil.airspace.index.grid import RELEVANCE_M
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells.robustness import robustness_radius_m
from airvigil.airspace.spells.short_way import distance_m

MOST_PLACES = 2048  # half an hour of a report a second
FIRST_SPACING_M = 100.0
BUDGET = 20_000  # margins measured for one spell


@dataclass
class SpellPlaces:
    """Places of one spell.

    Attributes:
        lat, lon: degrees, in the order of the path.
        spacing_m: places nearer than this to the last one kept were left out; 0: none was.
    """

    lat: list[float] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    spacing_m: float = 0.0

    def add(self, lat: float, lon: float) -> None:
        """The next place."""
        if self.spacing_m and distance_m(self.lat[-1], self.lon[-1], lat, lon) < self.spacing_m:
            return
        self.lat.append(lat)
        self.lon.append(lon)
        while len(self.lat) > MOST_PLACES:
            self.spacing_m = max(FIRST_SPACING_M, 2.0 * self.spacing_m)
            self._thin()

    def _thin(self) -> None:
        places = list(zip(self.lat, self.lon, strict=True))
        self.lat, self.lon = [places[0][0]], [places[0][1]]
        for lat, lon in places[1:]:
            if distance_m(self.lat[-1], self.lon[-1], lat, lon) >= self.spacing_m:
                self.lat.append(lat)
                self.lon.append(lon)

    def copy(self) -> SpellPlaces:
        """An independent copy."""
        return SpellPlaces(list(self.lat), list(self.lon), self.spacing_m)


def radius_m(
    places: SpellPlaces | None, reports: int, depth_m: float, airspace: Airspace | None, volume_id: str
) -> tuple[float, float]:
    """The interval that holds a spell's robustness radius.

    Args:
        places: of the spell; None: not kept.
        reports: how many credible ones were inside: if not all of their places were kept, there is no upper end.
        depth_m: the deepest credible margin, which is a lower bound.
        airspace: None: not at hand.
        volume_id: of the spell.

    Returns:
        (low_m, high_m): low_m proven; high_m NaN where it is not computed, inf where it is beyond 50 km.
    """
    if airspace is None or places is None or not places.lat:
        return depth_m, math.nan
    if depth_m >= RELEVANCE_M:
        return depth_m, math.inf
    numbers = [n for n, volume in enumerate(airspace.volumes) if volume.volume_id == volume_id]
    if not numbers:
        return depth_m, math.nan
    found = robustness_radius_m(places.lat, places.lon, airspace, numbers[0], budget=BUDGET)
    return max(depth_m, found.low_m), found.high_m if len(places.lat) == reports else math.nan
