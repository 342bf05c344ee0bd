from xml.etree import ElementTree as ET

from airvigil.exports.kml import incidents_kml
from example_run import empty_run, example_run

NS = {"k": "http://www.opengis.net/kml/2.2", "gx": "http://www.google.com/kml/ext/2.2"}


def test_every_track_has_a_place_for_every_time() -> None:
    root = ET.fromstring(incidents_kml(*example_run().tables))
    tracks = root.findall(".//gx:Track", NS)
    assert len(tracks) == 9  # three members, each before, inside, after
    for track in tracks:
        times, places = track.findall("k:when", NS), track.findall("gx:coord", NS)
        assert len(times) == len(places) > 1
        longitude, latitude, _ = map(float, places[0].text.split())
        assert 24.0 < longitude < 28.0
        assert 59.0 < latitude < 61.0


def test_an_unknown_height_clings_to_the_ground() -> None:
    root = ET.fromstring(incidents_kml(*example_run().tables))
    assert {e.text for e in root.findall(".//gx:Track/k:altitudeMode", NS)} == {"clampToGround"}


def test_a_known_height_is_written() -> None:
    example = example_run()
    for row in example.points:
        row["geometric_height_m"] = 3021.5
    root = ET.fromstring(incidents_kml(*example.tables))
    heights = {e.text.split()[2] for e in root.findall(".//gx:coord", NS)}
    assert "3021.5" in heights


def test_every_name_of_a_reconstruction_says_so() -> None:
    root = ET.fromstring(incidents_kml(*example_run().tables))
    names = [e.text for e in root.iterfind(".//k:name", NS)]
    assert len(names) > 15
    assert all(name.startswith("RECONSTRUCTION") for name in names)
    real = ET.fromstring(incidents_kml(*example_run(reconstruction=False).tables))
    assert not any("RECONSTRUCTION" in e.text for e in real.iterfind(".//k:name", NS))


def test_outside_text_stays_text() -> None:
    example = example_run()
    incident = next(e for e in example.events if e["event"] == "incident_closed")
    incident["members"][0]["callsign"] = "</name><NetworkLink>\x00\x1b"
    root = ET.fromstring(incidents_kml(*example.tables))
    assert root.find(".//k:NetworkLink", NS) is None
    assert any("<NetworkLink>" in e.text for e in root.iterfind(".//k:name", NS))


def test_a_run_without_incidents_is_a_document_all_the_same() -> None:
    root = ET.fromstring(incidents_kml(*empty_run().tables))
    assert root.find("k:Document/k:name", NS).text == "Airvigil incidents"
    assert root.find(".//k:Placemark", NS) is None
