"""
Zip archives and all that are one: jar, war, apk, whl, nupkg, docx, xlsx, odt, epub.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
The standard library's reader refuses a damaged archive whole; this one reads what is there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.detect.decode.members import MAX_MEMBERS, member_name, unpacked
from scanner.detect.registry import Budget, Derived, Expression, Text

_LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_METHODS = {0: "stored", 8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}
_ENCRYPTED = 0x1
_SIZES_FOLLOW = 0x8
_FULL = 0xFFFFFFFF
_ZIP64 = 1


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    flags: int
    method: int
    size: int | None
    """Packed; `None` if only the end of the stream tells."""

    local: int


class ZipDeriver:
    """
    Opens the members of a zip archive.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(pattern=rb"PK\x03\x04", within=4),
            # Behind a launcher (self-extracting, executable jar) only the end gives it away.
            Expression(pattern=rb"PK\x05\x06\x00\x00\x00\x00", tag=1),
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        members = list(_directory(data))
        if not members:
            members = list(_scan(data))
            if data.startswith(_LOCAL):
                budget.unread("zip: no central directory; read by its local headers")
        packed = 0
        for count, member in enumerate(members):
            if count >= MAX_MEMBERS or budget.bytes_left <= 0:
                budget.limit("members", f"{len(members) - count} members were not read")
                return
            packed += member.size or 0
            if packed > 2 * len(data) and len(members) > 1:
                budget.limit("members", f"{len(members) - count} members overlap others")
                return
            if not member.name.endswith(b"/"):
                yield from _opened(data, member, budget)


def _opened(data: bytes, member: _Member, budget: Budget) -> Iterator[Derived]:
    inner = (member_name(member.name),)
    if member.flags & _ENCRYPTED:
        budget.unread("encrypted", inner)
        return
    method = _METHODS.get(member.method)
    if method is None:
        budget.unread(f"zip: unknown compression method {member.method}", inner)
        return
    header = data[member.local : member.local + 30]
    if len(header) < 30 or not header.startswith(_LOCAL):
        budget.unread("zip: no local header where the directory says", inner)
        return
    name_size, extra_size = struct.unpack_from("<HH", header, 26)
    start = member.local + 30 + name_size + extra_size
    if member.size is None:
        end = data.find(b"PK", start)
        while end >= 0 and data[end : end + 4] not in (_LOCAL, _CENTRAL, b"PK\x07\x08"):
            end = data.find(b"PK", end + 2)
        packed = data[start : end if end >= 0 else len(data)]
    else:
        packed = data[start : start + member.size]
        if len(packed) < member.size:
            budget.unread("zip: the archive ends inside this member", inner)
    yield from unpacked(packed, method, member.name, budget)


def _directory(data: bytes) -> Iterator[_Member]:
    end = data.rfind(_END)
    if end < 0 or len(data) < end + 22:
        return
    size, offset = struct.unpack_from("<II", data, end + 12)
    # What precedes the archive shifts all offsets; the directory ends where its end record is.
    at = data.rfind(_CENTRAL, 0, end) if _FULL in (size, offset) else end - size
    shift = at - offset
    if _FULL in (size, offset) or at < 0 or data[at : at + 4] != _CENTRAL:
        at, shift = data.find(_CENTRAL), 0
    while 0 <= at <= len(data) - 46 and data[at : at + 4] == _CENTRAL:
        flags, method = struct.unpack_from("<HH", data, at + 8)
        packed, plain = struct.unpack_from("<II", data, at + 20)
        name_size, extra_size, comment_size = struct.unpack_from("<HHH", data, at + 28)
        (local,) = struct.unpack_from("<I", data, at + 42)
        name = data[at + 46 : at + 46 + name_size]
        extra = data[at + 46 + name_size : at + 46 + name_size + extra_size]
        if _FULL in (packed, local):
            packed, local = _zip64(extra, packed, plain, local)
        yield _Member(name, flags, method, packed, local + shift)
        at += 46 + name_size + extra_size + comment_size


def _zip64(extra: bytes, packed: int, plain: int, local: int) -> tuple[int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64:
            body = extra[at + 4 : at + 4 + size]
            numbers = list(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            # Only the fields that do not fit in 32 bits are there, in this order.
            if plain == _FULL and numbers:
                numbers.pop(0)
            packed = numbers.pop(0) if packed == _FULL and numbers else packed
            local = numbers.pop(0) if local == _FULL and numbers else local
        at += 4 + size
    return packed, local


def _scan(data: bytes) -> Iterator[_Member]:
    at = data.find(_LOCAL)
    while 0 <= at <= len(data) - 30:
        flags, method = struct.unpack_from("<HH", data, at + 6)
        packed, _, name_size = struct.unpack_from("<IIH", data, at + 18)
        name = data[at + 30 : at + 30 + name_size]
        size = None if flags & _SIZES_FOLLOW else packed
        yield _Member(name, flags, method, size, at)
        # Not past the packed bytes: in a damaged file its size may be anything.
        at = data.find(_LOCAL, at + 30)


DERIVER = ZipDeriver()
