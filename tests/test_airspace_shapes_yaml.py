"""Circles, corridors and polygons written by hand."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from airvigil.airspace.sources import shapes_yaml
from airvigil.airspace.sources.shapes_yaml import load_shapes
from airvigil.airspace.volumes import ring_area_deg2
from airvigil.errors import AirspaceError
from airvigil.units import utc_ns

WHOLE = """# ranges
airspace:
  - id: RANGE 5
    name: Firing range
    circle: {centre: 59:25:00 N 025:10:00 E, radius: 5 NM}
    lower: GND
    upper: FL95
    class: G
    type: R
    may_enter: range control's own aircraft
    activation:
      - {from: 2026-05-01T06:00Z, to: 2026-09-30T18:00Z, days: MON-FRI, hours: 0800-1630}
      - {days: "SAT-SUN", hours: 22:00-06:00}
    boundary_uncertainty_m: 25
    version: order 7/2026
  - id: GATE
    corridor:
      line:
        - 59.40 N 24.50 E
        - 59.60 N 24.90 E
      half_width: 3 km
    upper: 2500 ft AMSL
    activation: unknown
  - id: FIELD
    polygon: [59.0 N 24.0 E, 59.0 N 25.0 E, 60.0 N 25.0 E, 60.0 N 24.0 E]
    holes: [[59.4 N 24.4 E, 59.6 N 24.4 E, 59.6 N 24.6 E]]
    edges: lonlat
    kind: fir
