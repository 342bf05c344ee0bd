"""What sensors would report of a flight: radar stations, ADS-B receivers, and GNSS interference.

Rules
- Noise comes from the raw words of PCG64, whose stream NumPy guarantees, through scalar maths: the same
  seed gives the same reports with any NumPy. Each flight, and each flight-sensor pair, has its own
  stream: adding a sensor changes nothing in what the others saw.
- A radar reports a position and its own track number, and of an aircraft with a transponder what Mode S
  tells (identity, pressure altitude); its covariance is that of its range and azimuth noise at that place. Its bias is constant and is not in the covariance: what is
  known of it is `bias_bound_m`.
- An ADS-B report is a state vector: position, velocity, heights, identity and quality in one row.
  What an aircraft transmits is the same for every receiver, its errors included.
- A sensor sees what is above its radio horizon (4/3 Earth) and within its range.

The models are as simple as the tests that they serve allow; they are no model of any real set.

References: M. Skolnik, Introduction to Radar Systems, 3rd edition 2001, section 8.5 (refraction);
NumPy enhancement proposal 19 (stability of bit generators).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from airvigil.scenarios.paths import LEADER, Motion, Path, Place, parse_time
from airvigil.tracking.local_plane import convergence_rad, to_geodetic, to_local
from airvigil.units import MEAN_EARTH_RADIUS_M, NS_PER_S, RADIO_EARTH_FACTOR

Row = dict[str, Any]

_GNSS_MEMORY_S = 60.0  # of an undisturbed receiver's error: ionosphere and multipath change over minutes
_JAMMED_MEMORY_S = 20.0  # of a disturbed one's: assumed


class Noise:
    """A stream of random numbers that is the same everywhere and for ever.

    Args:
        keys: the seed and whatever tells this stream from the others.

    Example:
        >>> Noise(1, 2).uniform() == Noise(1, 2).uniform() != Noise(1, 3).uniform()
        True
    """

    def __init__(self, *keys: int) -> None:
        self._words = np.random.PCG64(np.random.SeedSequence(keys))

    def uniform(self) -> float:
        """Uniform in [0, 1), 53 bits."""
        return float(int(self._words.random_raw()) >> 11) * 2.0**-53

    def normal(self) -> float:
        """Standard normal (Box and Muller, one of the pair)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.uniform()))
        return radius * math.cos(2.0 * math.pi * self.uniform())


@dataclass(frozen=True)
class Transponder:
    """What an aircraft says of itself by ADS-B.

    Attributes:
        icao24, callsign, squawk, category: identity, as in the report table.
        adsb_version, nic, nac_p, nac_v, sil: claimed quality.
        rc_m: radius of containment that goes with the NIC.
        sigma_m: true one sigma per axis of the navigation error, remembered for a minute.
        interval_s: between its transmissions.
    """

    icao24: str
    callsign: str
    squawk: str
    category: str = "A3"
    adsb_version: int = 2
    nic: int = 8
    rc_m: float = 185.2
    nac_p: int = 9
    nac_v: int = 2
    sil: int = 3
    sigma_m: float = 5.0
    interval_s: float = 1.0


@dataclass(frozen=True)
class Flight:
    """One aircraft: its path, its place in a formation, and its transponder (None: silent)."""

    name: str
    path: Path
    place: Place = LEADER
    transponder: Transponder | None = None

    def motion(self, time_ns: int) -> Motion | None:
        """The truth at a time; None where there is no aircraft."""
        return self.path.motion(time_ns, self.place)


