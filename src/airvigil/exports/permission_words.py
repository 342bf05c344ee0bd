"""What permissions say of a stay, in words: which, whether it covers, and by how much it falls short.

Even-handed: a permission is what its issuer says, as a position is what a transmitter says. That none is known is no finding that
there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airvigil.exports.wording import duration_text, known, length_text, probability_text

_KINDS = {
    "flight_plan": "flight plan",
    "diplomatic_clearance": "diplomatic clearance",
    "exemption": "exemption",
    "corridor": "corridor",
    "agreement": "agreement",
}
Fields = Mapping[str, Any]


def permission_name(kind: Any, permission_id: Any, issuer: Any = None) -> str:
    """`the diplomatic clearance “D-17” of the foreign ministry`."""
    whose = f" of {issuer}" if issuer else ""
    return f"the {_KINDS.get(str(kind), str(kind))} “{permission_id}”{whose}"


def standing_words(fields: Fields) -> str | None:
    """One standing as a clause; None where no permission was found.

    Args:
        fields: `permission_*` of a spell, a member or a reason, and its status as `permission`.

    Example:
        >>> standing_words({"permission": "lapsed", "permission_kind": "exemption", "permission_id": "X-1",
        ...                 "permission_excess_s": 125.0})
        'the exemption “X-1” had ended 2 min 05 s before the last sign of presence'
    """
    if fields.get("permission_id") is None:
        return None
    name = permission_name(
        fields.get("permission_kind"), fields["permission_id"], fields.get("permission_issuer")
    )
    status = fields.get("permission")
    if status == "granted":
        return f"{name} covers it"
    if status == "ambiguous":
        return f"{name} may cover it, but {fields.get('permission_reason') or 'that is not certain'}"
    parts = []
    if known(fields.get("permission_excess_s")) is not None:
        amount = duration_text(fields["permission_excess_s"])
        parts.append(
            f"had ended {amount} before the last sign of presence"
            if status == "lapsed"
            else f"began {amount} after the first sign of presence"
        )
    parts += _beyond(fields)
    return f"{name} {' and '.join(parts)}" if parts else f"{name} does not cover it"


def _shortfall(fields: Fields) -> tuple[float, float]:
    """How far a permission is from covering, s and m, to order by."""
    lateral, vertical = (
        known(fields.get(n)) or 0.0 for n in ("permission_excess_m", "permission_vertical_excess_m")
    )
    return known(fields.get("permission_excess_s")) or 0.0, max(lateral, vertical, 0.0)


def _beyond(fields: Fields) -> list[str]:
    """Where the aircraft was outside a corridor or limits, and how surely; nothing where it was within."""
    parts = []
    lateral, vertical = (
        known(fields.get(n)) for n in ("permission_excess_m", "permission_vertical_excess_m")
    )
    if lateral is not None and lateral > 0.0:
        parts.append(
            f"was exceeded by {length_text(lateral, fields.get('permission_excess_sigma_m'))} to the side"
        )
    if vertical is not None and vertical > 0.0:
        sigma = fields.get("permission_vertical_excess_sigma_m")
        parts.append(f"was exceeded by {length_text(vertical, sigma)} in height")
    p = known(fields.get("permission_p_outside"))
    if parts and p is not None:
        parts[-1] += f" (probability {probability_text(p)})"
    return parts


def incident_permission(incident: Fields) -> str | None:
    """What permissions say of an incident's members, of each permission the worst; None where none was found."""
    members: Sequence[Fields] = incident.get("members") or []
    worst: dict[tuple[Any, Any], Fields] = {}
    for member in sorted(members, key=_shortfall, reverse=True):
        worst.setdefault((member.get("permission_id"), member.get("permission")), member)
    clauses = [words for words in map(standing_words, worst.values()) if words is not None]
    return "; ".join(dict.fromkeys(clauses)) or None
