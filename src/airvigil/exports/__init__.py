"""What others read: one run's events and tables as the formats of the field.

Every export is a pure function of (events, points, margins, geometry) to bytes or text. Drivers
write the files. Nothing here decides anything: a number that appears in an export is a column
of an event or of a table, formatted.

Rules
- A reconstruction says so in every output: in the name, in the properties, on every picture.
- Callsigns, volume names and sensor names come from outside: all of them are escaped or encoded.
- Unknown is null in data and a dash in text, never 0.
- No export refers to anything outside itself: all of them open without a network.

| module | output |
|---|---|
| `events_jsonl` | `events.jsonl`, one canonical JSON object a line |
| `incident_lines` | `--json` lines (`incident.schema.json`) and the terminal's summary rows |
| `geojson` `kml` `czml` | `incidents.geojson`, `incidents.kml`, `incidents.czml` |
| `lookahead_geojson` | `lookahead.geojson` |
| `report` | `report.html`, one self-contained file |
| `incident_card` | one incident as a standalone SVG picture |
| `terminal` | the summary that a run prints |

`run_view` reads events and tables once for all of them; `wording` has the words and numbers;
`finding` writes the finding, `reason_words` the reasons; `report_sections`, `interference_sections` and
`report_parts` fill the report; `track_pieces` cuts tracks at the boundary, `smoothed_speed` smooths for
display; `map_projection`, `map_ground`, `map_decoration`, `label_places`, `map_svg`, `interference_map`,
`chart_axes`, `charts` and `svg` draw.
"""
