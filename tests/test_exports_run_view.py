import numpy as np

from airvigil.exports.run_view import duration_sigma_s, read_run
from example_run import empty_run, example_run


def test_the_last_event_of_an_incident_counts_whatever_the_order() -> None:
    example = example_run()
    turned = read_run(reversed(example.events))
    assert [i["event"] for i in turned.incidents] == ["incident_closed"]
    assert turned.spells["S-T-1"]["exit"] is not None


def test_tracks_are_sorted_slices_of_the_table() -> None:
    example = example_run()
    example.points.reverse()
    run = read_run(*example.tables)
    assert sorted(run.tracks) == ["T-1", "T-2", "T-3", "T-civil", "T-spoof"]
    assert sum(len(track) for track in run.tracks.values()) == len(example.points)
    assert all((np.diff(track.time_ns) > 0).all() for track in run.tracks.values())
    assert run.tracks["T-spoof"].credible.sum() == 61
    assert run.tracks["T-civil"].icao24 == "511aaa"
    assert run.tracks["T-1"].icao24 is None


def test_margins_belong_to_track_and_volume() -> None:
    run = read_run(*example_run().tables)
    series = run.margins[("T-1", "EXA")]
    assert series.margin_m.max() == run.spells["S-T-1"]["max_depth_m"]


def test_null_is_nan() -> None:
    track = read_run(*example_run().tables).tracks["T-1"]
    assert np.isnan(track["geometric_height_m"]).all()


def test_presence_is_what_needs_no_permission() -> None:
    run = read_run(*example_run().tables)
    assert [s["track_id"] for s in run.presences()] == ["T-civil"]


def test_the_more_serious_incident_comes_first() -> None:
    example = example_run()
    closed = next(e for e in example.events if e["event"] == "incident_closed")
    example.add(
        "incident_closed",
        example.points[0]["time"],
        **{k: v for k, v in closed.items() if k not in ("event", "time", "seq")}
        | {"incident_id": "I-0", "outcome": "undecidable"},
    )
    assert [i["incident_id"] for i in read_run(example.events).incidents] == ["I-1", "I-0"]


def test_the_sigma_of_a_duration_needs_two_crossings() -> None:
    incident = read_run(example_run().events).incidents[0]
    assert duration_sigma_s(incident) == np.hypot(1.4, 1.4)
    assert duration_sigma_s({**incident, "exit": {"kind": "last_seen", "sigma_s": 1.0}}) is None
    assert duration_sigma_s({}) is None


def test_an_empty_run_is_a_run() -> None:
    run = read_run(*empty_run().tables)
    assert (run.incidents, dict(run.tracks), run.span_ns()) == ((), {}, None)
    assert not run.is_reconstruction


def test_the_tracks_of_an_aircraft_are_all_of_its_address_by_time() -> None:
    example = example_run()
    for row in example.points:
        if row["track_id"] == "T-2":
            row["icao24"] = "4b1234"
    run = read_run(*example.tables)
    assert [t.track_id for t in run.tracks_of(run.interference[0])] == ["T-2", "T-spoof"]
    assert [t.track_id for t in run.tracks_of({"track_id": "T-1", "icao24": None})] == ["T-1"]


def test_inputs_come_from_the_last_event_if_it_has_them() -> None:
    example = example_run()
    assert [i["name"] for i in read_run(example.events).inputs] == ["example.beast"]
    example.add(
        "run_finished", example.points[-1]["time"], inputs=[{"name": "b"}], failures=[], interrupted=False
    )
    assert [i["name"] for i in read_run(example.events).inputs] == ["b"]
