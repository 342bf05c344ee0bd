"""Explanations: every number in a sentence is beside it, and each circumstance has its sentence."""

from __future__ import annotations

from typing import Any

import pytest

from airvigil.airspace.permissions.permission_standing import NO_STANDING
from airvigil.incidents.reasons import explain


def member(**changed: Any) -> dict[str, Any]:
    """A member as far as explanations need it."""
    return {"track_id": "a", "permission": "required", **NO_STANDING, **changed}


def event(**changed: Any) -> dict[str, Any]:
    """An incident event without its `why`."""
    plain = {
        "members": [
            member(identity="state", reports=40),
            member(identity="state", reports=2),
        ],
        "p_inside_max": 0.97312,
        "max_depth_m": 9312.4,
        "max_depth_sigma_m": 27.6,
        "max_depth_is_bound": False,
        "robustness_radius_m": 9287.0,
        "volume_kind": "sovereign",
        "states": ["EST"],
        "shared_place": False,
        "interference": [],
        "undecidable_for": [],
        "outcome": "probable",
    }
    return {**plain, **changed}


def said(**changed: Any) -> dict[str, dict[str, Any]]:
    return {reason["code"]: reason for reason in explain(event(**changed))}


def test_a_plain_case_says_how_sure_how_deep_how_often_and_why_permission_is_needed() -> None:
    why = said()
    assert list(why) == ["p_inside_max", "max_depth_m", "reports", "permission_required"]
    assert "0.973" in why["p_inside_max"]["text"]
    assert why["p_inside_max"]["p_inside_max"] == 0.97312
    assert "9312 m +- 28 m" in why["max_depth_m"]["text"]
    assert "9287 m" in why["max_depth_m"]["text"]
    assert "42 reports inside on 1 track" in why["reports"]["text"]
    assert (why["reports"]["reports"], why["reports"]["tracks"]) == (42, 1)


def test_certainty_is_not_rounded_up_to_one() -> None:
    assert "1.000" not in said(p_inside_max=0.99999)["p_inside_max"]["text"]
    assert "exceeded 0.999" in said(p_inside_max=0.99999)["p_inside_max"]["text"]
    assert "0.999" in said(p_inside_max=0.9991)["p_inside_max"]["text"]


def test_an_unknown_depth_or_sigma_is_not_zero() -> None:
    none = said(max_depth_m=None, max_depth_sigma_m=None)["max_depth_m"]
    assert none["max_depth_m"] is None
    assert "0 m" not in none["text"]
    assert "+-" not in said(max_depth_sigma_m=None)["max_depth_m"]["text"]


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"volume_kind": "disputed", "states": ["RUS", "UKR"]}, "disputed", ("RUS and UKR", "neither")),
        ({"shared_place": True}, "shared_place", ("impossible positions", "not evidence")),
        ({"interference": ["x"]}, "interference", ("interference",)),
        ({"undecidable_for": ["a second report inside"]}, "missing", ("a second report inside",)),
    ],
)
def test_each_circumstance_has_its_sentence(
    changed: dict[str, Any], code: str, words: tuple[str, ...]
) -> None:
    assert code not in said()
    text = said(**changed)[code]["text"]
    assert all(word in text for word in words)


def test_identities_are_named_once_each() -> None:
    members = [member(identity=name, reports=1, track_id=name) for name in ("unidentified", "state", "state")]
    why = said(members=members)
    assert why["permission_required"]["identities"] == ["state", "unidentified"]
    assert "2 tracks" in why["reports"]["text"]


def test_nothing_is_called_a_violation() -> None:
    everything = explain(
        event(volume_kind="disputed", shared_place=True, interference=["x"], undecidable_for=["y"])
    )
    assert len(everything) == 8
    assert all("violat" not in reason["text"].lower() for reason in everything)
