"""Permissions to be in an airspace, and the book of what was known of them when.

Infringement is presence minus permission. A permission says who may be where and until when; that it exists is
a claim of its issuer, evidence like any other: it is entered as an observation (kind "permission") with an author and
a time of reception, and counts from that time on.

Rules
- The book is append-only. What is found to be wrong is entered again under the same id, and counts from then on;
  `as_of` gives what was known at an instant.
- A withdrawal ends a permission at the time for which it is given; presence before that stays covered.
- An observation that comes after the watermark has passed its reception counts from that watermark on: what was told
  before is not told again otherwise.
- Who the permission is for is compared in `permission_matching`, whether it covers a stay in `permission_standing`.

Sources: Chicago Convention art. 3(c), 5, 6, 9; docs/permissions.md has the forms.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit
from airvigil.airspace.permissions.permission_values import permission_values
from airvigil.errors import ConfigError
from airvigil.units import utc_text

OBSERVATION_KIND = "permission"
EVERY_VOLUME = "*"
Event = dict[str, Any]


@dataclass(frozen=True)
class Permission:
    """Who may be where, and when.

    Attributes:
        permission_id: its name, the issuer's own where there is one.
        kind: one of `permission_values.PERMISSION_KINDS`.
        icao24, addresses, callsign, registration, operator, anyone: for whom; what is None is not named. `addresses` is
            a block [first, last], `operator` the first three letters of callsigns.
        volumes: ids of the volumes that it opens; "*" is every one; empty: those along its corridor.
        valid_from_ns, valid_to_ns: ns UTC; None: no beginning, no end.
        tolerance_s: before and after; None: as the settings say for its kind.
        lower, upper: vertical limits.
        route: (latitude, longitude) in degrees, joined by geodesics; empty: no corridor.
        half_width_m: of the corridor.
        issuer, text: who says so, and the document's own words.
        is_state_flight: a flight plan that says of itself that it is a state aircraft's.
        route_unknown: words of a plan's route whose places are not known.
        withdrawn_ns: from when it is withdrawn; None: it is not.
    """

    permission_id: str
    kind: str
    icao24: str | None = None
    addresses: tuple[str, str] | None = None
    callsign: str | None = None
    registration: str | None = None
    operator: str | None = None
    anyone: bool = False
    volumes: tuple[str, ...] = ()
    valid_from_ns: int | None = None
    valid_to_ns: int | None = None
    tolerance_s: float | None = None
    lower: Limit = NO_LOWER
    upper: Limit = NO_UPPER
    route: tuple[tuple[float, float], ...] = ()
    half_width_m: float | None = None
    issuer: str = ""
    text: str = ""
    is_state_flight: bool = False
    route_unknown: tuple[str, ...] = ()
    withdrawn_ns: int | None = None

    def opens(self, volume_id: str) -> bool:
        """Whether it speaks of this volume at all."""
        return not self.volumes or volume_id in self.volumes or EVERY_VOLUME in self.volumes

    @property
    def has_place(self) -> bool:
        """Whether it says where."""
        return bool(self.volumes or self.route)


def permission_from_value(value: Any, *, where: str = "permission") -> Permission:
    """A permission from the JSON value of its observation.

    Raises:
        ConfigError: naming `where`, the field and the value found.

    Example:
        >>> value = {"permission_id": "D-17", "kind": "diplomatic_clearance", "icao24": "43C0DE", "volumes": ["EST"]}
        >>> permission_from_value(value).icao24
        '43c0de'
    """
    return Permission(**permission_values(value, where=where))


@dataclass(frozen=True)
class Version:
    """A permission as it was known from one instant to another; `known_to_ns` None: it still is."""

    permission: Permission
    known_from_ns: int
    known_to_ns: int | None = None

    def is_known_at(self, known_ns: int) -> bool:
        """Whether it was what was known at an instant."""
        return self.known_from_ns <= known_ns and (self.known_to_ns is None or known_ns < self.known_to_ns)


@dataclass
class PermissionBook:
    """Everything that was ever entered about permissions.

    Attributes:
        entries: [known_ns, applies_ns, value] each, in order; plain values.
        refused: [known_ns, reason] of each that could not be read and was not told yet.
    """

    entries: list[list[Any]] = field(default_factory=list)
    refused: list[list[Any]] = field(default_factory=list)
    _versions: list[Version] | None = None
    _index: dict[tuple[str, str], list[Version]] | None = None
    _blocks: list[tuple[int, int, Version]] = field(default_factory=list)

    def taken(self, observations: pa.Table | None, passed_ns: int) -> None:
        """Take in the permissions among the observations that have arrived; those that cannot be read are refused.

        Args:
            observations: with OBSERVATION_SCHEMA, of any kind; None for none.
            passed_ns: the watermark before them.
        """
        if observations is None or not observations.num_rows:
            return
        times = [
            observations[n].cast(pa.int64()).to_pylist() for n in ("received_at", "time_of_applicability")
        ]
        taken = len(self.entries)
        for known, applies, kind, text in zip(
            *times, observations["kind"].to_pylist(), observations["value"].to_pylist(), strict=True
        ):
            if kind != OBSERVATION_KIND:
                continue
            known = max(known, passed_ns)
            try:
                value = json.loads(text or "null")
                _checked(value)
            except (ConfigError, ValueError, RecursionError) as error:
                self.refused.append([known, str(error)])
                continue
            self.entries.append([known, applies, value])
        if len(self.entries) > taken:
            self.entries.sort(key=_order)
            self._versions = self._index = None

    def refusals(self, before_ns: int) -> list[Event]:
        """A `permission_refused` event for each that was refused before an instant, once."""
        ready = sorted(r for r in self.refused if r[0] < before_ns)
        self.refused = [r for r in self.refused if r[0] >= before_ns]
        return [
            {"event": "permission_refused", "time": utc_text(known), "time_ns": known, "reason": reason}
            for known, reason in ready
        ]

    def versions(self) -> list[Version]:
        """Every permission in every form that was ever known of it, in the order in which they became known."""
        if self._versions is None:
            self._versions = _versions_of(self.entries)
        return self._versions

    def as_of(self, known_ns: int) -> tuple[Permission, ...]:
        """The permissions that were known at an instant, by id; also those that have lapsed or are withdrawn."""
        known = [v.permission for v in self.versions() if v.is_known_at(known_ns)]
        return tuple(sorted(known, key=lambda p: p.permission_id))

    def changes(self, since_ns: int, before_ns: int) -> list[int]:
        """The instants in [since, before) at which what is known changed, in order."""
        found = {entry[0] for entry in self.entries if since_ns <= entry[0] < before_ns}
        return sorted(found)

    def named_by(self, icao24: str | None, callsign: str | None) -> list[Version]:
        """Versions of which at least one identifier fits an aircraft, known yet or not, in order of id."""
        if self._index is None:
            self._index, self._blocks = _index_of(self.versions())
        names = [("anyone", "")]
        if icao24 is not None:
            names.append(("icao24", icao24))
        if callsign:
            names += [("callsign", callsign), ("registration", callsign), ("operator", callsign[:3])]
        found = {id(v): v for name in names for v in self._index.get(name, ())}
        if icao24 is not None:
            address = int(icao24, 16)
            found.update({id(v): v for first, last, v in self._blocks if first <= address <= last})
        return sorted(found.values(), key=lambda v: (v.permission.permission_id, v.known_from_ns))

    def copy(self) -> PermissionBook:
        """An independent copy; entries are never changed after they were made."""
        return PermissionBook(list(self.entries), list(self.refused))

    def to_plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return {"entries": list(self.entries), "refused": list(self.refused)}

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> PermissionBook:
        """The inverse of `to_plain`."""
        return PermissionBook(list(plain["entries"]), list(plain["refused"]))


def _order(entry: list[Any]) -> tuple[int, bool, int, str]:
    """By when it was known; at one instant a withdrawal comes after what it withdraws, whatever arrived first."""
    known, applies, value = entry
    return known, value.get("withdrawn") is True, applies, json.dumps(value, sort_keys=True)


def _checked(value: Any) -> None:
    """Raise if the value is neither a withdrawal nor a permission."""
    if isinstance(value, Mapping) and value.get("withdrawn") is True:
        if not isinstance(value.get("permission_id"), str) or not value["permission_id"]:
            raise ConfigError(
                f"withdrawal: permission_id: expected a name, got {value.get('permission_id')!r}"
            )
        return
    permission_from_value(value)


def _versions_of(entries: Iterable[list[Any]]) -> list[Version]:
    done: list[Version] = []
    current: dict[str, Version] = {}
    for known, applies, value in entries:
        name = value["permission_id"]
        if value.get("withdrawn") is True:
            before = current.get(name)
            if before is None:
                continue
            ends = [t for t in (before.permission.withdrawn_ns, applies) if t is not None]
            after = replace(before.permission, withdrawn_ns=min(ends))
        else:
            after = permission_from_value(value)
        gone = {name, value.get("replaces")} & current.keys()
        done += [replace(current.pop(old), known_to_ns=known) for old in sorted(gone)]
        current[name] = Version(after, known)
    return sorted([*done, *current.values()], key=lambda v: (v.known_from_ns, v.permission.permission_id))


def _index_of(
    versions: Iterable[Version],
) -> tuple[dict[tuple[str, str], list[Version]], list[tuple[int, int, Version]]]:
    index: dict[tuple[str, str], list[Version]] = {}
    blocks: list[tuple[int, int, Version]] = []
    for version in versions:
        p = version.permission
        if p.anyone:
            index.setdefault(("anyone", ""), []).append(version)
        for name in ("icao24", "callsign", "registration", "operator"):
            if getattr(p, name) is not None:
                index.setdefault((name, getattr(p, name)), []).append(version)
        if p.addresses is not None:
            blocks.append((int(p.addresses[0], 16), int(p.addresses[1], 16), version))
    return index, blocks
