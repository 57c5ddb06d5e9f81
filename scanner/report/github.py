"""
GitHub workflow commands: one annotation a finding, on its line.

Format: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping

from scanner.model import Finding, Report, Severity, Status
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, sorted_places
from scanner.report.path_text import text_of, visible_lines

_SHOWN = 10
"""GitHub shows ten annotations of each level a step; the rest stands in the job summary."""


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return workflow commands, the most important first.
    """
    counted = [f for f in by_importance(report.findings) if f.suppressed is None]
    lines = [_command(finding) for finding in counted[:_SHOWN]]
    if len(counted) > _SHOWN:
        more = len(counted) - _SHOWN
        lines.append(f"::warning::unsealed: {more} more findings are in the job summary")
    waved = words.suppressed(report)
    if waved is not None:
        lines.append(f"::notice::{_data(waved)}")
    if not report.complete:
        lines.append("::error::unsealed could not read everything: the result is incomplete")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding) -> str:
    place = sorted_places(finding)[0]
    properties = [f"title={_property(finding.title)}"]
    if place.path is not None:
        properties.insert(0, f"file={_property(text_of(place.path))}")
        if place.position is not None:
            properties += [
                f"line={place.position.line}",
                f"endLine={place.position.end_line}",
                f"col={place.position.column}",
                f"endColumn={place.position.end_column}",
            ]
    level = "error" if finding.severity >= Severity.MEDIUM else "warning"
    first, _, _ = finding.remediation.partition("\n")
    if finding.verification.status is not Status.NOT_TRIED:
        first = f"Issuer: {words.status(finding.verification)}. {first}"
    why = words.why(finding)
    first = f"{why}. {first}" if why else first
    commit = f" (commit {place.commit[:12]})" if place.commit else ""
    return f"::{level} {','.join(properties)}::{_data(f'{finding.rule_id}{commit}: {first}')}"


def _data(text: str) -> str:
    # A log is read in terminals too: what steers one is spelled out.
    text = "\r".join(map(visible_lines, text.split("\r")))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
