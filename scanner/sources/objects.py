"""
Every object of a repository, kind by kind, as batches, with an account of what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from scanner.history import History, key_of
from scanner.model import Coverage, KindCount, Limit, Match, Place, Unread
from scanner.sources.batch import Batch
from scanner.sources.commits import CommitLog, TagLog
from scanner.sources.git import ObjectAccess, Repository
from scanner.sources.links import Known, missing
from scanner.sources.memory import give_back
from scanner.sources.object_dirs import is_partial
from scanner.sources.packs import KINDS, Inventory, keys, take_inventory
from scanner.sources.places import PlaceWalk
from scanner.sources.reader import ObjectReader
from scanner.sources.stream import ObjectBatch, ObjectStream, Queue
from scanner.sources.trees import Forest, TreeLog, TreePart

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
        self._commits = CommitLog(repository.id_size)
        self._tags = TagLog(repository.id_size)
        self._forest: Forest | None = None
        self._queues: list[Queue] = []
        self._wanted: set[int] = set()
        self._names: tuple[bytes, ...] = ()
        self.reader = ObjectReader(self._access, repository.id_size)
        self._places = PlaceWalk(repository, self.coverage, self.unread)
        self._places.load_refs()
        self.inventory: Inventory = take_inventory(repository.object_dir, repository.id_size)
        give_back()
        for name, reason in self.inventory.problems:
            self.unread.append(
                Unread(place=Place.BLOB, path=f"objects/{name}".encode(), reason=reason)
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
        for queue in self._queues:
            queue.close()
        if self._forest is not None:
            self._forest.close()

    def __len__(self) -> int:
        return len(self.inventory.kinds)

    def count(self, kind: str) -> int:
        """
        Return how many objects of a kind there are, before any is read.
        """
        return len(self.inventory.of_kind(kind))

    def is_shallow(self) -> bool:
        """
        Tell whether a shallow clone left out what came before.
        """
        return bool(self._places.shallow())

    @property
    def head(self) -> str | None:
        """Id of the commit at HEAD; `None` before the first."""
        return self._places.head

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

    def streams(self, kind: str) -> list[KindStream]:
        """
        Return the streams that together yield every object of `kind` once.

        Take the kinds in this order: `blob`, `commit`, `tag`, `tree`.
        """
        rows = self.inventory.of_kind(kind)
        jobs = min(self.jobs, 1 + len(rows) // _FEW)
        queue = Queue(rows, self.inventory.weights, jobs)
        self._queues.append(queue)
        log: Callable[[], CommitLog | TagLog | TreeLog | None]
        size = self.repository.id_size
        match kind:
            case "commit":
                log = partial(CommitLog, size)
            case "tag":
                log = partial(TagLog, size)
            case "tree":
                self._forest = Forest()
                known = Known(self.inventory.ids)
                log = partial(TreeLog, size, self._wanted, self._names, known)
            case _:
                log = _nothing
        return [KindStream(self, kind, queue, log()) for _ in range(jobs)]

    def learn(self, kind: str, log: CommitLog | TagLog | TreeLog | None, part: Part) -> None:
        """
        Take over what one stream learnt.
        """
        entry = self.coverage.kind(kind)
        entry.read += part.count.read
        entry.bytes += part.count.bytes
        entry.unreadable += len(part.lost)
        self._report(part.lost, _PLACES[kind])
        self.limits += part.limits
        if isinstance(part.log, CommitLog):
            self._commits.add(part.log)
        elif isinstance(part.log, TagLog):
            self._tags.targets.update(part.log.targets)
        elif isinstance(part.log, TreePart) and isinstance(log, TreeLog) and self._forest:
            self._forest.add(log, part.log)

    def history(self) -> History:
        """
        Return what was learnt of who holds whom, after every kind has been read;
        call it once.  What is named and not there becomes `unread`.
        """
        forest = self._forest
        if forest is None:
            raise ValueError("the trees have not been read")
        commits = self._commits.commits()
        refs = self._places.real_refs()
        self.unread += missing(
            self.inventory.ids,
            forest.missing(),
            commits=commits,
            tags=self._tags.targets,
            refs=refs,
            reader=self.reader,
            shallow=self._places.shallow(),
            promised=is_partial(self.repository.object_dir),
        )
        give_back()
        return History(
            commits=commits,
            trees=forest.trees(self.inventory.ids),
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
        if self._forest is None:
            return []
        rows = self.inventory.of_kind("blob")
        ids = self.inventory.ids[rows]
        found = ids[np.isin(keys(ids), self._forest.named())]
        return [row.tobytes().hex() for row in found]

    def give_up(self, kind: str, reason: str) -> None:
        """
        Say that what one stream read is lost; call it when the others have been learnt.
        """
        entry = self.coverage.kind(kind)
        lost = self.count(kind) - entry.read - entry.unreadable
        entry.unreadable += lost
        self.unread.append(
            Unread(place=_PLACES[kind], reason=f"{lost} objects were not read: {reason}")
        )

    def object_stream(self, kind: str, queue: Queue) -> ObjectStream:
        """
        Return a stream of the runs that it takes from `queue`.
        """
        return ObjectStream(self._access, self.inventory, kind, queue)

    def _report(self, rows: list[int], place: Place) -> None:
        for row in rows:
            self.unread.append(
                Unread(
                    place=place,
                    blob=self.inventory.ids[row].tobytes().hex(),
                    reason="git cannot read this object: it is corrupt, or its pack is",
                )
            )


@dataclass(slots=True)
class Part:
    """
    What one stream learnt of what it read.
    """

    count: KindCount = field(default_factory=KindCount)
    lost: list[int] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    log: CommitLog | TagLog | TreePart | None = None


class KindStream:
    """
    The batches of one stream.  Read in another process, its `part` must be handed to `learn` here.
    """

    def __init__(
        self,
        walk: ObjectWalk,
        kind: str,
        queue: Queue,
        log: CommitLog | TagLog | TreeLog | None,
    ) -> None:
        self._walk = walk
        self._kind = kind
        self._queue = queue
        self._log = log
        self.part = Part()

    def __iter__(self) -> Iterator[Batch]:
        part = self.part
        try:
            yield from self._logged(self._batches())
        finally:
            log = self._log
            part.log = log.part() if isinstance(log, TreeLog) else log
            self.learn(part)

    def heard(self, found: Sequence[Match]) -> None:
        """
        Be told what was found in the last batch: who holds such names matters from there on.
        """
        if isinstance(self._log, TreeLog):
            self._log.heard(found)

    def learn(self, part: Part) -> None:
        """
        Take over what this stream learnt in another process.
        """
        self._walk.learn(self._kind, self._log, part)

    def give_up(self, reason: str) -> None:
        """
        Say that what this stream read in another process is lost.
        """
        self._walk.give_up(self._kind, reason)

    def _logged(self, batches: Iterator[ObjectBatch]) -> Iterator[Batch]:
        match self._log:
            case CommitLog() | TagLog() as log:
                return log.split(batches)
            case TreeLog() as log:
                return log.watch(batches)
            case _:
                return batches

    def _batches(self) -> Iterator[ObjectBatch]:
        stream, part = self._walk.object_stream(self._kind, self._queue), self.part
        part.lost = stream.lost
        for batch in stream:
            part.count.read += len(batch.starts)
            part.count.bytes += sum(batch.ends) - sum(batch.starts)
            if batch.cut:
                part.limits.append(
                    Limit(
                        name="object-size",
                        reason=f"the last {batch.cut} bytes were not read",
                        blob=batch.document(0).blob,
                    )
                )
            yield batch


def _nothing() -> None:
    return None
