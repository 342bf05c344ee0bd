"""`incidents.czml`: the incidents as a moving picture (CZML 1.0).

Packets: `document` with the clock of all incidents; for each member one with availability,
position in time, path and label; for each entry and exit one with a point. CZML wants a height with
every position: where none is known it is written as 0 with `CLAMP_TO_GROUND`, and the packet's
`properties.height` says `unknown`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.exports.events_jsonl import jsonable
from airvigil.exports.geojson import ATTRIBUTION, RECONSTRUCTION
from airvigil.exports.run_view import Event, read_run
from airvigil.exports.track_pieces import MemberTrack, member_tracks
from airvigil.exports.wording import iso_from_ns, known, member_name
from airvigil.units import NS_PER_S

_INSIDE, _OUTSIDE = [179, 64, 29, 255], [11, 92, 173, 255]


def incidents_czml(events: Iterable[Event], points: pa.Table, margins: pa.Table) -> bytes:
    """All incidents of a run as a CZML document, UTF-8 JSON."""
    run = read_run(events, points, margins)
    packets: list[dict[str, Any]] = []
    spans: list[tuple[int, int]] = []
    for incident in run.incidents:
        for member_track in member_tracks(run, incident):
            packet, span = _member_packet(incident, member_track)
            if packet is not None and span is not None:
                packets.append(packet)
                spans.append(span)
            packets.extend(_end_packets(incident, member_track))
    document: dict[str, Any] = {
        "id": "document",
        "name": ("RECONSTRUCTION: " if run.is_reconstruction else "") + "Airvigil incidents",
        "version": "1.0",
        "description": ATTRIBUTION + (f". {RECONSTRUCTION}." if run.is_reconstruction else "."),
    }
    if spans:
        begin, end = min(s[0] for s in spans), max(s[1] for s in spans)
        document["clock"] = {
            "interval": _interval(begin, end),
            "currentTime": iso_from_ns(begin),
            "multiplier": 10,
            "range": "LOOP_STOP",
            "step": "SYSTEM_CLOCK_MULTIPLIER",
        }
    return (json.dumps(jsonable([document, *packets]), ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _interval(begin_ns: int, end_ns: int) -> str:
    return f"{iso_from_ns(begin_ns)}/{iso_from_ns(end_ns)}"


def _label(incident: Event, name: str) -> str:
    return f"RECONSTRUCTION: {name}" if incident.get("reconstruction") else name


def _member_packet(
    incident: Event, member_track: MemberTrack
) -> tuple[dict[str, Any] | None, tuple[int, int] | None]:
    times, rows = _samples(member_track)
    if len(times) < 2:
        return None, None
    has_height = bool(np.isfinite(rows[:, 2]).all())
    seconds = (times - times[0]) / NS_PER_S
    heights = rows[:, 2] if has_height else np.zeros(len(times))
    samples = np.column_stack([seconds.round(3), rows[:, 0].round(7), rows[:, 1].round(7), heights.round(1)])
    clamp = {} if has_height else {"heightReference": "CLAMP_TO_GROUND"}
    name = _label(incident, member_name(member_track.member))
    begin, end = int(times[0]), int(times[-1])
    packet = {
        "id": f"{incident.get('incident_id')}/{member_track.member.get('track_id')}",
        "name": name,
        "availability": _interval(begin, end),
        "position": {"epoch": iso_from_ns(begin), "cartographicDegrees": samples.ravel().tolist()},
        "path": {
            "width": 3,
            "resolution": 5,
            "material": {"solidColor": {"color": _path_colours(member_track)}},
        },
        "point": {"pixelSize": 9, "color": {"rgba": _INSIDE}, **clamp},
        "label": {"text": name, "font": "13px sans-serif", "pixelOffset": {"cartesian2": [0, -18]}, **clamp},
        "properties": {
            "incident_id": incident.get("incident_id"),
            "outcome": incident.get("outcome"),
            "volume": incident.get("volume"),
            "reconstruction": bool(incident.get("reconstruction")),
            "height": "metres above the WGS84 ellipsoid" if has_height else "unknown",
        },
    }
    return packet, (begin, end)


def _samples(member_track: MemberTrack) -> tuple[Any, Any]:
    """All pieces as one line: times ns, and rows of longitude, latitude, height."""
    if not member_track.pieces:
        return np.zeros(0, np.int64), np.zeros((0, 3))
    pieces = member_track.pieces
    times = np.concatenate([piece.time_ns for piece in pieces])
    columns = [(piece.longitude_deg, piece.latitude_deg, piece.geometric_height_m) for piece in pieces]
    rows = np.vstack([np.column_stack(column) for column in columns])
    unique, first = np.unique(times, return_index=True)
    return unique, rows[first]


def _path_colours(member_track: MemberTrack) -> list[dict[str, Any]]:
    """The path's colour by interval: inside or outside at the moment shown."""
    return [
        {
            "interval": _interval(int(piece.time_ns[0]), int(piece.time_ns[-1])),
            "rgba": _INSIDE if piece.inside else _OUTSIDE,
        }
        for piece in member_track.pieces
    ]


def _end_packets(incident: Event, member_track: MemberTrack) -> Iterable[dict[str, Any]]:
    for role in ("entry", "exit"):
        end = member_track.member.get(role) or {}
        longitude, latitude = known(end.get("longitude_deg")), known(end.get("latitude_deg"))
        if longitude is None or latitude is None:
            continue
        name = _label(incident, f"{member_name(member_track.member)}, {role} {end.get('time')}")
        yield {
            "id": f"{incident.get('incident_id')}/{member_track.member.get('track_id')}/{role}",
            "name": name,
            "position": {"cartographicDegrees": [round(longitude, 7), round(latitude, 7), 0.0]},
            "point": {"pixelSize": 7, "color": {"rgba": _OUTSIDE}, "heightReference": "CLAMP_TO_GROUND"},
            "properties": {key: end.get(key) for key in ("time", "sigma_s", "kind")},
        }
