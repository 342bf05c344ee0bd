"""What others do with the same reports and the same airspaces; each returns a piece of work over its first n reports.

Planar peers get their plane (equal area, around the set) and all that can be prepared outside the clock. Each docstring
says what the peer does not compute.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import files
from typing import Any

import numpy as np
import shapely

from airspace_sets import Sky
from cases import NotMeasuredError

Work = Callable[[], Any]
NEAR_M = 50_000.0


class Plane:
    """An equal-area plane around a set, and the set in it."""

    def __init__(self, sky: Sky) -> None:
        from pyproj import Transformer

        south, north, west, east = sky.box
        self.transform = Transformer.from_crs(
            "EPSG:4326",
            f"+proj=laea +lat_0={(south + north) / 2} +lon_0={(west + east) / 2} +datum=WGS84",
            always_xy=True,
        ).transform
        frame = shapely.box(west - 5.0, south - 5.0, east + 5.0, north + 5.0)
        near = [area for area in sky.areas if area.intersects(frame)]
        self.areas = np.array(
            [
                shapely.make_valid(
                    shapely.transform(a, lambda p: np.column_stack(self.transform(p[:, 0], p[:, 1])))
                )
                for a in near
            ],
            dtype=object,
        )
        self.borders = shapely.boundary(self.areas)
        shapely.prepare(self.areas)
        shapely.prepare(self.borders)

    def points(self, lat: np.ndarray, lon: np.ndarray) -> Any:
        """Shapely points in the plane."""
        return shapely.points(*self.transform(lon, lat))


def shapely_full(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """Which area holds a report, which borders are within 50 km, and the planar distance to each. No probability."""
    plane = Plane(sky)
    areas, borders = shapely.STRtree(plane.areas), shapely.STRtree(plane.borders)

    def work() -> int:
        points = plane.points(lat, lon)
        inside = areas.query(points, predicate="within")
        near = borders.query(points, predicate="dwithin", distance=NEAR_M)
        distances = shapely.distance(points[near[0]], plane.borders[near[1]])
        return len(distances) + inside.shape[1]

    return work


def shapely_edge_tree(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """Which area holds a report, and the planar distance to the ONE nearest edge of all. No others, no probability."""
    plane = Plane(sky)
    areas = shapely.STRtree(plane.areas)
    lines = []
    for part in shapely.get_parts(plane.borders):
        places = shapely.get_coordinates(part)
        lines.append(shapely.linestrings(np.stack([places[:-1], places[1:]], axis=1)))
    edges = shapely.STRtree(np.concatenate(lines))

    def work() -> int:
        points = plane.points(lat, lon)
        inside = areas.query(points, predicate="within")
        nearest = edges.query_nearest(points, max_distance=NEAR_M, return_distance=True, all_matches=False)
        return len(nearest[1]) + inside.shape[1]

    return work


def shapely_contains(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """Which areas hold a report, one prepared area after the other. No distance, no probability."""
    areas = np.array(sky.areas, dtype=object)
    shapely.prepare(areas)
    return lambda: sum(int(shapely.contains_xy(area, lon, lat).sum()) for area in areas)


def _sedona() -> Any:
    import sedonadb

    database = sedonadb.connect()
    database.sql("SET datafusion.execution.target_partitions = 1").execute()
    return database


def _geometries(database: Any, name: str, areas: Any, srid: int | None) -> None:
    import pandas as pd

    wkb = [shapely.to_wkb(area) for area in areas]
    database.create_data_frame(pd.DataFrame({"v": np.arange(len(wkb)), "w": wkb})).to_view(f"{name}_wkb")
    shape = "ST_GeomFromWKB(w)" if srid is None else f"ST_SetSRID(ST_GeomFromWKB(w), {srid})"
    database.sql(f"SELECT v, {shape} AS g FROM {name}_wkb").to_memtable().to_view(name)


def sedona_contains(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """SedonaDB's containment join. No distance, no probability."""
    import pandas as pd

    database = _sedona()
    _geometries(database, "areas", sky.areas, 4326)

    def work() -> Any:
        database.create_data_frame(pd.DataFrame({"lon": lon, "lat": lat})).to_view("points", overwrite=True)
        return database.sql(
            "SELECT count(*) c FROM (SELECT ST_SetSRID(ST_Point(lon, lat), 4326) g FROM points) p "
            "JOIN areas a ON ST_Contains(a.g, p.g)"
        ).to_pandas()

    return work


