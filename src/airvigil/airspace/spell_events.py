"""The words of a spell: what an event says of the record that the kernels keep."""

from __future__ import annotations

import math
from typing import Any

from airvigil.airspace.index import RELEVANCE_M
from airvigil.airspace.short_way import distance_m
from airvigil.airspace.spell_records import (
    CROSSED,
    CROSSING,
    CROSSING_NAMES,
    MISSING_HEIGHT,
    MISSING_REPORT,
    NO_CROSSING,
    OUTCOMES,
    PAIR,
    UNDECIDABLE,
    Records,
    Rule,
)
from airvigil.units import NS_PER_S, utc_text

Values = dict[str, Any]

_PAIR_NAMES = PAIR.names or ()
_CROSSING_NAMES = CROSSING.names or ()

MISSING = {
    MISSING_REPORT: "a second report inside",
    MISSING_HEIGHT: "height in the volume's own reference",
}


def values_of(pairs: Records) -> list[Values]:
    """Records (PAIR) as plain values by name."""
    rows = []
    for row in pairs.tolist():
        values = dict(zip(_PAIR_NAMES, row, strict=True))
        for name in ("inward", "entry", "exit", "left"):
            values[name] = dict(zip(_CROSSING_NAMES, values[name], strict=True))
        rows.append(values)
    return rows


def crossing_event(crossing: Values) -> Values | None:
    """A crossing in the form that events have; None if there is none."""
    if crossing["kind"] == NO_CROSSING:
        return None
    sigma = crossing["sigma_s"]
    return {
        "time": utc_text(crossing["time"]),
        "sigma_s": None if math.isnan(sigma) else round(sigma, 2),
        "kind": CROSSING_NAMES[crossing["kind"]],
        "latitude_deg": round(crossing["lat"], 6),
        "longitude_deg": round(crossing["lon"], 6),
    }


def missing_for(pair: Values, rule: Rule) -> list[str]:
    """What would settle an undecidable spell; empty if it is decided."""
    if pair["outcome"] != UNDECIDABLE:
        return []
    lone = MISSING_REPORT if pair["reports"] < rule.suspected_min_reports else 0
    return [text for bit, text in MISSING.items() if (pair["doubts"] | lone) & bit]


def spell_event(pair: Values, reentries: list[Values], *, until: int, rule: Rule) -> Values:
    """The numbers of a spell as known at `until` (ns), without identity.

    Args:
        pair: from `values_of`.
        reentries: of the spell so far.
        until: ns.
        rule: thresholds.
    """
    leave = pair["exit"]
    end = leave if leave["kind"] == CROSSED else {"lat": pair["inside_lat"], "lon": pair["inside_lon"]}
    ended = max(until, pair["inside_time"]) if leave["kind"] == NO_CROSSING else leave["time"]
    rest = distance_m(pair["measured_lat"], pair["measured_lon"], end["lat"], end["lon"])
    return {
        "entry": crossing_event(pair["entry"]),
        "exit": crossing_event(leave),
        "duration_s": round((ended - pair["entry"]["time"]) / NS_PER_S, 1),
        "length_m": _rounded(pair["length_m"] + rest, 0),
        "max_depth_m": _rounded(pair["max_depth_m"], 1),
        "max_depth_sigma_m": _rounded(pair["max_depth_sigma_m"], 1),
        "max_depth_is_bound": pair["max_depth_m"] >= RELEVANCE_M,
        "max_depth_at": utc_text(pair["max_depth_time"]),
        "p_inside_max": round(pair["p_max"], 6),
        "robustness_radius_m": _rounded(pair["credible_depth_m"], 1),
        "outcome": OUTCOMES[pair["outcome"]],
        "undecidable_for": missing_for(pair, rule),
        "reports": pair["reports"],
        "bridged": pair["bridged"],
        "reentries": list(reentries),
        "reconstruction": pair["is_reconstruction"] == 1,
    }


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
