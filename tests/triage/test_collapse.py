"""
What becomes one finding.
"""

from __future__ import annotations

from scanner.model import (
    Confidence,
    Document,
    Match,
    Occurrence,
    Place,
    Position,
    SealRecord,
    Severity,
)
from scanner.ruleset.schema import Rule
from scanner.secret import Secret
from scanner.triage.collapse import collapse
from scanner.triage.fingerprint import Fingerprints
from scanner.triage.suppression import Comments
from tests.lookalikes import fill

SEAL = SealRecord(format="private-key", state="plaintext", reason="it lies open")


def rule(rule_id: str) -> Rule:
    return Rule(
        id=rule_id,
        title=rule_id,
        provider="nobody",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        remediation="none",
        origin="test",
    )


def located(rule_id: str, *, line: int, path: bytes = b"a.key", sealed: bool = False):
    position = Position(line, 1, line, 9)
    match = Match(
        rule_id=rule_id,
        secret=None if sealed else Secret(fill("{{alnum:40}}").encode()),
        document=Document(Place.FILE, path, "b0"),
        position=position,
        score=0.95,
        seal=SEAL if sealed else None,
    )
    return match, (Occurrence(place=Place.FILE, path=path, position=position),)


def told(*items) -> list[str]:
    findings, _ = collapse(items, rule, Fingerprints(b"k" * 32), comments=Comments.HONOURED)
    return sorted(finding.rule_id for finding in findings)


def test_the_record_of_an_open_key_is_told_beside_the_key_as_every_state_is():
    key = located("private-key", line=3)
    record = located("private-key-plaintext", line=3, sealed=True)
    assert told(key, record) == ["private-key", "private-key-plaintext"]
