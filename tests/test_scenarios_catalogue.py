"""The catalogue, and each scenario's promises against the packaged boundary."""

import math
import re

import numpy as np
import pyarrow.compute as pc
import pytest
from geographiclib.geodesic import Geodesic

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.errors import ConfigError
from airvigil.scenarios.catalogue import get, list_scenarios
from airvigil.scenarios.generator import CONFIDENCES, KINDS, Scenario, generate
from airvigil.scenarios.paths import parse_time
from airvigil.scenarios.sensors import Flight

WGS84 = Geodesic.WGS84
S = 1_000_000_000
VAINDLOO = get("vaindloo-2025")
ISLAND = (59.8175, 26.3594)


def limits(scenario: Scenario, name: str) -> tuple[float, float]:
    (found,) = [e for e in scenario.expected if e.name == name]
    return found.low, found.high


def test_names_are_unique_and_found() -> None:
    names = [scenario.name for scenario in list_scenarios()]
    assert len(set(names)) == len(names)
    assert {"vaindloo-2025", "spoofed-airliner", "jammed-gulf", "border-graze"} <= set(names)
    for name in names:
        assert get(name).name == name
        assert re.fullmatch(r"[a-z0-9-]+", name)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match="vaindlo'") as raised:
        get("vaindlo")
    assert raised.value.hint is not None
    assert "vaindloo-2025" in raised.value.hint


def test_every_fact_has_a_mark_and_a_source_and_every_number_its_limits() -> None:
    for scenario in list_scenarios():
        assert scenario.label in KINDS
        assert scenario.assumptions
        assert scenario.expected
        for fact in scenario.facts:
            assert fact.confidence in CONFIDENCES
            assert bool(fact.sources) != (fact.confidence == "D")
            assert all(source.startswith("https://") for source in fact.sources)
        for expected in scenario.expected:
            assert expected.low <= expected.high
    assert VAINDLOO.facts
    assert VAINDLOO.label == "reconstruction"


def test_invented_addresses_belong_to_nobody() -> None:
    for scenario in list_scenarios():
        for flight in scenario.flights:
            if flight.transponder is not None:
                assert flight.transponder.icao24.startswith("d")
                assert flight.transponder.callsign.startswith("SYNTH")


@pytest.fixture(scope="module")
def estonia() -> Airspace:
    return Airspace([v for v in load_volumes(["EST"], {}) if v.volume_id == "EST"])


