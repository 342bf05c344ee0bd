"""Where a report is in relation to every volume near it: signed margin, its sigma, P(inside).

The signed margin is the geodesic distance to the volume's boundary, positive inside. It is found in
the plane that touches the ellipsoid at the report: boundary points are projected at right angles onto
it (x = e . D, y = n . D), the nearest point of the nearest chord is taken there, and its distance rho
is turned into geodesic length by s = rho (1 + rho^2 / 6 R^2), R being the ellipsoid's radius of
curvature in that direction (Euler). Up to 50 km this departs from the geodesic by less than 1e-6.

Rules
- A row's result depends on that row and the volumes only: the same bytes whatever the batch.
- Boundaries further than 50 km are not measured: inside, the margin is then capped at 50 km.
- Inside or outside is a count of crossings between the report and its cell's reference point.
- Heights are not looked at here: vertical limits are the business of whoever asks.

References: L. Euler, Recherches sur la courbure des surfaces (1767), for R; the accuracy is measured
against GeographicLib in tests/test_airspace_margins.py.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numba import njit
from numpy.typing import NDArray

from airvigil.airspace.index import RELEVANCE_M, CellIndex, Floats, Ints, cell_numbers, ecef
from airvigil.airspace.probability import (
    DUST,
    MIN_SIGMA_M,
    REACH_SIGMAS,
    edge_term,
    largest_sigma_m,
    settle,
    whitening,
)
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError, ShapeError
from airvigil.units import WGS84_A_M, WGS84_E2

MIN_REACH_SIGMAS = 5.0  # P needs the boundary out to this many sigmas to be known
SPHERE_SLACK_M = 60.0  # a segment of 25 km on the tangent plane leaves the surface by 50 m
COMPASS = 8  # directions in which a bounded bias is tried, the first being along the normal

# columns of the kernel's result
_MARGIN, _SIGMA, _P_LOW, _P_HIGH, _NORMAL_E, _NORMAL_N, _STATE = range(7)
_ABSENT, _PRESENT, _DEFECT = 0.0, 1.0, 2.0


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
        ([566.0], [300.0], [0.97])
    """

    def __init__(self, volumes: Sequence[Volume]) -> None:
        self.volumes = tuple(volumes)
        ids = [volume.volume_id for volume in self.volumes]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise AirspaceError(f"volume id given twice: {', '.join(twice)}")
        self.digest = _airspace_digest(self.volumes)
        self._uncertainty2 = np.array([volume.boundary_uncertainty_m**2 for volume in self.volumes])
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
            covariance_m2: (n, 3) of the position: east-east, east-north, north-north; NaN if unknown.
            bias_bound_m: (n,) bound on the systematic error, any direction; NaN if unknown.

        Raises:
            ShapeError: if the shapes do not fit together.
        """
        latitude = np.ascontiguousarray(latitude_deg, dtype=np.float64)
        longitude = np.ascontiguousarray(longitude_deg, dtype=np.float64)
        covariance = np.ascontiguousarray(covariance_m2, dtype=np.float64).reshape(-1, 3)
        bias = np.ascontiguousarray(bias_bound_m, dtype=np.float64)
        n = len(latitude)
        if latitude.shape != (n,) or longitude.shape != (n,) or covariance.shape != (n, 3) or bias.shape != (n,):
            raise ShapeError(
                f"expected (n,), (n,), (n, 3), (n,), got {latitude.shape}, {longitude.shape}, "
                f"{np.shape(covariance_m2)}, {bias.shape}"
            )
        known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
        numbers = cell_numbers(latitude[known], longitude[known])
        order = np.argsort(numbers, kind="stable")
        groups = np.split(known[order], np.flatnonzero(np.diff(numbers[order])) + 1)
        parts = [
            self._cell_margins(int(cell_numbers(latitude[rows[:1]], longitude[rows[:1]])[0]), rows, latitude, longitude, covariance, bias)
            for rows in groups
            if len(rows)
        ]  # fmt: skip
        return _in_order(parts)

    def _cell_margins(
        self, number: int, rows: Ints, latitude: Floats, longitude: Floats, covariance: Floats, bias: Floats
    ) -> tuple[Ints, NDArray[np.int32], Floats]:
        cell, edges = self._index.cell(number), self._index.edges
        out = np.empty((len(rows), len(cell.volumes), 7))
        _measure(
            latitude[rows], longitude[rows], covariance[rows], bias[rows],
            cell.reference_m, cell.inside, cell.chunks, cell.offsets, self._uncertainty2[cell.volumes],
            edges.points_m, edges.chunk_first, edges.chunk_count, edges.chunk_centre_m, edges.chunk_radius_m,
            out,
        )  # fmt: skip
        at, which = np.nonzero(out[:, :, _STATE] != _ABSENT)
        return rows[at], cell.volumes[which].astype(np.int32), out[at, which]


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
    columns = [np.ascontiguousarray(values[:, k]) for k in range(_STATE)]
    margins = Margins(row[order], volume[order], *columns, values[:, _STATE] == _DEFECT)
    for field in fields(margins):
        getattr(margins, field.name).setflags(write=False)
    return margins


@njit(cache=True, nogil=True)
def _measure(
    latitude, longitude, covariance, bias, reference, inside, chunks, offsets, uncertainty2,
    points, first, count, centre, radius, out,
):  # fmt: skip
    """Margins of places in one cell to the cell's volumes, into `out` (rows, volumes, 7)."""
    longest = 0
    for v in range(len(inside)):
        longest = max(longest, offsets[v + 1] - offsets[v])
    gaps = np.empty(longest)
    for i in range(len(latitude)):
        frame = _tangent_frame(latitude[i], longitude[i])
        rx, ry = _project(frame, reference[0], reference[1], reference[2])
        for v in range(len(inside)):
            near = chunks[offsets[v] : offsets[v + 1]]
            for c in range(len(near)):
                dx = centre[near[c], 0] - frame[0]
                dy = centre[near[c], 1] - frame[1]
                dz = centre[near[c], 2] - frame[2]
                gaps[c] = math.sqrt(dx * dx + dy * dy + dz * dz) - radius[near[c]]
            is_inside = inside[v] != _is_crossed_oddly(frame, near, gaps, points, first, count, radius, rx, ry)
            x, y, rho = _nearest_point(frame, near, gaps, points, first, count, radius)
            distance = _geodesic_length(latitude[i], x, y, rho)
            row = out[i, v]
            if distance > RELEVANCE_M and not is_inside:
                row[_STATE] = _ABSENT
                continue
            row[_STATE] = _PRESENT
            _fill(row, is_inside, distance, x, y, rho)
            ee = covariance[i, 0] + uncertainty2[v]
            en = covariance[i, 1]
            nn = covariance[i, 2] + uncertainty2[v]
            row[_SIGMA] = _sigma_along(row[_NORMAL_E], row[_NORMAL_N], ee, en, nn)
            _fill_probability(row, is_inside, ee, en, nn, bias[i], frame, near, gaps, points, first, count, radius)


