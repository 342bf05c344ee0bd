"""Warning time against nuisance rate of predicted entry, on a real receiver's recordings.

    python bench/lookahead.py [--files N] [--again]

Nine hours of traffic around Helsinki, permission required of everybody, against the packaged areas of the states around the Gulf of
Finland and three made-up volumes in the way of the traffic. The traffic is civil and rightful: its ordinary crossings serve to test a
prediction, and none of them is an infringement.

Every evaluation is written once to a table (.cache/lookahead.npz; --again makes it anew); thresholds are then swept over it with
the alert logic of the program. Truth is what the same filtered track did afterwards:

- *entry*: the first moment with P(inside) >= suspected_p after at least the hysteresis outside, on a track that was seen
  outside from SEEN_S before, and within LOST_S before: nobody is warned of what was not received;
- *warning time*: from the alert that stands at the entry back to when it was raised; 0 where none stands (missed);
- *nuisance alert*: raised, and no entry within the lookahead (how many entered within twice as long is told). Where the track ends sooner without one, nobody knows: left out.

Writes bench/lookahead.json and bench/lookahead.svg.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cases import ROOT, baltic_airspace, recordings
from run import stay_single, use_cores
from whole_cases import RECEIVER

FOLDER = Path(__file__).resolve().parent
TABLE = ROOT / ".cache" / "lookahead.npz"
HORIZONS_S = (60.0, 90.0, 120.0, 180.0)
TURNS_DEG = (2.0, 4.0, 6.0, 10.0, 15.0)
P_RAISE = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
M_OF_N = ((1, 1), (2, 2), (2, 3), (3, 4), (4, 5))
SEEN_S = 60.0
LOST_S = 30.0
CLEAR_SHARE = 0.6  # clear_p as a share of raise_p throughout the sweep


def sky() -> Any:
    """The states, and three volumes where traffic both enters and passes by."""
    from airvigil.airspace.limits import Limit
    from airvigil.airspace.margins import Airspace
    from airvigil.airspace.volumes import make_volume

    def ring(lat: float, lon: float, radius_km: float) -> np.ndarray:
        angle = np.linspace(0.0, 2.0 * math.pi, 73)
        north, east = radius_km / 111.3, radius_km / (111.3 * math.cos(math.radians(lat)))
        return np.column_stack([lat + north * np.sin(angle), lon + east * np.cos(angle)])

    box = np.array([[59.72, 24.2], [59.72, 25.6], [59.86, 25.6], [59.86, 24.2], [59.72, 24.2]])
    made = [
        make_volume("GULF-BOX", [box], name="box in the Gulf"),
        make_volume("DISC", [ring(60.15, 24.2, 12.0)], name="disc beside the approaches"),
        make_volume(
            "LAYER",
            [ring(60.32, 24.96, 30.0)],
            name="layer over the airport",
            lower=Limit(1524.0, "STD"),
            upper=Limit(3048.0, "STD"),
        ),
    ]
    return Airspace([*baltic_airspace().volumes, *made])


def batches(files: int) -> Iterator[tuple[Any, list[str], Any, Any]]:
    """(believed airborne points, track keys, samples, airspace) of the recordings, as the engine has them."""
    from airvigil.airspace.infringement import believed_airborne, samples_of
    from airvigil.drivers.start_time import start_from_name
    from airvigil.engine import REJECT_NAMES
    from airvigil.feeds.beast import BeastFeed
    from airvigil.feeds.feed import FeedOptions
    from airvigil.settings import load_settings
    from airvigil.state import State
    from airvigil.tracking import admission, intake
    from airvigil.tracking.track_table import limits_of, sensor_table_of

    settings, airspace, state = load_settings(), sky(), State(receivers={"helsinki": RECEIVER})
    for path in sorted((recordings() / "helsinki_beast").glob("raw_adsb_*.bin.xz"))[:files]:
        start_ns = start_from_name(path.name, utc_offset_s=7200.0)
        content = lzma.decompress(path.read_bytes())
        feed = BeastFeed(FeedOptions(sensor="helsinki", start_ns=start_ns, receiver=RECEIVER))
        for begin in range(0, len(content) + 1, 1 << 19):
            piece = content[begin : begin + (1 << 19)]
            reports = feed.decode(piece, start_ns) if piece else feed.finish()
            if not reports.num_rows:
                continue
            watermark = intake.watermark_after(state.intake, reports, settings.time)
            intake.arrive(state.intake, state.tracks, reports, settings.time, state.watermark)
            state.watermark = max(state.watermark, watermark)
            rows = intake.release(state.intake, state.watermark)
            rejects, points = admission.admit(
                rows, state.tracks, state.receiver_table(), sensor_table_of(settings), limits_of(settings)
            )
            intake.settle(state.intake, rows, rejects, REJECT_NAMES)
            believed = believed_airborne(points)
            yield believed, state.tracks.keys, samples_of(believed, airspace, settings), airspace
        print(path.name, flush=True)


def record(files: int) -> dict[str, np.ndarray]:
    """Every evaluation, every moment inside, and every judged moment of every track."""
    from airvigil.airspace.heights.climb import Climb, followed
    from airvigil.airspace.lookahead.lookahead import candidates_of, is_due, predict
    from airvigil.settings import load_settings

    base = load_settings()
    longest = [
        replace(base, lookahead=replace(base.lookahead, lookahead_s=max(HORIZONS_S), turn_sigma_deg=turn))
        for turn in TURNS_DEG
    ]
    last = [round(horizon / base.lookahead.test_every_s) - 1 for horizon in HORIZONS_S]
    climbs: dict[str, Climb] = {}
    out: dict[str, list[np.ndarray]] = defaultdict(list)
    for points, keys, samples, airspace in batches(files):
        if not len(points):
            continue
        due = np.flatnonzero(is_due(points, base.lookahead.every_s))
        track = np.array([int(keys[slot], 16) if len(keys[slot]) == 6 else -1 for slot in points["slot"]])
        out["due"].append(np.column_stack([track[due], points["start"][due], points["time"][due]]))
        within = np.flatnonzero(samples.p_inside >= base.infringement.suspected_p)
        owner = samples.point[within]
        out["inside"].append(
            np.column_stack(
                [track[owner], points["start"][owner], samples.time[within], samples.volume[within]]
            )
        )
        found = candidates_of(points, samples, longest[0], lambda point, volume: True)
        now: dict[int, Climb] = {}
        for index in np.unique(found.point).tolist():
            climb = followed(climbs.get(keys[points["slot"][index]]), points[index])
            if climb is not None:
                now[index] = climbs[keys[points["slot"][index]]] = climb
        seen = [predict(points, found, now, airspace, settings) for settings in longest]
        at = found.point
        out["evaluation"].append(
            np.column_stack([track[at], points["start"][at], points["time"][at], found.volume])
        )
        out["p"].append(np.stack([s.p_by_time[:, last] for s in seen], axis=1))
        out["time_s"].append(np.column_stack([seen[0].time_s, seen[0].sigma_s]))
    table = {name: np.concatenate(parts) for name, parts in out.items()}
    table["volumes"] = np.array([volume.volume_id for volume in airspace.volumes])
    return table


@dataclass
class Pair:
    """One track and one volume: when judged (ns), index of the evaluation there or -1, and when inside."""

    volume: int
    times: np.ndarray
    which: np.ndarray
    inside: np.ndarray
    end: int

    @cached_property
    def moments(self) -> list[tuple[int, bool, int]]:
        """(ns, whether inside, index of the evaluation or -1) in order of time; inside is not evaluated."""
        stays = set(self.inside.tolist())
        judged = zip(self.times.tolist(), self.which.tolist(), strict=True)
        return sorted(
            [*((t, False, k) for t, k in judged if t not in stays), *((t, True, -1) for t in stays)]
        )

    def entries(self, hysteresis_ns: int) -> list[int]:
        """Moments (ns) of entry by a track that was seen outside before."""
        found = []
        outside = np.array([t for t, is_inside, _ in self.moments if not is_inside])
        before = -(2**62)
        for now in self.inside.tolist():
            since, before = before, now
            if now - since < hysteresis_ns:
                continue
            seen = outside[(outside > since) & (outside < now)]
            if len(seen) and now - seen[0] >= SEEN_S * 1e9 and now - seen[-1] <= LOST_S * 1e9:
                found.append(now)
        return found


def pairs_of(table: dict[str, np.ndarray]) -> list[Pair]:
    """All pairs that were evaluated at least once."""
    judged: dict[tuple[int, int], list[int]] = defaultdict(list)
    for track, start, time in table["due"].tolist():
        judged[track, start].append(time)
    at: dict[tuple[int, int, int], dict[int, int]] = defaultdict(dict)
    for k, (track, start, time, volume) in enumerate(table["evaluation"].tolist()):
        at[track, start, volume][time] = k
    inside: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for track, start, time, volume in table["inside"].tolist():
        inside[track, start, volume].append(time)
    made = []
    for (track, start, volume), which in at.items():
        times = np.array(sorted(set(judged[track, start])))
        index = np.array([which.get(time, -1) for time in times.tolist()])
        stays = np.array(sorted(inside[track, start, volume]), dtype=np.int64)
        made.append(Pair(volume, times, index, stays, int(times[-1])))
    return made


def alerts_of(pair: Pair, p: np.ndarray, settings: Any) -> list[tuple[int, int, str]]:
    """(raised, ended, why) of each alert, by the program's own logic."""
    from airvigil.airspace.lookahead import lookahead_alert as alert

    own = p[pair.which[pair.which >= 0]]
    if not (own >= settings.lookahead.raise_p).any():
        return []
    state: Any = None
    raised: list[tuple[int, int, str]] = []
    for time, is_stay, k in pair.moments:
        if state is not None:
            deadline, why = alert.deadline_of(state, settings)
            if why is not None and deadline < time:
                raised.append((state.raised, deadline, why))
                alert.clear(state)
                deadline, why = alert.deadline_of(state, settings)
            if why is None and deadline < time:
                state = None
        if state is None:
            if k < 0:
                continue
            state = alert.AlertPair(0, time)
        if is_stay:
            begun = state.raised
            if alert.feed_inside(state, time) is not None:
                raised.append((begun, time, alert.ENTERED))
                alert.clear(state)
        else:
            chance = float(p[k]) if k >= 0 else 0.0
            if not math.isnan(chance):
                alert.feed_outlook(
                    state, time, alert.Outlook(time, chance, None, None, None, None, {}), settings
                )
    if state is not None and state.raised is not None:
        raised.append((state.raised, pair.end, alert.SILENT))
    return raised


