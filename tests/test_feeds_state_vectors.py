"""State vectors in CSV, JSON and JSON Lines; which dialect, and when to refuse."""

import csv
import gzip
import hashlib
import io
import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.errors import ConfigError, DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.open_feed import open_feed
from airvigil.feeds.state_vector_columns import REST_COLUMNS, SAMPLE_ROWS
from airvigil.reports import check_reports, concat_reports

OPTIONS = FeedOptions(sensor="table")
RECORDINGS = os.environ.get("AIRVIGIL_RECORDINGS")
T_S = 1_726_560_266
T_NS = T_S * 1_000_000_000

TRAFFIC = {
    "timestamp": T_S * 1000, "icao24": "4baac6", "latitude": 49.67, "longitude": 23.9, "groundspeed": 450.0,
    "track": 334.5, "vertical_rate": 1216.0, "callsign": "THY9BP", "altitude": 38000.0,
    "last_position": T_S * 1000 - 2000,
}  # fmt: skip
OPENSKY = {
    "time": T_S, "icao24": "4baac6", "lat": 49.67, "lon": 23.9, "velocity": 231.5, "heading": 334.5, "vertrate": 6.17,
    "callsign": "THY9BP  ", "onground": "false", "alert": "false", "spi": "false", "squawk": "2345",
    "baroaltitude": 11582.4, "geoaltitude": 11900.0, "lastposupdate": T_S - 2.0, "lastcontact": T_S - 1.0,
}  # fmt: skip
STATE = ["4baac6", "THY9BP  ", "Turkey", T_S - 2, T_S - 1, 23.9, 49.67, 11582.4, False, 231.5, 334.5, 6.17, None, 11900.0,
         "2345", False, 2, 4]  # fmt: skip


