"""Areas on an integer grid: packing them small, and joining those that share borders exactly.

A *face* is an area bounded by closed rings of integer positions, interior on the left. Faces that
were cut from one another share their common border position for position, so joining them is
arithmetic: an edge that one runs forwards and the other backwards disappears, and what is left is
linked into rings again. No tolerance is involved.

Packed, a face is the number of rings, their lengths, and the differences between consecutive
positions, zigzag-coded (0, -1, 1, -2, ... become 0, 1, 2, 3, ...), all uint32, split into four
planes of bytes from lowest to highest: xz makes little of the lowest and next to nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from airvigil.errors import AirspaceError

IntRing = NDArray[np.int64]  # (n, 2) latitude, longitude in grid steps; closed

_LON_BITS = 32  # positions become single keys: latitude shifted up by this, plus longitude
_LON_OFFSET = 1 << 31


def pack_face(rings: Sequence[IntRing]) -> bytes:
    """Bytes of a face, before compression."""
    lengths = np.array([len(rings), *(len(ring) for ring in rings)], dtype=np.int64)
    positions = np.concatenate([ring[:-1] for ring in rings])
    steps = np.diff(positions, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    values = np.concatenate([lengths, _zigzag(steps[:, 0]), _zigzag(steps[:, 1])]).astype("<u4")
    return values.view(np.uint8).reshape(-1, 4).T.tobytes()


def unpack_face(packed: bytes) -> tuple[IntRing, ...]:
    """Rings of a face packed by `pack_face`.

    Raises:
        AirspaceError: if the lengths contradict one another.
    """
    planes = np.frombuffer(packed, dtype=np.uint8)
    if len(planes) == 0 or len(planes) % 4:
        raise AirspaceError(f"packed face: expected a multiple of 4 bytes, got {len(planes)}")
    values = np.ascontiguousarray(planes.reshape(4, -1).T).view("<u4").ravel().astype(np.int64)
    count = int(values[0])
    lengths = values[1 : 1 + count]
    total = int(lengths.sum()) - count
    if len(values) != 1 + count + 2 * total:
        raise AirspaceError(f"packed face: expected {1 + count + 2 * total} values, got {len(values)}")
    lat = np.cumsum(_unzigzag(values[1 + count : 1 + count + total]))
    lon = np.cumsum(_unzigzag(values[1 + count + total :]))
    positions = np.column_stack([lat, lon])
    ends = np.cumsum(lengths - 1)
    return tuple(
        np.concatenate([positions[end - length + 1 : end], positions[end - length + 1 : end - length + 2]])
        for end, length in zip(ends, lengths, strict=True)
    )


def _zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return (values << 1) ^ (values >> 63)


def _unzigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return (values >> 1) ^ -(values & 1)


def join_faces(faces: Sequence[Sequence[IntRing]]) -> tuple[IntRing, ...]:
    """The union of faces that overlap nowhere and share their common borders exactly.

    Example:
        >>> left = np.array([[0, 0], [0, 1], [2, 1], [2, 0], [0, 0]])
        >>> right = np.array([[0, 1], [0, 3], [2, 3], [2, 1], [0, 1]])
        >>> [ring.tolist() for ring in join_faces([[left], [right]])]
        [[[0, 0], [0, 1], [0, 3], [2, 3], [2, 1], [2, 0], [0, 0]]]
    """
    rings = [ring for face in faces for ring in face]
    if len(faces) == 1:
        return tuple(rings)
    start = np.concatenate([_keys(ring[:-1]) for ring in rings])
    end = np.concatenate([_keys(ring[1:]) for ring in rings])
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((high, low))
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    group = np.cumsum(is_new) - 1
    net = np.bincount(group, weights=np.where(start[order] < end[order], 1.0, -1.0)).astype(np.int64)
    firsts = order[is_new]
    kept, forwards = firsts[net != 0], net[net != 0] > 0
    return _linked(np.where(forwards, low[kept], high[kept]), np.where(forwards, high[kept], low[kept]))


def _keys(positions: IntRing) -> NDArray[np.int64]:
    return np.asarray((positions[:, 0] << _LON_BITS) + positions[:, 1] + _LON_OFFSET)


def _linked(start: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[IntRing, ...]:
    """Directed edges linked into closed rings, in an order that depends on the edges alone."""
    order = np.lexsort((end, start))
    starts, ends = start[order].tolist(), end[order].tolist()
    onward: dict[int, list[int]] = {}
    for a, b in zip(reversed(starts), reversed(ends), strict=True):
        onward.setdefault(a, []).append(b)
    rings = []
    for first in starts:
        if not onward[first]:
            continue
        walk = [first]
        while onward.get(walk[-1]):
            walk.append(onward[walk[-1]].pop())
        if walk[0] != walk[-1]:
            raise AirspaceError("faces do not share their border exactly: a ring stays open")
        rings.extend(_loops(walk))
    return tuple(_positions(ring) for ring in rings)


def _loops(walk: list[int]) -> list[list[int]]:
    """A closed walk cut where it meets itself, so that every ring passes each position once."""
    loops: list[list[int]] = []
    path: list[int] = []
    seen: dict[int, int] = {}
    for position in walk:
        if position in seen:
            begin = seen[position]
            loops.append([*path[begin:], position])
            for dropped in path[begin + 1 :]:
                del seen[dropped]
            del path[begin + 1 :]
        else:
            seen[position] = len(path)
            path.append(position)
    return loops


def _positions(keys: list[int]) -> IntRing:
    array = np.array(keys, dtype=np.int64)
    return np.column_stack([array >> _LON_BITS, (array & ((1 << _LON_BITS) - 1)) - _LON_OFFSET])
