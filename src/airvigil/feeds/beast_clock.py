"""The 12 MHz counter of a Mode S receiver, to UTC.

The counter has no origin. In a recording its first non-zero value is the recording's start; on a
live feed the time of reception is the origin, and the counter only takes the jitter of the
network out of it.

Rules
- Frames with counter 0 (made by the receiver itself, or before its clock ran) and frames that
  multilateration clients inject with a marker instead of a time take the time of the last frame.
- The counter may wrap (after 271 days) and step back by up to MAX_STEP_BACK_S (frames of several
  radio channels).
- Any other step back, and a step forward of more than MAX_GAP_S, is a clock that was set anew.
  In a recording nothing tells by how much, so `utc_ns` returns None (rows: "clock_reset") until
  the counter is in line with the old one again: a wrong time is worse than none, and the rest can
  be replayed as a file of its own with its own start. A receiver that hears nothing for an hour is
  taken to have been off, and its counter with it.
- Live, such a step just starts again from the time of reception.
- Live, time is the counter plus the smallest offset to reception seen, let up by DRIFT_PPM so that
  a counter slower than UTC is followed; never later than reception.
"""

from __future__ import annotations

from airvigil.errors import ConfigError
from airvigil.feeds.feed import FeedOptions
from airvigil.units import MODE_S_CLOCK_HZ, NS_PER_S

MAX_STEP_BACK_S = 5
MAX_GAP_S = 3600
DRIFT_PPM = 100  # five times what a cheap receiver's oscillator is off
MAX_LIVE_DELAY_S = 2  # a live frame older than this by its counter means that the counter was set anew

_WRAP = 1 << 48
_MLAT_MARKERS = frozenset({0xFF004D4C4154, 0xFF004D4C4155})  # "MLAT", "MLAU" in the low bytes


class CounterClock:
    """Counter values of one source, in the order of the wire, to ns UTC.

    Args:
        options: `start_ns` for recordings; `is_live`.

    Raises:
        ConfigError: a recording without `start_ns`.
    """

    __slots__ = ("_base_ns", "_is_live", "_last_ns", "_last_ticks", "_offset_ns", "_ticks")

    def __init__(self, options: FeedOptions) -> None:
        if options.start_ns is None and not options.is_live:
            raise ConfigError(
                f"no start time for {options.sensor}: its frames carry a counter without origin",
                hint="state it with --start, or keep it in the file name as YYYYMMDD_HHMMSS",
            )
        self._is_live = options.is_live
        self._base_ns = options.start_ns or 0
        self._last_ns: int | None = None if options.is_live else self._base_ns
        self._last_ticks: int | None = None  # of the last frame in line
        self._ticks = 0  # since the first frame, across wraps
        self._offset_ns = 0

    def utc_ns(self, counter: int, received_at_ns: int) -> int | None:
        """Time of a frame, ns UTC; None if its clock was set anew.

        Args:
            counter: the 48-bit value of the frame.
            received_at_ns: when the bytes were received; counts on a live feed only.
        """
        if counter == 0 or counter in _MLAT_MARKERS:
            return received_at_ns if self._last_ns is None or self._is_live else self._last_ns
        step = self._step(counter)
        if step is None:
            if not self._is_live:
                return None
            self._last_ns, step = None, 0
        self._ticks += step
        self._last_ticks = counter
        elapsed_ns = self._ticks * NS_PER_S // MODE_S_CLOCK_HZ
        if self._is_live:
            self._last_ns = self._live_ns(elapsed_ns, step, received_at_ns)
        else:
            self._last_ns = self._base_ns + elapsed_ns
        return self._last_ns

    def last_ns(self, received_at_ns: int) -> int:
        """Time for a piece of the stream that has no counter."""
        return received_at_ns if self._is_live or self._last_ns is None else self._last_ns

    def _step(self, counter: int) -> int | None:
        """Ticks since the last frame in line, or None if the counter was set anew."""
        if self._last_ticks is None:
            return 0
        ahead = (counter - self._last_ticks) % _WRAP
        if ahead <= MAX_GAP_S * MODE_S_CLOCK_HZ:
            return ahead
        behind = _WRAP - ahead
        return -behind if behind <= MAX_STEP_BACK_S * MODE_S_CLOCK_HZ else None

    def _live_ns(self, elapsed_ns: int, step: int, received_at_ns: int) -> int:
        offset_ns = received_at_ns - elapsed_ns
        if self._last_ns is None:
            self._offset_ns = offset_ns
        else:
            step_ns = max(step, 0) * NS_PER_S // MODE_S_CLOCK_HZ
            self._offset_ns = min(self._offset_ns + step_ns * DRIFT_PPM // 1_000_000, offset_ns)
            if offset_ns - self._offset_ns > MAX_LIVE_DELAY_S * NS_PER_S:
                self._offset_ns = offset_ns
        return elapsed_ns + self._offset_ns


def is_mlat_marker(counter: int) -> bool:
    """Whether a multilateration client made the frame: its position is not the aircraft's own."""
    return counter in _MLAT_MARKERS
