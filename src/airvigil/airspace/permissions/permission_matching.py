"""Is this the aircraft that a permission is for? Each identifier compared, and what follows from all of them.

What an aircraft sends is a claim, as a permission is: an address can be set wrongly, a callsign is typed in. So each
comparison is kept and told, and one that differs is never outvoted by one that fits.

Rules
- "equal", "differs" or "not_sent"; a registration is sent by nobody, so it is equal to a callsign that spells it, or not sent.
- A match: something named in `grants_by` is equal and nothing differs. Otherwise `doubt` says why it is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from airvigil.airspace.permissions.permissions import Permission


@dataclass(frozen=True)
class Who:
    """What is known of an aircraft: address and callsign, None if not sent; identity as `tracking.identity` has it."""

    icao24: str | None
    callsign: str | None
    identity: str


@dataclass(frozen=True)
class Comparison:
    """One identifier of a permission against what the aircraft sends: "equal", "differs" or "not_sent"."""

    identifier: str
    permitted: str
    seen: str | None
    result: str


def compare(permission: Permission, who: Who) -> tuple[Comparison, ...]:
    """Every identifier that the permission names against the aircraft's.

    Example:
        >>> plan = Permission("F-1", "flight_plan", icao24="43c0de", callsign="GAF12")
        >>> [(c.identifier, c.result) for c in compare(plan, Who("43c0df", "GAF12", "state"))]
        [('icao24', 'differs'), ('callsign', 'equal')]
    """
    found = []
    address, callsign = who.icao24, who.callsign
    if permission.icao24 is not None:
        found.append(_compared("icao24", permission.icao24, address))
    if permission.addresses is not None:
        first, last = permission.addresses
        fits = None if address is None else int(first, 16) <= int(address, 16) <= int(last, 16)
        found.append(Comparison("addresses", f"{first} to {last}", address, _result(fits)))
    if permission.callsign is not None:
        found.append(_compared("callsign", permission.callsign, callsign))
    if permission.registration is not None:
        same = callsign == permission.registration
        result = "equal" if same else "not_sent"
        found.append(Comparison("registration", permission.registration, callsign if same else None, result))
    if permission.operator is not None:
        fits = None if not callsign else callsign[:3] == permission.operator
        found.append(Comparison("operator", permission.operator, callsign, _result(fits)))
    if permission.anyone:
        found.append(Comparison("anyone", "anyone", None, "equal"))
    return tuple(found)


def _result(fits: bool | None) -> str:
    return "not_sent" if fits is None else "equal" if fits else "differs"


def _compared(identifier: str, permitted: str, seen: str | None) -> Comparison:
    return Comparison(identifier, permitted, seen, _result(None if not seen else seen == permitted))


def doubt(compared: tuple[Comparison, ...], grants_by: tuple[str, ...]) -> str | None:
    """Why the aircraft is not surely the one that is meant; None if it is.

    Example:
        >>> doubt((Comparison("callsign", "GAF12", "GAF12", "equal"),), ("icao24",))
        'only callsign equal, which alone does not suffice under the settings'
    """
    equal = [c.identifier for c in compared if c.result == "equal"]
    differing = [c for c in compared if c.result == "differs"]
    if differing:
        told = ", ".join(f"{c.identifier} differs: {c.permitted} permitted, {c.seen} seen" for c in differing)
        return f"{' and '.join(equal) or 'nothing'} equal, {told}"
    if not set(equal) & set(grants_by):
        return (
            f"only {' and '.join(equal) or 'nothing'} equal, which alone does not suffice under the settings"
        )
    return None
