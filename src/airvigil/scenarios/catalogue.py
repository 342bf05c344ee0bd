"""The scenarios by name."""

from __future__ import annotations

from airvigil.errors import ConfigError
from airvigil.scenarios import synthetic
from airvigil.scenarios.casebook import vaindloo_2025
from airvigil.scenarios.generator import Scenario

_SCENARIOS = (
    vaindloo_2025.SCENARIO,
    synthetic.SPOOFED_AIRLINER,
    synthetic.JAMMED_GULF,
    synthetic.BORDER_GRAZE,
)


def list_scenarios() -> tuple[Scenario, ...]:
    """All scenarios: published cases first, then synthetic ones."""
    return _SCENARIOS


def get(name: str) -> Scenario:
    """The scenario of a name.

    Raises:
        ConfigError: there is none; the hint lists those there are.

    Example:
        >>> get("vaindloo-2025").label
        'reconstruction'
    """
    for scenario in _SCENARIOS:
        if scenario.name == name:
            return scenario
    raise ConfigError(
        f"no scenario named {name!r}", hint="one of: " + ", ".join(scenario.name for scenario in _SCENARIOS)
    )
