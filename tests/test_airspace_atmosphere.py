"""Atmosphere against ICAO's published table, and against air integrated layer by layer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights import atmosphere as air
from small_world import SETTINGS

RULE = SETTINGS.heights


@pytest.mark.parametrize(
    ("height_m", "pressure_hpa", "temperature_k"),
    [
        # ICAO Doc 7488, table 1 (geopotential altitude)
        (-1000.0, 1139.29, 294.65),
        (0.0, 1013.25, 288.15),
        (1000.0, 898.745, 281.65),
        (3000.0, 701.085, 268.65),
        (5000.0, 540.199, 255.65),
        (8000.0, 355.998, 236.15),
        (11_000.0, 226.320, 216.65),
        (15_000.0, 120.445, 216.65),
        (20_000.0, 54.7487, 216.65),
    ],
)
def test_the_standard_atmosphere_is_icaos(height_m: float, pressure_hpa: float, temperature_k: float) -> None:
    assert air.isa_pressure_hpa(height_m) == pytest.approx(pressure_hpa, rel=2e-5)
    assert air.isa_height_m(pressure_hpa) == pytest.approx(height_m, abs=0.2)
    assert air.isa_temperature_k(height_m) == pytest.approx(temperature_k, abs=1e-9)


@given(st.floats(-500.0, 20_000.0))
def test_height_and_pressure_are_inverses(height_m: float) -> None:
    assert air.isa_height_m(air.isa_pressure_hpa(height_m)) == pytest.approx(height_m, abs=1e-6)


def test_a_hectopascal_at_sea_level_is_27_feet() -> None:
    assert air.isa_slope_m_per_hpa(1013.25) == pytest.approx(27.3 * 0.3048, abs=0.02)
    found = air.isa_height_m(999.5) - air.isa_height_m(1000.5)
    assert air.isa_slope_m_per_hpa(1000.0) == pytest.approx(found, rel=1e-6)


def test_standard_air_with_a_standard_qnh_changes_only_geopotential_into_length() -> None:
    # Doc 7488 table 1: geopotential 10,000 m is geometric 10,016 m where gravity is the standard one (45.5 degrees)
    assert air.msl_of_pressure_altitude_m(10_000.0, 1013.25, 0.0, 0.0, 45.54) == pytest.approx(
        10_016.0, abs=1.0
    )


def test_gravity_by_latitude() -> None:
    # normal gravity at the equator 9.7803, at the poles 9.8322 m/s^2 (NGA.STND.0036)
    for latitude_deg, gravity in ((0.0, 9.78033), (90.0, 9.83218), (-45.0, 9.80620)):
        found = air.geopotential_of_length_m(1.0, latitude_deg) * air.G0_M_PER_S2
        assert found == pytest.approx(gravity, abs=2e-5)


def test_an_altimeter_set_to_qnh_is_right_at_its_station_in_any_air() -> None:
    # a station at 700 m with QNH 985: its own pressure altitude is 700 m and what the setting adds
    level = 700.0 + air.isa_height_m(985.0)
    for deviation_k in (-40.0, 0.0, 25.0):
        found = air.msl_of_pressure_altitude_m(level, 985.0, 700.0, deviation_k, 45.54)
        assert found == pytest.approx(700.0, abs=0.2)


def test_cold_air_is_lower_by_four_percent_for_ten_degrees() -> None:
    """ICAO Doc 8168, volume I: 4 % of the height over the station for each 10 K below standard."""
    warm, cold = (air.msl_of_pressure_altitude_m(3000.0, 1013.25, 0.0, d, 45.54) for d in (0.0, -10.0))
    assert (warm - cold) / warm == pytest.approx(0.037, abs=0.004)


@given(
    st.floats(-500.0, 15_000.0),
    st.floats(940.0, 1060.0),
    st.floats(-100.0, 2000.0),
    st.floats(-40.0, 30.0),
    st.floats(-90.0, 90.0),
)
def test_there_and_back(
    height_m: float, qnh_hpa: float, elevation_m: float, deviation_k: float, lat: float
) -> None:
    level = air.pressure_altitude_of_msl_m(height_m, qnh_hpa, elevation_m, deviation_k, lat)
    back = air.msl_of_pressure_altitude_m(level, qnh_hpa, elevation_m, deviation_k, lat)
    assert back == pytest.approx(height_m, abs=1e-5)


# Temperature (K) every 1000 m from 0 to 10 km: Anderson et al., AFGL-TR-86-0110 (1986), table 1.
AFGL = {
    "tropical": (299.7, 293.7, 287.7, 283.7, 277.0, 270.3, 263.6, 257.0, 250.3, 243.6, 237.0),
    "mid-latitude summer": (294.2, 289.7, 285.2, 279.2, 273.2, 267.2, 261.2, 254.7, 248.2, 241.7, 235.3),
    "mid-latitude winter": (272.2, 268.7, 265.2, 261.7, 255.7, 249.7, 243.7, 237.7, 231.7, 225.7, 219.7),
    "subarctic summer": (287.2, 281.7, 276.3, 270.9, 265.5, 260.1, 253.1, 246.1, 239.2, 232.2, 225.2),
    "subarctic winter": (257.2, 259.1, 255.9, 252.7, 247.7, 240.9, 234.1, 227.3, 220.6, 217.2, 217.2),
}


def column_pressure_hpa(profile: tuple[float, ...], height_m: float, steps: int = 2000) -> float:
    """Pressure at a geopotential height by the hydrostatic equation, from 1013.25 hPa at 0, in thin layers."""
    logarithm = 0.0
    for k in range(steps):
        z = (k + 0.5) * height_m / steps
        cell = min(int(z // 1000.0), 9)
        share = z / 1000.0 - cell
        temperature = profile[cell] * (1.0 - share) + profile[cell + 1] * share
        logarithm -= air.G0_M_PER_S2 / (air.AIR_R_J_PER_KG_K * temperature) * height_m / steps
    return 1013.25 * math.exp(logarithm)


@pytest.mark.parametrize("name", list(AFGL))
@pytest.mark.parametrize("height_m", [1000.0, 3000.0, 5000.0, 9000.0])
@pytest.mark.parametrize("knows_temperature", [True, False])
def test_real_climates_lie_within_two_of_the_sigmas_stated(
    name: str, height_m: float, knows_temperature: bool
) -> None:
    level = air.isa_height_m(column_pressure_hpa(AFGL[name], height_m))
    deviation_k = AFGL[name][0] - air.ISA_T0_K if knows_temperature else 0.0
    sigma_k = RULE.temperature_known_sigma_k if knows_temperature else RULE.temperature_sigma_k
    found = air.msl_of_pressure_altitude_m(level, 1013.25, 0.0, deviation_k, 45.54)
    error = air.geopotential_of_length_m(found, 45.54) - height_m
    sigma_m = air.warmth_m_per_k(level, 1013.25, 0.0) * sigma_k
    assert abs(error) < 2.0 * sigma_m


def test_the_warmth_of_five_climates_is_what_the_settings_say() -> None:
    means = []
    for profile in AFGL.values():
        apart = [profile[k] - air.isa_temperature_k(1000.0 * k) for k in range(6)]
        means.append((apart[0] / 2 + sum(apart[1:5]) + apart[5] / 2) / 5)
    assert (min(means), max(means)) == (pytest.approx(-19.1, abs=0.1), pytest.approx(13.5, abs=0.5))


@pytest.mark.parametrize("name", list(AFGL))
@pytest.mark.parametrize("qnh_hpa", [945.0, 1055.0])
def test_without_a_qnh_no_climate_is_further_off_than_the_settings_allow(name: str, qnh_hpa: float) -> None:
    for height_m in (1000.0, 3000.0, 5000.0, 9000.0):
        pressure = column_pressure_hpa(AFGL[name], height_m) * qnh_hpa / 1013.25
        level = air.isa_height_m(pressure)
        assert abs(level - height_m) < RULE.decides_beyond_m + RULE.decides_beyond_share * level
