from datetime import timedelta

import numpy as np
import pytest
import shapely

from airvigil.exports.map_projection import LocalPlane
from airvigil.exports.run_view import read_run
from airvigil.exports.track_pieces import across_sigma_m, band_polygon, inside_intervals, member_tracks
from airvigil.exports.wording import ns_from_iso
from example_run import SIGMA_M, START, example_run, iso


def test_pieces_meet_at_the_crossings() -> None:
    run = read_run(*example_run().tables)
    for member in member_tracks(run, run.incidents[0]):
        before, within, after = member.pieces
        assert (before.inside, within.inside, after.inside) == (False, True, False)
        assert before.time_ns[-1] == within.time_ns[0] == ns_from_iso(member.member["entry"]["time"])
        assert within.time_ns[-1] == after.time_ns[0] == ns_from_iso(member.member["exit"]["time"])
        assert within.latitude_deg[0] == member.member["entry"]["latitude_deg"]


def test_a_reentry_makes_two_pieces_inside() -> None:
    example = example_run()
    spell = next(e for e in example.events if e["event"] == "spell_closed" and e["track_id"] == "T-1")
    out, back = START + timedelta(seconds=300), START + timedelta(seconds=360)
    spell["reentries"] = [{"exit": {"time": iso(out)}, "entry": {"time": iso(back)}}]
    run = read_run(*example.tables)
    member = member_tracks(run, run.incidents[0])[0]
    assert [piece.inside for piece in member.pieces] == [False, True, False, True, False]
    assert inside_intervals(member.member, member.spell, member.track)[0][1] == ns_from_iso(iso(out))


def test_a_stay_without_exit_lasts_to_the_last_point() -> None:
    example = example_run(members=1)
    for event in example.events:
        if event["event"] in ("spell_closed", "incident_closed"):
            event["exit"] = None
            for member in event.get("members", []):
                member["exit"] = None
    run = read_run(*example.tables)
    (member,) = member_tracks(run, run.incidents[0])
    assert [piece.inside for piece in member.pieces] == [False, True]
    assert member.pieces[-1].time_ns[-1] == run.tracks["T-1"].time_ns[-1]


def test_a_member_that_the_tables_lack_has_no_pieces() -> None:
    example = example_run(members=1)
    example.points.clear()
    run = read_run(*example.tables)
    (member,) = member_tracks(run, run.incidents[0])
    assert member.track is None
    assert member.pieces == ()


@pytest.mark.parametrize(("ee", "nn", "expected"), [(100.0, 400.0, 20.0), (400.0, 100.0, 10.0)])
def test_sigma_across_a_track_due_east_is_that_of_north(ee: float, nn: float, expected: float) -> None:
    example = example_run(members=1)
    for row in example.points:
        row.update(latitude_deg=0.0, covariance_ee_m2=ee, covariance_nn_m2=nn)
    track = read_run(*example.tables).tracks["T-1"]
    np.testing.assert_allclose(across_sigma_m(track), expected, rtol=1e-6)


def test_an_unknown_accuracy_draws_no_band() -> None:
    example = example_run(members=1)
    for row in example.points:
        row["covariance_ee_m2"] = None
    track = read_run(*example.tables).tracks["T-1"]
    plane = LocalPlane(59.8, 26.0)
    assert np.isnan(across_sigma_m(track)).all()
    assert shapely.is_empty(
        band_polygon(track, plane, from_ns=int(track.time_ns[0]), to_ns=int(track.time_ns[-1]))
    )


def test_the_band_holds_two_sigma_and_no_more() -> None:
    track = read_run(*example_run(members=1).tables).tracks["T-1"]
    plane = LocalPlane(59.8, 26.0)
    band = band_polygon(
        track, plane, from_ns=int(track.time_ns[30]), to_ns=int(track.time_ns[100]), most_points=10_000
    )
    spine = shapely.linestrings(plane.forward(track["latitude_deg"][30:101], track["longitude_deg"][30:101]))
    assert shapely.hausdorff_distance(shapely.boundary(band), spine) == pytest.approx(2 * SIGMA_M, rel=0.03)
