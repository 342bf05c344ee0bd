"""AIXM limits: units, references, and what is said of what is missing."""

from __future__ import annotations

import math

import pytest
from lxml import etree

from airvigil.airspace.sources.aixm_limits import Layer, read_layer
from airvigil.errors import AirspaceError
from made_aixm import SPACES, limits


def layer_of(content: str) -> Layer:
    return read_layer(etree.fromstring(f"<a {SPACES}>{content}</a>"))


@pytest.mark.parametrize(
    ("lower", "height_m", "reference"),
    [
        ("FL95", 2895.6, "STD"),
        ("2500 FT MSL", 762.0, "MSL"),
        ("300 M SFC", 300.0, "SFC"),
        ("100 M W84", 100.0, "W84"),
        ("5000 FT STD", 1524.0, "STD"),
        ("210 SM STD", 2100.0, "STD"),
        ("-50 FT MSL", -15.24, "MSL"),
        ("0 FT SFC", -math.inf, "none"),
        ("GND", -math.inf, "none"),
        ("FLOOR", -math.inf, "none"),
    ],
)
def test_lower_limits(lower: str, height_m: float, reference: str) -> None:
    found = layer_of(limits(lower, "UNL"))
    assert (found.lower.height_m, found.lower.reference) == (height_m, reference)
    assert (found.upper.height_m, found.upper.reference, found.remarks) == (math.inf, "none", ())


def test_a_level_is_of_the_standard_atmosphere_whatever_its_reference() -> None:
    found = layer_of(limits("30 FL SFC", "FL100"))
    assert found.lower.reference == "STD"
    assert "FL30 SFC" in found.remarks[0]


def test_a_nil_limit_is_unknown_and_said() -> None:
    found = layer_of('<aixm:upperLimit xsi:nil="true" nilReason="unknown"/>' + limits("GND", ""))
    assert math.isinf(found.upper.height_m)
    assert found.remarks == ("upper limit not given (unknown): read as none",)


def test_further_limits_are_said_not_to_be_read() -> None:
    found = layer_of(limits() + '<aixm:minimumLimit uom="FT">1000</aixm:minimumLimit>')
    assert found.remarks == ("minimumLimit 1000 FT is not read",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (limits("GND", "1000 FT"), "no reference that is known"),
        (limits("GND", "1000 FT HEI"), "no reference that is known"),
        (limits("GND", "1000 YD MSL"), "the unit 'YD'"),
        (limits("GND", "high FT MSL"), "'HIGH' is not a height"),
        (limits("GND", "1e9 FT MSL"), "is not a height"),
        (limits("GND", "9999999 M MSL"), "beyond 1,000 km"),
        (limits("GND", "GND"), "'GND' is not a height"),
        (limits("UNL", "UNL"), "'UNL' is not a height"),
    ],
)
def test_what_is_no_limit(content: str, reason: str) -> None:
    with pytest.raises(AirspaceError, match=reason):
        layer_of(content)
