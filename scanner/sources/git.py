"""
The one file that starts git: where a repository lies, and processes that cannot run its code.

Object reads go through a folder of our own (an empty configuration and no refs)
that borrows the repository's object database.  Whatever the repository's
configuration says about filters, promisors, replacements or hooks is then not
merely switched off: git never sees it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scanner.errors import SourceError, TargetError
from scanner.sources.git_command import command, environment

_PIPE_SIZE = 1 << 20
_F_SETPIPE_SZ = 1031


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """
    Where a repository's parts lie.
    """

    git_dir: Path
    common_dir: Path
    """Equal to `git_dir` but for a linked worktree."""

    object_dir: Path
    work_tree: Path | None
    object_format: str = "sha1"

    @property
    def id_size(self) -> int:
        """
        Return the length of an object id in bytes.
        """
        return 32 if self.object_format == "sha256" else 20


def run(
    *arguments: str,
    git_dir: Path | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    extra: dict[str, str] | None = None,
) -> bytes:
    """
    Run git to its end and return what it prints; a failure is a `SourceError`.
    """
    done = start(*arguments, git_dir=git_dir, cwd=cwd, stdin=stdin, extra=extra)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else f"exit code {done.returncode}"
        raise SourceError(f"git {arguments[0]}: {reason}")
    return done.stdout


def start(
    *arguments: str,
    git_dir: Path | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    extra: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """
    Run git to its end, whatever its exit code.
    """
    try:
        return subprocess.run(
            command(*arguments, git_dir=git_dir),
            cwd=cwd,
            input=stdin,
            capture_output=True,
            check=False,
            env=environment(extra),
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.exists():
            raise TargetError(f"{cwd}: no such folder") from error
        raise SourceError("git is not installed, or not in PATH", hint="install git") from error
    except OSError as error:
        raise TargetError(f"{cwd or git_dir}: {error.strerror}") from error


def open_repository(path: Path) -> Repository:
    """
    Return the repository that `path` lies in (or is); a `TargetError` says why there is none.
    """
    if not path.exists():
        raise TargetError(f"{path}: no such file or folder")
    if not path.is_dir():
        raise TargetError(f"{path}: not a repository")
    done = start(
        "rev-parse",
        "--absolute-git-dir",
        "--git-common-dir",
        "--git-path",
        "objects",
        "--show-object-format",
        "--is-bare-repository",
        # The last: where there is no work tree, it ends in an error that costs the others nothing.
        "--show-toplevel",
        cwd=path,
    )
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\n", 5)
    if len(lines) < 6:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else "not a repository"
        raise TargetError(f"{path}: {reason}")
    git_dir, common, objects, object_format, bare, rest = lines
    top = rest.removesuffix("\n")
    return Repository(
        git_dir=Path(git_dir),
        common_dir=(path / common).resolve(),
        object_dir=(path / objects).resolve(),
        work_tree=Path(top) if top and bare != "true" and not done.returncode else None,
        object_format=object_format,
    )


def named_files(
    cwd: Path, revision: bytes, names: Iterable[bytes], *, extra: dict[str, str] | None = None
) -> dict[bytes, bytes]:
    """
    Return the bytes of those of these paths that a revision (empty: the index) has.
    """
    wanted = [name for name in names if b"\n" not in name]
    asked = b"".join(revision + b":" + name + b"\n" for name in wanted)
    said = start("cat-file", "--batch", cwd=cwd, stdin=asked, extra=extra).stdout
    found: dict[bytes, bytes] = {}
    at = 0
    for name in wanted:
        head, _, _ = said[at:].partition(b"\n")
        at += len(head) + 1
        words = head.split(b" ")
        if len(words) == 3 and words[1] == b"blob":
            size = int(words[2])
            found[name] = said[at : at + size]
            at += size + 1
    return found


class ObjectAccess:
    """
    A folder of ours through which git reads the objects of a repository and nothing else of it.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._dir = Path(tempfile.mkdtemp(prefix="unsealed-"))
        (self._dir / "refs").mkdir()
        (self._dir / "objects").mkdir()
        (self._dir / "HEAD").write_text("ref: refs/heads/none\n")
        version = 1 if repository.object_format != "sha1" else 0
        config = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n"
        if version:
            config += f"[extensions]\n\tobjectformat = {repository.object_format}\n"
        (self._dir / "config").write_text(config)

    def close(self) -> None:
        """
        Remove the folder.
        """
        shutil.rmtree(self._dir, ignore_errors=True)

    @property
    def _extra(self) -> dict[str, str]:
        extra = {"GIT_OBJECT_DIRECTORY": str(self.repository.object_dir)}
        if quarantine := os.environ.get("GIT_QUARANTINE_PATH"):
            # Inside pre-receive, what is being pushed lies beside the repository's own objects.
            extra["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = quarantine
        return extra

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """
        Run git to its end and return what it prints; a failure is a `SourceError`.
        """
        return run(*arguments, git_dir=self._dir, cwd=self._dir, stdin=stdin, extra=self._extra)

    def stream(self, *arguments: str, stdin: IO[bytes]) -> subprocess.Popen[bytes]:
        """
        Start git with a file to read from and a wide pipe to read it by.
        """
        process = subprocess.Popen(
            command(*arguments, git_dir=self._dir),
            cwd=self._dir,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment(self._extra),
        )
        widen(process.stdout)
        return process


def widen(pipe: IO[bytes] | None) -> None:
    """
    Ask for a pipe of a megabyte where the system knows how: fewer switches between git and us.
    """
    try:
        import fcntl  # noqa: PLC0415 # absent on Windows
    except ImportError:
        return
    if pipe is None:
        return
    try:
        fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, _PIPE_SIZE)
    except OSError:
        return
