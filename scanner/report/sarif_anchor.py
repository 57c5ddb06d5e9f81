"""
Where GitHub can show a finding: a file of the checkout, though the leak may be history.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection
from dataclasses import dataclass

from scanner.model import Finding, Occurrence, Place, Position
from scanner.report.line_hash import LineHashes
from scanner.report.order import sorted_places

_FILES = frozenset({Place.BLOB, Place.FILE, Place.INDEX, Place.LFS_OBJECT})
_ON_DISK = frozenset({Place.FILE, Place.INDEX})
_TOP_FILES = (
    b"README.md", b"README.rst", b"README", b"README.txt", b"readme.md", b"SECURITY.md",
    b"LICENSE", b".gitignore", b"pyproject.toml", b"package.json", b"go.mod", b"pom.xml",
    b"Makefile", b".unsealed.yml",
)  # fmt: skip
_NOWHERE = b"README.md"
FIRST_LINE = Position(1, 1, 1, 2)


@dataclass(frozen=True, slots=True)
class Anchor:
    """
    The first location of a result and its fingerprint.
    """

    path: bytes
    position: Position
    line_hash: str
    occurrence: Occurrence | None
    """The occurrence that stands there; `None` if the secret is no longer in any file."""


class Anchors:
    """
    Finds anchors; keeps the hashes of files that several findings share.
    """

    def __init__(
        self, file_text: Callable[[bytes], bytes | None] | None, living: Collection[bytes]
    ) -> None:
        self._file_text = file_text
        self._living = frozenset(living)
        self._by_name: dict[bytes, list[bytes]] = {}
        for path in sorted(self._living):
            self._by_name.setdefault(posixpath.basename(path), []).append(path)
        self._hashes: dict[bytes, LineHashes | None] = {}

    def of(self, finding: Finding) -> Anchor:
        """
        Return the place at HEAD that holds the secret, else the nearest file that lives.
        """
        for occurrence in sorted_places(finding):
            if not _is_at_head(occurrence) or occurrence.path is None:
                continue
            position = occurrence.position or FIRST_LINE
            hashes = self._hashes_of(occurrence.path)
            line_hash = hashes.of(position.line) if hashes is not None else None
            return Anchor(occurrence.path, position, line_hash or _own_hash(finding), occurrence)
        paths = [one.path for one in finding.occurrences if one.path]
        nearest = self._nearest(paths[0] if paths else None)
        return Anchor(nearest, FIRST_LINE, _own_hash(finding), None)

    def _hashes_of(self, path: bytes) -> LineHashes | None:
        if path not in self._hashes:
            data = None if self._file_text is None else self._file_text(path)
            self._hashes[path] = None if data is None else LineHashes(data)
        return self._hashes[path]

    def _lives(self, path: bytes) -> bool:
        if self._living:
            return path in self._living
        return self._hashes_of(path) is not None

    def _nearest(self, path: bytes | None) -> bytes:
        if path is not None:
            if self._lives(path):
                return path
            namesakes = self._by_name.get(posixpath.basename(path), [])
            if namesakes:
                return max(namesakes, key=lambda one: (_shared(one, path), -len(one), one))
            folder = posixpath.dirname(path)
            while folder:
                inside = [one for one in self._living if posixpath.dirname(one) == folder]
                if inside:
                    return min(inside)
                folder = posixpath.dirname(folder)
        for top in _TOP_FILES:
            if self._lives(top):
                return top
        if self._living:
            return min(self._living, key=lambda one: (one.count(b"/"), one))
        return path or _NOWHERE


def _is_at_head(occurrence: Occurrence) -> bool:
    if occurrence.place in _ON_DISK:
        return occurrence.in_head is not False
    # A file whose name holds the secret is a file all the same: its first line stands for it.
    return bool(occurrence.in_head) and occurrence.place in _FILES | {Place.PATH}


def _own_hash(finding: Finding) -> str:
    # Keyed and stable: it knows the rule and the secret, no line, path or commit.
    return f"{finding.fingerprint[:16]}:1"


def _shared(one: bytes, other: bytes) -> int:
    return len(posixpath.commonprefix([one, other]))
