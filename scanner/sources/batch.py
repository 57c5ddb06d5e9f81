"""
The unit in which bytes move: many documents in one buffer, scanned in one native call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from scanner.model import Document
from scanner.records import dataclass


@dataclass(frozen=True, slots=True)
class Pieces:
    """
    What one pass must look at, behind one another with a byte between.
    """

    text: memoryview
    places: Sequence[int]
    """Where each piece begins in `text`, ascending."""

    shifts: Sequence[int]
    """What makes an offset in `text` one in its document."""

    owners: Sequence[int]
    """The number of the document that each belongs to."""


@dataclass(frozen=True, slots=True)
class Shared:
    """
    What the documents of a batch have in common with earlier ones, as their source knows it.
    """

    first: int
    """Number of the first document in its source; the others follow."""

    kept: int
    """So many documents back one may be the base of another."""

    bases: Sequence[int]
    """The number of each one's base, -1 where it has none."""

    stops: Sequence[int]
    """How many blocks there are up to the end of each one's."""

    blocks: Sequence[int]
    """Where each stands in the base, where in the document, its size: three numbers, in order."""

    passes: tuple[Pieces, ...]
    """For expressions that are near (`ruleset.reach`), then for the others."""


class Batch(Protocol):
    """
    Documents that lie in one buffer, in order and without overlap.

    Between two documents there may be bytes that belong to neither (git's
    object headers): a candidate that ends there, or that starts before its
    document does, is none.
    """

    @property
    def data(self) -> bytes | bytearray | memoryview:
        """The buffer; valid until the next batch is asked for."""
        ...

    @property
    def alike(self) -> bool:
        """Whether neighbours are likely to be versions of one text."""
        ...

    @property
    def shared(self) -> Shared | None:
        """What documents have in common, where that is known."""
        ...

    @property
    def starts(self) -> Sequence[int]:
        """Where each document starts, ascending."""
        ...

    @property
    def ends(self) -> Sequence[int]:
        """Where each document ends (exclusive)."""
        ...

    def document(self, index: int) -> Document:
        """Return what is known of one document; made when asked for."""
        ...


class ListBatch:
    """
    A batch made of texts that are in memory already.
    """

    __slots__ = ("_documents", "data", "ends", "starts")
    alike = False
    shared = None

    def __init__(self, items: Sequence[tuple[Document, bytes]]) -> None:
        self._documents = [document for document, _ in items]
        self.data = b"\n".join(text for _, text in items)
        self.starts: list[int] = []
        self.ends: list[int] = []
        offset = 0
        for _, text in items:
            self.starts.append(offset)
            self.ends.append(offset + len(text))
            offset += len(text) + 1

    def document(self, index: int) -> Document:
        """
        See `Batch.document`.
        """
        return self._documents[index]
