"""Limits, classes, activation and encodings as OpenAir files have them."""

from __future__ import annotations

import math

import pytest

from airvigil.airspace.sources.openair_words import activation_of, class_and_type, decode_text, openair_limit
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns

FL95 = 9_500 * 0.3048


@pytest.mark.parametrize(
    ("text", "metres", "reference"),
    [
        ("FL95", FL95, "STD"),
        ("FL 095", FL95, "STD"),
        ("fl95", FL95, "STD"),
        ("4500 ft", 4_500 * 0.3048, "MSL"),
        ("4500", 4_500 * 0.3048, "MSL"),
        ("2000MSL", 2_000 * 0.3048, "MSL"),
        ("24500 MSL", 24_500 * 0.3048, "MSL"),
        ("2000FT AMSL", 2_000 * 0.3048, "MSL"),
        ("2000 FT AMSL", 2_000 * 0.3048, "MSL"),
        ("450m MSL", 450.0, "MSL"),
        ("1500M AMSL", 1_500.0, "MSL"),
        ("1500MAMSL", 1_500.0, "MSL"),
        ("300M AGL", 300.0, "SFC"),
        ("3000ft GND", 3_000 * 0.3048, "SFC"),
        ("2000ft ASFC", 2_000 * 0.3048, "SFC"),
        ("1700 GND", 1_700 * 0.3048, "SFC"),
        ("500F AGL", 500 * 0.3048, "SFC"),
        ("5000ft STD", 5_000 * 0.3048, "STD"),
        ("0FT AMSL", 0.0, "MSL"),
    ],
)
def test_limits_of_real_files(text: str, metres: float, reference: str) -> None:
    for is_lower in (True, False):
        limit = openair_limit(text, is_lower=is_lower)
        assert limit.height_m == pytest.approx(metres, abs=1e-6)
        assert (limit.reference, limit.text) == (reference, text)


@pytest.mark.parametrize("text", ["GND", "SFC", "gnd", "0 AGL", "0 GND"])
def test_the_ground_is_no_lower_limit(text: str) -> None:
    assert openair_limit(text, is_lower=True).height_m == -math.inf


def test_unlimited_is_no_upper_limit() -> None:
    for text in ("UNL", "UNLIM", "unlimited"):
        assert openair_limit(text, is_lower=False).height_m == math.inf


@pytest.mark.parametrize(
    ("text", "is_lower"),
    [
        ("100m AGL/423m AMSL", True), ("UNL", True), ("GND", False), ("", True), ("FL", True), ("FL1000", True),
        ("2000 QNE", True), ("-100 MSL", True), ("1e3", True), ("nan", True), ("Ask on 122.8", False), ("9" * 5000, True),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(text: str, is_lower: bool) -> None:
    with pytest.raises(AirspaceError, match="not a limit"):
        openair_limit(text, is_lower=is_lower)


@pytest.mark.parametrize(
    ("ac", "ay", "expected"),
    [
        ("A", "", ("A", "")),
        ("d", "CTR", ("D", "CTR")),
        ("UNC", "TMA", ("", "TMA")),
        ("UKN", "", ("", "")),
        ("R", "", ("", "R")),
        ("GP", "", ("", "GP")),
        ("R", "TRA", ("", "TRA")),
        ("E", "NONE", ("E", "")),
    ],
)
def test_class_and_type(ac: str, ay: str, expected: tuple[str, str]) -> None:
    assert class_and_type(ac, ay) == expected


def test_intervals_make_one_schedule() -> None:
    lines = ["2026-05-01T10:00Z/2026-05-01T12:00Z", "2026-05-02T10:00Z/2026-05-02T24:00Z"]
    activation, misread = activation_of(lines, [], "R 1")
    assert (activation.kind, misread) == ("schedule", "")
    assert activation.text == "; ".join(lines)
    for text, state in (
        ("2026-05-01T09:59:59Z", "inactive"),
        ("2026-05-01T10:00Z", "active"),
        ("2026-05-01T12:00Z", "inactive"),
        ("2026-05-02T23:59:59Z", "active"),
        ("2026-05-03T00:00Z", "inactive"),
    ):
        assert activation.state_at(utc_ns(text)) == state


def test_open_intervals() -> None:
    since, _ = activation_of(["2024-12-17T00:00Z/NONE"], [], "")
    until, _ = activation_of(["NONE/2024-12-18T00:00Z"], [], "")
    assert [since.state_at(utc_ns(t)) for t in ("2024-12-16T23:00Z", "2090-01-01T00:00Z")] == [
        "inactive",
        "active",
    ]
    assert [until.state_at(utc_ns(t)) for t in ("1990-01-01T00:00Z", "2024-12-18T00:00Z")] == [
        "active",
        "inactive",
    ]


@pytest.mark.parametrize(
    ("intervals", "vendor", "name"),
    [
        (["NONE"], [], "R 1"),
        (["2026-05-01T10:00Z/2026-05-01T12:00Z", "NONE"], [], "R 1"),
        ([], ["AW MON.0830L-1600L"], "R 1"),
        ([], [], "EDR PEENEMUENDE (NOTAM)"),
        ([], [], "CTR X HX"),
        ([], [], "EDR17 Jaegerbrueck MON-FRI+"),
    ],
)
def test_what_the_file_cannot_know_is_unknown(intervals: list[str], vendor: list[str], name: str) -> None:
    activation, misread = activation_of(intervals, vendor, name)
    assert (activation.kind, misread) == ("unknown", "")
    assert activation.text


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T10:00/2026-05-01T12:00", "2026-05-01T10:00Z", "NONE/NONE", "2026-05-01T12:00Z/2026-05-01T10:00Z",
        "2026-13-01T10:00Z/2026-05-01T12:00Z", "R/2026-05-01T10:00Z/P1D", "garbage",
    ],
)  # fmt: skip
def test_an_interval_that_is_not_understood_makes_it_unknown_and_is_told(text: str) -> None:
    activation, misread = activation_of([text], [], "R 1")
    assert activation.kind == "unknown"
    assert text in misread


def test_without_any_word_of_it_an_airspace_is_permanent() -> None:
    for name in ("CTR MONTPELLIER", "EDR4 Wannsee H24", "TMA SATOLAS", "LIPTOV"):
        assert activation_of([], [], name)[0].kind == "permanent"


def test_encodings() -> None:
    assert decode_text("AN Zürich".encode()) == ("AN Zürich", "")
    assert decode_text(b"\xef\xbb\xbfAC A") == ("AC A", "")
    assert decode_text("AN Zürich".encode("utf-16")) == ("AN Zürich", "read as UTF-16")
    mixed = "AN Zürich\n".encode() + "AN Gr\u20acben\n".encode("cp1252") + b"AN \x81\xff\n"
    text, how = decode_text(mixed)
    assert text == "AN Zürich\nAN Gr\u20acben\nAN \x81\xff\n"
    assert how == "not UTF-8: 2 lines read as Windows-1252"
