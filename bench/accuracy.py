"""How right margins and P(inside) are, against oracles that share nothing with them: writes bench/accuracy.json.

    python bench/accuracy.py [SET...]

- Distance: 10,000 random (report, volume) pairs a set with the boundary within 50 km. The oracle walks the edges that the
  source means (geodesic, or straight in longitude and latitude) and takes the least geodesic distance, by GeographicLib's
  algorithms (pyproj.Geod): the nearest edges by their chords, then golden section along each of them.
- P(inside): 1,000 random cases a set whose P is neither 0 nor 1, each against 4,000 draws of the position error, laid out by
  geodesics and judged by Shapely on the source's polygons (geodesic edges cut to 500 m before). Given: the z-scores' rms, which is 1 if P is exact.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Geod

from airspace_sets import SETS, Sky, sky

PAIRS, CASES, DRAWS = 10_000, 1_000, 4_000
GEOD = Geod(ellps="WGS84")
CANDIDATES = 6  # edges that are walked for each pair, nearest by chord first
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def places(box: tuple[float, float, float, float], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random places, evenly spread over the box."""
    random = np.random.default_rng(seed)
    south, north, west, east = box
    sines = np.sin(np.radians([south, north]))
    return np.degrees(np.arcsin(random.uniform(*sines, count))), random.uniform(west, east, count)


