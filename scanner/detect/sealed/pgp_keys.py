"""
OpenPGP secret keys: where the public part ends, and the ids by which messages name them.
"""

from __future__ import annotations

import hashlib

from scanner.detect.sealed.pgp import Packet

_INTEGERS = {1: 2, 2: 2, 3: 2, 16: 3, 17: 4, 20: 3}  # how many numbers a public key has
_CURVES = {18: 1, 19: 1, 22: 1}
_NATIVE = {25: 32, 26: 56, 27: 32, 28: 57}  # sizes of the newer algorithms


def public_part_size(body: bytes) -> int | None:
    """
    Return how many bytes of a key packet are public; `None` if it cannot be told.
    """
    if len(body) < 6 or body[0] not in (3, 4, 5, 6):
        return None
    version = body[0]
    position = 7 if version == 3 else 5
    algorithm = body[position]
    position += 1
    if version in (5, 6):
        position += 4
    if algorithm in _NATIVE:
        return position + _NATIVE[algorithm]
    if algorithm in _CURVES:
        position += 1 + body[position]
    count = _INTEGERS.get(algorithm, _CURVES.get(algorithm))
    if count is None:
        return None
    for _ in range(count):
        bits = int.from_bytes(body[position : position + 2], "big")
        position += 2 + (bits + 7) // 8
    if algorithm == 18:
        position += 1 + body[position] if position < len(body) else 0
    return position if position <= len(body) else None


def key_id(packet: Packet) -> str | None:
    """
    Return the 16 hex digits by which messages name a version 4 key; `None` for others.
    """
    size = public_part_size(packet.body)
    if size is None or packet.body[0] != 4:
        return None
    public = packet.body[:size]
    digest = hashlib.sha1(b"\x99" + size.to_bytes(2, "big") + public, usedforsecurity=False)
    return digest.hexdigest()[-16:].upper()
