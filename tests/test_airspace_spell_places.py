"""What is kept of a spell's places, and the robustness radius that comes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from airvigil.airspace.spells.short_way import distance_m
from airvigil.airspace.spells.spell_places import MOST_PLACES, SpellPlaces, radius_m
from made_flights import Judged, path
from small_world import SKY

STATE = "43c0de"  # in a block of armed forces


def northward(count: int, step_deg: float, lat: float = 59.05) -> SpellPlaces:
    places = SpellPlaces()
    for k in range(count):
        places.add(lat + k * step_deg, 25.5)
    return places


def test_all_places_are_kept_of_a_short_stay() -> None:
    places = northward(MOST_PLACES, 1e-5)
    assert (len(places.lat), places.spacing_m) == (MOST_PLACES, 0.0)


def test_of_a_long_stay_no_place_is_further_than_the_spacing_from_one_that_is_kept() -> None:
    places, flown = SpellPlaces(), []
    rng = np.random.default_rng(3)
    lat, lon = 59.1, 25.1
    for _ in range(9000):
        lat, lon = lat + rng.uniform(0.0, 1e-4), lon + rng.uniform(-2e-4, 4e-4)
        places.add(lat, lon)
        flown.append((lat, lon))
    assert MOST_PLACES / 8 < len(places.lat) <= MOST_PLACES
    steps = [
        distance_m(*a, *b)
        for a, b in zip(
            zip(places.lat, places.lon, strict=True),
            zip(places.lat[1:], places.lon[1:], strict=True),
            strict=False,
        )
    ]
    assert min(steps) >= places.spacing_m > 0.0
    # what a coarser thinning left out may lie a finer one's spacing further away
    kept = np.array([places.lat, places.lon])
    for lat, lon in flown[::500]:
        near = int(np.argmin(np.hypot(kept[0] - lat, (kept[1] - lon) * math.cos(math.radians(lat)))))
        assert distance_m(lat, lon, places.lat[near], places.lon[near]) < 2.0 * places.spacing_m


def test_the_interval_is_given_whole_only_where_all_places_were_kept() -> None:
    places = northward(20, 0.001)
    low, high = radius_m(places, 20, 5_000.0, SKY, "SQR")
    assert 5_000.0 < low <= high < low * 1.002 + 1.0
    again, unknown = radius_m(places, 21, 5_000.0, SKY, "SQR")
    assert again == low
    assert math.isnan(unknown)


@pytest.mark.parametrize(
    ("places", "volume"), [(None, "SQR"), (SpellPlaces(), "SQR"), (northward(3, 0.001), "ZZZ")]
)
def test_without_places_or_volume_the_depth_is_all_that_is_known(
    places: SpellPlaces | None, volume: str
) -> None:
    low, high = radius_m(places, 3, 700.0, SKY, volume)
    assert low == 700.0
    assert math.isnan(high)


def test_beyond_what_is_measured_there_is_no_upper_end() -> None:
    assert radius_m(northward(3, 0.001), 3, 50_000.0, SKY, "SQR") == (50_000.0, math.inf)


def test_a_spell_that_needs_permission_ends_with_its_radius_and_another_with_its_depth() -> None:
    # along the southern border and then away from it: the way out is south, by the northernmost place's depth
    rows = path(lat=59.02, lon=25.1, track_deg=80.0, speed_mps=200.0, count=120, icao24=STATE)
    (spell,) = Judged(rows).events("spell_closed")
    assert spell["robustness_radius_m"] >= spell["max_depth_m"] - 3.0 * spell["max_depth_sigma_m"]
    assert spell["robustness_radius_m"] <= spell["robustness_radius_high_m"]
    civil = [{**row, "icao24": "4601f7"} for row in rows]
    (other,) = Judged(civil).events("spell_closed")
    assert other["robustness_radius_high_m"] is None
    assert other["robustness_radius_m"] <= spell["robustness_radius_m"]


def test_a_path_along_both_sides_of_a_corner_is_harder_to_explain_away_than_its_deepest_point() -> None:
    # near the southern edge, then near the western one: no one direction frees both as soon as the depth does
    south = path(lat=59.05, lon=25.6, track_deg=270.0, speed_mps=200.0, count=120, icao24=STATE)
    north = path(lat=59.05, lon=25.08, track_deg=0.0, speed_mps=200.0, count=120, icao24=STATE, begin_s=150.0)
    (spell,) = Judged(south + north).events("spell_closed")
    assert spell["robustness_radius_m"] > 1.2 * spell["max_depth_m"]
