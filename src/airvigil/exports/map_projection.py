"""The plane of a drawn map: spherical stereographic, centred on what is shown.

Conformal, so shapes and angles are right at 60°N as at the equator; at 200 km from the centre the
scale is wrong by 0.02 %, which is a tenth of a pixel on a map 500 km wide. It has no seam: the
antimeridian and the poles need no special case.

Drawing only: no number in a result comes from here.

Source: Snyder, Map Projections: A Working Manual, USGS PP 1395 (1987), eq. 21-2 to 21-4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from airvigil.units import MEAN_EARTH_RADIUS_M

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LocalPlane:
    """Metres east and north of a centre."""

    latitude_deg: float
    longitude_deg: float

    def forward(self, latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
        """(n, 2) metres east, north; NaN stays NaN."""
        phi, lam = np.radians(latitude_deg), np.radians(np.asarray(longitude_deg) - self.longitude_deg)
        phi0 = np.radians(self.latitude_deg)
        cos_c = np.sin(phi0) * np.sin(phi) + np.cos(phi0) * np.cos(phi) * np.cos(lam)
        k = 2.0 * MEAN_EARTH_RADIUS_M / np.maximum(1.0 + cos_c, 1e-9)
        east = k * np.cos(phi) * np.sin(lam)
        north = k * (np.cos(phi0) * np.sin(phi) - np.sin(phi0) * np.cos(phi) * np.cos(lam))
        return np.column_stack([east, north])

    def inverse(self, xy: FloatArray) -> FloatArray:
        """(n, 2) latitude, longitude in [-180, 180) of metres east, north."""
        x, y = np.asarray(xy, np.float64).T
        rho = np.hypot(x, y)
        c = 2.0 * np.arctan(rho / (2.0 * MEAN_EARTH_RADIUS_M))
        phi0 = np.radians(self.latitude_deg)
        shape = np.where(rho > 0.0, np.sin(c) / np.where(rho > 0.0, rho, 1.0), 0.0)
        phi = np.arcsin(np.clip(np.cos(c) * np.sin(phi0) + y * shape * np.cos(phi0), -1.0, 1.0))
        lam = np.arctan2(x * np.sin(c), rho * np.cos(phi0) * np.cos(c) - y * np.sin(phi0) * np.sin(c))
        longitude = np.degrees(lam) + self.longitude_deg
        return np.column_stack([np.degrees(phi), (longitude + 180.0) % 360.0 - 180.0])


@dataclass(frozen=True)
class MapFrame:
    """A rectangle of paper over a local plane: `width` by `height` units, x right, y down."""

    plane: LocalPlane
    metres_per_unit: float
    width: float
    height: float
    centre_east_m: float = 0.0
    centre_north_m: float = 0.0

    def xy(self, latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
        """(n, 2) paper coordinates."""
        metres = self.plane.forward(latitude_deg, longitude_deg)
        x = (metres[:, 0] - self.centre_east_m) / self.metres_per_unit + self.width / 2.0
        y = self.height / 2.0 - (metres[:, 1] - self.centre_north_m) / self.metres_per_unit
        return np.column_stack([x, y])

    def geographic(self, xy: FloatArray) -> FloatArray:
        """(n, 2) latitude, longitude of paper coordinates."""
        xy = np.asarray(xy, np.float64)
        east = (xy[:, 0] - self.width / 2.0) * self.metres_per_unit + self.centre_east_m
        north = (self.height / 2.0 - xy[:, 1]) * self.metres_per_unit + self.centre_north_m
        return self.plane.inverse(np.column_stack([east, north]))

    @cached_property
    def edge_bounds(self) -> tuple[float, float, float, float]:
        """(south, west, north, east) around the frame; east may exceed 180."""
        t = np.linspace(0.0, 1.0, 13)
        w, h, zero = self.width, self.height, np.zeros_like(t)
        edge = np.vstack(
            [
                np.column_stack([t * w, zero]),
                np.column_stack([t * w, zero + h]),
                np.column_stack([zero, t * h]),
                np.column_stack([zero + w, t * h]),
            ]
        )
        latitude, longitude = self.geographic(edge).T
        relative = (longitude - self.plane.longitude_deg + 540.0) % 360.0 - 180.0
        west, east = relative.min() + self.plane.longitude_deg, relative.max() + self.plane.longitude_deg
        return float(latitude.min()), float(west), float(latitude.max()), float(east)


def frame_around(
    latitude_deg: FloatArray,
    longitude_deg: FloatArray,
    *,
    width: float = 960.0,
    heights: tuple[float, float] = (440.0, 640.0),
    padding: float = 0.14,
    least_span_m: float = 30_000.0,
) -> MapFrame:
    """A frame that shows all the points with some room around them.

    Args:
        latitude_deg, longitude_deg: (n,) with at least one finite pair.
        width: paper units across; heights: least and greatest paper height.
        padding: share of the paper left free on each side.
        least_span_m: a frame is never narrower than this, so that a coast can be recognised.

    Returns:
        The frame; its height follows from the extent.
    """
    fine = np.isfinite(latitude_deg) & np.isfinite(longitude_deg)
    latitude, longitude = latitude_deg[fine], longitude_deg[fine]
    anchor = float(longitude[0])
    relative = (longitude - anchor + 540.0) % 360.0 - 180.0
    middle = (
        float(latitude.min() + latitude.max()) / 2.0,
        anchor + float(relative.min() + relative.max()) / 2.0,
    )
    plane = LocalPlane(middle[0], (middle[1] + 180.0) % 360.0 - 180.0)
    metres = plane.forward(latitude, longitude)
    low, high = metres.min(axis=0), metres.max(axis=0)
    span = np.maximum(high - low, least_span_m)
    room = 1.0 - 2.0 * padding
    height = float(np.clip(width * span[1] / span[0], *heights))
    scale = float(max(span[0] / (width * room), span[1] / (height * room)))
    centre = (low + high) / 2.0
    return MapFrame(plane, scale, width, height, float(centre[0]), float(centre[1]))


def visible_lines(
    rings: Iterable[FloatArray], frame: MapFrame, *, tolerance: float = 0.3
) -> list[FloatArray]:
    """Lines cut to the frame, in paper units.

    Args:
        rings: (n, 2) arrays of latitude, longitude, closed or not.
        tolerance: simplification, paper units.

    Segments along longitude ±180 are left out: they are seams of a data set, not coasts or borders.
    """
    shown: list[FloatArray] = []
    for ring in rings:
        for line in _split_at_seam(ring):
            if len(line) > 1:
                shown.extend(_on_paper(shapely.linestrings, line, frame, tolerance))
    return [line for line in shown if len(line) > 1]


def visible_areas(
    rings: Iterable[FloatArray], frame: MapFrame, *, tolerance: float = 0.3
) -> list[FloatArray]:
    """Closed rings cut to the frame, in paper units; an open line encloses nothing and is left out.

    Drawn by the even-odd rule, so holes need no order.
    """
    closed = (ring for ring in rings if len(ring) > 3 and np.array_equal(ring[0], ring[-1]))
    shown = [area for ring in closed for area in _on_paper(shapely.polygons, ring, frame, tolerance)]
    return [area for area in shown if len(area) > 3 and np.ptp(area, axis=0).max() > 0.8]


def _on_paper(
    make: Callable[[FloatArray], Any], ring: FloatArray, frame: MapFrame, tolerance: float
) -> list[FloatArray]:
    """The pieces of one line or area that a frame shows."""
    south, west, north, east = frame.edge_bounds
    box = (west - 0.1, max(south - 0.1, -89.9), east + 0.1, min(north + 0.1, 89.9))
    latitude = ring[:, 0]
    if latitude.max() < box[1] or latitude.min() > box[3]:
        return []
    longitude = np.unwrap(ring[:, 1], period=360.0)
    pieces: list[FloatArray] = []
    for turn in (-720.0, -360.0, 0.0, 360.0, 720.0):
        if longitude.max() + turn < box[0] or longitude.min() + turn > box[2]:
            continue
        whole = make(np.column_stack([longitude + turn, latitude]))
        if not shapely.is_valid(whole):  # a ring cut to an earlier box runs back along its own edge
            whole = shapely.make_valid(whole)
        cut = shapely.clip_by_rect(whole, *box)
        # edges are straight in lon/lat: give them the bend that this projection shows
        for part in shapely.get_parts(shapely.segmentize(cut, 0.2)):
            xy_of = (
                frame.xy(*shapely.get_coordinates(part)[:, ::-1].T) if not shapely.is_empty(part) else None
            )
            if xy_of is None:
                continue
            # the quick way of simplifying loses an area whose outline it makes cross itself: a continent
            keep = shapely.get_dimensions(part) == 2
            drawn = shapely.simplify(shapely.set_coordinates(part, xy_of), tolerance, preserve_topology=keep)
            lines = shapely.get_rings(drawn) if shapely.get_dimensions(drawn) == 2 else [drawn]
            pieces.extend(shapely.get_coordinates(line) for line in lines)
    return pieces


def _split_at_seam(ring: FloatArray) -> list[FloatArray]:
    on_seam = np.abs(np.abs(ring[:, 1]) - 180.0) < 1e-6
    along = np.flatnonzero(on_seam[1:] & on_seam[:-1]) + 1
    return np.split(ring, along)
