"""The parts of the report as plain values: the template only lays them out.

Every text here is still text from outside: the template escapes it. Only figures are markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airvigil.exports.charts import altitude_chart_svg, figure_source, margin_chart_svg, speed_chart_svg
from airvigil.exports.finding import incident_sentences, missing_of
from airvigil.exports.map_svg import Ground, incident_map_svg, letter
from airvigil.exports.reason_words import outcome_reason
from airvigil.exports.report_parts import FigureBudget, Section, end_text
from airvigil.exports.run_view import Event, Run, duration_sigma_s
from airvigil.exports.track_pieces import MemberTrack, assumed_inside, member_tracks
from airvigil.exports.wording import (
    UNKNOWN,
    bound_text,
    clock,
    code_text,
    date_of,
    depth_of,
    duration_text,
    file_name,
    known,
    length_text,
    member_name,
    missing_text,
    ns_from_iso,
    probability_text,
    volume_text,
)


def incident_section(
    run: Run, incident: Event, ground: Ground, budget: FigureBudget, *, number: int
) -> Section:
    """Everything shown of one incident."""
    members = member_tracks(run, incident)
    around = around_s(incident)
    key = f"i{number}"
    made = " Reconstruction: measured by nobody." if incident.get("reconstruction") else ""
    sources = [figure_source(run, members)]
    drawings = [
        (
            lambda: incident_map_svg(incident, members, ground, key=key, around_s=around, sources=sources),
            "Track, boundary and coast. The thick line is inside; its band is ±2σ across the track. ▼ in, ▲ out.",
        ),
        (
            lambda: margin_chart_svg(run, incident, members, key=f"{key}m", around_s=around),
            "Distance to the nearest point of the boundary. The shaded time is inside; dashes bridge gaps between reports.",
        ),
        (
            lambda: speed_chart_svg(run, incident, members, key=f"{key}s", around_s=around),
            "Ground speed. Where it says so, a smoother estimated it after the fact, knowing the later positions too.",
        ),
        (
            lambda: altitude_chart_svg(run, incident, members, key=f"{key}a", around_s=around),
            "Pressure altitude as reported; not a height above the ground or the sea.",
        ),
    ]
    figures = [(drawn, words + made) for draw, words in drawings if (drawn := budget.spend(draw)) is not None]
    values = {
        "incident": incident,
        "outcome": str(incident.get("outcome") or UNKNOWN),
        "where": volume_text(incident),
        "sentences": incident_sentences(run, incident),
        "facts": _facts(incident),
        "assumed": _assumed(members),
        "members": [_member_row(m, i) for i, m in enumerate(members)],
        "why": [outcome_reason(reason, incident) for reason in incident.get("why") or []],
        "reentries": sum(len(m.spell.get("reentries") or []) for m in members),
        "undecidable_for": missing_text(missing_of(run, incident)),
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
        ("Greatest depth", depth_of(incident), "± 1σ, boundary included"),
        ("Probability inside", probability_text(incident.get("p_inside_max")), "greatest at one instant: a lower bound"),
        ("Robustness radius", bound_text(incident.get("robustness_radius_m"), is_short=True), "an error common to all positions must be at least this large to undo the finding; a lower bound"),
    ]  # fmt: skip


def _assumed(members: Sequence[MemberTrack]) -> str | None:
    """How much of what the numbers rest on has an accuracy that no sensor stated; None if the tables do not say."""
    counted = assumed_inside(members)
    if counted is None:
        return None
    assumed, total = counted
    if assumed == 0:
        return f"Every one of the {total:,} positions inside came with its own accuracy."
    return (
        f"Accuracy assumed: {assumed:,} of the {total:,} positions inside came without one. "
        "For these the settings' value for that kind of sensor was taken, and the numbers above rest on it."
    )


def _member_row(shown: MemberTrack, index: int) -> dict[str, Any]:
    member, spell = shown.member, shown.spell
    counted = assumed_inside([shown])
    return {
        "letter": letter(index),
        "name": member_name(member),
        "icao24": member.get("icao24") or UNKNOWN,
        "callsign": member.get("callsign") or UNKNOWN,
        "track_id": member.get("track_id") or UNKNOWN,
        "identity": member.get("identity") or UNKNOWN,
        "entry": end_text(member.get("entry") or spell.get("entry")),
        "exit": end_text(member.get("exit") or spell.get("exit")),
        "depth": depth_of({**spell, **member}),
        "length": length_text(spell.get("length_m")),
        "p": probability_text(member.get("p_inside_max")),
        "sensors": ", ".join(code_text(kind) for kind in spell.get("sensor_kinds") or []) or UNKNOWN,
        "assumed": f"accuracy assumed for {counted[0]:,} of {counted[1]:,}" if counted and counted[0] else "",
        "reports": UNKNOWN if spell.get("reports") is None else f"{spell['reports']:,}",
    }


def presence_rows(run: Run) -> list[dict[str, str]]:
    """Traffic that was inside and needs no permission, or has one: a line for each volume, whatever their number.

    Stays that rest on too little to be sure are counted apart.
    """
    stays: dict[str, list[Event]] = {}
    for spell in run.presences():
        stays.setdefault(run.volume_name(str(spell.get("volume"))), []).append(spell)
    for spell in run.permitted():
        stays.setdefault(f"{run.volume_name(str(spell.get('volume')))}, with permission", []).append(spell)
    rows = []
    for volume, spells in sorted(stays.items(), key=lambda item: (-len(item[1]), item[0])):
        sure = [s for s in spells if s.get("outcome") in ("suspected", "probable")]
        times = [ns_from_iso((s.get(end) or {}).get("time")) for s in sure for end in ("entry", "exit")]
        known_times = [time for time in times if time is not None]
        rows.append(
            {
                "volume": volume,
                "aircraft": f"{len({s.get('icao24') or s.get('track_id') for s in sure}):,}",
                "stays": f"{len(sure):,}",
                "crossed": f"{sum(_crossings(s) for s in sure):,}",
                "first": clock(min(known_times, default=None)),
                "last": clock(max(known_times, default=None)),
                "longest": duration_text(
                    max((known(s.get("duration_s")) or 0.0 for s in sure), default=None)
                ),
                "unsure": f"{len(spells) - len(sure):,}",
            }
        )
    return rows


def _crossings(spell: Event) -> int:
    """How often the boundary was seen to be crossed, re-entries counted in."""
    ends = sum((spell.get(end) or {}).get("kind") == "crossing" for end in ("entry", "exit"))
    return ends + 2 * len(spell.get("reentries") or [])


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


def input_rows(run: Run) -> list[dict[str, str]]:
    """What was read, by file name: a path would tell of the reader's machine."""
    return [
        {
            "name": file_name(entry.get("name")),
            "sensor": str(entry.get("sensor") or UNKNOWN),
            "format": str(entry.get("format") or entry.get("kind") or UNKNOWN),
            "rows": f"{entry['rows']:,}" if isinstance(entry.get("rows"), int) else UNKNOWN,
            "sha256": str(entry.get("sha256") or UNKNOWN),
        }
        for entry in run.inputs
    ]


def failure_rows(run: Run) -> list[tuple[str, str]]:
    """(input, what went wrong) of everything that could not be read."""
    return [
        (file_name(failure.get("input")), str(failure.get("message") or UNKNOWN))
        for failure in run.finished.get("failures") or []
    ]
