"""The report table: missing columns are null, NaN is null, and what does not fit is told by its name."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from airvigil.errors import SchemaError
from airvigil.reports import (
    OBSERVATION_SCHEMA,
    REPORT_SCHEMA,
    check_reports,
    concat_reports,
    describe_columns,
    empty_reports,
    reports_from_columns,
)


def test_missing_columns_are_null_and_nobody_is_a_reconstruction_by_default() -> None:
    table = reports_from_columns({"sensor": ["a", "b"]}, length=2)
    assert table.schema == REPORT_SCHEMA
    assert table["latitude_deg"].null_count == 2
    assert table["is_reconstruction"].to_pylist() == [False, False]


def test_nan_becomes_null_and_zero_stays_zero() -> None:
    table = reports_from_columns({"ground_speed_mps": np.array([math.nan, 0.0])}, length=2)
    assert table["ground_speed_mps"].to_pylist() == [None, 0.0]


@pytest.mark.parametrize("name", ["latitude", "altitude", "Sensor"])
def test_a_column_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(SchemaError, match=name):
        reports_from_columns({name: [1.0]}, length=1)


def test_a_column_of_another_length_is_named() -> None:
    with pytest.raises(SchemaError, match="sensor: expected 3 rows, got 2"):
        reports_from_columns({"sensor": ["a", "b"]}, length=3)


def test_a_table_of_the_schema_passes_unchanged() -> None:
    table = reports_from_columns({"sensor": ["a"]}, length=1)
    assert check_reports(table) is table


def test_a_table_without_a_column_or_with_another_type_is_told() -> None:
    table = reports_from_columns({"sensor": ["a"]}, length=1)
    with pytest.raises(SchemaError, match="lacks column nic"):
        check_reports(table.drop_columns(["nic"]))
    wrong = table.set_column(table.schema.get_field_index("nic"), "nic", pa.array([7], pa.int64()))
    with pytest.raises(SchemaError, match="nic: expected int8, got int64"):
        check_reports(wrong)


def test_tables_are_put_one_after_the_other() -> None:
    parts = [reports_from_columns({"sensor": [name]}, length=1) for name in "ab"]
    assert concat_reports(parts)["sensor"].to_pylist() == ["a", "b"]
    assert concat_reports([]).equals(empty_reports())


@pytest.mark.parametrize("schema", [REPORT_SCHEMA, OBSERVATION_SCHEMA])
def test_every_column_says_its_unit_its_null_and_what_it_is(schema: pa.Schema) -> None:
    rows = list(describe_columns(schema))
    assert [row[0] for row in rows] == schema.names
    assert all(all(row) for row in rows)


def test_names_of_columns_end_in_the_unit_that_they_state() -> None:
    ends = {"deg WGS84": "_deg", "deg true": "_deg", "m/s": "_mps", "m/s up": "_mps", "m": "_m", "m^2": "_m2"}
    for name, _, unit, _, _ in describe_columns():
        if unit in ends:
            assert name.endswith(ends[unit]), name
