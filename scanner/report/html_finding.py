"""
One finding of the HTML page, folded: what, where, since when, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from scanner.model import Finding, Occurrence, Status
from scanner.report import words
from scanner.report.options import RuleText
from scanner.report.order import in_head, sorted_places
from scanner.report.path_text import visible

_PLACES_SHOWN = 50
_STEPS = (
    "Look through the issuer's log for use by others since the day it came in.",
    "Keep the new value in a secret store, or seal it, and read it from there.",
    "Clean the history after the rotation if it must be clean; never instead of it.",
)


def details(finding: Finding, rules: Mapping[str, RuleText], *, opened: bool = False) -> str:
    """
    Return one `<details>` block.
    """
    places = sorted_places(finding)
    label = finding.severity.label
    secret = words.shown(finding)
    return (
        f'<details class="finding panel" data-severity="{label}"'
        f' data-state="{" ".join(_states(finding))}"{" open" if opened else ""}>'
        f"<summary><span>{chip(label, label)}</span>"
        f'<span class="what">{_e(finding.title)} {_code(secret)}</span>'
        f'<span class="badges">{_badges(finding)}</span>'
        f'<span class="at mono">{_e(words.where(places[0]))}</span></summary>'
        f'<div class="body">{_facts(finding)}{_places(places)}{_next(finding, rules)}</div>'
        "</details>"
    )


def chip(text: str, kind: str) -> str:
    """
    Return a small label.
    """
    return f'<span class="chip {kind}">{_e(text)}</span>'


def _states(finding: Finding) -> list[str]:
    states = [finding.verification.status.value]
    if in_head(finding):
        states.append("head")
    elif any(one.in_head is False for one in finding.occurrences):
        states.append("history")
    if all(one.reachable is False for one in finding.occurrences):
        states.append("unreachable")
    return states


def _badges(finding: Finding) -> str:
    badges = []
    status = finding.verification.status
    if status is Status.ACTIVE:
        badges.append(chip("LIVE", "live"))
    elif status is not Status.NOT_TRIED:
        badges.append(
            chip(words.status(finding.verification), "good" if _dead(status) else "medium")
        )
    state = words.state(sorted_places(finding)[0])
    if state:
        badges.append(chip(state, "high" if in_head(finding) else "soft"))
    if len(finding.occurrences) > 1:
        badges.append(chip(words.counted(len(finding.occurrences), "place"), "soft"))
    return "".join(badges)


def _dead(status: Status) -> bool:
    return status is Status.INACTIVE


def _facts(finding: Finding) -> str:
    facts = [
        ("Rule", f"{_code(finding.rule_id)} {_e(finding.provider)}"),
        ("Confidence", f"{finding.confidence.label} ({finding.score} of 100)"),
    ]
    if finding.score_reasons:
        facts.append(("Because", _e(", ".join(finding.score_reasons))))
    if words.was_asked(finding.verification):
        facts.append(("Issuer says", _e(words.verdict(finding.verification))))
    facts += [(one.name, _code(one.value.redacted())) for one in finding.companions]
    if finding.seal is not None:
        facts.append(("Seal", _e(f"{finding.seal.format}, {finding.seal.state}")))
        facts.append(("Why", _e(finding.seal.reason)))
    waved = finding.suppressed
    if waved is not None:
        said = [waved.by, waved.reason, waved.until and f"until {waved.until}", waved.owner]
        facts.append(("Suppressed by", _e(", ".join(one for one in said if one))))
    facts.append(("Fingerprint", _code(finding.fingerprint)))
    return "<dl>" + "".join(f"<dt>{_e(name)}</dt><dd>{said}</dd>" for name, said in facts) + "</dl>"


def _places(places: list[Occurrence]) -> str:
    rows = [_row(place) for place in places[:_PLACES_SHOWN]]
    rest = len(places) - _PLACES_SHOWN
    more = f'<p class="soft small">and {rest:,} more (see the JSON report)</p>' if rest > 0 else ""
    return (
        '<h3>Where it stands</h3><table class="places"><thead><tr><th>Place</th><th>Commit</th>'
        f"<th>Date</th><th>Author</th><th>State</th></tr></thead>{''.join(rows)}</table>{more}"
    )


def _row(place: Occurrence) -> str:
    author = ""
    if place.author is not None:
        author = _e(place.author.name or place.author.email)
        if place.author.name and place.author.email:
            author += f' <span class="soft small">{_e(place.author.email)}</span>'
    commit = _code(place.commit[:12]) if place.commit else ""
    return (
        f'<tr><td class="name mono">{_e(words.where(place))}</td><td>{commit}</td>'
        f"<td>{_e((place.date or '')[:10])}</td><td>{author}</td>"
        f"<td>{_e(words.state(place))}</td></tr>"
    )


def _next(finding: Finding, rules: Mapping[str, RuleText]) -> str:
    rule = rules.get(finding.rule_id)
    remediation = finding.remediation or (rule.remediation if rule else "")
    steps = [" ".join(remediation.split()) or "Revoke or rotate it at its issuer."]
    steps += _STEPS if finding.secret is not None else ()
    items = "".join(f"<li>{_e(step)}</li>" for step in steps)
    links = "".join(
        f'<li><a href="{_e(url)}" rel="noreferrer noopener">{_e(url)}</a></li>'
        for url in (rule.references if rule else ())
        if url.startswith("https://")
    )
    return f"<h3>What to do</h3><ol>{items}</ol>" + (f"<ul>{links}</ul>" if links else "")


def _code(text: str) -> str:
    return f"<code>{_e(text)}</code>" if text else ""


def _e(text: str) -> str:
    return escape(visible(text), quote=True)
