"""Measure Airvigil against its peers and write what came out.

    python bench/run.py [NAME...]

Writes `bench/results.json` and the table in `bench/README.md`; with names, only these are measured and the others keep
their rows. Exit status 1 if a ratio is below its floor.

Rules
- Side by side: ours and the peer do the same work in one process on one core, in turns, so that a busy machine slows both.
  Read the ratio, above 1 is in our favour; the rates are this machine's at that moment.
- Where there is no peer, what is allowed stands in its place: a missed floor is a missed floor and is shown as one.
- The median of the rounds counts. Every case runs once before, so that compiled kernels are warm.
- What cannot be measured here says why.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa

from cases import CASES, Case, Cost, Load, NotMeasuredError
from detection_cases import DETECTION_CASES
from step_cases import STEP_CASES
from tracking_cases import TRACKING_CASES
from whole_cases import WHOLE_CASES

ALL_CASES = (*CASES, *DETECTION_CASES, *STEP_CASES, *TRACKING_CASES, *WHOLE_CASES)
FOLDER = Path(__file__).resolve().parent
CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
MIN_ROUND_S = 0.2  # a round repeats its work until it has lasted this long


def timed(work: Callable[[], Any]) -> float:
    """Seconds that one run of `work` takes, over at least MIN_ROUND_S of running."""
    runs, begin = 0, time.perf_counter()
    while True:
        work()
        runs += 1
        elapsed = time.perf_counter() - begin
        if elapsed >= MIN_ROUND_S:
            return elapsed / runs


def rates(load: Load, rounds: int) -> tuple[float, float | None]:
    """Median units per second of ours and of the peer, taken in turns."""
    if not load.is_warm:
        load.ours()
    if load.peer is not None:
        load.peer()
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(load.ours_units / timed(load.ours))
        if load.peer is not None:
            peer.append(load.peer_units / timed(load.peer))
    return statistics.median(ours), statistics.median(peer) if peer else None


def versions_of(case: Case) -> dict[str, str]:
    """Versions of Python, Airvigil and what the case compares."""
    found = {"python": platform.python_version()}
    for name in ("airvigil", *case.packages):
        found[name] = metadata.version(name)
    return found


def machine() -> str:
    """Processor and number of usable cores."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    used = f"one core of {os.cpu_count()}" if hasattr(os, "sched_setaffinity") else f"{os.cpu_count()} cores"
    return f"{model}, {used}"


def measure(case: Case) -> dict[str, Any]:
    """One row of the results."""
    row: dict[str, Any] = {
        "name": case.name,
        "what": case.what,
        "peer_name": case.peer_name,
        "ours": None,
        "peer": None,
        "ratio": None,
        "floor": case.floor,
        "unit": case.unit,
        "command": f"python bench/run.py {case.name}",
        "versions": versions_of(case),
        "machine": machine(),
        "load": None if not hasattr(os, "getloadavg") else round(os.getloadavg()[0], 1),
        "not_measured": None,
        "notes": {},
    }
    use_cores(case.cores)
    try:
        load = case.prepare()
    except NotMeasuredError as reason:
        return row | {"not_measured": str(reason)}
    if isinstance(load, Cost):
        cost = statistics.median(load.figure() for _ in range(case.rounds))
        row |= {"ours": cost, "peer": load.allowed, "ratio": load.allowed / cost}
    else:
        ours, peer = rates(load, case.rounds)
        row |= {"ours": ours, "peer": peer, "ratio": None if peer is None else ours / peer}
    return row | {"notes": load.notes() if load.notes else {}}


def is_missed(row: dict[str, Any]) -> bool:
    """Whether a floor was not reached."""
    return bool(row["ratio"] and row["floor"] and row["ratio"] < row["floor"])


def stay_single() -> None:
    """One thread for every library: what is compared is work, not how many cores either side takes."""
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")  # read when first used
    pa.set_cpu_count(1)


def use_cores(count: int) -> None:
    """Stay on the last `count` cores with all that is started from here."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(CORES)[-count:])


def shown(value: float | None) -> str:
    """A rate or ratio with three figures; a dash where there is none."""
    if value is None:
        return "–"
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def load_words(rows: list[dict[str, Any]]) -> str:
    """How busy the machine was with everything, ours included: rates fall with it, ratios much less."""
    loads = [row["load"] for row in rows if row.get("load") is not None]
    if not loads:
        return ""
    return (
        f" Its load average while this was measured: {min(loads)} to {max(loads)}; alone, the bench makes 1."
    )


def table(rows: list[dict[str, Any]]) -> str:
    """The results as a page."""
    lines = [
        "# Bench",
        "",
        "Written by `make bench`. Ours and the peer run in turns in one process on one core; the ratio is what to read (above 1 is in",
        "our favour), the rates are one machine's at one moment. Where there is no peer, what is allowed stands in its place. A ratio",
        "below its floor is marked and fails the run. The same numbers are in `results.json`, each with the command that measures it.",
        "",
        "Beside it: `make proof` (`chunking.py`) shows that an hour of real recordings gives the same bytes in batches of 1, 100 and",
        "100,000 rows.",
        "",
        "| name | what is done | unit | ours | peer | | ratio | floor |",
        "|---|---|---|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        ours = "not measured" if row["not_measured"] else shown(row["ours"])
        cells = [row["name"], row["what"], row["unit"], ours, row["peer_name"] or "none"]
        ratio = f"**{shown(row['ratio'])}, missed**" if is_missed(row) else shown(row["ratio"])
        cells += [shown(row["peer"]), ratio, shown(row["floor"])]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for row in rows:
        remarks = [f"{key}: {value}" for key, value in row["notes"].items()]
        if row["not_measured"]:
            remarks.append(row["not_measured"])
        lines.extend(f"- `{row['name']}`: {remark}" for remark in remarks)
    machines = sorted({row["machine"] for row in rows})
    packages = sorted({f"{name} {version}" for row in rows for name, version in row["versions"].items()})
    lines += [
        "",
        f"Machine: {'; '.join(machines)}.{load_words(rows)}",
        f"Versions: {', '.join(packages)}.",
        "",
    ]
    return "\n".join(lines)


def main(names: list[str]) -> int:
    """Measure the named cases, or all, and write both files."""
    stay_single()
    known = [case.name for case in ALL_CASES]
    if unknown := sorted(set(names) - set(known)):
        print(f"bench: no such case: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    stored = FOLDER / "results.json"
    before = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else []
    rows = {row["name"]: row for row in before if row["name"] in known}
    for case in ALL_CASES:
        if names and case.name not in names:
            continue
        print(f"bench: {case.name} ...", end=" ", flush=True)
        row = rows[case.name] = measure(case)
        print(row["not_measured"] or f"{shown(row['ours'])} {case.unit}, ratio {shown(row['ratio'])}")
    results = [rows[name] for name in known if name in rows]
    stored.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (FOLDER / "README.md").write_text(table(results), encoding="utf-8")
    print(f"bench: wrote {stored} and {FOLDER / 'README.md'}")
    missed = [row for row in results if is_missed(row)]
    for row in missed:
        print(f"bench: {row['name']}: ratio {shown(row['ratio'])} is below {row['floor']}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