@dataclass(frozen=True)
class Radar:
    """A radar station that feeds an air picture.

    Attributes:
        name: of the station, for people.
        picture: the `sensor` of its reports. Stations of one picture share track numbers.
        latitude_deg, longitude_deg, antenna_height_m: the antenna.
        scan_period_s: one turn; the phase is random.
        sigma_range_m, sigma_azimuth_deg: one sigma of each plot.
        bias_range_m, bias_azimuth_deg: constant errors.
        bias_bound_m: what is promised of the effect of both.
        detection_probability: per turn.
        latency_s: from measurement to receipt.
        range_m: greatest range.
    """

    name: str
    picture: str
    latitude_deg: float
    longitude_deg: float
    antenna_height_m: float
    scan_period_s: float
    sigma_range_m: float
    sigma_azimuth_deg: float
    bias_range_m: float
    bias_azimuth_deg: float
    bias_bound_m: float
    detection_probability: float
    latency_s: float
    range_m: float = 400_000.0


@dataclass(frozen=True)
class AdsbReceiver:
    """A receiver of 1090 MHz.

    Attributes:
        name: the `sensor` of its reports.
        latitude_deg, longitude_deg, antenna_height_m: the antenna.
        reception_probability: per report.
        latency_s: from measurement to receipt.
        dropouts: (from, until) ISO 8601 times in which nothing is received.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    antenna_height_m: float
    reception_probability: float = 0.95
    latency_s: float = 0.3
    dropouts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Interference:
    """GNSS jamming, or spoofing if a place is claimed, of aircraft truly within a circle.

    Attributes:
        latitude_deg, longitude_deg, radius_m: the circle.
        since, until: ISO 8601 times.
        loss_probability: share of jammed reports that lack a position.
        sigma_m: one sigma per axis of the error of jammed positions, remembered for 20 s.
        claimed_latitude_deg, claimed_longitude_deg: None = jamming: NACp and NIC become 0.
            Otherwise positions circle this place, with their usual claimed quality.
        claimed_speed_mps, claimed_radius_m: of that circling; the speed is reported too.
    """

    latitude_deg: float
    longitude_deg: float
    radius_m: float
    since: str
    until: str
    loss_probability: float = 0.5
    sigma_m: float = 500.0
    claimed_latitude_deg: float | None = None
    claimed_longitude_deg: float | None = None
    claimed_speed_mps: float = 25.0
    claimed_radius_m: float = 800.0

    def reaches(self, time_ns: int, motion: Motion) -> bool:
        """Whether an aircraft there and then is affected."""
        if not parse_time(self.since) <= time_ns < parse_time(self.until):
            return False
        place = to_local(self.latitude_deg, self.longitude_deg, motion.latitude_deg, motion.longitude_deg)
        return math.hypot(*place) < self.radius_m


def is_seen(antenna_height_m: float, distance_m: float, height_m: float) -> bool:
    """Whether something at a height is above the radio horizon of an antenna, both above a smooth sea.

    Example:
        >>> is_seen(100.0, 250_000.0, 5_000.0), is_seen(100.0, 350_000.0, 5_000.0)
        (True, False)
    """
    earth = 2.0 * RADIO_EARTH_FACTOR * MEAN_EARTH_RADIUS_M
    return distance_m <= math.sqrt(earth * max(antenna_height_m, 0.0)) + math.sqrt(earth * max(height_m, 0.0))


def radar_rows(radar: Radar, flight: Flight, track_number: int, noise: Noise) -> Iterator[Row]:
    """The plots that a station makes of a flight, one a turn at most, as report columns."""
    period_ns = round(radar.scan_period_s * NS_PER_S)
    phase_ns = round(noise.uniform() * period_ns)
    for north_ns in range(flight.path.start_ns - 2 * period_ns + phase_ns, flight.path.end_ns, period_ns):
        detected, range_error, azimuth_error = noise.uniform(), noise.normal(), noise.normal()
        guess = flight.motion(min(max(north_ns + period_ns // 2, flight.path.start_ns), flight.path.end_ns))
        if guess is None:
            continue
        _, azimuth = _polar(radar, guess)
        time_ns = north_ns + round(azimuth / (2.0 * math.pi) * period_ns)
        motion = flight.motion(time_ns)
        if motion is None or detected >= radar.detection_probability:
            continue
        distance, azimuth = _polar(radar, motion)
        if distance > radar.range_m or not is_seen(radar.antenna_height_m, distance, motion.height_m):
            continue
        distance += radar.bias_range_m + radar.sigma_range_m * range_error
        azimuth += math.radians(radar.bias_azimuth_deg + radar.sigma_azimuth_deg * azimuth_error)
        place = distance * math.sin(azimuth), distance * math.cos(azimuth)
        latitude, longitude = to_geodetic(radar.latitude_deg, radar.longitude_deg, *place)
        ee, en, nn = plot_covariance(radar, latitude, longitude)
        yield {
            **_mode_s(flight.transponder, motion),
            "time_of_applicability": time_ns,
            "received_at": time_ns + round(radar.latency_s * NS_PER_S),
            "sensor": radar.picture,
            "sensor_kind": "radar",
            "sensor_track": str(track_number),
            "latitude_deg": latitude,
            "longitude_deg": longitude,
            "covariance_ee_m2": ee,
            "covariance_en_m2": en,
            "covariance_nn_m2": nn,
            "bias_bound_m": radar.bias_bound_m,
        }


def _mode_s(transponder: Transponder | None, motion: Motion) -> Row:
    """What an aircraft answers to a secondary radar; nothing if its transponder is off."""
    if transponder is None:
        return {}
    return {
        "icao24": transponder.icao24,
        "is_icao_address": True,
        "callsign": transponder.callsign,
        "squawk": transponder.squawk,
        "pressure_altitude_m": motion.height_m,
    }


def _polar(radar: Radar, motion: Motion) -> tuple[float, float]:
    """Distance (m) and azimuth in [0, 2 pi) of an aircraft from a station."""
    e, n = to_local(radar.latitude_deg, radar.longitude_deg, motion.latitude_deg, motion.longitude_deg)
    return math.hypot(e, n), math.atan2(e, n) % (2.0 * math.pi)


def plot_covariance(radar: Radar, latitude_deg: float, longitude_deg: float) -> tuple[float, float, float]:
    """Covariance (ee, en, nn; m^2) of a plot there, in east and north at the plot itself."""
    e, n = to_local(radar.latitude_deg, radar.longitude_deg, latitude_deg, longitude_deg)
    turned = convergence_rad(radar.latitude_deg, radar.longitude_deg, latitude_deg, longitude_deg)
    azimuth = math.atan2(e, n) + turned
    along = radar.sigma_range_m**2
    across = (math.hypot(e, n) * math.radians(radar.sigma_azimuth_deg)) ** 2
    sin2, cos2 = math.sin(azimuth) ** 2, math.cos(azimuth) ** 2
    return (
        along * sin2 + across * cos2,
        (along - across) * math.sin(azimuth) * math.cos(azimuth),
        along * cos2 + across * sin2,
    )


def broadcasts(
    flight: Flight, interference: tuple[Interference, ...], noise: Noise
) -> Iterator[tuple[Motion, Row]]:
    """What a flight transmits, with the truth at that time: the same for whoever receives it."""
    if flight.transponder is None:
        return
    interval_s = flight.transponder.interval_s
    interval_ns = round(interval_s * NS_PER_S)
    wander = _Wander(flight.transponder.sigma_m, interval_s, _GNSS_MEMORY_S, noise)
    jammed = [_Wander(source.sigma_m, interval_s, _JAMMED_MEMORY_S, noise) for source in interference]
    start_ns = flight.path.start_ns + round(noise.uniform() * interval_ns)
    for time_ns in range(start_ns, flight.path.end_ns, interval_ns):
        error, lost = wander.step(), noise.uniform()
        wrong = [source.step() for source in jammed]
        motion = flight.motion(time_ns)
        if motion is None:
            continue
        row = _state_vector(flight.transponder, motion, error)
        row["time_of_applicability"] = time_ns
        for source, jammed_error in zip(interference, wrong, strict=True):
            if source.reaches(time_ns, motion):
                row.update(_interfered(source, motion, time_ns, lost, jammed_error))
        yield motion, row


def adsb_rows(
    receiver: AdsbReceiver,
    flight: Flight,
    interference: tuple[Interference, ...],
    aircraft: Noise,
    reception: Noise,
) -> Iterator[Row]:
    """What a receiver hears from a flight, as report columns; nothing from a silent one.

    Args:
        receiver, flight, interference: descriptions.
        aircraft: the flight's own noise, a fresh stream with the same keys for every receiver.
        reception: this receiver's noise for this flight.
    """
    dropouts = [(parse_time(a), parse_time(b)) for a, b in receiver.dropouts]
    for motion, row in broadcasts(flight, interference, aircraft):
        heard, jitter = reception.uniform(), reception.uniform()
        time_ns = row["time_of_applicability"]
        if heard >= receiver.reception_probability or any(a <= time_ns < b for a, b in dropouts):
            continue
        at = to_local(
            receiver.latitude_deg, receiver.longitude_deg, motion.latitude_deg, motion.longitude_deg
        )
        if not is_seen(receiver.antenna_height_m, math.hypot(*at), motion.height_m):
            continue
        row["received_at"] = time_ns + round((receiver.latency_s + 0.1 * jitter) * NS_PER_S)
        row["sensor"] = receiver.name
        yield row


class _Wander:
    """An error east and north that is remembered for a while: a first-order Gauss-Markov process."""

    def __init__(self, sigma_m: float, interval_s: float, memory_s: float, noise: Noise) -> None:
        self._keep = math.exp(-interval_s / memory_s)
        self._kick = sigma_m * math.sqrt(1.0 - self._keep * self._keep)
        self._noise = noise
        self._error = [sigma_m * noise.normal(), sigma_m * noise.normal()]

    def step(self) -> tuple[float, float]:
        self._error = [self._keep * e + self._kick * self._noise.normal() for e in self._error]
        return self._error[0], self._error[1]


def _state_vector(transponder: Transponder, motion: Motion, error_m: tuple[float, float]) -> Row:
    latitude, longitude = to_geodetic(motion.latitude_deg, motion.longitude_deg, *error_m)
    return {
        "sensor_kind": "adsb",
        "icao24": transponder.icao24,
        "is_icao_address": True,
        "callsign": transponder.callsign,
        "squawk": transponder.squawk,
        "category": transponder.category,
        "emergency": "none",
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "on_ground": False,
        "pressure_altitude_m": motion.height_m,
        "ground_speed_mps": motion.ground_speed_mps,
        "track_angle_deg": motion.track_angle_deg,
        "vertical_rate_mps": motion.vertical_rate_mps,
        "adsb_version": transponder.adsb_version,
        "nic": transponder.nic,
        "rc_m": transponder.rc_m,
        "nac_p": transponder.nac_p,
        "nac_v": transponder.nac_v,
        "sil": transponder.sil,
    }


def _interfered(
    source: Interference, motion: Motion, time_ns: int, lost: float, error_m: tuple[float, float]
) -> Row:
    """The columns that interference changes."""
    if source.claimed_latitude_deg is not None and source.claimed_longitude_deg is not None:
        turn = (
            source.claimed_speed_mps
            / source.claimed_radius_m
            * (time_ns - parse_time(source.since))
            / NS_PER_S
        )
        place = source.claimed_radius_m * math.sin(turn), source.claimed_radius_m * math.cos(turn)
        latitude, longitude = to_geodetic(source.claimed_latitude_deg, source.claimed_longitude_deg, *place)
        return {
            "latitude_deg": latitude,
            "longitude_deg": longitude,
            "ground_speed_mps": source.claimed_speed_mps,
            "track_angle_deg": (math.degrees(turn) + 90.0) % 360.0,
        }
    changed: Row = {"nic": 0, "rc_m": None, "nac_p": 0, "sil": 0}
    if lost < source.loss_probability:
        return changed | {"latitude_deg": None, "longitude_deg": None}
    latitude, longitude = to_geodetic(motion.latitude_deg, motion.longitude_deg, *error_m)
    return changed | {"latitude_deg": latitude, "longitude_deg": longitude}
