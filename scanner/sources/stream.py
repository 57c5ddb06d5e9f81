"""
Objects from `git cat-file --batch`, many to a buffer.

Python's share of an object is finding where its header ends: everything else
happens to whole buffers.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from scanner.model import Document, Place
from scanner.native import library
from scanner.sources.batch import Shared
from scanner.sources.git import ObjectAccess
from scanner.sources.pack_reader import PackReader
from scanner.sources.packs import CODES, Bytes, Ints, Inventory

BUFFER_BYTES = 4 << 20
_SPOOLED_BYTES = 512 << 20
"""Larger objects go through a file: their pages can be taken from us again."""

MAX_BYTES = (1 << 32) - (1 << 16)
"""The first pass counts offsets in 32 bits."""

_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(
    256, 2
)
_PLACES = {
    "blob": Place.BLOB,
    "tree": Place.PATH,
    "commit": Place.COMMIT_MESSAGE,
    "tag": Place.TAG_MESSAGE,
}
_huge = threading.Lock()


@dataclass(slots=True)
class ObjectBatch:
    """
    Whole objects of one kind, with git's headers between them.
    """

    data: memoryview
    starts: Sequence[int]
    ends: Sequence[int]
    kind: str
    ids: Bytes
    """One row for each object."""

    rows: Ints
    """Where in the inventory each object stands."""

    cut: int = 0
    """Bytes of the last object that were left out."""

    shared: Shared | None = None
    """See `Batch.shared`."""

    @property
    def alike(self) -> bool:
        """
        See `Batch.alike`.
        """
        return self.kind == "blob"

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        return Document(_PLACES[self.kind], blob=self.ids[index].tobytes().hex())


class Queue:
    """
    Runs of inventory rows, in the order of the pack, that streams take from, whether in
    threads or in forked processes.

    A run keeps neighbours together, since they are mostly deltas of each other.
    """

    def __init__(self, rows: Ints, weights: npt.NDArray[np.int32], streams: int) -> None:
        self._runs: list[Ints] = []
        if len(rows):
            total = np.cumsum(weights[rows].astype(np.int64) + 64)
            # Ever smaller ones, so that no stream waits long for another at the end.
            shares = np.repeat([8, 4, 4, 2, 2, 1, 1, 1], streams) if streams > 1 else np.ones(1)
            edges = np.cumsum(shares)[:-1] / shares.sum()
            cuts = np.searchsorted(total, edges * total[-1])
            self._runs = [run for run in np.split(rows, cuts) if len(run)]
        # The numbers of the runs wait in a pipe: whoever reads one has it for itself.
        self._waiting, numbers = os.pipe()
        os.write(numbers, np.arange(len(self._runs), dtype="<u2").tobytes())
        os.close(numbers)

    def close(self) -> None:
        """
        Leave what is left to nobody.
        """
        if self._waiting >= 0:
            os.close(self._waiting)
            self._waiting = -1

    def take(self) -> Ints | None:
        """
        Return the next run, or `None` when there is no more.
        """
        number = os.read(self._waiting, 2) if self._waiting >= 0 else b""
        return self._runs[int.from_bytes(number, "little")] if number else None


class ObjectStream:
    """
    Runs of objects of one kind: what a pack holds, by our own reader where there is one; all
    else by one git process after the other.

    Iterate it from one thread.  `lost` collects the rows that git could not read.
    """

    def __init__(self, access: ObjectAccess, inventory: Inventory, kind: str, queue: Queue) -> None:
        self._access = access
        self._inventory = inventory
        self._ids = ids = inventory.ids
        self._kind = kind
        self._queue = queue
        self._buffer = bytearray(BUFFER_BYTES)
        self._skip = 2 * ids.shape[1] + 2 + len(kind)
        self._pack: tuple[int, PackReader | None] | None = None
        self.lost: list[int] = []

    def __iter__(self) -> Iterator[ObjectBatch]:
        try:
            while (run := self._queue.take()) is not None:
                left = yield from self._from_packs(run)
                yield from self._run(left)
        finally:
            self._close_pack()

    def _from_packs(self, rows: Ints) -> Generator[ObjectBatch, None, Ints]:
        """
        Yield what our own reader takes; return the rest.
        """
        inventory, left = self._inventory, [rows[:0]]
        # The other way round, what is written first comes first: bases before their deltas.
        rows = rows[::-1]
        changes = np.flatnonzero(np.diff(inventory.holders[rows])) + 1
        for group in np.split(rows, changes) if len(rows) else []:
            reader = self._reader(int(inventory.holders[group[0]]))
            offsets, at = inventory.offsets[group], 0
            if reader is None:
                left.append(group)
                continue
            while at < len(group):
                read = reader.read(offsets[at:], CODES[self._kind])
                here = group[at : at + read.done]
                left.append(here[read.failed])
                at += read.done
                if len(read.places):
                    told = here[read.places]
                    yield ObjectBatch(
                        read.text,
                        read.starts,
                        read.ends,
                        self._kind,
                        self._ids[told],
                        told,
                        shared=read.shared,
                    )
        return np.concatenate(left)[::-1]

    def _reader(self, number: int) -> PackReader | None:
        """
        Return the reader of a pack, `None` where there is none.
        """
        if self._pack is None or self._pack[0] != number:
            self._close_pack()
            try:
                reader = self._opened(number)
            except OSError:
                reader = None
            self._pack = number, reader
        return self._pack[1]

    def _opened(self, number: int) -> PackReader | None:
        if number < 0 or library() is None:
            return None
        pack, size = self._inventory.packs[number], self._ids.shape[1]
        return PackReader(pack, size, cutting=self._kind == "blob")

    def _close_pack(self) -> None:
        if self._pack is not None and self._pack[1] is not None:
            self._pack[1].close()
        self._pack = None

    def _run(self, rows: Ints) -> Iterator[ObjectBatch]:
        suspect = -1
        while len(rows):
            served = 0
            for batch, count in self._process(rows):
                served += count
                if batch is not None:
                    yield batch
            if served < len(rows):
                # Git died here.  What it had read before may have died with it,
                # so an object is lost only when git dies of it alone.
                if rows[served] == suspect:
                    self.lost.append(int(suspect))
                    served += 1
                else:
                    suspect = int(rows[served])
            rows = rows[served:]

    def _process(self, rows: Ints) -> Iterator[tuple[ObjectBatch | None, int]]:
        with tempfile.TemporaryFile() as names:
            names.write(_lines(self._ids[rows]))
            names.seek(0)
            process = self._access.stream("cat-file", "--batch", "--buffer", stdin=names)
            try:
                if process.stdout is not None:
                    yield from self._drain(process.stdout, rows)
            finally:
                if process.stdout is not None:
                    process.stdout.close()
                process.kill()
                process.wait()

    def _drain(self, pipe: IO[bytes], rows: Ints) -> Iterator[tuple[ObjectBatch | None, int]]:
        buffer, filled, served = self._buffer, 0, 0
        while served < len(rows):
            filled, ended = _fill(pipe, buffer, filled)
            starts, ends, gaps, used = self._parse(buffer, filled, len(rows) - served)
            count = len(starts) + len(gaps)
            if not count:
                size = self._size(buffer, filled)
                if ended or size < 0:
                    return
                yield from self._large(pipe, buffer, filled, rows[served])
                served, filled = served + 1, 0
                continue
            here = rows[served : served + count]
            self.lost.extend(int(row) for row in here[gaps])
            if gaps:
                here = np.delete(here, gaps)
            yield self._batch(memoryview(buffer)[:used], starts, ends, here), count
            served += count
            buffer[: filled - used] = buffer[used:filled]
            filled -= used

    def _batch(
        self, data: memoryview, starts: Sequence[int], ends: Sequence[int], rows: Ints
    ) -> ObjectBatch | None:
        if not starts:
            return None
        return ObjectBatch(data, starts, ends, self._kind, self._ids[rows], rows)

    def _parse(
        self, buffer: bytearray, filled: int, most: int
    ) -> tuple[list[int], list[int], list[int], int]:
        """
        Return where whole objects start and end, which of them are gaps, and how far it came.
        """
        starts: list[int] = []
        ends: list[int] = []
        gaps: list[int] = []
        skip = self._skip
        find = buffer.find
        position = 0
        left = most
        while left:
            after = position + skip
            newline = find(b"\n", after, filled)
            if newline < 0 and find(b"\n", position, filled) < 0:
                break
            try:
                stop = newline + 1 + int(buffer[after:newline])
            except ValueError:
                # "<id> missing", or another kind than the pack's header said.
                newline = find(b"\n", position, filled)
                gaps.append(len(starts) + len(gaps))
                position = newline + 1
                left -= 1
                continue
            if stop >= filled:
                break
            starts.append(newline + 1)
            ends.append(stop)
            position = stop + 1
            left -= 1
        return starts, ends, gaps, position

    def _size(self, buffer: bytearray, filled: int) -> int:
        newline = buffer.find(b"\n", self._skip, filled)
        return int(buffer[self._skip : newline]) if newline > 0 else -1

    def _large(
        self, pipe: IO[bytes], head: bytearray, filled: int, row: int
    ) -> Iterator[tuple[ObjectBatch | None, int]]:
        """
        Yield the one object that fills more than a buffer; nothing, if git dies of it.

        Only one is in memory at a time, whichever stream meets it.
        """
        size = self._size(head, filled)
        start = head.find(b"\n", self._skip, filled) + 1
        have = filled - start
        with _huge, tempfile.TemporaryFile() as spool:
            large: bytearray | mmap.mmap
            if size > _SPOOLED_BYTES:
                spool.truncate(size + 1)
                large = mmap.mmap(spool.fileno(), size + 1)
            else:
                large = bytearray(size + 1)
            view = memoryview(large)
            view[:have] = memoryview(head)[start:filled]
            while have <= size:
                got = pipe.readinto(view[have:])  # type: ignore[attr-defined] # a raw pipe
                if not got:
                    return
                have += got
            kept = min(size, MAX_BYTES)
            batch = self._batch(view[:kept], [0], [kept], np.array([row]))
            if batch is not None:
                batch.cut = size - kept
            yield batch, 1


def _fill(pipe: IO[bytes], buffer: bytearray, filled: int) -> tuple[int, bool]:
    with memoryview(buffer) as view:
        while filled < len(buffer):
            got = pipe.readinto(view[filled:])  # type: ignore[attr-defined] # a raw pipe
            if not got:
                return filled, True
            filled += got
    return filled, False


def _lines(ids: Bytes) -> bytes:
    rows, size = ids.shape
    lines = np.full((rows, 2 * size + 1), ord("\n"), np.uint8)
    lines[:, :-1] = _HEX[ids].reshape(rows, 2 * size)
    return lines.tobytes()
