"""
Path patterns of a policy: `*` within a name, `**` over folders, `?`, `[…]`, as in `.gitignore`.
"""

from __future__ import annotations

import re


def compile_glob(pattern: str) -> re.Pattern[str]:
    """
    Return a glob as an expression for whole paths; one without a slash fits any folder.

    Raise `ValueError` if the pattern is empty or leaves the repository.
    """
    text = pattern.strip()
    if not text or text.startswith("!"):
        raise ValueError("is empty, or negated")
    if ".." in text.split("/"):
        raise ValueError("leaves the repository")
    anchored = "/" in text.rstrip("/")
    text = text.lstrip("/")
    if text.endswith("/"):
        text += "**"
    body = "".join(
        _piece(part) for part in re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[^\]]+\]|.", text)
    )
    return re.compile(("" if anchored else "(?:.*/)?") + body, re.DOTALL)


def _piece(part: str) -> str:
    if part == "**/":
        return "(?:.*/)?"
    if part == "/**":
        return "/.*"
    if part == "**":
        return ".*"
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 2:
        inner = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return "[" + ("^" + inner[1:] if inner.startswith("!") else inner) + "]"
    return re.escape(part)