@njit(cache=True, nogil=True)
def _tangent_frame(lat, lon):
    """Origin (ECEF), unit vectors east and north of the plane that touches the ellipsoid there."""
    x, y, z = ecef(lat, lon)
    phi, lam = math.radians(lat), math.radians(lon)
    sp, cp, sl, cl = math.sin(phi), math.cos(phi), math.sin(lam), math.cos(lam)
    return x, y, z, -sl, cl, -sp * cl, -sp * sl, cp


@njit(cache=True, nogil=True)
def _project(frame, x, y, z):
    """Orthographic projection onto the tangent plane: metres east, north."""
    dx, dy, dz = x - frame[0], y - frame[1], z - frame[2]
    return frame[3] * dx + frame[4] * dy, frame[5] * dx + frame[6] * dy + frame[7] * dz


@njit(cache=True, nogil=True)
def _geodesic_length(lat, x, y, rho):
    """Geodesic length (m) of the projected vector (x, y) of length rho."""
    if rho == 0.0 or rho == math.inf:
        return rho
    s = math.sin(math.radians(lat))
    w2 = 1.0 - WGS84_E2 * s * s
    prime = WGS84_A_M / math.sqrt(w2)
    meridian = prime * (1.0 - WGS84_E2) / w2
    curvature = (x * x / prime + y * y / meridian) / (rho * rho)
    bend = rho * curvature
    return rho * (1.0 + bend * bend * (1.0 / 6.0 + bend * bend * 0.075))


@njit(cache=True, nogil=True)
def _nearest_point(frame, near, gaps, points, first, count, radius):
    """Nearest boundary point (x, y) on the tangent plane and its distance; inf if there is none."""
    ceiling = math.inf
    for c in range(len(near)):
        ceiling = min(ceiling, gaps[c] + 2.0 * radius[near[c]])
    ceiling = ceiling * 1.0001 + 1.0
    best, bx, by = math.inf, math.nan, math.nan
    for c in range(len(near)):
        if gaps[c] > ceiling:
            continue
        k = first[near[c]]
        ax, ay = _project(frame, points[k, 0], points[k, 1], points[k, 2])
        for _ in range(count[near[c]]):
            k += 1
            qx, qy = _project(frame, points[k, 0], points[k, 1], points[k, 2])
            dx, dy = qx - ax, qy - ay
            square = dx * dx + dy * dy
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, -(ax * dx + ay * dy) / square))
            ex, ey = ax + t * dx, ay + t * dy
            d2 = ex * ex + ey * ey
            if d2 < best:
                best, bx, by = d2, ex, ey
            ax, ay = qx, qy
    return bx, by, math.sqrt(best)


