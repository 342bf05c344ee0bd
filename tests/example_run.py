"""A small made-up run for the exports' tests: events and tables as the engine makes them.

Three aircraft without identity cross a square volume in the sea, one civil airliner is present in
it, one track reports positions that are not credible. Depth is worked out here by Shapely, in a
flat plane, and independently of the package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

START = datetime(2031, 5, 4, 10, 0, tzinfo=UTC)
SIGMA_M = 150.0
M_PER_DEG = 111_195.0


@dataclass(frozen=True)
class ExampleVolume:
    volume_id: str
    name: str
    kind: str = "sovereign"
    states: tuple[str, ...] = ("EXA",)
    rings: tuple[np.ndarray, ...] = ()


def square(south: float, west: float, north: float, east: float) -> np.ndarray:
    return np.array([[south, west], [south, east], [north, east], [north, west], [south, west]])


EXA = ExampleVolume("EXA", "Exampleland", rings=(square(59.2, 25.2, 59.85, 26.8),))
COAST = [square(59.2, 25.0, 59.45, 27.0), np.array([[60.2, 24.9], [60.25, 25.6], [60.18, 26.9]])]


def iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


@dataclass
class Example:
    events: list[dict[str, Any]] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)
    margins: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[Any] = field(default_factory=lambda: [EXA])
    coastline: list[np.ndarray] = field(default_factory=lambda: list(COAST))

    def add(self, kind: str, time: datetime, **fields: Any) -> dict[str, Any]:
        event = {"event": kind, "time": iso(time), "seq": len(self.events), **fields}
        self.events.append(event)
        return event

    @property
    def points_table(self) -> pa.Table:
        return pa.Table.from_pylist(self.points, schema=POINTS)

    @property
    def margins_table(self) -> pa.Table:
        return pa.Table.from_pylist(self.margins, schema=MARGINS)

    @property
    def tables(self) -> tuple[list[dict[str, Any]], pa.Table, pa.Table]:
        return self.events, self.points_table, self.margins_table


_T = pa.timestamp("ns", tz="UTC")
_F, _S = pa.float64(), pa.string()
POINTS = pa.schema(
    [("time", _T), ("track_id", _S), ("icao24", _S), ("callsign", _S), ("sensor", _S)]
    + [(n, _F) for n in ("latitude_deg", "longitude_deg", "covariance_ee_m2", "covariance_en_m2", "covariance_nn_m2")]
    + [(n, _F) for n in ("ground_speed_mps", "ground_speed_sigma_mps", "track_angle_deg", "pressure_altitude_m", "geometric_height_m")]
    + [("accuracy_assumed", pa.bool_()), ("integrity", _S), ("integrity_reason", _S), ("on_ground", pa.bool_())]
    + [("reported_latitude_deg", _F), ("reported_longitude_deg", _F), ("is_reconstruction", pa.bool_())]
)  # fmt: skip
MARGINS = pa.schema(
    [("time", _T), ("track_id", _S), ("volume", _S), ("margin_m", _F), ("sigma_m", _F), ("p_inside", _F), ("bridged", pa.bool_())]
)  # fmt: skip


def planar(latitude: Any, longitude: Any, latitude0: float) -> np.ndarray:
    """Metres in a flat plane: good to a few parts in a thousand over 100 km."""
    east = np.asarray(longitude) * M_PER_DEG * math.cos(math.radians(latitude0))
    return np.column_stack([east, np.asarray(latitude) * M_PER_DEG])


def fly(
    example: Example,
    track_id: str,
    way: Sequence[tuple[float, float, float]],
    *,
    start: datetime = START,
    step_s: float = 5.0,
    volume: Any = None,
    icao24: str | None = None,
    callsign: str | None = None,
    sigma_m: float = SIGMA_M,
    altitude_m: float | None = 3000.0,
    integrity: str = "credible",
    assumed: bool = False,
    reconstruction: bool = False,
) -> list[tuple[datetime, float, float, float]]:
    """Fly straight legs through (seconds, latitude, longitude) and fill both tables.

    Returns (time, latitude, longitude, signed margin in metres) of every point.
    """
    volume = volume or example.volumes[0]
    seconds = np.arange(way[0][0], way[-1][0] + step_s / 2, step_s)
    latitude = np.interp(seconds, [w[0] for w in way], [w[1] for w in way])
    longitude = np.interp(seconds, [w[0] for w in way], [w[2] for w in way])
    latitude0 = float(latitude.mean())
    polygon = shapely.Polygon(planar(volume.rings[0][:, 0], volume.rings[0][:, 1], latitude0))
    xy = planar(latitude, longitude, latitude0)
    distance = shapely.distance(shapely.boundary(polygon), shapely.points(xy))
    margin = np.where(shapely.contains_xy(polygon, xy), distance, -distance)
    velocity = np.gradient(xy, seconds, axis=0)
    flown = []
    for i, second in enumerate(seconds.tolist()):
        time = start + timedelta(seconds=second)
        example.points.append(
            {
                "time": time, "track_id": track_id, "icao24": icao24, "callsign": callsign, "sensor": "radar 1",
                "latitude_deg": float(latitude[i]), "longitude_deg": float(longitude[i]),
                "covariance_ee_m2": sigma_m**2, "covariance_en_m2": 0.0, "covariance_nn_m2": sigma_m**2, "accuracy_assumed": assumed,
                "ground_speed_mps": float(np.hypot(*velocity[i])), "ground_speed_sigma_mps": 4.0,
                "track_angle_deg": float(math.degrees(math.atan2(velocity[i][0], velocity[i][1])) % 360.0),
                "pressure_altitude_m": altitude_m, "geometric_height_m": None, "integrity": integrity, "integrity_reason": None,
                "on_ground": False, "reported_latitude_deg": float(latitude[i]), "reported_longitude_deg": float(longitude[i]),
                "is_reconstruction": reconstruction,
            }
        )  # fmt: skip
        if abs(margin[i]) < 50_000.0 and integrity != "not_credible":
            p = 0.5 * (1.0 + math.erf(float(margin[i]) / sigma_m / math.sqrt(2.0)))
            example.margins.append(
                {"time": time, "track_id": track_id, "volume": volume.volume_id, "margin_m": float(margin[i]), "sigma_m": sigma_m, "p_inside": p, "bridged": False}
            )  # fmt: skip
        flown.append((time, float(latitude[i]), float(longitude[i]), float(margin[i])))
    return flown


def spell_of(
    example: Example,
    track_id: str,
    flown: list[tuple[datetime, float, float, float]],
    *,
    icao24: str | None = None,
    callsign: str | None = None,
    permission: str = "required",
    identity: str = "unidentified",
    outcome: str = "probable",
    undecidable_for: Sequence[str] = (),
    reconstruction: bool = False,
) -> dict[str, Any]:
    """The spell event of a flight that goes in once and out once, or is cut off inside."""
    inside = [i for i, row in enumerate(flown) if row[3] > 0]
    first, last = inside[0], inside[-1]
    deepest = max(inside, key=lambda i: flown[i][3])

    def end(i: int, other: int, kind: str) -> dict[str, Any]:
        if 0 <= other < len(flown):
            share = flown[i][3] / (flown[i][3] - flown[other][3])
            time = flown[i][0] + (flown[other][0] - flown[i][0]) * share
            place = [flown[i][k] + (flown[other][k] - flown[i][k]) * share for k in (1, 2)]
        else:
            time, place, kind = (
                flown[i][0],
                [flown[i][1], flown[i][2]],
                "first_seen" if other < 0 else "last_seen",
            )
        sigma = 1.4 if kind == "crossing" else None
        return {
            "time": iso(time),
            "sigma_s": sigma,
            "kind": kind,
            "latitude_deg": place[0],
            "longitude_deg": place[1],
            "at": time,
        }

    entry, leave = end(first, first - 1, "crossing"), end(last, last + 1, "crossing")
    duration = (leave.pop("at") - entry.pop("at")).total_seconds()
    depth = flown[deepest][3]
    p = 0.5 * (1.0 + math.erf(depth / SIGMA_M / math.sqrt(2.0)))
    fields: dict[str, Any] = {
        "spell_id": f"S-{track_id}", "track_id": track_id, "icao24": icao24, "callsign": callsign, "squawk": None, "sensor_kinds": ["radar"],
        "volume": example.volumes[0].volume_id, "permission": permission, "identity": identity, "entry": entry, "exit": leave, "duration_s": duration,
        "length_m": duration * 125.0, "max_depth_m": depth, "max_depth_sigma_m": SIGMA_M, "max_depth_is_bound": depth >= 50_000.0, "max_depth_at": iso(flown[deepest][0]), "p_inside_max": p,
        "robustness_radius_m": depth * 0.97, "outcome": outcome, "undecidable_for": list(undecidable_for), "reports": len(inside), "bridged": 0,
        "reentries": [], "reconstruction": reconstruction,
    }  # fmt: skip
    example.add("spell_opened", flown[first][0], **{**fields, "exit": None})
    return example.add("spell_closed", flown[last][0], **fields)


def incident_of(example: Example, incident_id: str, spells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The incident events that gather spells."""
    volume = next(v for v in example.volumes if v.volume_id == spells[0]["volume"])
    keys = (
        "track_id",
        "icao24",
        "callsign",
        "spell_id",
        "entry",
        "exit",
        "max_depth_m",
        "p_inside_max",
        "identity",
    )
    deepest = max(spells, key=lambda s: s["max_depth_m"])
    entry = min((s["entry"] for s in spells), key=lambda e: e["time"])
    leave = max((s["exit"] for s in spells), key=lambda e: e["time"])
    t0, t1 = (datetime.fromisoformat(e["time"]) for e in (entry, leave))
    fields: dict[str, Any] = {
        "incident_id": incident_id, "schema": "airvigil.incident/1", "volume": volume.volume_id, "volume_name": volume.name, "volume_kind": volume.kind,
        "states": list(volume.states), "outcome": deepest["outcome"], "members": [{k: s[k] for k in keys} for s in spells],
        "entry": entry, "exit": leave, "duration_s": (t1 - t0).total_seconds(), "max_depth_m": deepest["max_depth_m"],
        "max_depth_sigma_m": deepest["max_depth_sigma_m"], "max_depth_is_bound": deepest["max_depth_is_bound"], "boundary_uncertainty_m": 10.0,
        "undecidable_for": sorted({item for s in spells for item in s["undecidable_for"]}), "shared_place": False, "interference": [], "p_inside_max": deepest["p_inside_max"],
        "robustness_radius_m": min(s["robustness_radius_m"] for s in spells), "reconstruction": any(s["reconstruction"] for s in spells),
        "why": [
            {"code": "permission_required", "text": "No identity was received from any of the aircraft, so their presence needs permission.", "members": len(spells)},
            {"code": "probability", "text": "The chance of being inside exceeded the threshold for “probable”.", "p_inside_max": deepest["p_inside_max"], "threshold": 0.99},
        ],
    }  # fmt: skip
    example.add("incident_opened", t0, **{**fields, "exit": None, "outcome": "suspected"})
    return example.add("incident_closed", t1, **fields)


