"""Spells: one continuous stay of one track in one volume, from first to last sign of it.

A spell is a small state machine fed with samples of one (track, volume) pair in time order. A sample
is a report or a tested point on the path between two reports. It opens when P(inside) reaches
`suspected_p`, begins to end when P falls below `close_p`, and is over when it stayed below for
`hysteresis_s`; coming back sooner is a re-entry of the same spell, so noise on a border does not make
ten spells of one.

Rules
- Entry and exit are where the margin crosses zero, interpolated; their sigma is the margin's over its
  rate, with the sensor's clock. Where the track began inside or was lost inside, it says so.
- `p_max` bounds P(spell) from below and needs no independence between errors.
- The deepest moment is where margin less 2 sigma is greatest: the greatest of many noisy margins would be
  the noisiest one.
- The deepest believed margin bounds the robustness radius: a shift of the whole track by less leaves that point
  inside. What it is exactly is computed when the spell ends (`spell_places`).
- In a volume of which nobody says when it is active, a stay is found and stays undecidable.
- A degraded position alone never makes more than `suspected`; one that is not credible never gets here.
- Deadlines run on the time of reports, so it does not matter whether a later report or the watermark shows
  that one has passed.

The functions here change one pair's record (`spell_records`) in place; `spell_kernels` runs them over samples and
time, `spell_events` makes events of what comes of it. A plain twin, one object a sample, is tests/plain_spells.py.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from airvigil.airspace.spells.short_way import distance_m, is_nearer, step_m
from airvigil.airspace.spells.spell_records import (
    CROSSED,
    FIRST_SEEN,
    LAST_SEEN,
    MISSING_ACTIVATION,
    MISSING_REPORT,
    NEVER,
    NO_CROSSING,
    PROBABLE,
    SUSPECTED,
    UNDECIDABLE,
    Rule,
    Sample,
)
from airvigil.units import NS_PER_S

LENGTH_STEP_SIGMAS = 20.0  # a step this much longer than the error is inflated by 0.25 % at the most
DEPTH_SIGMAS = 2.0  # the deepest moment is the one that is deepest with this much allowed for noise


@njit(cache=True, nogil=True)
def is_leaving(pair: Any) -> bool:
    """Whether a spell is open and P has fallen below `close_p`."""
    return bool(pair["is_open"] == 1 and pair["below_since"] != NEVER)


@njit(cache=True, nogil=True)
def is_inside(pair: Any, sample: Sample, rule: Rule) -> bool:
    """Whether a spell is open and a sample counts for it."""
    is_likely = sample.p_lateral >= rule.suspected_p and not sample.p_inside < rule.suspected_p
    return bool(pair["is_open"] == 1 and is_likely)


@njit(cache=True, nogil=True)
def deadline_of(pair: Any, rule: Rule) -> int:
    """When what is open in a pair ends if nothing more is heard, ns of `known` time."""
    if is_leaving(pair):
        return int(pair["below_since"] + rule.hysteresis_ns)
    return int(pair["last_known"] + rule.timeout_ns)


@njit(cache=True, nogil=True)
def put(crossing: Any, kind: int, time: int, sigma_s: float, lat: float, lon: float) -> None:
    """Write a crossing."""
    crossing["kind"] = kind
    crossing["time"] = time
    crossing["sigma_s"] = sigma_s
    crossing["lat"] = lat
    crossing["lon"] = lon


@njit(cache=True, nogil=True)
def _wrapped(lon_deg: float) -> float:
    """The same longitude, or difference of two, in [-180, 180)."""
    return lon_deg if -180.0 <= lon_deg < 180.0 else (lon_deg + 180.0) % 360.0 - 180.0


@njit(cache=True, nogil=True)
def _put_crossing(crossing: Any, pair: Any, sample: Sample) -> None:
    """Where the margin crosses zero from the pair's last sample to this one, which lies on the other side."""
    margin, sigma = pair["last_margin_m"], pair["last_sigma_m"]
    between = sample.time - pair["last_time"]
    share = margin / (margin - sample.margin_m)
    rate = (sample.margin_m - margin) * NS_PER_S / between
    sigma = sigma + share * (sample.sigma_m - sigma)
    sigma_s = math.hypot(sigma / rate, max(pair["last_clock_s"], sample.clock_s))
    lat, lon = pair["last_lat"], pair["last_lon"]
    put(
        crossing,
        CROSSED,
        pair["last_time"] + round(share * between),
        sigma_s if not math.isnan(sigma) else math.nan,
        lat + share * (sample.lat - lat),
        _wrapped(lon + share * _wrapped(sample.lon - lon)),
    )


