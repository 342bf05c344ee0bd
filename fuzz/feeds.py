"""Mutated bytes into every feed, and what comes out through the engine.

    python fuzz/feeds.py --seconds 600 [--seed N] [--recordings DIR] [--only FORMAT]
    python fuzz/feeds.py --only FORMAT --input FILE       runs one saved input again

What may happen with an input, whatever its bytes:
- it is refused with `DecodeError` (opening it may also refuse it with another `AirvigilError`);
- or it becomes tables with REPORT_SCHEMA, each of whose rows can be used or has a `reject_reason`.

And then, with what was not refused: every row through `engine.step` in batches of any size, no exception and no warning,
received = used + rejected + late, events that JSON can hold, points that are numbers. All of it in bounded time and
memory: CASE_S for an input, RSS_BOUND_MB for the process.

Prints one JSON line a format. A failing input is saved and the command that runs it again is printed; exit status 1.

Rules
- The same seed gives the same inputs; how many of them are tried is a matter of time.
- Everything else that is chosen (chunks, batches, options) follows from the input's own bytes, so that the saved file is enough.
- The input being tried is on disk before it is tried: a crash of the whole process leaves it behind.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import io
import itertools
import json
import os
import random
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # the encoder of Mode S frames and the small world

import pyarrow as pa

from airvigil.airspace.margins import Airspace
from airvigil.drivers.compression import MAGIC_BYTES, decompressed
from airvigil.drivers.replay import END_NS
from airvigil.engine import step
from airvigil.errors import AirvigilError, DecodeError
from airvigil.exports.events_jsonl import canonical_line
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.open_feed import HEAD_BYTES, open_feed
from airvigil.reports import empty_reports
from airvigil.settings import load_settings
from airvigil.state import State
from airvigil.tracking.intake import watermark_after
from inputs import START_S, TARGETS, Target, recorded
from mutations import bombs, compressed, mutated
from promises import Memory, WrongResultError, check_rows
from small_world import SKY, make_reports, random_rows, square
from small_world import run as run_small_world

CASE_S = 20.0  # an ordinary input takes some 20 ms
BOMB_S = 120.0
BOMB_EVERY = 30  # inputs between two bombs, of which each format gets a few
RSS_BOUND_MB = 1024.0
DOCUMENT_BYTES = 8 << 20  # what a feed may hold whole, here: memory must follow this bound and not the input
CHUNK_BYTES = 1 << 18  # the largest that a driver gives to a feed
ENGINE_ROWS = 5_000  # of one input go through the engine
MOST_FAILURES = 5  # kept of one format
START_NS = START_S * 1_000_000_000
SETTINGS = load_settings()
LIMITED = {"lower_limit_m": 1_000.0, "upper_limit_m": 9_000.0, "vertical_reference": "MSL"}
AIRSPACE = Airspace([*SKY.volumes, square("LOW", 59.2, 25.5, 0.5, **LIMITED)])


class HungError(BaseException):
    """An input took longer than its bound; not an Exception, so that nothing swallows it."""


@dataclass
class Summary:
    """What was done with one format."""

    format: str
    cases: int = 0
    bytes: int = 0
    rows: int = 0
    rejected: int = 0
    refused: int = 0
    late: int = 0
    events: int = 0
    max_ms: float = 0.0
    peak_rss_mb: float = 0.0
    failures: list[str] = field(default_factory=list)


def run_input(target: Target, content: bytes, summary: Summary) -> None:
    """One input through feed and engine; raises what should not happen."""
    chance = random.Random(hashlib.sha256(content).digest())
    tables = _fed(target, content, chance, summary)
    accounts: Counter[str] = Counter()
    state, rows = State(), 0
    if chance.random() < 0.5:
        state.receivers = {"fuzz": (59.5, 25.5, 80.0)}
    for table in tables:
        summary.rows += table.num_rows
        summary.rejected += table.num_rows - table["reject_reason"].null_count
        check_rows(table, is_ours=target.format == "reports")
        size = chance.choice((1, 7, 100, 5_000))
        table = table.slice(0, ENGINE_ROWS - rows if size > 1 else min(ENGINE_ROWS - rows, 100))
        rows += table.num_rows
        for begin in range(0, table.num_rows, size):
            part = table.slice(begin, size)
            watermark = watermark_after(state.intake, part, SETTINGS.time)
            state = _stepped(state, part, watermark, summary)
        if table.num_rows and chance.random() < 0.1:
            state = State.from_arrow(state.to_arrow())
    state = _stepped(state, empty_reports(), END_NS, summary)
    for name, account in state.intake.accounts.items():
        if account.waiting() or account.received != account.used + account.late + account.rejected.total():
            raise WrongResultError(f"accounts of {name!r} do not add up: {account}")
        accounts["received"] += account.received
        summary.late += account.late
    if accounts["received"] != rows:
        raise WrongResultError(f"{rows} rows went in, {accounts['received']} are accounted for")


def _stepped(state: State, reports: pa.Table, watermark_ns: int, summary: Summary) -> State:
    state, output = step(state, reports, None, watermark_ns, AIRSPACE, SETTINGS)
    for event in output.events:
        canonical_line({name: value for name, value in event.items() if name != "time_ns"})
    for name in ("latitude_deg", "longitude_deg"):
        if output.points[name].null_count:
            raise WrongResultError(f"a track point without {name}")
    summary.events += len(output.events)
    return state


def _fed(target: Target, content: bytes, chance: random.Random, summary: Summary) -> Iterator[pa.Table]:
    """Tables of an input as a driver would get them; ends where the input is refused."""
    source = io.BytesIO(content)
    options = FeedOptions(
        sensor="fuzz",
        start_ns=chance.choice((None, START_NS, START_NS)),
        receiver=chance.choice((None, (60.3, 24.8, 80.0))),
        is_live=chance.random() < 0.3,
        utc_offset_s=chance.choice((0.0, 7200.0)),
    )
    stated = target.format if chance.random() < 0.8 else None
    try:
        pieces = decompressed(source.read, source.read(MAGIC_BYTES), input_bytes=source.tell)
        first, rest = _head(pieces)
        feed = open_feed(stated, options, head=first[:HEAD_BYTES], max_document_bytes=DOCUMENT_BYTES)
    except AirvigilError:
        summary.refused += 1
        return
    received_ns = START_NS
    try:
        for chunk in _chunks(itertools.chain((first,), rest), chance):
            received_ns += chance.randint(0, 10**9)
            yield feed.decode(chunk, received_ns)
        yield feed.finish()
    except DecodeError:
        summary.refused += 1
        try:
            yield feed.finish()  # as drivers do, for what the feed still holds
        except DecodeError:
            return


def _head(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, enough to tell the format, and the rest; a fault only after them comes with the rest."""
    first = b""
    try:
        for piece in pieces:
            first += piece
            if len(first) >= HEAD_BYTES:
                break
    except DecodeError as error:
        if not first:
            raise
        return first, _failing(error)
    return first, pieces


