"""
The first pass tells every hit, but for long runs of one letter, where it tells enough of them.
"""

from __future__ import annotations

import itertools
import random

import pytest

from scanner.detect import compiling, registry
from scanner.detect.compiling import Wanted
from scanner.detect.engine import Engine
from scanner.detect.first_pass import FirstPass, load
from scanner.model import Confidence, Document, Place, Severity
from scanner.ruleset.schema import Rule
from scanner.sources.batch import ListBatch


def first_pass(*patterns: bytes) -> FirstPass:
    wanted = [Wanted(pattern) for pattern in patterns]
    (database,) = compiling.Compilation(wanted, [range(len(wanted))]).result()
    return FirstPass([load(database)])


def test_a_run_of_one_letter_is_told_in_steps() -> None:
    ends = [end for end, _ in first_pass(b"A{10}").hits(b"A" * 10_000)]

    assert ends[:64] == list(range(10, 74))
    assert len(ends) < 800
    assert max(b - a for a, b in itertools.pairwise(ends)) <= 16
    assert 10_000 - ends[-1] < 16


def test_hits_of_two_expressions_do_not_thin_each_other() -> None:
    hits = first_pass(b"a", b"b").hits(b"ab" * 500)

    assert hits == [(end, (end - 1) % 2) for end in range(1, 1001)]


def test_a_run_that_starts_again_is_told_from_its_start() -> None:
    ends = [end for end, _ in first_pass(b"A").hits(b"A" * 500 + b"." + b"A" * 40)]

    assert ends[-40:] == list(range(502, 542))


@pytest.mark.parametrize("length", [100, 1_000, 5_003, 50_021])
def test_what_ends_a_long_run_is_found(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    # Their expressions take a second to compile and are not what is tested.
    monkeypatch.setattr(registry, "DERIVERS", {})
    rule = Rule(
        id="acme-token", provider="acme", title="x", severity=Severity.HIGH,
        confidence=Confidence.HIGH, pattern=r"(?P<secret>[A-Z0-9]{40})(?![A-Z0-9])",
        anchors=(), remediation="x", origin="test",
    )  # fmt: skip
    engine = Engine.from_rules([rule])
    letters = random.Random(length).choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=length)
    text = bytes(letters) + b"\n"

    (match,) = engine.scanner().scan(ListBatch([(Document(Place.FILE), text)]))

    assert match.end == len(text) - 1
