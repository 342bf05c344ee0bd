"""QNH observed at stations: the one that serves a place and time best, as far as it was known then, and how wrong it may be.

Rules
- What is asked as known at an instant uses only what was received by then. Observations are only added; the order in
  which they come does not matter.
- Of all within reach in time and distance the one with the smallest sigma serves; of equals the latest, and then
  the last by what it says. Several are not averaged: neighbours err together.
- sigma^2 = sigma_read^2 + (tendency x age)^2 + (gradient x distance)^2. The numbers and their sources are in the settings.
- With the station's temperature and elevation known, the deviation of its air from the standard atmosphere is
  taken for all the air above, with the sigma that the settings give for that; otherwise 0, with climate's sigma.

Files of observations are read in qnh_files.py.
"""

from __future__ import annotations

import bisect
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from airvigil.airspace.heights.atmosphere import KELVIN_AT_0_C, isa_temperature_k
from airvigil.settings import HeightRules
from airvigil.units import MEAN_EARTH_RADIUS_M

KIND = "qnh"  # of an observation
# Sea-level pressure has been 870 hPa (typhoon Tip, 1979) and 1085 hPa (Tosontsengel, 2001): WMO's archive of extremes.
LOWEST_QNH_HPA, HIGHEST_QNH_HPA = 850.0, 1100.0
COLDEST_C, WARMEST_C = -90.0, 60.0  # -89.2 (Vostok, 1983) and 56.7 (Furnace Creek, 1913), the same archive
LOWEST_STATION_M, HIGHEST_STATION_M = -450.0, 6000.0
HPA_PER_INHG = 33.8638866667  # conventional inch of mercury at 0 degrees C, NIST SP 811
NS_PER_S = 1e9
S_PER_H = 3600.0
M_PER_KM = 1000.0
SLACK = 1.001  # a latitude's length against a distance by other formulas: rounding must not decide
_KM_PER_DEG = MEAN_EARTH_RADIUS_M / M_PER_KM * math.pi / 180.0

_METAR_QNH = re.compile(r"(?:^|\s)(?:Q(\d{4})|A(\d{4}))(?=[\s=]|$)")
_METAR_TEMPERATURE = re.compile(r"\s(M?)(\d{2})/(?:M?\d{2}|//)?(?=[\s=]|$)")

_ROW = np.dtype(
    [
        ("time", "i8"),  # ns
        ("known", "i8"),  # ns
        ("lat", "f8"),  # degrees
        ("lon", "f8"),
        ("qnh_hpa", "f8"),
        ("elevation_m", "f8"),  # NaN unknown
        ("deviation_k", "f8"),  # from the standard atmosphere at the station; NaN unknown
    ]
)


class QnhObservation(NamedTuple):
    """One QNH of one station. `elevation_m` and `temperature_c` are NaN where unknown."""

    time_ns: int
    known_ns: int
    station: str
    latitude_deg: float
    longitude_deg: float
    qnh_hpa: float
    elevation_m: float
    temperature_c: float
    source: str


class Qnh(NamedTuple):
    """A QNH for a place and time.

    `sigma_hpa` covers reading, age and distance. `deviation_k` is how much warmer than standard the air is taken to
    be, with `deviation_sigma_k`. `elevation_m` is NaN where unknown.
    """

    qnh_hpa: float
    sigma_hpa: float
    elevation_m: float
    deviation_k: float
    deviation_sigma_k: float
    station: str
    age_s: float
    distance_m: float


def observation_of(
    value: Mapping[str, Any], time_ns: int, known_ns: int, source: str | None
) -> QnhObservation | str:
    """The observation that a row of kind "qnh" holds, or what is wrong with it.

    Args:
        value: station, latitude_deg, longitude_deg, qnh_hpa; optional temperature_c, elevation_m.
        time_ns, known_ns: when it was true, and when it was received.
        source: document or channel.

    Example:
        >>> observation_of({"station": "EETN", "latitude_deg": 59.4, "longitude_deg": 24.8, "qnh_hpa": 10.1}, 0, 0, None)
        'qnh_hpa: expected a number from 850 to 1100, got 10.1'
    """
    numbers: dict[str, float] = {}
    for name, low, high, is_needed in (
        ("latitude_deg", -90.0, 90.0, True),
        ("longitude_deg", -180.0, 360.0, True),
        ("qnh_hpa", LOWEST_QNH_HPA, HIGHEST_QNH_HPA, True),
        ("elevation_m", LOWEST_STATION_M, HIGHEST_STATION_M, False),
        ("temperature_c", COLDEST_C, WARMEST_C, False),
    ):
        number = value.get(name)
        if number is None and not is_needed:
            numbers[name] = math.nan
        elif isinstance(number, (int, float)) and not isinstance(number, bool) and low <= number <= high:
            numbers[name] = float(number)
        else:
            return f"{name}: expected a number from {low:g} to {high:g}, got {number!r}"
    station = value.get("station")
    return QnhObservation(time_ns, known_ns, str(station or ""), **numbers, source=source or "")