@njit(cache=True, nogil=True)
def feed(pair: Any, sample: Sample, rule: Rule) -> bool:
    """Take the next sample of a pair whose spell, if any, is not over by then.

    Where it came back in, the pair's `left` and `inward` are the crossings of the re-entry; whoever calls takes
    note of them and clears `inward`.

    Returns:
        Whether a spell opened or the open one changed its outcome or what it is undecidable for.
    """
    margin, p_lateral, p_inside = sample.margin_m, sample.p_lateral, sample.p_inside
    crossed = pair["last_time"] < sample.time and pair["last_time"] != NEVER
    crossed = crossed and (pair["last_margin_m"] >= 0.0) != (margin >= 0.0)
    is_changed = False
    if pair["is_open"] == 0:
        if crossed and margin >= 0.0:
            _put_crossing(pair["inward"], pair, sample)
        elif crossed:
            pair["inward"]["kind"] = NO_CROSSING
        if p_lateral >= rule.suspected_p:
            if p_inside < rule.suspected_p:
                # over or below the volume: where it later enters is not this crossing
                pair["inward"]["kind"] = NO_CROSSING
            else:
                _open(pair, sample)
                is_changed = True
                crossed = False
    if pair["is_open"] == 1:
        outcome, missing = pair["outcome"], missing_of(pair, rule)
        _extend(pair, sample, crossed, rule)
        is_changed = is_changed or outcome != pair["outcome"] or missing != missing_of(pair, rule)
    pair["last_time"] = sample.time
    pair["last_known"] = sample.known
    pair["last_lat"], pair["last_lon"] = sample.lat, sample.lon
    pair["last_margin_m"], pair["last_sigma_m"] = margin, sample.sigma_m
    pair["last_p_lateral"], pair["last_p_inside"] = p_lateral, p_inside
    pair["last_clock_s"] = sample.clock_s
    return is_changed


@njit(cache=True, nogil=True)
def _open(pair: Any, sample: Sample) -> None:
    inward = pair["inward"]
    if inward["kind"] == NO_CROSSING:
        put(pair["entry"], FIRST_SEEN, sample.time, math.nan, sample.lat, sample.lon)
    else:
        put(pair["entry"], CROSSED, inward["time"], inward["sigma_s"], inward["lat"], inward["lon"])
    inward["kind"] = NO_CROSSING
    pair["exit"]["kind"] = NO_CROSSING
    pair["is_open"] = 1
    pair["number_time"] = sample.time
    pair["below_since"] = NEVER
    pair["outcome"] = UNDECIDABLE
    pair["is_reconstruction"] = pair["doubts"] = pair["reports"] = pair["bridged"] = pair[
        "credible_reports"
    ] = 0
    pair["p_max"] = pair["p_max_credible"] = pair["length_m"] = pair["credible_depth_m"] = 0.0
    pair["max_depth_m"] = pair["max_depth_sure_m"] = pair["credible_sure_m"] = -math.inf
    pair["max_depth_sigma_m"] = pair["inside_lat"] = pair["inside_lon"] = math.nan
    pair["measured_lat"] = pair["measured_lon"] = pair["measured_cos"] = math.nan
    pair["max_depth_time"] = pair["inside_time"] = 0


@njit(cache=True, nogil=True)
def _extend(pair: Any, sample: Sample, crossed: bool, rule: Rule) -> None:
    """Take a sample into the open spell."""
    margin, p_lateral, p_inside = sample.margin_m, sample.p_lateral, sample.p_inside
    if crossed:
        _cross(pair, sample, rule)
    if p_lateral < rule.close_p or p_inside < rule.close_p:
        if pair["below_since"] == NEVER:
            pair["below_since"] = sample.known
        if pair["exit"]["kind"] == NO_CROSSING:  # left through the floor or roof, or into uncertainty
            put(pair["exit"], LAST_SEEN, sample.time, math.nan, sample.lat, sample.lon)
    elif p_lateral >= rule.suspected_p and not p_inside < rule.suspected_p:
        pair["below_since"] = NEVER
        if margin >= 0.0 and not crossed:
            pair["exit"]["kind"] = NO_CROSSING
        _count_inside(pair, sample)
    pair["outcome"] = _outcome_of(pair, rule)


