"""
A small engine for tests of derivers: it looks for their expressions and follows what they derive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import hyperscan

from scanner.detect.registry import DERIVERS, Derived, Deriver, load_deriver
from scanner.model import Document, Place


@dataclass
class Sheet:
    """A `Text`."""

    data: bytes
    document: Document
    hits: list[tuple[int, int]]


@dataclass
class Purse:
    """A `Budget`."""

    depth: int = 0
    bytes_left: int = 64 << 20
    limits: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    unreads: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def limit(self, name: str, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        self.limits.append((name, inner_path))

    def unread(self, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        self.unreads.append((reason, inner_path))


@dataclass
class Found:
    data: bytes
    decoded: tuple[str, ...]
    inner_path: tuple[str, ...]
    start: int | None


class Drive:
    """Feeds a text to every deriver and all that follows from it to them again."""

    def __init__(self) -> None:
        self.derivers: list[Deriver] = [load_deriver(name) for name in DERIVERS]
        self.owners = [
            (deriver, expression) for deriver in self.derivers for expression in deriver.expressions
        ]
        self.database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.database.compile(
            expressions=[expression.pattern for _, expression in self.owners],
            ids=list(range(len(self.owners))),
            flags=[
                hyperscan.HS_FLAG_DOTALL | (hyperscan.HS_FLAG_CASELESS if e.caseless else 0)
                for _, e in self.owners
            ],
        )
        self.scratch = hyperscan.Scratch(self.database)

    def hits(self, data: bytes) -> dict[int, list[tuple[int, int]]]:
        found: dict[int, set[tuple[int, int]]] = {}

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            deriver, expression = self.owners[number]
            if expression.within is None or end <= expression.within:
                found.setdefault(id(deriver), set()).add((end, expression.tag))

        self.database.scan(data, match_event_handler=hit, scratch=self.scratch)
        return {owner: sorted(ends) for owner, ends in found.items()}

    def direct(self, data: bytes, purse: Purse, path: bytes | None = None) -> Iterator[Derived]:
        hits = self.hits(data)
        for deriver in self.derivers:
            if id(deriver) in hits:
                sheet = Sheet(data, Document(Place.FILE, path), hits[id(deriver)])
                yield from deriver.derive(sheet, purse)

    def texts(self, data: bytes, *, purse: Purse | None = None, most_depth: int = 8) -> list[Found]:
        purse = purse or Purse()
        found: list[Found] = []
        waiting = [Found(data, (), (), None)]
        while waiting:
            one = waiting.pop()
            depth = len(one.decoded) + len(one.inner_path)
            if depth >= most_depth:
                continue
            for derived in self.direct(one.data, purse):
                purse.bytes_left -= len(derived.data)
                item = Found(
                    derived.data,
                    one.decoded + derived.decoded,
                    one.inner_path + derived.inner_path,
                    derived.start,
                )
                found.append(item)
                waiting.append(item)
                if purse.bytes_left <= 0:
                    return found
        return found

    def finds(self, needle: str | bytes, data: bytes) -> list[Found]:
        """The derived texts in which `needle` stands unbroken, with no word character beside it."""
        raw = needle.encode() if isinstance(needle, str) else needle
        pattern = re.compile(rb"(?<![A-Za-z0-9_])" + re.escape(raw) + rb"(?![A-Za-z0-9_])")
        return [one for one in self.texts(data) if pattern.search(one.data)]
