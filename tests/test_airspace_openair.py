"""OpenAir files, version 1 and 2."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.sources import openair
from airvigil.airspace.sources.load import load_file
from airvigil.airspace.sources.loaded import Loaded
from airvigil.airspace.sources.normalised import normalised_bytes
from airvigil.airspace.sources.openair import load_openair
from airvigil.airspace.volumes import ring_area_deg2
from airvigil.errors import AirspaceError

BOX = """DP 59:00:00 N 024:00:00 E
DP 60:00:00 N 024:00:00 E
DP 60:00:00 N 025:00:00 E
DP 59:00:00 N 025:00:00 E
"""


def block(name: str = "Box", outline: str = BOX, limits: str = "AL GND\nAH FL 95\n", ac: str = "R") -> str:
    return f"AC {ac}\nAN {name}\n{limits}{outline}"


def load(text: str) -> Loaded:
    return load_openair(text.encode(), "t.txt")


def test_a_whole_airspace_of_version_2() -> None:
    text = """*VERSION: 2.1
AC D
AY CTR
AN CTR Tallinn * not a comment in a name
AI 7d1b
AF 120.605
AG Tallinn Tower
AX 7000
AA 2026-05-01T10:00Z/2026-05-01T12:00Z  ; noon
AH 4500 ft AMSL
AL GND
DP 59:00:00 N 024:00:00 E * border
DP 60:00:00 N 024:00:00 E
DP 60:00:00 N 025:00:00 E
DP 59:00:00 N 024:00:00 E
"""
    loaded = load(text)
    (volume,) = loaded.volumes
    assert loaded.rejected == ()
    assert (volume.volume_id, volume.name) == ("7d1b", "CTR Tallinn * not a comment in a name")
    assert (volume.airspace_class, volume.airspace_type, volume.kind) == ("D", "CTR", "user")
    assert (str(volume.lower), str(volume.upper)) == ("GND", "4500 ft AMSL")
    assert volume.activation.kind == "schedule"
    assert (volume.edge_kind, volume.edges_written) == ("geodesic", ())
    assert volume.place == "line 2"
    assert volume.original == text.partition("\n")[2].rstrip("\n")
    assert len(volume.rings[0]) == 4
    assert ring_area_deg2(volume.rings[0]) > 0.0
    assert volume.version.startswith("file SHA-256 ")


def test_a_circle_lies_around_its_centre() -> None:
    (volume,) = load(block(outline="V X=59:30:00 N 025:00:00 E\nDC 5 *NM\n")).volumes
    radii = [Geodesic.WGS84.Inverse(59.5, 25.0, *p)["s12"] for p in volume.rings[0]]
    assert np.ptp(radii) < 1e-3
    assert radii[0] == pytest.approx(5 * 1852.0, abs=1e-3)
    assert volume.edges_written == ("circle",)


def test_an_arc_turns_the_other_way_only_until_the_next_airspace() -> None:
    arc = "V X=59:30:00 N 025:00:00 E\n{}DB 59:40:00 N 025:00:00 E,59:30:00 N 025:20:00 E\nDP 59:30:00 N 025:00:00 E\n"
    text = block("left", arc.format("V D=-\n")) + block("right", arc.format(""))
    left, right = load(text).volumes
    # a quarter to the right of the northern end, three quarters to its left
    assert ring_area_deg2(left.rings[0]) > 2.5 * ring_area_deg2(right.rings[0])
    assert left.edges_written == ("arc",)


def test_an_arc_by_azimuths() -> None:
    (volume,) = load(
        block(outline="V X=59:30:00 N 025:00:00 E\nDA 10,270,90\nDP 59:30:00 N 025:00:00 E\n")
    ).volumes
    assert volume.rings[0][:, 0].max() == pytest.approx(59.5 + 18520 / 111_400, abs=1e-3)
    assert volume.rings[0][:, 0].min() >= 59.49
    (turned,) = load(block(outline="V D=-\nV X=59:30:00 N 025:00:00 E\nDA 10,270,90\n")).volumes
    assert turned.rings[0][:, 0].max() <= 59.51


def test_ends_at_different_radii_are_said() -> None:
    outline = "V X=59:30:00 N 025:00:00 E\nDB 59:40:00 N 025:00:00 E,59:19:00 N 025:00:00 E\n"
    loaded = load(block(outline=outline))
    assert len(loaded.volumes) == 1
    assert [remark.line for remark in loaded.remarks] == [6]
    assert "apart in radius" in loaded.remarks[0].reason


@pytest.mark.parametrize("kind", ["FIR", "UIR"])
def test_a_flight_information_region_is_a_layer_of_its_own(kind: str) -> None:
    for text in (block(ac=kind), block(ac=f"C\nAY {kind}")):
        assert load(text).volumes[0].kind == "fir"
    assert load_openair(block().encode(), "t", kind="fir").volumes[0].kind == "fir"


def test_the_kind_of_straight_edges_can_be_told() -> None:
    assert load_openair(block().encode(), "t", edge_kind="lonlat").volumes[0].edge_kind == "lonlat"


def test_a_long_edge_is_told_with_how_far_its_readings_part() -> None:
    loaded = load(block(outline=BOX.replace("025:00:00", "026:00:00")))
    (remark,) = loaded.remarks
    assert "straight edges are read as geodesic" in remark.reason
    line = Geodesic.WGS84.InverseLine(59.0, 24.0, 59.0, 26.0)
    bulge = (line.Position(line.s13 / 2)["lat2"] - 59.0) * 111_400
    said = int(remark.reason.rpartition("at most ")[2].split()[0])
    assert said == pytest.approx(bulge, rel=0.01)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (block(limits="AL GND\n"), 1, "no upper limit"),
        (block(limits="AH FL 95\n"), 1, "no lower limit"),
        (block(limits="AL GND\nAL GND\nAH FL95\n"), 4, "a second AL"),
        (block(limits="AL FL95\nAH FL65\n"), 1, "not below"),
        (block(limits="AL GND\nAH lots\n"), 1, "not a limit"),
        (block(outline="DP 59:00:00 N 024:00:00 E\n"), 1, "at least 3 corners"),
        (block(outline=""), 1, "at least 3 corners"),
        (block(outline=BOX + "DP 59:00 024:00\n"), 9, "not a place"),
        (block(outline=BOX + "DP 95:00:00 N 024:00:00 E\n"), 9, "out of range"),
        (block(outline="DC 5\n"), 5, "without a centre"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDC five\n"), 6, "expected a number"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDC 0\n"), 6, "radius"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDC 99999\n"), 6, "radius"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDC 5\n" + BOX), 7, "a circle and other edges"),
        (block(outline=BOX + "V X=59:30:00 N 025:00:00 E\nDC 5\n"), 10, "a circle and other edges"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDA 5,90\n"), 6, "expected DA"),
        (block(outline="V X=59:30:00 N 025:00:00 E\nDB 59:40:00 N 025:00:00 E\n"), 6, "two places"),
        (block(outline="V D=0\n"), 5, "V D="),
        (block(outline="V Q=0\n"), 5, "unknown variable"),
        (block(outline="DY 59:00:00 N 024:00:00 E\n"), 5, "airway"),
        (block(outline="QQ 1\n"), 5, "unknown command"),
        (block(outline="12 34\n"), 5, "not a command"),
    ],
)
def test_a_bad_block_is_rejected_with_its_line_and_the_others_are_read(
    text: str, line: int, reason: str
) -> None:
    loaded = load(text + block("Next"))
    assert [volume.name for volume in loaded.volumes] == ["Next"]
    ((found_line, found_reason),) = [(remark.line, remark.reason) for remark in loaded.rejected]
    assert found_line == line
    assert reason in found_reason


def test_styles_and_terrain_are_counted_and_are_no_airspace() -> None:
    style = "AC A\nSP 0,1,0,0,255\nSB -1,-1,-1\n\n"
    terrain = "TO Lake\nSP 0,1,0,0,255\nDP 59:00:00 N 024:00:00 E\n"
    loaded = load(style + terrain + style + block())
    assert len(loaded.volumes) == 1
    assert loaded.rejected == ()
    assert [remark.reason[:8] for remark in loaded.remarks] == ["2 blocks", "1 blocks", "straight"]


def test_names_that_come_again_get_a_number() -> None:
    loaded = load(block("A") + block("A (2)") + block("A") + block("A"))
    assert [volume.volume_id for volume in loaded.volumes] == ["A", "A (2)", "A (3)", "A (4)"]
    assert [volume.name for volume in loaded.volumes] == ["A", "A (2)", "A", "A"]
    assert "2 ids" in loaded.remarks[-1].reason


def test_line_ends_and_encodings_change_nothing_but_names() -> None:
    plain = block("Zuerich")
    expected = load(plain).volumes[0].digest
    for raw in (
        plain.replace("\n", "\r\n").encode(),
        plain.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + plain.encode(),
        plain.encode("utf-16"),
        plain.replace("Zuerich", "Zürich").encode("cp1252"),
        plain.lower().encode(),
        plain.replace(" N ", "N").replace("\n", "   \n").encode(),
    ):
        (volume,) = load_openair(raw, "t").volumes
        assert volume.digest == expected


@pytest.mark.slow
def test_one_airspace_of_a_million_corners_is_read() -> None:
    count = 1_000_000
    angles = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    seconds = np.round(
        np.column_stack([30 * 3600 + 7200 * np.sin(angles), 30 * 3600 + 7200 * np.cos(angles)]), 3
    )
    rows = [
        f"DP {int(a // 3600)}:{int(a % 3600 // 60):02d}:{a % 60:06.3f} N {int(b // 3600)}:{int(b % 3600 // 60):02d}:{b % 60:06.3f} E"
        for a, b in seconds.tolist()
    ]
    (volume,) = load(block(outline="\n".join(rows))).volumes
    assert len(volume.rings[0]) == count + 1


def test_what_is_larger_than_any_real_file_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openair, "MAX_POSITIONS", 1_000)
    circles = "".join(block(f"c{k}", "V X=59:30:00 N 025:00:00 E\nDC 10\n") for k in range(9))
    with pytest.raises(AirspaceError, match="more than"):
        load(circles)
    monkeypatch.setattr(openair, "MAX_LINES", 100)
    with pytest.raises(AirspaceError, match="lines"):
        load("*\n" * 200)


@given(st.binary(max_size=2_000))
@hypothesis_settings(max_examples=150)
def test_any_bytes_are_refused_or_read(raw: bytes) -> None:
    loaded = load_openair(b"AC R\nAN x\n" + raw, "any")
    assert len(loaded.volumes) + len(loaded.rejected) >= 0


@given(st.text(alphabet="ADVXPCBNEHLF=:0123456789., \n+-*", max_size=400))
@hypothesis_settings(max_examples=200)
def test_any_words_are_refused_or_read(text: str) -> None:
    loaded = load(block(outline=BOX + text) + "\n" + block("Last"))
    assert loaded.volumes[-1].name == "Last"


REAL = {
    "CZ-ASP-National-XCSoar": (270, 71, 35),
    "DE-ASP-SpreewaldComp-XCSoar": (769, 111, 135),
    "NL-ASP-National-XCSoar": (166, 34, 50),
    "PL-ASP-Wave-XCSoar": (6, 0, 0),
    "SK-ASP-National-XCSoar": (86, 21, 17),
    "france": (1611, 149, 297),
}


@pytest.mark.recordings
@pytest.mark.parametrize("name", sorted(REAL))
def test_real_files_are_read_whole(recordings: Path, name: str) -> None:
    raw = gzip.decompress((recordings / "airspace" / "openair" / f"{name}.txt.gz").read_bytes())
    loaded = load_openair(raw, name)
    kinds = [volume.edges_written for volume in loaded.volumes]
    assert loaded.rejected == ()
    assert (len(loaded.volumes), kinds.count(("circle",)), kinds.count(("arc",))) == REAL[name]
    assert len({volume.volume_id for volume in loaded.volumes}) == len(loaded.volumes)
    assert all(volume.original.startswith("AC") for volume in loaded.volumes)
    again = load_file(normalised_bytes(loaded.volumes), "again").volumes
    assert [volume.digest for volume in again] == [volume.digest for volume in loaded.volumes]
