"""One incident as a standalone SVG picture: the finding, the map, the margin over time.

It brings its own colours and paper, light or dark as the reader's machine is set, so it can stand in
a README. A reconstruction says so in the heading, on the map and on the chart.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from importlib.resources import files

import pyarrow as pa

from airvigil.exports.charts import figure_source, margin_chart_svg
from airvigil.exports.finding import incident_sentences
from airvigil.exports.map_svg import Ground, incident_map_svg
from airvigil.exports.report import BOUNDARY_SOURCE
from airvigil.exports.report_sections import around_s
from airvigil.exports.run_view import Event, FloatArray, VolumeShape, read_run
from airvigil.exports.svg import element, text
from airvigil.exports.track_pieces import member_tracks
from airvigil.exports.wording import clock, date_of, ns_from_iso

_WIDTH, _EDGE = 800.0, 24.0  # units are pixels where a README shows it
_MAP_WIDTH = 684.0
_LETTERS = 92  # a line of text


def incident_card_svg(
    events: Iterable[Event],
    points: pa.Table,
    margins: pa.Table,
    *,
    volumes: Sequence[VolumeShape] = (),
    coastline: Sequence[FloatArray] = (),
    map_source: str = BOUNDARY_SOURCE,
) -> str | None:
    """The most serious incident of a run as one SVG document; None if the run has none.

    Args: as `airvigil.exports.report.report_html`.
    """
    run = read_run(events, points, margins)
    if not run.incidents:
        return None
    incident = run.incidents[0]
    members, around = member_tracks(run, incident), around_s(incident)
    ground = Ground(list(coastline), list(volumes), map_source)
    drawings = (
        incident_map_svg(
            incident,
            members,
            ground,
            key="card",
            around_s=around,
            sources=[figure_source(run, members)],
            width=_MAP_WIDTH,
        ),
        margin_chart_svg(run, incident, members, key="cardm", around_s=around),
    )
    entry = ns_from_iso((incident.get("entry") or {}).get("time"))
    made = "RECONSTRUCTION · " if incident.get("reconstruction") else ""
    heading = f"{made}{incident.get('volume_name')}, {date_of(entry)}, {clock(entry, seconds=False)} UTC"
    sentences = " ".join(incident_sentences(run, incident))
    parts, y = _laid_out(heading, sentences, [drawn for drawn in drawings if drawn is not None])
    paper = element("rect", width=_WIDTH, height=y + 10.0, class_="card-paper")
    return element(
        "svg",
        f"<style>{_style()}</style>",
        paper,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:.0f} {y + 10.0:.0f}",
        width=_WIDTH,
        height=y + 10.0,
        class_="figure",
        role="img",
        aria_label=f"{made}incident {incident.get('incident_id')}",
    )


def _laid_out(heading: str, sentences: str, drawings: Sequence[str]) -> tuple[list[str], float]:
    """Heading, sentences and drawings one below the other, and where they end."""
    parts = [text(_EDGE, 42.0, heading, class_="card-heading")]
    y = 72.0
    for line in textwrap.wrap(sentences, _LETTERS):
        parts.append(text(_EDGE, y, line, class_="card-text"))
        y += 22.0
    for drawn in drawings:
        height = _height(drawn)
        place = f'<svg x="{_EDGE:.0f}" y="{y:.0f}" width="{_WIDTH - 2 * _EDGE:.0f}" height="{height:.0f}" '
        parts.append(drawn.replace("<svg ", place, 1))
        y += height + 14.0
    return parts, y


def _height(drawn: str) -> float:
    """Height of a drawing at the card's inner width."""
    box = re.search(r'viewBox="([^"]+)"', drawn)
    _, _, width, height = (float(v) for v in box.group(1).split()) if box else (0.0, 0.0, 1.0, 0.0)
    return (_WIDTH - 2 * _EDGE) * height / width


def _style() -> str:
    light, dark = (
        files("airvigil.exports").joinpath(name).read_text("utf-8")
        for name in ("figures.css", "figures-dark.css")
    )
    own = (
        ".card-paper { fill: var(--paper); } .card-heading { font-size: 22px; font-weight: 600; } .card-text { font-size: 16px; }\n"
        # the chart is drawn for a wider page: larger letters, that they can be read; the map has its source
        ".chart .degree, .chart .unit, .chart .legend, .chart .note { font-size: 16px; }\n"
        ".chart .heading, .chart .callout.strong { font-size: 18px; } .chart .source { display: none; }"
    )
    return f"{light}\n{own}\n@media (prefers-color-scheme: dark) {{\n{dark}}}"
