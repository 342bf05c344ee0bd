"""AIXM 5.1 and 5.1.1 messages as features: what is in the XML, before anything of it is understood.

Rules
- A document is refused that has a DTD or entities, is not in an ASCII-compatible encoding, is not well-formed, goes beyond the parser's
  own limits (depth 256, texts of 10 MB) or beyond MAX_BYTES. Nothing is fetched, no link is followed out of the documents.
- Features are read one after another. Kept are airspaces, borders, and what some link of the document names; of the rest
  only the kind is counted.
- Ids are looked up in a table: a document of any size costs time in proportion to its bytes.

Sources: AIXM 5.1.1 (EUROCONTROL, FAA), GML 3.2.1 (OGC 07-036), OGC 12-028r1 for links to features and points.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from airvigil.errors import AirspaceError

MAX_BYTES = 512_000_000
MAX_MARKUP = 2_000_000  # tags and attributes of one feature
LINES_COUNTED = 65_535  # the parser counts no further; beyond, ids are looked for in the text
MESSAGE_ROOTS = ("AIXMBasicMessage", "FeatureCollection")
MEMBERS = ("{*}hasMember", "{*}member", "{*}featureMember")
KEPT_KINDS = ("Airspace", "GeoBorder")
AIXM_NAMESPACES = ("http://www.aixm.aero/schema/5.1", "http://www.aixm.aero/schema/5.1.1")
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
GML_ID = "{http://www.opengis.net/gml/3.2}id"
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"iso-8859-15", b"windows-1252"}
_HREF = re.compile(rb"""\bhref\s*=\s*["']([^"']+)["']""")
_MEMBER_END = re.compile(rb"[mM]ember\s*>")
_ID = re.compile(rb"""\bid\s*=\s*["']([^"']+)["']""")

Element: TypeAlias = Any  # lxml ships no types


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature element.

    Attributes:
        kind: "Airspace", "GeoBorder", "DesignatedPoint" ...
        key: its UUID in lower case, from gml:identifier or else gml:id.
        document: number of the document that it stands in.
        place: kind and id, for messages; with the document's name before if there are several.
    """

    kind: str
    key: str
    element: Element
    document: int
    line: int
    place: str


@dataclass
class Library:
    """The features of several documents.

    Attributes:
        features: by key; several of one key come from several documents, or are its slices apart.
        by_id: (document, gml:id) of elements that a local link names.
        kinds: how many features of each kind there were, kept or not.
    """

    names: tuple[str, ...]
    features: dict[str, list[Feature]] = field(default_factory=dict)
    by_id: dict[tuple[int, str], Element] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    line_tables: list[dict[str, int]] = field(default_factory=list)

    def line(self, element: Element, document: int) -> int:
        """Line on which an element begins, or that of the nearest one around it whose line is known; 0 for none."""
        table = self.line_tables[document]
        if not table:
            return int(element.sourceline or 0)
        while element is not None:
            found = table.get(element.get(GML_ID) or "")
            if found:
                return found
            element = element.getparent()
        return 0


def local(element: Element) -> str:
    """Name without namespace."""
    return str(element.tag).rpartition("}")[2]


def child(element: Element | None, *path: str) -> Element | None:
    """The first descendant along a path of local names, or None."""
    for name in path:
        if element is None:
            return None
        element = element.find(f"{{*}}{name}")
    return element


def text_of(element: Element | None) -> str:
    """Text of an element without surrounding space; empty for none or a nil one."""
    return "" if element is None or is_nil(element) else " ".join((element.text or "").split())


def is_nil(element: Element) -> bool:
    """Whether it says that it has no value."""
    return element.get(XSI_NIL) in ("true", "1")


def key_of(link: str) -> str:
    """The key that a link or an id names: its UUID without what stands before.

    Example:
        >>> key_of("urn:uuid:F4D5E4D4-d84a"), key_of("uuid.f4d5e4d4-d84a"), key_of("#p9898")
        ('f4d5e4d4-d84a', 'f4d5e4d4-d84a', 'p9898')
    """
    return re.sub(r"^(#|urn:uuid:|uuid\.|uuid:)+", "", link.strip(), flags=re.IGNORECASE).lower()


def read_documents(documents: Sequence[tuple[bytes, str]], kinds: Sequence[str] = KEPT_KINDS) -> Library:
    """All features of several documents.

    Args:
        documents: (bytes, name) each, the name for messages.
        kinds: which kinds are kept whether or not something links to them.

    Raises:
        AirspaceError: a document that is not AIXM 5.1, or that goes beyond what a parser may be asked; naming it.
    """
    library = Library(tuple(name for _, name in documents))
    for number, (raw, name) in enumerate(documents):
        _check_bytes(raw, name)
        _check_markup(raw, name)
        library.line_tables.append(_line_table(raw))
        linked = {match.decode("utf-8", "replace") for match in _HREF.findall(raw)}
        wanted_ids = {link[1:] for link in linked if link.startswith("#")}
        wanted_keys = {key_of(link) for link in linked}
        for feature in _features(raw, name, number, library):
            library.kinds[feature.kind] += 1
            if feature.kind in kinds or feature.key in wanted_keys:
                library.features.setdefault(feature.key, []).append(feature)
                _index_ids(feature.element, number, wanted_ids, library, is_kept=True)
                continue
            _index_ids(feature.element, number, wanted_ids, library, is_kept=False)
            feature.element.clear()
    return library


