"""Estonia, Vaindloo, 19 September 2025: three MiG-31, about twelve minutes.

The path is ours. It was laid so that every published number holds at once against the boundary of
the OpenStreetMap data (about twelve minutes, near Vaindloo, east to west along the border, less than
10 km deep), and the other side's statement too ("more than three kilometres from Vaindloo"). A straight
line cannot do that: at 59.84 N it is inside for 30 km only, so the path follows the border west-south-west.

A reconstruction shows that the published numbers fit together. It proves nothing about where the
aircraft were.
"""

from __future__ import annotations

from airvigil.scenarios.generator import Expected, Fact, Scenario
from airvigil.scenarios.paths import Path, Place, Waypoint
from airvigil.scenarios.sensors import AdsbReceiver, Flight, Radar, Transponder

ENTRY = "2025-09-19T06:58:00Z"
EXIT = "2025-09-19T07:10:00Z"
HEIGHT_M = 6_000.0  # not published; decides only what the radars can see

_MFA = "https://www.globalsecurity.org/military/library/news/2025/09/mil-250922-estonia-mfa01.htm"
_JOINT_FORCES = "https://www.joint-forces.com/?p=85364"
_ERR = "https://news.err.ee/1609806336/three-russian-fighter-jets-violate-estonian-airspace-linger-for-12-minutes"
_MENAFN = "https://menafn.com/1110088031/Estonian-Defense-Forces-Show-Flight-Path-Of-Russian-Fighter-Jets-Over-Country"
_VAINDLOO = (
    "https://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq.ipfs.dweb.link/wiki/Vaindloo.html"
)
_IN_UKRAINE = (
    "https://de.in-ukraine.info/amp/article/558243670-rosiyski-vinischuvachi-mig-31-nad-estonieyu-zbroyn"
)

FACTS = (
    Fact("time", "09:58 to 10:10 local, 06:58 to 07:10 UTC", "M", (_IN_UKRAINE,)),
    Fact("duration", "approximately 12 minutes", "H", (_JOINT_FORCES, _ERR)),
    Fact("aircraft", "three MiG-31, said to be armed", "H", (_MFA, _IN_UKRAINE)),
    Fact("place", "near the island of Vaindloo, 59.814 N 26.362 E", "H", (_VAINDLOO,)),
    Fact("course", "east to west, parallel to the border, then on to Kaliningrad", "H", (_MENAFN,)),
    Fact(
        "depth",
        "up to 10 km (foreign ministry), less than 10 km (ministry of defence), five nautical miles (press)",
        "H",
        (_MFA, "https://conven.org/?p=175134"),
    ),
    Fact("length", "nearly 100 km inside, by one party's statement", "H", (_MFA,)),
    Fact("mean speed", "100 km in 720 s would be 139 m/s (270 kt)", "D"),
    Fact(
        "state",
        "no flight plan, transponders off, no two-way radio with Estonian control",
        "H",
        (_JOINT_FORCES,),
    ),
    Fact(
        "other side",
        "a planned ferry flight over neutral waters, more than three kilometres from Vaindloo",
        "H",
        (
            _MENAFN,
            "https://thetelegraph.kyiv.ua/2025/nas-tam-ne-bulo-rf-pro-svoi-litaky-nad-estoniieiu.html",
        ),
    ),
    Fact(
        "evidence shown",
        "a printout of radar data and a photograph, at the United Nations on 22 September; no coordinates",
        "H",
        (
            "https://censor.net/en/photonews/3575550/tsahkna-showed-russia-evidence-that-its-aircraft-had-invaded-"
            "estonian-airspace",
        ),
    ),
)

ASSUMPTIONS = (
    "the path between the published places, from Gogland in the east to the corridor north of Tallinn",
    "entry at 06:58:00 and exit at 07:10:00 exactly; published to the minute",
    "one constant ground speed of about 120 m/s: what this path needs, 85 to 90 km being the longest way"
    " inside that is nowhere deeper than 10 km; low for the type, and less than the 139 m/s that follows"
    " from the published 100 km",
    "a wedge 250 m to each side of the leader and 250 m behind it",
    f"a height of {HEIGHT_M:.0f} m; none was published, and the reports carry none",
    "two radar stations at round coordinates feeding one air picture that keeps the three apart; which"
    " sensors saw them was not published",
    "radar noise of 60 m in range and 0.15 degrees in azimuth, biases below 500 m",
    "two airliners as background, with invented addresses and call signs",
)

