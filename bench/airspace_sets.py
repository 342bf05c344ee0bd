"""The airspaces and the traffic that detection is measured on.

Three airspaces, built from the recordings' folder: `fir` (58 European flight information regions, 117,000 vertices), `canada` (one
country, 68,000 vertices), `states` (every country with its territorial sea of 12 NM, 376,000 vertices; the sea is a planar
buffer, good for measuring speed and for nothing else).

Traffic: 10,000 aircraft on great circles, one report each a second. "feed": as a receiver network delivers it, all aircraft
of one second, then of the next. "track": as an archive keeps it, one aircraft after the other.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import math
import tarfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from cases import ROOT, NotMeasuredError, recordings

EUROPE = (30.0, 72.0, -25.0, 45.0)
CANADA = (42.0, 83.0, -141.0, -52.0)
AIRCRAFT = 10_000
SEA_M = 12 * 1852.0
SETS = ("fir", "canada", "states")
SIGMA_M = 50.0


@dataclass(frozen=True)
class Sky:
    """One airspace to measure on.

    Attributes:
        areas: planar polygons in longitude, latitude.
        box: south, north, west, east of the traffic, degrees.
        edge_kind: what the edges are.
    """

    name: str
    names: tuple[str, ...]
    areas: tuple[Any, ...]
    box: tuple[float, float, float, float]
    edge_kind: str

    @functools.cached_property
    def vertices(self) -> int:
        """Vertices of all areas."""
        return int(shapely.get_num_coordinates(np.array(self.areas, dtype=object)).sum())

    def volumes(self) -> list[Any]:
        """The same as volumes of ours."""
        from airvigil.airspace.volumes import make_volume, orient_ring

        return [
            make_volume(name, list(_rings(area, orient_ring)), edge_kind=self.edge_kind)
            for name, area in zip(self.names, self.areas, strict=True)
        ]


def _rings(area: Any, orient_ring: Any) -> Any:
    for polygon in shapely.get_parts(area):
        for is_hole, ring in [(False, polygon.exterior), *((True, hole) for hole in polygon.interiors)]:
            lon_lat = shapely.get_coordinates(ring)
            if len(lon_lat) >= 4:
                yield orient_ring(np.ascontiguousarray(lon_lat[:, ::-1]), is_hole=is_hole)


def _polygons(area: Any) -> Any:
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(area)))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])


@functools.cache
def sky(name: str) -> Sky:
    """One of SETS."""
    if name == "fir":
        file = recordings() / "traffic_samples" / "eurofirs.json.gz"
        if not file.is_file():
            raise NotMeasuredError("no flight information regions among the recordings")
        features = json.loads(gzip.decompress(file.read_bytes()))["features"]
        names = [f"{f['properties']['IDENT']}/{f['properties']['TYPE']}/{k}" for k, f in enumerate(features)]
        areas = [_polygons(shapely.geometry.shape(f["geometry"])) for f in features]
        return Sky(name, tuple(names), tuple(areas), EUROPE, "geodesic")
    countries = _countries()
    if name == "canada":
        return Sky(name, ("Canada",), (countries["Canada"],), CANADA, "lonlat")
    return Sky(name, *_kept(countries), EUROPE, "lonlat")


def _kept(countries: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """`_with_sea`, which takes over a minute, kept between runs."""
    stored = ROOT / ".cache" / "bench" / "states.json"
    if not stored.is_file():
        names, areas = _with_sea(countries)
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps([[n, shapely.to_wkb(a, hex=True)] for n, a in zip(names, areas, strict=True)]))  # fmt: skip
    rows = json.loads(stored.read_text())
    return tuple(name for name, _ in rows), tuple(shapely.from_wkb(area) for _, area in rows)


def _countries() -> dict[str, Any]:
    """Countries of Natural Earth 1:10m out of TopoJSON."""
    file = recordings() / "airspace" / "world-atlas-2.0.2.tgz"
    if not file.is_file():
        raise NotMeasuredError("no world atlas among the recordings")
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
        member = archive.extractfile("package/countries-10m.json")
        assert member is not None
        topology = json.load(member)
    scale, origin = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc, dtype=np.int64), axis=0) * scale + origin for arc in topology["arcs"]]

    def ring(numbers: list[int]) -> np.ndarray:
        pieces = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in numbers]
        return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])

    found = {}
    for country in topology["objects"]["countries"]["geometries"]:
        arcs_of = country.get("arcs")
        if not arcs_of:
            continue
        polygons = []
        for numbers in [arcs_of] if country["type"] == "Polygon" else arcs_of:
            rings = [r for r in map(ring, numbers) if len(r) >= 4]
            if rings:
                polygons.append(shapely.Polygon(rings[0], rings[1:]))
        found[country["properties"]["name"]] = _polygons(shapely.MultiPolygon(polygons))
    return found


def _with_sea(countries: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Each country with a belt of 12 NM that no other country's land is in."""
    from pyproj import Transformer

    names = [name for name, land in countries.items() if name != "Antarctica" and not land.is_empty]
    lands = np.array([countries[name] for name in names], dtype=object)
    tree = shapely.STRtree(lands)
    kept, areas = [], []
    for k, (name, land) in enumerate(zip(names, lands, strict=True)):
        lon, lat = land.centroid.x, land.centroid.y
        plane = Transformer.from_crs(
            "EPSG:4326", f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84", always_xy=True
        )
        flat = shapely.make_valid(shapely.transform(land, lambda p, t=plane: np.column_stack(t.transform(p[:, 0], p[:, 1]))))  # fmt: skip
        belt = shapely.make_valid(shapely.transform(flat.buffer(SEA_M, quad_segs=16), lambda p, t=plane, c=lon: _back(p, t, c)))  # fmt: skip
        parts = [shapely.clip_by_rect(shapely.transform(belt, lambda p, s=turn: np.add(p, [s, 0.0])), -180, -90, 180, 90) for turn in (-360, 0, 360)]  # fmt: skip
        belt = shapely.union_all([part for part in parts if not part.is_empty])
        others = [lands[j] for j in tree.query(belt) if j != k]
        if others:
            belt = belt.difference(shapely.union_all(others))
        whole = [part for part in shapely.get_parts(_polygons(belt)) if part.area > 1e-6]
        if whole:
            kept.append(name)
            areas.append(shapely.MultiPolygon(whole))
    return tuple(kept), tuple(areas)


