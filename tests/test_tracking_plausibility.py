"""Physical tests of positions: what is believed, what is not, and what hard but possible flying must not trip."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.airspace.margins import Airspace
from airvigil.engine import step
from airvigil.state import State
from airvigil.tracking import verdicts
from airvigil.tracking.plausibility import great_circle_m, latest
from airvigil.units import NS_PER_S
from made_flights import AIRLINER, M_PER_DEG, Judged, displaced, noisy, path
from small_world import FAR_NS, SETTINGS, START_NS, make_reports, run, square

NOT_CREDIBLE = {name for name, _ in (verdicts.REASONS[code] for code in verdicts.NOT_CREDIBLE_REASONS)}


def test_great_circle_is_within_six_per_mille_of_the_geodesic() -> None:
    for lat0, lon0, lat1, lon1 in [
        (59, 25, 60, 24),
        (-33, 179.9, -33, -179.9),
        (89.9, 0, 89.9, 180),
        (0, 0, 0.1, 0.1),
    ]:
        truth = Geodesic.WGS84.Inverse(lat0, lon0, lat1, lon1)["s12"]
        assert great_circle_m(lat0, lon0, lat1, lon1) == pytest.approx(truth, rel=0.006)


def test_a_value_older_than_ten_seconds_or_of_the_future_is_not_known() -> None:
    assert latest(5.0, 0, 10 * NS_PER_S) == 5.0
    assert math.isnan(latest(5.0, 0, 10 * NS_PER_S + 1))
    assert math.isnan(latest(5.0, 1, 0))


# --- what must stay credible ---------------------------------------------------------------------------------


def test_straight_flight_is_credible_from_the_second_position_on() -> None:
    judged = Judged(path())
    assert judged.marks[0] == ("degraded", "unconfirmed_position")
    assert set(judged.marks[1:]) == {("credible", None)}


def test_standard_rate_turn_stays_credible() -> None:
    judged = Judged(path(speed_mps=220.0, turn_deg_s=3.0, count=240))
    assert set(judged.integrity[1:]) == {"credible"}


@pytest.mark.parametrize("every_s", [1.0, 4.0])
def test_a_fighter_pulling_nine_g_stays_credible(every_s: float) -> None:
    # 9 g at 250 m/s: 88.3 m/s^2 / 250 m/s = 20.2 deg/s, radius 708 m; speed is told by the true path
    turn = math.degrees(9.0 * 9.80665 / 250.0)
    straight = path(speed_mps=250.0, count=20, every_s=every_s)
    turning = path(
        lat=straight[-1]["latitude_deg"],
        lon=straight[-1]["longitude_deg"],
        speed_mps=250.0,
        turn_deg_s=turn,
        count=5,
        every_s=every_s,
        begin_s=straight[-1]["time_s"],
    )
    judged = Judged(straight + turning[1:])
    assert "impossible_jump" not in judged.reasons
    assert set(judged.integrity[1:]) == {"credible"}


def test_full_afterburner_from_200_to_600_mps_stays_credible() -> None:
    rows = path(speed_mps=200.0, count=20)
    speed, lon = 200.0, rows[-1]["longitude_deg"]
    for k in range(30):
        moved = speed + 6.0
        speed += 12.0
        lon += moved / (111_320.0 * math.cos(math.radians(59.5)))
        rows.append({**rows[-1], "time_s": 20.0 + k, "longitude_deg": lon, "ground_speed_mps": speed})
    assert set(Judged(rows).integrity[1:]) == {"credible"}


def test_a_hovering_helicopter_at_low_height_is_credible() -> None:
    cruise = path(speed_mps=70.0, count=30, pressure_altitude_m=150.0)
    hover = [
        displaced(cruise[-1], north_m=2.0 * (k % 3), time_s=30.0 + k, ground_speed_mps=float(k % 2))
        for k in range(60)
    ]
    judged = Judged(cruise + hover)
    assert set(judged.integrity[1:]) == {"credible"}
    assert not judged.rejected


def test_a_slow_helicopter_is_credible_with_a_radars_noise() -> None:
    rows = path(
        speed_mps=25.0, count=60, every_s=4.0, sensor_kind="radar", nac_p=None, pressure_altitude_m=200.0
    )
    judged = Judged(noisy(rows, 300.0, seed=1))
    assert set(judged.integrity[1:]) == {"credible"}


def test_a_track_over_the_antimeridian_stays_credible() -> None:
    judged = Judged(path(lat=65.0, lon=179.9, count=120))
    assert judged.points[0]["longitude_deg"] > 179.0 > -179.0 > judged.points[-1]["longitude_deg"]
    assert set(judged.integrity[1:]) == {"credible"}
    assert all(-180.0 <= p["longitude_deg"] < 180.0 for p in judged.points)


def test_a_flight_over_the_north_pole_does_not_crash_and_stays_credible() -> None:
    # along a meridian to the pole and down the opposite one
    rows = []
    for k in range(120):
        beyond = 89.9 + k * 230.0 / 111_694.0
        lat, lon, track = (beyond, 25.0, 0.0) if beyond <= 90.0 else (180.0 - beyond, -155.0, 180.0)
        row = {**AIRLINER, "time_s": float(k), "latitude_deg": lat, "longitude_deg": lon}
        rows.append({**row, "ground_speed_mps": 230.0, "track_angle_deg": track})
    judged = Judged(rows)
    assert set(judged.integrity[1:]) == {"credible"}


def test_a_position_at_the_pole_itself_does_not_crash() -> None:
    judged = Judged(
        [{**AIRLINER, "time_s": float(k), "latitude_deg": 90.0, "longitude_deg": 10.0 * k} for k in range(5)]
    )
    assert len(judged.points) == 5


def test_flight_continues_credible_after_a_short_gap_and_reacquired_after_a_long_one() -> None:
    rows = path(count=400)
    short = Judged(rows[:100] + rows[150:200])
    assert set(short.integrity[1:]) == {"credible"}
    judged = Judged(rows[:100] + rows[180:])
    assert judged.marks[100] == ("degraded", "reacquired")
    assert set(judged.integrity[1:100] + judged.integrity[101:]) == {"credible"}


# --- impossible jumps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(20, 32))
def test_an_isolated_outlier_is_not_believed_and_the_rows_after_it_are(at: int) -> None:
    # at every phase of the ten-second window in which speeds are compared
    rows = path(count=60)
    rows[at] = displaced(rows[at], north_m=60_000.0)
    judged = Judged(rows)
    assert judged.marks[at] == ("not_credible", "impossible_jump")
    assert set(judged.marks[1:at] + judged.marks[at + 1 :]) == {("credible", None)}


def test_a_smooth_chain_begun_by_a_jump_from_a_mature_chain_stays_distrusted() -> None:
    rows = path(count=60)
    far = [displaced(row, north_m=-90_000.0) for row in path(count=900, begin_s=60.0)]
    judged = Judged(rows + far)
    assert set(judged.marks[60:]) == {("not_credible", "impossible_jump")}


def test_the_true_chain_is_believed_again_when_it_comes_back_after_spoofing() -> None:
    rows = path(count=400)
    spoofed = rows[:60] + [displaced(row, north_m=-90_000.0) for row in rows[60:300]] + rows[300:]
    judged = Judged(spoofed)
    assert set(judged.marks[60:300]) == {("not_credible", "impossible_jump")}
    assert judged.marks[300] == ("degraded", "reacquired")
    assert set(judged.integrity[301:]) == {"credible"}


def test_an_immature_false_first_position_gives_way_to_the_real_chain() -> None:
    rows = path(count=40)
    rows[0] = displaced(rows[0], east_m=400_000.0)
    judged = Judged(rows)
    assert judged.integrity[0] == "degraded"
    assert {m for m in judged.marks[1:] if m[0] == "not_credible"} == {("not_credible", "impossible_jump")}
    first_believed = next(i for i, mark in enumerate(judged.integrity[1:], 1) if mark != "not_credible")
    assert first_believed <= 6
    assert judged.marks[first_believed] == ("degraded", "reacquired")
    assert set(judged.marks[first_believed + 1 :]) == {("credible", None)}


def test_after_two_hours_of_silence_a_far_place_is_a_new_start() -> None:
    rows = path(count=60)
    later = [displaced(row, north_m=-800_000.0, time_s=row["time_s"] + 7300.0) for row in rows]
    judged = Judged(rows + later)
    assert judged.integrity[60] == "degraded"
    assert set(judged.integrity[61:]) == {"credible"}


# --- one address, two places ----------------------------------------------------------------------------------


def test_two_aircraft_under_one_address_are_told_as_duplicate_address() -> None:
    rows = path(count=120)
    rows[31::2] = [displaced(row, north_m=-200_000.0) for row in rows[31::2]]
    judged = Judged(rows)
    here = [judged.marks[i] for i in range(60, 120, 2)]
    there = [judged.marks[i] for i in range(61, 120, 2)]
    assert set(here) == {("degraded", "duplicate_address")}
    assert set(there) == {("not_credible", "duplicate_address")}


def test_duplicate_address_ends_when_the_other_aircraft_has_gone() -> None:
    rows = path(count=300)
    rows[31:100:2] = [displaced(row, north_m=-200_000.0) for row in rows[31:100:2]]
    judged = Judged(rows)
    assert judged.marks[98] == ("degraded", "duplicate_address")
    assert set(judged.marks[170:]) == {("credible", None)}


# --- speed and height -------------------------------------------------------------------------------------------


def test_an_airliner_cannot_hang_slowly_at_its_cruising_level() -> None:
    rows = path(count=60)
    slow = path(
        lat=rows[-1]["latitude_deg"], lon=rows[-1]["longitude_deg"], speed_mps=26.0, count=30, begin_s=62.0
    )
    judged = Judged(rows + slow)
    assert set(judged.marks[60:]) == {("not_credible", "too_slow_for_height")}


def test_a_balloon_never_seen_fast_is_only_degraded() -> None:
    judged = Judged(path(speed_mps=15.0, count=60, pressure_altitude_m=18_000.0))
    assert set(judged.marks[1:]) == {("degraded", "slow_at_height")}


def test_slow_flight_below_the_height_is_credible_even_after_fast_flight() -> None:
    rows = path(count=60, pressure_altitude_m=7_000.0)
    slow = path(
        lat=rows[-1]["latitude_deg"],
        lon=rows[-1]["longitude_deg"],
        speed_mps=50.0,
        count=30,
        begin_s=62.0,
        pressure_altitude_m=7_000.0,
    )
    assert "too_slow_for_height" not in Judged(rows + slow).reasons


def test_positions_that_stand_still_at_a_reported_cruising_speed_contradict_it() -> None:
    # below the height of too_slow_for_height, as the reported speed itself stays high
    rows = path(count=60)
    held = [displaced(rows[-1], north_m=0.5 * k, time_s=60.0 + k) for k in range(60)]
    judged = Judged(rows + held)
    assert judged.reasons["speed_contradicts_positions"] + judged.reasons["impossible_jump"] > 40
    assert set(judged.integrity[75:]) == {"not_credible"}


def test_positions_drifting_aside_slowly_enough_for_the_gate_still_contradict_the_speed() -> None:
    # position moves at 330 m/s, transmitter says 200 m/s
    judged = Judged(path(speed_mps=330.0, count=60, ground_speed_mps=200.0))
    assert judged.reasons["speed_contradicts_positions"] > 40


def test_a_difference_of_speeds_within_the_tolerance_is_credible() -> None:
    judged = Judged(path(speed_mps=230.0, count=60, ground_speed_mps=200.0))
    assert set(judged.integrity[1:]) == {"credible"}


# --- what the transmitter says itself ---------------------------------------------------------------------------


def test_lost_accuracy_is_not_credible() -> None:
    rows = path(count=40)
    rows[20:] = [{**row, "nac_p": 0} for row in rows[20:]]
    assert set(Judged(rows).marks[20:]) == {("not_credible", "accuracy_lost")}


def test_lost_integrity_without_an_accuracy_is_not_credible() -> None:
    rows = path(count=40, nac_p=None, nic=8)
    rows[20:] = [{**row, "nic": 0} for row in rows[20:]]
    assert set(Judged(rows).marks[20:]) == {("not_credible", "integrity_lost")}


def test_low_accuracy_and_low_integrity_are_degraded() -> None:
    assert set(Judged(path(nac_p=4)).marks[1:]) == {("degraded", "accuracy_low")}
    assert set(Judged(path(nic=2)).marks[1:]) == {("degraded", "integrity_low")}


def test_a_transmitter_that_vouches_for_nothing_is_degraded() -> None:
    assert set(Judged(path(nic=8, sil=0)).marks[1:]) == {("degraded", "sil_unknown")}
    assert set(Judged(path(nic=8, sil=3)).integrity[1:]) == {"credible"}


def test_a_position_older_than_one_already_used_is_told_as_such() -> None:
    rows = path(count=20)
    rows.append(displaced(rows[10], east_m=30.0, time_s=15.5, last_position=START_NS + 10_500_000_000))
    assert dict(Judged(rows).rejected) == {"time_backwards": 1}


def test_two_sensors_that_tell_of_one_instant_are_both_used() -> None:
    rows = path(count=20)
    rows += [displaced(row, north_m=20.0, sensor="hill", sensor_kind="mlat") for row in path(count=20)]
    judged = Judged(rows)
    assert dict(judged.rejected) == {}
    assert len(judged.points) == 40


def test_a_bias_stays_in_the_track_when_another_sensor_reports_too() -> None:
    radar = {"sensor_kind": "radar", "sensor": "hill", "nac_p": None, "pressure_altitude_m": None}
    # 250 m outside; the radar sees it 500 m further north and says that it may
    true = path(lat=59.0 - 250.0 / M_PER_DEG, count=120)
    seen = [displaced(row, north_m=500.0, bias_bound_m=500.0, **radar) for row in true[::4]]
    rows = true + [{name: v for name, v in row.items() if v is not None} for row in seen]
    assert Judged(rows).events("spell_opened") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"covariance_ee_m2": float("inf"), "covariance_nn_m2": 100.0},
        {"covariance_ee_m2": 1e4, "covariance_nn_m2": 1e4, "covariance_en_m2": 1e6},
        {"covariance_ee_m2": -1.0, "covariance_nn_m2": 1.0},
        {"bias_bound_m": float("inf")},
    ],
)
def test_an_accuracy_that_cannot_be_is_rejected_and_spoils_nothing_after_it(wrong: dict) -> None:
    rows = path(count=30)
    rows[0] = {**rows[0], **wrong}
    judged = Judged(rows)
    assert dict(judged.rejected) == {"bad_accuracy": 1}
    assert set(judged.integrity[1:]) == {"credible"}


def test_a_velocity_that_its_source_holds_for_minutes_contradicts_nothing() -> None:
    # real state vectors keep 275.7 m/s until after the landing
    rows = path(count=200, speed_mps=100.0)
    held = [
        {**row, "ground_speed_mps": 275.7, "track_angle_deg": 280.5, "sensor_kind": "state_vector"}
        for row in rows
    ]
    assert set(Judged(held).integrity[60:]) == {"credible"}


def test_taxiing_under_a_garbled_height_is_not_slow_flight() -> None:
    rows = path(count=60, speed_mps=8.0, on_ground=True, pressure_altitude_m=None)
    rows += [
        {
            "icao24": "4601f7",
            "sensor_kind": "mode_s",
            "sensor": "roof",
            "time_s": 0.5 + k,
            "pressure_altitude_m": 12_800.0,
        }
        for k in range(60)
    ]
    assert set(Judged(rows).integrity[1:]) == {"credible"}


def test_absent_quality_is_not_held_against_a_report() -> None:
    assert set(Judged(path(nac_p=None)).integrity[1:]) == {"credible"}


def test_good_quality_claimed_does_not_save_an_impossible_jump() -> None:
    rows = path(count=40)
    rows[20:] = [displaced(row, north_m=-90_000.0, nac_p=11, nic=11, sil=3) for row in rows[20:]]
    assert set(Judged(rows).marks[20:]) == {("not_credible", "impossible_jump")}


# --- rejects ------------------------------------------------------------------------------------------------------


def test_a_position_repeated_by_its_time_is_a_stale_repeat() -> None:
    rows = path(count=20, sensor_kind="state_vector")
    held = [displaced(rows[-1], time_s=20.0 + k) for k in range(5)]
    table = make_reports(rows + held)
    seen = table["time_of_applicability"].to_pylist()
    seen[20:] = [seen[19]] * 5
    column = table.schema.get_field_index("last_position")
    table = table.set_column(
        column, table.schema.field(column), pa.array(seen, type=table.schema.field(column).type)
    )
    state, outputs = run(table)
    assert state.intake.accounts["roof"].rejected == {"stale_repeat": 5}
    assert sum(output.points.num_rows for output in outputs) == 20


def test_an_identical_position_at_speed_is_a_stale_repeat() -> None:
    rows = path(count=20)
    held = [displaced(rows[-1], time_s=20.0 + k) for k in range(5)]
    assert Judged(rows + held).rejected == {"stale_repeat": 5}


def test_an_identical_position_of_a_hovering_aircraft_is_no_stale_repeat() -> None:
    rows = path(count=20, speed_mps=0.0, pressure_altitude_m=100.0)
    assert not Judged(rows).rejected


def test_an_aircraft_parked_on_the_ground_repeats_its_position_rightly() -> None:
    rows = path(
        count=20,
        speed_mps=0.0,
        on_ground=True,
        pressure_altitude_m=50.0,
        ground_speed_mps=None,
        track_angle_deg=None,
    )
    assert not Judged(rows).rejected


@pytest.mark.parametrize(("height_m", "far_m"), [(10_668.0, 560_000.0), (300.0, 180_000.0)])
def test_no_receiver_sees_beyond_its_radio_horizon(height_m: float, far_m: float) -> None:
    # 4/3 Earth: antenna at 84 m sees 37.8 km, FL350 425.9 km; times 1.15 plus 20 km is 553 km; at 300 m 145.6 km
    near = _seen_from_a_receiver(path(count=20, pressure_altitude_m=height_m))
    assert near == {}
    far = _seen_from_a_receiver(
        [displaced(r, north_m=far_m) for r in path(count=20, pressure_altitude_m=height_m)]
    )
    assert far == {"beyond_radio_horizon": 20}


def test_without_a_height_the_horizon_of_the_ceiling_holds() -> None:
    rows = [displaced(row, north_m=560_000.0) for row in path(count=20, pressure_altitude_m=None)]
    assert _seen_from_a_receiver(rows) == {}
    rows = [displaced(row, north_m=800_000.0) for row in path(count=20, pressure_altitude_m=None)]
    assert _seen_from_a_receiver(rows) == {"beyond_radio_horizon": 20}


def test_without_a_receiver_place_there_is_no_horizon() -> None:
    assert not Judged([displaced(row, north_m=3_000_000.0) for row in path(count=20)]).rejected


def _seen_from_a_receiver(rows: list) -> dict[str, int]:
    state = State(receivers={"roof": (59.5, 25.5, 84.0)})
    state, _ = step(state, make_reports(rows), None, FAR_NS, Airspace([square()]), SETTINGS)
    return dict(state.intake.accounts["roof"].rejected)


def test_nothing_taxies_at_cruising_speed_or_height() -> None:
    assert Judged(path(count=5, on_ground=True, pressure_altitude_m=50.0)).rejected == {
        "ground_air_confusion": 5
    }
    assert Judged(path(count=5, on_ground=True, speed_mps=10.0)).rejected == {"ground_air_confusion": 5}
    assert not Judged(path(count=5, on_ground=True, speed_mps=70.0, pressure_altitude_m=50.0)).rejected


# --- consequence ----------------------------------------------------------------------------------------------------


def test_no_position_that_is_not_credible_ever_makes_a_spell() -> None:
    outside = path(lat=58.0, count=60)
    claims = {
        "impossible_jump": [
            displaced(row, north_m=160_000.0) for row in path(lat=58.0, count=300, begin_s=60.0)
        ],
        "accuracy_lost": [{**row, "nac_p": 0} for row in path(lat=59.2, count=300, begin_s=1060.0)],
        "integrity_lost": path(lat=59.2, count=300, begin_s=1060.0, nac_p=None, nic=0),
    }
    for reason, rows in claims.items():
        judged = Judged(outside + rows)
        assert judged.reasons[reason] == 300
        assert not judged.events("spell_opened", "incident_opened")
        assert judged.events("interference_opened")[0]["reasons"] == {reason: 3}
        assert judged.events("interference_closed")[0]["claimed_volumes"] == ["SQR"]


def test_a_spell_open_when_the_positions_become_incredible_does_not_grow_by_them() -> None:
    rows = path(lat=59.5, count=60) + path(lat=59.5, lon=25.7, count=200, begin_s=60.0, nac_p=0)
    closed = Judged(rows).events("spell_closed")
    assert [spell["reports"] for spell in closed] == [60]


def test_every_verdict_has_a_name_a_reason_and_a_test_here() -> None:
    names = {name for name, _ in verdicts.REASONS.values()} | {name for name, _ in verdicts.REJECTS.values()}
    with open(__file__, encoding="utf-8") as source:
        text = source.read()
    assert {name for name in names if name and name not in text} == set()
    assert len(names) == len(verdicts.REASONS) + len(verdicts.REJECTS)
    assert {
        "accuracy_lost",
        "integrity_lost",
        "impossible_jump",
        "speed_contradicts_positions",
        "too_slow_for_height",
        "duplicate_address",
    } == NOT_CREDIBLE
