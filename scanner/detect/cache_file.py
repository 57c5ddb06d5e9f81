"""
Which file of the user's cache folder holds the compiled rules, and the key of its code.

A hook passes here at every commit: plain paths, for `pathlib` would cost it
more than all that is done here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import hyperscan

from scanner import __version__ as scanner_version
from scanner.detect.cache import digest
from scanner.folders import cache_path, state_path

KEY_BYTES = 32
_KEY_FILE = "cache-key"
_PREFIX, _SUFFIX, _NOTE = "rules-", ".bin", ".sound"
_KEPT_FILES = 6
_NAME_LENGTH = 32
_PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_CODE = ("ruleset", "detect", os.path.join("detect", "decode"))


class CacheFile(NamedTuple):
    """
    Where compiled rules are kept, or will be.
    """

    path: str
    key: bytes
    purpose: bytes
    """What the file's code is bound to: it fits no other rules, code or machine."""

    note: str
    """Where it is noted that the file is sound; beside the key."""


def cache_file(paths: Sequence[str]) -> CacheFile | None:
    """
    Return the file for the packs under `paths`; `None` where nothing can be kept.
    """
    try:
        folder = _private(cache_path())
        state = _private(state_path())
        key = _key(state)
        purpose = _fresh_name(paths)
    except OSError:
        return None
    name = f"{_PREFIX}{purpose}{_SUFFIX}"
    note = os.path.join(state, f"{_PREFIX}{purpose}{_NOTE}")
    return CacheFile(os.path.join(folder, name), key, purpose.encode(), note)


def _fresh_name(paths: Sequence[str]) -> str:
    """
    Return a name that changes with the rules, our code, the libraries and the machine.

    Files count by name, size and time of change: reading a thousand packs
    would cost more than all the rest of a warm start.
    """
    machine = os.uname().machine if hasattr(os, "uname") else ""
    library = hyperscan.__version__  # type: ignore[attr-defined] # its stubs lack it
    asked = (scanner_version, library, sys.version, sys.platform, machine)
    seen = [repr(asked)]
    installed = os.path.isdir(os.path.join(_PACKAGE, "_rules"))
    for path in (*(os.path.join(_PACKAGE, name) for name in _CODE), *paths):
        ours = installed and path.startswith(_PACKAGE + os.sep)
        look = _folder_stat if ours else _stats
        seen.append(repr((os.path.abspath(path), look(path))))
    return digest("\n".join(seen).encode()).hex()[:_NAME_LENGTH]


def _folder_stat(path: str) -> tuple[int, int, int]:
    # An installer puts new files in and takes old ones away, and nobody edits an
    # installed package in place: the folder's own times tell of both, at once.
    stat = os.stat(path)
    return stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns


def _stats(path: str) -> list[tuple[str, int, int]]:
    if not os.path.isdir(path):
        stat = os.stat(path)
        return [(os.path.basename(path), stat.st_size, stat.st_mtime_ns)]
    with os.scandir(path) as entries:
        return sorted(
            (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in entries
            if entry.name.endswith((".yml", ".yaml", ".py")) and entry.is_file()
        )


def _private(folder: str) -> str:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    stat = os.stat(folder)
    if hasattr(os, "getuid"):
        if stat.st_uid != os.getuid():
            raise PermissionError(f"{folder} is not ours")
        if stat.st_mode & 0o077:
            os.chmod(folder, 0o700)
    return folder


def _key(folder: str) -> bytes:
    path = os.path.join(folder, _KEY_FILE)
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        key = file.read()
        if len(key) == KEY_BYTES:
            return key
    key = os.urandom(KEY_BYTES)
    write_whole(path, [key])
    return key


def write_whole(path: str, pieces: Iterable[bytes]) -> None:
    """
    Write a file of ours so that nobody ever sees a part of it.
    """
    # What `tempfile` does, without the milliseconds that its import costs.
    folder = os.path.dirname(path)
    draft = os.path.join(folder, f".tmp-{os.getpid()}-{os.urandom(8).hex()}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as out:
            out.writelines(pieces)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def forget_old(newest: CacheFile) -> None:
    """
    Remove all but the newest files of compiled rules.
    """
    with os.scandir(os.path.dirname(newest.path)) as entries:
        files = sorted(
            (
                (entry.stat().st_mtime_ns, entry.path)
                for entry in entries
                if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)
            ),
            reverse=True,
        )
    notes = os.path.dirname(newest.note)
    for _, path in files[_KEPT_FILES:]:
        note = os.path.basename(path).removesuffix(_SUFFIX) + _NOTE
        for gone in (path, os.path.join(notes, note)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(gone)
