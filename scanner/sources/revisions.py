"""
What the commits of BASE..HEAD add, commit by commit.

A commit adds what it has and none of its parents has at that path: the merge
that only joins adds nothing, the evil one does.
Format: https://git-scm.com/docs/git-diff-tree#_raw_output_format
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scanner.errors import SourceError, TargetError
from scanner.model import Coverage, Document, Identity, Place, Unread
from scanner.sources import git
from scanner.sources.batch import Batch, ListBatch
from scanner.sources.blobs import BlobReader
from scanner.sources.commit_text import CommitText, parse_commit, tag_documents
from scanner.sources.git_command import hook_environment

_TAG = re.compile(rb"object [0-9a-f]{40,64}\ntype \w+\ntag ")
_ABSENT, _SUBMODULE, _SYMLINK = b"000000", b"160000", b"120000"


@dataclass(frozen=True, slots=True)
class Addition:
    """
    One path that one commit adds or changes.
    """

    commit: str
    path: bytes
    mode: bytes
    blob: str
    before: tuple[str, ...]
    """The blobs that the commit's parents have there (or where it was renamed from)."""


@dataclass(slots=True)
class RangeWalk:
    """
    Reads the commits that are in `heads` and not in `bases`.
    """

    repository: git.Repository
    bases: tuple[str, ...]
    """Revisions, or options of rev-list such as `--all`."""

    heads: tuple[str, ...]
    commits: dict[str, CommitText] = field(default_factory=dict)
    """In order: parents before children."""

    tags: dict[str, bytes] = field(default_factory=dict)
    """The annotated tags among the heads, and those that they point to, as they stand."""

    additions: list[Addition] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    unread: list[Unread] = field(default_factory=list)

    def load(self) -> None:
        """
        Ask git for the commits and what each adds.

        Raise `TargetError` for a revision that is not there, `SourceError`
        where a shallow clone lacks it.
        """
        shallow = self._shallow()
        for revision in (*self.bases, *self.heads):
            if not revision.startswith("--"):
                self._check(revision, shallow=bool(shallow))
        listed = self._git(
            "rev-list", "--topo-order", "--reverse", *self.heads, "--not", *self.bases, "--"
        )
        ids = listed.decode().split()
        self._read_commits(ids)
        self._read_tags()
        for cut in shallow.intersection(ids):
            # Its parents are not here, so what it adds cannot be told from what was there.
            self.unread.append(
                Unread(
                    place=Place.BLOB,
                    blob=cut,
                    reason="the shallow clone ends inside the range: fetch more depth",
                )
            )
        raw = b"".join(self._changes(ids))
        self.additions = list(_parse(raw, self.repository.id_size * 2))

    def _changes(self, ids: list[str]) -> Iterator[bytes]:
        """
        Yield what git says of these commits; one that it cannot compare costs no other.
        """
        done = git.start(
            "diff-tree", "--stdin", "-r", "-c", "--root", "--raw", "-z", "-M", "--no-abbrev",
            "--no-ext-diff", "--no-textconv",
            cwd=self._folder, stdin="".join(f"{commit}\n" for commit in ids).encode(),
            extra=hook_environment(),
        )  # fmt: skip
        if not done.returncode:
            yield done.stdout
        elif len(ids) == 1:
            reason = "what this commit adds is not known: a tree of it or its parents is damaged"
            self.unread.append(Unread(place=Place.PATH, blob=ids[0], reason=reason))
        else:
            # Git ends at the first damaged tree.
            half = len(ids) // 2
            yield from self._changes(ids[:half])
            yield from self._changes(ids[half:])

    def batches(self) -> Iterator[Batch]:
        """
        Yield every added text once, new names, messages and identities.
        """
        wanted: dict[str, Document] = {}
        names: dict[bytes, None] = {}
        for addition in self.additions:
            if addition.mode == _SUBMODULE:
                skipped = self.coverage.kind("blob").skipped
                skipped["submodule link"] = skipped.get("submodule link", 0) + 1
                continue
            place = Place.SYMLINK if addition.mode == _SYMLINK else Place.BLOB
            wanted.setdefault(addition.blob, Document(place, addition.path, addition.blob))
            if not addition.before:
                names[addition.path] = None
        yield from self._reader().batches(list(wanted.items()), count=True)
        texts = [(Document(Place.PATH, name), name) for name in names]
        for commit, text in self.commits.items():
            texts += text.documents(commit)
        for tag, raw in self.tags.items():
            texts += tag_documents(tag, raw)
        if texts:
            yield ListBatch(texts)

    def before(self, blobs: Iterable[str]) -> Iterator[Batch]:
        """
        Yield these blobs (what parents had), for comparison.
        """
        wanted = [(blob, Document(Place.BLOB, None, blob)) for blob in dict.fromkeys(blobs)]
        yield from self._reader().batches(wanted, count=False)

    def author(self, commit: str) -> tuple[Identity, str]:
        """
        Return who wrote a commit of the range, and when (ISO 8601, UTC).
        """
        text = self.commits[commit]
        return text.author, text.date

    def file_at(self, revision: str, path: str) -> bytes | None:
        """
        Return a file's bytes at a revision, or `None` if it is not there.
        """
        done = git.start(
            "cat-file", "blob", f"{revision}:{path}", cwd=self._folder, extra=hook_environment()
        )
        return None if done.returncode else done.stdout

    def tree(self) -> dict[bytes, str]:
        """
        Return the blob at every path of the range's head; empty where it has several.
        """
        if len(self.heads) != 1:
            return {}
        listed = git.start(
            "ls-tree", "-r", "-z", "--full-tree", self.heads[0],
            cwd=self._folder, extra=hook_environment(),
        )  # fmt: skip
        if listed.returncode:
            reason = "which paths the head still holds is not known: a tree of it is damaged"
            self.unread.append(Unread(place=Place.PATH, reason=reason))
        found: dict[bytes, str] = {}
        for line in listed.stdout.split(b"\0"):
            meta, tab, path = line.partition(b"\t")
            if tab:
                found[path] = meta.rpartition(b" ")[2].decode()
        return found

    def text_at_head(self, path: bytes) -> bytes | None:
        """
        Return a file's bytes at the range's head, or `None` if it is not there.
        """
        files = git.named_files(
            self._folder, self.heads[0].encode(), [path], extra=hook_environment()
        )
        return files.get(path)

    def files_at_base(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """
        Return the bytes of those of these paths that the first base has.
        """
        base = next((base for base in self.bases if not base.startswith("--")), None)
        if base is None:
            return {}
        return git.named_files(self._folder, base.encode(), names, extra=hook_environment())

    @property
    def _folder(self) -> Path:
        return self.repository.work_tree or self.repository.git_dir

    def _reader(self) -> BlobReader:
        return BlobReader(self.repository, self.coverage, self.unread)

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return git.run(*arguments, cwd=self._folder, stdin=stdin, extra=hook_environment())

    def _shallow(self) -> set[str]:
        try:
            return set((self.repository.common_dir / "shallow").read_text().split())
        except OSError:
            return set()

    def _check(self, revision: str, *, shallow: bool) -> None:
        done = git.start(
            "rev-parse", "-q", "--verify", "--end-of-options", f"{revision}^{{commit}}",
            cwd=self._folder, extra=hook_environment(),
        )  # fmt: skip
        if not done.returncode:
            return
        if shallow:
            raise SourceError(
                f"{revision}: not in this shallow clone",
                hint="fetch it, or more depth: `git fetch --unshallow`",
            )
        raise TargetError(
            f"{revision}: names no commit of this repository",
            hint="after a force push its base may be gone: fetch it by its id, or name another",
        )

    def _read_tags(self) -> None:
        named = [head for head in self.heads if not head.startswith("--")]
        waiting = [
            self._git("rev-parse", "-q", "--verify", "--end-of-options", head).decode().strip()
            for head in named
        ]
        while waiting:  # a tag may name a tag
            wanted = [
                (one, Document(Place.TAG_MESSAGE, None, one))
                for one in dict.fromkeys(waiting)
                if one not in self.commits and one not in self.tags
            ]
            waiting = []
            for batch in BlobReader(self.repository, Coverage(), self.unread).batches(
                wanted, count=False
            ):
                for index, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
                    text = bytes(batch.data[start:end])
                    name = batch.document(index).blob
                    if name is not None and _TAG.match(text):
                        self.tags[name] = text
                        kind = self.coverage.kind("tag")
                        kind.read += 1
                        kind.bytes += len(text)
                        waiting.append(text[len(b"object ") :].split(b"\n", 1)[0].decode("ascii"))

    def _read_commits(self, ids: list[str]) -> None:
        kind = self.coverage.kind("commit")
        for batch in BlobReader(self.repository, Coverage(), self.unread).batches(
            [(commit, Document(Place.COMMIT_MESSAGE, None, commit)) for commit in ids], count=False
        ):
            for index, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
                commit = batch.document(index).blob
                if commit is not None:
                    self.commits[commit] = parse_commit(bytes(batch.data[start:end]))
                    kind.read += 1
                    kind.bytes += end - start
        kind.unreadable += len(ids) - len(self.commits)


def _parse(raw: bytes, id_length: int) -> Iterator[Addition]:
    fields = iter(raw.split(b"\0"))
    commit = ""
    for text in fields:
        if not text.startswith(b":"):
            if len(text) == id_length:
                commit = text.decode()
            continue
        parents = len(text) - len(text.lstrip(b":"))
        words = text.lstrip(b":").split(b" ")
        modes, ids, status = (
            words[: parents + 1],
            words[parents + 1 : 2 * parents + 2],
            words[-1],
        )
        path = next(fields)
        if parents == 1 and status[:1] in b"RC":
            path = next(fields)
        if modes[-1] == _ABSENT:
            continue
        before = tuple(
            old.decode()
            for mode, old in zip(modes, ids[:-1], strict=False)
            if mode not in (_ABSENT, _SUBMODULE)
        )
        yield Addition(commit, path, modes[-1], ids[-1].decode(), before)
