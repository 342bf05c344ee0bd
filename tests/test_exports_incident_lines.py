import json
import math

import jsonschema
import pytest

from airvigil.exports.incident_lines import (
    SUMMARY_HEADINGS,
    incident_line,
    incident_lines,
    incident_schema,
    summary_rows,
)
from example_run import empty_run, example_run

PROMISED = [
    "incident_id",
    "volume",
    "outcome",
    "members",
    "entry",
    "exit",
    "duration_s",
    "max_depth_m",
    "max_depth_sigma_m",
    "p_inside_max",
    "robustness_radius_m",
    "reconstruction",
]


def check(line: str) -> dict:
    incident = json.loads(line)
    jsonschema.Draft202012Validator(incident_schema()).validate(incident)
    return incident


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(incident_schema())


def test_a_line_has_what_is_promised_and_its_last_state() -> None:
    (line,) = incident_lines(example_run().events)
    incident = check(line)
    assert set(PROMISED) <= incident.keys()
    assert "\n" not in line
    assert incident["outcome"] == "probable"  # the first event said "suspected"
    assert incident["exit"]["kind"] == "crossing"
    assert len(incident["members"]) == 3
    assert incident["reconstruction"] is True


def test_unknown_is_null_and_still_valid() -> None:
    incident = check(
        incident_line(
            {
                "incident_id": "I",
                "time": "2031-05-04T10:00:00.000Z",
                "volume": "X",
                "outcome": "undecidable",
                "max_depth_m": math.nan,
            }
        )
    )
    assert incident["max_depth_m"] is None
    assert incident["exit"] is None
    assert incident["reconstruction"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "violation"),
        ("p_inside_max", 1.5),
        ("duration_s", -1.0),
        ("entry", {"time": "noon", "kind": "crossing"}),
    ],
)
def test_the_schema_refuses_a_wrong_value(field: str, value: object) -> None:
    event = {**next(e for e in example_run().events if e["event"] == "incident_closed"), field: value}
    with pytest.raises(jsonschema.ValidationError):
        check(incident_line(event))


def test_a_run_without_incidents_has_no_lines() -> None:
    assert incident_lines(empty_run().events) == []
    assert summary_rows(empty_run().events) == []


def test_a_summary_row_reads_well() -> None:
    (row,) = summary_rows(example_run().events)
    assert row.volume == "Exampleland"
    assert row.aircraft.startswith("3: track T-1")
    assert row.duration.startswith("11 min")
    assert row.remark == "reconstruction"
    assert vars(row).keys() == vars(SUMMARY_HEADINGS).keys()


def test_a_callsign_cannot_drive_the_terminal() -> None:
    example = example_run()
    incident = next(e for e in example.events if e["event"] == "incident_closed")
    incident["members"][0]["callsign"] = "\x1b[2JEVIL"
    (row,) = summary_rows(example.events)
    assert "\x1b" not in row.aircraft
    assert "EVIL" in row.aircraft
