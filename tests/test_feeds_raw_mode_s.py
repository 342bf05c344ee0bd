"""Raw Mode S text: AVR, CSV, JSON Lines, mixed and damaged."""

from __future__ import annotations

import gzip
import hashlib
import json
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mode_s_encoder as encoder
from airvigil.feeds.feed import MAX_LINE_BYTES, FeedOptions
from airvigil.feeds.raw_mode_s import RawModeSFeed, read_time_ns
from airvigil.reports import concat_reports

SECOND = 1_000_000_000
START = 1_767_736_624 * SECOND
RECEIVED = START + 50 * SECOND
RECORDED = FeedOptions("test", start_ns=START)
LIVE = FeedOptions("test", is_live=True)
FRAME = encoder.squitter(0x461F28, encoder.identification("FIN85P")).hex()


def decode(pieces: list[bytes], options: FeedOptions = RECORDED) -> pa.Table:
    feed = RawModeSFeed(options)
    tables = [feed.decode(piece, RECEIVED) for piece in pieces]
    return concat_reports([*tables, feed.finish()])


def only(line: str, options: FeedOptions = RECORDED) -> dict[str, object]:
    rows = decode([line.encode() + b"\n"], options).to_pylist()
    assert len(rows) == 1
    return rows[0]


def time_s(row: dict[str, object]) -> float:
    table = pa.table({"t": pa.array([row["time_of_applicability"]], pa.timestamp("ns", tz="UTC"))})
    return (table["t"].cast(pa.int64())[0].as_py() - START) / SECOND


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (f"1767736630.25,{FRAME}", 6.25),
        (f"1767736630.25,{FRAME.upper()}", 6.25),
        (f'"1767736630.25","{FRAME}"', 6.25),
        (f"2026-01-06T21:57:10.25Z,{FRAME}", 6.25),
        (f'{{"timestamp":1767736630.25,"frame":"{FRAME}"}}', 6.25),
        (f'{{"time":1767736630,"rawmsg":"{FRAME}","rssi":-3}}', 6.0),
        (f"1767736630.25,1a330016955fe4ab80{FRAME}", 6.25),
        (f"@16955fe4ab80{FRAME};", 0.0),
        (f"%16955fe4ab80{FRAME};", 0.0),
        (f"<16955fe4ab80a0{FRAME};", 0.0),
    ],
)
def test_every_form_of_line(line: str, seconds: float) -> None:
    row = only(line)
    assert (row["icao24"], row["callsign"], row["reject_reason"]) == ("461f28", "FIN85P", None)
    assert time_s(row) == seconds
    assert row["received_at"] == row["time_of_applicability"]
    assert row["frame_digest"] == hashlib.sha256(line.encode()).digest()


def test_counters_count_from_the_first_line() -> None:
    lines = [f"@{FIRST:012x}{FRAME};\n".encode() for FIRST in (1000, 1000 + 12_000_000, 1000 + 18_000_000)]
    assert [time_s(row) for row in decode(lines).to_pylist()] == [0.0, 1.0, 1.5]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "bad_line"), ("1,2", "bad_length"), ("x,y", "bad_time"), ("{}", "bad_line"), ("{", "bad_line"),
        ("[" * 60_000, "bad_line"), ("{" + '"a":{' * 10_000, "bad_line"), ('{"timestamp":"1","frame":3}', "bad_length"),
        ('{"timestamp":NaN,"frame":"8d"}', "bad_line"), (f"*{FRAME};", "no_time"), (f"*{FRAME}", "bad_line"),
        ("*zz;", "bad_hex"), ("@12;", "bad_hex"), (f"1e9,{FRAME}", "bad_time"), (f"-5,{FRAME}", "bad_time"),
        (f"99999999999,{FRAME}", "bad_time"), (f"2026-01-06T21:57:10,{FRAME}", "bad_time"),
        (f"1,{FRAME[:-1]}", "bad_length"), (f"1,{FRAME[:-1]}g", "bad_hex"), ("1,", "bad_length"),
        ("1,1a31000000000000800000", "mode_ac"), ("1,1a34" + "00" * 21, "receiver_status"),
        ("1,1a33ff", "bad_length"), ("1,1a33" + "zz" * 30, "bad_hex"), ("@00000000000112;", "bad_length"),
        (f"1,{FRAME[:14]}", "bad_length"), ("1,0012", "mode_ac"), ("é,1", "bad_line"),
    ],
)  # fmt: skip
def test_a_bad_line_is_a_row_with_its_reason(line: str, reason: str) -> None:
    assert only(line)["reject_reason"] == reason


