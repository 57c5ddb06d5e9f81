"""
The user's own folders: state (keys, verdicts) and cache (the compiled rules).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def state_folder() -> Path:
    """
    Return where keys and decisions are kept; not made here.
    """
    from pathlib import Path  # noqa: PLC0415 # the hook does without

    return Path(state_path())


def cache_folder() -> Path:
    """
    Return where what can be made again is kept; not made here.
    """
    from pathlib import Path  # noqa: PLC0415 # the hook does without

    return Path(cache_path())


def state_path() -> str:
    """
    Return the path of `state_folder`.
    """
    return _folder("XDG_STATE_HOME", ".local/state", "state")


def cache_path() -> str:
    """
    Return the path of `cache_folder`.
    """
    return _folder("XDG_CACHE_HOME", ".cache", "cache")


def _folder(variable: str, under_home: str, name: str) -> str:
    given = os.environ.get(variable)
    if given and os.path.isabs(given):
        return os.path.join(given, "unsealed")
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", os.path.join(home, "AppData", "Local"))
        return os.path.join(local, "unsealed", name)
    if sys.platform == "darwin":
        kind = "Caches" if name == "cache" else "Application Support"
        return os.path.join(home, "Library", kind, "unsealed")
    return os.path.join(home, under_home, "unsealed")
