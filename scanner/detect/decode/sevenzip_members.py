"""
7z archives, by py7zr (extra `archives`), in memory.

Format: https://py7zr.readthedocs.io/en/latest/archive_format.html
"""

from __future__ import annotations

import importlib
import io
import lzma
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from scanner.detect.decode.inflating import MAX_MEMBER
from scanner.detect.decode.members import MAX_MEMBERS, member_name
from scanner.detect.registry import Budget, Derived, Expression, Text

_MAGIC = b"7z\xbc\xaf\x27\x1c"
_MAX_HEADER = 16 << 20
# py7zr takes its archives on trust: what it raises for a damaged one has no common base.
_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
)


class _FullError(ValueError):
    """There is no room for more."""


class _Sink:
    def __init__(self, factory: _Sinks, name: str) -> None:
        self.factory = factory
        self.name = name
        self.data = bytearray()

    def write(self, piece: bytes | bytearray) -> int:
        self.factory.left -= len(piece)
        if self.factory.left < 0:
            raise _FullError("no room left")
        if len(self.data) < MAX_MEMBER:
            self.data += piece[: MAX_MEMBER - len(self.data)]
        return len(piece)

    def read(self, size: int | None = None) -> bytes:
        return bytes(self.data[:size])

    def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002 # py7zr's interface
        return offset

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def size(self) -> int:
        return len(self.data)


class _Sinks:
    def __init__(self, left: int) -> None:
        self.left = left
        self.made: list[_Sink] = []

    def create(self, filename: str) -> _Sink:
        if len(self.made) >= MAX_MEMBERS:
            raise _FullError("too many members")
        sink = _Sink(self, filename)
        self.made.append(sink)
        return sink


class SevenZipDeriver:
    """
    Opens the members of a 7z archive.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"7z\xbc\xaf\x27\x1c", within=6)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if not data.startswith(_MAGIC) or len(data) < 32:
            return
        (header,) = struct.unpack_from("<Q", data, 20)
        if header > min(len(data), _MAX_HEADER):
            budget.unread("7z: the archive ends before its header")
            return
        try:
            py7zr: Any = importlib.import_module("py7zr")
        except ImportError:
            budget.unread("7z: needs the extra `archives` (py7zr), which is not installed")
            return
        sinks = _Sinks(max(0, min(budget.bytes_left, 64 * MAX_MEMBER)))
        try:
            with py7zr.SevenZipFile(io.BytesIO(data)) as archive:
                if archive.needs_password():
                    budget.unread("encrypted")
                    return
                archive.extract(factory=sinks)
        except _FullError as error:
            budget.limit("derived-bytes", f"7z: {error}")
        except (py7zr.exceptions.ArchiveError, *_ERRORS) as error:
            budget.unread(f"7z: damaged: {type(error).__name__}")
        for sink in sinks.made:
            name = member_name(sink.name.encode("utf-8", errors="replace"))
            if sink.data:
                yield Derived(data=bytes(sink.data), inner_path=(name,))


DERIVER = SevenZipDeriver()
