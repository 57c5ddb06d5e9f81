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
        kind = self.coverage.kind("blob")
        with (
            contextlib.closing(git.ObjectAccess(self.repository)) as access,
            tempfile.TemporaryFile() as names,
        ):
            names.write("".join(f"{blob}\n" for blob, _ in wanted).encode())
            names.seek(0)
            with access.stream("cat-file", "--batch", "--buffer", stdin=names) as process:
                if process.stdout is None:
                    raise SourceError("git cat-file: no output")
                with os.fdopen(os.dup(process.stdout.fileno()), "rb", 1 << 16) as out:
                    for blob, document in wanted:
                        head = out.readline().split()
                        if len(head) != 3:
                            kind.unreadable += count
                            reason = "missing from the object database" if head else "unreadable"
                            self.unread.append(
                                Unread(
                                    place=document.place,
                                    path=document.path,
                                    blob=blob,
                                    reason=reason,
                                )
                            )
                            continue
                        text = out.read(int(head[2]))
                        out.read(1)
                        kind.read += count
                        kind.bytes += len(text) * count
                        yield document, text

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
