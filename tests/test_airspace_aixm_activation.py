"""Activations of all statuses, put together."""

from __future__ import annotations

import pytest
from lxml import etree

from airvigil.airspace.sources.aixm_activation import LayerActivation, read_activations
from airvigil.airspace.sources.aixm_slices import OPEN_NS, Period
from airvigil.units import utc_ns
from made_aixm import SPACES, activation, limits, sheet

AT = utc_ns("2020-06-03T12:00:00Z")  # a Wednesday
FOREVER = Period(utc_ns("2020-01-01"), OPEN_NS)
ALWAYS = sheet(day="ANY", startTime="00:00", endTime="00:00")
MORNING = sheet(day="ANY", startTime="06:00", endTime="12:00", timeReference="UTC")


def read(
    *made: str, temporary: bool = False, valid: Period = FOREVER
) -> tuple[list[LayerActivation], list[str]]:
    elements = [etree.fromstring(f"<a {SPACES}>{one}</a>")[0] for one in made]
    return read_activations(elements, valid, AT, is_temporary=temporary)


@pytest.mark.parametrize(
    ("made", "kind", "state", "said"),
    [
        ([], "permanent", "active", ""),
        ([activation("ACTIVE")], "permanent", "active", ""),
        ([activation("IN_USE", ALWAYS)], "permanent", "active", ""),
        ([activation("INACTIVE")], "schedule", "inactive", ""),
        ([activation("ACTIVE", MORNING)], "schedule", "inactive", ""),
        ([activation("AVBL_FOR_ACTIVATION")], "unknown", "unknown", "AVBL_FOR_ACTIVATION: nobody says"),
        ([activation("INTERMITTENT")], "unknown", "unknown", "INTERMITTENT: nobody says"),
        ([activation("")], "unknown", "unknown", "no status: nobody says"),
        ([activation("ACTIVE", sheet(day="ANY", startEvent="SR", endTime="12:00"))], "unknown", "unknown", "no time of day|startEvent"),
        ([activation("INACTIVE", MORNING)], "unknown", "unknown", "INACTIVE at some times"),
        ([activation("ACTIVE", ALWAYS), activation("INACTIVE", MORNING)], "permanent", "active", "ACTIVE and INACTIVE overlap"),
        ([activation("ACTIVE"), activation("AVBL_FOR_ACTIVATION")], "unknown", "unknown", "nobody says"),
    ],
)  # fmt: skip
def test_statuses(made: list[str], kind: str, state: str, said: str) -> None:
    (layer,), remarks = read(*made)
    assert (layer.activation.kind, layer.activation.state_at(AT)) == (kind, state)
    assert any(word in " ".join(remarks) for word in said.split("|"))
    assert bool(remarks) == bool(said)


def test_a_notam_is_called_one_and_ends_with_its_slice() -> None:
    valid = Period(utc_ns("2020-06-03T10:00:00Z"), utc_ns("2020-06-03T14:00:00Z"))
    (layer,), _ = read(activation("ACTIVE"), temporary=True, valid=valid)
    assert layer.activation.kind == "notam"
    assert layer.activation.state_at(AT) == "active"
    assert layer.activation.state_at(valid.end_ns) == "inactive"


def test_each_layer_has_its_own() -> None:
    layers, _ = read(
        activation("ACTIVE", MORNING, levels=limits("FL50", "FL100")),
        activation("ACTIVE", levels=limits("FL100", "FL200")),
        activation("ACTIVE", levels='<aixm:upperLimit uom="OTHER">CEILING</aixm:upperLimit><aixm:lowerLimit uom="OTHER">FLOOR</aixm:lowerLimit>'),
    )  # fmt: skip
    told = [(str(one.layer.lower) if one.layer else "all", one.activation.kind) for one in layers]
    assert told == [("FL50 STD", "schedule"), ("FL100 STD", "permanent"), ("all", "permanent")]
