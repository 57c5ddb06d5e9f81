"""
The names and kinds of every object in an object database, read from its files.

Format: https://git-scm.com/docs/pack-format
Asking git for them (`cat-file --batch-all-objects --batch-check`) takes seconds
where a repository has a million objects; the pack's own headers say it at once.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.sources.object_dirs import object_dirs

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
CODES = {name: code for code, name in KINDS.items()}
UNKNOWN = 0
_OFS_DELTA = 6
_REF_DELTA = 7
_WINDOW = 16 << 20
_HEADER_MAX = 64
"""No object header is longer: two numbers of ten bytes, or one and an id."""


class PackError(ValueError):
    """
    A pack or its index is not as the format says.
    """


@dataclass(slots=True)
class Inventory:
    """
    Every object once, families of deltas together, the last written first.

    Git unpacks the deepest delta of a family by way of all others and keeps
    these, so that this order costs it half of what the pack's own does.
    """

    ids: Bytes
    """One row each."""

    kinds: Bytes
    """Codes of `KINDS`; 0 where the kind could not be read."""

    weights: npt.NDArray[np.int32]
    """Bytes that each takes on disk, near enough to share the work out."""

    packs: list[Path] = field(default_factory=list)
    holders: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    """Which of `packs` holds each, -1 where none does."""

    offsets: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where each begins in its pack."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    """File name, from the object folder, and reason of what could not be read."""

    def of_kind(self, kind: str) -> Ints:
        """
        Return the rows that hold objects of one kind.
        """
        return np.flatnonzero(self.kinds == CODES.get(kind, UNKNOWN))


def take_inventory(first: Path, id_size: int) -> Inventory:
    """
    Read what the object folder `first` and its alternates hold.
    """
    parts: list[_Part] = []
    packs: list[Path] = []
    problems: list[tuple[str, str]] = []
    for folder in object_dirs(first, lost=problems):
        indexes = sorted((folder / "pack").glob("*.idx"))
        problems += _without_index(folder, {index.stem for index in indexes})
        for index in indexes:
            try:
                part, problem = _read_pack(index, id_size, len(packs))
            except (OSError, PackError) as error:
                problems.append((f"pack/{index.name}", str(error)))
                continue
            pack = index.with_suffix(".pack")
            parts.append(part)
            packs.append(pack)
            if problem:
                problems.append((f"pack/{pack.name}", problem))
        loose = list(_loose(folder, id_size, problems))
        if loose:
            joined = b"".join(name for name, _, _ in loose)
            parts.append(
                _Part(
                    np.frombuffer(joined, np.uint8).reshape(-1, id_size),
                    np.array([kind for _, kind, _ in loose], np.uint8),
                    np.array([size for _, _, size in loose], np.int32),
                    np.full(len(loose), -1, np.int16),
                    np.zeros(len(loose), np.int64),
                )
            )
    if not parts:
        return Inventory(
            np.zeros((0, id_size), np.uint8),
            np.zeros(0, np.uint8),
            np.zeros(0, np.int32),
            problems=problems,
        )
    part = parts[0] if len(parts) == 1 else _merged(parts)
    return Inventory(
        part.ids, part.kinds, part.weights, packs, part.holders, part.offsets, problems
    )


def _without_index(folder: Path, known: set[str]) -> Iterator[tuple[str, str]]:
    for pack in sorted((folder / "pack").glob("pack-*.pack")):
        if pack.stem not in known:
            yield f"pack/{pack.name}", "the pack has no index (`git index-pack` makes one)"


class _Part(NamedTuple):
    """
    What one pack holds, or one folder of loose objects: see `Inventory`.
    """

    ids: Bytes
    kinds: Bytes
    weights: npt.NDArray[np.int32]
    holders: npt.NDArray[np.int16]
    offsets: Ints


def _merged(parts: Sequence[_Part]) -> _Part:
    # An object that lies in several packs counts once; a copy of known kind is the better one.
    every = _Part(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.holders for part in parts]),
        np.concatenate([part.offsets for part in parts]),
    )
    order = np.lexsort((every.kinds == UNKNOWN, *reversed(columns(every.ids))))
    ordered = every.ids[order]
    first = np.ones(len(order), bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    keep = np.sort(order[first])
    return _Part(
        every.ids[keep],
        every.kinds[keep],
        every.weights[keep],
        every.holders[keep],
        every.offsets[keep],
    )


def columns(ids: Bytes) -> list[npt.NDArray[np.uint64]]:
    """
    Return ids as big-endian 64-bit numbers, most significant first.
    """
    rows, size = ids.shape
    padded = -size % 8
    if padded:
        ids = np.concatenate([ids, np.zeros((rows, padded), np.uint8)], axis=1)
    words = np.ascontiguousarray(ids).view(">u8").astype(np.uint64)
    return [words[:, column] for column in range(words.shape[1])]


def keys(ids: Bytes) -> npt.NDArray[np.uint64]:
    """
    Return the first eight bytes of each id as a number: its key in the maps of attribution.
    """
    return np.ascontiguousarray(ids[:, :8]).view(">u8").ravel().astype(np.uint64)


def _loose(
    folder: Path, id_size: int, problems: list[tuple[str, str]]
) -> Iterator[tuple[bytes, int, int]]:
    for fan in sorted(folder.iterdir()):
        if len(fan.name) != 2 or not fan.is_dir():
            continue
        try:
            files = sorted(os.scandir(fan), key=lambda entry: entry.name)
        except OSError as error:
            problems.append((fan.name, (error.strerror or "unreadable").lower()))
            continue
        for file in files:
            try:
                name = bytes.fromhex(fan.name + file.name)
            except ValueError:
                continue
            if len(name) == id_size:
                yield name, *_loose_kind(file.path)


def _loose_kind(path: str) -> tuple[int, int]:
    try:
        with open(path, "rb") as file:
            head = zlib.decompressobj().decompress(file.read(128), 32)
            size = min(os.fstat(file.fileno()).st_size, 1 << 30)
    except (OSError, zlib.error):
        return UNKNOWN, 0
    return CODES.get(head.partition(b" ")[0].decode("latin-1"), UNKNOWN), size


def _read_pack(index: Path, id_size: int, number: int) -> tuple[_Part, str]:
    ids, offsets = _read_index(index, id_size)
    by_offset = np.argsort(offsets, kind="stable")
    offsets = offsets[by_offset]
    pack = index.with_suffix(".pack")
    try:
        size = pack.stat().st_size
    except OSError:
        nothing = np.zeros(len(ids), np.int32)
        nowhere = np.full(len(ids), -1, np.int16)
        part = _Part(ids, nothing.astype(np.uint8), nothing, nowhere, offsets)
        return part, "the pack is missing"
    kinds, bases = _headers(pack, offsets, ids, by_offset, size)
    kinds, roots = _resolved(kinds, bases)
    del bases
    # Stable, and read backwards: families in reverse, in each the last written first.
    order = np.argsort(roots, kind="stable")[::-1]
    del roots
    weights = np.diff(offsets, append=max(size - id_size, 0))
    weights = np.clip(weights, 0, 1 << 30).astype(np.int32)[order]
    offsets = offsets[order]
    holders = np.full(len(order), number, np.int16)
    part = _Part(ids[by_offset[order]], kinds[order], weights, holders, offsets)
    return part, _trailer_problem(index, pack, id_size)


def _trailer_problem(index: Path, pack: Path, id_size: int) -> str:
    with index.open("rb") as file:
        file.seek(-2 * id_size, os.SEEK_END)
        expected = file.read(id_size)
    with pack.open("rb") as file:
        if file.read(4) != b"PACK":
            return "not a pack"
        file.seek(-id_size, os.SEEK_END)
        return "" if file.read(id_size) == expected else "the pack is truncated or altered"


def _read_index(index: Path, id_size: int) -> tuple[Bytes, Ints]:
    data = np.fromfile(index, np.uint8)
    if data[:8].tobytes() != b"\xfftOc\x00\x00\x00\x02":
        return _read_old_index(data, id_size)
    start = 8 + 1024
    if len(data) < start + 2 * id_size:
        raise PackError("the pack index is truncated")
    count = int(data[start - 4 : start].view(">u4")[0])
    small = start + count * (id_size + 4)
    large = small + count * 4
    if len(data) < large + 2 * id_size:
        raise PackError("the pack index is truncated")
    ids = data[start : start + count * id_size].reshape(count, id_size)
    offsets = data[small:large].view(">u4").astype(np.int64)
    far = np.flatnonzero(offsets & 0x80000000)
    if len(far):
        table = data[large : len(data) - 2 * id_size]
        wide = table[: len(table) // 8 * 8].view(">u8").astype(np.int64)
        places = offsets[far] & 0x7FFFFFFF
        if places.max() >= len(wide):
            raise PackError("the pack index names an offset that it does not hold")
        offsets[far] = wide[places]
    return ids, offsets


def _read_old_index(data: Bytes, id_size: int) -> tuple[Bytes, Ints]:
    if len(data) < 1024 + 2 * id_size:
        raise PackError("the pack index is truncated")
    count = int(data[1020:1024].view(">u4")[0])
    if len(data) != 1024 + count * (id_size + 4) + 2 * id_size:
        raise PackError("not a pack index")
    rows = data[1024 : 1024 + count * (id_size + 4)].reshape(count, id_size + 4)
    offsets = np.ascontiguousarray(rows[:, :4]).view(">u4").ravel().astype(np.int64)
    return np.ascontiguousarray(rows[:, 4:]), offsets


def _headers(
    pack: Path, offsets: Ints, ids: Bytes, by_offset: Ints, size: int
) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """
    Return each entry's kind, and the row of its base (its own, where it is whole; -1 where lost).
    """
    kinds = np.zeros(len(offsets), np.uint8)
    bases = np.arange(len(offsets), dtype=np.int32)
    by_key: tuple[npt.NDArray[np.uint64], Ints] | None = None
    buffer = np.zeros(_WINDOW + _HEADER_MAX, np.uint8)
    # Windows, not a map of the whole file: mapped pages count as our memory once touched.
    with pack.open("rb", buffering=0) as file:
        for start in range(0, size, _WINDOW):
            first, last = np.searchsorted(offsets, (start, start + _WINDOW))
            if first == last:
                continue
            file.seek(start)
            buffer[:] = 0
            _fill(file, buffer.data)
            kind, base, refs = _window(buffer, offsets[first:last] - start)
            kinds[first:last] = kind
            behind = kind == _OFS_DELTA
            rows = np.flatnonzero(behind) + first
            bases[rows] = _rows_at(offsets, offsets[rows] - base[behind])
            named = np.flatnonzero(kind == _REF_DELTA)
            if len(named):
                if by_key is None:
                    ordered = keys(ids)[by_offset]
                    order = np.argsort(ordered, kind="stable")
                    by_key = ordered[order], order
                spots = refs[named][:, None] + np.arange(8)
                wanted = keys(buffer[np.minimum(spots, len(buffer) - 1)])
                found = _rows_at(by_key[0], wanted)
                bases[named + first] = np.where(found < 0, -1, by_key[1][found])
    return kinds, bases


def _fill(file: object, view: memoryview) -> None:
    filled = 0
    while filled < len(view):
        got = file.readinto(view[filled:])  # type: ignore[attr-defined] # a raw file
        if not got:
            return
        filled += got


def _rows_at(ascending: npt.NDArray[np.int64] | npt.NDArray[np.uint64], wanted: object) -> Ints:
    values = np.asarray(wanted)
    rows = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1).astype(np.int64)
    rows[ascending[rows] != values] = -1
    return rows


def _window(buffer: Bytes, at: Ints) -> tuple[Bytes, Ints, Ints]:
    """
    Return kinds, distances to the base (OFS_DELTA) and where the base's id stands (REF_DELTA).
    """
    byte = buffer[at]
    kinds = (byte >> 4) & 7
    spots = at + 1
    going = np.flatnonzero(byte & 0x80)
    for _ in range(10):
        if not len(going):
            break
        more = buffer[spots[going]] & 0x80
        spots[going] += 1
        going = going[more != 0]
    distances = np.zeros(len(at), np.int64)
    ends = spots.copy()
    rows = np.flatnonzero(kinds == _OFS_DELTA)
    byte = buffer[spots[rows]]
    distances[rows] = byte & 0x7F
    going = rows[(byte & 0x80) != 0]
    for _ in range(9):
        if not len(going):
            break
        ends[going] += 1
        byte = buffer[ends[going]]
        distances[going] = ((distances[going] + 1) << 7) | (byte & 0x7F)
        going = going[(byte & 0x80) != 0]
    return kinds.astype(np.uint8), distances, spots


def _resolved(kinds: Bytes, bases: npt.NDArray[np.int32]) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """
    Follow deltas to the whole object at their root, all at once, each step twice
    as far; return kinds and the rows of the roots.
    """
    lost = bases < 0
    parents = np.where(lost, np.arange(len(bases), dtype=np.int32), bases)
    for _ in range(64):
        further = parents[parents]
        if np.array_equal(further, parents):
            break
        parents = further
    roots = kinds[parents]
    roots[(roots > 4) | lost[parents]] = UNKNOWN
    return roots, parents
