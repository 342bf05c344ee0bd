"""Real recordings through the whole way: a quarter of an hour beside Helsinki with real jamming, and a spoofed airliner.

No independent truth exists for either: what is tested is that nothing is claimed that the evidence does not carry, that
everything is counted, and that batches change nothing. The full hour is proved by `make proof`.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.volumes import Volume
from airvigil.drivers.inputs import InputOptions, open_input, read_merged
from airvigil.drivers.replay import RunResult, run
from airvigil.exports.events_jsonl import canonical_line
from airvigil.reports import concat_reports
from airvigil.settings import load_settings

pytestmark = pytest.mark.recordings

RECEIVER = (60.319555, 24.830817, 84.0)  # beside EFHK
FILE = "helsinki_beast/raw_adsb_20260107_021334.bin.xz"  # named in local time, UTC+2; the quiet of the night
FRAMES = 47_365
EVERYBODY = '[permission]\nrequired_for = ["state", "unidentified", "civil"]\n'


class Kept:
    """A sink that keeps what a run tells: lines of events as bytes, tables as they come."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.points: list[pa.Table] = []
        self.margins: list[pa.Table] = []

    def events(self, events: list[dict[str, Any]]) -> None:
        self.lines += [canonical_line(event) for event in events]

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        self.points.append(points)
        self.margins.append(margins)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def digests(self) -> list[str]:
        rows = [sorted(json.dumps(row, default=str, sort_keys=True) for row in pa.concat_tables(tables).to_pylist()) for tables in (self.points, self.margins)]  # fmt: skip
        return [hashlib.sha256("\n".join(lines).encode()).hexdigest() for lines in (self.lines, *rows)]


def replay(
    reports: pa.Table, airspace: Airspace, *, batch: int, receiver: bool = True, settings: str | None = None
) -> tuple[RunResult, Kept]:
    kept = Kept()
    receivers = {"raw_adsb": RECEIVER} if receiver else {}
    result = run([reports], airspace, load_settings(settings), sink=kept, receivers=receivers, batch=batch)
    return result, kept


@pytest.fixture(scope="module")
def baltic() -> Airspace:
    return Airspace(load_volumes(["EST", "FIN", "LVA", "SWE", "RUS"]))


@pytest.fixture(scope="module")
def helsinki(recordings: Path) -> pa.Table:
    """The file's reports, decoded."""
    each = open_input(str(recordings / FILE), InputOptions(name_utc_offset_s=7200.0, receiver=RECEIVER))
    table = concat_reports(list(read_merged([each]))).combine_chunks()
    assert each.failures == []
    assert each.sensor == "raw_adsb"
    return table


@pytest.fixture(scope="module")
def whole(helsinki: pa.Table, baltic: Airspace) -> tuple[RunResult, Kept]:
    return replay(helsinki, baltic, batch=100_000)


def test_every_frame_is_counted_once(
    recordings: Path, helsinki: pa.Table, whole: tuple[RunResult, Kept]
) -> None:
    # a frame begins with 0x1a and its type; within a frame 0x1a is written twice
    content = lzma.decompress((recordings / FILE).read_bytes()).replace(b"\x1a\x1a", b"")
    assert sum(content.count(b"\x1a" + kind) for kind in (b"1", b"2", b"3", b"4")) == FRAMES
    assert helsinki.num_rows == FRAMES
    (sensor,) = json.loads(whole[1].lines[-2])["sensors"]
    assert sensor["received"] == FRAMES
    assert sensor["received"] == sensor["used"] + sensor["late"] + sum(sensor["rejected"].values())
    assert sensor["used"] > 0.5 * FRAMES


def test_ordinary_traffic_makes_no_incident(whole: tuple[RunResult, Kept]) -> None:
    told = Counter(event["event"] for event in whole[1].told())
    assert not [name for name in told if name.startswith("incident")]
    assert told["spell_closed"] > 0  # civil traffic was inside Finland, seen and counted as allowed


def test_the_jamming_is_noticed(whole: tuple[RunResult, Kept]) -> None:
    opened = [event for event in whole[1].told() if event["event"] == "interference_opened"]
    assert any("accuracy_lost" in event["reasons"] for event in opened)
    points = pa.concat_tables(whole[1].points)
    believed = points.filter(pc.not_equal(points["integrity"], "not_credible"))
    assert 0 < believed.num_rows < points.num_rows


def test_batches_of_100_change_nothing(
    helsinki: pa.Table, baltic: Airspace, whole: tuple[RunResult, Kept]
) -> None:
    parts = replay(helsinki, baltic, batch=100)[1]
    assert parts.lines == whole[1].lines
    assert parts.digests() == whole[1].digests()


def test_single_rows_change_nothing(helsinki: pa.Table, baltic: Airspace) -> None:
    some = helsinki.slice(0, 3_000)
    one_by_one, at_once = (replay(some, baltic, batch=size)[1] for size in (1, 3_000))
    assert one_by_one.lines == at_once.lines
    assert one_by_one.digests() == at_once.digests()


def _inside(volume: Volume, latitude: pa.ChunkedArray, longitude: pa.ChunkedArray) -> Any:
    """A naive point-in-polygon: inside an odd number of rings."""
    count = np.zeros(len(latitude), dtype=int)
    for ring in volume.rings:
        area = shapely.make_valid(shapely.Polygon(ring[:, ::-1]))
        shapely.prepare(area)
        count += shapely.contains_xy(area, longitude.to_numpy(), latitude.to_numpy())
    return count % 2 == 1


@pytest.fixture(scope="module")
def spoofed(recordings: Path) -> pa.Table:
    path = recordings / "traffic_samples" / "noisy_spoofing.json.gz"
    return concat_reports(list(open_input(str(path), InputOptions())))


def test_a_spoofed_airliner_is_in_no_incident_where_a_polygon_alone_finds_2026_rows(
    spoofed: pa.Table,
) -> None:
    (ukraine, *_) = load_volumes(["UKR"])
    assert int(_inside(ukraine, spoofed["latitude_deg"], spoofed["longitude_deg"]).sum()) == 2_026
    airspace = Airspace(load_volumes(["UKR"]))
    kept = replay(spoofed, airspace, batch=10_000, receiver=False, settings=EVERYBODY)[1]
    assert not [event for event in kept.told() if event["event"].startswith(("incident", "spell"))]
    margins = pa.concat_tables(kept.margins)
    assert margins.filter(pc.greater(margins["margin_m"], 0.0)).num_rows == 0

    # the source repeats old positions: of its 2,026 rows, those that are new ones are points
    points = pa.concat_tables(kept.points)
    claimed = points.filter(
        pa.array(_inside(ukraine, points["reported_latitude_deg"], points["reported_longitude_deg"]))
    )
    assert claimed.num_rows > 500
    assert set(claimed["integrity"].to_pylist()) == {"not_credible"}
    assert "too_slow_for_height" in claimed["integrity_reason"].to_pylist()
