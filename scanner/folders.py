"""
The user's own folders: state (keys, verdicts) and cache (the compiled rules).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_folder() -> Path:
    """
    Return where keys and decisions are kept; not made here.
    """
    return _folder("XDG_STATE_HOME", ".local/state", "state")


def cache_folder() -> Path:
    """
    Return where what can be made again is kept; not made here.
    """
    return _folder("XDG_CACHE_HOME", ".cache", "cache")


def _folder(variable: str, under_home: str, name: str) -> Path:
    given = os.environ.get(variable)
    if given and Path(given).is_absolute():
        return Path(given) / "unsealed"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"), "unsealed", name)
    if sys.platform == "darwin":
        return (
            Path.home()
            / "Library"
            / ("Caches" if name == "cache" else "Application Support")
            / "unsealed"
        )
    return Path.home() / under_home / "unsealed"
