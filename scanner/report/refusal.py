"""
What a hook says when it refuses: on one screen what, where, why, and the way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scanner.model import Finding, Place, Report
from scanner.report import words
from scanner.report.order import sorted_places
from scanner.report.path_text import visible

WHOLE = 2
"""So many findings are told whole; of more there is a line each, to keep to one screen."""

_LINES = 6
_COMMANDS = frozenset({"staged", "range"})


def refuses(report: Report) -> bool:
    """
    Whether a report is read by someone who is about to commit, to push or to merge.
    """
    if report.run.command in _COMMANDS:
        return bool(words.counting(report))
    return _in_message(report)


def is_brief(report: Report) -> bool:
    """
    Whether the report stands in the way of a commit, and so has to fit on one screen.
    """
    return report.run.command == "staged"


def short(findings: Iterable[Finding]) -> Iterator[str]:
    """
    Yield a line for each finding, and one for how many more there are.
    """
    some = list(findings)
    for finding in some[:_LINES]:
        where = words.where(sorted_places(finding)[0])
        yield f"{finding.severity.label.upper():<8} {visible(finding.title)}: {where}"
    if len(some) > _LINES:
        yield f"… and {len(some) - _LINES:,} more (see -f json)"


def way_out(report: Report) -> Iterator[tuple[str, str]]:
    """
    Yield what can be done about it, each with a word in front.
    """
    findings = words.counting(report)
    if _in_message(report):
        yield from _out_of_message(findings)
        return
    staged = report.run.command == "staged"
    if staged:
        yield "", "Not committed yet, and nothing has left this machine. The way out:"
    else:
        yield "", "These commits hold what they must not. The way out:"
        yield "rewrite", "not shared yet: take it out of its commits (git rebase -i)"
        yield "rotate", "shared already: replace the value first, then clean up"
    if any(finding.secret is not None for finding in findings):
        yield "move", "read the value from a secret store or the environment"
    files = [finding for finding in findings if finding.secret is None]
    tool = "ansible-vault encrypt" if _is_vault(files) else "sops encrypt -i"
    yield "seal", f"{tool} {words.quoted_path(files[0]) if files else 'FILE'}"
    if staged:
        yield "allow", f"no secret? a comment on its line: unsealed:allow {_rule(findings)} REASON"
        yield "", "Then `git add` again; `git diff --cached` shows what is staged."
    else:
        yield "allow", "no secret? accept it at the base: unsealed baseline write"


def _in_message(report: Report) -> bool:
    # Only the commit-msg hook has `scan` read a message.
    findings = words.counting(report)
    places = {place.place for finding in findings for place in finding.occurrences}
    return report.run.command == "scan" and places == {Place.COMMIT_MESSAGE}


def _out_of_message(findings: list[Finding]) -> Iterator[tuple[str, str]]:
    yield "", "Not committed yet, and nothing has left this machine. The way out:"
    yield "move", "name where the value is kept (a secret store), not the value"
    yield "allow", f"no secret? put on its line: unsealed:allow {_rule(findings)} REASON"
    yield "", "Then commit again; git kept the message in `.git/COMMIT_EDITMSG`."


def _rule(findings: list[Finding]) -> str:
    return visible(findings[0].rule_id)


def _is_vault(findings: list[Finding]) -> bool:
    return not findings or "vault" in findings[0].rule_id or findings[0].seal is None
