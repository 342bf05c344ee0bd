import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from airvigil.scenarios.demo import CASE, COMMANDS, Story, print_stories, run_demo


def stories() -> list[Story]:
    rows = [
        ("found", Text("infringement probable")),
        ("deepest", Text("9.20 ± 0.05 km")),
        ("robust to", Text("word " * 30)),
    ]
    moral = "What to do is for people to judge."
    return [
        Story(f"Title {k}", Text("A label"), rows[: 3 - k], moral, Path(f"out/{k}/report.html"), 1.0)
        for k in (0, 1)
    ]


def printed(width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_stories(stories(), console)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 99])
def test_stories_are_stacked_where_there_is_little_room(width: int) -> None:
    lines = printed(width)
    titles = [k for k, line in enumerate(lines) if "Title" in line]
    assert len(titles) == 2
    assert all(line.count("╭") <= 1 for line in lines)


@pytest.mark.parametrize("width", [100, 160])
def test_stories_stand_side_by_side_where_there_is_room(width: int) -> None:
    lines = printed(width)
    assert "Title 0" in lines[0]
    assert "Title 1" in lines[0]
    assert sum(line.count("╰") for line in lines) == 2
    assert any(line.count("╰") == 2 for line in lines)  # both panels end on one line


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_command_is_broken(width: int) -> None:
    lines = [line.strip() for line in printed(width)]
    for command in COMMANDS:
        assert any(line.endswith(command[0]) for line in lines)
    assert all(len(part) < 77 for command in COMMANDS for part in command)


@pytest.mark.slow
def test_the_demo_tells_what_the_engine_finds(recordings: Path, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    run_demo(recordings / "traffic_samples", tmp_path, console)
    said = " ".join(console.file.getvalue().replace("│", " ").split())
    for text in (
        "found 1 infringement outcome probable airspace Estonia aircraft 3 without identity",
        "found 0 infringements airspace Ukraine naive test 2,026 rows inside believed 0 positions inside",
    ):
        assert text in said
    assert "stale repeat" in said.split("rows not used")[1]
    told = {
        name: [
            json.loads(line) for line in (tmp_path / name / "events.jsonl").read_text("utf-8").splitlines()
        ]
        for name in (CASE, "spoofed-airliner")
    }
    closed = [event for event in told[CASE] if event["event"] == "incident_closed"]
    assert [(event["outcome"], event["reconstruction"]) for event in closed] == [("probable", True)]
    assert len({member["track_id"] for member in closed[0]["members"]}) == 3
    assert not any(event["event"].startswith("incident") for event in told["spoofed-airliner"])
    books = next(event for event in told["spoofed-airliner"] if event["event"] == "accounting")
    repeats = books["sensors"][0]["rejected"]
    assert f"stale repeat {repeats['stale_repeat']:,}" in said
    assert all((tmp_path / name / "report.html").is_file() for name in told)
