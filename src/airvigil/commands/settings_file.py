"""The settings that a command runs by: the defaults, or a user's file over them; `airvigil settings`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from airvigil.errors import ConfigError
from airvigil.settings import Settings, default_text, load_settings


def read_settings(path: str | None) -> Settings:
    """Default settings, or a user's file over them."""
    if path is None:
        return load_settings()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return load_settings(text, name=path)


def settings(options: argparse.Namespace) -> int:
    """`airvigil settings`"""
    sys.stdout.write(default_text())
    return 0
