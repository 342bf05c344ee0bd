"""What the user means by --airspace: states by code, and files, in any mix."""

from __future__ import annotations

from pathlib import Path

from airvigil.airspace.boundaries import load_volumes
from airvigil.airspace.geojson import load_geojson
from airvigil.airspace.margins import Airspace
from airvigil.airspace.volumes import Volume
from airvigil.errors import AirspaceError
from airvigil.settings import Settings

MAX_FILE_BYTES = 256 * 1024 * 1024


def read_airspace_file(path: Path) -> bytes:
    """A user's airspace file, bounded.

    Raises:
        AirspaceError: not there, not readable, or too large.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise AirspaceError(
                f"{path}: expected at most {MAX_FILE_BYTES:,} bytes, got {path.stat().st_size:,}"
            )
        return path.read_bytes()
    except OSError as error:
        raise AirspaceError(f"{path}: {error.strerror}") from error


def choose_airspace(choice: str, settings: Settings) -> Airspace:
    """Volumes of a comma list such as "EST,FIN" or "EST,my-area.geojson".

    Raises:
        AirspaceError: no such state or file, or a file that cannot be read.
    """
    codes: list[str] = []
    volumes: list[Volume] = []
    for item in filter(None, (part.strip() for part in choice.split(","))):
        if Path(item).suffix or "/" in item:
            volumes += load_geojson(read_airspace_file(Path(item)), item)
        else:
            codes.append(item.upper())
    volumes = [*load_volumes(codes, settings.airspace.disputed_as), *volumes]
    if not volumes:
        raise AirspaceError(
            f"no airspace in {choice!r}",
            hint="name states such as EST,FIN or a GeoJSON file; see `airvigil airspace list`",
        )
    return Airspace(volumes)
