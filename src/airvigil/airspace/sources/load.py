"""Any airspace file, told by its content and never by its name.

| content | read by |
|---|---|
| JSON that says `airvigil` | `normalised`: our own, volume for volume |
| JSON otherwise | `geojson` |
| XML with root `kml` | `kml_volumes` |
| XML with an AIXM root | `aixm`, as of one instant |
| text with a line `AC ...` | `openair` |
| text with a line `airspace:` | `shapes_yaml` |

Every volume's version names the SHA-256 of the file, unless it is our own, which names that of the first source.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from airvigil.airspace.sources.geojson import parse, volumes_of
from airvigil.airspace.sources.loaded import Loaded, Remark, with_unique_ids
from airvigil.airspace.sources.normalised import is_normalised, read_normalised
from airvigil.airspace.volumes import EDGE_KINDS, VOLUME_KINDS, Volume
from airvigil.errors import AirspaceError

HEAD_BYTES = 1 << 16
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,60}:)?([A-Za-z_][\w.-]{0,60})")
_OPENAIR = re.compile(rb"^[ \t]*(?:AC|AN|DP|TO|TC)[ \t]+\S", re.MULTILINE)
_SHAPES = re.compile(rb"^airspace[ \t]*:", re.MULTILINE)
_BOMS = (b"\xff\xfe", b"\xfe\xff")


def load_file(
    raw: bytes,
    name: str,
    *,
    at_ns: int | None = None,
    kind: str | None = None,
    edge_kind: str | None = None,
) -> Loaded:
    """Volumes of an airspace file in any format that is known.

    Args:
        raw: the whole file, decompressed.
        name: the file's name, for messages and as the volumes' source.
        at_ns: the instant (ns UTC) as of which a source with versions in time (AIXM) is read.
        kind: of all volumes, over what the file says.
        edge_kind: of all straight edges, over what the file says.

    Raises:
        AirspaceError: no format that is known, or nothing in it can be read.

    Example:
        >>> loaded = load_file(b"AC P\\nAN P1\\nAL GND\\nAH FL 100\\nV X=60:00:00 N 025:00:00 E\\nDC 1\\n", "p.txt")
        >>> loaded.format, [volume.volume_id for volume in loaded.volumes]
        ('openair', ['P1'])
    """
    for value, allowed, what in ((kind, VOLUME_KINDS, "kind"), (edge_kind, EDGE_KINDS, "edge kind")):
        if value is not None and value not in allowed:
            raise AirspaceError(f"{what} must be one of {', '.join(allowed)}, got {value!r}")
    found = detect(raw, name)
    version = f"file SHA-256 {hashlib.sha256(raw).hexdigest()}"
    if found == "geojson":
        loaded = _json(raw, name, version, kind, edge_kind)
    elif found == "aixm":
        loaded = load_aixm_together([(raw, name)], at_ns, kind=kind)
    else:
        # imported when needed: a YAML and an XML reader that most runs never use
        module = {"openair": "openair", "kml": "kml_volumes", "shapes": "shapes_yaml"}[found]
        read = getattr(import_module(f"airvigil.airspace.sources.{module}"), f"load_{found}")
        loaded = read(raw, name, kind=kind, edge_kind=edge_kind, version=version)
    if not loaded.volumes:
        first = f": {loaded.rejected[0]}" if loaded.rejected else ""
        raise AirspaceError(f"{name}: no volume in it, {len(loaded.rejected)} rejected{first}")
    return loaded


def detect(raw: bytes, name: str) -> str:
    """Format of a file: "geojson", "kml", "aixm", "openair" or "shapes".

    Raises:
        AirspaceError: if it is none of them.
    """
    head = raw[:HEAD_BYTES]
    if head.startswith(_BOMS):
        head = head.decode("utf-16", errors="ignore").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] in (b"{", b"["):
        return "geojson"
    if head[:1] == b"<":
        root = _ROOT.search(re.sub(rb"<!--.*?(?:-->|\Z)|<\?.*?\?>", b"", head, flags=re.DOTALL))
        local = root[1] if root else b""
        if local.lower() == b"kml":
            return "kml"
        if local in (b"AIXMBasicMessage", b"BasicMessage", b"AIXM-Snapshot") or b"aixm" in head:
            return "aixm"
        raise AirspaceError(f"{name}: XML, but neither KML nor AIXM: root {local.decode(errors='replace')!r}")
    if b"\x00" not in head:
        if _OPENAIR.search(head):
            return "openair"
        if _SHAPES.search(head):
            return "shapes"
    raise AirspaceError(
        f"{name}: not an airspace file that is known",
        hint="GeoJSON, OpenAir, KML, KMZ, AIXM 5.1, or YAML shapes; see docs/airspace-files.md",
    )


def _json(raw: bytes, name: str, version: str, kind: str | None, edge_kind: str | None) -> Loaded:
    document = parse(raw, name)
    if is_normalised(document):
        volumes = read_normalised(document, name)
        if edge_kind is not None and any(volume.edge_kind != edge_kind for volume in volumes):
            raise AirspaceError(
                f"{name}: its edges are what its source said", hint="import the source with --edge-kind"
            )
        return _finished("airvigil", _with_kind(volumes, kind))
    volumes, faults = volumes_of(document, name, kind=kind, edge_kind=edge_kind, version=version)
    rejected = tuple(Remark(0, str(fault).removeprefix(f"{name}: ")) for fault in faults)
    return replace(_finished("geojson", volumes), rejected=rejected)


def load_aixm_together(
    documents: Sequence[tuple[bytes, str]], at_ns: int | None, *, kind: str | None = None
) -> Loaded:
    """AIXM documents as one: a data set and the digital NOTAMs to it.

    Args:
        documents: (bytes, name) each.
        at_ns: the instant (ns UTC) as of which they are read.

    Raises:
        AirspaceError: no instant, or a document that cannot be read.
    """
    names = ", ".join(name for _, name in documents)
    if at_ns is None:
        raise AirspaceError(
            f"{names}: AIXM has versions in time, and no instant was named",
            hint="name it: --at 2026-05-01T10:00Z (of a replay: --airspace-at)",
        )
    loaded: Loaded = import_module("airvigil.airspace.sources.aixm").load_aixm(list(documents), at_ns)
    digests = ", ".join(hashlib.sha256(raw).hexdigest() for raw, _ in documents)
    version = f"file SHA-256 {digests}"
    stamped = [
        volume if "SHA-256" in volume.version else replace(volume, version=_joined(volume.version, version))
        for volume in loaded.volumes
    ]
    unique = _finished("aixm", _with_kind(stamped, kind))
    return replace(unique, rejected=tuple(loaded.rejected), remarks=(*loaded.remarks, *unique.remarks))


def _joined(own: str, version: str) -> str:
    return f"{own}, {version}" if own else version


def _with_kind(volumes: list[Volume], kind: str | None) -> list[Volume]:
    return volumes if kind is None else [replace(volume, kind=kind) for volume in volumes]


def _finished(name: str, volumes: list[Volume]) -> Loaded:
    unique, changed = with_unique_ids(volumes)
    remarks = [Remark(0, f"{changed} ids were there already and got a number behind them")] if changed else []
    return Loaded(name, unique, (), tuple(remarks))
