"""What the user means by --airspace: states by code, and files, in any mix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.loaded import with_unique_ids
from airvigil.airspace.volumes import Volume
from airvigil.drivers.index_cache import open_airspace
from airvigil.errors import AirspaceError
from airvigil.settings import Settings

if TYPE_CHECKING:
    from airvigil.drivers.airspace_files import LoadedFile

Told = Callable[["LoadedFile"], None]


def choose_volumes(
    choice: str,
    settings: Settings,
    *,
    at_ns: int | None = None,
    kind: str | None = None,
    edge_kind: str | None = None,
    told: Told | None = None,
) -> list[Volume]:
    """Volumes of a comma list such as "EST,FIN" or "EST,my-area.geojson,france.txt.gz", each with an id of its own.

    Args:
        at_ns: the instant (ns UTC) as of which sources with versions in time are read.
        kind, edge_kind: of the files' volumes, over what they say.
        told: gets each file and what loading it gave.

    Raises:
        AirspaceError: no such state or file, or a file that cannot be read.
    """
    items = [part.strip() for part in choice.split(",") if part.strip()]
    codes = [item.upper() for item in items if not is_file_name(item)]
    names = [item for item in items if is_file_name(item)]
    volumes: list[Volume] = []
    if names:
        from airvigil.drivers.airspace_files import load_airspace_files  # heavy: readers of polygons

        for file in load_airspace_files(names, at_ns=at_ns, kind=kind, edge_kind=edge_kind):
            if told is not None:
                told(file)
            volumes += file.loaded.volumes
    volumes = [*load_volumes(codes, settings.airspace.disputed_as), *volumes]
    if not volumes:
        raise AirspaceError(
            f"no airspace in {choice!r}",
            hint="name states such as EST,FIN or an airspace file; see `airvigil airspace list`",
        )
    return list(with_unique_ids(volumes)[0])


def choose_airspace(
    choice: str, settings: Settings, *, at_ns: int | None = None, told: Told | None = None
) -> Airspace:
    """The volumes of `choose_volumes`, ready for margins."""
    return open_airspace(choose_volumes(choice, settings, at_ns=at_ns, told=told))


def is_file_name(item: str) -> bool:
    """Whether a word of the list means a file and not a state.

    Example:
        >>> is_file_name("EST"), is_file_name("est.geojson"), is_file_name("./EST")
        (False, True, True)
    """
    return bool(Path(item).suffix) or "/" in item
