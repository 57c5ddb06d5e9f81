"""
A rule's pattern → what the first pass looks for in its stead.

The first pass only has to say *where* to look, so the expression is the pattern
made weaker until Hyperscan runs it fast: no groups, no lookarounds, no anchors,
no choice between greedy and lazy, and no open end (`+` becomes one, `{20,}`
becomes 20), so that a match is told once and not at every further byte.  Every
text that the pattern matches holds an end of the expression.
"""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

from scanner.records import dataclass

# The parser of `re` moved in Python 3.11, and its old name warns.
_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

UNBOUNDED = 1 << 20
"""Widths from here on count as without limit."""

_LONG_REPEAT = 80
_ENDLESS_REPEAT = 1_000
_ENOUGH = 40
"""So much of a last repeat tells it from chance."""
_FLAGS = ((re.IGNORECASE, "i"),)
_CATEGORIES = {
    "CATEGORY_DIGIT": r"0-9",
    "CATEGORY_SPACE": r"\x09-\x0d\x20",
    "CATEGORY_WORD": r"0-9A-Z_a-z",
    "CATEGORY_NOT_DIGIT": r"\x00-\x2f\x3a-\xff",
    "CATEGORY_NOT_SPACE": r"\x00-\x08\x0e-\x1f\x21-\xff",
    "CATEGORY_NOT_WORD": r"\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xff",
}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_ZERO_WIDTH = {"AT", "ASSERT", "ASSERT_NOT"}

_Node = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Weakened:
    """
    An expression for the first pass, and how far from its end the match may reach.
    """

    pattern: bytes
    caseless: bool
    before: int
    """A match starts at most so many bytes before the expression's end."""

    width: int
    """The longest text that the whole pattern matches."""


def weaken(pattern: bytes, *, head: bool = True) -> Weakened:
    """
    Return the expression for `pattern`; raise `ValueError` for what cannot be weakened.

    `head` says that it may start anywhere: not so where something is put before it.
    """
    tree = _parser.parse(pattern)
    flags = tree.state.flags
    if flags & re.VERBOSE:
        flags &= ~re.VERBOSE
    nodes = list(tree)
    kept = _without_tail(nodes)
    expression = _emit(_without_head(kept) if head else kept, dotall=bool(flags & re.DOTALL))
    if not expression:
        raise ValueError("every part of the pattern is optional")
    return Weakened(
        expression.encode("ascii"), bool(flags & re.IGNORECASE), _width(kept), _width(nodes)
    )


def _without_tail(nodes: list[_Node]) -> list[_Node]:
    """
    Drop what may be missing at the end, and cut an open end to its least.
    """
    nodes = list(nodes)
    while nodes:
        operation, value = nodes.pop()
        name = str(operation)
        if name in _ZERO_WIDTH:
            continue
        if name in _REPEATS:
            least, _, body = value
            if least:
                # A long run would be told at each of its bytes, once its bound is dropped.
                least = min(least, _ENOUGH)
                return [*nodes, (operation, (least, least, body))]
            continue
        if name == "SUBPATTERN":
            group, add, remove, body = value
            inner = _without_tail(list(body))
            if inner:
                return [*nodes, (operation, (group, add, remove, inner))]
            continue
        if name == "ATOMIC_GROUP":
            inner = _without_tail(list(value))
            if inner:
                return [*nodes, (operation, inner)]
            continue
        if name == "BRANCH":
            branches = [_without_tail(list(branch)) for branch in value[1]]
            if all(branches):
                return [*nodes, (operation, (value[0], branches))]
            continue
        return [*nodes, (operation, value)]
    return nodes


