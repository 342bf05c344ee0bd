import base64
import hashlib
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest

from airvigil.exports.report import map_bounds, report_html
from airvigil.exports.wording import duration_text
from example_run import (
    START,
    Example,
    accounting,
    empty_run,
    example_run,
    fly,
    incident_of,
    run_started,
    spell_of,
)

VOID = {"meta", "br", "link", "img", "hr", "input"}
LOADS = {"src", "srcset", "href", "xlink:href", "data", "poster", "action", "background"}


class Reader(HTMLParser):
    """Checks nesting, and keeps what a test asks about."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def count(self, tag: str, class_: str | None = None) -> int:
        return sum(
            1
            for name, a in self.tags
            if name == tag and (class_ is None or class_ in (a.get("class") or "").split())
        )


def html_of(example: Example) -> str:
    return report_html(*example.tables, volumes=example.volumes, coastline=example.coastline)


def read(example: Example) -> Reader:
    return Reader(html_of(example))


@pytest.fixture(scope="module")
def full() -> str:
    return html_of(example_run())


def test_it_refers_to_nothing_outside_itself(full: str) -> None:
    reader = Reader(full)
    for tag, attributes in reader.tags:
        for name, value in attributes.items():
            if name in LOADS:
                assert (value or "").startswith("#"), (tag, name, value)
            assert not name.startswith("on"), (tag, name)
    assert "@import" not in full
    assert re.findall(r"url\((?!#)", full) == []
    # namespaces are names, not addresses that anything opens
    assert set(re.findall(r"https?://[^\s\"'<)]+", full)) <= {"http://www.w3.org/2000/svg"}


def test_only_its_own_script_may_run(full: str) -> None:
    reader = Reader(full)
    (script,) = reader.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(
        a["content"]
        for tag, a in reader.tags
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert f"'sha256-{digest}'" in (policy or "")
    assert "default-src 'none'" in (policy or "")


def test_outside_text_is_escaped_everywhere(full: str) -> None:
    assert "<b>1</b>" not in full
    evil = '"><img src=x onerror=alert(1)>{{ 7*7 }}'
    example = example_run()
    for event in example.events:
        for key in ("callsign", "incident_id", "volume_name", "icao24", "interference_id"):
            if key in event:
                event[key] = evil
        for member in event.get("members", []):
            member.update(callsign=evil, identity=evil)
        for reason in event.get("why", []):
            reason["text"] = evil
        if "inputs" in event:
            event["inputs"][0]["name"] = evil
            event["airspace"]["volumes"][0].update(name=evil, source=evil)
    for row in example.points:
        row["callsign"] = evil
    reader = read(example)
    assert reader.count("img") == 0
    assert "{{ 7*7 }}" in reader.words
    assert len(reader.scripts) == 1


def test_the_finding_has_its_numbers_with_their_uncertainty(full: str) -> None:
    words = Reader(full).words
    assert "Three aircraft without identification were inside the airspace of Exampleland" in words
    assert "for 11 min 01 s ± 2 s, up to 6.39 ± 0.15 km (3.5 NM) deep" in words
    assert "every sensor must have been wrong by at least 5.39 km (2.9 NM) in the same direction" in words


def test_a_reconstruction_is_marked_on_top_and_on_every_picture(full: str) -> None:
    reader = Reader(full)
    assert reader.count("div", "banner") == 1
    pictures = full.split("<svg ")[1:]
    assert len(pictures) >= 4
    of_the_incident = pictures[:4]
    assert all("RECONSTRUCTION" in picture for picture in of_the_incident)
    title = full[full.index("<title>") : full.index("</title>")]
    assert "RECONSTRUCTION" in title
    real = html_of(example_run(reconstruction=False))
    assert "RECONSTRUCTION" not in real
    assert Reader(real).count("div", "banner") == 0


def test_software_makes_no_finding_of_violation(full: str) -> None:
    words = Reader(full).words.lower()
    for place in re.finditer("violation", words):
        near = words[max(0, place.start() - 80) : place.end() + 60]
        assert "person" in near or "no finding" in near, near


def test_what_was_not_believed_is_no_infringement(full: str) -> None:
    words = Reader(full).words
    assert "no infringement follows from them" in words
    assert "implied speed" in words
    assert 'class="claimed"' in full


def test_the_account_is_checked_in_the_open(full: str) -> None:
    reader = Reader(full)
    assert reader.count("span", "ok") == 2
    example = empty_run()
    example.events[-1]["sensors"][0]["used"] += 5
    broken = read(example)
    assert broken.count("span", "bad") == 1
    assert "(-5)" in broken.words


def test_every_picture_and_heading_can_be_found_by_a_screen_reader(full: str) -> None:
    reader = Reader(full)
    ids = [a["id"] for _, a in reader.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attributes in reader.tags:
        if tag == "svg":
            assert attributes.get("role") == "img"
            assert attributes.get("aria-label")
        label = attributes.get("aria-labelledby")
        assert label is None or label in ids
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in ids


def test_no_incident_is_said_in_words() -> None:
    reader = read(empty_run())
    assert "No infringement of the airspace of Exampleland was found" in reader.words
    assert reader.count("article") == 0
    assert reader.count("svg") == 0


def test_an_undecidable_incident_names_what_is_missing() -> None:
    example = Example()
    run_started(example)
    flown = fly(example, "T-1", [(0, 60.0, 26.0), (600, 59.7, 26.0), (1200, 60.0, 26.3)])
    incident_of(
        example, "I-1", [spell_of(example, "T-1", flown, outcome="undecidable", undecidable_for=["height"])]
    )
    reader = read(example)
    assert "cannot be decided; what is missing: height." in reader.words


def test_a_stay_seen_from_inside_lasted_at_least_so_long() -> None:
    example = Example()
    run_started(example)
    flown = fly(example, "T-1", [(0, 59.7, 26.0), (600, 59.7, 25.4)])
    incident_of(example, "I-1", [spell_of(example, "T-1", flown)])
    words = read(example).words
    assert "for at least 10 min 00 s" in words
    assert "first seen, already inside" in words
    assert "last seen, still inside" in words


def test_nulls_everywhere_still_make_a_report() -> None:
    example = example_run(reconstruction=False)
    keep = {
        "event",
        "seq",
        "time",
        "incident_id",
        "spell_id",
        "interference_id",
        "members",
        "sensors",
        "track_id",
        "airspace",
    }
    for event in example.events:
        event.update({key: None for key in event if key not in keep})
        for member in event.get("members") or []:
            member.update({key: None for key in member if key not in ("track_id", "spell_id")})
    for row in example.points + example.margins:
        row.update({key: None for key, value in row.items() if isinstance(value, float)})
    reader = read(example)
    assert reader.count("article", "incident") == 1
    assert "nan" not in reader.words.lower().split()
    assert "None" not in reader.words.split()


def test_tables_may_be_empty_and_optional_fields_absent() -> None:
    example = example_run()
    example.points.clear()
    example.margins.clear()
    del example.events[0]["inputs"][0]["sha256"]
    del example.events[0]["airspace"]["volumes"][0]["source"]
    reader = read(example)
    assert reader.count("table") > 4
    assert reader.count("svg", "chart") == 0


def test_many_incidents_and_long_tracks_stay_under_three_megabytes() -> None:
    example = Example()
    run_started(example)
    for k in range(60):
        start = START + timedelta(hours=2 * k)
        way = [(0, 60.0, 26.9), (1500, 59.8, 26.4), (2000, 59.6 + 0.003 * k, 25.6), (3500, 60.0, 25.0)]
        flown = fly(example, f"T-{k}", way, start=start, step_s=1.0 if k < 2 else 30.0)
        outcome = ("probable", "suspected", "undecidable")[k % 3]
        incident_of(example, f"I-{k:03d}", [spell_of(example, f"T-{k}", flown, outcome=outcome)])
    accounting(example)
    html = html_of(example)
    assert len(html.encode()) < 3_000_000
    reader = Reader(html)
    assert reader.count("article", "incident") == 60
    assert "60 incidents were found: 20 probable, 20 suspected, 20 undecidable" in reader.words
    assert "The deepest of those probable: One aircraft" in reader.words
    first, last = html.index("I-000"), html.index("I-059")
    assert 'class="outcome probable"' in html[:first][-4000:]
    assert first < last


def test_the_box_for_the_coast_holds_every_map() -> None:
    example = example_run()
    south, west, north, east = map_bounds(example.events, example.points_table) or (0.0, 0.0, 0.0, 0.0)
    assert south < 59.0 < 60.5 < north
    assert west < 24.0 < 28.0 < east
    assert map_bounds(*empty_run().tables[:2]) is None


def test_the_same_run_gives_the_same_bytes(full: str) -> None:
    example = example_run()
    example.points.reverse()
    assert html_of(example) == full


def test_areas_in_dispute_are_named_for_all_who_claim_them() -> None:
    example = empty_run()
    volumes = example.events[0]["airspace"]["volumes"]
    volumes[0].update(name="Ukraine", kind="sovereign")
    volumes.append(
        {
            **volumes[0],
            "volume_id": "RUS|UKR",
            "kind": "disputed",
            "states": ["RUS", "UKR"],
            "name": "claimed by Russian Federation and Ukraine",
        }
    )
    both = "nor of the area that both the Russian Federation and Ukraine claim, was found"
    assert f"No infringement of the airspace of Ukraine, {both}" in read(example).words
    volumes.append(
        {**volumes[1], "volume_id": "EST|RUS", "name": "claimed by Estonia and Russian Federation"}
    )
    assert "nor of the two areas that more than one state claims, was found" in read(example).words


def test_a_partial_run_and_its_failures_are_told_on_top() -> None:
    example = example_run()
    example.add(
        "run_finished",
        START + timedelta(hours=1),
        inputs=[{"name": "/recordings/2025/day.bin", "sensor": "radar 1", "format": "beast", "rows": 12_345, "sha256": "9a" * 32}],
        failures=[{"input": "/recordings/2025/day.bin", "message": "ends in the middle <of> a frame", "hint": None}],
        interrupted=True,
    )  # fmt: skip
    html = html_of(example)
    words = Reader(html).words
    first_section = words.index("Contents")
    assert words.index("Interrupted: partial.") < first_section
    assert words.index("day.bin: ends in the middle <of> a frame") < first_section
    assert "/recordings/2025" not in html
    for text in ("9a" * 32, "12,345", "cd" * 32, "ef" * 32, "airvigil 0.1.0"):
        assert text in words


def test_a_run_that_ended_well_says_nothing_of_failures(full: str) -> None:
    assert "Interrupted" not in full
    assert "Not read completely" not in full


def test_stretches_of_one_aircraft_stand_together() -> None:
    example = example_run(reconstruction=False)
    first = next(e for e in example.events if e["event"] == "interference_closed")
    later = {k: v for k, v in first.items() if k not in ("event", "time", "seq")}
    for k in range(30):
        example.add(
            "interference_closed",
            START + timedelta(seconds=700 + k),
            **later | {"interference_id": f"G-{k + 2}", "reasons": {"impossible_jump": 2}, "rows": 2},
        )
    reader = read(example)
    assert reader.count("article", "interference") == 1
    assert reader.count("svg", "map") == 2  # the incident's and the aircraft's
    assert (
        "121 positions reported by DEMO9 (address 4b1234), received by radar 1, are not credible"
        in reader.words
    )
    assert "Not reachable from the positions before it at any speed that an aircraft has." in reader.words
    assert "7 further stretches" in reader.words


def test_the_last_credible_place_told_is_from_before(full: str) -> None:
    assert (
        "The last credible position before was 60°03.00′N 025°30.00′E at 10:05:00 UTC" in Reader(full).words
    )


def test_a_real_recording_beside_a_reconstruction_is_no_part_of_the_case(full: str) -> None:
    words = Reader(full).words
    assert "real recording that was flown beside the reconstruction" in words
    assert "It is no part of the case." in words


def test_reasons_are_sentences_without_lists_of_numbers(full: str) -> None:
    example = example_run()
    for event in example.events:
        if "why" in event:
            event["why"] = [
                {"code": "max_depth_m", "text": "deepest 50000 m", "max_depth_m": 50_000.0, "max_depth_sigma_m": 15.8, "robustness_radius_m": 50_000.0},
                {"code": "reports", "text": "706 reports", "reports": 706, "tracks": 3},
                {"code": "new_code", "text": "something new", "number": 17},
            ]  # fmt: skip
    words = read(example).words
    assert "The deepest point lay more than 50 km inside" in words
    assert "wrong by more than 50 km in the same direction." in words
    assert "706 reports on 3 tracks came from inside." in words
    assert "Something new." in words
    assert "number 17" not in words


def test_much_civil_traffic_takes_one_row_a_volume() -> None:
    example = example_run(reconstruction=False)
    spell = next(e for e in example.events if e["event"] == "spell_closed" and e["track_id"] == "T-civil")
    rest = {k: v for k, v in spell.items() if k not in ("event", "time", "seq")}
    for k in range(140):
        outcome = "undecidable" if k < 10 else "probable"
        example.add(
            "spell_closed", START, **rest | {"spell_id": f"S-{k}", "icao24": f"5{k:05d}", "outcome": outcome}
        )
    reader = read(example)
    section = reader.words[reader.words.index("It is counted, and nothing more.") :][:600]
    assert "Exampleland 131 131 262" in section
    longest = duration_text(spell["duration_s"])
    assert f"{longest} 10 " in section  # and ten stays rest on too little


def test_the_case_stands_under_the_heading_and_says_how_it_was_made() -> None:
    example = example_run()
    example.events[0].update(title="A case, 4 May 2031 (reconstruction)")
    words = read(example).words
    assert "Exampleland A case, 4 May 2031 (reconstruction) 4 May 2031, 10:00:00" in words
    assert "made to fit published figures" in words
    example.events[0].update(title="An invented case (synthetic)")
    words = read(example).words
    assert "An invented case (synthetic)" in words
    assert "after no real case" in words
    assert "published figures" not in words


def one_stay(*, assumed: bool | None, depth_is_bound: bool = False) -> Example:
    """One track through the volume; its accuracy stated (False), assumed (True), or the first half of each (None)."""
    example = Example()
    run_started(example)
    way = [(0, 59.9, 26.0), (700, 59.6, 26.0), (1300, 59.9, 26.0)]
    flown = fly(example, "T-1", way, assumed=bool(assumed))
    if assumed is None:
        for k, point in enumerate(example.points):
            point["accuracy_assumed"] = k % 2 == 0
    spell = spell_of(example, "T-1", flown)
    spell["max_depth_is_bound"] = depth_is_bound
    incident = incident_of(example, "I-1", [spell])
    for member in incident["members"]:
        member["max_depth_is_bound"] = depth_is_bound
    accounting(example)
    return example


def inside_of(example: Example) -> list[bool]:
    """The mark of every position inside: here between entry and exit, both of which are between two reports."""
    spell = next(e for e in example.events if e["event"] == "spell_closed")
    entry, leave = (datetime.fromisoformat(spell[key]["time"]) for key in ("entry", "exit"))
    return [p["accuracy_assumed"] for p in example.points if entry <= p["time"] <= leave]


def test_the_report_counts_the_positions_whose_accuracy_was_assumed() -> None:
    example = one_stay(assumed=None)
    marks = inside_of(example)
    assert 0 < sum(marks) < len(marks)
    words = Reader(report_html(*example.tables, volumes=example.volumes)).words
    assert f"Accuracy assumed: {sum(marks)} of the {len(marks)} positions inside came without one." in words
    assert f"accuracy assumed for {sum(marks)} of {len(marks)}" in words


def test_the_report_says_where_every_position_came_with_its_accuracy() -> None:
    example = one_stay(assumed=False)
    words = Reader(report_html(*example.tables, volumes=example.volumes)).words
    assert f"Every one of the {len(inside_of(example))} positions inside came with its own accuracy." in words
    assert "ccuracy assumed" not in words


def test_the_report_says_nothing_of_assumptions_that_the_tables_do_not_tell() -> None:
    example = one_stay(assumed=False)
    points = example.points_table.drop_columns(["accuracy_assumed"])
    words = Reader(report_html(example.events, points, example.margins_table, volumes=example.volumes)).words
    assert "its own accuracy" not in words
    assert "ccuracy assumed" not in words


def test_a_depth_at_the_cap_is_shown_as_more_than_what_is_measured() -> None:
    example = one_stay(assumed=False, depth_is_bound=True)
    incident = example.events[-2]
    assert incident["event"] == "incident_closed"
    facts = re.findall(
        r"<dt>Greatest depth</dt><dd>(.*?)</dd>", report_html(*example.tables, volumes=example.volumes)
    )
    assert facts == ["more than 50 km"]


def test_what_an_incident_lacks_is_told_also_where_no_member_lacks_it() -> None:
    example = one_stay(assumed=False)
    sensor = "a sensor that does not depend on satellite navigation"
    example.events[-2].update(outcome="undecidable", undecidable_for=[sensor])
    words = Reader(report_html(*example.tables, volumes=example.volumes)).words
    assert f"what is missing: {sensor}" in words
    assert f"What is missing: {sensor}." in words
