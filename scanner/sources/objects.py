"""
Every object of a repository, kind by kind, as batches, with an account of what was read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from scanner.model import Coverage, Limit, Place, Unread
from scanner.sources.git import ObjectAccess, Repository
from scanner.sources.packs import KINDS, Inventory, take_inventory
from scanner.sources.stream import ObjectBatch, ObjectStream, Queue

_RUNS_PER_STREAM = 4
"""Streams take runs until none is left, so that none waits long for another at the end."""

_FEW = 2_000
"""Objects in a run: below, starting git costs more than sharing the work saves."""

_PLACES = {
    "blob": Place.BLOB,
    "tree": Place.PATH,
    "commit": Place.COMMIT_MESSAGE,
    "tag": Place.TAG_MESSAGE,
}


class ObjectWalk:
    """
    Reads what an object database and its alternates hold, reachable or not.

    Close it (`contextlib.closing`) when done; take the streams of one kind at a time and
    iterate each in a thread of its own.
    """

    def __init__(self, repository: Repository, *, jobs: int = 2) -> None:
        self.repository = repository
        self.jobs = max(1, jobs)
        self.coverage = Coverage()
        self.unread: list[Unread] = []
        self.limits: list[Limit] = []
        self._access = ObjectAccess(repository)
        self._lock = threading.Lock()
        self.inventory: Inventory = take_inventory(repository.object_dir, repository.id_size)
        for name, reason in self.inventory.problems:
            self.unread.append(
                Unread(place=Place.BLOB, path=f"objects/pack/{name}".encode(), reason=reason)
            )
        for kind in KINDS.values():
            self.coverage.kind(kind)
        unknown = self.inventory.of_kind("unknown")
        if len(unknown):
            self.coverage.kind("unknown").unreadable += len(unknown)
            self._report(unknown.tolist(), Place.BLOB)

    def close(self) -> None:
        """
        Remove what the walk put on disk.
        """
        self._access.close()

    def __len__(self) -> int:
        return len(self.inventory.kinds)

    def count(self, kind: str) -> int:
        """
        Return how many objects of a kind there are, before any is read.
        """
        return len(self.inventory.of_kind(kind))

    def streams(self, kind: str) -> list[Iterator[ObjectBatch]]:
        """
        Return the streams that together yield every object of `kind` once.
        """
        rows = self.inventory.of_kind(kind)
        jobs = min(self.jobs, 1 + len(rows) // _FEW)
        runs = min(jobs * _RUNS_PER_STREAM, 1 + len(rows) // _FEW)
        queue = Queue(rows, self.inventory.weights, runs)
        return [self._counted(kind, queue) for _ in range(jobs)]

    def _counted(self, kind: str, queue: Queue) -> Iterator[ObjectBatch]:
        stream = ObjectStream(self._access, self.inventory.ids, kind, queue)
        count = size = 0
        try:
            for batch in stream:
                count += len(batch.starts)
                size += sum(batch.ends) - sum(batch.starts)
                if batch.cut:
                    self._cut(batch)
                yield batch
        finally:
            with self._lock:
                entry = self.coverage.kind(kind)
                entry.read += count
                entry.bytes += size
                entry.unreadable += len(stream.lost)
                self._report(stream.lost, _PLACES[kind])

    def _cut(self, batch: ObjectBatch) -> None:
        self.limits.append(
            Limit(
                name="object-size",
                reason=f"the last {batch.cut} bytes were not read",
                blob=batch.document(0).blob,
            )
        )

    def _report(self, rows: list[int], place: Place) -> None:
        for row in rows:
            self.unread.append(
                Unread(
                    place=place,
                    blob=self.inventory.ids[row].tobytes().hex(),
                    reason="git cannot read this object: it is corrupt, or its pack is",
                )
            )