@dataclass
class QnhBook:
    """All QNH observations received: the part of the state that remembers them."""

    observations: list[QnhObservation] = field(default_factory=list)
    _rows: npt.NDArray[Any] | None = field(default=None, repr=False, compare=False)

    def add(self, observation: QnhObservation) -> None:
        """Add one; the same one twice is one."""
        place = bisect.bisect_left(self.observations, _order(observation), key=_order)
        there = self.observations[place : place + 1]
        if not there or _order(there[0]) != _order(observation):
            self.observations.insert(place, observation)
            self._rows = None

    def take(self, observations: pa.Table | None) -> int:
        """Add what a table (OBSERVATION_SCHEMA) has of kind "qnh"; returns how many of them are of no use."""
        if observations is None or not len(observations):
            return 0
        times = [
            observations[name].cast(pa.int64()).to_pylist()
            for name in ("time_of_applicability", "received_at")
        ]
        texts = observations.select(["kind", "value", "source"]).to_pylist()
        useless = 0
        for when, known, row in zip(*times, texts, strict=True):
            if row["kind"] != KIND:
                continue
            try:
                value = json.loads(row["value"] or "{}")
            except ValueError:
                value = None
            found = observation_of(value, when, known, row["source"]) if isinstance(value, dict) else ""
            if isinstance(found, str):
                useless += 1
            else:
                self.add(found)
        return useless

    def forget(self, before_ns: int, rule: HeightRules) -> None:
        """Drop what is too old to serve any time from `before_ns` on: no later answer changes by it."""
        least = before_ns - round(rule.qnh_max_age_s * NS_PER_S) - 1
        keep = [o for o in self.observations if o.time_ns >= least]
        if len(keep) < len(self.observations):
            self.observations, self._rows = keep, None

    def rows(self) -> npt.NDArray[Any]:
        """The observations as records, in order of time, for `nearest_qnh`."""
        if self._rows is None:
            self._rows = np.array([_row_of(o) for o in self.observations], dtype=_ROW)
        return self._rows

    def at(
        self, latitude_deg: float, longitude_deg: float, time_ns: int, known_ns: int, rule: HeightRules
    ) -> Qnh | None:
        """The QNH that serves a place and time best as known by `known_ns`; None if none is within reach."""
        rows = self.rows()
        k, sigma_hpa, distance_m = nearest_qnh(
            rows, latitude_deg, longitude_deg, time_ns, known_ns, *limits_of(rule)
        )
        if k < 0:
            return None
        o, deviation = self.observations[k], float(rows[k]["deviation_k"])
        is_known = not math.isnan(deviation)
        return Qnh(
            o.qnh_hpa,
            float(sigma_hpa),
            o.elevation_m,
            deviation if is_known else 0.0,
            rule.temperature_known_sigma_k if is_known else rule.temperature_sigma_k,
            o.station,
            abs(time_ns - o.time_ns) / NS_PER_S,
            float(distance_m),
        )

    def copy(self) -> QnhBook:
        """An independent copy."""
        return QnhBook(list(self.observations))

    def to_plain(self) -> list[Any]:
        """JSON-able values."""
        return [[None if x != x else x for x in o] for o in self.observations]

    @staticmethod
    def from_plain(plain: list[Any]) -> QnhBook:
        """The inverse of `to_plain`."""
        return QnhBook([QnhObservation._make(math.nan if x is None else x for x in row) for row in plain])


def _order(o: QnhObservation) -> tuple[Any, ...]:
    return tuple(-math.inf if x != x else x for x in o)


def _row_of(o: QnhObservation) -> tuple[Any, ...]:
    deviation = o.temperature_c + KELVIN_AT_0_C - isa_temperature_k(o.elevation_m)
    return o.time_ns, o.known_ns, o.latitude_deg, o.longitude_deg, o.qnh_hpa, o.elevation_m, deviation


def limits_of(rule: HeightRules) -> tuple[float, float, float, float, float]:
    """What `nearest_qnh` takes of the settings."""
    return (
        rule.qnh_max_age_s,
        rule.qnh_max_distance_m,
        rule.qnh_sigma_hpa,
        rule.qnh_tendency_hpa_per_h,
        rule.qnh_gradient_hpa_per_km,
    )


