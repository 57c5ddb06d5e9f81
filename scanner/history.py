"""
What triage needs to know of a repository's history: who holds whom, and who wrote it when.

Objects are known by *keys*, the first eight bytes of their ids as a number: what
is said of an object on the strength of its key is checked against the object
itself before it is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scanner.model import Identity

Keys = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """
    One name in a tree.
    """

    mode: bytes
    name: bytes
    child: str
    offset: int
    """Where the name starts in the tree's text."""


class ObjectReader(Protocol):
    """
    Reads single objects: few, and only those that something was found in.
    """

    def entries(self, trees: Iterable[str]) -> Iterator[tuple[str, list[TreeEntry]]]:
        """Yield the entries of each tree that can be read."""
        ...

    def contents(self, trees: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the text of each tree that can be read."""
        ...

    def authors(self, ids: Iterable[str]) -> Mapping[str, tuple[Identity, str]]:
        """Return the author (or tagger) and date of each commit (or tag) that can be read."""
        ...

    def paths(self, tree_ish: str) -> Mapping[bytes, str]:
        """Return the blob at every path of a commit or tree."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """
    The commit graph, one row for each commit, in no particular order.
    """

    ids: npt.NDArray[np.uint8]
    trees: Keys
    times: Ints
    """Committer's seconds since 1970."""

    child_rows: Ints
    """With `parent_keys`: one entry for each parent of a commit."""

    parent_keys: Keys


ENTRY = np.dtype([("child", "<u8"), ("name", "<u4"), ("first", "<i4"), ("last", "<i4")])
"""
A run of trees, all of `first` to `last`, that hold `child` under one name (see `name_hash`).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """
    Which tree holds which, and which holds the blobs that matter.
    """

    ids: npt.NDArray[np.uint8]
    """Of all objects."""

    rows: npt.NDArray[np.int32]
    """Which of `ids` is a tree's, by the number that `first` and `last` use."""

    entries: Callable[[], Iterator[npt.NDArray[np.void]]]
    """Yields all entries (see `ENTRY`), some thousands at a time, each time it is called."""

    def id(self, number: int) -> str:
        """
        Return the id of a tree.
        """
        name: bytes = self.ids[self.rows[number]].tobytes()
        return name.hex()

    def keys(self) -> Keys:
        """
        Return the key of each tree.
        """
        heads = self.ids[self.rows, :8]
        return heads.view(">u8").ravel().astype(np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """
    A name for an object.
    """

    name: bytes
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    All of it, once every object has been seen.
    """

    commits: Commits
    trees: Trees
    tags: Mapping[str, str]
    """Target of each annotated tag, by ids."""

    refs: tuple[Ref, ...]
    head: str | None
    """Id of the commit at HEAD; `None` before the first."""

    reader: ObjectReader
    id_size: int = 20
    staged: Mapping[str, bytes] = field(default_factory=dict)
    """Path in the index, by blob: a loose blob may only be staged yet."""


def key_of(object_id: str) -> int:
    """
    Return the key of an object's id.
    """
    return int(object_id[:16], 16)


_MIX = np.uint64(0x9E3779B97F4A7C15)
_FINAL = np.uint64(0xBF58476D1CE4E5B9)
_WORD = (1 << 64) - 1


@lru_cache(maxsize=1 << 14)
def name_hash(name: bytes) -> int:
    """
    Return the upper half of the hash that `long_hashes` gives to a name.
    """
    result = len(name) * int(_MIX) & _WORD
    for at in range(0, len(name), 8):
        mixed = (result ^ int.from_bytes(name[at : at + 8], "little")) * int(_FINAL) & _WORD
        result = mixed ^ (mixed >> 29)
    return result >> 32


def long_hashes(data: npt.NDArray[np.uint8], starts: Ints, lengths: Ints) -> Keys:
    """
    Hash many names of one buffer, eight bytes at a step; the buffer must go on
    for eight bytes after the last name.
    """
    words = np.ndarray((len(data) - 7,), "<u8", buffer=data, strides=(1,))
    result = lengths.astype(np.uint64) * _MIX
    rows = np.arange(len(starts))
    spots, left = starts, lengths
    while len(rows):
        word = words[spots].astype(np.uint64)
        partial = left < 8
        shift = ((8 - left[partial]) * 8).astype(np.uint64)
        # An empty name cannot be; a shift by 64 would leave the word as it is.
        word[partial] = (word[partial] << shift) >> shift
        mixed = (result[rows] ^ word) * _FINAL
        result[rows] = mixed ^ (mixed >> np.uint64(29))
        going = left > 8
        rows, spots, left = rows[going], spots[going] + 8, left[going] - 8
    hashes: Keys = result
    return hashes


def combine(path: Keys, name: npt.NDArray[np.uint32]) -> Keys:
    """
    Return the hash of a path that goes on by one name.
    """
    mixed = (path ^ name.astype(np.uint64)) * _MIX
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _FINAL
    result: Keys = mixed ^ (mixed >> np.uint64(29))
    return result
