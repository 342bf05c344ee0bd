"""Small valid inputs of every format, made from numbers, and what else to begin with: the seeds of the fuzzer.

A flight crosses the border of the square that the tests use, so that what survives mutation reaches spells and incidents.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import mode_s_encoder as encoder
from small_world import START_NS, make_reports, random_rows

START_S = START_NS // 1_000_000_000
ROWS = 60


@dataclass(frozen=True)
class Target:
    """One format under test.

    Attributes:
        name: of the target.
        format: as `open_feed` takes it.
        seeds: makes valid inputs.
        recordings: glob of real ones, in the folder given.
    """

    name: str
    format: str
    seeds: Callable[[], list[bytes]]
    recordings: str | None = None


def flight(count: int = ROWS) -> Iterator[dict[str, Any]]:
    """Rows of one aircraft that flies north into the square and back out in the east: SI, time in s."""
    for k in range(count):
        yield {
            "t": START_S + 2.0 * k,
            "lat": round(58.97 + 0.0022 * k, 6),
            "lon": round(25.9 + 0.004 * k, 6),
            "speed": 165.0,
            "track": 42.0,
            "altitude": 10_668.0,
            "rate": -3.25,
        }


def frames() -> list[tuple[float, bytes]]:
    """A short flight as Mode S frames: identification, status, positions, velocities, replies."""
    found = encoder.crossing(24)
    address = 0x4601F7
    found += [
        (2.0, encoder.squitter(address, encoder.surface(60.3, 24.9, is_odd=False, movement=20, track=30))),
        (2.4, encoder.squitter(address, encoder.surface(60.3, 24.9, is_odd=True, movement=20, track=30))),
        (2.5, encoder.squitter(address, encoder.target_status(nac_p=0, sil=0))),
        (2.6, encoder.squitter(address, encoder.emergency(1, "7700"))),
        (
            2.7,
            encoder.squitter(address, encoder.airborne(59.9, 25.1, None, is_odd=False), downlink_format=18),
        ),
    ]
    return sorted(found)


def beast() -> list[bytes]:
    """Beast: with and without garbage before the first frame."""
    whole = encoder.beast_recording(frames())
    return [whole, b"\x00garbage\x1a\x1a\x1a" + whole[5:]]


def raw_avr() -> list[bytes]:
    """AVR lines with and without counters."""
    plain = "".join(f"*{frame.hex()};\n" for _, frame in frames())
    timed = "".join(f"@{round(t * 12e6):012x}{frame.hex()};\r\n" for t, frame in frames())
    level = "".join(f"<{round(t * 12e6):012x}a0{frame.hex()};\n" for t, frame in frames())
    return [plain.encode(), timed.encode(), level.encode()]


def raw_csv() -> list[bytes]:
    """CSV with time and frame, bare and with a heading."""
    lines = "".join(f"{START_S + t:.6f},{frame.hex()}\n" for t, frame in frames())
    return [lines.encode(), ("timestamp,rawmsg\n" + lines).encode()]


def raw_jsonl() -> list[bytes]:
    """JSON Lines with time and frame."""
    rows = [{"timestamp": START_S + t, "frame": frame.hex()} for t, frame in frames()]
    return ["".join(json.dumps(row) + "\n" for row in rows).encode()]


def sbs() -> list[bytes]:
    """SBS-1 lines of every kind of MSG and some that are none."""
    lines = ["STA,,5,179,400AE7,10103,2025/10/09,08:53:20.000,2025/10/09,08:53:20.000,RM"]
    for k, row in enumerate(flight()):
        minute, second = divmod(int(row["t"] - START_S), 60)
        when = f"2025/10/09,08:{53 + minute:02d}:{second:02d}.125"
        kind = (3, 4, 1, 5)[k % 4]
        lines.append(
            f"MSG,{kind},1,1,461F28,1,{when},{when},FIN85P,35000,320,42,{row['lat']},{row['lon']},-640,7700,0,-1,0,0"
        )
    return ["\r\n".join(lines).encode() + b"\r\n"]


def aircraft_json() -> list[bytes]:
    """readsb's list: several snapshots one after the other, and one with `ac` and milliseconds."""
    documents = []
    for row in flight(20):
        aircraft = {
            "hex": "461f28", "type": "adsb_icao", "flight": "FIN85P  ", "alt_baro": 35000, "alt_geom": 35500,
            "gs": 320.0, "track": row["track"], "baro_rate": -640, "squawk": "1407", "emergency": "none",
            "category": "A3", "lat": row["lat"], "lon": row["lon"], "nic": 8, "rc": 186, "seen_pos": 0.5, "version": 2,
            "nac_p": 9, "nac_v": 1, "sil": 3, "gva": 2, "seen": 0.2, "dbFlags": 1, "mlat": [], "messages": 100,
            "lastPosition": {"lat": 59.0, "lon": 25.0, "seen_pos": 75.0},
        }  # fmt: skip
        other = {
            "hex": "~2c7f01",
            "type": "tisb_other",
            "alt_baro": "ground",
            "lat": 60.3,
            "lon": 24.9,
            "gs": 12,
        }
        documents.append({"now": row["t"], "messages": 7, "aircraft": [aircraft, other]})
    late = {"now": START_S * 1000, "ac": documents[0]["aircraft"]}
    return [b"\n".join(json.dumps(d).encode() for d in documents), json.dumps(late).encode()]


