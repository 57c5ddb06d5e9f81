"""
Decompression with bounds: never more than asked for, never an exception for damaged input.

What a damaged stream gave before it broke is kept, for it is read like the rest.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_MEMBER = 64 << 20
"""Bytes of one member or stream that are looked at; the rest is a limit that bit."""

_FREE = 16 << 20
MAX_RATIO = 250
"""How many times larger than its input a stream may grow, once it passes 16 MiB."""

_STEP = 1 << 20
_LZMA_MEMORY = 128 << 20
_ZSTD_WINDOW = 128 << 20


@dataclass(frozen=True, slots=True)
class Inflated:
    """
    What came out, and why it is not all of it.
    """

    data: bytes
    error: str | None = None
    """Why the rest could not be read."""

    limit: str | None = None
    """The bound that bit: `expansion-ratio` or `member-size`."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


_ERRORS = (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, MemoryError)


def inflate(data: bytes, method: str, *, most: int) -> Inflated:
    """
    Return what `data` holds under `method` (`deflate`, `zlib`, `gzip`, `bzip2`, `xz`, `zstd`), at
    most `most` bytes.  Streams that follow each other are one.
    """
    most = min(most, MAX_MEMBER)
    bound = min(most, max(_FREE, MAX_RATIO * len(data)))
    if method == "zstd":
        out = _zstd(data, bound)
    elif method in ("deflate", "zlib", "gzip"):
        out = _zlib(data, {"deflate": -15, "zlib": 15, "gzip": 31}[method], bound)
    elif method == "lzma":
        out = _stream(data, _lzma_alone, bound)
    else:
        out = _stream(data, bz2.BZ2Decompressor if method == "bzip2" else _xz, bound)
    if out.limit is None:
        return out
    return Inflated(out.data, None, "expansion-ratio" if bound < most else "member-size")


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


def _lzma_alone() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY)


def _zlib(data: bytes, wbits: int, bound: int) -> Inflated:
    out = bytearray()
    while data:
        stream = zlib.decompressobj(wbits)
        try:
            while not stream.eof and len(out) <= bound:
                size = len(out)
                out += stream.decompress(data, min(_STEP, bound + 1 - size))
                data = stream.unconsumed_tail
                if not data and len(out) == size:
                    break
        except zlib.error as error:
            # Bytes after a whole gzip stream are padding or a signature: no damage.
            whole = bool(out) and not stream.eof and data[:2] != b"\x1f\x8b" and wbits == 31
            rest = _salvage(data, wbits, bound - len(out)) if not out else b""
            return Inflated(bytes(out) + rest, None if whole else f"damaged: {error}")
        if len(out) > bound:
            return Inflated(bytes(out[:bound]), limit="")
        if not stream.eof:
            return Inflated(bytes(out), "ends too soon")
        data = stream.unused_data.lstrip(b"\0") if wbits == 31 else b""
    return Inflated(bytes(out))


def _salvage(data: bytes, wbits: int, bound: int) -> bytes:
    # zlib drops what it had in hand when it fails: fed byte by byte, it gives it up first.
    stream = zlib.decompressobj(wbits)
    out = bytearray()
    try:
        for at in range(0, min(len(data), _STEP), 64):
            out += stream.decompress(data[at : at + 64], max(1, bound - len(out)))
            if len(out) >= bound:
                break
    except zlib.error:
        pass
    return bytes(out[:bound])


def _stream(data: bytes, make: Callable[[], _Decompressor], bound: int) -> Inflated:
    out = bytearray()
    while data:
        try:
            stream = make()
            piece = data
            while not stream.eof and len(out) <= bound:
                got = stream.decompress(piece, min(_STEP, bound + 1 - len(out)))
                piece = b""
                out += got
                if not got and getattr(stream, "needs_input", True):
                    break
        except _ERRORS as error:
            return Inflated(bytes(out), None if out else f"damaged: {error}")
        if len(out) > bound:
            return Inflated(bytes(out[:bound]), limit="")
        if not stream.eof:
            return Inflated(bytes(out), "ends too soon")
        data = stream.unused_data.lstrip(b"\0")
    return Inflated(bytes(out))


def _zstd(data: bytes, bound: int) -> Inflated:
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        return Inflated(b"", "needs the extra `archives` (zstandard), which is not installed")
    out = bytearray()
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
            data, read_across_frames=True
        )
        while len(out) <= bound:
            piece = reader.read(min(_STEP, bound + 1 - len(out)))
            if not piece:
                break
            out += piece
    except (zstandard.ZstdError, *_ERRORS) as error:
        return Inflated(bytes(out), f"damaged: {error}")
    if len(out) > bound:
        return Inflated(bytes(out[:bound]), limit="")
    return Inflated(bytes(out))
