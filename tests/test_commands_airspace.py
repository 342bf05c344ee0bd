"""`airvigil airspace ...` as its users meet it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from airvigil.airspace.sources.load import load_file
from airvigil.cli import main
from test_cli import refused

OPENAIR = """AC R
AN Range
AL GND
AH FL95
V X=59:30:00 N 025:00:00 E
DC 5

AC D
AN Broken
AL GND
AH FL95
DP 59:00:00 N 024:00:00

AC Q
AN Range
AL 1000ft AGL
AH 4500 ft
DP 59:00:00 N 024:00:00 E
DP 59:10:00 N 024:00:00 E
DP 59:10:00 N 024:10:00 E
"""


@pytest.fixture
def openair(tmp_path: Path) -> str:
    path = tmp_path / "land.txt.gz"
    path.write_bytes(gzip.compress(OPENAIR.encode()))
    return str(path)


@pytest.fixture
def sound(tmp_path: Path) -> str:
    path = tmp_path / "sound.txt"
    path.write_text("AC R\n" + OPENAIR.partition("AC R\n")[2].partition("\nAC D")[0])
    return str(path)


def test_import_writes_what_can_be_read_and_reports_the_rest(
    openair: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "land.geojson"
    assert main(["airspace", "import", openair, "--out", str(out)]) == 1
    printed, said = capsys.readouterr()
    assert printed == ""
    assert f"{openair}: openair: 2 volumes read, 1 rejected" in said
    assert "rejected: line 12: not a place: 'DP 59:00:00 N 024:00:00'" in said
    before = load_file(OPENAIR.encode(), openair).volumes
    after = load_file(out.read_bytes(), str(out)).volumes
    assert [v.digest for v in after] == [v.digest for v in before]
    assert [v.original for v in after] == [v.original for v in before]
    assert json.loads(out.read_text())["sources"][0]["format"] == "openair"


def test_import_to_stdout_with_a_report_in_json(openair: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["airspace", "import", openair, "--kind", "fir", "--edge-kind", "lonlat", "--json"]) == 1
    printed, said = capsys.readouterr()
    properties = [feature["properties"] for feature in json.loads(printed)["features"]]
    assert {(p["kind"], p["edge_kind"]) for p in properties} == {("fir", "lonlat")}
    assert [p["id"] for p in properties] == ["Range", "Range (2)"]
    report = json.loads(said)
    assert (report["read"], [r["line"] for r in report["rejected"]]) == (2, [12])


def test_list_and_show_of_files_and_states(
    openair: str, sound: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["airspace", "list", sound]) == 0
    assert "FL95" in capsys.readouterr().out
    assert main(["airspace", "list", f"EST,{openair}", "--json"]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["volume_id"] for line in out.splitlines()] == [
        "EST",
        "EST|RUS",
        "Range",
        "Range (2)",
    ]
    assert "1 rejected" in err
    assert main(["airspace", "show", sound]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["edges_written"], shown["airspace_type"], shown["place"]) == (["circle"], "R", "line 1")
    assert shown["original"].startswith("AC R\nAN Range")


def test_check_names_the_line(openair: str, sound: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["airspace", "check", openair]) == 1
    assert f"error: rejected: {openair}: line 12: not a place" in capsys.readouterr().out
    assert main(["airspace", "check", openair, "--json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["rule"] for row in found if row["severity"] == "error"] == ["rejected"]
    assert main(["airspace", "check", sound]) == 0


def test_check_looks_across_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two FIRs in two files and two formats that leave a gap of 200 m between them."""
    west = {"type": "Polygon", "coordinates": [[[24, 59], [25, 59], [25, 60], [24, 60], [24, 59]]]}
    (tmp_path / "west.geojson").write_text(
        json.dumps({"type": "Feature", "properties": {"id": "W", "type": "FIR"}, "geometry": west})
    )
    corners = [(59, "25.003"), (59, "26"), (60, "26"), (60, "25.003")]
    outline = "".join(f"DP {lat} N {lon} E\n" for lat, lon in corners)
    (tmp_path / "east.txt").write_text(f"AC FIR\nAN E\nAL GND\nAH UNL\n{outline}")
    files = [str(tmp_path / name) for name in ("west.geojson", "east.txt")]
    main(["airspace", "check", *files])
    assert "gap" in capsys.readouterr().out


def test_check_of_a_compressed_geojson_file_says_all_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bow = {"type": "Polygon", "coordinates": [[[25, 59], [26, 60], [26, 59], [25, 60], [25, 59]]]}
    (tmp_path / "bow.json.gz").write_bytes(gzip.compress(json.dumps(bow).encode()))
    assert main(["airspace", "check", str(tmp_path / "bow.json.gz")]) == 1
    assert "self_intersection" in capsys.readouterr().out


@pytest.mark.parametrize("to", ["geojson", "kml", "openair", "csv"])
def test_export_and_what_it_lost(
    to: str, sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["airspace", "export", f"{sound},EST", "--to", to, "--out", str(out)]) == 0
    said = capsys.readouterr().err
    if to == "csv":
        assert out.read_text().count("\n") == 4
        return
    again = load_file(out.read_bytes(), "again").volumes
    # Estonia is in many pieces without a hole; all of them are there
    assert {v.volume_id for v in again} >= {"Range"}
    assert len(again) == 3 or "several outlines" in said


def test_diff(openair: str, sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["airspace", "diff", sound, sound]) == 0
    assert capsys.readouterr().out == ""
    other = tmp_path / "other.txt"
    other.write_text(Path(sound).read_text().replace("DC 5", "DC 6").replace("FL95", "FL105"))
    assert main(["airspace", "diff", sound, str(other)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("changed: Range: upper 'FL95' -> 'FL105'; area 269.")
    assert "boundary moved by up to 1,852 m" in out
    assert "1 volumes before, 1 after, 1 different" in err
    assert main(["airspace", "diff", sound, str(other), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["displacement_m"] == pytest.approx(1852.0, abs=1.0)


def test_what_cannot_be_read_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 10)
    for command in (["import"], ["list"], ["show"], ["check"], ["export", "--to", "kml"]):
        assert "noise.txt" in refused(["airspace", *command, str(tmp_path / "noise.txt")], capsys)
    assert main(["airspace", "diff", "EST", str(tmp_path / "nowhere.txt")]) == 2
    capsys.readouterr()
    assert main(["airspace", "export", "EST", "--to", "csv", "--out", str(tmp_path / "no" / "where")]) == 2


def test_a_replay_says_what_of_its_airspace_was_not_read(
    openair: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text("what,is,this\n1,2,3\n")
    assert main(["replay", str(tmp_path / "bad.csv"), "--airspace", openair]) == 2
    assert "1 rejected" in capsys.readouterr().err
