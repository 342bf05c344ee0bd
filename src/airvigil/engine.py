"""The one pure function: step(state, reports, observations, watermark) -> (state, output).

No clock, no input or output, no randomness; time enters as data. The laws (docs/life-of-a-report.md)
are property tests in tests/test_engine_laws.py.

The first part works track by track: admission, filter, margins, spells, interference. The second works
on the first one's events only: areas of interference and incidents. Events leave in order of time; all
events before a watermark leave in the step that passes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from airvigil.airspace.gaps import gap_spells
from airvigil.airspace.heights.terrain import Terrain
from airvigil.airspace.heights.vertical import knowledge_for
from airvigil.airspace.infringement import believed_airborne, samples_of
from airvigil.airspace.lookahead import lookahead_book
from airvigil.airspace.margins import Airspace
from airvigil.airspace.permissions import permission_stays
from airvigil.airspace.spells import spell_book
from airvigil.airspace.spells.spell_book import Teller
from airvigil.incidents import incidents
from airvigil.settings import Settings
from airvigil.state import Names, Output, State, observation_events
from airvigil.tracking import admission, intake, interference, verdicts
from airvigil.tracking.identity import exempt_blocks, state_blocks
from airvigil.tracking.rows import Rows
from airvigil.tracking.track_table import limits_of, sensor_table_of

Event = dict[str, Any]
REJECT_NAMES = {code: name for code, (name, _) in verdicts.REJECTS.items()}


@dataclass(frozen=True)
class Rules:
    """What settings and airspace come to in the form in which a step uses them."""

    limits: Rows
    sensors: Rows
    teller: Teller


# of the settings and airspace seen last: a step of one row would mostly make these
_kept: list[tuple[Settings, Airspace, Rules]] = []


def rules_of(settings: Settings, airspace: Airspace) -> Rules:
    """The rules of settings and airspace, which never change."""
    for known, sky, rules in _kept:
        if known is settings and sky is airspace:
            return rules
    teller = Teller(settings, state_blocks(settings.permission), exempt_blocks(settings.permission), airspace)
    rules = Rules(limits_of(settings), sensor_table_of(settings), teller)
    _kept[:] = [(settings, airspace, rules)]
    return rules


def step(
    state: State,
    reports: pa.Table,
    observations: pa.Table | None,
    watermark_ns: int,
    airspace: Airspace,
    settings: Settings,
    *,
    terrain: Terrain | None = None,
) -> tuple[State, Output]:
    """Take what arrived, judge what can have no predecessor any more, and tell what follows from it.

    Args:
        state: consumed: use the returned one (`state.copy()` keeps one).
        reports: arrivals with REPORT_SCHEMA, in order of arrival.
        observations: arrivals with OBSERVATION_SCHEMA; None for none.
        watermark_ns: no report applying before this will be used after this step. Must not fall.
        airspace: volumes.
        settings: thresholds.
        terrain: heights of the ground, where the user has them.

    Returns:
        (state, output): events with time before the watermark, in order; points and margins as tables.
    """
    intake.forget_tracks(state.intake, state.tracks, settings.tracks.memory_s)
    intake.arrive(state.intake, state.tracks, reports, settings.time, state.watermark)
    state.permissions.taken(observations, state.watermark)
    state.heights.take(observations)
    state.watermark = max(state.watermark, watermark_ns)
    rows = intake.release(state.intake, state.watermark, len(state.tracks.keys))
    rules = rules_of(settings, airspace)
    rejects, points = admission.admit(rows, state.tracks, state.receiver_table(), rules.sensors, rules.limits)
    intake.settle(state.intake, rows, rejects, REJECT_NAMES)
    believed = believed_airborne(points)
    samples = samples_of(
        believed, airspace, settings, knowledge_for(airspace.volumes, state.heights, terrain)
    )
    state.heights.forget(state.watermark, settings.heights)
    keys = state.tracks.keys
    events = spell_book.take_samples(state.spells, samples, believed, keys, airspace.volumes, rules.teller)
    events += spell_book.pass_time(state.spells, state.watermark, rules.teller)
    events += gap_spells.take_gaps(state.gaps, believed, samples, keys, airspace, rules.teller)
    gap_spells.pass_time(state.gaps, state.watermark, settings)
    events += permission_stays.judge_stays(
        *(state.stays, state.permissions, samples, believed, keys, airspace.volumes),
        *(events, settings, state.watermark),
    )
    events += lookahead_book.take_points(state.lookahead, believed, samples, keys, airspace, rules.teller)
    events += lookahead_book.pass_time(state.lookahead, state.watermark, rules.teller)
    bad = interference.claims_in(points)
    events += interference.take_points(
        state.interference, points, bad, state.tracks, _claimed(points, bad, airspace), settings.tracks
    )
    events += interference.pass_time(state.interference, state.watermark, settings.tracks)
    events += observation_events(state, observations) + state.permissions.refusals(state.watermark)
    told = _second(state, sorted(events, key=_order), airspace, settings)
    for event in told:
        state.sequence += 1
        event["seq"] = state.sequence
    names = Names(keys, state.intake.sensors, tuple(volume.volume_id for volume in airspace.volumes))
    return state, Output(told, rows, points, believed, samples, names)


def _order(event: Event) -> tuple[int, str]:
    names = (event.get(name) for name in ("spell_id", "interference_id", "lookahead_id"))
    return event["time_ns"], next((name for name in names if name), "")


def _claimed(points: Rows, which: npt.NDArray[np.int64], airspace: Airspace) -> dict[int, list[str]]:
    """For airborne points that are not credible, the volumes that they claim to be inside."""
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
        if event["event"] not in ("observation", "permission_refused") and "lookahead_id" not in event:
            told += incidents.take_event(state.incidents, event, volumes, rule)
    told += incidents.pass_time(state.incidents, state.watermark - 1, volumes, rule)
    return told
