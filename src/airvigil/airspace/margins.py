"""Where a report is in relation to every volume near it: signed margin, its sigma, P(inside).

The signed margin is the geodesic distance to the volume's boundary, positive inside; `measure` says how it is found, `probability`
how sure it is.

Rules
- A row's result depends on that row and the volumes only: the same bytes whatever the batch, the number of threads, and the
  order in which the index was built.
- Boundaries further than 50 km are not measured: inside, the margin is then capped at 50 km.
- Heights are not looked at here: vertical limits are the business of whoever asks.
- An `Airspace` is asked by one thread at a time. That one can spread its rows over others: see `margins`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.index.edges import Edges, build_edges
from airvigil.airspace.index.grid import Floats, Ints, Ints32
from airvigil.airspace.index.index import CellIndex, cells_within
from airvigil.airspace.index.leaves import Leaves
from airvigil.airspace.index.measure import Columns, Places, measure
from airvigil.airspace.index.query import COMPLETE, FULL, MISSING, contain, missing_cells
from airvigil.airspace.index.wide import settle_wide, wide_entries
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError, ShapeError

INDEX_VERSION = (
    2  # of what `index_arrays` gives out; goes up with every change of a kernel or constant that builds it
)
CHUNK_ROWS = 65_536  # what is spread over threads
ENTRIES_PER_ROW = 2  # how many are expected; more make the columns grow

Scalar = TypeVar("Scalar", bound=np.generic)
Spread = Callable[[Callable[[int], "Columns"], Iterable[int]], Iterable["Columns"]]


@dataclass(frozen=True)
class Margins:
    """One entry per (row, volume) that matters: inside, or its boundary within 50 km; by row, then volume.

    Attributes:
        row: int64 (m,) index into the arrays given.
        volume: int32 (m,) index into `Airspace.volumes`.
        margin_m: float64 (m,) signed geodesic distance to the boundary, positive inside; 50,000 where it is more.
        sigma_m: float64 (m,) one sigma of the margin along the normal, the boundary's own uncertainty
            included; NaN where the covariance is unknown. Where the margin is capped, the largest sigma of all directions.
        p_inside: float64 (m,) probability of being inside; the least over every shift that the bias bound
            allows. NaN where covariance or bias bound is unknown, where the error reaches beyond the
            50 km that are known, and where the boundary is defective.
        p_inside_high: float64 (m,) the greatest over the same shifts.
        normal_e, normal_n: float64 (m,) unit vector from the report to the nearest boundary point;
            NaN where the margin is capped or zero.
        is_defective: bool (m,) the boundary gave a P outside [0, 1]: it crosses itself or is wound wrongly there.
    """

    row: Ints
    volume: NDArray[np.int32]
    margin_m: Floats
    sigma_m: Floats
    p_inside: Floats
    p_inside_high: Floats
    normal_e: Floats
    normal_n: Floats
    is_defective: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.row)


class Containment(NamedTuple):
    """Which volumes hold which places, by row, then volume: int64 (m,) and int32 (m,)."""

    row: Ints
    volume: Ints32


class IndexArrays(NamedTuple):
    """What the index is made of, to be kept and taken in again: `digest` of the airspace, INDEX_VERSION, and arrays."""

    digest: str
    version: int
    edges: Edges
    leaves: Leaves


class Airspace:
    """Volumes and what it takes to measure against them.

    Args:
        volumes: with ids that differ.
        index: what `index_arrays` gave for the same volumes; None builds the index anew. It is built where it is
            asked, cell by cell, and then kept.

    Raises:
        AirspaceError: an id is given twice.
        ShapeError: the index is of other volumes or another version.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> box = make_volume("box", [np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])])
        >>> sky = Airspace([box])
        >>> found = sky.margins([59.5], [24.01], [[90_000.0, 0.0, 90_000.0]], [0.0])
        >>> found.margin_m.round(1).tolist(), found.sigma_m.tolist(), found.p_inside.round(3).tolist()
        ([566.4], [300.0], [0.97])
    """

    def __init__(self, volumes: Sequence[Volume], *, index: IndexArrays | None = None) -> None:
        self.volumes = tuple(volumes)
        ids = [volume.volume_id for volume in self.volumes]
        if len(set(ids)) < len(ids):
            twice = sorted({name for name in ids if ids.count(name) > 1})
            raise AirspaceError(f"volume id given twice: {', '.join(twice)}")
        self.digest = airspace_digest(self.volumes)
        self._uncertainty_m2 = np.array([volume.boundary_uncertainty_m**2 for volume in self.volumes])
        if index is None:
            self._index = CellIndex(build_edges(self.volumes))
        elif (index.digest, index.version) != (self.digest, INDEX_VERSION):
            raise ShapeError(f"expected an index of airspace {self.digest}, version {INDEX_VERSION}")
        else:
            self._index = CellIndex(index.edges, index.leaves)
        self._entries_per_row = ENTRIES_PER_ROW

    def margins(
        self,
        latitude_deg: Floats | Sequence[float],
        longitude_deg: Floats | Sequence[float],
        covariance_m2: Floats | Sequence[Sequence[float]],
        bias_bound_m: Floats | Sequence[float],
        *,
        spread: Spread | None = None,
    ) -> Margins:
        """Margins of places to every volume that contains them or has its boundary within 50 km.

        Args:
            latitude_deg, longitude_deg: (n,) WGS84; a row with NaN, or beyond a pole, has no margins.
            covariance_m2: (n, 3) of the position: east-east, east-north, north-north; NaN if unknown. What is
                infinite or not positive semidefinite is no covariance and counts as unknown.
            bias_bound_m: (n,) bound on the systematic error, any direction, not negative; NaN if unknown.
            spread: `map` of a thread pool, to share the rows among its threads; None measures them here.

        Raises:
            ShapeError: if the shapes do not fit together.
        """
        places = _checked_places(latitude_deg, longitude_deg, covariance_m2, bias_bound_m)
        if spread is None or len(places.latitude_deg) <= CHUNK_ROWS:
            columns = self._measure(places, 0)
        else:
            columns = self._measure_spread(places, spread)
        wide = wide_entries(columns, len(columns.row))
        if len(wide):
            settle_wide(self._index.edges, places, self._uncertainty_m2, columns, wide)
        return _frozen_margins(columns)

    def inside(
        self, latitude_deg: Floats | Sequence[float], longitude_deg: Floats | Sequence[float]
    ) -> Containment:
        """Which volumes hold which places: `margins` with a positive margin, without the margin.

        Args:
            latitude_deg, longitude_deg: (n,) WGS84; a row with NaN, or beyond a pole, is in no volume.
        """
        n = len(latitude_deg)
        latitude, longitude, _, _ = _checked_places(
            latitude_deg, longitude_deg, np.empty((n, 3)), np.empty(n)
        )
        length = int(self._entries_per_row * n) + 64
        row, volume = np.empty(length, np.int64), np.empty(length, np.int32)
        at = count = 0
        why = -1
        while why != COMPLETE:
            at, count, why, _ = contain(
                self._index.rows, self._index.leaves, latitude, longitude, at, row, volume, count
            )
            if why == MISSING:
                self._index.build(missing_cells(self._index.leaves, latitude, longitude, at))
            elif why == FULL:
                row, volume = _twice(row), _twice(volume)
        return Containment(row[:count], volume[:count])

    def build(self, south_deg: float, west_deg: float, north_deg: float, east_deg: float) -> None:
        """Build the index of a box of longitude and latitude now, instead of when a report first touches it."""
        self._index.build(cells_within(south_deg, west_deg, north_deg, east_deg))

    @property
    def has_grown(self) -> bool:
        """Whether the index holds more than it was made with."""
        return self._index.has_grown

    def index_arrays(self) -> IndexArrays:
        """The index as it is now; its arrays are not to be written to."""
        return IndexArrays(self.digest, INDEX_VERSION, self._index.edges, self._index.used_leaves())

    def _measure(self, places: Places, first_row: int) -> Columns:
        columns = _new_columns(int(self._entries_per_row * len(places.latitude_deg)) + 64)
        at = count = 0
        why = -1
        while why != COMPLETE:
            at, count, why, _ = measure(
                self._index.rows,
                self._index.leaves,
                places,
                self._uncertainty_m2,
                at,
                first_row,
                columns,
                count,
            )
            if why == MISSING:
                cells = missing_cells(self._index.leaves, places.latitude_deg, places.longitude_deg, at)
                self._index.build(cells)
            elif why == FULL:
                columns = Columns._make(_twice(column) for column in columns)
                self._entries_per_row = 2 * self._entries_per_row  # of use to the next, of no consequence
        return Columns._make(column[:count] for column in columns)

    def _measure_spread(self, places: Places, spread: Spread) -> Columns:
        """The same in chunks, on whatever threads `spread` has."""
        self._index.build(missing_cells(self._index.leaves, places.latitude_deg, places.longitude_deg, 0))

        def chunk(first: int) -> Columns:
            return self._measure(Places._make(column[first : first + CHUNK_ROWS] for column in places), first)

        n = len(places.latitude_deg)
        columns = _new_columns(int(self._entries_per_row * n) + 64)
        count = 0
        for part in spread(chunk, range(0, n, CHUNK_ROWS)):
            while count + len(part.row) > len(columns.row):
                columns = Columns._make(_twice(column) for column in columns)
            for k in range(len(columns)):
                np.asarray(columns[k])[count : count + len(part.row)] = part[k]
            count += len(part.row)
        return Columns._make(column[:count] for column in columns)


def _new_columns(length: int) -> Columns:
    kinds = (np.int64, np.int32, *[np.float64] * 6, np.uint8)
    return Columns._make(np.empty(length, kind) for kind in kinds)


def _twice(array: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.concatenate([array, np.empty_like(array)])


def _checked_places(
    latitude_deg: Floats | Sequence[float],
    longitude_deg: Floats | Sequence[float],
    covariance_m2: Floats | Sequence[Sequence[float]],
    bias_bound_m: Floats | Sequence[float],
) -> Places:
    given = (latitude_deg, longitude_deg, covariance_m2, bias_bound_m)
    # writeable, though nothing writes: the kernels are compiled once, for one kind of array
    places = Places(*(np.require(column, np.float64, ["C", "W"]) for column in given))
    n = len(places.latitude_deg)
    shapes = [column.shape for column in places]
    if shapes != [(n,), (n,), (n, 3), (n,)]:
        raise ShapeError(f"expected (n,), (n,), (n, 3), (n,), got {', '.join(map(str, shapes))}")
    return places


def airspace_digest(volumes: Sequence[Volume]) -> str:
    """SHA-256 (hex) of all that decides margins: the volumes in their order."""
    digest = hashlib.sha256()
    for v in volumes:
        line = f"{v.volume_id};{v.kind};{','.join(v.states)};{v.boundary_uncertainty_m!r};{v.digest}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def _frozen_margins(columns: Columns) -> Margins:
    c = columns
    margins = Margins(
        c.row,
        c.volume,
        c.margin_m,
        c.sigma_m,
        c.p_inside,
        c.p_inside_high,
        c.normal_e,
        c.normal_n,
        is_defective=c.state.view(np.bool_),
    )
    for field in fields(margins):
        getattr(margins, field.name).setflags(write=False)
    return margins
