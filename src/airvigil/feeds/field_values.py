"""Values as senders write them, to columns: numbers, times, addresses, names, flags.

Takes one column of a text or JSON table as a list of Python values (None, bool, int, float,
str, or anything else that JSON holds) and returns arrays of the same length.

Rules
- Each value is read on its own: what a value means never depends on its neighbours, so that rows
  do not depend on how a stream was cut into batches.
- Unknown (None, NaN, empty text, the words in `UNKNOWN_WORDS`) is NaN or null and no fault.
- A value that is there but cannot be read is *bad*: a bad measurement rejects its row, a bad
  name (call sign, squawk, category) is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from airvigil.units import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

UNKNOWN_WORDS = frozenset({"", "nan", "none", "null", "na", "n/a", "nat", "<na>", "-"})
NO_TIME_NS = np.iinfo(np.int64).min  # what pandas and NumPy keep for "not a time"

# 1980-01-06, the origin of GPS time, and 2200: a clock that shows anything else was never set.
EARLIEST_NS = 315_964_800 * NS_PER_S
LATEST_NS = 7_258_118_400 * NS_PER_S

_PLAIN_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_NUMBER = re.compile(_PLAIN_NUMBER)
_WHOLE_NUMBER = re.compile(r"^[0-9]{1,19}$")
_ISO_START = re.compile(r"^[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ]?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read_numbers(values: Sequence[Any]) -> tuple[Floats, Bools]:
    """A column of numbers, or of texts that are plain decimal numbers.

    Returns:
        (n,) float64, NaN where unknown or bad; (n,) bool, where a value is there and is no
        finite number (true and false are none).

    Example:
        >>> numbers, is_bad = read_numbers([1, None, "2.5e1", "x", True])
        >>> numbers.tolist(), is_bad.tolist()
        ([1.0, nan, 25.0, nan, nan], [False, False, False, True, True])
    """
    kinds = set(map(type, values))
    if kinds <= {float, int, type(None)}:
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:
            return _numbers_one_by_one(values)
        is_bad = np.isinf(numbers)
        numbers[is_bad] = np.nan
        return numbers, is_bad
    if kinds <= {str, type(None)}:
        try:
            return _numbers_of_texts(pa.array(values, pa.string()))
        except UnicodeEncodeError:
            return _numbers_one_by_one(values)
    return _numbers_one_by_one(values)


def _numbers_of_texts(texts: pa.Array) -> tuple[Floats, Bools]:
    trimmed = pc.utf8_trim(texts, characters=" \t")
    is_number = pc.fill_null(pc.match_substring_regex(trimmed, _PLAIN_NUMBER), False)
    is_unknown = pc.is_in(pc.utf8_lower(trimmed), pa.array([*UNKNOWN_WORDS, None]))
    digits = pc.utf8_ltrim(trimmed, characters="+")
    parsed = pc.cast(pc.if_else(is_number, digits, pa.scalar(None, pa.string())), pa.float64())
    numbers = np.array(parsed.to_numpy(zero_copy_only=False), dtype=np.float64)
    is_bad = np.isinf(numbers) | ~(
        is_number.to_numpy(zero_copy_only=False) | is_unknown.to_numpy(zero_copy_only=False)
    )
    numbers[is_bad] = np.nan
    return numbers, is_bad


def _numbers_one_by_one(values: Sequence[Any]) -> tuple[Floats, Bools]:
    numbers = np.full(len(values), np.nan)
    is_bad = np.zeros(len(values), dtype=np.bool_)
    for index, value in enumerate(values):
        number = _number(value)
        if number is None:
            is_bad[index] = True
        else:
            numbers[index] = number
    return numbers, is_bad


def _number(value: Any) -> float | None:
    """One value; NaN if unknown, None if bad."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return math.nan
    if isinstance(value, str):
        text = value.strip(" \t")
        if text.lower() in UNKNOWN_WORDS:
            return math.nan
        if not _NUMBER.match(text) or not text.isascii():
            return None
        value = text
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_times(values: Sequence[Any], *, utc_offset_s: float = 0.0) -> tuple[Ints, Bools, Bools]:
    """A column of times: seconds, ms, us or ns since 1970 by their magnitude, or ISO 8601 text.

    The magnitudes cannot be confused: a time of this century is about 1e9 s, 1e12 ms, 1e15 us
    or 1e18 ns.

    Args:
        values: numbers, texts with numbers, ISO texts.
        utc_offset_s: what ISO texts without a zone are ahead of UTC.

    Returns:
        (n,) int64 ns UTC, 0 where not known; (n,) bool known; (n,) bool bad: there, and not a
        time between 1980 and 2200.

    Example:
        >>> read_times([1_700_000_000, 1.7e12, "2023-11-14T22:13:20Z"])[0].tolist()
        [1700000000000000000, 1700000000000000000, 1700000000000000000]
    """
    times = np.zeros(len(values), dtype=np.int64)
    is_known = np.zeros(len(values), dtype=np.bool_)
    is_bad = np.zeros(len(values), dtype=np.bool_)
    for index, value in enumerate(values):
        if value is None:
            continue
        time_ns = _time_ns(value, utc_offset_s)
        if time_ns is None:
            continue
        if EARLIEST_NS <= time_ns < LATEST_NS:
            times[index] = time_ns
            is_known[index] = True
        else:
            is_bad[index] = True
    return times, is_known, is_bad


