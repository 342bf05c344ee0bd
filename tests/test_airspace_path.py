"""Where the path between two reports is looked at: boundaries, and limits that its height meets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.airspace.limits import Limit
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spells.path import (
    MOST_STEPS,
    NEAR_M,
    REFERENCES,
    STEPS_A_LAYER,
    Near,
    choose_times,
    layers_of,
)
from airvigil.airspace.volumes import make_volume
from airvigil.tracking.track_table import NEVER
from airvigil.units import M_PER_FT
from blank_points import blank_points
from made_flights import Judged, path
from small_world import square

# --- the cases in which the best research library fails ------------------------------------------------------------------

BOX = np.array([[50.0, 10.0], [50.0, 11.0], [51.0, 11.0], [51.0, 10.0], [50.0, 10.0]])
LAYER = Airspace(
    [make_volume("T", [BOX], lower=Limit(4000.0 * M_PER_FT, "STD"), upper=Limit(6000.0 * M_PER_FT, "STD"))]
)


def over_the_box(heights_ft: list[float | None], every_s: float = 30.0) -> Judged:
    """A straight flight through the middle of the box, all of it laterally inside."""
    rows = path(
        lat=50.5,
        lon=10.2,
        speed_mps=150.0,
        track_deg=90.0,
        count=len(heights_ft),
        every_s=every_s,
        icao24="43c123",
    )
    for row, height_ft in zip(rows, heights_ft, strict=True):
        row["pressure_altitude_m"] = None if height_ft is None else height_ft * M_PER_FT
    return Judged(rows, sky=LAYER)


def test_level_inside_is_probable() -> None:
    (spell,) = over_the_box([5000.0] * 8).events("spell_closed")
    assert spell["outcome"] == "probable"
    assert spell["p_inside_max"] > 0.999


@pytest.mark.parametrize("heights_ft", [[1000.0] * 4 + [9000.0] * 4, [9000.0] * 4 + [1000.0] * 4])
def test_a_climb_or_descent_through_a_layer_between_two_reports_is_found(
    heights_ft: list[float | None],
) -> None:
    judged = over_the_box(heights_ft)
    margins = [row for output in judged.outputs for row in output.margins.to_pylist()]
    assert all(row["p_inside"] < 1e-6 for row in margins if not row["bridged"])
    spell, passed = judged.events("spell_closed")
    assert (passed["spell_kind"], passed["gap_reach"], passed["outcome"]) == ("gap", "must_have", "suspected")
    assert (spell["reports"], spell["outcome"]) == (0, "undecidable")
    assert spell["bridged"] >= 1
    assert spell["undecidable_because"] == ["reports"]
    assert spell["p_inside_max"] > 0.99


def test_flight_exactly_at_the_floor_is_found_and_as_likely_as_not() -> None:
    (spell,) = over_the_box([4000.0] * 8).events("spell_closed")
    assert spell["outcome"] == "suspected"
    assert spell["p_inside_max"] == pytest.approx(0.5, abs=1e-6)


def test_flight_well_below_the_floor_is_none() -> None:
    assert not over_the_box([3000.0] * 8).events("spell_opened")


def test_an_aircraft_at_unknown_height_is_neither_in_nor_out() -> None:
    (spell,) = over_the_box([None] * 8).events("spell_closed")
    assert spell["outcome"] == "undecidable"
    assert spell["undecidable_because"] == ["height"]
    assert spell["undecidable_for"] == ["any height: none was reported"]
    assert spell["p_inside_max"] == 0.0


def test_a_path_between_a_known_and_an_unknown_height_decides_nothing_by_itself() -> None:
    judged = over_the_box([5000.0] * 4 + [None] * 4)
    (spell,) = judged.events("spell_closed")
    assert spell["outcome"] == "probable"  # by the four that are known
    assert spell["reports"] == 8


def test_a_level_flight_costs_no_points_on_the_path() -> None:
    judged = over_the_box([5000.0] * 8)
    assert not any(row["bridged"] for output in judged.outputs for row in output.margins.to_pylist())


def test_a_layer_of_another_reference_is_not_stepped_over() -> None:
    # two thousand metres up over a layer of 100 m, known by its height over the sea alone
    thin = Airspace([square("THIN", lower_limit_m=2000.0, upper_limit_m=2100.0, vertical_reference="MSL")])
    rows = path(lat=59.5, lon=25.3, speed_mps=150.0, count=8, every_s=30.0, icao24="43c123")
    for k, row in enumerate(rows):
        row["pressure_altitude_m"] = 1000.0 + 2000.0 * (k > 3)
    margins = [row for output in Judged(rows, sky=thin).outputs for row in output.margins.to_pylist()]
    assert sum(row["bridged"] for row in margins) == STEPS_A_LAYER * 2000.0 / 100.0


# --- the times that are chosen --------------------------------------------------------------------------------------------

HEIGHTS = st.one_of(
    st.just(math.nan), st.sampled_from([0.0, 500.0, 1000.0, 1500.0]), st.floats(-500.0, 3000.0)
)


def plain_times(
    point: Any, nearest_m: float, near: list[tuple[int, float]], sky: Airspace, step_m: float
) -> list[int]:
    """The twin: all times into the gap at which one point's path is tested."""
    if point["before"] == NEVER:
        return []
    gap = int(point["time"] - point["before"])
    length = math.hypot(point["before_e"], point["before_n"])
    spread = math.sqrt(point["noise"] * (gap * 1e-9) ** 3 / 192.0) + math.sqrt(
        point["cov_ee"] + point["cov_nn"]
    )
    reach = length + 6.0 * spread
    steps = min(MOST_STEPS, int(length / step_m)) if nearest_m <= reach or reach >= NEAR_M else 0
    fields = ("pressure_altitude_m", "geometric_height_m", "height_msl_m")
    ends = {r: (point[f"before_{f}"], point[f]) for r, f in zip(REFERENCES, fields, strict=True)}
    ends = {r: e for r, e in ends.items() if not any(map(math.isnan, e))}
    times = set()
    for number, margin in near:
        volume = sky.volumes[number]
        if volume.spans_all_heights or margin <= -reach:
            continue
        lower, upper = volume.lower, volume.upper
        levels = [(lower.reference, lower.height_m), (upper.reference, upper.height_m)]
        if lower.reference == upper.reference and lower.reference in ends:
            levels.append((lower.reference, (lower.height_m + upper.height_m) / 2.0))
        elif math.isfinite(upper.height_m - lower.height_m) and upper.height_m > lower.height_m:
            climb = max((abs(b - a) for a, b in ends.values()), default=0.0)
            steps = max(steps, int(min(4.0 * climb / (upper.height_m - lower.height_m), MOST_STEPS)))
        for reference, level in levels:
            if reference in ends:
                a, b = ends[reference]
                if min(a, b) < level < max(a, b):
                    times.add(round(gap * ((level - a) / (b - a))))
    times |= {gap * (j + 1) // (steps + 1) for j in range(steps)}
    return sorted(t for t in times if 0 < t < gap)


SKY = Airspace(
    [
        square("ALL"),
        square("STD", lower_limit_m=1000.0, upper_limit_m=2000.0, vertical_reference="STD"),
        square("MSL", lower_limit_m=500.0, upper_limit_m=1500.0, vertical_reference="MSL"),
        square("UP", lower_limit_m=1500.0, vertical_reference="W84"),
        square("AGL", lower_limit_m=300.0, upper_limit_m=900.0, vertical_reference="SFC"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_times_chosen_are_those_of_the_plain_twin(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    points, nearest_m, near, expected = blank_points(count), np.full(count, NEAR_M), [], []
    for i in range(count):
        point = points[i]
        point["before"] = data.draw(st.sampled_from([NEVER, 0]))
        point["time"] = data.draw(st.integers(1, 300)) * 10**9
        point["before_e"], point["before_n"] = data.draw(st.floats(0.0, 40_000.0)), 0.0
        point["noise"] = point["cov_ee"] = point["cov_nn"] = 10.0
        for name in ("pressure_altitude_m", "geometric_height_m", "height_msl_m"):
            point[name], point[f"before_{name}"] = data.draw(HEIGHTS), data.draw(HEIGHTS)
        mine = [(v, data.draw(st.floats(-50_000.0, 50_000.0))) for v in range(5) if data.draw(st.booleans())]
        near += [(i, *each) for each in mine]
        nearest_m[i] = min((abs(margin) for _, margin in mine), default=NEAR_M)
        times = plain_times(point, nearest_m[i], mine, SKY, 250.0)
        expected += [(i, int(point["before"]) + t) for t in times]
    row, volume, margin = (
        (np.array(column) for column in zip(*near, strict=True)) if near else [np.zeros(0)] * 3
    )
    found = Near(row.astype(np.int64), volume.astype(np.int32), margin.astype(np.float64))
    owner, time = np.zeros(len(expected), np.int64), np.zeros(len(expected), np.int64)
    layers = layers_of(SKY.volumes)
    assert choose_times(points, nearest_m, found, layers, 250.0, owner, time) == len(expected)
    assert list(zip(owner.tolist(), time.tolist(), strict=True)) == expected
