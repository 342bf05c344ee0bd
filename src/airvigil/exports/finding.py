"""The finding in plain words, with its numbers and their uncertainty.

Rules
- The software finds an infringement, `probable` at most. It never writes "violation" of its own.
- What was not seen is said: a stay that was seen from inside lasted *at least* so long.
- A position that is not credible is nobody's whereabouts: it was *reported* somewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from airvigil.exports.permission_words import incident_permission
from airvigil.exports.run_view import Event, Run, duration_sigma_s
from airvigil.exports.wording import (
    OUTCOMES,
    bound_text,
    claimants,
    clock,
    count_text,
    date_of,
    depth_of,
    duration_text,
    is_capped,
    known,
    listed,
    missing_text,
    nautical_text,
    ns_from_iso,
    probability_text,
    state_name,
    volume_text,
)
from airvigil.units import M_PER_NM

MOST_UNUSED = 0.5  # with more than this rejected or late, finding nothing says little


def finding_sentences(run: Run) -> list[str]:
    """The report's first paragraph, a sentence an item."""
    sentences: list[str] = []
    if not run.incidents:
        sentences.append(_nothing_found(run))
        if not run.has_no_positions and run.unused_share > MOST_UNUSED:
            share = f"{100.0 * run.unused_share:.0f} %"
            sentences.append(
                f"But {share} of what was received could not be used: what it would have shown is missing."
            )
    elif len(run.incidents) == 1:
        sentences.extend(incident_sentences(run, run.incidents[0]))
    else:
        counts = Counter(str(incident.get("outcome")) for incident in run.incidents)
        parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]]
        sentences.append(
            f"{count_text(len(run.incidents), 'incident was', 'incidents were').capitalize()} found: {', '.join(parts)}."
        )
        worst = str(run.incidents[0].get("outcome"))
        peers = [incident for incident in run.incidents if str(incident.get("outcome")) == worst]
        deepest = max(peers, key=lambda incident: known(incident.get("max_depth_m")) or 0.0)
        if worst in ("probable", "suspected"):
            sentences.append(f"The deepest of those {worst}:" if len(peers) > 1 else f"The one {worst}:")
            sentences.extend(incident_sentences(run, deepest))
    return sentences


def incident_sentences(run: Run, incident: Event) -> list[str]:
    """What one incident says, with its uncertainty."""
    members = list(incident.get("members") or [])
    # one aircraft may have stayed several times
    count = len({str(member.get("icao24") or member.get("track_id")) for member in members})
    who = f"{count_text(count, 'aircraft', 'aircraft')}{_identity(incident)}".capitalize()
    where = volume_text(incident)
    verb = "was" if count == 1 else "were"
    day = date_of(ns_from_iso((incident.get("entry") or {}).get("time")))
    if incident.get("outcome") == "undecidable":
        missing = missing_text(missing_of(run, incident))
        whether = f"Whether {who[0].lower() + who[1:]} {verb} inside {where} on {day} cannot be decided"
        return [
            f"{whether} from what was received."
            if missing == "–"
            else f"{whether}; what is missing: {missing}."
        ]
    certainty = {"probable": "", "suspected": " possibly", "permitted": ""}.get(
        str(incident.get("outcome")), " not demonstrably"
    )
    sentences = [
        f"{who} {verb}{certainty} inside {where} on {day} for {_duration(incident)}{_depth(incident)}."
    ]
    permitted = incident_permission(incident)
    if permitted is not None:
        sentences.append(f"{permitted[0].upper()}{permitted[1:]}.")
    p = known(incident.get("p_inside_max"))
    if p is not None:
        sentences.append(f"The probability of having been inside is {_probability(p)}.")
    radius = known(incident.get("robustness_radius_m"))
    if radius is not None and radius > 0.0:
        sentences.append(
            f"To have stayed out, every sensor must have been wrong by {bound_text(radius)}{_nautical(radius)} in the same direction."
        )
    return sentences


def missing_of(run: Run, incident: Event) -> list[str]:
    """What would settle an undecidable incident: as it says itself, and as its members' spells say."""
    spells = [run.spells.get(str(m.get("spell_id")), {}) for m in incident.get("members") or []]
    return sorted({item for event in (incident, *spells) for item in event.get("undecidable_for") or []})


def _probability(p: float) -> str:
    words = probability_text(p)
    return words.replace("> ", "greater than ").replace("< ", "less than ")


