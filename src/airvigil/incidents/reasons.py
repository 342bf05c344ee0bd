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
    why = [_of_probability(event), _of_depth(event), _of_reports(event)]
    identities = sorted({member["identity"] for member in event["members"]})
    why.append(
        _reason(
            "permission_required",
            f"presence needs permission: {', '.join(identities)} aircraft",
            identities=identities,
        )
    )
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
