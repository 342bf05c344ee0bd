"""The parts of the report as plain values: the template only lays them out.

Every text here is still text from outside: the template escapes it. Only figures are markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from airvigil.exports.charts import altitude_chart_svg, margin_chart_svg, speed_chart_svg
from airvigil.exports.finding import incident_sentences
from airvigil.exports.map_svg import Ground, incident_map_svg, interference_map_svg, letter
from airvigil.exports.run_view import Event, Run, duration_sigma_s
from airvigil.exports.track_pieces import member_tracks
from airvigil.exports.wording import (
    UNKNOWN,
    clock,
    code_text,
    date_of,
    duration_text,
    known,
    length_text,
    member_name,
    missing_text,
    ns_from_iso,
    place_text,
    probability_text,
    volume_text,
)

MOST_AREAS = 200
MOST_PRESENT = 100
_END_KINDS = {
    "crossing": "crossing",
    "first_seen": "first seen, already inside",
    "last_seen": "last seen, still inside",
}


@dataclass
class FigureBudget:
    """Bytes left for pictures: a report of many incidents must stay openable."""

    left: int
    left_out: int = 0

    def spend(self, draw: Callable[[], str | None]) -> Markup | None:
        """The picture, or None once the budget is spent or there is nothing to draw."""
        if self.left <= 0:
            self.left_out += 1
            return None
        drawn = draw()
        if drawn is None:
            return None
        self.left -= len(drawn.encode("utf-8", "replace"))
        return Markup(drawn)  # noqa: S704  made by svg.element, which escapes every outside text


@dataclass(frozen=True)
class Section:
    """One incident or interference event, ready to be laid out."""

    number: int
    anchor: str
    heading: str
    values: Mapping[str, Any]
    figures: list[tuple[Markup, str]] = field(default_factory=list)


def incident_section(
    run: Run, incident: Event, ground: Ground, budget: FigureBudget, *, number: int
) -> Section:
    """Everything shown of one incident."""
    members = member_tracks(run, incident)
    around = around_s(incident)
    key = f"i{number}"
    made = " Reconstruction: measured by nobody." if incident.get("reconstruction") else ""
    drawings = [
        (lambda: incident_map_svg(incident, members, ground, key=key, around_s=around), "Track, boundary and coast. The thick line is inside; its band is ±2σ across the track. ▼ in, ▲ out."),
        (lambda: margin_chart_svg(run, incident, members, key=f"{key}m", around_s=around), "Distance to the nearest point of the boundary. The shaded time is inside; dashes bridge gaps between reports."),
        (lambda: speed_chart_svg(run, incident, members, key=f"{key}s", around_s=around), "Ground speed as the motion filter estimates it."),
        (lambda: altitude_chart_svg(run, incident, members, key=f"{key}a", around_s=around), "Pressure altitude as reported; not a height above the ground or the sea."),
    ]  # fmt: skip
    figures = [(drawn, words + made) for draw, words in drawings if (drawn := budget.spend(draw)) is not None]
    values = {
        "incident": incident,
        "outcome": str(incident.get("outcome") or UNKNOWN),
        "where": volume_text(incident),
        "sentences": incident_sentences(run, incident),
        "facts": _facts(incident),
        "members": [_member_row(m.member, m.spell, i) for i, m in enumerate(members)],
        "why": _reasons(incident),
        "reentries": sum(len(m.spell.get("reentries") or []) for m in members),
        "undecidable_for": missing_text(
            sorted({code for m in members for code in m.spell.get("undecidable_for") or []})
        ),
        "reconstruction": bool(incident.get("reconstruction")),
        "has_altitude": any("altitude" in str(words).lower() for _, words in figures),
    }
    entry = ns_from_iso((incident.get("entry") or {}).get("time"))
    heading = f"{incident.get('volume_name') or incident.get('volume') or UNKNOWN}, {date_of(entry)}, {clock(entry, seconds=False)} UTC"
    return Section(number, f"incident-{number}", heading, values, figures)


def around_s(incident: Event) -> float:
    """Seconds shown before and after: a third of the stay, between one and ten minutes."""
    return min(max((known(incident.get("duration_s")) or 0.0) / 3.0, 60.0), 600.0)


def _facts(incident: Event) -> list[tuple[str, str, str]]:
    """(name, value, remark) of the key figures."""
    sigma = duration_sigma_s(incident)
    cut = {(incident.get(k) or {}).get("kind") for k in ("entry", "exit")} & {"first_seen", "last_seen"}
    duration = duration_text(incident.get("duration_s"))
    return [
        ("Duration inside", ("≥ " if cut else "") + duration + ("" if sigma is None else f" ± {max(1, round(sigma))} s"), "first entry to last exit"),
        ("Greatest depth", length_text(incident.get("max_depth_m"), incident.get("max_depth_sigma_m")), "± 1σ, boundary included"),
        ("Probability inside", probability_text(incident.get("p_inside_max")), "greatest at one instant: a lower bound"),
        ("Robustness radius", length_text(incident.get("robustness_radius_m")), "error common to all sensors that would undo it"),
    ]  # fmt: skip


def end_text(end: Mapping[str, Any] | None) -> dict[str, str]:
    """Entry or exit as time, sigma, place and kind."""
    end = end or {}
    sigma = known(end.get("sigma_s"))
    return {
        "time": clock(ns_from_iso(end.get("time"))),
        "sigma": "" if sigma is None else f"± {max(sigma, 0.1):.1f} s",
        "place": place_text(end.get("latitude_deg"), end.get("longitude_deg")),
        "kind": _END_KINDS.get(str(end.get("kind")), code_text(end.get("kind") or UNKNOWN)),
    }


def _member_row(member: Mapping[str, Any], spell: Mapping[str, Any], index: int) -> dict[str, Any]:
    return {
        "letter": letter(index),
        "name": member_name(member),
        "icao24": member.get("icao24") or UNKNOWN,
        "callsign": member.get("callsign") or UNKNOWN,
        "track_id": member.get("track_id") or UNKNOWN,
        "identity": member.get("identity") or UNKNOWN,
        "entry": end_text(member.get("entry") or spell.get("entry")),
        "exit": end_text(member.get("exit") or spell.get("exit")),
        "depth": length_text(member.get("max_depth_m"), spell.get("max_depth_sigma_m")),
        "length": length_text(spell.get("length_m")),
        "p": probability_text(member.get("p_inside_max")),
        "sensors": ", ".join(code_text(kind) for kind in spell.get("sensor_kinds") or []) or UNKNOWN,
        "reports": UNKNOWN if spell.get("reports") is None else f"{spell['reports']:,}",
    }


def _reasons(incident: Event) -> list[dict[str, str]]:
    """Why this outcome: the sentence, and the numbers that it rests on."""
    reasons = []
    for reason in incident.get("why") or []:
        numbers = [
            f"{code_text(name)} {_figure(name, value)}"
            for name, value in reason.items()
            if name not in ("code", "text") and isinstance(value, (int, float, str))
        ]
        reasons.append(
            {
                "code": str(reason.get("code", "")),
                "text": str(reason.get("text", "")),
                "numbers": "; ".join(numbers),
            }
        )
    return reasons


def _figure(name: str, value: float | str) -> str:
    if isinstance(value, float):
        return probability_text(value) if name.startswith("p_") else f"{value:.6g}"
    return str(value)


def interference_section(
    run: Run, event: Event, ground: Ground, budget: FigureBudget, *, number: int
) -> Section:
    """What one track reported that was not believed, and why."""
    track = run.tracks.get(str(event.get("track_id")))
    figures = []
    if track is not None:
        drawn = budget.spend(lambda: interference_map_svg(event, track, ground, key=f"g{number}"))
        if drawn is not None:
            figures.append(
                (
                    drawn,
                    "Crosses: positions as reported, not believed. Line: the part of the track that is credible.",
                )
            )
    since, until = ns_from_iso(event.get("since")), ns_from_iso(event.get("until"))
    lasted = None if since is None or until is None else (until - since) / 1e9
    reasons = sorted((event.get("reasons") or {}).items(), key=lambda item: (-int(item[1]), item[0]))
    values = {
        "name": member_name(event),
        "icao24": event.get("icao24") or UNKNOWN,
        "day": date_of(since),
        "since": clock(since),
        "until": clock(until),
        "lasted": duration_text(lasted),
        "rows": int(event.get("rows") or 0),
        "reasons": [(code_text(code), f"{int(count):,}") for code, count in reasons],
        "claimed_volumes": [run.volume_name(str(v)) for v in event.get("claimed_volumes") or []],
        "last_credible": event.get("last_credible") and end_text(event["last_credible"]),
        "claimed": event.get("claimed") and end_text(event["claimed"]),
    }
    heading = f"{member_name(event)}, {date_of(since)}, {clock(since, seconds=False)} UTC"
    return Section(number, f"interference-{number}", heading, values, figures)


def area_rows(run: Run) -> list[dict[str, str]]:
    """Places where interference was shared by several tracks."""
    return [
        {
            "since": clock(ns_from_iso(area.get("since"))),
            "until": clock(ns_from_iso(area.get("until"))),
            "place": place_text(area.get("latitude_deg"), area.get("longitude_deg")),
            "kind": code_text(area.get("kind") or UNKNOWN),
            "tracks": str(len(area.get("tracks") or [])),
        }
        for area in run.areas[:MOST_AREAS]
    ]


def presence_rows(run: Run) -> list[dict[str, str]]:
    """Traffic that was inside and needs no permission, counted by volume."""
    spells = run.presences()
    stays = Counter(str(spell.get("volume")) for spell in spells)
    tracks = {
        volume: len({s.get("track_id") for s in spells if str(s.get("volume")) == volume}) for volume in stays
    }
    return [
        {"volume": run.volume_name(volume), "aircraft": f"{tracks[volume]:,}", "stays": f"{count:,}"}
        for volume, count in sorted(stays.items())
    ]


def accounting_rows(run: Run) -> list[dict[str, Any]]:
    """Each sensor: received = used + rejected + late, and whether that holds."""
    rows = []
    for sensor in run.accounting.get("sensors") or []:
        rejected = {str(k): int(v) for k, v in (sensor.get("rejected") or {}).items()}
        received, used, late = (int(sensor.get(key) or 0) for key in ("received", "used", "late"))
        total = used + sum(rejected.values()) + late
        rows.append(
            {
                "sensor": str(sensor.get("sensor")),
                "received": f"{received:,}",
                "used": f"{used:,}",
                "rejected": f"{sum(rejected.values()):,}",
                "late": f"{late:,}",
                "reasons": [
                    (code_text(k), f"{v:,}")
                    for k, v in sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
                ],
                "total": f"{total:,}",
                "balances": total == received,
                "difference": f"{received - total:+,}",
            }
        )
    return rows
