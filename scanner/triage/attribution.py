"""
Where matches in a repository's objects came in: path, first commit, author, date.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scanner.history import History, TreeEntry, key_of
from scanner.model import Identity, Limit, Match, Occurrence
from scanner.model import Place as Where
from scanner.native import library
from scanner.triage.attribution_commits import CommitOrder
from scanner.triage.attribution_paths import PathFinder, Place, name_in
from scanner.triage.attribution_position import within
from scanner.triage.attribution_removal import Removals, foreseen, with_removal
from scanner.triage.path_versions import PathVersions
from scanner.workers import Aside

_Held = set[tuple[object, ...]]
Located = tuple[Match, tuple[Occurrence, ...]]

_MANY = 2_000
"""Objects: with fewer, a process costs more than it saves."""

_OF_COMMITS = frozenset({Where.COMMIT_MESSAGE, Where.COMMIT_IDENTITY, Where.COMMIT_HEADER})
_OF_TAGS = frozenset({Where.TAG_MESSAGE, Where.TAG_IDENTITY})


@dataclass(frozen=True, slots=True)
class _Spot:
    # One path of one object, its name spelled out.
    path: bytes
    symlink: bool
    first: int


class Attribution:
    """
    Turns matches in objects into occurrences.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._order = CommitOrder(history)
        self._known: dict[str, list[_Spot]] = {}
        self._commits: dict[int, tuple[str, bool, bool]] = {}
        """Position → id, whether it is reachable, whether only notes lead to it."""

        self._removals: Removals | None = None
        self.limits: list[Limit] = []

    def prepare(self, matches: Iterable[Match], blobs: Iterable[str]) -> None:
        """
        Find the paths of all that will be asked about, in one go.
        """
        self._spots({*_in_trees(matches), *self._children(matches), *blobs})

    def locate(self, matches: Sequence[Match]) -> list[Located]:
        """
        Return each match with the places where it came in, the earliest first.

        Of matches of one secret under one rule at one path, line and column, the
        one in the earliest commit has the occurrence; others may end with none.
        """
        names = dict(self._names(matches))
        children = {entry.child for entry in names.values()}
        spots = self._spots(_in_trees(matches) | children)
        head = dict(self._history.reader.paths(self._history.head)) if self._history.head else {}
        held: _Held = {(m.rule_id, m.secret, m.document.blob) for m in matches}
        held |= {(m.rule_id, m.secret, m.document.blob, m.position) for m in matches}
        found: list[tuple[int, int, Occurrence]] = []
        for number, match in enumerate(matches):
            here: Iterable[tuple[int, Occurrence]]
            if match.document.place is Where.PATH:
                here = self._path_occurrences(match, names.get(number), spots, head)
            elif match.document.place in (Where.BLOB, Where.NOTE):
                here = self._blob_occurrences(match, spots, head, held)
            else:
                here = [self._other(match)]
            found += [(first, number, occurrence) for first, occurrence in here]
        return self._earliest(matches, found)

    def foresee_removals(self, located: Sequence[Located]) -> None:
        """
        Do most of what `with_removals` would take its time for, once most is located.
        """
        self._removals = foreseen(located, self._history, self._order)

    def with_removals(self, located: Sequence[Located]) -> list[Located]:
        """
        Return the same with the dates on which secrets left HEAD; `located` is all there is,
        since a secret that moved to another match has not left.
        """
        return with_removal(located, self._history, self._order, self._removals)

    def versions(self) -> PathVersions:
        """
        Return what looks paths up in all commits.
        """
        return PathVersions(self._history, self._order)

    def paths(self, blobs: Iterable[str]) -> dict[str, list[bytes]]:
        """
        Return the paths of each blob that has any, the earliest first.
        """
        wanted = set(blobs)
        spots = self._spots(wanted)
        return {blob: list(dict.fromkeys(spot.path for spot in spots[blob])) for blob in wanted}

    def _earliest(
        self, matches: Sequence[Match], found: list[tuple[int, int, Occurrence]]
    ) -> list[Located]:
        found.sort(key=lambda item: (item[0], item[2].path or b"", item[1]))
        taken: set[tuple[object, ...]] = set()
        mine: dict[int, list[Occurrence]] = defaultdict(list)
        for _, number, occurrence in found:
            match = matches[number]
            key: tuple[object, ...] = (
                match.rule_id, match.secret, occurrence.place, occurrence.path,
                occurrence.position, occurrence.inner_path, occurrence.decoded,
            )  # fmt: skip
            if occurrence.path is None:
                key += (occurrence.blob, occurrence.commit)
            if key not in taken:
                taken.add(key)
                mine[number].append(occurrence)
        authors = self._authors(mine.values())
        return [
            (match, tuple(_signed(o, authors) for o in mine.get(number, ())))
            for number, match in enumerate(matches)
        ]

    def _authors(self, groups: Iterable[list[Occurrence]]) -> dict[str, tuple[Identity, str]]:
        ids = {_signer(o) for group in groups for o in group} - {None}
        return dict(self._history.reader.authors(sorted(i for i in ids if i)))

    def _blob_occurrences(
        self,
        match: Match,
        spots: dict[str, list[_Spot]],
        head: dict[bytes, str],
        held: _Held,
    ) -> Iterator[tuple[int, Occurrence]]:
        blob = match.document.blob or ""
        document = match.document
        for spot in spots.get(blob, ()):
            now = head.get(spot.path)
            still = now is not None and (match.rule_id, match.secret, now) in held
            here = (match.rule_id, match.secret, now, match.position) in held if still else None
            place, commit, reachable = self._when(spot, document.place)
            # Made in one go: a repository has many more of these than are told in the end.
            yield (
                spot.first,
                Occurrence(
                    place=place,
                    path=spot.path,
                    inner_path=document.inner_path,
                    decoded=document.decoded,
                    position=match.position,
                    blob=document.blob,
                    commit=commit,
                    reachable=reachable,
                    in_head=still,
                    line_in_head=here,
                ),
            )
        if not spots.get(blob):
            # Loose, staged, or named by a tag alone: no commit.
            reachable = blob in self._order.targets
            path = self._history.staged.get(blob)
            yield (
                len(self._order) + 2,
                replace(self._base(match), path=path, reachable=reachable, in_head=False),
            )

    def _path_occurrences(
        self,
        match: Match,
        entry: TreeEntry | None,
        spots: dict[str, list[_Spot]],
        head: dict[bytes, str],
    ) -> Iterator[tuple[int, Occurrence]]:
        if entry is None:
            return
        base = replace(self._base(match), place=Where.PATH, blob=None)
        for spot in self._named_so(match, entry, spots):
            path = spot.path
            begin = len(path) - len(entry.name) + match.start
            still = path in head or any(name.startswith(path + b"/") for name in head)
            occurrence = replace(
                base,
                path=path,
                position=within(path, begin, begin + match.end - match.start),
                in_head=still,
            )
            yield self._at(replace(spot, symlink=False), occurrence)

    def _named_so(
        self, match: Match, entry: TreeEntry, spots: dict[str, list[_Spot]]
    ) -> list[_Spot]:
        """
        Return the places of what goes by a name, or else those of the name in its tree.
        """
        placed = [s for s in spots.get(entry.child, ()) if _last_part(s.path) == entry.name]
        if placed:
            return placed
        late = _Spot(b"", symlink=False, first=len(self._order) + 2)
        return [
            replace(spot, path=spot.path + b"/" + entry.name if spot.path else entry.name)
            for spot in spots.get(match.document.blob or "") or [late]
        ]

    def _at(self, spot: _Spot, occurrence: Occurrence) -> tuple[int, Occurrence]:
        place, commit, reachable = self._when(spot, occurrence.place)
        return spot.first, replace(occurrence, place=place, commit=commit, reachable=reachable)

    def _when(self, spot: _Spot, place: Where) -> tuple[Where, str | None, bool]:
        """
        Return what a place in the trees is, the commit that it is first in, and whether that is
        reachable.
        """
        place = Where.SYMLINK if spot.symlink else place
        if spot.first >= len(self._order):
            return place, None, spot.first == len(self._order)
        known = self._commits.get(spot.first)
        if known is None:
            row = int(self._order.at[spot.first])
            known = (
                self._order.id(row),
                bool(self._order.reachable[row]),
                bool(self._order.only_notes[row]),
            )
            self._commits[spot.first] = known
        commit, reachable, note = known
        return Where.NOTE if note and place is Where.BLOB else place, commit, reachable

    def _other(self, match: Match) -> tuple[int, Occurrence]:
        # Commits and tags say themselves where they are; refs and files around them have no commit.
        base = self._base(match)
        last = len(self._order) + 3
        owner = match.document.blob
        if owner is None:
            return last, base
        if match.document.place in _OF_TAGS:
            target = self._history.tags.get(owner)
            row = self._order.row(target) if target else -1
            commit = target if row >= 0 else None
            first = int(self._order.positions[row]) if row >= 0 else last
            return first, replace(base, commit=commit, reachable=owner in self._order.targets)
        row = self._order.row(owner)
        if match.document.place not in _OF_COMMITS or row < 0:
            return last, base
        reachable = bool(self._order.reachable[row])
        first = int(self._order.positions[row])
        return first, replace(base, blob=None, commit=owner, reachable=reachable)

    def _base(self, match: Match) -> Occurrence:
        document = match.document
        return Occurrence(
            place=document.place,
            path=document.path,
            inner_path=document.inner_path,
            decoded=document.decoded,
            position=match.position,
            blob=document.blob,
        )

    def _names(self, matches: Sequence[Match]) -> Iterator[tuple[int, TreeEntry]]:
        # Which entry of its tree a match's name is.
        by_tree: dict[str, list[int]] = defaultdict(list)
        for number, match in enumerate(matches):
            if match.document.place is Where.PATH and match.document.blob:
                by_tree[match.document.blob].append(number)
        for tree, entries in self._history.reader.entries(by_tree):
            for number in by_tree[tree]:
                match = matches[number]
                for entry in entries:
                    if entry.offset == match.document.offset:
                        yield number, entry
                        break

    def _children(self, matches: Iterable[Match]) -> set[str]:
        return {entry.child for _, entry in self._names(list(matches))}

    def _spots(self, wanted: set[str]) -> dict[str, list[_Spot]]:
        unknown = wanted - self._known.keys()
        if unknown:
            # Each needs the others for nothing but the look at the trees they share, which is what
            # takes long where our own library was not built.
            half = sorted(unknown)[: len(unknown) // 2] if library() is None else []
            aside = Aside(lambda: self._found(half), worth=len(half) > _MANY)
            found, cut = self._found(unknown.difference(half))
            other, also = aside.result()
            if cut or also:
                reason = "there are more paths than can be told apart"
                self.limits.append(Limit(name="paths", reason=reason))
            found |= other
            self._known.update((name, found.get(name, [])) for name in unknown)
        return self._known

    def _found(self, wanted: Collection[str]) -> tuple[dict[str, list[_Spot]], bool]:
        """
        Return the spots of each, and whether some were left out.
        """
        if not wanted:
            return {}, False
        ids = {key_of(name): name for name in wanted}
        finder = PathFinder(self._history.trees, np.fromiter(ids, np.uint64))
        order = self._order
        roots = finder.trees(self._history.commits.trees)
        alone = finder.orphans()
        alone = alone[~np.isin(alone, roots)]
        named = [self._history.trees.id(row) in order.targets for row in alone.tolist()]
        late = len(order) + 1 - np.array(named, np.int64)
        everything = np.concatenate([roots, alone])
        first = np.concatenate([order.positions, late])
        places: dict[str, list[Place]] = defaultdict(list)
        for key, place in finder.places(everything, first):
            places[ids[key]].append(place)
        spelled = self._spelled(places)
        spots = {
            name: _chosen(
                [_Spot(*spelled[name, p.chain], first=p.first) for p in found], len(order)
            )
            for name, found in places.items()
        }
        return spots, finder.cut

    def _spelled(
        self, places: dict[str, list[Place]]
    ) -> dict[tuple[str, tuple[tuple[int, int], ...]], tuple[bytes, bool]]:
        wanted: dict[str, set[tuple[str, int]]] = defaultdict(set)
        steps: dict[tuple[str, tuple[tuple[int, int], ...]], list[tuple[str, str, int]]] = {}
        for name, found in places.items():
            for place in found:
                trees = [self._history.trees.id(number) for number, _ in place.chain]
                children = [*trees[1:], name]
                chain = [
                    (tree, child, step[1])
                    for tree, child, step in zip(trees, children, place.chain, strict=True)
                ]
                steps[name, place.chain] = chain
                for tree, child, hashed in chain:
                    wanted[tree].add((child, hashed))
        names: dict[tuple[str, str, int], tuple[bytes, bool]] = {}
        for tree, content in self._history.reader.contents(wanted):
            for child, hashed in wanted[tree]:
                names[tree, child, hashed] = name_in(content, bytes.fromhex(child), hashed)
        lost = (b"?", False)
        return {
            key: (
                b"/".join(names.get(step, lost)[0] for step in chain),
                bool(chain) and names.get(chain[-1], lost)[1],
            )
            for key, chain in steps.items()
        }


def _last_part(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


def _in_trees(matches: Iterable[Match]) -> set[str]:
    places = (Where.BLOB, Where.NOTE, Where.PATH)
    return {m.document.blob for m in matches if m.document.blob and m.document.place in places}


def _chosen(spots: list[_Spot], commits: int) -> list[_Spot]:
    # A tree outside history (an index once written) says nothing that a commit does not say better.
    spots.sort(key=lambda spot: (spot.first, spot.path))
    in_commits = [spot for spot in spots if spot.first < commits]
    return in_commits or spots


def _signer(occurrence: Occurrence) -> str | None:
    if occurrence.place in _OF_TAGS:
        return occurrence.blob
    return occurrence.commit


def _signed(occurrence: Occurrence, authors: dict[str, tuple[Identity, str]]) -> Occurrence:
    known = authors.get(_signer(occurrence) or "")
    if known is None:
        return occurrence
    return replace(occurrence, author=known[0], date=known[1])
