"""Files named by --permissions, read into observations: moves data, decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from airvigil.airspace.permission_files import MOST_BYTES, observations_of_permissions
from airvigil.errors import ConfigError


@dataclass(frozen=True)
class PermissionFiles:
    """What the files said.

    Attributes:
        observations: with OBSERVATION_SCHEMA; None if no file was named.
        described: name, digest and counts of each file, for the first event of a run.
        rejected: why rows could not be used.
    """

    observations: pa.Table | None = None
    described: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def read_permissions(names: Sequence[str]) -> PermissionFiles:
    """Permissions of all files.

    Raises:
        ConfigError: a file that is not there, too large, or not of its form.
    """
    tables, described, rejected = [], [], []
    for name in names:
        path = Path(name)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ConfigError(
                    f"{name}: expected at most {MOST_BYTES:,} bytes, got {path.stat().st_size:,}"
                )
            raw = path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{name}: {error.strerror}", hint="--permissions takes files; see docs/permissions.md"
            ) from error
        table, bad = observations_of_permissions(raw, path.name)
        tables.append(table)
        rejected += bad
        digest = hashlib.sha256(raw).hexdigest()
        described.append(
            {"name": name, "sha256": digest, "observations": table.num_rows, "rejected": len(bad)}
        )
    return PermissionFiles(pa.concat_tables(tables) if tables else None, described, rejected)
