"""The command line: a thin shell. It parses, calls drivers, prints; heavy imports wait until a command needs them.

Rules
- Results on stdout, everything else on stderr. With `--json`: one incident a line on stdout and nothing else.
- Exit status 0: done. 1: done, but not all of it (an input failed part-way, an interrupt) or a negative
  verdict of a check. 2: nothing could be done with what was given.
- No traceback reaches a user; `error:` says what was wrong, `hint:` what to do.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import math
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from airvigil import __version__
from airvigil.errors import AirvigilError

REPLAY_EXAMPLE = """examples:
  airvigil replay recording.bin.xz --start 2026-01-06T21:57:04Z --airspace EST,FIN --out out
  airvigil replay night/*.bin.xz --name-utc-offset +02:00 --receiver 60.3196,24.8308,84 --airspace EST,FIN
  airvigil replay tcp+beast://localhost:30005 --airspace EST --json
"""


def _receiver(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    try:
        lat, lon = float(parts[0]), float(parts[1])
        height = float(parts[2].removesuffix("m")) if len(parts) > 2 else 0.0
    except (ValueError, IndexError):
        raise argparse.ArgumentTypeError(
            f"expected LAT,LON[,HEIGHT_M] such as 60.3196,24.8308,84, got {text!r}"
        ) from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and math.isfinite(height)):
        raise argparse.ArgumentTypeError(f"expected a place on Earth, got {text!r}")
    return lat, lon, height


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--airspace", metavar="LIST", help="states (EST,FIN) and airspace files, in any mix")
    parser.add_argument(
        "--airspace-at", metavar="TIME", help="instant as of which AIXM files are read, ISO 8601 in UTC"
    )
    parser.add_argument(
        "--settings", metavar="FILE", help="TOML over the defaults; `airvigil settings` prints them"
    )
    parser.add_argument(
        "--permissions",
        metavar="FILE",
        action="append",
        default=[],
        help="who may be where: CSV, JSON or flight plan messages; repeatable",
    )
    parser.add_argument(
        "--qnh",
        metavar="FILE",
        action="append",
        default=[],
        help="air pressure by station and time (CSV or JSON, METAR texts too), for limits over mean sea level; repeatable",
    )
    parser.add_argument(
        "--terrain", metavar="DIR", type=Path, help="folder of SRTM .hgt tiles, for limits above ground"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write report.html, maps, events and tables here"
    )
    parser.add_argument(
        "--json", action="store_true", help="one incident a line on stdout, nothing else there"
    )
    parser.add_argument("--batch", metavar="N", type=_count, help="rows a step; changes no result")
    parser.add_argument(
        "--speed", metavar="N", type=_positive, help="N times real time; default as fast as possible"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _add_replay(commands: Any) -> None:
    parser = commands.add_parser(
        "replay",
        help="feeds or recordings through the engine",
        epilog=REPLAY_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Read recordings or live feeds, find infringements with their probability, write tables, maps and a report.",
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="file, folder, - or URL (tcp+beast://, tcp+sbs://, tcp+raw://, http://)",
    )
    parser.add_argument(
        "--format", help="format if it should not be detected, e.g. beast, state-vectors:opensky"
    )
    parser.add_argument("--sensor", help="name of the sensor in all outputs")
    parser.add_argument("--sensor-kind", help="overrides the kind that the format implies, e.g. mlat")
    parser.add_argument(
        "--receiver", metavar="LAT,LON,M", type=_receiver, help="place of the antenna, height in metres"
    )
    parser.add_argument(
        "--start", metavar="TIME", help="start of a recording without absolute time, ISO 8601"
    )
    parser.add_argument(
        "--name-utc-offset", metavar="+HH:MM", help="what the clock that named the files was ahead of UTC"
    )
    _add_outputs(parser)
    parser.set_defaults(action="replay:replay")


def _add_scenario(commands: Any) -> None:
    parser = commands.add_parser("scenario", help="published cases, reconstructed; all outputs say so")
    inner = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = inner.add_parser("list", help="the scenarios there are")
    listing.set_defaults(action="scenario:scenario_list")
    running = inner.add_parser(
        "run",
        help="generate a scenario's reports and replay them",
        epilog="example: airvigil scenario run vaindloo-2025 --out out",
    )
    running.add_argument("name")
    running.add_argument(
        "--background",
        metavar="FILE",
        action="append",
        default=[],
        help="real traffic to fly among it, moved in time and labelled so",
    )
    _add_outputs(running)
    running.set_defaults(action="scenario:scenario_run")


def _add_airspace(commands: Any) -> None:
    parser = commands.add_parser("airspace", help="the volumes: import, list, show, check, export, diff")
    inner = parser.add_subparsers(required=True, metavar="COMMAND")
    importing = _airspace_command(
        inner, "import", "files of any format as our own GeoJSON, with a loading report",
        "example: airvigil airspace import france.txt.gz --out france.geojson",
    )  # fmt: skip
    importing.add_argument("files", metavar="FILE", nargs="+")
    listing = _airspace_command(inner, "list", "packaged states and disputed areas, or what files hold")
    listing.add_argument(
        "airspace", metavar="LIST", nargs="?", help="files and states; the package without it"
    )
    show = _airspace_command(
        inner, "show", "states and files in JSON, a line a volume", "example: airvigil airspace show EST"
    )
    show.add_argument("airspace", metavar="LIST")
    check = _airspace_command(inner, "check", "what is wrong with files, with its place")
    check.add_argument("files", metavar="FILE", nargs="+")
    export = _airspace_command(
        inner, "export", "states and files as GeoJSON, KML, OpenAir or a list in CSV",
        "example: airvigil airspace export EST,FIN --to kml --out baltic.kml",
    )  # fmt: skip
    export.add_argument("airspace", metavar="LIST")
    export.add_argument("--to", choices=("geojson", "kml", "openair", "csv"), required=True)
    diff = _airspace_command(
        inner, "diff", "what changed from one file or state to another; status 1 if anything did"
    )
    diff.add_argument("before", metavar="A")
    diff.add_argument("after", metavar="B")
    for writing in (importing, export):
        writing.add_argument("--out", metavar="FILE", type=Path, help="default: stdout")
    for judging in (listing, show, export, diff):
        judging.add_argument("--settings", metavar="FILE")


def _airspace_command(inner: Any, name: str, what: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """One of the commands, with what all of them take."""
    parser: argparse.ArgumentParser = inner.add_parser(name, help=what, epilog=epilog)
    parser.add_argument(
        "--kind", choices=("user", "fir", "sovereign", "disputed"), help="of all volumes of files"
    )
    parser.add_argument(
        "--edge-kind", choices=("geodesic", "lonlat"), help="of straight edges, over what the file says"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="read sources with versions in time as of this instant; default now"
    )
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    parser.set_defaults(action=f"airspace:airspace_{name}")
    return parser


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="airvigil",
        description="Was airspace infringed, how sure are we, and can a sceptic check it? People decide; Airvigil informs them.",
        epilog="Start with `airvigil demo` or `airvigil replay --help`.",
    )
    parser.add_argument("--version", action="version", version=f"airvigil {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_replay(commands)
    _add_scenario(commands)
    _add_airspace(commands)
    settings = commands.add_parser("settings", help="print the default settings, to copy and change")
    settings.set_defaults(action="settings_file:settings")
    demo = commands.add_parser(
        "demo", help="two short stories: a reconstruction, and a real airliner under spoofing"
    )
    demo.add_argument(
        "--samples", type=Path, default=Path("samples"), help="folder of recordings made by `make samples`"
    )
    demo.add_argument("--out", type=Path, default=Path("out/demo"))
    demo.set_defaults(action="demo:demo")
    return parser


def _prepare_cache() -> None:
    """Compiled kernels go to the user's cache: installed packages may be read-only.

    One folder for each state of the sources: Numba keeps a compiled kernel although another file has
    changed that it takes a kernel or a constant from, and evidence must not come from old code.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ["NUMBA_CACHE_DIR"] = str(cache / "airvigil" / f"kernels-{digest.hexdigest()[:12]}")


def _command(action: str) -> Callable[[argparse.Namespace], int]:
    """The function of an action "module:function" of `commands`; imported here and not above, for --help."""
    module, _, function = action.partition(":")
    name = f"airvigil.commands.{module}"
    if name not in sys.modules:
        # What is imported stays: looking through it for garbage is a tenth of the time to a first result.
        gc.disable()
        try:
            import_module(name)
        finally:
            gc.freeze()
            gc.enable()
    found: Callable[[argparse.Namespace], int] = getattr(sys.modules[name], function)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    options = build_parser().parse_args(arguments)
    _prepare_cache()
    try:
        status = _command(options.action)(options)
        sys.stdout.flush()  # here, where a reader that has gone is no traceback
        return status
    except BrokenPipeError:  # the reader of stdout has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
    except AirvigilError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
