"""
Reads named blobs of a repository, a few of them, each as a document of its own.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.errors import SourceError
from scanner.model import Coverage, Document, Place, Unread
from scanner.sources import git
from scanner.sources.batch import Batch, ListBatch

_BATCH_BYTES = 8 << 20
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LFS_MAX_POINTER = 1024


@dataclass(slots=True)
class BlobReader:
    """
    Reads through one `git cat-file`, keeping account; what is missing becomes an `Unread`.
    """

    repository: git.Repository
    coverage: Coverage
    unread: list[Unread]

    def batches(self, wanted: list[tuple[str, Document]], *, count: bool) -> Iterator[Batch]:
        """
        Yield the texts of `(object id, document)` pairs, and the LFS objects they point to.

        With `count`, they enter the coverage.
        """
        if not wanted:
            return
        pending: list[tuple[Document, bytes]] = []
        size = 0
        for document, text in self._read(wanted, count=count):
            pending.append((document, text))
            size += len(text)
            if len(text) <= _LFS_MAX_POINTER and text.startswith(_LFS_POINTER):
                pending.extend(self._lfs(document, text))
            if size >= _BATCH_BYTES:
                yield ListBatch(pending)
                pending, size = [], 0
        if pending:
            yield ListBatch(pending)

    def _read(
        self, wanted: list[tuple[str, Document]], *, count: bool
    ) -> Iterator[tuple[Document, bytes]]:
        waiting = wanted
        with contextlib.closing(git.ObjectAccess(self.repository)) as access:
            while waiting:
                served = 0
                for document, text in self._stream(access, waiting):
                    served += 1
                    if text is not None:
                        kind = self.coverage.kind("blob")
                        kind.read += count
                        kind.bytes += len(text) * count
                        yield document, text
                        continue
                    self._lost(*waiting[served - 1], "missing from the object database", count)
                if served < len(waiting):
                    # Git dies of a corrupt object; those behind it are none.
                    self._lost(*waiting[served], "git cannot read this object", count)
                waiting = waiting[served + 1 :]

    def _stream(
        self, access: git.ObjectAccess, wanted: list[tuple[str, Document]]
    ) -> Iterator[tuple[Document, bytes | None]]:
        """
        Yield each document with its text, `None` for one that is missing; end where git does.
        """
        with tempfile.TemporaryFile() as names:
            names.write("".join(f"{blob}\n" for blob, _ in wanted).encode())
            names.seek(0)
            with access.stream("cat-file", "--batch", "--buffer", stdin=names) as process:
                if process.stdout is None:
                    raise SourceError("git cat-file: no output")
                with os.fdopen(os.dup(process.stdout.fileno()), "rb", 1 << 16) as out:
                    for _, document in wanted:
                        head = out.readline().split()
                        if not head:
                            return
                        if len(head) != 3:
                            yield document, None
                            continue
                        size = int(head[2])
                        text = out.read(size)
                        if len(text) < size or not out.read(1):
                            return
                        yield document, text

    def _lost(self, blob: str, document: Document, reason: str, count: bool) -> None:
        self.coverage.kind("blob").unreadable += count
        self.unread.append(
            Unread(place=document.place, path=document.path, blob=blob, reason=reason)
        )

    def _lfs(self, document: Document, pointer: bytes) -> Iterator[tuple[Document, bytes]]:
        _, _, rest = pointer.partition(b"oid sha256:")
        digest = rest[:64].decode("ascii", "replace")
        if len(digest) != 64 or not digest.isalnum():
            return
        file = self.repository.common_dir / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
        try:
            text = file.read_bytes()
        except OSError:
            skipped = self.coverage.kind("lfs-object").skipped
            skipped["not held locally"] = skipped.get("not held locally", 0) + 1
            return
        kind = self.coverage.kind("lfs-object")
        kind.read += 1
        kind.bytes += len(text)
        yield Document(Place.LFS_OBJECT, document.path, document.blob), text
