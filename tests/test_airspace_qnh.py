"""QNH: which one serves, how sure it is, as known when; and what METARs say."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights.qnh import (
    QnhBook,
    QnhObservation,
    observation_of,
    qnh_of_metar,
    temperature_of_metar,
)
from airvigil.reports import OBSERVATION_SCHEMA
from small_world import SETTINGS, START_NS

RULE = SETTINGS.heights
MINUTE = 60_000_000_000
HELSINKI = (60.3172, 24.9633)


def seen(minutes: float = 0.0, **changes: Any) -> QnhObservation:
    time_ns = START_NS + round(minutes * MINUTE)
    fixed = QnhObservation(time_ns, time_ns, "EFHK", *HELSINKI, 1013.0, 55.0, -12.0, "METAR")
    return fixed._replace(**changes)


def at(
    book: QnhBook,
    minutes: float = 0.0,
    known: float | None = None,
    place: tuple[float, float] = HELSINKI,
) -> Any:
    time_ns = START_NS + round(minutes * MINUTE)
    known_ns = time_ns if known is None else START_NS + round(known * MINUTE)
    return book.at(*place, time_ns, known_ns, RULE)


def test_at_its_station_and_time_a_qnh_has_only_its_own_error() -> None:
    found = at(QnhBook([seen()]))
    assert (found.qnh_hpa, found.sigma_hpa, found.station) == (1013.0, RULE.qnh_sigma_hpa, "EFHK")
    assert (found.age_s, found.distance_m) == (0.0, 0.0)
    assert found.deviation_k == pytest.approx(-12.0 + 273.15 - (288.15 - 0.0065 * 55.0))
    assert found.deviation_sigma_k == RULE.temperature_known_sigma_k


def test_without_temperature_or_elevation_the_air_is_climates() -> None:
    for lost in ({"temperature_c": math.nan}, {"elevation_m": math.nan}):
        found = at(QnhBook([seen(**lost)]))
        assert (found.deviation_k, found.deviation_sigma_k) == (0.0, RULE.temperature_sigma_k)


@pytest.mark.parametrize(("age_min", "north_deg"), [(30.0, 0.0), (0.0, 0.9), (60.0, -0.9), (89.0, 1.3)])
def test_sigma_grows_with_age_and_distance(age_min: float, north_deg: float) -> None:
    place = (HELSINKI[0] + north_deg, HELSINKI[1])
    found = at(QnhBook([seen()]), age_min, place=place)
    km = Geodesic.WGS84.Inverse(*HELSINKI, *place)["s12"] / 1000.0
    expected = math.sqrt(0.5**2 + (0.7 * age_min / 60.0) ** 2 + (0.015 * km) ** 2)
    assert found.sigma_hpa == pytest.approx(expected, rel=0.006)
    assert found.distance_m / 1000.0 == pytest.approx(km, rel=0.006, abs=1e-6)


def test_reach_ends_where_the_settings_say() -> None:
    book = QnhBook([seen()])
    assert at(book, 90.0) is not None
    assert at(book, 90.001) is None
    assert at(book, -90.001, known=0.0) is None
    assert at(book, place=(HELSINKI[0] + 1.345, HELSINKI[1])) is not None
    assert at(book, place=(HELSINKI[0] + 1.355, HELSINKI[1])) is None
    assert at(book, place=(math.nan, 0.0)) is None
    assert at(QnhBook()) is None


def test_a_station_over_the_antimeridian_is_near() -> None:
    book = QnhBook([seen(latitude_deg=65.0, longitude_deg=179.9)])
    assert at(book, place=(65.0, -179.9)).distance_m == pytest.approx(9_400.0, abs=100.0)


def test_only_what_was_received_by_then_is_known() -> None:
    late = seen(0.0, known_ns=START_NS + 20 * MINUTE, qnh_hpa=990.0)
    book = QnhBook([seen(-60.0), late])
    assert at(book, 10.0).qnh_hpa == 1013.0
    assert at(book, 10.0, known=20.0).qnh_hpa == 990.0, "asked again later, more was known"


def test_the_smallest_sigma_serves_and_of_equals_the_latest() -> None:
    near_old = seen(-85.0, station="A", qnh_hpa=1001.0)
    far_new = seen(0.0, station="B", qnh_hpa=1002.0, latitude_deg=HELSINKI[0] + 0.2)
    assert at(QnhBook([near_old, far_new])).station == "B"
    assert at(QnhBook([near_old._replace(time_ns=START_NS - 5 * MINUTE), far_new])).station == "A"
    book = QnhBook()
    for one in (seen(10.0, qnh_hpa=1005.0), seen(-10.0, qnh_hpa=1004.0)):
        book.add(one)
    assert at(book, 0.0, known=10.0).qnh_hpa == 1005.0


DRAWN = st.builds(
    seen,
    st.floats(-200.0, 200.0),
    latitude_deg=st.floats(58.0, 62.0),
    longitude_deg=st.floats(22.0, 28.0),
    qnh_hpa=st.floats(950.0, 1050.0),
    temperature_c=st.one_of(st.just(math.nan), st.floats(-30.0, 30.0)),
    elevation_m=st.one_of(st.just(math.nan), st.floats(0.0, 300.0)),
)


def plain_at(observations: list[QnhObservation], time_ns: int, known_ns: int) -> QnhObservation | None:
    """The twin: all of them by GeographicLib's distance on the sphere, the best by `min`."""
    sphere = Geodesic(6_371_008.8, 0.0)
    reachable = []
    for o in sorted(observations, key=lambda o: o.time_ns, reverse=True):
        km = sphere.Inverse(*HELSINKI, o.latitude_deg, o.longitude_deg)["s12"] / 1000.0
        age_h = abs(time_ns - o.time_ns) / 3.6e12
        if o.known_ns <= known_ns and age_h <= 1.5 and km <= 150.0:
            reachable.append((0.25 + (0.7 * age_h) ** 2 + (0.015 * km) ** 2, o))
    return min(reachable, key=lambda pair: pair[0])[1] if reachable else None


