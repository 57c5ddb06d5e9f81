"""
Where the parts of an object database lie: its own folder and its alternates.

Format: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import os
from pathlib import Path

_MAX_ALTERNATES = 64
_ALTERNATES = "info/alternates"


def object_dirs(first: Path, *, lost: list[tuple[str, str]] | None = None) -> list[Path]:
    """
    Return an object folder and its alternates, theirs too; those that are not
    there are added to `lost`.
    """
    found: list[Path] = []
    waiting = [first]
    while waiting and len(found) < _MAX_ALTERNATES:
        here = waiting.pop(0)
        if here in found:
            continue
        if not here.is_dir():
            if lost is not None:
                lost.append((_ALTERNATES, "an alternate object folder is not there"))
            continue
        found.append(here)
        try:
            lines = (here / _ALTERNATES).read_bytes().splitlines()
        except OSError:
            continue
        waiting += [
            Path(os.path.normpath(here / os.fsdecode(line)))
            for line in lines
            if line and not line.startswith(b"#")
        ]
    return found


def is_partial(first: Path) -> bool:
    """
    Return whether some pack came with the promise that a server keeps what it lacks.
    """
    return any(next((folder / "pack").glob("*.promisor"), None) for folder in object_dirs(first))
