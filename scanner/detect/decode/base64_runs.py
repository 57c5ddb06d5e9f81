"""
Base64, of the standard and the URL alphabet, on one line or wrapped over many.

Format: RFC 4648.  A run is decoded where the coded form of an anchor stands in it, in the phase
that the anchor fixes: what precedes the run or a missing padding cannot shift it.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Sequence

from scanner.detect.decode.anchors import (
    BASE64_ALPHABET,
    PREFIXES,
    WORDS,
    base64_forms,
    nested_base64_forms,
    usable,
)
from scanner.detect.decode.runs import run_at
from scanner.detect.registry import Budget, Derived, Expression, Text

_ALPHABET = BASE64_ALPHABET + b"-_"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SHORTEST = 12

# Containers that are carried in base64: gzip (Helm releases), zip, xz, zstd; all in phase 0.
_CONTAINERS = (
    (rb"H4sI[AEC]", 5),
    (rb"UEsDB[AB]", 6),
    (rb"/Td6WF", 6),
    (rb"KLUv/[QS]", 6),
    (rb"JVBERi0x", 8),
)


class Base64Deriver:
    """
    Decodes base64 runs in which an anchor shows.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        containers = [Expression(pattern=magic, tag=size % 4) for magic, size in _CONTAINERS]
        nested = [form for word in usable(WORDS + PREFIXES) for form in nested_base64_forms(word)]
        return [*self.anchored(WORDS + PREFIXES), *nested, *containers]

    def anchored(self, anchors: Iterable[str]) -> Sequence[Expression]:
        """
        Return where to ask for further anchors (of the rules that run).
        """
        return [form for anchor in usable(anchors) for form in base64_forms(anchor)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        done = -1
        for end, phase in text.hits:
            if end <= done:
                continue
            run = run_at(data, end, _ALPHABET)
            done = run.end
            decoded = decode(run.text[(run.index - phase) % 4 :])
            if len(decoded) > budget.bytes_left:
                budget.limit("derived-bytes", "a base64 run is larger than what is left to decode")
                return
            if len(decoded) >= _SHORTEST:
                yield Derived(data=decoded, decoded=("base64",), start=run.start, end=run.end)


def decode(run: bytes) -> bytes:
    """
    Return the bytes behind `run` (base64 characters alone, padding or none); never raise.
    """
    run = run.translate(_STANDARD).rstrip(b"=")
    # A lone character holds no whole byte: something was cut off.
    run = run[: len(run) - 1] if len(run) % 4 == 1 else run
    try:
        return binascii.a2b_base64(run + b"=" * (-len(run) % 4))
    except binascii.Error:
        return b""


DERIVER = Base64Deriver()
