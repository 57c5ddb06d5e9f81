"""
As much of BSON as a login to MongoDB takes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

from scanner.verify.request import TransportError

_DEEPEST = 12

Value: TypeAlias = "str | bytes | int | float | bool | list[Value] | dict[str, Value] | None"


def encode(document: Mapping[str, object]) -> bytes:
    """
    Return a document of strings, bytes, 32-bit numbers, truths and documents.
    """
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: object) -> bytes:
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, str):
        data = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(data)) + data
    if isinstance(value, bytes):
        return b"\x05" + key + struct.pack("<iB", len(value), 0) + value
    if isinstance(value, Mapping):
        return b"\x03" + key + encode(value)
    raise TypeError(type(value).__name__)


def decode(data: bytes) -> dict[str, Value]:
    """
    Return a document; what we know no type of ends it.

    Raise `TransportError` if it is damaged.
    """
    try:
        return _document(data, 0, 0)[0]
    except (struct.error, IndexError, ValueError) as error:
        raise TransportError("the answer is not BSON") from error


def _document(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    size = struct.unpack_from("<i", data, at)[0]
    end = at + size
    if depth > _DEEPEST or size < 5 or end > len(data):  # an empty one
        raise ValueError("damaged")
    found: dict[str, Value] = {}
    at += 4
    while data[at]:
        kind, stop = data[at], data.index(b"\0", at + 1)
        name, at = data[at + 1 : stop].decode("utf-8", "replace"), stop + 1
        value, at = _value(data, at, kind, depth)
        if at > end:
            raise ValueError("damaged")
        if at < 0:
            break
        found[name] = value
    return found, end


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Value, int]:
    if kind == 0x02:
        size = struct.unpack_from("<i", data, at)[0]
        if size < 1:
            raise ValueError("damaged")
        return data[at + 4 : at + 3 + size].decode("utf-8", "replace"), at + 4 + size
    if kind in (0x03, 0x04):
        inner, end = _document(data, at, depth + 1)
        return (list(inner.values()) if kind == 0x04 else inner), end
    if kind == 0x05:
        size = struct.unpack_from("<i", data, at)[0]
        if size < 0:
            raise ValueError("damaged")
        return data[at + 5 : at + 5 + size], at + 5 + size
    if kind == 0x08:
        return bool(data[at]), at + 1
    if kind == 0x0A:
        return None, at
    if kind == 0x10:
        return struct.unpack_from("<i", data, at)[0], at + 4
    if kind == 0x01:
        return struct.unpack_from("<d", data, at)[0], at + 8
    fixed = {0x07: 12, 0x09: 8, 0x11: 8, 0x12: 8}.get(kind)
    return None, (-1 if fixed is None else at + fixed)
