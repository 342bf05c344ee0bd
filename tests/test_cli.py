"""The command line: exit status, what goes to which stream, and nothing heavy before it is needed."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

import airvigil
from airvigil.airspace.sources.boundaries import packaged_boundaries
from airvigil.cli import main
from airvigil.exports.incident_lines import incident_schema
from made_flights import path
from small_world import START_NS, make_reports

SQUARE = {
    "type": "Feature",
    "properties": {"id": "SQR", "name": "Square"},
    "geometry": {"type": "Polygon", "coordinates": [[[25, 59], [26, 59], [26, 60], [25, 60], [25, 59]]]},
}


@pytest.fixture
def square_file(tmp_path: Path) -> str:
    file = tmp_path / "square.geojson"
    file.write_text(json.dumps(SQUARE))
    return str(file)


@pytest.fixture
def recording(tmp_path: Path) -> str:
    file = tmp_path / "intruder.parquet"
    pq.write_table(make_reports(path(lat=58.97, track_deg=0.0, icao24="43c000", count=80)), file)
    return str(file)


def state_vectors(count: int) -> str:
    lines = [
        "time,icao24,lat,lon,velocity,heading,vertrate,callsign,onground,squawk,baroaltitude,geoaltitude,lastposupdate,lastcontact"
    ]
    for k, row in enumerate(path(lat=58.97, track_deg=0.0, icao24="43c000", count=count)):
        time = START_NS // 10**9 + k
        position = f"{row['latitude_deg']:.6f},{row['longitude_deg']:.6f},230.0,0.0,0.0"
        lines.append(
            f"{time},43c000,{position},NATO{k % 7}{k * 7919 % 10007},False,7000,10668.0,10700.0,{time},{time}"
        )
    return "\n".join(lines) + "\n"


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """stderr of a command that must end with status 2, say what to do, and print no result and no traceback."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "hint: " in err
    assert "Traceback" not in err
    return err


# --- status 0 ---------------------------------------------------------------------------------------------------------


