"""
Byte offsets → lines and columns for a person.
"""

from __future__ import annotations

from scanner.markers import OWN, peer_marker
from scanner.model import Position

_AROUND = 2_000


class Locator:
    """
    Lines and columns of one text; remembers the last answer, so that asking in
    ascending order costs one walk over the text and not one walk each.
    """

    __slots__ = ("_column", "_data", "_has_marker", "_line", "_line_start", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._line = 1
        self._line_start = 0
        self._offset = 0
        self._column = 1
        self._has_marker: bool | None = None

    def position(self, start: int, end: int) -> Position:
        """
        Return where `data[start:end]` stands.
        """
        line, column = self._locate(start)
        end_line, end_column = self._locate(end)
        if end > start:
            # The next question often starts where this one did.
            self._line, self._column = line, column
            self._offset = start
            self._line_start = self._data.rfind(b"\n", 0, start) + 1
        return Position(line, column, end_line, end_column)

    def _locate(self, offset: int) -> tuple[int, int]:
        data = self._data
        if offset < self._offset:
            self._line, self._line_start, self._offset, self._column = 1, 0, 0, 1
        newlines = data.count(b"\n", self._offset, offset)
        if newlines:
            self._line += newlines
            self._line_start = data.rfind(b"\n", 0, offset) + 1
            self._offset, self._column = self._line_start, 1
        if _inside_character(data, offset):
            self._offset, self._column = self._line_start, 1
        self._column += _characters(data[self._offset : offset])
        self._offset = offset
        return self._line, self._column

    def allow(self, start: int, end: int) -> str | None:
        """
        Return what follows the marker of an inline suppression on the lines of
        `data[start:end]`, or `None` where there is no marker.
        """
        data = self._data
        if self._has_marker is None:
            self._has_marker = OWN in data
        if not self._has_marker:
            return None
        before, after = self._lines(start, end)
        found = data.find(OWN, end, after)
        if found < 0:
            found = data.find(OWN, before, start)
        if found < 0:
            return None
        stop = data.find(b"\n", found, after)
        text = data[found + len(OWN) : stop if stop >= 0 else after]
        return text.decode("utf-8", errors="replace").strip()

    def peer_marker(self, start: int, end: int) -> str | None:
        """
        Return another scanner's marker on the lines of `data[start:end]`, if one stands there.
        """
        before, after = self._lines(start, end)
        return peer_marker(self._data[end:after]) or peer_marker(self._data[before:start])

    def _lines(self, start: int, end: int) -> tuple[int, int]:
        data = self._data
        after = data.find(b"\n", end, end + _AROUND)
        after = min(len(data), end + _AROUND) if after < 0 else after
        before = data.rfind(b"\n", max(0, start - _AROUND), start) + 1
        return before or max(0, start - _AROUND), after


def _characters(part: bytes) -> int:
    return len(part) if part.isascii() else len(part.decode("utf-8", errors="replace"))


def _inside_character(data: bytes, offset: int) -> bool:
    return offset < len(data) and 0x80 <= data[offset] < 0xC0
