"""
Where our own packs lie.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def shipped_packs() -> Path:
    """
    Return the folder: beside the package in a checkout, inside it in a wheel
    (`force-include` in pyproject.toml puts them there).
    """
    from pathlib import Path  # noqa: PLC0415 # the hook does without

    return Path(shipped_path())


def shipped_path() -> str:
    """
    Return the path of `shipped_packs`.
    """
    inside = os.path.join(_PACKAGE, "_rules")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(_PACKAGE), "rules")
