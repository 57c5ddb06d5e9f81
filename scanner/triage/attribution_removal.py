"""
When secrets left HEAD: the first commit that no longer holds one, on the way to HEAD.

Nothing is walked commit by commit: the trees' log knows every folder and every blob
that holds something, so each path costs a look at its folder's few versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from scanner.history import History, Ints, Keys, key_of
from scanner.model import Identity, Match, Occurrence, Place
from scanner.secret import Secret
from scanner.triage.attribution_commits import CommitOrder
from scanner.triage.descent import Descent, Names, parts_of

_FILES = frozenset({Place.BLOB, Place.SYMLINK, Place.NOTE})
Located = tuple[Match, tuple[Occurrence, ...]]


def foreseen(located: Sequence[Located], history: History, order: CommitOrder) -> Removals | None:
    """
    Return what `with_removal` is faster with, if it is asked about much the same later; `None`
    where nothing can have been removed.
    """
    if history.head is None:
        return None
    paths = {occurrence.path for occurrence in _gone(located).values() if occurrence.path}
    removals = Removals(history, order, paths)
    removals.look_up(paths)
    return removals


def with_removal(
    located: Sequence[Located],
    history: History,
    order: CommitOrder,
    removals: Removals | None = None,
) -> list[Located]:
    """
    Return the same, with the author's date of the commit that removed each from HEAD.

    The line of first parents is asked first: a branch that forked before
    the removal and was merged after it does not make the secret live longer.
    """
    gone = _gone(located)
    if not gone or history.head is None:
        return list(located)
    holders: dict[tuple[str, Secret | None], set[int]] = defaultdict(set)
    for match, _ in located:
        if match.document.blob is not None:
            holders[match.rule_id, match.secret].add(key_of(match.document.blob))
    paths = {occurrence.path for occurrence in gone.values() if occurrence.path}
    if removals is None or not removals.know(paths):
        removals = Removals(history, order, paths)
    commits: dict[tuple[int, int], str] = {}
    for (number, place), occurrence in gone.items():
        match = located[number][0]
        row = removals.row(occurrence.path or b"", holders[match.rule_id, match.secret])
        if row is not None:
            commits[number, place] = order.id(row)
    dates = history.reader.authors(sorted(set(commits.values())))
    return [
        (match, tuple(_dated(occurrences, number, commits, dates)))
        for number, (match, occurrences) in enumerate(located)
    ]


def _gone(located: Sequence[Located]) -> dict[tuple[int, int], Occurrence]:
    return {
        (number, place): occurrence
        for number, (_, occurrences) in enumerate(located)
        for place, occurrence in enumerate(occurrences)
        if _has_left(occurrence)
    }


def _has_left(occurrence: Occurrence) -> bool:
    return (
        occurrence.in_head is False
        and occurrence.commit is not None
        and bool(occurrence.path)
        and occurrence.place in _FILES
    )


def _dated(
    occurrences: Sequence[Occurrence],
    number: int,
    commits: dict[tuple[int, int], str],
    dates: Mapping[str, tuple[Identity, str]],
) -> Iterator[Occurrence]:
    for place, occurrence in enumerate(occurrences):
        known = dates.get(commits.get((number, place), ""))
        yield occurrence if known is None else replace(occurrence, removed_at=known[1])


class Removals:
    """
    Which commit on the way to HEAD was the first without what lay at a path.
    """

    def __init__(self, history: History, order: CommitOrder, paths: Iterable[bytes]) -> None:
        head = history.head or ""
        self._parts = parts_of(paths)
        names = Names(history.trees, self._parts)
        self._order = order
        self._line = order.first_parents(head)
        roots = history.commits.trees
        self._on_line = Descent(names, roots[self._line], np.arange(len(self._line)))
        # Ranks are the smaller the later a commit is: the last that holds it is wanted.
        self._below_head = order.ancestors(head)
        rows = np.flatnonzero(self._below_head)
        self._anywhere = Descent(names, roots[rows], -order.positions[rows])

    def know(self, paths: Iterable[bytes]) -> bool:
        """
        Tell whether all these can be asked about.
        """
        return parts_of(paths) <= self._parts

    def look_up(self, paths: Iterable[bytes]) -> None:
        """
        Look these up, so that asking about them takes no time.
        """
        for path in paths:
            self._on_line.file(path)

    def row(self, path: bytes, holders: set[int]) -> int | None:
        """
        Return the row of the commit that removed it; `None` if HEAD never held it there.
        """
        rank = _lowest(*self._on_line.file(path), holders)
        if rank is not None:
            return int(self._line[rank - 1]) if rank else None
        rank = _lowest(*self._anywhere.file(path), holders)
        if rank is None:
            return None
        last = int(self._order.at[-rank])
        after = self._order.children(last)
        after = after[self._below_head[after]]
        if not len(after):
            return None
        return int(after[np.argmin(self._order.positions[after])])


def _lowest(keys: Keys, ranks: Ints, holders: set[int]) -> int | None:
    held = [rank for key, rank in zip(keys.tolist(), ranks.tolist(), strict=True) if key in holders]
    return min(held, default=None)
