"""What ADS-B says about the quality of its own positions, and in which units.

Rules
- Which table holds depends on the version that the aircraft announces (0: DO-260, 1: DO-260A,
  2: DO-260B; 3 keeps the tables of 2).
- Where a bit that chooses between two rows is not known, the worse row is taken: the lower
  category, the larger radius.
- Category 0 means unknown; its radius is None, never a number.
- Version 0 knows only the type code (NUCp). Its radii are the standard's; NIC and NACp are the
  highest categories whose bounds contain those radii.

Sources: RTCA DO-260B tables 2-16, 2-70, 2-71, 2-73; ICAO Doc 9871 appendix C; J. Sun, The 1090
Megahertz Riddle, chapter 7.
"""

from __future__ import annotations

from functools import lru_cache

from airvigil.units import EPU_TO_SIGMA, M_PER_NM

# NACp -> estimated position uncertainty (95 %, horizontal), m; None: unknown
EPU_M: tuple[float | None, ...] = (
    None,
    10.0 * M_PER_NM,
    4.0 * M_PER_NM,
    2.0 * M_PER_NM,
    1.0 * M_PER_NM,
    0.5 * M_PER_NM,
    0.3 * M_PER_NM,
    0.1 * M_PER_NM,
    0.05 * M_PER_NM,
    30.0,
    10.0,
    3.0,
)
# NACv -> horizontal velocity error (95 %), m/s; None: unknown
VELOCITY_ERROR_MPS: tuple[float | None, ...] = (None, 10.0, 3.0, 1.0, 0.3)
# GVA -> geometric height error (95 %), m; None: unknown or worse than 150 m
GEOMETRIC_HEIGHT_ERROR_M: tuple[float | None, ...] = (None, 150.0, 45.0, None)
# SIL -> probability that the position is outside Rc without alert; None: unknown
INTEGRITY_RISK: tuple[float | None, ...] = (None, 1e-3, 1e-5, 1e-7)

_RC_7 = 0.2 * M_PER_NM
_RC_8 = 0.1 * M_PER_NM
_RC_6 = 0.5 * M_PER_NM
_RC_6_FINE = 0.3 * M_PER_NM
_RC_6_COARSE = 0.6 * M_PER_NM

# type code -> (NIC, Rc in m) with no supplement bit set, versions 1 and 2
_NIC_PLAIN: dict[int, tuple[int, float | None]] = {
    5: (11, 7.5),
    6: (10, 25.0),
    7: (8, _RC_8),
    8: (0, None),
    9: (11, 7.5),
    10: (10, 25.0),
    11: (8, _RC_8),
    12: (7, _RC_7),
    13: (6, _RC_6),
    14: (5, 1.0 * M_PER_NM),
    15: (4, 2.0 * M_PER_NM),
    16: (2, 8.0 * M_PER_NM),
    17: (1, 20.0 * M_PER_NM),
    18: (0, None),
    20: (11, 7.5),
    21: (10, 25.0),
    22: (0, None),
}
# (type code, A, B) -> (NIC, Rc in m), version 2, in the air
_NIC_AIRBORNE: dict[tuple[int, int, int], tuple[int, float]] = {
    (11, 1, 1): (9, 75.0),
    (13, 0, 1): (6, _RC_6_FINE),
    (13, 1, 1): (6, _RC_6_COARSE),
    (16, 1, 1): (3, 4.0 * M_PER_NM),
}
# (type code, A, C) -> (NIC, Rc in m), version 2, on the ground
_NIC_SURFACE: dict[tuple[int, int, int], tuple[int, float]] = {
    (7, 1, 0): (9, 75.0),
    (8, 1, 1): (7, _RC_7),
    (8, 1, 0): (6, _RC_6_FINE),
    (8, 0, 1): (6, _RC_6_COARSE),
}
# (type code, NIC supplement) -> (NIC, Rc in m), version 1
_NIC_VERSION_1: dict[tuple[int, int], tuple[int, float]] = {
    (7, 1): (9, 75.0),
    (11, 1): (9, 75.0),
    (13, 1): (6, _RC_6_COARSE),
    (16, 1): (3, 4.0 * M_PER_NM),
}
# type code -> (NIC, Rc = HPL in m, NACp) of version 0, by NUCp
_VERSION_0: dict[int, tuple[int, float | None, int]] = {
    5: (11, 7.5, 11),
    6: (10, 25.0, 10),
    7: (8, _RC_8, 8),
    8: (0, None, 0),
    9: (11, 7.5, 11),
    10: (10, 25.0, 10),
    11: (8, _RC_8, 8),
    12: (7, _RC_7, 7),
    13: (6, _RC_6, 6),
    14: (5, 1.0 * M_PER_NM, 5),
    15: (4, 2.0 * M_PER_NM, 4),
    16: (1, 10.0 * M_PER_NM, 1),
    17: (1, 20.0 * M_PER_NM, 1),
    18: (0, None, 0),
    20: (11, 7.5, 11),
    21: (10, 25.0, 10),
    22: (0, None, 0),
}


