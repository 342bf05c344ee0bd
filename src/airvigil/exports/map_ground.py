"""The ground of a map: land, coast, the boundaries of volumes and their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from airvigil.exports.label_places import LabelPlaces
from airvigil.exports.map_projection import MapFrame, visible_areas, visible_lines
from airvigil.exports.run_view import FloatArray, VolumeShape
from airvigil.exports.svg import element, path, text, title


def ground(coastline: Sequence[FloatArray], frame: MapFrame) -> str:
    """Land filled where coastlines are closed, and the coast itself."""
    areas = visible_areas(coastline, frame, tolerance=0.45)
    _, west, _, east = frame.edge_bounds
    has_seam = west < -180.0 or east > 180.0
    # away from the antimeridian the edge of the land is the coast: no second cut needed
    lines = (
        coastline
        if has_seam
        else [ring for ring in coastline if len(ring) and not np.array_equal(ring[0], ring[-1])]
    )
    coast = visible_lines(lines, frame, tolerance=0.45)
    outline = path(coast) + ("" if has_seam else path(areas, closed=True))
    land = element("path", d=path(areas, closed=True), class_="land", fill_rule="evenodd")
    return land + element("path", d=outline, class_="coast")


def boundaries(volumes: Sequence[VolumeShape], frame: MapFrame, *, infringed: str | None) -> str:
    """Every volume's boundary; the infringed one tinted and stronger."""
    tints, lines = [], []
    for volume in volumes:
        is_it = volume.volume_id == infringed
        rings = list(volume.rings)
        if is_it:
            tints.append(
                element(
                    "path",
                    d=path(visible_areas(rings, frame), closed=True),
                    class_="tint",
                    fill_rule="evenodd",
                )
            )
        border = path(visible_lines(rings, frame))
        if border:
            lines.append(
                (
                    is_it,
                    element(
                        "path",
                        title(f"boundary of {volume.name}"),
                        d=border,
                        class_="border own" if is_it else "border",
                    ),
                )
            )
    lines.sort(key=lambda line: line[0])
    return "".join(tints) + "".join(line for _, line in lines)


def volume_labels(
    volumes: Sequence[VolumeShape], frame: MapFrame, labels: LabelPlaces, *, infringed: str | None
) -> str:
    """The name of each volume where it has room and no track."""
    coarse = np.unique(np.rint(labels.obstacles / 8.0), axis=0) * 8.0  # as good for names, and quick
    drawn = shapely.multipoints(coarse) if len(coarse) else shapely.MultiPoint()
    kept_clear = shapely.buffer(drawn, 12.0, quad_segs=2)
    parts = []
    for volume in volumes:
        rings = visible_areas(list(volume.rings), frame, tolerance=2.0)
        shape = (
            shapely.difference(
                shapely.build_area(shapely.geometrycollections([shapely.linestrings(r) for r in rings])),
                kept_clear,
            )
            if rings
            else shapely.Polygon()
        )
        pieces = [
            p for p in shapely.get_parts(shape) if shapely.get_dimensions(p) == 2 and shapely.area(p) > 900.0
        ]
        is_long = len(volume.name) > 24
        words, width = (
            (volume.name, len(volume.name) * 7.0)
            if is_long
            else (volume.name.upper(), len(volume.name) * 12.5)
        )
        half = width / 2 + 6.0
        for piece in sorted(pieces, key=shapely.area, reverse=True)[:3]:
            place_x, y = shapely.get_coordinates(shapely.maximum_inscribed_circle(piece, tolerance=4.0))[0]
            x = min(max(float(place_x), half + 6.0), frame.width - half - 6.0)
            box = (x - half, y - 12.0, x + half, y + 8.0)
            # a name pushed far from its place would name another's
            if labels.is_free(box) and abs(x - place_x) < 40.0:
                labels.taken.append(box)
                kind = "country own" if volume.volume_id == infringed else "country"
                kind += " long" if is_long else ""
                parts.append(text(x, float(y) + 4.0, words, class_=kind, text_anchor="middle"))
                break
    return "".join(parts)