"""


def test_all_that_can_be_written() -> None:
    loaded = load_shapes(WHOLE.encode(), "w.yaml")
    assert loaded.rejected == ()
    circle, corridor, field = loaded.volumes
    assert (circle.volume_id, circle.name, circle.airspace_class, circle.airspace_type) == (
        "RANGE 5",
        "Firing range",
        "G",
        "R",
    )
    assert (str(circle.lower), str(circle.upper), circle.version) == ("GND", "FL95", "order 7/2026")
    assert (circle.boundary_uncertainty_m, circle.may_enter) == (25.0, "range control's own aircraft")
    assert (circle.edges_written, corridor.edges_written, field.edges_written) == (
        ("circle",),
        ("corridor",),
        (),
    )
    distances = [Geodesic.WGS84.Inverse(59 + 25 / 60, 25 + 10 / 60, *p)["s12"] for p in circle.rings[0]]
    assert distances == pytest.approx([9_260.0] * len(distances), abs=1e-3)
    assert circle.place == "line 3"
    assert circle.original.strip().startswith("- id: RANGE 5") or circle.original.strip().startswith(
        "id: RANGE 5"
    )
    assert (corridor.activation.kind, corridor.lower.height_m) == ("unknown", -math.inf)
    assert (field.edge_kind, field.kind, field.spans_all_heights) == ("lonlat", "fir", True)
    assert [round(ring_area_deg2(ring), 3) for ring in field.rings] == [1.0, -0.02]


@pytest.mark.parametrize(
    ("time", "state"),
    [
        ("2026-05-04T09:00Z", "active"),  # Monday
        ("2026-05-04T07:59Z", "inactive"),
        ("2026-05-09T12:00Z", "inactive"),  # Saturday noon
        ("2026-05-09T23:00Z", "active"),
        ("2026-05-10T05:00Z", "active"),  # still Saturday's night
        ("2026-10-05T09:00Z", "inactive"),
        ("2031-01-05T23:00Z", "active"),  # a Sunday: the second window has no end
    ],
)
def test_windows(time: str, state: str) -> None:
    circle = load_shapes(WHOLE.encode(), "w.yaml").volumes[0]
    assert circle.activation.state_at(utc_ns(time)) == state


def entry(text: str) -> str:
    good = "\n  - id: GOOD\n    circle: {centre: 59 N 25 E, radius: 1 km}\n"
    return "airspace:\n  - id: BAD\n" + "\n".join(f"    {line}" for line in text.splitlines()) + good


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("lower: GND", 2, "one of circle, corridor, polygon"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\npolygon: []", 2, "one of"),
        ("circle: {centre: 59 N 25 E}", 3, "no radius"),
        ("circle: {centre: 59 N 25 E, radius: 5}", 3, "expected a length"),
        ("circle: {centre: 25 E 59 N, radius: 5 km}", 3, "not a place"),
        ("circle: {centre: 59 N 25 E, radius: 0 km}", 2, "radius"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nuper: FL95", 4, "unknown key 'uper'"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nupper: FL95\nupper: FL65", 5, "there twice"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nupper: 2500 ft", 4, "without a reference"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nupper: high", 4, "not a limit"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nlower: FL95\nupper: FL65", 2, "not below"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nholes: []", 4, "only a polygon"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nkind: enemy", 2, "kind must be"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nedges: rhumb", 4, "expected geodesic or lonlat"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nboundary_uncertainty_m: none", 4, "expected a number"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: sometimes", 4, "expected permanent"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{from: 2026-05-01T06:00}]", 4, "in UTC"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{from: yesterdayZ}]", 4, "in UTC"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{days: MON-FOO}]", 4, "expected days"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{hours: 2500-0100}]", 4, "expected hours"),
        ("circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{hours: 0860-0900}]", 4, "expected hours"),
        (
            "circle: {centre: 59 N 25 E, radius: 1 km}\nactivation: [{from: 2026-05-02T06:00Z, to: 2026-05-01T06:00Z}]",
            4,
            "ends before",
        ),
        ("corridor: {line: [59 N 25 E], half_width: 1 km}", 2, "expected a line"),
        ("polygon: [59 N 25 E, 60 N 25 E]", 3, "at least 3 corners"),
        ("polygon: 59 N 25 E", 3, "expected a list"),
        ("name: [a, b]\ncircle: {centre: 59 N 25 E, radius: 1 km}", 3, "expected a text"),
        ("circle: 5 NM", 3, "expected `key: value`"),
    ],
)
def test_a_volume_that_cannot_be_made_is_rejected_with_its_line(text: str, line: int, reason: str) -> None:
    loaded = load_shapes(entry(text).encode(), "t.yaml")
    assert [volume.volume_id for volume in loaded.volumes] == ["GOOD"]
    (rejected,) = loaded.rejected
    assert rejected.line == line
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"airspace:\n  - &a {id: 1}\n  - *a\n", "line 3: an alias"),
        (b"airspace: !!python/object/apply:os.system [ls]\n", "line 1: a tag"),
        (b"airspace:\n  - id: [unclosed\n", "not YAML at line"),
        (b"airspace:\n\t- id: x\n", "not YAML at line 2"),
        (b"airspace: " + b"[" * 50, "levels"),
        (b"airspace: 5\n", "line 1: expected `airspace:`"),
        (b"other: []\n", "unknown key"),
        (b"- 1\n", "expected `key: value`"),
        (b"", "nothing in it"),
        (b"airspace: [\xff]", "UTF-8"),
        (b"airspace: []\n---\nairspace: []\n", "not YAML"),
        (b"airspace: [\x00]", "not YAML"),
    ],
)
def test_what_is_no_such_file_is_one_error(raw: bytes, reason: str) -> None:
    with pytest.raises(AirspaceError) as caught:
        load_shapes(raw, "t.yaml")
    assert reason in str(caught.value)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirspaceError, match="at most"):
        load_shapes(b" " * 1_000_001, "t")
    monkeypatch.setattr(shapes_yaml, "MAX_POSITIONS", 300)
    with pytest.raises(AirspaceError, match="positions"):
        load_shapes(WHOLE.encode(), "t")
    monkeypatch.setattr(shapes_yaml, "MAX_NODES", 30)
    with pytest.raises(AirspaceError, match="values"):
        load_shapes(WHOLE.encode(), "t")


def test_the_example_in_the_docs_is_read() -> None:
    page = (Path(__file__).parent.parent / "docs" / "airspace-files.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    loaded = load_shapes(example.encode(), "page")
    assert ([volume.volume_id for volume in loaded.volumes], loaded.rejected) == (
        ["RANGE 5", "GATE", "FIELD"],
        (),
    )


@given(st.integers(0, 900), st.text(max_size=8))
@hypothesis_settings(max_examples=150)
def test_any_damage_is_refused_or_read(at: int, put: str) -> None:
    text = WHOLE[:at] + put + WHOLE[at + len(put) :]
    with suppress(AirspaceError):
        load_shapes(text.encode("utf-8", errors="surrogatepass"), "t")
