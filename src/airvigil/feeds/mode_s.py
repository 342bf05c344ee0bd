"""Mode S frames to report rows: the decoder behind the Beast and raw feeds.

    short (56 bits):  DF 5 | 27 bits | parity or address 24          DF 0, 4, 5, 11
    long (112 bits):  DF 5 | 27 bits | 56 bits | parity or address 24 DF 16 to 21

Rules
- One row per frame. A row says only what its own frame says, and besides that the latest known
  quality of the same address (below); nothing is copied from one report into another otherwise.
- An address is *verified* by a frame that carries it in clear with a correct parity (DF 11 with
  interrogator code 0, DF 17, DF 18). Replies that carry it only mixed into the parity (DF 0, 4, 5,
  16, 20, 21) are used while the address was verified in the last VERIFIED_NS: any bit error gives
  some address, so nothing else speaks for it.
- Quality on a position row: NIC and Rc from its type code and the NIC supplements, NACp and SIL
  from operational or target status, GVA and supplements from operational status, NACv from the
  velocity message, each not older than QUALITY_AGE_NS (status comes every 2.5 s, but at the edge
  of coverage nine of ten frames are lost). The version belongs to the equipment and is kept as
  long as the address is. Unknown stays null: settings supply assumed values later.
- Geometric height is given on airborne position rows: the pressure altitude of the row plus the
  latest difference that the aircraft reported, not older than DIFFERENCE_AGE_NS; or directly by
  the messages with GNSS height (type codes 20 to 22).
- Comm-B registers (DF 20, 21) are not used: a reply does not say which register it holds, and a
  guess is not evidence.
- Names of `reject_reason`: bad_crc, undecodable (parity right, content impossible), bad_length,
  unsupported_df, unsupported_message (DF 18 with a format of its own), unverified_address, and
  those of `airvigil.feeds.cpr`.

rs1090 decodes the squitters. What it does not give, or gives wrongly, is read from the bits here:
positions and status (rs1090 0.7 refuses a position message above 50,000 ft), emitter category,
velocity over ground (it reads "no velocity" as 1.4 kt, and supersonic messages four times too
slow). Replies are read here altogether: rs1090 does not check the parity of DF 11, takes a metric
altitude for 0 ft, and spends most of its time guessing Comm-B registers.

References: ICAO Annex 10 volume IV chapter 3; ICAO Doc 9871; RTCA DO-260B 2.2.3.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import pyarrow as pa
import rs1090

from airvigil.feeds.ads_b_quality import integrity, version_0_nac_p
from airvigil.feeds.cpr import PositionResolver
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.mode_s_codes import ALTITUDE_FT, SQUAWK, squitter_altitude_ft
from airvigil.feeds.mode_s_frames import FrameBatch, ReportRows, frame_remainder
from airvigil.units import M_PER_FT, MPS_PER_FT_MIN, MPS_PER_KT, NS_PER_S

VERIFIED_NS = 60 * NS_PER_S
QUALITY_AGE_NS = 30 * NS_PER_S
DIFFERENCE_AGE_NS = 30 * NS_PER_S
SILENT_NS = 600 * NS_PER_S  # an address not heard for so long is forgotten
MAX_ADDRESSES = 100_000  # several times what flies on Earth at once

_NEVER = -(1 << 62)
_BATCH = 500  # rs1090's unit of parallel work
_AHEAD = 4 * _BATCH  # dictionaries alive at a time: more only feed the garbage collector
_NO_FORMAT = -1
_REPLY_FORMATS = frozenset({0, 4, 5, 16, 20, 21})
_READ_FROM_BITS = frozenset({*range(9, 19), 20, 21, 22, 29, 31})  # type codes that need no rs1090
_MAX_INTERROGATOR_CODE = 79  # Annex 10 volume IV 3.1.2.3.3.2: interrogator and surveillance identifiers
_EMERGENCIES = ("none", "general", "medical", "minimum_fuel", "no_radio", "unlawful", "downed", "reserved")
_CATEGORY_SETS = {1: "D", 2: "C", 3: "B", 4: "A"}


class _Aircraft:
    """What is remembered of one address."""

    __slots__ = (
        "accuracy_ns", "difference_m", "difference_ns", "gva", "nac_p", "nac_v", "nac_v_ns", "nic_a",
        "nic_c", "positions", "seen_ns", "sil", "status_ns", "verified_ns", "version",
    )  # fmt: skip

    def __init__(self, receiver: tuple[float, float] | None) -> None:
        self.positions = PositionResolver(receiver)
        self.seen_ns = self.verified_ns = _NEVER
        self.status_ns = self.accuracy_ns = self.nac_v_ns = self.difference_ns = _NEVER
        self.version: int | None = None
        self.nic_a: int | None = None
        self.nic_c: int | None = None
        self.nac_p: int | None = None
        self.sil: int | None = None
        self.gva: int | None = None
        self.nac_v: int | None = None
        self.difference_m = math.nan


class ModeSDecoder:
    """Frames of one receiver to rows, with the memory that positions and quality need.

    Args:
        options: sensor name, receiver position, override of the sensor kind.
    """

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._receiver = options.receiver[:2] if options.receiver is not None else None
        self._aircraft: dict[str, _Aircraft] = {}
        self._next_sweep_ns: int | None = None

    def decode(self, batch: FrameBatch) -> pa.Table:
        """Rows of a batch of frames, in its order; see the module for what they hold."""
        rows = ReportRows(batch, self._options)
        formats = [int(frame[:2], 16) >> 3 if frame else _NO_FORMAT for frame in batch.frames]
        decoded = _decode_squitters(batch.frames, formats)
        for index, (frame, downlink_format) in enumerate(zip(batch.frames, formats, strict=True)):
            if downlink_format == _NO_FORMAT:
                continue
            time_ns = batch.times_ns[index]
            if self._next_sweep_ns is None or time_ns >= self._next_sweep_ns:
                self._sweep(time_ns)
            if downlink_format in (17, 18):
                self._read_squitter(rows, index, frame, next(decoded), time_ns, is_df18=downlink_format == 18)
            elif downlink_format == 11:
                self._read_all_call(rows, index, frame, time_ns)
            elif downlink_format in _REPLY_FORMATS:
                self._read_reply(rows, index, frame, time_ns, downlink_format)
            else:
                rows.reject_reason[index] = "unsupported_df"
        return rows.table()

    def _read_all_call(self, rows: ReportRows, index: int, frame: str, time_ns: int) -> None:
        """DF 11: address in clear; the parity carries the interrogator's code."""
        code = frame_remainder(frame)
        if code > _MAX_INTERROGATOR_CODE:
            rows.reject_reason[index] = "bad_crc"
            return
        address = frame[2:8]
        if code == 0:
            self._verify(address, time_ns)
        elif not self._is_verified(address, time_ns):
            rows.reject_reason[index] = "unverified_address"
            return
        rows.icao24[index] = address
        rows.is_icao_address[index] = True
        rows.on_ground[index] = _ground_by_capability(int(frame[1], 16) & 7)

    def _read_reply(
        self, rows: ReportRows, index: int, frame: str, time_ns: int, downlink_format: int
    ) -> None:
        """DF 0, 4, 5, 16, 20, 21: altitude or identity, address in the parity."""
        address = f"{frame_remainder(frame):06x}"
        if not self._is_verified(address, time_ns):
            rows.reject_reason[index] = "unverified_address"
            return
        rows.icao24[index] = address
        rows.is_icao_address[index] = True
        status = int(frame[1], 16) & 7
        if downlink_format in (0, 16):
            rows.on_ground[index] = status >= 4  # vertical status, bit 6
        elif status < 4:
            rows.on_ground[index] = status in (1, 3)  # flight status
        code = int(frame[4:8], 16) & 0x1FFF
        if downlink_format in (5, 21):
            rows.squawk[index] = SQUAWK[code]
        else:
            altitude_ft = ALTITUDE_FT[code]
            if altitude_ft is not None:
                rows.pressure_altitude_m[index] = altitude_ft * M_PER_FT

    def _read_squitter(
        self,
        rows: ReportRows,
        index: int,
        frame: str,
        message: dict[str, Any] | None,
        time_ns: int,
        *,
        is_df18: bool,
    ) -> None:
        """DF 17 and 18: the extended squitter."""
        me = int(frame[8:22], 16)
        type_code = me >> 51
        if message is None and (type_code not in _READ_FROM_BITS or frame_remainder(frame)):
            rows.reject_reason[index] = "bad_crc" if frame_remainder(frame) else "undecodable"
            return
        control = int(frame[1], 16) & 7 if is_df18 else 0
        key = address = frame[2:8]
        is_icao: bool | None = True
        if control:
            if control in (3, 4, 7):
                rows.reject_reason[index] = "unsupported_message"
                return
            is_icao = _is_icao_address(control, type_code, me)
            key = f"{control}{address}"
        rows.icao24[index] = address
        rows.is_icao_address[index] = is_icao
        if rows.is_kind_implied:
            rows.sensor_kind[index] = "tisb" if control > 1 else "adsb"
        aircraft = self._verify(key, time_ns)
        if not is_df18:
            rows.on_ground[index] = _ground_by_capability(int(frame[1], 16) & 7)
        if 9 <= type_code <= 18 or 20 <= type_code <= 22:
            nic_b = None if control in (2, 6) else (me >> 48) & 1  # there the bit tells the kind of address
            _read_airborne_position(rows, index, aircraft, me, nic_b, time_ns)
        elif type_code == 29:
            _read_target_status(rows, index, aircraft, me, time_ns)
        elif type_code == 31:
            _read_operational_status(rows, index, aircraft, me, time_ns)
        elif message is not None:
            if type_code == 19:
                _read_velocity(rows, index, aircraft, message, me, time_ns)
            elif 5 <= type_code <= 8:
                _read_surface_position(rows, index, aircraft, message, me, time_ns)
            elif 1 <= type_code <= 4:
                _read_identification(rows, index, message, me)
            elif type_code == 28 and (me >> 48) & 7 == 1:
                rows.emergency[index] = _EMERGENCIES[(me >> 45) & 7]
                rows.squawk[index] = message["squawk"]

    def _is_verified(self, address: str, time_ns: int) -> bool:
        aircraft = self._aircraft.get(address)
        if aircraft is None:
            return False
        aircraft.seen_ns = max(aircraft.seen_ns, time_ns)
        return time_ns - aircraft.verified_ns <= VERIFIED_NS

    def _verify(self, key: str, time_ns: int) -> _Aircraft:
        aircraft = self._aircraft.get(key)
        if aircraft is None:
            if len(self._aircraft) >= MAX_ADDRESSES:
                self._forget_oldest()
            aircraft = self._aircraft[key] = _Aircraft(self._receiver)
        aircraft.seen_ns = aircraft.verified_ns = max(aircraft.verified_ns, time_ns)
        return aircraft

    def _sweep(self, time_ns: int) -> None:
        """Forget the silent. Ruled by the times in the frames, so not by how they were batched."""
        self._next_sweep_ns = time_ns + SILENT_NS // 10
        oldest = time_ns - SILENT_NS
        self._aircraft = {key: known for key, known in self._aircraft.items() if known.seen_ns >= oldest}

    def _forget_oldest(self) -> None:
        by_age = sorted(self._aircraft, key=lambda key: self._aircraft[key].seen_ns)
        for key in by_age[: MAX_ADDRESSES // 4]:
            del self._aircraft[key]


def _decode_squitters(frames: list[str], formats: list[int]) -> Iterator[dict[str, Any] | None]:
    """rs1090's answer to each DF 17 and 18, in order; None if it has none.

    Without time stamps, so that rs1090 pairs no positions across the frames of one call.
    """
    asked = [frame for frame, number in zip(frames, formats, strict=True) if number in (17, 18)]
    for start in range(0, len(asked), _AHEAD):
        messages = rs1090.decode(asked[start : start + _AHEAD], batch=_BATCH)
        yield from cast("list[dict[str, Any] | None]", messages)


def _ground_by_capability(capability: int) -> bool | None:
    """On the ground, from the capability field of DF 11 and 17: 4 says yes, 5 says no."""
    return capability == 4 if capability in (4, 5) else None


def _is_icao_address(control: int, type_code: int, me: int) -> bool | None:
    """Whether a DF 18 frame carries an ICAO address (Doc 9871 table A-2: CF and IMF)."""
    if control in (1, 5):
        return False
    if 5 <= type_code <= 8:
        return not (me >> 35) & 1
    if 9 <= type_code <= 18 or 20 <= type_code <= 22:
        return not (me >> 48) & 1
    return None


def _read_airborne_position(
    rows: ReportRows, index: int, aircraft: _Aircraft, me: int, nic_b: int | None, time_ns: int
) -> None:
    """Type codes 9 to 18 (pressure altitude) and 20 to 22 (GNSS height)."""
    rows.on_ground[index] = False
    _place(rows, index, aircraft, me, time_ns, is_surface=False)
    type_code = me >> 51
    altitude_ft = squitter_altitude_ft((me >> 36) & 0xFFF)
    if altitude_ft is not None:
        if type_code >= 20:
            rows.geometric_height_m[index] = altitude_ft * M_PER_FT
        else:
            rows.pressure_altitude_m[index] = altitude_ft * M_PER_FT
            if time_ns - aircraft.difference_ns <= DIFFERENCE_AGE_NS:
                rows.geometric_height_m[index] = altitude_ft * M_PER_FT + aircraft.difference_m
    _rate(rows, index, aircraft, type_code, nic_b, time_ns)


def _read_surface_position(
    rows: ReportRows, index: int, aircraft: _Aircraft, message: dict[str, Any], me: int, time_ns: int
) -> None:
    """Type codes 5 to 8."""
    rows.on_ground[index] = True
    _place(rows, index, aircraft, me, time_ns, is_surface=True)
    if message["groundspeed"] is not None:
        rows.ground_speed_mps[index] = message["groundspeed"] * MPS_PER_KT
    rows.track_angle_deg[index] = message["track"]
    _rate(rows, index, aircraft, me >> 51, None, time_ns)


def _place(
    rows: ReportRows, index: int, aircraft: _Aircraft, me: int, time_ns: int, *, is_surface: bool
) -> None:
    is_odd = bool((me >> 34) & 1)
    position, reason = aircraft.positions.resolve(
        time_ns, (me >> 17) & 0x1FFFF, me & 0x1FFFF, is_odd=is_odd, is_surface=is_surface
    )
    if position is None:
        rows.reject_reason[index] = reason
    else:
        rows.latitude_deg[index], rows.longitude_deg[index] = position


def _read_identification(rows: ReportRows, index: int, message: dict[str, Any], me: int) -> None:
    """Type codes 1 to 4: emitter category and callsign."""
    rows.category[index] = f"{_CATEGORY_SETS[me >> 51]}{(me >> 48) & 7}"
    callsign = message["callsign"].strip()
    if callsign and "#" not in callsign:
        rows.callsign[index] = callsign


def _rate(
    rows: ReportRows, index: int, aircraft: _Aircraft, type_code: int, nic_b: int | None, time_ns: int
) -> None:
    """The quality columns of a position row."""
    rows.adsb_version[index] = aircraft.version
    nic_a = nic_c = None
    if time_ns - aircraft.status_ns <= QUALITY_AGE_NS:
        nic_a, nic_c = aircraft.nic_a, aircraft.nic_c
        rows.gva[index] = aircraft.gva
    rows.nic[index], rows.rc_m[index] = integrity(type_code, aircraft.version, nic_a, nic_b, nic_c)
    if aircraft.version == 0:
        rows.nac_p[index] = version_0_nac_p(type_code)
    elif time_ns - aircraft.accuracy_ns <= QUALITY_AGE_NS:
        rows.nac_p[index], rows.sil[index] = aircraft.nac_p, aircraft.sil
    if time_ns - aircraft.nac_v_ns <= QUALITY_AGE_NS:
        rows.nac_v[index] = aircraft.nac_v


def _read_velocity(
    rows: ReportRows, index: int, aircraft: _Aircraft, message: dict[str, Any], me: int, time_ns: int
) -> None:
    """Type code 19: velocity over ground (subtypes 1, 2), or through the air (3, 4: only its rates)."""
    subtype = (me >> 48) & 7
    if not 1 <= subtype <= 4:
        return
    aircraft.nac_v, aircraft.nac_v_ns = (me >> 43) & 7, time_ns
    rows.nac_v[index] = aircraft.nac_v
    east, north = (me >> 32) & 0x3FF, (me >> 21) & 0x3FF  # 0: no information, else speed + 1
    if subtype <= 2 and east and north:
        unit = MPS_PER_KT if subtype == 1 else 4.0 * MPS_PER_KT
        east_mps = (1 - east if (me >> 42) & 1 else east - 1) * unit
        north_mps = (1 - north if (me >> 31) & 1 else north - 1) * unit
        rows.ground_speed_mps[index] = math.hypot(east_mps, north_mps)
        if east_mps or north_mps:
            rows.track_angle_deg[index] = math.degrees(math.atan2(east_mps, north_mps)) % 360.0
    vertical_rate = message.get("vertical_rate")
    if vertical_rate is not None:
        rows.vertical_rate_mps[index] = vertical_rate * MPS_PER_FT_MIN
    difference_ft = message.get("geo_minus_baro")
    if difference_ft is not None:
        aircraft.difference_m, aircraft.difference_ns = difference_ft * M_PER_FT, time_ns


def _read_target_status(rows: ReportRows, index: int, aircraft: _Aircraft, me: int, time_ns: int) -> None:
    """Type code 29: NACp and SIL (subtype 1 in version 2; subtype 0 in version 1, same places)."""
    subtype = (me >> 49) & 3
    if subtype == 1 or (subtype == 0 and aircraft.version == 1):
        aircraft.nac_p, aircraft.sil, aircraft.accuracy_ns = (me >> 13) & 15, (me >> 10) & 3, time_ns
        rows.nac_p[index], rows.sil[index] = aircraft.nac_p, aircraft.sil
        rows.adsb_version[index] = aircraft.version


def _read_operational_status(
    rows: ReportRows, index: int, aircraft: _Aircraft, me: int, time_ns: int
) -> None:
    """Type code 31: version, NIC supplements, NACp, SIL, GVA."""
    subtype = (me >> 48) & 7
    if subtype > 1:
        return
    aircraft.version = rows.adsb_version[index] = (me >> 13) & 7
    if aircraft.version == 0:
        return  # the places of the others were not defined yet
    aircraft.status_ns = aircraft.accuracy_ns = time_ns
    aircraft.nic_a = (me >> 12) & 1
    aircraft.nac_p = rows.nac_p[index] = (me >> 8) & 15
    aircraft.sil = rows.sil[index] = (me >> 4) & 3
    is_surface = subtype == 1
    aircraft.nic_c = (me >> 36) & 1 if is_surface and aircraft.version >= 2 else None
    aircraft.gva = None if is_surface or aircraft.version < 2 else (me >> 6) & 3
    rows.gva[index] = aircraft.gva
