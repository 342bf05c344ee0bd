"""Volumes written by hand: circles, corridors and polygons in a short YAML file.

    airspace:
      - id: RANGE 5
        circle: {centre: 59:25:00 N 025:10:00 E, radius: 5 NM}
        lower: GND
        upper: FL95
        activation:
          - {from: 2026-05-01T06:00Z, to: 2026-09-30T18:00Z, days: MON-FRI, hours: 0800-1630}
        may_enter: range control's own aircraft
      - id: GATE
        corridor:
          line: [59.40 N 24.50 E, 59.60 N 24.90 E]
          half_width: 3000 m
        upper: 2500 ft AMSL

The whole is in docs/airspace-files.md.

Rules
- A place is a text with its letters, so that nobody has to remember which comes first. Lengths carry m, km or NM.
- Edges of polygons are geodesics unless `edges: lonlat` says otherwise. A corridor's centre line is geodesic, its ends are round.
- Without `lower` or `upper` there is no such limit; without `activation` it is permanent.
- A key that is not known is an error, for a misspelt limit would otherwise be no limit. Errors carry the line. Aliases, tags and
  documents after the first are refused, size and depth bounded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray

from airvigil.airspace.activation import PERMANENT, Activation, Window
from airvigil.airspace.limits import NO_LOWER, NO_UPPER, Limit, parse_limit
from airvigil.airspace.sources.antimeridian import within_longitudes
from airvigil.airspace.sources.arcs import circle_ring, corridor_rings
from airvigil.airspace.sources.loaded import Loaded, Remark, with_unique_ids
from airvigil.airspace.sources.openair_words import ALWAYS_NS
from airvigil.airspace.sources.written_places import parse_place
from airvigil.airspace.volumes import EDGE_KINDS, Volume, make_volume
from airvigil.errors import AirspaceError
from airvigil.units import M_PER_NM, utc_ns

Read = TypeVar("Read")

MAX_BYTES = 1_000_000  # written by hand
MAX_DEPTH = 12
MAX_NODES = 200_000
MAX_POSITIONS = 1_000_000
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
KEYS = frozenset(
    {"id", "name", "circle", "corridor", "polygon", "holes", "lower", "upper", "activation", "class", "type"}
    | {"may_enter", "kind", "edges", "boundary_uncertainty_m", "version"}
)
_LENGTH = re.compile(r"(\d{1,7}(?:\.\d{1,6})?)\s*(m|km|NM|nm)")
_HOURS = re.compile(r"(\d{2}):?(\d{2})-(\d{2}):?(\d{2})")
_METRES = {"m": 1.0, "km": 1000.0, "NM": M_PER_NM, "nm": M_PER_NM}


def load_shapes(
    raw: bytes, name: str, *, kind: str | None = None, edge_kind: str | None = None, version: str = ""
) -> Loaded:
    """Volumes from the bytes of a YAML file of shapes.

    Args:
        raw: the whole file.
        name: the file's name, for messages and as the volumes' source.
        kind, edge_kind: of all volumes, over what the file says.
        version: of volumes that state none; the digest of `raw` by itself.

    Raises:
        AirspaceError: with the line. A volume that cannot be made is in `rejected` instead.
    """
    root = _parsed(raw, name)
    entries = _mapping(root, {"airspace"}).get("airspace")
    if not isinstance(entries, yaml.SequenceNode):
        raise AirspaceError(f"{name}: line {_line(root)}: expected `airspace:` with a list below it")
    digest = version or f"file SHA-256 {hashlib.sha256(raw).hexdigest()}"
    text = raw.decode("utf-8-sig").splitlines()
    volumes: list[Volume] = []
    rejected: list[Remark] = []
    positions = 0
    for entry in entries.value:
        if positions > MAX_POSITIONS:
            raise AirspaceError(f"{name}: line {_line(entry)}: more than {MAX_POSITIONS:,} positions")
        original = "\n".join(text[entry.start_mark.line : entry.end_mark.line])
        try:
            volumes.append(_volume(entry, name, digest, original, kind, edge_kind))
            positions += sum(len(ring) for ring in volumes[-1].rings)
        except _AtLineError as error:
            rejected.append(Remark(error.line, str(error)))
        except AirspaceError as error:
            rejected.append(Remark(_line(entry), str(error)))
    unique, changed = with_unique_ids(volumes)
    remarks = [Remark(0, f"{changed} ids were there already and got a number behind them")] if changed else []
    return Loaded("shapes", unique, tuple(rejected), tuple(remarks))


class _AtLineError(AirspaceError):
    """Something is wrong at one line."""

    def __init__(self, node: yaml.Node, message: str) -> None:
        super().__init__(message)
        self.line = _line(node)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _parsed(raw: bytes, name: str) -> yaml.Node:
    """The document's one node: no aliases, no tags, no object is made of it.

    Raises:
        AirspaceError: with the line.
    """
    if len(raw) > MAX_BYTES:
        raise AirspaceError(f"{name}: expected at most {MAX_BYTES:,} bytes of YAML, got {len(raw):,}")
    try:
        text = raw.decode("utf-8-sig")
        _bounded(yaml.parse(text, yaml.SafeLoader), name)
        node = yaml.compose(text, yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise AirspaceError(f"{name}: not YAML in UTF-8 ({error})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise AirspaceError(f"{name}: not YAML{where}: {getattr(error, 'problem', None) or error}") from error
    if node is None:
        raise AirspaceError(f"{name}: nothing in it")
    return node


def _bounded(events: Iterator[yaml.Event], name: str) -> None:
    depth = 0
    for number, event in enumerate(events):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise AirspaceError(f"{name}: line {line}: an alias (*name); write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if getattr(event, "tag", None):
            raise AirspaceError(f"{name}: line {line}: a tag ({str(event.tag)[:40]})")
        if depth > MAX_DEPTH or number > MAX_NODES:
            raise AirspaceError(f"{name}: line {line}: more than {MAX_DEPTH} levels or {MAX_NODES:,} values")


def _mapping(node: yaml.Node, known: frozenset[str] | set[str]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _AtLineError(node, "expected `key: value` lines")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        word = key.value if isinstance(key, yaml.ScalarNode) else None
        if word is None or word not in known:
            raise _AtLineError(key, f"unknown key {word!r}; there are {', '.join(sorted(known))}")
        if word in found:
            raise _AtLineError(key, f"{word} is there twice")
        found[word] = value
    return found


def _text(node: yaml.Node | None, missing: str = "") -> str:
    if node is None:
        return missing
    if not isinstance(node, yaml.ScalarNode):
        raise _AtLineError(node, "expected a text")
    return str(node.value).strip()


def _items(node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _AtLineError(node, "expected a list")
    return list(node.value)


def _at(node: yaml.Node, read: Callable[[str], Read]) -> Read:
    try:
        return read(_text(node))
    except _AtLineError:
        raise
    except AirspaceError as error:
        raise _AtLineError(node, f"{error}: {_text(node)[:60]!r}") from error


def _metres(text: str) -> float:
    found = _LENGTH.fullmatch(text)
    if not found:
        raise AirspaceError("expected a length such as 3000 m, 3 km or 2.5 NM")
    return float(found[1]) * _METRES[found[2]]


@dataclass(frozen=True)
class _Shape:
    rings: list[NDArray[np.float64]]
    written: tuple[str, ...]


def _shape(words: dict[str, yaml.Node], entry: yaml.Node, edge_kind: str) -> _Shape:
    given = [key for key in ("circle", "corridor", "polygon") if key in words]
    if len(given) != 1:
        raise _AtLineError(
            entry, f"expected one of circle, corridor, polygon, got {', '.join(given) or 'none'}"
        )
    if "holes" in words and given != ["polygon"]:
        raise _AtLineError(words["holes"], "only a polygon has holes")
    node = words[given[0]]
    if given == ["circle"]:
        parts = _required(node, ("centre", "radius"))
        ring = circle_ring(_at(parts["centre"], parse_place), _at(parts["radius"], _metres))
        return _Shape(within_longitudes([ring], edge_kind), ("circle",))
    if given == ["corridor"]:
        parts = _required(node, ("line", "half_width"))
        line = [_at(place, parse_place) for place in _items(parts["line"])]
        rings = corridor_rings(line, _at(parts["half_width"], _metres))
        return _Shape(within_longitudes(rings, edge_kind), ("corridor",))
    rings = [_ring(node), *(_ring(hole) for hole in (_items(words["holes"]) if "holes" in words else ()))]
    return _Shape(within_longitudes(rings, edge_kind), ())


def _required(node: yaml.Node, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
    parts = _mapping(node, set(keys))
    for key in keys:
        if key not in parts:
            raise _AtLineError(node, f"no {key}")
    return parts


def _ring(node: yaml.Node) -> NDArray[np.float64]:
    places = [_at(place, parse_place) for place in _items(node)]
    if len(places) > 1 and places[0] == places[-1]:
        places.pop()
    if len(places) < 3:
        raise _AtLineError(node, f"expected at least 3 corners, got {len(places)}")
    return np.array([*places, places[0]])


def _limit(node: yaml.Node | None, unlimited: Limit) -> Limit:
    if node is None:
        return unlimited
    height, reference = _at(node, parse_limit)
    if reference == "none" and np.isfinite(height):
        raise _AtLineError(node, f"{_text(node)!r} without a reference: write 2500 ft AMSL, 300 m AGL, FL95")
    return Limit(height, reference, _text(node))


def _activation(node: yaml.Node | None) -> Activation:
    if node is None:
        return PERMANENT
    if isinstance(node, yaml.ScalarNode):
        word = _text(node)
        if word not in ("permanent", "H24", "unknown"):
            raise _AtLineError(node, "expected permanent, H24, unknown, or a list of windows")
        return Activation("unknown" if word == "unknown" else "permanent", (), word)
    windows, texts = [], []
    for item in _items(node):
        words = _mapping(item, {"from", "to", "days", "hours"})
        windows.append(_window(words, item))
        texts.append(", ".join(f"{key} {_text(value)}" for key, value in words.items()))
    return Activation("schedule", tuple(windows), "; ".join(texts))


def _window(words: dict[str, yaml.Node], item: yaml.Node) -> Window:
    start = _at(words["from"], _instant_ns) if "from" in words else -ALWAYS_NS
    end = _at(words["to"], _instant_ns) if "to" in words else ALWAYS_NS
    if start >= end:
        raise _AtLineError(item, "a window that ends before it begins")
    days = _at(words["days"], _weekdays) if "days" in words else tuple(range(7))
    from_s, to_s = _at(words["hours"], _hours) if "hours" in words else (0, 86_400)
    return Window(start, end, days, from_s, to_s)


def _instant_ns(text: str) -> int:
    if not text.endswith("Z"):
        raise AirspaceError("expected a time in UTC such as 2026-05-01T06:00Z")
    try:
        return utc_ns(text)
    except ValueError:
        raise AirspaceError("expected a time in UTC such as 2026-05-01T06:00Z") from None


def _weekdays(text: str) -> tuple[int, ...]:
    """Days of a text such as "MON-FRI, SUN", 0 for Monday; a range may run over Sunday."""
    days: set[int] = set()
    for part in text.upper().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise AirspaceError("expected days such as MON-FRI,SUN")
        span = (DAYS.index(last or first) - DAYS.index(first)) % 7
        days |= {(DAYS.index(first) + k) % 7 for k in range(span + 1)}
    return tuple(sorted(days))


def _hours(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if not found:
        raise AirspaceError("expected hours in UTC such as 0800-1630")
    begins, ends = (int(found[k]) * 3600 + int(found[k + 1]) * 60 for k in (1, 3))
    if max(int(found[2]), int(found[4])) > 59 or max(begins, ends) > 86_400 or begins == 86_400:
        raise AirspaceError("expected hours in UTC such as 0800-1630")
    return begins, ends


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise AirspaceError("expected a number") from None


def _volume(
    entry: yaml.Node, source: str, version: str, original: str, kind: str | None, edge_kind: str | None
) -> Volume:
    words = _mapping(entry, KEYS)
    edges = edge_kind or _text(words.get("edges"), "geodesic")
    if edges not in EDGE_KINDS:
        raise _AtLineError(words["edges"], f"expected geodesic or lonlat, got {edges[:40]!r}")
    shape = _shape(words, entry, edges)
    uncertainty = words.get("boundary_uncertainty_m")
    return make_volume(
        _text(words.get("id")) or f"line {_line(entry)}",
        shape.rings,
        name=_text(words.get("name")),
        kind=kind or _text(words.get("kind"), "user"),
        lower=_limit(words.get("lower"), NO_LOWER),
        upper=_limit(words.get("upper"), NO_UPPER),
        activation=_activation(words.get("activation")),
        airspace_class=_text(words.get("class")),
        airspace_type=_text(words.get("type")),
        may_enter=_text(words.get("may_enter")),
        edge_kind=edges,
        edges_written=shape.written,
        boundary_uncertainty_m=0.0 if uncertainty is None else _at(uncertainty, _number),
        source=source,
        version=_text(words.get("version")) or version,
        place=f"line {_line(entry)}",
        original=original,
    )