@njit(cache=True, nogil=True)
def _is_crossed_oddly(frame, near, gaps, points, first, count, radius, rx, ry):
    """Whether the line from the origin to (rx, ry) crosses the boundary an odd number of times."""
    odd = False
    length = math.sqrt(rx * rx + ry * ry)
    for c in range(len(near)):
        if gaps[c] > length + SPHERE_SLACK_M:
            continue
        k = first[near[c]]
        ax, ay = _project(frame, points[k, 0], points[k, 1], points[k, 2])
        a_left = rx * ay - ry * ax >= 0.0
        for _ in range(count[near[c]]):
            k += 1
            qx, qy = _project(frame, points[k, 0], points[k, 1], points[k, 2])
            q_left = rx * qy - ry * qx >= 0.0
            if a_left != q_left:
                dx, dy = qx - ax, qy - ay
                here = dx * ay - dy * ax >= 0.0
                there = dx * (ay - ry) - dy * (ax - rx) >= 0.0
                if here != there:
                    odd = not odd
            ax, ay, a_left = qx, qy, q_left
    return odd


@njit(cache=True, nogil=True)
def _fill(row, is_inside, distance, x, y, rho):
    """Margin and normal into a result row."""
    row[_NORMAL_E] = row[_NORMAL_N] = math.nan
    if distance > RELEVANCE_M:
        row[_MARGIN] = RELEVANCE_M
        return
    row[_MARGIN] = distance if is_inside else -distance
    if rho > 0.0:
        row[_NORMAL_E], row[_NORMAL_N] = x / rho, y / rho


@njit(cache=True, nogil=True)
def _sigma_along(normal_e, normal_n, ee, en, nn):
    """One sigma along the normal; the largest of all directions where there is no normal."""
    if math.isnan(ee + en + nn):
        return math.nan
    if math.isnan(normal_e):
        return largest_sigma_m(ee, en, nn)
    variance = normal_e * normal_e * ee + 2.0 * normal_e * normal_n * en + normal_n * normal_n * nn
    return math.sqrt(max(variance, 0.0))


@njit(cache=True, nogil=True)
def _fill_probability(row, is_inside, ee, en, nn, bias, frame, near, gaps, points, first, count, radius):
    """Least and greatest P(inside) over the shifts that the bias bound allows, into a result row."""
    row[_P_LOW] = row[_P_HIGH] = math.nan
    if math.isnan(ee + en + nn) or math.isnan(bias):
        return
    sigma = max(largest_sigma_m(ee, en, nn), MIN_SIGMA_M)
    if MIN_REACH_SIGMAS * sigma + bias > RELEVANCE_M:
        return
    if abs(row[_MARGIN]) > REACH_SIGMAS * sigma + bias or row[_MARGIN] == RELEVANCE_M:
        row[_P_LOW] = row[_P_HIGH] = 1.0 if is_inside else 0.0
        return
    scale = whitening(ee, en, nn)
    reach = REACH_SIGMAS * sigma + bias
    known = (RELEVANCE_M - bias) / sigma
    tolerance = DUST + (2.0 * math.exp(-0.5 * known * known) if known < REACH_SIGMAS else 0.0)
    ux, uy = row[_NORMAL_E], row[_NORMAL_N]
    if math.isnan(ux):
        ux, uy = 1.0, 0.0
    low, high = math.inf, -math.inf
    for k in range(COMPASS + 1 if bias > 0.0 else 1):
        sx, sy, shifted, margin = 0.0, 0.0, is_inside, row[_MARGIN]
        if k > 0:
            turn = 2.0 * math.pi * (k - 1) / COMPASS
            sx = bias * (ux * math.cos(turn) - uy * math.sin(turn))
            sy = bias * (ux * math.sin(turn) + uy * math.cos(turn))
            shifted = is_inside != _is_crossed_oddly(frame, near, gaps, points, first, count, radius, sx, sy)
            margin = 0.0
        removed = _removed(scale, sx, sy, frame, near, gaps, points, first, count, reach)
        p = (1.0 if shifted else 0.0) - removed
        p = settle(p, (0.0 if shifted else 1.0) - removed, margin, tolerance)
        if math.isnan(p):
            row[_STATE] = _DEFECT
            return
        low, high = min(low, p), max(high, p)
    row[_P_LOW], row[_P_HIGH] = low, high


@njit(cache=True, nogil=True)
def _removed(scale, sx, sy, frame, near, gaps, points, first, count, reach):
    """The sum of all edges' terms, for the place shifted by (sx, sy)."""
    total = 0.0
    for c in range(len(near)):
        if gaps[c] > reach + 1.0:
            continue
        k = first[near[c]]
        x, y = _project(frame, points[k, 0], points[k, 1], points[k, 2])
        ax = (x - sx) * scale[0]
        ay = (y - sy - scale[1] * ax) * scale[2]
        for _ in range(count[near[c]]):
            k += 1
            x, y = _project(frame, points[k, 0], points[k, 1], points[k, 2])
            qx = (x - sx) * scale[0]
            qy = (y - sy - scale[1] * qx) * scale[2]
            total += edge_term(ax, ay, qx, qy)
            ax, ay = qx, qy
    return total
