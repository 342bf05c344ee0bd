"""Spells of single tracks become incidents: opened, updated, closed, with all their members.

Works on the events of single tracks only (`spell_*`, `interference_*`), in time order: the second pure
function of the engine. An incident is in one volume; tracks that enter it near each other, or one that
comes back soon, belong to one incident.

Rules
- Only presence that needs permission and has none makes an incident; civil traffic with an identity is `present`. One that
  has exceeded its permission, or that cannot be said surely to be the one permitted, has none.
- A permission that becomes known later takes nothing back: the incident goes on, and its outcome becomes `permitted`.
- An incident opens at `suspected`, or undecidable for want of a height; one lone report opens none.
- An incident's numbers are its members' extremes; every number in `why` is a field of the event.
- A stay that rests on satellite navigation alone and begins where several aircraft were sent by impossible
  positions decides nothing. A radar's word is not taken back by what transponders claim.
"""

from __future__ import annotations

import hashlib
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from airvigil.airspace.permissions.permission_standing import NO_STANDING
from airvigil.airspace.volumes import Volume
from airvigil.incidents.areas import AreaBook, is_shared_place, take_interference
from airvigil.incidents.reasons import explain
from airvigil.settings import Incidents
from airvigil.tracking.plausibility import great_circle_m
from airvigil.units import NS_PER_S, utc_ns, utc_text

Event = dict[str, Any]
SCHEMA = "airvigil.incident/1"
RANK = {"permitted": 0, "outside": 1, "undecidable": 2, "suspected": 3, "probable": 4}
# What permissions say of a member, the one that needs explaining most first.
STANDINGS = ("required", "not_yet", "lapsed", "exceeded", "ambiguous", "granted", "not_required")

# What a member of kind "gap" has beside; null of others.
GAP_FIELDS = (
    "spell_kind",
    "gap_from",
    "gap_to",
    "gap_reach",
    "gap_p",
    "gap_p_low",
    "gap_p_resolution",
    "gap_speed_mps",
)

STANDING_FIELDS = ("permission", *NO_STANDING)


@dataclass
class Incident:
    """An open incident: the latest event of each member spell."""

    incident_id: str
    volume: str
    spells: dict[str, Event] = field(default_factory=dict)
    open_spells: list[str] = field(default_factory=list)
    last_close: int = 0
    doubted: list[str] = field(
        default_factory=list
    )  # spells that rest on GNSS alone and began at a shared place
    interference: list[str] = field(default_factory=list)


