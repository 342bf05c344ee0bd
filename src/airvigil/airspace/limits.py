"""Vertical limits: a height, what it is measured from, and how the source wrote it.

Reference: STD (flight level: pressure altitude), MSL (mean sea level), SFC (above ground), W84 (above the WGS84
ellipsoid); "none" where there is no limit, or where it is the ground itself (SFC, GND) as a lower one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from airvigil.errors import AirspaceError
from airvigil.units import M_PER_FT

VERTICAL_REFERENCES = ("none", "STD", "MSL", "W84", "SFC")
FEET_PER_FLIGHT_LEVEL = 100.0

_SURFACE = ("SFC", "GND", "SURFACE", "GROUND")
_UNLIMITED = ("UNL", "UNLTD", "UNLIM", "UNLIMITED")
_REFERENCE_WORDS = {"AMSL": "MSL", "MSL": "MSL", "ALT": "MSL", "AGL": "SFC", "ASFC": "SFC", "STD": "STD", "W84": "W84", "WGS84": "W84"}  # fmt: skip
_LEVEL = re.compile(r"FL\s*(\d{1,3})")
_HEIGHT = re.compile(r"(-?\d+(?:\.\d+)?)\s*(FT|M)\s*([A-Z0-9]+)?")


@dataclass(frozen=True)
class Limit:
    """One vertical limit.

    Attributes:
        height_m: -inf and inf where there is no limit.
        reference: one of VERTICAL_REFERENCES; "none" if and only if the height is infinite.
        text: as written in the source; empty if it was made by a program.
    """

    height_m: float
    reference: str
    text: str = ""

    def __post_init__(self) -> None:
        if self.reference not in VERTICAL_REFERENCES:
            known = ", ".join(VERTICAL_REFERENCES)
            raise AirspaceError(f"vertical reference must be one of {known}, got {self.reference!r}")
        if math.isnan(self.height_m) or math.isinf(self.height_m) != (self.reference == "none"):
            raise AirspaceError(f"limit {self.height_m} m with vertical reference {self.reference!r}")

    def is_comparable(self, other: Limit) -> bool:
        """Whether the two heights can be compared without knowing weather, geoid or terrain."""
        return self.reference == other.reference or "none" in (self.reference, other.reference)

    def __str__(self) -> str:
        if self.text:
            return self.text
        if math.isinf(self.height_m):
            return "UNL" if self.height_m > 0.0 else "SFC"
        return f"{self.height_m:g} m {self.reference}"


NO_LOWER = Limit(-math.inf, "none")
NO_UPPER = Limit(math.inf, "none")

Written = tuple[float, str]  # metres (inf where there is none), reference ("none" where none is named)


def parse_limit(text: str) -> Written:
    """Height in metres and the reference that the text names, "none" if it names none.

    Raises:
        AirspaceError: if the text is not a limit.

    Example:
        >>> parse_limit("FL95"), parse_limit("2500 ft AMSL"), parse_limit("1000 m"), parse_limit("UNL")
        ((2895.6, 'STD'), (762.0, 'MSL'), (1000.0, 'none'), (inf, 'none'))
    """
    words = text.strip().upper()
    if words in _SURFACE:
        return -math.inf, "none"
    if words in _UNLIMITED:
        return math.inf, "none"
    level = _LEVEL.fullmatch(words)
    if level:
        return round(int(level[1]) * FEET_PER_FLIGHT_LEVEL * M_PER_FT, 6), "STD"
    height = _HEIGHT.fullmatch(words)
    if height and (height[3] is None or height[3] in _REFERENCE_WORDS):
        metres = float(height[1]) * (M_PER_FT if height[2] == "FT" else 1.0)
        return round(metres, 6), _REFERENCE_WORDS.get(height[3] or "", "none")
    raise AirspaceError(
        f"not a limit: {text!r}", hint="limits look like SFC, UNL, FL95, 2500 ft AMSL, 300 m AGL"
    )
