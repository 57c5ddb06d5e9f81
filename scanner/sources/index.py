"""
What the next commit would add: the index against HEAD (and against what is being merged).

Format: https://git-scm.com/docs/git-diff-index#_raw_output_format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scanner.model import Coverage, Document, Place, Unread
from scanner.sources import git
from scanner.sources.batch import Batch, ListBatch
from scanner.sources.blobs import BlobReader
from scanner.sources.git_command import hook_environment

_SYMLINK, _SUBMODULE, _ABSENT = b"120000", b"160000", b"000000"


@dataclass(frozen=True, slots=True)
class Change:
    """
    One path that the next commit adds or changes.
    """

    path: bytes
    mode: bytes
    blob: str
    before: str | None
    """The blob at HEAD under this path, or under the one it was renamed from."""


@dataclass(slots=True)
class IndexWalk:
    """
    Reads the staged blobs of one repository.
    """

    repository: git.Repository
    changes: tuple[Change, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    unread: list[Unread] = field(default_factory=list)

    def load(self) -> None:
        """
        Ask git what is staged.  Raise `SourceError` if the index cannot be read.
        """
        extra = hook_environment()
        cwd = self.repository.work_tree or self.repository.git_dir
        compare = (
            "diff-index", "--cached", "--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff",
            "--no-textconv", "--ignore-submodules=none",
        )  # fmt: skip
        done = git.start(*compare, "HEAD", "--", cwd=cwd, extra=extra)
        raw = done.stdout
        if done.returncode:
            head = git.start("rev-parse", "-q", "--verify", "HEAD^{commit}", cwd=cwd, extra=extra)
            base = head.stdout.decode().strip() if not head.returncode else self._empty_tree(cwd)
            raw = git.run(*compare, base, "--", cwd=cwd, extra=extra)
        changes = list(_parse(raw))
        merging = self._merged(cwd, extra)
        conflicts = [change.path for change in changes if set(change.blob) == {"0"}]
        self.changes = tuple(
            change
            for change in changes
            if set(change.blob) != {"0"} and (change.path, change.blob) not in merging
        )
        if conflicts:
            # Git refuses a commit until they are resolved; what is in the index is read anyway.
            self.changes += tuple(self._stages(cwd, extra))

    def batches(self) -> Iterator[Batch]:
        """
        Yield the staged texts, link targets and names.
        """
        links = [c for c in self.changes if c.mode == _SUBMODULE]
        if links:
            self.coverage.kind("blob").skipped["submodule link"] = len(links)
        wanted = [c for c in self.changes if c.mode != _SUBMODULE]
        yield from self._reader().batches(
            [(c.blob, Document(_place(c.mode), c.path, c.blob)) for c in wanted], count=True
        )
        names = [(Document(Place.PATH, c.path), c.path) for c in wanted if c.before is None]
        if names:
            yield ListBatch(names)

    def before(self, paths: Iterable[bytes]) -> Iterator[Batch]:
        """
        Yield what HEAD has at these changed paths.
        """
        wanted = set(paths)
        yield from self._reader().batches(
            [
                (c.before, Document(_place(c.mode), c.path, c.before))
                for c in self.changes
                if c.before is not None and c.path in wanted
            ],
            count=False,
        )

    def files(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """
        Return the staged bytes of those of these paths that the index has.
        """
        cwd = self.repository.work_tree or self.repository.git_dir
        return git.named_files(cwd, b"", names, extra=hook_environment())

    def _reader(self) -> BlobReader:
        return BlobReader(self.repository, self.coverage, self.unread)

    def _empty_tree(self, cwd: Path) -> str:
        return git.run("hash-object", "-t", "tree", "--stdin", cwd=cwd).decode().strip()

    def _merged(self, cwd: Path, extra: dict[str, str]) -> set[tuple[bytes, str]]:
        # What the other side of a merge has at the same path is in history already.
        try:
            heads = (self.repository.git_dir / "MERGE_HEAD").read_text().split()
        except OSError:
            return set()
        merged: set[tuple[bytes, str]] = set()
        for head in heads:
            for line in git.run("ls-tree", "-r", "-z", head, cwd=cwd, extra=extra).split(b"\0"):
                meta, _, path = line.partition(b"\t")
                if meta:
                    merged.add((path, meta.split()[2].decode()))
        return merged

    def _stages(self, cwd: Path, extra: dict[str, str]) -> Iterator[Change]:
        for line in git.run("ls-files", "-u", "-z", cwd=cwd, extra=extra).split(b"\0"):
            meta, _, path = line.partition(b"\t")
            if meta:
                mode, blob, _ = meta.split()
                yield Change(path, mode, blob.decode(), None)


def _place(mode: bytes) -> Place:
    return Place.SYMLINK if mode == _SYMLINK else Place.INDEX


def _parse(raw: bytes) -> Iterator[Change]:
    fields = iter(raw.split(b"\0"))
    for meta in fields:
        if not meta:
            return
        old_mode, mode, old, new, status = meta[1:].split(b" ")
        path = next(fields)
        if status[:1] in b"RC":
            path = next(fields)
        if mode == _ABSENT and status[:1] == b"D":
            continue
        changed = old_mode not in (_ABSENT, _SUBMODULE)
        yield Change(path, mode, new.decode(), old.decode() if changed else None)
