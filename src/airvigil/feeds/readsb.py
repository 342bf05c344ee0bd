"""readsb's aircraft.json: snapshots of all aircraft that a receiver knows.

One document a snapshot, one row an aircraft and snapshot:

    {"now": 1726560266.1, "aircraft": [{"hex": "4baac6", "type": "adsb_icao", "lat": 41.4,
      "lon": 28.7, "seen_pos": 0.4, "seen": 0.1, "alt_baro": 4175, "gs": 233.0, "nic": 8, ...}]}

Also the form with `"ac"` for the list and `now` in milliseconds that aggregators' APIs use. Keys
that a document lacks are unknown.

Rules
- `time_of_applicability` = now - seen; `last_position` = now - seen_pos. A snapshot repeats what it
  knows: the same position comes again with an unchanged `last_position`, as its own row.
- `lastPosition` (older than 60 s) and `rr_lat`, `rr_lon` (an estimate from the receiver's place)
  are not positions of this report and are not read.
- `hex` with a leading `~` is no ICAO address. `type` gives the sensor kind; a latitude listed under
  `mlat` or `tisb` comes from there, whatever the type.
- `alt_baro` "ground" means on the ground; a number means airborne.
- `rc` 0 is an unknown containment radius, not a perfect one. `dbFlags` bit 1: military; its
  absence says nothing.
- The frame digest of a row is that of the aircraft's object as canonical JSON
  (`json_documents.row_digest`).

Source: readsb, README-json.md (field names, units, order of types).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.errors import DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.field_values import (
    Bools,
    Floats,
    read_address,
    read_callsign,
    read_category,
    read_numbers,
    read_small_integers,
    read_squawk,
    read_times,
    read_words,
)
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES, JsonSplitter, parse_json, row_digest
from airvigil.feeds.row_tables import RowColumns, build_reports, rejected_row
from airvigil.reports import concat_reports
from airvigil.units import M_PER_FT, MPS_PER_FT_MIN, MPS_PER_KT, NS_PER_S

MAX_AIRCRAFT = 1_000_000  # in one snapshot; the whole world's traffic is about 15,000

# What measured the position. ADS-R and ADS-C carry the aircraft's own GNSS position by another way.
KINDS_BY_TYPE = {
    "adsb_icao": "adsb",
    "adsb_icao_nt": "adsb",
    "adsb_other": "adsb",
    "adsr_icao": "adsb",
    "adsr_other": "adsb",
    "adsc": "adsb",
    "tisb_icao": "tisb",
    "tisb_other": "tisb",
    "tisb_trackfile": "tisb",
    "mlat": "mlat",
    "mode_s": "mode_s",
}
UNSTATED_KIND = "state_vector"  # "other", and types that are not in the list

EMERGENCIES = {
    "none": "none",
    "general": "general",
    "lifeguard": "medical",
    "minfuel": "minimum_fuel",
    "nordo": "no_radio",
    "unlawful": "unlawful",
    "downed": "downed",
    "reserved": "reserved",
}

# (column, key, lowest, highest)
QUALITY_KEYS = (
    ("adsb_version", "version", 0, 7),
    ("nic", "nic", 0, 11),
    ("nac_p", "nac_p", 0, 11),
    ("nac_v", "nac_v", 0, 4),
    ("sil", "sil", 0, 3),
    ("gva", "gva", 0, 3),
)


class AircraftJsonFeed:
    """Snapshots of aircraft.json, one after the other in one stream or file."""

    def __init__(self, options: FeedOptions, *, max_document_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self._options = options
        self._splitter = JsonSplitter(max_document_bytes)
        self._time_ns = options.start_ns
        self._is_first = True

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the snapshots that this chunk completes; see `Feed.decode`."""
        if self._time_ns is None:
            self._time_ns = received_at_ns
        return concat_reports(
            [self._decode_document(document, received_at_ns) for document in self._splitter.split(chunk)]
        )

    def _decode_document(self, document: bytes, received_at_ns: int) -> pa.Table:
        try:
            now_ns, aircraft = read_snapshot(parse_json(document))
        except DecodeError:
            if self._is_first:
                raise
            return self._reject(document, "bad_document")
        finally:
            self._is_first = False
        self._time_ns = received_at_ns if self._options.is_live else now_ns
        return snapshot_reports(now_ns, aircraft, received_ns=self._time_ns, options=self._options)

    def _reject(self, content: bytes, reason: str) -> pa.Table:
        kind = self._options.sensor_kind or UNSTATED_KIND
        return rejected_row(
            content, reason, sensor=self._options.sensor, sensor_kind=kind, time_ns=self._time_ns or 0
        )

    def finish(self) -> pa.Table:
        """A rejected row if the source ended inside a snapshot; see `Feed.finish`."""
        tail = self._splitter.finish()
        return concat_reports([self._reject(tail, "incomplete")] if tail.strip() else [])


def read_snapshot(document: Any) -> tuple[int, list[Any]]:
    """`now` in ns UTC and the list of aircraft.

    Raises:
        DecodeError: not an aircraft.json document.
    """
    if not isinstance(document, dict):
        raise DecodeError(f"expected an aircraft.json object, got {type(document).__name__}")
    aircraft = document.get("aircraft", document.get("ac"))
    if not isinstance(aircraft, list):
        raise DecodeError('expected a list "aircraft" (or "ac") in aircraft.json')
    if len(aircraft) > MAX_AIRCRAFT:
        raise DecodeError(f"expected at most {MAX_AIRCRAFT:,} aircraft in a snapshot, got {len(aircraft):,}")
    now, is_known, _ = read_times([document.get("now")])
    if not is_known[0]:
        raise DecodeError('expected a time "now" in aircraft.json')
    return int(now[0]), aircraft