def score(pairs: list[Pair], p: np.ndarray, settings: Any, hours: float) -> dict[str, float]:
    """Warning times and nuisance alerts of one setting."""
    horizon_ns = round(settings.lookahead.lookahead_s * 1e9)
    slack_ns = round(settings.lookahead.every_s * 1e9)
    warnings, right, nuisance, unknown, later_on = [], 0, 0, 0, 0
    for pair in pairs:
        told = alerts_of(pair, p, settings)
        for begun, _, _ in told:
            later = pair.inside[pair.inside > begun]
            if len(later) and later[0] - begun <= horizon_ns + slack_ns:
                right += 1
            elif pair.end < begun + horizon_ns:
                unknown += 1
            else:
                nuisance += 1
                later_on += bool(len(later) and later[0] - begun <= 2 * horizon_ns)
        for entry in pair.entries(round(settings.infringement.hysteresis_s * 1e9)):
            standing = [begun for begun, ended, _ in told if begun < entry <= ended + 1]
            warnings.append((entry - standing[0]) / 1e9 if standing else 0.0)
    times = np.array(warnings)
    return {
        "entries": len(times),
        "missed": int((times == 0.0).sum()),
        "late": int(((times > 0.0) & (times < 30.0)).sum()),
        "warning_median_s": round(float(np.median(times)), 1),
        "warning_p10_s": round(float(np.percentile(times, 10)), 1),
        "alerts": right + nuisance + unknown,
        "nuisance": nuisance,
        "nuisance_entered_later": later_on,
        "unknown": unknown,
        "nuisance_per_hour": round(nuisance / hours, 4),
        "nuisance_share": round(nuisance / max(1, right + nuisance), 4),
    }


