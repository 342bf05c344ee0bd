"""Write `docs/formats.md` from the schemas that the program uses.

    python docs/make_formats.py

`tests/test_formats_page.py` fails when the page is not what this prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from airvigil.reports import OBSERVATION_SCHEMA, REPORT_SCHEMA, SENSOR_KINDS, describe_columns
from airvigil.tracking.verdicts import ARRIVAL_REJECTS, INTEGRITY, NOT_CREDIBLE_REASONS, REASONS, REJECTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "formats.md"
INCIDENT_SCHEMA = ROOT / "src" / "airvigil" / "exports" / "incident.schema.json"

INPUTS = (
    (
        "`beast`",
        "binary stream of a Mode S receiver",
        "file, `tcp+beast://host:30005`",
        "counter without origin: `--start`, or the time in the file's name",
    ),
    (
        "`raw`",
        "Mode S in hexadecimal: AVR lines, CSV or JSON Lines with a time",
        "file, `tcp+raw://host:30002`",
        "seconds since 1970 or ISO 8601; AVR without time only live",
    ),
    ("`sbs`", "22 comma-separated fields a line", "file, `tcp+sbs://host:30003`", "local time of the sender"),
    (
        "`aircraft-json`",
        "readsb's `aircraft.json`",
        "file, folder of files, URL polled",
        "UTC, in the document",
    ),
    ("`trace`", "readsb's trace of one aircraft", "file", "UTC, in the document"),
    (
        "`state-vectors`",
        "CSV, JSON or JSON Lines with the columns of OpenSky or traffic; `:opensky` or `:traffic` states which",
        "file",
        "UTC, per row",
    ),
    (
        "`parquet`",
        "Parquet or Arrow: state vectors, or reports as written by Airvigil",
        "file",
        "UTC, per row",
    ),
)

# What feeds find wrong with a frame or row, before anybody has looked at what it says.
FEED_REJECTS = {
    "garbage_bytes": "an unbroken run of bytes that belong to no frame; one row, however long",
    "incomplete_frame": "the source ended inside a frame",
    "clock_reset": "the receiver's counter jumped, and what time it shows is not known yet",
    "mode_ac": "a Mode A/C reply: it carries no address",
    "receiver_status": "the receiver speaks of itself",
    "bad_line": "a line that is not of this format",
    "bad_hex": "not hexadecimal",
    "bad_length": "not as long as its kind of frame is",
    "bad_time": "a time that cannot be read",
    "line_too_long": "a line that does not end within 65,536 bytes",
    "bad_crc": "the parity is wrong: bits were lost",
    "undecodable": "the parity is right and the content impossible",
    "unsupported_df": "a Mode S downlink format that says nothing about the aircraft's state",
    "unsupported_message": "an extended squitter in a format of its own",
    "unverified_address": "the address was not heard in clear lately: any bit error gives some address",
    "cpr_unpaired": "half of a compact position whose other half did not come: the zone is unknown",
    "cpr_no_reference": "a position on the ground with nothing near it known: zones repeat every 90 degrees",
    "cpr_unconfirmed": "a first pair so far apart in time that it cannot vouch for itself",
    "cpr_ambiguous": "two decodings of the same message disagree, or the pair is mixed",
    "not_a_message": "an SBS line of another kind than MSG",
    "bad_field_count": "an SBS line without its 22 fields",
    "bad_field:": "an SBS field that is there and cannot be read; its name follows the colon",
    "bad_document": "a document that is not what its format requires",
    "incomplete": "the source ended inside a document",
    "bad_row": "not a row of this format",
    "bad_number": "a measurement that is no number, no time, or out of any range",
    "no_address": "no 24-bit address, or text that is none",
}

Rows = Iterable[Sequence[str]]


def table(head: Sequence[str], rows: Rows) -> list[str]:
    """A Markdown table; bars in cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [*lines, ""]


def columns(schema: Any) -> list[str]:
    """The columns of an Arrow schema."""
    rows = (
        (f"`{name}`", kind, unit, null, about) for name, kind, unit, null, about in describe_columns(schema)
    )
    return table(("column", "type", "unit", "null means", "what"), rows)


def reject_reasons() -> dict[str, str]:
    """Every `reject_reason` with its meaning, feeds first."""
    return FEED_REJECTS | ARRIVAL_REJECTS | dict(REJECTS.values())


def kind_of(prop: dict[str, Any], defs: dict[str, Any]) -> str:
    """What a JSON Schema property may hold, in a few words."""
    if "const" in prop:
        return f"`{prop['const']}`"
    if "enum" in prop:
        return ", ".join("null" if value is None else f"`{value}`" for value in prop["enum"])
    if "$ref" in prop:
        name = prop["$ref"].rsplit("/", 1)[1]
        return "time" if name == "instant" else f"{name}, or null" if "oneOf" in defs[name] else name
    if prop.get("type") == "array":
        return f"list of {kind_of(prop['items'], defs)}"
    kinds = prop["type"] if isinstance(prop["type"], list) else [prop["type"]]
    return " or ".join(kinds)


def incident_columns() -> list[str]:
    """The fields of an incident line."""
    schema = json.loads(INCIDENT_SCHEMA.read_text(encoding="utf-8"))
    defs = schema["$defs"]
    rows = [
        (f"`{name}`", kind_of(prop, defs), prop.get("description", ""))
        for name, prop in schema["properties"].items()
    ]
    lines = table(("field", "holds", "what"), rows)
    for name, item in defs.items():
        shape = next((part for part in item.get("oneOf", [item]) if "properties" in part), None)
        if shape is not None:
            inner = [
                (f"`{key}`", kind_of(p, defs), p.get("description", ""))
                for key, p in shape["properties"].items()
            ]
            lines += [f"**{name}**", "", *table(("field", "holds", "what"), inner)]
    return lines


def marks() -> Rows:
    """Integrity reasons with the mark that they lead to."""
    for number, (name, about) in REASONS.items():
        if name:
            mark = INTEGRITY[2] if number in NOT_CREDIBLE_REASONS else INTEGRITY[1]
            yield f"`{name}`", f"`{mark}`", about


def page() -> str:
    """The whole page."""
    lines = [
        "# Formats",
        "",
        "Written by `make docs` from the schemas that the program uses; not edited by hand.",
        "",
        "## What is read",
        "The format is told by content and can be stated where content does not tell. gzip, xz and zstd are opened on the way.",
        "Several inputs are merged in the order of time.",
        "",
        *table(("format", "what", "from", "time"), INPUTS),
        "## Reports",
        "One row per frame or row received, also of those that cannot be used: these carry a `reject_reason`.",
        "",
        f"Kinds of sensor: {', '.join(f'`{kind}`' for kind in SENSOR_KINDS)}.",
        "",
        *columns(REPORT_SCHEMA),
        "### Reject reasons",
        "A rejected row is counted and used for nothing else. Received = used + rejected + late.",
        "",
        *table(("reason", "meaning"), ((f"`{name}`", about) for name, about in reject_reasons().items())),
        "### Integrity",
        "A row that is used is `credible`, `degraded` or `not_credible`, with one of these reasons for the last two. What is not credible",
        "opens an interference event and can never make an infringement `suspected` or more.",
        "",
        *table(("reason", "mark", "meaning"), marks()),
        "## Observations",
        "What people know and sensors do not.",
        "",
        *columns(OBSERVATION_SCHEMA),
        "## Incident lines",
        "`--json` prints one incident a line and nothing else. The JSON Schema is `airvigil/exports/incident.schema.json` in the package.",
        "",
        *incident_columns(),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
