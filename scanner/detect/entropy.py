"""
Shannon entropy, in bits a character.
"""

from __future__ import annotations

from math import log2


def shannon(value: bytes) -> float:
    """
    Return the entropy of the bytes of `value`; 0 for none.
    """
    length = len(value)
    if not length:
        return 0.0
    total = 0.0
    for byte in set(value):
        count = value.count(byte)
        total -= count * log2(count / length)
    return total / length
