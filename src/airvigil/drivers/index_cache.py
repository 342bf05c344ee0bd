"""Indices of airspaces between runs: kept as .npy files, opened as shared memory.

Layout: `$XDG_CACHE_HOME/airvigil/airspace/<digest>-<version>/<tuple>.<array>.npy`, one folder per airspace. A folder is written under another
name and then renamed, so nobody sees half of one; the last writer wins. Only the `KEPT` most recently used folders are kept.

Files are mapped copy-on-write: processes share what they read, and what a process builds stays its own until it is saved. What is not
as it should be is not used: one line in the log, and the index is built anew. The numbers inside are trusted, as the
compiled kernels beside them are: who can write to this folder can make a program of this user crash.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.index.edges import Edges, build_edges
from airvigil.airspace.index.index import empty_leaves
from airvigil.airspace.index.leaves import LEAVES, PADDING, RECORDS, RUNS, TABLES, VERTICES, Leaves
from airvigil.airspace.margins import INDEX_VERSION, Airspace, IndexArrays, airspace_digest
from airvigil.airspace.volumes import Volume

KEPT = 8
SMALL_BYTES = 65_536  # smaller files are read: mapping costs more, and nothing cannot be mapped

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where indices are kept for this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airvigil" / "airspace"


def open_airspace(volumes: Sequence[Volume], folder: Path | None = None) -> Airspace:
    """The airspace with what was kept of its index, or without.

    Args:
        folder: other than `cache_folder()`.
    """
    place = (folder or cache_folder()) / f"{airspace_digest(volumes)}-{INDEX_VERSION}"
    try:
        arrays = _read(place)
        os.utime(place)
    except FileNotFoundError:
        return Airspace(volumes)
    except (OSError, ValueError, EOFError) as error:
        _log.warning("%s: %s; building the index anew", place, error)
        return Airspace(volumes)
    return Airspace(volumes, index=arrays)


def save_index(airspace: Airspace, folder: Path | None = None) -> bool:
    """Keep an airspace's index if it has grown since it was opened; whether it was written.

    A folder that cannot be written to is no error: one line in the log.
    """
    if not airspace.has_grown:
        return False
    arrays = airspace.index_arrays()
    above = folder or cache_folder()
    place = above / f"{arrays.digest}-{arrays.version}"
    try:
        above.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=above))
        try:
            for name, array in _named(arrays.edges, arrays.leaves):
                np.save(made / name, array)
            _put(made, place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        _forget_old(above)
    except OSError as error:
        _log.warning("%s: %s; the index is not kept", place, error)
        return False
    return True


def _named(edges: Edges, leaves: Leaves) -> list[tuple[str, NDArray[np.generic]]]:
    parts = [("edges", edges._asdict()), ("leaves", leaves._asdict())]
    return [(f"{part}.{name}.npy", array) for part, fields in parts for name, array in fields.items()]


def _put(made: Path, place: Path) -> None:
    """Rename the folder into place; one that is there goes out of the way first."""
    aside = made.with_name(made.name.replace(".new-", ".old-"))
    if place.exists():
        place.rename(aside)
    try:
        made.rename(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _forget_old(above: Path) -> None:
    kept = sorted(above.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def _read(place: Path) -> IndexArrays:
    """The arrays, mapped.

    Raises:
        OSError: a file is not there or cannot be read.
        ValueError: a file is not an array, or not of the kind, shape or length that it should be.
    """
    if not place.is_dir():
        raise FileNotFoundError(place)
    models = _named(build_edges([]), empty_leaves())
    found = [_mapped(place / name, model) for name, model in models]
    edges = Edges._make(found[: len(Edges._fields)])
    leaves = Leaves._make(found[len(Edges._fields) :])
    _check_lengths(edges, leaves)
    digest, version = place.name.rsplit("-", 1)
    return IndexArrays(digest, int(version), edges, leaves)


def _mapped(path: Path, model: NDArray[np.generic]) -> NDArray[np.generic]:
    is_small = path.stat().st_size <= SMALL_BYTES
    array = np.asarray(np.load(path) if is_small else np.load(path, mmap_mode="c"))
    if array.dtype != model.dtype or array.shape[1:] != model.shape[1:] or not array.flags.c_contiguous:
        raise ValueError(
            f"{path.name}: expected {model.dtype} {model.shape[1:]}, got {array.dtype} {array.shape}"
        )
    return array


def _check_lengths(edges: Edges, leaves: Leaves) -> None:
    used = leaves.used.tolist() if len(leaves.used) == len(empty_leaves().used) else [-1] * 6
    expected = [
        (len(leaves.root), len(empty_leaves().root)),
        (len(leaves.tables), used[TABLES]),
        (len(leaves.record_first), used[LEAVES] + 1),
        (len(leaves.centre), used[LEAVES]),
        (len(leaves.records), used[RECORDS] + 1),
        (len(leaves.runs), used[RUNS] + 1),
        *((len(a), used[VERTICES] + PADDING) for a in (leaves.x, leaves.y, leaves.inverse, leaves.bow)),
        (len(edges.bow_m), len(edges.points_m)),
        *((len(a), len(edges.first)) for a in edges[3:8]),
        (len(edges.crossing_deg), len(edges.crossing_volume)),
    ]
    if any(length != wanted for length, wanted in expected):
        raise ValueError("the arrays' lengths do not fit together")