@njit(cache=True, nogil=True)
def nearest_qnh(
    rows: Any,
    lat: float,
    lon: float,
    time_ns: int,
    known_ns: int,
    max_age_s: float,
    max_distance_m: float,
    sigma_read: float,
    tendency: float,
    gradient: float,
) -> tuple[int, float, float]:
    """Index of the row that serves best, its sigma (hPa) and distance (m); -1 and NaN where none is within reach.

    Args:
        rows: from `QnhBook.rows`.
        lat, lon: degrees; NaN is nowhere.
        time_ns, known_ns: the instant asked for, and the one by which it must have been received.
        max_age_s, max_distance_m: reach, ends included.
        sigma_read: hPa.
        tendency: hPa/h.
        gradient: hPa/km.
    """
    reach_ns = int(max_age_s * NS_PER_S)
    best, best_variance, best_km = -1, math.inf, math.nan
    max_km = max_distance_m / M_PER_KM
    later, end = 0, len(rows)
    while later < end:  # the first that is not before the instant
        middle = (later + end) // 2
        if rows[middle]["time"] < time_ns:
            later = middle + 1
        else:
            end = middle
    earlier = later - 1
    while True:  # outwards in time
        age_ns = reach_ns + 1
        k = -1
        if later < len(rows):
            age_ns, k = rows[later]["time"] - time_ns, later
        if earlier >= 0 and time_ns - rows[earlier]["time"] <= age_ns:
            age_ns, k = time_ns - rows[earlier]["time"], earlier
        age_h = age_ns / NS_PER_S / S_PER_H
        here = sigma_read**2 + (tendency * age_h) ** 2
        if k < 0 or age_ns > reach_ns or here > best_variance * SLACK:
            break  # all others are older still
        earlier -= k == earlier
        later += k == later
        row = rows[k]
        north_km = abs(row["lat"] - lat) * _KM_PER_DEG
        if row["known"] > known_ns or not north_km <= max_km * SLACK:
            continue
        if here + (gradient * north_km) ** 2 > best_variance * SLACK:
            continue  # it cannot be better: spares the distance
        km = _distance_km(row["lat"], row["lon"], lat, lon)
        variance = here + (gradient * km) ** 2
        if km <= max_km and (variance < best_variance or (variance == best_variance and k > best)):
            best, best_variance, best_km = k, variance, km
    if best < 0:
        return -1, math.nan, math.nan
    return best, math.sqrt(best_variance), best_km * M_PER_KM


@njit(cache=True, nogil=True)
def _distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Along a great circle (haversine): within 0.6 % of the geodesic, much better than a gradient is known."""
    half_lat, half_lon = math.radians(lat2 - lat1) / 2.0, math.radians(lon2 - lon1) / 2.0
    h = math.sin(half_lat) ** 2
    h += math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(half_lon) ** 2
    return 2.0 * MEAN_EARTH_RADIUS_M / M_PER_KM * math.asin(math.sqrt(min(1.0, h)))


def qnh_of_metar(text: str) -> float | None:
    """QNH in hPa that a METAR or SPECI states; None if it states none. Remarks are not read.

    Example:
        >>> qnh_of_metar("METAR EFHK 070620Z 03008KT CAVOK M12/M15 Q1013 NOSIG"), qnh_of_metar("KJFK 070651Z A2992 RMK A3000")
        (1013.0, 1013.2)
        >>> qnh_of_metar("EFHK 070620Z Q//// NOSIG") is None
        True
    """
    found = _METAR_QNH.search(_body(text))
    if found is None:
        return None
    hpa = float(found[1]) if found[1] else round(int(found[2]) / 100.0 * HPA_PER_INHG, 1)
    return hpa if LOWEST_QNH_HPA <= hpa <= HIGHEST_QNH_HPA else None


def temperature_of_metar(text: str) -> float | None:
    """Air temperature in degrees C that a METAR states; None if it states none.

    Example:
        >>> temperature_of_metar("METAR EFHK 070620Z 03008KT CAVOK M12/M15 Q1013"), temperature_of_metar("EFHK 070620Z /////")
        (-12.0, None)
    """
    found = _METAR_TEMPERATURE.search(_body(text))
    if found is None:
        return None
    return -float(found[2]) if found[1] else float(found[2])


def _body(text: str) -> str:
    return re.split(r"\sRMK(?:\s|$)|\sTEMPO\s|\sBECMG\s", text.upper())[0]
