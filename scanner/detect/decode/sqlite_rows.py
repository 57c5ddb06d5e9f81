"""
Rows of SQLite databases, read page by page without SQLite.

Format: https://www.sqlite.org/fileformat2.html
Every leaf page is read, whether or not a tree still leads to it: a damaged file gives what it has,
and deleted pages are read too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from scanner.detect.registry import Budget, Derived, Expression, Text

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_TABLE_LEAF, _INDEX_LEAF = 0x0D, 0x0A
_CODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
_MAX_VALUE = 4 << 20
_MAX_COLUMNS = 2000
_FIXED = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_PIECE = 8 << 20
_KEY = re.compile(rb"[A-Za-z_][A-Za-z0-9_.:/ -]{1,60}")


class SqliteDeriver:
    """
    Turns rows into lines; two texts side by side become `key: value`.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"SQLite format 3\x00", within=16)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if not data.startswith(_MAGIC) or len(data) < _HEADER:
            return
        lines: list[bytes] = []
        size = 0
        for line in _Database(data).lines():
            lines.append(line)
            size += len(line) + 1
            if size > budget.bytes_left:
                budget.limit("derived-bytes", "not every row of the database was read")
                break
            if size > _PIECE:
                yield Derived(data=b"\n".join(lines), decoded=("sqlite",))
                lines, size = [], 0
        if lines:
            yield Derived(data=b"\n".join(lines), decoded=("sqlite",))


class _Database:
    def __init__(self, data: bytes) -> None:
        self.data = data
        (size,) = struct.unpack_from(">H", data, 16)
        self.page_size = 65536 if size == 1 else size
        self.usable = self.page_size - data[20]
        self.coding = _CODINGS.get(int.from_bytes(data[56:60], "big"), "utf-8")
        # What all overflow chains may take together: a file cannot hold more than itself.
        self.chained = 2 * len(data)

    def lines(self) -> Iterator[bytes]:
        if self.page_size < 512 or self.page_size & (self.page_size - 1) or self.usable < 480:
            return
        for start in range(0, len(self.data), self.page_size):
            page = self.data[start : start + self.page_size]
            head = _HEADER if start == 0 else 0
            if len(page) > head + 8 and page[head] in (_TABLE_LEAF, _INDEX_LEAF):
                yield from self._leaf(page, head)

    def _leaf(self, page: bytes, head: int) -> Iterator[bytes]:
        table = page[head] == _TABLE_LEAF
        (count,) = struct.unpack_from(">H", page, head + 3)
        for at in range(head + 8, min(head + 8 + 2 * count, len(page) - 1), 2):
            (cell,) = struct.unpack_from(">H", page, at)
            size, cell = _varint(page, cell)
            if table:
                _, cell = _varint(page, cell)
            payload = self._payload(page, cell, size, table=table)
            line = _line(self._values(payload))
            if line:
                yield line

    def _payload(self, page: bytes, at: int, size: int, *, table: bool) -> bytes:
        most = self.usable - 35 if table else (self.usable - 12) * 64 // 255 - 23
        if size <= most:
            return page[at : at + size]
        least = (self.usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (self.usable - 4)
        local = local if local <= most else least
        pieces = [page[at : at + local]]
        number = int.from_bytes(page[at + local : at + local + 4], "big")
        left = min(size, _MAX_VALUE) - local
        while number and left > 0 and self.chained > 0:
            start = (number - 1) * self.page_size
            overflow = self.data[start : start + self.usable]
            if len(overflow) < 4:
                break
            pieces.append(overflow[4 : 4 + left])
            left -= len(overflow) - 4
            self.chained -= len(overflow)
            number = int.from_bytes(overflow[:4], "big")
        return b"".join(pieces)

    def _values(self, payload: bytes) -> Iterator[bytes | None]:
        end, at = _varint(payload, 0)
        body = end
        for _ in range(_MAX_COLUMNS):
            if not 0 < at < end <= len(payload):
                return
            kind, at = _varint(payload, at)
            size = _FIXED[kind] if kind < 10 else (kind - 12) // 2 if kind >= 12 else 0
            value = payload[body : body + size]
            body += size
            if kind >= 13 and kind % 2:
                text = value.decode(self.coding, errors="replace")
                yield text.encode("utf-8", errors="replace")
            else:
                yield value if kind >= 12 else None


def _line(values: Iterator[bytes | None]) -> bytes:
    # A number between two texts keeps its place: only neighbours are key and value.
    line = b""
    before: bytes | None = None
    for value in values:
        if value:
            paired = before is not None and _KEY.fullmatch(before)
            line += (b": " if paired else b"\t" if line else b"") + value
        before = None if value is None or (line and before is not None) else value
    return line


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for index in range(9):
        if at >= len(data):
            return 0, at
        byte = data[at]
        at += 1
        if index == 8:
            return number << 8 | byte, at
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number, at


DERIVER = SqliteDeriver()
