"""Start times from options and file names."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.drivers.start_time import parse_start, parse_utc_offset, start_from_name
from airvigil.errors import ConfigError

NS = 1_000_000_000
T_NS = int(datetime(2026, 1, 6, 21, 57, 4, tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    "text",
    ["2026-01-06T21:57:04Z", "2026-01-06 21:57:04", "2026-01-06T23:57:04+02:00", "20260106T215704Z", "1767736624", "1767736624000", " 1767736624.0 "],
)  # fmt: skip
def test_stated_times(text):
    assert parse_start(text) == T_NS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1970-01-01",
        "2026-13-01T00:00:00Z",
        "123",
        "nan",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_time_of_a_recording_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        parse_start(text)
    assert "2026-01-06T21:57:04Z" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("+02:00", 7200),
        ("+2", 7200),
        ("-0330", -12600),
        ("Z", 0),
        ("utc", 0),
        ("UTC+5:45", 20700),
        ("+14", 50400),
        ("-00:00", 0),
    ],
)
def test_offsets(text, seconds):
    assert parse_utc_offset(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "+14:01", "+2:70", "EET", "+1.5"])
def test_what_is_no_offset_is_refused(text):
    with pytest.raises(ConfigError):
        parse_utc_offset(text)


@pytest.mark.parametrize(
    "name",
    [
        "raw_adsb_20260106_235704.bin.xz",
        "2026-01-06T23-57-04.beast",
        "rec-2026_01_06_23_57_04.bin",
        "20260106235704",
        "a_20260106T235704_b_20260106_235704",
    ],
)
def test_names_in_local_time(name):
    assert start_from_name(name, 7200.0) == T_NS


def test_a_zulu_time_in_a_name_is_utc_whatever_the_offset():
    assert start_from_name("x_20260106T215704Z.bin", 7200.0) == T_NS


@pytest.mark.parametrize(
    "name",
    [
        "recording.bin",
        "20260106.bin",
        "x_20261306_235704",
        "x_20260106_245704",
        "120260106_2357045",
        "20260106_235704-20260107_001214.bin",
        "",
    ],
)
def test_names_that_say_nothing(name):
    assert start_from_name(name) is None


@given(st.datetimes(datetime(1980, 1, 8), datetime(2199, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_any_time_written_into_a_name_is_found(moment, offset_minutes):
    local = moment.replace(microsecond=0)
    utc = local.replace(tzinfo=UTC) - timedelta(minutes=offset_minutes)
    expected = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * NS
    assert start_from_name(f"rx_{local:%Y%m%d}_{local:%H%M%S}.bin", offset_minutes * 60.0) == expected
