"""What several tracks say together: areas of lost accuracy, and places that a spoofer gives."""

from __future__ import annotations

from typing import Any

import pytest

from airvigil.incidents.areas import AreaBook, is_shared_place, take_interference
from airvigil.units import utc_text
from made_flights import Judged, path
from small_world import SETTINGS, START_NS

RULE = SETTINGS.incidents


def opened(
    track: str, time_s: float, lat: float, lon: float, reason: str = "accuracy_lost", **changed: Any
) -> dict[str, Any]:
    """An `interference_opened` event with its places all here."""
    place = {"time": utc_text(START_NS), "latitude_deg": lat, "longitude_deg": lon}
    event = {
        "event": "interference_opened",
        "time": utc_text(START_NS + round(time_s * 1e9)),
        "track_id": f"{track}@20251009T085320Z",
        "reasons": {reason: 3},
        "last_credible": place,
        "first_claimed": place,
        "reconstruction": False,
    }
    return {**event, **changed}


def taken(*events: dict[str, Any]) -> tuple[AreaBook, list[dict[str, Any]]]:
    book, told = AreaBook(), []
    for event in events:
        told += take_interference(book, event, RULE)
    return book, told


def test_three_aircraft_that_lose_their_accuracy_in_one_cell_are_one_area() -> None:
    _, told = taken(opened("a", 0, 59.1, 25.1), opened("b", 60, 59.2, 25.2), opened("c", 120, 59.3, 25.3))
    (area,) = told
    assert (area["kind"], len(area["tracks"])) == ("accuracy_lost", 3)
    assert (area["since"], area["until"]) == (utc_text(START_NS), utc_text(START_NS + 120 * 10**9))
    assert (area["latitude_deg"], area["longitude_deg"]) == (pytest.approx(59.2), pytest.approx(25.2))


def test_a_fourth_aircraft_is_told_under_the_name_of_the_same_area() -> None:
    signs = [opened(name, 60 * k, 59.1, 25.1) for k, name in enumerate("abcd")]
    _, told = taken(*signs)
    assert [len(area["tracks"]) for area in told] == [3, 4]
    assert len({area["area_id"] for area in told}) == 1


def test_two_aircraft_or_three_tracks_of_two_aircraft_are_no_area() -> None:
    again = opened("b", 100, 59.1, 25.1, track_id="b@20251009T090000Z")
    assert taken(opened("a", 0, 59.1, 25.1), opened("b", 60, 59.1, 25.1), again)[1] == []


def test_aircraft_in_different_cells_or_too_late_are_no_area() -> None:
    assert taken(opened("a", 0, 59.1, 25.1), opened("b", 1, 59.6, 25.1), opened("c", 2, 59.1, 25.6))[1] == []
    assert taken(*(opened(name, 301 * k, 59.1, 25.1) for k, name in enumerate("abc")))[1] == []


def test_lost_accuracy_is_placed_where_the_aircraft_was_last_believed() -> None:
    claimed = {"latitude_deg": 10.0, "longitude_deg": 10.0}
    signs = [opened(name, 0, 59.1, 25.1, first_claimed=claimed) for name in "abc"]
    assert taken(*signs)[1][0]["latitude_deg"] == pytest.approx(59.1)
    unseen = [opened(name, 0, 59.1, 25.1, last_credible=None) for name in "abc"]
    assert taken(*unseen)[1][0]["latitude_deg"] == pytest.approx(59.1)


@pytest.mark.parametrize("reason", ["impossible_jump", "too_slow_for_height", "speed_contradicts_positions"])
def test_two_aircraft_that_claim_one_place_by_impossible_motion_share_it(reason: str) -> None:
    far = {"latitude_deg": 50.0, "longitude_deg": 20.0}
    book, told = taken(
        opened("a", 0, 59.1, 25.1, reason, last_credible=far),
        opened("b", 3000, 59.15, 25.1, reason, last_credible=None),
    )
    (area,) = told
    assert area["kind"] == "shared_place"
    assert is_shared_place(book, 59.12, 25.1, START_NS + 3001 * 10**9, RULE)
    assert not is_shared_place(book, 59.12, 25.4, START_NS + 3001 * 10**9, RULE)
    assert not is_shared_place(book, 59.12, 25.1, START_NS + 8000 * 10**9, RULE)


def test_one_aircraft_does_not_share_a_place_with_itself() -> None:
    again = opened("a", 100, 59.1, 25.1, "impossible_jump", track_id="a@20251009T090000Z")
    book, told = taken(opened("a", 0, 59.1, 25.1, "impossible_jump"), again)
    assert told == []
    assert not is_shared_place(book, 59.1, 25.1, START_NS + 100 * 10**9, RULE)


def test_places_apart_are_not_shared() -> None:
    assert (
        taken(opened("a", 0, 59.1, 25.1, "impossible_jump"), opened("b", 1, 59.2, 25.1, "impossible_jump"))[1]
        == []
    )


def test_lost_accuracy_never_makes_a_shared_place() -> None:
    book, _ = taken(opened("a", 0, 59.1, 25.1), opened("b", 1, 59.1, 25.1))
    assert not is_shared_place(book, 59.1, 25.1, START_NS, RULE)


def test_old_signs_are_forgotten() -> None:
    book, _ = taken(*(opened(str(k), 4000.0 * k, 59.1, 25.1) for k in range(50)))
    assert len(book.signs) == 1


def test_a_generators_sign_makes_the_area_a_reconstruction() -> None:
    signs = [opened(name, 0, 59.1, 25.1, reconstruction=name == "b") for name in "abc"]
    assert taken(*signs)[1][0]["reconstruction"] is True


def test_a_book_survives_its_plain_form() -> None:
    book, _ = taken(opened("a", 0, 59.1, 25.1), opened("b", 1, 59.1, 25.1))
    assert AreaBook.from_plain(book.to_plain()) == book


def test_jammed_traffic_makes_an_area_in_a_whole_run() -> None:
    rows = []
    for k in range(3):
        flight = path(lat=59.6 + 0.1 * k, lon=25.1, icao24=f"46000{k}", count=60)
        rows += [{**row, "nac_p": 0} if i >= 30 else row for i, row in enumerate(flight)]
    areas = Judged(rows).events("interference_area")
    assert [len(area["tracks"]) for area in areas] == [3]


def test_aircraft_that_jump_to_one_place_share_it_in_a_whole_run() -> None:
    rows = []
    for k in range(2):
        rows += path(lat=58.0, lon=25.0 + 0.2 * k, icao24=f"46000{k}", count=60)
        rows += path(lat=59.1, lon=25.5, speed_mps=20.0, icao24=f"46000{k}", begin_s=60.0, count=30)
    (area,) = Judged(rows).events("interference_area")
    assert (area["kind"], area["latitude_deg"]) == ("shared_place", pytest.approx(59.1, abs=0.01))
