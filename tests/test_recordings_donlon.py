"""The AIXM data sets and digital NOTAMs of Donlon, a fictitious state: every file, every airspace, and every change."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from airvigil.airspace.checks.check_volumes import check_volumes
from airvigil.airspace.checks.geodesic_area import geodesic_ring_area_m2
from airvigil.airspace.sources.aixm import load_aixm
from airvigil.airspace.sources.aixm_document import Library, local, read_documents, text_of
from airvigil.airspace.sources.aixm_slices import read_slices, standing, state_at
from airvigil.airspace.sources.loaded import Loaded
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns

pytestmark = pytest.mark.recordings

NOT_WELL_FORMED = {"DN_ATSA.ACT_sectors.xml": 98, "DN_WLD.HZD_EADD.xml": 62}
FIRST = "EA_AIP_DS_FULL_20170701.xml"
CYCLES = ("20181206", "20190131", "20191205")
POINT = "008591e1-3173-42f3-bd7e-68be78c7d1cf"  # the one feature that the deltas make, move and withdraw


@pytest.fixture(scope="module")
def donlon(recordings: Path) -> Path:
    return recordings / "airspace" / "aixm_donlon"


def documents(donlon: Path, *names: str) -> list[tuple[bytes, str]]:
    return [((donlon / name).read_bytes(), Path(name).name) for name in names]


@functools.cache
def at(donlon: Path, time: str, *names: str) -> Loaded:
    return load_aixm(documents(donlon, *names), utc_ns(time))


def ear2(loaded: Loaded) -> Volume:
    return next(volume for volume in loaded.volumes if volume.volume_id == "R EAR2")


def test_every_file_is_read_or_refused_with_its_line(donlon: Path) -> None:
    files = sorted(donlon.rglob("*.xml"))
    assert len(files) == 50
    refused = {}
    airspaces = 0
    for path in files:
        try:
            airspaces += read_documents([(path.read_bytes(), path.name)]).kinds["Airspace"]
        except AirspaceError as error:
            refused[path.name] = str(error)
    assert airspaces == 4 * 20 + 6
    assert refused.keys() == NOT_WELL_FORMED.keys()
    assert all(
        f"not well-formed XML at line {line}" in refused[name] for name, line in NOT_WELL_FORMED.items()
    )


@pytest.mark.parametrize(
    "name", [FIRST, *(f"temporality/EA_AIP_DS_FULL_{cycle}_AIRAC.xml" for cycle in CYCLES)]
)
def test_airspaces_become_volumes_or_are_rejected_for_what_is_in_the_file(donlon: Path, name: str) -> None:
    loaded = at(donlon, "2020-01-01", name)
    assert len(loaded.volumes) == 17
    told = sorted((remark.text, remark.reason.rpartition(": ")[2]) for remark in loaded.rejected)
    assert told == [
        ("EADD DONLON", "77,895 m are missing"),
        ("EADD2 SECTOR DONLON WEST", "77,895 m are missing"),
        ("EAR5 WINSWUK", "107,669 m are missing"),
    ]
    assert [finding for finding in check_volumes(loaded.volumes) if finding.severity == "error"] == []


def test_geometry_of_every_kind(donlon: Path) -> None:
    volumes = {volume.volume_id: volume for volume in at(donlon, "2018-01-01", FIRST).volumes}
    written = {volume.edges_written for volume in volumes.values()}
    assert written == {("corridor",), ("geodesic",), ("circle",), ("arc", "geodesic")}
    assert volumes["FIR EAAD"].kind == "fir"
    assert volumes["ATZ EADH"].edges_written == ("circle",)  # its centre is a link to a point
    along_the_border = volumes["MOA EAMTA01"]
    assert len(along_the_border.rings[0]) == 35
    union = volumes["TMA EAMM"]
    parts = [geodesic_ring_area_m2(volumes[part].rings[0]) for part in ("TMA_P EAMM1", "TMA_P EAMM2")]
    assert len(union.rings) == 1
    assert geodesic_ring_area_m2(union.rings[0]) == pytest.approx(sum(parts), rel=1e-3)


@pytest.mark.parametrize(
    ("time", "state", "upper"),
    [
        ("2018-05-01T04:59:59Z", "inactive", "FL350 STD"),
        ("2018-05-01T05:00:00Z", "active", "FL350 STD"),
        ("2018-05-01T15:00:00Z", "inactive", "FL350 STD"),
        ("2018-05-12T05:59:59Z", "inactive", "FL350 STD"),
        ("2018-05-12T06:00:00Z", "active", "FL350 STD"),
        ("2018-05-12T15:29:59Z", "active", "FL350 STD"),
        ("2018-05-12T15:30:00Z", "inactive", "FL350 STD"),
        ("2018-05-21T07:00:00Z", "inactive", "FL350 STD"),
    ],
)
def test_a_restricted_area_activated_by_notam(donlon: Path, time: str, state: str, upper: str) -> None:
    notams = [f"digitalNOTAM/DN_SAA.ACT_{name}.xml" for name in ("area_activation", "date_range_schedule")]
    for as_of in ("2018-04-01", "2018-05-01T10:00:00Z", "2018-05-12T20:00:00Z"):
        volume = ear2(at(donlon, as_of, FIRST, *notams))
        assert (volume.activation.state_at(utc_ns(time)), str(volume.upper)) == (state, upper)


def test_the_notam_that_changes_limits_names_them_the_wrong_way_round(donlon: Path) -> None:
    """FL300 as the upper and FL400 as the lower: nothing is repaired, the area is rejected while the NOTAM is valid."""
    notam = "digitalNOTAM/DN_SAA.ACT_changed_limits.xml"
    during = at(donlon, "2018-05-08T13:59:59Z", FIRST, notam)
    (rejected,) = [remark for remark in during.rejected if remark.text == "EAR2 PASOUND"]
    assert "lower limit FL400 STD is not below upper limit FL300 STD" in rejected.reason
    assert (
        "TEMPDELTA 2.0 2018-05-07T14:00Z/2018-05-08T14:00Z of DN_SAA.ACT_changed_limits.xml"
        in rejected.reason
    )
    for time in ("2018-05-07T13:59:59Z", "2018-05-08T14:00:00Z"):
        assert str(ear2(at(donlon, time, FIRST, notam)).upper) == "FL350 STD"


@pytest.mark.parametrize(
    ("name", "before", "during", "after"),
    [
        ("DN_SAA.NEW_SAR", "2017-08-29T17:00:59Z", "2017-08-29T17:01:00Z", "2017-08-29T19:00:00Z"),
        ("DN_SAA.NEW_several NOTAM", "2018-02-05T06:59:59Z", "2018-02-05T07:00:00Z", "2018-02-05T23:00:00Z"),
        ("DN_ATSA.NEW_in_use", "2018-11-15T09:59:59Z", "2018-11-15T10:00:00Z", "2018-11-15T20:00:00Z"),
    ],
)
def test_a_new_area_is_there_from_its_start_to_its_end(
    donlon: Path, name: str, before: str, during: str, after: str
) -> None:
    file = f"digitalNOTAM/{name}.xml"
    assert at(donlon, before, file).volumes == at(donlon, after, file).volumes == ()
    (volume,) = at(donlon, during, file).volumes
    assert [volume.activation.state_at(utc_ns(time)) for time in (before, during, after)] == [
        "inactive",
        "active",
        "inactive",
    ]


def properties(library: Library, key: str, time: str) -> dict[str, list[tuple[str, ...]]]:
    """What a feature's state says, ids and spaces apart."""
    slices, _ = read_slices(library.features.get(key, []), library)
    state = state_at(standing(slices)[0], utc_ns(time))
    return {
        name: [tuple(f"{local(e)} {text_of(e)}" for e in element.iter("*")) for element in elements]
        for name, elements in state.properties.items()
    }


