"""
The forest as code of Python: one function that says whether a row comes to even odds.

To walk the trees as data takes six times as long, and to make them ready for that more than a
hook's whole second glance.  The function is written once and kept beside the compiled rules
(`detect.compiled`), whose file is bound to this interpreter's version and has a keyed code.
"""

from __future__ import annotations

import marshal
from functools import cache
from itertools import accumulate

from scanner.detect.score_tables import Forest, load
from scanner.model import MEDIUM_FROM

_TREES_AT_ONCE = 10
"""After so many trees it looks whether the rest could still make a difference."""

_SLACK = 1e-6
"""More than sums in another order differ by."""

_LEAST = -1e9


@cache
def likely_code() -> bytes:
    """
    Return the code of a function that takes a row of all features, and tells whether its score
    may be medium or higher.
    """
    forest = load().whole
    least = max(
        (knot for knot, level in zip(forest.knots, forest.levels, strict=True)
         if level < MEDIUM_FROM),
        default=_LEAST,
    )  # fmt: skip
    names = compile(_written(forest, least), "<the forest>", "exec").co_consts
    return marshal.dumps(next(one for one in names if hasattr(one, "co_code")))


def _written(forest: Forest, least: float) -> str:
    most = [_most(forest, root) for root in forest.roots]
    rest = list(accumulate(reversed(most), initial=0.0))[::-1]
    lines = ["def likely(row):", " total = 0.0"]
    for number, root in enumerate(forest.roots):
        if number and number % _TREES_AT_ONCE == 0:
            lines.append(f" if total < {least - rest[number] - _SLACK!r}: return False")
        lines.append(f" total += {_tree(forest, root)}")
    return "\n".join([*lines, f" return total >= {least!r}"])


def _tree(forest: Forest, node: int) -> str:
    if node < 0:
        return repr(forest.leaf[~node])
    left, right = _tree(forest, forest.left[node]), _tree(forest, forest.right[node])
    threshold = forest.threshold[node]
    return f"({left} if row[{forest.feature[node]}] <= {_number(threshold)} else {right})"


def _number(value: float) -> str:
    # Infinity has no literal, but a number too great for one is it.
    return repr(value).replace("inf", "1e999")


def _most(forest: Forest, node: int) -> float:
    if node < 0:
        return forest.leaf[~node]
    return max(_most(forest, forest.left[node]), _most(forest, forest.right[node]))
