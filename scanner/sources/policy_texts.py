"""
The policies that lie in a folder: its own, and what other tools read below it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from scanner.errors import ConfigError
from scanner.file_names import POLICY_FILES

_NAMES = frozenset(name.decode() for name in POLICY_FILES)
_OWN = POLICY_FILES[0].decode()
_MAX_SIZE = 2 << 20  # bytes; a reader refuses half of it


def opened_filters(root: Path) -> frozenset[str]:
    """
    Return whose filters lay files open in this work tree: what is committed is sealed all the same.
    """
    found = set()
    with contextlib.suppress(OSError):
        if (root / ".git" / "git-crypt" / "keys").is_dir():
            found.add("git-crypt")
        if b"[transcrypt" in (root / ".git" / "config").read_bytes():
            found.add("transcrypt")
    return frozenset(found)


def policy_texts(roots: Sequence[str]) -> dict[bytes, bytes]:
    """
    Return the policy files of a root by path; none of several roots, for a policy speaks for
    the paths below its own folder.

    Raise `ConfigError` if the policy at the root is a link.
    """
    if len(roots) != 1 or not Path(roots[0]).is_dir():
        return {}
    root = Path(roots[0])
    if (root / _OWN).is_symlink():
        # Left out in silence, it would loosen what it asks for.
        raise ConfigError(f"{root / _OWN}: a policy is no link", hint="put the file itself there")
    texts: dict[bytes, bytes] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(_NAMES.intersection(names)):
            file = Path(folder, name)
            below = file.relative_to(root)
            if name == _OWN and len(below.parts) > 1:
                continue
            with contextlib.suppress(OSError):
                if not file.is_symlink() and file.is_file():
                    with file.open("rb") as stream:
                        texts[os.fsencode(below.as_posix())] = stream.read(_MAX_SIZE)
    return texts
