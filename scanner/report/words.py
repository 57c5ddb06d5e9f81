"""
Sentences that several formats share: places, counts, verdicts, next steps.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping

from scanner.model import Finding, Occurrence, Place, Report, Status, Unread, Verification
from scanner.report.path_text import visible, visible_path

_PLACES = {
    Place.PATH: "in the file's name",
    Place.SYMLINK: "in a link's target",
    Place.COMMIT_MESSAGE: "in a commit message",
    Place.COMMIT_IDENTITY: "in an author or committer",
    Place.COMMIT_HEADER: "in a commit's header",
    Place.TAG_MESSAGE: "in a tag's message",
    Place.TAG_IDENTITY: "in a tag's tagger",
    Place.NOTE: "in a note",
    Place.REFLOG: "in a reflog",
    Place.REF_NAME: "in a ref's name",
    Place.GIT_CONFIG: "in the repository's config",
    Place.LFS_OBJECT: "in an LFS object",
    Place.INDEX: "in the index",
    Place.STDIN: "on standard input",
}
_STATUS = {
    Status.ACTIVE: "ACTIVE",
    Status.INACTIVE: "inactive",
    Status.UNKNOWN: "unknown",
    Status.NOT_TRIED: "not verified",
}
_UNITS = ("B", "kB", "MB", "GB", "TB")
_SHORT_ID = 10
_REASONS_SHOWN = 4


def where(occurrence: Occurrence) -> str:
    """
    Return `path:line:column` (or what comes nearest), safe on one line.
    """
    name = visible_path(occurrence.path)
    if occurrence.position is not None and name:
        name = f"{name}:{occurrence.position.line}:{occurrence.position.column}"
    for member in occurrence.inner_path:
        name = f"{name} » {visible(member)}"
    said = _PLACES.get(occurrence.place)
    if said is not None:
        name = f"{name} ({said})" if name else said
    if not name:
        name = f"object {visible((occurrence.blob or 'unknown')[:_SHORT_ID])}"
    if occurrence.decoded:
        name = f"{name} [{', '.join(map(visible, occurrence.decoded))}]"
    return name


def quoted_path(finding: Finding) -> str:
    """
    Return the path of a finding's first place as a shell takes it.
    """
    return shlex.quote(visible_path(finding.occurrences[0].path) or "FILE")


def where_unread(unread: Unread) -> str:
    """
    Return the place of an input that could not be read.
    """
    return where(
        Occurrence(
            place=unread.place, path=unread.path, blob=unread.blob, inner_path=unread.inner_path
        )
    )


def came_in(occurrence: Occurrence, *, person: bool = True) -> str:
    """
    Return commit, date and author of an occurrence, as far as they are known.
    """
    said = []
    if occurrence.commit:
        said.append(visible(occurrence.commit[:_SHORT_ID]))
    if occurrence.date:
        said.append(visible(occurrence.date[:10]))
    if person and occurrence.author is not None:
        said.append(visible(occurrence.author.name or occurrence.author.email))
    return " ".join(said)


def state(occurrence: Occurrence) -> str:
    """
    Return whether it is still there, empty where that means nothing.
    """
    if occurrence.in_head:
        return "still in HEAD"
    if occurrence.reachable is False:
        return "unreachable"
    if occurrence.removed_at is not None:
        return f"left HEAD {visible(occurrence.removed_at[:10])}"
    if occurrence.in_head is False:
        return "only in history"
    return ""


def why(finding: Finding) -> str:
    """
    Return what speaks for a finding: the state of a file, or what its value proves.
    """
    if finding.seal is not None:
        return visible(finding.seal.reason)
    return visible("; ".join(finding.score_reasons[:_REASONS_SHOWN]))


def begun(text: str) -> str:
    """
    Return a text as a sentence begins: its first letter large, unless its first word is a name.
    """
    return text[:1].upper() + text[1:] if text.split(" ", 1)[0].isalpha() else text


def status(verification: Verification) -> str:
    """
    Return the issuer's verdict in a word or two.
    """
    return _STATUS[verification.status]


def was_asked(verification: Verification) -> bool:
    """
    Say whether there is something to tell: a verdict, or why there is none though one was wanted.
    """
    return verification.status is not Status.NOT_TRIED or verification.reason is not None


def verdict(verification: Verification) -> str:
    """
    Return everything that the issuer said, on one line.
    """
    said = [status(verification)]
    if verification.identity:
        said.append(f"as {visible(verification.identity)}")
    if verification.rights:
        said.append(f"may {visible(', '.join(verification.rights))}")
    elif verification.scopes:
        said.append(f"scopes {visible(', '.join(verification.scopes))}")
    for word, date in (
        ("created", verification.created_at),
        ("last used", verification.last_used_at),
        ("expires", verification.expires_at),
        ("rotated", verification.rotated_at),
        ("checked", verification.checked_at),
    ):
        if date:
            said.append(f"{word} {visible(date)}")
    if verification.reason:
        said.append(visible(verification.reason))
    return "; ".join(said)


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """
    Return a number with its noun: `1 finding`, `2 findings`.
    """
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def size(number: int) -> str:
    """
    Return a number of bytes for a person.
    """
    amount = float(number)
    for unit in _UNITS[:-1]:
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {_UNITS[-1]}"


def shown(finding: Finding) -> str:
    """
    Return the redacted secret, or why there is none.
    """
    if finding.secret is not None:
        return visible(finding.secret.redacted())
    return "" if finding.seal is None else visible(f"{finding.seal.format}: {finding.seal.state}")


def counting(report: Report) -> list[Finding]:
    """
    Return the findings that nothing waved through.
    """
    return [finding for finding in report.findings if finding.suppressed is None]


def coverage(report: Report) -> list[str]:
    """
    Return one line for each kind of object: what was read, skipped and unreadable.
    """
    lines = []
    for kind, count in sorted(report.coverage.kinds.items()):
        said = f"{counted(count.read, visible(kind))} ({size(count.bytes)}) read"
        for reason, number in sorted(count.skipped.items()):
            said += f", {number:,} skipped: {visible(reason)}"
        if count.unreadable:
            said += f", {count.unreadable:,} unreadable"
        lines.append(said)
    return lines


def by_severity(findings: list[Finding]) -> Mapping[str, int]:
    """
    Return how many findings there are of each severity, worst first.
    """
    counts: dict[str, int] = {}
    for finding in sorted(findings, key=lambda one: -one.severity):
        counts[finding.severity.label] = counts.get(finding.severity.label, 0) + 1
    return counts


def suppressed(report: Report) -> str | None:
    """
    Return how many findings were waved through, and by what; `None` if there are none.
    """
    if not report.suppressed:
        return None
    by = Counter(one.suppressed.by for one in report.findings if one.suppressed is not None)
    told = ", ".join(f"{count:,} by {visible(name)}" for name, count in sorted(by.items()))
    more = f" ({told})" if told else ""
    return f"{counted(report.suppressed, 'suppressed finding')} not listed here{more}."
