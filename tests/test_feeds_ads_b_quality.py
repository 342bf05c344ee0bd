"""Quality tables, against pyModeS's own decoding of the same bits."""

from __future__ import annotations

import pyModeS
import pytest

import mode_s_encoder as encoder
from airvigil.feeds import ads_b_quality as quality

SUPPLEMENTS = [(a, b) for a in (0, 1) for b in (0, 1)]


@pytest.mark.parametrize(
    ("type_code", "supplements", "expected"),
    [
        (9, (0, 0), (11, 7.5)), (10, (0, 0), (10, 25.0)), (11, (1, 1), (9, 75.0)), (11, (0, 0), (8, 185.2)),
        (12, (0, 0), (7, 370.4)), (13, (0, 1), (6, 555.6)), (13, (0, 0), (6, 926.0)),
        (13, (1, 1), (6, 1111.2)), (14, (0, 0), (5, 1852.0)), (15, (0, 0), (4, 3704.0)),
        (16, (1, 1), (3, 7408.0)), (16, (0, 0), (2, 14816.0)), (17, (0, 0), (1, 37040.0)),
        (18, (0, 0), (0, None)), (20, (0, 0), (11, 7.5)), (21, (0, 0), (10, 25.0)), (22, (0, 0), (0, None)),
    ],
)  # fmt: skip
def test_version_2_airborne_rows_of_do_260b(
    type_code: int, supplements: tuple[int, int], expected: tuple[int, float | None]
) -> None:
    nic, rc_m = quality.integrity(type_code, 2, supplements[0], supplements[1], None)
    assert (nic, rc_m) == pytest.approx(expected) if rc_m is not None else (nic, rc_m) == expected


@pytest.mark.parametrize(
    ("type_code", "supplements", "expected"),
    [
        (5, (0, 0), (11, 7.5)), (6, (0, 0), (10, 25.0)), (7, (1, 0), (9, 75.0)), (7, (0, 0), (8, 185.2)),
        (8, (1, 1), (7, 370.4)), (8, (1, 0), (6, 555.6)), (8, (0, 1), (6, 1111.2)), (8, (0, 0), (0, None)),
    ],
)  # fmt: skip
def test_version_2_surface_rows_of_do_260b(
    type_code: int, supplements: tuple[int, int], expected: tuple[int, float | None]
) -> None:
    nic, rc_m = quality.integrity(type_code, 2, supplements[0], None, supplements[1])
    assert (nic, rc_m) == pytest.approx(expected) if rc_m is not None else (nic, rc_m) == expected


@pytest.mark.parametrize("type_code", [*range(9, 19), 20, 21, 22])
@pytest.mark.parametrize("version", [None, 0, 1, 2])
def test_an_unknown_supplement_is_never_better_than_a_known_one(type_code: int, version: int | None) -> None:
    unknown_nic, unknown_rc = quality.integrity(type_code, version, None, None, None)
    for nic_a, nic_b in SUPPLEMENTS:
        nic, rc_m = quality.integrity(type_code, version, nic_a, nic_b, None)
        assert unknown_nic <= nic
        if unknown_rc is not None:
            assert rc_m is not None
            assert unknown_rc >= rc_m


@pytest.mark.parametrize("type_code", [*range(5, 19), 20, 21, 22])
def test_an_unknown_version_is_never_better_than_any(type_code: int) -> None:
    unknown_nic, unknown_rc = quality.integrity(type_code, None, None, None, None)
    for version in (0, 1, 2):
        for nic_a, nic_b in SUPPLEMENTS:
            nic, rc_m = quality.integrity(type_code, version, nic_a, nic_b, nic_b)
            assert unknown_nic <= nic
            assert unknown_rc is None or (rc_m is not None and unknown_rc >= rc_m)


def test_a_type_code_without_position_is_refused() -> None:
    with pytest.raises(ValueError, match="19"):
        quality.integrity(19, 2, 0, 0, 0)


@pytest.mark.parametrize("type_code", [9, 10, 11, 12, 13, 14, 15, 16, 17, 18])
def test_version_0_category_is_the_nucp_that_pymodes_reads(type_code: int) -> None:
    frame = encoder.squitter(
        0x461F28, encoder.airborne(60.0, 25.0, 36_000, is_odd=False, type_code=type_code)
    )
    nuc_p = pyModeS.decode(frame.hex())["nuc_p"]
    # standards of version 0: HPL and 95 % radius by NUCp, m
    hpl_m = {9: 7.5, 8: 25, 7: 185.2, 6: 370.4, 5: 926, 4: 1852, 3: 3704, 2: 18520, 1: 37040, 0: None}[nuc_p]
    accuracy_m = {9: 3, 8: 10, 7: 92.6, 6: 185.2, 5: 463, 4: 926, 3: 1852, 2: 9260, 1: 18520, 0: None}[nuc_p]
    nic, rc_m = quality.integrity(type_code, 0, None, None, None)
    nac_p = quality.version_0_nac_p(type_code)
    if hpl_m is None or accuracy_m is None:
        assert (nic, rc_m, nac_p) == (0, None, 0)
        return
    assert rc_m == pytest.approx(hpl_m)
    epu = quality.EPU_M[nac_p]
    assert epu is not None
    assert epu >= accuracy_m - 1e-9
    better = quality.EPU_M[nac_p + 1] if nac_p < 11 else 0.0
    assert better is not None
    assert better < accuracy_m


@pytest.mark.parametrize(("nac_p", "sigma_m"), [(11, 1.23), (10, 4.1), (9, 12.3), (8, 38), (7, 76), (6, 227), (5, 378), (4, 757), (3, 1513), (2, 3026), (1, 7565)])  # fmt: skip
def test_sigma_of_every_nacp(nac_p: int, sigma_m: float) -> None:
    assert quality.position_sigma_m(nac_p) == pytest.approx(sigma_m, rel=0.01)


@pytest.mark.parametrize("nac_p", [None, 0, 12, 15, -1])
def test_unknown_accuracy_has_no_sigma(nac_p: int | None) -> None:
    assert quality.position_sigma_m(nac_p) is None


def test_velocity_sigma() -> None:
    assert quality.velocity_sigma_mps(2) == pytest.approx(3.0 / 2.448, rel=1e-3)
    assert [quality.velocity_sigma_mps(v) for v in (None, 0, 5, 7)] == [None] * 4
