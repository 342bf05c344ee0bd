import math

import pytest

from airvigil.exports import wording


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (1.0, "> 0.9999"),
        (0.99995, "> 0.9999"),
        (0.9951, "0.9951"),
        (0.775, "0.78"),
        (0.0, "< 0.0001"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_a_probability_is_never_rounded_to_certainty(p: float | None, expected: str) -> None:
    assert wording.probability_text(p) == expected


@pytest.mark.parametrize(
    ("metres", "sigma", "expected"),
    [
        (9612.0, 95.0, "9.61 ± 0.10 km"),
        (9612.0, 926.0, "9.6 ± 0.9 km"),
        (700.0, 300.0, "700 ± 300 m"),
        (0.0, None, "0 m"),
        (1234.0, None, "1.2 km"),
        (1234.0, math.nan, "1.2 km"),
        (None, 3.0, "–"),
        (math.inf, None, "–"),
    ],
)
def test_lengths(metres: float | None, sigma: float | None, expected: str) -> None:
    assert wording.length_text(metres, sigma) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(718.2, "11 min 58 s"), (18.0, "18.0 s"), (59.97, "60.0 s"), (3600, "1 h 00 min"), (None, "–")],
)
def test_durations(seconds: float | None, expected: str) -> None:
    assert wording.duration_text(seconds) == expected


def test_places_are_written_as_on_a_chart() -> None:
    assert wording.place_text(59.8085, 26.3572) == "59°48.51′N 026°21.43′E"
    assert wording.place_text(-0.99999, -179.5) == "01°00.00′S 179°30.00′W"
    assert wording.place_text(None, 26.0) == "–"


def test_instants_go_there_and_back() -> None:
    assert (
        wording.iso_from_ns(wording.ns_from_iso("2025-09-19T06:58:00.250Z") or 0)
        == "2025-09-19T06:58:00.250Z"
    )
    assert (
        wording.iso_from_ns(wording.ns_from_iso("1969-12-31T23:59:59.999Z") or 0)
        == "1969-12-31T23:59:59.999Z"
    )
    assert wording.ns_from_iso("2025-09-19T09:58:00+03:00") == wording.ns_from_iso("2025-09-19T06:58:00Z")
    assert wording.ns_from_iso(None) is None


def test_a_dispute_is_named_without_taking_a_side() -> None:
    words = wording.volume_text(
        {"volume": "RUS|UKR", "volume_kind": "disputed", "states": ["RUS", "UKR"], "volume_name": "x"}
    )
    assert words == "airspace that RUS and UKR both claim"


def test_every_outcome_is_explained() -> None:
    assert set(wording.OUTCOMES) == set(wording.OUTCOME_MEANING)
