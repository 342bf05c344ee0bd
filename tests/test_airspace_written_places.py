"""Places as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.sources.written_places import parse_place, parse_places
from airvigil.errors import AirspaceError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("54:10:15 N 013:41:37 E", (54 + 10 / 60 + 15 / 3600, 13 + 41 / 60 + 37 / 3600)),
        ("54:10:15N013:41:37E", (54 + 10 / 60 + 15 / 3600, 13 + 41 / 60 + 37 / 3600)),
        (" 54:10:15  N   13:41:37  e ", (54 + 10 / 60 + 15 / 3600, 13 + 41 / 60 + 37 / 3600)),
        ("48:00:00 N001:30:36 W", (48.0, -(1 + 30 / 60 + 36 / 3600))),
        ("45:15.531N 014:18.333W", (45 + 15.531 / 60, -(14 + 18.333 / 60))),
        ("50:45:12.25 S 5:15:34.75 E", (-(50 + 45 / 60 + 12.25 / 3600), 5 + 15 / 60 + 34.75 / 3600)),
        ("59.8175 N 26.3594 E", (59.8175, 26.3594)),
        ("59.8175N, 26.3594O", (59.8175, 26.3594)),
        ("00:59:60 N 000:60.0 W", (1.0, -1.0)),
        ("90:00:00 S 180:00:00 W", (-90.0, -180.0)),
        ("12°30'15\"N 1°15'E", (12 + 30 / 60 + 15 / 3600, 1.25)),
    ],
)
def test_places_in_every_form(text: str, place: tuple[float, float]) -> None:
    assert parse_place(text) == pytest.approx(place, abs=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "", "N 54 E 13", "54:10:15 N", "54:10:15 E 013:41:37 N", "54:61:15 N 013:41:37 E", "54:10:61 N 013:41:37 E",
        "91:00:00 N 013:41:37 E", "54:10:15 N 181:00:00 E", "54.5:10 N 13 E", "54:10.5:10 N 13 E", "54:10:15 N 013:41:37 E x",
        "-54:10:15 N 013:41:37 E", "nan N nan E", "1e1 N 2 E", "54:10:15 N 013:41:37 E,", "\u0665\u0665 N 13 E x",
    ],
)  # fmt: skip
def test_what_is_not_one_place_is_refused(text: str) -> None:
    if text.endswith("E,"):  # a comma that nothing follows changes nothing
        assert parse_place(text) == parse_place(text[:-1])
        return
    with pytest.raises(AirspaceError):
        parse_place(text)


def test_two_places_with_a_comma_anywhere() -> None:
    two = [(39.5, -119.5), (39.25, -119.25)]
    for text in (
        "39:30:00N 119:30:00W,39:15:00N 119:15:00W",
        "39:30:00 N 119:30:00 W , 39:15:00 N 119:15:00 W",
        "39:30:00N 119:30:00W 39:15:00N, 119:15:00W",
    ):
        assert parse_places(text) == two


@given(st.integers(-324_000_00, 324_000_00), st.integers(-648_000_00, 648_000_00))
def test_hundredths_of_seconds_come_back(lat_cs: int, lon_cs: int) -> None:
    def words(value: int, letters: str) -> str:
        d, rest = divmod(abs(value), 360_000)
        m, s = divmod(rest, 6_000)
        return f"{d}:{m:02d}:{s / 100:05.2f} {letters[value < 0]}"

    lat, lon = parse_place(f"{words(lat_cs, 'NS')} {words(lon_cs, 'EW')}")
    assert lat == pytest.approx(lat_cs / 360_000, abs=1e-12)
    assert lon == pytest.approx(lon_cs / 360_000, abs=1e-12)


def test_a_long_row_of_digits_takes_no_time() -> None:
    for text in ("5" * 200_000, "54:" * 50_000, "54:10:15 N " * 20_000, " " * 200_000):
        with pytest.raises(AirspaceError):
            parse_place(text)
