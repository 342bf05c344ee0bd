"""Synthetic cases: nothing like them is claimed to have taken place; each tries one judgement.

Addresses begin with d: no state's block in ICAO Annex 10 volume III (appendix to chapter 9) does, so no
aircraft has them.
"""

from __future__ import annotations

from airvigil.scenarios.generator import Expected, Scenario
from airvigil.scenarios.paths import Path, Waypoint
from airvigil.scenarios.sensors import AdsbReceiver, Flight, Interference, Radar, Transponder

_RECEIVER = AdsbReceiver("coast receiver (assumed)", 60.15, 24.95, 80.0)
_SECOND_RECEIVER = AdsbReceiver(
    "second receiver (assumed)",
    59.45,
    26.2,
    60.0,
    dropouts=(("2024-01-01T12:17:00Z", "2024-01-01T12:18:30Z"),),
)


def _cruise(number: int, start: str, *places: tuple[float, float], height_m: float = 10_670.0) -> Flight:
    """An airliner at cruising height and 230 m/s through some places."""
    waypoints = tuple(
        Waypoint(lat, lon, height_m, time=start if i == 0 else None, speed_mps=230.0)
        for i, (lat, lon) in enumerate(places)
    )
    identity = Transponder(f"d001{number:02x}", f"SYNTH1{number}", f"21{number:02o}", interval_s=2.0)
    return Flight(identity.callsign, Path(waypoints, 10_000.0), transponder=identity)


SPOOFED_AIRLINER = Scenario(
    name="spoofed-airliner",
    title="An airliner that spoofing puts across a border",
    label="synthetic",
    summary=(
        "An airliner flies west to east along the Gulf of Finland's corridor. For ten minutes its GNSS receiver"
        " follows a false signal, and it reports a circle at 25 m/s in Russian airspace 130 km away, with good quality."
    ),
    seed=101,
    airspace=("EST", "FIN", "RUS"),
    flights=(
        _cruise(
            1, "2024-01-01T12:00:00Z", (59.5, 22.6), (59.83, 24.9), (60.0, 26.2), (60.6, 27.4), (61.2, 28.4)
        ),
    ),
    receivers=(_RECEIVER,),
    interference=(
        Interference(
            latitude_deg=60.0,
            longitude_deg=26.2,
            radius_m=250_000.0,
            since="2024-01-01T12:12:00Z",
            until="2024-01-01T12:22:00Z",
            claimed_latitude_deg=59.8,
            claimed_longitude_deg=28.6,
        ),
    ),
    assumptions=("the whole case",),
    expected=(
        Expected("incidents", 0.0, 0.0, "", "a position that is not credible infringes nothing"),
        Expected("interference", 1.0, 1.0, "", "one aircraft, one episode"),
        Expected("interference_duration", 580.0, 620.0, "s", "ten minutes"),
    ),
)

JAMMED_GULF = Scenario(
    name="jammed-gulf",
    title="Several airliners lose their position accuracy over the Gulf of Finland",
    label="synthetic",
    summary=(
        "Four airliners cross the eastern Gulf, near each other when a jammer begins. Within 90 km of it they"
        " report NACp and NIC 0, every other report lacks a position, and what is left is wrong by hundreds of metres."
    ),
    seed=102,
    airspace=("EST", "FIN", "RUS"),
    flights=(
        _cruise(
            1,
            "2024-01-01T12:00:00Z",
            (59.4, 23.4),
            (59.85, 25.2),
            (60.3, 27.0),
            (61.2, 28.4),
            height_m=10_670.0,
        ),
        _cruise(
            2,
            "2024-01-01T12:04:00Z",
            (61.0, 25.6),
            (60.1, 26.2),
            (59.2, 26.6),
            (58.2, 26.7),
            height_m=10_970.0,
        ),
        _cruise(
            3,
            "2024-01-01T11:57:30Z",
            (58.4, 25.2),
            (59.3, 25.7),
            (60.2, 26.1),
            (61.2, 26.3),
            height_m=11_280.0,
        ),
        _cruise(
            4,
            "2024-01-01T12:04:30Z",
            (60.9, 27.6),
            (60.2, 26.6),
            (59.75, 25.2),
            (59.4, 23.2),
            height_m=11_580.0,
        ),
    ),
    receivers=(_RECEIVER, _SECOND_RECEIVER),
    interference=(
        Interference(
            latitude_deg=60.0,
            longitude_deg=27.0,
            radius_m=90_000.0,
            since="2024-01-01T12:12:00Z",
            until="2024-01-01T12:24:00Z",
            sigma_m=400.0,
        ),
    ),
    assumptions=("the whole case",),
    expected=(
        Expected("incidents", 0.0, 0.0, "", "civil traffic with an identity; positions not credible"),
        Expected("interference", 4.0, 8.0, "", "every airliner at least once"),
        Expected("interference_areas", 1.0, 3.0, "", "three or more lose accuracy near each other"),
    ),
)

# The Estonian boundary between 25.5783 E and 24.9 E is one straight edge of the OpenStreetMap data.
EDGE = ((59.8267, 25.5783), (59.7504, 24.9))


def _on_edge(part: float) -> tuple[float, float]:
    (lat0, lon0), (lat1, lon1) = EDGE
    return lat0 + part * (lat1 - lat0), lon0 + part * (lon1 - lon0)


BORDER_GRAZE = Scenario(
    name="border-graze",
    title="A target without identity along a border, within the radar's noise",
    label="synthetic",
    summary=(
        "An aircraft without transponder follows a straight piece of the Estonian border for 30 km. Radar noise puts"
        " its plots on one side and the other by turns: that must not make ten infringements of it."
    ),
    seed=103,
    airspace=("EST",),
    flights=(
        Flight(
            "graze",
            Path(
                (
                    Waypoint(59.95, 25.75, 3_000.0, time="2024-01-01T12:00:00Z", speed_mps=120.0),
                    Waypoint(*_on_edge(0.1), 3_000.0, speed_mps=120.0),
                    Waypoint(*_on_edge(0.9), 3_000.0, speed_mps=120.0),
                    Waypoint(59.9, 24.6, 3_000.0, speed_mps=120.0),
                ),
                2_000.0,
            ),
        ),
    ),
    radars=(
        Radar(
            name="coast station (assumed)",
            picture="coast radar (assumed)",
            latitude_deg=59.45,
            longitude_deg=25.3,
            antenna_height_m=50.0,
            scan_period_s=4.0,
            sigma_range_m=60.0,
            sigma_azimuth_deg=0.2,
            bias_range_m=0.0,
            bias_azimuth_deg=0.0,
            bias_bound_m=100.0,
            detection_probability=0.95,
            latency_s=0.8,
        ),
    ),
    assumptions=("the whole case",),
    expected=(
        Expected("incidents", 0.0, 2.0, "", "noise on a border is not ten infringements"),
        Expected("naive_crossings", 10.0, 1_000.0, "", "what counting plots on each side would find"),
    ),
)