@lru_cache(maxsize=4096)
def integrity(
    type_code: int, version: int | None, nic_a: int | None, nic_b: int | None, nic_c: int | None
) -> tuple[int, float | None]:
    """NIC and radius of containment of a position message.

    Args:
        type_code: 5 to 18 or 20 to 22.
        version: ADS-B version of the aircraft; None: not heard yet.
        nic_a: supplement A of its operational status (the only supplement in version 1).
        nic_b: supplement B in the message itself (in the air).
        nic_c: supplement C of its operational status (on the ground).
            None: not known; the worse row is taken.

    Returns:
        NIC, Rc in m (None: unknown or unlimited).

    Example:
        >>> integrity(11, 2, 1, 1, None), integrity(11, 2, None, 0, None)
        ((9, 75.0), (8, 185.20000000000002))
    """
    if type_code not in _NIC_PLAIN:
        raise ValueError(f"no position type code: {type_code}")
    plain = _NIC_PLAIN[type_code]
    if version == 0:
        return _VERSION_0[type_code][:2]
    if version is None:
        # Version 0 is possible: its radius for the same type code is never the smaller one
        older = _VERSION_0[type_code][:2]
        return older if older[0] < plain[0] else _worst_supplement(type_code, nic_b, plain)
    if version == 1:
        return _NIC_VERSION_1.get((type_code, nic_a or 0), plain) if nic_a is not None else _worst_supplement(type_code, None, plain)  # fmt: skip
    if type_code <= 8:
        if nic_a is None or nic_c is None:
            return plain
        return _NIC_SURFACE.get((type_code, nic_a, nic_c), plain)
    if nic_a is None or nic_b is None:
        return _worst_supplement(type_code, nic_b, plain)
    return _NIC_AIRBORNE.get((type_code, nic_a, nic_b), plain)


def _worst_supplement(
    type_code: int, nic_b: int | None, plain: tuple[int, float | None]
) -> tuple[int, float | None]:
    """The worst row that the known bits leave open; only type code 13 has one worse than plain."""
    if type_code == 13 and nic_b != 0:
        return 6, _RC_6_COARSE
    return plain


def version_0_nac_p(type_code: int) -> int:
    """NACp whose bound holds the 95 % radius of a version 0 position message."""
    return _VERSION_0[type_code][2]


def position_sigma_m(nac_p: int | None) -> float | None:
    """Standard deviation of the position per axis, m; None: unknown.

    The 95 % radius of a circular normal distribution is 2.448 standard deviations.

    Example:
        >>> round(position_sigma_m(8), 1), position_sigma_m(0)
        (37.8, None)
    """
    epu = EPU_M[nac_p] if nac_p is not None and 0 <= nac_p < len(EPU_M) else None
    return None if epu is None else epu / EPU_TO_SIGMA


def velocity_sigma_mps(nac_v: int | None) -> float | None:
    """Standard deviation of the horizontal velocity per axis, m/s; None: unknown."""
    known = nac_v is not None and 0 <= nac_v < len(VELOCITY_ERROR_MPS)
    error = VELOCITY_ERROR_MPS[nac_v] if known and nac_v is not None else None
    return None if error is None else error / EPU_TO_SIGMA
