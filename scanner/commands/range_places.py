"""
Which commit of a range adds what was found, and whether the range's head still has it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from scanner.detect.engine import Engine
from scanner.model import Match, Occurrence, Place
from scanner.pipeline import detect, where_it_stands
from scanner.sources.revisions import Addition, RangeWalk
from scanner.triage.collapse import Located

_IN_FILES = frozenset({Place.BLOB, Place.SYMLINK, Place.LFS_OBJECT})
_Identity = tuple[object, ...]
_ByBlob = dict[str, list[Match]]


def located(
    walk: RangeWalk, matches: list[Match], engine: Engine, head: Mapping[bytes, str]
) -> Iterator[Located]:
    """
    Yield each match with the commits that add it, without what their parents had there;
    `head` has the blob at each path of the range's head.
    """
    by_blob: _ByBlob = defaultdict(list)
    for match in matches:
        blob = match.document.blob
        if match.document.place in _IN_FILES and blob is not None:
            by_blob[blob].append(match)
        else:
            yield match, (_with_commit(walk, where_it_stands(match), blob),)
    changes = [a for a in walk.additions if a.blob in by_blob]
    before: _ByBlob = defaultdict(list)
    olds = {old for addition in changes for old in addition.before}
    for match in detect(engine, walk.before(olds)).matches:
        before[match.document.blob or ""].append(match)
    now = _Head(head, by_blob, before)
    told: set[tuple[object, ...]] = set()
    for addition, match in _added(changes, by_blob, before):
        place = _identity(match), addition.path
        told |= {place, (*place, match.position)}
        yield now.marked(*_at(walk, match, addition))
    if head:
        yield from _moved(walk, changes, by_blob, now, told)


def _added(
    changes: Iterable[Addition], by_blob: _ByBlob, before: _ByBlob
) -> Iterator[tuple[Addition, Match]]:
    seen: set[tuple[object, ...]] = set()
    for addition in changes:
        known: Counter[_Identity] = Counter()
        for old in addition.before:
            # A line that any parent has is not this commit's.
            known |= Counter(map(_identity, before[old]))
        for match in by_blob[addition.blob]:
            identity = _identity(match)
            if known[identity] > 0:
                known[identity] -= 1
                continue
            place = (identity, addition.path, match.position)
            if place not in seen:
                seen.add(place)
                yield addition, match


@dataclass(slots=True)
class _Head:
    # What the range's head holds; it says nothing where the range has several heads.
    blobs: Mapping[bytes, str]
    held: set[tuple[object, ...]]

    def __init__(self, blobs: Mapping[bytes, str], *found: _ByBlob) -> None:
        self.blobs = blobs
        self.held = set()
        for by_blob in found:
            for blob, matches in by_blob.items():
                for match in matches:
                    self.held.add((_identity(match), blob))
                    self.held.add((_identity(match), blob, match.position))

    def marked(self, match: Match, occurrence: Occurrence) -> Located:
        if not self.blobs:
            return match, (occurrence,)
        blob = self.blobs.get(occurrence.path or b"")
        still = (_identity(match), blob) in self.held
        line = (_identity(match), blob, match.position) in self.held if still else None
        return match, (replace(occurrence, in_head=still, line_in_head=line),)


def _moved(
    walk: RangeWalk,
    changes: Iterable[Addition],
    by_blob: _ByBlob,
    now: _Head,
    told: set[tuple[object, ...]],
) -> Iterator[Located]:
    # Lines put in above moved it: where it stands at the head is a place of its own.
    for addition in changes:
        if now.blobs.get(addition.path) != addition.blob:
            continue
        for match in by_blob[addition.blob]:
            place = _identity(match), addition.path
            if place in told and (*place, match.position) not in told:
                told.add((*place, match.position))
                yield now.marked(*_at(walk, match, addition))


def _at(walk: RangeWalk, match: Match, addition: Addition) -> tuple[Match, Occurrence]:
    here = replace(match, document=replace(match.document, path=addition.path))
    return here, _with_commit(walk, where_it_stands(here), addition.commit)


def _with_commit(walk: RangeWalk, occurrence: Occurrence, commit: str | None) -> Occurrence:
    if commit is None or commit not in walk.commits:
        return occurrence
    author, date = walk.author(commit)
    return replace(occurrence, commit=commit, author=author, date=date, reachable=True)


def _identity(match: Match) -> _Identity:
    return match.rule_id, match.secret, match.document.inner_path