def trace() -> list[bytes]:
    """readsb's trace of one aircraft."""
    details = {
        "flight": "FIN85P",
        "squawk": "1407",
        "nic": 8,
        "rc": 186,
        "nac_p": 9,
        "sil": 3,
        "type": "adsb_icao",
    }
    rows = [
        [r["t"] - START_S, r["lat"], r["lon"], 35000 if k % 7 else "ground", 320.0, r["track"], k % 16, -640,
         details if k % 4 == 0 else None, "adsb_icao", 35500, None, 280, -1.5]
        for k, r in enumerate(flight())
    ]  # fmt: skip
    return [json.dumps({"icao": "461f28", "timestamp": START_S, "dbFlags": 1, "trace": rows}).encode()]


def _traffic() -> list[dict[str, Any]]:
    return [
        {"timestamp": r["t"] * 1000, "icao24": "3b7000", "latitude": r["lat"], "longitude": r["lon"],
         "groundspeed": 320.0, "track": r["track"], "vertical_rate": -640.0, "callsign": "TEST1", "altitude": 35000.0,
         "last_position": r["t"] * 1000, "squawk": "1407", "onground": False}
        for r in flight()
    ]  # fmt: skip


def _opensky() -> list[dict[str, Any]]:
    return [
        {"time": int(r["t"]), "icao24": "3b7001", "lat": r["lat"], "lon": r["lon"], "velocity": r["speed"],
         "heading": r["track"], "vertrate": r["rate"], "callsign": "TEST2   ", "onground": "false", "squawk": "1407",
         "baroaltitude": r["altitude"], "geoaltitude": 10_800.0, "lastposupdate": r["t"], "lastcontact": r["t"] + 0.5}
        for r in flight()
    ]  # fmt: skip


def vectors_csv() -> list[bytes]:
    """State vectors in CSV, both dialects, commas and semicolons."""
    made = []
    for rows, mark in ((_traffic(), ","), (_opensky(), ","), (_opensky(), ";")):
        lines = [mark.join(rows[0]), *(mark.join(str(value) for value in row.values()) for row in rows)]
        made.append("\n".join(lines).encode())
    return made


def vectors_json() -> list[bytes]:
    """State vectors as an array and by columns."""
    rows = _traffic()
    columns = {name: {str(k): row[name] for k, row in enumerate(rows)} for name in rows[0]}
    return [json.dumps(rows).encode(), json.dumps(columns).encode(), json.dumps(_opensky()).encode()]


def vectors_jsonl() -> list[bytes]:
    """State vectors, one object a line."""
    return ["".join(json.dumps(row) + "\n" for row in rows).encode() for rows in (_traffic(), _opensky())]


def opensky_rest() -> list[bytes]:
    """OpenSky's REST answers, one after the other."""
    answers = []
    for r in flight(20):
        state = ["3b7001", "TEST2   ", "Nowhere", r["t"], r["t"], r["lon"], r["lat"], r["altitude"], False, r["speed"],
                 r["track"], r["rate"], None, 10_800.0, "1407", False, 0, 4]  # fmt: skip
        answers.append({"time": int(r["t"]), "states": [state, state[:17]]})
    return [b"\n".join(json.dumps(answer).encode() for answer in answers)]


