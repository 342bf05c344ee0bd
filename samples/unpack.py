"""Take the recordings that the demo and the bench use out of a downloaded package.

    python samples/unpack.py traffic-2.13-py3-none-any.whl samples

The package is `traffic` by Xavier Olive (MIT licence), pinned and checked by hash in `locks/samples.lock`. It is
opened as an archive, never installed or imported. Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

FOLDER = "traffic/data/samples/"

# member of the package -> name here; a name that adds .gz is compressed
WANTED = {
    "noisy/noisy_spoofing.json.gz": "noisy_spoofing.json.gz",
    "noisy/noisy_time_issue.json.gz": "noisy_time_issue.json.gz",
    "military/aircraft_carrier.json.gz": "aircraft_carrier.json.gz",
    "military/inflight_refuelling.json.gz": "inflight_refuelling.json.gz",
    "calibration/bornholm.json.gz": "bornholm.json.gz",
    "calibration/kiruna.json.gz": "kiruna.json.gz",
    "surveillance/border_control.json.gz": "border_control.json.gz",
    "onground/zurich_airport.json.gz": "zurich_airport.json.gz",
    "readsb/trace_full_ac671b.json": "trace_full_ac671b.json.gz",
    "rs1090/full_flight_short.jsonl": "full_flight_short.jsonl.gz",
    "dump1090/sample_dump1090.bin": "sample_dump1090.bin",
}


def unpack(package: Path, folder: Path) -> list[str]:
    """Write the wanted recordings into `folder`; return one line for each: digest, name, origin."""
    lines = []
    with zipfile.ZipFile(package) as archive:
        for member, name in WANTED.items():
            content = archive.read(FOLDER + member)
            if name == f"{Path(member).name}.gz":
                content = gzip.compress(content, compresslevel=6, mtime=0)
            (folder / name).write_bytes(content)
            lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}  {FOLDER}{member}")
    return lines


def origin(package: Path) -> str:
    """The package's own statement of name, version, author and licence."""
    with zipfile.ZipFile(package) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    licence = headers.get("License-Expression") or headers.get("License") or "not stated"
    author = headers.get("Author") or headers.get("Author-email") or "not stated"
    return f"From {headers['Name']} {headers['Version']} by {author}. Licence: {licence.splitlines()[0]}."


def main(arguments: list[str]) -> int:
    """Unpack `arguments[0]` into `arguments[1]`; the list of what was made is written last."""
    if len(arguments) != 2:
        print("usage: python samples/unpack.py PACKAGE.whl FOLDER", file=sys.stderr)
        return 2
    package, folder = Path(arguments[0]), Path(arguments[1])
    lines = unpack(package, folder)
    (folder / "SOURCES.txt").write_text("\n".join([origin(package), "", *lines, ""]), encoding="utf-8")
    print(f"samples: {len(lines)} recordings in {folder}/")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
