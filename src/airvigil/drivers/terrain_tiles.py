"""A folder of terrain tiles, `--terrain`: reads a tile when a place in it is asked for, and remembers which it gave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from airvigil.airspace.heights.terrain import Terrain
from airvigil.errors import ConfigError


@dataclass
class TerrainTiles:
    """Tiles named after their south-west corner, such as N59E026.hgt.

    Attributes:
        folder: where they are.
        digests: SHA-256 of each tile that was given out, by name: a run's last event lists them.
    """

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)

    def terrain(self) -> Terrain:
        """For the engine.

        Raises:
            ConfigError: there is no such folder.
        """
        if not self.folder.is_dir():
            raise ConfigError(
                f"{self.folder}: no such folder", hint="--terrain takes a folder of SRTM .hgt tiles"
            )
        return Terrain(self._tile)

    def _tile(self, name: str) -> bytes | None:
        path = self.folder / f"{name}.hgt"
        if not path.is_file():
            return None
        raw = path.read_bytes()
        self.digests[name] = hashlib.sha256(raw).hexdigest()
        return raw
