"""Why an incident has its outcome, in sentences whose every number is a field of the event."""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]


def _reason(code: str, text: str, **numbers: Any) -> dict[str, Any]:
    return {"code": code, "text": text, **numbers}


def explain(event: Event) -> list[dict[str, Any]]:
    """What speaks for and against, and what is missing.

    Args:
        event: an incident event without its `why`.
    """
    why = [_of_probability(event), _of_depth(event), _of_reports(event), *_of_gaps(event["members"])]
    lacking = [member for member in event["members"] if member["permission"] != "granted"]
    identities = sorted({member["identity"] for member in lacking})
    if identities:
        why.append(
            _reason(
                "permission_required",
                f"presence needs permission: {', '.join(identities)} aircraft",
                identities=identities,
            )
        )
    why += _of_permissions(event["members"])
    if event["volume_kind"] == "disputed":
        claimed = " and ".join(event["states"])
        why.append(
            _reason(
                "disputed",
                f"the area is claimed by {claimed}; Airvigil assigns it to neither",
                states=event["states"],
            )
        )
    if event["shared_place"]:
        why.append(
            _reason(
                "shared_place",
                "several aircraft were sent to this place by impossible positions: not evidence of presence",
            )
        )
    if event["interference"]:
        why.append(
            _reason(
                "interference",
                "GNSS interference was open on a member track",
                interference=event["interference"],
            )
        )
    if event["undecidable_for"]:
        missing = "; ".join(event["undecidable_for"])
        why.append(
            _reason("missing", f"what would settle it: {missing}", undecidable_for=event["undecidable_for"])
        )
    return why


def _of_probability(event: Event) -> dict[str, Any]:
    p = event["p_inside_max"]
    text = f"P(inside) reached {p:.3f}" if p < 0.9995 else "P(inside) exceeded 0.999"
    return _reason("p_inside_max", text, p_inside_max=p)


def _of_depth(event: Event) -> dict[str, Any]:
    depth, sigma = event["max_depth_m"], event["max_depth_sigma_m"]
    if depth is None:
        return _reason("max_depth_m", "no depth is known", max_depth_m=None)
    at_least = "more than " if event["max_depth_is_bound"] else ""
    plus_minus = "" if sigma is None or at_least else f" +- {sigma:.0f} m (1 sigma)"
    return _reason(
        "max_depth_m",
        f"deepest {at_least}{depth:.0f} m{plus_minus}; to have stayed out, all positions must have been wrong by at "
        f"least {event['robustness_radius_m']:.0f} m in the same direction",
        max_depth_m=depth,
        max_depth_sigma_m=sigma,
        robustness_radius_m=event["robustness_radius_m"],
    )


def _of_reports(event: Event) -> dict[str, Any]:
    reports = sum(member["reports"] for member in event["members"])
    tracks = len({member["track_id"] for member in event["members"]})
    noun = "track" if tracks == 1 else "tracks"
    return _reason("reports", f"{reports} reports inside on {tracks} {noun}", reports=reports, tracks=tracks)


def _of_gaps(members: list[Event]) -> list[dict[str, Any]]:
    """What the gaps prove in which nobody saw the aircraft."""
    return [
        _reason(
            "gap_must_have",
            f"no report is inside, but between {m['gap_from']} and {m['gap_to']} it must have been, unless it flew faster "
            f"than {m['gap_speed_mps']:.0f} m/s",
            **{name: m[name] for name in _GAP_CITED},
        )
        for m in members
        if m.get("gap_reach") == "must_have"
    ]


_GAP_CITED = (
    "track_id",
    "gap_from",
    "gap_to",
    "gap_reach",
    "gap_p",
    "gap_p_low",
    "gap_p_resolution",
    "gap_speed_mps",
)

# What of a member's standing its reason cites.
_CITED = (
    *("permission_id", "permission_kind", "permission_issuer", "permission_excess_s", "permission_excess_m"),
    *("permission_excess_sigma_m", "permission_p_outside"),
    *("permission_vertical_excess_m", "permission_vertical_excess_sigma_m"),
)


def _of_permissions(members: list[Event]) -> list[dict[str, Any]]:
    """What permissions say: of the best for each member, once each, or of what came nearest."""
    why: dict[str, dict[str, Any]] = {}
    for member in members:
        status = member["permission"]
        if member["permission_id"] is not None:
            text = (
                f"{_STANDING_WORDS[status]}: {_named(member['permission_kind'], member['permission_id'])}: "
            )
            cited = {name: member[name] for name in _CITED}
            found = _reason(f"permission_{status}", text + member["permission_reason"], **cited)
            why.setdefault(repr((status, found["text"])), found)
        elif status == "required":
            for near in member["permission_near_misses"]:
                text = (
                    f"near miss: {_named(near['kind'], near['permission_id'])}: {'; '.join(near['reasons'])}"
                )
                why.setdefault(
                    text, _reason("permission_near_miss", text, **{**near, "near_status": near["status"]})
                )
    return list(why.values())


_STANDING_WORDS = {
    "granted": "a permission covers it",
    "ambiguous": "a permission may cover it",
    "exceeded": "a permission was exceeded",
    "lapsed": "a permission had lapsed",
    "not_yet": "a permission had not begun",
}


def _named(kind: str, permission_id: str) -> str:
    return f"{kind.replace('_', ' ')} '{permission_id}'"
