"""Compact position reporting: from 17-bit position fractions to latitude and longitude.

A position message carries where in its zone the aircraft is, not which zone. There are two zone
grids, even and odd. A pair of messages, one of each, names the zone (global decoding); a position
known from before names it too (local decoding). `PositionResolver` does this for one address.

Rules
- The result for a message depends on the messages before it, never on how they were batched.
- Only artefacts of decoding are refused here. An aircraft that *claims* to have jumped, because it
  is jammed or spoofed, comes through after at most a few messages; whether to believe it is for
  tracking. The refusals, by name:

  ==================== ==========================================================================
  cpr_unpaired         no message of the other parity lately and no earlier position: zone unknown
  cpr_no_reference     on the ground, where zones repeat every 90 degrees, and nothing near is known
  cpr_unconfirmed      a first pair so far apart in time that it cannot vouch for itself
  cpr_ambiguous        two decodings of the same message disagree, or the pair is mixed
  ==================== ==========================================================================

- A pair is *mixed* if its two halves cannot come from one flight path. 59 x even - 60 x odd
  (in zone fractions) is a whole number for one point; it departs from whole by 9.83 per degree of
  latitude flown in between, and likewise in longitude. So with dt between the messages and a
  greatest speed the departure has a bound. This is arithmetic; it needs no history.
- A message whose global and local decodings disagree is refused once; the second in a row that
  tells the same new story is accepted, so that real jumps of the reported position get through.

References: RTCA DO-260B 2.2.3.2.3.7 and A.1.7; ICAO Doc 9871 C.2.6.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from airvigil.units import MEAN_EARTH_RADIUS_M, NS_PER_S

CPR_SCALE = 131_072.0  # 2**17 steps a zone
AIRBORNE_SPAN_DEG = 360.0  # of latitude and longitude covered by the zone numbering
SURFACE_SPAN_DEG = 90.0
AIRBORNE_PAIR_NS = 10 * NS_PER_S  # DO-260B A.1.7.7: oldest partner of an airborne message
SURFACE_PAIR_NS = 25 * NS_PER_S  # the shorter of the two limits for the ground (25 s above 25 kt, else 50 s)
REFERENCE_AGE_NS = 60 * NS_PER_S  # at MAX_SPEED_MPS 60 km, far below half a zone (333 km)
CANDIDATE_AGE_NS = 30 * NS_PER_S
MAX_SPEED_MPS = 1_000.0  # above anything that carries a transponder
MAX_SURFACE_SPEED_MPS = 120.0  # tyres of airliners are certified to 105 m/s (235 mph)
REACH_SLACK_M = 1_000.0  # receiver time jitter and a few CPR steps
PAIR_SLACK_M = 30.0  # about three steps of the coarser (airborne) grid
SELF_EVIDENT_RESIDUAL = 0.1  # a chance pair passes a bound below this in fewer than 1 of 5 cases per axis
SAME_POSITION_DEG = 1e-6  # global and local solutions of one message are equal or a zone apart
MAX_LATITUDE_DEG = 90.0

_M_PER_DEG = math.radians(1.0) * MEAN_EARTH_RADIUS_M

Position = tuple[float, float]  # latitude_deg, longitude_deg
Frame = tuple[int, float, float]  # time ns, latitude fraction, longitude fraction


def _transition_latitudes() -> list[float]:
    """Latitudes (deg, ascending) at which the number of longitude zones falls from 59 to 2."""
    a = 1.0 - math.cos(math.pi / 30.0)
    latitudes = [
        math.degrees(math.acos(math.sqrt(a / (1.0 - math.cos(2.0 * math.pi / nl)))))
        for nl in range(59, 1, -1)
    ]
    latitudes[-1] = 87.0  # exactly, DO-260B table A-21
    return latitudes


_TRANSITIONS = _transition_latitudes()


def longitude_zones(latitude_deg: float) -> int:
    """Number of longitude zones of the even grid at a latitude, 1 to 59 (NL in DO-260B).

    Example:
        >>> longitude_zones(0.0), longitude_zones(60.3), longitude_zones(-88.0)
        (59, 29, 1)
    """
    return 59 - bisect_right(_TRANSITIONS, abs(latitude_deg))


def wrap_longitude(longitude_deg: float) -> float:
    """The same longitude in [-180, 180)."""
    return (longitude_deg + 180.0) % 360.0 - 180.0


def distance_m(a: Position, b: Position) -> float:
    """Great-circle distance of two positions on the mean sphere, good to 0.6 %."""
    half_latitude = math.radians(b[0] - a[0]) / 2.0
    half_longitude = math.radians(b[1] - a[1]) / 2.0
    h = (
        math.sin(half_latitude) ** 2
        + math.cos(math.radians(a[0])) * math.cos(math.radians(b[0])) * math.sin(half_longitude) ** 2
    )
    return 2.0 * MEAN_EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def local_position(
    y: float, x: float, *, is_odd: bool, span_deg: float, reference: Position
) -> Position | None:
    """Position of one message in the zone nearest to a reference.

    Args:
        y, x: zone fractions of latitude and longitude, [0, 1).
        is_odd: which of the two grids.
        span_deg: AIRBORNE_SPAN_DEG or SURFACE_SPAN_DEG.
        reference: a position within half a zone (about 180 NM, on the ground 45 NM) of the truth.

    Returns:
        latitude_deg, longitude_deg; None where the nearest zone lies beyond a pole.
    """
    latitude_step = span_deg / (59.0 if is_odd else 60.0)
    latitude = latitude_step * (y + math.floor(0.5 + reference[0] / latitude_step - y))
    if abs(latitude) > MAX_LATITUDE_DEG:
        return None
    longitude_step = span_deg / max(longitude_zones(latitude) - is_odd, 1)
    longitude = longitude_step * (x + math.floor(0.5 + reference[1] / longitude_step - x))
    return latitude, wrap_longitude(longitude)


def global_position(
    even: Position, odd: Position, *, is_odd: bool, span_deg: float, reference: Position | None
) -> tuple[Position, float, float] | None:
    """Position of the newer message of a pair, and by how much the pair fails to fit.

    Args:
        even, odd: zone fractions (latitude, longitude) of the two messages, [0, 1).
        is_odd: the odd message is the newer one.
        span_deg: AIRBORNE_SPAN_DEG or SURFACE_SPAN_DEG.
        reference: for the ground, anywhere within 45 degrees of the aircraft; not used in the air.

    Returns:
        (latitude_deg, longitude_deg), latitude residual, longitude residual: the departures from
        a whole zone number, each in [0, 0.5]. None if the halves lie in bands with different
        numbers of longitude zones, or beyond a pole.
    """
    turns = 59.0 * even[0] - 60.0 * odd[0]
    j = math.floor(turns + 0.5)
    latitudes = span_deg / 60.0 * (j % 60 + even[0]), span_deg / 59.0 * (j % 59 + odd[0])
    if span_deg == SURFACE_SPAN_DEG:
        if reference is None:
            return None
        shift = -90.0 if abs(latitudes[is_odd] - 90.0 - reference[0]) < abs(latitudes[is_odd] - reference[0]) else 0.0  # fmt: skip
        latitudes = latitudes[0] + shift, latitudes[1] + shift
    else:
        latitudes = latitudes[0] - 360.0 * (latitudes[0] >= 270.0), latitudes[1] - 360.0 * (latitudes[1] >= 270.0)  # fmt: skip
    latitude = latitudes[is_odd]
    zones = longitude_zones(latitude)
    if abs(latitude) > MAX_LATITUDE_DEG or longitude_zones(latitudes[not is_odd]) != zones:
        return None
    longitude_turns = (zones - 1) * even[1] - zones * odd[1]
    m = math.floor(longitude_turns + 0.5)
    count = max(zones - is_odd, 1)
    longitude = span_deg / count * (m % count + (odd if is_odd else even)[1])
    if span_deg == SURFACE_SPAN_DEG and reference is not None:
        longitude += 90.0 * math.floor((reference[1] - longitude) / 90.0 + 0.5)
    return (latitude, wrap_longitude(longitude)), abs(turns - j), abs(longitude_turns - m)


def residual_bounds(latitude_deg: float, gap_ns: int, span_deg: float) -> tuple[float, float]:
    """Largest residuals (latitude, longitude) of a pair from one flight path, `gap_ns` apart."""
    speed_mps = MAX_SPEED_MPS if span_deg == AIRBORNE_SPAN_DEG else MAX_SURFACE_SPEED_MPS
    flown_deg = (speed_mps * gap_ns / NS_PER_S + PAIR_SLACK_M) / _M_PER_DEG
    zones = longitude_zones(latitude_deg)
    narrowing = max(math.cos(math.radians(latitude_deg)), 1e-3)
    return 59.0 * 60.0 * flown_deg / span_deg, zones * (zones - 1) * flown_deg / narrowing / span_deg


class PositionResolver:
    """Positions of one address, message by message.

    Args:
        receiver: latitude_deg, longitude_deg of the antenna, or None; tells the quadrant of the
            first position on the ground.
    """

    __slots__ = ("_candidate", "_candidate_ns", "_fix", "_fix_ns", "_frames", "_receiver")

    def __init__(self, receiver: Position | None = None) -> None:
        self._receiver = receiver
        self._frames: list[Frame | None] = [None, None, None, None]  # airborne even, odd; ground even, odd
        self._fix: Position | None = None
        self._fix_ns = 0
        self._candidate: Position | None = None
        self._candidate_ns = 0

    def resolve(
        self, time_ns: int, lat_cpr: int, lon_cpr: int, *, is_odd: bool, is_surface: bool
    ) -> tuple[Position | None, str | None]:
        """Position of the next message of this address, or why there is none.

        Args:
            time_ns: time of the message, ns.
            lat_cpr, lon_cpr: the 17-bit fractions.
            is_odd: the parity bit.
            is_surface: a position on the ground (type codes 5 to 8).

        Returns:
            ((latitude_deg, longitude_deg), None), or (None, reject reason).
        """
        y, x = lat_cpr / CPR_SCALE, lon_cpr / CPR_SCALE
        slot = 2 * is_surface + is_odd
        self._frames[slot] = (time_ns, y, x)
        span = SURFACE_SPAN_DEG if is_surface else AIRBORNE_SPAN_DEG
        local = None
        if self._fix is not None and abs(time_ns - self._fix_ns) <= REFERENCE_AGE_NS:
            local = local_position(y, x, is_odd=is_odd, span_deg=span, reference=self._fix)
        partner = self._frames[slot ^ 1]
        if partner is None or abs(time_ns - partner[0]) > (SURFACE_PAIR_NS if is_surface else AIRBORNE_PAIR_NS):  # fmt: skip
            return self._alone(time_ns, local, "cpr_unpaired")
        reference = self._fix or self._receiver
        if is_surface and reference is None:
            return None, "cpr_no_reference"
        fractions = (y, x), (partner[1], partner[2])
        even, odd = (fractions[1], fractions[0]) if is_odd else fractions
        decoded = global_position(even, odd, is_odd=is_odd, span_deg=span, reference=reference)
        if decoded is None:
            return self._alone(time_ns, local, "cpr_ambiguous")
        bounds = residual_bounds(decoded[0][0], abs(time_ns - partner[0]), span)
        if decoded[1] > bounds[0] or decoded[2] > bounds[1]:
            return self._alone(time_ns, local, "cpr_ambiguous")
        return self._paired(time_ns, decoded[0], local, is_self_evident=bounds[0] < SELF_EVIDENT_RESIDUAL)

    def _alone(self, time_ns: int, local: Position | None, reason: str) -> tuple[Position | None, str | None]:
        """A message that no partner vouches for: the last position must."""
        if local is None:
            return None, reason
        if self._is_reachable(local, self._fix, time_ns - self._fix_ns):
            return self._accept(time_ns, local)
        return None, "cpr_ambiguous"

    def _paired(
        self, time_ns: int, found: Position, local: Position | None, *, is_self_evident: bool
    ) -> tuple[Position | None, str | None]:
        """A message with a fitting partner: accepted if it agrees with what is known, or repeats itself."""
        if local is None:
            if is_self_evident:
                return self._accept(time_ns, found)
            reason = "cpr_unconfirmed"
        else:
            apart = abs(wrap_longitude(found[1] - local[1]))
            if abs(found[0] - local[0]) < SAME_POSITION_DEG and apart < SAME_POSITION_DEG:
                return self._accept(time_ns, found)
            reason = "cpr_ambiguous"
        gap_ns = time_ns - self._candidate_ns
        if abs(gap_ns) <= CANDIDATE_AGE_NS and self._is_reachable(found, self._candidate, gap_ns):
            return self._accept(time_ns, found)
        self._candidate, self._candidate_ns = found, time_ns
        return None, reason

    def _accept(self, time_ns: int, position: Position) -> tuple[Position, None]:
        self._fix, self._fix_ns, self._candidate = position, time_ns, None
        return position, None

    @staticmethod
    def _is_reachable(position: Position, origin: Position | None, gap_ns: int) -> bool:
        if origin is None:
            return False
        return distance_m(origin, position) <= MAX_SPEED_MPS * abs(gap_ns) / NS_PER_S + REACH_SLACK_M