@pytest.mark.parametrize("kind", ["DELTA", "BL"])
@pytest.mark.parametrize("cycle", CYCLES)
def test_updates_give_what_the_next_full_data_set_says(donlon: Path, cycle: str, kind: str) -> None:
    """Permanent deltas and baseline updates up to a cycle, against that cycle's full data set, feature by feature."""
    updates = [f"temporality/EA_AIP_DS_UPD_{kind}_{past}_AIRAC.xml" for past in CYCLES if past <= cycle]
    full = f"temporality/EA_AIP_DS_FULL_{cycle}_AIRAC.xml"
    every = (
        "Airspace",
        "DesignatedPoint",
        "GeoBorder",
        "Navaid",
        "RouteSegment",
        "Runway",
        "AirportHeliport",
    )
    time = f"{cycle[:4]}-{cycle[4:6]}-{cycle[6:]}T00:00:00Z"
    updated = read_documents(documents(donlon, FIRST, *updates), every)
    expected = read_documents(documents(donlon, full), every)
    for key in updated.features.keys() | expected.features.keys():
        assert properties(updated, key, time) == properties(expected, key, time), key
    there = bool(properties(updated, POINT, time))
    assert there == (cycle != "20191205")


@pytest.mark.parametrize("cycle", CYCLES)
def test_volumes_are_the_same_by_updates_and_by_full_data_sets(donlon: Path, cycle: str) -> None:
    updates = [f"temporality/EA_AIP_DS_UPD_DELTA_{past}_AIRAC.xml" for past in CYCLES if past <= cycle]
    time = f"{cycle[:4]}-{cycle[4:6]}-{cycle[6:]}T00:00:00Z"
    by_updates = at(donlon, time, FIRST, *updates).volumes
    by_full = at(donlon, time, f"temporality/EA_AIP_DS_FULL_{cycle}_AIRAC.xml").volumes
    assert [(v.volume_id, v.digest) for v in by_updates] == [(v.volume_id, v.digest) for v in by_full]
