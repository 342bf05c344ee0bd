"""Detection against its peers and against the speed at which its input can be read.

"inside + distance + P" is `Airspace.margins`: for every volume within 50 km of a report containment, signed geodesic distance,
its sigma, the direction and the exact probability. No peer computes a probability or a geodesic distance to a long edge; what
each leaves out stands in its docstring in `airspace_peers.py`.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import airspace_peers as peers
from airspace_sets import SIGMA_M, sky, traffic
from cases import Case, Load

SECONDS = 100  # of traffic: a million reports


@functools.cache
def airspace(name: str) -> Any:
    """A set as our airspace, its index built where the traffic is."""
    from airvigil.airspace.margins import Airspace

    made = Airspace(sky(name).volumes())
    asked(made, name, "feed")()
    return made


@functools.cache
def reports(name: str, order: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Latitude, longitude, covariance and bias of a million reports."""
    lat, lon = traffic(sky(name).box, SECONDS, order)
    return lat, lon, np.tile([SIGMA_M**2, 0.0, SIGMA_M**2], (len(lat), 1)), np.zeros(len(lat))


def asked(airspace: Any, name: str, order: str, spread: Any = None) -> Callable[[], Any]:
    """The question for all reports, as the engine asks it."""
    given = reports(name, order)
    return lambda: airspace.margins(*given) if spread is None else airspace.margins(*given, spread=spread)


def distance_case(name: str, peer: str, count: int) -> Callable[[], Load]:
    """Inside, distance and P against a peer that does less, over its first `count` reports."""

    def prepare() -> Load:
        lat, lon, *_ = reports(name, "feed")
        work = getattr(peers, peer)(sky(name), lat[:count], lon[:count])
        return Load(asked(airspace(name), name, "feed"), len(lat), work, count)

    return prepare


def contains_case(name: str, peer: str, count: int) -> Callable[[], Load]:
    """Containment alone."""

    def prepare() -> Load:
        lat, lon, *_ = reports(name, "feed")
        work = getattr(peers, peer)(sky(name), lat[:count], lon[:count])
        ours = airspace(name)
        return Load(lambda: ours.inside(lat, lon), len(lat), work, count)

    return prepare


def scan_case(name: str, order: str) -> Callable[[], Load]:
    """Against reading the same columns out of a zstd Parquet file with polars."""

    def prepare() -> Load:
        import polars as pl

        lat, lon, *_ = reports(name, order)
        count = len(lat)
        random = np.random.default_rng(0)
        seconds = np.arange(count) // (count // SECONDS) if order == "feed" else np.arange(count) % SECONDS
        frame = pl.DataFrame(
            {
                "time": (seconds * 1000 + 1_758_000_000_000).astype("datetime64[ms]"),
                "track": (
                    np.arange(count) % (count // SECONDS) if order == "feed" else np.arange(count) // SECONDS
                ).astype(np.int32),
                "altitude": random.uniform(0.0, 12_000.0, count).astype(np.float32),
                "sigma": random.uniform(5.0, 200.0, count).astype(np.float32),
                "latitude": lat,
                "longitude": lon,
            }
        )
        folder = tempfile.TemporaryDirectory(prefix="airvigil-bench-")
        file = Path(folder.name) / "reports.parquet"
        frame.write_parquet(file, compression="zstd", row_group_size=1_000_000)

        def scan(_kept: Any = folder) -> Any:
            return pl.read_parquet(file)

        return Load(asked(airspace(name), name, order), count, scan, count)

    return prepare


def _case(
    name: str, kind: str, peer: str, floor: float | None, count: int, packages: tuple[str, ...]
) -> Case:
    prepare = {"distance": distance_case, "contains": contains_case}[kind]
    what = {
        "distance": "inside + signed geodesic distance + sigma + exact P",
        "contains": "containment alone",
    }[kind]
    said = str(getattr(peers, peer).__doc__).splitlines()[0]
    return Case(
        f"{name}_{peer}",
        f"{what}, `{name}`, feed order. The peer: {said}",
        "reports/s",
        peer.replace("_", " "),
        floor,
        packages,
        prepare(name, peer, count),
        rounds=4,
    )


REQUIRED = [
    (name, kind, peer, floor, count, packages)
    for name in ("fir", "canada", "states")
    for kind, peer, floor, count, packages in (
        ("distance", "shapely_edge_tree", 150.0, 10_000, ("shapely",)),
        ("distance", "shapely_full", 350.0, 2_000, ("shapely",)),
        ("distance", "sedona_distance", 500.0, 2_000, ("sedonadb",)),
        ("contains", "sedona_contains", 10.0, 200_000, ("sedonadb",)),
        ("contains", "shapely_contains", 25.0, 100_000 if name != "states" else 20_000, ("shapely",)),
    )
]
OTHERS = [
    ("fir", "distance", "geopandas_nearest", None, 500, ("geopandas",)),
    ("fir", "contains", "geopandas_within", None, 100_000, ("geopandas",)),
    ("fir", "distance", "duckdb_distance", None, 1_000, ("duckdb", "duckdb-ext-spatial")),
    ("fir", "contains", "spherely_contains", None, 5_000, ("spherely",)),
    ("fir", "distance", "spherely_distance", None, 2_000, ("spherely",)),
    ("fir", "contains", "polars_st_within", None, 50_000, ("polars", "polars-st")),
    ("fir", "distance", "traffic_distance", None, 2_000, ("traffic",)),
    ("fir", "distance", "postgis_distance", None, 1_000, ("psycopg",)),
]


def threads_case() -> Load:
    """Two threads against one: both ours."""
    made = airspace("fir")
    count = len(reports("fir", "feed")[0])
    return Load(
        asked(made, "fir", "feed", ThreadPoolExecutor(2).map), count, asked(made, "fir", "feed"), count
    )


DETECTION_CASES = (
    *(_case(*row) for row in (*REQUIRED, *OTHERS)),
    *(
        Case(
            f"{name}_scan_{order}",
            f"inside + signed geodesic distance + sigma + exact P, `{name}`, {order} order. The peer: reads time, track, "
            "altitude, sigma, latitude, longitude from Parquet and does nothing with them",
            "reports/s",
            "polars, zstd Parquet scan",
            1.0 / 3.0 if order == "feed" else 0.5,
            ("polars",),
            scan_case(name, order),
        )
        for name in ("fir", "canada", "states")
        for order in ("feed", "track")
    ),
    Case(
        "margins_two_threads",
        "the same on two threads and two cores, `fir`, feed order; the peer: ours on one",
        "reports/s",
        "one thread",
        1.8,
        ("numba",),
        threads_case,
        cores=2,
    ),
)
