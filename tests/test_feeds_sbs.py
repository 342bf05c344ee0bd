"""SBS-1 lines: fields, units, times, and what is wrong with a bad one."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.feeds.feed import MAX_LINE_BYTES, FeedOptions
from airvigil.feeds.sbs import SbsFeed
from airvigil.reports import check_reports, concat_reports

RECEIVED = int(datetime(2026, 1, 7, 8, 33, tzinfo=UTC).timestamp()) * 1_000_000_000
RECORDED = FeedOptions("test")
LIVE = FeedOptions("test", is_live=True)
GENERATED, LOGGED = "2026/01/07,08:32:45.123", "2026/01/07,08:32:45.150"


def message(kind: int = 3, **fields: str) -> str:
    """A MSG line with some fields set."""
    names = ["callsign", "altitude", "speed", "track", "lat", "lon", "rate", "squawk", "alert", "emergency", "spi", "ground"]  # fmt: skip
    assert set(fields) <= {*names, "icao24", "generated", "logged"}
    head = f"MSG,{kind},1,1,{fields.get('icao24', '461F28')},1,{fields.get('generated', GENERATED)},{fields.get('logged', LOGGED)}"
    return ",".join([head, *(fields.get(name, "") for name in names)])


def decode(pieces: list[bytes], options: FeedOptions = RECORDED) -> pa.Table:
    feed = SbsFeed(options)
    return check_reports(concat_reports([*(feed.decode(piece, RECEIVED) for piece in pieces), feed.finish()]))


def only(line: str, options: FeedOptions = RECORDED) -> dict[str, Any]:
    rows = decode([line.encode() + b"\r\n"], options).to_pylist()
    assert len(rows) == 1
    return rows[0]


def test_a_position_in_si_units() -> None:
    line = message(
        3, altitude="36000", lat="60.31", lon="24.83", alert="0", emergency="0", spi="0", ground="0"
    )
    row = only(line)
    assert (row["icao24"], row["sensor_kind"], row["reject_reason"]) == ("461f28", "adsb", None)
    assert row["pressure_altitude_m"] == pytest.approx(10_972.8)
    assert (row["latitude_deg"], row["longitude_deg"], row["on_ground"]) == (60.31, 24.83, False)
    assert row["emergency"] == "none"
    assert str(row["time_of_applicability"]) == "2026-01-07 08:32:45.123000+00:00"
    assert str(row["received_at"]) == "2026-01-07 08:32:45.150000+00:00"
    assert row["frame_digest"] == hashlib.sha256(line.encode()).digest()
    assert [row[name] for name in ("nic", "nac_p", "sil", "is_icao_address", "squawk")] == [None] * 5


def test_velocity_identity_and_surface() -> None:
    row = only(message(4, speed="450", track="360", rate="-640"))
    assert row["ground_speed_mps"] == pytest.approx(231.5)
    assert (row["track_angle_deg"], row["vertical_rate_mps"]) == (0.0, pytest.approx(-3.2512))
    assert only(message(1, callsign="FIN85P  "))["callsign"] == "FIN85P"
    assert only(message(2, ground="-1", lat="60.3", lon="180"))["on_ground"] is True
    assert only(message(2, lat="60.3", lon="180"))["longitude_deg"] == -180.0


@pytest.mark.parametrize(
    ("squawk", "flag", "expected"),
    [("7700", "-1", "general"), ("7600", "1", "no_radio"), ("7500", "-1", "unlawful"), ("1234", "-1", "general"),
     ("1234", "0", "none"), ("7700", "", None)],
)  # fmt: skip
def test_emergency(squawk: str, flag: str, expected: str | None) -> None:
    row = only(message(6, squawk=squawk, emergency=flag))
    assert (row["emergency"], row["squawk"], row["sensor_kind"]) == (expected, squawk, "mode_s")


def test_squawk_keeps_its_leading_zeros() -> None:
    assert only(message(6, squawk="41"))["squawk"] == "0041"


def test_local_times_and_a_missing_time() -> None:
    row = only(message(), FeedOptions("test", utc_offset_s=7200.0))
    assert str(row["time_of_applicability"]) == "2026-01-07 06:32:45.123000+00:00"
    row = only(message(generated=","))
    assert row["time_of_applicability"] == row["received_at"]
    assert only(message(generated=",", logged=","))["reject_reason"] == "bad_field:generated"
    row = only(message(generated=",", logged=","), LIVE)
    assert str(row["time_of_applicability"]) == "2026-01-07 08:33:00+00:00"


def test_times_that_step_back_are_kept() -> None:
    later, earlier = message(), message(generated="2026/01/07,08:32:44.000")
    rows = decode([f"{later}\n{earlier}\n".encode()]).to_pylist()
    assert rows[1]["time_of_applicability"] < rows[0]["time_of_applicability"]
    assert [row["reject_reason"] for row in rows] == [None, None]


def test_addresses_that_are_none_of_icao() -> None:
    row = only(message(icao24="~2E1A40"))
    assert (row["icao24"], row["is_icao_address"]) == ("2e1a40", False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("CLK,,,,,,2026/01/07,08:32:45.123,,", "not_a_message"), ("AIR,1,2,3", "not_a_message"), ("abc", "bad_line"),
        ("MSG,3", "bad_field_count"), (message() + ",", "bad_field_count"), (message(9), "bad_field:message_type"),
        (message(12), "bad_field:message_type"), (message(icao24=""), "bad_field:icao24"),
        (message(icao24="46G"), "bad_field:icao24"), (message(lat="91", lon="0"), "bad_field:latitude"),
        (message(lat="60", lon="181"), "bad_field:longitude"), (message(lat="60"), "bad_field:longitude"),
        (message(lon="60"), "bad_field:latitude"), (message(lat="nan", lon="0"), "bad_field:latitude"),
        (message(altitude="1e9"), "bad_field:altitude"), (message(altitude="999999"), "bad_field:altitude"),
        (message(speed="-1"), "bad_field:ground_speed"), (message(track="361"), "bad_field:track"),
        (message(rate="x"), "bad_field:vertical_rate"), (message(squawk="8000"), "bad_field:squawk"),
        (message(ground="2"), "bad_field:flag"), (message(generated="2026/13/07,08:32:45"), "bad_field:generated"),
        (message(generated="0001/01/01,00:00:00"), "bad_field:generated"), (message(logged="x,y"), "bad_field:logged"),
        ("MSG,é", "bad_line"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line(line: str, reason: str) -> None:
    row = only(line)
    assert row["reject_reason"] == reason
    assert (row["icao24"], row["latitude_deg"]) == (None, None)


def test_an_endless_line_is_one_row_and_no_memory() -> None:
    feed = SbsFeed(RECORDED)
    tables = [feed.decode(b"MSG," * 1000, 0) for _ in range(100)]
    assert len(feed._lines._tail) <= MAX_LINE_BYTES
    tables.append(feed.decode(f"\n{message()}\n\n".encode(), 0))
    assert concat_reports(tables)["reject_reason"].to_pylist() == ["line_too_long", None]


LINES = [message(), message(6, squawk="7000"), message(lat="1", lon="2"), "STA,x", "", "MSG,"]


@given(st.lists(st.sampled_from(LINES).map(lambda line: line.encode() + b"\n") | st.binary(max_size=20), max_size=10), st.lists(st.integers(0, 500), max_size=8))  # fmt: skip
def test_chunks_do_not_matter(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(lines)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert decode(pieces).equals(decode([stream]))
    assert decode(pieces, LIVE).equals(decode([stream], LIVE))


def test_one_byte_at_a_time() -> None:
    stream = "\r\n".join(LINES).encode()
    assert decode([stream[n : n + 1] for n in range(len(stream))]).equals(decode([stream]))


@given(st.lists(st.sampled_from(["MSG", "3", "", "-1", "2026/01/07", "08:00:00", "461F28", "60.1", "é", "9" * 9]), min_size=20, max_size=24))  # fmt: skip
def test_any_fields_give_one_row(fields: list[str]) -> None:
    line = ",".join(["MSG", *fields[1:]]).encode() + b"\n"
    assert decode([line]).num_rows == 1
