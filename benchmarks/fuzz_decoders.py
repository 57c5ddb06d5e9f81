"""
Fuzz every decoder with atheris: `python benchmarks/fuzz_decoders.py [-max_total_time=60]`.

No deriver may raise, whatever the bytes and wherever its hits lie.  The fast suite does the same
with hypothesis; this one is guided by coverage and runs as long as it is let.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import atheris

with atheris.instrument_imports(include=["scanner.detect.decode"]):
    from scanner.detect.registry import DERIVERS, load_deriver
    from scanner.model import Document, Place

    NAMES = list(DERIVERS)
    LOADED = [load_deriver(name) for name in NAMES]

TAGS = [sorted({expression.tag for expression in one.expressions}) for one in LOADED]


@dataclass
class Sheet:
    data: bytes
    document: Document
    hits: list[tuple[int, int]]


@dataclass
class Purse:
    depth: int = 0
    bytes_left: int = 4 << 20

    def limit(self, name: str, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """Nothing is kept."""

    def unread(self, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """Nothing is kept."""


def one_input(data: bytes) -> None:
    """
    The first byte picks the deriver, the second where it is hit.
    """
    if len(data) < 2:
        return
    which, step = data[0] % len(LOADED), data[1] + 1
    text = data[2:]
    hits = [(end, tag) for end in range(1, len(text) + 1, step) for tag in TAGS[which]]
    for _ in LOADED[which].derive(Sheet(text, Document(Place.FILE), hits), Purse()):
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
