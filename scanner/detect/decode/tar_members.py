"""
Tar archives, also the container images and layers that are one.

Format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.detect.decode.members import MAX_MEMBERS, unpacked
from scanner.detect.registry import Budget, Derived, Expression, Text

_BLOCK = 512
_MAGIC = 257
_FILES = b"0\x007"
_LONG_NAME, _PAX, _PAX_GLOBAL = b"L", b"x", b"g"
_LONGEST_HEADER = 1 << 20


class TarDeriver:
    """
    Opens the members of a tar archive.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"ustar[\x00 ]", within=_MAGIC + 6)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if data[_MAGIC : _MAGIC + 5] != b"ustar":
            return
        at, members = 0, 0
        name, size = b"", -1
        while at + _BLOCK <= len(data):
            header = data[at : at + _BLOCK]
            if not header.strip(b"\0"):
                at += _BLOCK
                continue
            length = _number(header[124:136])
            if header[_MAGIC : _MAGIC + 5] != b"ustar" or length is None:
                budget.unread(f"tar: no member's header at byte {at}")
                return
            kind = header[156:157]
            length = size if size >= 0 and kind not in (_LONG_NAME, _PAX) else length
            body = at + _BLOCK
            if kind == _LONG_NAME:
                name = data[body : body + min(length, _LONGEST_HEADER)].rstrip(b"\0")
            elif kind == _PAX:
                name, size = _pax(data[body : body + min(length, _LONGEST_HEADER)], name)
            else:
                if kind in _FILES and kind:
                    members += 1
                    if members > MAX_MEMBERS or budget.bytes_left <= 0:
                        budget.limit("members", f"what follows byte {at} was not read")
                        return
                    yield from unpacked(
                        data[body : body + length], "stored", name or _name(header), budget
                    )
                name, size = b"", -1
            if body + length > len(data):
                budget.unread("tar: the archive ends inside its last member")
            at = body + -(-length // _BLOCK) * _BLOCK


def _number(field: bytes) -> int | None:
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    if digits and not digits.strip(b"01234567"):
        return int(digits, 8)
    return None if digits else 0


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    # GNU's old format keeps times where POSIX keeps the rest of the path.
    prefix = header[345:500].split(b"\0", 1)[0] if header[262:263] == b"\0" else b""
    return prefix + b"/" + name if prefix else name


def _pax(body: bytes, name: bytes) -> tuple[bytes, int]:
    size, at = -1, 0
    while at < len(body):
        blank = body.find(b" ", at, at + 12)
        if blank < 0 or not body[at:blank].isdigit() or not int(body[at:blank]):
            break
        key, _, value = body[blank + 1 : at + int(body[at:blank]) - 1].partition(b"=")
        if key == b"path":
            name = value
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
        at += int(body[at:blank])
    return name, size


DERIVER = TarDeriver()
