"""One run as the exports see it: the last word on every incident, and tracks as sorted arrays.

An incident is told by several events (opened, updated, closed); the one with the highest `seq` is
what the run knows. Tables are sorted once, by track and time; a track is then a slice.

Arrays: times int64 ns UTC, everything else SI with NaN for unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.exports.wording import OUTCOMES, known, ns_from_iso, state_name, volume_text

Event = Mapping[str, Any]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_TRACK_NUMBERS = (
    "latitude_deg",
    "longitude_deg",
    "covariance_ee_m2",
    "covariance_en_m2",
    "covariance_nn_m2",
    "ground_speed_mps",
    "ground_speed_sigma_mps",
    "pressure_altitude_m",
    "geometric_height_m",
    "reported_latitude_deg",
    "reported_longitude_deg",
    "accuracy_assumed",  # 1: the settings' default for its kind of sensor; 0: the sensor's own
)
_MARGIN_NUMBERS = ("margin_m", "sigma_m", "p_inside")


class VolumeShape(Protocol):
    """What a drawing needs of an airspace volume."""

    @property
    def volume_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def rings(self) -> Sequence[FloatArray]: ...


@dataclass(frozen=True)
class Track:
    """The points of one track in time order. Arrays (n,), SI, NaN = unknown."""

    track_id: str
    icao24: str | None
    callsign: str | None
    time_ns: IntArray
    numbers: Mapping[str, FloatArray]
    integrity: npt.NDArray[np.object_]
    sensors: tuple[str, ...] = ()
    is_made: bool = False  # by a generator; measured by nobody

    def __getitem__(self, column: str) -> FloatArray:
        return self.numbers[column]

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def credible(self) -> BoolArray:
        """(n,) false where the position was not believed."""
        return np.asarray(self.integrity != "not_credible", dtype=np.bool_)

    def where(self, keep: BoolArray) -> Track:
        """The track with only the rows of the mask."""
        numbers = {name: column[keep] for name, column in self.numbers.items()}
        return replace(self, time_ns=self.time_ns[keep], numbers=numbers, integrity=self.integrity[keep])


@dataclass(frozen=True)
class MarginSeries:
    """Signed margin of one track to one volume in time order. Arrays (n,), metres, + inside."""

    time_ns: IntArray
    margin_m: FloatArray
    sigma_m: FloatArray
    p_inside: FloatArray
    bridged: BoolArray


@dataclass(frozen=True)
class Run:
    """Everything that the exports show of one run."""

    started: Event
    incidents: tuple[Event, ...]
    spells: Mapping[str, Event]
    interference: tuple[Event, ...]
    areas: tuple[Event, ...]
    accounting: Event
    tracks: Mapping[str, Track]
    margins: Mapping[tuple[str, str], MarginSeries]
    finished: Event = field(default_factory=dict)

    @property
    def title(self) -> str | None:
        """What the run was called, without the word that says how it was made."""
        words = str(self.started.get("title") or "")
        return words.removesuffix(" (reconstruction)").removesuffix(" (synthetic)").strip() or None

    @property
    def has_no_positions(self) -> bool:
        """True if the books say that not one position could be used: then nothing can be found, nor excluded."""
        sensors = self.accounting.get("sensors")
        return bool(sensors) and all(row.get("positions") == 0 for row in sensors or ())

    @property
    def unused_share(self) -> float:
        """Share of what was received that was rejected or late, 0 to 1; 0 where there are no books."""
        sensors = self.accounting.get("sensors") or []
        received = sum(int(row["received"]) for row in sensors)
        used = sum(int(row["used"]) for row in sensors)
        return 0.0 if not received else 1.0 - used / received

    @property
    def is_synthetic(self) -> bool:
        """True if it was generated after no real case."""
        return str(self.started.get("title") or "").endswith("(synthetic)")

    @property
    def inputs(self) -> Sequence[Mapping[str, Any]]:
        """What was read: as the last event lists it, else the first."""
        listed: Sequence[Mapping[str, Any]] = self.finished.get("inputs") or self.started.get("inputs") or []
        return listed

    @property
    def is_reconstruction(self) -> bool:
        """True if any part of the run was made by a generator."""
        shown = (self.started, *self.incidents, *self.interference)
        return any(bool(event.get("reconstruction")) for event in shown)

    @property
    def volumes(self) -> Sequence[Mapping[str, Any]]:
        """Volumes looked at, as the run's first event lists them."""
        listed: Sequence[Mapping[str, Any]] = (self.started.get("airspace") or {}).get("volumes") or []
        return listed

    def volume_name(self, volume_id: str) -> str:
        """The volume's name, or its identifier where it has none."""
        return str(self._volume(volume_id).get("name") or volume_id)

    def volume_words(self, volume_id: str) -> str:
        """The volume in a sentence: a state by its name, a dispute by all who claim it."""
        volume = self._volume(volume_id)
        if volume.get("kind") == "sovereign":
            return state_name(self.volume_name(volume_id))
        return volume_text(
            {
                "volume": volume_id,
                "volume_name": volume.get("name"),
                "volume_kind": volume.get("kind"),
                "states": volume.get("states"),
            }
        )

    def _volume(self, volume_id: str) -> Mapping[str, Any]:
        return next((v for v in self.volumes if v.get("volume_id") == volume_id), {})

    def tracks_of(self, event: Event) -> list[Track]:
        """All tracks of the event's aircraft, by time: one aircraft has several where it fell silent."""
        address, own = event.get("icao24"), str(event.get("track_id"))
        found = [
            t
            for t in self.tracks.values()
            if len(t) and (t.track_id == own or (address and t.icao24 == address))
        ]
        return sorted(found, key=lambda track: (int(track.time_ns[0]), track.track_id))

    def presences(self) -> list[Event]:
        """Spells of traffic that needs no permission, in time order."""
        return [s for s in self.spells.values() if s.get("permission") == "not_required"]

    def permitted(self) -> list[Event]:
        """Spells of traffic that needs permission and has it, in time order."""
        return [s for s in self.spells.values() if s.get("permission") == "granted"]

    def span_ns(self) -> tuple[int, int] | None:
        """First and last instant of any track point."""
        times = [t.time_ns for t in self.tracks.values() if len(t)]
        return (min(int(t[0]) for t in times), max(int(t[-1]) for t in times)) if times else None


