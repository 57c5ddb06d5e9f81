"""
Strings of compiled code: Python's `.pyc` and Java's `.class`.

Their raw bytes hold each string right behind its length, which may pass for a letter of it.
Nothing is unmarshalled: that would run a parser made for trusted input on hostile bytes.
Formats: https://github.com/python/cpython/blob/main/Python/marshal.c (type bytes),
https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html#jvms-4.4
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from scanner.detect.registry import Budget, Derived, Expression, Text

_PYTHON, _JAVA = 0, 1
_SHORTEST = 4
_LARGEST = 64 << 20
# Short ASCII strings (one byte of length), then strings and bytes with four; 0x80 marks a
# string that is referred to again.
_SHORT = re.compile(rb"[zZ\xfa\xda]([\x04-\xff])")
_LONG = re.compile(rb"[uatAs\xf5\xe1\xf4\xc1\xf3](....)", re.DOTALL)
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")
# How many bytes follow each tag of Java's constant pool.
_JAVA_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4}
_JAVA_SIZES |= {15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


class BytecodeDeriver:
    """
    Lists the strings of compiled code, one a line.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(pattern=rb"[\xe3\x63]\x00{8}", tag=_PYTHON, within=32),
            Expression(pattern=rb"\xca\xfe\xba\xbe\x00\x00\x00", tag=_JAVA, within=7),
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if len(data) > min(_LARGEST, budget.bytes_left):
            budget.limit("derived-bytes", "the strings of compiled code were not listed")
            return
        java = any(tag == _JAVA for _, tag in text.hits)
        strings = dict.fromkeys(_java(data) if java else _python(data))
        if strings:
            yield Derived(data=b"\n".join(strings), decoded=("class" if java else "pyc",))


def _python(data: bytes) -> Iterator[bytes]:
    for pattern in (_SHORT, _LONG):
        at = 0
        while (found := pattern.search(data, at)) is not None:
            size = int.from_bytes(found[1], "little")
            string = data[found.end() : found.end() + size] if size < len(data) else b""
            if _SHORTEST <= size == len(string) and _PRINTABLE.fullmatch(string):
                yield string
                at = found.end() + size
            else:
                at = found.start() + 1


def _java(data: bytes) -> Iterator[bytes]:
    if len(data) < 10:
        return
    (count,) = struct.unpack_from(">H", data, 8)
    at, index = 10, 1
    while index < count and at + 3 <= len(data):
        tag = data[at]
        if tag == 1:
            (size,) = struct.unpack_from(">H", data, at + 1)
            if size >= _SHORTEST:
                yield data[at + 3 : at + 3 + size]
            at += 3 + size
        elif tag in _JAVA_SIZES:
            at += 1 + _JAVA_SIZES[tag]
            index += tag in (5, 6)
        else:
            return
        index += 1


DERIVER = BytecodeDeriver()
