"""
Where our own packs lie.
"""

from __future__ import annotations

from pathlib import Path


def shipped_packs() -> Path:
    """
    Return the folder: beside the package in a checkout, inside it in a wheel
    (`force-include` in pyproject.toml puts them there).
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "_rules"
    return inside if inside.is_dir() else package.parent / "rules"