def read_run(events: Iterable[Event], points: pa.Table | None = None, margins: pa.Table | None = None) -> Run:
    """Index a run's events and tables.

    Args:
        events: dicts as the engine makes them, in any order (`seq` orders them).
        points, margins: the engine's tables; None where a caller needs no tracks.

    Returns:
        The run; incidents are ordered by seriousness of outcome, then by entry time.
    """
    ordered = sorted(events, key=lambda event: int(event.get("seq") or 0))
    incidents = _latest(ordered, "incident_", "incident_id")
    return Run(
        started=next((e for e in ordered if e.get("event") == "run_started"), {}),
        incidents=tuple(sorted(incidents.values(), key=_seriousness)),
        spells=_latest(ordered, "spell_", "spell_id"),
        interference=tuple(_latest(ordered, "interference_", "interference_id").values()),
        areas=tuple(_latest(ordered, "interference_area", "area_id").values()),
        accounting=next((e for e in reversed(ordered) if e.get("event") == "accounting"), {}),
        tracks={} if points is None else _tracks(points),
        margins={} if margins is None else _margins(margins),
        finished=next((e for e in reversed(ordered) if e.get("event") == "run_finished"), {}),
    )


def _latest(events: Sequence[Event], prefix: str, key: str) -> dict[str, Event]:
    chosen = [e for e in events if str(e.get("event", "")).startswith(prefix) and e.get(key) is not None]
    return {str(event[key]): event for event in chosen}


def _seriousness(incident: Event) -> tuple[int, int, str]:
    outcome = str(incident.get("outcome"))
    rank = OUTCOMES.index(outcome) if outcome in OUTCOMES else len(OUTCOMES)
    entry = ns_from_iso((incident.get("entry") or {}).get("time")) or 0
    return rank, entry, str(incident.get("incident_id"))


