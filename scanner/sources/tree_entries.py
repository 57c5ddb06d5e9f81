"""
The entries of the trees of a buffer, each once for as many trees as hold it: by `trees.c`.

`tree_shapes.py` does the same where that was not built.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace

import numpy as np

from scanner.history import Ints
from scanner.native import NUMBER, POINTER, Library, column
from scanner.sources.packs import Bytes
from scanner.sources.tree_names import Entries

_ENTRIES = 1 << 15
_COLUMNS = ("starts", "nuls", "trees", "lasts", "names")


class _Entries(ctypes.Structure):
    _fields_ = [
        *((name, POINTER) for name in (*_COLUMNS, "hashes")),
        ("most", NUMBER),
        ("count", NUMBER),
    ]


class TreeReader:
    """
    Room for entries, and who fills it.
    """

    def __init__(self, library: Library, id_size: int) -> None:
        self._library = library
        self._id_size = id_size
        self._make_room(_ENTRIES)

    def _make_room(self, most: int) -> None:
        self._columns = [column(most) for _ in _COLUMNS]
        self._hashes = np.zeros(most, np.uint64)
        places = [one.ctypes.data for one in (*self._columns, self._hashes)]
        self._told = _Entries(*places, most, 0)

    def entries(self, data: Bytes, starts: Ints, ends: Ints) -> Entries:
        """
        Return the entries: each stands in one tree, and in all behind it up to its last.
        """
        parts: list[Entries] = []
        at, count = 0, len(starts)
        while at < count:
            done = self._library.ours.unsealed_trees(
                ctypes.byref(self._told),
                data.ctypes.data,
                starts.ctypes.data,
                ends.ctypes.data,
                at,
                count,
                self._id_size,
            )
            if done == at:
                # One tree alone is more than there is room for.
                self._make_room(2 * self._told.most)
                continue
            at = done
            parts.append(self._copied(self._told.count))
        if len(parts) == 1:
            return parts[0]
        return _joined([*parts, self._copied(0)])

    def _copied(self, count: int) -> Entries:
        starts, nuls, trees, lasts, names = (one[:count].copy() for one in self._columns)
        return Entries(starts, nuls, trees, lasts, names, self._hashes[:count].copy())


def _joined(parts: list[Entries]) -> Entries:
    first = parts[0]
    return replace(
        first,
        starts=np.concatenate([part.starts for part in parts]),
        nuls=np.concatenate([part.nuls for part in parts]),
        trees=np.concatenate([part.trees for part in parts]),
        lasts=np.concatenate([part.lasts for part in parts]),
        names=np.concatenate([part.names for part in parts]),
        hashes=np.concatenate([part.hashes for part in parts]),
    )
