"""What was reported and not believed, told by aircraft: its stretches, the reasons, one map.

Neutral by rule: a position that is not credible accuses nobody and places nobody. Only figures are
markup here; every text from outside is escaped by the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from airvigil.exports.interference_map import interference_map_svg
from airvigil.exports.map_svg import Ground
from airvigil.exports.reason_words import disbelief_reason
from airvigil.exports.report_parts import FigureBudget, Section, end_text
from airvigil.exports.run_view import Event, Run, Track
from airvigil.exports.wording import (
    UNKNOWN,
    clock,
    code_text,
    count_text,
    date_of,
    duration_text,
    file_name,
    iso_from_ns,
    listed,
    member_name,
    ns_from_iso,
    place_text,
)

MOST_MAPPED = 12  # aircraft with a section and a map of their own; the others have a row
MOST_STRETCHES = 24
MOST_AREAS = 200


def interference_groups(run: Run) -> list[list[Event]]:
    """Stretches of one aircraft together, by time; the aircraft with most such reports first."""
    groups: dict[str, list[Event]] = {}
    for event in run.interference:
        groups.setdefault(str(event.get("icao24") or event.get("track_id")), []).append(event)
    found = [sorted(group, key=lambda e: str(e.get("since") or "")) for group in groups.values()]
    return sorted(found, key=lambda group: (-_rows(group), str(group[0].get("since") or "")))


def interference_section(
    run: Run, group: Sequence[Event], ground: Ground, budget: FigureBudget, *, number: int
) -> Section:
    """One aircraft: what it reported that was not believed, when, and why."""
    tracks = run.tracks_of(group[0])
    name = _name(group)
    made = any(bool(event.get("reconstruction")) for event in group)
    sensors = sorted({sensor for track in tracks for sensor in track.sensors})
    volumes = sorted({str(v) for event in group for v in event.get("claimed_volumes") or []})
    claimed_in = [run.volume_words(volume) for volume in volumes]
    drawn = budget.spend(
        lambda: interference_map_svg(
            tracks,
            ground,
            name=f"Map of the positions reported by {name}",
            key=f"g{number}",
            span_ns=_span(group),
            claimed_in=claimed_in,
            sources=[_source(run, sensors, made=made)],
            is_reconstruction=made,
        )
    )
    has_line = any(track.credible.any() for track in tracks)
    caption = (
        "Line: the part of the track that is credible. " if has_line else ""
    ) + "Hollow crosses: positions as reported, not believed; they are not a track."
    since, until = ns_from_iso(group[0].get("since")), ns_from_iso(group[-1].get("until"))
    values = {
        "name": name,
        "who": _who(group),
        "sensors": listed(sensors, most=4),
        "day": date_of(since),
        "since": clock(since),
        "until": clock(until),
        "rows": _rows(group),
        "stretches": [_stretch(event) for event in group[:MOST_STRETCHES]],
        "stretches_more": max(len(group) - MOST_STRETCHES, 0),
        "reasons": _reasons(group),
        "claimed_volumes": listed(claimed_in),
        "before": _last_credible(group[0], tracks),
        "is_background": run.is_reconstruction and not made,
        "reconstruction": made,
    }
    heading = f"{name}, {date_of(since)}, {clock(since, seconds=False)} to {clock(until, seconds=False)} UTC"
    figures = [] if drawn is None else [(drawn, caption)]
    return Section(number, f"interference-{number}", heading, values, figures)


def interference_more(groups: Iterable[Sequence[Event]]) -> list[dict[str, str]]:
    """A row for each aircraft that has no section of its own."""
    return [
        {
            "name": _who(group),
            "since": clock(ns_from_iso(group[0].get("since"))),
            "until": clock(ns_from_iso(group[-1].get("until"))),
            "stretches": f"{len(group):,}",
            "rows": f"{_rows(group):,}",
            "reasons": ", ".join(words for words, _, _ in _reasons(group)) or UNKNOWN,
        }
        for group in groups
    ]


def _rows(group: Sequence[Event]) -> int:
    return sum(int(event.get("rows") or 0) for event in group)


def _name(group: Sequence[Event]) -> str:
    """The callsign of any stretch: the first may have been too early for one."""
    named = next((event for event in reversed(group) if event.get("callsign")), group[0])
    return member_name(named)


def _who(group: Sequence[Event]) -> str:
    name, address = _name(group), group[0].get("icao24")
    return f"{name} (address {address})" if address and address != name else name


def _span(group: Sequence[Event]) -> tuple[int, int] | None:
    since = ns_from_iso(group[0].get("since"))
    ends = [ns_from_iso(event.get("until") or event.get("time")) for event in group]
    known_ends = [end for end in ends if end is not None]
    return (since, max(known_ends)) if since is not None and known_ends else None


def _stretch(event: Event) -> dict[str, str]:
    since, until = ns_from_iso(event.get("since")), ns_from_iso(event.get("until"))
    first = event.get("first_claimed") or event.get("claimed") or {}
    lasted = None if since is None or until is None else (until - since) / 1e9
    reasons = sorted((event.get("reasons") or {}).items(), key=lambda item: (-int(item[1]), item[0]))
    return {
        "since": clock(since),
        "until": "still open" if until is None and since is not None else clock(until),
        "lasted": duration_text(lasted),
        "rows": f"{int(event.get('rows') or 0):,}",
        "first": place_text(first.get("latitude_deg"), first.get("longitude_deg")),
        "reasons": ", ".join(code_text(code) for code, _ in reasons) or UNKNOWN,
    }


def _reasons(group: Sequence[Event]) -> list[tuple[str, str, str]]:
    """(reason, reports, what it means), the most frequent first."""
    counts: Counter[str] = Counter()
    for event in group:
        counts.update({str(code): int(n) for code, n in (event.get("reasons") or {}).items()})
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(code_text(code), f"{count:,}", disbelief_reason(code)) for code, count in ordered]


def _last_credible(event: Event, tracks: Sequence[Track]) -> dict[str, str] | None:
    """The last credible place before a stretch; the closing event may name one from after it."""
    since = ns_from_iso(event.get("since"))
    best: tuple[int, float, float] | None = None
    for track in tracks:
        before = track.credible & (track.time_ns < (since or 0))
        if before.any():
            i = int(before.nonzero()[0][-1])
            row = (int(track.time_ns[i]), float(track["latitude_deg"][i]), float(track["longitude_deg"][i]))
            best = row if best is None or row > best else best
    if best is not None:
        return end_text({"time": iso_from_ns(best[0]), "latitude_deg": best[1], "longitude_deg": best[2]})
    told = event.get("last_credible") or {}
    instant = ns_from_iso(told.get("time"))
    return end_text(told) if instant is not None and since is not None and instant <= since else None


def _source(run: Run, sensors: Sequence[str], *, made: bool) -> str:
    tool = f"Airvigil {run.started.get('version') or ''}".rstrip()
    by = listed(list(sensors), most=3) or "inputs of the run"
    if made:
        return f"Source: generated{f' ({run.title})' if run.title else ''}; {by}; {tool}"
    plain = {sensor.removesuffix(" (time-shifted)") for sensor in sensors}
    files = [file_name(i.get("name")) for i in run.inputs if i.get("sensor") in plain]
    shown = ", ".join(files[:2]) + (f" and {len(files) - 2} more" if len(files) > 2 else "")
    return f"Source: {' · '.join(filter(None, [by, shown]))}; {tool}"


def area_rows(run: Run) -> list[dict[str, str]]:
    """Places where interference was shared by several tracks."""
    return [
        {
            "since": clock(ns_from_iso(area.get("since"))),
            "until": clock(ns_from_iso(area.get("until"))),
            "place": place_text(area.get("latitude_deg"), area.get("longitude_deg")),
            "kind": code_text(area.get("kind") or UNKNOWN),
            "tracks": count_text(len(area.get("tracks") or []), "aircraft", "aircraft"),
        }
        for area in run.areas[:MOST_AREAS]
    ]
