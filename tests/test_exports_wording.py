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
    assert words == "the area claimed by both RUS and UKR"
    named = {
        "volume_kind": "disputed",
        "states": ["RUS", "UKR"],
        "volume_name": "claimed by Russian Federation and Ukraine",
    }
    assert wording.volume_text(named) == "the area claimed by both the Russian Federation and Ukraine"


@pytest.mark.parametrize(
    ("metres", "words", "short"),
    [
        (9196.1, "at least 9.19 km", "≥ 9.19 km"),
        (9199.999, "at least 9.19 km", "≥ 9.19 km"),
        (731.9, "at least 731 m", "≥ 731 m"),
        (49_999.9, "at least 49.99 km", "≥ 49.99 km"),
        (50_000.0, "more than 50 km", "> 50 km"),
        (None, "–", "–"),
    ],
)
def test_a_lower_bound_is_never_rounded_up(metres: float | None, words: str, short: str) -> None:
    assert wording.bound_text(metres) == words
    assert wording.bound_text(metres, is_short=True) == short


def test_a_depth_at_the_cap_is_more_than_that_and_has_no_sigma() -> None:
    assert wording.depth_text(50_000.0, 15.8) == "more than 50 km"
    assert wording.depth_text(49_000.0, 15.8) == "49.00 ± 0.02 km"


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ({"callsign": "ABC1", "icao24": "511aaa", "track_id": "511aaa@20250919T064700Z"}, "ABC1"),
        ({"icao24": "511aaa", "track_id": "511aaa@20250919T064700Z"}, "511aaa"),
        ({"track_id": "radar picture (assumed)/1@20250919T065230Z"}, "track 1"),
        ({"track_id": "T-1"}, "track T-1"),
        ({}, "unnamed"),
    ],
)
def test_a_track_has_a_short_name(member: dict[str, str], name: str) -> None:
    assert wording.member_name(member) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/recordings/2025/day.bin.xz", "day.bin.xz"),
        ("C:\\recordings\\day.bin", "day.bin"),
        ("folder/", "folder"),
        ("tcp+beast://receiver:30005", "tcp+beast://receiver:30005"),
        ("-", "-"),
        (None, "–"),
    ],
)
def test_an_input_is_named_without_its_path(name: str | None, shown: str) -> None:
    assert wording.file_name(name) == shown


@pytest.mark.parametrize(
    ("name", "in_a_sentence"),
    [
        ("Estonia", "Estonia"),
        ("Russian Federation", "the Russian Federation"),
        ("United Kingdom", "the United Kingdom"),
        ("Netherlands", "the Netherlands"),
        ("South Sudan", "South Sudan"),
    ],
)
def test_some_states_have_an_article(name: str, in_a_sentence: str) -> None:
    assert wording.state_name(name) == in_a_sentence


def test_every_outcome_is_explained() -> None:
    assert set(wording.OUTCOMES) == set(wording.OUTCOME_MEANING)
