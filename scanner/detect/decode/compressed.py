"""
Single compressed streams: gzip, bzip2, xz, zstd.

Formats: RFC 1952, RFC 8878, https://tukaani.org/xz/xz-file-format.txt
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.detect.decode.members import unpacked
from scanner.detect.registry import Budget, Derived, Expression, Text

_MAGIC = (
    (rb"\x1f\x8b\x08", b"\x1f\x8b\x08", "gzip"),
    (rb"BZh[1-9]1AY&SY", b"BZh", "bzip2"),
    (rb"\xfd7zXZ\x00", b"\xfd7zXZ\0", "xz"),
    (rb"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd", "zstd"),
)


class CompressedDeriver:
    """
    Inflates a document that is one compressed stream.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(pattern=pattern, tag=tag, within=10)
            for tag, (pattern, *_) in enumerate(_MAGIC)
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        for _, magic, method in _MAGIC:
            if data.startswith(magic):
                yield from unpacked(data, method, b"", budget, coding=method)


DERIVER = CompressedDeriver()
