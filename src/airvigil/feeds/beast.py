"""Beast binary: the stream of a Mode S receiver.

    0x1a | type 1 | counter 6, 12 MHz, big endian | signal 1 | payload
    type 0x31: Mode A/C, 2 bytes      0x32: Mode S short, 7       0x33: Mode S long, 14
         0x34: receiver status, 14    0x1a within counter, signal or payload is sent twice

Rules
- One row per frame. Mode A/C replies carry no address: "mode_ac". Status: "receiver_status".
- Bytes that belong to no frame are refused run by run: one row "garbage_bytes" for each unbroken
  run, whatever its length. What is left at the end: "incomplete_frame".
- Time: see `airvigil.feeds.beast_clock`; a frame whose time cannot be told is "clock_reset".
- `frame_digest` is taken over the bytes of the wire, escapes included, from the leading 0x1a.
- A stream with MAX_LEADING_GARBAGE bytes before its first frame is not Beast: DecodeError.

Source: the format as dump1090, readsb and adsb-tools (protocols/beast.md) describe it.
"""

from __future__ import annotations

import hashlib
import re

import pyarrow as pa

from airvigil.errors import DecodeError
from airvigil.feeds.beast_clock import CounterClock, is_mlat_marker
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.mode_s import ModeSDecoder
from airvigil.feeds.mode_s_frames import FrameBatch

MAX_LEADING_GARBAGE = 65_536

_OCTET = rb"(?:[^\x1a]|\x1a\x1a)"
_FRAME = rb"\x1a(?:\x31%(o)b{9}|\x32%(o)b{14}|[\x33\x34]%(o)b{21})" % {b"o": _OCTET}
_BEGUN = (
    rb"\x1a(?:\x31%(o)b{0,8}\x1a?|\x32%(o)b{0,13}\x1a?|[\x33\x34]%(o)b{0,20}\x1a?)?\Z"
    % {b"o": _OCTET}
)  # fmt: skip
# A doubled 0x1a outside a frame is skipped as one: its second half must not start a frame.
_TOKEN = re.compile(rb"(%b)|(%b)|\x1a\x1a|\x1a|[^\x1a]+" % (_FRAME, _BEGUN), re.DOTALL)

_MODE_AC, _STATUS = 0x31, 0x34


class BeastFeed:
    """One Beast stream, live or recorded (a `Feed`).

    Args:
        options: a recording needs `start_ns`.
    """

    def __init__(self, options: FeedOptions) -> None:
        self._decoder = ModeSDecoder(options)
        self._clock = CounterClock(options)
        self._is_live = options.is_live
        self._tail = b""
        self._garbage_bytes = 0
        self._garbage = hashlib.sha256()
        self._has_frames = False
        self._received_at_ns = options.start_ns or 0

    def decode(self, chunk: bytes, received_at_ns: int) -> pa.Table:
        """Rows of the frames that this chunk completes; see `Feed.decode`."""
        self._received_at_ns = received_at_ns
        stream = self._tail + chunk
        self._tail = b""
        batch = FrameBatch()
        for token in _TOKEN.finditer(stream):
            kind = token.lastindex
            if kind == 1:
                self._close_garbage(batch)
                self._has_frames = True
                self._add_frame(batch, token.group())
            elif kind == 2:
                self._tail = token.group()
            else:
                self._add_garbage(token.group())
        return self._decoder.decode(batch)

    def finish(self) -> pa.Table:
        """Rows of what is left; see `Feed.finish`."""
        batch = FrameBatch()
        self._close_garbage(batch)
        tail, self._tail = self._tail, b""
        if tail:
            self._reject(batch, "incomplete_frame", hashlib.sha256(tail).digest())
        return self._decoder.decode(batch)

    def _add_frame(self, batch: FrameBatch, wire: bytes) -> None:
        body = wire[2:].replace(b"\x1a\x1a", b"\x1a") if wire.find(b"\x1a", 2) > 0 else wire[2:]
        counter = int.from_bytes(body[:6], "big")
        digest = hashlib.sha256(wire).digest()
        time_ns = self._clock.utc_ns(counter, self._received_at_ns)
        kind = wire[1]
        if kind in (_MODE_AC, _STATUS):
            self._reject(batch, "mode_ac" if kind == _MODE_AC else "receiver_status", digest)
        elif time_ns is None:
            self._reject(batch, "clock_reset", digest)
        else:
            if is_mlat_marker(counter):
                batch.sensor_kinds[len(batch)] = "mlat"
            received_ns = self._received_at_ns if self._is_live else time_ns
            batch.append(body[7:].hex(), time_ns, received_ns, digest)

    def _add_garbage(self, wire: bytes) -> None:
        self._garbage.update(wire)
        self._garbage_bytes += len(wire)
        if not self._has_frames and self._garbage_bytes > MAX_LEADING_GARBAGE:
            raise DecodeError(
                f"no beast frame in the first {MAX_LEADING_GARBAGE} bytes",
                hint="is this a Beast recording? state the format if it is another",
            )

    def _close_garbage(self, batch: FrameBatch) -> None:
        if self._garbage_bytes:
            self._reject(batch, "garbage_bytes", self._garbage.digest())
            self._garbage_bytes = 0
            self._garbage = hashlib.sha256()

    def _reject(self, batch: FrameBatch, reason: str, digest: bytes) -> None:
        time_ns = self._clock.last_ns(self._received_at_ns)
        batch.reject(reason, time_ns, self._received_at_ns if self._is_live else time_ns, digest)