@njit(cache=True, nogil=True)
def _cross(pair: Any, sample: Sample, rule: Rule) -> None:
    """The boundary was crossed while a spell is open."""
    leave = pair["exit"]
    if sample.margin_m < 0.0:
        is_above_or_below = pair["last_p_inside"] < rule.close_p and rule.close_p <= pair["last_p_lateral"]
        if leave["kind"] == NO_CROSSING or not is_above_or_below:
            _put_crossing(leave, pair, sample)
    elif leave["kind"] != NO_CROSSING:
        back = pair["inward"]
        _put_crossing(back, pair, sample)
        put(pair["left"], leave["kind"], leave["time"], leave["sigma_s"], leave["lat"], leave["lon"])
        # what lies between exit and re-entry is not length inside
        pair["length_m"] += distance_m(pair["measured_lat"], pair["measured_lon"], leave["lat"], leave["lon"])
        _measure_from(pair, back["lat"], back["lon"])
        leave["kind"] = NO_CROSSING
    elif pair["max_depth_m"] < 0.0:  # opened by P just before the border itself
        _put_crossing(pair["entry"], pair, sample)


@njit(cache=True, nogil=True)
def _count_inside(pair: Any, sample: Sample) -> None:
    margin, sigma, p_inside = sample.margin_m, sample.sigma_m, sample.p_inside
    if sample.is_reconstruction:
        pair["is_reconstruction"] = 1
    if sample.is_bridged:
        pair["bridged"] += 1
    else:
        pair["reports"] += 1
    sure_m = margin - DEPTH_SIGMAS * sigma
    if sure_m > pair["max_depth_sure_m"]:
        pair["max_depth_sure_m"] = sure_m
        pair["max_depth_m"] = margin
        pair["max_depth_sigma_m"] = sigma
        pair["max_depth_time"] = sample.time
    if sample.is_credible and not sample.is_bridged:
        pair["credible_reports"] += 1
        if sure_m > pair["credible_sure_m"]:
            pair["credible_sure_m"] = sure_m
            pair["credible_depth_m"] = max(0.0, margin)
    pair["doubts"] |= sample.doubt
    if p_inside > pair["p_max"]:
        pair["p_max"] = p_inside
    if sample.is_credible and not sample.is_bridged and p_inside > pair["p_max_credible"]:
        pair["p_max_credible"] = p_inside
    _lengthen(pair, sample.lat, sample.lon, sigma)
    pair["inside_time"] = sample.time
    pair["inside_lat"], pair["inside_lon"] = sample.lat, sample.lon


@njit(cache=True, nogil=True)
def _measure_from(pair: Any, lat: float, lon: float) -> None:
    pair["measured_lat"], pair["measured_lon"] = lat, lon
    pair["measured_sin"], pair["measured_cos"] = math.sin(math.radians(lat)), math.cos(math.radians(lat))


@njit(cache=True, nogil=True)
def _lengthen(pair: Any, lat: float, lon: float, sigma_m: float) -> None:
    """Add to the length once the track has moved far against its own noise: a zigzag of errors is no path."""
    if math.isnan(pair["measured_lat"]):
        if pair["entry"]["kind"] == CROSSED:
            _measure_from(pair, pair["entry"]["lat"], pair["entry"]["lon"])
        else:
            _measure_from(pair, lat, lon)
    least_m = LENGTH_STEP_SIGMAS * sigma_m
    lat0, lon0 = pair["measured_lat"], pair["measured_lon"]
    sin0, cos0 = pair["measured_sin"], pair["measured_cos"]
    if is_nearer(lat0, lon0, cos0, lat, lon, least_m):
        return
    step, sin1, cos1 = step_m(lat0, lon0, sin0, cos0, lat, lon)
    if step >= least_m:
        pair["length_m"] += step
        pair["measured_lat"], pair["measured_lon"] = lat, lon
        pair["measured_sin"], pair["measured_cos"] = sin1, cos1


@njit(cache=True, nogil=True)
def _outcome_of(pair: Any, rule: Rule) -> int:
    """The ladder: what the evidence of this spell supports so far."""
    if pair["doubts"] & MISSING_ACTIVATION:  # of a volume that may not exist
        return UNDECIDABLE
    # a path point inside is no sign of its own: a lone wrong report bends the path to itself
    if pair["reports"] < rule.suspected_min_reports:
        return UNDECIDABLE
    if pair["p_max_credible"] >= rule.probable_p and pair["reports"] >= rule.probable_min_reports:
        return PROBABLE
    if pair["p_max"] >= rule.suspected_p:
        return SUSPECTED
    return UNDECIDABLE


@njit(cache=True, nogil=True)
def missing_of(pair: Any, rule: Rule) -> int:
    """Bits of what would settle an undecidable spell; 0 if it is decided."""
    if pair["outcome"] != UNDECIDABLE:
        return 0
    lone = MISSING_REPORT if pair["reports"] < rule.suspected_min_reports else 0
    return int(pair["doubts"] | lone)
