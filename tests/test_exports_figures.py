"""Charts, maps and the card: what is drawn agrees with the numbers."""

from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from airvigil.exports import svg
from airvigil.exports.charts import (
    Series,
    altitude_chart_svg,
    figure_source,
    margin_chart_svg,
    speed_chart_svg,
    thin,
)
from airvigil.exports.incident_card import incident_card_svg
from airvigil.exports.interference_map import interference_map_svg
from airvigil.exports.label_places import LabelPlaces
from airvigil.exports.map_svg import Ground, incident_map_svg, letter
from airvigil.exports.run_view import read_run
from airvigil.exports.track_pieces import member_tracks
from example_run import COAST, EXA, START, empty_run, example_run, fly

GROUND = Ground(COAST, [EXA], "Source: made up")
SVG = "{http://www.w3.org/2000/svg}"


def drawn(example=None, **changes):
    run = read_run(*(example or example_run(**changes)).tables)
    return run, run.incidents[0], member_tracks(run, run.incidents[0])


def test_the_margin_line_tells_the_greatest_depth() -> None:
    run, incident, members = drawn()
    root = ET.fromstring(margin_chart_svg(run, incident, members, key="k", around_s=120.0) or "")
    low, high = float(root.get("data-low") or 0), float(root.get("data-high") or 0)
    _, top, _, height = map(float, (root.get("data-box") or "").split())
    lines = list(root.iter(f"{SVG}polyline"))
    assert len(lines) == 3
    ys = [float(pair.split(",")[1]) for line in lines for pair in (line.get("points") or "").split()]
    depth = high - (min(ys) - top) / height * (high - low)
    assert depth == pytest.approx(incident["max_depth_m"] / 1000.0, abs=0.02)


def test_charts_have_units_source_and_utc() -> None:
    run, incident, members = drawn()
    for draw, unit in ((margin_chart_svg, "NM"), (speed_chart_svg, "kt"), (altitude_chart_svg, "ft")):
        picture = draw(run, incident, members, key="k", around_s=120.0) or ""
        words = " ".join(ET.fromstring(picture).itertext())
        assert unit in words
        assert "Source: generated; sensor: radar 1; Airvigil 0.1.0" in words
        assert "UTC, 4 May 2031" in words
        assert "RECONSTRUCTION" in words


def test_an_unknown_altitude_draws_no_chart() -> None:
    example = example_run()
    for row in example.points:
        row["pressure_altitude_m"] = None
    run, incident, members = drawn(example)
    assert altitude_chart_svg(run, incident, members, key="k", around_s=60.0) is None
    assert speed_chart_svg(run, incident, members, key="k", around_s=60.0) is not None