def _check_bytes(raw: bytes, name: str) -> None:
    if len(raw) > MAX_BYTES:
        raise AirspaceError(f"{name}: expected at most {MAX_BYTES:,} bytes, got {len(raw):,}")
    found = _ENCODING.search(raw, 0, 400)
    if b"\0" in raw[:400] or (found and found[1].lower() not in _ENCODINGS):
        shown = found[1].decode("ascii") if found else "UTF-16 or a binary file"
        raise AirspaceError(f"{name}: expected XML in UTF-8, got {shown}")
    for word in (b"<!DOCTYPE", b"<!ENTITY"):
        at = raw.find(word)
        if at >= 0:
            line = raw.count(b"\n", 0, at) + 1
            raise AirspaceError(
                f"{name}: line {line}: {word.decode()} is not read",
                hint="AIXM messages have no DTD and no entities; take them out if you trust the file",
            )


def _check_markup(raw: bytes, name: str) -> None:
    """A tag of four bytes becomes a node of two hundred: what one feature may make of memory is bounded before it is made."""
    begun = 0
    for end in (*(match.start() for match in _MEMBER_END.finditer(raw)), len(raw)):
        markup = raw.count(b"<", begun, end) + raw.count(b"=", begun, end)
        if markup > MAX_MARKUP:
            line = raw.count(b"\n", 0, begun) + 1
            raise AirspaceError(
                f"{name}: line {line}: over {MAX_MARKUP:,} tags and attributes in one feature"
            )
        begun = end


def _line_table(raw: bytes) -> dict[str, int]:
    """Line of every id, for documents longer than the parser counts; else empty."""
    if raw.count(b"\n") < LINES_COUNTED:
        return {}
    table: dict[str, int] = {}
    line, before = 1, 0
    for match in _ID.finditer(raw):
        line += raw.count(b"\n", before, match.start())
        before = match.start()
        table.setdefault(match[1].decode("utf-8", "replace"), line)
    return table


def _features(raw: bytes, name: str, number: int, library: Library) -> Iterator[Feature]:
    events = etree.iterparse(
        io.BytesIO(raw),
        events=("end",),
        tag=MEMBERS,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    members = 0
    try:
        for _, element in events:
            root = element.getparent()
            if root is None or root.getparent() is not None:
                continue
            if not members:
                _check_root(root, name)
            members += 1
            for content in element.iterchildren("*"):
                yield _feature(content, name, number, library)
    except etree.XMLSyntaxError as error:
        reason = (error.msg or "").partition("\n")[0].partition(":")[0].partition(", line")[0].strip().lower()
        raise AirspaceError(f"{name}: not well-formed XML at line {error.lineno or 0}: {reason}") from error
    if not members:
        _check_root(events.root, name)
        raise AirspaceError(f"{name}: no features in it")


def _check_root(root: Element, name: str) -> None:
    namespace = str(root.tag)[1:].partition("}")[0]
    is_aixm = any(str(space) in AIXM_NAMESPACES for space in root.nsmap.values()) or "5.1" in namespace
    if local(root) in MESSAGE_ROOTS and is_aixm:
        return
    if "AIXM" in local(root).upper() or "aixm" in namespace:
        raise AirspaceError(
            f"{name}: expected AIXM 5.1 or 5.1.1, got {local(root)} of {namespace or 'no namespace'}",
            hint="AIXM 4.5 and 5.2 are not read",
        )
    raise AirspaceError(f"{name}: expected an AIXM message, got <{local(root)[:60]}>")


def _feature(element: Element, name: str, number: int, library: Library) -> Feature:
    identifier = text_of(child(element, "identifier")) or element.get(GML_ID) or ""
    line = library.line(element, number)
    kind = local(element)
    label = f"{name}: " if len(library.names) > 1 else ""
    place = f"{label}{kind}[{identifier[:60]}]"
    return Feature(kind, key_of(identifier), element, number, line, place)


def _index_ids(element: Element, document: int, wanted: set[str], library: Library, *, is_kept: bool) -> None:
    """Remember linked elements; those of a feature that is dropped become trees of their own."""
    if not wanted:
        return
    for found in element.iter("*"):
        gml_id = found.get(GML_ID)
        if gml_id in wanted:
            copy = found if is_kept else etree.fromstring(etree.tostring(found, with_tail=False))
            library.by_id.setdefault((document, str(gml_id)), copy)
