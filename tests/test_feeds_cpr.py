"""CPR: the encoder of the standard run backwards, and pyModeS on the same bits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyModeS.position import airborne_position_pair

import mode_s_encoder as encoder
from airvigil.feeds import cpr

SECOND = 1_000_000_000
LATITUDES = st.floats(-86.5, 86.5)
LONGITUDES = st.floats(-180.0, 180.0, exclude_max=True)
AIRBORNE_STEP_M = 5.1  # of latitude; half a step is the rounding error
HELSINKI = (60.32, 24.83)


def fractions(
    latitude: float, longitude: float, is_odd: bool, is_surface: bool = False
) -> tuple[float, float]:
    y, x = encoder.cpr(latitude, longitude, is_odd=is_odd, is_surface=is_surface)
    return y / 2**17, x / 2**17


def feed(resolver: cpr.PositionResolver, seconds: float, place: tuple[float, float], is_odd: bool, is_surface: bool = False):  # fmt: skip
    y, x = encoder.cpr(*place, is_odd=is_odd, is_surface=is_surface)
    return resolver.resolve(round(seconds * SECOND), y, x, is_odd=is_odd, is_surface=is_surface)


@given(LATITUDES)
def test_longitude_zones_follow_the_defining_formula(latitude: float) -> None:
    assert cpr.longitude_zones(latitude) == encoder.zones(latitude)


@given(LATITUDES, LONGITUDES, st.booleans())
def test_a_pair_gives_back_the_encoded_position(latitude: float, longitude: float, is_odd: bool) -> None:
    pair = fractions(latitude, longitude, False), fractions(latitude, longitude, True)
    found = cpr.global_position(*pair, is_odd=is_odd, span_deg=360.0, reference=None)
    if found is None:  # the two halves were rounded to either side of a transition latitude
        steps = [cpr.longitude_zones(latitude + sign * 1e-4) for sign in (-1, 1)]
        assert steps[0] != steps[1]
        return
    assert cpr.distance_m(found[0], (latitude, longitude)) < AIRBORNE_STEP_M
    bounds = cpr.residual_bounds(latitude, 0, 360.0)
    assert found[1] <= bounds[0]
    assert found[2] <= bounds[1]


@given(LATITUDES, LONGITUDES, st.booleans())
def test_a_pair_decodes_as_in_pymodes(latitude: float, longitude: float, is_odd: bool) -> None:
    even = encoder.cpr(latitude, longitude, is_odd=False)
    odd = encoder.cpr(latitude, longitude, is_odd=True)
    theirs = airborne_position_pair(*even, *odd, even_is_newer=not is_odd)
    pair = fractions(latitude, longitude, False), fractions(latitude, longitude, True)
    ours = cpr.global_position(*pair, is_odd=is_odd, span_deg=360.0, reference=None)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert ours[0][0] == pytest.approx(theirs[0], abs=1e-9)
        assert cpr.wrap_longitude(ours[0][1] - theirs[1]) == pytest.approx(0.0, abs=1e-9)


@given(LATITUDES, LONGITUDES, st.booleans(), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_message_near_a_known_position_needs_no_partner(
    latitude: float, longitude: float, is_odd: bool, north: float, east: float
) -> None:
    reference = latitude + 0.5 * north, longitude + 0.5 * east
    found = cpr.local_position(*fractions(latitude, longitude, is_odd), is_odd=is_odd, span_deg=360.0, reference=reference)  # fmt: skip
    assert found is not None
    assert cpr.distance_m(found, (latitude, longitude)) < AIRBORNE_STEP_M


@given(st.floats(-80.0, 80.0), LONGITUDES, st.booleans(), st.floats(-40.0, 40.0))
def test_a_pair_on_the_ground_takes_the_quadrant_of_the_reference(
    latitude: float, longitude: float, is_odd: bool, off: float
) -> None:
    pair = fractions(latitude, longitude, False, True), fractions(latitude, longitude, True, True)
    reference = max(-85.0, min(85.0, latitude + off)), cpr.wrap_longitude(longitude + off)
    found = cpr.global_position(*pair, is_odd=is_odd, span_deg=90.0, reference=reference)
    if found is None:
        assert cpr.longitude_zones(latitude - 1e-4) != cpr.longitude_zones(latitude + 1e-4)
        return
    assert cpr.distance_m(found[0], (latitude, longitude)) < AIRBORNE_STEP_M / 4.0


def test_first_message_alone_is_unpaired_and_the_second_settles() -> None:
    resolver = cpr.PositionResolver()
    assert feed(resolver, 0.0, (60.0, 25.0), False) == (None, "cpr_unpaired")
    position, reason = feed(resolver, 0.5, (60.001, 25.0), True)
    assert reason is None
    assert position == pytest.approx((60.001, 25.0), abs=1e-4)


def test_after_a_position_single_messages_suffice_for_a_minute() -> None:
    resolver = cpr.PositionResolver()
    feed(resolver, 0.0, (60.0, 25.0), False)
    feed(resolver, 0.5, (60.0, 25.0), True)
    assert feed(resolver, 50.0, (60.1, 25.0), True)[0] == pytest.approx((60.1, 25.0), abs=1e-4)
    assert feed(resolver, 150.0, (60.2, 25.0), True) == (None, "cpr_unpaired")


def test_a_first_pair_far_apart_in_time_waits_for_confirmation() -> None:
    resolver = cpr.PositionResolver()
    feed(resolver, 0.0, (60.0, 25.0), False)
    assert feed(resolver, 9.0, (60.01, 25.0), True) == (None, "cpr_unconfirmed")
    assert feed(resolver, 17.0, (60.02, 25.0), False)[0] == pytest.approx((60.02, 25.0), abs=1e-4)


def test_a_mixed_pair_gives_no_position() -> None:
    resolver = cpr.PositionResolver()
    feed(resolver, 0.0, (60.0, 25.0), False)
    assert feed(resolver, 0.5, (60.08, 25.0), True) == (None, "cpr_ambiguous")


def test_a_single_wrong_message_is_refused_and_leaves_no_trace() -> None:
    resolver = cpr.PositionResolver()
    for step in range(6):
        feed(resolver, 0.5 * step, (60.0, 25.0), bool(step % 2))
    assert feed(resolver, 3.0, (49.67, 23.9), False) == (None, "cpr_ambiguous")
    for step in range(7, 11):
        position, reason = feed(resolver, 0.5 * step, (60.0, 25.0), bool(step % 2))
        assert reason is None
        assert position == pytest.approx((60.0, 25.0), abs=1e-4)


@pytest.mark.parametrize("claimed", [(49.67, 23.9), (60.9, 25.4), (-36.0, 140.0), (60.02, 25.0)])
def test_a_claimed_jump_comes_through_after_at_most_three_messages(claimed: tuple[float, float]) -> None:
    resolver = cpr.PositionResolver()
    for step in range(6):
        feed(resolver, 0.5 * step, (60.0, 25.0), bool(step % 2))
    answers = [feed(resolver, 0.5 * step, claimed, bool(step % 2)) for step in range(6, 14)]
    for position, _ in answers[:3]:
        assert position is None or cpr.distance_m(position, claimed) < 50.0
    for position, _ in answers[3:]:
        assert position == pytest.approx(claimed, abs=1e-4)


def test_on_the_ground_nothing_is_said_without_a_reference() -> None:
    resolver = cpr.PositionResolver()
    feed(resolver, 0.0, HELSINKI, False, True)
    assert feed(resolver, 0.5, HELSINKI, True, True) == (None, "cpr_no_reference")
    resolver = cpr.PositionResolver((60.0, 24.0))
    feed(resolver, 0.0, HELSINKI, False, True)
    assert feed(resolver, 0.5, HELSINKI, True, True)[0] == pytest.approx(HELSINKI, abs=1e-4)


def test_landing_goes_on_from_the_last_airborne_position() -> None:
    resolver = cpr.PositionResolver()
    feed(resolver, 0.0, HELSINKI, False)
    feed(resolver, 0.5, HELSINKI, True)
    assert feed(resolver, 2.0, HELSINKI, True, True)[0] == pytest.approx(HELSINKI, abs=1e-4)


def test_distance_of_a_degree_of_latitude() -> None:
    assert cpr.distance_m((60.0, 25.0), (61.0, 25.0)) == pytest.approx(111_195.0, rel=1e-4)
    assert math.isclose(cpr.distance_m((0.0, 179.9), (0.0, -179.9)), 22_239.0, rel_tol=1e-4)
