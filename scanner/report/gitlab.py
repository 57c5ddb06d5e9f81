"""
GitLab's secret-detection report, schema 15.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from scanner.model import Finding, Occurrence, Report, Severity, Status
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, sorted_places
from scanner.report.path_text import text_of, visible

_SCHEMA_VERSION = "15.2.1"
_NO_COMMIT = "0000000"  # what GitLab's own analyzer writes for files outside history
_EPOCH = "1970-01-01T00:00:00"
"""The schema wants times; a report that differs on every run is worse than one without a clock."""

_NAMESPACE = uuid.UUID("9b3c2a58-7a0c-5f0e-9d0b-6a1a3b6b5f10")
_NAME_LIMIT = 255
_SEVERITY = {
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
}


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return `gl-secret-detection-report.json`; ids hang on rule and secret alone.
    """
    part = {
        "id": "unsealed",
        "name": "unsealed",
        "vendor": {"name": "unsealed"},
        "version": report.run.version,
    }
    waved = words.suppressed(report)
    document = {
        "version": _SCHEMA_VERSION,
        "scan": {
            "analyzer": part,
            "scanner": part,
            "type": "secret_detection",
            "start_time": _EPOCH,
            "end_time": _EPOCH,
            "status": "success" if report.complete else "failure",
            "messages": [
                {
                    "level": "warn",
                    "value": f"not read: {words.where_unread(one)}: {visible(one.reason)}",
                }
                for one in report.unread
            ]
            + ([] if waved is None else [{"level": "info", "value": waved}]),
        },
        "vulnerabilities": [
            _vulnerability(finding, rules) for finding in by_importance(words.counting(report))
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _vulnerability(finding: Finding, rules: Mapping[str, RuleText]) -> dict[str, Any]:
    place = sorted_places(finding)[0]
    title = visible(finding.title)
    severity = finding.severity
    if finding.verification.status is Status.ACTIVE:
        severity = Severity.CRITICAL
    fields: dict[str, Any] = {
        "id": str(uuid.uuid5(_NAMESPACE, f"{finding.rule_id}:{finding.fingerprint}")),
        "name": title[:_NAME_LIMIT],
        "description": _description(finding),
        "severity": _SEVERITY[severity],
        "solution": finding.remediation or "Revoke or rotate the credential.",
        "raw_source_code_extract": words.shown(finding),
        "location": _location(place),
        "identifiers": [
            {
                "type": "unsealed_rule_id",
                "name": f"unsealed rule {finding.rule_id}",
                "value": finding.rule_id,
            },
            {
                "type": "cwe",
                "name": "CWE-798",
                "value": "798",
                "url": "https://cwe.mitre.org/data/definitions/798.html",
            },
        ],
    }
    rule = rules.get(finding.rule_id)
    links = [{"url": url} for url in (rule.references if rule else ()) if url.startswith("https:")]
    if links:
        fields["links"] = links
    return fields


def _description(finding: Finding) -> str:
    said = [f"{visible(finding.title)}: {words.shown(finding)}."]
    if finding.verification.status is not Status.NOT_TRIED:
        said.append(f"Issuer: {words.status(finding.verification)}.")
    why = words.why(finding)
    if why:
        said.append(f"{words.begun(why)}.")
    said.append(f"Stands in {words.counted(len(finding.occurrences), 'place')}.")
    return " ".join(said)


def _location(place: Occurrence) -> dict[str, Any]:
    commit: dict[str, str] = {"sha": place.commit or _NO_COMMIT}
    if place.author is not None:
        commit["author"] = visible(place.author.name)
    if place.date is not None:
        commit["date"] = place.date
    location: dict[str, Any] = {"file": text_of(place.path or b""), "commit": commit}
    if place.position is not None:
        location["start_line"] = place.position.line
        location["end_line"] = place.position.end_line
    return location
