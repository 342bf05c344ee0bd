"""What is measured: ours and a peer on the same input, each giving its rate in the same unit.

A case's `prepare` loads its input outside the clock and returns the two pieces of work, or raises `NotMeasuredError` with the
reason: a machine without recordings measures the rest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "full_flight_short.jsonl.gz"
BALTIC = ("EST", "FIN", "LVA", "SWE", "RUS")


class NotMeasuredError(Exception):
    """What a case needs is not here."""


@dataclass(frozen=True)
class Load:
    """Two pieces of work; each does `*_units` units of it per call.

    Attributes:
        ours, peer: the work; the peer's may be a smaller amount.
        notes: what else there is to say once it has run.
        is_warm: ours has run once already.
    """

    ours: Callable[[], Any]
    ours_units: int
    peer: Callable[[], Any] | None = None
    peer_units: int = 1
    notes: Callable[[], dict[str, str]] | None = None
    is_warm: bool = False


@dataclass(frozen=True)
class Cost:
    """One figure, in the case's unit, of which less is better; held against what is allowed instead of a peer.

    Attributes:
        figure: measures it once.
        allowed: the budget.
        notes: what else there is to say once it was measured.
    """

    figure: Callable[[], float]
    allowed: float
    notes: Callable[[], dict[str, str]] | None = None


@dataclass(frozen=True)
class Case:
    """A row of the table. `floor`: the ratio below which the bench fails; a ratio above 1 is always in our favour.
    `cores`: on how many it runs."""

    name: str
    what: str
    unit: str
    peer_name: str
    floor: float | None
    packages: tuple[str, ...]
    prepare: Callable[[], Load | Cost]
    rounds: int = 5
    cores: int = 1


def sample_frames() -> tuple[list[str], list[float]]:
    """Hexadecimal frames and their times out of the sample recording."""
    if not SAMPLE.is_file():
        raise NotMeasuredError("samples are missing: run make samples")
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    usable = [(row["frame"], row["timestamp"]) for row in rows if len(row["frame"]) in (14, 28)]
    return [frame for frame, _ in usable], [when for _, when in usable]


def recordings() -> Path:
    """Folder of real recordings."""
    named = os.environ.get("AIRVIGIL_RECORDINGS")
    if not named or not Path(named).is_dir():
        raise NotMeasuredError("no recordings: AIRVIGIL_RECORDINGS is not set")
    return Path(named)


def _our_decoder(frames: list[str], times: list[float]) -> Callable[[], Any]:
    """Frames to report rows, in batches as a driver hands them over; digests included."""
    from airvigil.feeds.feed import FeedOptions
    from airvigil.feeds.mode_s import ModeSDecoder
    from airvigil.feeds.mode_s_frames import FrameBatch

    times_ns = [int(when * 1e9) for when in times]

    def decode() -> None:
        decoder = ModeSDecoder(FeedOptions(sensor="bench"))
        for begin in range(0, len(frames), 10_000):
            batch = FrameBatch()
            for frame, when in zip(
                frames[begin : begin + 10_000], times_ns[begin : begin + 10_000], strict=True
            ):
                batch.append(frame, when, when, hashlib.sha256(bytes.fromhex(frame)).digest())
            decoder.decode(batch)

    return decode


def _downlink_format(frame: str) -> int:
    return int(frame[:2], 16) >> 3


def decode_against_rs1090() -> Load:
    """Our whole feed against the library that it has the squitters decoded by, on everything that a receiver hears."""
    import rs1090

    frames, times = sample_frames()
    squitters = sum(_downlink_format(frame) in (17, 18) for frame in frames)

    def peer() -> None:
        rs1090.decode(frames, times)

    def notes() -> dict[str, str]:
        return {
            "not the same work": "ours reads replies itself, without rs1090, and leaves their Comm-B registers; "
            "rs1090 guesses at these, which is most of its time. `mode_s_decode_squitters` leaves replies out",
            "input": f"{len(frames):,} frames, {squitters / len(frames):.0%} of them squitters",
        }

    return Load(_our_decoder(frames, times), len(frames), peer, len(frames), notes=notes)


def decode_squitters_against_rs1090() -> Load:
    """DF 17 and 18 only: no replies on either side."""
    import rs1090

    heard = zip(*sample_frames(), strict=True)
    squitters = [(frame, when) for frame, when in heard if _downlink_format(frame) in (17, 18)]
    frames, times = [frame for frame, _ in squitters], [when for _, when in squitters]

    def peer() -> None:
        rs1090.decode(frames, times)

    def notes() -> dict[str, str]:
        return {
            "the same frames": "both pair positions and give every frame's content. Ours besides: SHA-256 of each frame, position "
            "and status from the bits, cross-checked pairs, the quality in force, Arrow columns. rs1090 besides: every "
            "field of every message, as dictionaries",
        }

    return Load(_our_decoder(frames, times), len(frames), peer, len(frames), notes=notes)


def decode_against_pymodes() -> Load:
    """Our whole feed against a decoder that also follows each aircraft's position pairs."""
    import pyModeS

    frames, times = sample_frames()
    few = 10_000

    def peer() -> None:
        pipe = pyModeS.PipeDecoder()
        for frame, when in zip(frames[:few], times[:few], strict=True):
            try:
                pipe.decode(frame, timestamp=when)
            except pyModeS.DecodeError:
                continue

    return Load(_our_decoder(frames, times), len(frames), peer, few)


