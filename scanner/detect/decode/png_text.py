"""
Text chunks of PNG images; the compressed ones are invisible in the raw bytes.

Format: https://www.w3.org/TR/png-3/#11textinfo
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.detect.decode.inflating import inflate
from scanner.detect.registry import Budget, Derived, Expression, Text

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_TEXT = 4 << 20


class PngTextDeriver:
    """
    Inflates `zTXt` and `iTXt` chunks.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"[zi]TXt[ -~]")]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if not data.startswith(_SIGNATURE):
            return
        for hit, _ in text.hits:
            kind = hit - 5
            size = int.from_bytes(data[max(0, kind - 4) : kind], "big")
            chunk = data[kind + 4 : kind + 4 + min(size, _MAX_TEXT)]
            keyword, _, rest = chunk.partition(b"\0")
            if data[kind : kind + 1] == b"z":
                packed = rest[1:]
            elif rest[:1] == b"\1":
                # After the flag and the method: language, translated keyword, text.
                packed = rest[2:].split(b"\0", 2)[-1]
            else:
                continue
            result = inflate(packed, "zlib", most=min(_MAX_TEXT, max(0, budget.bytes_left)))
            if result.limit:
                budget.limit("member-size", "a PNG text chunk was not read to its end")
            if result.data:
                plain = keyword[:79] + b": " + result.data
                yield Derived(data=plain, decoded=("zlib",), inner_path=("zTXt",))


DERIVER = PngTextDeriver()
