"""Combined parts: areas by Shapely's own arithmetic on boxes, heights layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.airspace.sources.aixm_curves import Outline
from airvigil.airspace.sources.aixm_parts import Part, combined
from airvigil.airspace.sources.aixm_positions import Budget
from airvigil.airspace.volumes import ring_area_deg2
from airvigil.errors import AirspaceError

Box = tuple[int, int, int, int, int, int]  # west, east, south, north, lower, upper


def box(west: float, east: float, south: float, north: float, lower: float, upper: float) -> Part:
    ring = np.array([[south, west], [south, east], [north, east], [north, west], [south, west]], dtype=float)
    return Part((Outline((ring,), "lonlat", frozenset()),), Limit(lower, "MSL"), Limit(upper, "MSL"))


def spans(draw: st.DrawFn) -> tuple[int, int]:
    low = draw(st.integers(0, 5))
    return low, draw(st.integers(low + 1, 7))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    return (*spans(draw), *spans(draw), *spans(draw))


def is_in(part: Part, x: float, y: float, z: float) -> bool:
    if not part.lower.height_m < z < part.upper.height_m:
        return False
    crossings = 0
    for outline in part.outlines:
        for ring in outline.rings:
            for (lat1, lon1), (lat2, lon2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
                if (lat1 > y) != (lat2 > y) and x < lon1 + (y - lat1) / (lat2 - lat1) * (lon2 - lon1):
                    crossings += 1
    return crossings % 2 == 1


@given(
    boxes(),
    st.lists(st.tuples(st.sampled_from(["UNION", "SUBTR", "INTERS"]), boxes()), max_size=4),
    st.tuples(*[st.integers(0, 6)] * 3),
)
def test_a_place_is_in_the_parts_if_logic_says_so(
    first: Box, steps: list[tuple[str, Box]], cell: tuple[int, int, int]
) -> None:
    x, y, z = (value + 0.5 for value in cell)
    parts = [box(*first)]
    expected = is_in(parts[0], x, y, z)
    for operation, other in steps:
        if not parts:
            return
        there = is_in(box(*other), x, y, z)
        parts = combined(parts, operation, [box(*other)], Budget())
        expected = {
            "UNION": expected or there,
            "SUBTR": expected and not there,
            "INTERS": expected and there,
        }[operation]
    assert any(is_in(part, x, y, z) for part in parts) == expected


def test_limits_of_different_references_cannot_be_combined() -> None:
    low = box(0, 2, 0, 2, 0, 10)
    flight_levels = Part(box(1, 3, 0, 2, 0, 1).outlines, Limit(5.0, "STD"), Limit(20.0, "STD"))
    with pytest.raises(AirspaceError, match="cannot be compared: their references differ"):
        combined([low], "SUBTR", [flight_levels], Budget())
    assert len(combined([low], "UNION", [flight_levels], Budget())) == 2
    all_heights = Part(flight_levels.outlines, NO_LOWER, NO_UPPER)
    (left,) = combined([low], "SUBTR", [all_heights], Budget())
    assert ring_area_deg2(left.outlines[0].rings[0][::-1]) in (2.0, -2.0)


def test_a_part_over_the_antimeridian() -> None:
    east = box(178.0, 180.0, 0, 2, 0, 10)
    west = box(-180.0, -178.0, 0, 2, 0, 10)
    (joined,) = combined([east], "UNION", [west], Budget())
    (outline,) = joined.outlines
    assert np.ptp(outline.rings[0][:, 1]) == 4.0


def test_an_area_that_crosses_itself_is_not_combined() -> None:
    ring = np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0], [0.0, 0.0]])
    bow = Part((Outline((ring,), "lonlat", frozenset()),), NO_LOWER, NO_UPPER)
    with pytest.raises(AirspaceError, match="crosses itself"):
        combined([bow], "INTERS", [box(0, 1, 0, 1, 0, 1)], Budget())


def test_too_many_parts() -> None:
    part = box(0, 1, 0, 1, 0, 1)
    with pytest.raises(AirspaceError, match="more than 500 parts"):
        combined([part] * 300, "UNION", [part] * 300, Budget())