def calibration(
    pairs: list[Pair], table: dict[str, np.ndarray], turn: int, horizon: int
) -> list[dict[str, float]]:
    """How often an entry followed within the horizon, by predicted P in ten bins."""
    ns = round(HORIZONS_S[horizon] * 1e9)
    p, truth = [], []
    for pair in pairs:
        for time, k in zip(pair.times.tolist(), pair.which.tolist(), strict=True):
            if k < 0 or math.isnan(table["p"][k, turn, horizon]):
                continue
            later = pair.inside[pair.inside > time]
            enters = bool(len(later) and later[0] - time <= ns)
            if enters or pair.end >= time + ns:
                p.append(table["p"][k, turn, horizon])
                truth.append(enters)
    chance, happened = np.array(p), np.array(truth, dtype=float)
    bins = np.clip((chance * 10).astype(int), 0, 9)
    brier = float(((chance - happened) ** 2).mean())
    return [
        {
            "predicted": round(float(chance[bins == b].mean()), 4),
            "observed": round(float(happened[bins == b].mean()), 4),
            "evaluations": int((bins == b).sum()),
            "brier": round(brier, 5),
        }
        for b in range(10)
        if (bins == b).any()
    ]


def time_errors(pairs: list[Pair], table: dict[str, np.ndarray]) -> dict[str, float]:
    """Predicted less true time to the boundary on the present course, where an entry followed within the longest horizon."""
    errors, ratios = [], []
    for pair in pairs:
        for time, k in zip(pair.times.tolist(), pair.which.tolist(), strict=True):
            later = pair.inside[pair.inside > time]
            if k < 0 or not len(later) or later[0] - time > 120e9 or not table["time_s"][k, 0] <= 120.0:
                continue
            errors.append(table["time_s"][k, 0] - (later[0] - time) / 1e9)
            ratios.append(errors[-1] / math.hypot(table["time_s"][k, 1], 1.0))
    e = np.array(errors)
    return {
        "evaluations": len(e),
        "median_s": round(float(np.median(e)), 2),
        "half_within_s": round(float(np.median(np.abs(e))), 2),
        "nine_tenths_within_s": round(float(np.percentile(np.abs(e), 90)), 2),
        "share_within_2_sigma": round(float((np.abs(np.array(ratios)) <= 2.0).mean()), 3),
    }


