"""
The order of commits, and which of them a ref still reaches.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.history import Commits, History, Ints, Keys, key_of

_NOTES = b"refs/notes/"
_MAX_PEELS = 16


class CommitOrder:
    """
    Commits by their place in history: parents first, ties by committer date, then id.
    """

    def __init__(self, history: History) -> None:
        commits = history.commits
        self._ids = commits.ids
        self._keys = _keys(commits.ids)
        self._by_key = np.argsort(self._keys)
        self._sorted = self._keys[self._by_key]
        parents = self.rows(commits.parent_keys)
        known = parents >= 0
        self._children = commits.child_rows[known]
        self._parents = parents[known]
        self.positions = self._positions(commits)
        self.at: Ints = np.argsort(self.positions)
        """Row of the commit at each position."""

        everything = [ref.target for ref in history.refs]
        notes = [ref.target for ref in history.refs if ref.name.startswith(_NOTES)]
        others = [ref.target for ref in history.refs if not ref.name.startswith(_NOTES)]
        above = self._parents_of()
        self.targets = frozenset(_peeled(history, everything))
        """Ids of all that a ref or a tag names."""

        reached = self._reach(_peeled(history, others), above)
        noted = self._reach(_peeled(history, notes), above)
        self.reachable = reached | noted
        self.only_notes = noted & ~reached

    def __len__(self) -> int:
        return len(self._keys)

    def id(self, row: int) -> str:
        """
        Return the id of the commit in a row.
        """
        name: bytes = self._ids[row].tobytes()
        return name.hex()

    def row(self, commit: str) -> int:
        """
        Return the row of a commit, -1 if there is none of this id.
        """
        return int(self.rows(np.array([key_of(commit)], np.uint64))[0])

    def rows(self, keys: Keys) -> Ints:
        """
        Return the row of each key, -1 where there is none.
        """
        return look_up(self._sorted, self._by_key, keys)

    def first_parents(self, commit: str) -> Ints:
        """
        Return the rows of a commit, its first parent, that one's first parent, and so on.
        """
        above = np.full(len(self), -1, np.int64)
        # Of several parents the first is written last.
        above[self._children[::-1]] = self._parents[::-1]
        first = above.tolist()
        line = []
        row = self.row(commit)
        while row >= 0:
            line.append(row)
            above_it, first[row] = first[row], -1
            row = above_it
        return np.array(line, np.int64)

    def ancestors(self, commit: str) -> npt.NDArray[np.bool_]:
        """
        Return which commits a commit stands on, itself among them.
        """
        return self._reach([commit], self._parents_of())

    def children(self, row: int) -> Ints:
        """
        Return the rows of a commit's children.
        """
        found: Ints = self._children[self._parents == row]
        return found

    def _positions(self, commits: Commits) -> Ints:
        count = len(self._keys)
        rank = np.empty(count, np.int64)
        by_date = np.lexsort((self._keys, commits.times))
        rank[by_date] = np.arange(count)
        if not (rank[self._parents] > rank[self._children]).any():
            return rank
        # Some clock was wrong: take the earliest commit that has no parent left, over and over.
        parents, children = rank[self._parents], rank[self._children]
        waiting = np.bincount(children, minlength=count).tolist()
        order = np.argsort(parents, kind="stable")
        below = children[order].tolist()
        start = np.searchsorted(parents[order], np.arange(count + 1)).tolist()
        heap = [row for row in range(count) if not waiting[row]]
        positions = np.zeros(count, np.int64)
        placed = 0
        while heap:
            here = heapq.heappop(heap)
            positions[here] = placed
            placed += 1
            for child in below[start[here] : start[here + 1]]:
                waiting[child] -= 1
                if not waiting[child]:
                    heapq.heappush(heap, child)
        return positions[rank]

    def _parents_of(self) -> tuple[list[int], list[int]]:
        order = np.argsort(self._children, kind="stable")
        start = np.searchsorted(self._children[order], np.arange(len(self) + 1))
        return start.tolist(), self._parents[order].tolist()

    def _reach(
        self, tips: Iterable[str], above: tuple[list[int], list[int]]
    ) -> npt.NDArray[np.bool_]:
        start, parents = above
        keys = np.fromiter((key_of(tip) for tip in tips), np.uint64)
        rows = self.rows(keys)
        stack = np.unique(rows[rows >= 0]).tolist()
        seen = bytearray(len(self))
        for row in stack:
            seen[row] = 1
        while stack:
            row = stack.pop()
            for parent in parents[start[row] : start[row + 1]]:
                if not seen[parent]:
                    seen[parent] = 1
                    stack.append(parent)
        return np.frombuffer(seen, np.uint8).astype(bool)


def look_up(ascending: Keys, rows: npt.NDArray[Any], keys: Keys) -> Ints:
    """
    Return the row of each key among sorted ones, -1 where there is none.
    """
    if not len(ascending):
        return np.full(len(keys), -1, np.int64)
    spots = np.minimum(np.searchsorted(ascending, keys), len(ascending) - 1)
    found: Ints = np.where(ascending[spots] == keys, rows[spots], -1)
    return found


def _keys(ids: npt.NDArray[np.uint8]) -> Keys:
    return np.ascontiguousarray(ids[:, :8]).view(">u8").ravel().astype(np.uint64)


def _peeled(history: History, targets: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for target in targets:
        name: str | None = target
        for _ in range(_MAX_PEELS):
            if name is None or name in found:
                break
            found.add(name)
            name = history.tags.get(name)
    return found
