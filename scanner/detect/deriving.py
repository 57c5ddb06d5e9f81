"""
Derivers called with care: whatever a document does to one, the rest is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from scanner.detect import registry
from scanner.detect.texts import Purse, View

# What a hostile document could still make a decoder raise.
_BROKEN_BY_INPUT = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def derived_texts(
    deriver: registry.Deriver, view: View, purse: Purse
) -> Iterator[registry.Derived]:
    """
    Yield what a deriver yields; a document that breaks one is told, and costs nothing else.
    """
    try:
        yield from purse.timed(deriver.derive(view, purse))
    except _BROKEN_BY_INPUT as error:
        purse.unread(f"a decoder failed on it: {type(error).__name__}")
