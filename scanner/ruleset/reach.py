"""
How much text around a change an expression of the first pass must see again.

An expression is *near* if its matches are made of at most `REACH` bytes and of at most two
runs without a bound that stay on their line, or of three times so many bytes and no
run: where a text differs from one that was scanned already, three times `REACH` bytes
and the lines they lie on hold every match that may be new.  For any
other, and on a line however long, `FAR` bytes are as far as confirmation goes.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

# The parser of `re` moved in Python 3.11, and its old name warns.
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

REACH = 160
FAR = 4_608
_MOST_RUNS = 2
_HOPS = 3
_NEWLINE = 10
_WITH_NEWLINE = {"CATEGORY_SPACE", "CATEGORY_NOT_WORD", "CATEGORY_NOT_DIGIT"}
_Sum = tuple[int, int]


class _FarError(Exception):
    """
    A run without a bound may leave its line.
    """


def is_near(pattern: bytes) -> bool:
    """
    Whether the expression is near.
    """
    # Hyperscan knows groups that switch a flag off; the width does not depend on it.
    try:
        bounded, runs = _sum(_parser.parse(pattern.replace(b"(?-i:", b"(?:")))
    except _FarError:
        return False
    if not runs:
        return bounded <= _HOPS * REACH
    return bounded <= REACH and runs <= _MOST_RUNS


def start_of_change(data: bytes | bytearray, start: int, change: int, reach: int) -> int:
    """
    Return where to begin, for a text that starts at `start` and is old up to `change`.
    """
    for _ in range(_HOPS):
        change -= reach
        if change <= start:
            return start
        edge = max(start, change - FAR)
        change = data.rfind(b"\n", edge, change) + 1 or edge
    return change


def end_of_change(data: bytes | bytearray, end: int, change: int, reach: int) -> int:
    """
    Return where to stop, for a text that ends at `end` and is old from `change` on.
    """
    for _ in range(_HOPS):
        change += reach
        if change >= end:
            return end
        edge = min(end, change + FAR)
        change = data.find(b"\n", change, edge) + 1 or edge
    return change


def _sum(nodes: Any) -> _Sum:
    bounded = runs = 0
    for operation, value in nodes:
        some, more = _one(str(operation), value)
        bounded, runs = bounded + some, runs + more
    return bounded, runs


def _one(name: str, value: Any) -> _Sum:
    match name:
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return 0, 0
        case "SUBPATTERN":
            return _sum(value[3])
        case "ATOMIC_GROUP":
            return _sum(value)
        case "BRANCH":
            branches = [_sum(branch) for branch in value[1]]
            return max(some for some, _ in branches), max(runs for _, runs in branches)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _repeat(value[1], value[2])
        case _:
            return 1, 0


def _repeat(most: Any, body: Any) -> _Sum:
    if most is _parser.MAXREPEAT or most > REACH:
        # One class or letter, and none that could be a newline.
        if len(body) != 1 or _may_be_newline(str(body[0][0]), body[0][1]):
            raise _FarError
        return 0, 1
    bounded, runs = _sum(body)
    return bounded * int(most), runs * int(most)


def _may_be_newline(name: str, value: Any) -> bool:
    match name:
        case "LITERAL":
            return bool(value == _NEWLINE)
        case "NOT_LITERAL":
            return bool(value != _NEWLINE)
        case "IN":
            negated = str(value[0][0]) == "NEGATE"
            return negated != any(_holds_newline(str(kind), item) for kind, item in value)
        case _:
            return True


def _holds_newline(kind: str, item: Any) -> bool:
    match kind:
        case "LITERAL":
            return bool(item == _NEWLINE)
        case "RANGE":
            return bool(item[0] <= _NEWLINE <= item[1])
        case _:
            return str(item) in _WITH_NEWLINE
