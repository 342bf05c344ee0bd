"""What a file is, told by its first bytes before it is read as an input."""

from __future__ import annotations

from pathlib import Path

from airvigil.drivers.sources import StreamSource
from airvigil.errors import AirvigilError
from airvigil.feeds.detect import detect_format
from airvigil.feeds.open_feed import HEAD_BYTES


def peek_head(path: str) -> bytes:
    """The first bytes of a file's content; those that could be read if it is damaged."""
    source = StreamSource(Path(path))
    head = b""
    try:
        for chunk, _ in next(source.documents()).chunks:
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
    except AirvigilError:
        return head
    finally:
        source.close()
    return head


def peek_format(path: str) -> str | None:
    """Format of a file by its first bytes; None if that cannot be told."""
    try:
        return detect_format(peek_head(path))
    except AirvigilError:
        return None


def has_counter_only(path: str, stated_format: str | None) -> bool:
    """Whether a recording's times count from an unknown origin: Beast, and raw Mode S with counters (@...;)."""
    name = stated_format or peek_format(path)
    return name == "beast" or (name == "raw" and peek_head(path).lstrip()[:1] in (b"@", b"%", b"<"))
