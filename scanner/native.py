"""
The library of our own, where it was built: the C files that lie beside the Python that calls them.

It is plain C without any of Python in it, built when the package is installed on a machine with a
C compiler, and called through `ctypes`.  Nothing depends on it but speed.
"""

from __future__ import annotations

import ctypes
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_PLACE = Path(__file__).with_name("sources") / "_native.so"
_VERSION = 1
"""That of `unsealed_version` in `packs.c`; a checkout's library may be older than the checkout."""

POINTER = ctypes.c_void_p
NUMBER = ctypes.c_int64


class Zlib(ctypes.Structure):
    """
    Functions of the zlib that Python itself was linked with.
    """

    _fields_ = [(name, POINTER) for name in ("init", "inflate", "reset", "end", "version")]


class Library(NamedTuple):
    """
    What was loaded.
    """

    ours: Any
    zlib: Zlib


@lru_cache(maxsize=1)
def library() -> Library | None:
    """
    Return the library, `None` where it, or zlib's functions, are missing, or it is of another
    version.
    """
    try:
        ours = ctypes.CDLL(str(_PLACE))
        theirs = ctypes.CDLL(getattr(zlib, "__file__", None))
        theirs.zlibVersion.restype = POINTER
        functions = (theirs.inflateInit_, theirs.inflate, theirs.inflateReset, theirs.inflateEnd)
        table = Zlib(*(ctypes.cast(one, POINTER) for one in functions), theirs.zlibVersion())
        _declare(ours)
        ours.unsealed_version.restype = NUMBER
        if ours.unsealed_version() != _VERSION:
            return None
    except (OSError, AttributeError):
        return None
    return Library(ours, table)


def _declare(ours: Any) -> None:
    ours.unsealed_open.restype = POINTER
    ours.unsealed_open.argtypes = (ctypes.c_int, NUMBER, NUMBER, NUMBER, NUMBER, POINTER)
    ours.unsealed_close.restype = None
    ours.unsealed_close.argtypes = (POINTER,)
    ours.unsealed_read.restype = NUMBER
    ours.unsealed_read.argtypes = (
        POINTER, POINTER, POINTER, NUMBER, ctypes.c_int, NUMBER, POINTER, NUMBER,
    )  # fmt: skip
    ours.unsealed_commits.restype = NUMBER
    ours.unsealed_commits.argtypes = (POINTER, POINTER, POINTER, POINTER, NUMBER, NUMBER)
    ours.unsealed_pbkdf2.restype = None
    ours.unsealed_pbkdf2.argtypes = (POINTER, POINTER, POINTER, NUMBER)
    ours.unsealed_fill.restype = None
    ours.unsealed_fill.argtypes = (POINTER, POINTER, POINTER, NUMBER)
    ours.unsealed_climb.restype = None
    ours.unsealed_climb.argtypes = (POINTER, NUMBER, POINTER, POINTER, POINTER)
    ours.unsealed_below.restype = NUMBER
    ours.unsealed_below.argtypes = (
        POINTER, POINTER, POINTER, POINTER, POINTER, NUMBER, POINTER,
    )  # fmt: skip
    ours.unsealed_leave.restype = None
    ours.unsealed_leave.argtypes = (POINTER,)
    ours.unsealed_trees.restype = NUMBER
    ours.unsealed_trees.argtypes = (POINTER, POINTER, POINTER, POINTER, NUMBER, NUMBER, NUMBER)


@lru_cache(maxsize=1)
def sha256_step() -> Any:
    """
    Return the function that takes SHA-256 on by a block, of the library that Python's own hashes
    come from; `None` where that does not offer it.
    """
    try:
        import _hashlib  # noqa: PLC0415 # not every Python has it

        return ctypes.CDLL(getattr(_hashlib, "__file__", None)).SHA256_Transform
    except (ImportError, OSError, AttributeError):
        return None


def address(buffer: bytearray) -> int:
    """
    Return where a buffer lies; it must outlive the use of that, and keep its size.
    """
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def column(size: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """
    Return room for so many numbers.
    """
    return np.zeros(size, np.int64)
