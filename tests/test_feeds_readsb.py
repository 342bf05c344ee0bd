"""aircraft.json snapshots and trace files."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.errors import DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.readsb import AircraftJsonFeed
from airvigil.feeds.readsb_trace import TraceFeed
from airvigil.reports import check_reports, concat_reports

NOW_NS = 1_726_560_266_500_000_000
OPTIONS = FeedOptions(sensor="roof")
RECORDINGS = os.environ.get("AIRVIGIL_RECORDINGS")

AIRLINER = {
    "hex": "4baac6", "type": "adsb_icao", "flight": "THY9BP  ", "alt_baro": 38000, "alt_geom": 39025, "gs": 450.0,
    "track": 334.1, "baro_rate": -64, "squawk": "2345", "emergency": "none", "category": "A3", "lat": 49.67,
    "lon": 23.9, "nic": 8, "rc": 186, "seen_pos": 1.25, "version": 2, "nac_p": 9, "nac_v": 1, "sil": 3, "gva": 2,
    "seen": 0.5,
}  # fmt: skip


def snapshot(*aircraft, now=1726560266.5, key="aircraft"):
    return json.dumps({"now": now, "messages": 5, key: list(aircraft)}).encode()


def read(feed, *chunks, received_at_ns=0):
    tables = [feed.decode(chunk, received_at_ns) for chunk in chunks]
    return check_reports(concat_reports([*tables, feed.finish()]))


def rows(content, options=OPTIONS):
    return read(AircraftJsonFeed(options), content).to_pylist()


def test_units_become_si_and_ages_become_times():
    table = read(AircraftJsonFeed(OPTIONS), snapshot(AIRLINER))
    row = table.to_pylist()[0]
    assert row["pressure_altitude_m"] == pytest.approx(38000 * 0.3048)
    assert row["geometric_height_m"] == pytest.approx(39025 * 0.3048)
    assert row["ground_speed_mps"] == pytest.approx(450 * 1852 / 3600)
    assert row["vertical_rate_mps"] == pytest.approx(-64 * 0.3048 / 60)
    assert table["received_at"][0].value == NOW_NS
    assert table["time_of_applicability"][0].value == NOW_NS - 500_000_000
    assert table["last_position"][0].value == NOW_NS - 1_250_000_000
    expected = {
        "sensor": "roof", "sensor_kind": "adsb", "reject_reason": None, "icao24": "4baac6", "is_icao_address": True,
        "callsign": "THY9BP", "squawk": "2345", "emergency": "none", "category": "A3", "is_state_aircraft": None,
        "on_ground": False, "adsb_version": 2, "nic": 8, "rc_m": 186.0, "nac_p": 9, "nac_v": 1, "sil": 3, "gva": 2,
        "latitude_deg": 49.67, "longitude_deg": 23.9, "track_angle_deg": 334.1,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_digest_is_that_of_the_object_as_canonical_json():
    row = rows(snapshot({"hex": "4baac6", "b": 1.5, "a": None}))[0]
    assert row["frame_digest"] == hashlib.sha256(b'{"a":null,"b":1.5,"hex":"4baac6"}').digest()


def test_now_in_milliseconds_and_list_named_ac():
    table = read(AircraftJsonFeed(OPTIONS), snapshot(AIRLINER, now=1726560266500, key="ac"))
    assert table["received_at"][0].value == NOW_NS


@pytest.mark.parametrize(
    ("stated", "kind"),
    [("adsb_icao", "adsb"), ("adsb_icao_nt", "adsb"), ("adsr_icao", "adsb"), ("tisb_trackfile", "tisb"),
     ("mlat", "mlat"), ("mode_s", "mode_s"), ("other", "state_vector"), ("made_up", "state_vector"), (7, "state_vector")],
)  # fmt: skip
def test_type_gives_the_sensor_kind(stated, kind):
    assert rows(snapshot(AIRLINER | {"type": stated}))[0]["sensor_kind"] == kind


def test_a_latitude_from_mlat_is_mlat_whatever_the_type():
    assert rows(snapshot(AIRLINER | {"type": "mode_s", "mlat": ["lat", "lon"]}))[0]["sensor_kind"] == "mlat"


def test_tilde_marks_an_address_that_is_not_icaos():
    row = rows(snapshot(AIRLINER | {"hex": "~2C7F01"}))[0]
    assert (row["icao24"], row["is_icao_address"]) == ("2c7f01", False)


def test_ground_is_not_a_height():
    row = rows(snapshot(AIRLINER | {"alt_baro": "ground"}))[0]
    assert (row["on_ground"], row["pressure_altitude_m"], row["reject_reason"]) == (True, None, None)


def test_an_old_last_position_is_not_a_position():
    old = {key: value for key, value in AIRLINER.items() if key not in ("lat", "lon", "seen_pos")}
    row = rows(
        snapshot(
            old | {"lastPosition": {"lat": 49.0, "lon": 23.0, "seen_pos": 75.0}, "rr_lat": 1, "rr_lon": 2}
        )
    )[0]
    assert (row["latitude_deg"], row["longitude_deg"], row["last_position"]) == (None, None, None)
    assert row["reject_reason"] is None


def test_unknown_containment_is_null_and_not_zero():
    assert rows(snapshot(AIRLINER | {"rc": 0}))[0]["rc_m"] is None


def test_military_bit_makes_a_state_aircraft_and_its_absence_says_nothing():
    stated = [
        row["is_state_aircraft"] for row in rows(snapshot(*(AIRLINER | {"dbFlags": f} for f in (1, 3, 2, 0))))
    ]
    assert stated == [True, True, None, None]


def test_emergency_words():
    words = {
        "lifeguard": "medical",
        "minfuel": "minimum_fuel",
        "nordo": "no_radio",
        "unlawful": "unlawful",
        "x": None,
    }
    found = [row["emergency"] for row in rows(snapshot(*(AIRLINER | {"emergency": word} for word in words)))]
    assert found == list(words.values())


def test_a_repeated_snapshot_keeps_every_row_and_its_old_position_time():
    later = AIRLINER | {"seen": 1.5, "seen_pos": 2.25}
    table = read(AircraftJsonFeed(OPTIONS), snapshot(AIRLINER) + b"\n" + snapshot(later, now=1726560267.5))
    assert table.num_rows == 2
    assert table["last_position"][0] == table["last_position"][1]
    assert table["received_at"][0] != table["received_at"][1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"lat": 91.0}, "bad_position"), ({"lon": "x"}, "bad_number"), ({"lat": None}, "bad_position"),
     ({"hex": "xyz"}, "no_address"), ({"hex": None}, "no_address"), ({"gs": True}, "bad_number"),
     ({"seen": -1}, "bad_number"), ({"alt_baro": 1e9}, "bad_number"), ({"gs": float("inf")}, None)],
)  # fmt: skip
def test_bad_rows_are_rejected_and_the_others_are_not(change, reason):
    found = [row["reject_reason"] for row in rows(snapshot(AIRLINER | change, AIRLINER))]
    assert found == [reason, None]


def test_an_entry_that_is_no_object_is_a_bad_row():
    assert [row["reject_reason"] for row in rows(snapshot(5, AIRLINER, [1]))] == ["bad_row", None, "bad_row"]


@pytest.mark.parametrize(
    "content", [b"[1]", b'{"aircraft": []}', b'{"now": 1}', b"{]}", b"x", b'{"now":0,"aircraft":[]}']
)
def test_what_is_no_snapshot_is_a_decode_error(content):
    with pytest.raises(DecodeError):
        read(AircraftJsonFeed(OPTIONS), content)


def test_a_later_bad_document_and_a_cut_tail_are_rejected_rows():
    table = read(AircraftJsonFeed(OPTIONS), snapshot(AIRLINER) + b'{"now": }' + snapshot(AIRLINER)[:-40])
    assert table["reject_reason"].to_pylist() == [None, "bad_document", "incomplete"]


def test_a_document_beyond_the_bound_is_a_decode_error():
    with pytest.raises(DecodeError, match="longer than 100 bytes"):
        read(AircraftJsonFeed(OPTIONS, max_document_bytes=100), snapshot(AIRLINER))


def test_live_rows_are_received_when_the_bytes_came():
    table = read(
        AircraftJsonFeed(FeedOptions("roof", is_live=True)), snapshot(AIRLINER), received_at_ns=NOW_NS + 7
    )
    assert table["received_at"][0].value == NOW_NS + 7


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 120), max_size=30))
def test_rows_do_not_depend_on_the_chunks(lengths):
    content = snapshot(AIRLINER, AIRLINER | {"flight": 'A"}\\{'}) + snapshot(AIRLINER | {"hex": "~123456"})
    chunks, begin = [], 0
    for length in lengths:
        chunks.append(content[begin : begin + length])
        begin += length
    whole = read(AircraftJsonFeed(OPTIONS), content)
    assert read(AircraftJsonFeed(OPTIONS), *chunks, content[begin:]).equals(whole)


def mutations(content):
    edits = st.tuples(st.integers(0, len(content) - 1), st.binary(max_size=6), st.integers(0, 8))
    return st.lists(edits, min_size=1, max_size=5).map(lambda changes: mutate(content, changes))


def mutate(content, changes):
    for place, inserted, removed in changes:
        content = content[:place] + inserted + content[place + removed :]
    return content


TRACE = json.dumps(
    {
        "icao": "ac671b",
        "timestamp": 1738703622.619,
        "dbFlags": 1,
        "trace": [
            [0.0, 16.7, -88.0, 32000, 478.6, 327.8, 1, 64, {"type": "adsb_icao", "flight": "DAL1812 ", "squawk": "4637", "nic": 8, "rc": 186, "nac_p": 10}, "adsb_icao", 33825, 32, 280, 0.0],
            [30.5, 16.8, -88.1, 32000, None, None, 0, None, None, "adsb_icao", None, None, None, None],
            [200.0, 16.9, -88.2, "ground", 12.0, 90.0, 0, 0, None, "mlat", 700, None, None, None],
            [210.0, 16.9, -88.2, 1000, 12.0, 90.0, 2 | 8, 0, None, "adsb_icao", None, None, None, None],
            [220.0, 16.9, -88.2],
            [230.0, 96.9, -88.2, 1000, 12.0, 90.0, 0, 0, None],
        ],
    }
).encode()  # fmt: skip


def test_trace_rows_carry_details_for_as_long_as_they_hold():
    table = read(TraceFeed(OPTIONS), TRACE)
    found = table.to_pylist()
    start_ns = 1_738_703_622_619_000_000
    assert [time.value - start_ns for time in table["time_of_applicability"]][:4] == [
        0,
        30_500_000_000,
        200_000_000_000,
        210_000_000_000,
    ]
    assert [row["nac_p"] for row in found[:4]] == [10, 10, None, None]  # quality: 120 s
    assert [row["callsign"] for row in found[:4]] == [
        "DAL1812",
        "DAL1812",
        "DAL1812",
        None,
    ]  # identity: this leg
    assert [row["sensor_kind"] for row in found[:4]] == ["adsb", "adsb", "mlat", "adsb"]
    assert [row["on_ground"] for row in found[:4]] == [False, False, True, False]
    assert {row["is_state_aircraft"] for row in found} == {True}


def test_trace_heights_and_directions():
    found = read(TraceFeed(OPTIONS), TRACE).to_pylist()
    assert found[0]["pressure_altitude_m"] == pytest.approx(32000 * 0.3048)
    assert found[0]["geometric_height_m"] == pytest.approx(33825 * 0.3048)
    assert found[0]["vertical_rate_mps"] == pytest.approx(64 * 0.3048 / 60)
    assert found[2]["track_angle_deg"] is None  # on the ground it is the heading
    assert found[2]["ground_speed_mps"] == pytest.approx(12 * 1852 / 3600)
    assert found[3]["pressure_altitude_m"] is None  # flag 8
    assert found[3]["geometric_height_m"] == pytest.approx(1000 * 0.3048)
    assert [row["reject_reason"] for row in found] == [None, None, None, None, "bad_row", "bad_position"]


@pytest.mark.parametrize(
    "content", [b"{}", b"[1]", b'{"trace": []}', b'{"trace": 5, "timestamp": 1738703622}']
)
def test_what_is_no_trace_is_a_decode_error(content):
    with pytest.raises(DecodeError):
        read(TraceFeed(OPTIONS), content)


@pytest.mark.parametrize(
    ("feed", "content"), [(AircraftJsonFeed, snapshot(AIRLINER, AIRLINER)), (TraceFeed, TRACE)]
)
def test_mutated_bytes_give_rows_or_a_decode_error(feed, content):
    @settings(max_examples=150, deadline=None)
    @given(mutations(content))
    def check(mutated):
        try:
            read(feed(OPTIONS), mutated)
        except DecodeError:
            return

    check()


@pytest.mark.recordings
@pytest.mark.skipif(RECORDINGS is None, reason="AIRVIGIL_RECORDINGS is not set")
def test_real_trace_is_read_whole():
    content = gzip.decompress((Path(RECORDINGS) / "traffic_samples/trace_full_ac671b.json.gz").read_bytes())
    table = read(TraceFeed(OPTIONS), content)
    trace = json.loads(content)["trace"]
    assert table.num_rows == len(trace) == 2500
    assert table["reject_reason"].null_count == 2500
    assert table["latitude_deg"].to_pylist() == [row[1] for row in trace]
    assert table["on_ground"].to_pylist() == [row[3] == "ground" for row in trace]
