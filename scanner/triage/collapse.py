"""
Equal matches become one finding: one secret under one rule, with all its occurrences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scanner.detect.translation import LOWERED, holds_translations, is_word
from scanner.model import (
    Confidence,
    Finding,
    Match,
    Occurrence,
)
from scanner.ruleset.schema import Rule
from scanner.triage.fingerprint import Fingerprints
from scanner.triage.suppression import Comments, by_comment
from scanner.triage.telling import Group, tell_once

Located = tuple[Match, tuple[Occurrence, ...]]
"""A match and the places where it came in, the earliest first."""


def collapse(
    located: Iterable[Located],
    rule_of: Callable[[str], Rule],
    fingerprints: Fingerprints,
    *,
    comments: Comments,
    minimum: Confidence = Confidence.LOW,
    rescore: Callable[[Match, Occurrence], float] | None = None,
) -> tuple[list[Finding], list[str]]:
    """
    Return one finding for each (rule, secret), or (rule, path) for findings
    about files, and the notices that suppressions gave rise to.

    Findings below `minimum` are left out.  `rescore` gives the score of a match at
    one of its paths.  Findings come
    sorted: severity, confidence and score first, then rule and fingerprint.
    """
    groups: dict[tuple[str, object], Group] = {}
    notices: dict[str, None] = {}
    for match, occurrences in located:
        if not occurrences:
            continue
        rule = rule_of(match.rule_id)
        key: object = match.secret or occurrences[0].path
        group = groups.setdefault((rule.id, key), Group(rule, match.secret))
        _add(group, match, occurrences, rescore)
        waved, notice = (
            (None, None)
            if comments is Comments.IGNORED
            else by_comment(match, peers=comments is Comments.WITH_PEERS)
        )
        if waved is not None and comments is Comments.REPORTED:
            waved = None
            notice = f"a comment of this change allows {rule.id}: a change cannot excuse itself"
        if notice is not None:
            notices[notice] = None
        if waved is None:
            group.counts = True
        else:
            group.waved = waved
    tell_once(groups.values())
    # Naming a weak value is slow on purpose: only what is told gets a name.
    told = [group for group in groups.values() if Confidence.of(group.score) >= minimum]
    fingerprints.prepare(group.secret for group in told if group.secret is not None)
    findings = [_finding(group, fingerprints) for group in told]
    findings.sort(key=_rank)
    return findings, list(notices)


def _add(
    group: Group,
    match: Match,
    occurrences: tuple[Occurrence, ...],
    rescore: Callable[[Match, Occurrence], float] | None,
) -> None:
    scores = [match.score if rescore is None else rescore(match, o) for o in occurrences]
    reasons = match.reasons
    # Few matches are words, and each may stand in hundreds of places.
    translated = [holds_translations(o.path) for o in occurrences] if is_word(match) else []
    if any(translated):
        scores = [
            min(score, LOWERED) if among else score
            for score, among in zip(scores, translated, strict=True)
        ]
        reasons = (*reasons, "a word in a file of translations")
    best = min(1.0, max(0.0, max(scores) + match.nudge))
    if best > group.score or not group.occurrences:
        group.score, group.reasons = best, reasons
    group.occurrences.update(dict.fromkeys(occurrences))
    group.companions.update(dict.fromkeys(match.companions))
    group.seal = group.seal or match.seal
    group.proven = group.proven or match.proven


def _finding(group: Group, fingerprints: Fingerprints) -> Finding:
    rule = group.rule
    occurrences = tuple(group.occurrences)
    path = occurrences[0].path or b""
    name = (
        fingerprints.of_path(rule.id, path)
        if group.secret is None
        else fingerprints.of_secret(rule.id, group.secret)
    )
    return Finding(
        fingerprint=name,
        rule_id=rule.id,
        provider=rule.provider,
        title=rule.title,
        severity=rule.severity,
        confidence=Confidence.of(group.score),
        score=round(100 * group.score),
        secret=group.secret,
        occurrences=tuple(sorted(occurrences, key=_age)),
        remediation=rule.remediation,
        score_reasons=group.reasons,
        companions=tuple(group.companions),
        suppressed=None if group.counts else group.waved,
        seal=group.seal,
    )


def _age(occurrence: Occurrence) -> tuple[object, ...]:
    # ISO dates in UTC sort as text; what has no date (an index, a file) keeps to its path.
    position = occurrence.position
    return (
        occurrence.date is None,
        occurrence.date or "",
        occurrence.path or b"",
        position.line if position else 0,
        position.column if position else 0,
        occurrence.commit or "",
    )


def _rank(finding: Finding) -> tuple[object, ...]:
    return (
        -int(finding.severity),
        -int(finding.confidence),
        -finding.score,
        finding.rule_id,
        finding.fingerprint,
    )
