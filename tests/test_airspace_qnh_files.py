"""Files of QNH: what is read, and one clear error for what is not."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights import qnh_files
from airvigil.airspace.heights.qnh import QnhBook
from airvigil.airspace.heights.qnh_files import observations_of_qnh
from airvigil.errors import DecodeError
from airvigil.reports import OBSERVATION_SCHEMA
from airvigil.units import utc_ns

CSV = b"""time,station,latitude_deg,longitude_deg,qnh_hpa,temperature_c,elevation_m,received_at,source
2026-01-07T06:20:00Z,EFHK,60.3172,24.9633,1013,-12,55,2026-01-07T06:24:00Z,METAR
2026-01-07T06:50:00Z,EFHK,60.3172,24.9633,1012.6,,55,,
"""
# the columns of a public archive of METARs
ARCHIVE = b"""#DEBUG: nothing
station,valid,lon,lat,elevation,tmpf,alti,metar
EFHK,2026-01-07 06:20,24.9633,60.3172,55.00,10.40,29.91,EFHK 070620Z 03008KT CAVOK M12/M15 Q1013 NOSIG

EFHK,2026-01-07 06:50,24.9633,60.3172,M,M,M,EFHK 070650Z AUTO ///// Q////
EFHK,2026-01-07 07:20,24.9633,60.3172,M,M,M,"EFHK 070720Z 03008KT CAVOK M11/M15 Q1014"
"""


def values(raw: bytes) -> list[dict[str, Any]]:
    table = observations_of_qnh(raw, "metars")
    assert table.schema.equals(OBSERVATION_SCHEMA)
    assert set(table["kind"].to_pylist()) <= {"qnh"}
    return [json.loads(value) for value in table["value"].to_pylist()]


def test_csv_with_our_columns() -> None:
    table = observations_of_qnh(CSV, "qnh.csv")
    assert [v["qnh_hpa"] for v in values(CSV)] == [1013.0, 1012.6]
    assert [v.get("temperature_c") for v in values(CSV)] == [-12.0, None]
    seconds = table["received_at"].cast(pa.int64()).to_pylist()
    assert seconds == [utc_ns(t) for t in ("2026-01-07T06:24:00Z", "2026-01-07T06:50:00Z")]
    assert table["source"].to_pylist() == ["METAR", None]


def test_an_archives_names_and_metars() -> None:
    first, second = values(ARCHIVE)
    assert first == {
        "station": "EFHK",
        "latitude_deg": 60.3172,
        "longitude_deg": 24.9633,
        "elevation_m": 55.0,
        "qnh_hpa": 1013.0,
        "temperature_c": -12.0,
    }
    assert (second["qnh_hpa"], "elevation_m" in second) == (1014.0, False)


def test_json_says_the_same() -> None:
    items = [
        {"time": "2026-01-07T06:20:00Z", "station": "EFHK", "lat": 60.3172, "lon": 24.9633, "qnh_hpa": 1013}
    ]
    assert values(json.dumps(items).encode())[0]["qnh_hpa"] == 1013.0
    assert values(b"[]") == []


def test_a_column_of_its_own_goes_before_the_metar() -> None:
    raw = (
        b"time,station,lat,lon,qnh_hpa,metar\n2026-01-07T06:20Z,EFHK,60,25,1001.3,EFHK 070620Z 01/00 Q1013\n"
    )
    assert [(v["qnh_hpa"], v["temperature_c"]) for v in values(raw)] == [(1001.3, 1.0)]


def test_a_book_takes_the_rows() -> None:
    book = QnhBook()
    assert book.take(observations_of_qnh(ARCHIVE, "metars.csv")) == 0
    assert [o.qnh_hpa for o in book.observations] == [1013.0, 1014.0]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\xff\xfe", "q.csv: expected UTF-8 text, byte 0 is not"),
        (b"", "expected a header line"),
        (b"a,b\n1,2\n", "expected a header line, got"),
        (CSV + b"2026-01-07T06:50:00Z,EFHK\n", "q.csv, line 4: expected 9 columns, got 2"),
        (CSV.replace(b"1012.6", b"29.92"), "line 3: qnh_hpa: expected a number from 850 to 1100, got 29.92"),
        (CSV.replace(b"1012.6", b"high"), "line 3: qnh_hpa: expected a number, got 'high'"),
        (CSV.replace(b"1012.6", b"nan"), "line 3: qnh_hpa: expected a number from 850"),
        (CSV.replace(b"2026-01-07T06:50:00Z", b"yesterday"), "line 3: time: expected an ISO 8601 time"),
        (
            CSV.replace(b"2026-01-07T06:50:00Z", b"9999-01-07T06:50:00Z"),
            "line 3: time: expected an ISO 8601 time",
        ),
        (ARCHIVE.replace(b"2026-01-07 07:20", b""), "line 6: time: expected an ISO 8601 time, got None"),
        (b"[1]", "item 1: expected an object"),
        (b"[", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'[{"time": "2026-01-07T06:20Z", "lat": [1]}]', "item 1: latitude_deg: expected a number"),
        (b'time,station\n"' + b"x" * 200_000, "not CSV"),
    ],
)
def test_a_file_that_is_none_is_one_error_with_its_place(raw: bytes, says: str) -> None:
    with pytest.raises(DecodeError) as error:
        observations_of_qnh(raw, "q.csv")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qnh_files, "MOST_ROWS", 1)
    with pytest.raises(DecodeError, match="more than 1 observations"):
        observations_of_qnh(CSV, "q.csv")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(lambda t: CSV + t.encode())))
def test_any_bytes_are_rows_or_a_decode_error(raw: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert observations_of_qnh(raw, "q").schema.equals(OBSERVATION_SCHEMA)
