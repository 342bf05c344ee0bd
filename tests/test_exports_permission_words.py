"""Standings in words: which permission, whether it covers, by how much not."""

from __future__ import annotations

from typing import Any

import pytest

from airvigil.airspace.permissions.permission_standing import NO_STANDING
from airvigil.exports.permission_words import incident_permission, standing_words
from airvigil.exports.reason_words import outcome_reason


def standing(status: str, **changed: Any) -> dict[str, Any]:
    named = {
        "permission_id": "D-17",
        "permission_kind": "diplomatic_clearance",
        "permission_issuer": "Ministry",
    }
    return {**NO_STANDING, "permission": status, **named, **changed}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (standing("granted"), "the diplomatic clearance “D-17” of Ministry covers it"),
        (standing("lapsed", permission_excess_s=125.0), "the diplomatic clearance “D-17” of Ministry had ended 2 min 05 s before the last sign of presence"),
        (standing("not_yet", permission_excess_s=30.0, permission_issuer=None), "the diplomatic clearance “D-17” began 30.0 s after the first sign of presence"),
        (
            standing("exceeded", permission_excess_m=1400.0, permission_excess_sigma_m=50.0, permission_p_outside=1.0),
            "the diplomatic clearance “D-17” of Ministry was exceeded by 1.40 ± 0.05 km to the side (probability > 0.9999)",
        ),
        (
            standing("exceeded", permission_vertical_excess_m=200.0, permission_p_outside=0.97, permission_excess_m=-500.0),
            "the diplomatic clearance “D-17” of Ministry was exceeded by 200 m in height (probability 0.97)",
        ),
        (
            standing("ambiguous", permission_reason="callsign equal, icao24 differs"),
            "the diplomatic clearance “D-17” of Ministry may cover it, but callsign equal, icao24 differs",
        ),
    ],
)  # fmt: skip
def test_each_standing_has_its_clause(fields: dict[str, Any], words: str) -> None:
    assert standing_words(fields) == words


def test_where_no_permission_was_found_nothing_is_said() -> None:
    assert standing_words({**NO_STANDING, "permission": "required"}) is None
    assert incident_permission({"members": [{**NO_STANDING, "permission": "required"}]}) is None
    assert incident_permission({}) is None


def test_members_with_the_same_permission_are_one_clause() -> None:
    members = [standing("granted"), standing("granted")]
    members += [standing("lapsed", permission_excess_s=s) for s in (8.0, 9.0)]
    assert incident_permission({"members": members}) == (
        "the diplomatic clearance “D-17” of Ministry had ended 9.0 s before the last sign of presence; "
        "the diplomatic clearance “D-17” of Ministry covers it"
    )


def test_reasons_of_permission_become_sentences() -> None:
    reason = {
        **standing("lapsed", permission_excess_s=9.0),
        "code": "permission_lapsed",
        "text": "engine's own",
    }
    assert (
        outcome_reason(reason, {})
        == "The diplomatic clearance “D-17” of Ministry had ended 9.0 s before the last sign of presence."
    )
    near = {"code": "permission_near_miss", "text": "", "kind": "exemption", "permission_id": "X", "issuer": None, "reasons": ["it does not open EST"]}  # fmt: skip
    assert outcome_reason(near, {}) == "The exemption “X” is not for this: it does not open EST."
    doubtful = {
        **standing("ambiguous"),
        "code": "permission_ambiguous",
        "text": "a permission may cover it: why",
    }
    assert outcome_reason(doubtful, {}) == "A permission may cover it: why."
