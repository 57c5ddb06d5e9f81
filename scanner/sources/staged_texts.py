"""
The usual hook at a glance: a few files staged in a plain repository.

Two processes of git are started at once and read when the caller has made
itself ready.  Whatever is out of the ordinary (a merge, a linked worktree, a
submodule, a missing object, git's refusal) is `None`: then `index.py` looks
properly, and says what is the matter.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from scanner.file_names import policy_files
from scanner.sources.git_command import command, environment, hook_environment

SYMLINK = b"120000"
_SUBMODULE = b"160000"
_KILL = 9
_MOST_CHANGES = 500
_PIPE = 48 << 10
"""Bytes that fit into a pipe that nobody reads yet."""

_MOST_BYTES = 32 << 20
_PLAIN = ("GIT_INDEX_FILE",)
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class Change(NamedTuple):
    """
    One path that the next commit adds or changes.
    """

    path: bytes
    mode: bytes
    blob: bytes


class Staged(NamedTuple):
    """
    What is staged, and the files that may ask something of it.
    """

    changes: list[Change]
    texts: list[bytes]
    """In the order of the changes."""

    policy_files: dict[bytes, bytes]


class Glance:
    """
    Two running processes of git: one lists what is staged, one reads it.
    """

    def __init__(self, top: str) -> None:
        extra = hook_environment()
        git_dir = os.path.join(os.path.abspath(top), ".git")
        self._list = _Process(
            command(
                "-C", top, "diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames",
                "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "HEAD", "--",
                git_dir=git_dir,
            ),
            extra,
        )  # fmt: skip
        self._read = _Process(
            command("-C", top, "cat-file", "--batch", "--buffer", git_dir=git_dir), extra
        )

    def result(self) -> Staged | None:
        """
        Return what is staged, `None` if that takes a proper look.
        """
        listed = self._list.output()
        changes = None if listed is None else _changes(listed)
        if changes is None or len(changes) > _MOST_CHANGES:
            return None
        asked = policy_files(change.path for change in changes)
        lines = [*(b":" + name for name in asked), *(change.blob for change in changes), b""]
        question = b"\n".join(lines)
        if len(question) > _PIPE or any(b"\n" in name for name in asked):
            return None
        self._read.write(question)
        output = self._read.output()
        count = len(asked)
        answers = None if output is None else _answers(output, count + len(changes))
        if answers is None:
            return None
        texts = [text for text in answers[count:] if text is not None]
        if len(texts) < len(changes) or any(text.startswith(_LFS_POINTER) for text in texts):
            return None
        named = zip(asked, answers, strict=False)
        return Staged(changes, texts, {name: text for name, text in named if text is not None})

    def close(self) -> None:
        """
        End what still runs.
        """
        self._list.close()
        self._read.close()


def glance(top: str) -> Glance | None:
    """
    Start to look at a repository with its work tree at `top`; `None` if it is not a plain one.
    """
    git_dir = os.path.join(top, ".git")
    if not hasattr(os, "posix_spawnp") or any(name not in _PLAIN for name in hook_environment()):
        return None
    if not os.path.isfile(os.path.join(git_dir, "HEAD")):
        return None
    if os.path.lexists(os.path.join(git_dir, "MERGE_HEAD")):
        return None
    try:
        return Glance(top)
    except OSError:
        return None


class _Process:
    # What `subprocess` does here, without what its import costs.
    def __init__(self, arguments: list[str], extra: dict[str, str]) -> None:
        self._in, self._out = -1, -1
        theirs_in, self._in = os.pipe()
        self._out, theirs_out = os.pipe()
        self._pid = 0
        try:
            if min(theirs_in, self._in, self._out, theirs_out) > 2:
                self._pid = os.posix_spawnp(
                    arguments[0],
                    arguments,
                    environment(extra),
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                        (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                    ],
                )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def write(self, data: bytes) -> None:
        # Short enough for a pipe that nobody reads yet.
        try:
            os.write(self._in, data)
        except OSError:
            self.close()

    def output(self) -> bytes | None:
        """
        Return all that the process prints; `None` if that is too much, or if it fails.
        """
        if not self._pid:
            return None
        self._close_in()
        pieces: list[bytes] = []
        size = 0
        while piece := os.read(self._out, 1 << 16):
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_BYTES:
                return None
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return None if status else b"".join(pieces)

    def close(self) -> None:
        self._close_in()
        if self._out >= 0:
            os.close(self._out)
            self._out = -1
        if self._pid:
            os.kill(self._pid, _KILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _close_in(self) -> None:
        if self._in >= 0:
            os.close(self._in)
            self._in = -1


def _changes(listed: bytes) -> list[Change] | None:
    fields = listed.split(b"\0")
    changes: list[Change] = []
    for meta, path in zip(fields[0:-1:2], fields[1::2], strict=True):
        _, mode, _, blob, status = meta.split(b" ")
        if status == b"D":
            continue
        if status not in (b"A", b"M", b"T") or mode == _SUBMODULE or not blob.strip(b"0"):
            return None
        changes.append(Change(path, mode, blob))
    return changes


def _answers(output: bytes, count: int) -> list[bytes | None] | None:
    answers: list[bytes | None] = []
    at = 0
    for _ in range(count):
        stop = output.find(b"\n", at)
        words = output[at:stop].split(b" ") if stop >= 0 else []
        at = stop + 1
        if words[-1:] == [b"missing"]:
            answers.append(None)
            continue
        if len(words) != 3 or words[1] != b"blob":
            return None
        size = int(words[2])
        answers.append(output[at : at + size])
        at += size + 1
    return answers if at == len(output) else None
