"""The settings that a command runs by: the defaults, or a user's file over them."""

from __future__ import annotations

from pathlib import Path

from airvigil.errors import ConfigError
from airvigil.settings import Settings, load_settings


def read_settings(path: str | None) -> Settings:
    """Default settings, or a user's file over them."""
    if path is None:
        return load_settings()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return load_settings(text, name=path)
