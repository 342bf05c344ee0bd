"""One alert of predicted entry: M of N evaluations raise it, hysteresis and silence clear it.

A pair of track and volume is fed with evaluations in time order. An alert is raised when at least `raise_m` of the last `raise_n` of
them, the last included, have P(entry) of `raise_p` or more. It is cleared when the track is inside (`entered`), when P stayed below `clear_p`
for `clear_s` (`turned_away`: the courses that it may take lead there no longer), when nothing was heard of it for `lookahead_s` (`silent`:
the prediction has run out), or when its presence turns out to need no permission (`not_required`).

Rules
- A cleared pair begins anew: the evaluations that spoke for the alert count no more.
- A track that was inside raises none until it has been outside for the hysteresis of spells: until then the stay is one.
- All deadlines run on the time of reports.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from airvigil.settings import Settings
from airvigil.units import NS_PER_S

UPDATE_P = 0.2  # a change of P(entry) that is worth telling
RAISED, UPDATED = "raised", "updated"
ENTERED, TURNED_AWAY, SILENT, NOT_REQUIRED = "entered", "turned_away", "silent", "not_required"


@dataclass(slots=True)
class Outlook:
    """What an evaluation found, as events tell it. Plain values.

    Attributes:
        at: ns, of the position that it was made from.
        p: P(entry within the lookahead).
        time_s, sigma_s, lat, lon: to the boundary on the present course; None where it does not enter.
        facts: of the event.
    """

    at: int
    p: float
    time_s: float | None
    sigma_s: float | None
    lat: float | None
    lon: float | None
    facts: dict[str, Any]


@dataclass(slots=True)
class AlertPair:
    """A track and a volume that it is near to, and the alert if there is one. Plain values.

    Attributes:
        start: ns, which track of its key.
        known: ns, latest evaluation or stay.
        bits: the last evaluations, the latest in bit 0; 1 where P reached `raise_p`.
        inside: ns, when last inside; None if never while remembered.
        raised: ns, since when there is an alert.
        below: ns, since when P is below `clear_p`.
        told_p, told_entry: P and expected time of entry (ns) as last told.
        outlook: the latest evaluation.
        p_max: greatest P of the alert.
        is_reconstruction: a generator made a report of it.
    """

    start: int
    known: int
    bits: int = 0
    inside: int | None = None
    raised: int | None = None
    below: int | None = None
    told_p: float = 0.0
    told_entry: int | None = None
    outlook: Outlook | None = None
    p_max: float = 0.0
    is_reconstruction: bool = False

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return asdict(self)

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> AlertPair:
        """The inverse of `to_plain`."""
        outlook = plain["outlook"]
        return AlertPair(**{**plain, "outlook": None if outlook is None else Outlook(**outlook)})


def feed_outlook(pair: AlertPair, known: int, outlook: Outlook, settings: Settings) -> str | None:
    """Take an evaluation; returns RAISED, UPDATED or None.

    Args:
        pair: changed.
        known: ns, not before the one before.
        outlook: with P known.
        settings: thresholds.
    """
    rule = settings.lookahead
    speaks_for = outlook.p >= rule.raise_p
    pair.known, pair.outlook = known, outlook
    pair.bits = (pair.bits << 1 | speaks_for) & ((1 << rule.raise_n) - 1)
    if pair.raised is None:
        rest_ns = round(settings.infringement.hysteresis_s * NS_PER_S)
        is_resting = pair.inside is not None and known - pair.inside < rest_ns
        if is_resting or not speaks_for or pair.bits.bit_count() < rule.raise_m:
            return None
        pair.raised, pair.below, pair.p_max = known, None, outlook.p
        _note_told(pair)
        return RAISED
    pair.p_max = max(pair.p_max, outlook.p)
    if outlook.p < rule.clear_p:
        if pair.below is None:
            pair.below = known
        return None
    pair.below = None
    if not _is_news(pair, rule.update_s):
        return None
    _note_told(pair)
    return UPDATED


def feed_inside(pair: AlertPair, known: int) -> str | None:
    """Take a stay inside; returns ENTERED where that ends an alert. The caller then calls `clear`."""
    pair.known = pair.inside = known
    pair.bits = 0
    return None if pair.raised is None else ENTERED


def clear(pair: AlertPair) -> None:
    """End the alert: the pair begins anew."""
    pair.raised = pair.below = pair.told_entry = None
    pair.bits, pair.p_max, pair.told_p = 0, 0.0, 0.0


def deadline_of(pair: AlertPair, settings: Settings) -> tuple[int, str | None]:
    """When (ns) the pair's alert ends by itself, and why; without an alert, when the pair is forgotten, and None."""
    rule = settings.lookahead
    silent = pair.known + round(rule.lookahead_s * NS_PER_S)
    if pair.raised is None:
        rest = pair.known + round(settings.infringement.hysteresis_s * NS_PER_S)
        return max(silent, rest), None
    if pair.below is not None:
        cleared = pair.below + round(rule.clear_s * NS_PER_S)
        if cleared <= silent:
            return cleared, TURNED_AWAY
    return silent, SILENT


def expected_entry(pair: AlertPair) -> int | None:
    """When (ns) the present course enters, by the latest evaluation."""
    if pair.outlook is None or pair.outlook.time_s is None:
        return None
    return pair.outlook.at + round(pair.outlook.time_s * NS_PER_S)


def _note_told(pair: AlertPair) -> None:
    pair.told_p = 0.0 if pair.outlook is None else pair.outlook.p
    pair.told_entry = expected_entry(pair)


def _is_news(pair: AlertPair, update_s: float) -> bool:
    entry = expected_entry(pair)
    # that a grazing course misses the boundary for a moment is not news
    if entry is not None and (pair.told_entry is None or abs(entry - pair.told_entry) > update_s * NS_PER_S):
        return True
    return pair.outlook is not None and abs(pair.outlook.p - pair.told_p) >= UPDATE_P
