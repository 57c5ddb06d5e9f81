"""
A comment for a pull request, or a job summary: a table, and details that fold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scanner.model import Finding, Report, Status
from scanner.report import words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, in_head, sorted_places
from scanner.report.path_text import visible

LIMIT = 65_000
"""GitHub takes 65,536 characters for a comment."""

_PLACES_SHOWN = 10
_UNREAD_SHOWN = 20
_ROOM_FOR_THE_END = 600
_CELL_LIMIT = 300
_MARK = {"critical": "🔴", "high": "🟠", "medium": "🟡", "low": "🔵"}


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return Markdown of at most 65,000 characters; what did not fit is counted at the end.
    """
    findings = by_importance(words.counting(report))
    parts = [_head(report, findings)]
    room = LIMIT - _ROOM_FOR_THE_END - len(parts[0])
    rows, room = _fitting([_row(finding) for finding in findings], room - 200)
    if rows:
        parts.append(
            "\n| | What | Secret | Where | State |\n|---|---|---|---|---|\n" + "".join(rows)
        )
    tail = _coverage(report)
    details, room = _fitting([_details(finding) for finding in findings], room - len(tail))
    parts += ["\n", *details] if details else []
    if len(details) < len(findings):
        parts.append(
            f"\n*{words.counted(len(findings), 'finding')}; the table shows {len(rows):,},"
            f" the details {len(details):,}: the JSON report has all of them.*\n"
        )
    parts.append(tail)
    return "".join(parts)


def _fitting(pieces: list[str], room: int) -> tuple[list[str], int]:
    kept = []
    for piece in pieces:
        if len(piece) > room:
            break
        room -= len(piece)
        kept.append(piece)
    return kept, room


def _head(report: Report, findings: list[Finding]) -> str:
    if not findings:
        if report.complete:
            return "### ✅ unsealed: no leaked credential\n"
        return "### ⚠️ unsealed: no leaked credential found, but not everything was read\n"
    counts = ", ".join(
        f"{number:,} {label}" for label, number in words.by_severity(findings).items()
    )
    active = sum(one.verification.status is Status.ACTIVE for one in findings)
    said = f"### 🚨 unsealed: {words.counted(len(findings), 'leaked credential')} ({counts})\n\n"
    if active:
        said += f"**{active:,} accepted by the issuer: live right now.**\n"
    head = sum(map(in_head, findings))
    if head:
        said += f"{head:,} still in HEAD.\n"
    return (
        said + "Rotate first: to remove the value in a new commit is not enough, "
        "it stays in the history.\n"
    )


def _row(finding: Finding) -> str:
    place = sorted_places(finding)[0]
    more = len(finding.occurrences) - 1
    where = _code(words.where(place)) + (f" and {more:,} more" if more else "")
    states = [words.state(place)]
    if finding.verification.status is not Status.NOT_TRIED:
        states.insert(0, f"**{words.status(finding.verification)}**")
    cells = (
        f"{_MARK[finding.severity.label]} {finding.severity.label}",
        f"{_plain(finding.title)}<br>{_code(finding.rule_id)}",
        _code(words.shown(finding)),
        where,
        ", ".join(one for one in states if one),
    )
    return f"| {' | '.join(cells)} |\n"


def _details(finding: Finding) -> str:
    title = f"{_plain(finding.title)} {_code_html(words.shown(finding))}"
    lines = [f"<details><summary>{title}</summary>\n"]
    if words.was_asked(finding.verification):
        lines.append(f"- Issuer: {_plain(words.verdict(finding.verification))}")
    why = words.why(finding)
    if why:
        lines.append(f"- Why: {_plain(why)}")
    for place in sorted_places(finding)[:_PLACES_SHOWN]:
        said = [words.came_in(place, person=False), words.state(place)]
        about = ", ".join(_plain(one) for one in said if one)
        lines.append(f"- {_code(words.where(place))}{' — ' if about else ''}{about}")
    rest = len(finding.occurrences) - _PLACES_SHOWN
    if rest > 0:
        lines.append(f"- … and {words.counted(rest, 'more place')}")
    lines.append(f"\n**What to do:** {_plain(' '.join(finding.remediation.split()))}\n")
    lines.append(f"Fingerprint `{finding.fingerprint}`\n\n</details>\n")
    return "\n".join(lines)


def _coverage(report: Report) -> str:
    lines = [f"- {_plain(line)}" for line in words.coverage(report)]
    lines += [
        f"- limit {_plain(one.name)}: {_plain(one.reason)}" for one in report.limits[:_UNREAD_SHOWN]
    ]
    lines += [f"- note: {_plain(one)}" for one in report.notices[:_UNREAD_SHOWN]]
    lines += [
        f"- **not read:** {_code(words.where_unread(one))}: {_plain(one.reason)}"
        for one in report.unread[:_UNREAD_SHOWN]
    ]
    rest = len(report.unread) - _UNREAD_SHOWN
    if rest > 0:
        lines.append(f"- … and {rest:,} more not read")
    if report.suppressed:
        lines.append(f"- {report.suppressed:,} suppressed")
    body = "\n".join(lines)
    return f"\n<details><summary>What was read</summary>\n\n{body}\n\n</details>\n"


def _plain(text: str) -> str:
    """
    Return `text` so that Markdown, HTML and mentions in it mean nothing.
    """
    text = _cut(visible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_{}\[\]#+!|~$])", r"\\\1", text)
    # A zero-width joiner keeps `@name`, `#1` and bare addresses from notifying or linking.
    return text.replace("@", "@\u200d").replace("://", ":\u200d//").replace("www.", "www\u200d.")


def _code(text: str) -> str:
    """
    Return `text` as code that fits into a cell of a table.
    """
    return _code_html(text) if text else ""


def _code_html(text: str) -> str:
    if not text:
        return ""
    text = _cut(visible(text))
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Numeric references, because Markdown still reads what stands inside <code>.
    marked = re.sub(r"[\\`*_{}\[\]|~@:$#!]", lambda found: f"&#{ord(found[0])};", escaped)
    return f"<code>{marked}</code>"


def _cut(text: str) -> str:
    return text if len(text) <= _CELL_LIMIT else f"{text[: _CELL_LIMIT - 1]}…"
