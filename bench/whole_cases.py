"""The program as a whole: a replay, its memory, the demo, the start of the command line."""

from __future__ import annotations

import lzma
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cases import BALTIC, ROOT, SAMPLE, Case, Cost, Load, NotMeasuredError, baltic_airspace, recordings

RECEIVER = (60.319555, 24.830817, 84.0)
# Short and long Mode S frames on a Beast stream, without the doubled escapes (0x1a), which are few.
_FRAME = re.compile(rb"\x1a(?:2[^\x1a]{7}([^\x1a]{7})|3[^\x1a]{7}([^\x1a]{14}))", re.DOTALL)


def hour() -> list[Path]:
    """Four files of the Helsinki recording, one hour."""
    files = sorted((recordings() / "helsinki_beast").glob("raw_adsb_*.bin.xz"))[-8:-4]
    if len(files) != 4:
        raise NotMeasuredError("no Helsinki recording among the recordings")
    return files


class Replay:
    """An hour of a receiver's bytes through feed and engine, and where the time went (s)."""

    def __init__(self) -> None:
        from airvigil.drivers.start_time import start_from_name
        from airvigil.settings import load_settings

        self.files = hour()
        self.settings = load_settings()
        self.airspace = baltic_airspace()
        self.inputs = [
            (start_from_name(path.name, utc_offset_s=7200.0), lzma.decompress(path.read_bytes()))
            for path in self.files
        ]
        self.feed_s = self.engine_s = 0.0
        self.frames = 0

    def __call__(self) -> int:
        """Once through; returns the number of frames."""
        from airvigil.engine import step
        from airvigil.feeds.beast import BeastFeed
        from airvigil.feeds.feed import FeedOptions
        from airvigil.state import State
        from airvigil.tracking.intake import watermark_after

        state, chunk = State(receivers={"helsinki": RECEIVER}), 1 << 18
        self.feed_s = self.engine_s = 0.0
        self.frames = 0
        for start_ns, content in self.inputs:
            feed = BeastFeed(FeedOptions(sensor="helsinki", start_ns=start_ns, receiver=RECEIVER))
            for begin in range(0, len(content) + 1, chunk):
                began = time.perf_counter()
                piece = content[begin : begin + chunk]
                reports = feed.decode(piece, start_ns) if piece else feed.finish()
                decoded = time.perf_counter()
                if reports.num_rows:
                    watermark = watermark_after(state.intake, reports, self.settings.time)
                    state, _ = step(state, reports, None, watermark, self.airspace, self.settings)
                self.feed_s += decoded - began
                self.engine_s += time.perf_counter() - decoded
                self.frames += reports.num_rows
        return self.frames


def whole_replay() -> Load:
    """One hour of a real receiver's bytes through feed and engine, without the files that a driver writes.

    The peer only decodes, and only some of the frames: the floor that no whole can be faster than.
    """
    import rs1090

    replay = Replay()
    found = [short or long for short, long in _FRAME.findall(replay.inputs[0][1])][:50_000]
    texts, times = [frame.hex() for frame in found], [1.0 + k / 100.0 for k in range(len(found))]

    def peer() -> None:
        for begin in range(0, len(texts), 10_000):
            rs1090.decode(texts[begin : begin + 10_000], times[begin : begin + 10_000])

    def notes() -> dict[str, str]:
        share = replay.feed_s / (replay.feed_s + replay.engine_s)
        return {
            "input": f"{replay.frames:,} frames, {replay.files[0].name} to {replay.files[-1].name}",
            "share of the time that decoding takes": f"{share:.0%}",
        }

    return Load(replay, replay(), peer, len(texts), notes=notes, is_warm=True)


