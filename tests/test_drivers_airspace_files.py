"""Airspace files from disk: compressed, in archives, damaged, or bombs."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from airvigil.drivers import airspace_files
from airvigil.drivers.airspace_choice import choose_volumes
from airvigil.drivers.airspace_files import load_airspace_files, read_airspace_file, unpacked
from airvigil.errors import AirspaceError
from airvigil.settings import load_settings
from airvigil.units import utc_ns

OPENAIR = b"AC R\nAN Range\nAL GND\nAH FL95\nV X=59:30:00 N 025:00:00 E\nDC 5\n"
KML = b"""<kml><Placemark><name>K</name><Polygon><outerBoundaryIs><LinearRing><coordinates>24,59 25,59 25,60 24,59
</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"""


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        OPENAIR,
        gzip.compress(OPENAIR),
        lzma.compress(OPENAIR),
        zipped(a_txt=OPENAIR),
        gzip.compress(OPENAIR[:20]) + gzip.compress(OPENAIR[20:]),
    ],
)
def test_a_file_is_the_same_however_it_is_packed(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(raw)
    (file,) = load_airspace_files([str(path)])
    assert [volume.volume_id for volume in file.loaded.volumes] == ["Range"]
    assert file.sha256 == hashlib.sha256(OPENAIR).hexdigest()


def test_a_kmz_gives_its_first_document() -> None:
    assert unpacked(zipped(files__icon_png=b"\x89PNG", doc_kml=KML, other_kml=b"no"), "x.kmz") == KML


@pytest.mark.parametrize(
    "raw",
    [
        zipped(a_txt=b"a", b_txt=b"b"),
        zipped(),
        zipped(a_txt=OPENAIR)[:40],
        zipped(a_txt=OPENAIR * 50).replace(b"PK\x01\x02", b"PK\x01\x03"),
        gzip.compress(OPENAIR)[:30],
        gzip.compress(OPENAIR) + b"rubbish that is no gzip",
        lzma.compress(OPENAIR)[:40],
        b"\x1f\x8b\x08\x00" + bytes(range(50)),
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_what_is_damaged_or_unclear_is_one_error(raw: bytes) -> None:
    with pytest.raises(AirspaceError):
        unpacked(raw, "x")


def test_bombs_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = 8 << 20
    monkeypatch.setattr(airspace_files, "MAX_FILE_BYTES", bound)
    zeros = bytes(64 << 20)
    for raw in (gzip.compress(zeros), lzma.compress(zeros), zipped(a_txt=zeros), zipped(doc_kml=zeros)):
        tracemalloc.start()
        with pytest.raises(AirspaceError, match="expands to more than"):
            unpacked(raw, "x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5 * bound


def test_an_archive_that_lies_about_its_size_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airspace_files, "MAX_FILE_BYTES", 1 << 20)
    raw = bytearray(zipped(a_txt=bytes(4 << 20)))
    at = raw.find(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    raw[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(AirspaceError):
        unpacked(bytes(raw), "x")


def test_files_that_are_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "nowhere.txt", tmp_path):
        with pytest.raises(AirspaceError, match=str(path)):
            read_airspace_file(path)
    monkeypatch.setattr(airspace_files, "MAX_FILE_BYTES", 10)
    (tmp_path / "large.txt").write_bytes(OPENAIR)
    with pytest.raises(AirspaceError, match="at most 10 bytes"):
        read_airspace_file(tmp_path / "large.txt")


@pytest.mark.recordings
def test_a_data_set_and_the_notam_to_it_are_read_as_one(recordings: Path) -> None:
    folder = recordings / "airspace" / "aixm_donlon"
    names = [
        str(folder / "EA_AIP_DS_FULL_20170701.xml"),
        str(folder / "digitalNOTAM" / "DN_SAA.ACT_area_activation.xml"),
    ]
    (file,) = load_airspace_files(names, at_ns=utc_ns("2017-08-01T00:00Z"))
    assert (file.name, file.loaded.format) == (",".join(names), "aixm")
    digests = [hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in names]
    assert file.sha256 == ",".join(digests)
    assert all(digest in volume.version for volume in file.loaded.volumes for digest in digests)
    assert {volume.kind for volume in file.loaded.volumes} == {"user", "fir"}
    with pytest.raises(AirspaceError, match="no instant"):
        load_airspace_files(names)


def test_states_and_files_in_one_list_have_ids_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(OPENAIR.replace(b"Range", b"EST"))
    (tmp_path / "b.kmz").write_bytes(zipped(doc_kml=KML))
    told = []
    volumes = choose_volumes(
        f"EST, {tmp_path / 'a.txt'},{tmp_path / 'b.kmz'}", load_settings(), kind="fir", told=told.append
    )
    assert [(v.volume_id, v.kind) for v in volumes] == [
        ("EST", "sovereign"), ("EST|RUS", "disputed"), ("EST (2)", "fir"), ("K", "fir"),
    ]  # fmt: skip
    assert [file.loaded.format for file in told] == ["openair", "kml"]
    with pytest.raises(AirspaceError, match="no airspace"):
        choose_volumes(" , ", load_settings())