def test_a_replay_prints_a_table_of_incidents_and_the_books(
    recording: str, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", recording, "--airspace", square_file]) == 0
    out, err = capsys.readouterr()
    assert "Square" in out
    assert "probable" in out
    assert "43c000" in out
    assert "80" in out
    assert "error" not in err


def test_json_prints_valid_incident_lines_and_nothing_else(
    recording: str, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", recording, "--airspace", square_file, "--json", "--quiet"]) == 0
    out, _ = capsys.readouterr()
    (line,) = out.splitlines()
    incident = json.loads(line)
    jsonschema.Draft202012Validator(incident_schema()).validate(incident)
    assert (incident["volume"], incident["outcome"], incident["reconstruction"]) == ("SQR", "probable", False)


def test_json_of_a_run_without_incidents_is_empty(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = json.loads(json.dumps(SQUARE).replace("25", "5").replace("26", "6"))
    (tmp_path / "far.geojson").write_text(json.dumps(far))
    assert main(["replay", recording, "--airspace", str(tmp_path / "far.geojson"), "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_out_writes_a_folder_and_says_where_the_report_is(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["replay", recording, "--airspace", square_file, "--out", str(out)]) == 0
    assert (out / "report.html").is_file()
    assert "report.html" in capsys.readouterr().err.replace("\n", "")
    assert not list(out.glob(".*"))


@pytest.mark.parametrize("batch", ["1", "7"])
def test_a_batch_size_changes_no_output(
    recording: str, square_file: str, batch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", recording, "--airspace", square_file, "--json"]) == 0
    whole = capsys.readouterr().out
    assert main(["replay", recording, "--airspace", square_file, "--json", "--batch", batch]) == 0
    assert capsys.readouterr().out == whole


def test_a_settings_file_changes_what_is_found(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text("[permission]\nrequired_for = []")
    arguments = [
        "replay",
        recording,
        "--airspace",
        square_file,
        "--json",
        "--settings",
        str(tmp_path / "mine.toml"),
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""


def test_settings_prints_what_settings_reads(
    tmp_path: Path, recording: str, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["settings"]) == 0
    (tmp_path / "all.toml").write_text(capsys.readouterr().out)
    arguments = ["replay", recording, "--airspace", square_file, "--json"]
    assert main(arguments) == 0
    default = capsys.readouterr().out
    assert main([*arguments, "--settings", str(tmp_path / "all.toml")]) == 0
    assert capsys.readouterr().out == default


def test_states_and_volumes_are_listed_and_shown(
    square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["airspace", "list"]) == 0
    out = capsys.readouterr().out
    header = packaged_boundaries().header
    assert "EST" in out
    assert "not stated by the source" in out
    for text in (header["version"], header["source"], packaged_boundaries().digest):
        assert text in out
    assert main(["airspace", "show", square_file]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "Square"


def test_scenarios_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "list"]) == 0
    out = capsys.readouterr().out
    assert "vaindloo-2025" in out
    assert "reconstruction" in out


def test_a_scenario_is_a_reconstruction_in_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "vaindloo-2025", "--json", "--quiet"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert all(line["reconstruction"] is True for line in lines)


# --- status 1 ---------------------------------------------------------------------------------------------------------


def test_an_input_that_breaks_half_way_is_used_so_far_and_told_with_status_1(
    tmp_path: Path, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.compress(state_vectors(20_000).encode())
    broken = tmp_path / "night.csv.gz"
    broken.write_bytes(whole[: len(whole) * 9 // 10])
    assert main(["replay", str(broken), "--airspace", square_file]) == 1
    out, err = capsys.readouterr()
    assert "error: " in err
    assert "probable" in out


def test_one_bad_input_of_two_is_status_1_and_the_other_is_used(
    tmp_path: Path, recording: str, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("what,is,this\n1,2,3\n")
    assert main(["replay", recording, str(tmp_path / "bad.csv"), "--airspace", square_file, "--json"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "error: " in err


def test_a_check_that_finds_something_wrong_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bow = {"type": "Polygon", "coordinates": [[[25, 59], [26, 60], [26, 59], [25, 60], [25, 59]]]}
    (tmp_path / "bow.geojson").write_text(
        json.dumps({"type": "Feature", "properties": {"id": "B"}, "geometry": bow})
    )
    assert main(["airspace", "check", str(tmp_path / "bow.geojson")]) == 1
    assert capsys.readouterr().out


def test_a_check_that_finds_nothing_is_status_0(square_file: str) -> None:
    assert main(["airspace", "check", square_file]) == 0


# --- status 2 ---------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_told_with_what_to_do(square_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere.bin" in refused(["replay", "nowhere.bin", "--airspace", square_file], capsys)


def test_a_missing_airspace_is_told_with_what_to_do(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(["replay", recording], capsys)
    assert "XYZ" in refused(["replay", recording, "--airspace", "XYZ"], capsys)


def test_an_unknown_setting_is_told_with_file_and_name(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[time]\nlateness = 1")
    err = refused(["replay", recording, "--airspace", square_file, "--settings", str(mine)], capsys)
    assert str(mine) in err
    assert "time.lateness" in err


def test_a_folder_that_cannot_be_written_is_told(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    refused(["replay", recording, "--airspace", square_file, "--out", str(tmp_path / "file" / "out")], capsys)


def test_an_input_that_is_nothing_known_is_status_2(
    tmp_path: Path, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.txt").write_text("nothing that anybody sent\n" * 10)
    assert main(["replay", str(tmp_path / "noise.txt"), "--airspace", square_file]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "error: " in err
    assert "hint: " in err


def test_a_run_that_read_nothing_says_so_and_leaves_no_report(
    tmp_path: Path, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.txt").write_text("nothing that anybody sent\n" * 10)
    out = tmp_path / "out"
    assert main(["replay", str(tmp_path / "noise.txt"), "--airspace", square_file, "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert "infringement" not in said.out + said.err
    assert "Report:" not in said.err
    assert list(out.iterdir()) == []


def test_a_report_that_is_a_folder_is_told(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    err = refused(["replay", recording, "--airspace", square_file, "--out", str(tmp_path / "out")], capsys)
    assert "report.html" in err


def test_a_start_for_two_recordings_without_times_is_refused(
    tmp_path: Path, square_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = b"\x1a\x33" + bytes(6) + b"\x40" + bytes.fromhex("8d4840d6202cc371c32ce0576098")
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(frame * 5)
    files = [str(tmp_path / name) for name in ("a.bin", "b.bin")]
    arguments = ["replay", *files, "--start", "2026-01-06T21:57:04Z", "--airspace", square_file]
    assert "--start" in refused(arguments, capsys)


def test_an_unknown_scenario_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "no-such-case"]) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["replay"],
        ["replay", "x", "--batch", "0"],
        ["replay", "x", "--batch", "many"],
        ["replay", "x", "--speed", "-1"],
        ["replay", "x", "--speed", "nan"],
        ["replay", "x", "--receiver", "60"],
        ["replay", "x", "--receiver", "91,0"],
        ["replay", "x", "--receiver", "nan,0"],
        ["replay", "x", "--receiver", "60,25,nan"],
        ["replay", "x", "--receiver", "60,25,high"],
    ],
)
def test_arguments_that_mean_nothing_are_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().out == ""


# --- streams and start-up ---------------------------------------------------------------------------------------------


def in_another_process(code: str, **what: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120, **what
    )


def test_help_needs_none_of_the_heavy_packages() -> None:
    code = "import sys, airvigil.cli as c; c.build_parser().format_help(); print([m for m in ('numpy', 'numba', 'pyarrow', 'shapely', 'rs1090', 'rich') if m in sys.modules])"
    done = in_another_process(code)
    assert (done.returncode, done.stdout.strip()) == (0, "[]")


def test_a_replay_that_writes_no_folder_loads_only_what_it_uses(recording: str) -> None:
    """Each of these costs a user time before the first result."""
    unused = (
        "airvigil.scenarios",
        "airvigil.exports.report",
        "airvigil.drivers.run_files",
        "airvigil.drivers.sockets",
        "airvigil.airspace.sources.load",
        "airvigil.airspace.permissions.permission_files",
        "airvigil.feeds.mode_s",
        "urllib.request",
        "jinja2",
        "shapely",
        "rs1090",
        "rich.progress",
    )
    code = (
        "import sys; from airvigil.cli import main; "
        f"status = main(['replay', {recording!r}, '--airspace', 'EST', '--json', '--quiet']); "
        f"print([m for m in {unused!r} if m in sys.modules]); sys.exit(status)"
    )
    done = in_another_process(code)
    assert done.returncode == 0, done.stderr
    incident, loaded = done.stdout.splitlines()
    assert "EST" in incident
    assert loaded == "[]"


def test_airspace_commands_load_no_engine() -> None:
    code = (
        "import sys; from airvigil.cli import main; status = main(['airspace', 'list']); "
        "print([m for m in ('airvigil.engine', 'airvigil.state', 'airvigil.scenarios') if m in sys.modules])"
    )
    done = in_another_process(code)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["replay", "--help"], ["scenario", "run", "--help"], ["--version"]]
)
def test_help_and_version_are_status_0_on_stdout(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    out, err = capsys.readouterr()
    assert out
    assert err == ""


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == f"airvigil {airvigil.__version__}"


def test_a_reader_of_stdout_that_goes_away_is_no_traceback() -> None:
    code = "import sys; from airvigil.cli import main; sys.exit(main(['airspace', 'show', 'EST,FIN,LVA']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) in (0, 1)
    assert "Traceback" not in err


# --- live -------------------------------------------------------------------------------------------------------------


def sbs_lines(begin: datetime) -> bytes:
    """A state aircraft that flies into the square, a report a second."""
    lines = []
    for k, row in enumerate(path(lat=58.99, track_deg=0.0, count=60)):
        at = (begin + timedelta(seconds=k)).strftime("%Y/%m/%d,%H:%M:%S.000")
        place = f"{row['latitude_deg']:.5f},{row['longitude_deg']:.5f}"
        lines.append(f"MSG,3,1,1,43C000,1,{at},{at},,35000,,,{place},,,0,0,0,0\r\n")
    return "".join(lines).encode()


def test_a_live_run_tells_incidents_and_ctrl_c_leaves_all_files(tmp_path: Path, square_file: str) -> None:
    out = tmp_path / "out"
    (tmp_path / "slow.toml").write_text("[time]\nallowed_lateness_s = 80.0\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        source = f"tcp+sbs://127.0.0.1:{server.getsockname()[1]}"
        code = "import sys; from airvigil.cli import main; sys.exit(main(sys.argv[1:]))"
        arguments = ["replay", source, "--airspace", square_file, "--json", "--out", str(out)]
        arguments += ["--settings", str(tmp_path / "slow.toml")]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        guard = threading.Timer(90.0, process.kill)
        guard.start()
        connection, _ = server.accept()
        with connection:
            connection.sendall(sbs_lines(datetime.now(UTC) - timedelta(seconds=78)))
            said = process.stderr.readline()  # told while the run goes on
            process.send_signal(signal.SIGINT)
            written, rest = process.communicate(timeout=120)
        guard.cancel()
    assert "incident open: Square" in said
    assert "Traceback" not in rest
    assert process.returncode == 1
    (line,) = [json.loads(each) for each in written.splitlines()]
    assert line["volume"] == "SQR"
    assert {"report.html", "events.jsonl", "tracks.parquet"} <= {each.name for each in out.iterdir()}
    assert not list(out.glob(".*"))
    events = [json.loads(each) for each in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events[-1]["interrupted"] is True


# --- permissions ------------------------------------------------------------------------------------------------------

CLEARANCE = (
    "permission_id,kind,icao24,volumes,valid_to,issuer\nD-17,diplomatic_clearance,43c000,SQR,{},Ministry\n"
)


@pytest.mark.parametrize(
    ("valid_to", "outcome", "permission"), [("", None, None), ("2025-10-09T08:54:00Z", "probable", "lapsed")]
)
def test_a_permission_is_taken_off_presence(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], valid_to: str, outcome: str | None, permission: str | None
) -> None:  # fmt: skip
    file = tmp_path / "clearances.csv"
    file.write_text(CLEARANCE.format(valid_to))
    arguments = ["replay", recording, "--airspace", square_file, "--permissions", str(file)]
    assert main([*arguments, "--json", "--quiet", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    if outcome is None:
        assert out == ""
        assert "Present with a permission that covers it: 1 in SQR" in err
    else:
        incident = json.loads(out)
        jsonschema.Draft202012Validator(incident_schema()).validate(incident)
        assert (incident["outcome"], incident["permission"]) == (outcome, permission)
        assert incident["members"][0]["permission_excess_s"] > 0.0
        assert "had ended" in err
        assert "had ended" in (tmp_path / "out" / "report.html").read_text()
    (started,) = [
        line for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines() if "run_started" in line
    ]
    assert json.loads(started)["permissions"][0]["observations"] == 1


def test_a_permission_that_cannot_be_used_is_told_and_the_status_says_so(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "clearances.csv"
    file.write_text(CLEARANCE.format("soon"))
    assert main(["replay", recording, "--airspace", square_file, "--permissions", str(file)]) == 1
    out, err = capsys.readouterr()
    assert "probable" in out
    assert "clearances.csv line 2: valid_to: expected an ISO 8601 time, got 'soon'" in err


def test_a_file_of_permissions_that_is_none_ends_the_run_before_it_begins(
    recording: str, square_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "clearances.csv"
    file.write_text("who,what\n")
    arguments = ["replay", recording, "--airspace", square_file, "--permissions"]
    assert "unknown column 'who'" in refused([*arguments, str(file)], capsys)
    assert "No such file" in refused([*arguments, str(tmp_path / "none.csv")], capsys)
