"""Files of permissions: three forms, one meaning; what is wrong is named with line and field, and the rest is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.permissions.permission_files import COLUMNS, observations_of_permissions
from airvigil.airspace.permissions.permissions import PermissionBook
from airvigil.errors import ConfigError
from airvigil.reports import OBSERVATION_SCHEMA
from airvigil.units import utc_ns

PAGE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
CSV = """permission_id,kind,icao24,volumes,valid_from,valid_to,issuer,received_at,withdrawn_at
D-1,diplomatic_clearance,43C0DE,EST FIN,2026-01-06T05:00Z,2026-01-06T09:00Z,Ministry,2026-01-05T12:00Z,
D-2,exemption,43c0df,EST,,,Ministry,,2026-01-06T06:00Z
"""


def book(raw: str, name: str = "x") -> tuple[PermissionBook, list[str]]:
    table, rejected = observations_of_permissions(raw.encode(), name)
    assert table.schema.equals(OBSERVATION_SCHEMA)
    made = PermissionBook()
    made.taken(table, -(2**62))
    assert made.refused == []
    return made, rejected


def test_a_csv_file_says_who_when_and_since_when_it_is_known() -> None:
    made, rejected = book(CSV)
    assert rejected == []
    assert [p.permission_id for p in made.as_of(0)] == ["D-2"]  # no time of reception: known from the start
    noon = utc_ns("2026-01-05T12:00Z")
    assert [p.permission_id for p in made.as_of(noon)] == ["D-1", "D-2"]
    assert made.as_of(noon)[0].volumes == ("EST", "FIN")
    assert made.as_of(2**62)[1].withdrawn_ns == utc_ns("2026-01-06T06:00Z")
    table, _ = observations_of_permissions(CSV.encode(), "list.csv")
    assert (
        table["source"].to_pylist()[1]
        == "list.csv line 3; when it was received is not stated: known from the start"
    )
    assert table["author"].to_pylist()[0] == "Ministry"


def test_json_says_the_same() -> None:
    rows = [
        {"permission_id": "D-1", "kind": "diplomatic_clearance", "icao24": "43c0de", "volumes": ["EST", "FIN"],
         "valid_from": "2026-01-06T05:00Z", "valid_to": "2026-01-06T09:00Z", "issuer": "Ministry", "received_at": "2026-01-05T12:00Z"},
        {"permission_id": "D-2", "kind": "exemption", "icao24": "43c0df", "volumes": ["EST"], "issuer": "Ministry",
         "withdrawn_at": "2026-01-06T06:00Z"},
    ]  # fmt: skip
    for tree in (rows, {"permissions": rows}):
        assert book(json.dumps(tree))[0].as_of(2**62) == book(CSV)[0].as_of(2**62)


def test_messages_are_taken_as_they_are_sent_and_cancelled() -> None:
    text = """# what was filed
(FPL-MADEUP1-IS
-A320/M-SDFG/S-EFHK0600
-N0450F350 DCT 59N025E DCT-EETN0045-DOF/260106 CODE/461F00)

(FPL-MADEUP2-IS-A320/M-SDFG/S-EFHK0700-N0450F350 DCT-EETN0045-DOF/260106)
(CNL-MADEUP1-EFHK0600-EETN-DOF/260106)
(FPL-BROKEN-IS)
"""
    made, rejected = book(text, "plans.txt")
    first, second = made.as_of(0)
    assert (first.callsign, first.withdrawn_ns) == ("MADEUP1", utc_ns("2026-01-06T06:00Z"))
    assert (second.callsign, second.withdrawn_ns) == ("MADEUP2", None)
    assert rejected == [
        "plans.txt line 8: message: expected fields 7, 8, 9, 10, 13, 15, 16, 18 and perhaps 19, got 2 fields"
    ]


def test_a_message_in_json_may_be_given_places_and_volumes() -> None:
    entry = {"fpl": "(FPL-MADEUP1-IS-A320/M-SDFG/S-EFHK0600-N0450F350 DCT BALTI DCT-EETN0045-0)", "received_at": "2026-01-06T04:00Z", "volumes": ["EST"], "half_width_m": 5000}  # fmt: skip
    points = {"EFHK": [60.3, 24.9], "BALTI": [59.7, 25.5], "EETN": [59.4, 24.8]}
    made, rejected = book(json.dumps({"permissions": [entry], "points": points}))
    assert rejected == []
    (found,) = made.as_of(2**62)
    assert (found.volumes, found.half_width_m, len(found.route)) == (("EST",), 5000.0, 3)
    assert found.valid_from_ns == utc_ns("2026-01-06T06:00Z")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("D-3,favour,43c0de,EST,,,,,", "line 4: kind: expected one of"),
        ("D-3,exemption,43c0de", "line 4: expected a value for each column, got 3 cells"),
        ("D-3,exemption,,EST,,,,,", "line 4: D-3: says of nobody"),
        ("D-3,exemption,43c0de,EST,,,,1900-01-01T00:00Z,", "received_at: expected a time from 1970"),
        (
            "D-3,exemption,43c0de,EST,,,,2026-01-05T00:00Z,2026-01-04T00:00Z",
            "withdrawn_at is before received_at",
        ),
        ("D-3,exemption,43c0de,EST,noon,,,,", "valid_from: expected an ISO 8601 time, got 'noon'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_taken(line: str, words: str) -> None:
    made, rejected = book(CSV + line + "\n", "list.csv")
    assert len(made.as_of(2**62)) == 2
    assert len(rejected) == 1
    assert rejected[0].startswith("list.csv line 4: ")
    assert words in rejected[0]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"who,what\n",
        b"permission_id,kind,kind\n",
        b"permission_id\n",
        b'permission_id,kind\n"open',
        b"\xff\xfe",
        b"{",
        b'{"permissions": 1}',
        b'{"permissions": [], "more": 1}',
        b'[{"tolerance_s": NaN}]',
        b'[{"kind": "exemption", "kind": "corridor"}]',
        b"[" * 200_000,
        b'{"permissions": [], "points": {"A": [1]}}',
        b'{"permissions": [], "points": [1]}',
    ],
)
def test_a_file_that_is_not_of_its_form_is_one_error_that_names_it(raw: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^list"):
        observations_of_permissions(raw, "list")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for candidate in (raw, CSV.encode() + raw, b"[" + raw + b"]", b"(" + raw + b")"):
        try:
            observations_of_permissions(candidate, "x")
        except ConfigError:
            continue


def test_the_examples_of_the_page_are_read_and_say_what_it_says() -> None:
    blocks = re.findall(r"```(csv|json|text)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["csv", "json", "text"]
    for kind, block in blocks:
        made, rejected = book(block)
        assert rejected == [], kind
        assert made.as_of(2**62), kind


def test_the_page_names_every_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in page] == []
