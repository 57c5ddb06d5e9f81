r"""
Trees as names to scan, and what holds what.

Format: https://git-scm.com/docs/gitformat-pack; a tree is `<mode> <name>\0<id>`
over and over.  A million trees stream by once: each buffer is taken apart as
arrays, and neighbours in a pack are versions of one folder, so that most of
what one holds is a continuation of what the one before it held.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import hyperscan
import numpy as np
import numpy.typing as npt

from scanner.history import ENTRY, Ints, Keys, Trees, combine, hash_names
from scanner.sources.links import Known, Missing
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch

_FOLDER = b"4"
_MODULE = b"6"
"""The second digit of its mode, 160000."""

_AT_ONCE = 1 << 17


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


def parse(data: Bytes, starts: Ints, ends: Ints, id_size: int) -> Entries:
    """
    Find the entries of all trees of a buffer at once.

    A NUL ends a name, unless it lies within the id that follows another name's NUL.
    """
    nuls = np.flatnonzero(data == 0)
    close = np.flatnonzero(nuls[1:] - nuls[:-1] <= id_size) + 1
    if len(close):
        nuls = np.delete(nuls, _inside(nuls, close, id_size))
    first = np.searchsorted(nuls, starts)
    last = np.searchsorted(nuls, ends)
    counts = last - first
    begins = np.empty(len(nuls), np.int64)
    begins[1:] = nuls[:-1] + (id_size + 1)
    some = counts > 0
    begins[first[some]] = starts[some]
    return Entries(begins, nuls, np.repeat(np.arange(len(starts)), counts))


def _inside(nuls: Ints, close: Ints, id_size: int) -> Ints:
    # One in twelve ids holds a NUL, and few hold two: only these need a loop.
    again = np.zeros(len(close), bool)
    again[1:] = close[1:] == close[:-1] + 1
    chained = np.flatnonzero(again)
    if not len(chained):
        return close
    inside = np.ones(len(close), bool)
    before = -2
    name_end = -1
    for spot in chained.tolist():
        row = int(close[spot])
        if row != before + 1:
            name_end = int(nuls[row - 2])
        before = row
        if nuls[row] - name_end > id_size:
            name_end = int(nuls[row])
            inside[spot] = False
    return close[inside]


class NamePatterns:
    """
    Finds the entries whose whole name one of the patterns matches.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._database = hyperscan.Database()
        self._database.compile(
            # Only a space: hyperscan loses matches behind a class such as `[0-7]`.
            expressions=[b" (?:" + pattern + b")\\x00" for pattern in patterns],
            flags=[hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_CASELESS] * len(patterns),
        )

    def _scratch(self) -> hyperscan.Scratch:
        # One for each scan: streams read in threads of their own.
        return hyperscan.Scratch(self._database)

    def rows(self, data: memoryview, entries: Entries, kinds: Bytes) -> Ints:
        """
        Return which entries, folders and submodules left out, have such a name.
        """
        ends: list[int] = []

        def seen(_rule: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append(end)

        self._database.scan(data, match_event_handler=seen, scratch=self._scratch())  # type: ignore[type-var] # the stub knows bytes alone
        nuls = np.unique(np.array(ends, np.int64)) - 1
        rows = np.searchsorted(entries.nuls, nuls)
        rows = rows[rows < len(entries.nuls)]
        rows = np.unique(rows[np.isin(entries.nuls[rows], nuls)])
        files: Ints = rows[(kinds[rows] != ord(_FOLDER))]
        return files


@dataclass(slots=True)
class TreePart:
    """
    What one stream's log remembers in memory; the entries are in its file.
    """

    numbers: npt.NDArray[np.int32]
    named: Keys
    missing: Missing


class TreeLog:
    """
    Remembers, of the trees of one stream, which holds which and which holds a wanted blob.
    """

    def __init__(
        self, id_size: int, wanted: Iterable[int], names: Sequence[bytes], known: Known
    ) -> None:
        self._id_size = id_size
        self._wanted = np.unique(np.fromiter(wanted, np.uint64))
        # Two bytes tell most ids apart from the wanted ones, for one look-up each.
        self._maybe = np.zeros(1 << 16, bool)
        self._maybe[(self._wanted >> np.uint64(48)).astype(np.int64)] = True
        self._names = NamePatterns(names) if names else None
        self._known = known
        self._missing = Missing()
        self._numbers: list[npt.NDArray[np.int32]] = []
        self._count = 0
        # Millions of entries, each looked at a few times: better on disk than in memory.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `close`
        self._named: list[Keys] = []

    def watch(self, batches: Iterable[ObjectBatch]) -> Iterator[ObjectBatch]:
        """
        Pass batches of trees on, having read them.
        """
        for batch in batches:
            self._add(batch)
            yield batch

    def _add(self, batch: ObjectBatch) -> None:
        data = np.frombuffer(batch.data, np.uint8)
        starts = np.array(batch.starts, np.int64)
        offset = self._count
        self._count += len(starts)
        self._numbers.append(batch.rows.astype(np.int32))
        size = self._id_size
        entries = parse(data, starts, np.array(batch.ends, np.int64), size)
        words = np.ndarray((max(len(data) - 7, 0),), ">u8", buffer=data, strides=(1,))
        whole = entries.nuls + size < len(data)
        kinds = data[entries.starts]
        self._look_for_missing(data, entries, whole, words)
        folders = kinds == ord(_FOLDER)
        prefix = np.ndarray((max(len(data) - 1, 0),), ">u2", buffer=data, strides=(1,))
        maybe = self._maybe[prefix[np.minimum(entries.nuls + 1, len(prefix) - 1)]]
        some = np.flatnonzero((folders | maybe) & whole)
        child = words[entries.nuls[some] + 1].astype(np.uint64)
        keep = folders[some]
        keep[~keep] = self._is_wanted(child[~keep])
        some, child = some[keep], child[keep]
        if self._names is not None:
            named = self._names.rows(batch.data, entries, kinds)
            named = named[whole[named]]
            self._named.append(words[entries.nuls[named] + 1].astype(np.uint64))
            if len(named):
                some = np.union1d(some, named)
                child = words[entries.nuls[some] + 1].astype(np.uint64)
        if not len(some):
            return
        mode = np.where(folders[some], 6, 7)
        name_starts = entries.starts[some] + mode
        padded = data
        if len(data) < int(entries.nuls[some].max()) + 9:
            padded = np.concatenate([data, np.zeros(16, np.uint8)])
        names = hash_names(padded, name_starts, entries.nuls[some] - name_starts)
        runs = _runs(child, entries.trees[some] + offset, names)
        self._file.write(runs.data)

    def _look_for_missing(
        self, data: Bytes, entries: Entries, whole: npt.NDArray[np.bool_], words: Keys
    ) -> None:
        nuls, starts = entries.nuls[whole], entries.starts[whole]
        rows = self._known.absent(words[nuls + 1].astype(np.uint64))
        if not len(rows):
            return
        # A submodule's commit lies in another repository.
        rows = rows[data[starts[rows] + 1] != ord(_MODULE)]
        found = {}
        for row in rows.tolist():
            nul = int(nuls[row])
            _, _, name = data[starts[row] : nul].tobytes().partition(b" ")
            found[data[nul + 1 : nul + 1 + self._id_size].tobytes()] = name
        self._missing.note(found)

    def _is_wanted(self, child: Keys) -> npt.NDArray[np.bool_]:
        if not len(self._wanted):
            return np.zeros(len(child), bool)
        rows = np.searchsorted(self._wanted, child)
        found: npt.NDArray[np.bool_] = (
            self._wanted[np.minimum(rows, len(self._wanted) - 1)] == child
        )
        return found

    def part(self) -> TreePart:
        """
        Return what was seen, once the stream has ended.
        """
        self._file.flush()
        return TreePart(
            np.concatenate([*self._numbers, np.zeros(0, np.int32)]),
            np.unique(np.concatenate([*self._named, np.zeros(0, np.uint64)])),
            self._missing,
        )

    def entries(self, offset: int) -> Iterator[npt.NDArray[np.void]]:
        """
        Yield the entries, their trees' numbers moved on by `offset`.
        """
        self._file.seek(0)
        while data := self._file.read(_AT_ONCE * ENTRY.itemsize):
            some = np.frombuffer(bytearray(data), ENTRY)
            some["first"] += offset
            some["last"] += offset
            yield some

    def close(self) -> None:
        """
        Forget what was seen.
        """
        self._file.close()


class Forest:
    """
    What the logs of all streams remember.
    """

    def __init__(self) -> None:
        self._logs: list[tuple[TreeLog, TreePart]] = []

    def add(self, log: TreeLog, part: TreePart) -> None:
        """
        Take over one stream's.
        """
        self._logs.append((log, part))

    def named(self) -> Keys:
        """
        Return the keys of blobs whose name was asked for.
        """
        every = [part.named for _, part in self._logs]
        return np.unique(np.concatenate([*every, np.zeros(0, np.uint64)]))

    def missing(self) -> Missing:
        """
        Return what trees name and is not there.
        """
        every = Missing()
        for _, part in self._logs:
            every.note(part.missing.names)
            every.uncounted += part.missing.uncounted
        return every

    def trees(self, ids: Bytes) -> Trees:
        """
        Return what was seen; `ids` are those of the whole inventory.
        """
        numbers = [part.numbers for _, part in self._logs]
        rows = np.concatenate([*numbers, np.zeros(0, np.int32)])
        return Trees(ids=ids, rows=rows, entries=self._entries)

    def close(self) -> None:
        """
        Forget what was seen.
        """
        for log, _ in self._logs:
            log.close()

    def _entries(self) -> Iterator[npt.NDArray[np.void]]:
        offset = 0
        for log, part in self._logs:
            yield from log.entries(offset)
            offset += len(part.numbers)


def _runs(child: Keys, trees: Ints, names: npt.NDArray[np.uint32]) -> npt.NDArray[np.void]:
    """
    Join what consecutive trees hold under the same name.
    """
    both = combine(child, names)
    order = np.argsort(both, kind="stable")
    both, trees = both[order], trees[order]
    new = np.ones(len(order), bool)
    new[1:] = (both[1:] != both[:-1]) | (trees[1:] > trees[:-1] + 1)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order)) - 1
    rows = order[first]
    runs = np.empty(len(rows), ENTRY)
    runs["child"], runs["name"] = child[rows], names[rows]
    runs["first"], runs["last"] = trees[first], trees[last]
    return runs
