"""
At which paths objects lie, and the first commit that has them there.

From the wanted objects upwards, only trees that lead to one are kept; from the
commits downwards, each of these learns its paths and the earliest commit for
each.  Both are done to all trees of a depth at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.history import Ints, Keys, Trees, combine, name_hash
from scanner.native import library
from scanner.triage.attribution_commits import look_up
from scanner.triage.path_levels import Level, Runs
from scanner.triage.path_steps import below, climb

MAX_STATES = 2_000_000
"""Paths of one depth: a tree that holds itself ten times over, ten deep, has billions."""

_AT_ONCE = 1 << 18
_LONGEST_NAME = 4096
_SYMLINK = b"120000"
_ROOT = 0
_NONE = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Place:
    """
    One path of one object.
    """

    path: int
    """A hash of it; 0 is the root."""

    first: int
    """Position of the first commit."""

    chain: tuple[tuple[int, int], ...]
    """From the root down: number of the tree, hash of the name in it."""


class PathFinder:
    """
    Finds the paths of wanted objects below root trees.
    """

    def __init__(self, trees: Trees, wanted: Keys) -> None:
        self._count = len(trees.rows)
        keys = trees.keys()
        self._by_key = np.argsort(keys).astype(np.int32)
        self._sorted = keys[self._by_key]
        self._keys = keys
        self._wanted = np.unique(wanted)
        self.cut = False
        """Some paths were left out."""

        self._needed = np.zeros(self._count, bool)
        self._library = library()
        self._runs = self._climb(trees)

    def trees(self, keys: Keys) -> Ints:
        """
        Return the number of each tree, -1 where there is none.
        """
        return look_up(self._sorted, self._by_key, keys)

    def _climb(self, trees: Trees) -> Runs:
        # Items are numbered trees first, then the wanted objects that are none.
        found: list[Runs] = []
        itself = self.trees(self._wanted)
        frontier = self._wanted
        numbers = np.where(itself >= 0, itself, self._count + np.arange(len(frontier)))
        self._needed[itself[itself >= 0]] = True
        while len(frontier):
            new = np.zeros(self._count, bool)
            if self._library is None:
                found += _climbed(trees, frontier, numbers, new)
            else:
                found += climb(self._library, trees.entries, frontier, numbers, new)
            new &= ~self._needed
            self._needed |= new
            numbers = np.flatnonzero(new)
            frontier = self._keys[numbers]
        return Runs.joined(found)

    def orphans(self) -> Ints:
        """
        Return the trees on the way to a wanted object that lie in no other tree.
        """
        alone = self._needed.copy()
        inner = self._runs.items[self._runs.items < self._count]
        alone[inner] = False
        return np.flatnonzero(alone)

    def places(self, roots: Ints, first: Ints) -> Iterator[tuple[int, Place]]:
        """
        Yield each wanted object's key with each of its paths below `roots`,
        which come with the position of their first commit.
        """
        levels = [self._top(roots, first)]
        while len(levels[-1].item):
            levels.append(self._below(levels[-1]))
        itself = self.trees(self._wanted)
        trees_wanted = itself[itself >= 0]
        for depth, level in enumerate(levels):
            ends = (level.item >= self._count) | np.isin(level.item, trees_wanted)
            for row in np.flatnonzero(ends).tolist():
                item = int(level.item[row])
                key = self._keys[item] if item < self._count else self._wanted[item - self._count]
                chain = _chain(levels, depth, row)
                yield int(key), Place(int(level.path[row]), int(level.first[row]), chain)

    def _top(self, roots: Ints, first: Ints) -> Level:
        known = roots >= 0
        roots, first = roots[known], first[known]
        best = np.full(self._count, _NONE, np.int64)
        np.minimum.at(best, roots, first)
        item = np.flatnonzero((best != _NONE) & self._needed)
        none = np.zeros(len(item), np.int32)
        return Level(
            item.astype(np.int32),
            none.astype(np.uint64),
            best[item].astype(np.int32),
            none,
            none.astype(np.uint32),
        )

    def _below(self, level: Level) -> Level:
        if self._library is None:
            best, cut = self._stepped(level)
        else:
            best, cut = below(self._library, self._runs, level, self._count, MAX_STATES * 8)
        self.cut = self.cut or cut
        if len(best.item) > MAX_STATES:
            self.cut = True
            best = _picked(best, np.argsort(best.first, kind="stable")[:MAX_STATES])
        return best

    def _stepped(self, level: Level) -> tuple[Level, bool]:
        # See `path_steps.below`.
        runs = self._runs
        total = np.cumsum(runs.lengths, dtype=np.int64)
        last = int(total[-1]) if len(total) else 0
        cuts = np.searchsorted(total, np.arange(_AT_ONCE, last, _AT_ONCE))
        folders = np.flatnonzero(level.item < self._count)
        folders = folders[np.argsort(level.item[folders], kind="stable")]
        trees = level.item[folders]
        begin = np.zeros(self._count, np.int32)
        many = np.zeros(self._count, np.int32)
        unique, start, count = np.unique(trees, return_index=True, return_counts=True)
        begin[unique], many[unique] = start, count
        found = [self._nothing()]
        left, cut = MAX_STATES * 8, False
        # Most of it is the same path by way of another version: told apart a part at a time.
        for some in np.split(np.arange(len(runs.firsts)), cuts):
            run = np.repeat(some, runs.lengths[some])
            parents = _ranges(runs.firsts[some], runs.lengths[some])
            times = many[parents]
            rows = np.flatnonzero(times)
            times = times[rows]
            if int(times.sum()) > left:
                cut = True
                allowed = int(np.searchsorted(np.cumsum(times), left))
                rows, times = rows[:allowed], times[:allowed]
            left -= int(times.sum())
            up = folders[_ranges(begin[parents[rows]], times)].astype(np.int32)
            here = np.repeat(run[rows], times)
            name = runs.names[here]
            path = combine(level.path[up], name)
            found.append(_earliest(Level(runs.items[here], path, level.first[up], up, name)))
        return _earliest(_chained(found)), cut

    def _nothing(self) -> Level:
        none = np.zeros(0, np.int32)
        return Level(none, none.astype(np.uint64), none, none, none.astype(np.uint32))


def _earliest(level: Level) -> Level:
    """
    Return each item and path once, with its first position.
    """
    both = level.path ^ (level.item.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    order = np.lexsort((level.first, both)).astype(np.int32)
    ordered = both[order]
    best = np.ones(len(order), bool)
    best[1:] = ordered[1:] != ordered[:-1]
    return _picked(level, order[best])


def _picked(level: Level, rows: npt.NDArray[Any]) -> Level:
    return Level(
        level.item[rows], level.path[rows], level.first[rows], level.up[rows], level.name[rows]
    )


def _chained(levels: list[Level]) -> Level:
    return Level(
        np.concatenate([level.item for level in levels]),
        np.concatenate([level.path for level in levels]),
        np.concatenate([level.first for level in levels]),
        np.concatenate([level.up for level in levels]),
        np.concatenate([level.name for level in levels]),
    )


def name_in(tree: bytes, child: bytes, hashed: int) -> tuple[bytes, bool]:
    """
    Return the name under which a tree holds a child, and whether it is a symlink.
    """
    spot = tree.find(b"\0" + child)
    while spot >= 0:
        # Names may hold blanks, and so may the id before: the hash says which start is right.
        blank = tree.rfind(b" ", 0, spot)
        while blank >= 5 and spot - blank <= _LONGEST_NAME:
            name = tree[blank + 1 : spot]
            if b"\0" in name:
                break
            if name_hash(name) == hashed and tree[blank - 5 : blank].isdigit():
                return name, tree[blank - 6 : blank] == _SYMLINK
            blank = tree.rfind(b" ", 0, blank)
        spot = tree.find(b"\0" + child, spot + 1)
    return b"?", False


def _chain(levels: list[Level], depth: int, row: int) -> tuple[tuple[int, int], ...]:
    chain: list[tuple[int, int]] = []
    while depth:
        level = levels[depth]
        name = int(level.name[row])
        row = int(level.up[row])
        depth -= 1
        chain.append((int(levels[depth].item[row]), name))
    return tuple(reversed(chain))


def _climbed(
    trees: Trees, frontier: Keys, numbers: Ints, holds: npt.NDArray[np.bool_]
) -> Iterator[Runs]:
    # See `path_steps.climb`.
    maybe = np.zeros(1 << 20, bool)
    maybe[frontier >> np.uint64(44)] = True
    by_key = np.argsort(frontier)
    frontier, numbers = frontier[by_key], numbers[by_key]
    for entries in trees.entries():
        some = entries[maybe[entries["child"] >> np.uint64(44)]]
        number = look_up(frontier, numbers, some["child"])
        some, number = some[number >= 0], number[number >= 0]
        first = some["first"].astype(np.int64)
        length = some["last"] - first + 1
        holds[_ranges(first, length)] = True
        yield Runs(
            some["first"].copy(),
            length.astype(np.int32),
            number.astype(np.int32),
            some["name"].copy(),
        )


def _ranges(starts: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> Ints:
    """
    Return `start, start + 1, …` of each range, one after the other.
    """
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, np.int64)
    ends = np.cumsum(lengths)
    offsets = np.repeat(starts - (ends - lengths), lengths)
    result: Ints = offsets + np.arange(total)
    return result
