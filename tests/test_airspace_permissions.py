"""The book of permissions: what was known when, and that nothing malformed gets in or stops the run."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.permissions.permissions import PermissionBook, permission_from_value
from airvigil.errors import ConfigError
from airvigil.reports import OBSERVATION_SCHEMA

PLAIN = {"permission_id": "D-1", "kind": "exemption", "icao24": "43c0de", "volumes": ["SQR"]}


def observation(value: Any, *, known: int = 0, applies: int | None = None, kind: str = "permission") -> list:
    text = value if isinstance(value, str) else json.dumps(value)
    return [known if applies is None else applies, known, "duty officer", kind, None, text, "desk"]


def table(*rows: list) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=OBSERVATION_SCHEMA)


def book(*rows: list, passed: int = -(2**62)) -> PermissionBook:
    made = PermissionBook()
    made.taken(table(*rows), passed)
    assert made.refused == []
    return made


def ids(made: PermissionBook, known: int) -> list[str]:
    return [p.permission_id for p in made.as_of(known)]


def test_a_permission_counts_from_when_it_was_received() -> None:
    made = book(observation(PLAIN, known=100))
    assert ids(made, 99) == []
    assert ids(made, 100) == ["D-1"]


def test_the_same_id_entered_again_takes_the_place_of_the_first_from_then_on() -> None:
    made = book(observation(PLAIN, known=10), observation({**PLAIN, "volumes": ["XYZ"]}, known=20))
    assert [p.volumes for p in made.as_of(19)] == [("SQR",)]
    assert [p.volumes for p in made.as_of(20)] == [("XYZ",)]
    assert len(made.entries) == 2


def test_a_withdrawal_ends_a_permission_and_does_not_delete_it() -> None:
    gone = {"permission_id": "D-1", "withdrawn": True}
    made = book(observation(PLAIN, known=10), observation(gone, known=30, applies=25))
    assert made.as_of(29)[0].withdrawn_ns is None
    assert made.as_of(30)[0].withdrawn_ns == 25


def test_a_replacement_names_what_it_replaces() -> None:
    made = book(
        observation(PLAIN, known=10),
        observation({**PLAIN, "permission_id": "D-2", "replaces": "D-1"}, known=20),
    )
    assert ids(made, 19) == ["D-1"]
    assert ids(made, 20) == ["D-2"]


def test_what_comes_after_the_watermark_has_passed_it_counts_from_the_watermark() -> None:
    made = book(observation(PLAIN, known=10), passed=50)
    assert ids(made, 49) == []
    assert ids(made, 50) == ["D-1"]


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[]",
        "7",
        '{"permission_id":"x"}',
        '{"withdrawn":true}',
        "[" * 100_000,
        json.dumps({**PLAIN, "wings": 2}),
    ],
)
def test_what_cannot_be_read_is_refused_and_said_so(value: str) -> None:
    made = PermissionBook()
    made.taken(table(observation(value, known=5)), 0)
    assert made.refusals(5) == []
    (event,) = made.refusals(6)
    assert made.refusals(6) == []
    assert (event["event"], event["time_ns"]) == ("permission_refused", 5)
    assert event["reason"]
    assert made.entries == []


def test_observations_of_other_kinds_are_left_alone() -> None:
    made = PermissionBook()
    made.taken(table(observation("{", kind="radio_contact")), 0)
    assert made.entries == made.refused == []


@given(st.permutations(range(6)), st.integers(0, 40))
def test_the_order_of_arrival_does_not_matter(order: list[int], known: int) -> None:
    rows = [
        observation(PLAIN, known=10),
        observation({"permission_id": "D-1", "withdrawn": True}, known=10),
        observation({**PLAIN, "permission_id": "D-2"}, known=20),
        observation({**PLAIN, "permission_id": "D-2", "volumes": ["A"]}, known=20),
        observation({**PLAIN, "permission_id": "D-3", "replaces": "D-2"}, known=30),
        observation({"permission_id": "D-3", "withdrawn": True}, known=35, applies=31),
    ]
    made = PermissionBook()
    for k in order:
        made.taken(table(rows[k]), -(2**62))
    assert made.as_of(known) == book(*rows).as_of(known)
    assert PermissionBook.from_plain(json.loads(json.dumps(made.to_plain()))).as_of(known) == made.as_of(
        known
    )


def test_candidates_are_found_by_every_identifier() -> None:
    made = book(
        observation({**PLAIN, "permission_id": "address"}),
        observation({**PLAIN, "permission_id": "block", "icao24": None, "addresses": ["43c000", "43cfff"]}),
        observation({**PLAIN, "permission_id": "call", "icao24": None, "callsign": "GAF12"}),
        observation({**PLAIN, "permission_id": "mark", "icao24": None, "registration": "D-EABC"}),
        observation({**PLAIN, "permission_id": "fleet", "icao24": None, "operator": "GAF"}),
        observation({**PLAIN, "permission_id": "open", "icao24": None, "anyone": True}),
    )

    def found(icao24: str | None, callsign: str | None) -> list[str]:
        return [v.permission.permission_id for v in made.named_by(icao24, callsign)]

    assert found("43c0de", None) == ["address", "block", "open"]
    assert found(None, "GAF12") == ["call", "fleet", "open"]
    assert found(None, "DEABC") == ["mark", "open"]
    assert found("46ffff", "SAS1") == ["open"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kind": "favour"}, "kind: expected one of"),
        ({"kind": None}, "kind: expected a value"),
        ({"permission_id": ""}, "permission_id: expected a value"),
        ({"permission_id": 7}, "permission_id: expected text"),
        ({"icao24": "43c0d"}, "icao24: expected a 24-bit address"),
        ({"icao24": "ffffff"}, "icao24: expected a 24-bit address"),
        ({"addresses": ["43c0de"]}, "addresses: expected the first and the last"),
        ({"addresses": "43cfff 43c000"}, "addresses: expected a first address not after"),
        ({"callsign": "TOO LONG A NAME"}, "callsign: expected letters and digits"),
        ({"operator": "GA1"}, "operator: expected letters"),
        ({"anyone": "maybe"}, "anyone: expected true or false"),
        ({"icao24": None}, "says of nobody whom it is for"),
        ({"volumes": [1]}, "volumes: expected at most"),
        ({"valid_from": "yesterday"}, "valid_from: expected an ISO 8601 time"),
        ({"valid_from": 20250101}, "valid_from: expected an ISO 8601 time"),
        ({"valid_from": "2025-01-02", "valid_to": "2025-01-01"}, "valid_to is before valid_from"),
        ({"tolerance_s": -1}, "tolerance_s: expected a number from 0"),
        ({"tolerance_s": float("nan")}, "tolerance_s: expected a number from 0"),
        ({"tolerance_s": True}, "tolerance_s: expected a number from 0"),
        ({"upper": "1000 ft"}, "upper: expected a limit with its reference"),
        ({"upper": "very high"}, "not a limit"),
        ({"upper": "SFC"}, "upper: expected a height that leaves something"),
        ({"lower": "FL200", "upper": "FL100"}, "is not below upper limit"),
        ({"route": [[59, 24]]}, "route: expected 2 to"),
        ({"route": [[59, 24], [95, 24]]}, "route: expected latitude and longitude on Earth"),
        ({"route": "59 24; 60"}, "route: expected latitude and longitude in degrees"),
        ({"route": [[0, 0], [0, 90]]}, "route: expected legs of at most"),
        ({"half_width_m": 100}, "half_width_m without a route"),
        ({"wings": 2}, "unknown field 'wings'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_place_and_value(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        permission_from_value({**PLAIN, **changed}, where="list.csv line 7")
    assert str(raised.value).startswith("list.csv line 7: ")
    assert words in str(raised.value)


def test_texts_of_csv_and_values_of_json_are_the_same_permission() -> None:
    typed = {
        **PLAIN,
        "volumes": ["A", "B"],
        "route": [[59.0, 24.0], [60.0, 25.5]],
        "half_width_m": 5000,
        "anyone": True,
    }
    written = {**PLAIN, "volumes": "A B", "route": "59 24; 60 25.5", "half_width_m": "5000", "anyone": "yes"}
    assert permission_from_value(typed) == permission_from_value(written)
