"""
Rules as SARIF has them: the same on every run, live credentials under ids of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sarif_om

from scanner.model import Confidence, Finding, Severity, Status
from scanner.report.options import RuleText

ACTIVE_SUFFIX = "-active"
_DESCRIPTION_LIMIT = 1024
_TAG_LIMIT = 10
_HELP_LIMIT = 8000
_PRECISION = {Confidence.HIGH: "very-high", Confidence.MEDIUM: "high", Confidence.LOW: "low"}
_SCORE = {
    Severity.CRITICAL: "8.9",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "3.0",
}
_SCORE_ACTIVE = {
    Severity.CRITICAL: "9.8",
    Severity.HIGH: "9.5",
    Severity.MEDIUM: "9.1",
    Severity.LOW: "7.0",
}
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_STEPS = (
    "Revoke or rotate the credential at its issuer; to remove it in a new commit is not enough.",
    "Look through the issuer's access log for use by others since the date of the leak.",
    "Store the new value in a secret store or seal it, and let the code read it from there.",
    "If the history must be clean, rewrite it after the rotation, never instead of it.",
)


def rule_id(finding: Finding) -> str:
    """
    Return the id under which GitHub files a finding.
    """
    active = finding.verification.status is Status.ACTIVE
    return finding.rule_id + (ACTIVE_SUFFIX if active else "")


def level(finding: Finding) -> str:
    """
    Return a result's level.
    """
    return "error" if finding.verification.status is Status.ACTIVE else _LEVEL[finding.severity]


def descriptors(
    findings: Iterable[Finding], rules: Mapping[str, RuleText]
) -> list[sarif_om.ReportingDescriptor]:
    """
    Return one descriptor for each rule id among `findings`, sorted by id.
    """
    texts: dict[str, tuple[RuleText, bool]] = {}
    for finding in findings:
        active = finding.verification.status is Status.ACTIVE
        text = rules.get(finding.rule_id) or _text_from(finding)
        texts.setdefault(rule_id(finding), (text, active))
    return [_descriptor(name, *texts[name]) for name in sorted(texts)]


def _text_from(finding: Finding) -> RuleText:
    # A report of another version, or of a pack that is not at hand.
    return RuleText(
        id=finding.rule_id,
        title=finding.title,
        provider=finding.provider,
        severity=finding.severity,
        remediation=finding.remediation,
    )


def _descriptor(name: str, rule: RuleText, active: bool) -> sarif_om.ReportingDescriptor:
    title = rule.title or rule.id
    short = f"{title}, accepted by its issuer" if active else title
    why = rule.description or (
        f"A credential for {rule.provider or 'a service'} was found: {title}."
        " Whoever can read the repository or a copy of it can use it."
    )
    if active:
        why = f"The issuer accepted this credential when asked: it is live. {why}"
    return sarif_om.ReportingDescriptor(
        id=name,
        name=_pascal(name),
        short_description=sarif_om.MultiformatMessageString(text=_cut(short, _DESCRIPTION_LIMIT)),
        full_description=sarif_om.MultiformatMessageString(text=_cut(why, _DESCRIPTION_LIMIT)),
        help=sarif_om.MultiformatMessageString(
            text=_cut(_help(rule, why, markdown=False), _HELP_LIMIT),
            markdown=_cut(_help(rule, why, markdown=True), _HELP_LIMIT),
        ),
        help_uri=next((one for one in rule.references if one.startswith("https://")), None),
        default_configuration=sarif_om.ReportingConfiguration(
            level="error" if active else _LEVEL[rule.severity]
        ),
        properties={
            "security-severity": (_SCORE_ACTIVE if active else _SCORE)[rule.severity],
            "precision": "very-high" if active else _PRECISION[rule.confidence],
            "tags": _tags(rule),
        },
    )


def _help(rule: RuleText, why: str, *, markdown: bool) -> str:
    steps = [step for step in (" ".join(rule.remediation.split()), *_STEPS) if step]
    numbered = [f"{number}. {step}" for number, step in enumerate(steps, start=1)]
    references = [f"- <{one}>" if markdown else f"- {one}" for one in rule.references]
    head = f"## {rule.title or rule.id}" if markdown else (rule.title or rule.id)
    parts = [head, "", why, "", "### What to do" if markdown else "What to do:", "", *numbered]
    if references:
        parts += ["", "### References" if markdown else "References:", "", *references]
    return "\n".join(parts)


def _tags(rule: RuleText) -> list[str]:
    wanted = ["security", "secret", "external/cwe/cwe-798", rule.provider, *rule.tags]
    return [tag for tag in dict.fromkeys(wanted) if tag][:_TAG_LIMIT]


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.replace("_", "-").split("-"))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
