"""Interference of single tracks: when it opens and closes, and what it tells of where the aircraft was and claimed to be."""

from __future__ import annotations

from airvigil.settings import load_settings
from airvigil.tracking.interference import InterferenceBook, Watch
from airvigil.units import utc_text
from made_flights import Judged, Row, displaced, path
from small_world import START_NS


def jammed(begin: int, end: int, count: int = 200, **what: object) -> list[Row]:
    rows = path(count=count, **what)
    return [{**row, "nac_p": 0} if begin <= k < end else row for k, row in enumerate(rows)]


def at(time_s: float) -> str:
    return utc_text(START_NS + round(time_s * 1e9))


def test_fewer_positions_than_needed_in_a_row_are_no_interference() -> None:
    rows = path(count=60)
    for k in (20, 21, 30, 40, 41):
        rows[k] = {**rows[k], "nac_p": 0}
    judged = Judged(rows)
    assert judged.reasons["accuracy_lost"] == 5
    assert not judged.events("interference_opened")


def test_it_opens_at_the_third_in_a_row_and_counts_from_the_first() -> None:
    (opened,) = Judged(jammed(20, 60)).events("interference_opened")
    assert (opened["time"], opened["since"], opened["until"]) == (at(22), at(20), None)
    assert (opened["rows"], opened["reasons"]) == (3, {"accuracy_lost": 3})


def test_it_closes_a_minute_after_the_last_and_ends_at_the_last() -> None:
    (closed,) = Judged(jammed(20, 60)).events("interference_closed")
    assert (closed["time"], closed["until"]) == (at(59 + 60), at(59))
    assert (closed["rows"], closed["reasons"]) == (40, {"accuracy_lost": 40})


def test_trouble_that_comes_back_within_the_minute_is_the_same() -> None:
    rows = jammed(20, 30)
    rows[70:80] = [{**row, "nac_p": 0} for row in rows[70:80]]
    judged = Judged(rows)
    assert len(judged.events("interference_opened")) == 1
    (closed,) = judged.events("interference_closed")
    assert (closed["since"], closed["until"], closed["rows"]) == (at(20), at(79), 20)


def test_trouble_that_comes_back_later_is_another() -> None:
    rows = jammed(20, 30)
    rows[100:110] = [{**row, "nac_p": 0} for row in rows[100:110]]
    opened = Judged(rows).events("interference_opened")
    assert [event["since"] for event in opened] == [at(20), at(100)]
    assert len({event["interference_id"] for event in opened}) == 2


def test_it_tells_where_the_aircraft_was_last_believed_and_where_it_then_claimed_to_be() -> None:
    rows = path(lat=58.0, count=60)
    rows[30:] = [displaced(row, north_m=1.5 * 111_320.0) for row in rows[30:]]
    (opened,) = Judged(rows).events("interference_opened")
    assert opened["reasons"] == {"impossible_jump": 3}
    assert opened["last_credible"]["time"] == at(29)
    assert round(opened["last_credible"]["latitude_deg"], 3) == 58.0
    assert round(opened["first_claimed"]["latitude_deg"], 3) == 59.5
    assert (opened["first_claimed"]["time"], opened["claimed"]["time"]) == (at(30), at(32))
    assert opened["claimed_volumes"] == ["SQR"]


def test_volumes_are_only_named_where_the_claim_is_inside() -> None:
    (opened,) = Judged(jammed(20, 60, lat=57.0)).events("interference_opened")
    assert opened["claimed_volumes"] == []


def test_trouble_from_the_first_position_on_has_no_last_credible_place() -> None:
    (opened,) = Judged(jammed(0, 60)).events("interference_opened")
    assert opened["last_credible"] is None
    assert opened["since"] == at(0)


def test_on_the_ground_it_is_nobodys_concern() -> None:
    rows = path(count=40, speed_mps=5.0, on_ground=True, pressure_altitude_m=40.0, nac_p=0)
    judged = Judged(rows)
    assert judged.reasons["accuracy_lost"] == 40
    assert not judged.events("interference_opened")


def test_two_aircraft_have_two_events_each_with_its_own_name() -> None:
    judged = Judged(jammed(20, 60) + jammed(25, 60, icao24="4601f8", lat=59.6, callsign="FIN2"))
    opened = judged.events("interference_opened")
    assert [(e["icao24"], e["callsign"]) for e in opened] == [("4601f7", None), ("4601f8", "FIN2")]
    assert all(e["interference_id"].startswith(e["track_id"]) for e in opened)


def test_a_generators_trouble_is_a_reconstruction() -> None:
    (opened,) = Judged(jammed(20, 60, is_reconstruction=True)).events("interference_opened")
    assert opened["reconstruction"] is True


def test_how_many_and_how_long_are_settings() -> None:
    settings = load_settings("[tracks]\ninterference_min_reports = 10\ninterference_close_s = 5.0")
    (closed,) = Judged(jammed(20, 60), settings=settings).events("interference_closed")
    assert closed["time"] == at(59 + 5)
    assert not Judged(jammed(20, 29), settings=settings).events("interference_opened")


def test_a_book_survives_its_plain_form() -> None:
    book = InterferenceBook(
        {"a": Watch(run=3, is_open=True, reasons={"x": 3}, claimed=(1, 2.0, 3.0)), "b": Watch()}
    )
    assert InterferenceBook.from_plain(book.to_plain()) == book
    assert book.copy() == book
    assert book.copy().watches["a"] is not book.watches["a"]
