"""
The one order of findings in every report: what matters first.
"""

from __future__ import annotations

from collections.abc import Iterable

from scanner.model import Finding, Occurrence, Status

_STATUS_RANK = {Status.ACTIVE: 0, Status.UNKNOWN: 1, Status.NOT_TRIED: 1, Status.INACTIVE: 2}


def by_importance(findings: Iterable[Finding]) -> list[Finding]:
    """
    Return findings sorted: live ones, then by severity, confidence, still in HEAD,
    and by place; suppressed ones last.
    """
    return sorted(findings, key=_rank)


def in_head(finding: Finding) -> bool:
    """
    Return whether any place at HEAD still holds it.
    """
    return any(occurrence.in_head for occurrence in finding.occurrences)


def sorted_places(finding: Finding) -> list[Occurrence]:
    """
    Return the occurrences with those still at HEAD first (those whose line is HEAD's before
    the rest), else as they came in.
    """
    return sorted(finding.occurrences, key=lambda one: (not one.in_head, not one.line_in_head))


def _rank(finding: Finding) -> tuple[object, ...]:
    first = finding.occurrences[0]
    line = first.position.line if first.position else 0
    return (
        finding.suppressed is not None,
        _STATUS_RANK[finding.verification.status],
        -finding.severity,
        -finding.confidence,
        not in_head(finding),
        -finding.score,
        first.path or b"",
        line,
        finding.rule_id,
        finding.fingerprint,
    )
