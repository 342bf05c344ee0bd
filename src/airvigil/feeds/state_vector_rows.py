"""State vectors: rows of raw values, whatever file they came from, to report rows.

`StateVectorTable` collects rows until their units are settled (`state_vector_columns`), then turns
every batch into reports.

Rules
- `time_of_applicability` is the row's own time, or its last contact where it has no other;
  `last_position` the position's own time: sources repeat a position for up to 15 s (OpenSky) or
  longer, and only that column shows it.
- In a recording `received_at` is the row's time; from a socket it is when the bytes came.
- State vectors carry no accuracy: the quality columns stay null.
- OpenSky's `position_source` gives the sensor kind: 0 ADS-B, 1 ASTERIX (radar), 2 MLAT, 3 FLARM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.field_values import (
    Floats,
    read_address,
    read_callsign,
    read_category,
    read_flags,
    read_numbers,
    read_squawk,
    read_times,
    read_words,
)
from airvigil.feeds.row_tables import RowColumns, build_reports
from airvigil.feeds.state_vector_columns import SAMPLE_ROWS, ColumnRoles, settle_dialect
from airvigil.reports import empty_reports

_KINDS_BY_SOURCE = {0: "adsb", 1: "radar", 2: "mlat", 3: "flarm"}
# Emitter category by OpenSky's number; 0, 1 and 13 say nothing.
_CATEGORIES = {2: "A1", 3: "A2", 4: "A3", 5: "A4", 6: "A5", 7: "A6", 8: "A7", 9: "B1", 10: "B2", 11: "B3", 12: "B4",
               14: "B6", 15: "B7", 16: "C1", 17: "C2", 18: "C3", 19: "C4", 20: "C5"}  # fmt: skip


class RawRows:
    """Rows as read: one list of values a column, all of one length, with digest and fault.

    Example:
        >>> rows = RawRows(("icao24", "time"))
        >>> rows.append(("4baac6", 1726560266), b"")
        >>> rows.append(None, b"")
        >>> rows.columns, rows.is_bad
        ({'icao24': ['4baac6', None], 'time': [1726560266, None]}, [False, True])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.columns: dict[str, list[Any]] = {name: [] for name in self.names}
        self.digests: list[bytes] = []
        self.is_bad: list[bool] = []

    def __len__(self) -> int:
        return len(self.digests)

    def append(self, values: Sequence[Any] | None, digest: bytes) -> None:
        """One row in the order of the names; None for bytes that are no row."""
        row = values if values is not None else (None,) * len(self.names)
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)
        self.digests.append(digest)
        self.is_bad.append(values is None)

    def extend(
        self, columns: Sequence[Sequence[Any]], digests: Sequence[bytes], is_bad: Sequence[bool]
    ) -> None:
        """Several rows, column by column in the order of the names."""
        for column, values in zip(self.columns.values(), columns, strict=True):
            column.extend(values)
        self.digests.extend(digests)
        self.is_bad.extend(is_bad)


class StateVectorTable:
    """Rows of one source to report tables.

    Args:
        options: what the user stated; `dialect` settles the units.
        names: columns of the source.

    Raises:
        DecodeError: columns are missing, or two give the same thing.
        ConfigError: `options.dialect` is none that exists.
    """

    def __init__(self, options: FeedOptions, names: Sequence[str]) -> None:
        self._options = options
        self._roles = ColumnRoles(names)
        self._dialect = settle_dialect(self._roles, options.dialect, {}) if options.dialect else None
        if self._dialect is None:
            self._roles.dialect()  # refuse on the names at once
        self._pending = RawRows(names)
        self._time_ns = options.start_ns or 0

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the source."""
        return self._pending.names

    def new_rows(self) -> RawRows:
        """An empty set of rows to fill."""
        return RawRows(self.names)

    def add(self, rows: RawRows, received_at_ns: int, *, is_last: bool = False) -> pa.Table:
        """Reports of these rows and of those before them, as soon as the units are settled.

        Raises:
            DecodeError: the values contradict the units that the names say.
        """
        self._pending.extend(list(rows.columns.values()), rows.digests, rows.is_bad)
        if self._dialect is None:
            if len(self._pending) < SAMPLE_ROWS and not is_last:
                return empty_reports()
            sample = {name: values[:SAMPLE_ROWS] for name, values in self._pending.columns.items()}
            self._dialect = settle_dialect(self._roles, None, sample)
        ready, self._pending = self._pending, self.new_rows()
        if not len(ready):
            return empty_reports()
        reports = self._reports(ready, self._dialect, received_at_ns)
        self._time_ns = int(reports["received_at"][-1].value)
        return reports

    def _reports(self, rows: RawRows, dialect: str, received_at_ns: int) -> pa.Table:
        length = len(rows)
        is_bad = np.zeros(length, dtype=np.bool_)
        numbers: dict[str, Floats] = {}
        measured = self._roles.measured(dialect)
        measured |= {f"{role}_deg": (self._roles.columns[role], 1.0) for role in ("latitude", "longitude")}
        for report_column, (name, factor) in measured.items():
            values, is_column_bad = read_numbers(rows.columns[name])
            numbers[report_column] = values * factor
            is_bad |= is_column_bad
        times = {}
        for role in ("time", "contact_time", "position_time", "snapshot_time"):
            read, is_known, is_column_bad = read_times(
                self._values(rows, role), utc_offset_s=self._options.utc_offset_s
            )
            times[role] = np.where(is_known, read, 0)
            is_bad |= is_column_bad
        applicability = times["time" if "time" in self._roles.columns else "contact_time"]
        received_at = np.where(times["snapshot_time"] != 0, times["snapshot_time"], applicability)
        on_ground, is_column_bad = read_flags(self._values(rows, "on_ground"))
        is_bad |= is_column_bad
        read_rows = RowColumns(
            digests=rows.digests,
            received_at=np.full(length, received_at_ns) if self._options.is_live else received_at,
            applicability=applicability,
            last_position=times["position_time"],
            address=read_words(self._values(rows, "address"), read_address),
            numbers=numbers,
            is_bad_row=np.array(rows.is_bad, dtype=np.bool_),
            is_bad_value=is_bad,
            others={
                "callsign": read_words(self._values(rows, "callsign"), read_callsign),
                "squawk": read_words(self._values(rows, "squawk"), read_squawk),
                "category": read_words(_category_texts(self._values(rows, "category")), read_category),
                "on_ground": on_ground,
            },
        )
        return build_reports(
            read_rows,
            sensor=self._options.sensor,
            sensor_kinds=self._sensor_kinds(rows),
            before_ns=self._time_ns or received_at_ns,
        )

    def _values(self, rows: RawRows, role: str) -> list[Any]:
        name = self._roles.columns.get(role)
        return rows.columns[name] if name is not None else [None] * len(rows)

    def _sensor_kinds(self, rows: RawRows) -> list[str]:
        if self._options.sensor_kind is not None:
            return [self._options.sensor_kind] * len(rows)
        sources, _ = read_numbers(self._values(rows, "position_source"))
        return [_KINDS_BY_SOURCE.get(source, "state_vector") for source in sources.tolist()]


def _category_texts(values: Sequence[Any]) -> list[Any]:
    """OpenSky's category numbers as the ADS-B letters; texts as they are."""
    return [
        _CATEGORIES.get(int(value)) if isinstance(value, int | float) and 0 <= value <= 20 else value
        for value in values
    ]
