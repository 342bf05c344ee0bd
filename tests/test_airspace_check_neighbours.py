"""Gaps and overlaps between neighbours, made with known widths; and what is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.checks.check import Finding
from airvigil.airspace.checks.check_neighbours import check_neighbours
from airvigil.airspace.limits import Limit
from airvigil.airspace.volumes import Volume, make_volume

Places = Sequence[tuple[float, float]]


def volume(name: str, places: Places, **options: object) -> Volume:
    options.setdefault("airspace_type", "TMA")
    return make_volume(
        name, [np.array([*places, places[0]])], place=f"line {ord(name)}", source="x.txt", **options
    )  # type: ignore[arg-type]


def box(
    name: str, west: float, east: float, south: float = 59.0, north: float = 60.0, **options: object
) -> Volume:
    return volume(name, [(south, west), (south, east), (north, east), (north, west)], **options)


def metres(findings: Sequence[Finding]) -> list[tuple[str, float, float]]:
    told = []
    for finding in findings:
        width = re.search(r"of up to ([\d,]+) m", finding.message)
        length = re.search(r"along ([\d.]+) km", finding.message)
        assert width
        assert length
        told.append((finding.rule, float(width[1].replace(",", "")), float(length[1])))
    return told


def east_of(lat: float, lon: float, metres_east: float) -> float:
    return float(Geodesic.WGS84.Direct(lat, lon, 90.0, metres_east)["lon2"])


def test_borders_that_are_the_same_are_no_finding() -> None:
    assert list(check_neighbours([box("A", 24.0, 25.0), box("B", 25.0, 26.0)])) == []
    # the same line with other vertices on it
    split = volume("B", [(59.0, 25.0), (59.0, 26.0), (60.0, 26.0), (60.0, 25.0), (59.7, 25.0), (59.2, 25.0)])
    assert list(check_neighbours([box("A", 24.0, 25.0), split])) == []


@pytest.mark.parametrize(
    ("shift_m", "rule"), [(50.0, "gap"), (-50.0, "overlap"), (3.0, "gap"), (-200.0, "overlap")]
)
def test_a_gap_or_an_overlap_is_measured(shift_m: float, rule: str) -> None:
    near = east_of(59.0, 25.0, shift_m)
    (finding,) = check_neighbours([box("A", 24.0, 25.0), box("B", near, 26.0)])
    ((found_rule, width_m, length_km),) = metres([finding])
    assert (finding.severity, found_rule) == ("warning", rule)
    assert width_m == pytest.approx(abs(shift_m), rel=0.01, abs=0.6)
    assert length_km == pytest.approx(111.4, abs=0.3)
    assert finding.place == "x.txt: line 65: A, and line 66"


@given(st.floats(-60.0, 60.0), st.floats(0.2, 0.8))
def test_a_vertex_that_is_off_the_line_of_the_other(off_m: float, share: float) -> None:
    lat = 59.0 + share
    bent = volume(
        "B", [(59.0, 25.0), (59.0, 26.0), (60.0, 26.0), (60.0, 25.0), (lat, east_of(lat, 25.0, off_m))]
    )
    findings = list(check_neighbours([box("A", 24.0, 25.0), bent]))
    if abs(off_m) < 1.9:
        assert findings == []
    elif abs(off_m) > 2.1:
        ((rule, width_m, _),) = metres(findings)
        assert rule == ("gap" if off_m > 0.0 else "overlap")
        assert width_m == pytest.approx(abs(off_m), abs=0.6)
        assert findings[0].latitude_deg == pytest.approx(lat, abs=1e-9)


@pytest.mark.parametrize(
    "other",
    [
        box("B", 25.01, 26.0),  # 570 m apart: meant to be
        box("B", 24.5, 25.5),  # overlapping widely
        box("B", 24.2, 25.00005, 59.2, 59.8),  # within the other, its border beside the other's
        box("B", 25.0005, 26.0, airspace_type="CTR"),  # another layer
        box("B", 25.0005, 26.0, lower=Limit(2000.0, "MSL"), upper=Limit(3000.0, "MSL")),  # above
        volume("B", [(59.0, 24.9), (59.0, 26.0), (60.0, 26.0), (60.0, 25.1)]),  # crossing
        volume("B", [(59.0, 25.0), (59.0, 26.0), (60.0, 26.0), (60.0, 25.05)]),  # parting from a corner
    ],
)  # fmt: skip
def test_what_is_no_finding(other: Volume) -> None:
    assert list(check_neighbours([box("A", 24.0, 25.0, upper=Limit(1000.0, "MSL")), other])) == []


def test_a_geodesic_and_a_straight_border_between_the_same_places_are_not_the_same() -> None:
    south = volume("A", [(59.0, 24.0), (59.0, 25.5), (60.0, 25.5), (60.0, 24.0)], edge_kind="geodesic")
    north = volume("B", [(60.0, 24.0), (60.0, 25.5), (61.0, 25.5), (61.0, 24.0)])
    ((rule, width_m, length_km),) = metres(list(check_neighbours([south, north])))
    middle = Geodesic.WGS84.InverseLine(60.0, 24.0, 60.0, 25.5)
    bulge = middle.Position(middle.s13 / 2.0)
    exact = Geodesic.WGS84.Inverse(bulge["lat2"], bulge["lon2"], 60.0, bulge["lon2"])["s12"]
    assert rule == "overlap"
    assert width_m == pytest.approx(exact, rel=0.01)
    assert length_km == pytest.approx(83.7, abs=3.0)


def test_states_may_not_overlap_at_all() -> None:
    findings = list(
        check_neighbours([box("A", 24.0, 25.0, kind="sovereign"), box("B", 24.9, 26.0, kind="disputed")])
    )
    assert [(f.severity, f.rule) for f in findings] == [("error", "overlap")]
    assert "A and B overlap by 6" in findings[0].message
    assert (
        list(check_neighbours([box("A", 24.0, 25.0, kind="sovereign"), box("B", 24.9, 26.0, kind="fir")]))
        == []
    )


def test_a_volume_that_crosses_itself_is_compared_all_the_same() -> None:
    bow = volume("B", [(59.0, 25.0005), (59.5, 26.0), (59.0, 26.0), (59.5, 25.0005)])
    list(check_neighbours([box("A", 24.0, 25.0), bow]))


def test_many_places_of_one_pair_are_counted() -> None:
    zigzag = [
        (59.0 + k / 100.0, 25.0 if k % 2 else east_of(59.0 + k / 100.0, 25.0, 40.0)) for k in range(100)
    ]
    toothed = volume("B", [*reversed(zigzag), (59.0, 26.0), (59.99, 26.0)])
    findings = list(check_neighbours([box("A", 24.0, 25.0), toothed]))
    assert len(findings) == 21
    assert "more places between A and B like these" in findings[-1].message


def test_borders_denser_than_any_are_said_not_to_be_compared() -> None:
    turns = np.linspace(0.0, 200.0 * np.pi, 16_000)
    dense = [
        (59.0 + 1e-4 * r * np.sin(t), 24.0 + 1e-4 * r * np.cos(t))
        for r, t in zip(np.linspace(1.0, 2.0, 16_000), turns, strict=True)
    ]
    out = [*dense, *[(lat + 1e-7, lon) for lat, lon in reversed(dense)]]
    sound = [volume("A", out), box("B", 23.999, 24.0)]
    assert [finding.rule for finding in check_neighbours(sound)] in ([], ["not_compared"])
