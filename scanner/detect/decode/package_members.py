"""
Packages: ar (`.deb`, `.a`), rpm, cpio.

Formats: https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5,
https://rpm-software-management.github.io/rpm/manual/format_v4.html,
https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.detect.decode.members import MAX_MEMBERS, unpacked
from scanner.detect.registry import Budget, Derived, Expression, Text

_AR, _RPM, _CPIO = b"!<arch>\n", b"\xed\xab\xee\xdb", b"07070"
_RPM_HEADER = b"\x8e\xad\xe8\x01"
_RPM_LEAD = 96
_PAYLOADS = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x5d\0\0", "lzma"),
)
_REGULAR = 0o100000
_KIND = 0o170000


class PackageDeriver:
    """
    Opens the members of an ar or cpio archive and the payload of an rpm.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(pattern=rb"!<arch>\n", within=8),
            Expression(pattern=rb"\xed\xab\xee\xdb", within=4),
            Expression(pattern=rb"07070[12][0-9A-Fa-f]{8}", within=14),
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if data.startswith(_AR):
            yield from _ar(data, budget)
        elif data.startswith(_RPM):
            yield from _rpm(data, budget)
        elif data.startswith(_CPIO):
            yield from _cpio(data, budget)


def _ar(data: bytes, budget: Budget) -> Iterator[Derived]:
    at, names = len(_AR), b""
    for _ in range(MAX_MEMBERS):
        header = data[at : at + 60]
        if len(header) < 60:
            return
        digits = header[48:58].strip()
        if header[58:60] != b"`\n" or not digits.isdigit():
            budget.unread(f"ar: no member's header at byte {at}")
            return
        size, name = int(digits), header[:16].rstrip()
        body = data[at + 60 : at + 60 + size]
        if len(body) < size:
            budget.unread("ar: the archive ends inside its last member")
        if name == b"//":
            names = body
        elif name not in (b"/", b"/SYM64/"):
            if name[:1] == b"/" and name[1:].isdigit():
                name = names[int(name[1:]) :].split(b"\n", 1)[0]
            if budget.bytes_left <= 0:
                budget.limit("members", f"what follows byte {at} was not read")
                return
            yield from unpacked(body, "stored", name.rstrip(b"/"), budget)
        at += 60 + size + size % 2


def _rpm(data: bytes, budget: Budget) -> Iterator[Derived]:
    at = _RPM_LEAD
    for padded in (True, False):
        if data[at : at + 4] != _RPM_HEADER:
            budget.unread("rpm: a header is not where it must be")
            return
        entries = int.from_bytes(data[at + 8 : at + 12], "big")
        at += 16 + 16 * entries + int.from_bytes(data[at + 12 : at + 16], "big")
        at += -at % 8 if padded else 0
    payload = data[at:]
    for magic, method in _PAYLOADS:
        if payload.startswith(magic):
            yield from unpacked(payload, method, b"payload.cpio", budget)
            return
    budget.unread("rpm: unknown compression of the payload")


def _cpio(data: bytes, budget: Budget) -> Iterator[Derived]:
    at = 0
    for _ in range(MAX_MEMBERS):
        header = data[at : at + 110]
        if len(header) < 110 or header[:5] != _CPIO or header[6:].strip(b"0123456789abcdefABCDEF"):
            budget.unread(f"cpio: no member's header at byte {at}")
            return
        fields = [int(header[place : place + 8], 16) for place in range(6, 110, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110 : at + 110 + name_size].rstrip(b"\0")
        if name == b"TRAILER!!!":
            return
        body = at + 110 + name_size
        body += -body % 4
        if mode & _KIND == _REGULAR:
            if budget.bytes_left <= 0:
                budget.limit("members", f"what follows byte {at} was not read")
                return
            yield from unpacked(data[body : body + size], "stored", name, budget)
        at = body + size
        at += -at % 4


DERIVER = PackageDeriver()
