"""The packaged sovereign airspace of the world's states: land, internal waters, territorial sea.

Rules
- Where several states name an area as theirs, it is a volume of its own, of kind "disputed", with an id such
  as "RUS|UKR" and all of them in `states`; it is in none of their own volumes. Only the caller's settings may
  say how it is seen (`disputed_as`), and then that state's volume contains it.
- A state's volume contains its dependencies, unless one is asked for by its own code in the same call.
- What is read is what was packaged: the file's digest is checked before anything in it is believed.

The source is OpenStreetMap (ODbL), simplified to 10 m; it is not an official delimitation. How the file was
built, what the source leaves open and what the uncertainty covers is in docs/boundaries.md.
"""

from __future__ import annotations

import functools
import hashlib
import json
import lzma
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airvigil.airspace.sources.faces import IntRing, join_faces, unpack_face
from airvigil.airspace.volumes import Volume, make_volume
from airvigil.errors import AirspaceError

BOUNDARY_FILE = "sovereign-1.1.0.xz"
FORMAT = "airvigil.boundaries/1"


@dataclass(frozen=True)
class BoundaryFile:
    """A packaged boundary file, with its areas still packed.

    Attributes:
        header: what the file says about itself; see docs/boundaries.md.
        body: the packed areas.
        digest: SHA-256 (hex) of the whole file.
    """

    header: Mapping[str, Any]
    body: bytes
    digest: str


def parse_boundary_file(raw: bytes, name: str) -> BoundaryFile:
    """Read the header of a boundary file and check the digest of the rest.

    Raises:
        AirspaceError: naming the file and what does not fit.
    """
    header, body = split_reference(raw, name)
    if header.get("format") != FORMAT:
        raise AirspaceError(f"{name}: expected format {FORMAT!r}, got {header.get('format')!r}")
    return BoundaryFile(header, body, hashlib.sha256(raw).hexdigest())


