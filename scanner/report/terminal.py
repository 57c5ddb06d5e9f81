"""
The report for a person at a terminal.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.text import Text

from scanner.model import Finding, Occurrence, Report, Severity, Status
from scanner.report import refusal, words
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance, in_head, sorted_places
from scanner.report.path_text import text_of, visible, visible_lines

_PLACES_SHOWN = 5
_UNREAD_SHOWN = 10
_NARROWEST = 40
_SEVERITY_STYLE = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_STATUS_STYLE = {
    Status.ACTIVE: "bold white on red",
    Status.INACTIVE: "green",
    Status.UNKNOWN: "yellow",
    Status.NOT_TRIED: "dim",
}


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:
    """
    Return findings grouped by secret, what matters first, then coverage and next steps.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(options.width, _NARROWEST),
        force_terminal=options.color,
        no_color=not options.color,
        color_system="standard" if options.color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        soft_wrap=False,
        _environ={},
    )
    findings = by_importance(report.findings)
    told = [finding for finding in findings if finding.suppressed is None]
    brief = refusal.is_brief(report)
    whole = told[: refusal.WHOLE] if brief else told
    for finding in whole:
        _finding(console, finding, rules, show_secrets=options.show_secrets, brief=brief)
    if len(whole) < len(told):
        for said in refusal.short(told[len(whole) :]):
            console.print(Text(said, overflow="ellipsis", no_wrap=True))
        console.print()
    _suppressed(console, [finding for finding in findings if finding.suppressed is not None])
    _unread(console, report)
    _summary(console, report)
    text = out.getvalue()
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _finding(
    console: Console,
    finding: Finding,
    rules: Mapping[str, RuleText],
    *,
    show_secrets: bool,
    brief: bool = False,
) -> None:
    head = Text(overflow="fold")
    head.append(f"{finding.severity.label.upper():<8} ", _SEVERITY_STYLE[finding.severity])
    head.append(visible(finding.title), "bold")
    if finding.verification.status is not Status.NOT_TRIED:
        head.append("  ")
        head.append(
            f" {words.status(finding.verification)} ", _STATUS_STYLE[finding.verification.status]
        )
    console.print(head)
    label = "seal" if finding.secret is None else "secret"
    _field(console, label, _secret(finding, show_secrets=show_secrets), "bold")
    _field(
        console,
        "rule",
        f"{visible(finding.rule_id)}, confidence {finding.confidence.label} ({finding.score}),"
        f" id {finding.fingerprint[:12]}",
        "dim",
    )
    if words.was_asked(finding.verification):
        _field(console, "verified", words.verdict(finding.verification))
    _field(console, "why", words.why(finding))
    for companion in finding.companions:
        value = companion.value
        plain = show_secrets and not value.withheld
        shown = text_of(value.reveal()) if plain else value.redacted()
        _field(console, "with", visible(f"{companion.name} {shown}"))
    _places(console, finding, 2 if brief else _PLACES_SHOWN)
    if not brief:
        _field(console, "next", _next_step(finding, rules))
    console.print()


def _secret(finding: Finding, *, show_secrets: bool) -> str:
    secret = finding.secret
    if show_secrets and secret is not None and not secret.withheld:
        return visible_lines(text_of(secret.reveal()))
    return words.shown(finding)


def _places(console: Console, finding: Finding, shown: int) -> None:
    places = sorted_places(finding)
    for place in places[:shown]:
        _place(console, place)
    rest = len(places) - shown
    if rest > 0:
        _field(console, "", f"… and {words.counted(rest, 'more place')} (see -f json)", "dim")


def _place(console: Console, place: Occurrence) -> None:
    _field(console, "at", words.where(place))
    details = [said for said in (words.came_in(place), words.state(place)) if said]
    if details:
        _field(console, "", ", ".join(details), "dim")