def _failing(error: DecodeError) -> Iterator[bytes]:
    yield b""
    raise error


def _chunks(pieces: Iterator[bytes], chance: random.Random) -> Iterator[bytes]:
    most = chance.choice((7, 64, 1_024, 16_384, CHUNK_BYTES))
    budget = 1_000  # small chunks, then large ones: an empty table costs too
    for piece in pieces:
        begin = 0
        while begin < len(piece):
            size = chance.randint(1, most) if budget > 0 else CHUNK_BYTES
            budget -= 1
            yield piece[begin : begin + size]
            begin += size


def inputs_of(
    target: Target, seeds: list[bytes], options: argparse.Namespace
) -> Iterator[tuple[bytes, float]]:
    """(input, seconds that it may take) without end: the seeds as they are, then mutations, a bomb now and then."""
    for seed in seeds:
        yield seed, CASE_S
    waiting = bombs(seeds[0], options.bomb_bytes)
    for number in itertools.count():
        if waiting and number % BOMB_EVERY == 0:
            yield waiting.pop(0), BOMB_S
        chance = random.Random(f"{options.seed}/{target.name}/{number}")
        content = mutated(seeds, chance)
        if chance.random() < 0.1:
            content = compressed(content, chance.choice(("gzip", "xz", "zstd")))
            if chance.random() < 0.7:
                content = mutated([content], chance)
        yield content, CASE_S


