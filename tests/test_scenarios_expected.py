"""What the engine finds in each scenario, against the numbers that its description promises."""

from collections import Counter

import numpy as np
import pyarrow.compute as pc
import pytest

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.engine import step
from airvigil.scenarios.catalogue import get, list_scenarios
from airvigil.scenarios.generator import Scenario, generate
from airvigil.scenarios.paths import parse_time
from airvigil.settings import load_settings
from airvigil.state import State
from airvigil.units import NS_PER_S

END_OF_TIME_NS = 2**62


def events_of(scenario: Scenario) -> list[dict]:
    airspace = Airspace(load_volumes(list(scenario.airspace), {}))
    _, output = step(State(), generate(scenario), None, END_OF_TIME_NS, airspace, load_settings())
    return output.events


def found(scenario: Scenario) -> dict[str, list[float]]:
    """The numbers found, by the name that `Expected` gives them; several where there are several."""
    events = events_of(scenario)
    count = Counter(event["event"] for event in events)
    incidents = [event for event in events if event["event"] == "incident_closed"]
    spells = [e for e in events if e["event"] == "spell_closed" and e["permission"] == "required"]
    closed = [event for event in events if event["event"] == "interference_closed"]
    return {
        "incidents": [len(incidents)],
        "members": [len(event["members"]) for event in incidents],
        "duration": [event["duration_s"] for event in incidents + spells],
        "max_depth": [event["max_depth_m"] for event in incidents + spells],
        "p_inside_max": [event["p_inside_max"] for event in incidents + spells],
        "length": [event["length_m"] for event in spells],
        "interference": [count["interference_opened"]],
        "interference_areas": [count["interference_area"]],
        "interference_duration": [
            (parse_time(event["until"]) - parse_time(event["since"])) / NS_PER_S for event in closed
        ],
    }


# those that concern the described truth, not what an analysis finds, are tested with the catalogue
OF_THE_TRUTH = {"distance_to_vaindloo", "naive_crossings"}


@pytest.mark.parametrize("name", [scenario.name for scenario in list_scenarios()])
def test_the_engine_finds_what_the_description_promises(name: str) -> None:
    scenario = get(name)
    numbers = found(scenario)
    checked = [expected for expected in scenario.expected if expected.name not in OF_THE_TRUTH]
    assert checked
    for expected in checked:
        values = numbers[expected.name]
        assert values or expected.low == 0.0, expected.name
        for value in values:
            assert expected.low <= value <= expected.high, f"{expected.name}: {expected.reason}"


def test_everything_told_of_a_scenario_says_that_it_is_a_reconstruction() -> None:
    told = [event for event in events_of(get("vaindloo-2025")) if "reconstruction" in event]
    assert len(told) > 10
    assert all(event["reconstruction"] for event in told)


@pytest.mark.parametrize("sigma_m", [50.0, 300.0, 1000.0])
def test_vaindloo_is_certain_for_any_sensor_up_to_a_kilometre(sigma_m: float) -> None:
    """P of the stay is at least P of its surest moment: the filtered track against one-sigma errors up to 1 km."""
    scenario = get("vaindloo-2025")
    airspace = Airspace(load_volumes(["EST"], {}))
    _, output = step(State(), generate(scenario), None, END_OF_TIME_NS, airspace, load_settings())
    members = {m["track_id"] for e in output.events if e["event"] == "incident_closed" for m in e["members"]}
    assert len(members) == 3
    for member in members:
        points = output.points.filter(pc.equal(output.points["track_id"], member))
        count = points.num_rows
        covariance = np.tile([sigma_m**2, 0.0, sigma_m**2], (count, 1))
        places = [points[name].to_numpy() for name in ("latitude_deg", "longitude_deg")]
        assert airspace.margins(*places, covariance, np.zeros(count)).p_inside.max() >= 0.999
