"""Real recordings beside a scenario: at their own place, moved in time only, and saying so.

No openly distributed recording known to us shows the Gulf of Finland on the days of the cases. To show
a reconstruction among real traffic, recordings of other days are moved in time, as they are: nothing is
moved in space, nothing is thinned, and `is_reconstruction` stays false. What was done stands in the name
of the sensor, which every output shows: "<name> (time-shifted)". The frame's digest stays that of the
frame as it was received. Time-shifted rows say nothing about the day of the case.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import UTC_NS, check_reports, concat_reports

SHIFTED = " (time-shifted)"
_TIMES = ("time_of_applicability", "received_at", "last_position")


def shift_time(table: pa.Table, to_start_ns: int) -> pa.Table:
    """Move a report table in time so that its first reception is at a given instant.

    Args:
        table: with REPORT_SCHEMA, in any order.
        to_start_ns: where the earliest `received_at` shall be, ns UTC.

    Returns:
        The rows in their order, all three times moved by the same amount, and sensors renamed.

    Raises:
        SchemaError: not a report table.
    """
    check_reports(table)
    if table.num_rows == 0:
        return table
    by_ns = to_start_ns - _ns(pc.min(table["received_at"]))
    moved = table
    for name in _TIMES:
        times = pc.add_checked(table[name].cast(pa.int64()), by_ns).cast(UTC_NS)
        moved = _replaced(moved, name, times)
    named = pc.if_else(
        pc.ends_with(table["sensor"], SHIFTED),
        table["sensor"],
        pc.binary_join_element_wise(table["sensor"], SHIFTED, ""),
    )
    return _replaced(moved, "sensor", named)


def with_background(table: pa.Table, background: pa.Table) -> pa.Table:
    """A scenario's reports and a real recording's, in order of reception.

    Args:
        table: the scenario's reports.
        background: a recording; it is moved to begin when the scenario begins, and what would come
            after the scenario's last report is left out.

    Returns:
        Both, sorted by `received_at`.

    Raises:
        SchemaError: not report tables.
    """
    check_reports(table)
    if table.num_rows == 0:
        return table
    moved = shift_time(background, _ns(pc.min(table["received_at"])))
    moved = moved.filter(pc.less_equal(moved["received_at"], pc.max(table["received_at"])))
    return concat_reports([table, moved]).sort_by(
        [("received_at", "ascending"), ("sensor", "ascending"), ("frame_digest", "ascending")]
    )


def _ns(moment: pa.Scalar) -> int:
    return int(moment.cast(pa.int64()).as_py())


def _replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(index), column)
