"""
From root trees down to what lies at given paths, over all of history at once.

Only the names on the way are followed: of a million trees some hundreds matter.
Each tree and blob carries the best *rank* (the smallest number) of the roots it is
reached from, such as the position of the first commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.history import ENTRY, Ints, Keys, Trees, name_hash
from scanner.triage.attribution_commits import look_up

_BY = ("name", "first")
_Rows = npt.NDArray[np.int32]
_Run = tuple[_Rows, _Rows, Keys]  # first and last tree of each run, and the child all of it hold


@dataclass(frozen=True, slots=True)
class Level:
    """
    The versions of one folder: numbers of trees, and the rank of each.
    """

    trees: Ints
    ranks: Ints


class Names:
    """
    Which trees hold what under some chosen names.
    """

    def __init__(self, trees: Trees, names: Iterable[bytes]) -> None:
        self._hashes = {name: name_hash(name) for name in set(names)}
        keys = trees.keys()
        self._by_key = np.argsort(keys).astype(np.int32)
        self._sorted = keys[self._by_key]
        self._runs = self._gathered(trees)

    def _gathered(self, trees: Trees) -> dict[int, _Run]:
        wanted = np.unique(np.fromiter(self._hashes.values(), np.uint32))
        maybe = np.zeros(1 << 16, bool)
        maybe[wanted & np.uint32(0xFFFF)] = True
        parts: list[npt.NDArray[np.void]] = [np.zeros(0, ENTRY)]
        for entries in trees.entries():
            some = entries[maybe[entries["name"] & np.uint32(0xFFFF)]]
            spots = np.minimum(np.searchsorted(wanted, some["name"]), len(wanted) - 1)
            parts.append(some[wanted[spots] == some["name"]])
        # There may be millions: a column at a time.
        names, firsts = (np.concatenate([part[name] for part in parts]) for name in _BY)
        order = np.lexsort((firsts, names)).astype(np.int32)
        names, firsts = names[order], firsts[order]
        lasts = np.concatenate([part["last"] for part in parts])[order]
        children = np.concatenate([part["child"] for part in parts])[order]
        bounds = np.searchsorted(names, wanted), np.searchsorted(names, wanted, side="right")
        return {
            int(one): (firsts[a:b], lasts[a:b], children[a:b])
            for one, a, b in zip(
                wanted.tolist(), *(bound.tolist() for bound in bounds), strict=True
            )
        }

    def numbers(self, keys: Keys) -> Ints:
        """
        Return the number of each tree, -1 where a key is none's.
        """
        return look_up(self._sorted, self._by_key, keys)

    def top(self, roots: Keys, ranks: Ints) -> Level:
        """
        Return the level of root trees.
        """
        return self._level(roots, ranks)

    def held(self, level: Level, name: bytes) -> tuple[Keys, Ints]:
        """
        Return what the trees of a level hold under a name, each with its best rank.
        """
        first, last, child = self._runs[self._hashes[name]]
        if not len(first) or not len(level.trees):
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        row = np.searchsorted(first, level.trees.astype(np.int32), side="right") - 1
        inside = (row >= 0) & (level.trees <= last[np.maximum(row, 0)])
        return _best(child[row[inside]], level.ranks[inside])

    def below(self, level: Level, name: bytes) -> Level:
        """
        Return the level of the folder of this name.
        """
        return self._level(*self.held(level, name))

    def _level(self, keys: Keys, ranks: Ints) -> Level:
        numbers = self.numbers(keys)
        known = numbers >= 0
        trees, best = _best(numbers[known], ranks[known])
        return Level(trees, best)


class Descent:
    """
    Folders below the same roots; each is looked up once.
    """

    def __init__(self, names: Names, roots: Keys, ranks: Ints) -> None:
        self._names = names
        self._levels: dict[bytes, Level] = {b"": names.top(roots, ranks)}
        self._files: dict[bytes, tuple[Keys, Ints]] = {}

    def folder(self, path: bytes) -> Level:
        """
        Return the versions of a folder; its path has no slash at its ends, that of the root is
        empty.
        """
        known = self._levels.get(path)
        if known is None:
            parent, _, name = path.rpartition(b"/")
            known = self._levels[path] = self._names.below(self.folder(parent), name)
        return known

    def file(self, path: bytes) -> tuple[Keys, Ints]:
        """
        Return the keys of what lay at a path, as far as the trees' log knows it, with ranks.
        """
        known = self._files.get(path)
        if known is None:
            folder, _, name = path.rpartition(b"/")
            known = self._files[path] = self._names.held(self.folder(folder), name)
        return known


def parts_of(paths: Iterable[bytes]) -> set[bytes]:
    """
    Return every name on the way to these paths.
    """
    return {name for path in paths for name in path.split(b"/")}


def _best(items: npt.NDArray[Any], ranks: Ints) -> tuple[npt.NDArray[Any], Ints]:
    order = np.lexsort((ranks, items))
    items, ranks = items[order], ranks[order]
    first = np.ones(len(items), bool)
    first[1:] = items[1:] != items[:-1]
    return items[first], ranks[first]
