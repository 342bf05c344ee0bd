"""Mode S frames made from numbers: the reverse of the decoder, written from the standard alone.

Nothing here is taken from the package under test: the parity is the bit-by-bit division, NL comes
from its defining formula, and CPR encoding is RTCA DO-260B 2.2.3.2.3.7.
"""

from __future__ import annotations

import math

CALLSIGN_LETTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
CLOCK_HZ = 12_000_000


def parity(octets: bytes) -> int:
    register = 0
    for octet in octets:
        for bit in range(7, -1, -1):
            feedback = (register >> 23 & 1) ^ (octet >> bit & 1)
            register = (register << 1) & 0xFFFFFF
            if feedback:
                register ^= 0xFFF409
    return register


def sealed(octets: bytes, overlay: int = 0) -> bytes:
    """The frame with its parity, XOR an address or interrogator code."""
    return octets + (parity(octets) ^ overlay).to_bytes(3, "big")


def squitter(address: int, me: int, *, downlink_format: int = 17, capability: int = 5) -> bytes:
    return sealed(
        bytes([downlink_format << 3 | capability]) + address.to_bytes(3, "big") + me.to_bytes(7, "big")
    )


def all_call(address: int, *, interrogator: int = 0, capability: int = 5) -> bytes:
    return sealed(bytes([11 << 3 | capability]) + address.to_bytes(3, "big"), interrogator)


def reply(address: int, downlink_format: int, status: int, code13: int, mb: int = 0) -> bytes:
    header = (downlink_format << 27 | status << 24 | code13).to_bytes(4, "big")
    return sealed(header + (mb.to_bytes(7, "big") if downlink_format >= 16 else b""), address)


def altitude13(feet: float) -> int:
    n = round((feet + 1000) / 25)
    return (n >> 5) << 7 | (n >> 4 & 1) << 5 | 0x10 | (n & 15)


def altitude12(feet: float) -> int:
    n = round((feet + 1000) / 25)
    return (n >> 4) << 5 | 0x10 | (n & 15)


def squawk13(code: str) -> int:
    a, b, c, d = (int(digit) for digit in code)
    bits = [c & 1, a & 1, c >> 1 & 1, a >> 1 & 1, c >> 2, a >> 2, 0,
            b & 1, d & 1, b >> 1 & 1, d >> 1 & 1, b >> 2, d >> 2]  # fmt: skip
    return int("".join(map(str, bits)), 2)


def zones(latitude: float) -> int:
    if abs(latitude) >= 87.0:
        return 2 if abs(latitude) == 87.0 else 1
    a = 1.0 - math.cos(math.pi / 30.0)
    return math.floor(2 * math.pi / math.acos(1.0 - a / math.cos(math.radians(latitude)) ** 2))


def cpr(latitude: float, longitude: float, *, is_odd: bool, is_surface: bool = False) -> tuple[int, int]:
    """The 17-bit fractions of a position."""
    span = 90.0 if is_surface else 360.0
    step = span / (60 - is_odd)
    y = math.floor(2**17 * ((latitude % step) / step) + 0.5)
    coded = step * (y / 2**17 + math.floor(latitude / step))
    width = span / max(zones(coded) - is_odd, 1)
    x = math.floor(2**17 * ((longitude % width) / width) + 0.5)
    return y % 2**17, x % 2**17


def airborne(
    latitude: float,
    longitude: float,
    feet: float | None,
    *,
    is_odd: bool,
    type_code: int = 11,
    nic_b: int = 0,
) -> int:
    y, x = cpr(latitude, longitude, is_odd=is_odd)
    code = 0 if feet is None else altitude12(feet)
    return type_code << 51 | nic_b << 48 | code << 36 | is_odd << 34 | y << 17 | x


def surface(latitude: float, longitude: float, *, is_odd: bool, movement: int = 0, track: int | None = None, type_code: int = 7) -> int:  # fmt: skip
    y, x = cpr(latitude, longitude, is_odd=is_odd, is_surface=True)
    heading = 0 if track is None else 1 << 7 | track
    return type_code << 51 | movement << 44 | heading << 36 | is_odd << 34 | y << 17 | x


