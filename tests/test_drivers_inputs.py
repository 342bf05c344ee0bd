"""Inputs: opened, read, merged, accounted for."""

import gzip
import hashlib
import json
import lzma
import os
import socket
import threading
from pathlib import Path

import pytest

from airvigil.drivers.inputs import InputOptions, check_start, open_input, read_merged, sensor_name
from airvigil.drivers.sockets import SocketOptions
from airvigil.errors import ConfigError
from airvigil.reports import check_reports, concat_reports, empty_reports

RECORDINGS = os.environ.get("AIRVIGIL_RECORDINGS")
T_S = 1_726_560_266
FRAME = bytes.fromhex("8d4840d6202cc371c32ce0576098")


def row(seconds, icao24="4baac6"):
    return {
        "timestamp": T_S + seconds,
        "icao24": icao24,
        "latitude": 49.6,
        "longitude": 23.9,
        "altitude": 38000,
    }


def beast(count, first_ticks=12_000_000):
    frames = (
        b"\x1a\x33"
        + ((first_ticks + i * 12_000_000).to_bytes(6, "big") + b"\x40" + FRAME).replace(b"\x1a", b"\x1a\x1a")
        for i in range(count)
    )
    return b"".join(frames)


def snapshot(now):
    return json.dumps({"now": now, "aircraft": [{"hex": "4baac6", "seen": 0, "type": "adsb_icao"}]}).encode()


def read(spec, **options):
    each = open_input(str(spec), InputOptions(**options))
    return each, concat_reports([check_reports(table) for table in each])


def test_a_table_sorted_by_aircraft_comes_out_in_time_order(tmp_path):
    path = tmp_path / "flights.json"
    path.write_text(json.dumps([row(0), row(10), row(5, "123456"), row(5, "abcdef"), row(15)]))
    each, table = read(path)
    assert table["icao24"].to_pylist() == ["4baac6", "123456", "abcdef", "4baac6", "4baac6"]
    assert (each.format, each.sensor, each.rows, each.failures) == ("state-vectors", "flights", 5, [])
    assert each.bytes_read == each.bytes_total == path.stat().st_size
    assert each.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_tables_have_no_more_rows_than_asked(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row(i)) + "\n" for i in range(25)))
    tables = list(open_input(str(path), InputOptions(block_rows=10)))
    assert [table.num_rows for table in tables] == [10, 10, 5]


def test_beast_starts_at_the_time_in_its_name(tmp_path):
    path = tmp_path / "raw_20240917_100426.bin.xz"
    path.write_bytes(lzma.compress(beast(3)))
    each, table = read(path, name_utc_offset_s=7200.0)
    start_ns = T_S * 1_000_000_000
    assert each.starts_at_ns == start_ns
    assert [time.value - start_ns for time in table["received_at"]] == [0, 1_000_000_000, 2_000_000_000]
    assert (each.format, each.sensor, each.notes) == ("beast", "raw", [])


def test_a_name_read_as_utc_is_noted_and_an_option_goes_first(tmp_path):
    path = tmp_path / "raw_20240917_080426.bin"
    path.write_bytes(beast(1))
    each, table = read(path)
    assert table["received_at"][0].value == T_S * 1_000_000_000
    assert "--name-utc-offset" in each.notes[0]
    each, table = read(path, start_ns=(T_S + 60) * 1_000_000_000)
    assert table["received_at"][0].value == (T_S + 60) * 1_000_000_000
    assert each.notes == []


def test_beast_without_a_start_is_a_failure_that_says_what_to_do(tmp_path):
    path = tmp_path / "recording.bin"
    path.write_bytes(beast(1))
    each, table = read(path)
    assert table.num_rows == 0
    assert "--start" in each.failures[0].hint
    assert str(path) in str(each.failures[0])


def test_one_bad_input_does_not_stop_the_others(tmp_path):
    good = [tmp_path / f"raw_20240917_08{minute:02d}26.bin.gz" for minute in (4, 5, 6)]
    for path in good:
        path.write_bytes(gzip.compress(beast(30)))
    stored = gzip.compress(beast(40_000), compresslevel=1)
    cut = tmp_path / "raw_20240917_080526_cut.bin.gz"
    cut.write_bytes(stored[: len(stored) // 2])
    noise = tmp_path / "noise"
    noise.write_bytes(b"\x00\x01\x02" * 1000)
    inputs = [open_input(str(path), InputOptions()) for path in (noise, *good, cut)]
    table = concat_reports(list(read_merged(inputs)))
    assert [each.rows for each in inputs[:4]] == [0, 30, 30, 30]
    assert 0 < inputs[4].rows < 40_000
    assert table.num_rows == sum(each.rows for each in inputs)
    assert [len(each.failures) for each in inputs] == [1, 0, 0, 0, 1]
    assert "gzip ends inside its content" in str(inputs[4].failures[0])
    assert f"{inputs[4].failures[0].rows:,} rows" in str(inputs[4].failures[0])
    assert all(each.sha256 == hashlib.sha256(Path(each.name).read_bytes()).hexdigest() for each in inputs)


def test_merged_rows_are_in_time_order_and_the_same_whatever_the_chunks(tmp_path):
    for name, first in (("b", 0), ("a", 3)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row(first + i)) + "\n" for i in range(50)))
    merged = []
    for chunk_bytes, block_rows in ((1 << 18, 8192), (100, 7)):
        options = InputOptions(chunk_bytes=chunk_bytes, block_rows=block_rows)
        inputs = [open_input(str(tmp_path / f"{name}.jsonl"), options) for name in "ba"]
        merged.append(concat_reports(list(read_merged(inputs))))
    assert merged[0].equals(merged[1])
    order = list(zip(merged[0]["received_at"].to_pylist(), merged[0]["sensor"].to_pylist(), strict=True))
    assert order == sorted(order)
    assert len(order) == 100


