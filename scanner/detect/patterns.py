"""
Compiled patterns, made when first needed.

`regex` costs ten milliseconds to import, a tenth of a hook's whole run, and a
text in which nothing hits needs none of it; likewise the table of checksums.
"""

from __future__ import annotations

import importlib
from typing import Any

from scanner.ruleset.schema import Rule


def compiled(pattern: str | bytes, flags: str = "") -> Any:
    """
    Return a `regex` pattern for bytes; `flags` are letters (`i`: any case, `r`: backwards).
    """
    regex: Any = importlib.import_module("regex")
    bits = 0
    for letter in flags:
        bits |= {"i": regex.IGNORECASE, "r": regex.REVERSE}[letter]
    return regex.compile(pattern.encode() if isinstance(pattern, str) else pattern, bits)


def checksum(name: str) -> Any:
    """
    Return the `checksums.Checksum` of this name, `None` if there is none.
    """
    return importlib.import_module("scanner.detect.checksums").CHECKSUMS.get(name)


def companions(rule: Rule, *, required_only: bool = False) -> Any:
    """
    Return the `companions.Companions` of a rule, `None` if it wants none.
    """
    if not any(spec.required or not required_only for spec in rule.companions):
        return None
    module = importlib.import_module("scanner.detect.companions")
    return module.Companions(rule, required_only=required_only)
