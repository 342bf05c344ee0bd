"""From pressure altitude to height over mean sea level and back, with a QNH and the temperature of the air.

Pressure altitude is the height at which the standard atmosphere has the pressure measured. With a QNH the altimeter's
zero is moved by the standard atmosphere's own height for that pressure, which makes it right at the station. Above
the station it is right only in air of standard temperature: air warmer by dT puts the same pressure higher by
`(R/g) ln(p_station/p) dT`, 4 % of the height for 10 K (the rule of ICAO Doc 8168, PANS-OPS, volume I, cold weather).

Heights of the standard atmosphere are geopotential; limits are lengths. Gravity by latitude and height turns one
into the other: at 10 km the two part by 16 m, and by latitude by another 26 m either way.

References: ICAO Doc 7488 (standard atmosphere; constants); NGA.STND.0036 section 4 (normal gravity).
"""

from __future__ import annotations

import math

from numba import njit

ISA_T0_K = 288.15  # Doc 7488: at sea level
ISA_P0_HPA = 1013.25
ISA_LAPSE_K_PER_M = 0.0065  # Doc 7488: up to the tropopause
ISA_TROPOPAUSE_M = 11_000.0
ISA_TROPOPAUSE_K = 216.65
AIR_R_J_PER_KG_K = 287.05287  # Doc 7488
G0_M_PER_S2 = 9.80665  # Doc 7488
DATUM_RADIUS_M = 6_356_766.0  # Doc 7488: nominal radius for geopotential height
KELVIN_AT_0_C = 273.15

_EXPONENT = ISA_LAPSE_K_PER_M * AIR_R_J_PER_KG_K / G0_M_PER_S2
_SCALE_M_PER_K = (
    AIR_R_J_PER_KG_K / G0_M_PER_S2
)  # thickness of a layer a factor e thick in pressure, for each kelvin
_TROPOPAUSE_HPA = ISA_P0_HPA * (ISA_TROPOPAUSE_K / ISA_T0_K) ** (1.0 / _EXPONENT)
_GRAVITY_EQUATOR = 9.7803253359  # m/s^2, NGA.STND.0036 table 3.6
_GRAVITY_K = 0.00193185265241  # Somigliana's constant, the same table
_WGS84_E2 = 0.00669437999014


@njit(cache=True, nogil=True)
def isa_temperature_k(height_m: float) -> float:
    """Temperature of the standard atmosphere; the layer over the tropopause is taken as without end."""
    return ISA_T0_K - ISA_LAPSE_K_PER_M * min(height_m, ISA_TROPOPAUSE_M)


@njit(cache=True, nogil=True)
def isa_pressure_hpa(height_m: float) -> float:
    """Pressure of the standard atmosphere at a geopotential height."""
    if height_m <= ISA_TROPOPAUSE_M:
        return ISA_P0_HPA * (1.0 - ISA_LAPSE_K_PER_M * height_m / ISA_T0_K) ** (1.0 / _EXPONENT)
    above = (height_m - ISA_TROPOPAUSE_M) / (_SCALE_M_PER_K * ISA_TROPOPAUSE_K)
    return _TROPOPAUSE_HPA * math.exp(-above)


@njit(cache=True, nogil=True)
def isa_height_m(pressure_hpa: float) -> float:
    """Pressure altitude: the inverse of `isa_pressure_hpa`."""
    if pressure_hpa >= _TROPOPAUSE_HPA:
        return ISA_T0_K / ISA_LAPSE_K_PER_M * (1.0 - (pressure_hpa / ISA_P0_HPA) ** _EXPONENT)
    return ISA_TROPOPAUSE_M + _SCALE_M_PER_K * ISA_TROPOPAUSE_K * math.log(_TROPOPAUSE_HPA / pressure_hpa)


@njit(cache=True, nogil=True)
def isa_slope_m_per_hpa(pressure_hpa: float) -> float:
    """How much a pressure altitude near sea level moves for 1 hPa: 8.3 m at the standard pressure."""
    return _SCALE_M_PER_K * ISA_T0_K * (pressure_hpa / ISA_P0_HPA) ** _EXPONENT / pressure_hpa


@njit(cache=True, nogil=True)
def _gravity_share(latitude_deg: float) -> float:
    """Normal gravity on the ellipsoid over the standard 9.80665 m/s^2 (Somigliana)."""
    s = math.sin(math.radians(latitude_deg))
    gravity = _GRAVITY_EQUATOR * (1.0 + _GRAVITY_K * s * s) / math.sqrt(1.0 - _WGS84_E2 * s * s)
    return gravity / G0_M_PER_S2


@njit(cache=True, nogil=True)
def length_of_geopotential_m(geopotential_m: float, latitude_deg: float) -> float:
    """Height as a length from geopotential height."""
    share = _gravity_share(latitude_deg)
    return DATUM_RADIUS_M * geopotential_m / (DATUM_RADIUS_M * share - geopotential_m)


@njit(cache=True, nogil=True)
def geopotential_of_length_m(height_m: float, latitude_deg: float) -> float:
    """The inverse of `length_of_geopotential_m`."""
    return _gravity_share(latitude_deg) * DATUM_RADIUS_M * height_m / (DATUM_RADIUS_M + height_m)


@njit(cache=True, nogil=True)
def warmth_m_per_k(pressure_altitude_m: float, qnh_hpa: float, elevation_m: float) -> float:
    """How much higher a pressure lies for each kelvin by which the air between it and the station is warmer.

    Args:
        pressure_altitude_m: where.
        qnh_hpa, elevation_m: of the station, where the QNH is right whatever the temperature.

    Returns:
        m/K; negative below the station.
    """
    station_hpa = isa_pressure_hpa(elevation_m + isa_height_m(qnh_hpa))
    return _SCALE_M_PER_K * math.log(station_hpa / isa_pressure_hpa(pressure_altitude_m))


@njit(cache=True, nogil=True)
def msl_of_pressure_altitude_m(
    pressure_altitude_m: float, qnh_hpa: float, elevation_m: float, deviation_k: float, latitude_deg: float
) -> float:
    """Height over mean sea level of a pressure altitude.

    Args:
        pressure_altitude_m: m.
        qnh_hpa, elevation_m: of the station.
        deviation_k: by how much the air is warmer than the standard atmosphere at the same pressure.
        latitude_deg: for gravity.
    """
    indicated = pressure_altitude_m - isa_height_m(qnh_hpa)
    lift = warmth_m_per_k(pressure_altitude_m, qnh_hpa, elevation_m) * deviation_k
    return length_of_geopotential_m(indicated + lift, latitude_deg)


@njit(cache=True, nogil=True)
def pressure_altitude_of_msl_m(
    height_msl_m: float, qnh_hpa: float, elevation_m: float, deviation_k: float, latitude_deg: float
) -> float:
    """The inverse of `msl_of_pressure_altitude_m`, by Newton's steps (the slope is 1 + dT/T)."""
    target = geopotential_of_length_m(height_msl_m, latitude_deg) + isa_height_m(qnh_hpa)
    found = target
    for _ in range(6):
        excess = found + warmth_m_per_k(found, qnh_hpa, elevation_m) * deviation_k - target
        found -= excess / (1.0 + deviation_k / isa_temperature_k(found))
    return found
