"""
A table for spreadsheets: one row for each place of each finding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from scanner.model import Finding, Occurrence, Report
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance
from scanner.report.path_text import visible, visible_path

_COLUMNS = (
    "fingerprint", "rule", "provider", "title", "severity", "confidence", "score", "secret",
    "verification", "place", "path", "inner_path", "decoded", "line", "column", "commit", "blob",
    "author", "email", "date", "reachable", "in_head", "occurrences", "suppressed", "remediation",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "|", "%", "\\", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The full-width forms too, which some spreadsheets take for the plain ones."""


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return a CSV table in which no cell can be taken for a formula.
    """
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(_COLUMNS)
    for finding in by_importance(report.findings):
        for occurrence in finding.occurrences:
            table.writerow([_cell(value) for value in _row(finding, occurrence)])
    return out.getvalue()


def _row(finding: Finding, place: Occurrence) -> list[object]:
    position, author, waved = place.position, place.author, finding.suppressed
    return [
        finding.fingerprint,
        finding.rule_id,
        finding.provider,
        finding.title,
        finding.severity.label,
        finding.confidence.label,
        finding.score,
        words.shown(finding),
        finding.verification.status.value,
        place.place.value,
        visible_path(place.path),
        " » ".join(place.inner_path),
        " ".join(place.decoded),
        position and position.line,
        position and position.column,
        place.commit,
        place.blob,
        author and author.name,
        author and author.email,
        place.date,
        place.reachable,
        place.in_head,
        len(finding.occurrences),
        waved and ": ".join(one for one in (waved.by, waved.reason) if one),
        finding.remediation,
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = visible(str(value))
    # Spreadsheets run what starts like a formula; an apostrophe makes it text.
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