def _field(console: Console, name: str, value: str, style: str = "") -> None:
    if not value:
        return
    # A long path without blanks is folded, never cut: it must be there to be copied.
    body = Text(value, style=style, overflow="fold")
    label = Text(f"{name:>8} ", style="dim")
    width = console.width - 11
    lines = body.wrap(console, max(width, 20), overflow="fold")
    for number, line in enumerate(lines):
        line.rstrip()
        console.print(Text("  ") + (label if number == 0 else Text(" " * 9)) + line)


def _next_step(finding: Finding, rules: Mapping[str, RuleText]) -> str:
    rule = rules.get(finding.rule_id)
    remediation = finding.remediation or (rule.remediation if rule else "")
    return visible(" ".join(remediation.split()))


def _suppressed(console: Console, findings: list[Finding]) -> None:
    if not findings:
        return
    console.print(Text(f"{words.counted(len(findings), 'suppressed finding')}:", "bold"))
    for finding in findings:
        waved = finding.suppressed
        if waved is None:
            continue
        said = f"{visible(finding.rule_id)} at {words.where(finding.occurrences[0])}"
        said += f" — by {visible(waved.by)}"
        if waved.until:
            said += f" until {visible(waved.until)}"
        if waved.reason:
            said += f": {visible(waved.reason)}"
        console.print(Padding(Text(said, "dim", overflow="fold"), (0, 0, 0, 2)))
    console.print()


def _unread(console: Console, report: Report) -> None:
    if not report.unread:
        return
    console.print(Text(f"Not read ({len(report.unread):,}):", "bold yellow"))
    for unread in report.unread[:_UNREAD_SHOWN]:
        said = f"{words.where_unread(unread)}: {visible(unread.reason)}"
        console.print(Padding(Text(said, overflow="fold"), (0, 0, 0, 2)))
    rest = len(report.unread) - _UNREAD_SHOWN
    if rest > 0:
        console.print(Text(f"  … and {rest:,} more (see -f json)", "dim"))
    console.print()


def _summary(console: Console, report: Report) -> None:
    console.print(Line(style="dim"))
    findings = words.counting(report)
    if findings:
        said = Text()
        said.append(words.counted(len(findings), "finding"), "bold red")
        counts = ", ".join(f"{count:,} {label}" for label, count in _severities(findings))
        said.append(f" ({counts})")
        active = sum(one.verification.status is Status.ACTIVE for one in findings)
        if active:
            said.append(f", {active:,} ACTIVE", "bold red")
        head = sum(map(in_head, findings))
        if head:
            said.append(f", {head:,} still in HEAD")
        console.print(said)
    elif report.complete:
        console.print(Text("No finding.", "bold green"))
    else:
        console.print(Text("No finding, but not everything was read.", "bold yellow"))
    if report.suppressed:
        console.print(Text(f"{report.suppressed:,} suppressed", "dim"))
    for line in words.coverage(report):
        console.print(Text(line, "dim"))
    for limit in report.limits[:_UNREAD_SHOWN]:
        console.print(Text(f"limit {visible(limit.name)}: {visible(limit.reason)}", "yellow"))
    for notice in report.notices:
        console.print(Text(f"note: {visible(notice)}", "yellow"))
    complete = "complete" if report.complete else "NOT complete: see above"
    console.print(
        Text(f"{visible(report.run.command)} took {report.seconds:.1f} s, {complete}", "dim")
    )
    if refusal.refuses(report):
        _way_out(console, report)
    elif findings:
        console.print()
        console.print(Text("What now: rotate first (a commit that removes it is not enough),"))
        console.print(Text("then clean up.  `-f html -o report.html` gives the whole picture."))


def _way_out(console: Console, report: Report) -> None:
    for name, said in refusal.way_out(report):
        if name:
            _field(console, name, said)
        else:
            console.print(Text(said, "bold"))


def _severities(findings: list[Finding]) -> list[tuple[str, int]]:
    return list(words.by_severity(findings).items())
