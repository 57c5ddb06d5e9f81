"""
What a format may be told besides the report: rule texts and how to show things.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from scanner.model import Confidence, Report, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """
    What a report says about a rule, the same on every run.
    """

    id: str
    title: str
    provider: str
    severity: Severity
    remediation: str
    description: str = ""
    """Why it matters, in a sentence or two; empty: made from title and provider."""

    confidence: Confidence = Confidence.MEDIUM
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    How a report is shown.  Formats take what concerns them.
    """

    show_secrets: bool = False
    """Only `terminal`, `json` and `jsonl` obey it."""

    color: bool = False
    width: int = 80
    category: str | None = None
    """SARIF: `secrets-head`, `secrets-history` or `secrets-pr`; none: from the command."""

    file_text: Callable[[bytes], bytes | None] | None = None
    """The bytes of a path at HEAD (or on disk), `None` if it is not there."""

    living_paths: Collection[bytes] = ()
    """Every path at HEAD, where known: history findings are anchored at the nearest."""


class Renderer(Protocol):
    """
    One report format: a pure function of its arguments.
    """

    def __call__(self, report: Report, rules: Mapping[str, RuleText], options: Options) -> str:
        """Return the whole report as text."""
        ...
