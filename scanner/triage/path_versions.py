"""
Every version that a path ever had, in the order of history.

The trees' log holds folders alone, so the trees of the folders in question are read
again: of a folder there are few versions, however many commits there are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from scanner.history import History
from scanner.model import Limit
from scanner.triage.attribution_commits import CommitOrder
from scanner.triage.descent import Descent, Names, parts_of

MAX_TREES = 40_000
_FILE_MODE = re.compile(rb"100[0-7]{3}\Z")
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0")


@dataclass(frozen=True, slots=True)
class PathVersion:
    """
    One version of a path: its blob, and the first commit that has it there.
    """

    blob: str
    commit: str
    rank: int
    """The commit's place in history."""


class PathVersions:
    """
    Looks paths up in all commits.
    """

    def __init__(self, history: History, order: CommitOrder) -> None:
        self._history = history
        self._order = order
        self.limits: list[Limit] = []

    def of(
        self,
        paths: Iterable[bytes],
        folders: Iterable[bytes] = (),
        *,
        logged: Collection[bytes] = (),
    ) -> dict[bytes, list[PathVersion]]:
        """
        Return the versions of each path that any commit has, the earliest first; of
        all paths below `folders` too.  The log knows every version of files whose names are
        `logged`.
        """
        wanted = set(paths)
        known = {path for path in wanted if path.rpartition(b"/")[2] in logged}
        whole = [folder.strip(b"/") for folder in folders]
        by_folder: dict[bytes, set[bytes]] = defaultdict(set)
        for path in wanted - known:
            folder, _, name = path.rpartition(b"/")
            by_folder[folder].add(name)
        names = Names(self._history.trees, parts_of([*by_folder, *whole, *known]))
        descent = Descent(names, self._history.commits.trees, self._order.positions)
        best: dict[tuple[bytes, str], int] = {}
        self._look(descent, known, best)
        left = MAX_TREES
        versions = {folder: self._trees(descent, folder) for folder in by_folder}
        # Those of few versions first: a bound should cost as few paths as can be.
        for folder, trees in sorted(versions.items(), key=lambda item: (len(item[1]), item[0])):
            left -= len(trees)
            if left < 0:
                self._cut(folder)
                break
            self._pick(folder, trees, by_folder[folder], best)
        for folder in whole:
            left = self._below(folder, self._trees(descent, folder), best, left)
        return self._sorted(best)

    def _trees(self, descent: Descent, folder: bytes) -> dict[str, int]:
        level = descent.folder(folder)
        numbered = zip(level.trees.tolist(), level.ranks.tolist(), strict=True)
        return {self._history.trees.id(number): rank for number, rank in numbered}

    def _look(
        self, descent: Descent, paths: set[bytes], best: dict[tuple[bytes, str], int]
    ) -> None:
        held = {path: descent.file(path) for path in sorted(paths)}
        none = np.zeros(0, np.uint64)
        ids = self._history.trees.ids
        keys = ids[:, :8].view(">u8").ravel()
        rows = np.flatnonzero(
            np.isin(keys, np.concatenate([none, *(blobs for blobs, _ in held.values())]))
        )
        names = {int(keys[row]): ids[row].tobytes().hex() for row in rows.tolist()}
        for path, (blobs, ranks) in held.items():
            for key, rank in zip(blobs.tolist(), ranks.tolist(), strict=True):
                if key in names:
                    best[path, names[key]] = rank

    def _pick(
        self,
        folder: bytes,
        trees: dict[str, int],
        names: set[bytes],
        best: dict[tuple[bytes, str], int],
    ) -> None:
        size = self._history.id_size
        wanted = [(name, b" " + name + b"\0") for name in sorted(names)]
        for tree, text in self._history.reader.contents(trees):
            for name, mark in wanted:
                spot = text.find(mark)
                while spot >= 0 and not _FILE_MODE.search(text, max(0, spot - 6), spot):
                    spot = text.find(mark, spot + 1)  # within an id, or of a folder
                if spot >= 0:
                    start = spot + len(mark)
                    path = folder + b"/" + name if folder else name
                    child = text[start : start + size].hex()
                    best[path, child] = min(trees[tree], best.get((path, child), trees[tree]))

    def _read(
        self,
        folder: bytes,
        trees: dict[str, int],
        best: dict[tuple[bytes, str], int],
    ) -> dict[bytes, dict[str, int]]:
        # Return the folders inside, by path: their trees with the rank of the first commit.
        inside: dict[bytes, dict[str, int]] = defaultdict(dict)
        size = self._history.id_size
        for tree, text in self._history.reader.contents(trees):
            rank = trees[tree]
            position = 0
            while found := _ENTRY.match(text, position):
                position = found.end() + size
                mode, name = found.groups()
                child = text[found.end() : position].hex()
                path = folder + b"/" + name if folder else name
                if mode.startswith(b"100"):
                    best[path, child] = min(rank, best.get((path, child), rank))
                elif mode.lstrip(b"0").startswith(b"4"):
                    inside[path][child] = min(rank, inside[path].get(child, rank))
        return inside

    def _below(
        self,
        folder: bytes,
        trees: dict[str, int],
        best: dict[tuple[bytes, str], int],
        left: int,
    ) -> int:
        todo = {folder: trees}
        while todo:
            path, these = todo.popitem()
            left -= len(these)
            if left < 0:
                self._cut(path)
                break
            todo.update(self._read(path, these, best))
        return left

    def _cut(self, folder: bytes) -> None:
        self.limits.append(
            Limit(
                name="policy-history",
                reason=f"more than {MAX_TREES} versions of folders: not every version of a path"
                " was held against the policy",
                path=folder,
            )
        )

    def _sorted(self, best: dict[tuple[bytes, str], int]) -> dict[bytes, list[PathVersion]]:
        found: dict[bytes, list[PathVersion]] = defaultdict(list)
        for (path, blob), rank in sorted(best.items(), key=lambda item: (item[1], item[0])):
            commit = self._order.id(int(self._order.at[rank]))
            found[path].append(PathVersion(blob, commit, rank))
        return dict(found)

    def reachable(self, version: PathVersion) -> bool:
        """
        Whether a ref still reaches the first commit of a version.
        """
        return bool(np.asarray(self._order.reachable)[self._order.at[version.rank]])
