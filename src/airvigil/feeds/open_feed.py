"""The feed for a format's name.

The names are those of `detect.FORMATS`; `state-vectors` and `parquet` may carry a dialect after a
colon (`state-vectors:traffic`), and `reports` stands for `parquet` when only reports will do.

The decoder of a format is imported when a source has that format: the one of Mode S makes tables first.
"""

from __future__ import annotations

from dataclasses import replace

from airvigil.errors import ConfigError
from airvigil.feeds.detect import FORMATS, HEAD_BYTES, detect_format, detect_state_vector_container
from airvigil.feeds.feed import Feed, FeedOptions
from airvigil.feeds.json_documents import MAX_DOCUMENT_BYTES
from airvigil.feeds.reports_parquet import ParquetFeed
from airvigil.feeds.state_vector_columns import DIALECTS
from airvigil.feeds.state_vectors import state_vector_feed

STATED_FORMATS = (*FORMATS, "reports")


def split_format(stated: str) -> tuple[str, str | None]:
    """Format name and dialect of what a user stated.

    Raises:
        ConfigError: no such format or dialect.

    Example:
        >>> split_format("state-vectors:traffic"), split_format("beast")
        (('state-vectors', 'traffic'), ('beast', None))
    """
    name, colon, dialect = stated.strip().lower().partition(":")
    if name not in STATED_FORMATS:
        raise ConfigError(f"no such format: {name}", hint=f"formats: {', '.join(STATED_FORMATS)}")
    if colon and (name not in ("state-vectors", "parquet") or dialect not in DIALECTS):
        raise ConfigError(
            f"no such format: {stated}",
            hint=f"dialects: {', '.join(f'state-vectors:{known}' for known in DIALECTS)}",
        )
    return name, dialect or None


def open_feed(
    format_name: str | None,
    options: FeedOptions,
    *,
    head: bytes = b"",
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
) -> Feed:
    """A feed ready for the first byte of a source.

    Args:
        format_name: one of STATED_FORMATS, with or without a dialect; None: by `head`.
        options: what the feed cannot read from its bytes.
        head: the first bytes of the source (HEAD_BYTES are enough); they are only looked at, and
            must still be given to the feed. Needed for None and for `state-vectors`.
        max_document_bytes: bound on what must be held whole: a JSON document, a Parquet file.

    Raises:
        ConfigError: no such format.
        DecodeError: the content is in no format that is known.

    Example:
        >>> feed = open_feed("sbs", FeedOptions(sensor="roof"))
        >>> feed.decode(b"", 0).num_rows
        0
    """
    name, dialect = split_format(format_name if format_name is not None else detect_format(head))
    if dialect is not None:
        options = replace(options, dialect=dialect)
    match name:
        case "beast":
            from airvigil.feeds.beast import BeastFeed

            return BeastFeed(options)
        case "raw":
            from airvigil.feeds.raw_mode_s import RawModeSFeed

            return RawModeSFeed(options)
        case "sbs":
            from airvigil.feeds.sbs import SbsFeed

            return SbsFeed(options)
        case "aircraft-json":
            from airvigil.feeds.readsb import AircraftJsonFeed

            return AircraftJsonFeed(options, max_document_bytes=max_document_bytes)
        case "trace":
            from airvigil.feeds.readsb_trace import TraceFeed

            return TraceFeed(options, max_document_bytes=max_document_bytes)
        case "state-vectors":
            if head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
                return ParquetFeed(options, wanted=name, max_document_bytes=max_document_bytes)
            container = detect_state_vector_container(head)
            return state_vector_feed(container, options, max_document_bytes=max_document_bytes)
        case _:
            wanted = "reports" if name == "reports" else None
            return ParquetFeed(options, wanted=wanted, max_document_bytes=max_document_bytes)


__all__ = ["HEAD_BYTES", "STATED_FORMATS", "open_feed", "split_format"]
