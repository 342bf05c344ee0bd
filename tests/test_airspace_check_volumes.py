"""Findings in volumes made with known faults, one fault each; sound ones give none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.airspace.activation import Activation
from airvigil.airspace.checks.check import Finding
from airvigil.airspace.checks.check_volumes import check_volume, check_volumes
from airvigil.airspace.limits import Limit, parse_limit
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import Volume, make_volume

BOX = [(59.0, 24.0), (59.0, 25.0), (60.0, 25.0), (60.0, 24.0)]
HOLE = [(59.4, 24.4), (59.6, 24.4), (59.6, 24.6), (59.4, 24.6)]
Places = Sequence[tuple[float, float]]


def ring(places: Places) -> np.ndarray:
    return np.array([*places, places[0]])


def found(*rings: Places, **options: object) -> list[Finding]:
    volume = make_volume("V", [ring(places) for places in rings], place="line 7", source="x.txt", **options)  # type: ignore[arg-type]
    return list(check_volume(volume, 0))


def limit(text: str) -> Limit:
    height_m, reference = parse_limit(text)
    return Limit(height_m, reference, text)


def test_a_sound_volume_with_a_hole_and_an_island_gives_nothing() -> None:
    island = [(59.49, 24.49), (59.49, 24.51), (59.51, 24.51), (59.51, 24.49)]
    assert found(BOX, HOLE, island) == []


@pytest.mark.parametrize(
    ("rings", "severity", "rule", "where"),
    [
        ([[(59.0, 24.0), (60.0, 25.0), (59.0, 25.0), (60.0, 24.0)]], "error", "self_intersection", (59.5, 24.5)),
        ([BOX[::-1]], "error", "orientation", (59.5, 24.5)),
        ([BOX, HOLE[::-1]], "error", "orientation", (59.5, 24.5)),
        ([BOX, [(59.4, 24.4), (59.6, 24.4), (59.6, 25.6), (59.4, 25.6)]], "error", "hole_outside", (59.5, 25.0)),
        ([BOX, [(61.4, 24.4), (61.6, 24.4), (61.6, 24.6), (61.4, 24.6)]], "error", "orientation", (61.5, 24.5)),
        ([[*BOX[:2], (59.0, 25.00000001), *BOX[2:]]], "warning", "duplicate_vertex", (59.0, 25.00000001)),
        ([[*BOX[:3], (60.0, 26.0), (60.0, 25.0), BOX[3]]], "error", "self_intersection", None),
        ([[(59.0, 24.0), (59.0, 24.001), (59.0005, 24.001), (59.0005, 24.0)]], "warning", "sliver", (59.00025, 24.0005)),
        ([[(59.0, -179.0), (60.0, -179.0), (60.0, 179.0), (59.0, 179.0)]], "error", "antimeridian", (60.0, -179.0)),
    ],
)  # fmt: skip
def test_each_fault_is_found_where_it_is(
    rings: list[Places], severity: str, rule: str, where: tuple[float, float] | None
) -> None:
    first = next(finding for finding in found(*rings) if finding.rule == rule)
    assert first.severity == severity
    assert first.place.startswith("x.txt: line 7: V")
    if where:
        assert (first.latitude_deg, first.longitude_deg) == pytest.approx(where, abs=1e-6)


def test_a_spike_is_measured() -> None:
    out = Geodesic.WGS84.Direct(59.5, 25.0, 90.0, 5000.0)
    spiked = [*BOX[:2], (59.5, 25.0), (out["lat2"], out["lon2"]), (59.500001, 25.0), *BOX[2:]]
    (spike,) = found(spiked)
    assert (spike.rule, spike.severity) == ("spike", "warning")
    assert "5,000 m out and back, 0.11 m wide" in spike.message


def test_a_sliver_whose_geodesics_turn_it_inside_out() -> None:
    """16 degrees along a parallel: the geodesic bulges north by 12 km, further than the sliver is wide."""
    sliver = [(60.0, 20.0), (60.0, 36.0), (60.05, 28.0)]
    as_lonlat, as_geodesics = found(sliver), found(sliver, edge_kind="geodesic")
    assert [(f.severity, f.rule) for f in as_lonlat] == [("warning", "sliver_flips")]
    assert [(f.severity, f.rule) for f in as_geodesics] == [("error", "sliver_flips")]
    polygon = Geodesic.WGS84.Polygon()
    for lat, lon in sliver:
        polygon.AddPoint(lat, lon)
    assert polygon.Compute(False, True)[2] < 0.0
    assert found([(60.0, 20.0), (60.0, 36.0), (61.0, 28.0)]) == []


@pytest.mark.parametrize(
    ("lower", "upper", "needed"),
    [
        ("FL65", "6500 ft AMSL", "the air pressure"),
        ("3000 ft AGL", "3500 ft AMSL", "the height of the ground"),
        ("3000 ft AGL", "FL40", "the air pressure and the height of the ground"),
        ("3000 ft AMSL", "950 m W84", "the geoid"),
    ],
)
def test_limits_that_may_cross_name_what_would_tell(lower: str, upper: str, needed: str) -> None:
    (finding,) = found(BOX, lower=limit(lower), upper=limit(upper))
    assert finding.rule == "limits"
    assert finding.message.endswith(f"may cross: which is higher needs {needed}")


@pytest.mark.parametrize(
    ("lower", "upper"),
    [("1000 ft AGL", "FL100"), ("2500 ft AMSL", "FL95"), ("GND", "UNL"), ("FL95", "FL195")],
)
def test_limits_far_apart_are_no_finding(lower: str, upper: str) -> None:
    assert found(BOX, lower=limit(lower), upper=limit(upper)) == []


def test_unknown_activation_is_said() -> None:
    (finding,) = found(BOX, activation=Activation("unknown", text="SR-SS"))
    assert finding.rule == "activation"
    assert "nobody says when it is active (SR-SS)" in finding.message


def test_two_volumes_of_one_id() -> None:
    volumes: list[Volume] = [
        make_volume("A", [ring(BOX)]),
        make_volume("A", [ring([(50.0, 1.0), (50.0, 2.0), (51.0, 1.0)])]),
    ]
    assert [finding.rule for finding in check_volumes(volumes)] == ["duplicate_id"]


def test_the_packaged_boundaries_are_sound_by_themselves() -> None:
    assert [
        f
        for k, v in enumerate(load_volumes(["EST", "FIN", "LVA"]))
        for f in check_volume(v, k)
        if f.severity == "error"
    ] == []
