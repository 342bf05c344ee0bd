"""State vectors: which column means what, in which unit, and the refusal when that is not clear.

Two dialects share many names and differ in units:

| role | opensky | unit | traffic | unit |
|---|---|---|---|---|
| ground speed | velocity | m/s | groundspeed | kt |
| pressure altitude | baro_altitude, baroaltitude | m | altitude | ft |
| geometric height | geo_altitude, geoaltitude | m | geoaltitude | ft |
| vertical rate | vertical_rate, vertrate | m/s | vertical_rate | ft/min |
| direction | true_track, heading, track | deg | track | deg |
| position's time | time_position, lastposupdate | | last_position | |

Rules
- A name that only one dialect has decides. Names of both together, or only names that both have,
  are refused: guessing would turn 1,000 m into 1,000 ft without anyone noticing.
- What the names say is then held against the values: a median that no traffic reaches in that unit
  (VALUE_LIMITS) is refused too.
- Saying the dialect (`state-vectors:opensky`, `state-vectors:traffic`) overrides both.

Sources: OpenSky REST API, table of state vector fields; OpenSky historical database, table
state_vectors_data4; traffic, column names of `Flight`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from airvigil.errors import ConfigError, DecodeError
from airvigil.feeds.field_values import read_numbers
from airvigil.units import M_PER_FT, MPS_PER_FT_MIN, MPS_PER_KT

DIALECTS = ("opensky", "traffic")
DIALECT_HINT = "say which it is: --format state-vectors:opensky (metres, m/s) or --format state-vectors:traffic (feet, knots, ft/min)"

# Order of an element of "states" in OpenSky's REST answers; later columns are not read.
REST_COLUMNS = (
    "icao24", "callsign", "origin_country", "time_position", "last_contact", "longitude", "latitude",
    "baro_altitude", "on_ground", "velocity", "true_track", "vertical_rate", "sensors", "geo_altitude",
    "squawk", "spi", "position_source", "category",
)  # fmt: skip

ROLES: dict[str, tuple[str, ...]] = {
    "time": ("timestamp", "time"),
    "contact_time": ("last_contact", "lastcontact"),
    "snapshot_time": ("snapshot_time",),  # ours: the "time" beside OpenSky's "states"
    "position_time": ("last_position", "time_position", "lastposupdate"),
    "address": ("icao24",),
    "callsign": ("callsign",),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
    "opensky_speed": ("velocity",),
    "traffic_speed": ("groundspeed",),
    "shared_speed": ("ground_speed",),
    "opensky_altitude": ("baro_altitude", "baroaltitude"),
    "traffic_altitude": ("altitude",),
    "opensky_height": ("geo_altitude",),
    "shared_height": ("geoaltitude",),
    "opensky_rate": ("vertrate",),
    "shared_rate": ("vertical_rate", "vertical_speed", "roc"),
    "opensky_direction": ("true_track",),
    "direction": ("track",),
    "heading": ("heading",),
    "on_ground": ("on_ground", "onground"),
    "squawk": ("squawk",),
    "position_source": ("position_source",),
    "category": ("category",),
}
KNOWN_NAMES = frozenset(name for names in ROLES.values() for name in names)

_MEASURED: dict[str, dict[str, tuple[tuple[str, ...], float]]] = {
    # report column -> dialect -> roles in order, factor to SI
    "pressure_altitude_m": {"opensky": (("opensky_altitude",), 1.0), "traffic": (("traffic_altitude",), M_PER_FT)},
    "geometric_height_m": {"opensky": (("opensky_height", "shared_height"), 1.0), "traffic": (("shared_height",), M_PER_FT)},
    "ground_speed_mps": {"opensky": (("opensky_speed", "shared_speed"), 1.0), "traffic": (("traffic_speed", "shared_speed"), MPS_PER_KT)},
    "vertical_rate_mps": {"opensky": (("opensky_rate", "shared_rate"), 1.0), "traffic": (("shared_rate",), MPS_PER_FT_MIN)},
    "track_angle_deg": {"opensky": (("opensky_direction", "direction", "heading"), 1.0), "traffic": (("direction",), 1.0)},
}  # fmt: skip

# Medians of magnitudes above which a column cannot be in the dialect's unit: half of the traffic in
# a file does not fly above 20 km (66,000 ft) or faster than Mach 1.2, nor climb at 60 m/s (11,800
# ft/min); while 37,000 ft, 450 kt and 1,200 ft/min, read as metres and m/s, all do.
VALUE_LIMITS = {
    "opensky": {"pressure_altitude_m": 20_000.0, "geometric_height_m": 20_000.0, "ground_speed_mps": 360.0, "vertical_rate_mps": 60.0},
    "traffic": {"pressure_altitude_m": 70_000.0, "geometric_height_m": 70_000.0, "ground_speed_mps": 1_500.0, "vertical_rate_mps": 12_000.0},
}  # fmt: skip
SAMPLE_ROWS = 256  # rows that are looked at before the units are settled
_LEAST_VALUES = 8  # fewer known values say nothing about a unit


class ColumnRoles:
    """Which of a table's columns plays which role.

    Raises:
        DecodeError: two columns for one role, or none for the time, the address or the position.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.columns: dict[str, str] = {}
        for role, synonyms in ROLES.items():
            found = [name for name in synonyms if name in names]
            if len(found) > 1:
                raise DecodeError(
                    f"columns {' and '.join(found)} both give the {role.replace('_', ' ')}",
                    hint="remove or rename one of them",
                )
            if found:
                self.columns[role] = found[0]
        has_time = "time" in self.columns or "contact_time" in self.columns
        missing = [role for role in ("address", "latitude", "longitude") if role not in self.columns]
        missing += [] if has_time else ["time"]
        if missing:
            wanted = "; ".join(f"{role}: {' or '.join(ROLES[role])}" for role in missing)
            raise DecodeError(f"state vectors lack columns ({wanted}), found {_listed(sorted(names))}")

    def dialect(self) -> str:
        """The dialect that the names decide.

        Raises:
            DecodeError: the names do not decide; the hint says how to state it.
        """
        found = {
            dialect: [self.columns[role] for role in self.columns if role.startswith(f"{dialect}_")]
            for dialect in DIALECTS
        }
        if found["opensky"] and found["traffic"]:
            raise DecodeError(
                f"units are not clear: {_listed(found['opensky'])} belongs to OpenSky's column names (SI), "
                f"{_listed(found['traffic'])} to traffic's (feet, knots)",
                hint=DIALECT_HINT,
            )
        for dialect in DIALECTS:
            if found[dialect]:
                return dialect
        shared = [name for role, name in self.columns.items() if role.startswith("shared_")]
        if shared:
            raise DecodeError(
                f"units are not clear: {_listed(shared)} may be SI or feet and knots, "
                "and no other column tells which",
                hint=DIALECT_HINT,
            )
        return "opensky"  # nothing in the table has a unit that differs

    def measured(self, dialect: str) -> dict[str, tuple[str, float]]:
        """Report column -> (column of the table, factor to SI), for those that the table has."""
        chosen: dict[str, tuple[str, float]] = {}
        for report_column, by_dialect in _MEASURED.items():
            roles, factor = by_dialect[dialect]
            names = [self.columns[role] for role in roles if role in self.columns]
            # A stated dialect also says what the other dialect's name means.
            other = by_dialect["traffic" if dialect == "opensky" else "opensky"][0]
            names += [self.columns[role] for role in other if role in self.columns]
            if report_column == "track_angle_deg" and dialect == "traffic":
                names = [name for name in names if name != "heading"]  # traffic's is magnetic heading
            if names:
                chosen[report_column] = (names[0], factor)
        return chosen


