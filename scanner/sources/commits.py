"""
Commits and tags as texts to scan, and the graph they form.

Format: https://git-scm.com/docs/signature-format (headers); a commit is a tree,
its parents, author, committer, further headers, an empty line, the message.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from scanner.history import Commits
from scanner.model import Document, Place
from scanner.native import library
from scanner.sources.commit_columns import CommitColumns, commit_columns
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch

_COMMIT_PLACES = (Place.COMMIT_IDENTITY, Place.COMMIT_HEADER, Place.COMMIT_MESSAGE)
_TAG_PLACES = (Place.TAG_IDENTITY, Place.TAG_IDENTITY, Place.TAG_MESSAGE)
_IDENTITY, _HEADER, _MESSAGE = range(3)


@dataclass(slots=True)
class PartBatch:
    """
    The parts of commits or tags, each a document of its own.
    """

    data: memoryview
    ids: Bytes
    places: tuple[Place, ...]
    starts: Sequence[int] = field(default_factory=list)
    ends: Sequence[int] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    alike: bool = False
    shared: None = None

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        owner = self.ids[self.owners[index]]
        return Document(self.places[self.parts[index]], blob=owner.tobytes().hex())


class CommitLog:
    """
    Splits commits into parts, and remembers tree, parents and date of each.
    """

    def __init__(self, id_size: int) -> None:
        self._hex = 2 * id_size
        self._ids: list[Bytes] = []
        self._trees = array("Q")
        self._times = array("q")
        self._children = array("q")
        self._parents = array("Q")

    def split(self, batches: Iterable[ObjectBatch]) -> Iterator[PartBatch]:
        """
        Yield the texts of each batch of commits.
        """
        for batch in batches:
            built = library()
            told = None if built is None else commit_columns(built, batch, self._hex // 2)
            yield self._split(batch) if told is None else self._taken(batch, told)

    def _taken(self, batch: ObjectBatch, told: CommitColumns) -> PartBatch:
        children = told.children + len(self._trees)
        self._ids.append(batch.ids)
        self._trees.frombytes(told.trees.tobytes())
        self._times.frombytes(told.times.tobytes())
        self._parents.frombytes(told.parents.tobytes())
        self._children.frombytes(children.tobytes())
        columns = told.starts, told.ends, told.owners, told.parts
        starts, ends, owners, parts = (one.tolist() for one in columns)
        return PartBatch(batch.data, batch.ids, _COMMIT_PLACES, starts, ends, owners, parts)

    def _split(self, batch: ObjectBatch) -> PartBatch:
        data = batch.data.obj  # memoryviews cannot search
        find = data.find  # type: ignore[attr-defined] # a bytearray or a map
        width = self._hex
        trees, times = array("Q"), array("q")
        children, parents = array("q"), array("Q")
        starts: list[int] = []
        ends: list[int] = []
        owners: list[int] = []
        parts: list[int] = []
        for number, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            stop = find(b"\n\n", start, end)
            if stop < 0:
                stop = end
            try:
                trees.append(int(data[start + 5 : start + 21], 16))  # type: ignore[index]
            except ValueError:
                trees.append(0)
            position = start + 6 + width
            while data[position : position + 7] == b"parent ":  # type: ignore[index]
                try:
                    parents.append(int(data[position + 7 : position + 23], 16))  # type: ignore[index]
                    children.append(number)
                except ValueError:
                    pass
                position += 8 + width
            committer = find(b"\ncommitter ", position - 1, stop)
            line_end = find(b"\n", committer + 1, stop) if committer >= 0 else stop
            if line_end < 0:
                line_end = stop
            times.append(_seconds(bytes(data[committer + 1 : line_end])))  # type: ignore[index]
            starts.append(position)
            ends.append(max(position, line_end))
            owners.append(number)
            parts.append(_IDENTITY)
            if line_end + 1 < stop:
                starts.append(line_end + 1)
                ends.append(stop)
                owners.append(number)
                parts.append(_HEADER)
            if stop + 2 < end:
                starts.append(stop + 2)
                ends.append(end)
                owners.append(number)
                parts.append(_MESSAGE)
        offset = len(self._trees)
        self._ids.append(batch.ids)
        self._trees.extend(trees)
        self._times.extend(times)
        self._parents.extend(parents)
        self._children.extend(child + offset for child in children)
        return PartBatch(batch.data, batch.ids, _COMMIT_PLACES, starts, ends, owners, parts)

    def add(self, other: CommitLog) -> None:
        """
        Take over what another stream's log remembers.
        """
        offset = len(self._trees)
        self._ids += other._ids
        self._trees.extend(other._trees)
        self._times.extend(other._times)
        self._parents.extend(other._parents)
        self._children.extend(child + offset for child in other._children)

    def commits(self) -> Commits:
        """
        Return the graph of all commits seen.
        """
        width = self._hex // 2
        ids = np.concatenate(self._ids) if self._ids else np.zeros((0, width), np.uint8)
        return Commits(
            ids=ids,
            trees=np.array(self._trees, np.uint64),
            times=np.array(self._times, np.int64),
            child_rows=np.array(self._children, np.int64),
            parent_keys=np.array(self._parents, np.uint64),
        )


def _seconds(line: bytes) -> int:
    fields = line.rsplit(b" ", 2)
    try:
        return max(-(1 << 40), min(int(fields[-2]), 1 << 40))
    except (ValueError, IndexError):
        return 0


class TagLog:
    """
    Splits tags into parts, and remembers what each names.
    """

    def __init__(self, id_size: int) -> None:
        self._hex = 2 * id_size
        self.targets: dict[str, str] = {}

    def split(self, batches: Iterable[ObjectBatch]) -> Iterator[PartBatch]:
        """
        Yield the texts of each batch of tags.
        """
        for batch in batches:
            yield self._split(batch)

    def _split(self, batch: ObjectBatch) -> PartBatch:
        result = PartBatch(batch.data, batch.ids, _TAG_PLACES)
        starts: list[int] = []
        ends: list[int] = []
        for number, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            text = bytes(batch.data[start:end])
            header, _, _ = text.partition(b"\n\n")
            first, _, rest = header.partition(b"\n")
            if first.startswith(b"object "):
                name = batch.ids[number].tobytes().hex()
                self.targets[name] = first[7:].decode("latin-1")
            stop = start + len(header)
            ranges = [(stop - len(rest), stop, _IDENTITY), (stop + 2, end, _MESSAGE)]
            for begin, finish, part in ranges:
                if begin < finish:
                    starts.append(begin)
                    ends.append(finish)
                    result.owners.append(number)
                    result.parts.append(part)
        result.starts, result.ends = starts, ends
        return result
