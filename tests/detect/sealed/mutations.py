"""
Ways to damage or fake a sealed file, and what a checker must not say of the result.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

PLAIN = b"password: a value that anyone can read\n" * 3


def damaged(data: bytes, *, keyed: bool, steps: int = 12) -> Iterator[tuple[str, bytes]]:
    """
    Yield names and texts that must not be `sealed`: cut off, altered (where a key can tell).
    """
    size = len(data.rstrip())
    for step in range(1, steps):
        yield f"cut at {step}/{steps}", data[: size * step // steps]
    if keyed:
        for step in range(steps):
            at = size * step // steps
            yield f"flip at {step}/{steps}", data[:at] + bytes([_other(data[at])]) + data[at + 1 :]


def _other(byte: int) -> int:
    for digits in (
        b"0123456789",
        b"abcdef",
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        b"ghijklmnopqrstuvwxyz",
    ):
        if byte in digits:
            return digits[(digits.index(byte) + 1) % len(digits)]
    return byte ^ 1


def faked(head: bytes) -> Iterator[tuple[str, bytes]]:
    """
    Yield texts that wear the head of a sealed file over something readable.
    """
    yield "text", head + PLAIN
    yield "hex of text", head + PLAIN.hex().encode() + b"\n"
    yield "base64 of text", head + base64.b64encode(PLAIN) + b"\n"
    yield "head only", head
    yield "head and blanks", head + b"\n\n"


def rewrapped(data: bytes, width: int) -> bytes:
    """
    Return the body below the first line in lines of another width.
    """
    head, _, body = data.partition(b"\n")
    joined = b"".join(body.split())
    lines = [joined[at : at + width] for at in range(0, len(joined), width)]
    return b"\n".join([head, *lines]) + b"\n"
