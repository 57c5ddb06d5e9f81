"""
What becomes one finding.
"""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("first", ["key", "record"])
def test_an_open_key_that_a_rule_found_is_told_once_and_carries_the_record(first: str):
    items = [located("private-key", line=3), located("private-key-plaintext", line=3, sealed=True)]
    if first == "record":
        items.reverse()
    (finding,), _ = collapse(items, rule, Fingerprints(b"k" * 32), comments=Comments.HONOURED)
    assert finding.rule_id == "private-key"
    assert finding.seal == SEAL


@pytest.mark.parametrize(
    ("line", "path", "rule_id"),
    [
        pytest.param(9, b"a.key", "private-key-plaintext", id="another line"),
        pytest.param(3, b"b.key", "private-key-plaintext", id="another file"),
        pytest.param(3, b"a.key", "private-key-fake", id="another record"),
    ],
)
def test_any_other_record_is_told_beside_it(line: int, path: bytes, rule_id: str):
    record = located(rule_id, line=line, path=path, sealed=True)
    assert told(located("private-key", line=3), record) == sorted(["private-key", rule_id])
