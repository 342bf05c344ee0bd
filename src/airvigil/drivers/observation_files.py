"""Files of what people and stations observed, read before the first report: `--permissions` and `--qnh`.

Moves data, decides nothing. Each observation counts from when its file says that it was received.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from airvigil.errors import ConfigError


@dataclass(frozen=True)
class ObservationFiles:
    """What the files said.

    Attributes:
        observations: with OBSERVATION_SCHEMA; None if no file was named.
        permissions, qnh: name, digest and counts of each file, for the first event of a run.
        rejected: why rows could not be used.
    """

    observations: pa.Table | None = None
    permissions: list[dict[str, Any]] = field(default_factory=list)
    qnh: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


NO_OBSERVATIONS = ObservationFiles()


def read_observations(permissions: Sequence[str], qnh: Sequence[str] = ()) -> ObservationFiles:
    """Observations of all files.

    Raises:
        ConfigError: a file that is not there, too large, or not of its form.
        DecodeError: a file of QNH that is not of its form.
    """
    if not permissions and not qnh:
        return NO_OBSERVATIONS
    from airvigil.airspace.heights.qnh_files import observations_of_qnh
    from airvigil.airspace.permissions.permission_files import (
        observations_of_permissions,  # heavy: flight plan messages
    )

    read = ObservationFiles()
    tables = []
    for name in permissions:
        raw = _bytes_of(name, "--permissions takes files; see docs/permissions.md")
        table, bad = observations_of_permissions(raw, Path(name).name)
        tables.append(table)
        read.rejected.extend(bad)
        read.permissions.append(_described(name, raw, table, len(bad)))
    for name in qnh:
        raw = _bytes_of(name, "--qnh takes files of METAR or QNH; see docs/data-sources.md")
        table = observations_of_qnh(raw, Path(name).name)
        tables.append(table)
        read.qnh.append(_described(name, raw, table, 0))
    return ObservationFiles(pa.concat_tables(tables), read.permissions, read.qnh, read.rejected)


def _bytes_of(name: str, hint: str) -> bytes:
    from airvigil.airspace.permissions.permission_files import MOST_BYTES

    path = Path(name)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{name}: expected at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,}")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}", hint=hint) from error


def _described(name: str, raw: bytes, table: pa.Table, rejected: int) -> dict[str, Any]:
    digest = hashlib.sha256(raw).hexdigest()
    return {"name": name, "sha256": digest, "observations": table.num_rows, "rejected": rejected}
