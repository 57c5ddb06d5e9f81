"""
A finding's own value and what stood beside it, as text that may stand in a request.
"""

from __future__ import annotations

from collections.abc import Iterable

from scanner.model import Finding

_LONGEST = 200


def secret_text(finding: Finding) -> str | None:
    """
    Return the secret as text, `None` if it is withheld or not ASCII.
    """
    if finding.secret is None or finding.secret.withheld:
        return None
    value = finding.secret.reveal()
    return value.decode("ascii") if value.isascii() else None


def values_beside(finding: Finding, name: str) -> list[str]:
    """
    Return the distinct values of one companion; those with odd characters are left out.
    """
    found: dict[str, None] = {}
    for companion in finding.companions:
        if companion.name == name and not companion.value.withheld:
            value = companion.value.reveal()
            if value.isascii() and value.decode("ascii").isprintable():
                found[value.decode("ascii")] = None
    return list(found)


def value_beside(finding: Finding, name: str) -> str | None:
    """
    Return the first value of one companion, `None` if there is none.
    """
    return next(iter(values_beside(finding, name)), None)


def told(text: object, hidden: Iterable[str] = (), limit: int = _LONGEST) -> str:
    """
    Return what a server said, fit for one line of a report and free of what was sent.
    """
    line = "".join(c for c in str(text) if c.isprintable())
    for value in hidden:
        line = line.replace(value, "…") if value else line
    return line[:limit]