def _sorted_slices(table: pa.Table, keys: Sequence[str]) -> tuple[pa.Table, IntArray, list[tuple[str, ...]]]:
    """Table sorted by keys and time, the first row of each key group, and the groups' keys."""
    order = [(key, "ascending") for key in keys] + [("time", "ascending")]
    table = table.take(pc.sort_indices(table, sort_keys=order)).combine_chunks()
    if table.num_rows == 0:
        return table, np.zeros(0, np.int64), []
    changed = np.zeros(table.num_rows, np.bool_)
    changed[0] = True
    for key in keys:
        codes = _codes(table[key])
        changed[1:] |= codes[1:] != codes[:-1]
    starts = np.flatnonzero(changed).astype(np.int64)
    columns = [table[key].take(pa.array(starts)).to_pylist() for key in keys]
    return table, starts, [tuple(str(k) for k in group) for group in zip(*columns, strict=True)]


def _codes(column: pa.ChunkedArray) -> IntArray:
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def _floats(table: pa.Table, name: str) -> FloatArray:
    if name not in table.schema.names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].cast(pa.float64()).to_numpy(), np.float64)


def _times(table: pa.Table) -> IntArray:
    return np.asarray(table["time"].cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64()).to_numpy(), np.int64)


def _tracks(points: pa.Table) -> dict[str, Track]:
    table, starts, keys = _sorted_slices(points, ["track_id"])
    times, numbers = _times(table), {name: _floats(table, name) for name in _TRACK_NUMBERS}
    integrity = np.asarray(table["integrity"].to_numpy(), dtype=object)
    ends = np.append(starts, table.num_rows)[1:]
    tracks: dict[str, Track] = {}
    for (track_id,), start, end in zip(keys, starts.tolist(), ends.tolist(), strict=True):
        rows = slice(start, end)
        part = table.slice(start, end - start)
        tracks[track_id] = Track(
            track_id=track_id,
            icao24=_first_known(part["icao24"]),
            callsign=_first_known(part["callsign"]),
            time_ns=times[rows],
            numbers={name: column[rows] for name, column in numbers.items()},
            integrity=integrity[rows],
            sensors=_distinct(part, "sensor"),
            is_made="is_reconstruction" in part.schema.names
            and bool(pc.any(part["is_reconstruction"]).as_py()),
        )
    return tracks


def _first_known(column: pa.ChunkedArray) -> str | None:
    present = column.drop_null()
    return str(present[0].as_py()) if len(present) else None


def _distinct(part: pa.Table, name: str) -> tuple[str, ...]:
    if name not in part.schema.names:
        return ()
    return tuple(sorted(str(v) for v in part[name].drop_null().unique().to_pylist()))


def _margins(margins: pa.Table) -> dict[tuple[str, str], MarginSeries]:
    table, starts, keys = _sorted_slices(margins, ["track_id", "volume"])
    times = _times(table)
    margin_m, sigma_m, p_inside = (_floats(table, name) for name in _MARGIN_NUMBERS)
    bridged = np.asarray(table["bridged"].cast(pa.bool_()).fill_null(False).to_numpy(), np.bool_)
    ends = np.append(starts, table.num_rows)[1:]
    series: dict[tuple[str, str], MarginSeries] = {}
    for key, start, end in zip(keys, starts.tolist(), ends.tolist(), strict=True):
        rows = slice(start, end)
        series[(key[0], key[1])] = MarginSeries(
            times[rows], margin_m[rows], sigma_m[rows], p_inside[rows], bridged[rows]
        )
    return series


def duration_sigma_s(incident: Event) -> float | None:
    """1 sigma of the duration, if entry and exit are both crossings with a known sigma (s)."""
    ends = [incident.get("entry") or {}, incident.get("exit") or {}]
    if any(end.get("kind") != "crossing" for end in ends):
        return None
    sigmas = [known(end.get("sigma_s")) for end in ends]
    if any(sigma is None for sigma in sigmas):
        return None
    return float(np.sqrt(sum(sigma * sigma for sigma in sigmas if sigma is not None)))