def split_reference(raw: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    """Header and body of a packaged reference file, the body's digest checked.

    Raises:
        AirspaceError: naming the file and what does not fit.
    """
    first = lzma.LZMADecompressor(lzma.FORMAT_XZ)
    try:
        header = json.loads(first.decompress(raw))
    except (lzma.LZMAError, EOFError, ValueError) as error:
        raise AirspaceError(f"{name}: the header cannot be read ({error})") from error
    body = first.unused_data
    found = hashlib.sha256(body).hexdigest()
    if not isinstance(header, dict) or header.get("body_sha256") != found:
        expected = header.get("body_sha256") if isinstance(header, dict) else None
        raise AirspaceError(
            f"{name}: expected SHA-256 {expected} of the body, got {found}", hint="install the package again"
        )
    return header, body


@functools.cache
def packaged_boundaries() -> BoundaryFile:
    """The boundary file that comes with this version of Airvigil."""
    raw = resources.files("airvigil.airspace").joinpath("reference", BOUNDARY_FILE).read_bytes()
    return parse_boundary_file(raw, BOUNDARY_FILE)


def known_codes() -> tuple[str, ...]:
    """All codes that `load_volumes` takes, sorted: ISO 3166-1 alpha-3, and XKX."""
    return tuple(sorted(packaged_boundaries().header["names"]))


def disputed_ids() -> tuple[str, ...]:
    """Ids of all disputed areas, sorted."""
    faces = packaged_boundaries().header["faces"]
    return tuple(sorted("|".join(face["claimants"]) for face in faces if len(face["claimants"]) > 1))


def load_volumes(codes: Sequence[str], disputed_as: Mapping[str, str] | None = None) -> list[Volume]:
    """The sovereign airspace of states, and every disputed area that names one of them.

    Args:
        codes: ISO 3166-1 alpha-3, in the order wanted; a repeated one counts once.
        disputed_as: disputed id -> the state to which the caller's settings assign it. That area is then part
            of that state's volume if the state is asked for, and otherwise left out.

    Returns:
        One volume a code, in the order of codes, then the disputed areas, by id. A state all of whose
        area is disputed has no volume of its own.

    Raises:
        AirspaceError: a code, a disputed id, or an assignment that does not exist.

    Example:
        >>> [v.volume_id for v in load_volumes(["EST", "RUS"])]
        ['EST', 'RUS', 'EST|RUS', 'RUS|UKR']
        >>> [v.volume_id for v in load_volumes(["EST", "RUS"], {"EST|RUS": "EST", "RUS|UKR": "UKR"})]
        ['EST', 'RUS']
    """
    file = packaged_boundaries()
    wanted = list(dict.fromkeys(codes))
    assigned = dict(disputed_as or {})
    _check_codes(wanted, file)
    _check_assignments(assigned, file)
    families = {code: _family(code, wanted, file) for code in wanted}
    faces = {tuple(face["claimants"]): face for face in file.header["faces"]}
    volumes = []
    for code in wanted:
        mine = (
            [faces[code,], *(faces[child,] for child in families[code] if (child,) in faces)]
            if (code,) in faces
            else []
        )
        mine += [
            face for key, face in faces.items() if assigned.get("|".join(key)) in (code, *families[code])
        ]
        if mine:
            volumes.append(_volume(code, "sovereign", (code,), mine, file))
    everybody = {member for code in wanted for member in (code, *families[code])}
    for claimants, face in sorted(faces.items()):
        name = "|".join(claimants)
        if len(claimants) > 1 and name not in assigned and everybody & set(claimants):
            volumes.append(_volume(name, "disputed", claimants, [face], file))
    return volumes


def _check_codes(codes: Sequence[str], file: BoundaryFile) -> None:
    for code in codes:
        if code in file.header["left_out"]:
            raise AirspaceError(f"{code} is left out: {file.header['left_out'][code]}")
        if code not in file.header["names"]:
            raise AirspaceError(
                f"no such state: {code!r}",
                hint="codes are ISO 3166-1 alpha-3, such as EST; airvigil airspace list shows all",
            )


def _check_assignments(assigned: Mapping[str, str], file: BoundaryFile) -> None:
    disputed = {"|".join(face["claimants"]) for face in file.header["faces"] if len(face["claimants"]) > 1}
    for name, state in assigned.items():
        if name not in disputed:
            raise AirspaceError(
                f"no such disputed area: {name!r}", hint=f"there are {', '.join(sorted(disputed))}"
            )
        if state not in name.split("|"):
            raise AirspaceError(f"disputed area {name} is assigned to {state!r}, which does not claim it")


def _family(code: str, wanted: Sequence[str], file: BoundaryFile) -> list[str]:
    """Dependencies that a state's volume contains in this call."""
    return [child for child in file.header["dependencies"].get(code, ()) if child not in wanted]


def _volume(
    volume_id: str, kind: str, states: tuple[str, ...], faces: Sequence[Mapping[str, Any]], file: BoundaryFile
) -> Volume:
    header = file.header
    rings = join_faces([_unpacked(face, file) for face in faces])
    names = header["names"]
    return make_volume(
        volume_id,
        [_degrees(ring, header["grid_deg"]) for ring in rings],
        name=names[states[0]]
        if kind == "sovereign"
        else "claimed by " + " and ".join(names[code] for code in states),
        kind=kind,
        states=states,
        edge_kind=header["edge_kind"],
        boundary_uncertainty_m=header["boundary_uncertainty_m"],
        source=f"{header['source']}, {header['attribution']}",
        version=f"{header['version']}, file SHA-256 {file.digest}",
    )


def _unpacked(face: Mapping[str, Any], file: BoundaryFile) -> tuple[IntRing, ...]:
    return unpack_face(lzma.decompress(file.body[face["offset"] : face["offset"] + face["bytes"]]))


def _degrees(ring: IntRing, grid_deg: float) -> NDArray[np.float64]:
    """Grid steps to degrees by one division each, so that 18,000,000 steps are 180 degrees exactly."""
    return np.asarray(ring / np.round(1.0 / grid_deg))


@dataclass(frozen=True)
class AirspaceRow:
    """One line of `airvigil airspace list`."""

    volume_id: str
    name: str
    kind: str
    dependencies: tuple[str, ...]
    vertices: int
    boundary_uncertainty_m: float


def list_rows() -> list[AirspaceRow]:
    """Every state and every disputed area in the packaged file: states by code, then disputed by id."""
    header = packaged_boundaries().header
    names, dependencies = header["names"], header["dependencies"]
    vertices = {"|".join(face["claimants"]): face["vertices"] for face in header["faces"]}
    uncertainty = header["boundary_uncertainty_m"]
    states = [
        AirspaceRow(
            code,
            names[code],
            "sovereign",
            tuple(dependencies.get(code, ())),
            vertices.get(code, 0),
            uncertainty,
        )
        for code in sorted(names)
    ]
    disputed = [
        AirspaceRow(
            name,
            "claimed by " + " and ".join(names[code] for code in name.split("|")),
            "disputed",
            (),
            vertices[name],
            uncertainty,
        )
        for name in disputed_ids()
    ]
    return states + disputed


def describe_limits(volume: Volume) -> dict[str, Any]:
    """Vertical limits, JSON-able: metres (null where there is none), reference, and as written."""
    described: dict[str, Any] = {}
    for side, limit in (("lower", volume.lower), ("upper", volume.upper)):
        described[f"{side}_limit_m"] = limit.height_m if np.isfinite(limit.height_m) else None
        described[f"{side}_reference"] = limit.reference
        described[f"{side}_limit"] = str(limit)
    return described


def describe(volume: Volume) -> dict[str, Any]:
    """What `airvigil airspace show` says about a volume; JSON-able, unknown limits as null."""
    positions = np.concatenate(volume.rings)
    south, west = positions.min(axis=0).tolist()
    north, east = positions.max(axis=0).tolist()
    return {
        "volume_id": volume.volume_id,
        "name": volume.name,
        "kind": volume.kind,
        "states": list(volume.states),
        **describe_limits(volume),
        "activation": volume.activation.kind,
        "activation_text": volume.activation.text,
        "airspace_class": volume.airspace_class,
        "airspace_type": volume.airspace_type,
        "may_enter": volume.may_enter,
        "edge_kind": volume.edge_kind,
        "edges_written": list(volume.edges_written),
        "boundary_uncertainty_m": volume.boundary_uncertainty_m,
        "rings": len(volume.rings),
        "vertices": sum(len(ring) - 1 for ring in volume.rings),
        "south_deg": south,
        "west_deg": west,
        "north_deg": north,
        "east_deg": east,
        "source": volume.source,
        "version": volume.version,
        "place": volume.place,
        "digest": volume.digest,
    }
