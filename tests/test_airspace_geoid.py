"""The geoid against NGA's published points, GeographicLib's published values, and a plain twin."""

from __future__ import annotations

import hashlib
import json
import lzma
import math
import zlib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.airspace.heights.geoid import (
    COLUMNS,
    FORMAT,
    GEOID_FILE,
    ROWS,
    packaged_geoid,
    parse_geoid_file,
    undulation_m,
)
from airvigil.airspace.sources.boundaries import split_reference
from airvigil.errors import AirspaceError

GEOID = packaged_geoid()


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "expected_m"),
    [
        # NGA, readme of EGM96: by the harmonic model itself (program F477)
        (38.6281550, 269.7791550, -31.628),
        (-14.6212170, 305.0211140, -2.969),
        (46.8743190, 102.4487290, -43.575),
        (-23.6174460, 133.8747120, 15.871),
        (38.6254730, 359.9995000, 50.066),
        (-0.4667440, 0.0023000, 17.329),
        # GeographicLib's GeoidEval, EGM96 on a grid of 5': its announcement (Timbuktu)
        (16.7758333, -3.0094444, 28.7068),
    ],
)
def test_published_undulations_are_met_within_two_centimetres(
    latitude_deg: float, longitude_deg: float, expected_m: float
) -> None:
    assert GEOID.undulation_m(latitude_deg, longitude_deg) == pytest.approx(expected_m, abs=0.02)


def test_at_a_node_the_grid_says_it() -> None:
    rng = np.random.default_rng(3)
    for row, column in zip(rng.integers(0, ROWS, 200), rng.integers(0, COLUMNS, 200), strict=True):
        found = GEOID.undulation_m(90.0 - row / 4.0, column / 4.0)
        assert found == pytest.approx(GEOID.grid_cm[row, column] / 100.0, abs=1e-9)


def test_the_grid_is_the_one_that_was_packed() -> None:
    raw = resources.files("airvigil.airspace").joinpath("reference", GEOID_FILE).read_bytes()
    header, _ = split_reference(raw, GEOID_FILE)
    assert hashlib.sha256(GEOID.grid_cm.astype(">i2").tobytes()).hexdigest() == header["grid_sha256"]
    assert (GEOID.model, GEOID.digest) == ("EGM96", hashlib.sha256(raw).hexdigest())


def test_the_extremes_are_where_the_model_has_them() -> None:
    # NASA/TP-1998-206861: between -106.99 m south of India and 85.39 m at New Guinea
    assert (GEOID.grid_cm.min(), GEOID.grid_cm.max()) == (-10699, 8539)
    row, column = np.unravel_index(np.argmin(GEOID.grid_cm), GEOID.grid_cm.shape)
    assert (90.0 - row / 4.0, column / 4.0) == (pytest.approx(4.75, abs=0.5), pytest.approx(78.75, abs=0.5))


def plain(latitude_deg: float, longitude_deg: float) -> float:
    """The twin: the interpolating cubic by NumPy's polynomial fit through four nodes, twice."""
    y, x = (90.0 - latitude_deg) * 4.0, (longitude_deg % 360.0) * 4.0
    row, column = min(int(y), ROWS - 2), int(x)
    lines = []
    for r in range(row - 1, row + 3):
        shift = 0 if 0 <= r < ROWS else 720
        r = abs(r) if r < ROWS else 2 * (ROWS - 1) - r
        nodes = [float(GEOID.grid_cm[r, (column + k + shift) % COLUMNS]) for k in (-1, 0, 1, 2)]
        lines.append(np.polyval(np.polyfit([-1, 0, 1, 2], nodes, 3), x - column))
    return float(np.polyval(np.polyfit([-1, 0, 1, 2], lines, 3), y - row)) / 100.0


@given(st.floats(-90.0, 90.0), st.floats(-360.0, 720.0))
def test_the_kernel_is_its_plain_twin(latitude_deg: float, longitude_deg: float) -> None:
    assert GEOID.undulation_m(latitude_deg, longitude_deg) == pytest.approx(
        plain(latitude_deg, longitude_deg), abs=1e-7
    )


@given(st.floats(-89.9, 89.9), st.floats(-180.0, 180.0))
def test_a_turn_more_is_the_same_place_and_there_are_no_steps(
    latitude_deg: float, longitude_deg: float
) -> None:
    here = GEOID.undulation_m(latitude_deg, longitude_deg)
    assert GEOID.undulation_m(latitude_deg, longitude_deg + 360.0) == pytest.approx(here, abs=1e-6)
    assert GEOID.undulation_m(latitude_deg + 1e-4, longitude_deg) == pytest.approx(here, abs=0.05)


def test_all_meridians_agree_at_the_poles() -> None:
    for pole, expected in ((90.0, 13.61), (-90.0, -29.53)):
        found = [GEOID.undulation_m(pole, lon) for lon in np.linspace(-180.0, 180.0, 37)]
        assert found == pytest.approx([expected] * 37, abs=1e-9)
        near = [GEOID.undulation_m(math.copysign(89.9999, pole), lon) for lon in (0.0, 90.0, 180.0)]
        assert near == pytest.approx([expected] * 3, abs=0.01)


def test_every_second_node_foretells_the_others() -> None:
    """What the docstring says of the interpolation, by its own means at twice the spacing."""
    coarse = GEOID.grid_cm[::2, ::2].astype(np.float64)
    weights = (-1 / 16, 9 / 16, 9 / 16, -1 / 16)
    across = sum(w * np.roll(coarse, 1 - k, axis=1) for k, w in enumerate(weights))
    middle = sum(w * across[k : 358 + k] for k, w in enumerate(weights))
    error_m = (middle - GEOID.grid_cm[3:-3:2, 1::2]) / 100.0
    area = np.cos(np.radians(90.0 - np.arange(3, 718, 2) * 0.25))[:, None]
    assert np.abs(error_m).max() == pytest.approx(1.98, abs=0.01)
    assert math.sqrt((error_m**2 * area).sum() / area.sum() / 720) == pytest.approx(0.100, abs=0.001)


def test_nowhere_has_no_undulation() -> None:
    for latitude_deg, longitude_deg in ((math.nan, 0.0), (0.0, math.nan), (91.0, 0.0), (0.0, math.inf)):
        assert math.isnan(undulation_m(GEOID.grid_cm, latitude_deg, longitude_deg))


def packed(body: bytes, **header: object) -> bytes:
    header = {"format": FORMAT, "body_sha256": hashlib.sha256(body).hexdigest(), **header}
    return lzma.compress(json.dumps(header).encode()) + body


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (packed(b"", format="airvigil.geoid/9"), "expected format"),
        (packed(b"no zlib"), "cannot be read"),
        (packed(zlib.compress(b"\0" * 10)), "expected a grid of 2076480 bytes, got 10"),
        (packed(zlib.compress(b"\0" * 50_000_000)), "expected a grid of 2076480 bytes, got 2076481"),
        (packed(b"", body_sha256="0"), "expected SHA-256"),
        (b"nothing", "header"),
    ],
)
def test_a_file_that_is_none_is_one_error(raw: bytes, says: str) -> None:
    with pytest.raises(AirspaceError, match=says) as error:
        parse_geoid_file(raw, GEOID_FILE)
    assert GEOID_FILE in str(error.value)