def velocity(
    east_kt: int | None, north_kt: int | None, *, rate_ft_min: int | None = None, difference_ft: int | None = None,
    nac_v: int = 2, is_supersonic: bool = False,
) -> int:  # fmt: skip
    unit = 4 if is_supersonic else 1

    def coded(speed: int | None) -> int:
        return 0 if speed is None else (speed < 0) << 10 | (abs(speed) // unit + 1)

    rate = 0 if rate_ft_min is None else (rate_ft_min < 0) << 9 | (abs(rate_ft_min) // 64 + 1)
    difference = 0 if difference_ft is None else (difference_ft < 0) << 7 | (abs(difference_ft) // 25 + 1)
    return (
        19 << 51 | (2 if is_supersonic else 1) << 48 | nac_v << 43 | coded(east_kt) << 32 | coded(north_kt) << 21
        | rate << 10 | difference
    )  # fmt: skip


def identification(callsign: str, *, type_code: int = 4, category: int = 3) -> int:
    coded = 0
    for letter in callsign.ljust(8):
        coded = coded << 6 | CALLSIGN_LETTERS.index(letter)
    return type_code << 51 | category << 48 | coded


def operational_status(
    *, version: int = 2, nic_a: int = 0, nac_p: int = 9, gva: int = 2, sil: int = 3, is_surface: bool = False,
    nic_c: int = 0,
) -> int:  # fmt: skip
    return (
        31 << 51 | is_surface << 48 | nic_c << 36 | version << 13 | nic_a << 12 | nac_p << 8
        | (0 if is_surface else gva) << 6 | sil << 4
    )  # fmt: skip


def target_status(*, nac_p: int, sil: int, subtype: int = 1) -> int:
    return 29 << 51 | subtype << 49 | nac_p << 13 | sil << 10


def emergency(state: int, squawk: str) -> int:
    return 28 << 51 | 1 << 48 | state << 45 | squawk13(squawk) << 32


def beast(frame: bytes, counter: int, *, signal: int = 0x80, kind: int | None = None) -> bytes:
    """The frame on a Beast stream, escaped."""
    kind = kind or {2: 0x31, 7: 0x32, 14: 0x33}[len(frame)]
    body = counter.to_bytes(6, "big") + bytes([signal]) + frame
    return bytes([0x1A, kind]) + body.replace(b"\x1a", b"\x1a\x1a")


def crossing(count: int = 40, *, address: int = 0x461F28, start_s: float = 1.0) -> list[tuple[float, bytes]]:
    """A flight eastwards over the Gulf of Finland: (seconds, frame), as a receiver hears it."""
    frames: list[tuple[float, bytes]] = [
        (start_s - 0.3, all_call(address)),
        (start_s - 0.2, squitter(address, identification("FIN85P"))),
        (start_s - 0.1, squitter(address, operational_status())),
    ]
    for step in range(count):
        t = start_s + 0.5 * step
        longitude = 24.0 + 230.0 * (t - start_s) / (111_195.0 * math.cos(math.radians(59.8)))
        frames.append((t, squitter(address, airborne(59.8, longitude, 36_000, is_odd=bool(step % 2)))))
        frames.append((t + 0.2, squitter(address, velocity(447, 0, rate_ft_min=-640, difference_ft=-350))))
        if step % 4 == 0:
            frames.append((t + 0.3, reply(address, 4, 0, altitude13(36_000))))
            frames.append((t + 0.35, reply(address, 21, 0, squawk13("1407"), 0x20820820820820)))
    return frames


def beast_recording(frames: list[tuple[float, bytes]], *, first_counter: int = 371_381_485_951) -> bytes:
    return b"".join(beast(frame, first_counter + round(t * CLOCK_HZ)) for t, frame in frames)