@dataclass
class IncidentBook:
    """Open incidents, signs of interference, and open interference per track."""

    incidents: list[Incident] = field(default_factory=list)
    areas: AreaBook = field(default_factory=AreaBook)
    troubled: dict[str, str] = field(default_factory=dict)  # track_id -> interference_id

    def copy(self) -> IncidentBook:
        """An independent copy."""
        return IncidentBook.from_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values; events are plain already and never changed after they were made."""
        return {
            "incidents": [
                {name: copy(value) for name, value in vars(incident).items()} for incident in self.incidents
            ],
            "areas": self.areas.to_plain(),
            "troubled": dict(self.troubled),
        }

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> IncidentBook:
        """The inverse of `to_plain`."""
        incidents = [Incident(**values) for values in plain["incidents"]]
        return IncidentBook(incidents, AreaBook.from_plain(plain["areas"]), dict(plain["troubled"]))


def take_event(book: IncidentBook, event: Event, volumes: dict[str, Volume], rule: Incidents) -> list[Event]:
    """The incident and area events that one event of a track causes."""
    name = event["event"]
    if name.startswith("interference"):
        if name == "interference_closed":
            book.troubled.pop(event["track_id"], None)
            return []
        book.troubled[event["track_id"]] = event["interference_id"]
        told = take_interference(book.areas, event, rule)
        for member_of in book.incidents:
            tracks = {spell["track_id"] for spell in member_of.spells.values()}
            if event["track_id"] in tracks and _note_interference(book, member_of, event["track_id"]):
                told.append(incident_event("incident_updated", member_of, event["time_ns"], volumes))
        return told
    if name == "permission_refused":
        return []
    if name.startswith("permission"):
        return _take_permission(book, event, volumes, rule)
    # a spell that is in an incident stays there, also if a later report says that permission is not required
    is_member = any(event["spell_id"] in incident.spells for incident in book.incidents)
    if event["permission"] in ("not_required", "granted") and not is_member:
        return []
    return _take_spell(book, event, volumes, rule)


def _take_spell(
    book: IncidentBook,
    event: Event,
    volumes: dict[str, Volume],
    rule: Incidents,
    *,
    found_later: bool = False,
) -> list[Event]:
    """The incident that a spell without permission is in now, told if it is news."""
    incident = _incident_of(book, event, rule, found_later=found_later)
    name = "incident_updated"
    if incident is None:
        if not _opens(event, found_later=found_later):
            return []
        incident = _open(book, event)
        name = "incident_opened"
    before = incident.spells.get(event["spell_id"])
    if before is None:
        _note_interference(book, incident, event["track_id"])
        if _is_doubtful(book, event, rule):
            incident.doubted.append(event["spell_id"])
    incident.spells[event["spell_id"]] = event
    if event["event"] == "spell_closed":
        incident.open_spells = [s for s in incident.open_spells if s != event["spell_id"]]
        incident.last_close = max(incident.last_close, event["time_ns"])
    elif event["spell_id"] not in incident.open_spells:
        incident.open_spells.append(event["spell_id"])
    is_same = before is not None and all(before[n] == event[n] for n in ("outcome", "permission"))
    if is_same and event["event"] != "spell_closed":
        return []
    return [incident_event(name, incident, event["time_ns"], volumes)]


def _take_permission(
    book: IncidentBook, event: Event, volumes: dict[str, Volume], rule: Incidents
) -> list[Event]:
    """What follows where permissions say something else of a stay than before."""
    fields = {name: event[name] for name in STANDING_FIELDS}
    for incident in book.incidents:
        if event["spell_id"] in incident.spells:
            incident.spells[event["spell_id"]] = {**incident.spells[event["spell_id"]], **fields}
            return [incident_event("incident_updated", incident, event["time_ns"], volumes)]
    if event["permission"] == "granted":
        return []
    spell = {**event["spell"], **fields, "time_ns": event["time_ns"]}
    return _take_spell(book, spell, volumes, rule, found_later=True)


def _opens(event: Event, *, found_later: bool) -> bool:
    """Whether a spell makes an incident; one that is over does only by what was found later."""
    if event["event"] == "spell_closed" and not found_later:
        return False
    lone = "a second report inside" in event["undecidable_for"]
    return RANK[event["outcome"]] >= RANK["undecidable"] and not lone


def _incident_of(book: IncidentBook, event: Event, rule: Incidents, *, found_later: bool) -> Incident | None:
    for incident in book.incidents:
        if event["spell_id"] in incident.spells:
            return incident
    if not _opens(event, found_later=found_later):
        return None
    for incident in book.incidents:
        if incident.volume == event["volume"] and _belongs(incident, event, rule):
            return incident
    return None


def _belongs(incident: Incident, event: Event, rule: Incidents) -> bool:
    """Whether a new spell is the same track coming back, or entered near a member and soon after it."""
    entry = event["entry"]
    for spell in incident.spells.values():
        if spell["track_id"] == event["track_id"]:
            return True
        other = spell["entry"]
        apart = great_circle_m(
            entry["latitude_deg"], entry["longitude_deg"], other["latitude_deg"], other["longitude_deg"]
        )
        if (
            apart <= rule.join_distance_m
            and abs(utc_ns(entry["time"]) - utc_ns(other["time"])) <= rule.join_time_s * NS_PER_S
        ):
            return True
    return False


def _name(event: Event) -> str:
    """A short name, the same for everyone who recomputes it: volume, entry, digest of the first spell's id.

    Example:
        >>> _name({"volume": "EST", "spell_id": "a", "entry": {"time": "2025-09-19T06:58:00.000Z"}})
        'EST-20250919T065800Z-ca978112'
    """
    stamp = event["entry"]["time"][:19].replace("-", "").replace(":", "")
    return f"{event['volume']}-{stamp}Z-{hashlib.sha256(event['spell_id'].encode()).hexdigest()[:8]}"


# Kinds of sensor that know a place only from the aircraft's own satellite navigation.
GNSS_KINDS = {"adsb", "flarm", "remote_id", "state_vector", "mode_s"}


def _is_doubtful(book: IncidentBook, event: Event, rule: Incidents) -> bool:
    entry = event["entry"]
    place = entry["latitude_deg"], entry["longitude_deg"], event["time_ns"]
    return set(event["sensor_kinds"]) <= GNSS_KINDS and is_shared_place(book.areas, *place, rule)


def _note_interference(book: IncidentBook, incident: Incident, track: str) -> bool:
    """Remember interference that is open on a member track; returns whether it is news."""
    found = book.troubled.get(track)
    if found is None or found in incident.interference:
        return False
    incident.interference.append(found)
    return True


def _open(book: IncidentBook, event: Event) -> Incident:
    incident = Incident(incident_id=_name(event), volume=event["volume"])
    book.incidents.append(incident)
    return incident


def _deadline(incident: Incident, rule: Incidents) -> int | None:
    return None if incident.open_spells else incident.last_close + round(rule.linger_s * NS_PER_S)


def pass_time(book: IncidentBook, now: int, volumes: dict[str, Volume], rule: Incidents) -> list[Event]:
    """Close the incidents whose deadline is not after `now` (ns), in order of their deadlines."""
    over = [(d, i) for i in book.incidents if (d := _deadline(i, rule)) is not None and d <= now]
    over.sort(key=lambda pair: (pair[0], pair[1].incident_id))
    gone = {id(incident) for _, incident in over}
    book.incidents = [i for i in book.incidents if id(i) not in gone]
    return [incident_event("incident_closed", incident, deadline, volumes) for deadline, incident in over]


def _member(spell: Event) -> Event:
    kept = (
        "track_id",
        "icao24",
        "callsign",
        "squawk",
        "spell_id",
        "identity",
        "sensor_kinds",
        "outcome",
        "entry",
        "exit",
    )
    numbers = (
        "duration_s",
        "length_m",
        "max_depth_m",
        "max_depth_sigma_m",
        "max_depth_is_bound",
        "p_inside_max",
        "robustness_radius_m",
        "robustness_radius_high_m",
        "reports",
        "bridged",
        "reentries",
    )
    of_gap = {name: spell.get(name) for name in GAP_FIELDS}
    return {**{name: spell[name] for name in kept + numbers + STANDING_FIELDS}, **of_gap}


def _outcome(incident: Incident, spell: Event) -> str:
    outcome: str = spell["outcome"]
    if spell["permission"] == "granted":
        return "permitted"
    return "undecidable" if spell["spell_id"] in incident.doubted and outcome != "outside" else outcome


def _missing(incident: Incident, spells: list[Event]) -> list[str]:
    """What would settle an undecidable incident."""
    missing = {item for s in spells for item in s["undecidable_for"]}
    if incident.doubted:
        missing.add("a sensor that does not depend on satellite navigation")
    return sorted(missing)


def incident_event(name: str, incident: Incident, now: int, volumes: dict[str, Volume]) -> Event:
    """An incident as known at `now` (ns)."""
    spells = sorted(incident.spells.values(), key=lambda s: (s["entry"]["time"], s["spell_id"]))
    outcomes = {s["spell_id"]: _outcome(incident, s) for s in spells}
    outcome = max(outcomes.values(), key=RANK.__getitem__)
    # the numbers that stand for the incident are of the spells that carry its outcome
    carrying = [s for s in spells if outcomes[s["spell_id"]] == outcome]
    deepest = max(carrying, key=lambda s: (s["max_depth_m"] or 0.0, s["spell_id"]))
    sturdiest = max(carrying, key=lambda s: (s["robustness_radius_m"], s["spell_id"]))
    first = spells[0]["entry"]
    exits = [s["exit"] for s in spells]
    last = None if any(e is None for e in exits) else max(exits, key=lambda e: e["time"])
    until = now if last is None else utc_ns(last["time"])
    volume = volumes[incident.volume]
    event: Event = {
        "event": name,
        "time": utc_text(now),
        "time_ns": now,
        "schema": SCHEMA,
        "incident_id": incident.incident_id,
        "volume": incident.volume,
        "volume_name": volume.name,
        "volume_kind": volume.kind,
        "states": list(volume.states),
        "outcome": outcome,
        "undecidable_for": _missing(incident, spells) if outcome == "undecidable" else [],
        "members": [_member(s) for s in spells],
        "entry": first,
        "exit": last,
        "duration_s": round((until - utc_ns(first["time"])) / NS_PER_S, 1),
        "max_depth_m": deepest["max_depth_m"],
        "max_depth_sigma_m": deepest["max_depth_sigma_m"],
        "max_depth_is_bound": deepest["max_depth_is_bound"],
        "p_inside_max": max(s["p_inside_max"] for s in carrying),
        "robustness_radius_m": sturdiest["robustness_radius_m"],
        "robustness_radius_high_m": sturdiest["robustness_radius_high_m"],
        "boundary_uncertainty_m": volume.boundary_uncertainty_m,
        "permission": min((s["permission"] for s in spells), key=STANDINGS.index),
        "shared_place": bool(incident.doubted),
        "interference": list(incident.interference),
        "reconstruction": any(s["reconstruction"] for s in spells),
    }
    event["why"] = explain(event)
    return event