def run_started(example: Example, *, reconstruction: bool = False) -> None:
    volumes = [
        {"volume_id": v.volume_id, "name": v.name, "kind": v.kind, "states": list(v.states), "source": "made up", "version": "1", "digest": "ab" * 32,
             "boundary_uncertainty_m": 10.0, "lower_limit_m": None, "upper_limit_m": None}
        for v in example.volumes
    ]  # fmt: skip
    example.add(
        "run_started", START, tool="airvigil", version="0.1.0", airspace={"digest": "cd" * 32, "volumes": volumes},
        settings_digest="ef" * 32, inputs=[{"name": "example.beast", "kind": "beast", "sha256": "12" * 32}], reconstruction=reconstruction,
    )  # fmt: skip


def spoofed(example: Example, track_id: str = "T-spoof") -> None:
    """A track whose later positions are claimed inside the volume and are not credible."""
    fly(example, track_id, [(0, 60.05, 24.9), (300, 60.05, 25.5)], icao24="4b1234", callsign="DEMO9")
    late = START + timedelta(seconds=310)
    fly(
        example,
        track_id,
        [(0, 59.5, 26.0), (300, 59.502, 26.004)],
        start=late,
        icao24="4b1234",
        callsign="DEMO9",
        integrity="not_credible",
    )
    example.add(
        "interference_closed", late + timedelta(seconds=300), interference_id="G-1", track_id=track_id, icao24="4b1234", callsign="DEMO9",
        since=iso(late), until=iso(late + timedelta(seconds=300)), reasons={"implied_speed": 58, "shared_place": 3}, rows=61,
        last_credible={"time": iso(START + timedelta(seconds=300)), "latitude_deg": 60.05, "longitude_deg": 25.5},
        claimed={"time": iso(late), "latitude_deg": 59.5, "longitude_deg": 26.0}, claimed_volumes=["EXA"], reconstruction=False,
    )  # fmt: skip