def test_a_directory_of_snapshots_survives_a_bad_one(tmp_path):
    for number, content in ((9, snapshot(T_S)), (10, b'{"now": 1'), (11, b"junk"), (12, snapshot(T_S + 2))):
        (tmp_path / f"snap_{number}.json").write_bytes(content)
    each, table = read(tmp_path)
    assert table["reject_reason"].to_pylist() == [None, None]
    assert [Path(failure.name).name for failure in each.failures] == ["snap_10.json", "snap_11.json"]
    assert each.sha256 is not None


def test_a_stated_format_is_used_whatever_the_content(tmp_path):
    path = tmp_path / "x"
    path.write_text("time,icao24,lat,lon,altitude,velocity\n1726560266,4baac6,49,23,1000,100\n")
    each, table = read(path)
    assert "state-vectors:opensky" in each.failures[0].hint
    each, table = read(path, format="state-vectors:opensky")
    assert table["pressure_altitude_m"].to_pylist() == [1000.0]


def test_sensor_and_kind_can_be_stated(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(row(0)) + "\n")
    _, table = read(path, sensor="north", sensor_kind="radar")
    assert (table["sensor"].to_pylist(), table["sensor_kind"].to_pylist()) == (["north"], ["radar"])


def test_what_is_wrong_before_reading_is_raised(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        open_input(str(tmp_path / "nothing"), InputOptions())
    with pytest.raises(ConfigError, match="no such format"):
        open_input("-", InputOptions(format="asterix"))


def test_an_empty_file_is_a_failure_of_its_own(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    each, table = read(path)
    assert table.equals(empty_reports())
    assert "empty source" in str(each.failures[0])


def test_a_live_port_gives_rows_received_now():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.sendall(beast(5))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        sockets = SocketOptions(first_wait_s=0.01, clock_ns=lambda: T_S * 1_000_000_000)
        each = open_input(
            f"tcp+beast://127.0.0.1:{server.getsockname()[1]}@roof", InputOptions(sockets=sockets)
        )
        tables = []
        for table in each:
            tables.append(table)
            if sum(t.num_rows for t in tables) >= 5:
                sockets.stop.set()
        thread.join(10)
    table = concat_reports(tables)
    assert table["sensor"].to_pylist() == ["roof"] * 5
    assert {time.value for time in table["received_at"]} == {T_S * 1_000_000_000}
    assert (each.is_live, each.bytes_total, each.sha256) == (True, None, None)


@pytest.mark.parametrize(
    ("name", "sensor"),
    [("a/raw_adsb_20260106_235704.bin.xz", "raw_adsb"), ("noisy_spoofing.json.gz", "noisy_spoofing"), ("20260106_235704.bin", "20260106_235704.bin"),
     ("-", "stdin"), ("tcp+beast://h:1", "tcp+beast://h:1"), ("file.v2.1", "file.v2.1")],
)  # fmt: skip
def test_sensor_names(name, sensor):
    assert sensor_name(name) == sensor


@pytest.mark.recordings
@pytest.mark.skipif(RECORDINGS is None, reason="AIRVIGIL_RECORDINGS is not set")
def test_real_spoofed_flight():
    path = Path(RECORDINGS) / "traffic_samples/noisy_spoofing.json.gz"
    each, table = read(path)
    assert (each.rows, table.num_rows, each.failures) == (8681, 8681, [])
    stated = json.loads(gzip.decompress(path.read_bytes()))["last_position"]
    assert table["last_position"].null_count == list(stated.values()).count(None) == 11
    assert each.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def avr(ticks):
    return f"@{ticks:012x}{FRAME.hex()};\n".encode()


def test_a_stated_start_is_refused_for_several_recordings_without_times_of_their_own(tmp_path):
    for name, content in {
        "a.bin": beast(2),
        "b.bin.xz": lzma.compress(beast(2)),
        "c.txt": avr(12_000_000) * 3,
        "d.jsonl": (json.dumps(row(0)) + "\n").encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "night").mkdir()
    for name in ("1.bin", "2.bin"):
        (tmp_path / "night" / name).write_bytes(beast(2))
    start = InputOptions(start_ns=T_S * 1_000_000_000)

    def opened(*names, options=start):
        return [open_input(str(tmp_path / name), options) for name in names]

    for names in (["a.bin", "b.bin.xz"], ["a.bin", "c.txt"], ["night"]):
        with pytest.raises(ConfigError, match="--start is the start of one recording") as caught:
            check_start(opened(*names), start)
        assert "one file at a time" in caught.value.hint
    check_start(opened("a.bin", "d.jsonl"), start)
    check_start(opened("c.txt"), start)
    check_start(opened("a.bin", "b.bin.xz", options=InputOptions()), InputOptions())


def test_of_many_failures_the_first_and_the_last_are_kept_and_all_are_counted(tmp_path):
    for k in range(50):
        (tmp_path / f"snap_{k}.json").write_bytes(snapshot(T_S + k) if k == 0 else b"{no json")
    each, table = read(tmp_path)
    assert table.num_rows == 1
    assert each.failure_count == 49
    kept = [Path(failure.name).name for failure in each.failures]
    assert kept == [f"snap_{k}.json" for k in (*range(1, 11), *range(40, 50))]
