"""
The audit as one self-contained page: no network, readable without script.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

from scanner.model import Finding, Report, Status
from scanner.report import words
from scanner.report.html_assets import SCRIPT, STYLE
from scanner.report.html_chart import bar, day, lanes_left_out, life_of, timeline
from scanner.report.html_finding import chip, details
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, in_head
from scanner.report.path_text import visible, visible_path

_ROWS_SHOWN = 10
_LISTED = 200
_SEVERITIES = ("critical", "high", "medium", "low")


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return the page.  Every value of the scanned repository is escaped, and
    the policy in its head lets nothing run or load but our own two blocks.
    """
    findings = by_importance(words.counting(report))
    body = [
        _header(report, findings),
        "<main>",
        _cards(report, findings),
        _notices(report),
        _timeline(findings),
        _tables(findings),
        _list(findings, rules),
        _suppressed(report, rules),
        _seals(report),
        _coverage(report),
        "</main>",
        (
            f"<footer>unsealed {_e(report.run.version)} · rules {_e(report.run.rules_digest[:12])}"
            " · secrets are redacted in this page</footer>"
        ),
    ]
    return "\n".join([_head(report), *(part for part in body if part), _foot()]) + "\n"


def _head(report: Report) -> str:
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}';"
        " base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>unsealed: {_e(_target(report))}</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    )


def _foot() -> str:
    return f"<script>{SCRIPT}</script>\n</body>\n</html>"


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _header(report: Report, findings: list[Finding]) -> str:
    active = sum(one.verification.status is Status.ACTIVE for one in findings)
    if findings:
        verdict = words.counted(len(findings), "leaked credential")
        if active:
            verdict += f", {active:,} live right now"
    elif report.complete:
        verdict = "No leaked credential found"
    else:
        verdict = "Nothing found, but not everything was read"
    said = [f"<code>unsealed {_e(report.run.command)}</code> of <code>{_e(_target(report))}</code>"]
    if report.run.head:
        said.append(f"HEAD <code>{_e(report.run.head[:12])}</code>")
    if report.run.base:
        said.append(f"base <code>{_e(report.run.base[:12])}</code>")
    said.append(f"{report.seconds:.1f} s")
    state = "every input was read" if report.complete else "not every input could be read"
    kind = "good" if report.complete else "medium"
    return (
        f'<header><div class="in"><span class="brand">unsealed</span><h1>{_e(verdict)}</h1>'
        f'<p class="soft">{" · ".join(said)} · <span class="{kind}">{state}</span></p>'
        "</div></header>"
    )


def _cards(report: Report, findings: list[Finding]) -> str:
    counts = words.by_severity(findings)
    cards = [(f"{counts[label]:,}", label, label) for label in _SEVERITIES if counts.get(label)]
    active = sum(one.verification.status is Status.ACTIVE for one in findings)
    if any(one.verification.status is not Status.NOT_TRIED for one in findings):
        cards.append((f"{active:,}", "accepted by the issuer", "critical" if active else "good"))
    if any(place.in_head is not None for one in findings for place in one.occurrences):
        cards.append((f"{sum(map(in_head, findings)):,}", "still in HEAD", ""))
    lives = [life for life in map(life_of, findings) if life is not None]
    if lives:
        cards.append((day(min(life.times[0] for life in lives)), "oldest leak", ""))
    read = sum(count.read for count in report.coverage.kinds.values())
    size = sum(count.bytes for count in report.coverage.kinds.values())
    cards.append((f"{read:,}", f"objects read, {words.size(size)}", ""))
    if report.unread:
        cards.append((f"{len(report.unread):,}", "not read", "medium"))
    shown = [
        f'<div class="card"><b class="{kind}">{_e(number)}</b><span>{_e(name)}</span></div>'
        for number, name, kind in cards
    ]
    return f'<div class="cards">{"".join(shown)}</div>'


def _notices(report: Report) -> str:
    return "".join(f'<p class="panel notice">{_e(notice)}</p>' for notice in report.notices)


def _timeline(findings: list[Finding]) -> str:
    lives = [life for life in map(life_of, findings) if life is not None]
    if not lives:
        return ""
    left = lanes_left_out(lives)
    more = (
        f"<span>the {len(lives) - left:,} oldest of {len(lives):,} have a lane</span>"
        if left
        else ""
    )
    return (
        "<h2>When they came in, and when they went</h2>"
        f'<div class="panel">{timeline(lives)}<p class="legend">'
        f"<span>{_dot('critical')}came in or was copied</span>"
        f"<span>{_dot('good')}gone from HEAD (still in git)</span>"
        f"<span>an arrow: still in HEAD; a dashed line: gone, date unknown</span>{more}</p></div>"
    )


def _dot(kind: str) -> str:
    return (
        '<svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">'
        f'<circle class="f-{kind}" cx="6" cy="6" r="5"/></svg>'
    )


