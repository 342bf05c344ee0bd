"""Beast framing, resynchronisation and the receiver's clock."""

from __future__ import annotations

import hashlib
import lzma
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import rs1090
from hypothesis import given
from hypothesis import strategies as st

import mode_s_encoder as encoder
from airvigil.errors import ConfigError, DecodeError
from airvigil.feeds.beast import MAX_LEADING_GARBAGE, BeastFeed
from airvigil.feeds.beast_clock import CounterClock
from airvigil.feeds.feed import FeedOptions
from airvigil.reports import concat_reports

SECOND = 1_000_000_000
START = 1_767_736_624 * SECOND
RECORDED = FeedOptions("test", start_ns=START, receiver=(60.32, 24.83, 84.0))
LIVE = FeedOptions("test", is_live=True)
FIRST = 371_381_485_951
FRAME = encoder.squitter(0x461F28, encoder.identification("FIN85P"))
RECEIVED = START + 3600 * SECOND


def decode(pieces: list[bytes], options: FeedOptions = RECORDED) -> pa.Table:
    feed = BeastFeed(options)
    tables = [feed.decode(piece, RECEIVED) for piece in pieces]
    return concat_reports([*tables, feed.finish()])


def reasons(stream: bytes) -> list[str | None]:
    return decode([stream])["reject_reason"].to_pylist()


def times_s(stream: bytes) -> list[float]:
    times = decode([stream])["time_of_applicability"].cast(pa.int64()).to_pylist()
    return [(time - START) / SECOND for time in times]


def at(seconds: float) -> bytes:
    """A frame so long after the first counter value."""
    return encoder.beast(FRAME, (FIRST + round(seconds * encoder.CLOCK_HZ)) % 2**48)


def test_a_small_recording() -> None:
    frames = encoder.crossing(40)
    rows = decode([encoder.beast_recording(frames)])
    assert rows.num_rows == len(frames)
    assert rows["reject_reason"].to_pylist().count("cpr_unpaired") == 1
    assert len(rows) - rows["reject_reason"].null_count == 1
    assert rows["latitude_deg"].drop_null().to_pylist() == pytest.approx([59.8] * 39, abs=3e-5)
    assert set(rows["sensor_kind"].to_pylist()) == {"adsb", "mode_s"}
    assert (rows["received_at"], pc.count_distinct(rows["sensor"]).as_py()) == (
        rows["time_of_applicability"],
        1,
    )


def test_a_row_keeps_the_digest_of_its_wire_bytes() -> None:
    escaped = encoder.beast(
        encoder.squitter(0x1A1A1A, encoder.identification("A")), 0x1A1A1A1A1A1A, signal=0x1A
    )
    assert escaped.count(b"\x1a\x1a") >= 10 // 2
    row = decode([escaped]).to_pylist()[0]
    assert row["icao24"] == "1a1a1a"
    assert row["frame_digest"] == hashlib.sha256(escaped).digest()


def test_mode_ac_and_status_are_counted() -> None:
    stream = encoder.beast(b"\x00\x00", 0) + at(0) + encoder.beast(bytes(14), FIRST, kind=0x34)
    assert reasons(stream) == ["mode_ac", None, "receiver_status"]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\x00\x01\x02" + at(0), ["garbage_bytes", None]),
        (at(0) + b"abc" + at(1), [None, "garbage_bytes", None]),
        (at(0) + at(1)[:-3] + at(2), [None, "garbage_bytes", None]),
        (at(0) + b"\x1a\x1a\x33abc" + at(2), [None, "garbage_bytes", None]),
        (at(0) + b"\x1a\x39abc\x1a\x1a" + at(2), [None, "garbage_bytes", None]),
        (at(0) + at(1)[:-3], [None, "incomplete_frame"]),
        (at(0) + b"abc" + at(1)[:9], [None, "garbage_bytes", "incomplete_frame"]),
        (at(0) + b"abc", [None, "garbage_bytes"]),
        (at(0) + b"\x1a", [None, "incomplete_frame"]),
        (encoder.beast(FRAME, FIRST, kind=0x33).replace(FRAME, bytes([0xA0]) * 14), ["unverified_address"]),
        (encoder.beast(bytes([0xA0]) * 7, FIRST), ["bad_length"]),
        (b"", []),
    ],
)  # fmt: skip
def test_resynchronisation(stream: bytes, expected: list[str | None]) -> None:
    assert reasons(stream) == expected


def test_garbage_row_has_the_digest_of_the_whole_run() -> None:
    rows = decode([at(0) + b"ab", b"c" * 70_000, at(1)]).to_pylist()
    assert rows[1]["frame_digest"] == hashlib.sha256(b"ab" + b"c" * 70_000).digest()


def test_a_stream_without_frames_is_not_beast_and_takes_no_memory() -> None:
    feed = BeastFeed(RECORDED)
    feed.decode(bytes(MAX_LEADING_GARBAGE), 0)
    assert len(feed._tail) == 0
    with pytest.raises(DecodeError):
        feed.decode(b"\x00", 0)


def test_a_frame_that_does_not_end_is_not_kept() -> None:
    feed = BeastFeed(RECORDED)
    feed.decode(at(0), 0)
    for _ in range(1000):
        feed.decode(b"\x1a\x33" + b"\x1a\x1a" * 20, 0)
        assert len(feed._tail) < 64


def streams() -> st.SearchStrategy[bytes]:
    whole = st.sampled_from(
        [*[at(n) for n in range(4)], encoder.beast(b"\x1a\x1a", 0x1A), b"\x1a", b"\x1a\x1a", b"x"]
    )
    return st.lists(whole | st.binary(max_size=12), max_size=12).map(b"".join)


