"""Why an incident has its outcome, and why a position was not believed: sentences for people.

The engine gives each reason a code and numbers. Here they become sentences with units and
uncertainty; a code that is not known here keeps the engine's own text. The numbers are in the
sentence, so no list of them follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airvigil.exports.permission_words import permission_name, standing_words
from airvigil.exports.wording import (
    bound_text,
    code_text,
    depth_of,
    known,
    listed,
    probability_text,
    volume_text,
)
from airvigil.tracking.verdicts import REASONS

_EXPLAINED = dict(REASONS.values())


def outcome_reason(reason: Mapping[str, Any], incident: Mapping[str, Any]) -> str:
    """One entry of `why` as a sentence."""
    code, plain = str(reason.get("code", "")), str(reason.get("text") or "")
    write = _WRITERS.get(code)
    sentence = write(reason, incident) if write else None
    return _sentence(sentence or plain or code_text(code))


def disbelief_reason(code: str) -> str:
    """The physical reason behind a code of disbelief; the code's own words if there is none."""
    return _sentence(_EXPLAINED.get(code) or code_text(code))


def _sentence(words: str) -> str:
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def _probability(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    p = known(reason.get("p_inside_max"))
    if p is None:
        return None
    words = probability_text(p).replace("> ", "more than ").replace("< ", "less than ")
    return f"the probability of being inside reached {words}, the errors of sensors and boundary counted in"


def _depth(reason: Mapping[str, Any], incident: Mapping[str, Any]) -> str | None:
    depth, radius = known(reason.get("max_depth_m")), known(reason.get("robustness_radius_m"))
    if depth is None:
        return None
    words = f"the deepest point lay {depth_of({**incident, **reason})} inside"
    if radius:
        words += f"; to have stayed out, every position must have been wrong by {bound_text(radius)} in the same direction"
    return words


def _reports(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    reports, tracks = reason.get("reports"), reason.get("tracks")
    if not isinstance(reports, int) or not isinstance(tracks, int):
        return None
    return f"{reports:,} {'report' if reports == 1 else 'reports'} on {tracks} {'track' if tracks == 1 else 'tracks'} came from inside"


def _permission(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    identities = reason.get("identities")
    if not isinstance(identities, list) or not identities:
        return None
    words = {"unidentified": "without identification", "state": "of a state", "civil": "of civil identity"}
    who = listed([words.get(str(identity), str(identity)) for identity in identities])
    return f"under the settings of this run, presence of aircraft {who} needs permission"


def _disputed(_: Mapping[str, Any], incident: Mapping[str, Any]) -> str | None:
    if incident.get("volume_kind") != "disputed":
        return None
    return f"this is {volume_text(incident)}; Airvigil assigns it to none of them"


def _missing(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    missing = reason.get("undecidable_for")
    return (
        f"what would settle it: {'; '.join(map(str, missing))}"
        if isinstance(missing, list) and missing
        else None
    )


def _standing(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    status = str(reason.get("code", "")).removeprefix("permission_")
    if status == "ambiguous":
        return None  # the engine's own words say what speaks against it
    return standing_words({**reason, "permission": status})


def _near_miss(reason: Mapping[str, Any], _: Mapping[str, Any]) -> str | None:
    reasons = reason.get("reasons")
    if not isinstance(reasons, list) or not reasons:
        return None
    name = permission_name(reason.get("kind"), reason.get("permission_id"), reason.get("issuer"))
    return f"{name} is not for this: {'; '.join(map(str, reasons))}"


_WRITERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str | None]] = {
    "p_inside_max": _probability,
    "max_depth_m": _depth,
    "reports": _reports,
    "permission_required": _permission,
    **{f"permission_{s}": _standing for s in ("granted", "ambiguous", "exceeded", "lapsed", "not_yet")},
    "permission_near_miss": _near_miss,
    "disputed": _disputed,
    "missing": _missing,
}