def ecef(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Earth-centred coordinates on the ellipsoid, (n, 3) m."""
    a, e2 = GEOD.a, GEOD.es
    phi, lam = np.radians(lat), np.radians(lon)
    n = a / np.sqrt(1.0 - e2 * np.sin(phi) ** 2)
    return np.column_stack(
        [n * np.cos(phi) * np.cos(lam), n * np.cos(phi) * np.sin(lam), n * (1.0 - e2) * np.sin(phi)]
    )


class Edges:
    """A volume's real edges: ends, cut into steps of at most 5 km so that a chord says where the nearest is."""

    def __init__(self, volume: Any) -> None:
        from airvigil.airspace.volumes import is_artificial_edge

        self.is_geodesic = volume.edge_kind == "geodesic"
        ends = []
        for ring in volume.rings:
            real = ~is_artificial_edge(ring) & (np.abs(np.diff(ring, axis=0)).sum(axis=1) > 0.0)
            ends.append(np.hstack([ring[:-1][real], ring[1:][real]]))
        self.ends = np.concatenate(ends)
        length = GEOD.inv(self.ends[:, 1], self.ends[:, 0], self.ends[:, 3], self.ends[:, 2])[2]
        steps = np.maximum(1, np.ceil(length / 5_000.0).astype(int))
        self.edge = np.repeat(np.arange(len(steps)), steps)
        within = np.arange(len(self.edge)) - np.repeat(np.cumsum(steps) - steps, steps)
        self.low, self.high = within / steps[self.edge], (within + 1) / steps[self.edge]
        self.from_m = ecef(*self.at(self.edge, self.low))
        self.to_m = ecef(*self.at(self.edge, self.high))

    def at(self, edge: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Latitude and longitude at a share of an edge's way."""
        lat0, lon0, lat1, lon1 = self.ends[edge].T
        if not self.is_geodesic:
            return lat0 + share * (lat1 - lat0), lon0 + share * (lon1 - lon0)
        azimuth, _, length = GEOD.inv(lon0, lat0, lon1, lat1)
        lon, lat, _ = GEOD.fwd(lon0, lat0, azimuth, share * length)
        return lat, lon

    def nearest_m(self, lat: float, lon: float) -> float:
        """Least geodesic distance of a place."""
        place = ecef(np.array([lat]), np.array([lon]))[0]
        along = self.to_m - self.from_m
        share = np.einsum("ij,ij->i", place - self.from_m, along) / np.einsum("ij,ij->i", along, along)
        foot = self.from_m + np.clip(share, 0.0, 1.0)[:, None] * along
        chord = np.linalg.norm(foot - place, axis=1)
        chosen = np.argsort(chord)[:CANDIDATES]
        edge, low, high = self.edge[chosen], self.low[chosen], self.high[chosen]

        def distance(at: np.ndarray) -> np.ndarray:
            there = self.at(edge, at)
            n = np.full(len(edge), 0.0)
            return np.asarray(GEOD.inv(n + lon, n + lat, there[1], there[0])[2])

        for _ in range(48):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            nearer = distance(left) < distance(right)
            high, low = np.where(nearer, right, high), np.where(nearer, low, left)
        ends = np.minimum(distance(self.low[chosen]), distance(self.high[chosen]))
        return float(np.minimum(distance(0.5 * (low + high)), ends).min())


def distances(sky: Sky, airspace: Any) -> dict[str, Any]:
    """Relative errors of PAIRS margins."""
    lat, lon = places(sky.box, 60_000, 11)
    unknown = np.full((len(lat), 3), np.nan)
    found = airspace.margins(lat, lon, unknown, np.zeros(len(lat)))
    usable = np.flatnonzero(np.abs(found.margin_m) < 49_990.0)
    chosen = np.random.default_rng(12).permutation(usable)[:PAIRS]
    edges: dict[int, Edges] = {}
    worst: dict[str, Any] = {"relative": 0.0}
    errors, absolute = [], []
    for k in chosen.tolist():
        row, volume, ours = int(found.row[k]), int(found.volume[k]), abs(float(found.margin_m[k]))
        if volume not in edges:
            edges[volume] = Edges(airspace.volumes[volume])
        true = edges[volume].nearest_m(float(lat[row]), float(lon[row]))
        error = abs(ours - true) / max(true, 1.0)
        errors.append(error)
        absolute.append(abs(ours - true))
        if error > worst["relative"]:
            worst = {"relative": error, "true_m": true, "ours_m": ours, "latitude_deg": float(lat[row]), "longitude_deg": float(lon[row]), "volume": airspace.volumes[volume].volume_id}  # fmt: skip
    return {
        "pairs": len(chosen),
        "relative_max": max(errors),
        "relative_p99": float(np.quantile(errors, 0.99)),
        "relative_median": float(np.median(errors)),
        "absolute_max_m": max(absolute),
        "worst": worst,
    }


def cut(area: Any, is_geodesic: bool) -> Any:
    """The area with geodesic edges cut to 500 m, for a planar test."""
    if not is_geodesic:
        return area

    def ring(line: Any) -> np.ndarray:
        lon_lat = shapely.get_coordinates(line)
        pieces = []
        for (lon0, lat0), (lon1, lat1) in itertools.pairwise(lon_lat):
            azimuth, _, length = GEOD.inv(lon0, lat0, lon1, lat1)
            steps = max(1, math.ceil(length / 500.0))
            along = np.arange(steps) * (length / steps)
            n = np.zeros(steps)
            lon, lat, _ = GEOD.fwd(n + lon0, n + lat0, n + azimuth, along)
            pieces.append(np.column_stack([lon, lat]))
        return np.concatenate([*pieces, lon_lat[:1]])

    polygons = [
        shapely.Polygon(ring(part.exterior), [ring(hole) for hole in part.interiors])
        for part in shapely.get_parts(area)
    ]
    return shapely.MultiPolygon(polygons)


def probabilities(sky: Sky, airspace: Any) -> dict[str, Any]:
    """z-scores of CASES probabilities against draws."""
    random = np.random.default_rng(21)
    lat, lon = places(sky.box, 400_000, 22)
    sigma = random.uniform(20.0, 180.0, (len(lat), 2))
    tilt = random.uniform(-0.9, 0.9, len(lat)) * sigma[:, 0] * sigma[:, 1]
    covariance = np.column_stack([sigma[:, 0] ** 2, tilt, sigma[:, 1] ** 2])
    found = airspace.margins(lat, lon, covariance, np.zeros(len(lat)))
    between = np.flatnonzero((found.p_inside > 0.005) & (found.p_inside < 0.995))
    chosen = random.permutation(between)[:CASES]
    areas: dict[int, Any] = {}
    scores = []
    for k in chosen.tolist():
        row, volume = int(found.row[k]), int(found.volume[k])
        if volume not in areas:
            areas[volume] = cut(sky.areas[volume], sky.edge_kind == "geodesic")
            shapely.prepare(areas[volume])
        ee, en, nn = covariance[row]
        east, north = random.multivariate_normal([0.0, 0.0], [[ee, en], [en, nn]], DRAWS).T
        n = np.zeros(DRAWS)
        there = GEOD.fwd(
            n + lon[row], n + lat[row], np.degrees(np.arctan2(east, north)), np.hypot(east, north)
        )
        share = float(shapely.contains_xy(areas[volume], there[0], there[1]).mean())
        p = float(found.p_inside[k])
        scores.append((share - p) / math.sqrt(p * (1.0 - p) / DRAWS))
    return {
        "cases": len(scores),
        "draws": DRAWS,
        "z_rms": float(np.sqrt(np.mean(np.square(scores)))) if scores else None,
        "z_max": float(np.max(np.abs(scores))) if scores else None,
        "defective": int(found.is_defective.sum()),
    }


def main(names: list[str]) -> int:
    """Check the named sets, or all."""
    from airvigil.airspace.margins import Airspace

    stored = Path(__file__).resolve().parent / "accuracy.json"
    results = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    for name in names or SETS:
        airspace = Airspace(sky(name).volumes())
        results[name] = {"distance": distances(sky(name), airspace), "p": probabilities(sky(name), airspace)}
        print(name, json.dumps(results[name], indent=1), flush=True)
    stored.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
