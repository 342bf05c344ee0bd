"""The state between steps, its Arrow form, and the tables that a step gives out.

Rules
- A state written to Arrow and read back continues identically: numbers survive bit by bit.
- The Arrow form is one row: arrays of records as their little-endian bytes with their layout beside
  them (checked on reading), the rest as canonical JSON. Nothing in it can run code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from airvigil.airspace.gaps.gap_spells import GapBook
from airvigil.airspace.heights.qnh import QnhBook
from airvigil.airspace.lookahead.lookahead_book import LookaheadBook
from airvigil.airspace.permissions.permission_stays import StayBook
from airvigil.airspace.permissions.permissions import PermissionBook
from airvigil.airspace.spells.spell_book import SpellBook
from airvigil.airspace.spells.spell_records import Samples
from airvigil.errors import SchemaError
from airvigil.incidents.incidents import IncidentBook
from airvigil.tracking import verdicts
from airvigil.tracking.accounting import Account
from airvigil.tracking.identity import icao24_of, track_id
from airvigil.tracking.intake import BEGINNING, Intake
from airvigil.tracking.interference import InterferenceBook
from airvigil.tracking.key_index import KeyIndex
from airvigil.tracking.rows import ROW, Rows, text_of
from airvigil.tracking.track_table import TRACK, TrackTable
from airvigil.units import utc_text

STATE_VERSION = 3
Event = dict[str, Any]

STATE_SCHEMA = pa.schema(
    [
        pa.field("version", pa.int32()),
        pa.field("layout", pa.string()),  # JSON: NumPy layouts of the record columns
        pa.field("pending", pa.binary()),
        pa.field("tracks", pa.binary()),
        pa.field("rest", pa.string()),  # JSON
    ],
    metadata={"airvigil.table": "state", "airvigil.version": str(STATE_VERSION)},
)


def _layout() -> str:
    return json.dumps({"row": ROW.descr, "track": TRACK.descr})


@dataclass
class State:
    """Everything that the engine remembers.

    Attributes:
        receivers: sensor name -> antenna latitude_deg, longitude_deg, height_m, where known.
        watermark: ns; nothing before it is used any more.
        sequence: number of the last event told.
    """

    receivers: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    watermark: int = BEGINNING
    sequence: int = 0
    intake: Intake = field(default_factory=Intake)
    tracks: TrackTable = field(default_factory=TrackTable)
    spells: SpellBook = field(default_factory=SpellBook)
    gaps: GapBook = field(default_factory=GapBook)
    lookahead: LookaheadBook = field(default_factory=LookaheadBook)
    interference: InterferenceBook = field(default_factory=InterferenceBook)
    incidents: IncidentBook = field(default_factory=IncidentBook)
    permissions: PermissionBook = field(default_factory=PermissionBook)
    stays: StayBook = field(default_factory=StayBook)
    heights: QnhBook = field(default_factory=QnhBook)
    observations: list[Event] = field(default_factory=list)  # received, not told yet

    def receiver_table(self) -> npt.NDArray[np.float64]:
        """(sensors, 3) antenna places by sensor number; NaN unknown."""
        unknown = (np.nan, np.nan, np.nan)
        return np.array(
            [self.receivers.get(name, unknown) for name in self.intake.sensors] or [unknown], dtype=np.float64
        )

    def copy(self) -> State:
        """An independent copy."""
        return State(
            dict(self.receivers),
            self.watermark,
            self.sequence,
            self.intake.copy(),
            self.tracks.copy(),
            self.spells.copy(),
            self.gaps.copy(),
            self.lookahead.copy(),
            self.interference.copy(),
            self.incidents.copy(),
            self.permissions.copy(),
            self.stays.copy(),
            self.heights.copy(),
            [dict(o) for o in self.observations],
        )

    def to_arrow(self) -> pa.Table:
        """One row with everything."""
        count = len(self.tracks.keys)
        rest = {
            "receivers": self.receivers,
            "watermark": self.watermark,
            "sequence": self.sequence,
            "newest": self.intake.newest,
            "latest": self.intake.latest,
            "sensors": self.intake.sensors,
            "accounts": {name: a.to_plain() for name, a in self.intake.accounts.items()},
            "keys": self.tracks.keys,
            "spells": self.spells.to_plain(),
            "gaps": self.gaps.to_plain(),
            "lookahead": self.lookahead.to_plain(),
            "interference": self.interference.to_plain(),
            "incidents": self.incidents.to_plain(),
            "permissions": self.permissions.to_plain(),
            "stays": self.stays.to_plain(),
            "heights": self.heights.to_plain(),
            "observations": self.observations,
        }
        arrays = (self.intake.pending, self.tracks.records[:count])
        row = [STATE_VERSION, _layout(), *(a.tobytes() for a in arrays), json.dumps(rest, sort_keys=True)]
        return pa.table([[value] for value in row], schema=STATE_SCHEMA)

    @staticmethod
    def from_arrow(table: pa.Table) -> State:
        """The inverse of `to_arrow`.

        Raises:
            SchemaError: another version or layout.
        """
        if table.schema.names != STATE_SCHEMA.names or table.num_rows != 1:
            raise SchemaError(f"not a state: expected one row of {STATE_SCHEMA.names}")
        row = table.to_pylist()[0]
        if row["version"] != STATE_VERSION:
            raise SchemaError(f"state of another version: expected {STATE_VERSION}, got {row['version']}")
        if row["layout"] != _layout():
            raise SchemaError("state whose records have another layout: written by another release")
        rest = json.loads(row["rest"])
        state = State(
            {name: tuple(place) for name, place in rest["receivers"].items()},
            rest["watermark"],
            rest["sequence"],
        )
        accounts = {name: Account.from_plain(a) for name, a in rest["accounts"].items()}
        state.intake = Intake([], rest["newest"], rest["latest"], rest["sensors"], accounts)
        state.intake.keep(np.frombuffer(row["pending"], dtype=ROW).copy())
        count = len(rest["keys"])
        state.tracks = TrackTable(KeyIndex(rest["keys"]))
        state.tracks.make_room()
        state.tracks.records[:count] = np.frombuffer(row["tracks"], dtype=TRACK)
        state.spells = SpellBook.from_plain(rest["spells"])
        state.gaps = GapBook.from_plain(rest["gaps"])
        state.lookahead = LookaheadBook.from_plain(rest["lookahead"])
        state.interference = InterferenceBook.from_plain(rest["interference"])
        state.incidents = IncidentBook.from_plain(rest["incidents"])
        state.permissions = PermissionBook.from_plain(rest["permissions"])
        state.stays = StayBook.from_plain(rest["stays"])
        state.heights = QnhBook.from_plain(rest["heights"])
        state.observations = rest["observations"]
        return state


UTC_NS = pa.timestamp("ns", tz="UTC")
POINT_SCHEMA = pa.schema(
    [
        ("time", UTC_NS),
        ("track_id", pa.string()),
        ("icao24", pa.string()),
        ("callsign", pa.string()),
        ("sensor", pa.string()),
        ("latitude_deg", pa.float64()),
        ("longitude_deg", pa.float64()),
        ("covariance_ee_m2", pa.float64()),
        ("covariance_en_m2", pa.float64()),
        ("covariance_nn_m2", pa.float64()),
        ("accuracy_assumed", pa.bool_()),
        ("ground_speed_mps", pa.float64()),
        ("ground_speed_sigma_mps", pa.float64()),
        ("track_angle_deg", pa.float64()),
        ("pressure_altitude_m", pa.float64()),
        ("geometric_height_m", pa.float64()),
        ("integrity", pa.string()),
        ("integrity_reason", pa.string()),
        ("on_ground", pa.bool_()),
        ("reported_latitude_deg", pa.float64()),
        ("reported_longitude_deg", pa.float64()),
        ("is_reconstruction", pa.bool_()),
    ]
)
MARGIN_SCHEMA = pa.schema(
    [
        ("time", UTC_NS),
        ("track_id", pa.string()),
        ("volume", pa.string()),
        ("margin_m", pa.float64()),
        ("sigma_m", pa.float64()),
        ("p_inside", pa.float64()),
        ("bridged", pa.bool_()),
    ]
)

NO_POINTS, NO_MARGINS = POINT_SCHEMA.empty_table(), MARGIN_SCHEMA.empty_table()


@dataclass(frozen=True)
class Names:
    """What the numbers in records stand for. The lists are the state's own: they grow, what is in them stays.

    Attributes:
        keys: track key by slot.
        sensors: by number.
        volumes: ids, in the order of the airspace.
    """

    keys: list[str]
    sensors: list[str]
    volumes: tuple[str, ...]


@dataclass(frozen=True)
class Output:
    """What one step tells: events in order, track points, and margins of believed points.

    The tables are made when they are first asked for: who only wants events pays for no names.

    Attributes:
        events: in order.
        rows: (n,) ROW, the rows that left.
        track_points: (m,) POINT, of those rows.
        believed: (k,) POINT, those that may make a spell.
        samples: of `believed`.
        names: of slots, sensors and volumes.
    """

    events: list[Event]
    rows: Rows
    track_points: Rows
    believed: Rows
    samples: Samples
    names: Names

    @cached_property
    def points(self) -> pa.Table:
        """Track points with POINT_SCHEMA, by track and time."""
        return point_table(self.track_points, self.rows, self.names)

    @cached_property
    def margins(self) -> pa.Table:
        """Margins of believed points with MARGIN_SCHEMA, by track and time."""
        return margin_table(self.samples, self.believed, self.names)


def _chosen(names: Sequence[str | None], index: Any) -> pa.Array:
    """Names by index, as a string column; an index beyond them is null."""
    found = pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(names, pa.string()))
    return found.cast(pa.string())


def _runs_of(points: Rows) -> tuple[Rows, Any]:
    """The first point of each run of points of one track, and for each point the number of its run."""
    slot, start = points["slot"], points["start"]
    is_first = np.append(True, (slot[1:] != slot[:-1]) | (start[1:] != start[:-1]))
    return points[is_first], np.cumsum(is_first, dtype=np.int32) - np.int32(1)


def _track_ids(firsts: Rows, names: Names) -> list[str]:
    pairs = zip(firsts["slot"].tolist(), firsts["start"].tolist(), strict=True)
    return [track_id(names.keys[slot], start) for slot, start in pairs]


def _callsigns(codes: Any) -> pa.Array:
    distinct, index = np.unique(codes, return_inverse=True)
    return _chosen([text_of(code) for code in distinct.tolist()], index)


def point_table(points: Rows, rows: Rows, names: Names) -> pa.Table:
    """Track points (POINT, by slot and time) as a table; `rows` are the rows that they index."""
    if not len(points):
        return NO_POINTS
    firsts, run = _runs_of(points)
    reported = rows[["lat", "lon"]][points["row"]]
    flags = points["on_ground"]
    columns = [
        pa.array(points["time"]).view(UTC_NS),
        _chosen(_track_ids(firsts, names), run),
        _chosen([icao24_of(names.keys[slot]) for slot in firsts["slot"].tolist()], run),
        _callsigns(points["callsign"]),
        _chosen(names.sensors, points["sensor"]),
        *(points[name] for name in ("lat", "lon", "cov_ee", "cov_en", "cov_nn")),
        points["assumed"] == 1,
        *(
            points[name]
            for name in (
                "speed_mps",
                "speed_sigma_mps",
                "track_angle_deg",
                "pressure_altitude_m",
                "geometric_height_m",
            )
        ),
        _chosen(verdicts.INTEGRITY, points["integrity"]),
        _chosen(
            [verdicts.REASONS[code][0] or None for code in range(len(verdicts.REASONS))], points["reason"]
        ),
        pa.array(flags == 1, mask=flags < 0),
        reported["lat"],
        reported["lon"],
        points["is_reconstruction"] == 1,
    ]
    arrays = [pa.array(c, type=f.type, from_pandas=True) for c, f in zip(columns, POINT_SCHEMA, strict=True)]
    return pa.table(arrays, schema=POINT_SCHEMA)


def margin_table(samples: Samples, points: Rows, names: Names) -> pa.Table:
    """Samples of points (by slot and time) as a table, in order of time and track."""
    if not len(samples.point):
        return NO_MARGINS
    firsts, run = _runs_of(points)
    columns = [
        pa.array(samples.time).view(UTC_NS),
        _chosen(_track_ids(firsts, names), run[samples.point]),
        _chosen(names.volumes, samples.volume),
        samples.margin_m,
        samples.sigma_m,
        samples.p_inside,
        samples.bridged,
    ]
    arrays = [pa.array(c, type=f.type, from_pandas=True) for c, f in zip(columns, MARGIN_SCHEMA, strict=True)]
    return pa.table(arrays, schema=MARGIN_SCHEMA)


def _value_of(text: str | None) -> Any:
    """What an observation says; its text as it stands where that is not JSON."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def observation_events(state: State, observations: pa.Table | None) -> list[Event]:
    """Take observations in; returns those received before the watermark as events, in their order."""
    if observations is not None:
        times = [
            observations[name].cast(pa.int64()).to_pylist()
            for name in ("received_at", "time_of_applicability")
        ]
        texts = observations.select(["author", "kind", "subject", "source", "value"]).to_pylist()
        for received, when, row in zip(*times, texts, strict=True):
            value = _value_of(row["value"])
            event = {
                "event": "observation",
                "time": utc_text(received),
                "time_ns": received,
                "applies_at": utc_text(when),
            }
            state.observations.append({**event, **row, "value": value})
    ready = [o for o in state.observations if o["time_ns"] < state.watermark]
    state.observations = [o for o in state.observations if o["time_ns"] >= state.watermark]
    return ready
