"""
The companions of a finding, by name, as text.
"""

from __future__ import annotations

from scanner.model import Finding


def values_of(finding: Finding, name: str) -> tuple[str, ...]:
    """
    Return the distinct values of a companion; several where the secret stands in several places.
    """
    found = (c.value for c in finding.companions if c.name == name and not c.value.withheld)
    return tuple(dict.fromkeys(value.reveal().decode("utf-8", errors="replace") for value in found))


def value_of(finding: Finding, name: str) -> str | None:
    """
    Return a companion's value if there is exactly one, else `None`: we do not guess.
    """
    values = values_of(finding, name)
    return values[0] if len(values) == 1 else None


def secret_of(finding: Finding) -> str | None:
    """
    Return the secret as text, `None` if it is none.
    """
    if finding.secret is None or finding.secret.withheld:
        return None
    try:
        return finding.secret.reveal().decode("ascii")
    except UnicodeDecodeError:
        return None
