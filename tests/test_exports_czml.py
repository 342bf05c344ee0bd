import json
from datetime import datetime

from airvigil.exports.czml import incidents_czml
from example_run import empty_run, example_run


def test_the_document_comes_first_and_its_clock_spans_all() -> None:
    document, *packets = json.loads(incidents_czml(*example_run().tables))
    assert (document["id"], document["version"]) == ("document", "1.0")
    begin, end = map(datetime.fromisoformat, document["clock"]["interval"].split("/"))
    assert begin < end
    for packet in packets:
        if "availability" in packet:
            low, high = map(datetime.fromisoformat, packet["availability"].split("/"))
            assert begin <= low < high <= end


def test_positions_are_quadruples_in_time_order() -> None:
    packets = json.loads(incidents_czml(*example_run().tables))[1:]
    flown = [p for p in packets if "path" in p]
    assert len(flown) == 3
    for packet in flown:
        values = packet["position"]["cartographicDegrees"]
        assert len(values) % 4 == 0
        seconds = values[::4]
        assert seconds == sorted(set(seconds))
        assert all(24.0 < v < 28.0 for v in values[1::4])
        assert all(59.0 < v < 61.0 for v in values[2::4])


def test_an_unknown_height_is_not_passed_off_as_zero() -> None:
    packet = next(p for p in json.loads(incidents_czml(*example_run().tables)) if "path" in p)
    assert packet["properties"]["height"] == "unknown"
    assert packet["point"]["heightReference"] == "CLAMP_TO_GROUND"


def test_a_reconstruction_says_so_in_every_name() -> None:
    packets = json.loads(incidents_czml(*example_run().tables))
    assert all(p["name"].startswith("RECONSTRUCTION") for p in packets)
    assert len({p["id"] for p in packets}) == len(packets)


def test_a_run_without_incidents_is_a_document_without_a_clock() -> None:
    (document,) = json.loads(incidents_czml(*empty_run().tables))
    assert "clock" not in document
