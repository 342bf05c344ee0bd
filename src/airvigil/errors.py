"""The exception tree, by whose fault it is.

Facts are attributes and the message is made from them: lower case, no full stop.
From arbitrary bytes a feed raises `DecodeError` or nothing else. A bad *row* never
raises: it gets a `reject_reason` and is counted.
"""

from __future__ import annotations


class AirvigilError(Exception):
    """Anything that Airvigil raises on purpose.

    `hint` says what to do about it; the command line prints it on its own line.
    """

    hint: str | None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class DecodeError(AirvigilError):
    """The sender's fault: a stream that cannot be read as what it claims to be."""


class SchemaError(AirvigilError):
    """Ours: a table that does not have the columns or types promised."""


class ShapeError(AirvigilError):
    """Ours: arrays whose shapes do not fit together."""


class AirspaceError(AirvigilError):
    """Reference data: a boundary or airspace file, with file, place and the value found."""


class ConfigError(AirvigilError):
    """Reference data: settings or command-line values, with file, place and the value found."""
