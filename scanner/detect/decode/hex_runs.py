"""
Hex digits of either case, on one line or wrapped over many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scanner.detect.decode.anchors import PREFIXES, WORDS, hex_form, usable
from scanner.detect.decode.runs import run_at
from scanner.detect.registry import Budget, Derived, Expression, Text

_ALPHABET = b"0123456789abcdefABCDEF"


class HexDeriver:
    """
    Decodes runs of hex digits in which an anchor shows.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return self.anchored(WORDS + PREFIXES)

    def anchored(self, anchors: Iterable[str]) -> Sequence[Expression]:
        """
        Return where to ask for further anchors (of the rules that run).
        """
        return [form for anchor in usable(anchors) for form in hex_form(anchor)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        done = -1
        for end, _ in text.hits:
            if end <= done:
                continue
            run = run_at(data, end, _ALPHABET)
            done = run.end
            # The anchor ends between two bytes, so it tells which digits are pairs.
            digits = run.text[run.index % 2 :]
            decoded = bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
            if len(decoded) > budget.bytes_left:
                budget.limit("derived-bytes", "a hex run is larger than what is left to decode")
                return
            yield Derived(data=decoded, decoded=("hex",), start=run.start, end=run.end)


DERIVER = HexDeriver()