def _back(places: np.ndarray, plane: Any, centre_deg: float) -> np.ndarray:
    lon, lat = plane.transform(places[:, 0], places[:, 1], direction="INVERSE")
    return np.column_stack([centre_deg + ((lon - centre_deg + 180.0) % 360.0 - 180.0), lat])


def traffic(
    box: tuple[float, float, float, float], seconds: int, order: str, aircraft: int = AIRCRAFT
) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes of `aircraft` times `seconds` reports on great circles, in "feed" or "track" order."""
    random = np.random.default_rng(2)
    south, north, west, east = box
    sines = np.sin(np.radians([south, north]))
    lat = np.arcsin(random.uniform(*sines, aircraft))
    lon = np.radians(random.uniform(west, east, aircraft))
    azimuth, speed = random.uniform(0.0, 2.0 * math.pi, aircraft), random.uniform(100.0, 260.0, aircraft)
    arc = (speed / 6_371_000.0) * np.arange(seconds)[:, None]
    lats = np.arcsin(np.sin(lat) * np.cos(arc) + np.cos(lat) * np.sin(arc) * np.cos(azimuth))
    lons = lon + np.arctan2(np.sin(azimuth) * np.sin(arc) * np.cos(lat), np.cos(arc) - np.sin(lat) * np.sin(lats))  # fmt: skip
    lats, lons = np.degrees(lats), (np.degrees(lons) + 180.0) % 360.0 - 180.0
    if order == "track":
        lats, lons = lats.T, lons.T
    return np.ascontiguousarray(lats).ravel(), np.ascontiguousarray(lons).ravel()
