"""Frames on their way from a wire format to the Mode S decoder, and rows on their way out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from airvigil.feeds.feed import FeedOptions
from airvigil.reports import empty_reports, reports_from_columns

SHORT_HEX = 14  # digits of a 56-bit frame
LONG_HEX = 28  # digits of a 112-bit frame
_FIRST_LONG_DIGIT = "8"  # downlink formats 16 to 31 are long: the first bit tells
_GENERATOR = 0x1FFF409  # Annex 10 volume IV 3.1.2.3.3.1.2
_HEX_DIGITS = frozenset("0123456789abcdef")


class FrameBatch:
    """Frames and refused pieces of a stream, in its order; one list per property.

    `frames` holds 14 or 28 lower-case hex digits, or "" for a piece that is no Mode S frame; then
    `reject_reasons` says why, by index. `sensor_kinds` holds, by index, what the wire itself says
    about who made the frame.
    """

    __slots__ = ("digests", "frames", "received_ns", "reject_reasons", "sensor_kinds", "times_ns")

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.times_ns: list[int] = []
        self.received_ns: list[int] = []
        self.digests: list[bytes] = []
        self.reject_reasons: dict[int, str] = {}
        self.sensor_kinds: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.frames)

    def append(self, frame: str, time_ns: int, received_ns: int, digest: bytes) -> None:
        """Add a frame of 14 or 28 lower-case hex digits; its length is checked against its format."""
        if frame[0] < _FIRST_LONG_DIGIT:
            frame = frame[:SHORT_HEX]  # some receivers pad short frames
        elif len(frame) != LONG_HEX:
            self.reject("bad_length", time_ns, received_ns, digest)
            return
        self.frames.append(frame)
        self.times_ns.append(time_ns)
        self.received_ns.append(received_ns)
        self.digests.append(digest)

    def reject(self, reason: str, time_ns: int, received_ns: int, digest: bytes) -> None:
        """Add a piece of the stream that is no usable frame."""
        self.reject_reasons[len(self.frames)] = reason
        self.frames.append("")
        self.times_ns.append(time_ns)
        self.received_ns.append(received_ns)
        self.digests.append(digest)


class ReportRows:
    """Columns being filled, one list of nulls per column that Mode S can know.

    `is_kind_implied` tells the decoder that it may state the kind of sensor.
    """

    _COLUMNS = (
        "adsb_version", "callsign", "category", "emergency", "geometric_height_m", "ground_speed_mps",
        "gva", "icao24", "is_icao_address", "latitude_deg", "longitude_deg", "nac_p", "nac_v", "nic",
        "on_ground", "pressure_altitude_m", "rc_m", "sil", "squawk", "track_angle_deg",
        "vertical_rate_mps",
    )  # fmt: skip

    adsb_version: list[int | None]
    callsign: list[str | None]
    category: list[str | None]
    emergency: list[str | None]
    geometric_height_m: list[float | None]
    ground_speed_mps: list[float | None]
    gva: list[int | None]
    icao24: list[str | None]
    is_icao_address: list[bool | None]
    latitude_deg: list[float | None]
    longitude_deg: list[float | None]
    nac_p: list[int | None]
    nac_v: list[int | None]
    nic: list[int | None]
    on_ground: list[bool | None]
    pressure_altitude_m: list[float | None]
    rc_m: list[float | None]
    sil: list[int | None]
    squawk: list[str | None]
    track_angle_deg: list[float | None]
    vertical_rate_mps: list[float | None]

    def __init__(self, batch: FrameBatch, options: FeedOptions) -> None:
        self._batch = batch
        self._sensor = options.sensor
        self.is_kind_implied = options.sensor_kind is None
        self.reject_reason: list[str | None] = [None] * len(batch)
        for index, reason in batch.reject_reasons.items():
            self.reject_reason[index] = reason
        self.sensor_kind = [options.sensor_kind or "mode_s"] * len(batch)
        self._stated_kinds = batch.sensor_kinds if self.is_kind_implied else {}
        for name in self._COLUMNS:
            setattr(self, name, [None] * len(batch))

    def table(self) -> pa.Table:
        """The rows as a report table."""
        length = len(self._batch)
        if length == 0:
            return empty_reports()
        for index, kind in self._stated_kinds.items():
            self.sensor_kind[index] = kind
        columns: dict[str, Any] = {name: getattr(self, name) for name in self._COLUMNS}
        columns["time_of_applicability"] = self._batch.times_ns
        columns["received_at"] = self._batch.received_ns
        columns["sensor"] = pa.repeat(pa.scalar(self._sensor), length)
        columns["sensor_kind"] = self.sensor_kind
        columns["frame_digest"] = self._batch.digests
        columns["reject_reason"] = self.reject_reason
        return reports_from_columns(columns, length=length)


def is_frame_text(text: str) -> bool:
    """Whether a text is 14 or 28 lower-case hex digits: the only thing that rs1090 survives."""
    return len(text) in (SHORT_HEX, LONG_HEX) and _HEX_DIGITS.issuperset(text)


def _parity_tables() -> Iterator[tuple[int, ...]]:
    """For every byte position, counted from the end of the data, the parity of each byte value."""
    powers = []
    register = _GENERATOR & 0xFFFFFF  # x^24 modulo the generator
    for _ in range(88):
        powers.append(register)
        register = ((register << 1) ^ (_GENERATOR if register & 0x800000 else 0)) & 0xFFFFFF
    for position in range(11):
        bits = powers[8 * position : 8 * position + 8]
        table = [0] * 256
        for value in range(1, 256):
            low = value & -value
            table[value] = table[value ^ low] ^ bits[low.bit_length() - 1]
        yield tuple(table)


_PARITY = tuple(_parity_tables())


def frame_remainder(frame: str) -> int:
    """Parity of the data of a frame, XOR the 24 bits at its end.

    Args:
        frame: 14 or 28 hex digits.

    Returns:
        0 for a clean DF 17 or 18; the interrogator code for DF 11; the address for replies.

    Example:
        >>> frame_remainder("8d406b902015a678d4d220aa4bda"), hex(frame_remainder("2a00516d492b80"))
        (0, '0x510af9')
    """
    octets = bytes.fromhex(frame)
    p = _PARITY
    remainder = int.from_bytes(octets[-3:], "big")
    if len(octets) == SHORT_HEX // 2:
        return remainder ^ p[3][octets[0]] ^ p[2][octets[1]] ^ p[1][octets[2]] ^ p[0][octets[3]]
    a, b, c, d, e, f, g, h, i, j, k = octets[:-3]
    remainder ^= p[10][a] ^ p[9][b] ^ p[8][c] ^ p[7][d] ^ p[6][e] ^ p[5][f]
    return remainder ^ p[4][g] ^ p[3][h] ^ p[2][i] ^ p[1][j] ^ p[0][k]
