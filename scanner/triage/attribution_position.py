"""
Where in a path a match of one of its names stands.
"""

from __future__ import annotations

from scanner.model import Position


def within(path: bytes, start: int, end: int) -> Position:
    """
    Return the lines and columns of a span of a path, whose names may hold line ends.
    """
    before, inside = (path[a:b].decode("utf-8", "replace") for a, b in ((0, start), (start, end)))
    line, column = _advance(1, 1, before)
    end_line, end_column = _advance(line, column, inside)
    return Position(line, column, end_line, end_column)


def _advance(line: int, column: int, text: str) -> tuple[int, int]:
    newlines = text.count("\n")
    if newlines:
        return line + newlines, len(text) - text.rfind("\n")
    return line, column + len(text)
