"""Does a permission cover a stay? Its standing, by how much it falls short, and why.

| status | meaning |
|---|---|
| granted | a permission for this aircraft opens this volume, and covers all of the stay that was seen |
| ambiguous | one would, but something speaks against it or is missing: another address, a height, an unknown route |
| exceeded | there is one, and the aircraft was outside its corridor or its limits |
| lapsed, not_yet | there is one, and the aircraft was there after its end, or before its beginning |
| none | no permission known is for this aircraft in this volume |

Rules
- The best candidate speaks: in the order above, then by the smaller excess; one that seems to be another aircraft's only before
  none. The others are near misses, each with its reasons.
- Greater limits, longer times and wider corridors never make a standing worse.
- Benefit of the doubt: outside a corridor or a limit counts from P >= `exceeded_p`; P and the excess are told all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airvigil.airspace.permissions.permission_excess import Excess, Place, add_place, geometry_of, has_limits
from airvigil.airspace.permissions.permission_matching import Who, compare, doubt
from airvigil.airspace.permissions.permissions import Permission, PermissionBook
from airvigil.settings import Settings
from airvigil.units import NS_PER_S, utc_text

STATUSES = ("granted", "ambiguous", "exceeded", "lapsed", "not_yet", "none")  # from best to worst
_RANK = {"granted": 0, "ambiguous": 1, "exceeded": 2, "lapsed": 3, "not_yet": 3, "none": 5}
_RANK_OF_ANOTHER = 4  # ambiguous because it seems to be somebody else's: one's own that has lapsed says more
MOST_NEAR_MISSES = 3
_KIND_WORDS = {"flight_plan": "flight plan", "diplomatic_clearance": "diplomatic clearance"}


@dataclass(frozen=True)
class Verdict:
    """One permission against one stay.

    Attributes:
        status: one of STATUSES.
        permission: which.
        reasons: why, in plain words; every number in them is a field of the verdict's event.
        excess_s: after its end ("lapsed") or before its beginning ("not_yet"); NaN where in time.
        lateral, vertical: (m, 1 sigma in m, P(outside)) of the report most surely outside; NaN where not tested.
        compared: each identifier, as `permission_matching.compare` has it.
        is_short_in_time_only: it would be granted if its time were long enough.
        rank: the smaller the better.
    """

    status: str
    permission: Permission
    reasons: tuple[str, ...]
    excess_s: float = math.nan
    lateral: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    vertical: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    compared: tuple[Any, ...] = ()
    is_short_in_time_only: bool = False
    rank: int = _RANK["none"]

    def as_event(self) -> dict[str, Any]:
        """The form that events have; unknown is None."""
        p = self.permission
        return {
            "permission_id": p.permission_id,
            "kind": p.kind,
            "issuer": p.issuer or None,
            "status": self.status,
            "valid_from": None if p.valid_from_ns is None else utc_text(p.valid_from_ns),
            "valid_to": None if p.valid_to_ns is None else utc_text(p.valid_to_ns),
            "withdrawn": None if p.withdrawn_ns is None else utc_text(p.withdrawn_ns),
            "excess_s": _rounded(self.excess_s, 1),
            "excess_m": _rounded(self.lateral[0], 0),
            "excess_sigma_m": _rounded(self.lateral[1], 0),
            "p_outside_corridor": _rounded(self.lateral[2], 4),
            "vertical_excess_m": _rounded(self.vertical[0], 0),
            "vertical_excess_sigma_m": _rounded(self.vertical[1], 0),
            "p_outside_limits": _rounded(self.vertical[2], 4),
            "compared": [vars(c) for c in self.compared],
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True)
class Standing:
    """What the permissions known at an instant say of a stay: the best candidate, and the near misses."""

    status: str
    best: Verdict | None = None
    near_misses: tuple[Verdict, ...] = ()

    def as_event(self) -> dict[str, Any]:
        """The fields that an event of the stay gets; no permission for it at all leaves it "required"."""
        best = None if self.best is None else self.best.as_event()
        near = [v.as_event() for v in self.near_misses]
        if best is None:
            return {**NO_STANDING, "permission": "required", "permission_near_misses": near}
        return {
            "permission": self.status,
            "permission_id": best["permission_id"],
            "permission_kind": best["kind"],
            "permission_issuer": best["issuer"],
            "permission_excess_s": best["excess_s"],
            "permission_excess_m": best["excess_m"],
            "permission_excess_sigma_m": best["excess_sigma_m"],
            "permission_p_outside": _greatest(best["p_outside_corridor"], best["p_outside_limits"]),
            "permission_vertical_excess_m": best["vertical_excess_m"],
            "permission_vertical_excess_sigma_m": best["vertical_excess_sigma_m"],
            "permission_reason": "; ".join(best["reasons"]),
            "permission_near_misses": near,
        }  # fmt: skip


# What the events of a stay hold where no permission was looked for.
NO_STANDING: Mapping[str, Any] = {
    "permission_id": None,
    "permission_kind": None,
    "permission_issuer": None,
    "permission_excess_s": None,
    "permission_excess_m": None,
    "permission_excess_sigma_m": None,
    "permission_p_outside": None,
    "permission_vertical_excess_m": None,
    "permission_vertical_excess_sigma_m": None,
    "permission_reason": None,
    "permission_near_misses": [],
}


@dataclass(frozen=True)
class Presence:
    """What of a stay a permission is held against: first and last time inside (ns), and the tests of its reports."""

    first_ns: int
    last_ns: int
    excesses: Mapping[str, Excess] = field(default_factory=dict)  # by `geometry_of`


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None


def _greatest(*values: float | None) -> float | None:
    return max((v for v in values if v is not None), default=None)


def tolerance_s(permission: Permission, settings: Settings) -> float:
    """How much before and after its time a permission still holds, s."""
    if permission.tolerance_s is not None:
        return permission.tolerance_s
    rule = settings.permission
    return rule.flight_plan_tolerance_s if permission.kind == "flight_plan" else rule.tolerance_s


def time_excess_s(
    permission: Permission, first_ns: int, last_ns: int, settings: Settings
) -> tuple[float, float]:
    """(before its beginning, after its end) of a presence, s; 0 where in time."""
    allowed = round(tolerance_s(permission, settings) * NS_PER_S)
    early = late = 0
    if permission.valid_from_ns is not None:
        early = permission.valid_from_ns - allowed - first_ns
    if permission.valid_to_ns is not None:
        late = last_ns - permission.valid_to_ns - allowed
    if permission.withdrawn_ns is not None:  # an order to leave has no tolerance but its own
        late = max(late, last_ns - permission.withdrawn_ns)
    return max(0, early) / NS_PER_S, max(0, late) / NS_PER_S


def _why_not_at_all(permission: Permission, who: Who, volume_id: str, settings: Settings) -> str | None:
    """Why a permission says nothing for this aircraft here, whatever its times and limits; None if it does."""
    if not permission.opens(volume_id):
        return f"it does not open {volume_id}"
    identity = "state" if permission.is_state_flight else who.identity
    if permission.kind == "flight_plan" and identity not in settings.permission.flight_plan_suffices_for:
        return f"a filed flight plan alone is no permission for {identity} aircraft under the settings"
    return None


def verdict(
    permission: Permission, who: Who, volume_id: str, presence: Presence, settings: Settings
) -> Verdict:
    """One permission against one stay."""
    compared = compare(permission, who)
    refusal = _why_not_at_all(permission, who, volume_id, settings)
    unsure = doubt(compared, settings.permission.grants_by)
    if refusal is not None:
        told = (refusal,) if unsure is None else (refusal, unsure)
        return Verdict("none", permission, told, compared=compared)
    excess = presence.excesses.get(geometry_of(permission), Excess())
    early_s, late_s = time_excess_s(permission, presence.first_ns, presence.last_ns, settings)
    status, reasons = _status(permission, excess, early_s, late_s, settings)
    missing = _untested(permission, excess)
    in_place = _status(permission, excess, 0.0, 0.0, settings)[0] == "granted"
    is_short = status in ("lapsed", "not_yet") and in_place and unsure is None and missing is None
    if status == "granted":
        doubts = tuple(reason for reason in (unsure, missing) if reason is not None)
        if doubts:
            status, reasons = "ambiguous", doubts
    elif unsure is not None:
        status, reasons = "none", (unsure, *reasons)
    has_lateral, has_vertical = excess.reports > 0, excess.heights > 0
    unknown = (math.nan, math.nan, math.nan)
    return Verdict(
        status,
        permission,
        reasons,
        excess_s=max(early_s, late_s) or math.nan,
        lateral=(excess.lateral_m, excess.lateral_sigma_m, excess.lateral_p) if has_lateral else unknown,
        vertical=(excess.vertical_m, excess.vertical_sigma_m, excess.vertical_p) if has_vertical else unknown,
        compared=compared,
        is_short_in_time_only=is_short,
        rank=_RANK_OF_ANOTHER if status == "ambiguous" and unsure is not None else _RANK[status],
    )


def _status(
    permission: Permission, excess: Excess, early_s: float, late_s: float, settings: Settings
) -> tuple[str, tuple[str, ...]]:
    reasons = []
    if late_s > 0.0 and late_s >= early_s:
        ended = "it was withdrawn" if permission.withdrawn_ns is not None else "it ended"
        reasons.append(f"{ended} {late_s:.1f} s before the last sign of presence")
    elif early_s > 0.0:
        reasons.append(f"it begins {early_s:.1f} s after the first sign of presence")
    least_p = settings.permission.exceeded_p
    is_outside = excess.reports > 0 and excess.lateral_p >= least_p
    is_beyond = excess.heights > 0 and excess.vertical_p >= least_p
    if is_outside:
        plus_minus = f" +- {excess.lateral_sigma_m:.0f} m (1 sigma)"
        reasons.append(f"outside its corridor by {excess.lateral_m:.0f} m{plus_minus}")
    if is_beyond:
        is_bound = math.isnan(excess.vertical_sigma_m)
        plus_minus = "" if is_bound else f" +- {excess.vertical_sigma_m:.0f} m (1 sigma)"
        at_least = "at least " if is_bound else ""
        reasons.append(f"beyond its vertical limits by {at_least}{excess.vertical_m:.0f} m{plus_minus}")
    if late_s > 0.0 or early_s > 0.0:
        return ("lapsed" if late_s >= early_s else "not_yet"), tuple(reasons)
    if reasons:
        return "exceeded", tuple(reasons)
    return "granted", ("it covers what was seen of the stay",)


def _untested(permission: Permission, excess: Excess) -> str | None:
    """What a permission says and nothing known could be held against."""
    if not permission.has_place:
        words = ", ".join(permission.route_unknown[:6]) or "none is given"
        return f"it names no volume, and places of its route are not known: {words}"
    if permission.route and not excess.reports:
        return "no report of the stay could be tested against its corridor"
    if has_limits(permission) and not excess.heights:
        return "no height of the stay is known in the reference of its limits"
    return None


def standing_of(
    permissions: Iterable[Permission], who: Who, volume_id: str, presence: Presence, settings: Settings
) -> Standing:
    """The standing of a stay from the permissions that name its aircraft."""
    verdicts = [verdict(p, who, volume_id, presence, settings) for p in permissions]
    verdicts.sort(key=_order)
    if not verdicts:
        return Standing("none")
    if verdicts[0].status != "granted":
        verdicts = _joined(verdicts, presence, settings)
    best = verdicts[0]
    rest = verdicts if best.status == "none" else verdicts[1:]
    return Standing(best.status, None if best.status == "none" else best, tuple(rest[:MOST_NEAR_MISSES]))


def _joined(verdicts: list[Verdict], presence: Presence, settings: Settings) -> list[Verdict]:
    """The same, but the last of several that cover the stay one after the other is granted, and comes first."""
    spans = []
    for v in verdicts:
        if v.is_short_in_time_only:
            p = v.permission
            allowed = round(tolerance_s(p, settings) * NS_PER_S)
            begin = -math.inf if p.valid_from_ns is None else p.valid_from_ns - allowed
            ends = [math.inf if p.valid_to_ns is None else p.valid_to_ns + allowed]
            ends += [] if p.withdrawn_ns is None else [p.withdrawn_ns]
            spans.append((begin, min(ends), p.permission_id, v))
    spans.sort(key=lambda span: span[:3])
    covered: float = presence.first_ns
    last = None
    for begin, end, _, v in spans:
        if begin <= covered and end >= covered and covered < presence.last_ns:
            covered, last = end, v
    if last is None or covered < presence.last_ns:
        return verdicts
    reason = "together with the permissions before it, it covers what was seen of the stay"
    granted = replace(last, status="granted", reasons=(reason,), excess_s=math.nan, rank=0)
    return [granted, *(v for v in verdicts if v is not last)]


def _order(v: Verdict) -> tuple[int, float, float, int, str]:
    """Best first: by status, by how much it falls short, and by how much of it fits."""
    metres = sum(max(0.0, m) for m in (v.lateral[0], v.vertical[0]) if not math.isnan(m))
    equal = sum(c.result == "equal" for c in v.compared)
    excess_s = 0.0 if math.isnan(v.excess_s) else v.excess_s
    return v.rank, excess_s, metres, -equal, v.permission.permission_id


def judge(
    book: PermissionBook, who: Who, volume_id: str, places: Iterable[Place], known_ns: int, settings: Settings
) -> Standing:
    """The standing of a stay by what was known of permissions at an instant.

    Args:
        book: of permissions.
        who: the aircraft.
        volume_id: where it was.
        places: its reports inside, in order of time; at least one.
        known_ns: by what had been received at this instant.
        settings: thresholds.
    """
    places = list(places)
    named = [v.permission for v in book.named_by(who.icao24, who.callsign) if v.is_known_at(known_ns)]
    excesses: dict[str, Excess] = {}
    for permission in named:
        name = geometry_of(permission)
        if name and name not in excesses:
            excesses[name] = Excess()
            for place in places:
                add_place(excesses[name], place, permission, settings)
    presence = Presence(places[0].time, places[-1].time, excesses)
    return standing_of(named, who, volume_id, presence, settings)


def kind_words(kind: str) -> str:
    """A kind of permission in a sentence."""
    return _KIND_WORDS.get(kind, kind)
