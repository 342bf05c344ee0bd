"""Write docs/picture.svg, the picture in the README: the program's own card of a reconstructed case.

Run after a change of what the pictures show:

    python docs/make_picture.py

The scenario goes through the engine as any recording would; nothing is drawn by hand. The word
RECONSTRUCTION stands on it, as on every picture of generated tracks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa

from airvigil.airspace.margins import Airspace
from airvigil.airspace.sources.boundaries import load_volumes
from airvigil.airspace.sources.coastline import coastline
from airvigil.drivers.replay import run
from airvigil.exports.incident_card import incident_card_svg
from airvigil.exports.report import map_bounds
from airvigil.scenarios import catalogue
from airvigil.scenarios.generator import generate
from airvigil.settings import load_settings

CASE = "vaindloo-2025"
MOST_BYTES = 150_000
PICTURE = Path(__file__).with_name("picture.svg")


class Tables:
    """A sink that keeps the tables of a run in memory."""

    def __init__(self) -> None:
        self.points: list[pa.Table] = []
        self.margins: list[pa.Table] = []

    def events(self, events: list[dict[str, object]]) -> None:
        """The run's result has them already."""

    def tables(self, points: pa.Table, margins: pa.Table) -> None:
        """Keep both."""
        self.points.append(points)
        self.margins.append(margins)


def picture() -> str:
    """The card of the case as an SVG document."""
    scenario, settings = catalogue.get(CASE), load_settings()
    airspace = Airspace(load_volumes(scenario.airspace, settings.airspace.disputed_as))
    kept = Tables()
    title = f"{scenario.title} ({scenario.label})"
    result = run(
        iter([generate(scenario)]), airspace, settings, sink=kept, title=title, is_reconstruction=True
    )
    points, margins = pa.concat_tables(kept.points), pa.concat_tables(kept.margins)
    bounds = map_bounds(result.events, points)
    shore = [] if bounds is None else coastline(*bounds)
    card = incident_card_svg(result.events, points, margins, volumes=airspace.volumes, coastline=shore)
    if card is None:
        raise SystemExit(f"error: the engine found no incident in {CASE}")
    return card


if __name__ == "__main__":
    text = picture()
    size = len(text.encode())
    if size > MOST_BYTES or "RECONSTRUCTION" not in text:
        sys.exit(f"error: {size:,} bytes, or the word RECONSTRUCTION is missing")
    PICTURE.write_text(text + "\n", encoding="utf-8")
    print(f"{PICTURE.name}: {size:,} bytes")
