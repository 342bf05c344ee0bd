"""Conversion factors and physical constants, one a line, each with its unit and source.

SI inside, units in names. Feet, knots and flight levels exist only in feeds, exports and
the console.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

M_PER_FT = 0.3048  # exact; international foot, 1959
M_PER_NM = 1852.0  # exact; international nautical mile, SI brochure table 8
MPS_PER_KT = M_PER_NM / 3600.0  # exact by the line above
MPS_PER_FT_MIN = M_PER_FT / 60.0  # exact by the first line
S_PER_MIN = 60.0
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

WGS84_A_M = 6_378_137.0  # semi-major axis, NGA.STND.0036 table 3.1
WGS84_F = 1.0 / 298.257223563  # flattening, NGA.STND.0036 table 3.1
WGS84_E2 = WGS84_F * (2.0 - WGS84_F)  # first eccentricity squared

RADIO_EARTH_FACTOR = 4.0 / 3.0  # effective Earth radius in standard refraction, ITU-R P.453
MEAN_EARTH_RADIUS_M = 6_371_008.8  # (2a + b) / 3, IUGG

MODE_S_CLOCK_HZ = 12_000_000  # Beast multilateration counter
EPU_TO_SIGMA = 2.4477468306808166  # sqrt(-2 ln 0.05): 95 % radius of a circular normal, per axis


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(time_ns: int) -> str:
    """ISO 8601 UTC with milliseconds, rounded down.

    Args:
        time_ns: ns since 1970-01-01T00:00Z.

    Example:
        >>> utc_text(1_758_265_080_000_000_000)
        '2025-09-19T06:58:00.000Z'
    """
    moment = _EPOCH + timedelta(milliseconds=time_ns // NS_PER_MS)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_ns(text: str) -> int:
    """The inverse of `utc_text`; any ISO 8601 time, UTC if it names no zone.

    Raises:
        ValueError: not an ISO 8601 time.

    Example:
        >>> utc_ns("2025-09-19T06:58:00Z")
        1758265080000000000
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000
