"""
YAML of the plainest kind: one `key: value` a line, nested by blanks alone, ASCII.

Every reader takes it for the same, so that a file of many thousand small manifests need not
start a parser for each.  Whatever else stands in a text leaves all of it to the readers proper.
"""

from __future__ import annotations

import re

from scanner.detect.sealed.line_reader import Leaf

_LINE = re.compile(
    r"^( *)([A-Za-z_][\w./-]{0,200}):"
    r"(?: +([A-Za-z0-9+/][\w+/=.@-]*|\"[ !#-\[\]-~]*\"|'[ -&(-~]*'))?$",
    re.ASCII | re.MULTILINE,
)
_SEPARATOR = "---\n"
_DEEPEST = 20
_TEMPLATES = ("{{", "{%", "<%")


def read_plain(text: str, line: int, *, limit: int) -> list[Leaf] | None:
    """
    Return the leaves of a text whose first line is `line`; `None` if it is not of this kind, or
    has more than `limit` lines.
    """
    body = text.removeprefix(_SEPARATOR).rstrip("\n")
    if not body.isascii() or any(mark in body for mark in _TEMPLATES):
        return None
    # A text with anything else in it mostly begins with it, or has it soon.
    if not _LINE.match(body) or body.count("\n") >= limit:
        return None
    rows: list[tuple[str, str, str]] = _LINE.findall(body)
    if len(rows) != body.count("\n") + 1:
        return None
    return _nested(rows, line + text.startswith(_SEPARATOR))


def _nested(rows: list[tuple[str, str, str]], line: int) -> list[Leaf] | None:
    leaves: list[Leaf] = []
    depths: list[int] = [0]
    above: list[tuple[str, ...]] = [()]
    opened: tuple[str, ...] | None = None
    for number, (blanks, key, value) in enumerate(rows, line):
        depth = len(blanks)
        if opened is not None:
            if depth <= depths[-1] or len(depths) >= _DEEPEST:
                return None  # a key with nothing under it: not all readers take that for the same
            depths.append(depth)
            above.append(opened)
            opened = None
        elif depth != depths[-1]:
            while depth < depths[-1]:
                depths.pop()
                above.pop()
            if depth != depths[-1]:
                return None
        path = (*above[-1], key)
        if not value:
            opened = path
        elif value[0] in "\"'":
            leaves.append(Leaf(path, value[1:-1], number, "str", None))
        else:
            leaves.append(Leaf(path, value, number, "plain", None))
    return None if opened is not None else leaves
