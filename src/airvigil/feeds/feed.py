"""What every feed promises, and what it may be told about its source.

Rules
- Every frame or row of the wire becomes exactly one report row; what cannot be used carries a
  `reject_reason` and is counted like the rest.
- The rows do not depend on how the bytes were cut into chunks: fed whole or one byte at a time,
  a feed gives the same rows (for the same `received_at_ns`).
- Whatever the bytes, a feed raises `DecodeError` or nothing.
- Memory is bounded whatever the bytes: a frame or line that does not end is cut off and rejected.
- A feed has no clock: time comes from the frames, from `FeedOptions.start_ns`, or from
  `received_at_ns`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

MAX_LINE_BYTES = 65_536  # a longer line is rejected: no format read here has one


@dataclass(frozen=True)
class FeedOptions:
    """What a feed cannot read from its bytes.

    Attributes:
        sensor: name of the sensor or input; becomes the `sensor` column.
        start_ns: start of a recording, ns UTC, for formats whose clock has no origin (Beast).
        receiver: latitude_deg, longitude_deg, height_m over the ellipsoid of the antenna; None if
            unknown. Serves as first reference for positions reported on the ground.
        is_live: the bytes come from a socket as they are received, so that `received_at_ns` is a
            time to trust; in a recording it is only the time of reading.
        utc_offset_s: what the source's local clock is ahead of UTC, for formats that write
            local times without a zone (SBS-1).
        dialect: name of the column dialect ("opensky", "traffic", ...) where a format has several
            and the content does not tell; None: find out from the content.
        sensor_kind: overrides the kind that the format implies (one of reports.SENSOR_KINDS).
    """

    sensor: str
    start_ns: int | None = None
    receiver: tuple[float, float, float] | None = None
    is_live: bool = False
    utc_offset_s: float = 0.0
    dialect: str | None = None
    sensor_kind: str | None = None


class Feed(Protocol):
    """One wire format being read from one source."""

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the frames that this chunk completes, possibly none.

        Args:
            chunk: the next bytes of the source, any number.
            received_at_ns: when these bytes were received, ns UTC.

        Returns:
            Table with REPORT_SCHEMA, in the order of the wire.

        Raises:
            DecodeError: the bytes cannot be this format at all.
        """
        ...

    def finish(self) -> pa.Table:
        """Rows of what is left at the end of the source; an incomplete tail is a rejected row."""
        ...


FeedFactory = Callable[[FeedOptions], Feed]


class LineSplitter:
    """Cut a byte stream into lines, with a bound on their length.

    The newline (and a carriage return before it) is not part of a line. A line longer than
    MAX_LINE_BYTES comes out once, cut to that length and marked as too long; the rest of it is
    skipped.

    Example:
        >>> s = LineSplitter()
        >>> s.split(b"ab\\ncd"), s.split(b"e\\r\\n"), s.finish()
        ([(b'ab', False)], [(b'cde', False)], [])
    """

    def __init__(self) -> None:
        self._tail = b""
        self._is_skipping = False

    def split(self, chunk: bytes) -> list[tuple[bytes, bool]]:
        """(line, is_too_long) for every line that this chunk completes or overflows."""
        lines: list[tuple[bytes, bool]] = []
        parts = chunk.split(b"\n")
        for index, part in enumerate(parts):
            is_ended = index < len(parts) - 1
            if self._is_skipping:
                self._is_skipping = not is_ended
                continue
            line = self._tail + part
            self._tail = b""
            if len(line) > MAX_LINE_BYTES:
                lines.append((line[:MAX_LINE_BYTES], True))
                self._is_skipping = not is_ended
            elif is_ended:
                lines.append((line.removesuffix(b"\r"), False))
            else:
                self._tail = line
        return lines

    def finish(self) -> list[tuple[bytes, bool]]:
        """The last line if the source did not end it, and forget it."""
        tail, self._tail = self._tail, b""
        self._is_skipping = False
        return [(tail.removesuffix(b"\r"), False)] if tail else []
