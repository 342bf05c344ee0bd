"""Which format a source is in, by content."""

import gzip
import json
import lzma
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.errors import ConfigError, DecodeError
from airvigil.feeds.detect import FORMATS, HEAD_BYTES, detect_format, detect_state_vector_container
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.open_feed import open_feed, split_format

RECORDINGS = os.environ.get("AIRVIGIL_RECORDINGS")

# DF17 of pyModeS's documentation, as a Beast frame with a counter that needs an escape
FRAME = "8d4840d6202cc371c32ce0576098"
BEAST = bytes.fromhex("1a33" + "0000001a1a01" + "00" + "c8" + FRAME)
ROW = {"timestamp": 1726560266000, "icao24": "4baac6", "latitude": 49.6, "longitude": 23.9, "altitude": 38000}
SBS = b"MSG,3,1,1,461F28,1,2026/01/07,08:32:45.123,2026/01/07,08:32:45.150,,36000,,,60.31,24.83,,,0,0,0,0\r\n"
SNAPSHOT = {"now": 1726560266.1, "messages": 4, "aircraft": [{"hex": "4baac6"}]}
TRACE = {"icao": "4baac6", "r": "TC-X", "timestamp": 1726560266.1, "trace": [[0, 1, 2, 3, 4, 5, 6, 7, None]]}


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (BEAST * 3, "beast"),
        (BEAST[10:] + BEAST * 3 + BEAST[:5], "beast"),
        (BEAST, "beast"),
        (b"*" + FRAME.encode() + b";\n", "raw"),
        (b"garbage\n" + b"@05F1D0B2A3C4" + FRAME.encode() + b";\n*02e19cb02512b3;\n", "raw"),
        (b"1698140962.119813," + FRAME.encode() + b"\n" * 2, "raw"),
        (b"1698140962.119813," + BEAST.hex().encode() + b"\n", "raw"),
        (b"frame,timestamp\n" + FRAME.encode() + b",1698140962.1\n", "raw"),
        (
            json.dumps({"timestamp": 1.5, "frame": FRAME, "latitude": 5.0, "icao24": "4840d6"}).encode()
            + b"\n",
            "raw",
        ),
        (SBS * 2, "sbs"),
        (SBS[17:] + SBS * 3, "sbs"),
        (json.dumps(SNAPSHOT).encode(), "aircraft-json"),
        (json.dumps(SNAPSHOT, indent=1).encode(), "aircraft-json"),
        (json.dumps({"ac": [], "now": 1726560266000}).encode(), "aircraft-json"),
        (json.dumps(SNAPSHOT).encode()[:-4], "aircraft-json"),
        (json.dumps(TRACE).encode(), "trace"),
        (json.dumps(TRACE, indent=1).encode()[:70], "trace"),
        (json.dumps([ROW, ROW]).encode(), "state-vectors"),
        (json.dumps(ROW).encode() + b"\n", "state-vectors"),
        (json.dumps({key: {"0": value} for key, value in ROW.items()}).encode(), "state-vectors"),
        (b'{"timestamp":{"0":1726560266000,"1":17265', "state-vectors"),
        (b'{"time": 1726560266, "states": [["4baac6", ', "state-vectors"),
        (b"time,icao24,lat,lon,velocity\n1,2,3,4,5\n", "state-vectors"),
        (b"\xef\xbb\xbfTimestamp;ICAO24;Latitude;Longitude\n", "state-vectors"),
        (b"PAR1\x15\x04", "parquet"),
        (b"ARROW1\x00\x00", "parquet"),
    ],
)
def test_formats_are_told_by_content(head, name):
    assert name in FORMATS
    assert detect_format(head) == name


@pytest.mark.parametrize(
    "head",
    [b"", b"  \n", b"hello world\n", b'{"type": "FeatureCollection", "features": []}', b"[1, 2]", b"icao24,r,t,desc\n",
     b"\x00\x01\x02\x1a\x33", b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", b"a,b,c\n1,2,3\n"],
)  # fmt: skip
def test_other_content_is_refused_and_the_formats_are_named(head):
    with pytest.raises(DecodeError) as caught:
        detect_format(head)
    if head.strip():
        assert "state-vectors" in caught.value.hint


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"a,b\n", "csv"),
        (b'{"a": 1}\n{', "jsonl"),
        (b'{"a": {"0": 1}}\n', "json"),
        (b"[{", "json"),
        (b'{"a": 1', "json"),
    ],
)
def test_containers_of_state_vectors(head, container):
    assert detect_state_vector_container(head) == container


@given(st.binary(max_size=400))
def test_any_bytes_have_a_format_or_are_refused(head):
    try:
        assert detect_format(head) in FORMATS
    except DecodeError:
        return


@given(st.text(alphabet='{}[]",:1a\\ \n\x1a3MSG*;', max_size=200))
def test_any_text_has_a_format_or_is_refused(text):
    try:
        assert detect_format(text.encode()) in FORMATS
    except DecodeError:
        return


@pytest.mark.parametrize("name", [*FORMATS, "reports"])
def test_every_format_has_a_feed(name):
    feed = open_feed(name, FeedOptions("x", start_ns=1_700_000_000_000_000_000))
    assert feed.decode(b"", 0).num_rows == 0


def test_a_stated_format_overrides_the_content():
    feed = open_feed("sbs", FeedOptions("x"), head=BEAST)
    assert type(feed).__name__ == "SbsFeed"


@pytest.mark.parametrize("stated", ["asterix", "", "beast:fast", "state-vectors:metric", "sbs:"])
def test_what_is_no_format_is_a_config_error(stated):
    with pytest.raises(ConfigError) as caught:
        split_format(stated)
    assert "state-vectors" in caught.value.hint


@pytest.mark.recordings
@pytest.mark.skipif(RECORDINGS is None, reason="AIRVIGIL_RECORDINGS is not set")
@pytest.mark.parametrize(
    ("path", "name"),
    [("traffic_samples/noisy_spoofing.json.gz", "state-vectors"), ("traffic_samples/zurich_airport.json.gz", "state-vectors"),
     ("traffic_samples/trace_full_ac671b.json.gz", "trace"), ("traffic_samples/full_flight_short.jsonl.gz", "raw"),
     ("traffic_samples/sample_dump1090.bin", "beast"), ("mode_s_long_flight/long_flight.csv.gz", "raw"),
     ("helsinki_beast/raw_adsb_20260106_235704.bin.xz", "beast"), ("traffic_samples/eurofirs.json.gz", None),
     ("mode_s_long_flight/flarm.csv.gz", None), ("asterix/Jahorina.raw", None), ("asterix/cat_034_048.pcap", None),
     ("remote_id/odid_wifi_sample.pcap", None), ("helsinki_beast/per_aircraft_summary.csv", None)],
)  # fmt: skip
def test_real_files(path, name):
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(Path(path).suffix, open)
    with opener(Path(RECORDINGS) / path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if name is not None:
        assert detect_format(head) == name
    else:
        with pytest.raises(DecodeError):
            detect_format(head)
