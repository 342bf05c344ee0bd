"""Report tables as records: unknown stays unknown, identity makes keys, and the order of a track is total."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.reports import REPORT_SCHEMA, SENSOR_KINDS
from airvigil.tracking.rows import (
    BAD_ACCURACY,
    BAD_POSITION,
    NO_IDENTITY,
    ROW,
    USABLE,
    Arrivals,
    find_faults,
    rows_of,
)
from airvigil.tracking.texts import text_of
from small_world import START_NS, make_reports


def record(**columns: Any) -> Any:
    return rows_of(make_reports([{"time_s": 0.0, "icao24": "4601f7", **columns}])).rows[0]


def reasons(arrivals: Arrivals) -> list[str | None]:
    return [arrivals.reason(i) for i in range(len(arrivals.rows))]


def test_unknown_is_nan_or_minus_one_and_zero_stays_zero() -> None:
    row = record()
    assert all(
        math.isnan(row[name])
        for name in ("lat", "lon", "speed_mps", "pressure_altitude_m", "rc_m", "bias_m", "cov_en")
    )
    assert [
        int(row[name]) for name in ("nic", "nac_p", "nac_v", "on_ground", "is_state", "last_position")
    ] == [-1] * 6
    zero = record(nic=0, ground_speed_mps=0.0, on_ground=False, latitude_deg=0.0, longitude_deg=0.0)
    assert (zero["nic"], zero["speed_mps"], zero["on_ground"], zero["lat"]) == (0, 0.0, 0, 0.0)


def test_values_beside_unknown_ones_are_kept() -> None:
    table = make_reports([{"time_s": 0.0, "icao24": "a00000", "nic": 8}, {"time_s": 1.0, "icao24": "a00000"}])
    assert rows_of(table).rows["nic"].tolist() == [8, -1]


def test_times_are_exact_nanoseconds() -> None:
    row = record(time_s=1e-9)
    assert (int(row["time"]), int(row["received"])) == (START_NS + 1, START_NS + 1)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8))
def test_a_callsign_survives_being_a_number(callsign: str) -> None:
    assert text_of(int(record(callsign=callsign)["callsign"])) == callsign


def test_text_that_is_too_long_is_cut_and_what_is_not_ascii_is_marked() -> None:
    assert text_of(int(record(callsign="ABCDEFGHIJ")["callsign"])) == "ABCDEFGH"
    assert text_of(int(record(callsign="ÅLAND")["callsign"])) == "?LAND"
    assert text_of(int(record()["callsign"])) is None
    assert text_of(int(record(squawk="0000")["squawk"])) == "0000"


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"icao24": "4601f7"}, "4601f7"),
        ({"icao24": "4601f7", "is_icao_address": True}, "4601f7"),
        ({"icao24": "4601f7", "is_icao_address": False}, "~4601f7"),
        ({"sensor": "radar", "sensor_track": "7"}, "radar/7"),
        ({"icao24": "4601f7", "sensor_track": "7"}, "4601f7"),
    ],
)
def test_a_track_is_its_address_or_else_its_sensors_number(columns: dict[str, Any], key: str) -> None:
    arrivals = rows_of(make_reports([{"time_s": 0.0, **columns}]))
    assert arrivals.key(0) == key
    assert reasons(arrivals) == [None]


def test_the_same_number_of_two_sensors_is_two_tracks() -> None:
    arrivals = rows_of(
        make_reports([{"time_s": 0.0, "sensor": s, "sensor_track": "7"} for s in ("north", "south")])
    )
    assert len({arrivals.key(0), arrivals.key(1)}) == 2


def test_without_any_identity_a_row_is_rejected() -> None:
    arrivals = rows_of(make_reports([{"time_s": 0.0}, {"time_s": 1.0, "icao24": "4601f7"}]))
    assert reasons(arrivals) == ["no_identity", None]


def test_a_feeds_own_reject_reason_comes_first() -> None:
    assert reasons(rows_of(make_reports([{"time_s": 0.0, "reject_reason": "bad_crc"}]))) == ["bad_crc"]


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(91.0, 0.0), (-90.1, 0.0), (0.0, 361.0), (1.0, None), (None, 1.0), (math.inf, 0.0), (0.0, -math.inf)],
)
def test_a_position_that_is_nowhere_on_earth_is_bad(lat: float | None, lon: float | None) -> None:
    table = make_reports([{"time_s": 0.0, "icao24": "4601f7", "latitude_deg": lat, "longitude_deg": lon}])
    assert reasons(rows_of(table)) == ["bad_position"]


def test_the_poles_and_the_antimeridian_are_on_earth() -> None:
    for lat, lon in ((90.0, 0.0), (-90.0, 180.0), (0.0, -180.0)):
        table = make_reports([{"time_s": 0.0, "icao24": "4601f7", "latitude_deg": lat, "longitude_deg": lon}])
        assert reasons(rows_of(table)) == [None]


def test_sensor_kinds_are_their_numbers_and_an_unknown_one_is_a_state_vector() -> None:
    for kind in SENSOR_KINDS:
        assert SENSOR_KINDS[record(sensor_kind=kind)["kind"]] == kind
    assert SENSOR_KINDS[record(sensor_kind="sonar")["kind"]] == "state_vector"


def test_rows_of_one_time_have_an_order_that_does_not_depend_on_their_place() -> None:
    rows = [
        {"time_s": 0.0, "icao24": "4601f7", "latitude_deg": 1.0 + k, "longitude_deg": 1.0} for k in range(20)
    ]
    forward, backward = rows_of(make_reports(rows)).rows, rows_of(make_reports(rows[::-1])).rows
    assert forward["tie"].tolist() == backward["tie"][::-1].tolist()
    assert len(set(forward["tie"].tolist())) == 20


def test_the_same_frame_at_two_receivers_has_two_ties() -> None:
    table = make_reports([{"time_s": 0.0, "icao24": "4601f7", "sensor": s} for s in "ab"])
    digest = table.schema.get_field_index("frame_digest")
    same = table.set_column(digest, table.schema.field(digest), pa.array([b"\1" * 32] * 2, pa.binary(32)))
    assert len(set(rows_of(same).rows["tie"].tolist())) == 2


def test_a_table_of_many_chunks_gives_the_rows_of_one() -> None:
    rows = [
        {"time_s": float(k), "icao24": f"4601f{k}", "sensor": f"s{k % 2}", "callsign": f"C{k}"}
        for k in range(6)
    ]
    whole = make_reports(rows)
    pieces = pa.concat_tables([whole.slice(k, 2) for k in (0, 2, 4)])
    a, b = rows_of(whole), rows_of(pieces)
    for name in a.rows.dtype.names or ():
        if name != "sensor":
            assert a.rows[name].tobytes() == b.rows[name].tobytes()
    assert [a.key(i) for i in range(6)] == [b.key(i) for i in range(6)]
    assert [a.sensors[s] for s in a.rows["sensor"]] == [b.sensors[s] for s in b.rows["sensor"]]


def test_an_empty_table_has_no_rows() -> None:
    arrivals = rows_of(REPORT_SCHEMA.empty_table())
    assert len(arrivals.rows) == 0


ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1.0, 4.0, 90.0, 90.5, 360.0, 361.0, 1e200])


def _plain_fault(lat: float, lon: float, ee: float, en: float, nn: float, bias: float) -> int:
    """What `find_faults` says of one row that has a key."""
    if math.isnan(lat) != math.isnan(lon) or abs(lat) > 90.0 or abs(lon) > 360.0:
        return BAD_POSITION
    if not all(math.isnan(value) for value in (ee, en, nn)):
        cross = 0.0 if math.isnan(en) else en
        if not all(math.isfinite(value) for value in (ee, nn, cross)) or not (ee > 0.0 and nn > 0.0):
            return BAD_ACCURACY
        if not ee * nn > cross * cross:
            return BAD_ACCURACY
    return BAD_ACCURACY if math.isinf(bias) or bias < 0.0 else USABLE


@given(st.lists(st.tuples(ODD, ODD, ODD, ODD, ODD, ODD), min_size=1, max_size=8), ODD)
def test_faults_are_found_as_the_rules_say_plainly(values: list[tuple[float, ...]], height_m: float) -> None:
    rows = np.zeros(len(values), ROW)
    for name, column in zip(
        ("lat", "lon", "cov_ee", "cov_en", "cov_nn", "bias_m"), zip(*values, strict=True), strict=True
    ):
        rows[name] = column
    rows["geometric_height_m"] = height_m
    has_key, reasons = np.ones(len(values), bool), np.zeros(len(values), np.int16)
    has_key[-1] = False
    find_faults(rows, has_key, reasons)
    assert reasons.tolist() == [*(_plain_fault(*row) for row in values[:-1]), NO_IDENTITY]
    kept = math.nan if math.isinf(height_m) else height_m
    assert np.array_equal(rows["geometric_height_m"], np.full(len(values), kept), equal_nan=True)
