"""
One file of the cache: parts by name, each read when it is asked for, each with a code.

A table at the front names the parts and their digests; the code over the table
is keyed by bytes in the state folder and bound to what the file is for.  A hook
reads only the parts that its few texts need.

To digest megabytes of databases at each commit takes a tenth of a hook's time, so a
run that has done so notes in the state folder, under the same key, which file it was
(device, number, size, times).  While the file is that very one, what carries a sum
of its own is left to that: a file that was put in its place, restored or written to
has another number or time of change, and is digested anew.
"""

from __future__ import annotations

import marshal
import os
from _thread import allocate_lock
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

try:
    # `hashlib` loads OpenSSL for what it does not need for this: two milliseconds of a hook's run.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

if TYPE_CHECKING:
    from scanner.detect.cache_note import Note

_MAGIC = b"unsealed-rules-2\n"
_CODE_BYTES = 32
_SIZE_BYTES = 4


class DamagedError(Exception):
    """
    The file is not what was written: truncated, altered, made with another key.
    """


class Parts:
    """
    The parts of an open cache file; threads may share it.
    """

    def __init__(
        self, number: int, table: Mapping[str, tuple[int, int, bytes]], note: Note | None
    ) -> None:
        self._number = number
        self._table = table
        self._lock = allocate_lock()
        self._note = note
        self._known = note is not None and note.fits(number)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        # At the interpreter's end `os` is taken apart before what uses it.
        close(self._number)

    def read(self, name: str, *, summed: bool = False) -> bytes:
        """
        Return a part; raise `DamagedError` unless it is what was written.

        A part that is `summed` has a sum of its own, which whoever reads it checks.
        """
        try:
            offset, size, expected = self._table[name]
            with self._lock:
                # A copy of our own: a mapped file could change after it was checked.
                data = _read(self._number, offset, size)
        except (KeyError, OSError) as error:
            raise DamagedError(name) from error
        if not (summed and self._known) and digest(data) != expected:
            raise DamagedError(name)
        return data

    def remember(self) -> None:
        """
        Digest all parts, once for as long as the file stays the one it is.

        Raise `DamagedError` if one of them is not what was written.
        """
        if self._note is None or self._known or not self._note.begin(self._number):
            return
        for name in self._table:
            self.read(name)
        self._note.write(self._number)

    def mend(self) -> None:
        """
        Raise: a file cannot make itself again.
        """
        raise DamagedError("canary")


def open_parts(path: str, key: bytes, purpose: bytes, note: Note | None = None) -> Parts:
    """
    Return the parts of a file written with this key for this purpose; `note` says whether they
    were found sound before.

    Raise `OSError` if there is no such file, `DamagedError` if it is not sound.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        table = _table(number, key, purpose)
    except BaseException:
        os.close(number)
        raise
    return Parts(number, table, note)


def _table(number: int, key: bytes, purpose: bytes) -> dict[str, tuple[int, int, bytes]]:
    start = len(_MAGIC) + _CODE_BYTES + _SIZE_BYTES
    front = _read(number, 0, start)
    if len(front) != start or not front.startswith(_MAGIC):
        raise DamagedError("magic")
    table = _read(number, start, int.from_bytes(front[-_SIZE_BYTES:], "big"))
    told = front[len(_MAGIC) : -_SIZE_BYTES]
    # Who could time this comparison is on this machine, and as near to the key as to the file.
    if told != code(key, purpose, table):
        raise DamagedError("code")
    end = start + len(table)
    rows = marshal.loads(table)  # noqa: S302 # its keyed code was checked above
    return {name: (end + offset, size, expected) for name, offset, size, expected in rows}


def _read(number: int, offset: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        # Forked processes share an open file's position: one's seek would move another's reading.
        return os.pread(number, size, offset)
    os.lseek(number, offset, os.SEEK_SET)
    return os.read(number, size)


def joined(parts: Iterable[tuple[str, bytes]], key: bytes, purpose: bytes) -> list[bytes]:
    """
    Return the pieces of a file that holds these parts, in order.
    """
    rows: list[tuple[str, int, int, bytes]] = []
    pieces: list[bytes] = []
    offset = 0
    for name, data in parts:
        rows.append((name, offset, len(data), digest(data)))
        pieces.append(data)
        offset += len(data)
    table = marshal.dumps(rows)
    size = len(table).to_bytes(_SIZE_BYTES, "big")
    return [_MAGIC, code(key, purpose, table), size, table, *pieces]


def digest(data: bytes) -> bytes:
    """
    Return what tells this text from any other.
    """
    return blake2b(data, digest_size=_CODE_BYTES).digest()


def code(key: bytes, purpose: bytes, text: bytes) -> bytes:
    """
    Return the keyed code of a text for this purpose.
    """
    whole = blake2b(key=key, digest_size=_CODE_BYTES)
    whole.update(len(purpose).to_bytes(_SIZE_BYTES, "big") + purpose + text)
    return whole.digest()
