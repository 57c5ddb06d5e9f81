"""
A policy as data: which paths must be sealed and how, which may never exist, who owns them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scanner.model import SealRecord, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class MustSeal:
    """
    Paths whose files must be sealed.
    """

    pattern: re.Pattern[str]
    shown: str
    """The pattern as it was written."""

    formats: tuple[str, ...] = ()
    """One of these; none: any format."""

    severity: Severity = Severity.HIGH
    owner: str | None = None
    origin: str = ".unsealed.yml"
    """The file that says so."""

    label: str | None = None
    """The vault id that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MayNotExist:
    """
    Paths that may never be in the repository.
    """

    pattern: re.Pattern[str]
    shown: str
    reason: str | None = None
    severity: Severity = Severity.HIGH
    owner: str | None = None
    origin: str = ".unsealed.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    What a repository asks of itself; the strictest of all its sources.
    """

    must_seal: tuple[MustSeal, ...] = ()
    forbidden: tuple[MayNotExist, ...] = ()
    fail_on: Severity | None = None
    """The lowest severity that fails; it can lower the bar of the command line, never raise it."""

    notices: tuple[str, ...] = ()

    def joined(self, other: Policy) -> Policy:
        """
        Return both as one: what either asks is asked.
        """
        bars = [bar for bar in (self.fail_on, other.fail_on) if bar is not None]
        return Policy(
            must_seal=(*self.must_seal, *other.must_seal),
            forbidden=(*self.forbidden, *other.forbidden),
            fail_on=min(bars) if bars else None,
            notices=(*self.notices, *other.notices),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """
    A file that is not as the policy asks.
    """

    rule_id: str
    """`policy-not-sealed` or `policy-forbidden-path`."""

    path: bytes
    reason: str
    severity: Severity
    owner: str | None = None
    origin: str = ".unsealed.yml"
    line: int = 1
    seal: SealRecord | None = field(default=None)
