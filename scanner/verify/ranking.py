"""
What a verdict makes of a finding: how grave it is, and what to do next.
"""

from __future__ import annotations

import dataclasses

from scanner.model import Finding, Severity, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.rights import danger

_HARMFUL = 3
_LIVE = "It is live, so do this now."
_DEAD = (
    "Its issuer refuses it already, so there is nothing left to rotate. Look through the issuer's "
    "access log from the day of the leak to the day it ended, and take it out of the code."
)


def ranked(finding: Finding, verdict: Verification, rule: Rule | None = None) -> Finding:
    """
    Return the finding with its verdict, more severe if it is alive, less if it is dead.

    `rule` is what found it: a report may already hold an earlier verdict's rank and steps.
    """
    severity = finding.severity if rule is None else rule.severity
    steps = finding.remediation if rule is None else rule.remediation
    if verdict.status is Status.ACTIVE:
        harmful = danger(finding.provider, verdict.scopes) >= _HARMFUL
        severity = max(severity, Severity.CRITICAL if harmful else Severity.HIGH)
        steps = f"{_LIVE} {steps}{_ends(verdict)}"
    elif verdict.status is Status.INACTIVE:
        severity, steps = Severity.LOW, _DEAD
    return dataclasses.replace(finding, verification=verdict, severity=severity, remediation=steps)


def _ends(verdict: Verification) -> str:
    if verdict.expires_at is None:
        return ""
    return f" That it ends by itself ({verdict.expires_at}) is no reason to wait."
