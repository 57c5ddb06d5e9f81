"""
Expressions of `re` that are compiled once for all runs, not at each start.

The engine's modules have some hundred of them, and to compile these took more than half
of a hook's time.  `re` keeps what it compiles as a row of numbers, and a pattern is
made from such a row in microseconds: so the rows are kept beside the compiled rules
(`detect.compiled`), whose file is bound to this interpreter's version and has a keyed code.  An
interpreter that makes its patterns in another way compiles them as ever.
"""

from __future__ import annotations

import importlib
import marshal
import re
import sys
from typing import Any, AnyStr

_Key = tuple[Any, int]
_Row = tuple[int, list[int], int, dict[str, int], tuple[str | None, ...]]
_kept: dict[_Key, _Row] = {}
_made: dict[_Key, Any] = {}


def expression(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """
    Return what `re.compile` returns; raise `re.error` as it does.
    """
    key = pattern, int(flags)
    made: re.Pattern[AnyStr] | None = _made.get(key)
    if made is None:
        row = _kept.get(key)
        made = re.compile(pattern, flags) if row is None else _thawed(pattern, row)
        _made[key] = made
    return made


def provide(rows: bytes) -> None:
    """
    Take what `rows_of_all` returned in an earlier run; raise `ValueError` if it is nothing of it.
    """
    try:
        _kept.update(marshal.loads(rows))  # noqa: S302 # read from a cache with a keyed code
    except (EOFError, TypeError) as error:
        raise ValueError("not rows of expressions") from error


def rows_of_all() -> bytes:
    """
    Return the rows of all expressions that this process asked for; of none where they
    cannot be told.
    """
    rows = {}
    for pattern, flags in sorted(_made, key=repr):
        try:
            row = _row(pattern, flags)
            if _thawed(pattern, row) == re.compile(pattern, flags):
                rows[pattern, flags] = row
        except (AttributeError, OverflowError, RuntimeError, TypeError, ValueError):
            # An interpreter with other insides: nothing is kept.
            return marshal.dumps({})
    return marshal.dumps(rows)


def _row(pattern: Any, flags: int) -> _Row:
    # The insides of `re` moved in Python 3.11, and their old names warn.
    new = sys.version_info >= (3, 11)
    parser: Any = importlib.import_module("re._parser" if new else "sre_parse")
    compiler: Any = importlib.import_module("re._compiler" if new else "sre_compile")
    tree = parser.parse(pattern, flags)
    names: dict[str, int] = tree.state.groupdict
    by_number: list[str | None] = [None] * tree.state.groups
    for name, number in names.items():
        by_number[number] = name
    code = [int(number) for number in compiler._code(tree, flags)]  # noqa: SLF001
    every = int(flags | tree.state.flags)
    return every, code, tree.state.groups - 1, dict(names), tuple(by_number)


def _thawed(pattern: Any, row: _Row) -> Any:
    insides: Any = importlib.import_module("_sre")
    flags, code, groups, names, by_number = row
    # It looks the code over before it takes it: a wrong one is an error, never a crash.
    return insides.compile(pattern, flags, code, groups, names, by_number)
