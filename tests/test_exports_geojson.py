import json
from datetime import timedelta

import numpy as np
import shapely

from airvigil.exports.geojson import cut_at_antimeridian, incidents_geojson
from example_run import (
    EXA,
    START,
    Example,
    ExampleVolume,
    empty_run,
    example_run,
    fly,
    incident_of,
    run_started,
    spell_of,
    square,
)


def features(example: Example, role: str) -> list[dict]:
    collection = json.loads(incidents_geojson(*example.tables))
    return [f for f in collection["features"] if f["properties"]["role"] == role]


def test_every_geometry_is_valid() -> None:
    collection = json.loads(incidents_geojson(*example_run().tables))
    assert collection["type"] == "FeatureCollection"
    shapes = [shapely.geometry.shape(f["geometry"]) for f in collection["features"]]
    assert len(shapes) == 15  # three members, each outside, inside, band, entry, exit
    assert all(shapely.is_valid(s) and not shapely.is_empty(s) for s in shapes)


def test_the_inside_is_inside_and_meets_the_boundary() -> None:
    outline = shapely.Polygon(EXA.rings[0][:, ::-1])
    for feature in features(example_run(), "track"):
        line = shapely.geometry.shape(feature["geometry"])
        share = shapely.length(shapely.intersection(line, outline)) / shapely.length(line)
        assert share > 0.999 if feature["properties"]["inside"] else share < 0.001
    ends = features(example_run(), "entry") + features(example_run(), "exit")
    # 20 m: a chord of five seconds' flight against the boundary in degrees
    assert all(
        shapely.distance(shapely.geometry.shape(f["geometry"]), shapely.boundary(outline)) < 2e-4
        for f in ends
    )


def test_times_run_parallel_to_coordinates() -> None:
    for feature in features(example_run(), "track"):
        coordinates, times = feature["geometry"]["coordinates"], feature["properties"]["times"]
        if feature["geometry"]["type"] == "LineString":
            coordinates, times = [coordinates], [times]
        assert [len(c) for c in coordinates] == [len(t) for t in times]
        assert all(t == sorted(t) for t in times)


def test_the_band_is_four_sigma_wide_and_right_handed() -> None:
    for feature in features(example_run(), "band"):
        band = shapely.geometry.shape(feature["geometry"])
        ring = shapely.get_parts(band)[0].exterior
        assert shapely.is_ccw(ring)
        metres = shapely.transform(
            band, lambda xy: xy * np.array([111_195.0 * np.cos(np.radians(59.8)), 111_195.0])
        )
        length = shapely.length(metres) / 2.0
        assert abs(shapely.area(metres) / length - 4 * 150.0) < 20.0


def test_a_reconstruction_says_so_on_every_feature() -> None:
    collection = json.loads(incidents_geojson(*example_run().tables))
    assert collection["reconstruction"] is True
    assert all(
        f["properties"]["reconstruction"] and "RECONSTRUCTION" in f["properties"]["label"]
        for f in collection["features"]
    )
    real = json.loads(incidents_geojson(*example_run(reconstruction=False).tables))
    assert not any(f["properties"]["reconstruction"] for f in real["features"])


def test_no_incidents_is_an_empty_collection_with_its_attribution() -> None:
    collection = json.loads(incidents_geojson(*empty_run().tables))
    assert collection["features"] == []
    assert "OpenStreetMap" in collection["attribution"]


def test_a_height_is_written_only_where_it_is_known() -> None:
    example = example_run()
    assert all(
        len(f["geometry"]["coordinates"][0]) == 2
        for f in features(example, "track")
        if f["properties"]["inside"]
    )
    for row in example.points:
        row["geometric_height_m"] = 3021.5
    inside = [f["geometry"]["coordinates"] for f in features(example, "track") if f["properties"]["inside"]]
    assert {place[2] for line in inside for place in line} == {3021.5}


def test_a_track_over_the_antimeridian_is_cut_there() -> None:
    rows = np.array([[179.0, 10.0], [-179.0, 12.0], [-178.0, 12.0]])
    first, second = cut_at_antimeridian(rows, np.array([0.0, 10.0, 20.0]))
    assert first[0].tolist() == [[179.0, 10.0], [180.0, 11.0]]
    assert second[0].tolist() == [[-180.0, 11.0], [-179.0, 12.0], [-178.0, 12.0]]
    assert second[1].tolist() == [5.0, 10.0, 20.0]


def test_an_incident_on_the_antimeridian_stays_within_180_degrees() -> None:
    example = Example(
        volumes=[ExampleVolume("EXA", "Exampleland", rings=(square(-17.0, 178.0, -16.0, 182.0),))]
    )
    run_started(example)
    flown = fly(
        example,
        "T-1",
        [(0, -15.8, 179.5), (600, -16.4, 180.2), (1200, -15.8, 180.9)],
        start=START + timedelta(hours=1),
    )
    for row in example.points:
        row["longitude_deg"] = (row["longitude_deg"] + 180.0) % 360.0 - 180.0
    spell = spell_of(example, "T-1", flown)
    for end in (spell["entry"], spell["exit"]):
        end["longitude_deg"] = (end["longitude_deg"] + 180.0) % 360.0 - 180.0
    incident_of(example, "I-1", [spell])
    collection = json.loads(incidents_geojson(*example.tables))
    shapes = [shapely.geometry.shape(f["geometry"]) for f in collection["features"]]
    assert all(b[2] - b[0] <= 360.0 and b[0] >= -180.0 and b[2] <= 180.0 for b in (s.bounds for s in shapes))
    lengths = [
        np.abs(np.diff(shapely.get_coordinates(part)[:, 0])).max()
        for s in shapes
        if "Line" in s.geom_type
        for part in shapely.get_parts(s)
    ]
    assert max(lengths) < 1.0
