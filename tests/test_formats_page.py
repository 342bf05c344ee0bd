"""docs/formats.md is what the schemas say."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from types import ModuleType

import pytest

from airvigil.errors import DecodeError
from airvigil.feeds.feed import FeedOptions
from airvigil.feeds.open_feed import open_feed
from airvigil.reports import concat_reports
from conftest import ROOT


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_formats", ROOT / "docs" / "make_formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_formats_page_is_current() -> None:
    kept = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert kept == generator().page(), "regenerate with: make docs"


def test_every_documented_feed_reason_is_given_by_some_feed() -> None:
    feeds = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "src" / "airvigil" / "feeds").glob("*.py"))
    unused = [name for name in generator().FEED_REJECTS if not re.search(f'["`]{name}|{name}  ', feeds)]
    assert unused == []


# Each as its format's own feed may meet it; nothing in them is usable.
BROKEN = {
    "beast": [b"junk" * 9, b"\x1a2" + bytes(14), b"\x1a1" + bytes(9), b"\x1a4" + bytes(21), b"\x1a3" + b"\x8d" * 21, b"\x1a3abc"],
    "raw": [b"*8d48;\n", b"*zz;\n", b"1698140962.1,8d4840d6202cc371c32ce0576097\n", b"x" * 70_000 + b"\n", b"a,b\n", b"*1234;\n"],
    "sbs": [b"AIR,,1\n", b"MSG,3\n", b"MSG,3" + b",x" * 20 + b"\n", b"\xff\xfe\n", b"y" * 70_000 + b"\n", b"MSG"],
    "aircraft-json": [b'{"now": 1700000000, "aircraft": [{"hex": 5}, 7, {"hex": "4b1234", "lat": 99, "lon": 5}]}', b'{"aircraft": 1}', b'{"no'],
    "trace": [b'{"icao": "4b1234", "timestamp": 1700000000, "trace": [[0, "x", 5], 3, [1]]}', b"[1]", b'{"tr'],
    "state-vectors": [b"timestamp,icao24,latitude,longitude,altitude,groundspeed,track,vertical_rate\n,zz,1,2,3,4,5,6\n1700000000,4b1234,99,200,x,4,5,6\n"],
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_reason_that_a_feed_gives_is_documented(name: str) -> None:
    documented = generator().reject_reasons()
    given: set[str] = set()
    for piece in BROKEN[name]:
        feed = open_feed(name, FeedOptions(sensor="x", start_ns=1_700_000_000 * 10**9), head=piece)
        with contextlib.suppress(DecodeError):
            rows = concat_reports([feed.decode(piece, 1_700_000_000 * 10**9), feed.finish()])
            given |= {reason for reason in rows["reject_reason"].to_pylist() if reason is not None}
    assert given, "the broken input was not noticed"
    assert {re.sub(":.*", ":", reason) for reason in given} <= set(documented)