@given(st.lists(DRAWN, max_size=12), st.floats(-200.0, 200.0), st.floats(-60.0, 60.0), st.randoms())
def test_the_book_is_its_plain_twin_in_any_order(
    drawn: list[QnhObservation], minutes: float, ahead: float, chance: Any
) -> None:
    shuffled = list(drawn)
    chance.shuffle(shuffled)
    book = QnhBook()
    for one in shuffled + shuffled[:2]:
        book.add(one)
    found = at(book, minutes, known=minutes + ahead)
    expected = plain_at(
        drawn, START_NS + round(minutes * MINUTE), START_NS + round((minutes + ahead) * MINUTE)
    )
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.qnh_hpa == expected.qnh_hpa
    back = QnhBook.from_plain(json.loads(json.dumps(book.to_plain())))
    assert at(back, minutes, known=minutes + ahead) == found
    assert at(book.copy(), minutes, known=minutes + ahead) == found
    assert len(book.observations) == len({str(o) for o in drawn})


@given(st.lists(DRAWN, max_size=12), st.floats(-200.0, 200.0), st.floats(0.0, 100.0))
def test_forgetting_changes_no_later_answer(drawn: list[QnhObservation], before: float, later: float) -> None:
    book, whole = QnhBook(), QnhBook()
    for one in drawn:
        book.add(one)
        whole.add(one)
    assert at(book) == at(whole)
    book.forget(START_NS + round(before * MINUTE), RULE)
    assert at(book, before + later) == at(whole, before + later)
    assert all(o.time_ns >= START_NS + (before - 90.1) * MINUTE for o in book.observations)


def rows(*values: Any, kind: str = "qnh") -> pa.Table:
    columns: dict[str, list[Any]] = {
        "time_of_applicability": [START_NS] * len(values),
        "received_at": [START_NS + MINUTE] * len(values),
        "author": ["station"] * len(values),
        "kind": [kind] * len(values),
        "subject": [None] * len(values),
        "value": list(values),
        "source": ["METAR"] * len(values),
    }
    arrays = [pa.array(columns[f.name], type=f.type) for f in OBSERVATION_SCHEMA]
    return pa.table(arrays, schema=OBSERVATION_SCHEMA)


GOOD = {"station": "EFHK", "latitude_deg": 60.3, "longitude_deg": 24.9, "qnh_hpa": 1013.0}


def test_a_book_takes_the_observations_of_its_kind_and_counts_what_is_of_no_use() -> None:
    book = QnhBook()
    assert book.take(None) == 0
    assert book.take(rows(json.dumps(GOOD), kind="radio_contact")) == 0
    assert book.observations == []
    bad = [None, "", "[]", "{", json.dumps({**GOOD, "qnh_hpa": 2992})]
    assert book.take(rows(json.dumps(GOOD), *bad)) == 5
    (one,) = book.observations
    assert (one.time_ns, one.known_ns, one.qnh_hpa, one.source) == (
        START_NS,
        START_NS + MINUTE,
        1013.0,
        "METAR",
    )
    assert math.isnan(one.temperature_c)
    assert math.isnan(one.elevation_m)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"qnh_hpa": 29.92}, "qnh_hpa: expected a number from 850 to 1100, got 29.92"),
        ({"qnh_hpa": None}, "qnh_hpa"),
        ({"qnh_hpa": True}, "got True"),
        ({"qnh_hpa": math.nan}, "got nan"),
        ({"latitude_deg": 90.5}, "latitude_deg"),
        ({"longitude_deg": "24"}, "longitude_deg"),
        ({"temperature_c": 300.0}, "temperature_c"),
        ({"elevation_m": 9000.0}, "elevation_m"),
    ],
)
def test_a_value_out_of_range_is_named(change: dict[str, Any], says: str) -> None:
    found = observation_of({**GOOD, **change}, 0, 0, None)
    assert isinstance(found, str)
    assert says in found


@pytest.mark.parametrize(
    ("text", "qnh_hpa", "temperature_c"),
    [
        ("METAR EFHK 070620Z 03008KT CAVOK M12/M15 Q1013 NOSIG=", 1013.0, -12.0),
        ("EETN 070620Z 27012G25KT 9999 OVC008 01/M00 Q0987", 987.0, 1.0),
        ("KJFK 070651Z 31015KT 10SM FEW250 M03/M14 A3012 RMK AO2 SLP199 T10281139", 1020.0, -3.0),
        ("KXYZ 070651Z 31015KT 1/2SM FZFG VV002 00/00 A2992 RMK A3000", 1013.2, 0.0),
        ("EFHK 070620Z AUTO ///// Q////", None, None),
        ("EFHK 070620Z 03008KT M12/ Q0700", None, -12.0),
        ("UUEE 070630Z 27004MPS 9999 M18/M20 Q1031 R24L/290050 TEMPO 1000 Q0999", 1031.0, -18.0),
        ("CYYZ 070600Z RMK Q1013 20/10", None, None),
        ("", None, None),
    ],
)
def test_a_metar_says_its_qnh_and_temperature(
    text: str, qnh_hpa: float | None, temperature_c: float | None
) -> None:
    assert (qnh_of_metar(text), temperature_of_metar(text)) == (qnh_hpa, temperature_c)


@given(st.text(max_size=60))
def test_any_text_is_a_metar_or_none(text: str) -> None:
    assert qnh_of_metar(text) is None or 850.0 <= (qnh_of_metar(text) or 0.0) <= 1100.0
    temperature_of_metar(text)
