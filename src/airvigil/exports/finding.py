"""The finding in plain words, with its numbers and their uncertainty.

Rules
- The software finds an infringement, `probable` at most. It never writes "violation" of its own.
- What was not seen is said: a stay that was seen from inside lasted *at least* so long.
- A position that is not credible is nobody's whereabouts: it was *reported* somewhere.
"""

from __future__ import annotations

from collections import Counter

from airvigil.exports.run_view import Event, Run, duration_sigma_s
from airvigil.exports.wording import (
    OUTCOMES,
    clock,
    count_text,
    date_of,
    duration_text,
    known,
    length_text,
    missing_text,
    nautical_text,
    ns_from_iso,
    probability_text,
    volume_text,
)


def finding_sentences(run: Run) -> list[str]:
    """The report's first paragraph, a sentence an item."""
    sentences: list[str] = []
    if not run.incidents:
        sentences.append(_nothing_found(run))
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
    who = f"{count_text(len(members), 'aircraft', 'aircraft')}{_identity(incident)}".capitalize()
    where = volume_text(incident)
    verb = "was" if len(members) == 1 else "were"
    day = date_of(ns_from_iso((incident.get("entry") or {}).get("time")))
    if incident.get("outcome") == "undecidable":
        missing = missing_text(
            sorted(
                {
                    code
                    for m in members
                    for code in run.spells.get(str(m.get("spell_id")), {}).get("undecidable_for") or []
                }
            )
        )
        sentences = [
            f"Whether {who[0].lower() + who[1:]} {verb} inside {where} on {day} cannot be decided; what is missing is the {missing}."
        ]
        if missing == "–":
            sentences = [
                f"Whether {who[0].lower() + who[1:]} {verb} inside {where} on {day} cannot be decided from what was received."
            ]
        return sentences
    certainty = {"probable": "", "suspected": " possibly"}.get(
        str(incident.get("outcome")), " not demonstrably"
    )
    sentences = [
        f"{who} {verb}{certainty} inside {where} on {day} for {_duration(incident)}, {_depth(incident)}."
    ]
    p = known(incident.get("p_inside_max"))
    if p is not None:
        sentences.append(f"The probability of having been inside is {_probability(p)}.")
    radius = known(incident.get("robustness_radius_m"))
    if radius is not None and radius > 0.0:
        sentences.append(
            f"To have stayed out, every sensor must have been wrong by at least {length_text(radius)} ({nautical_text(radius)}) in the same direction."
        )
    return sentences


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
        return "to a depth that is not known"
    words = length_text(depth, incident.get("max_depth_sigma_m"))
    return f"at most {words} deep ({nautical_text(depth)})"


def _nothing_found(run: Run) -> str:
    span = run.span_ns()
    names = [str(volume.get("name") or volume.get("volume_id")) for volume in run.volumes]
    where = _listed(names) or "the volumes looked at"
    when = ""
    if span is not None and date_of(span[0]) == date_of(span[1]):
        when = f" on {date_of(span[0])} between {clock(span[0])} and {clock(span[1])} UTC"
    elif span is not None:
        when = (
            f" between {clock(span[0])} on {date_of(span[0])} and {clock(span[1])} on {date_of(span[1])} UTC"
        )
    return (
        f"No infringement of the airspace of {where} was found{when}."
        if names
        else f"No infringement of {where} was found{when}."
    )


def _listed(names: list[str]) -> str:
    if len(names) > 6:
        return ", ".join(names[:5]) + f" and {len(names) - 5} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def interference_sentence(run: Run) -> str | None:
    """What was reported and not believed, or None if everything was believed."""
    if not run.interference:
        return None
    tracks = {str(event.get("track_id")) for event in run.interference}
    rows = sum(int(event.get("rows") or 0) for event in run.interference)
    ids = {str(volume) for event in run.interference for volume in event.get("claimed_volumes") or []}
    claimed = sorted(run.volume_name(volume) for volume in ids)
    sentence = f"{count_text(len(tracks), 'aircraft', 'aircraft').capitalize()} reported positions that are not credible ({rows:,} reports)"
    if claimed:
        sentence += f", some of them inside {_listed(claimed)}"
    return sentence + "; these count for nothing here and say nothing about where the aircraft was."