def fuzz(target: Target, options: argparse.Namespace) -> Summary:
    """One format for its share of the time."""
    summary, memory = Summary(target.name), Memory()
    seeds = target.seeds() + recorded(target, options.recordings)
    given: Iterator[tuple[bytes, float]] = inputs_of(target, seeds, options)
    if options.input is not None:
        given = iter([(options.input.read_bytes(), BOMB_S)])
    memory.restart()
    end = time.monotonic() + options.share_s
    seen: set[str] = set()
    for content, bound_s in given:
        if time.monotonic() > end or len(summary.failures) >= MOST_FAILURES:
            break
        summary.cases += 1
        summary.bytes += len(content)
        began = time.monotonic()
        fault = _tried(target, content, bound_s, summary, options.out)
        summary.max_ms = max(summary.max_ms, round(1000.0 * (time.monotonic() - began), 1))
        summary.peak_rss_mb = round(memory.peak_mb(), 1)
        if fault is None and summary.peak_rss_mb > RSS_BOUND_MB:
            fault = f"peak memory {summary.peak_rss_mb:.0f} MB is above {RSS_BOUND_MB:.0f} MB"
            memory.restart()
        if fault is not None and _place(fault) not in seen:
            seen.add(_place(fault))
            summary.failures.append(_kept(target, content, fault, options.out))
    return summary


def warm_up() -> None:
    """Compile every kernel, which on a new machine takes a minute that no input is to blame for."""
    for seed in range(2):
        run_small_world(make_reports(random_rows(seed)), sky=AIRSPACE)
    for target in TARGETS:
        with contextlib.suppress(Exception):  # what is wrong with a feed is told when it is fuzzed
            run_input(target, target.seeds()[0], Summary(target.name))


def _place(fault: str) -> str:
    """Where a fault came from: the last line of code in its traceback, so that one defect is told once."""
    lines = [line for line in fault.splitlines() if line.lstrip().startswith("File ")]
    return lines[-1] if lines else fault.split(" is above")[0][:20]


def _tried(target: Target, content: bytes, bound_s: float, summary: Summary, folder: Path) -> str | None:
    """What went wrong with an input, as a traceback; None if nothing did."""
    (folder / f"current-{target.name}").write_bytes(content)
    signal.setitimer(signal.ITIMER_REAL, bound_s)
    faulthandler.dump_traceback_later(2.0 * bound_s, exit=True)  # where even the signal is not heard
    try:
        run_input(target, content, summary)
    except KeyboardInterrupt:
        raise
    except BaseException:  # a panic of a native library is no Exception
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        faulthandler.cancel_dump_traceback_later()
    return None


def _kept(target: Target, content: bytes, fault: str, folder: Path) -> str:
    path = folder / f"{target.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    path.write_bytes(content)
    print(
        f"{fault}\nfuzz: run it again with\n    python fuzz/feeds.py --only {target.name} --input {path}",
        file=sys.stderr,
    )
    return path.name


def _on_alarm(number: int, frame: FrameType | None) -> None:
    raise HungError("the input took longer than its bound")


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Mutated bytes into every feed and through the engine.")
    parser.add_argument("--seconds", type=float, default=60.0, help="for all formats together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--recordings", type=Path, help="folder of real recordings to mutate too")
    parser.add_argument(
        "--only", action="append", choices=[target.name for target in TARGETS], help="only this format"
    )
    parser.add_argument("--input", type=Path, help="run this file once, as the format named by --only")
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".cache" / "fuzz", help="where failing inputs are kept"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Fuzz each format in turn."""
    options = _parsed(arguments)
    if options.input is not None and len(options.only or ()) != 1:
        print("fuzz: --input needs --only FORMAT", file=sys.stderr)
        return 2
    targets = [target for target in TARGETS if not options.only or target.name in options.only]
    options.share_s = options.seconds / len(targets)
    # bombs take seconds each: in a short run they are small
    options.bomb_bytes = 300 << 20 if options.share_s >= 30.0 else 1 << 20
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGALRM, _on_alarm)
    warm_up()
    bombs(b" ", options.bomb_bytes)  # their common part takes time and memory to make, which are nobody's
    warnings.simplefilter("error")
    failed = 0
    for target in targets:
        summary = fuzz(target, options)
        failed += len(summary.failures)
        print(json.dumps(vars(summary)), flush=True)
        (options.out / f"current-{target.name}").unlink(missing_ok=True)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONFAULTHANDLER", "1")
    sys.exit(main(sys.argv[1:]))
