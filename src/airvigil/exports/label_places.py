"""Where the labels of a map go: greedily, each at the candidate place that hides least.

Deterministic: the same labels in the same order get the same places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from airvigil.exports.run_view import FloatArray

Box = tuple[float, float, float, float]  # left, top, right, bottom

_DIRECTIONS = tuple((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in (7, 1, 5, 3, 6, 2, 0, 4))


@dataclass
class LabelPlaces:
    """The boxes taken so far on a paper, and the drawn points that a label should not cover."""

    width: float
    height: float
    obstacles: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    taken: list[Box] = field(default_factory=list)

    def avoid(self, xy: FloatArray) -> None:
        """Add a drawn line, as points at most 5 units apart."""
        dense = [xy]
        for begin, end in pairwise(xy):
            steps = min(int(np.hypot(*(end - begin)) // 5.0), 400)
            if steps > 0:
                share = np.linspace(0.0, 1.0, steps + 2)[1:-1, None]
                dense.append(begin + (end - begin) * share)
        self.obstacles = np.vstack([self.obstacles, *dense])

    def place(self, x: float, y: float, lines: list[str], *, size: float = 13.0, reach: float = 14.0) -> Box:
        """Box for a label that belongs to the point (x, y); it is then taken."""
        width = max(len(line) for line in lines) * size * 0.56 + 8.0
        height = len(lines) * size * 1.25 + 4.0
        best, best_cost = (x, y, x + width, y + height), math.inf
        for factor in (1.0, 2.2, 4.0):
            for dx, dy in _DIRECTIONS:
                centre_x = x + dx * (reach * factor + width / 2.0)
                centre_y = y + dy * (reach * factor + height / 2.0)
                box = (
                    centre_x - width / 2,
                    centre_y - height / 2,
                    centre_x + width / 2,
                    centre_y + height / 2,
                )
                cost = self._cost(box) + 3.0 * factor
                if cost < best_cost:
                    best, best_cost = box, cost
        self.taken.append(best)
        return best

    def is_free(self, box: Box) -> bool:
        """True if the box lies on the paper and touches no label."""
        left, top, right, bottom = box
        on_paper = left >= 2 and top >= 2 and right <= self.width - 2 and bottom <= self.height - 2
        return on_paper and not any(_overlap(box, other) for other in self.taken)

    def _cost(self, box: Box) -> float:
        left, top, right, bottom = box
        out = max(0.0, 4 - left, 4 - top, right - self.width + 4, bottom - self.height + 4)
        x, y = self.obstacles[:, 0], self.obstacles[:, 1]
        covered = int(((x > left) & (x < right) & (y > top) & (y < bottom)).sum())
        return 100.0 * out + 200.0 * sum(_overlap(box, other) for other in self.taken) + 4.0 * covered


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
