"""From track keys to slots: an open-addressed table over the integers of keys, looked up for whole batches.

A key of up to eight bytes is its own integer (`texts`); a longer one (a sensor's name and track number)
is given an integer with the highest byte 255, which no UTF-8 text ends with.

Rules
- Slots are given in the order in which keys appear first, one after the other from 0.
- The table is a function of the keys in their order: nothing of it needs to be written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.tracking.texts import code_of, text_of

LONG = 255 << 56  # codes from here on are numbers of long keys
FIRST_PLACES = 256
# 2^64 over the golden ratio: neighbouring addresses fall far apart (Knuth, volume 3, section 6.4)
SPREAD = 0x9E3779B97F4A7C15

Slots = npt.NDArray[np.int32]


@njit(cache=True, nogil=True)
def find_slots(codes: Any, begin: int, places: Any, held: Any, count: int, slots: Any, fresh: Any) -> Any:
    """Slots of codes; a code that is not there gets the next one.

    Args:
        codes: (n,) uint64; 0 has no slot, -1.
        begin: first row to look up.
        places: (size,) uint64, size a power of two: the code at each place, 0 free; changed.
        held: (size,) int32, its slot; changed.
        count: slots given so far.
        slots: (n,) int32 out.
        fresh: (n,) uint64 out: the new codes, in order.

    Returns:
        (row to go on with, n if done: else the table is half full; new codes).
    """
    mask = np.uint64(len(places) - 1)
    made = 0
    for i in range(begin, len(codes)):
        code = codes[i]
        if code == 0:
            slots[i] = -1
            continue
        at = (code * np.uint64(SPREAD)) >> np.uint64(32) & mask
        while places[at] != 0 and places[at] != code:
            at = (at + np.uint64(1)) & mask
        if places[at] == 0:
            if 2 * (count + made + 1) > len(places):
                return i, made
            places[at] = code
            held[at] = count + made
            fresh[made] = code
            made += 1
        slots[i] = held[at]
    return len(codes), made


@njit(cache=True, nogil=True)
def find_slot(code: Any, places: Any, held: Any) -> int:
    """The slot of a code; -1 if it has none."""
    mask = np.uint64(len(places) - 1)
    at = (code * np.uint64(SPREAD)) >> np.uint64(32) & mask
    while places[at] != 0 and places[at] != code:
        at = (at + np.uint64(1)) & mask
    return int(held[at]) if places[at] == code else -1


class KeyIndex:
    """Keys in the order of their slots.

    Example:
        >>> index = KeyIndex()
        >>> index.slot("4601f7"), index.slot("radar-north/17"), index.slot("4601f7"), index.keys
        (0, 1, 0, ['4601f7', 'radar-north/17'])
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.keys: list[str] = []
        self._long: dict[str, int] = {}
        self._long_keys: list[str] = []
        self._places = np.zeros(FIRST_PLACES, np.uint64)
        self._held = np.zeros(FIRST_PLACES, np.int32)
        if keys:
            self.slots(np.array([self.code(key) for key in keys], np.uint64))

    def __len__(self) -> int:
        return len(self.keys)

    def code(self, key: str) -> int:
        """The integer of a key; a long one is given the next number if it has none."""
        short = code_of(key)
        if short:
            return short
        number = self._long.setdefault(key, len(self._long_keys))
        if number == len(self._long_keys):
            self._long_keys.append(key)
        return LONG + number

    def key_of(self, code: int) -> str:
        """The key of an integer."""
        return self._long_keys[code - LONG] if code >= LONG else (text_of(code) or "")

    def slot(self, key: str) -> int:
        """The slot of one key; a new one if the key is new."""
        return int(self.slots(np.array([self.code(key)], np.uint64))[0])

    def find(self, key: str) -> int | None:
        """The slot of a key that has one; None otherwise. Changes nothing."""
        code = code_of(key) or (LONG + self._long[key] if key in self._long else 0)
        slot = find_slot(np.uint64(code), self._places, self._held) if code else -1
        return None if slot < 0 else int(slot)

    def slots(self, codes: npt.NDArray[np.uint64]) -> Slots:
        """(n,) slots of codes, -1 for 0; new ones where keys are new."""
        slots, fresh = np.empty(len(codes), np.int32), np.empty(len(codes), np.uint64)
        done = 0
        while True:
            done, made = find_slots(codes, done, self._places, self._held, len(self.keys), slots, fresh)
            self.keys += [self.key_of(code) for code in fresh[:made].tolist()]
            if done == len(codes):
                return slots
            self._grow()

    def _grow(self) -> None:
        codes = np.array([self.code(key) for key in self.keys], np.uint64)
        size = 2 * len(self._places)
        self._places, self._held = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        again = np.empty(len(codes), np.int32)
        find_slots(codes, 0, self._places, self._held, 0, again, np.empty(len(codes), np.uint64))

    def copy(self) -> KeyIndex:
        """An independent copy."""
        other = KeyIndex()
        other.keys = list(self.keys)
        other._long, other._long_keys = dict(self._long), list(self._long_keys)
        other._places, other._held = self._places.copy(), self._held.copy()
        return other
