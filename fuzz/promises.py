"""What feeds promise of their rows, and what the fuzzer promises of memory."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from airvigil.reports import REPORT_SCHEMA, SENSOR_KINDS

REASON = re.compile(r"[a-z0-9_]+(:[a-z0-9_]+)?")


class WrongResultError(Exception):
    """A result that breaks a promise."""


def check_rows(table: pa.Table, *, is_ours: bool) -> None:
    """Whether rows are what `reports` promises; of our own tables read back, only what reading checks."""
    if not table.schema.equals(REPORT_SCHEMA):
        raise WrongResultError("a table without REPORT_SCHEMA")
    if not table.num_rows:
        return
    table.validate(full=True)
    for name in (
        "time_of_applicability",
        "received_at",
        "sensor",
        "sensor_kind",
        "frame_digest",
        "is_reconstruction",
    ):
        if table[name].null_count:
            raise WrongResultError(f"null in column {name}")
    if not set(pc.unique(table["sensor_kind"]).to_pylist()) <= set(SENSOR_KINDS):
        raise WrongResultError("no such sensor kind")
    if is_ours:
        return
    reasons = pc.unique(table["reject_reason"]).drop_null()
    if not all(map(REASON.fullmatch, reasons.to_pylist())):
        raise WrongResultError(f"reject reasons are names, got {reasons.to_pylist()[:3]}")
    used = table.filter(pc.is_null(table["reject_reason"]))
    for column in used.schema.names:
        if pa.types.is_floating(used.schema.field(column).type):
            values = used[column].drop_null()
            if len(values) and not pc.all(pc.is_finite(values)).as_py():
                raise WrongResultError(f"a used row with {column} that is no number")
    if pc.any(pc.xor(pc.is_null(used["latitude_deg"]), pc.is_null(used["longitude_deg"]))).as_py():
        raise WrongResultError("a used row with half a position")
    for name, limit in (("latitude_deg", 90.0), ("longitude_deg", 180.0)):
        if pc.any(pc.greater(pc.abs(used[name]), limit)).as_py():
            raise WrongResultError(f"a used row with {name} beyond {limit}")
    addresses = used["icao24"].drop_null()
    if len(addresses) and not pc.all(pc.match_substring_regex(addresses, r"^[0-9a-f]{6}$")).as_py():
        raise WrongResultError("a used row with a malformed address")


class Memory:
    """Peak resident memory, since it was last asked to begin anew where the kernel allows that."""

    def restart(self) -> None:
        """Forget the peak so far."""
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            return

    def peak_mb(self) -> float:
        """MB of 2^20 bytes."""
        try:
            text = Path("/proc/self/status").read_text(encoding="ascii")
            return int(text.split("VmHWM:")[1].split()[0]) / 1024
        except (OSError, IndexError):
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
