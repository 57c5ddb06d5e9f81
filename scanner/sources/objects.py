"""
Every object of a repository, kind by kind, as batches, with an account of what was read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import numpy as np

from scanner.history import History, key_of
from scanner.model import Coverage, Limit, Place, Unread
from scanner.sources.batch import Batch
from scanner.sources.commits import CommitLog, TagLog
from scanner.sources.git import ObjectAccess, Repository
from scanner.sources.links import Known, missing
from scanner.sources.memory import give_back
from scanner.sources.packs import KINDS, Inventory, is_partial, keys, take_inventory
from scanner.sources.places import PlaceWalk
from scanner.sources.reader import ObjectReader
from scanner.sources.stream import ObjectBatch, ObjectStream, Queue
from scanner.sources.trees import TreeLog

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
        self._commits = CommitLog(repository.id_size)
        self._tags = TagLog(repository.id_size)
        self._trees: TreeLog | None = None
        self._known: Known | None = None
        self._wanted: set[int] = set()
        self._names: tuple[bytes, ...] = ()
        self.reader = ObjectReader(self._access, repository.id_size)
        self._places = PlaceWalk(repository, self.coverage, self.unread)
        self._places.load_refs()
        self.inventory: Inventory = take_inventory(repository.object_dir, repository.id_size)
        give_back()
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
        if self._trees is not None:
            self._trees.close()

    def __len__(self) -> int:
        return len(self.inventory.kinds)

    def count(self, kind: str) -> int:
        """
        Return how many objects of a kind there are, before any is read.
        """
        return len(self.inventory.of_kind(kind))

    def want(self, blobs: Iterable[str], *, names: Iterable[bytes] = ()) -> None:
        """
        Say, before the trees are read, which blobs' paths matter: those named by
        id, and those at paths whose last part one of `names` matches in whole
        (hyperscan's syntax).
        """
        self._wanted.update(key_of(blob) for blob in blobs)
        self._names += tuple(names)

    def places(self) -> Iterator[Batch]:
        """
        Yield what lies around the objects: names of refs, reflogs, configuration, LFS objects.
        """
        return self._places.batches()

    def streams(self, kind: str) -> list[Iterator[Batch]]:
        """
        Return the streams that together yield every object of `kind` once.

        Take the kinds in this order: `blob`, `commit`, `tag`, `tree`.
        """
        rows = self.inventory.of_kind(kind)
        jobs = min(self.jobs, 1 + len(rows) // _FEW)
        runs = min(jobs * _RUNS_PER_STREAM, 1 + len(rows) // _FEW)
        queue = Queue(rows, self.inventory.weights, runs)
        streams = [self._counted(kind, queue) for _ in range(jobs)]
        match kind:
            case "commit":
                return [self._commits.split(stream) for stream in streams]
            case "tag":
                return [self._tags.split(stream) for stream in streams]
            case "tree":
                self._known = Known(self.inventory.ids)
                size = self.repository.id_size
                self._trees = TreeLog(size, self._wanted, self._names, self._known)
                return [self._trees.watch(stream) for stream in streams]
            case _:
                return list(streams)

    def history(self) -> History:
        """
        Return what was learnt of who holds whom, after every kind has been read;
        call it once.  What is named and not there becomes `unread`.
        """
        trees = self._trees
        if trees is None or self._known is None:
            raise ValueError("the trees have not been read")
        commits = self._commits.commits()
        refs = self._places.real_refs()
        self.unread += missing(
            self.inventory.ids,
            self._known,
            commits=commits,
            tags=self._tags.targets,
            refs=refs,
            reader=self.reader,
            shallow=self._places.shallow(),
            promised=is_partial(self.repository.object_dir),
        )
        self._known = None
        give_back()
        return History(
            commits=commits,
            trees=trees.trees(self.inventory.ids),
            tags=self._tags.targets,
            refs=refs,
            head=self._places.head,
            reader=self.reader,
            id_size=self.repository.id_size,
            staged=self._places.staged(),
        )

    def named_blobs(self) -> list[str]:
        """
        Return the blobs at paths with one of the wanted names, once the trees have been read.
        """
        if self._trees is None:
            return []
        rows = self.inventory.of_kind("blob")
        ids = self.inventory.ids[rows]
        found = ids[np.isin(keys(ids), self._trees.named())]
        return [row.tobytes().hex() for row in found]

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
