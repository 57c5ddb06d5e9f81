r"""
Trees as names to scan, and what holds what.

Format: https://git-scm.com/docs/gitformat-pack; a tree is `<mode> <name>\0<id>`
over and over.  A million trees stream by once: each buffer is taken apart as
arrays, and neighbours in a pack are versions of one folder, so that most of
what one holds is a continuation of what the one before it held.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from scanner.history import ENTRY, Ints, Keys, Trees, combine, long_hashes
from scanner.model import Match
from scanner.native import library
from scanner.sources.links import Known, Missing
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch
from scanner.sources.tree_entries import TreeReader
from scanner.sources.tree_names import (
    FOLDER_MODE,
    Entries,
    NameBatch,
    NameLog,
    NamePatterns,
    fresh,
    names_of,
)
from scanner.sources.tree_shapes import Buffer, sparse_entries

_FOLDER = ord("4")
_MODULE = b"6"
"""The second digit of its mode, 160000."""

_AT_ONCE = 1 << 17


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
    trees = np.repeat(np.arange(len(starts)), counts)
    names = begins + np.where(data[begins] == _FOLDER, FOLDER_MODE, FOLDER_MODE + 1)
    hashes = long_hashes(_padded(data, nuls), names, nuls - names)
    return Entries(begins, nuls, trees, trees, names, hashes)


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
        built = library()
        self._reader = None if built is None else TreeReader(built, id_size)
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
        self._loud = NameLog()
        self._telling = NameLog()
        self._last: NameBatch

    def watch(self, batches: Iterable[ObjectBatch]) -> Iterator[NameBatch]:
        """
        Read trees; yield the names that are new in them.
        """
        for batch in batches:
            yield from self._add(batch)

    def heard(self, found: Sequence[Match]) -> None:
        """
        Be told what was found in the last names: what goes by them is wanted from there on.
        """
        names = self._last
        for match in found:
            rows = np.flatnonzero(names.offsets == match.document.offset).tolist()
            self._loud.mark(
                np.array(
                    [
                        names.hashes[r]
                        for r in rows
                        if names.document(r).blob == match.document.blob
                    ],
                    np.uint64,
                )
            )

    def _add(self, batch: ObjectBatch) -> Iterator[NameBatch]:
        data = np.frombuffer(batch.data, np.uint8)
        offset = self._count
        self._count += len(batch.starts)
        self._numbers.append(batch.rows.astype(np.int32))
        starts, ends = (np.array(places, np.int64) for places in (batch.starts, batch.ends))
        size = self._id_size
        words = np.ndarray((max(len(data) - 7, 0),), ">u8", buffer=data, strides=(1,))
        if self._reader is not None:
            entries = self._reader.entries(data, starts, ends)
            rows = np.arange(len(entries.starts))
        else:
            entries, leading = sparse_entries(Buffer(data, starts, ends, size), parse)
            changed = np.arange(len(leading.starts), len(entries.starts))
            rows = np.concatenate([fresh(words, leading), changed])
        whole = entries.nuls + size < len(data)
        rows = rows[whole[rows]]
        self._look_for_missing(data, entries, rows, words)
        hashes = entries.hashes[rows]
        new = self._loud.unmet(hashes)
        names = self._last = names_of(batch, entries, rows[new])
        if self._names is not None:
            self._telling.mark(names.hashes[self._names.rows(names)])
        if len(new):
            yield names
        # Only now it is known which names matter.
        children = words[entries.nuls[rows] + 1].astype(np.uint64)
        telling = self._telling.marked(hashes)
        telling &= ~entries.folders[rows]
        self._named.append(children[telling])
        self._wish(children[telling | self._loud.marked(hashes)])
        self._note(data, words, entries, whole, offset)

    def _note(
        self,
        data: Bytes,
        words: Keys,
        entries: Entries,
        whole: npt.NDArray[np.bool_],
        offset: int,
    ) -> None:
        """
        Write down who holds folders and wanted blobs.
        """
        folders = entries.folders
        prefix = np.ndarray((max(len(data) - 1, 0),), ">u2", buffer=data, strides=(1,))
        maybe = self._maybe[prefix[np.minimum(entries.nuls + 1, len(prefix) - 1)]]
        some = np.flatnonzero((folders | maybe) & whole)
        child = words[entries.nuls[some] + 1].astype(np.uint64)
        keep = folders[some]
        keep[~keep] = self._is_wanted(child[~keep])
        some, child = some[keep], child[keep]
        if not len(some):
            return
        names = (entries.hashes[some] >> np.uint64(32)).astype(np.uint32)
        runs = _runs(child, names, entries.trees[some] + offset, entries.lasts[some] + offset)
        self._file.write(runs.data)

    def _wish(self, children: Keys) -> None:
        """
        Want more, from here on: of no tree before was it a name's child.
        """
        children = children[~self._is_wanted(children)]
        if len(children):
            self._wanted = np.union1d(self._wanted, children)
            self._maybe[(children >> np.uint64(48)).astype(np.int64)] = True

    def _look_for_missing(self, data: Bytes, entries: Entries, rows: Ints, words: Keys) -> None:
        rows = rows[self._known.absent(words[entries.nuls[rows] + 1].astype(np.uint64))]
        if not len(rows):
            return
        # A submodule's commit lies in another repository.
        rows = rows[data[entries.starts[rows] + 1] != ord(_MODULE)]
        found = {}
        for row in rows.tolist():
            nul = int(entries.nuls[row])
            _, _, name = data[entries.starts[row] : nul].tobytes().partition(b" ")
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

    def forget(self) -> None:
        """
        Let go of what only reading needs; the entries stay.
        """
        # Tables of zeros take no memory until they are written to.
        self._known = Known(np.zeros((0, self._id_size), np.uint8))
        self._loud, self._telling = NameLog(), NameLog()

    def entries(self, offset: int) -> Iterator[npt.NDArray[np.void]]:
        """
        Yield the entries, their trees' numbers moved on by `offset`.
        """
        # Forked processes share a file's position, and may read at the same time.
        at = 0
        while data := _read_at(self._file, _AT_ONCE * ENTRY.itemsize, at):
            at += len(data)
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
        log.forget()
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


def _read_at(file: IO[bytes], size: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, offset)
    file.seek(offset)
    return file.read(size)


def _padded(data: Bytes, nuls: Ints) -> Bytes:
    """
    Return `data`, longer if need be: hashing reads whole words.
    """
    if len(nuls) and len(data) < int(nuls.max()) + 9:
        return np.concatenate([data, np.zeros(16, np.uint8)])
    return data


def _runs(
    child: Keys, names: npt.NDArray[np.uint32], firsts: Ints, lasts: Ints
) -> npt.NDArray[np.void]:
    """
    Join what consecutive trees hold under the same name.
    """
    both = combine(child, names)
    order = np.lexsort((firsts, both))
    both, firsts, lasts = both[order], firsts[order], lasts[order]
    new = np.ones(len(order), bool)
    new[1:] = (both[1:] != both[:-1]) | (firsts[1:] > lasts[:-1] + 1)
    first = np.flatnonzero(new)
    rows = order[first]
    runs = np.empty(len(rows), ENTRY)
    runs["child"], runs["name"] = child[rows], names[rows]
    runs["first"], runs["last"] = firsts[first], lasts[np.append(first[1:], len(order)) - 1]
    return runs
