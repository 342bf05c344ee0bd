"""Tables in Parquet and Arrow files: our own reports, and other people's state vectors."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airvigil.errors import DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.json_documents import row_digest
from airvigil.feeds.open_feed import open_feed
from airvigil.reports import REPORT_SCHEMA, concat_reports, reports_from_columns

T_NS = 1_726_560_266_000_000_000
OPTIONS = FeedOptions(sensor="table")

REPORTS = reports_from_columns(
    {
        "time_of_applicability": [T_NS, T_NS + 5],
        "received_at": [T_NS + 1, T_NS + 6],
        "sensor": ["north", "south"],
        "sensor_kind": ["adsb", "radar"],
        "frame_digest": [bytes(32), bytes(range(32))],
        "reject_reason": [None, "bad_crc"],
        "latitude_deg": [59.8, float("nan")],
        "longitude_deg": [26.3, float("nan")],
        "nac_p": pa.array([9, None], pa.int8()),
    },
    length=2,
)


def parquet_bytes(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def arrow_bytes(table, *, is_stream):
    sink = io.BytesIO()
    with (pa.ipc.new_stream if is_stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def read(content, name=None, options=OPTIONS, chunk=1 << 20):
    feed = open_feed(name, options, head=content[:65536])
    tables = [feed.decode(content[i : i + chunk], 0) for i in range(0, len(content), chunk)]
    return concat_reports([*tables, feed.finish()])


@pytest.mark.parametrize(
    "content",
    [parquet_bytes(REPORTS), arrow_bytes(REPORTS, is_stream=False), arrow_bytes(REPORTS, is_stream=True)],
)
def test_reports_come_back_as_they_were(content):
    for name in (None, "reports", "parquet"):
        assert read(content, name, chunk=100).equals(REPORTS, check_metadata=True)


def test_extra_columns_are_left_out_and_order_does_not_matter():
    shuffled = REPORTS.select(REPORT_SCHEMA.names[::-1]).append_column("note", pa.array(["a", "b"]))
    assert read(parquet_bytes(shuffled)).equals(REPORTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [(lambda t: t.drop_columns(["sil"]), "lacks column sil"),
     (lambda t: t.set_column(0, "time_of_applicability", pa.array([T_NS, T_NS])), "expected timestamp"),
     (lambda t: t.set_column(2, "sensor", pa.array(["a", None])), "null is not allowed"),
     (lambda t: t.set_column(3, "sensor_kind", pa.array(["adsb", "crystal_ball"])), "crystal_ball"),
     (lambda t: t.set_column(t.schema.get_field_index("latitude_deg"), "latitude_deg", pa.array([95.0, None])), "latitude_deg")],
)  # fmt: skip
def test_tables_that_only_almost_fit_are_refused(change, message):
    with pytest.raises(DecodeError, match=message):
        read(parquet_bytes(change(REPORTS)), "reports")


def state_vectors(rows=3, unit="ns"):
    seconds = [T_NS // 10**9 + i for i in range(rows)]
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return pa.table(
        {
            "timestamp": pa.array([s * factor for s in seconds], pa.timestamp(unit, tz="UTC")),
            "icao24": pa.array(["4baac6"] * rows).dictionary_encode(),
            "latitude": [49.67] * rows,
            "longitude": [23.9] * rows,
            "altitude": pa.array([38000.0] * rows, pa.float32()),
            "groundspeed": [450.0, float("nan"), None][:rows] if rows == 3 else [450.0] * rows,
        }
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_state_vectors_in_traffics_form(unit):
    table = read(parquet_bytes(state_vectors(unit=unit)))
    assert [time.value for time in table["time_of_applicability"]] == [T_NS, T_NS + 10**9, T_NS + 2 * 10**9]
    assert table["pressure_altitude_m"].to_pylist() == [pytest.approx(11582.4)] * 3
    assert table["ground_speed_mps"].to_pylist() == [pytest.approx(231.5), None, None]
    assert table["reject_reason"].null_count == 3


def test_digest_of_a_row_is_that_of_its_values():
    table = read(parquet_bytes(state_vectors()))
    values = {
        "timestamp": T_NS + 10**9,
        "icao24": "4baac6",
        "latitude": 49.67,
        "longitude": 23.9,
        "altitude": 38000.0,
        "groundspeed": None,
    }
    assert table["frame_digest"][1].as_py() == row_digest(values)


def test_naive_times_and_dates_of_python_are_utc():
    table = state_vectors(1).set_column(
        0, "timestamp", pa.array([datetime(2024, 9, 17, 8, 4, 26, tzinfo=UTC).replace(tzinfo=None)])
    )
    assert read(parquet_bytes(table))["received_at"][0].value == T_NS


def test_unclear_units_are_refused_unless_stated():
    content = parquet_bytes(
        state_vectors().rename_columns(["time", "icao24", "lat", "lon", "altitude", "velocity"])
    )
    with pytest.raises(DecodeError, match="units are not clear"):
        read(content)
    assert read(content, "parquet:traffic")["pressure_altitude_m"][0].as_py() == pytest.approx(11582.4)
    assert read(content, "state-vectors:opensky")["pressure_altitude_m"][0].as_py() == 38000.0


def test_a_file_beyond_the_bound_is_refused():
    feed = open_feed("parquet", OPTIONS, max_document_bytes=1000)
    with pytest.raises(DecodeError, match="longer than 1,000 bytes"):
        feed.decode(bytes(1001), 0)


CONTENTS = {
    "reports": parquet_bytes(REPORTS),
    "states": parquet_bytes(state_vectors()),
    "arrow": arrow_bytes(REPORTS, is_stream=False),
}


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1" * 10, *(c[: len(c) // 2] for c in CONTENTS.values())]
)
def test_cut_off_files_are_decode_errors(content):
    with pytest.raises(DecodeError):
        read(content, "parquet")


@pytest.mark.parametrize("name", CONTENTS)
def test_mutated_bytes_give_rows_or_a_decode_error(name):
    content = CONTENTS[name]
    edits = st.tuples(st.integers(4, len(content) - 1), st.binary(min_size=1, max_size=4))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(edits, min_size=1, max_size=4))
    def check(changes):
        mutated = bytearray(content)
        for place, replacement in changes:
            mutated[place : place + len(replacement)] = replacement
        try:
            read(bytes(mutated), "parquet").validate(full=True)
        except DecodeError:
            return

    check()


def test_a_column_name_that_is_not_utf_8_is_the_senders_fault() -> None:
    # found by fuzzing: Arrow gives out the bytes, and only reading the name fails
    content = arrow_bytes(REPORTS, is_stream=True).replace(b"sensor_kind", b"sensor_\xf5\xf5\xf5\xf5")
    with pytest.raises(DecodeError, match="UTF-8"):
        read(content)
