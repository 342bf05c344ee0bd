"""The one pure function: step(state, reports, observations, watermark) -> (state, output).

No clock, no input or output, no randomness; time enters as data. The laws (docs/life-of-a-report.md)
are property tests in tests/test_engine_laws.py.

The first part works track by track: admission, filter, margins, spells, interference. The second works
on the first one's events only: areas of interference and incidents. Events leave in order of time; all
events before a watermark leave in the step that passes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.airspace import lookahead_book, spell_book
from airvigil.airspace.infringement import believed_airborne, samples_of
from airvigil.airspace.margins import Airspace
from airvigil.airspace.spell_book import Teller
from airvigil.incidents import incidents
from airvigil.settings import Settings
from airvigil.state import Output, State, margin_table, observation_events, point_table
from airvigil.tracking import admission, intake, interference, verdicts
from airvigil.tracking.identity import exempt_blocks, state_blocks
from airvigil.tracking.track_table import limits_of, sensor_table_of

Event = dict[str, Any]
REJECT_NAMES = {code: name for code, (name, _) in verdicts.REJECTS.items()}


def step(
    state: State,
    reports: pa.Table,
    observations: pa.Table | None,
    watermark_ns: int,
    airspace: Airspace,
    settings: Settings,
) -> tuple[State, Output]:
    """Take what arrived, judge what can have no predecessor any more, and tell what follows from it.

    Args:
        state: consumed: use the returned one (`state.copy()` keeps one).
        reports: arrivals with REPORT_SCHEMA, in order of arrival.
        observations: arrivals with OBSERVATION_SCHEMA; None for none.
        watermark_ns: no report applying before this will be used after this step. Must not fall.
        airspace: volumes.
        settings: thresholds.

    Returns:
        (state, output): events with time before the watermark, in order; points and margins as tables.
    """
    if intake.forget_tracks(state.intake, state.tracks, settings.tracks.memory_s):
        interference.forget(state.interference, set(state.tracks.keys))
    intake.arrive(state.intake, state.tracks, reports, settings.time, state.watermark)
    state.watermark = max(state.watermark, watermark_ns)
    rows = intake.release(state.intake, state.watermark)
    rejects, points = admission.admit(
        rows, state.tracks, state.receiver_table(), sensor_table_of(settings), limits_of(settings)
    )
    intake.settle(state.intake, rows, rejects, REJECT_NAMES)
    teller = Teller(settings, state_blocks(settings.permission), exempt_blocks(settings.permission))
    believed = believed_airborne(points)
    samples = samples_of(believed, airspace, settings)
    keys = state.tracks.keys
    events = spell_book.take_samples(state.spells, samples, believed, keys, airspace.volumes, teller)
    events += spell_book.pass_time(state.spells, state.watermark, teller)
    events += lookahead_book.take_points(state.lookahead, believed, samples, keys, airspace, teller)
    events += lookahead_book.pass_time(state.lookahead, state.watermark, teller)
    events += interference.take_points(
        state.interference, points, keys, _claimed(points, airspace), settings.tracks
    )
    events += interference.pass_time(state.interference, state.watermark, settings.tracks)
    events += observation_events(state, observations)
    told = _second(state, sorted(events, key=_order), airspace, settings)
    for event in told:
        state.sequence += 1
        event["seq"] = state.sequence
    return state, Output(
        told, point_table(points, rows, state), margin_table(samples, believed, airspace, keys)
    )


def _order(event: Event) -> tuple[int, str]:
    names = (event.get(name) for name in ("spell_id", "interference_id", "lookahead_id"))
    return event["time_ns"], next((name for name in names if name), "")


def _claimed(points: Any, airspace: Airspace) -> dict[int, list[str]]:
    """For airborne points that are not credible, the volumes that they claim to be inside."""
    which = np.flatnonzero((points["integrity"] == verdicts.NOT_CREDIBLE) & (points["on_ground"] != 1))
    if not len(which):
        return {}
    unknown = np.full((len(which), 3), np.nan)
    at = airspace.margins(points["lat"][which], points["lon"][which], unknown, np.zeros(len(which)))
    inside: dict[int, list[str]] = {}
    for k in np.flatnonzero(at.margin_m > 0.0):
        inside.setdefault(int(which[at.row[k]]), []).append(airspace.volumes[at.volume[k]].volume_id)
    return inside


def _second(state: State, events: list[Event], airspace: Airspace, settings: Settings) -> list[Event]:
    """Areas and incidents from the events of single tracks; returns all in order."""
    volumes = {volume.volume_id: volume for volume in airspace.volumes}
    rule = settings.incidents
    told: list[Event] = []
    for event in events:
        told += incidents.pass_time(state.incidents, event["time_ns"], volumes, rule)
        told.append(event)
        if event["event"] != "observation" and "lookahead_id" not in event:
            told += incidents.take_event(state.incidents, event, volumes, rule)
    told += incidents.pass_time(state.incidents, state.watermark - 1, volumes, rule)
    return told
