"""`report.html`: one file that opens without a network, for the screen and for paper.

Style, pictures and the little script are inside. Everything can be read without the script, which
only answers the pointer on charts and switches between light and dark.

All outside text (callsigns, names of volumes, sensors and inputs, reasons) passes through the
template engine's escaping; the document's own policy forbids any request and any foreign script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from airvigil.exports.finding import finding_sentences, interference_sentence
from airvigil.exports.incident_lines import summary_row
from airvigil.exports.interference_sections import (
    MOST_MAPPED,
    area_rows,
    interference_groups,
    interference_more,
    interference_section,
)
from airvigil.exports.map_svg import Ground
from airvigil.exports.report_parts import FigureBudget
from airvigil.exports.report_sections import (
    accounting_rows,
    failure_rows,
    incident_section,
    input_rows,
    presence_rows,
)
from airvigil.exports.run_view import Event, FloatArray, Run, VolumeShape, read_run
from airvigil.exports.svg import clean
from airvigil.exports.track_pieces import member_tracks
from airvigil.exports.wording import OUTCOME_MEANING, UNKNOWN, clock, date_of, known

FIGURE_BYTES = 2_000_000  # pictures of one report; keeps the file under 3 MB
BOUNDARY_SOURCE = "Boundaries © OpenStreetMap contributors (ODbL 1.0); coast: Natural Earth (public domain)"

_TEMPLATES = ("report.j2", "report_incident.j2", "report_closing.j2")


def report_html(
    events: Iterable[Event],
    points: pa.Table,
    margins: pa.Table,
    *,
    volumes: Sequence[VolumeShape] = (),
    coastline: Sequence[FloatArray] = (),
    map_source: str = BOUNDARY_SOURCE,
) -> str:
    """The report of one run.

    Args:
        events, points, margins: as the engine makes them.
        volumes: with `rings` of (n, 2) latitude, longitude, for the maps.
        coastline: (n, 2) arrays of latitude, longitude; closed ones are filled as land.
        map_source: the maps' source line.

    Returns:
        A complete HTML document.
    """
    run = read_run(events, points, margins)
    ground = Ground(list(coastline), list(volumes), map_source)
    budget = FigureBudget(FIGURE_BYTES)
    incidents = [
        incident_section(run, incident, ground, budget, number=i)
        for i, incident in enumerate(run.incidents, start=1)
    ]
    groups = interference_groups(run)
    interference = [
        interference_section(run, group, ground, budget, number=i)
        for i, group in enumerate(groups[:MOST_MAPPED], start=1)
    ]
    script, style = _packaged("report.js"), _style()
    html = (
        _environment()
        .get_template("report.j2")
        .render(
            **_front(run),
            incidents=incidents,
            rows=[
                (section, summary_row(incident))
                for section, incident in zip(incidents, run.incidents, strict=True)
            ],
            interference=interference,
            interference_more=interference_more(groups[MOST_MAPPED:]),
            areas=area_rows(run),
            presence=presence_rows(run),
            accounting=accounting_rows(run),
            figures_left_out=budget.left_out,
            style=Markup(style),  # noqa: S704  ours, from the package
            script=Markup(script),  # noqa: S704  ours, from the package
            script_digest=_csp_digest(script),
        )
    )
    return clean(html)


def map_bounds(events: Iterable[Event], points: pa.Table) -> tuple[float, float, float, float] | None:
    """(south, west, north, east) that holds every map of the report, for choosing a coastline.

    None if there is nothing to draw. Where the maps lie on both sides of the antimeridian the box
    goes all the way round, -180 to 180.
    """
    run = read_run(events, points)
    places: list[FloatArray] = []
    for incident in run.incidents:
        for member in member_tracks(run, incident):
            places.extend(
                np.column_stack([piece.latitude_deg, piece.longitude_deg]) for piece in member.pieces
            )
            ends = [member.member.get(key) or {} for key in ("entry", "exit")]
            known_ends = [(known(e.get("latitude_deg")), known(e.get("longitude_deg"))) for e in ends]
            places.extend(np.array([end], np.float64) for end in known_ends if None not in end)
    for group in interference_groups(run)[:MOST_MAPPED]:
        for track in run.tracks_of(group[0]):
            reported = [track["reported_latitude_deg"], track["reported_longitude_deg"]]
            places.append(np.column_stack(reported)[~track.credible])
            places.append(np.column_stack([track["latitude_deg"], track["longitude_deg"]])[track.credible])
    rows = np.vstack([np.zeros((0, 2)), *places])
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        return None
    (south, west), (north, east) = rows.min(axis=0), rows.max(axis=0)
    # a map is padded, and widened to its paper's shape: a track to the north needs much room beside it
    least_cos, most_cos = (
        float(np.cos(np.radians(edge(abs(south), abs(north), 80.0)))) for edge in (_top, min)
    )
    tall = (north - south) * 0.5 + min((east - west) * 0.35 * most_cos, 30.0) + 1.5
    wide = (east - west) * 0.5 + ((north - south) * 1.3 + 1.5) / max(least_cos, 0.2)
    south, north = max(-90.0, south - tall), min(90.0, north + tall)
    if east - west > 180.0 or west - wide < -180.0 or east + wide > 180.0:
        return float(south), -180.0, float(north), 180.0
    return float(south), float(west - wide), float(north), float(east + wide)


def _top(south_deg: float, north_deg: float, most_deg: float) -> float:
    return min(max(south_deg, north_deg), most_deg)


def _front(run: Run) -> dict[str, Any]:
    """What stands above the incidents, and the sources at the end."""
    span = run.span_ns()
    airspace = run.started.get("airspace") or {}
    period = UNKNOWN
    if span is not None:
        same_day = date_of(span[0]) == date_of(span[1])
        period = f"{date_of(span[0])}, {clock(span[0])} to {'' if same_day else date_of(span[1]) + ', '}{clock(span[1])} UTC"
    return {
        "run": run.started,
        "version": run.started.get("version") or UNKNOWN,
        "period": period,
        "reconstruction": run.is_reconstruction,
        "finding": finding_sentences(run),
        "disbelieved": interference_sentence(run),
        "outcomes": OUTCOME_MEANING,
        "volumes": run.volumes,
        "airspace_digest": airspace.get("digest") or UNKNOWN,
        "settings_digest": run.started.get("settings_digest") or UNKNOWN,
        "inputs": input_rows(run),
        "failures": failure_rows(run),
        "interrupted": bool(run.finished.get("interrupted")),
        "title": run.title,
        "synthetic": run.is_synthetic,
        "no_positions": run.has_no_positions,
        "boundary_source": BOUNDARY_SOURCE,
        "boundaries_from": _common_source(run),
    }


def _common_source(run: Run) -> str | None:
    """Source and version of all boundaries, if they are the same for several."""
    sources = {f"{v.get('source')}; version {v.get('version')}" for v in run.volumes}
    return sources.pop() if len(sources) == 1 and len(run.volumes) > 1 else None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: _packaged(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["dash"] = UNKNOWN
    environment.filters["unbroken"] = _unbroken
    return environment


def _unbroken(sentence: str) -> str:
    """The sentence with its quantities held on one line: number, ± and unit do not part."""
    return re.sub(r"(?<=[\d±n]) (?=[\d±]|(?:km|m|NM|min|s|h)\b)", "\u00a0", sentence)


def _packaged(name: str) -> str:
    return files("airvigil.exports").joinpath(name).read_text("utf-8")


def _style() -> str:
    """One style sheet: the figures' dark colours serve the machine's setting and the switch."""
    dark = _packaged("figures-dark.css").strip()
    switched = dark.replace(".figure {", ":root[data-theme=dark] .figure {", 1)
    chosen = dark.replace(".figure {", ":root:not([data-theme=light]) .figure {", 1)
    media = (
        f"@media screen and (prefers-color-scheme: dark) {{\n{chosen}\n}}\n@media screen {{\n{switched}\n}}"
    )
    return "\n".join([_packaged("report.css"), _packaged("figures.css"), media])


def _csp_digest(script: str) -> str:
    """What the content policy allows to run: exactly these bytes."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