def sedona_distance(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """SedonaDB: borders within 50 km and the planar distance to each. No containment, no probability."""
    import pandas as pd

    database, plane = _sedona(), Plane(sky)
    _geometries(database, "borders", plane.borders, None)

    def work() -> Any:
        x, y = plane.transform(lon, lat)
        database.create_data_frame(pd.DataFrame({"x": x, "y": y})).to_view("points", overwrite=True)
        return database.sql(
            "SELECT count(*) c, sum(ST_Distance(b.g, p.g)) d FROM (SELECT ST_Point(x, y) g FROM points) p "
            f"JOIN borders b ON ST_DWithin(b.g, p.g, {NEAR_M})"
        ).to_pandas()

    return work


def geopandas_nearest(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """GeoPandas: the ONE nearest border within 50 km and its planar distance. No containment, no probability."""
    import geopandas as gpd

    plane = Plane(sky)
    borders = gpd.GeoDataFrame({"v": np.arange(len(plane.borders))}, geometry=plane.borders)

    def work() -> int:
        points = gpd.GeoDataFrame(geometry=plane.points(lat, lon))
        return len(gpd.sjoin_nearest(points, borders, max_distance=NEAR_M, distance_col="d"))

    return work


def geopandas_within(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """GeoPandas: which areas hold a report. No distance, no probability."""
    import geopandas as gpd

    areas = gpd.GeoDataFrame({"v": np.arange(len(sky.areas))}, geometry=list(sky.areas))

    def work() -> int:
        return len(
            gpd.sjoin(gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat)), areas, predicate="within")
        )

    return work


def duckdb_distance(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """DuckDB spatial: borders within 50 km and the planar distance to each. No containment, no probability."""
    import duckdb
    import pandas as pd

    plane = Plane(sky)
    database = _duckdb(duckdb)
    wkb = pd.DataFrame({"v": np.arange(len(plane.borders)), "w": [shapely.to_wkb(b) for b in plane.borders]})
    database.execute("CREATE TABLE borders AS SELECT v, ST_GeomFromWKB(w) g FROM wkb")
    del wkb

    def work() -> Any:
        x, y = plane.transform(lon, lat)
        points = pd.DataFrame({"x": x, "y": y})
        found = database.execute(
            "SELECT count(*), sum(ST_Distance(b.g, ST_Point(x, y))) FROM points p "
            f"JOIN borders b ON ST_DWithin(b.g, ST_Point(x, y), {NEAR_M})"
        ).fetchall()
        del points
        return found

    return work


def _duckdb(duckdb: Any) -> Any:
    database = duckdb.connect(config={"threads": 1})
    found = [file for file in files("duckdb-ext-spatial") or [] if file.name == "spatial.duckdb_extension"]
    try:
        database.load_extension(str(found[0].locate()))
    except (IndexError, duckdb.Error) as refused:
        raise NotMeasuredError(f"DuckDB does not load its spatial extension: {refused}") from refused
    return database


def spherely_contains(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """Spherely (S2), one prepared area after the other. No distance, no probability; refuses areas that S2 calls invalid."""
    import spherely

    areas = []
    for area in sky.areas:
        try:
            areas.append(spherely.from_wkb(shapely.to_wkb(area)))
        except RuntimeError:
            continue
    for area in areas:
        spherely.prepare(area)
    return lambda: sum(int(spherely.contains(area, spherely.points(lon, lat)).sum()) for area in areas)


def spherely_distance(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """Spherely: spherical distance to the borders of TEN areas only. No containment, no probability."""
    import spherely

    borders = []
    for area in sky.areas:
        try:
            borders.append(spherely.boundary(spherely.from_wkb(shapely.to_wkb(area))))
        except RuntimeError:
            continue
        if len(borders) == 10:
            break
    return lambda: sum(float(spherely.distance(b, spherely.points(lon, lat)).min()) for b in borders)


def polars_st_within(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """polars-st: which areas hold a report, geometry columns made. No distance, no probability."""
    import polars as pl
    import polars_st

    assert polars_st
    areas = pl.DataFrame({"v": np.arange(len(sky.areas)), "geometry": [shapely.to_wkb(a) for a in sky.areas]})

    def work() -> int:
        wkb = shapely.to_wkb(shapely.points(lon, lat))
        points = pl.DataFrame({"i": np.arange(len(lat)), "geometry": wkb})
        return points.st.sjoin(areas, on="geometry", predicate="within").height  # type: ignore[attr-defined]

    return work


def traffic_distance(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """traffic: planar distance of one flight to ONE airspace, which is the largest. No probability."""
    import pandas as pd
    from traffic.core import Flight
    from traffic.core.airspace import Airspace, ExtrudedPolygon

    area = max(sky.areas, key=shapely.get_num_coordinates)
    airspace = Airspace("largest", [ExtrudedPolygon(shapely.get_parts(area)[0], 0, 660)])
    frame = pd.DataFrame(
        {
            "timestamp": pd.date_range("2025-09-19", periods=len(lat), freq="s", tz="UTC"),
            "latitude": lat,
            "longitude": lon,
            "altitude": 30_000.0,
            "icao24": "3c0000",
            "callsign": "BENCH",
        }
    )
    return lambda: Flight(frame).distance(airspace)


def postgis_distance(sky: Sky, lat: np.ndarray, lon: np.ndarray) -> Work:
    """PostGIS: borders within 50 km and the planar distance to each, GiST index. No containment, no probability."""
    import psycopg

    address = os.environ.get("AIRVIGIL_POSTGIS")
    if not address:
        raise NotMeasuredError("AIRVIGIL_POSTGIS names no PostgreSQL with PostGIS")
    plane = Plane(sky)
    database = psycopg.connect(address, autocommit=True)
    database.execute("SET max_parallel_workers_per_gather = 0")
    database.execute("CREATE TEMP TABLE borders (v int, g geometry)")
    with database.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO borders VALUES (%s, ST_GeomFromWKB(%s))",
            [(k, shapely.to_wkb(border)) for k, border in enumerate(plane.borders)],
        )
    database.execute("CREATE INDEX ON borders USING gist (g)")
    database.execute("ANALYZE borders")
    database.execute("CREATE TEMP TABLE points (x float8, y float8)")

    def work() -> Any:
        database.execute("TRUNCATE points")
        with database.cursor() as cursor, cursor.copy("COPY points FROM STDIN") as copy:
            for place in zip(*plane.transform(lon, lat), strict=True):
                copy.write_row(place)
        return database.execute(
            "SELECT count(*), sum(ST_Distance(b.g, ST_Point(x, y))) FROM points p "
            f"JOIN borders b ON ST_DWithin(b.g, ST_Point(x, y), {NEAR_M})"
        ).fetchall()

    return work