def _identity(incident: Event) -> str:
    identities = {str(m.get("identity")) for m in incident.get("members") or []}
    return {
        frozenset({"unidentified"}): " without identification",
        frozenset({"state"}): " of a state",
        frozenset({"civil"}): " of civil identity",
    }.get(frozenset(identities), "")


def _duration(incident: Event) -> str:
    words = duration_text(incident.get("duration_s"))
    kinds = {(incident.get(key) or {}).get("kind") for key in ("entry", "exit")}
    if kinds & {"first_seen", "last_seen"} or incident.get("exit") is None:
        return f"at least {words}"
    sigma = duration_sigma_s(incident)
    return words if sigma is None else f"{words} ± {max(1, round(sigma))} s"


def _depth(incident: Event) -> str:
    depth = known(incident.get("max_depth_m"))
    if depth is None:
        return ", to a depth that is not known"
    words = depth_of(incident)
    is_bound = incident.get("max_depth_is_bound") or is_capped(depth)
    return f", {words} deep" if is_bound else f", up to {words} ({nautical_text(depth)}) deep"


def _nautical(metres: float) -> str:
    """A lower bound in nautical miles, rounded down, in brackets; nothing at the cap."""
    return "" if is_capped(metres) else f" ({int(metres / M_PER_NM * 10.0) / 10.0:.1f} NM)"


def _nothing_found(run: Run) -> str:
    span = run.span_ns()
    when = ""
    if span is not None and date_of(span[0]) == date_of(span[1]):
        when = f" on {date_of(span[0])} between {clock(span[0])} and {clock(span[1])} UTC"
    elif span is not None:
        when = (
            f" between {clock(span[0])} on {date_of(span[0])} and {clock(span[1])} on {date_of(span[1])} UTC"
        )
    where = volumes_text(run)
    if run.has_no_positions:
        return f"No finding is possible for {where}: not one position could be used. That is no sign that nobody was there."
    return f"No infringement of {where}{',' if ', nor of ' in where else ''} was found{when}."


def volumes_text(run: Run) -> str:
    """All volumes looked at, in one phrase: states, then users' volumes, then areas in dispute."""
    kinds: dict[str, list[Mapping[str, Any]]] = {"sovereign": [], "user": [], "disputed": []}
    for volume in run.volumes:
        kinds.setdefault(str(volume.get("kind")), []).append(volume)
    names = {
        kind: [str(v.get("name") or v.get("volume_id")) for v in volumes] for kind, volumes in kinds.items()
    }
    parts = []
    if names["sovereign"]:
        parts.append(f"the airspace of {listed([state_name(name) for name in names['sovereign']])}")
    others = [name for kind in kinds if kind not in ("sovereign", "disputed") for name in names[kind]]
    if others:
        parts.append(
            ("the volume " if len(others) == 1 else "the volumes ") + listed([f"“{n}”" for n in others])
        )
    disputes = kinds["disputed"]
    if len(disputes) == 1:
        who = claimants(names["disputed"][0], [str(s) for s in disputes[0].get("states") or []])
        parts.append(f"the area that {'both ' if len(who) == 2 else ''}{listed(who)} claim")
    elif disputes:
        parts.append(f"the {count_text(len(disputes), '', 'areas')} that more than one state claims")
    return ", nor of ".join(parts) or "the volumes looked at"


def interference_sentence(run: Run) -> str | None:
    """What was reported and not believed, and by whom received; None if everything was believed."""
    if not run.interference:
        return None
    aircraft = {str(event.get("icao24") or event.get("track_id")) for event in run.interference}
    rows = sum(int(event.get("rows") or 0) for event in run.interference)
    ids = {str(volume) for event in run.interference for volume in event.get("claimed_volumes") or []}
    claimed = sorted(run.volume_words(volume) for volume in ids)
    tracks = [track for event in run.interference for track in run.tracks_of(event)]
    sensors = sorted({sensor for track in tracks for sensor in track.sensors})
    sentence = count_text(len(aircraft), "aircraft", "aircraft").capitalize()
    if sensors:
        sentence += f", received by {listed(sensors, most=3)},"
    sentence += f" reported positions that are not credible ({count_text(rows, 'report', 'reports')})"
    if claimed:
        sentence += f", some of them inside {listed(claimed)}"
    sentence += ". Such positions count for nothing here and do not show where the aircraft was."
    if run.is_reconstruction and tracks and not any(track.is_made for track in tracks):
        sentence += " This concerns the real recording that was flown beside the reconstruction, moved in time; it is no part of the case."
    return sentence