EXPECTED = (
    Expected("duration", 690.0, 750.0, "s", "12 minutes within 30 s"),
    Expected("max_depth", 5_000.0, 10_000.0, "m", "less than 10 km, at least five"),
    Expected("length", 83_000.0, 90_000.0, "m", "of each track inside"),
    Expected("p_inside_max", 0.999, 1.0, "", "for one sigma up to 1 km"),
    Expected("members", 3.0, 3.0, "", "three aircraft in one incident"),
    Expected("incidents", 1.0, 1.0, "", "the airliners need no permission"),
    Expected("distance_to_vaindloo", 3_000.0, 5_000.0, "m", "the other side's statement holds as well"),
)

# The entry and exit lie on the boundary of the OpenStreetMap data; the legs through them are straight.
_LEADER = Path(
    (
        Waypoint(59.955, 27.25, HEIGHT_M),
        Waypoint(59.86, 26.65, HEIGHT_M),
        Waypoint(59.8573, 26.5667, HEIGHT_M, time=ENTRY),
        Waypoint(59.85, 26.34, HEIGHT_M),
        Waypoint(59.788, 26.08, HEIGHT_M),
        Waypoint(59.768, 25.65, HEIGHT_M),
        Waypoint(59.762, 25.25, HEIGHT_M),
        Waypoint(59.7686, 25.062, HEIGHT_M, time=EXIT),
        Waypoint(59.785, 24.75, HEIGHT_M),
        Waypoint(59.74, 24.3, HEIGHT_M),
    )
)


def _airliner(name: str, icao24: str, squawk: str, waypoints: tuple[Waypoint, ...]) -> Flight:
    return Flight(name, Path(waypoints, 8_000.0), transponder=Transponder(icao24, name, squawk))


_BACKGROUND = (
    _airliner(
        "SYNTH01",
        "d00001",
        "2101",
        (
            Waypoint(58.9, 24.2, 10_660.0, time="2025-09-19T06:47:00Z", speed_mps=225.0),
            Waypoint(59.65, 24.75, 7_000.0, speed_mps=210.0),
            Waypoint(60.25, 24.9, 1_500.0, speed_mps=110.0),
        ),
    ),
    _airliner(
        "SYNTH02",
        "d00002",
        "2102",
        (
            Waypoint(60.3, 25.1, 1_000.0, time="2025-09-19T06:52:00Z", speed_mps=110.0),
            Waypoint(59.95, 25.4, 5_500.0, speed_mps=190.0),
            Waypoint(59.3, 25.7, 10_000.0, speed_mps=230.0),
            Waypoint(58.4, 26.1, 10_970.0, speed_mps=235.0),
        ),
    ),
)

_PICTURE = "radar picture (assumed)"

SCENARIO = Scenario(
    name="vaindloo-2025",
    title="Vaindloo, Estonia, 19 September 2025",
    label="reconstruction",
    summary=(
        "Three fighters without transponders, flight plan or radio contact flew about twelve minutes in"
        " Estonian airspace along the border in the Gulf of Finland. No track was published: this one fits"
        " the published numbers."
    ),
    seed=20_250_919,
    airspace=("EST", "FIN"),
    flights=(
        Flight("lead", _LEADER),
        Flight("right wing", _LEADER, Place(right_m=250.0, behind_m=250.0)),
        Flight("left wing", _LEADER, Place(right_m=-250.0, behind_m=250.0)),
        *_BACKGROUND,
    ),
    radars=(
        Radar(
            name="east station (assumed)",
            picture=_PICTURE,
            latitude_deg=59.1,
            longitude_deg=26.4,
            antenna_height_m=150.0,
            scan_period_s=5.0,
            sigma_range_m=60.0,
            sigma_azimuth_deg=0.15,
            bias_range_m=100.0,
            bias_azimuth_deg=0.05,
            bias_bound_m=500.0,
            detection_probability=0.92,
            latency_s=1.0,
        ),
        Radar(
            name="west station (assumed)",
            picture=_PICTURE,
            latitude_deg=59.3,
            longitude_deg=24.6,
            antenna_height_m=60.0,
            scan_period_s=6.0,
            sigma_range_m=60.0,
            sigma_azimuth_deg=0.15,
            bias_range_m=-80.0,
            bias_azimuth_deg=-0.05,
            bias_bound_m=500.0,
            detection_probability=0.9,
            latency_s=1.2,
        ),
    ),
    receivers=(AdsbReceiver("north coast receiver (assumed)", 59.45, 24.9, 60.0),),
    facts=FACTS,
    assumptions=ASSUMPTIONS,
    expected=EXPECTED,
)
