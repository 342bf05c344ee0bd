"""The order in which rows are judged: by slot, then time, then tie; and rows taken in an order.

Rows come nearly in order of time. So they are dealt to their slots in one pass, and within a slot each is
moved to its place by insertion, which costs nothing where the order is right already. Where it is badly
wrong a general sort does it: the same order, since it is total up to rows that are alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from airvigil.tracking.rows import Rows

MOST_MOVES = 8  # a row, on average, before the general sort takes over
MOST_SLOTS = 16  # a row: with more, counting them costs more than sorting few rows

Order = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def deal_rows(rows: Rows, slot_count: int, order: Any) -> bool:
    """Order rows by slot, time and tie.

    Args:
        rows: (n,) ROW.
        slot_count: all slots are below.
        order: (n,) int64 out.

    Returns:
        Whether it is done; False if the rows are too far from the order of time.
    """
    ends = np.zeros(slot_count + 1, np.int64)
    for i in range(len(rows)):
        ends[rows[i]["slot"] + 1] += 1
    for slot in range(slot_count):
        ends[slot + 1] += ends[slot]
    moves = 0
    begins = ends.copy()  # ends[slot] moves on from the slot's first place as its rows are dealt
    for i in range(len(rows)):
        slot = rows[i]["slot"]
        time, tie = rows[i]["time"], rows[i]["tie"]
        at = ends[slot]
        while at > begins[slot]:
            before = order[at - 1]
            then = rows[before]["time"]
            if then < time or (then == time and rows[before]["tie"] <= tie):
                break
            order[at] = before
            at -= 1
            moves += 1
        order[at] = i
        ends[slot] += 1
        if moves > MOST_MOVES * len(rows):
            return False
    return True


def order_of(rows: Rows, slot_count: int) -> Order:
    """Rows in order of slot, time and tie; those alike in all three stay as they are.

    Args:
        rows: (n,) ROW.
        slot_count: all slots are below.
    """
    if slot_count <= MOST_SLOTS * len(rows):
        order = np.empty(len(rows), np.int64)
        if deal_rows(rows, slot_count, order):
            return order
    return np.lexsort((rows["tie"], rows["time"], rows["slot"]))


def bytes_of(records: Rows) -> npt.NDArray[np.uint8]:
    """(n, itemsize) the bytes of contiguous records, not copied."""
    return records.view(np.uint8).reshape(len(records), records.dtype.itemsize)


def taken(records: Rows, order: Order) -> Rows:
    """Copies of contiguous records in an order. NumPy takes them field by field; their bytes go in one move."""
    found: Rows = bytes_of(records).take(order, axis=0).view(records.dtype).reshape(len(order))
    return found
