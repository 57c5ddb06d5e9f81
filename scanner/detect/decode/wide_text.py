"""
UTF-16 and UTF-32, as whole documents (with a byte order mark or without) and as strings in a
binary file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scanner.detect.decode.anchors import PREFIXES, WORDS, usable, wide_form
from scanner.detect.registry import Budget, Derived, Expression, Text

# The tags of unmarked text are its bytes a character.
_MARKED, _WIDE, _WIDER = 0, 2, 4
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Without a mark: at least eight printable characters, whose other bytes are zero.
_RUNS = {
    width: re.compile(rb"(?:[\t\n\r\x20-\x7e]\x00{%d}){7,}[\t\n\r\x20-\x7e]" % (width - 1))
    for width in (2, 4)
}
_WIDER_ANCHORS = ("password", "secret", "token", "://", "ghp_", "AKIA", "-----BEGIN ")


class WideTextDeriver:
    """
    Turns text with two or four bytes a character into UTF-8.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        marks = [
            Expression(pattern=pattern, tag=_MARKED, within=4)
            for pattern in (
                rb"\xff\xfe[^\x00]\x00",
                rb"\xfe\xff\x00[^\x00]",
                rb"\xff\xfe\x00\x00",
                rb"\x00\x00\xfe\xff",
            )
        ]
        wider = [
            form
            for word in _WIDER_ANCHORS
            for form in wide_form(word.encode(), width=4, tag=_WIDER)
        ]
        return [*marks, *self.anchored(WORDS + PREFIXES), *wider]

    def anchored(self, anchors: Iterable[str]) -> Sequence[Expression]:
        """
        Return where to ask for further anchors (of the rules that run).
        """
        return [
            form for anchor in usable(anchors) for form in wide_form(anchor, width=2, tag=_WIDE)
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if len(data) > 2 * budget.bytes_left:
            budget.limit("derived-bytes", "a wide text is larger than what is left to decode")
            return
        for mark, coding in _MARKS:
            if data.startswith(mark):
                decoded = _recoded(data[len(mark) :], coding)
                yield Derived(
                    data=decoded, decoded=(coding,), start=0, end=len(data), same_lines=True
                )
                return
        for width in sorted({tag for _, tag in text.hits} - {_MARKED}):
            yield from _unmarked(data, [end for end, tag in text.hits if tag == width], width)


def _unmarked(data: bytes, ends: Sequence[int], width: int) -> Iterator[Derived]:
    position = 0
    for found in _RUNS[width].finditer(data):
        while position < len(ends) and ends[position] <= found.start():
            position += 1
        if position == len(ends):
            return
        if ends[position] <= found.end():
            # The bytes of a run are the same in both orders; where it starts tells which.
            order = "be" if found.start() % width == width - 1 else "le"
            yield Derived(
                data=found[0].replace(b"\0", b""),
                decoded=(f"utf-{8 * width}-{order}",),
                start=found.start(),
                end=found.end(),
                same_lines=found.start() < width,
            )


def _recoded(data: bytes, coding: str) -> bytes:
    return data.decode(coding, errors="replace").encode("utf-8", errors="replace")


DERIVER = WideTextDeriver()