def test_a_gap_is_not_bridged_by_a_line() -> None:
    example = example_run(members=1)
    middle = example.points[len(example.points) // 6]["time"]
    gone = [row for row in example.points if not (0 <= (row["time"] - middle).total_seconds() < 200)]
    assert len(gone) < len(example.points)
    example.points[:] = gone
    run, incident, members = drawn(example)
    root = ET.fromstring(speed_chart_svg(run, incident, members, key="k", around_s=60.0) or "")
    assert len(list(root.iter(f"{SVG}polyline"))) == 2


def test_thinning_keeps_extremes_and_ends() -> None:
    n = 20_000
    value = np.sin(np.arange(n) / 700.0)
    value[12_345], value[5_000] = 9.0, np.nan
    series = Series("A", 0, np.arange(n), value, np.ones(n), np.zeros(n, np.bool_))
    few = thin(series)
    assert len(few.time_ns) <= 430
    assert np.nanmax(few.value) == 9.0
    assert np.nanmin(few.value) == np.nanmin(value)
    assert (few.time_ns[0], few.time_ns[-1]) == (0, n - 1)


def test_the_map_shows_inside_outside_band_and_both_ends() -> None:
    _run, incident, members = drawn()
    root = ET.fromstring(incident_map_svg(incident, members, GROUND, key="k", around_s=120.0) or "")
    classes = [e.get("class") or "" for e in root.iter()]
    assert sum(c.startswith("track in s") for c in classes) == 3 + 3  # tracks and legend
    assert sum(c.startswith("track out s") for c in classes) == 6
    assert sum(c.startswith("band") for c in classes) == 3
    assert classes.count("mark entry") == classes.count("mark exit") == 3
    words = " ".join(root.itertext())
    for text in (
        "EXAMPLELAND",
        "in 10:01:12",
        "out 10:12:13",
        "km",
        "NM",
        "N",
        "26°E",
        "Source: made up",
        "RECONSTRUCTION",
    ):
        assert text in words


def test_the_scale_bar_is_true() -> None:
    _run, incident, members = drawn()
    root = ET.fromstring(incident_map_svg(incident, members, GROUND, key="k", around_s=120.0) or "")
    bars = [e for e in root.iter(f"{SVG}rect") if e.get("class") == "scale"]
    labels = [e.text or "" for e in root.iter(f"{SVG}text") if (e.text or "").endswith((" km", " NM"))]
    km = float(labels[0].split()[0]) * 1000.0 / float(bars[0].get("width") or 1)
    nm = float(labels[1].split()[0]) * 1852.0 / float(bars[1].get("width") or 1)
    assert km == pytest.approx(nm, rel=5e-3)  # widths are written to a tenth of a unit
    assert float(bars[0].get("width") or 0) <= 241.0


def claimed_map(tracks, **options):
    return interference_map_svg(tracks, GROUND, name="a map", key="k", **options) or ""


def test_claimed_positions_are_crosses_and_never_a_track() -> None:
    run = read_run(*example_run().tables)
    event = run.interference[0]
    picture = claimed_map(run.tracks_of(event), claimed_in=["Exampleland"], sources=["Source: made up"])
    root = ET.fromstring(picture)
    crosses = next(e for e in root.iter(f"{SVG}path") if e.get("class") == "claimed")
    assert (crosses.get("d") or "").count("z") >= 1
    classes = [e.get("class") or "" for e in root.iter()]
    assert sum(c.startswith("track credible") for c in classes) == 1 + 1  # the track and its legend
    words = " ".join(root.itertext())
    assert "last credible before 10:05:00" in words
    assert "claimed 10:05–10:10" in words
    assert "inside Exampleland" in words
    assert "Source: made up" in words


def test_a_knot_of_claimed_positions_is_enlarged_at_a_true_scale() -> None:
    example = example_run()
    fly(example, "T-far", [(0, 57.0, 20.0), (3000, 60.0, 25.0)], icao24="4b9999", step_s=60.0)
    way, after = [(0, 59.50, 26.0), (300, 59.53, 26.0)], START + timedelta(seconds=3100)
    fly(example, "T-far", way, start=after, icao24="4b9999", integrity="not_credible", step_s=60.0)
    track = read_run(*example.tables).tracks["T-far"]
    root = ET.fromstring(claimed_map([track]))
    (inset,) = [e for e in root.iter(f"{SVG}svg") if e.get("class") == "inset"]
    assert "claimed positions, enlarged" in " ".join(inset.itertext())
    crosses = next(e for e in inset.iter() if e.get("class") == "claimed")
    first, *_, last = [part.split("l")[0] for part in (crosses.get("d") or "").split("M")[1:]]
    (x0, y0), (x1, y1) = ([float(v) for v in place.split(",")] for place in (first, last))
    bar = next(e for e in inset.iter() if e.get("class") == "scale dark")
    labels = [t.text or "" for t in inset.iter(f"{SVG}text")]
    km = next(float(label.split()[0]) for label in labels if label.endswith(" km"))
    shown_km = np.hypot(x1 - x0, y1 - y0) * km / float(bar.get("width") or 0)
    assert shown_km == pytest.approx(0.03 * 111.195, rel=0.02)


def test_tracks_that_are_all_credible_have_no_crosses_and_no_callout() -> None:
    run = read_run(*example_run().tables)
    picture = claimed_map([run.tracks["T-civil"]])
    assert 'class="claimed"' not in picture
    assert "not believed" not in picture
    assert "credible track" in picture


def test_a_map_without_positions_is_not_drawn() -> None:
    _run, incident, members = drawn(reconstruction=False)
    for member in members:
        member.member["entry"] = member.member["exit"] = None
    bare = [type(m)(m.member, {}, None, ()) for m in members]
    assert incident_map_svg(incident, bare, GROUND, key="k", around_s=60.0) is None


def test_ends_alone_make_a_map() -> None:
    example = example_run(members=1)
    example.points.clear()
    _run, incident, members = drawn(example)
    picture = incident_map_svg(incident, members, GROUND, key="k", around_s=60.0)
    assert picture is not None
    assert 'class="mark entry"' in picture


def test_the_card_stands_alone() -> None:
    card = incident_card_svg(*example_run().tables, volumes=[EXA], coastline=COAST) or ""
    root = ET.fromstring(card)
    assert "prefers-color-scheme: dark" in card
    assert "script" not in card
    assert len(list(root.iter(f"{SVG}svg"))) == 3
    assert "Three aircraft without identification" in " ".join(root.itertext())
    assert incident_card_svg(*empty_run().tables) is None


def test_labels_do_not_cover_one_another() -> None:
    places = LabelPlaces(400.0, 300.0)
    boxes = [places.place(200.0, 150.0, ["12:00:00"]) for _ in range(6)]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert min(a) >= 0.0


def test_letters_go_on_after_z() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_outside_text_cannot_leave_its_element() -> None:
    element = svg.text(0.0, 0.0, "</text><script>\x00", data_label='"><x')
    root = ET.fromstring(element)
    assert root.text == "</text><script>\ufffd"
    assert root.get("data-label") == '"><x'


@pytest.mark.parametrize("start", [(0.0, 0.0), (-3.25, 17.0)])
def test_a_path_of_steps_ends_where_the_line_does(start: tuple[float, float]) -> None:
    rng = np.random.default_rng(2)
    line = np.vstack([[start], start + np.cumsum(rng.normal(0, 30, (200, 2)), axis=0)])
    d = svg.path([line])
    head, steps = d[1:].split("l")
    at = np.array([float(v) for v in head.split(",")])
    moves = np.array([[float(v) for v in step.split(",")] for step in steps.split(" ")])
    np.testing.assert_allclose(at + moves.sum(axis=0), line[-1], atol=0.06)


def test_a_line_is_cut_at_nan_and_at_breaks() -> None:
    xy = np.column_stack([np.arange(8.0), np.arange(8.0)])
    xy[3] = np.nan
    breaks = np.zeros(8, np.bool_)
    breaks[6] = True
    assert [piece[:, 0].tolist() for piece in svg.split_at_gaps(xy, breaks)] == [[0, 1, 2], [4, 5], [6, 7]]


def test_the_source_names_files_without_paths_and_only_those_of_the_sensor() -> None:
    example = example_run(reconstruction=False)
    example.events[0]["inputs"] = [
        {"name": "/recordings/2025/day.beast", "sensor": "radar 1"},
        {"name": "/recordings/2025/other.json", "sensor": "another"},
    ]
    run, _incident, members = drawn(example)
    assert figure_source(run, members) == "Source: radar 1 · day.beast; Airvigil 0.1.0"


def test_a_generated_track_names_the_case_and_no_file() -> None:
    example = example_run()
    example.events[0].update(title="A case, 4 May 2031 (reconstruction)")
    run, _incident, members = drawn(example)
    source = figure_source(run, members)
    assert source == "Source: generated (A case, 4 May 2031); sensor: radar 1; Airvigil 0.1.0"


def test_the_picture_of_the_readme_says_what_it_is() -> None:
    text = (Path(__file__).parent.parent / "docs" / "picture.svg").read_text("utf-8")
    root = ET.fromstring(text)
    assert len(text.encode()) < 150_000
    assert float(root.get("width") or 0) == 800.0
    assert sum("RECONSTRUCTION" in (e.text or "") for e in root.iter(f"{SVG}text")) >= 4
    assert "prefers-color-scheme: dark" in text
