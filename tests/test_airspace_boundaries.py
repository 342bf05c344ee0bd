"""The packaged sovereign airspace."""

from __future__ import annotations

import json
import lzma
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import (
    describe,
    disputed_ids,
    known_codes,
    list_rows,
    load_volumes,
    packaged_boundaries,
    parse_boundary_file,
)
from airvigil.airspace.volumes import Volume, ring_area_deg2
from airvigil.errors import AirspaceError

BUDGET_BYTES = 8_000_000


def polygon(volume: Volume) -> shapely.Geometry:
    """Even-odd area of a volume, by Shapely."""
    area = shapely.Polygon()
    for ring in sorted(volume.rings, key=lambda ring: -abs(ring_area_deg2(ring))):
        area = shapely.symmetric_difference(area, shapely.Polygon(ring[:, ::-1]))
    return area


def inside(volumes: list[Volume], latitude: float, longitude: float) -> list[str]:
    return [v.volume_id for v in volumes if shapely.contains_xy(polygon(v), longitude, latitude)]


def test_the_file_says_where_it_comes_from_and_keeps_its_budget() -> None:
    file = packaged_boundaries()
    assert file.header["source"] == "npm @osm_borders/maritime_10m 1.1.0"
    assert file.header["source_sha256"] == "a1aaf348a83087e9c210fc673a2226c0193aa41178b0ea53b4f79460d76eb7e4"
    assert "OpenStreetMap contributors" in file.header["attribution"]
    assert "ODbL" in file.header["attribution"]
    assert len(file.body) < BUDGET_BYTES
    assert len(known_codes()) == 248
    assert len(disputed_ids()) == 23
    assert file.header["repaired"] == ["PSE"]


def test_five_states_load_fast() -> None:
    packaged_boundaries()
    began = time.perf_counter()
    load_volumes(["EST", "FIN", "LVA", "SWE", "RUS"])
    assert time.perf_counter() - began < 0.5


def test_vaindloo_is_estonian_and_11860_m_from_the_limit() -> None:
    """The island at 59.8175 N 26.3594 E; the distance by the reference data's notes."""
    airspace = Airspace(load_volumes(["EST"]))
    found = airspace.margins([59.8175], [26.3594], [[1.0, 0.0, 1.0]], [0.0])
    assert [airspace.volumes[k].volume_id for k in found.volume] == ["EST", "EST|RUS"]
    assert found.margin_m[0] == pytest.approx(11_860.0, abs=20.0)


def test_a_state_contains_its_dependencies_unless_they_are_asked_for() -> None:
    mariehamn = (60.097, 19.935)
    assert inside(load_volumes(["FIN"]), *mariehamn) == ["FIN"]
    assert inside(load_volumes(["ALA"]), *mariehamn) == ["ALA"]
    both = load_volumes(["FIN", "ALA"])
    assert inside(both, *mariehamn) == ["ALA"]
    together = shapely.union_all([polygon(v) for v in both])
    assert shapely.symmetric_difference(together, polygon(load_volumes(["FIN"])[0])).area < 1e-9
    assert shapely.intersection(polygon(both[0]), polygon(both[1])).area < 1e-9


def test_there_is_no_seam_between_a_state_and_its_dependency() -> None:
    """Between the Åland Islands and the Finnish main coast no boundary is near."""
    airspace = Airspace(load_volumes(["FIN"]))
    found = airspace.margins([60.25], [21.3], [[1.0, 0.0, 1.0]], [0.0])
    assert found.margin_m[0] > 30_000.0


def test_crimea_is_disputed_and_assigned_to_nobody() -> None:
    simferopol = (44.95, 34.10)
    for codes in (["UKR"], ["RUS"], ["UKR", "RUS"]):
        volumes = load_volumes(codes)
        assert inside(volumes, *simferopol) == ["RUS|UKR"]
        (disputed,) = [v for v in volumes if v.volume_id == "RUS|UKR"]
        assert disputed.kind == "disputed"
        assert disputed.states == ("RUS", "UKR")


def test_the_callers_settings_assign_it() -> None:
    simferopol, kyiv = (44.95, 34.10), (50.45, 30.52)
    seen = {"RUS|UKR": "UKR"}
    ukraine = load_volumes(["UKR"], seen)
    assert [v.volume_id for v in ukraine] == ["UKR"]
    assert inside(ukraine, *simferopol) == ["UKR"]
    assert inside(ukraine, *kyiv) == ["UKR"]
    assert inside(load_volumes(["RUS"], seen), *simferopol) == []
    # no seam across the isthmus of Perekop, where the two parts were joined
    airspace = Airspace(ukraine)
    assert airspace.margins([46.1], [33.7], [[1.0, 0.0, 1.0]], [0.0]).margin_m[0] > 10_000.0