def _parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _arrow(table: pa.Table, *, is_stream: bool) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_stream if is_stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def vectors_parquet() -> list[bytes]:
    """State vectors in Parquet and in Arrow's file and stream forms."""
    table = pa.Table.from_pylist(_opensky())
    plain = _parquet(table, compression="none", use_dictionary=False)
    return [plain, _parquet(table), _arrow(table, is_stream=False), _arrow(table, is_stream=True)]


def reports_parquet() -> list[bytes]:
    """Our own reports in Parquet and Arrow."""
    made = []
    for seed in range(3):
        table = make_reports(random_rows(seed, tracks=3, count=20))
        plain = _parquet(table, compression="none", use_dictionary=False)
        made += [plain, _parquet(table, compression="zstd"), _arrow(table, is_stream=bool(seed % 2))]
    return made


def strange_reports() -> list[bytes]:
    """Report tables that are valid in form and wild in content: every number anywhere, every text."""
    made = []
    for seed in range(4):
        table = make_reports(random_rows(seed, tracks=3, count=20))
        rng = np.random.default_rng(seed)
        for place, field in enumerate(table.schema):
            if pa.types.is_floating(field.type) and field.name not in ("latitude_deg", "longitude_deg"):
                wild = rng.choice([0.0, -1.0, 1e-300, 1e300, np.inf, -np.inf, np.nan, 1e9], table.num_rows)
                column = pa.array(np.where(rng.random(table.num_rows) < 0.2, wild, np.nan), from_pandas=False)
                table = table.set_column(place, field, column)
            elif field.type == pa.int8():
                wild = rng.integers(-128, 128, table.num_rows).astype(np.int8)
                table = table.set_column(place, field, pa.array(wild))
            elif field.type == pa.string() and field.name not in ("sensor_kind", "reject_reason"):
                texts = [
                    "",
                    "a/b",
                    "~",
                    "@",
                    "ÄÖ\x00",
                    "x" * 300,
                    "4601f7",
                    None if field.name != "sensor" else "s",
                ]
                wild = [texts[k] for k in rng.integers(0, len(texts), table.num_rows)]
                table = table.set_column(place, field, pa.array(wild, pa.string()))
        made.append(_parquet(table, compression="none", use_dictionary=False))
        times = rng.choice([-(2**63), -1, 0, 1, 2**61, 2**62, 2**62 + 1, 2**63 - 1, START_NS], table.num_rows)
        for name in ("time_of_applicability", "received_at", "last_position"):
            place = table.schema.names.index(name)
            column = pa.array(rng.permutation(times)).view(table.schema.field(name).type)
            table = table.set_column(place, table.schema.field(name), column)
        made.append(_parquet(table, compression="none", use_dictionary=False))
    return made


TARGETS = (
    Target("beast", "beast", beast, "helsinki_beast/*.bin.xz"),
    Target("raw-avr", "raw", raw_avr),
    Target("raw-csv", "raw", raw_csv, "mode_s_long_flight/long_flight.csv.gz"),
    Target("raw-jsonl", "raw", raw_jsonl, "traffic_samples/full_flight_short.jsonl.gz"),
    Target("sbs", "sbs", sbs),
    Target("aircraft-json", "aircraft-json", aircraft_json),
    Target("trace", "trace", trace, "traffic_samples/trace_full_*.json.gz"),
    Target("vectors-csv", "state-vectors", vectors_csv),
    Target("vectors-json", "state-vectors", vectors_json, "traffic_samples/bornholm.json.gz"),
    Target("vectors-jsonl", "state-vectors", vectors_jsonl),
    Target("opensky-rest", "state-vectors", opensky_rest),
    Target("vectors-parquet", "parquet", vectors_parquet),
    Target("reports-parquet", "reports", reports_parquet),
    Target("strange-reports", "reports", strange_reports),
)

RECORDED_BYTES = 30_000  # of a recording: mutation is of small inputs, many of them


def recorded(target: Target, folder: Path | None) -> list[bytes]:
    """Beginnings of real recordings of this format; whole where a document has no beginning."""
    if folder is None or target.recordings is None:
        return []
    found = []
    for path in sorted(folder.glob(target.recordings))[:3]:
        with lzma.open(path) if path.suffix == ".xz" else gzip.open(path) as content:
            found.append(content.read(RECORDED_BYTES))
    return found