def run_program(*arguments: str) -> tuple[float, float]:
    """Wall time (s) and peak resident memory (MB) of one run of the program, in a process of its own."""
    begin = time.perf_counter()
    # the child reads its own peak: what wait4 tells can be the peak of the process that forked it
    code = (
        "import atexit, sys; from airvigil.cli import main; "
        "peak = lambda: print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')), file=sys.stderr); "
        "atexit.register(peak); sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"airvigil {arguments[0]} ended with {done.returncode}: {done.stderr[-500:]!r}")
    peak_kib = int(done.stderr.rsplit("VmHWM:", 1)[1].split()[0])
    return time.perf_counter() - begin, peak_kib / 1024


def replay_memory() -> Cost:
    """The same hour by the command that a user types, all files and the report written."""
    files = hour()
    walls: list[float] = []

    def figure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            place = ",".join(map(str, RECEIVER))
            options = [
                "--airspace",
                ",".join(BALTIC),
                "--name-utc-offset",
                "+02:00",
                "--receiver",
                place,
                "--quiet",
            ]
            wall_s, peak_mb = run_program("replay", *map(str, files), *options, "--out", folder)
        walls.append(wall_s)
        return peak_mb

    return Cost(figure, 1024.0, lambda: {"wall time, reading to report": f"{min(walls):.1f} s"})


def demo_time() -> Cost:
    """Both stories of `airvigil demo` with their reports, installed and with compiled kernels at hand."""
    if not SAMPLE.is_file():
        raise NotMeasuredError("samples are missing: run make samples")
    peaks: list[float] = []

    def figure() -> float:
        with tempfile.TemporaryDirectory() as folder:
            wall_s, peak_mb = run_program("demo", "--out", folder)
        peaks.append(peak_mb)
        return wall_s

    figure()  # compiles what this machine has not compiled yet
    return Cost(figure, 15.0, lambda: {"peak memory": f"{max(peaks):.0f} MB"})


def help_time() -> Cost:
    """What a person waits for an answer to `airvigil --help`."""
    return Cost(lambda: run_program("--help")[0], 0.15)


def child_seconds(code: str, *arguments: str) -> tuple[float, float]:
    """Wall time and processor time (s) of Python code in a process of its own, as a user has it: without pandas, which
    pyarrow imports wherever it is installed, and with compiled modules kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    code = "import sys; sys.modules['pandas'] = None; " + code
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], env=kept, capture_output=True, check=True)
    wall_s, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_intruder(path: Path) -> None:
    """80 made-up reports of one aircraft that flies north into Estonia, 4 s apart."""
    import pyarrow.parquet as pq

    from airvigil.reports import reports_from_columns

    count, begin_ns = 80, 1_760_000_000_000_000_000
    times = [begin_ns + k * 4_000_000_000 for k in range(count)]
    columns = {
        "time_of_applicability": times,
        "received_at": times,
        "sensor": ["made-up"] * count,
        "sensor_kind": ["radar"] * count,
        "icao24": ["43c000"] * count,
        "latitude_deg": [57.4 + k * 0.008 for k in range(count)],
        "longitude_deg": [26.0] * count,
        "frame_digest": [k.to_bytes(32, "big") for k in range(count)],
    }
    pq.write_table(reports_from_columns(columns, length=count), path)


def first_result() -> Cost:
    """From the shell to the end of `airvigil replay` of 80 reports against one state; compiled kernels at hand."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "intruder.parquet"
    write_intruder(path)
    program = "from airvigil.cli import main; sys.exit(main(sys.argv[1:]))"
    imports = "import numba, numpy, pyarrow.compute, pyarrow.parquet"
    found: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []

    def figure() -> float:
        bare.append(child_seconds(imports))
        found.append(child_seconds(program, "replay", str(path), "--airspace", "EST", "--json", "--quiet"))
        return found[-1][0]

    def notes() -> dict[str, str]:
        folder.cleanup()
        walls, processor = zip(*found[-9:], strict=True)
        bare_walls, bare_processor = zip(*bare[-9:], strict=True)
        return {
            "best": f"{min(walls):.2f} s",
            "processor time": f"median {statistics.median(processor):.2f} s",
            "of it, importing numba, numpy and pyarrow alone": f"median {statistics.median(bare_walls):.2f} s, processor "
            f"{statistics.median(bare_processor):.2f} s",
        }

    figure()  # compiles what this machine has not compiled yet
    return Cost(figure, 0.8, notes)


WHOLE_CASES = (
    Case(
        "whole_replay",
        "one hour of a real receiver: Beast bytes to events, against EST, FIN, LVA, SWE and RUS; the peer only decodes, replies and their registers included",
        "frames/s",
        "rs1090, positions paired",
        0.2,
        ("numba", "numpy", "pyarrow", "rs1090"),
        whole_replay,
        rounds=1,
    ),
    Case(
        "replay_memory",
        "peak memory of `airvigil replay` of the same hour, four files, report and maps written",
        "MB",
        "allowed",
        1.0,
        ("numba", "numpy", "pyarrow", "rs1090"),
        replay_memory,
        rounds=1,
    ),
    Case(
        "demo",
        "`airvigil demo`: both stories and their reports, start of the program included",
        "s",
        "allowed",
        1.0,
        ("numba", "numpy", "pyarrow", "shapely"),
        demo_time,
        rounds=3,
    ),
    Case("help", "`airvigil --help`", "s", "allowed", 1.0, (), help_time, rounds=9),
    Case(
        "first_result",
        "`airvigil replay` of 80 reports against EST, `--json`: the whole process, compiled kernels and modules at hand",
        "s",
        "allowed",
        1.0,
        ("numba", "numpy", "pyarrow"),
        first_result,
        rounds=9,
    ),
)
