"""What several tracks say together about GNSS: areas of lost accuracy, and places that a spoofer gives.

Works on the events of single tracks only, so it is the same however those were computed.

- Several aircraft that lose their accuracy in one cell within a short time: an area of interference.
- Several aircraft that claim, by impossible jumps or impossible speeds, to be at nearly the same place: that
  place is a spoofer's, and a position near it is not evidence of presence.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from airvigil.settings import Incidents
from airvigil.tracking.plausibility import great_circle_m
from airvigil.units import NS_PER_S, utc_ns, utc_text

Event = dict[str, Any]

# Reasons that say where the aircraft was not, as opposed to how well it knew.
DISPLACED = ("impossible_jump", "too_slow_for_height", "speed_contradicts_positions")


@dataclass
class Sign:
    """One track's interference, as far as areas need it."""

    time: int
    track: str
    kind: str
    lat: float
    lon: float
    is_reconstruction: bool


@dataclass
class AreaBook:
    """Recent signs."""

    signs: list[Sign] = field(default_factory=list)

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return asdict(self)

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> AreaBook:
        """The inverse of `to_plain`."""
        return AreaBook([Sign(**sign) for sign in plain["signs"]])


def take_interference(book: AreaBook, event: Event, rule: Incidents) -> list[Event]:
    """Take an `interference_opened` event; returns an `interference_area` event if it makes one."""
    sign = _sign_of(event)
    if sign is None:
        return []
    window = rule.shared_place_s if sign.kind == "shared_place" else rule.area_window_s
    longest = max(rule.shared_place_s, rule.area_window_s)
    book.signs = [s for s in book.signs if sign.time - s.time <= longest * NS_PER_S] + [sign]
    reach = rule.shared_place_m if sign.kind == "shared_place" else None
    near = [
        s
        for s in book.signs
        if s.kind == sign.kind and sign.time - s.time <= window * NS_PER_S and _near(s, sign, reach, rule)
    ]
    tracks = sorted({s.track for s in near})
    aircraft = {_aircraft(s) for s in near}
    least = 2 if sign.kind == "shared_place" else rule.area_min_tracks
    if len(aircraft) < least:
        return []
    return _tell(sign, near, tracks, rule)


def _sign_of(event: Event) -> Sign | None:
    displaced = any(reason in event["reasons"] for reason in DISPLACED)
    place = event["first_claimed"] if displaced else (event["last_credible"] or event["first_claimed"])
    if place is None:
        return None
    kind = "shared_place" if displaced else "accuracy_lost"
    return Sign(
        utc_ns(event["time"]),
        event["track_id"],
        kind,
        place["latitude_deg"],
        place["longitude_deg"],
        event["reconstruction"],
    )


def _aircraft(sign: Sign) -> str:
    """One aircraft may make several tracks; only different ones count."""
    return sign.track.rpartition("@")[0]


def _cell(sign: Sign, rule: Incidents) -> tuple[int, int]:
    return math.floor(sign.lat / rule.area_cell_deg), math.floor(sign.lon / rule.area_cell_deg)


def _near(a: Sign, b: Sign, reach_m: float | None, rule: Incidents) -> bool:
    if reach_m is None:
        return _cell(a, rule) == _cell(b, rule)
    return great_circle_m(a.lat, a.lon, b.lat, b.lon) <= reach_m


def _tell(sign: Sign, near: list[Sign], tracks: list[str], rule: Incidents) -> list[Event]:
    cell = _cell(sign, rule)
    lat, lon = (cell[0] + 0.5) * rule.area_cell_deg, (cell[1] + 0.5) * rule.area_cell_deg
    area = f"{sign.kind}/{lat:.2f}/{lon:.2f}"
    first = min(s.time for s in near)
    area_id = f"{area}/{utc_text(first)}"
    return [
        {
            "event": "interference_area",
            "time": utc_text(sign.time),
            "time_ns": sign.time,
            "area_id": area_id,
            "kind": sign.kind,
            "since": utc_text(first),
            "until": utc_text(sign.time),
            "latitude_deg": round(sum(s.lat for s in near) / len(near), 4),
            "longitude_deg": round(_mean_longitude(near, sign.lon), 4),
            "tracks": tracks,
            "reconstruction": any(s.is_reconstruction for s in near),
        }
    ]


def _mean_longitude(signs: list[Sign], about: float) -> float:
    """Mean longitude of places near each other, also across the antimeridian."""
    offset = sum((s.lon - about + 540.0) % 360.0 - 180.0 for s in signs) / len(signs)
    return (about + offset + 540.0) % 360.0 - 180.0


def is_shared_place(book: AreaBook, lat: float, lon: float, time_ns: int, rule: Incidents) -> bool:
    """Whether at least two aircraft were sent to near this place by impossible positions around this time."""
    aircraft = {
        _aircraft(s)
        for s in book.signs
        if s.kind == "shared_place"
        and abs(time_ns - s.time) <= rule.shared_place_s * NS_PER_S
        and great_circle_m(s.lat, s.lon, lat, lon) <= rule.shared_place_m
    }
    return len(aircraft) >= 2
