"""
SARIF 2.1.0, cut to what GitHub code scanning really reads (docs/reports.md, "SARIF").
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sarif_om

from scanner.model import Finding, Report
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, in_head
from scanner.report.path_text import visible
from scanner.report.sarif_anchor import Anchors
from scanner.report.sarif_objects import plain
from scanner.report.sarif_results import result_of
from scanner.report.sarif_rules import descriptors

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_INFORMATION = "https://github.com/unsealed-scanner/unsealed"

RESULTS_KEPT = 5_000
"""GitHub takes 25,000 results a run and keeps 5,000 of them: more go into further runs."""

_RUNS = 16  # of at most 20; a power of two, so that a finding rarely changes its run
_FILL = 0.8  # a run is not filled to the brim: fingerprints spread unevenly
_LOCATIONS = 100
_COMPRESSED_BYTES = 9_500_000  # GitHub's limit is 10 MB after gzip
_NOTIFICATIONS = 50


@dataclass(frozen=True, slots=True)
class _Cut:
    """
    How much of a report is kept to stay within the size that is accepted.
    """

    results: int
    locations: int


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:
    """
    Return a SARIF log within GitHub's limits; what is left out is told in a notification.
    """
    findings = by_importance(words.counting(report))
    anchors = Anchors(options.file_text, options.living_paths)
    cut = _Cut(results=RESULTS_KEPT * _RUNS, locations=_LOCATIONS)
    while True:
        text = _log(report, findings, rules=rules, anchors=anchors, options=options, cut=cut)
        packed = len(gzip.compress(text.encode(), compresslevel=6, mtime=0))
        if packed <= _COMPRESSED_BYTES or cut.results <= 1:
            return text
        if cut.locations > 1:
            cut = _Cut(cut.results, cut.locations // 10 or 1)
        else:
            kept = min(cut.results, len(findings))
            cut = _Cut(max(1, int(kept * 0.9 * _COMPRESSED_BYTES / packed)), cut.locations)


def category_of(report: Report) -> str:
    """
    Return the category of a run: uploads of one category close each other's alerts.
    """
    if report.run.command == "audit":
        return "secrets-history"
    return "secrets-pr" if report.run.command == "range" else "secrets-head"


def _log(
    report: Report,
    findings: Sequence[Finding],
    *,
    rules: Mapping[str, RuleText],
    anchors: Anchors,
    options: Options,
    cut: _Cut,
) -> str:
    kept = findings[: cut.results]
    dropped = len(findings) - len(kept)
    category = options.category or category_of(report)
    runs, shares = [], _shares(kept)
    for number, share in enumerate(shares, start=1):
        within = share[:RESULTS_KEPT]
        dropped += len(share) - len(within)
        suffix = "" if number == 1 else f"-{number}"
        runs.append(
            _run(
                report,
                within,
                rules=rules,
                anchors=anchors,
                cut=cut,
                category=f"{category}{suffix}",
            )
        )
    runs[0].invocations = [_invocation(report, findings, dropped, cut)]
    log = sarif_om.SarifLog(version="2.1.0", schema_uri=_SCHEMA, runs=runs)
    return json.dumps(plain(log), indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _shares(findings: Sequence[Finding]) -> list[list[Finding]]:
    """
    Return the findings of each run.  A finding goes by its fingerprint, so that
    new findings do not push old ones from one category into another.
    """
    count = 1
    if len(findings) > RESULTS_KEPT:
        while count < _RUNS and len(findings) > RESULTS_KEPT * _FILL * count:
            count *= 2
    shares: list[list[Finding]] = [[] for _ in range(count)]
    for finding in findings:
        shares[_number(finding.fingerprint) % count].append(finding)
    return shares


def _number(fingerprint: str) -> int:
    try:
        return int(fingerprint[-8:], 16)
    except ValueError:
        return sum(fingerprint.encode())


def _run(
    report: Report,
    findings: Sequence[Finding],
    *,
    rules: Mapping[str, RuleText],
    anchors: Anchors,
    cut: _Cut,
    category: str,
) -> sarif_om.Run:
    described = descriptors(findings, rules)
    index = {one.id: number for number, one in enumerate(described)}
    return sarif_om.Run(
        tool=sarif_om.Tool(
            driver=sarif_om.ToolComponent(
                name="unsealed",
                version=report.run.version,
                semantic_version=report.run.version,
                information_uri=_INFORMATION,
                rules=described,
                properties={"rules_digest": report.run.rules_digest},
            )
        ),
        # Ours are characters; GitHub takes columns in UTF-16 unless told.
        column_kind="unicodeCodePoints",
        automation_details=sarif_om.RunAutomationDetails(id=f"{category}/"),
        results=[
            result_of(finding, anchors, index, locations=cut.locations) for finding in findings
        ],
        default_encoding="utf-8",
        properties={"secrets_at_head": sum(map(in_head, findings))},
    )


def _invocation(
    report: Report, findings: Sequence[Finding], dropped: int, cut: _Cut
) -> sarif_om.Invocation:
    notes = []
    if dropped:
        notes.append(
            _note(
                f"{words.counted(dropped, 'finding')} of {len(findings):,} left out, the least"
                " important ones: GitHub's limits. The JSON report has all of them."
            )
        )
    most = max((len(finding.occurrences) for finding in findings), default=0)
    if most > cut.locations:
        notes.append(
            _note(
                f"At most {words.counted(cut.locations, 'place')} of each finding told;"
                " the JSON report has all of them."
            )
        )
    unread = [
        _note(f"Not read: {words.where_unread(one)}: {visible(one.reason)}", "error")
        for one in report.unread[:_NOTIFICATIONS]
    ]
    if len(report.unread) > _NOTIFICATIONS:
        rest = len(report.unread) - _NOTIFICATIONS
        unread.append(_note(f"{words.counted(rest, 'more input')} not read.", "error"))
    limits = [
        _note(f"Limit {visible(one.name)}: {visible(one.reason)}")
        for one in report.limits[:_NOTIFICATIONS]
    ]
    waved = words.suppressed(report)  # GitHub reads no `suppressions`: it would show them as open
    if waved is not None:
        notes.append(_note(waved, "note"))
    notices = [_note(visible(one), "note") for one in report.notices[:_NOTIFICATIONS]]
    return sarif_om.Invocation(
        execution_successful=report.complete,
        tool_execution_notifications=[*notes, *unread, *limits, *notices] or None,
    )


def _note(text: str, level: str = "warning") -> sarif_om.Notification:
    return sarif_om.Notification(message=sarif_om.Message(text=text), level=level)
