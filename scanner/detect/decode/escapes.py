r"""
Escapes of single characters: percent, `\u` and `\x`, HTML entities.

Letters and digits never need one, so three escaped in a row show that somebody hid a text.  The
other trigger is an escaped separator right before a long unbroken value (`%22` before a
token): its last digit would pass for the value's first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from scanner.detect.registry import Budget, Derived, Expression, Text

_WINDOW = 1 << 16
_CROWD = 256
_VALUE = rb"[A-Za-z0-9_.~-]{16}"
_LETTER = rb"[4-7][0-9A-Fa-f]"
_SEPARATOR = rb"(?:2[0267fF]|3[abcdeABCDE]|40|0[aA])"

_BACKSLASH = re.compile(
    # All begin with the one byte, which the search skips to in C.
    rb"\\(?:"
    # Data within a program's text is one such run after the other, of megabytes in all.
    rb"(x[0-9A-Fa-f]{2}(?:\\x[0-9A-Fa-f]{2})+)"
    rb"|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})"
    rb"|([0-3][0-7]{2})|([abefnrtv\"'/\\]))"
)
_SIMPLE = {
    b"a": b"\a",
    b"b": b"\b",
    b"e": b"\x1b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}
_ENTITY = re.compile(rb"&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(quot|apos|amp|lt|gt|nbsp));")
_NAMED = {b"quot": b'"', b"apos": b"'", b"amp": b"&", b"lt": b"<", b"gt": b">", b"nbsp": b" "}


def unpercent(data: bytes) -> bytes:
    """
    Return `data` with every `%XX` undone; what is no escape stays.
    """
    return unquote_to_bytes(data)


def unbackslash(data: bytes) -> bytes:
    r"""
    Return `data` with the escapes of JSON, JavaScript, C and Python strings undone.
    """
    return _BACKSLASH.sub(_backslash, data)


def _backslash(found: re.Match[bytes]) -> bytes:
    simple = found[7]
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    run, u4, braced, u8, x2, octal, _ = found.groups()
    if run is not None:
        return bytes.fromhex(run[1:].replace(rb"\x", b"").decode())
    digits = u4 or braced or u8
    if digits is not None:
        return _character(int(digits, 16))
    if x2 is not None:
        return bytes.fromhex(x2.decode())
    return bytes([int(octal, 8)])


def unentity(data: bytes) -> bytes:
    """
    Return `data` with numeric HTML entities and the common named ones undone.
    """
    return _ENTITY.sub(_entity, data)


def _entity(found: re.Match[bytes]) -> bytes:
    if found[3] is not None:
        return _NAMED[found[3]]
    return _character(int(found[1]) if found[1] is not None else int(found[2], 16))


def _character(point: int) -> bytes:
    return chr(point).encode("utf-8", errors="replace") if point < 0x110000 else b"\xef\xbf\xbd"


@dataclass(frozen=True, slots=True)
class _Escape:
    coding: str
    patterns: tuple[tuple[bytes, bool], ...]
    """Where it is undone, and whether in any case."""

    undo: Callable[[bytes], bytes]
    whole_line: bool
    """Whether a text with this escape may hold blanks; else it ends at the first one."""


_ESCAPES = (
    _Escape(
        "percent",
        (
            ((rb"%" + _LETTER) * 3, False),
            (rb"%" + _SEPARATOR + _VALUE, False),
            (rb"%3A%2F%2F", True),
        ),
        unpercent,
        whole_line=False,
    ),
    _Escape(
        "json-escape",
        (
            ((rb"\\u00" + _LETTER) * 3, False),
            ((rb"\\x" + _LETTER) * 4, False),
            (rb"\\u00" + _SEPARATOR + _VALUE, False),
            (rb"\\x" + _SEPARATOR + _VALUE, False),
            (rb"\\[nrt]" + _VALUE + rb"[A-Za-z0-9_.~-]{4}", False),
        ),
        unbackslash,
        whole_line=True,
    ),
    _Escape(
        "html-entity",
        (
            (rb";&#(?:[4-9][0-9]|1[0-2][0-9]);&#(?:[4-9][0-9]|1[0-2][0-9]);", False),
            (rb";&#[xX]" + _LETTER + rb";&#[xX]" + _LETTER + rb";", False),
        ),
        unentity,
        whole_line=True,
    ),
)
_BLANKS = (b" ", b"\t", b"\r", b"\n")


class EscapeDeriver:
    """
    Undoes escapes around the places where they hide something.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(pattern=pattern, caseless=caseless, tag=tag)
            for tag, escape in enumerate(_ESCAPES)
            for pattern, caseless in escape.patterns
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        done = [0] * len(_ESCAPES)
        # Few large texts cost less than a million small ones.
        crowded = len(text.hits) > _CROWD
        for hit, tag in text.hits:
            if hit <= done[tag]:
                continue
            escape = _ESCAPES[tag]
            start, end = _window(data, hit, done[tag], whole_line=escape.whole_line or crowded)
            done[tag] = end
            decoded = escape.undo(data[start:end])
            if len(decoded) > budget.bytes_left:
                budget.limit("derived-bytes", "an escaped text is larger than what is left")
                return
            yield Derived(data=decoded, decoded=(escape.coding,), start=start, end=end)


def _window(data: bytes, hit: int, done: int, *, whole_line: bool) -> tuple[int, int]:
    low, high = max(done, hit - _WINDOW), min(len(data), hit + _WINDOW)
    if whole_line:
        start = data.rfind(b"\n", low, hit) + 1
        end = data.find(b"\n", hit, high)
        return max(start, low), end if end >= 0 else high
    before, after = data[low:hit], data[hit:high]
    start = max(before.rfind(blank) for blank in _BLANKS) + 1
    ends = [at for at in (after.find(blank) for blank in _BLANKS) if at >= 0]
    return low + start, hit + min(ends, default=len(after))


DERIVER = EscapeDeriver()
