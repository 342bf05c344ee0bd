"""AIXM vertical limits: values, units and references as `limits.Limit`.

Rules
- FL and SM are of the standard atmosphere whatever the reference says; FT and M need a reference (MSL, SFC, STD, W84).
- GND and a height of 0 above SFC as a lower limit, UNL as an upper one, are no limit. FLOOR and CEILING are the airspace's own.
- A limit that is missing or nil is unknown. It is read as none, which can only make the volume taller, and it is said.
- SM is tens of metres (standard metric).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.airspace.sources.aixm_document import Element, child, is_nil, text_of
from airvigil.errors import AirspaceError
from airvigil.units import M_PER_FT

M_PER_UOM = {"FT": M_PER_FT, "M": 1.0, "KM": 1000.0, "FL": 100.0 * M_PER_FT, "SM": 10.0}
STANDARD_UNITS = ("FL", "SM")
REFERENCES = ("SFC", "MSL", "STD", "W84")
MAX_HEIGHT_M = 1_000_000.0  # no airspace reaches where satellites are
_NUMBER = re.compile(r"[+-]?\d{1,7}(\.\d{1,12})?")


@dataclass(frozen=True)
class Layer:
    """From lower to upper; `remarks` say what is missing or odd."""

    lower: Limit
    upper: Limit
    remarks: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether it is less than all heights."""
        return not (math.isinf(self.lower.height_m) and math.isinf(self.upper.height_m))


def read_layer(element: Element) -> Layer:
    """Lower and upper limit of an AirspaceVolume or AirspaceLayer.

    Raises:
        AirspaceError: a value that is no limit.
    """
    lower, low_remarks = _limit(element, "lower", NO_LOWER)
    upper, high_remarks = _limit(element, "upper", NO_UPPER)
    remarks = low_remarks + high_remarks
    for name in ("minimumLimit", "maximumLimit"):
        extra = child(element, name)
        if text_of(extra):
            remarks.append(
                f"{name} {text_of(extra)} {(extra is not None and extra.get('uom')) or ''} is not read"
            )
    return Layer(lower, upper, tuple(remarks))


def _limit(element: Element, side: str, unlimited: Limit) -> tuple[Limit, list[str]]:
    value, reference = child(element, f"{side}Limit"), text_of(child(element, f"{side}LimitReference"))
    if value is None or is_nil(value) or not text_of(value):
        why = "" if value is None else value.get("nilReason") or "nil"
        text = f"not given{f' ({why[:40]})' if why else ''}"
        return Limit(unlimited.height_m, "none", text), [f"{side} limit {text}: read as none"]
    text, uom = text_of(value).upper(), (value.get("uom") or "").upper()
    words = " ".join(
        word for word in (f"FL{text}" if uom == "FL" else f"{text} {uom}".strip(), reference) if word
    )
    if text in ("FLOOR", "CEILING"):
        return unlimited, []
    if (text, side) in (("GND", "lower"), ("SFC", "lower"), ("UNL", "upper")):
        return Limit(unlimited.height_m, "none", text), []
    if not _NUMBER.fullmatch(text):
        raise AirspaceError(f"{side} limit {text[:40]!r} is not a height")
    if uom not in M_PER_UOM:
        raise AirspaceError(f"{side} limit {text} has {f'the unit {uom[:20]!r}' if uom else 'no unit'}")
    remarks = []
    if uom in STANDARD_UNITS:
        if reference not in ("", "STD"):
            remarks.append(
                f"{side} limit {words}: a level is of the standard atmosphere, not of {reference[:20]}"
            )
        reference = "STD"
    if reference not in REFERENCES:
        raise AirspaceError(f"{side} limit {words} has no reference that is known (MSL, SFC, STD, W84)")
    height_m = round(float(text) * M_PER_UOM[uom], 6)
    if abs(height_m) > MAX_HEIGHT_M:
        raise AirspaceError(f"{side} limit {words} is beyond {MAX_HEIGHT_M / 1000:,.0f} km")
    if height_m == 0.0 and reference == "SFC" and side == "lower":
        return Limit(-math.inf, "none", words), remarks
    return Limit(height_m, reference, words), remarks
