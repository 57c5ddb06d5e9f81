"""
Which objects are named by others, or by a ref, and are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from scanner.history import Commits, Ints, Keys, Ref, key_of
from scanner.model import Place, Unread
from scanner.sources.packs import Bytes, keys
from scanner.sources.reader import ObjectReader

_BITS = 24
_MASK = np.uint64((1 << _BITS) - 1)
_HIGH, _LOW = np.uint64(64 - _BITS), np.uint64(16)
_MOST = 1000
"""Entries that name a missing object each; the rest are told by number."""


class Missing:
    """
    Objects that trees name and that are not there.
    """

    def __init__(self) -> None:
        self.names: dict[bytes, bytes] = {}
        """Name in the first tree that was met, by id."""

        self.uncounted = 0

    def note(self, found: Mapping[bytes, bytes]) -> None:
        """
        Remember some more.
        """
        for name, path in found.items():
            if name in self.names:
                continue
            if len(self.names) < _MOST:
                self.names[name] = path
            else:
                self.uncounted += 1


_PLACES = {b"tree": Place.PATH, b"parent": Place.COMMIT_MESSAGE}
_NAMED = re.compile(rb"^(tree|parent) ([0-9a-f]{40,64})$", re.MULTILINE)


class Known:
    """
    Tells which ids are not in the inventory, sixty million times in a second or so.

    Two tables of bits stand for the ids: an id that either lacks is missing.  Of
    a million objects and more, one missing one in a hundred goes unnoticed; of
    ten thousand, one in a million.
    """

    def __init__(self, ids: Bytes) -> None:
        self._high = np.zeros(1 << _BITS, bool)
        self._low = np.zeros(1 << _BITS, bool)
        known = keys(ids)
        self._high[known >> _HIGH] = True
        self._low[(known >> _LOW) & _MASK] = True

    def absent(self, wanted: Keys) -> Ints:
        """
        Return the positions of keys that no object has.
        """
        there = self._high[wanted >> _HIGH]
        there &= self._low[(wanted >> _LOW) & _MASK]
        rows: Ints = np.flatnonzero(~there)
        return rows


def missing(
    ids: Bytes,
    named: Missing,
    *,
    commits: Commits,
    tags: Mapping[str, str],
    refs: Iterable[Ref],
    reader: ObjectReader,
    shallow: frozenset[str],
    promised: bool,
) -> Iterator[Unread]:
    """
    Yield what is named and not there; parents beyond a shallow clone's edge are not expected.

    `promised`: this is a partial clone, whose server keeps the rest; it is never asked.
    """
    on_server = ", and a partial clone left it on the server" if promised else ""
    of_tree = f"missing: a tree names it{on_server}"
    told: set[str] = set()
    for raw, path in named.names.items():
        told.add(raw.hex())
        yield Unread(place=Place.BLOB, path=path, blob=raw.hex(), reason=of_tree)
    if named.uncounted:
        reason = f"missing: trees name {named.uncounted} objects more that are not here"
        yield Unread(place=Place.BLOB, reason=reason)
    there = np.sort(keys(ids))
    every = list(refs)
    # There may be a hundred thousand, of which none is missing.
    lost = _lacking(there, np.array([_key(ref.target) for ref in every], np.uint64))
    for row in np.flatnonzero(lost).tolist():
        ref = every[row]
        if ref.target not in told:
            told.add(ref.target)
            yield Unread(
                place=Place.REF_NAME,
                path=ref.name,
                blob=ref.target,
                reason="missing: a ref names it",
            )
    for target in tags.values():
        if target not in told and not _has(there, target):
            told.add(target)
            yield Unread(place=Place.BLOB, blob=target, reason="missing: a tag names it")
    for kind, name in _of_commits(there, commits, reader, shallow):
        if name not in told:
            told.add(name)
            reason = f"missing: a commit names it{on_server}"
            yield Unread(place=_PLACES[kind], blob=name, reason=reason)


def _has(there: Keys, name: str) -> bool:
    return not bool(_lacking(there, np.array([_key(name)], np.uint64))[0])


def _key(name: str) -> int:
    # No object has the key zero, as far as anybody knows.
    try:
        return key_of(name)
    except ValueError:
        return 0


def _of_commits(
    there: Keys, commits: Commits, reader: ObjectReader, shallow: frozenset[str]
) -> Iterator[tuple[bytes, str]]:
    lost_trees = _lacking(there, commits.trees)
    rows = np.flatnonzero(lost_trees)
    lost_parents = commits.child_rows[_lacking(there, commits.parent_keys)]
    names = [commits.ids[row].tobytes().hex() for row in np.union1d(rows, lost_parents)]
    for commit, _, content in reader.read(names[:_MOST]):
        for kind, name in _NAMED.findall(content.partition(b"\n\n")[0]):
            if kind == b"parent" and commit in shallow:
                continue
            if not _has(there, name.decode()):
                yield kind, name.decode()


def _lacking(there: Keys, wanted: Keys) -> np.typing.NDArray[np.bool_]:
    if not len(there):
        return np.ones(len(wanted), bool)
    rows = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    lacking: np.typing.NDArray[np.bool_] = there[rows] != wanted
    return lacking