def truth(flight: Flight, step_ns: int = S // 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    times = np.arange(flight.path.start_ns, flight.path.end_ns, step_ns)
    motions = [flight.motion(int(t)) for t in times]
    return times, np.array([m.latitude_deg for m in motions]), np.array([m.longitude_deg for m in motions])


def margins_of(airspace: Airspace, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Margin of each point to the one volume; -50 km where there is no pair."""
    n = len(lat)
    found = airspace.margins(lat, lon, np.full((n, 3), math.nan), np.zeros(n))
    out = np.full(n, -50_000.0)
    out[found.row] = found.margin_m
    return out


@pytest.mark.parametrize("flight", VAINDLOO.flights[:3], ids=lambda flight: flight.name)
def test_each_of_the_three_fits_every_published_number(flight: Flight, estonia: Airspace) -> None:
    times, lat, lon = truth(flight)
    margin = margins_of(estonia, lat, lon)
    inside = np.flatnonzero(margin > 0.0)
    assert (np.diff(inside) == 1).all(), "one stay"
    assert inside[0] > 0
    assert inside[-1] < len(times) - 1
    entry, leave = times[inside[0]], times[inside[-1]]
    assert abs(entry - parse_time("2025-09-19T06:58:00Z")) < 30 * S
    assert abs(leave - parse_time("2025-09-19T07:10:00Z")) < 30 * S
    low, high = limits(VAINDLOO, "duration")
    assert low < (leave - entry) / S < high
    low, high = limits(VAINDLOO, "max_depth")
    assert low < margin.max() < high - 500.0, "room for the noise of a measured depth"
    steps = [WGS84.Inverse(lat[i], lon[i], lat[i + 1], lon[i + 1])["s12"] for i in inside[:-1]]
    low, high = limits(VAINDLOO, "length")
    assert low < sum(steps) < high
    low, high = limits(VAINDLOO, "distance_to_vaindloo")
    assert (
        low
        < min(WGS84.Inverse(*ISLAND, a, b)["s12"] for a, b in zip(lat[::10], lon[::10], strict=True))
        < high
    )
    assert (np.diff(lon) < 0.0).all(), "east to west"


def test_the_three_are_silent_and_kept_apart_by_one_picture() -> None:
    table = generate(VAINDLOO)
    plots = table.filter(pc.is_null(table["icao24"]))
    assert set(plots["sensor_kind"].to_pylist()) == {"radar"}
    assert sorted(set(plots["sensor_track"].to_pylist())) == ["1", "2", "3"]
    assert len(set(plots["sensor"].to_pylist())) == 1
    for name in ("callsign", "squawk", "pressure_altitude_m", "geometric_height_m", "ground_speed_mps"):
        assert plots[name].null_count == plots.num_rows
    sigma = np.sqrt(plots["covariance_ee_m2"].to_numpy() + plots["covariance_nn_m2"].to_numpy())
    assert sigma.max() < 1_000.0
    for number in ("1", "2", "3"):
        times = plots.filter(pc.equal(plots["sensor_track"], number))["time_of_applicability"]
        assert np.diff(np.sort(times.cast("int64").to_numpy())).max() < 30 * S


def test_only_the_three_and_the_airliners_ever_enter(estonia: Airspace) -> None:
    entered = {
        flight.name
        for flight in VAINDLOO.flights
        if margins_of(estonia, *truth(flight, 5 * S)[1:]).max() > 0.0
    }
    assert entered == {"lead", "right wing", "left wing", "SYNTH01", "SYNTH02"}


def test_the_grazer_flies_on_the_border_and_its_plots_cross_it_often(estonia: Airspace) -> None:
    graze = get("border-graze")
    table = generate(graze)
    side = margins_of(estonia, table["latitude_deg"].to_numpy(), table["longitude_deg"].to_numpy()) > 0.0
    low, high = limits(graze, "naive_crossings")
    assert low <= np.count_nonzero(np.diff(side)) <= high
    times, lat, lon = truth(graze.flights[0])
    share = (times - times[0]) / (times[-1] - times[0])
    on_edge = margins_of(estonia, lat, lon)[(share > 0.3) & (share < 0.6)]
    assert np.abs(on_edge).max() < 60.0


def test_the_spoofed_airliner_is_claimed_across_the_border() -> None:
    table = generate(get("spoofed-airliner"))
    russia = Airspace([v for v in load_volumes(["RUS"], {}) if v.volume_id == "RUS"])
    claimed = margins_of(russia, table["latitude_deg"].to_numpy(), table["longitude_deg"].to_numpy())
    _, lat, lon = truth(get("spoofed-airliner").flights[0], 5 * S)
    false = table["ground_speed_mps"].to_numpy() == 25.0
    assert 200 < np.count_nonzero(false) < 320
    assert (claimed[false] > 10_000.0).all()
    assert (table["nac_p"].to_numpy()[false] == 9).all()
    assert (margins_of(russia, lat, lon) < 0.0).all(), "it was never there"


def test_jamming_reaches_every_airliner_of_the_jammed_gulf() -> None:
    table = generate(get("jammed-gulf"))
    for flight in get("jammed-gulf").flights:
        assert flight.transponder is not None
        mine = table.filter(pc.equal(table["icao24"], flight.transponder.icao24))
        bad = np.asarray(mine["nac_p"].to_numpy() == 0)
        assert bad.sum() > 60
        assert (~bad).sum() > 60
