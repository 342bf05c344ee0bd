"""Sources that are still being made: receivers' ports and polled URLs.

    tcp+beast://host:30005   tcp+raw://host:30002   tcp+sbs://host:30003   http(s)://host/…/aircraft.json

The port may be left out where the scheme has its usual one. `@NAME` at the end of a tcp form names
the sensor.

Rules
- A connection that is lost, refused or silent for IDLE_S is made again, after 1, 2, 4, ... up to
  60 s; each connection is a document of its own, because a receiver's counter may have restarted.
- While nothing comes, an empty chunk comes once a second: time passes for whoever reads.
- Reads are bounded, answers too: `max_document_bytes`.
- What happens to the connection is logged, not raised; only giving up is raised.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException

from airvigil.drivers.compression import MAGIC_BYTES, decompressed
from airvigil.drivers.sources import Document
from airvigil.errors import AirvigilError, ConfigError, DecodeError
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES

# scheme -> (format, usual port)
TCP_FORMATS = {
    "tcp+beast": ("beast", 30005),
    "tcp+raw": ("raw", 30002),
    "tcp+sbs": ("sbs", 30003),
}
IDLE_S = 120.0  # a receiver that hears nothing at all for so long has stopped
TICK_S = 1.0
READ_BYTES = 65_536
_TIMEOUTS_AN_ANSWER = 6  # an answer that trickles is given up after so many timeouts

_TCP = re.compile(r"^(tcp\+[a-z0-9-]+)://(\[[0-9A-Fa-f:.%a-z]+\]|[^/:@\[\]]+)(?::(\d{1,5}))?/?(?:@(.+))?$")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SocketOptions:
    """How a live source is kept open.

    Attributes:
        stop: set by the driver to end all live sources.
        max_failures: give up after so many failures in a row; None never.
        first_wait_s: wait before the first new attempt; doubles up to `longest_wait_s`.
        longest_wait_s: longest wait between attempts.
        timeout_s: for connecting, and for each answer of a polled URL.
        idle_s: silence after which a connection is made again.
        poll_interval_s: time from one poll to the next.
        max_document_bytes: longest answer of a polled URL.
        clock_ns: time of receipt, ns UTC.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    max_failures: int | None = None
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    timeout_s: float = 10.0
    idle_s: float = IDLE_S
    poll_interval_s: float = 1.0
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    clock_ns: Callable[[], int] = time.time_ns


class _LiveSource:
    """What both kinds of live source share: a name, a count, and patience."""

    is_live = True
    bytes_total: int | None = None
    sha256: str | None = None

    def __init__(self, name: str, options: SocketOptions) -> None:
        self.name = name
        self.bytes_read = 0
        self._options = options
        self._failures = 0

    def drain(self) -> None:
        """Nothing: a live source has no digest."""

    def _worked(self) -> None:
        self._failures = 0

    def _failed(self, reason: str) -> None:
        """Wait before the next attempt, or give up.

        Raises:
            ConfigError: `max_failures` in a row.
        """
        self._failures += 1
        limit = self._options.max_failures
        if limit is not None and self._failures >= limit:
            raise ConfigError(f"{self.name}: {reason}", hint="is the receiver running, and is this its port?")
        wait_s = min(
            self._options.first_wait_s * 2.0 ** min(self._failures - 1, 16), self._options.longest_wait_s
        )
        _log.warning("%s: %s; trying again in %.0f s", self.name, reason, wait_s)
        self._options.stop.wait(wait_s)