def _tables(findings: list[Finding]) -> str:
    if not findings:
        return ""
    rules = Counter(visible(one.title) for one in findings)
    authors: Counter[str] = Counter()
    paths: Counter[str] = Counter()
    for finding in findings:
        # One secret in a hundred places is one leak of each of its authors.
        authors.update(
            {
                visible(one.author.name or one.author.email)
                for one in finding.occurrences
                if one.author
            }
        )
        paths.update({_folder(one.path) for one in finding.occurrences if one.path})
    tables = [
        _ranking("By kind", rules),
        _ranking("By path", paths),
        _ranking("By author", authors),
    ]
    return f'<h2>Where they cluster</h2><div class="three">{"".join(tables)}</div>'


def _ranking(title: str, counts: Counter[str]) -> str:
    if not counts:
        return ""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    most = ranked[0][1]
    rows = [
        f'<tr><td class="name">{_e(name)}</td><td class="bar">{bar(count / most)}</td>'
        f'<td class="n">{count:,}</td></tr>'
        for name, count in ranked[:_ROWS_SHOWN]
    ]
    rest = len(ranked) - _ROWS_SHOWN
    more = f'<p class="soft small">and {rest:,} more</p>' if rest > 0 else ""
    return f'<div class="panel"><h3>{title}</h3><table>{"".join(rows)}</table>{more}</div>'


def _folder(path: bytes) -> str:
    folder, slash, _ = path.rpartition(b"/")
    return f"{visible_path(folder)}/" if slash else visible_path(path)


def _list(findings: list[Finding], rules: Mapping[str, RuleText]) -> str:
    if not findings:
        return ""
    boxes = "".join(
        f'<label><input type="checkbox" value="{label}" checked>{label}</label>'
        for label in words.by_severity(findings)
    )
    tools = (
        '<div class="tools" id="tools" hidden>'
        '<input type="search" id="q" placeholder="Search rule, path, author, commit …  ( / )"'
        ' aria-label="Search findings">'
        f'{boxes}<select id="state" aria-label="State"><option value="">any state</option>'
        '<option value="active">live</option><option value="head">still in HEAD</option>'
        '<option value="history">only in history</option>'
        '<option value="unreachable">unreachable</option></select>'
        '<span class="soft small" id="shown" aria-live="polite"></span></div>'
    )
    first = [details(one, rules, opened=number == 0) for number, one in enumerate(findings)]
    return f"<h2>Findings</h2>{tools}{''.join(first)}"


def _suppressed(report: Report, rules: Mapping[str, RuleText]) -> str:
    waved = [one for one in by_importance(report.findings) if one.suppressed is not None]
    if not waved:
        return ""
    shown = "".join(details(one, rules) for one in waved)
    return f"<h2>Suppressed</h2>{shown}"


def _seals(report: Report) -> str:
    if not report.seals:
        return ""
    rows = [
        f'<tr><td class="name mono">{_e(visible_path(one.path))}:{one.line}</td>'
        f"<td>{_e(one.format)}</td><td>{_seal_chip(one.state)}</td><td>{_e(one.reason)}</td></tr>"
        for one in report.seals[:_LISTED]
    ]
    return (
        '<h2>Sealed files</h2><div class="panel"><table><thead><tr><th>File</th><th>Format</th>'
        f"<th>State</th><th>Proof</th></tr></thead>{''.join(rows)}</table>"
        f"{_more(len(report.seals))}</div>"
    )


def _seal_chip(state: str) -> str:
    kind = {"sealed": "good", "reference": "good", "partly-sealed": "medium"}.get(state, "critical")
    return chip(visible(state), kind)


def _coverage(report: Report) -> str:
    rows = []
    for kind, count in sorted(report.coverage.kinds.items()):
        skipped = ", ".join(
            f"{number:,} {visible(reason)}" for reason, number in sorted(count.skipped.items())
        )
        rows.append(
            f'<tr><td>{_e(kind)}</td><td class="n">{count.read:,}</td>'
            f'<td class="n">{_e(words.size(count.bytes))}</td>'
            f'<td class="n">{count.unreadable:,}</td>'
            f'<td class="n">{_e(skipped) or "none"}</td></tr>'
        )
    parts = [
        (
            '<h2>What was read</h2><div class="panel"><table><thead><tr><th>Kind</th>'
            '<th class="n">Read</th><th class="n">Bytes</th><th class="n">Unreadable</th>'
            f'<th class="n">Skipped</th></tr></thead>{"".join(rows)}</table>'
        )
    ]
    parts += _items(
        "Not read", (f"{words.where_unread(one)}: {visible(one.reason)}" for one in report.unread)
    )
    parts += _items(
        "Limits that bit", (f"{visible(one.name)}: {visible(one.reason)}" for one in report.limits)
    )
    return "".join([*parts, "</div>"])


def _items(title: str, lines: Iterable[str]) -> list[str]:
    listed = list(lines)
    if not listed:
        return []
    items = "".join(f"<li>{_e(line)}</li>" for line in listed[:_LISTED])
    return [f"<h3>{title}</h3><ul>{items}</ul>{_more(len(listed))}"]


def _more(number: int) -> str:
    rest = number - _LISTED
    return f'<p class="soft small">and {rest:,} more (see the JSON report)</p>' if rest > 0 else ""


def _target(report: Report) -> str:
    return visible(report.run.target)


def _e(text: str) -> str:
    return escape(visible(text), quote=True)
