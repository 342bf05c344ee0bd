"""Conversions against published values, and times there and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil import units
from airvigil.units import utc_ns, utc_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (35_000 * units.M_PER_FT, 10_668.0),  # FL350
        (units.M_PER_NM, 1852.0),
        (450 * units.MPS_PER_KT, 231.5),
        (units.MPS_PER_KT, 0.514444444444),
        (2000 * units.MPS_PER_FT_MIN, 10.16),
        (units.WGS84_A_M * (1.0 - units.WGS84_F), 6_356_752.314245),  # semi-minor axis, NGA.STND.0036
        (units.WGS84_E2, 0.00669437999014),
        (units.EPU_TO_SIGMA, math.sqrt(-2.0 * math.log(0.05))),
    ],
)
def test_conversions_have_their_published_values(value: float, expected: float) -> None:
    assert value == pytest.approx(expected, rel=1e-11, abs=0)


def test_the_mean_radius_is_that_of_the_iugg_to_a_decimetre() -> None:
    assert (
        pytest.approx((2.0 * units.WGS84_A_M + 6_356_752.314245) / 3.0, abs=0.05) == units.MEAN_EARTH_RADIUS_M
    )


def test_a_time_is_text_with_milliseconds_rounded_down() -> None:
    assert utc_text(1_758_265_080_123_999_999) == "2025-09-19T06:58:00.123Z"
    assert utc_text(-1) == "1969-12-31T23:59:59.999Z"
    assert utc_text(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2025-09-19T06:58:00Z",
        "2025-09-19T06:58:00",
        "2025-09-19T09:58:00+03:00",
        "2025-09-19 06:58:00.000000+00:00",
    ],
)
def test_iso_times_of_any_zone_mean_the_same_instant_and_none_means_utc(text: str) -> None:
    assert utc_ns(text) == 1_758_265_080_000_000_000


@given(st.integers(-(10**12), 4 * 10**12))
def test_every_millisecond_survives_being_written_and_read(milliseconds: int) -> None:
    assert utc_ns(utc_text(milliseconds * units.NS_PER_MS)) == milliseconds * units.NS_PER_MS


def test_microseconds_survive_reading() -> None:
    assert utc_ns("2025-09-19T06:58:00.000001Z") == 1_758_265_080_000_001_000


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-01T00:00:00Z"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        utc_ns(text)