class TcpSource(_LiveSource):
    """A receiver's port."""

    def __init__(self, spec: str, options: SocketOptions) -> None:
        found = _TCP.match(spec)
        if found is None or found[1] not in TCP_FORMATS:
            raise ConfigError(
                f"expected a source such as tcp+beast://host:30005, got {spec!r}",
                hint=f"schemes: {', '.join((*TCP_FORMATS, 'http', 'https'))}",
            )
        super().__init__(spec, options)
        self.stated_format: str | None
        self.stated_format, usual_port = TCP_FORMATS[found[1]]
        self._host = found[2].strip("[]")
        self._port = int(found[3]) if found[3] else usual_port
        self.sensor: str | None = found[4]
        self._connection: socket.socket | None = None
        if not 0 < self._port < 65_536:
            raise ConfigError(f"expected a port from 1 to 65535, got {self._port}")

    def documents(self) -> Iterator[Document]:
        """One document a connection, until the driver says stop."""
        count = 0
        while not self._options.stop.is_set():
            try:
                self._connection = socket.create_connection(
                    (self._host, self._port), timeout=self._options.timeout_s
                )
            except (OSError, UnicodeError) as error:
                self._failed(f"cannot connect: {getattr(error, 'strerror', None) or error}")
                continue
            count += 1
            received_before = self.bytes_read
            self._connection.settimeout(min(TICK_S, self._options.idle_s))
            yield Document(f"{self.name} connection {count}", "", self._receive(self._connection))
            self.close()
            if self._options.stop.is_set():
                return
            if self.bytes_read > received_before:
                self._worked()
            self._failed("connection ended")

    def _receive(self, connection: socket.socket) -> Iterator[tuple[bytes, int]]:
        silent_since = time.monotonic()
        while not self._options.stop.is_set():
            try:
                piece = connection.recv(READ_BYTES)
            except TimeoutError:
                yield b"", self._options.clock_ns()
                if time.monotonic() - silent_since > self._options.idle_s:
                    _log.warning("%s: silent for %.0f s", self.name, self._options.idle_s)
                    return
                continue
            except OSError as error:
                _log.warning("%s: %s", self.name, error.strerror or error)
                return
            if not piece:
                return
            silent_since = time.monotonic()
            self.bytes_read += len(piece)
            yield piece, self._options.clock_ns()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PolledSource(_LiveSource):
    """A URL that is asked again and again."""

    stated_format: str | None = None
    sensor: str | None = None

    def __init__(self, spec: str, options: SocketOptions) -> None:
        if not spec.startswith(("http://", "https://")):
            raise ConfigError(f"expected a URL beginning with http:// or https://, got {spec!r}")
        super().__init__(spec, options)

    def documents(self) -> Iterator[Document]:
        """One document a poll, until the driver says stop."""
        next_poll_s = time.monotonic()
        while not self._options.stop.wait(max(0.0, next_poll_s - time.monotonic())):
            next_poll_s = time.monotonic() + self._options.poll_interval_s
            try:
                body = self._ask()
            except (OSError, ValueError, HTTPException, AirvigilError) as error:
                self._failed(f"cannot be read: {getattr(error, 'reason', None) or error}")
                continue
            self._worked()
            received_at_ns = self._options.clock_ns()
            yield Document(self.name, "", self._content(body, received_at_ns))

    def _ask(self) -> bytes:
        # the scheme was checked when the source was made: no file: or ftp: gets here
        request = urllib.request.Request(self.name, headers={"User-Agent": "airvigil"})  # noqa: S310
        limit = self._options.max_document_bytes
        with urllib.request.urlopen(request, timeout=self._options.timeout_s) as answer:  # noqa: S310
            parts: list[bytes] = []
            length = 0
            deadline_s = time.monotonic() + _TIMEOUTS_AN_ANSWER * self._options.timeout_s
            while piece := answer.read(READ_BYTES):
                length += len(piece)
                if time.monotonic() > deadline_s:
                    raise DecodeError(f"answer unfinished after {length:,} bytes")
                if length > limit:
                    raise DecodeError(f"answer longer than {limit:,} bytes")
                parts.append(piece)
        self.bytes_read += length
        return b"".join(parts)

    @staticmethod
    def _content(body: bytes, received_at_ns: int) -> Iterator[tuple[bytes, int]]:
        rest = iter((body[MAGIC_BYTES:],))
        pieces = decompressed(lambda _: next(rest, b""), body[:MAGIC_BYTES], input_bytes=lambda: len(body))
        for piece in pieces:
            yield piece, received_at_ns

    def close(self) -> None:
        """Nothing stays open between polls."""


def open_url(spec: str, options: SocketOptions) -> TcpSource | PolledSource:
    """The source for a URL.

    Raises:
        ConfigError: no such scheme, or a port that cannot be.
    """
    if spec.startswith(("http://", "https://")):
        return PolledSource(spec, options)
    return TcpSource(spec, options)


__all__ = ["PolledSource", "SocketOptions", "TcpSource", "open_url"]
