"""Where a report is in relation to every volume near it: signed margin, its sigma, P(inside).

The signed margin is the geodesic distance to the volume's boundary, positive inside; `tangent` says how it is
measured, `probability` how sure it is.

Rules
- A row's result depends on that row and the volumes only: the same bytes whatever the batch.
- Boundaries further than 50 km are not measured: inside, the margin is then capped at 50 km.
- Inside or outside is a count of crossings between the report and its cell's reference point.
- Heights are not looked at here: vertical limits are the business of whoever asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index import RELEVANCE_M, Cell, CellIndex, Chunks, Floats, Ints, cell_numbers
from airvigil.airspace.probability import (
    Covariance,
    Margin,
    is_possible,
    largest_sigma_m,
    p_inside_bounds,
    sigma_along_m,
)
from airvigil.airspace.tangent import (
    geodesic_length_m,
    is_crossed_oddly,
    near_chunks,
    nearest_point,
    project,
    tangent_frame,
)
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError, ShapeError

# columns of the kernel's result
_MARGIN, _SIGMA, _P_LOW, _P_HIGH, _NORMAL_E, _NORMAL_N, _STATE = range(7)
_ABSENT, _PRESENT, _DEFECTIVE = 0.0, 1.0, 2.0


class Places(NamedTuple):
    """Rows to be measured: shapes (n,), (n,), (n, 3), (n,), as `Airspace.margins` takes them."""

    latitude_deg: Floats
    longitude_deg: Floats
    covariance_m2: Floats
    bias_bound_m: Floats


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


class Airspace:
    """Volumes and what it takes to measure against them.

    Example:
        >>> from airvigil.airspace.volumes import make_volume
        >>> box = make_volume("box", [np.array([[59.0, 24.0], [59.0, 25.0], [60.0, 25.0], [60.0, 24.0], [59.0, 24.0]])])
        >>> sky = Airspace([box])
        >>> found = sky.margins([59.5], [24.01], [[90_000.0, 0.0, 90_000.0]], [0.0])
        >>> found.margin_m.round(1).tolist(), found.sigma_m.tolist(), found.p_inside.round(3).tolist()
        ([566.4], [300.0], [0.97])
    """

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self.volumes = tuple(volumes)
        ids = [volume.volume_id for volume in self.volumes]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise AirspaceError(f"volume id given twice: {', '.join(twice)}")
        self.digest = _airspace_digest(self.volumes)
        self._uncertainty_m2 = np.array([volume.boundary_uncertainty_m**2 for volume in self.volumes])
        self._index = CellIndex(self.volumes)

    def margins(
        self,
        latitude_deg: Floats | Sequence[float],
        longitude_deg: Floats | Sequence[float],
        covariance_m2: Floats | Sequence[Sequence[float]],
        bias_bound_m: Floats | Sequence[float],
    ) -> Margins:
        """Margins of places to every volume that contains them or has its boundary within 50 km.

        Args:
            latitude_deg, longitude_deg: (n,) WGS84; a row with NaN has no margins.
            covariance_m2: (n, 3) of the position: east-east, east-north, north-north; NaN if unknown. What is
                infinite or not positive semidefinite is no covariance and counts as unknown.
            bias_bound_m: (n,) bound on the systematic error, any direction, not negative; NaN if unknown.

        Raises:
            ShapeError: if the shapes do not fit together.
        """
        places = _checked_places(latitude_deg, longitude_deg, covariance_m2, bias_bound_m)
        rows = np.flatnonzero(np.isfinite(places.latitude_deg) & np.isfinite(places.longitude_deg))
        numbers = cell_numbers(places.latitude_deg[rows], places.longitude_deg[rows])
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
        begins = np.flatnonzero(np.diff(numbers, prepend=-1))
        ends = np.append(begins[1:], len(rows))
        parts = [
            self._cell_margins(int(numbers[begin]), rows[begin:end], places)
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=False)
        ]
        return _in_order(parts)

    def _cell_margins(
        self, number: int, rows: Ints, places: Places
    ) -> tuple[Ints, NDArray[np.int32], Floats]:
        cell = self._index.cell(number)
        out = np.empty((len(rows), len(cell.volumes), 7))
        _measure(
            Places(*(column[rows] for column in places)), cell, self._uncertainty_m2, self._index.chunks, out
        )
        at, which = np.nonzero(out[:, :, _STATE] != _ABSENT)
        return rows[at], cell.volumes[which].astype(np.int32), out[at, which]


def _checked_places(
    latitude_deg: Floats | Sequence[float],
    longitude_deg: Floats | Sequence[float],
    covariance_m2: Floats | Sequence[Sequence[float]],
    bias_bound_m: Floats | Sequence[float],
) -> Places:
    given = (latitude_deg, longitude_deg, covariance_m2, bias_bound_m)
    places = Places(*(np.ascontiguousarray(column, dtype=np.float64) for column in given))
    n = len(places.latitude_deg)
    shapes = [column.shape for column in places]
    if shapes != [(n,), (n,), (n, 3), (n,)]:
        raise ShapeError(f"expected (n,), (n,), (n, 3), (n,), got {', '.join(map(str, shapes))}")
    return places


def _airspace_digest(volumes: Sequence[Volume]) -> str:
    digest = hashlib.sha256()
    for v in volumes:
        line = f"{v.volume_id};{v.kind};{','.join(v.states)};{v.boundary_uncertainty_m!r};{v.digest}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def _in_order(parts: Sequence[tuple[Ints, NDArray[np.int32], Floats]]) -> Margins:
    row = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, dtype=np.int64)
    volume = np.concatenate([part[1] for part in parts]) if parts else np.empty(0, dtype=np.int32)
    values = np.concatenate([part[2] for part in parts]) if parts else np.empty((0, 7))
    order = np.lexsort((volume, row))
    values = values[order]
    margins = Margins(
        row=row[order],
        volume=volume[order],
        margin_m=values[:, _MARGIN].copy(),
        sigma_m=values[:, _SIGMA].copy(),
        p_inside=values[:, _P_LOW].copy(),
        p_inside_high=values[:, _P_HIGH].copy(),
        normal_e=values[:, _NORMAL_E].copy(),
        normal_n=values[:, _NORMAL_N].copy(),
        is_defective=values[:, _STATE] == _DEFECTIVE,
    )
    for field in fields(margins):
        getattr(margins, field.name).setflags(write=False)
    return margins


@njit(cache=True, nogil=True)
def _measure(places: Places, cell: Cell, uncertainty_m2: Floats, chunks: Chunks, out: Floats) -> None:
    """Margins of places in one cell to the cell's volumes, into `out` (rows, volumes, 7)."""
    for i in range(len(places.latitude_deg)):
        latitude = places.latitude_deg[i]
        given = places.covariance_m2[i]
        # looked at before the boundary's own uncertainty is added, which could make it look possible
        position = Covariance(given[0], given[1], given[2])
        if not is_possible(position):
            position = Covariance(np.nan, np.nan, np.nan)
        frame = tangent_frame(latitude, places.longitude_deg[i])
        to_x, to_y = project(frame, cell.reference_m[0], cell.reference_m[1], cell.reference_m[2])
        for v in range(len(cell.volumes)):
            row = out[i, v]
            near = near_chunks(frame, chunks, cell.chunks[cell.offsets[v] : cell.offsets[v + 1]])
            is_inside = cell.inside[v] != is_crossed_oddly(frame, chunks, near, to_x, to_y)
            x, y, rho = nearest_point(frame, chunks, near)
            distance = geodesic_length_m(latitude, x, y, rho)
            if distance > RELEVANCE_M and not is_inside:
                row[_STATE] = _ABSENT
                continue
            uncertainty = uncertainty_m2[cell.volumes[v]]
            covariance = Covariance(position.ee + uncertainty, position.en, position.nn + uncertainty)
            if distance <= RELEVANCE_M and rho > 0.0:
                row[_NORMAL_E], row[_NORMAL_N] = x / rho, y / rho
                row[_SIGMA] = sigma_along_m(covariance, x / rho, y / rho)
                margin = Margin(is_inside, distance, x / rho, y / rho)
            else:
                row[_NORMAL_E] = row[_NORMAL_N] = np.nan
                row[_SIGMA] = largest_sigma_m(covariance)
                margin = Margin(is_inside, distance, 1.0, 0.0)
            row[_MARGIN] = min(distance, RELEVANCE_M) if is_inside else -distance
            row[_P_LOW], row[_P_HIGH], is_defective = p_inside_bounds(
                frame, chunks, near, margin, covariance, places.bias_bound_m[i]
            )
            row[_STATE] = _DEFECTIVE if is_defective else _PRESENT