def test_lines_that_are_no_reports_give_no_rows() -> None:
    assert decode([f"Timestamp,Frame\n\n# note\n  \n1,{FRAME}\n".encode()]).num_rows == 1


def test_a_heading_orders_the_columns() -> None:
    rows = decode([f"rawmsg,rssi,ts\n{FRAME},-3,1767736630\n".encode()]).to_pylist()
    assert [time_s(row) for row in rows] == [6.0]


def test_live_lines_take_the_time_of_reception() -> None:
    row = only(f"*{FRAME};", LIVE)
    assert (time_s(row), row["reject_reason"]) == (50.0, None)


def test_counters_without_a_start_say_nothing_in_a_recording() -> None:
    assert only(f"@16955fe4ab80{FRAME};", FeedOptions("test"))["reject_reason"] == "no_time"


def test_short_frames_in_long_containers() -> None:
    padded = encoder.all_call(0x461F28).hex() + "ef7e5817e9cc42"
    assert only(f"1767736630,{padded}")["icao24"] == "461f28"


def test_escaped_beast_in_hex() -> None:
    wire = encoder.beast(encoder.squitter(0x1A1A1A, encoder.identification("A")), 5)
    assert only(f"1767736630,{wire.hex()}")["icao24"] == "1a1a1a"


def test_an_endless_line_is_one_row_and_no_memory() -> None:
    feed = RawModeSFeed(RECORDED)
    tables = [feed.decode(b"8d" * 1000, 0) for _ in range(200)]
    assert len(feed._lines._tail) <= MAX_LINE_BYTES
    tables.append(feed.decode(f"\n1767736630,{FRAME}\n".encode(), 0))
    rows = concat_reports(tables)
    assert rows["reject_reason"].to_pylist() == ["line_too_long", None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1698140962.119813", 1_698_140_962_119_813_000), ("0", 0), ("1698140962.", 1_698_140_962 * SECOND),
        ("1698140962.1234567891234", 1_698_140_962_123_456_789), ("2023-10-24T11:49:22+02:00", 1_698_140_962 * SECOND),
        ("", None), ("1698140962,1", None), ("1.6e9", None), ("0001-01-01T00:00:00Z", None), ("٣", None),
    ],
)  # fmt: skip
def test_times_are_read_exactly(text: str, expected: int | None) -> None:
    assert read_time_ns(text) == expected


def lines() -> st.SearchStrategy[bytes]:
    good = [
        f"{1767736624 + n}.5,{frame.hex()}\r\n".encode() for n, (_, frame) in enumerate(encoder.crossing(3))
    ]
    bad = [b"\n", b"*zz;\n", b"#\n", b"time,frame\n", b"@000000000001;\n", b'{"time":1}\n']
    return st.lists(st.sampled_from(good + bad) | st.binary(max_size=20), max_size=12).map(b"".join)


@given(lines(), st.lists(st.integers(0, 300), max_size=8))
def test_chunks_do_not_matter(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert decode(pieces).equals(decode([stream]))
    assert decode(pieces, LIVE).equals(decode([stream], LIVE))


def test_one_byte_at_a_time() -> None:
    stream = (
        "".join(f"{1767736624 + t},{frame.hex()}\n" for t, frame in encoder.crossing(6)).encode() + b"tail"
    )
    assert decode([stream[n : n + 1] for n in range(len(stream))]).equals(decode([stream]))


def test_the_same_flight_as_beast_and_as_text_gives_the_same_positions() -> None:
    stream = "".join(
        json.dumps({"timestamp": 1767736624 + t, "frame": f.hex()}) + "\n" for t, f in encoder.crossing(20)
    )
    latitudes = decode([stream.encode()])["latitude_deg"].drop_null().to_pylist()
    assert latitudes == pytest.approx([59.8] * 19, abs=3e-5)


@pytest.mark.recordings
def test_thirty_addresses_in_172_432_frames(recordings: Path) -> None:
    content = gzip.decompress((recordings / "mode_s_long_flight" / "long_flight.csv.gz").read_bytes())
    rows = decode([content[:4_000_000], content[4_000_000:]], FeedOptions("flight"))
    assert rows.num_rows == 172_432
    assert pc.count_distinct(rows["icao24"]).as_py() == 30
