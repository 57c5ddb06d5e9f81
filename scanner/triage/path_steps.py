"""
The steps of `attribution_paths.py` by our own library, `paths.c`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.history import Ints, Keys
from scanner.native import NUMBER, POINTER, Library
from scanner.triage.path_levels import Level, Runs

_BITS = 21
_LEVEL = {"item": np.int32, "first": np.int32, "up": np.int32, "name": np.uint32, "path": np.uint64}


class _Table(ctypes.Structure):
    _fields_ = [
        *((name, POINTER) for name in ("keys", "numbers", "maybe")),
        ("mask", NUMBER),
        ("bits", NUMBER),
    ]


class _Runs(ctypes.Structure):
    _fields_ = [
        *((name, POINTER) for name in ("firsts", "lengths", "items", "names")),
        ("count", NUMBER),
    ]


class _Level(ctypes.Structure):
    _fields_ = [
        *((name, POINTER) for name in _LEVEL),
        ("count", NUMBER),
        ("most", NUMBER),
        ("slots", POINTER),
        ("mask", NUMBER),
    ]


def climb(
    library: Library,
    entries: Callable[[], Iterator[npt.NDArray[np.void]]],
    frontier: Keys,
    numbers: Ints,
    holds: npt.NDArray[np.bool_],
) -> Iterator[Runs]:
    """
    Yield the entries whose child is in the frontier; mark in `holds` the trees that hold them.
    """
    size = 1 << max(4, int(2 * len(frontier)).bit_length())
    keys, found = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    maybe = np.zeros(1 << (_BITS - 3), np.uint8)
    table = _Table(keys.ctypes.data, found.ctypes.data, maybe.ctypes.data, size - 1, _BITS)
    wanted = np.ascontiguousarray(frontier), numbers.astype(np.int32)
    library.ours.unsealed_fill(
        ctypes.byref(table), *(one.ctypes.data for one in wanted), len(frontier)
    )
    for some in entries():
        runs = Runs.empty(len(some))
        told = _told(runs)
        library.ours.unsealed_climb(
            some.ctypes.data,
            len(some),
            ctypes.byref(table),
            holds.ctypes.data,
            ctypes.byref(told),
        )
        yield runs.head(told.count)


def below(library: Library, runs: Runs, level: Level, count: int, left: int) -> tuple[Level, bool]:
    """
    Return the level below, and whether there were more than `left` steps to take.

    Of the items, `count` are trees.
    """
    folders = np.flatnonzero(level.item < count)
    trees = level.item[folders]
    order = folders[np.argsort(trees, kind="stable")].astype(np.int32)
    begin = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(trees, minlength=count), out=begin[1:])
    path, first = np.ascontiguousarray(level.path), np.ascontiguousarray(level.first)
    told, found = _told(runs), _Level()
    try:
        rest = library.ours.unsealed_below(
            ctypes.byref(told),
            *(one.ctypes.data for one in (begin, order, path, first)),
            left,
            ctypes.byref(found),
        )
        if rest < -1:
            raise MemoryError
        return Level(**{name: _copied(found, name) for name in _LEVEL}), rest < 0
    finally:
        library.ours.unsealed_leave(ctypes.byref(found))


def _told(runs: Runs) -> _Runs:
    columns = runs.firsts, runs.lengths, runs.items, runs.names
    return _Runs(*(one.ctypes.data for one in columns), len(runs.firsts))


def _copied(found: _Level, name: str) -> npt.NDArray[Any]:
    kind = np.dtype(_LEVEL[name])
    if not found.count:
        return np.zeros(0, kind)
    text = ctypes.string_at(getattr(found, name), found.count * kind.itemsize)
    return np.frombuffer(text, kind)