def _time_ns(value: Any, utc_offset_s: float) -> int | None:
    """One time in ns UTC; None if unknown, -1 if bad."""
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in UNKNOWN_WORDS:
            return None
        if not text.isascii():
            return -1
        if _WHOLE_NUMBER.match(text):
            return epoch_ns(int(text))
        if _NUMBER.match(text):
            return epoch_ns(float(text))
        return _iso_ns(text, utc_offset_s)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return -1
    if value == NO_TIME_NS or value != value:
        return None
    return epoch_ns(value)


def epoch_ns(value: float) -> int:
    """A number of s, ms, us or ns since 1970, by its magnitude, as ns; -1 if it is none of them.

    Fractions are rounded to a microsecond: a double holds a time of this century in seconds to
    0.24 us, and the digits after that are nobody's measurement.

    Example:
        >>> epoch_ns(1720248189.525094), epoch_ns(-5), epoch_ns(float("inf"))
        (1720248189525094000, -1, -1)
    """
    if not 0 <= value < 9.2e18:
        return -1
    if isinstance(value, int):
        ns_per_unit = (
            1 if value >= 10**17 else 1_000 if value >= 10**14 else 1_000_000 if value >= 10**11 else NS_PER_S
        )
        return value * ns_per_unit
    us_per_unit = 1e6 if value < 1e11 else 1e3 if value < 1e14 else 1.0 if value < 1e17 else 1e-3
    whole = int(value)
    if us_per_unit < 1.0:
        return whole
    return (whole * int(us_per_unit) + round((value - whole) * us_per_unit)) * 1_000


def _iso_ns(text: str, utc_offset_s: float) -> int:
    if not _ISO_START.match(text):
        return -1
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return -1
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
        offset_ns = round(utc_offset_s * NS_PER_S)
    else:
        offset_ns = 0
    try:
        return (moment - _EPOCH) // _MICROSECOND * 1_000 - offset_ns
    except OverflowError:
        return -1


def read_words(values: Sequence[Any], read: Callable[[str], str | None]) -> pa.Array:
    """A column of names; null where a value is no text or `read` finds nothing in it."""
    seen: dict[str, str | None] = {}
    words: list[str | None] = []
    for value in values:
        if type(value) is not str:
            words.append(None)
            continue
        if value not in seen:
            if len(seen) > 65_536:
                seen.clear()
            seen[value] = read(value) if value.isascii() else None
        words.append(seen[value])
    return pa.array(words, pa.string())


_ADDRESS = re.compile(r"^[0-9a-f]{6}$")
_SQUAWK = re.compile(r"^[0-7]{4}$")
_CATEGORY = re.compile(r"^[A-D][0-7]$")
_CALLSIGN = re.compile(r"^[!-~]{1,16}$")


def read_address(text: str) -> str | None:
    """Six lower-case hex digits; a leading `~` (not an ICAO address) is dropped."""
    address = text.strip().lower().removeprefix("~")
    return address if _ADDRESS.match(address) else None


def read_callsign(text: str) -> str | None:
    """Aircraft identification without padding; null if empty or unprintable."""
    callsign = text.strip(" _@").upper()
    return callsign if _CALLSIGN.match(callsign) and callsign.lower() not in UNKNOWN_WORDS else None


def read_squawk(text: str) -> str | None:
    """Four octal digits; null otherwise."""
    squawk = text.strip()
    return squawk if _SQUAWK.match(squawk) else None


def read_category(text: str) -> str | None:
    """Emitter category A0 to D7; null otherwise."""
    category = text.strip().upper()
    return category if _CATEGORY.match(category) else None


_FLAG_WORDS = {"true": True, "t": True, "1": True, "yes": True, "1.0": True, "false": False, "f": False, "0": False, "no": False, "0.0": False}  # fmt: skip


def read_flags(values: Sequence[Any]) -> tuple[pa.Array, Bools]:
    """A column of yes and no (also 0 and 1, as numbers or words).

    Returns:
        (n,) boolean array, null where unknown or bad; (n,) bool, where a value is there and is
        neither.
    """
    flags: list[bool | None] = []
    is_bad = np.zeros(len(values), dtype=np.bool_)
    for index, value in enumerate(values):
        if isinstance(value, bool):
            flags.append(value)
        elif value is None or value != value:
            flags.append(None)
        elif isinstance(value, int | float) and value in (0, 1):
            flags.append(bool(value))
        else:
            word = value.strip().lower() if isinstance(value, str) else None
            flags.append(_FLAG_WORDS.get(word) if word is not None else None)
            is_bad[index] = word is None or (flags[-1] is None and word not in UNKNOWN_WORDS)
    return pa.array(flags, pa.bool_()), is_bad


def read_small_integers(values: Sequence[Any], lowest: int, highest: int) -> pa.Array:
    """A column of category numbers as int8; null where unknown or outside the category's range."""
    numbers, _ = read_numbers(values)
    with np.errstate(invalid="ignore"):
        is_fit = (numbers >= lowest) & (numbers <= highest) & (numbers == np.floor(numbers))
    return pa.array(np.where(is_fit, numbers, 0).astype(np.int8), mask=~is_fit)