def accounting(example: Example) -> None:
    used = len(example.points)
    example.add(
        "accounting", START + timedelta(hours=1),
        sensors=[
            {"sensor": "radar 1", "received": used + 12, "used": used, "late": 2, "rejected": {"no_position": 7, "beyond_horizon": 3}},
            {"sensor": "adsb <b>1</b>", "received": 0, "used": 0, "late": 0, "rejected": {}},
        ],
    )  # fmt: skip


WAY = [(0.0, 59.9, 27.0), (120.0, 59.83, 26.6), (700.0, 59.80, 25.3), (800.0, 59.9, 25.0)]


def example_run(*, reconstruction: bool = True, members: int = 3) -> Example:
    """Three unidentified tracks in one incident, an airliner present, a spoofed track, accounting."""
    example = Example()
    run_started(example, reconstruction=reconstruction)
    spells = []
    for k in range(members):
        way = [(t, latitude - 0.004 * k, longitude) for t, latitude, longitude in WAY]
        flown = fly(example, f"T-{k + 1}", way, reconstruction=reconstruction)
        spells.append(spell_of(example, f"T-{k + 1}", flown, reconstruction=reconstruction))
    incident_of(example, "I-1", spells)
    names = {"icao24": "511aaa", "callsign": "<script>alert(1)</script>"}
    flown = fly(example, "T-civil", [(0, 60.0, 26.0), (400, 59.6, 25.5), (700, 59.9, 25.0)], **names)
    spell_of(example, "T-civil", flown, permission="not_required", identity="civil", **names)
    spoofed(example)
    accounting(example)
    return example


def empty_run() -> Example:
    example = Example()
    run_started(example)
    accounting(example)
    return example
