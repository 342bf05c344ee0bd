"""Settings: every threshold that decides, in one place, with one digest.

The defaults stand in `settings.toml` beside this file, each with its reason. A user's file may
hold any part of it. Reading files is the drivers' work: this module takes text.

Rules
- An unknown name or a value of the wrong type is a `ConfigError` with the file and the name.
- The digest covers the values in force, not the text: comments do not change a result.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from importlib import resources
from typing import Any, get_args, get_origin, get_type_hints

from airvigil.errors import ConfigError
from airvigil.reports import SENSOR_KINDS


@dataclass(frozen=True)
class Time:
    """How late or early a report may be."""

    allowed_lateness_s: float
    max_leap_s: float
    future_tolerance_s: float


@dataclass(frozen=True)
class Permission:
    """Whose presence needs permission, and what a permission must be to cover it."""

    required_for: tuple[str, ...]
    flight_plan_suffices_for: tuple[str, ...]
    grants_by: tuple[str, ...]
    flight_plan_tolerance_s: float
    tolerance_s: float
    route_half_width_m: float
    exceeded_p: float
    trail_s: float
    remember_s: float
    exempt_addresses: tuple[tuple[str, ...], ...]
    state_addresses: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class AirspaceView:
    """How the user's authority sees areas that two states claim."""

    disputed_as: dict[str, str]


@dataclass(frozen=True)
class Infringement:
    """Thresholds of spells and of the outcome ladder."""

    suspected_p: float
    probable_p: float
    close_p: float
    hysteresis_s: float
    suspected_min_reports: int
    probable_min_reports: int
    path_step_m: float
    gap_s: float


@dataclass(frozen=True)
class HeightRules:
    """How sure heights are, and how far what turns one reference into another can be off."""

    pressure_altitude_sigma_m: float
    decides_beyond_m: float
    decides_beyond_share: float
    contradiction_sigmas: float
    vertical_noise_m2_s3: float
    vertical_rate_sigma_mps: float
    geoid_sigma_m: float
    terrain_sigma_m: float
    qnh_max_age_s: float
    qnh_max_distance_m: float
    qnh_sigma_hpa: float
    qnh_tendency_hpa_per_h: float
    qnh_gradient_hpa_per_km: float
    temperature_sigma_k: float
    temperature_known_sigma_k: float


@dataclass(frozen=True)
class Lookahead:
    """What predicted entry is told, and when it is taken back."""

    lookahead_s: float
    every_s: float
    test_every_s: float
    turn_sigma_deg: float
    raise_p: float
    raise_m: int
    raise_n: int
    clear_p: float
    clear_s: float
    update_s: float


@dataclass(frozen=True)
class Incidents:
    """What belongs to one incident, and what several tracks say together."""

    join_distance_m: float
    join_time_s: float
    linger_s: float
    shared_place_m: float
    shared_place_s: float
    area_cell_deg: float
    area_min_tracks: int
    area_window_s: float


@dataclass(frozen=True)
class Tracks:
    """Motion filter and track life."""

    timeout_s: float
    memory_s: float
    process_noise_m2_s3: float
    interference_min_reports: int
    interference_close_s: float


@dataclass(frozen=True)
class Admission:
    """Physical limits by which a report is believed or not."""

    max_speed_mps: float
    max_along_mps2: float
    max_across_mps2: float
    gate_sigmas: float
    stale_after_s: float
    jump_forget_s: float
    mature_reports: int
    mature_s: float
    speed_window_s: float
    speed_tolerance_mps: float
    speed_tolerance_ratio: float
    slow_height_m: float
    slow_speed_mps: float
    fast_speed_mps: float
    ground_max_speed_mps: float
    ground_max_height_m: float
    radio_horizon_factor: float
    radio_horizon_extra_m: float
    ceiling_m: float
    nac_p_credible: int
    nic_credible: int


@dataclass(frozen=True)
class Sensor:
    """What a sensor of one kind is assumed to do where its reports do not say."""

    sigma_m: float
    bias_m: float
    clock_sigma_s: float
    white_share: float
    velocity_sigma_mps: float


@dataclass(frozen=True)
class Settings:
    """All settings in force."""

    time: Time
    permission: Permission
    airspace: AirspaceView
    infringement: Infringement
    heights: HeightRules
    lookahead: Lookahead
    incidents: Incidents
    tracks: Tracks
    admission: Admission
    sensors: dict[str, Sensor]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the values in force as canonical JSON."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def sensor(self, kind: str) -> Sensor:
        """Assumed quality of a sensor kind; an unknown kind is taken as a state vector."""
        return self.sensors.get(kind, self.sensors["state_vector"])


def default_text() -> str:
    """The text of the default settings file."""
    return resources.files("airvigil").joinpath("settings.toml").read_text(encoding="utf-8")


def load_settings(text: str | None = None, *, name: str = "settings") -> Settings:
    """Settings from the defaults and, over them, a user's TOML text.

    Args:
        text: TOML; None for the defaults.
        name: how error messages call the text, usually the file name.

    Raises:
        ConfigError: not TOML, an unknown name, or a value of the wrong type or range.

    Example:
        >>> load_settings("[infringement]\\nprobable_p = 0.99").infringement.probable_p
        0.99
    """
    tree = tomllib.loads(default_text())
    if text is not None:
        try:
            own = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{name}: not valid TOML: {error}") from error
        _merge(tree, own, name=name, path="")
    settings: Settings = _build(Settings, tree, name=name, path="")
    return _checked(settings, name=name)


# Who a track is by what it sends, and by what a permission may name whom it is for.
IDENTITIES = ("civil", "state", "unidentified")
IDENTIFIERS = ("icao24", "addresses", "callsign", "registration", "operator", "anyone")

