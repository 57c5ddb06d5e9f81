"""
JUnit XML, which every CI server shows: one failed test case for each finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from scanner.model import Finding, Report
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance
from scanner.report.path_text import visible, visible_path

_PLACES_SHOWN = 20
# What XML 1.0 cannot hold in any spelling.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return one test suite: findings fail, suppressed ones are skipped, unread inputs are errors.
    """
    findings = by_importance(report.findings)
    failures = len(words.counting(report))
    skipped = len(findings) - failures
    errors = len(report.unread)
    cases = [_case(finding) for finding in findings]
    cases += [
        _open("testcase", classname="unsealed.unread", name=words.where_unread(one), time="0")
        + f"<error{_attributes(message=visible(one.reason), type='unread')}/></testcase>"
        for one in report.unread
    ]
    if not cases:
        cases = [
            f'<testcase{_attributes(classname="unsealed", name="no leaked credential")} time="0"/>'
        ]
    totals = _attributes(
        name="unsealed",
        tests=str(len(cases)),
        failures=str(failures),
        errors=str(errors),
        skipped=str(skipped),
        time=f"{report.seconds:.3f}",
    )
    body = "\n".join(f"    {case}" for case in cases)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites{totals}>\n"
        f"  <testsuite{totals}>\n{body}\n  </testsuite>\n</testsuites>\n"
    )


def _case(finding: Finding) -> str:
    first = finding.occurrences[0]
    opened = _open(
        "testcase",
        classname=f"unsealed.{finding.rule_id}",
        name=f"{visible(finding.title)} at {words.where(first)}",
        file=visible_path(first.path),
        line=str(first.position.line if first.position else 1),
        time="0",
    )
    if finding.suppressed is not None:
        waved = finding.suppressed
        said = ": ".join(one for one in (waved.by, waved.reason) if one)
        return f"{opened}<skipped{_attributes(message=visible(said))}/></testcase>"
    message = f"{visible(finding.title)} {words.shown(finding)}".strip()
    failed = _open("failure", message=message, type=finding.severity.label)
    return f"{opened}{failed}{_text(_details(finding))}</failure></testcase>"


def _details(finding: Finding) -> str:
    lines = [
        f"rule: {visible(finding.rule_id)}",
        f"severity: {finding.severity.label}, confidence: {finding.confidence.label}",
        f"fingerprint: {finding.fingerprint}",
        f"verification: {words.verdict(finding.verification)}",
    ]
    why = words.why(finding)
    if why:
        lines.append(f"why: {why}")
    for place in finding.occurrences[:_PLACES_SHOWN]:
        said = (words.where(place), words.came_in(place, person=False), words.state(place))
        lines.append(f"at: {', '.join(one for one in said if one)}")
    rest = len(finding.occurrences) - _PLACES_SHOWN
    if rest > 0:
        lines.append(f"… and {words.counted(rest, 'more place')}")
    lines.append(f"next: {visible(' '.join(finding.remediation.split()))}")
    return "\n".join(lines)


def _open(tag: str, **attributes: str) -> str:
    return f"<{tag}{_attributes(**attributes)}>"


def _attributes(**attributes: str) -> str:
    return "".join(
        f" {name}={quoteattr(_NOT_XML.sub(chr(0xFFFD), value))}"
        for name, value in attributes.items()
    )


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
