"""Mutated bytes into every reader of airspace files, and what comes out through the writers.

    python fuzz/airspace.py --seconds 300 [--seed N] [--recordings DIR] [--only FORMAT]
    python fuzz/airspace.py --input FILE            runs one saved input again

What may happen with a file, whatever its bytes: it is refused with `AirspaceError`, or it becomes volumes with ids of their own that our own
GeoJSON gives back with the same digests, and that KML, OpenAir and CSV can be written of. In bounded time and memory: CASE_S for
an input, RSS_BOUND_MB for the process.

Prints one JSON line a format. A failing input is saved and the command that runs it again is printed; exit status 1. The same seed
gives the same inputs; how many of them are tried is a matter of time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from airvigil.airspace.sources.diff import diff_volumes
from airvigil.airspace.sources.load import load_file
from airvigil.airspace.sources.normalised import normalised_bytes
from airvigil.drivers.airspace_files import read_airspace_file, unpacked
from airvigil.errors import AirspaceError
from airvigil.exports.airspace_files import volumes_csv, volumes_kml, volumes_openair
from mutations import bombs, compressed, mutated
from promises import Memory, WrongResultError

ROOT = Path(__file__).resolve().parent.parent
CASE_S = 20.0
BOMB_S = 120.0
RSS_BOUND_MB = 2_048.0  # a file may expand to 256 MB, and its text is held twice
MOST_FAILURES = 5
AT_NS = 1_767_225_600_000_000_000  # 2026-01-01

OPENAIR = b"""*VERSION: 2.1
AC D
AY CTR
AN CTR Somewhere
AI 7d1b
AA 2026-05-01T10:00Z/2026-05-01T12:00Z
AH FL 95
AL 1000ft AGL
DP 59:00:00 N 024:00:00 E
DP 60:00.5 N 024:00.25 E
V X=60:00:00 N 025:00:00 E
V D=-
DB 60:10:00 N 025:00:00 E,59:50:00 N 025:00:00 E
DA 10,180,90
AC R
AN Circle
AL GND
AH UNL
V X=60:00:00 N 179:59:00 E
DC 5
"""
SHAPES = b"""airspace:
  - id: R
    circle: {centre: 59:25:00 N 025:10:00 E, radius: 5 NM}
    upper: FL95
    activation: [{from: 2026-05-01T06:00Z, days: MON-FRI, hours: 0800-1630}]
  - corridor: {line: [59.40 N 179.50 E, 59.60 N 179.90 W], half_width: 3 km}
  - polygon: [59.0 N 24.0 E, 59.0 N 25.0 E, 60.0 N 25.0 E]
    holes: [[59.2 N 24.6 E, 59.4 N 24.9 E, 59.2 N 24.9 E]]
"""
GEOJSON = b"""{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a","upper_limit":"FL95","kind":"fir"},
"geometry":{"type":"MultiPolygon","coordinates":[[[[24,59],[25,59],[25,60],[24,60],[24,59]],[[24.4,59.4],[24.6,59.4],[24.6,59.6],[24.4,59.4]]]]}}]}"""
KML = b"""<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark id="p"><name>K</name><ExtendedData>
<Data name="upper"><value>FL95</value></Data></ExtendedData><Polygon><outerBoundaryIs><LinearRing><coordinates>179,59,0 -179,59,0 -179,60,0
179,60,0 179,59,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""


class HungError(BaseException):
    """An input took longer than its bound; not an Exception, so that nothing swallows it."""


def seeds_of(name: str, recordings: Path | None) -> list[bytes]:
    """Files to mutate: made ones, and the first part of real ones."""
    made = {"openair": OPENAIR, "shapes": SHAPES, "geojson": GEOJSON, "kml": KML}
    seeds = [made[name]] if name in made else [normalised_bytes(load_file(OPENAIR, "made").volumes)]
    if name == "openair" and recordings is not None:
        files = sorted((recordings / "airspace" / "openair").glob("*.gz"))
        seeds += [read_airspace_file(path)[:30_000] for path in files]
    return seeds