def sweep(table: dict[str, np.ndarray]) -> dict[str, Any]:
    """All figures."""
    from airvigil.settings import load_settings

    base, pairs = load_settings(), pairs_of(table)
    hours = len(np.unique(table["due"][:, [0, 2]], axis=0)) * base.lookahead.every_s / 3600.0
    rule = base.lookahead
    turn = TURNS_DEG.index(rule.turn_sigma_deg)

    def scored(horizon: int, raise_p: float, m: int, n: int, which: int = turn) -> dict[str, Any]:
        own = replace(
            rule,
            lookahead_s=HORIZONS_S[horizon],
            raise_p=raise_p,
            raise_m=m,
            raise_n=n,
            clear_p=CLEAR_SHARE * raise_p,
        )
        made = score(pairs, table["p"][:, which, horizon], replace(base, lookahead=own), hours)
        named = {"lookahead_s": HORIZONS_S[horizon], "raise_p": raise_p, "m": m, "n": n}
        return {**named, "turn_sigma_deg": TURNS_DEG[which], **made}

    two = HORIZONS_S.index(rule.lookahead_s)
    chosen = scored(two, rule.raise_p, rule.raise_m, rule.raise_n)
    by_volume = {}
    for v, name in enumerate(table["volumes"].tolist()):
        own = [pair for pair in pairs if pair.volume == v]
        if sum(len(pair.entries(30_000_000_000)) for pair in own):
            by_volume[name] = score(own, table["p"][:, turn, two], base, hours)
    return {
        "source": "Helsinki recordings, 36 files; ordinary civil traffic, no infringement among it",
        "flight_hours": round(hours, 1),
        "evaluations": len(table["evaluation"]),
        "chosen": chosen,
        "by_volume": by_volume,
        "time_to_boundary": time_errors(pairs, table),
        "m_of_n": [scored(two, p, m, n) for m, n in M_OF_N for p in P_RAISE],
        "lookahead": [
            scored(h, p, rule.raise_m, rule.raise_n) for h in range(len(HORIZONS_S)) for p in P_RAISE
        ],
        "turn": [scored(two, rule.raise_p, rule.raise_m, rule.raise_n, w) for w in range(len(TURNS_DEG))],
        "calibration": {str(d): calibration(pairs, table, w, two) for w, d in enumerate(TURNS_DEG)},
    }


def main() -> int:
    """Record, sweep, write, draw."""
    parser = argparse.ArgumentParser(description="Warning time against nuisance rate.")
    parser.add_argument("--files", type=int, default=36)
    parser.add_argument("--again", action="store_true", help="record anew")
    options = parser.parse_args()
    stay_single()
    use_cores(1)
    if options.again or not TABLE.is_file():
        TABLE.parent.mkdir(exist_ok=True)
        np.savez_compressed(TABLE, **record(options.files))
    with np.load(TABLE) as kept:
        found = sweep(dict(kept))
    (FOLDER / "lookahead.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    from lookahead_chart import draw

    draw(found, FOLDER / "lookahead.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