@given(streams(), st.lists(st.integers(0, 200), max_size=8))
def test_chunks_do_not_matter(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    whole = decode([stream])
    assert decode(pieces).equals(whole)
    assert decode([stream], LIVE).equals(decode(pieces, LIVE))


def test_one_byte_at_a_time() -> None:
    stream = b"junk" + encoder.beast_recording(encoder.crossing(12)) + b"\x1a\x33junk" + at(60) + at(61)[:5]
    assert decode([stream[n : n + 1] for n in range(len(stream))]).equals(decode([stream]))


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_for_each_of_them(stream: bytes) -> None:
    rows = decode([stream])
    assert (rows.num_rows == 0) == (stream == b"")


def test_time_is_anchored_on_the_first_counter_that_is_not_zero() -> None:
    stream = (
        encoder.beast(b"\x00\x00", 0) + encoder.beast(FRAME, 0) + at(0) + at(1.5) + encoder.beast(FRAME, 0)
    )
    assert times_s(stream) == pytest.approx([0.0, 0.0, 0.0, 1.5, 1.5], abs=1e-7)


def test_the_counter_may_wrap() -> None:
    counters = [2**48 - encoder.CLOCK_HZ, 2**48 - 1, encoder.CLOCK_HZ]
    stream = b"".join(encoder.beast(FRAME, counter) for counter in counters)
    assert times_s(stream) == pytest.approx([0.0, 1.0, 2.0], abs=1e-6)


def test_small_steps_back_are_kept() -> None:
    assert times_s(at(0) + at(10) + at(8) + at(11)) == pytest.approx([0.0, 10.0, 8.0, 11.0], abs=1e-6)


@pytest.mark.parametrize("jump_s", [-8.0, -3000.0, 4000.0, 1e6])
def test_a_clock_set_anew_gives_no_time_until_it_is_in_line_again(jump_s: float) -> None:
    stream = at(7000) + at(7001 + jump_s) + at(7002 + jump_s) + at(7003)
    assert reasons(stream) == [None, "clock_reset", "clock_reset", None]
    assert times_s(stream)[3] == pytest.approx(3.0, abs=1e-6)


def test_a_recording_needs_its_start() -> None:
    with pytest.raises(ConfigError):
        BeastFeed(FeedOptions("test"))


def test_live_time_is_reception_with_the_jitter_taken_out() -> None:
    clock = CounterClock(LIVE)
    delays_s = [0.02, 0.0, 0.3, 0.05, 0.001]
    found = []
    for n, delay_s in enumerate(delays_s):
        received_ns = START + round((n + delay_s) * SECOND)
        time_ns = clock.utc_ns(FIRST + n * encoder.CLOCK_HZ, received_ns)
        assert time_ns is not None
        assert time_ns <= received_ns
        found.append((time_ns - START) / SECOND - n)
    assert found[0] == pytest.approx(0.02)
    assert found[1:] == pytest.approx([0.0] * 4, abs=5e-4)


def test_live_clock_set_anew_starts_again_from_reception() -> None:
    clock = CounterClock(LIVE)
    assert clock.utc_ns(FIRST, START) == START
    assert clock.utc_ns(5, START + SECOND) == START + SECOND
    assert clock.utc_ns(5 + encoder.CLOCK_HZ, START + 2 * SECOND) == START + 2 * SECOND
    assert clock.utc_ns(0, START + 9 * SECOND) == START + 9 * SECOND


def test_positions_injected_by_multilateration_are_named_so() -> None:
    stream = at(0) + encoder.beast(FRAME, 0xFF004D4C4154)
    rows = decode([stream]).to_pylist()
    assert [row["sensor_kind"] for row in rows] == ["adsb", "mlat"]
    assert rows[1]["time_of_applicability"] == rows[0]["time_of_applicability"]


@pytest.mark.recordings
def test_a_quarter_of_an_hour_beside_helsinki(recordings: Path) -> None:
    """Counts against rs1090 pairing the same frames itself; one receiver, 2026-01-07T02:14Z."""
    path = recordings / "helsinki_beast" / "raw_adsb_20260107_041454.bin.xz"
    content = lzma.decompress(path.read_bytes())
    start_ns = int(datetime(2026, 1, 7, 2, 14, 54, tzinfo=UTC).timestamp()) * SECOND
    rows = decode([content], FeedOptions("efhk", start_ns=start_ns, receiver=(60.319555, 24.830817, 84.0)))
    # Frames counted by the rule of the format alone: escapes undone, then 0x1a and a type
    plain = content.replace(b"\x1a\x1a", b"")
    counts = {kind: plain.count(bytes([0x1A, kind])) for kind in (0x31, 0x32, 0x33)}
    assert rows.num_rows == sum(counts.values())
    assert rows["reject_reason"].to_pylist().count("mode_ac") == counts[0x31]
    last = rows["time_of_applicability"][-1].cast(pa.int64()).as_py()
    assert (last - start_ns) / SECOND == pytest.approx(900.0, abs=10.0)
    ours = rows.filter(pc.and_(pc.is_valid(rows["latitude_deg"]), pc.invert(rows["on_ground"]))).num_rows
    assert ours == pytest.approx(_positions_by_rs1090(content), rel=0.01)


def _positions_by_rs1090(content: bytes) -> int:
    frames, times = [], []
    for piece in content.replace(b"\x1a\x1a", b"\xff\xfe\xfd").split(b"\x1a")[1:]:
        body = piece.replace(b"\xff\xfe\xfd", b"\x1a")
        if body[0] == 0x33 and body[8] >> 3 == 17:
            frames.append(body[8:].hex())
            times.append(int.from_bytes(body[1:7], "big") / encoder.CLOCK_HZ)
    decoded = [message for message in rs1090.decode(frames, times) if message is not None]
    return sum(message["bds"] == "05" and "latitude" in message for message in decoded)
