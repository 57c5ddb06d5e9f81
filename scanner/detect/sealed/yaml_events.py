"""
The events of a YAML parser as flat leaves: no object is built and no alias is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from scanner.detect.sealed.line_reader import Leaf

MAX_DEPTH = 100
MAX_LEAVES = 400_000
Anchors = dict[str, tuple[tuple[str, ...], int]]
"""Name → the path of what it names, and how many leaves stand before it."""

_STYLES = {None: "plain", "": "plain", "|": "block", ">": "block"}
_STARTS = frozenset({MappingStartEvent, SequenceStartEvent})
_ENDS = frozenset({MappingEndEvent, SequenceEndEvent})


class TooLargeError(Exception):
    """
    A document that is too deep or too large to be parsed.
    """


class _Frame:
    """
    One open mapping or list, and where the reader stands in it.
    """

    __slots__ = ("index", "is_key", "key", "mapping", "path")

    def __init__(self, path: tuple[str, ...], *, mapping: bool, is_key: bool) -> None:
        self.path, self.mapping, self.is_key = path, mapping, is_key
        self.key: str | None = None
        self.index = 0

    def place(self) -> tuple[str, ...]:
        """Return the path of what comes next."""
        if not self.mapping:
            return (*self.path, f"#{self.index}")
        return (*self.path, "?" if self.key is None else self.key)


def read_events(
    following: Callable[[], Any],
    leaves: list[Leaf],
    anchors: Anchors,
    line: int,
) -> None:
    """
    Fill `leaves` and `anchors` from the events of one text, whose first line is `line`.

    Raise `TooLargeError` where it is too deep or too large.
    """
    top: _Frame | None = None
    stack: list[_Frame | None] = []
    while True:
        event = following()
        kind = type(event)
        if kind is ScalarEvent or kind is AliasEvent:
            awaits_key = top is not None and top.mapping and top.key is None
            path = () if top is None else top.place()
            if event.anchor and kind is ScalarEvent:
                anchors.setdefault(event.anchor, (path, len(leaves)))
            if awaits_key and top is not None:
                top.key = event.value if kind is ScalarEvent else str(event.anchor)
                continue
            leaves.append(_leaf(event, path, line))
            if len(leaves) > MAX_LEAVES:
                raise TooLargeError
        elif kind in _STARTS:
            path = () if top is None else top.place()
            is_key = top is not None and top.mapping and top.key is None
            if len(path) > MAX_DEPTH:
                raise TooLargeError
            if event.anchor:
                anchors.setdefault(event.anchor, (path, len(leaves)))
            stack.append(top)
            top = _Frame(path, mapping=kind is MappingStartEvent, is_key=is_key)
            continue
        elif kind in _ENDS:
            was_key = top is not None and top.is_key
            top = stack.pop()
            if was_key and top is not None:
                top.key = "?"
                continue
        elif kind is StreamEndEvent:
            return
        else:
            continue
        if top is not None:
            top.key = None
            top.index += 1


def _leaf(event: Any, path: tuple[str, ...], line: int) -> Leaf:
    number = line + event.start_mark.line
    if type(event) is AliasEvent:
        return Leaf(path, str(event.anchor), number, "alias", None)
    return Leaf(path, event.value, number, _STYLES.get(event.style, "str"), event.tag)
