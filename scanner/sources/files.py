"""
Files and folders as they are now, and standard input.

Ignored files are read too; `.git` is not, and no link is followed out of (or
within) a root: what it points to is read where it lies.
"""

from __future__ import annotations

import mmap
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from scanner.errors import TargetError
from scanner.model import Coverage, Document, Limit, Place, Unread
from scanner.sources.batch import Batch, ListBatch

_BATCH_BYTES = 8 << 20
_MAPPED_BYTES = 32 << 20
_SCISSORS = re.compile(rb"^\S+ -{24} >8 -{24}\r?$", re.MULTILINE)
_MAX_BYTES = (1 << 32) - (1 << 16)
"""The first pass counts offsets in 32 bits."""


@dataclass(slots=True)
class MappedBatch:
    """
    One large file, mapped and not read.
    """

    data: memoryview
    only: Document
    alike: bool = False
    shared: None = None

    @property
    def starts(self) -> Sequence[int]:
        """See `Batch.starts`."""
        return (0,)

    @property
    def ends(self) -> Sequence[int]:
        """See `Batch.ends`."""
        return (len(self.data),)

    def document(self, index: int) -> Document:  # noqa: ARG002 # there is one
        """
        See `Batch.document`.
        """
        return self.only


@dataclass(slots=True)
class FileWalk:
    """
    Reads roots in the order given, names sorted, and keeps account of it.
    """

    roots: Sequence[str]
    commit_message: bool = False
    """The roots are messages that git is about to use."""

    coverage: Coverage = field(default_factory=Coverage)
    unread: list[Unread] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)

    def batches(self) -> Iterator[Batch]:
        """
        Yield every file's text, name and link target.

        Raise `TargetError` if a root is not there, before anything is read.
        """
        for root in self.roots:
            if root != "-" and not os.path.lexists(root):
                raise TargetError(f"{root}: no such file or folder")
        pending: list[tuple[Document, bytes]] = []
        size = 0
        for name, path in self._files():
            for item in self._read(name, path):
                if isinstance(item, MappedBatch):
                    yield item
                    continue
                pending.append(item)
                size += len(item[1]) + 1
                if size >= _BATCH_BYTES:
                    yield ListBatch(pending)
                    pending, size = [], 0
        if pending:
            yield ListBatch(pending)

    def text_at(self, path: bytes, *, most: int = _MAPPED_BYTES) -> bytes | None:
        """
        Return the bytes of a file by the path that it was reported under, `None` if
        it cannot be read (again) or has more than `most` bytes.
        """
        for root in map(os.fsencode, self.roots):
            file = os.path.join(root, path) if os.path.isdir(root) else root
            if len(self.roots) > 1 and os.path.isdir(root):
                shown = _shown(root)
                file = os.path.join(root, path[len(shown) :].lstrip(b"/"))
                if shown and not path.startswith(shown + b"/"):
                    continue
            elif file == root and path not in {_shown(root), os.path.basename(root)}:
                continue
            try:
                status = os.lstat(file)
                if stat.S_ISREG(status.st_mode) and status.st_size <= most:
                    with open(file, "rb") as stream:
                        return stream.read(most)
            except (OSError, ValueError):
                continue
        return None

    def _files(self) -> Iterator[tuple[bytes | None, bytes | None]]:
        # Pairs of the path to report and the path to open; (None, None) is standard input.
        several = len(self.roots) > 1
        for root in self.roots:
            if root == "-":
                yield None, None
                continue
            raw = os.fsencode(root)
            if os.path.isdir(raw):
                shown = _shown(raw) if several else b""
                yield from self._folder(raw, shown)
            else:
                yield _shown(raw) or os.path.basename(raw), raw

    def _folder(self, folder: bytes, shown: bytes) -> Iterator[tuple[bytes, bytes]]:
        try:
            with os.scandir(folder) as entries:
                names = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._failed(shown or b".", error)
            return
        for entry in names:
            name = shown + b"/" + entry.name if shown else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name == b".git":
                    self._skip("inside .git")
                    continue
                yield from self._folder(entry.path, name)
            else:
                yield name, entry.path

    def _read(
        self, name: bytes | None, path: bytes | None
    ) -> Iterator[tuple[Document, bytes] | MappedBatch]:

        if path is None or name is None:
            if sys.stdin is None:  # closed by who started us
                self.unread.append(Unread(place=Place.STDIN, reason="standard input is closed"))
                return
            yield self._counted(Document(Place.STDIN), sys.stdin.buffer.read())
            return
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                yield self._counted(Document(Place.SYMLINK, name), os.fsencode(os.readlink(path)))
                if os.fsdecode(path) in self.roots:
                    status = os.stat(path)  # a link that the user named is meant
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    if self.commit_message:
                        yield self._counted(Document(Place.COMMIT_MESSAGE), _message(file.read()))
                        return
                    yield self._content(Document(Place.FILE, name), file, status.st_size)
            elif not stat.S_ISLNK(status.st_mode):
                self._skip("not a regular file")
        except OSError as error:
            self._failed(name, error)
            return
        yield Document(Place.PATH, name), name

    def _content(
        self, document: Document, file: BinaryIO, size: int
    ) -> tuple[Document, bytes] | MappedBatch:
        if size < _MAPPED_BYTES:
            return self._counted(document, file.read())
        # Closed with the last view of it, after the batch has been scanned.
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if size > _MAX_BYTES:
            self.limits.append(
                Limit(
                    name="file-size",
                    reason=f"only the first {_MAX_BYTES} of {size} bytes were read",
                    path=document.path,
                )
            )
            view = view[:_MAX_BYTES]
        count = self.coverage.kind("file")
        count.read += 1
        count.bytes += len(view)
        return MappedBatch(view, document)

    def _counted(self, document: Document, text: bytes) -> tuple[Document, bytes]:
        count = self.coverage.kind("symlink" if document.place is Place.SYMLINK else "file")
        count.read += 1
        count.bytes += len(text)
        return document, text

    def _skip(self, reason: str) -> None:
        skipped = self.coverage.kind("file").skipped
        skipped[reason] = skipped.get(reason, 0) + 1

    def _failed(self, name: bytes, error: OSError) -> None:
        self.coverage.kind("file").unreadable += 1
        self.unread.append(
            Unread(place=Place.FILE, path=name, reason=(error.strerror or "unreadable").lower())
        )


def _message(text: bytes) -> bytes:
    # Below its scissors git cuts everything off (`commit --verbose` shows the diff there,
    # with the very lines that this commit removes).
    return _SCISSORS.split(text, maxsplit=1)[0]


def _shown(root: bytes) -> bytes:
    # An absolute path says something of the machine: only its last part is shown.
    if os.path.isabs(root):
        return os.path.basename(os.path.normpath(root))
    shown = os.path.normpath(root).replace(os.sep.encode(), b"/")
    while shown.startswith(b"../"):
        shown = shown[3:]
    return b"" if shown in (b".", b"..") else shown