def test_western_sahara_is_disputed_where_morocco_claims_it() -> None:
    laayoune, la_guera = (27.15, -13.20), (20.85, -17.08)
    western_sahara, morocco = load_volumes(["ESH"]), load_volumes(["MAR"])
    assert inside(western_sahara, *laayoune) == inside(morocco, *laayoune) == ["ESH|MAR"]
    assert inside(western_sahara, *la_guera) == ["ESH"]
    assert inside(morocco, *la_guera) == []
    assert inside(load_volumes(["MAR"], {"ESH|MAR": "ESH"}), *laayoune) == []


@pytest.mark.parametrize(
    ("codes", "assigned", "message"),
    [
        (["XYZ"], {}, "no such state: 'XYZ'"),
        (["est"], {}, "no such state: 'est'"),
        (["ATA"], {}, "Antarctic Treaty"),
        (["EST"], {"EST|FIN": "EST"}, "no such disputed area"),
        (["EST"], {"EST|RUS": "FIN"}, "does not claim it"),
    ],
)
def test_what_does_not_exist_is_refused(codes: list[str], assigned: dict[str, str], message: str) -> None:
    with pytest.raises(AirspaceError, match=message):
        load_volumes(codes, assigned)


def test_every_ring_of_every_volume_is_sound() -> None:
    """Valid by GEOS, and the interior on its left: the whole area is what the rings' signed areas add up to."""
    volumes = load_volumes(known_codes())
    assert len(volumes) == 248 + 23
    for volume in volumes:
        rings = [shapely.Polygon(ring[:, ::-1]) for ring in volume.rings]
        assert shapely.is_valid(rings).all(), volume.volume_id
        assert sum(ring_area_deg2(ring) for ring in volume.rings) > 0.0


def test_undisputed_and_disputed_areas_do_not_overlap() -> None:
    volumes = load_volumes(["RUS", "UKR", "EST"])
    areas = [polygon(v) for v in volumes]
    for i in range(len(areas)):
        for j in range(i):
            common = shapely.intersection(areas[i], areas[j])
            # slivers of a border that the source simplified twice stay in both: below 0.1 km2 in sum
            assert common.area * 111.2**2 < 0.1, (volumes[i].volume_id, volumes[j].volume_id)


def test_a_changed_byte_is_noticed() -> None:
    header = json.dumps({"format": "airvigil.boundaries/1", "body_sha256": "0" * 64}).encode()
    with pytest.raises(AirspaceError, match="SHA-256"):
        parse_boundary_file(lzma.compress(header) + b"body", "changed.xz")
    with pytest.raises(AirspaceError, match="header cannot be read"):
        parse_boundary_file(b"not xz at all", "changed.xz")
    with pytest.raises(AirspaceError, match="header cannot be read"):
        parse_boundary_file(lzma.compress(header)[:20], "cut.xz")
    with pytest.raises(AirspaceError, match="SHA-256"):
        parse_boundary_file(lzma.compress(b"[]"), "list.xz")


def test_another_format_is_refused() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    header = json.dumps({"format": "airvigil.boundaries/2", "body_sha256": empty}).encode()
    with pytest.raises(AirspaceError, match="expected format"):
        parse_boundary_file(lzma.compress(header), "newer.xz")


def test_the_list_names_states_and_disputed_areas() -> None:
    rows = list_rows()
    assert [row.volume_id for row in rows if row.kind == "disputed"] == list(disputed_ids())
    finland = next(row for row in rows if row.volume_id == "FIN")
    assert (finland.name, finland.dependencies) == ("Finland", ("ALA",))


def test_a_description_can_be_written_as_json() -> None:
    (estonia, *_) = load_volumes(["EST"])
    shown = json.loads(json.dumps(describe(estonia), allow_nan=False))
    assert shown["lower_limit_m"] is None
    assert (shown["south_deg"], shown["north_deg"]) == (57.50933, 59.93838)
    assert np.isclose(shown["boundary_uncertainty_m"], 10.0)


@pytest.mark.recordings
def test_a_spoofed_airliner_is_reported_inside_ukraine(recordings: Path) -> None:
    """What a naive point-in-polygon says of noisy_spoofing: 2,026 rows inside; whether to believe them is tracking's business."""
    rows = pd.read_json(recordings / "traffic_samples" / "noisy_spoofing.json.gz").dropna(
        subset=["latitude", "longitude"]
    )
    airspace = Airspace(load_volumes(["UKR"])[:1])
    n = len(rows)
    covariance = np.tile([1e4, 0.0, 1e4], (n, 1))
    found = airspace.margins(
        rows["latitude"].to_numpy(), rows["longitude"].to_numpy(), covariance, np.zeros(n)
    )
    assert int((found.margin_m > 0.0).sum()) == 2_026
