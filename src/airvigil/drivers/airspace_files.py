"""Airspace files from disk: bounded, decompressed, unpacked.

gzip, xz and zstd are told by their first bytes; a zip (KMZ is one) must hold one file that can be airspace. What a file expands to is bounded by
MAX_FILE_BYTES whatever it says of itself.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from airvigil.airspace.sources.load import detect, load_aixm_together, load_file
from airvigil.airspace.sources.loaded import Loaded
from airvigil.drivers.compression import MAGIC_BYTES, compression_of, decompressed
from airvigil.errors import AirspaceError, DecodeError

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_ZIP_MEMBERS = 10_000
PIECE_BYTES = 1 << 20


def read_airspace_file(path: Path) -> bytes:
    """A user's airspace file, decompressed.

    Raises:
        AirspaceError: not there, not readable, damaged, or too large.
    """
    try:
        if not path.is_file():
            raise AirspaceError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise AirspaceError(
                f"{path}: expected at most {MAX_FILE_BYTES:,} bytes, got {path.stat().st_size:,}"
            )
        return unpacked(path.read_bytes(), str(path))
    except OSError as error:
        raise AirspaceError(f"{path}: {error.strerror}") from error


def unpacked(raw: bytes, name: str) -> bytes:
    """The content, decompressed if it is compressed, taken out of its archive if it is one.

    Raises:
        AirspaceError: damaged, a bomb, or an archive of which it is not clear what to read.
    """
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _from_zip(raw, name)
    if compression_of(raw[:MAGIC_BYTES]) is None:
        return raw
    source = io.BytesIO(raw)
    head = source.read(MAGIC_BYTES)
    content = bytearray()
    try:
        for piece in decompressed(source.read, head, input_bytes=source.tell):
            content += piece
            if len(content) > MAX_FILE_BYTES:
                raise _too_large(name)
    except DecodeError as error:
        raise AirspaceError(f"{name}: {error}", hint=error.hint) from error
    return bytes(content)


def _from_zip(raw: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > MAX_ZIP_MEMBERS:
                raise AirspaceError(f"{name}: an archive of {len(members):,} files")
            chosen = _chosen(members, name)
            content = bytearray()
            with archive.open(chosen) as member:
                while piece := member.read(PIECE_BYTES):
                    content += piece
                    if len(content) > MAX_FILE_BYTES:
                        raise _too_large(name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise AirspaceError(f"{name}: the archive is damaged or locked: {error}") from error
    return bytes(content)


def _chosen(members: list[zipfile.ZipInfo], name: str) -> zipfile.ZipInfo:
    """A KMZ's document, which is its first .kml, or the only file that there is."""
    documents = [info for info in members if info.filename.lower().endswith(".kml")]
    if documents:
        return documents[0]
    if len(members) != 1:
        raise AirspaceError(
            f"{name}: an archive of {len(members)} files, none of them .kml", hint="unpack it and name one"
        )
    return members[0]


def _too_large(name: str) -> AirspaceError:
    return AirspaceError(f"{name}: expands to more than {MAX_FILE_BYTES:,} bytes")


@dataclass(frozen=True)
class LoadedFile:
    """A file, or several AIXM files that are read as one, and what loading gave.

    Attributes:
        name: of the file; names with commas between them.
        sha256: of the decompressed content, hex; one for each file, with commas between them.
    """

    name: str
    sha256: str
    loaded: Loaded


def load_airspace_files(
    names: Sequence[str],
    *,
    at_ns: int | None = None,
    kind: str | None = None,
    edge_kind: str | None = None,
) -> list[LoadedFile]:
    """What files hold, in their order; AIXM files together, at the place of the first of them.

    Raises:
        AirspaceError: a file in which nothing can be read.
    """
    files: list[LoadedFile | None] = []
    together: list[tuple[bytes, str]] = []
    for name in names:
        raw = read_airspace_file(Path(name))
        if detect(raw, name) == "aixm":
            if not together:
                files.append(None)
            together.append((raw, name))
            continue
        loaded = load_file(raw, name, at_ns=at_ns, kind=kind, edge_kind=edge_kind)
        files.append(LoadedFile(name, hashlib.sha256(raw).hexdigest(), loaded))
    if together:
        loaded = load_aixm_together(together, at_ns, kind=kind)
        digests = ",".join(hashlib.sha256(raw).hexdigest() for raw, _ in together)
        files[files.index(None)] = LoadedFile(",".join(name for _, name in together), digests, loaded)
    return [file for file in files if file is not None]
