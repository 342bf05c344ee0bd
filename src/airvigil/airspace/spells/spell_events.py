"""The words of a spell: what an event says of the record that the kernels keep."""

from __future__ import annotations

import math
from typing import Any

from airvigil.airspace.heights.vertical import missing_words
from airvigil.airspace.index.grid import RELEVANCE_M
from airvigil.airspace.spells.short_way import distance_m
from airvigil.airspace.spells.spell_records import (
    CROSSED,
    CROSSING,
    CROSSING_NAMES,
    MISSING_ACTIVATION,
    MISSING_BOUNDARY,
    MOST_CODES,
    NO_CROSSING,
    OUTCOMES,
    PAIR,
    UNDECIDABLE,
    Records,
)
from airvigil.settings import Settings
from airvigil.units import NS_PER_S, utc_text

Values = dict[str, Any]

_PAIR_NAMES = PAIR.names or ()
_CROSSING_NAMES = CROSSING.names or ()

LONE_REPORT = "a second report inside"
NO_ACTIVATION = "whether the volume was active"
NO_BOUNDARY = "a boundary that does not cross itself here (airvigil airspace check), or a known accuracy"


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


def missing_for(pair: Values, settings: Settings) -> tuple[list[str], list[str]]:
    """What would settle an undecidable spell, and of what kind that is; both empty if it is decided.

    Returns:
        (words, kinds): kinds are of "reports", "height", "activation", "boundary".
    """
    if pair["outcome"] != UNDECIDABLE:
        return [], []
    words, kinds = [], []
    if pair["reports"] < settings.infringement.suspected_min_reports:
        words.append(LONE_REPORT)
        kinds.append("reports")
    codes = [code for code in range(1, MOST_CODES) if pair["doubts"] >> code & 1]
    if codes:
        place = pair["inside_lat"], pair["inside_lon"]
        words += [missing_words(code, *place, settings.heights) for code in codes]
        kinds.append("height")
    if pair["doubts"] & MISSING_ACTIVATION:
        words.append(NO_ACTIVATION)
        kinds.append("activation")
    if pair["doubts"] & MISSING_BOUNDARY:
        words.append(NO_BOUNDARY)
        kinds.append("boundary")
    return words, kinds


def spell_event(
    pair: Values,
    reentries: list[Values],
    *,
    until: int,
    settings: Settings,
    radius_m: tuple[float, float] = (0.0, math.nan),
) -> Values:
    """The numbers of a spell as known at `until` (ns), without identity.

    Args:
        pair: from `values_of`.
        reentries: of the spell so far.
        until: ns.
        settings: thresholds, and what a height takes.
        radius_m: what `spell_places.radius_m` found.
    """
    words, kinds = missing_for(pair, settings)
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
        "robustness_radius_m": _rounded(max(pair["credible_depth_m"], radius_m[0]), 1),
        "robustness_radius_high_m": _rounded(radius_m[1], 1),
        "outcome": OUTCOMES[pair["outcome"]],
        "undecidable_for": words,
        "undecidable_because": kinds,
        "activation_unknown": bool(pair["doubts"] & MISSING_ACTIVATION),
        "reports": pair["reports"],
        "bridged": pair["bridged"],
        "reentries": list(reentries),
        "reconstruction": pair["is_reconstruction"] == 1,
    }


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
