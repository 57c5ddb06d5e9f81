"""
One block of what PBKDF2 derives: by `pbkdf2.c` where that was built.

Python's own derives every block up to the one that is asked for, and takes up its memory anew at
each round: many times what the rounds themselves cost.
"""

from __future__ import annotations

import ctypes
import hashlib
import hmac
from functools import lru_cache

from scanner.native import library, sha256_step

_BLOCK = 64
_SIZE = 32


def pbkdf2_block(password: bytes, salt: bytes, *, rounds: int, number: int) -> bytes:
    """
    Return the block of a number, counted from 1, that HMAC with SHA-256 derives.
    """
    if not _is_sound():
        return _slow(password, salt, rounds, number)
    return _fast(password, salt, rounds, number)


def _slow(password: bytes, salt: bytes, rounds: int, number: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds, number * _SIZE)[-_SIZE:]


def _fast(password: bytes, salt: bytes, rounds: int, number: int) -> bytes:
    built = library()
    if built is None:
        raise ValueError("the library was not built")
    key = hashlib.sha256(password).digest() if len(password) > _BLOCK else password
    first = hmac.new(password, salt + number.to_bytes(4, "big"), hashlib.sha256).digest()
    value = ctypes.create_string_buffer(first, _SIZE)
    built.ours.unsealed_pbkdf2(sha256_step(), key.ljust(_BLOCK, b"\0"), value, rounds - 1)
    return value.raw


@lru_cache(maxsize=1)
def _is_sound() -> bool:
    # The step is another library's: what it needs is found out, not taken on trust.
    if library() is None or sha256_step() is None:
        return False
    asked = b"password", b"salt", 3, 2
    return _fast(*asked) == _slow(*asked)