# What is divided by, or what is nothing if it is 0.
_POSITIVE = frozenset(
    {
        "path_step_m",
        "gap_s",
        "pressure_altitude_sigma_m",
        "contradiction_sigmas",
        "area_cell_deg",
        "process_noise_m2_s3",
        "speed_window_s",
    }
    | {"sigma_m", "velocity_sigma_mps", "white_share", "max_speed_mps", "every_s", "test_every_s"}
)
_ADDRESS = re.compile(r"[0-9a-fA-F]{6}")

# Tables whose keys are the user's own.
_OPEN_TABLES = ("airspace.disputed_as",)


def _merge(base: dict[str, Any], own: Mapping[str, Any], *, name: str, path: str) -> None:
    for key, value in own.items():
        where = f"{path}{key}"
        if key not in base and path[:-1] not in _OPEN_TABLES:
            raise ConfigError(
                f"{name}: unknown setting {where}", hint="see `airvigil settings` for all names"
            )
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value, name=name, path=f"{where}.")
        else:
            base[key] = value


def _build(kind: Any, value: Any, *, name: str, path: str) -> Any:
    wrong = ConfigError(f"{name}: {path or 'settings'}: expected {_expected(kind)}, got {value!r}")
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise wrong
        hints = get_type_hints(kind)
        dot = f"{path}." if path else ""
        return kind(
            **{
                f.name: _build(hints[f.name], value[f.name], name=name, path=dot + f.name)
                for f in fields(kind)
            }
        )
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise wrong
        return tuple(_build(args[0], item, name=name, path=f"{path}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise wrong
        return {k: _build(args[1], v, name=name, path=f"{path}.{k}") for k, v in value.items()}
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind in (int, str) and type(value) is kind:
        return value
    raise wrong


def _expected(kind: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "text"}
    return names.get(kind, "a list" if get_origin(kind) is tuple else "a table")


def _check_numbers(group: Any, *, name: str, path: str) -> None:
    """No number is negative or not finite, none of _POSITIVE is 0, and no share is above 1."""
    items = group.items() if isinstance(group, dict) else vars(group).items()
    for key, value in items:
        where = f"{path}{key}"
        if is_dataclass(value) or isinstance(value, dict):
            _check_numbers(value, name=name, path=f"{where}.")
        elif isinstance(value, (int, float)):
            least = "above 0" if key in _POSITIVE else "0 or more"
            if not math.isfinite(value) or value < 0.0 or (key in _POSITIVE and value == 0.0):
                raise ConfigError(f"{name}: {where}: expected a number, {least}, got {value}")
            if key == "white_share" and value > 1.0:
                raise ConfigError(f"{name}: {where}: expected a share of at most 1, got {value}")


def _check_permission(rule: Permission, *, name: str) -> None:
    for key, known in (
        ("required_for", IDENTITIES),
        ("flight_plan_suffices_for", IDENTITIES),
        ("grants_by", IDENTIFIERS),
    ):
        for item in getattr(rule, key):
            if item not in known:
                raise ConfigError(
                    f"{name}: permission.{key}: expected one of {', '.join(known)}, got {item!r}"
                )
    if not 0.0 < rule.exceeded_p <= 1.0:
        raise ConfigError(f"{name}: permission.exceeded_p: expected 0 < p <= 1, got {rule.exceeded_p}")
    for key, blocks in (
        ("state_addresses", rule.state_addresses),
        ("exempt_addresses", rule.exempt_addresses),
    ):
        for block in blocks:
            if len(block) != 2 or any(not _ADDRESS.fullmatch(end) for end in block):
                raise ConfigError(
                    f"{name}: permission.{key}: expected [first, last] in six hex digits, got {block}"
                )


MOST_TESTS = 256  # tested moments on a predicted course
MOST_EVALUATIONS = 60  # that an alert remembers


def _check_lookahead(rule: Lookahead, *, name: str) -> None:
    if not 0.0 < rule.clear_p <= rule.raise_p <= 1.0:
        raise ConfigError(
            f"{name}: lookahead: expected 0 < clear_p <= raise_p <= 1, got {rule.clear_p}, {rule.raise_p}"
        )
    if not 1 <= rule.raise_m <= rule.raise_n <= MOST_EVALUATIONS:
        raise ConfigError(
            f"{name}: lookahead: expected 1 <= raise_m <= raise_n <= {MOST_EVALUATIONS}, "
            f"got {rule.raise_m}, {rule.raise_n}"
        )
    if rule.lookahead_s > MOST_TESTS * rule.test_every_s:
        raise ConfigError(
            f"{name}: lookahead.test_every_s: expected at least lookahead_s / {MOST_TESTS}, got {rule.test_every_s}"
        )


def _checked(settings: Settings, *, name: str) -> Settings:
    _check_numbers(settings, name=name, path="")
    _check_permission(settings.permission, name=name)
    rule = settings.infringement
    if not 0.0 < rule.close_p <= rule.suspected_p <= rule.probable_p <= 1.0:
        raise ConfigError(
            f"{name}: infringement: expected 0 < close_p <= suspected_p <= probable_p <= 1, "
            f"got {rule.close_p}, {rule.suspected_p}, {rule.probable_p}"
        )
    _check_lookahead(settings.lookahead, name=name)
    longest = max(settings.tracks.timeout_s, settings.admission.jump_forget_s)
    if settings.tracks.memory_s < longest:
        raise ConfigError(
            f"{name}: tracks.memory_s: expected at least timeout_s and jump_forget_s, {longest}, "
            f"got {settings.tracks.memory_s}"
        )
    for kind in settings.sensors:
        if kind not in SENSOR_KINDS:
            raise ConfigError(f"{name}: sensors.{kind}: expected one of {', '.join(SENSOR_KINDS)}")
    return settings
