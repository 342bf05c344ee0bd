"""The 13-bit codes of Mode S replies: altitude and identity.

    bit     1  2  3  4  5  6  7  8  9  10 11 12 13
    pulse   C1 A1 C2 A2 C4 A4 M  B1 Q  B2 D2 B4 D4      altitude; in identity M is 0 and Q is D1

Rules
- Altitude is pressure altitude. With Q the other eleven bits count 25 ft from -1,000 ft; without,
  the pulses are the Gillham code in steps of 100 ft from -1,200 ft.
- A code that stands for no altitude (all zero, metric, not in the Gillham code) is None.
- Both codes are looked up in tables made once, from the definitions below.

References: ICAO Annex 10 volume IV 3.1.2.6.5.4, 3.1.1.6.2 and the appendix to chapter 3 (Gillham).
"""

from __future__ import annotations

_METRIC = 0x40
_Q = 0x10
_UNUSED_C = frozenset({0, 5, 6})  # C pulses that name no hundred


def _from_gray(code: int) -> int:
    shift = code >> 1
    while shift:
        code ^= shift
        shift >>= 1
    return code


def _pulses(code: int, places: tuple[int, ...]) -> int:
    """The bits at `places` (1 is the first of the 13), the first one highest."""
    value = 0
    for place in places:
        value = value << 1 | (code >> (13 - place)) & 1
    return value


def _altitude_ft(code: int) -> int | None:
    if code == 0 or code & _METRIC:
        return None
    if code & _Q:
        return _pulses(code, (1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13)) * 25 - 1000
    hundreds = _from_gray(_pulses(code, (1, 3, 5)))  # C1 C2 C4
    if hundreds in _UNUSED_C:
        return None
    hundreds = 5 if hundreds == 7 else hundreds
    five_hundreds = _from_gray(_pulses(code, (11, 13, 2, 4, 6, 8, 10, 12)))  # D2 D4 A B
    if five_hundreds & 1:
        hundreds = 6 - hundreds
    return five_hundreds * 500 + hundreds * 100 - 1300


def _squawk(code: int) -> str:
    digits = (6, 4, 2), (12, 10, 8), (5, 3, 1), (13, 11, 9)  # A B C D, the pulse worth 4 first
    return "".join(str(_pulses(code, places)) for places in digits)


# By the 13-bit code: pressure altitude in ft, None where the code stands for none
ALTITUDE_FT: tuple[int | None, ...] = tuple(_altitude_ft(code) for code in range(1 << 13))
# By the 13-bit code: Mode A code, four octal digits
SQUAWK: tuple[str, ...] = tuple(_squawk(code) for code in range(1 << 13))


def squitter_altitude_ft(code: int) -> int | None:
    """Altitude of the 12-bit code of a position message, ft: the same without the M bit.

    Example:
        >>> squitter_altitude_ft(0xC38), squitter_altitude_ft(0)
        (38000, None)
    """
    return ALTITUDE_FT[(code & 0xFC0) << 1 | code & 0x3F]
