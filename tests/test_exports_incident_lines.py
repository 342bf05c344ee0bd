import json
import math

import jsonschema
import pytest

from airvigil.exports.incident_lines import (
    SUMMARY_HEADINGS,
    incident_line,
    incident_lines,
    incident_schema,
    summary_row,
    summary_rows,
)
from example_run import empty_run, example_run
from small_world import events, flight, make_reports, run

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


def closed() -> dict:
    return next(e for e in example_run().events if e["event"] == "incident_closed")


def test_a_line_says_what_is_doubtful_about_it() -> None:
    doubts = {
        "outcome": "undecidable",
        "undecidable_for": ["a height"],
        "max_depth_is_bound": True,
        "shared_place": True,
        "interference": ["G-1"],
        "boundary_uncertainty_m": 25.0,
    }
    incident = check(incident_line({**closed(), **doubts}))
    assert {name: incident[name] for name in doubts} == doubts


def test_a_line_without_doubts_says_so_too() -> None:
    incident = check(incident_line({"incident_id": "I", "time": "2031-05-04T10:00:00.000Z", "volume": "X", "outcome": "probable"}))  # fmt: skip
    assert (incident["undecidable_for"], incident["interference"]) == ([], [])
    assert (incident["max_depth_is_bound"], incident["shared_place"]) == (False, False)


def test_a_line_has_every_field_of_the_engines_incident_and_of_the_schema() -> None:
    """What the engine says of an incident reaches the line, under the same name, and the schema knows it."""
    _, outputs = run(make_reports(flight(key={"sensor_track": "7"}, lat=58.99, lon=25.5, north_mps=150.0, east_mps=0.0, count=40, bias_bound_m=0.0)))  # fmt: skip
    told = events(outputs, "incident_closed")
    assert told
    schema = incident_schema()
    for event in told:
        line = check(incident_line(event))
        assert set(line) == set(schema["properties"])
        assert set(event) - set(line) == {"event", "seq", "time", "time_ns"}
        for member in line["members"]:
            assert set(member) == set(schema["$defs"]["member"]["properties"])


def test_a_capped_depth_is_no_figure() -> None:
    event = {**closed(), "max_depth_m": 49_999.99, "max_depth_is_bound": True}
    assert summary_row(event).max_depth == "more than 50 km"


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
