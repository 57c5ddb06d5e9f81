"""
The names in trees, each told once where it came in.

Neighbours in a pack are versions of one folder, so that most of what a tree holds is what the
tree before it held, as many entries from its start or from its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import hyperscan
import numpy as np
import numpy.typing as npt

from scanner.history import Ints, Keys, long_hashes
from scanner.model import Document, Place
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch

_FOLDER = ord("4")
_MIXERS = tuple(
    np.uint64(number)
    for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
)
_SLOT_BITS = 18
_IN_WORDS = 24
"""Bytes of a name that three words hold; longer ones are hashed whole."""


@dataclass(frozen=True, slots=True)
class Entries:
    """
    Every entry of the trees in one buffer.
    """

    starts: Ints
    """Where its mode starts."""

    nuls: Ints
    """Where its name ends."""

    trees: Ints
    """Which tree of the buffer holds it."""

    def name_starts(self, data: Bytes) -> Ints:
        """
        Return where the names start: folders have a digit less in their mode.
        """
        starts: Ints = self.starts + np.where(data[self.starts] == _FOLDER, 6, 7)
        return starts


def fresh(data: Bytes, words: Keys, entries: Entries, count: int) -> Ints:
    """
    Return which entries are not in the same place of the tree before theirs;
    `words` is `data` by eight bytes from each, `count` the number of trees.
    """
    if not len(entries.trees):
        return np.zeros(0, np.int64)
    signature = _signatures(data, words, entries)
    many = np.bincount(entries.trees, minlength=count)
    first = np.cumsum(many) - many
    before = np.concatenate([many[:1] * 0, many[:-1]])
    rows = np.arange(len(signature))
    from_start = rows - before[entries.trees]
    from_end = rows - many[entries.trees]
    old = from_start < first[entries.trees]
    old &= signature[from_start] == signature
    also = from_end >= (first - before)[entries.trees]
    also &= signature[np.maximum(from_end, 0)] == signature
    # The first tree of a buffer has none before it.
    found: Ints = np.flatnonzero(~(old | also) | (entries.trees == 0))
    return found


def _signatures(data: Bytes, words: Keys, entries: Entries) -> Keys:
    starts, nuls = entries.name_starts(data), entries.nuls
    last = len(words) - 1
    result = words[np.minimum(nuls + 1, last)].astype(np.uint64) * _MIXERS[0]
    # A name that ends within a word is followed by its child's id, which is equal or decides.
    for number, spots in enumerate((starts, starts + 8, starts + 16), 1):
        part = words[np.minimum(np.minimum(spots, nuls), last)].astype(np.uint64)
        result = (result ^ (result >> np.uint64(29))) + part * _MIXERS[number]
    result ^= (nuls - starts).astype(np.uint64) * _MIXERS[0]
    long = np.flatnonzero(nuls - starts > _IN_WORDS)
    if len(long):
        padded = np.concatenate([data, np.zeros(16, np.uint8)])
        result[long] ^= long_hashes(padded, starts[long], (nuls - starts)[long])
    mixed: Keys = result
    return mixed


class NameLog:
    """
    Tells names that are new to a stream from those it has met, and remembers which matter.
    """

    def __init__(self) -> None:
        # A name that loses its slot to another is met anew, which costs a look and no more.
        self._met = np.zeros(1 << _SLOT_BITS, np.uint64)
        self._loud = np.zeros(0, np.uint64)

    def unmet(self, hashes: Keys) -> Ints:
        """
        Return which of these names are met for the first time, or matter.
        """
        slots = (hashes >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
        new = self._met[slots] != hashes
        self._met[slots] = hashes
        rows: Ints = np.flatnonzero(new | self.marked(hashes))
        return rows

    def mark(self, hashes: Keys) -> None:
        """
        Remember that these names matter, wherever they stand.
        """
        if len(hashes):
            self._loud = np.union1d(self._loud, hashes)

    def marked(self, hashes: Keys) -> npt.NDArray[np.bool_]:
        """
        Return of each name whether it matters.
        """
        if not len(self._loud):
            return np.zeros(len(hashes), bool)
        rows = np.minimum(np.searchsorted(self._loud, hashes), len(self._loud) - 1)
        matters: npt.NDArray[np.bool_] = self._loud[rows] == hashes
        return matters


@dataclass(slots=True)
class NameBatch:
    """
    Names of entries, each a document of its own.
    """

    data: bytes
    starts: Sequence[int]
    ends: Sequence[int]
    trees: Ints
    offsets: Ints
    """Where each name starts in its tree."""

    ids: Bytes
    hashes: Keys
    alike: bool = False
    spots: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where the NUL after each name is in `data`."""

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        tree = self.ids[self.trees[index]].tobytes().hex()
        return Document(Place.PATH, blob=tree, offset=int(self.offsets[index]))


def names_of(
    batch: ObjectBatch, data: Bytes, entries: Entries, rows: Ints, hashes: Keys
) -> NameBatch:
    """
    Return the names of the entries in `rows`, which have these hashes.
    """
    view = batch.data
    begins, nuls = entries.name_starts(data)[rows], entries.nuls[rows]
    # With the blank before and the NUL behind, which `NamePatterns` asks for.
    text = b"".join(
        [
            view[begin - 1 : nul + 1]
            for begin, nul in zip(begins.tolist(), nuls.tolist(), strict=True)
        ]
    )
    lengths = nuls - begins
    ends = np.cumsum(lengths + 2) - 1
    trees = entries.trees[rows]
    starts = np.array(batch.starts, np.int64)[trees]
    return NameBatch(
        data=text,
        starts=(ends - lengths).tolist(),
        ends=ends.tolist(),
        trees=trees,
        offsets=begins - starts,
        ids=batch.ids,
        hashes=hashes,
        spots=ends,
    )


class NamePatterns:
    """
    Finds the names that one of the patterns matches in whole.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._database = hyperscan.Database()
        self._database.compile(
            # Only a space: hyperscan loses matches behind a class such as `[0-7]`.
            expressions=[b" (?:" + pattern + b")\\x00" for pattern in patterns],
            flags=[hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_CASELESS] * len(patterns),
        )
        self._scratch: hyperscan.Scratch | None = None

    def rows(self, batch: NameBatch) -> npt.NDArray[np.int64]:
        """
        Return which names of the batch are such.
        """
        if self._scratch is None:
            self._scratch = hyperscan.Scratch(self._database)
        ends: set[int] = set()

        def seen(_rule: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.add(end)

        self._database.scan(batch.data, match_event_handler=seen, scratch=self._scratch)
        nuls = np.array(sorted(ends), np.int64) - 1
        rows = np.minimum(np.searchsorted(batch.spots, nuls), max(len(batch.spots) - 1, 0))
        return np.unique(rows[batch.spots[rows] == nuls]) if len(batch.spots) else rows[:0]
