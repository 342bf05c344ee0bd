"""The logic of one alert: M of N, hysteresis, silence, entry, and what is news."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airvigil.airspace.lookahead.lookahead_alert import (
    ENTERED,
    RAISED,
    SILENT,
    TURNED_AWAY,
    UPDATED,
    AlertPair,
    Outlook,
    clear,
    deadline_of,
    feed_inside,
    feed_outlook,
)
from small_world import SETTINGS

RULE = replace(
    SETTINGS.lookahead,
    raise_p=0.5,
    clear_p=0.3,
    raise_m=2,
    raise_n=3,
    clear_s=20.0,
    update_s=15.0,
    lookahead_s=120.0,
)
S = 10**9


def rule(**changed: Any) -> Any:
    return replace(SETTINGS, lookahead=replace(RULE, **changed))


def outlook(at_s: float, p: float, time_s: float | None = None) -> Outlook:
    return Outlook(round(at_s * S), p, time_s, None, None, None, {})


def fed(chances: list[float], settings: Any, every_s: float = 4.0) -> tuple[AlertPair, list[str | None]]:
    pair = AlertPair(0, 0)
    told = [
        feed_outlook(pair, round(k * every_s * S), outlook(k * every_s, p), settings)
        for k, p in enumerate(chances)
    ]
    return pair, told


@pytest.mark.parametrize(
    ("m", "n", "chances", "raised_at"),
    [
        (1, 1, [0.6], 0),
        (2, 2, [0.6, 0.1, 0.6], None),
        (2, 2, [0.6, 0.6], 1),
        (2, 3, [0.6, 0.1, 0.6], 2),
        (2, 3, [0.6, 0.1, 0.1, 0.6], None),
        (3, 4, [0.6, 0.6, 0.1, 0.6], 3),
        (3, 4, [0.6, 0.6, 0.1, 0.1, 0.6, 0.6, 0.6], 6),
        (2, 3, [0.49, 0.49, 0.49], None),
        (2, 3, [0.6, 0.6, 0.1], 1),
    ],
)
def test_m_of_n(m: int, n: int, chances: list[float], raised_at: int | None) -> None:
    _, told = fed(chances, rule(raise_m=m, raise_n=n))
    assert [k for k, name in enumerate(told) if name == RAISED] == ([] if raised_at is None else [raised_at])


def test_it_is_cleared_only_after_staying_below_for_long_enough() -> None:
    settings = rule()
    pair, _ = fed([0.9, 0.9, 0.2, 0.2, 0.35], settings)
    assert deadline_of(pair, settings)[1] == SILENT  # 0.35 is above clear_p: it began anew
    feed_outlook(pair, 20 * S, outlook(20.0, 0.1), settings)
    feed_outlook(pair, 24 * S, outlook(24.0, 0.1), settings)
    assert deadline_of(pair, settings) == (40 * S, TURNED_AWAY)


def test_silence_ends_it_when_the_prediction_has_run_out() -> None:
    pair, _ = fed([0.9, 0.9], rule())
    assert deadline_of(pair, rule()) == (4 * S + 120 * S, SILENT)
    # silent while below: whichever comes first
    feed_outlook(pair, 8 * S, outlook(8.0, 0.1), rule(clear_s=300.0))
    assert deadline_of(pair, rule(clear_s=300.0)) == (128 * S, SILENT)


def test_entry_ends_it_and_the_stay_must_be_over_before_another() -> None:
    settings = rule(raise_m=1, raise_n=1)
    pair, told = fed([0.9], settings)
    assert told == [RAISED]
    assert feed_inside(pair, 4 * S) == ENTERED
    clear(pair)
    assert feed_inside(pair, 8 * S) is None
    rest_s = settings.infringement.hysteresis_s
    assert feed_outlook(pair, round((7.9 + rest_s) * S), outlook(37.0, 0.9), settings) is None
    assert feed_outlook(pair, round((8.0 + rest_s) * S), outlook(38.0, 0.9), settings) == RAISED


def test_after_clearing_it_takes_m_of_n_anew() -> None:
    settings = rule()
    pair, _ = fed([0.9, 0.9], settings)
    clear(pair)
    assert feed_outlook(pair, 8 * S, outlook(8.0, 0.9), settings) is None
    assert feed_outlook(pair, 12 * S, outlook(12.0, 0.9), settings) == RAISED


def test_only_what_is_material_is_told_again() -> None:
    settings = rule(raise_m=1, raise_n=1)
    pair = AlertPair(0, 0)
    steps = [
        (outlook(0.0, 0.6, 100.0), RAISED),
        (outlook(4.0, 0.65, 96.0), None),  # as expected
        (outlook(8.0, 0.65, None), None),  # a grazing course misses for a moment
        (outlook(12.0, 0.65, 102.0), None),  # 14 s later than told
        (outlook(16.0, 0.65, 100.0), UPDATED),  # 16 s later
        (outlook(20.0, 0.8, 96.0), None),
        (outlook(24.0, 0.86, 92.0), UPDATED),  # P by 0.2 more than told
        (outlook(28.0, 0.2, None), None),  # below: the clock of clearing runs
    ]
    told = [feed_outlook(pair, each.at, each, settings) for each, _ in steps]
    assert told == [name for _, name in steps]
    assert pair.p_max == 0.86


def test_a_pair_survives_being_written() -> None:
    pair, _ = fed([0.9, 0.9, 0.1], rule())
    assert AlertPair.from_plain(pair.to_plain()) == pair