def settle_dialect(roles: ColumnRoles, stated: str | None, sample: Mapping[str, Sequence[Any]]) -> str:
    """The dialect of a table, from what the user stated, else from names held against values.

    Args:
        roles: the table's columns.
        stated: "opensky", "traffic", or None.
        sample: column -> some values.

    Raises:
        ConfigError: `stated` is no dialect.
        DecodeError: not clear; the hint says how to state it.
    """
    if stated is not None:
        if stated not in DIALECTS:
            raise ConfigError(f"no such dialect of state vectors: {stated}", hint=DIALECT_HINT)
        return stated
    dialect = roles.dialect()
    for report_column, (name, _) in roles.measured(dialect).items():
        limit = VALUE_LIMITS[dialect].get(report_column)
        numbers, _ = read_numbers(sample.get(name, ()))
        known = np.abs(numbers[~np.isnan(numbers)])
        known = known[known > 0.0]
        if limit is not None and len(known) >= _LEAST_VALUES and float(np.median(known)) > limit:
            raise DecodeError(
                f"units are not clear: column {name} would be {dialect}'s, "
                f"but its median {float(np.median(known)):g} is above {limit:g}",
                hint=DIALECT_HINT,
            )
    return dialect


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown + (", ..." if len(names) > 12 else "")
