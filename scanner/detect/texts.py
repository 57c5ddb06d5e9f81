"""
A document of a batch, as far as anybody asks for it: bytes, name, place, parent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from scanner.detect.location import Locator
from scanner.detect.registry import Derived
from scanner.model import Document, Limit, Position, Unread
from scanner.sources.batch import Batch

_MAX_DERIVED_BYTES = 256 << 20
MAX_SECONDS = 20.0
"""Of this thread's own time, which a busy machine does not shorten."""

_SETTLED_EVERY_S = 0.02
"""Asking for the thread's own time costs as much as many a decoding."""


class Costs:
    """
    What one outermost document may still cost (`registry.Budget`), and what went wrong in it.
    """

    __slots__ = (
        "_inside", "_since", "bytes_left", "limits", "out_of_time", "seconds_left", "unread_parts",
    )  # fmt: skip

    def __init__(self) -> None:
        self._inside = 0.0
        self._since: tuple[float, float] | None = None
        self.bytes_left = _MAX_DERIVED_BYTES
        self.seconds_left = MAX_SECONDS
        self.out_of_time = False
        self.limits: list[Limit] = []
        self.unread_parts: list[Unread] = []

    def took(self, seconds: float) -> None:
        """
        Charge a decoding with its share of the thread's own time, some at a time.
        """
        self._inside += seconds
        if self._inside < _SETTLED_EVERY_S:
            return
        now = time.perf_counter(), time.thread_time()
        if self._since is None:
            self.seconds_left -= self._inside
        else:
            passed, own = now[0] - self._since[0], now[1] - self._since[1]
            self.seconds_left -= own * min(1.0, self._inside / passed)
        self._inside, self._since = 0.0, now


class Source:
    """
    One text under the scan.
    """

    __slots__ = ("_batch", "_data", "_document", "_locator", "costs", "derived", "index", "parent")

    def __init__(self, batch: Batch, index: int) -> None:
        self._batch = batch
        self.index = index
        self._data: bytes | None = None
        self._document: Document | None = None
        self._locator: Locator | None = None
        self.parent: Source | None = None
        self.derived: Derived | None = None
        self.costs: Costs | None = None

    @property
    def data(self) -> bytes:
        """The whole text."""
        if self._data is None:
            view = memoryview(self._batch.data)
            self._data = bytes(view[self._batch.starts[self.index] : self._batch.ends[self.index]])
        return self._data

    @property
    def document(self) -> Document:
        """What is known of it."""
        if self._document is None:
            self._document = self._batch.document(self.index)
        return self._document

    @property
    def locator(self) -> Locator:
        """Offsets in `data` → lines."""
        if self._locator is None:
            self._locator = Locator(self.data)
        return self._locator

    @property
    def depth(self) -> int:
        """How many derivations led here."""
        return 0 if self.parent is None else self.parent.depth + 1

    def root(self) -> Source:
        """
        Return the document of the batch that all this comes from.
        """
        source = self
        while source.parent is not None:
            source = source.parent
        return source

    def root_costs(self) -> Costs:
        """
        Return what the outermost document may still cost.
        """
        source = self.root()
        if source.costs is None:
            source.costs = Costs()
        return source.costs

    def position(self, start: int, end: int) -> Position | None:
        """
        Return the place in the outermost text, `None` where that has no lines for it.
        """
        outer = self.outer_span(start, end)
        if outer is None:
            return None
        source, start, end = outer
        return source.locator.position(start, end)

    def allow(self, start: int, end: int) -> str | None:
        """
        Return the inline suppression on the outer line, if any.
        """
        outer = self.outer_span(start, end)
        if outer is None:
            return None
        source, start, end = outer
        return source.locator.allow(start, end)

    def peer_marker(self, start: int, end: int) -> str | None:
        """
        Return another scanner's marker on the outer line, if any.
        """
        outer = self.outer_span(start, end)
        if outer is None:
            return None
        source, start, end = outer
        return source.locator.peer_marker(start, end)

    def outer_span(self, start: int, end: int) -> tuple[Source, int, int] | None:
        """
        Return the text whose lines count, and the span in it.
        """
        if self.derived is None or self.parent is None:
            return self, start, end
        if self.derived.same_lines and not self.derived.inner_path:
            # The whole parent in another encoding: its lines are the ones an editor shows.
            outer = self.parent.outer_span(0, 0)
            return None if outer is None else (self, start, end)
        if self.derived.inner_path or self.derived.start is None:
            return None
        begin = self.derived.start
        stop = self.derived.end
        return self.parent.outer_span(begin, begin if stop is None else stop)


