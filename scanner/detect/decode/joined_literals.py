"""
String literals that are put together over lines or with an operator: `"ghp_ab" + "cd"`.

Only asked for where a literal ends soon after a prefix that should go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.detect.decode.anchors import PREFIXES, usable
from scanner.detect.registry import Budget, Derived, Expression, Text

_LONGEST_LITERAL = 1 << 12
_MAX_PIECES = 200
# What may stand between two literals: an operator (Python and C need none), line ends,
# a backslash that continues the line, comments of a line.
_JOINT = re.compile(
    rb"""[ \t]*(?:\\|[+.&~]|\.\.|<>|\|\|)?[ \t]*_?[ \t]*(?:(?:\#|//)[^\n]{0,80})?
    (?:\r?\n[ \t]*){0,2}(?:[+.&~]|\.\.|<>|\|\|)?[ \t]*[rbfuRBFU@]{0,2}
    (?P<quote>["'`])""",
    re.VERBOSE,
)
_QUOTES = (b'"', b"'", b"`")
_ENDS = rb"[\"'`][ \t]*[+.&\\\r\n]"
_EXTRA = ("-----BEGIN ", "AKIA", "ASIA")
_LOGIN = rb"://[A-Za-z0-9_.~-]{1,40}:[A-Za-z0-9+/=_.~-]{0,40}"
"""A user and (part of) a password in a URL."""


class JoinedLiteralsDeriver:
    """
    Puts the pieces of a concatenated string literal together.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        # Anchors of every rule would cost more than they find: many are plain words.
        started = [
            re.escape(anchor) + rb"[A-Za-z0-9+/=_.~:@ -]{0,60}"
            for anchor in usable(PREFIXES + _EXTRA)
        ]
        return [Expression(pattern=start + _ENDS) for start in [*started, _LOGIN]]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        done = 0
        for hit, _ in text.hits:
            if hit <= done:
                continue
            # The hit ends behind the quote and what follows it.
            quote = max(data.rfind(mark, max(0, hit - 80), hit) for mark in _QUOTES)
            if quote < 0:
                continue
            mark = data[quote : quote + 1]
            opening = data.rfind(mark, max(0, quote - _LONGEST_LITERAL), quote)
            pieces, end = _continued(data, quote)
            if not pieces:
                continue
            done = end
            # The start of the line stays: the name that the value is given to stands there.
            line = data.rfind(b"\n", max(0, opening - 200), max(opening, 0)) + 1
            joined = data[line:quote] + b"".join(pieces) + mark
            if len(joined) > budget.bytes_left:
                return
            yield Derived(
                data=joined, decoded=("string-concatenation",), start=opening + 1, end=end
            )


def _continued(data: bytes, quote: int) -> tuple[list[bytes], int]:
    pieces: list[bytes] = []
    at = quote + 1
    while len(pieces) < _MAX_PIECES:
        joint = _JOINT.match(data, at, at + 400)
        # Quotes side by side are an escaped quote (SQL, Pascal) or an empty literal.
        if joint is None or joint.end() == at + 1:
            break
        end = data.find(joint["quote"], joint.end(), joint.end() + _LONGEST_LITERAL)
        if end < 0 or b"\n" in data[joint.end() : end]:
            break
        pieces.append(data[joint.end() : end])
        at = end + 1
    return pieces, at


DERIVER = JoinedLiteralsDeriver()
