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

from scanner.history import Ints, Keys
from scanner.model import Document, Place
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch

FOLDER_MODE = len("40000 ")
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SLOT_BITS = 18


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

    lasts: Ints
    """The last of the trees behind that one that hold it in the same place, each of them."""

    names: Ints
    """Where its name starts."""

    hashes: Keys
    """Of its name (see `long_hashes`)."""

    @property
    def folders(self) -> npt.NDArray[np.bool_]:
        """Whether each is a tree itself: their mode has a digit less."""
        found: npt.NDArray[np.bool_] = self.names - self.starts == FOLDER_MODE
        return found


def fresh(words: Keys, entries: Entries) -> Ints:
    """
    Return which entries are not in the same place of the tree before theirs;
    `words` is the text of the trees, by eight bytes from each.
    """
    if not len(entries.trees):
        return np.zeros(0, np.int64)
    last = len(words) - 1
    signature = entries.hashes ^ (
        words[np.minimum(entries.nuls + 1, last)].astype(np.uint64) * _MIX
    )
    many = np.bincount(entries.trees)
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
    shared: None = None
    spots: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where the NUL after each name is in `data`."""

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        tree = self.ids[self.trees[index]].tobytes().hex()
        return Document(Place.PATH, blob=tree, offset=int(self.offsets[index]))


def names_of(batch: ObjectBatch, entries: Entries, rows: Ints) -> NameBatch:
    """
    Return the names of the entries in `rows`.
    """
    view = batch.data
    begins, nuls = entries.names[rows], entries.nuls[rows]
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
        hashes=entries.hashes[rows],
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