def gulf_of_finland(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places along straight tracks over the Gulf of Finland, as a live feed mixes them."""
    random = np.random.default_rng(2)
    aircraft = 200
    latitude = random.uniform(58.5, 60.8, aircraft)
    longitude = random.uniform(22.0, 28.5, aircraft)
    angle = random.uniform(0.0, 2.0 * math.pi, aircraft)
    minutes = np.arange(count) // aircraft / 60.0
    which = np.arange(count) % aircraft
    return (
        latitude[which] + 0.12 * minutes * np.cos(angle[which]),
        longitude[which] + 0.24 * minutes * np.sin(angle[which]),
    )


def baltic_airspace() -> Any:
    """The packaged airspace of the states around the Gulf of Finland, disputed areas included."""
    from airvigil.airspace.margins import Airspace
    from airvigil.airspace.sources.boundaries import load_volumes

    return Airspace(load_volumes(BALTIC))


def margins_against_shapely() -> Load:
    """Every state within 50 km: inside or not, and how far to its boundary.

    Shapely measures in the plane and gives neither sigma nor probability; it is helped by a projection made beforehand,
    prepared geometries and spatial indexes.
    """
    import shapely

    airspace = baltic_airspace()
    latitude, longitude = gulf_of_finland(20_000)
    covariance = np.tile([2500.0, 0.0, 2500.0], (len(latitude), 1))
    bias = np.zeros(len(latitude))

    areas = [
        shapely.make_valid(_polygon([_plane(ring) for ring in volume.rings])) for volume in airspace.volumes
    ]
    edges = np.array([shapely.boundary(area) for area in areas], dtype=object)
    inside, near = shapely.STRtree(areas), shapely.STRtree(edges)
    shapely.prepare(areas)
    shapely.prepare(edges)
    few = 200
    points = shapely.points(_plane(np.column_stack([latitude[:few], longitude[:few]])))

    def peer() -> None:
        inside.query(points, predicate="within")
        pairs = near.query(points, predicate="dwithin", distance=50_000.0)
        shapely.distance(points[pairs[0]], edges[pairs[1]])

    return Load(
        lambda: airspace.margins(latitude, longitude, covariance, bias),
        len(latitude),
        peer,
        few,
    )


def _plane(places: np.ndarray) -> np.ndarray:
    """Latitude and longitude as metres in a plane that is true at 59.6 degrees north."""
    return np.column_stack(
        [places[:, 1] * 111_320.0 * math.cos(math.radians(59.6)), places[:, 0] * 111_320.0]
    )


def _polygon(rings: list[np.ndarray]) -> Any:
    """One area of rings in any order; what is inside an odd number of them is inside."""
    import shapely

    area = shapely.Polygon()
    for ring in rings:
        area = shapely.symmetric_difference(area, shapely.make_valid(shapely.Polygon(ring)))
    return area


def p_inside_against_monte_carlo() -> Load:
    """P(inside) of places near a border: ours exact (and with distance and sigma for every state near), the peer by sampling.

    10,000 samples give a standard error of at most 0.005; ours is exact to 1e-6. Sampling is helped by a plane made beforehand
    and a prepared polygon of the one state that is asked for.
    """
    import shapely

    airspace = baltic_airspace()
    estonia = next(volume for volume in airspace.volumes if volume.volume_id == "EST")
    random = np.random.default_rng(3)
    latitude, longitude = random.uniform(59.70, 59.95, 2_000), random.uniform(24.5, 26.5, 2_000)
    sigma_m, samples, few = 926.0, 10_000, 20
    covariance = np.tile([sigma_m**2, 0.0, sigma_m**2], (len(latitude), 1))
    bias = np.zeros(len(latitude))
    area = shapely.make_valid(_polygon([_plane(ring) for ring in estonia.rings]))
    shapely.prepare(area)
    places = _plane(np.column_stack([latitude[:few], longitude[:few]]))

    def peer() -> None:
        for x, y in places:
            cloud = random.normal((x, y), sigma_m, (samples, 2))
            shapely.contains_xy(area, cloud).mean()

    return Load(lambda: airspace.margins(latitude, longitude, covariance, bias), len(latitude), peer, few)


CASES = (
    Case(
        "mode_s_decode",
        "all that a receiver hears, to report rows; the peer: the same frames to messages, registers of replies included",
        "frames/s",
        "rs1090, positions paired",
        0.4,
        ("rs1090", "pyarrow"),
        decode_against_rs1090,
    ),
    Case(
        "mode_s_decode_squitters",
        "squitters only, to report rows with digests, positions and quality; the peer: the same frames to messages with positions",
        "frames/s",
        "rs1090, positions paired",
        0.2,
        ("rs1090", "pyarrow"),
        decode_squitters_against_rs1090,
    ),
    Case(
        "mode_s_decode_stateful",
        "all that a receiver hears, against a decoder in Python that pairs positions too",
        "frames/s",
        "pyModeS PipeDecoder",
        1.5,
        ("rs1090", "pyModeS", "pyarrow"),
        decode_against_pymodes,
    ),
    Case(
        "margins",
        "signed geodesic distance, its sigma and P(inside) for every state within 50 km; the peer: planar distance only",
        "reports/s",
        "Shapely, indexed",
        20.0,
        ("numba", "numpy", "shapely"),
        margins_against_shapely,
    ),
    Case(
        "p_inside",
        "exact P(inside), with distance and sigma, for every state within 50 km; the peer: one state, 10,000 samples a place",
        "places/s",
        "Monte Carlo, Shapely prepared",
        20.0,
        ("numba", "numpy", "shapely"),
        p_inside_against_monte_carlo,
    ),
)