def snapshot_reports(
    now_ns: int, aircraft: Sequence[Any], *, received_ns: int, options: FeedOptions
) -> pa.Table:
    """Report rows of one snapshot, one for each entry of the list."""
    is_bad_row = np.array([not isinstance(entry, dict) for entry in aircraft], dtype=np.bool_)
    entries = [entry if isinstance(entry, dict) else {} for entry in aircraft]
    measured = MeasuredKeys(entries)
    seen, is_seen_bad = measured.ages("seen")
    seen_pos, is_seen_pos_bad = measured.ages("seen_pos")
    hexes = [entry.get("hex") for entry in entries]
    rows = RowColumns(
        digests=[row_digest(entry) for entry in aircraft],
        received_at=np.full(len(entries), received_ns, dtype=np.int64),
        applicability=now_ns - np.nan_to_num(np.round(seen * NS_PER_S)).astype(np.int64),
        last_position=np.where(
            np.isnan(seen_pos), 0, now_ns - np.nan_to_num(np.round(seen_pos * NS_PER_S)).astype(np.int64)
        ),
        address=read_words(hexes, read_address),
        numbers={
            "latitude_deg": measured.numbers("lat"),
            "longitude_deg": measured.numbers("lon"),
            "pressure_altitude_m": measured.numbers("alt_baro") * M_PER_FT,
            "geometric_height_m": measured.numbers("alt_geom") * M_PER_FT,
            "ground_speed_mps": measured.numbers("gs") * MPS_PER_KT,
            "track_angle_deg": measured.numbers("track"),
            "vertical_rate_mps": measured.first_of("baro_rate", "geom_rate") * MPS_PER_FT_MIN,
            "rc_m": containment_m(entries),
        },
        is_bad_row=is_bad_row,
        is_bad_value=measured.is_bad | is_seen_bad | is_seen_pos_bad,
        others=identity_columns(entries, hexes)
        | quality_columns(entries)
        | {"on_ground": [ground_flag(entry.get("alt_baro")) for entry in entries]},
    )
    kinds = [options.sensor_kind or sensor_kind(entry) for entry in entries]
    return build_reports(rows, sensor=options.sensor, sensor_kinds=kinds, before_ns=received_ns)


class MeasuredKeys:
    """Numeric keys of some JSON objects as columns; remembers which objects hold a bad one."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self._entries = entries
        self.is_bad: Bools = np.zeros(len(entries), dtype=np.bool_)

    def numbers(self, key: str) -> Floats:
        """(n,) float64, NaN unknown. The word "ground" is no number and no fault."""
        values = [entry.get(key) for entry in self._entries]
        numbers, is_bad = read_numbers([None if value == "ground" else value for value in values])
        self.is_bad |= is_bad
        return numbers

    def first_of(self, key: str, other_key: str) -> Floats:
        """The first key's number, the other's where the first is unknown."""
        first, second = self.numbers(key), self.numbers(other_key)
        return np.where(np.isnan(first), second, first)

    def ages(self, key: str) -> tuple[Floats, Bools]:
        """Seconds before now, NaN unknown; bad if negative or above ten years."""
        numbers = self.numbers(key)
        with np.errstate(invalid="ignore"):
            is_bad = (numbers < 0.0) | (numbers > 315_360_000.0)
        return np.where(is_bad, np.nan, numbers), is_bad


def ground_flag(altitude: Any) -> bool | None:
    """What `alt_baro` says about being on the ground."""
    if altitude == "ground":
        return True
    return False if isinstance(altitude, int | float) and not isinstance(altitude, bool) else None


def sensor_kind(entry: dict[str, Any]) -> str:
    """Kind of sensor of an aircraft object, from `type`, `mlat` and `tisb`."""
    for source in ("mlat", "tisb"):
        derived = entry.get(source)
        if isinstance(derived, list) and "lat" in derived:
            return source
    stated = entry.get("type")
    return KINDS_BY_TYPE.get(stated, UNSTATED_KIND) if isinstance(stated, str) else UNSTATED_KIND


def containment_m(entries: Sequence[dict[str, Any]]) -> Floats:
    """`rc` in metres; NaN where absent, unreadable or 0 (readsb's unknown)."""
    radii, _ = read_numbers([entry.get("rc") for entry in entries])
    with np.errstate(invalid="ignore"):
        return np.where(radii > 0.0, radii, np.nan)


def identity_columns(entries: Sequence[dict[str, Any]], hexes: Sequence[Any]) -> dict[str, Any]:
    """Who it says it is."""
    return {
        "is_icao_address": [
            None if not isinstance(text, str) else not text.strip().startswith("~") for text in hexes
        ],
        "callsign": read_words([entry.get("flight") for entry in entries], read_callsign),
        "squawk": read_words([entry.get("squawk") for entry in entries], read_squawk),
        "category": read_words([entry.get("category") for entry in entries], read_category),
        "emergency": read_words([entry.get("emergency") for entry in entries], EMERGENCIES.get),
        "is_state_aircraft": [is_military(entry.get("dbFlags")) for entry in entries],
    }


def quality_columns(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the aircraft says of its own accuracy."""
    return {
        column: read_small_integers([entry.get(key) for entry in entries], lowest, highest)
        for column, key, lowest, highest in QUALITY_KEYS
    }


def is_military(database_flags: Any) -> bool | None:
    """True if bit 1 of `dbFlags` is set; otherwise the database does not know."""
    return True if isinstance(database_flags, int) and database_flags & 1 else None