def _without_head(nodes: list[_Node]) -> list[_Node]:
    """
    Drop what may be missing at the start: nobody asks the first pass for starts.
    """
    nodes = list(nodes)
    while nodes:
        operation, value = nodes[0]
        name = str(operation)
        if name in _ZERO_WIDTH or (name in _REPEATS and not value[0]):
            nodes.pop(0)
        elif name in _REPEATS:
            nodes[0] = (operation, (value[0], value[0], value[2]))
            break
        elif name == "SUBPATTERN":
            inner = _without_head(list(value[3]))
            if inner:
                nodes[0] = (operation, (*value[:3], inner))
                break
            nodes.pop(0)
        else:
            break
    return nodes


def _emit(nodes: Any, *, dotall: bool) -> str:
    return "".join(_emit_node(str(name), value, dotall=dotall) for name, value in nodes)


def _emit_node(name: str, value: Any, *, dotall: bool) -> str:
    if name in _ZERO_WIDTH:
        return ""
    if name == "LITERAL":
        return _byte(value)
    if name == "NOT_LITERAL":
        return f"[^{_byte(value)}]"
    if name == "ANY":
        return r"[\x00-\xff]" if dotall else r"[^\n]"
    if name == "IN":
        return _emit_class(value)
    if name == "BRANCH":
        return f"(?:{'|'.join(_emit(branch, dotall=dotall) for branch in value[1])})"
    if name == "ATOMIC_GROUP":
        return f"(?:{_emit(value, dotall=dotall)})"
    if name == "SUBPATTERN":
        _, add, remove, body = value
        on = "".join(letter for flag, letter in _FLAGS if add & flag)
        off = "".join(letter for flag, letter in _FLAGS if remove & flag)
        switch = f"{on}-{off}" if off else on
        inner_dotall = (dotall or bool(add & re.DOTALL)) and not remove & re.DOTALL
        return f"(?{switch}:{_emit(body, dotall=inner_dotall)})"
    if name in _REPEATS:
        least, most, body = value
        inner = _emit(body, dotall=dotall)
        if not inner:
            return ""
        upper = "" if most is _parser.MAXREPEAT or _may_run_on(most, body) else str(most)
        bounds = str(least) if str(least) == upper else f"{least},{upper}"
        return f"(?:{inner}){{{bounds}}}"
    raise ValueError(f"the first pass cannot express {name.lower().replace('_', ' ')}")


def _may_run_on(most: int, body: Any) -> bool:
    """
    Tell whether a long bounded repeat may lose its bound: counting is dear, and
    a run that ends with the line or the word ends soon by itself.  To count in
    thousands takes a second to compile for one rule.
    """
    if most >= _ENDLESS_REPEAT:
        return True
    if most < _LONG_REPEAT or len(body) != 1:
        return False
    operation, value = body[0]
    if str(operation) != "IN":
        return False
    return re.match(_emit_class(value).encode("ascii"), b"\n") is None


def _emit_class(items: Any) -> str:
    negated, parts = "", []
    for operation, value in items:
        name = str(operation)
        if name == "NEGATE":
            negated = "^"
        elif name == "LITERAL":
            parts.append(_byte(value))
        elif name == "RANGE":
            parts.append(f"{_byte(value[0])}-{_byte(value[1])}")
        else:
            parts.append(_CATEGORIES[str(value)])
    return f"[{negated}{''.join(parts)}]"


def _byte(value: int) -> str:
    character = chr(value)
    return character if character.isascii() and character.isalnum() else f"\\x{value:02x}"


def _width(nodes: Any) -> int:
    return min(UNBOUNDED, sum(_node_width(str(name), value) for name, value in nodes))


def _node_width(name: str, value: Any) -> int:
    if name in _ZERO_WIDTH:
        return 0
    if name == "BRANCH":
        return max(_width(branch) for branch in value[1])
    if name == "ATOMIC_GROUP":
        return _width(value)
    if name == "SUBPATTERN":
        return _width(value[3])
    if name in _REPEATS:
        most = UNBOUNDED if value[1] is _parser.MAXREPEAT else int(value[1])
        return min(UNBOUNDED, most * _width(value[2]))
    return 1