def run_input(content: bytes) -> int:
    """One input through reader and writers: how many volumes it gave; raises what should not happen."""
    try:
        loaded = load_file(unpacked(content, "fuzz"), "fuzz", at_ns=AT_NS)
    except AirspaceError:
        return 0
    ids = [volume.volume_id for volume in loaded.volumes]
    if len(set(ids)) != len(ids):
        raise WrongResultError("an id twice")
    again = load_file(normalised_bytes(loaded.volumes), "again").volumes
    if [volume.digest for volume in again] != [volume.digest for volume in loaded.volumes]:
        raise WrongResultError("our own file does not give the same volumes back")
    few = loaded.volumes[:3]
    for write in (volumes_csv, volumes_kml, volumes_openair):
        write(few)
    if diff_volumes(few, again[:3]):
        raise WrongResultError("a difference where there is none")
    return len(ids)


def fuzz(name: str, options: argparse.Namespace) -> dict[str, object]:
    """One format for its share of the time."""
    seeds = seeds_of(name, options.recordings)
    for seed in seeds:
        if not run_input(seed):
            raise SystemExit(f"fuzz: a seed of {name} gives no volume")
    memory, failures, cases, volumes = Memory(), [], 0, 0
    memory.restart()
    end = time.monotonic() + options.share_s
    waiting = bombs(seeds[0], options.bomb_bytes)
    while time.monotonic() < end and len(failures) < MOST_FAILURES:
        chance = random.Random(f"{options.seed}/{name}/{cases}")
        is_bomb = bool(waiting) and cases % 30 == 0
        content = waiting.pop(0) if is_bomb else mutated(seeds, chance)
        if not is_bomb and chance.random() < 0.05:
            content = compressed(content, chance.choice(("gzip", "xz", "zstd")))
        cases += 1
        found, fault = tried(content, BOMB_S if is_bomb else CASE_S)
        volumes += found
        if fault is None and memory.peak_mb() > RSS_BOUND_MB:
            fault = f"peak memory {memory.peak_mb():.0f} MB is above {RSS_BOUND_MB:.0f} MB"
            memory.restart()
        if fault is not None:
            failures.append(kept(name, content, fault, options.out))
    peak = round(memory.peak_mb(), 1)
    return {"format": name, "cases": cases, "volumes": volumes, "peak_rss_mb": peak, "failures": failures}


def tried(content: bytes, bound_s: float) -> tuple[int, str | None]:
    """Volumes of an input, and what went wrong with it as a traceback; None if nothing did."""
    signal.setitimer(signal.ITIMER_REAL, bound_s)
    try:
        return run_input(content), None
    except KeyboardInterrupt:
        raise
    except BaseException:
        return 0, traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def kept(name: str, content: bytes, fault: str, folder: Path) -> str:
    """The name under which a failing input was saved."""
    path = folder / f"airspace-{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    path.write_bytes(content)
    command = f"python fuzz/airspace.py --input {path}"
    print(f"{fault}\nfuzz: run it again with\n    {command}", file=sys.stderr)
    return path.name


def on_alarm(number: int, frame: FrameType | None) -> None:
    """An input that hangs."""
    raise HungError("the input took longer than its bound")


def main(arguments: Sequence[str]) -> int:
    """Fuzz each format in turn."""
    formats = ("openair", "shapes", "geojson", "kml", "airvigil")
    parser = argparse.ArgumentParser(description="Mutated bytes into every reader of airspace files.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all formats together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recordings", type=Path, help="folder of real recordings to mutate too")
    parser.add_argument("--only", action="append", choices=formats, help="only this format")
    parser.add_argument("--input", type=Path, help="run this file once")
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".cache" / "fuzz", help="where failing inputs are kept"
    )
    options = parser.parse_args(arguments)
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, on_alarm)
    if options.input is not None:
        print(run_input(options.input.read_bytes()))
        return 0
    chosen = options.only or formats
    options.share_s = options.seconds / len(chosen)
    options.bomb_bytes = 300 << 20 if options.share_s >= 30.0 else 1 << 20
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in chosen:
        summary = fuzz(name, options)
        failed += len(summary["failures"])  # type: ignore[arg-type]
        print(json.dumps(summary), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
