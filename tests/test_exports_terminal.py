import io

from rich.console import Console

from airvigil.exports.terminal import print_run
from example_run import empty_run, example_run


def printed(events: list[dict], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_run(events, console, seconds=1.0)
    return console.file.getvalue()


def test_one_incident_is_told_line_by_line_at_eighty_columns() -> None:
    text = printed(events_for_terminal(), 80)
    assert max(map(len, text.splitlines())) <= 80
    for line in (
        "Exampleland: probable",
        "Robust to  ≥ 5.39 km",
        "Max depth  6.39 ± 0.15 km",
        "RECONSTRUCTION",
    ):
        assert line in text


def test_many_incidents_make_a_table() -> None:
    events = events_for_terminal()
    closed = next(e for e in events if e["event"] == "incident_closed")
    events += [{**closed, "incident_id": f"J-{k}", "seq": 100 + k} for k in range(9)]
    text = printed(events, 120)
    assert text.count("Exampleland") == 10


def test_an_interrupted_run_says_that_it_is_partial() -> None:
    events = events_for_terminal()
    assert "partial" not in printed(events, 80)
    events.append({"event": "run_finished", "seq": 999, "inputs": [], "failures": [], "interrupted": True})
    assert "partial" in printed(events, 80)


def test_no_incident_is_said_in_words() -> None:
    assert "No infringement is suspected." in printed(empty_run().events, 80)


def events_for_terminal() -> list[dict]:
    return [dict(event) for event in example_run().events]
