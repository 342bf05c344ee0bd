"""SVG elements as text, with every attribute and every text escaped.

Callsigns and names come from outside; an escaped string cannot end an element or open a script.
Characters that XML 1.0 forbids are replaced, so that the picture always parses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: object) -> str:
    """The text without the characters that XML 1.0 (clause 2.2) forbids."""
    return _FORBIDDEN.sub("\ufffd", str(text))


def number(value: float) -> str:
    """A coordinate with at most one decimal, no negative zero.

    Example:
        >>> number(12.0), number(-0.04), number(3.14)
        ('12', '0', '3.1')
    """
    text = f"{value:.1f}"
    if text.endswith(".0"):
        text = text[:-2]
    return "0" if text == "-0" else text


def element(name: str, *children: str, **attributes: object) -> str:
    """One element. Children are markup already; attributes are escaped here.

    Attribute names: a trailing underscore is dropped (`class_`), inner ones become hyphens;
    None leaves the attribute out; floats are written with one decimal.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        text = number(value) if isinstance(value, float) else clean(value)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(text, quote=True)}"')
    head = " ".join(parts)
    return f"<{head}>{''.join(children)}</{name}>" if children else f"<{head}/>"


def text(x: float, y: float, content: object, **attributes: object) -> str:
    """A text element; the content is escaped."""
    return element("text", escape(clean(content)), x=float(x), y=float(y), **attributes)


def title(content: object) -> str:
    """The tooltip and accessible name of the element that holds it."""
    return element("title", escape(clean(content)))


def points(xy: FloatArray) -> str:
    """Value of a `points` attribute from (n, 2) coordinates."""
    return " ".join(f"{number(x)},{number(y)}" for x, y in xy.tolist())


def path(lines: Iterable[FloatArray], *, closed: bool = False) -> str:
    """Value of a `d` attribute: relative steps, since they take half the bytes.

    Args:
        lines: arrays (n, 2); those with fewer than two vertices are left out.
        closed: end each piece with `z`.
    """
    pieces: list[str] = []
    for line in lines:
        if len(line) < 2:
            continue
        tenths = np.rint(np.asarray(line) * 10.0).astype(np.int64)
        steps = np.diff(tenths, axis=0)
        steps = steps[(steps != 0).any(axis=1)]
        if not len(steps):
            continue
        x, y = tenths[0]
        run = "l" + " ".join(f"{_tenths(dx)},{_tenths(dy)}" for dx, dy in steps.tolist())
        pieces.append(f"M{_tenths(int(x))},{_tenths(int(y))}{run}{'z' if closed else ''}")
    return "".join(pieces)


def _tenths(value: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(abs(value), 10)
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def split_at_gaps(xy: FloatArray, breaks: npt.NDArray[np.bool_] | None = None) -> list[FloatArray]:
    """Pieces of a line without NaN vertices, also cut before each index where `breaks` is true.

    Args:
        xy: (n, 2); a vertex with NaN belongs to no piece.
        breaks: (n,) or None.
    """
    if not len(xy):
        return []
    bad = np.asarray(np.isnan(xy).any(axis=1), dtype=np.bool_)
    cut = bad.copy()
    cut[1:] |= bad[:-1]
    if breaks is not None:
        cut |= breaks
    starts = np.flatnonzero(cut)
    pieces = np.split(np.arange(len(xy)), starts)
    return [xy[keep] for piece in pieces if len(keep := piece[~bad[piece]])]
