"""One volume says when it is active for as long as it is the same volume."""

from __future__ import annotations

from airvigil.units import utc_ns
from made_aixm import (
    ONE,
    activation,
    airspace,
    box,
    component,
    geodesics,
    limits,
    message,
    read,
    reasons,
    ring,
    time_slice,
)

BASE = message(airspace(ONE, time_slice(box(more=activation("INACTIVE")))))


def notam(number: str, begin: int, end: int, properties: str = "") -> bytes:
    valid = f"2020-06-01T{begin:02d}:00:00Z/2020-06-01T{end:02d}:00:00Z"
    return message(airspace(ONE, time_slice(properties or activation("ACTIVE"), "TEMPDELTA", number, valid)))


def states(at: str, *documents: bytes) -> list[str]:
    (volume,) = read(at, *documents).volumes
    return [volume.activation.state_at(utc_ns(f"2020-06-01T{hour:02d}:30:00Z")) for hour in (7, 8, 9, 10, 11)]


def test_notams_that_only_activate_are_seen_from_any_instant() -> None:
    documents = (BASE, notam("1", 8, 9), notam("2", 10, 11))
    expected = ["inactive", "active", "inactive", "active", "inactive"]
    for at in ("2020-05-01", "2020-06-01T08:30:00Z", "2020-06-01T09:30:00Z", "2020-07-01"):
        assert states(at, *documents) == expected
    digests = {
        read(at, *documents).volumes[0].digest for at in ("2020-05-01", "2020-06-01T08:30:00Z", "2020-07-01")
    }
    assert len(digests) == 1


def test_notams_one_after_the_other_are_one_window() -> None:
    (volume,) = read("2020-06-01T08:30:00Z", BASE, notam("1", 8, 9), notam("2", 9, 10)).volumes
    assert len(volume.activation.windows) == 1


def test_another_geometry_ends_the_volume_and_that_is_said() -> None:
    other = component(ring(geodesics()), limits("FL200", "FL300")) + activation("ACTIVE")
    documents = (BASE, notam("1", 8, 9), notam("2", 10, 11, other))
    loaded = read("2020-06-01T08:30:00Z", *documents)
    assert "changes at 2020-06-01T10:00:00.000Z" in reasons(loaded.remarks)
    assert states("2020-06-01T08:30:00Z", *documents) == [
        "inactive",
        "active",
        "inactive",
        "inactive",
        "inactive",
    ]
    assert states("2020-06-01T10:30:00Z", *documents)[3] == "active"


def test_what_nobody_knows_is_not_carried_over() -> None:
    unknown = notam("2", 10, 11, activation("INTERMITTENT"))
    assert states("2020-06-01T10:30:00Z", BASE, notam("1", 8, 9), unknown) == ["unknown"] * 5
    assert "changes at 2020-06-01T10:00:00.000Z" in reasons(
        read("2020-06-01T08:30:00Z", BASE, unknown).remarks
    )


def test_without_changes_an_airspace_is_permanent() -> None:
    (volume,) = read("2020-06-01", message(airspace(ONE, time_slice(box())))).volumes
    assert volume.activation.kind == "permanent"
