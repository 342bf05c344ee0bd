"""docs/formats.md is what the schemas say."""

from __future__ import annotations

import importlib.util
from types import ModuleType

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
    unused = [name for name in generator().FEED_REJECTS if f'"{name}"' not in feeds]
    assert unused == []
