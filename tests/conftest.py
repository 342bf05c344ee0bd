"""What all tests share: where recordings and services are, fixed seeds, and where compiled kernels are kept.

A test that lacks what it needs skips and says what to set. Where AIRVIGIL_REQUIRE_SERVICES=1, as in CI, a missing
service is a failure instead: a skip there would hide that nothing was tested.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent


# Where kernels, and the constants that are compiled into them, come from. The Makefile has the same list.
KERNEL_SOURCES = ("units.py", "reports.py", "settings.py", "feeds", "tracking", "airspace", "incidents")


def _kernel_cache() -> Path:
    """Folder for compiled kernels, one for each state of their sources.

    Numba does not notice when another file changes that a cached kernel takes a kernel or a constant from; a test would
    then pass or fail on old code.
    """
    package = ROOT / "src" / "airvigil"
    sources = [package / name for name in KERNEL_SOURCES if name.endswith(".py")]
    sources += [path for name in KERNEL_SOURCES for path in (package / name).rglob("*.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources, key=str)))
    return ROOT / ".cache" / "numba" / digest.hexdigest()[:12]


# A shell that starts the tests in the background has them ignore interrupts, and all that they start with them.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Before any test module imports Numba.
os.environ.setdefault("NUMBA_CACHE_DIR", str(_kernel_cache()))

# "ci" is the default everywhere: the same examples each time, no example database, no deadline (a kernel's first call
# compiles). AIRVIGIL_HYPOTHESIS=search looks for new examples instead; what it finds becomes an @example.
settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("AIRVIGIL_HYPOTHESIS", "ci"))


def _absent(what: str, remedy: str) -> NoReturn:
    """Skip for want of a service, or fail where services are required."""
    if os.environ.get("AIRVIGIL_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is missing and AIRVIGIL_REQUIRE_SERVICES=1: {remedy}")
    pytest.skip(f"{what} is missing: {remedy}")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of real recordings, which are not part of the project."""
    named = os.environ.get("AIRVIGIL_RECORDINGS")
    if not named:
        pytest.skip("AIRVIGIL_RECORDINGS is not set: no real recordings to test with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"AIRVIGIL_RECORDINGS names a folder that does not exist: {named}")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of the demo's recordings, as `make samples` leaves it."""
    folder = ROOT / "samples"
    if not (folder / "SOURCES.txt").is_file():
        pytest.skip("samples/ is empty: run make samples")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that can be started without a screen."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    _absent("Chromium", "run make services")