def csv_bytes(*rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def by_columns(*rows):
    return json.dumps({key: {str(i): row[key] for i, row in enumerate(rows)} for key in rows[0]}).encode()


def lines(*rows):
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


CONTAINERS = {
    "csv": csv_bytes,
    "jsonl": lines,
    "json": by_columns,
    "array": lambda *rows: json.dumps(rows).encode(),
}


def read(content, options=OPTIONS, chunks=None, name="state-vectors"):
    feed = open_feed(name, options, head=content)
    tables = [feed.decode(chunk, 0) for chunk in (chunks or [content])]
    return check_reports(concat_reports([*tables, feed.finish()]))


@pytest.mark.parametrize("container", CONTAINERS)
def test_traffic_is_in_feet_and_knots(container):
    table = read(CONTAINERS[container](TRAFFIC, TRAFFIC))
    row = table.to_pylist()[1]
    assert row["reject_reason"] is None
    assert row["pressure_altitude_m"] == pytest.approx(38000 * 0.3048)
    assert row["ground_speed_mps"] == pytest.approx(450 * 1852 / 3600)
    assert row["vertical_rate_mps"] == pytest.approx(1216 * 0.3048 / 60)
    assert (row["icao24"], row["callsign"], row["latitude_deg"]) == ("4baac6", "THY9BP", 49.67)
    assert table["time_of_applicability"][1].value == T_NS
    assert table["received_at"][1].value == T_NS
    assert table["last_position"][1].value == T_NS - 2_000_000_000
    assert row["sensor_kind"] == "state_vector"


@pytest.mark.parametrize("container", CONTAINERS)
def test_opensky_is_in_si(container):
    table = read(CONTAINERS[container](OPENSKY))
    row = table.to_pylist()[0]
    assert row["reject_reason"] is None
    assert (row["pressure_altitude_m"], row["geometric_height_m"]) == (11582.4, 11900.0)
    assert (row["ground_speed_mps"], row["vertical_rate_mps"], row["track_angle_deg"]) == (231.5, 6.17, 334.5)
    assert (row["on_ground"], row["squawk"], row["callsign"]) == (False, "2345", "THY9BP")
    assert table["time_of_applicability"][0].value == T_NS
    assert table["last_position"][0].value == T_NS - 2_000_000_000


def test_rest_answer():
    table = read(json.dumps({"time": T_S, "states": [STATE, STATE[:17], [1], 5]}).encode())
    found = table.to_pylist()
    assert [row["reject_reason"] for row in found] == [None, None, "bad_row", "bad_row"]
    assert (found[0]["sensor_kind"], found[0]["category"], found[1]["category"]) == ("mlat", "A3", None)
    assert (found[0]["latitude_deg"], found[0]["longitude_deg"]) == (49.67, 23.9)
    assert table["received_at"][0].value == T_NS
    assert table["time_of_applicability"][0].value == T_NS - 1_000_000_000
    assert len(REST_COLUMNS) == 18


@pytest.mark.parametrize(
    "stated",
    [T_S, T_S * 10**3, T_S * 10**6, T_S * 10**9, float(T_S), "2024-09-17T08:04:26Z", "2024-09-17 08:04:26+00:00",
     "2024-09-17T10:04:26+02:00", str(T_S), "2024-09-17 08:04:26"],
)  # fmt: skip
def test_times_in_every_unit(stated):
    assert read(lines(TRAFFIC | {"timestamp": stated}))["time_of_applicability"][0].value == T_NS


@pytest.mark.parametrize(
    "names",
    [
        ("altitude", "velocity"),
        ("groundspeed", "baroaltitude"),
        ("vertical_rate",),
        ("geoaltitude",),
        ("ground_speed",),
    ],
)
def test_unclear_units_are_refused_and_the_hint_says_how_to_state_them(names):
    row = {"time": T_S, "icao24": "4baac6", "lat": 49.0, "lon": 23.0} | dict.fromkeys(names, 100.0)
    with pytest.raises(DecodeError, match=names[0]) as caught:
        read(csv_bytes(row))
    assert "state-vectors:opensky" in caught.value.hint
    assert "state-vectors:traffic" in caught.value.hint


@pytest.mark.parametrize(("dialect", "altitude_m"), [("opensky", 1000.0), ("traffic", 304.8)])
def test_a_stated_dialect_settles_unclear_units(dialect, altitude_m):
    row = {"time": T_S, "icao24": "4baac6", "lat": 49.0, "lon": 23.0, "altitude": 1000.0, "velocity": 100.0}
    found = read(csv_bytes(row), name=f"state-vectors:{dialect}").to_pylist()[0]
    assert found["pressure_altitude_m"] == pytest.approx(altitude_m)
    assert found["ground_speed_mps"] == pytest.approx(100.0 if dialect == "opensky" else 100 * 1852 / 3600)


@pytest.mark.parametrize(
    ("name", "value"), [("baroaltitude", 37000.0), ("velocity", 450.0), ("vertrate", 1216.0)]
)
def test_values_that_contradict_the_names_are_refused(name, value):
    with pytest.raises(DecodeError, match=f"column {name} .* median"):
        read(csv_bytes(*[OPENSKY | {name: value}] * 10))
    assert read(csv_bytes(*[OPENSKY | {name: value}] * 10), name="state-vectors:opensky").num_rows == 10


def test_no_such_dialect_is_a_config_error():
    with pytest.raises(ConfigError):
        read(csv_bytes(OPENSKY), name="state-vectors:metric")


@pytest.mark.parametrize("missing", ["icao24", "lat", "lon", "time"])
def test_missing_columns_are_named(missing):
    row = {key: value for key, value in OPENSKY.items() if key not in (missing, "lastcontact")}
    with pytest.raises(DecodeError, match="lack columns"):
        read(csv_bytes(row))


def test_two_columns_for_one_thing_are_refused():
    with pytest.raises(DecodeError, match="latitude and lat"):
        read(csv_bytes(OPENSKY | {"latitude": 1.0}))


@pytest.mark.parametrize("container", ["csv", "jsonl", "array"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [({"latitude": 91.0}, "bad_position"), ({"latitude": ""}, "bad_position"), ({"groundspeed": "fast"}, "bad_number"),
     ({"timestamp": None}, "no_time"), ({"timestamp": "yesterday"}, "bad_number"), ({"timestamp": 5}, "bad_number"),
     ({"icao24": ""}, "no_address"), ({"icao24": "4baac"}, "no_address"), ({"longitude": 180.5}, "bad_position"),
     ({"callsign": ""}, None), ({"squawk": "9999"}, None), ({"track": -24.0}, None)],
)  # fmt: skip
def test_bad_rows_are_rejected_with_their_reason(container, change, reason):
    table = read(CONTAINERS[container](TRAFFIC | {"squawk": "1000"}, TRAFFIC | {"squawk": "1000"} | change))
    assert table["reject_reason"].to_pylist() == [None, reason]
    assert table["received_at"].null_count == table["time_of_applicability"].null_count == 0


def test_a_direction_outside_the_circle_is_unknown():
    assert read(lines(TRAFFIC | {"track": -24}))["track_angle_deg"].to_pylist() == [None]


def test_longitude_180_is_written_as_minus_180():
    assert read(lines(TRAFFIC | {"longitude": 180}))["longitude_deg"].to_pylist() == [-180.0]


def test_digest_is_that_of_the_exact_bytes():
    content = csv_bytes(TRAFFIC)
    assert read(content)["frame_digest"][0].as_py() == hashlib.sha256(content.splitlines()[1]).digest()
    content = lines(TRAFFIC)
    assert read(content)["frame_digest"][0].as_py() == hashlib.sha256(content.strip()).digest()
    content = b"[" + lines(TRAFFIC).strip() + b"]"
    assert read(content)["frame_digest"][0].as_py() == hashlib.sha256(content[1:-1]).digest()


def test_csv_lines_with_a_wrong_number_of_fields_are_bad_rows():
    content = csv_bytes(TRAFFIC) + b"1,2,3\n" + b'"\n' + b"\xff\xfe\n" + csv_bytes(TRAFFIC).splitlines()[1]
    assert read(content)["reject_reason"].to_pylist() == [None, "bad_row", "bad_row", "bad_row", None]


def test_semicolons_quotes_and_byte_order_mark():
    content = b"\xef\xbb\xbf" + csv_bytes(TRAFFIC).replace(b",", b";").replace(
        b"THY9BP", b'"THY9BP"'
    ).replace(b"icao24", b'"ICAO24"')
    assert read(content)["callsign"].to_pylist() == ["THY9BP"]


def test_a_bad_line_among_json_lines_costs_one_row():
    content = lines(TRAFFIC) + b'{"timestamp": 17\n' + b"{} {}\n" + lines(TRAFFIC)
    assert read(content)["reject_reason"].to_pylist() == [None, "bad_row", "bad_row", None]


def test_an_array_that_is_cut_off_keeps_its_whole_rows():
    content = json.dumps([TRAFFIC] * 3).encode()[:-30]
    assert read(content)["reject_reason"].to_pylist() == [None, None, "bad_row"]


def test_a_table_by_columns_that_is_cut_off_is_a_decode_error():
    with pytest.raises(DecodeError, match="ends inside a document"):
        read(by_columns(TRAFFIC, TRAFFIC)[:-30])


def test_columns_of_different_lengths_are_refused():
    columns = {key: [value, value] for key, value in TRAFFIC.items()} | {"track": [1]}
    with pytest.raises(DecodeError, match="differ in length"):
        read(json.dumps(columns).encode())


def test_columns_with_row_labels_in_another_order_are_matched_by_label():
    other = TRAFFIC | {"icao24": "123456", "latitude": 10.0}
    columns = json.loads(by_columns(TRAFFIC, other))
    columns["latitude"] = dict(reversed(columns["latitude"].items()))
    found = read(json.dumps(columns).encode()).to_pylist()
    assert [(row["icao24"], row["latitude_deg"]) for row in found] == [("4baac6", 49.67), ("123456", 10.0)]


@pytest.mark.parametrize(
    "content", [b"[" * 100, b'{"a":' * 100, b"[{]}", b'{"timestamp": {"0": 1}}', b"\x00\x01", b""]
)
def test_what_cannot_be_a_table_is_a_decode_error(content):
    with pytest.raises(DecodeError):
        read(content)


@pytest.mark.parametrize("container", CONTAINERS)
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_rows_do_not_depend_on_the_chunks(container, data):
    changes = [{}, {"latitude": "x"}, {"timestamp": None}, {"callsign": 'a"}b'}, {"altitude": 5}]
    content = CONTAINERS[container](*(TRAFFIC | changes[i % 5] for i in range(SAMPLE_ROWS + 20)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=12)))
    chunks = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    whole = read(content)
    assert whole.num_rows == SAMPLE_ROWS + 20
    assert read(content, chunks=chunks).equals(whole)


@pytest.mark.parametrize("container", [*CONTAINERS, "rest"])
def test_mutated_bytes_give_rows_or_a_decode_error(container):
    rest = json.dumps({"time": T_S, "states": [STATE] * 3}).encode()
    content = rest if container == "rest" else CONTAINERS[container](TRAFFIC, TRAFFIC, TRAFFIC)
    edits = st.tuples(st.integers(0, len(content) - 1), st.binary(max_size=6), st.integers(0, 8))

    @settings(max_examples=120, deadline=None)
    @given(st.lists(edits, min_size=1, max_size=5))
    def check(changes):
        mutated = content
        for place, inserted, removed in changes:
            mutated = mutated[:place] + inserted + mutated[place + removed :]
        try:
            read(mutated)
        except DecodeError:
            return

    check()


# (file, rows, of which another reader finds a position)
REAL = {
    "aircraft_carrier": 9024, "border_control": 1465, "bornholm": 2572, "inflight_refuelling": 10397, "kiruna": 1691,
    "noisy_spoofing": 8681, "noisy_time_issue": 8294, "zurich_airport": 17132,
}  # fmt: skip


@pytest.mark.recordings
@pytest.mark.skipif(RECORDINGS is None, reason="AIRVIGIL_RECORDINGS is not set")
@pytest.mark.parametrize("name", REAL)
def test_real_tables_agree_with_pandas(name):
    content = gzip.decompress((Path(RECORDINGS) / f"traffic_samples/{name}.json.gz").read_bytes())
    table = read(content)
    frame = pd.read_json(io.BytesIO(content), dtype=False, precise_float=True)
    assert table.num_rows == len(frame) == REAL[name]
    assert table["reject_reason"].null_count == len(frame)
    columns = {
        "latitude_deg": ("latitude", 1.0),
        "longitude_deg": ("longitude", 1.0),
        "pressure_altitude_m": ("altitude", 0.3048),
        "ground_speed_mps": ("groundspeed", 1852 / 3600),
    }
    for column, (other, factor) in columns.items():
        ours = pd.Series(table[column].to_pandas().to_numpy(dtype=float))
        theirs = pd.Series(frame[other].to_numpy(dtype=float) * factor)
        pd.testing.assert_series_equal(ours, theirs, check_names=False, rtol=1e-12)
    assert [time.value // 1_000_000 for time in table["time_of_applicability"]] == frame["timestamp"].tolist()