class View:
    """
    A source as one detector or deriver sees it (`registry.Text`).
    """

    __slots__ = ("hits", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.hits: list[tuple[int, int]] = []

    @property
    def data(self) -> bytes:
        """See `registry.Text`."""
        return self.source.data

    @property
    def document(self) -> Document:
        """See `registry.Text`."""
        return self.source.document


class Purse:
    """
    The costs of the outermost document, as a deriver sees them (`registry.Budget`).
    """

    __slots__ = ("_costs", "_source")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._costs = source.root_costs()

    @property
    def depth(self) -> int:
        """See `registry.Budget`."""
        return self._source.depth

    @property
    def bytes_left(self) -> int:
        """See `registry.Budget`."""
        return self._costs.bytes_left

    def spend(self, size: int) -> bool:
        """
        Take `size` bytes off; false if they were not there.
        """
        if size > self._costs.bytes_left:
            return False
        self._costs.bytes_left -= size
        return True

    def timed(self, made: Iterable[Derived]) -> Iterator[Derived]:
        """
        Yield what a deriver makes until the document has used up its time.
        """
        costs = self._costs
        waiting = iter(made)
        while costs.seconds_left > 0:
            begun = time.perf_counter()
            derived = next(waiting, None)
            costs.took(time.perf_counter() - begun)
            if derived is None:
                return
            yield derived
        if not costs.out_of_time:
            costs.out_of_time = True
            self.limit("decoding-time", f"more than {MAX_SECONDS:.0f} s of decoding: cut off")

    def taken_limits(self) -> list[Limit]:
        """
        Return the limits reported so far, and forget them.
        """
        taken, self._costs.limits = self._costs.limits, []
        return taken

    def taken_unread(self) -> list[Unread]:
        """
        Return the unread parts reported so far, and forget them.
        """
        taken, self._costs.unread_parts = self._costs.unread_parts, []
        return taken

    def limit(self, name: str, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """See `registry.Budget`."""
        document = self._source.document
        self._costs.limits.append(
            Limit(
                name=name,
                reason=reason,
                path=document.path,
                blob=document.blob,
                inner_path=document.inner_path + inner_path,
            )
        )

    def unread(self, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """See `registry.Budget`."""
        document = self._source.document
        self._costs.unread_parts.append(
            Unread(
                place=document.place,
                reason=reason,
                path=document.path,
                blob=document.blob,
                inner_path=document.inner_path + inner_path,
            )
        )


class DerivedBatch:
    """
    Derived texts, joined into a batch of their own.
    """

    __slots__ = ("_documents", "data", "ends", "starts")
    alike = False
    shared = None

    def __init__(self, items: Sequence[tuple[Source, Derived]]) -> None:
        self._documents = [_document(parent, derived) for parent, derived in items]
        self.data = b"\n".join(derived.data for _, derived in items)
        self.starts: list[int] = []
        self.ends: list[int] = []
        offset = 0
        for _, derived in items:
            self.starts.append(offset)
            offset += len(derived.data)
            self.ends.append(offset)
            offset += 1

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        return self._documents[index]


def _document(parent: Source, derived: Derived) -> Document:
    outer = parent.document
    return Document(
        place=outer.place,
        path=outer.path,
        blob=outer.blob,
        inner_path=outer.inner_path + derived.inner_path,
        decoded=outer.decoded + derived.decoded,
        offset=outer.offset,
    )
