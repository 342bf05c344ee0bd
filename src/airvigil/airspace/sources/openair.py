"""OpenAir, version 1 and the extended version 2: airspace as gliding and general aviation publish it.

    AC R                      class, or in version 1 also the type; begins an airspace
    AY TRA                    type (version 2)
    AN EDR 12                 name;   AI: identifier;   AF, AG, AX: frequency, station, transponder code
    AA 2026-05-01T10:00Z/...  activation (version 2)
    AL GND   AH FL 95         limits
    DP 54:10:15 N 013:41:37 E a corner
    V X=52:10:47 N 005:13:38 E   centre of what follows;   V D=- turns arcs counter-clockwise
    DC 0.5   DA 5,90,180   DB place,place    circle; arc by radius (nm) and azimuths; arc by its ends

Rules
- A block that cannot be read is rejected with its line and reason, and the next one is read. Nothing is left out silently: blocks
  that only set a drawing style (SP, SB) and terrain (TO, TC) are counted in a remark.
- Straight edges are geodesics. The format does not say; OGC 12-028 and EUROCONTROL's guide for AIXM have the geodesic as what an AIP's "straight
  line" means, and an edge along a parallel, which the AIP would name, is not told apart from it here. How far the two readings part is in a remark.
- Arcs and circles are cut to within `arcs.CHORD_ERROR_M`. Azimuths are true, distances in nautical miles. The ends of an arc by its ends
  lie at slightly different radii in nearly all real files: it passes through both, and above RADII_PART_M a remark says so.
- V D=+ and no centre are what every block begins with.
- An airspace without both limits, or with holes in its definition, is rejected: no limit is invented.

The reader is our own. aerofiles 1.5.6 (MIT) was measured on six real files of 2,908 airspaces: in five of them it reads the same 2,742 with the same
names, limits and corners; in the sixth, which has lines that no specification names, none of 166. It leaves the encoding to its caller, and
gives limits as text, arcs as centre and ends, no text as written, no line of a block, and one record more for each drawing style. All that decides would
have been ours in any case.

Sources: WinPilot's description of the format, and version 2.1 as published by Naviter (2025-10-07).
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.sources.antimeridian import within_longitudes
from airvigil.airspace.sources.arcs import Place, arc_between, arc_points, circle_ring
from airvigil.airspace.sources.geojson import FIR_TYPES
from airvigil.airspace.sources.loaded import Loaded, Remark, with_unique_ids
from airvigil.airspace.sources.openair_words import (
    activation_of,
    class_and_type,
    decode_text,
    openair_limit,
)
from airvigil.airspace.sources.straight_edges import remark_on_straight_edges
from airvigil.airspace.sources.written_places import parse_place, parse_places
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.errors import AirspaceError
from airvigil.units import M_PER_NM

MAX_BLOCKS = 100_000
MAX_POSITIONS = 3_000_000  # of one file, those of arcs included
MAX_LINES = 4_000_000
MAX_LINE = 2_000  # characters of a line that is looked at
RADII_PART_M = 100.0
VENDOR_ACTIVATION = ("AP", "AW", "TW")

_COMMAND = re.compile(r"\s*([A-Za-z]{1,2})(?![A-Za-z])(.*)", re.DOTALL)
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,9})?")


@dataclass
class _Block:
    """One airspace being read.

    Attributes:
        words: first value of each command that is kept as it is.
        corners: of the outline so far.
        kinds: what its edges are besides straight ones.
        fault: the first thing that cannot be read.
    """

    line: int
    words: dict[str, str] = field(default_factory=dict)
    intervals: list[str] = field(default_factory=list)
    vendor: list[str] = field(default_factory=list)
    corners: list[Place] = field(default_factory=list)
    circle: NDArray[np.float64] | None = None
    kinds: set[str] = field(default_factory=set)
    centre: Place | None = None
    is_clockwise: bool = True
    fault: Remark | None = None
    remarks: list[Remark] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    positions: int = 0

    @property
    def is_style(self) -> bool:
        """Whether it sets no more than how a class is drawn."""
        return not (self.corners or self.circle is not None or self.words.keys() & {"AN", "AL", "AH"})


def load_openair(
    raw: bytes, name: str, *, kind: str | None = None, edge_kind: str | None = None, version: str = ""
) -> Loaded:
    """Volumes from the bytes of an OpenAir file.

    Args:
        raw: the whole file, decompressed.
        name: the file's name, for messages and as the volumes' source.
        kind: of all volumes; by itself "fir" for types FIR and UIR, otherwise "user".
        edge_kind: of straight edges, if not geodesic.
        version: the volumes' version; the digest of `raw` by itself.

    Raises:
        AirspaceError: larger than any real file. A block that cannot be read is in `rejected`.

    Example:
        >>> text = b"AC R\\nAN Range\\nAL GND\\nAH FL 95\\nV X=59:30:00 N 025:00:00 E\\nDC 2\\n"
        >>> (volume,) = load_openair(text, "r.txt").volumes
        >>> volume.volume_id, volume.airspace_type, volume.edges_written, str(volume.upper), len(volume.rings[0])
        ('Range', 'R', ('circle',), 'FL 95', 193)
    """
    if max(raw.count(b"\n"), raw.count(b"\r")) > MAX_LINES:
        raise AirspaceError(f"{name}: expected at most {MAX_LINES:,} lines")
    text, encoding = decode_text(raw)
    version = version or f"file SHA-256 {hashlib.sha256(raw).hexdigest()}"
    volumes: list[Volume] = []
    rejected: list[Remark] = []
    remarks = [Remark(0, encoding)] if encoding else []
    styles = terrain = positions = 0
    for number, block in enumerate(_blocks(text), start=1):
        positions += block.positions
        if number > MAX_BLOCKS or positions > MAX_POSITIONS:
            raise AirspaceError(
                f"{name}: line {block.line}: more than {MAX_BLOCKS:,} airspaces or {MAX_POSITIONS:,} positions"
            )
        if "TC" in block.words or "TO" in block.words:
            terrain += 1
            continue
        if block.is_style and block.fault is None:
            styles += 1
            continue
        try:
            if block.fault:
                rejected.append(block.fault)
                continue
            volumes.append(_volume(block, name, version, kind, edge_kind or "geodesic"))
            remarks += block.remarks
        except AirspaceError as error:
            rejected.append(Remark(block.line, str(error), block.words.get("AN", "")))
    if styles:
        remarks.append(Remark(0, f"{styles} blocks set drawing styles only"))
    if terrain:
        remarks.append(Remark(0, f"{terrain} blocks are terrain, which is no airspace"))
    remarks += remark_on_straight_edges(volumes)
    unique, changed = with_unique_ids(volumes)
    if changed:
        remarks.append(Remark(0, f"{changed} ids were there already and got a number behind them"))
    return Loaded("openair", unique, tuple(rejected), tuple(remarks))


def _blocks(text: str) -> Iterator[_Block]:
    block: _Block | None = None
    for number, whole in enumerate(io.StringIO(text, newline=None), start=1):
        line = whole[:MAX_LINE]
        found = _COMMAND.match(line)
        if not found:
            if block is not None and line.strip() and not line.lstrip().startswith("*") and not block.fault:
                block.fault = Remark(number, "not a command", line.strip())
            continue
        command, value = found[1].upper(), found[2]
        if command in ("AC", "TC", "TO"):
            if block is not None:
                yield block
            block = _Block(number)
        if block is None:
            continue
        block.lines.append(line.rstrip())
        if block.fault:
            continue
        try:
            _take(block, command, value, number)
        except AirspaceError as error:
            block.fault = Remark(number, str(error), line.strip())
        if block.positions > MAX_POSITIONS:
            break
    if block is not None:
        yield block


def _take(block: _Block, command: str, value: str, number: int) -> None:
    """One line into its block.

    Raises:
        AirspaceError: if it cannot be read.
    """
    if command == "AN":
        block.words.setdefault("AN", value.strip())
        return
    value = value.partition("*")[0].strip()
    if command in ("AC", "AY", "AI", "AL", "AH", "AF", "AG", "AX", "TC", "TO"):
        if command in ("AL", "AH") and command in block.words:
            raise AirspaceError(f"a second {command}")
        block.words.setdefault(command, value)
    elif command == "AA":
        block.intervals.append(value.partition(";")[0].strip())
    elif command in VENDOR_ACTIVATION:
        block.vendor.append(f"{command} {value}")
    elif command == "DP":
        _corner(block, parse_place(value))
    elif command == "V":
        _variable(block, value)
    elif command in ("DC", "DA", "DB"):
        _curve(block, command, value, number)
    elif command == "DY":
        raise AirspaceError("airway segments (DY) are not read")
    elif command not in ("AT", "SP", "SB"):
        raise AirspaceError(f"unknown command {command}")


def _corner(block: _Block, place: Place) -> None:
    if block.circle is not None:
        raise AirspaceError("a circle and other edges in one airspace")
    if block.corners and place == block.corners[-1]:
        return
    block.corners.append(place)
    block.positions += 1


def _variable(block: _Block, value: str) -> None:
    word, _, given = (part.strip() for part in value.partition("="))
    word = word.upper()
    if word == "X":
        block.centre = parse_place(given)
    elif word == "D":
        if given not in ("+", "-"):
            raise AirspaceError("expected V D=+ or V D=-")
        block.is_clockwise = given == "+"
    elif word not in ("W", "Z", "T"):
        raise AirspaceError(f"unknown variable {word[:20]!r}")


def _curve(block: _Block, command: str, value: str, number: int) -> None:
    if block.centre is None:
        raise AirspaceError(f"{command} without a centre (V X=)")
    if command == "DC":
        if block.corners or block.circle is not None:
            raise AirspaceError("a circle and other edges in one airspace")
        block.circle = circle_ring(block.centre, _number(value) * M_PER_NM)
        block.kinds.add("circle")
        block.positions += len(block.circle)
        return
    if block.circle is not None:
        raise AirspaceError("a circle and other edges in one airspace")
    if command == "DA":
        parts = value.split(",")
        if len(parts) != 3:
            raise AirspaceError("expected DA radius,start,end")
        radius, start, end = (_number(part) for part in parts)
        sweep = math.fmod(end - start, 360.0)
        sweep += 360.0 * ((block.is_clockwise and sweep <= 0.0) - (not block.is_clockwise and sweep >= 0.0))
        points = arc_points(block.centre, math.radians(start), math.radians(sweep), radius * M_PER_NM)
    else:
        ends = parse_places(value)
        if len(ends) != 2:
            raise AirspaceError(f"expected two places, got {len(ends)}")
        points, apart = arc_between(block.centre, *ends, is_clockwise=block.is_clockwise)
        if apart > RADII_PART_M:
            reason = f"the ends of an arc lie {apart:.0f} m apart in radius"
            block.remarks.append(Remark(number, reason, block.words.get("AN", "")))
    block.kinds.add("arc")
    block.positions += len(points)
    _corner(block, points[0])
    block.corners += points[1:]


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        raise AirspaceError(f"expected a number, got {text.strip()[:40]!r}")
    return float(found[0])


def _volume(block: _Block, source: str, version: str, kind: str | None, edge_kind: str) -> Volume:
    words = block.words
    for command, what in (("AL", "lower"), ("AH", "upper")):
        if command not in words:
            raise AirspaceError(f"no {what} limit ({command})")
    ring = block.circle
    if ring is None:
        corners = (
            block.corners if block.corners[:1] == block.corners[-1:] else [*block.corners, *block.corners[:1]]
        )
        if len(corners) < 4:
            raise AirspaceError(f"expected at least 3 corners, got {max(len(corners) - 1, 0)}")
        ring = np.array(corners)
    airspace_class, airspace_type = class_and_type(words.get("AC", ""), words.get("AY", ""))
    activation, misread = activation_of(block.intervals, block.vendor, words.get("AN", ""))
    if misread:
        block.remarks.append(Remark(block.line, misread, words.get("AN", "")))
    volume_id = words.get("AI") or words.get("AN") or f"line {block.line}"
    return make_volume(
        volume_id,
        within_longitudes([ring], edge_kind),
        name=words.get("AN", ""),
        kind=kind or ("fir" if airspace_type in FIR_TYPES else "user"),
        lower=openair_limit(words["AL"], is_lower=True),
        upper=openair_limit(words["AH"], is_lower=False),
        activation=activation,
        airspace_class=airspace_class,
        airspace_type=airspace_type,
        edge_kind=edge_kind,
        edges_written=tuple(sorted(block.kinds)),
        source=source,
        version=version,
        place=f"line {block.line}",
        original="\n".join(block.lines),
    )
