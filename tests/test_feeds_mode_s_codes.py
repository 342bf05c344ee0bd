"""Every altitude and identity code, against pyModeS and rs1090."""

from __future__ import annotations

import pyModeS
import pytest
import rs1090

import mode_s_encoder as encoder
from airvigil.feeds.mode_s_codes import ALTITUDE_FT, SQUAWK, squitter_altitude_ft

METRIC = 0x40


def test_every_altitude_code_is_read_as_in_pymodes() -> None:
    different = [
        code
        for code in range(1 << 13)
        if not code & METRIC
        and ALTITUDE_FT[code] != pyModeS.decode(encoder.reply(1, 4, 0, code).hex())["altitude"]
    ]
    assert different == []


def test_metric_altitudes_are_unknown() -> None:
    assert {ALTITUDE_FT[code] for code in range(1 << 13) if code & METRIC} == {None}


def test_every_identity_code_is_read_as_in_rs1090() -> None:
    frames = [encoder.reply(1, 5, 0, code).hex() for code in range(1 << 13)]
    theirs = [message["squawk"] for message in rs1090.decode(frames)]
    assert list(SQUAWK) == theirs


@pytest.mark.parametrize("code", ["0000", "7500", "7600", "7700", "1407", "7345", "0246"])
def test_squawk_there_and_back(code: str) -> None:
    assert SQUAWK[encoder.squawk13(code)] == code


def test_squitter_altitude_is_the_reply_altitude_without_the_metric_bit() -> None:
    for feet in range(-1000, 50_200, 25):
        assert squitter_altitude_ft(encoder.altitude12(feet)) == feet
        assert ALTITUDE_FT[encoder.altitude13(feet)] == feet
