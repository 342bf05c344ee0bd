"""Volumes written for other programs, read back by our own readers and by another's eyes."""

from __future__ import annotations

import csv
import io
import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

from airvigil.airspace.activation import Activation, Window
from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.airspace.sources.arcs import circle_ring
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.kml_volumes import load_kml
from airvigil.airspace.sources.openair import load_openair
from airvigil.airspace.sources.outlines import displacement_m
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.exports.airspace_files import volumes_csv, volumes_kml, volumes_openair
from airvigil.units import utc_ns

BOX = np.array([[-1.0, -2.0], [-1.0, 25.0], [60.0, 25.0], [60.0, -2.0], [-1.0, -2.0]])
SMALL = np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])
HOLE = np.array([[59.4, 24.4], [59.6, 24.4], [59.6, 24.6], [59.4, 24.6], [59.4, 24.4]])
LIMITS = (
    (NO_LOWER, NO_UPPER),
    (Limit(0.0, "MSL", "0FT AMSL"), Limit(2895.6, "STD", "FL 95")),
    (Limit(304.8, "SFC", "1000ft ASFC"), Limit(1_000.0, "SFC", "1000m AGL")),
    (Limit(30.5, "STD"), Limit(1_371.6, "MSL", "4500")),
)


def volume(volume_id: str = "R 1", *rings: np.ndarray, **more: object) -> Volume:
    return make_volume(volume_id, rings or (SMALL,), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("lower", "upper"), LIMITS)
def test_limits_come_back_from_openair_and_kml(lower: Limit, upper: Limit) -> None:
    given = volume(lower=lower, upper=upper, airspace_class="D", airspace_type="CTR")
    for read, write in ((load_openair, volumes_openair), (load_kml, volumes_kml)):
        (after,) = read(write([given])[0], "x").volumes
        assert (after.volume_id, after.airspace_class, after.airspace_type) == ("R 1", "D", "CTR")
        for side in ("lower", "upper"):
            ours, theirs = getattr(given, side), getattr(after, side)
            assert theirs.reference == ours.reference
            assert theirs.height_m == ours.height_m or math.isclose(
                theirs.height_m, ours.height_m, abs_tol=1e-5
            )


@pytest.mark.parametrize(
    "given",
    [
        volume("circle", circle_ring((59.5, 25.0), 9_260.0), edge_kind="geodesic"),
        volume("south and west", circle_ring((-33.5, -70.1), 60_000.0), edge_kind="geodesic"),
        volume("straight", SMALL, edge_kind="lonlat"),
        volume("long and straight", BOX, edge_kind="lonlat"),
        volume("on the line", circle_ring((0.001, 0.001), 900.0), edge_kind="geodesic"),
    ],
    ids=lambda given: given.volume_id,
)
def test_outlines_come_back(given: Volume) -> None:
    for read, write, metres in ((load_openair, volumes_openair, 1.2), (load_kml, volumes_kml, 1.2)):
        (after,) = read(write([given])[0], "x").volumes
        assert after.edge_kind == "geodesic"
        assert displacement_m(given, after) < metres
        if given.edge_kind == "geodesic":
            assert displacement_m(given, after) < 0.005


def test_what_openair_cannot_say_is_said() -> None:
    nightly = Activation("schedule", (Window(0, 2**62, (0,), 0, 3600),), "MON")
    content, lost = volumes_openair(
        [volume("holed", SMALL, HOLE), volume("two", SMALL, SMALL + 5.0), volume("night", activation=nightly)]
    )
    assert [loaded.volume_id for loaded in load_openair(content, "x").volumes] == [
        "two (1)",
        "two (2)",
        "night",
    ]
    assert [line.partition(":")[2].strip() for line in lost] == ["holed", "two", "night"]


def test_activation_in_openair() -> None:
    hour = Activation(
        "schedule",
        (
            Window(utc_ns("2026-05-01T10:00Z"), utc_ns("2026-05-01T11:00Z")),
            Window(-(2**62), utc_ns("2026-04-01T00:00Z")),
        ),
    )
    content, _ = volumes_openair([volume("a", activation=hour), volume("b", activation=Activation("notam"))])
    first, second = load_openair(content, "x").volumes
    assert first.activation.windows == hour.windows
    assert second.activation.kind == "unknown"


def test_kml_with_holes_is_kml() -> None:
    content, lost = volumes_kml([volume("h & <b>", SMALL, HOLE, activation=Activation("unknown", (), "HX"))])
    root = ET.fromstring(content)
    space = {"k": "http://www.opengis.net/kml/2.2"}
    assert [element.text for element in root.iterfind(".//k:Placemark/k:name", space)] == ["h & <b>"]
    rings = [
        [tuple(map(float, pair.split(","))) for pair in (element.text or "").split()]
        for element in root.iterfind(".//k:coordinates", space)
    ]
    assert shapely.Polygon(rings[0], rings[1:]).area == pytest.approx(0.96, abs=1e-4)
    assert lost == ["activation of 1 volumes is in words only"]
    (after,) = load_kml(content, "x").volumes
    assert (len(after.rings), after.activation.kind, after.activation.text) == (2, "unknown", "HX")


def test_csv_is_a_list() -> None:
    content, _ = volumes_csv([*load_volumes(["EST"]), volume("a,b", upper=Limit(2895.6, "STD", "FL 95"))])
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [row["volume_id"] for row in rows] == ["EST", "EST|RUS", "a,b"]
    assert (rows[0]["states"], rows[0]["upper_limit_m"], rows[1]["states"]) == ("EST", "", "EST RUS")
    assert (rows[2]["upper_limit"], rows[2]["upper_limit_m"], rows[2]["vertices"]) == ("FL 95", "2895.6", "4")
