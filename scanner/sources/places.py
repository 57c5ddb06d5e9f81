"""
What a repository says outside its objects: names of refs, reflogs, configuration, LFS objects.

Format: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scanner.history import Ref
from scanner.model import Coverage, Document, Place, Unread
from scanner.sources import git
from scanner.sources.batch import Batch, ListBatch
from scanner.sources.files import MappedBatch
from scanner.sources.git import Repository

_BATCH_BYTES = 4 << 20
_MAPPED_BYTES = 16 << 20
_SKIPPED = frozenset({"objects", "refs", "logs", "lfs", "worktrees", "index", "packed-refs"})
"""Read in another way, or not text: an index holds names of blobs that are objects too."""

_PSEUDO_REFS = (
    "HEAD", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD",
    "BISECT_HEAD", "REBASE_HEAD", "AUTO_MERGE",
)  # fmt: skip
_HEX = frozenset(b"0123456789abcdef")
_MAX_HOPS = 8

_Item = tuple[Document, bytes]


@dataclass(slots=True)
class PlaceWalk:
    """
    Reads what lies around the objects, and learns the refs on the way.
    """

    repository: Repository
    coverage: Coverage
    unread: list[Unread]
    refs: dict[bytes, str] = field(default_factory=dict)
    head: str | None = None
    _symbolic: dict[bytes, bytes] = field(default_factory=dict)

    def load_refs(self) -> None:
        """
        Read every ref of every worktree.
        """
        main = self.repository.common_dir
        self._packed(main / "packed-refs")
        for folder in self._git_dirs():
            prefix = b"" if folder == main else b"worktrees/" + os.fsencode(folder.name) + b"/"
            for path in _files(folder / "refs"):
                name = os.fsencode(path.relative_to(folder).as_posix())
                self._ref(path, prefix + name if prefix else name)
            for pseudo in _PSEUDO_REFS:
                if (folder / pseudo).is_file():
                    self._ref(folder / pseudo, prefix + pseudo.encode())
        own = self.repository.git_dir
        here = b"" if own == main else b"worktrees/" + os.fsencode(own.name) + b"/"
        for name in list(self._symbolic):
            if target := self._followed(name):
                self.refs[name] = target
        self.head = self.refs.get(here + b"HEAD")

    def _git_dirs(self) -> list[Path]:
        main = self.repository.common_dir
        linked = main / "worktrees"
        return [
            main,
            *(sorted(p for p in linked.iterdir() if p.is_dir()) if linked.is_dir() else ()),
        ]

    def _packed(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            self._failed(Place.REF_NAME, b"packed-refs", error)
            return
        for line in lines:
            target, _, name = line.partition(b" ")
            if name and not line.startswith((b"#", b"^")):
                self._learn(name, target)

    def _ref(self, path: Path, name: bytes) -> None:
        try:
            text = path.read_bytes()
        except OSError as error:
            self._failed(Place.REF_NAME, name, error)
            return
        if text.startswith(b"ref:"):
            self._symbolic[name] = text[4:].strip()
        else:
            self._learn(name, text.split(None, 1)[0] if text.split() else b"")

    def _learn(self, name: bytes, target: bytes) -> None:
        if len(target) != 2 * self.repository.id_size or not _HEX.issuperset(target):
            if not name.endswith(b"FETCH_HEAD"):
                self.unread.append(
                    Unread(place=Place.REF_NAME, path=name, reason="this ref names no object")
                )
            return
        self.refs[name] = target.decode()

    def _followed(self, name: bytes) -> str | None:
        for _ in range(_MAX_HOPS):
            following = self._symbolic.get(name)
            if following is None:
                return self.refs.get(name)
            name = following
        return None

    def real_refs(self) -> tuple[Ref, ...]:
        """
        Return the refs that keep objects alive: those under `refs/`, and each worktree's HEAD.
        """
        return tuple(
            Ref(name=name, target=target)
            for name, target in self.refs.items()
            if name.startswith(b"refs/") or b"/refs/" in name or name.rpartition(b"/")[2] == b"HEAD"
        )

    def shallow(self) -> frozenset[str]:
        """
        Return the commits whose parents a shallow clone left out.
        """
        try:
            return frozenset((self.repository.common_dir / "shallow").read_text("ascii").split())
        except (OSError, UnicodeDecodeError):
            return frozenset()

    def staged(self) -> dict[str, bytes]:
        """
        Return the path of each blob in the indexes of all worktrees.
        """
        found: dict[str, bytes] = {}
        for folder in self._git_dirs():
            if not (folder / "index").is_file():
                continue
            done = git.start("ls-files", "--stage", "-z", git_dir=folder, cwd=folder)
            if done.returncode:
                self.unread.append(
                    Unread(place=Place.INDEX, path=b"index", reason="the index cannot be read")
                )
            for line in done.stdout.split(b"\0"):
                meta, tab, path = line.partition(b"\t")
                if tab:
                    found.setdefault(meta.split(b" ")[1].decode(), path)
        return found

    def batches(self) -> Iterator[Batch]:
        """
        Yield the texts around the objects.
        """
        pending: list[_Item] = []
        size = 0
        for item in self._items():
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

    def _items(self) -> Iterator[_Item | MappedBatch]:
        names = self.coverage.kind("ref")
        for name in dict.fromkeys((*self.refs, *self._symbolic)):
            names.read += 1
            names.bytes += len(name)
            yield Document(Place.REF_NAME, name), name
        main = self.repository.common_dir
        for folder in self._git_dirs():
            prefix = b"" if folder == main else b"worktrees/" + os.fsencode(folder.name) + b"/"
            for path in _files(folder / "logs"):
                yield from self._file(Place.REFLOG, "reflog", folder, path, prefix)
            for path in self._settings(folder):
                yield from self._file(Place.GIT_CONFIG, "config", folder, path, prefix)
        for path in _files(main / "lfs" / "objects"):
            yield from self._file(Place.LFS_OBJECT, "lfs-object", main, path, b"")

    def _settings(self, folder: Path) -> Iterator[Path]:
        # Whatever else lies there: messages being written, hooks, submodules' configuration.
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self._failed(Place.GIT_CONFIG, os.fsencode(folder.name), error)
            return
        for entry in entries:
            if entry.name in _SKIPPED:
                continue
            if entry.is_dir() and not entry.is_symlink():
                yield from (p for p in _files(entry) if not _is_foreign(p, entry))
            elif entry.is_file():
                yield entry

    def _file(
        self, place: Place, kind: str, root: Path, path: Path, prefix: bytes
    ) -> Iterator[_Item | MappedBatch]:
        name = prefix + os.fsencode(path.relative_to(root).as_posix())
        count = self.coverage.kind(kind)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > _MAPPED_BYTES:
                    view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
                    item: _Item | MappedBatch = MappedBatch(view, Document(place, name))
                else:
                    item = Document(place, name), file.read()
        except OSError as error:
            count.unreadable += 1
            self._failed(place, name, error)
            return
        count.read += 1
        count.bytes += size
        yield item

    def _failed(self, place: Place, name: bytes, error: OSError) -> None:
        reason = (error.strerror or "unreadable").lower()
        self.unread.append(Unread(place=place, path=name, reason=reason))


def _is_foreign(path: Path, top: Path) -> bool:
    # A submodule's repository is one of its own, but its configuration names remotes of ours.
    inner = path.relative_to(top).parts
    if top.name == "hooks":
        return path.suffix == ".sample"
    return top.name == "modules" and bool({"objects", "index"} & set(inner))


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            if path.is_file() and not path.is_symlink():
                yield path
